//! The systemd units as installed: systemd itself finds no fault in them, and they stay as closed as they are.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::run;

/// The most exposure that `systemd-analyze security` may find, in tenths.
const MOST_EXPOSURE: u32 = 17;

/// Checks the units below the root into which the packages were unpacked; does nothing where systemd is not installed.
///
/// # Errors
/// If systemd finds fault with a unit.
pub(super) fn check(root: &Path) -> Result<()> {
    if !run::is_installed("systemd-analyze") {
        println!("    units: not checked, systemd-analyze is not here");
        return Ok(());
    }
    let copies = root.with_extension("units");
    fs::create_dir_all(&copies)?;
    for name in ["parkdesk-agent.service", "parkdesk-hub.service"] {
        let text =
            fs::read_to_string(root.join("usr/lib/systemd/system").join(name)).with_context(|| name.to_owned())?;
        // The programs lie below the root; other units are this machine's.
        let copy = copies.join(name);
        fs::write(&copy, text.replace("ExecStart=/", &format!("ExecStart={}/", root.display())))?;
        let mut verify = run::command("systemd-analyze");
        let told = verify.args(["verify", "--man=no"]).arg(&copy).output()?;
        // It warns of an unknown key and calls that a success.
        let told_text = String::from_utf8_lossy(&told.stderr);
        ensure!(told.status.success() && told_text.trim().is_empty(), "systemd finds fault with {name}:\n{told_text}");
        let mut security = run::command("systemd-analyze");
        security.args(["security", "--offline=true", "--no-pager", &format!("--threshold={MOST_EXPOSURE}")]);
        run::output(security.arg(&copy)).with_context(|| format!("{name} is less closed than it was"))?;
    }
    fs::remove_dir_all(&copies)?;
    println!("    units: systemd finds no fault, exposure at most {:.1}", f64::from(MOST_EXPOSURE) / 10.0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::place;

    /// The units of this checkout over programs that do nothing; `change` is made to the hub's.
    fn laid(change: impl Fn(String) -> String) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let at = root.path().join("root");
        for folder in ["usr/lib/systemd/system", "usr/bin"] {
            fs::create_dir_all(at.join(folder)).unwrap();
        }
        for name in ["parkdesk-agent", "parkdesk-hub"] {
            let unit = format!("{name}.service");
            let text = fs::read_to_string(place::root().join("packaging/systemd").join(&unit)).unwrap();
            let text = if name == "parkdesk-hub" { change(text) } else { text };
            fs::write(at.join("usr/lib/systemd/system").join(unit), text).unwrap();
            let program = at.join("usr/bin").join(name);
            fs::write(&program, "#!/bin/sh\n").unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        root
    }

    fn result(change: impl Fn(String) -> String) -> Result<()> {
        let root = laid(change);
        check(&root.path().join("root"))
    }

    #[test]
    fn the_units_are_sound_and_closed_and_a_slip_in_one_is_found() {
        result(|text| text).unwrap();
        if run::is_installed("systemd-analyze") {
            assert!(result(|text| text.replace("Restart=", "Restrat=")).is_err(), "an unknown key");
            assert!(
                result(|text| text.replace("parkdesk-hub serve", "parkdesk-hob serve")).is_err(),
                "no such program"
            );
            assert!(result(|text| text.replace("NoNewPrivileges=yes\n", "")).is_err(), "opened");
        }
    }
}
