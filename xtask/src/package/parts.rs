//! What goes into which package.
//!
//! `parkdesk` (window) and `parkdesk-agent` (no screen) both need `parkdesk-common`: the face program, its weights, and the
//! page. That needs `parkdesk-libtorch`. `parkdesk-hub` stands alone.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::tree::{About, Built, Tree};
use crate::place;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const TORCH_VERSION: &str = "2.4.0-1";

/// Builds all of them into `to`, with the programs in `bins`.
pub(super) fn build(to: &Path, bins: &Path) -> Result<Vec<Built>> {
    Ok(vec![torch(to)?, common(to, bins)?, agent(to, bins)?, window(to, bins)?, hub(to, bins)?])
}

fn torch(to: &Path) -> Result<Built> {
    let tree = Tree::new(to, "parkdesk-libtorch")?;
    tree.put_all(&place::setup("libtorch").join("lib"), "usr/lib/parkdesk")?;
    tree.build(
        to,
        &About {
            name: "parkdesk-libtorch",
            version: TORCH_VERSION,
            summary: "libtorch 2.4.0 for the CPU, as Parkdesk uses it",
            text: "Cut from the PyPI wheel of torch 2.4.0 (BSD-3-Clause).",
            deb_needs: "Depends: libc6, libstdc++6\n".into(),
            rpm_needs: Vec::new(),
            user: None,
        },
    )
}

fn common(to: &Path, bins: &Path) -> Result<Built> {
    let tree = Tree::new(to, "parkdesk-common")?;
    let root = place::root();
    tree.program(&bins.join("parkdesk-faces"), "usr/bin/parkdesk-faces", true)?;
    for entry in fs::read_dir(place::setup("weights"))? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|e| e == "safetensors") {
            tree.put(&entry.path(), &format!("usr/share/parkdesk/weights/{}", entry.file_name().display()), 0o644)?;
        }
    }
    tree.put_all(&root.join("ui/dist"), "usr/share/parkdesk/ui")?;
    tree.put_all(&root.join("models/licences"), "usr/share/doc/parkdesk-common")?;
    tree.put(&root.join("LICENSE"), "usr/share/doc/parkdesk-common/copyright", 0o644)?;
    tree.build(
        to,
        &About {
            name: "parkdesk-common",
            version: VERSION,
            summary: "Face program, weights and pages of Parkdesk",
            text: "Shared by the window and the appliance without a screen.",
            deb_needs: format!("Depends: libc6, libstdc++6, parkdesk-libtorch (= {TORCH_VERSION})\n"),
            rpm_needs: vec![format!("parkdesk-libtorch = {TORCH_VERSION}")],
            user: None,
        },
    )
}

fn agent(to: &Path, bins: &Path) -> Result<Built> {
    let tree = Tree::new(to, "parkdesk-agent")?;
    tree.program(&bins.join("parkdesk-agent"), "usr/bin/parkdesk-agent", false)?;
    tree.service("parkdesk-agent")?;
    tree.put(&place::root().join("LICENSE"), "usr/share/doc/parkdesk-agent/copyright", 0o644)?;
    tree.build(
        to,
        &About {
            name: "parkdesk-agent",
            version: VERSION,
            summary: "Parkdesk appliance without a screen",
            text: "Watches a folder for driver photos, checks and matches them on the device, and syncs with a hub.",
            deb_needs: format!(
                "Depends: libc6, passwd, ca-certificates, parkdesk-common (= {VERSION})\nRecommends: gnome-keyring\n"
            ),
            rpm_needs: vec![format!("parkdesk-common = {VERSION}"), "ca-certificates".into(), "shadow-utils".into()],
            user: Some("parkdesk"),
        },
    )
}

fn window(to: &Path, bins: &Path) -> Result<Built> {
    let tree = Tree::new(to, "parkdesk")?;
    let root = place::root();
    tree.program(&bins.join("parkdesk"), "usr/bin/parkdesk", false)?;
    let desktop = "org.parkdesk.desk.desktop";
    let from = root.join("packaging/desktop").join(desktop);
    tree.put(&from, &format!("usr/share/applications/{desktop}"), 0o644)?;
    let icons = root.join("src-tauri/icons");
    for (file, size) in
        [("32x32.png", 32), ("64x64.png", 64), ("128x128.png", 128), ("128x128@2x.png", 256), ("icon.png", 512)]
    {
        tree.put(&icons.join(file), &format!("usr/share/icons/hicolor/{size}x{size}/apps/parkdesk.png"), 0o644)?;
    }
    tree.put(&icons.join("parkdesk.svg"), "usr/share/icons/hicolor/scalable/apps/parkdesk.svg", 0o644)?;
    tree.put(&root.join("LICENSE"), "usr/share/doc/parkdesk/copyright", 0o644)?;
    tree.build(to, &About {
        name: "parkdesk",
        version: VERSION,
        summary: "Driver photos of a taxi fleet, with and without a network",
        text: "The window for photo centres and park offices: takes, checks, matches and sends driver photos.",
        // The tray's library is loaded at run time, so no tool finds it.
        deb_needs: format!(
            "Depends: libc6, libwebkit2gtk-4.1-0, libgtk-3-0, libayatana-appindicator3-1, gstreamer1.0-plugins-base, \
             gstreamer1.0-plugins-good, gstreamer1.0-plugins-bad, ca-certificates, parkdesk-common (= {VERSION})\n\
             Recommends: gnome-keyring | kwalletmanager\n"
        ),
        rpm_needs: vec![
            format!("parkdesk-common = {VERSION}"),
            "libayatana-appindicator3.so.1()(64bit)".into(),
            "gstreamer1-plugins-base".into(),
            "gstreamer1-plugins-good".into(),
            "ca-certificates".into(),
        ],
        user: None,
    })
}

fn hub(to: &Path, bins: &Path) -> Result<Built> {
    let tree = Tree::new(to, "parkdesk-hub")?;
    tree.program(&bins.join("parkdesk-hub"), "usr/bin/parkdesk-hub", false)?;
    tree.service("parkdesk-hub")?;
    tree.put(&place::root().join("LICENSE"), "usr/share/doc/parkdesk-hub/copyright", 0o644)?;
    tree.build(
        to,
        &About {
            name: "parkdesk-hub",
            version: VERSION,
            summary: "Parkdesk hub",
            text: "The upstream that appliances of a taxi fleet sync with.",
            deb_needs: "Depends: libc6, passwd\n".into(),
            rpm_needs: vec!["shadow-utils".into()],
            user: Some("parkdesk-hub"),
        },
    )
}
