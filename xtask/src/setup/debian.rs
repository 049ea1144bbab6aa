//! Debian packages that building and testing need. As root they are installed; otherwise the one line to run is shown.

use std::env;

use anyhow::{Result, bail};

use crate::run;

/// Package and a program that proves it on systems without dpkg.
const PACKAGES: &[(&str, &str)] = &[
    ("build-essential", "c++"), // torch-sys, SQLCipher, libjpeg-turbo
    ("binutils", "strip"),      // libtorch is stripped
    ("cmake", "cmake"),         // libjpeg-turbo
    ("nasm", "nasm"),           // libjpeg-turbo
    ("perl", "perl"),           // OpenSSL's build, for SQLCipher
    ("pkg-config", "pkg-config"),
    ("patchelf", "patchelf"),                  // libtorch without CUDA
    ("python3", "python3"),                    // pip fetches libtorch, weights and photos
    ("python3-venv", ""),                      // cargo xtask bench faces
    ("dbus", "dbus-run-session"),              // key store test
    ("gnome-keyring", "gnome-keyring-daemon"), // key store test
    ("fonts-inter", ""),                       // the contact sheet
    ("libwebkit2gtk-4.1-dev", ""),             // the window
    ("libsoup-3.0-dev", ""),                   // the window
    ("libdbus-1-dev", ""),                     // the window's tray
    ("libayatana-appindicator3-dev", ""),      // the window's tray
    ("librsvg2-dev", ""),                      // GTK's own icons
    ("gstreamer1.0-plugins-base", ""),         // the camera in the window
    ("gstreamer1.0-plugins-good", ""),         // the camera in the window
    ("gstreamer1.0-plugins-bad", ""),          // the camera in the window
    ("webkit2gtk-driver", "WebKitWebDriver"),  // window tests
    ("xvfb", "Xvfb"),                          // window tests
    ("openbox", "openbox"),                    // window tests
    ("wmctrl", "wmctrl"),                      // window tests
    ("libglib2.0-bin", "gdbus"),               // window tests
    ("x11-utils", "xwininfo"),                 // window tests
    ("chromium", "chromium"),                  // tests of the page
    ("postgresql-15", ""),                     // the hub's other store
    ("rpm", "rpmbuild"),                       // packages
    ("rpm2cpio", "rpm2cpio"),                  // packages, unpacked again
    ("cpio", "cpio"),                          // packages, unpacked again
];

/// Installs what is missing for building, showing and testing.
///
/// # Errors
/// As [`install`].
pub(super) fn install_all() -> Result<()> {
    install(PACKAGES)
}

/// Installs what is missing of some packages.
///
/// # Errors
/// If something is missing and this is not root, or apt fails.
pub(crate) fn install(packages: &[(&'static str, &str)]) -> Result<()> {
    let has_dpkg = run::is_installed("dpkg-query");
    let missing: Vec<&str> = packages
        .iter()
        .filter(|(package, program)| !(provided(program) || has_dpkg && is_installed(package)))
        .map(|(package, _)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let line = format!("apt-get install -y {}", missing.join(" "));
    let is_root = run::output(run::command("id").arg("-u")).is_ok_and(|uid| uid.trim_ascii() == b"0");
    if !has_dpkg || !is_root {
        bail!("these Debian packages are missing; run this line, then the same command again:\n    sudo {line}");
    }
    let remedy = "check the network and the apt sources, then run the same command again";
    run::step("apt-get update", run::command("apt-get").args(["update", "-q"]), remedy)?;
    let mut apt = run::command("apt-get");
    apt.args(["install", "-y", "-q", "--no-install-recommends"]).args(&missing);
    if env::var_os("DEBIAN_FRONTEND").is_none() {
        apt.env("DEBIAN_FRONTEND", "noninteractive");
    }
    run::step(&format!("install {}", missing.join(" ")), &mut apt, remedy)
}

fn provided(program: &str) -> bool {
    !program.is_empty() && run::is_installed(program)
}

fn is_installed(package: &str) -> bool {
    let mut query = run::command("dpkg-query");
    query.args(["-W", "-f", "${db:Status-Status}", package]);
    run::output(&mut query).is_ok_and(|status| status == b"installed")
}
