//! The key in a real keyring: gnome-keyring in a D-Bus session of the test's own, each step in a process of its own.
//!
//! Runs without the usual harness, because the same program is both the story and its steps.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use std::time::Duration;

use parkdesk_app::keys::ring::OsRing;
use parkdesk_app::keys::{KeyPlace, KeysError};

const STEP: &str = "PARKDESK_TEST_STEP";
const DIR: &str = "PARKDESK_TEST_DIR";

fn main() -> ExitCode {
    // What test runners ask before they run anything.
    if std::env::args().any(|arg| arg == "--list") {
        println!("the_keyring_keeps_the_key_and_its_loss_is_survived: test");
        return ExitCode::SUCCESS;
    }
    match std::env::var(STEP) {
        Ok(step) => run_step(&step, &PathBuf::from(std::env::var(DIR).expect("the story names the directory"))),
        Err(_) => story(),
    }
    ExitCode::SUCCESS
}

fn story() {
    for program in ["dbus-run-session", "gnome-keyring-daemon"] {
        let found =
            std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|dir| dir.join(program).is_file());
        assert!(
            found,
            "{program} is missing: install the Debian packages dbus and gnome-keyring (cargo xtask setup does)"
        );
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let desk = dir.path().join("desk");
    // The first process makes the key, a second one finds it: it was really stored.
    in_session(&desk, dir.path(), &["first", "second"]);
    // Another session without that keyring: the data stays locked and nothing is made; the code opens it, into its keyring.
    let other = dir.path().join("other");
    in_session(&other, dir.path(), &["gone", "recover", "second"]);
    // No session bus at all.
    let bare = step(dir.path(), "gone").env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent").output();
    check(bare.expect("the step runs"), "gone without a bus");
    println!("test the_keyring_keeps_the_key_and_its_loss_is_survived ... ok");
}

/// Steps in one D-Bus session with an unlocked keyring of that home.
fn in_session(home: &Path, dir: &Path, steps: &[&str]) {
    fs::create_dir_all(home.join("run")).expect("a home");
    let this = std::env::current_exe().expect("this program");
    let mut script = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null".to_owned();
    for name in steps {
        script.push_str(&format!(" && {STEP}={name} \"$0\""));
    }
    let output = Command::new("timeout")
        .args(["120", "dbus-run-session", "--", "sh", "-c", &script])
        .arg(this)
        .env(DIR, dir)
        .env("HOME", home)
        .env("XDG_DATA_HOME", home.join("data"))
        .env("XDG_RUNTIME_DIR", home.join("run"))
        .output();
    check(output.expect("dbus-run-session runs"), &steps.join(", "));
}

fn step(dir: &Path, name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.env(STEP, name).env(DIR, dir);
    command
}

fn check(output: Output, what: &str) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{what}: {}{}", text(&output.stdout), text(&output.stderr));
}

fn run_step(step: &str, dir: &Path) {
    let place = KeyPlace { dir: dir.join("data"), key_file: None };
    let ring = OsRing { wait: Duration::from_secs(15) };
    let (kept, code) = (dir.join("seen-key"), dir.join("seen-code"));
    match step {
        "first" => {
            let opened = place.open(&ring).expect("the first start makes a key");
            fs::write(&kept, opened.key.to_hex().as_bytes()).expect("kept for the next steps");
            fs::write(&code, opened.recovery.expect("shown at the first start").to_string()).expect("kept");
            parkdesk_sqlite::Replica::open(&place.dir, &opened.key).expect("a replica");
        }
        "second" => {
            let opened = place.open(&ring).expect("the key is found");
            assert!(opened.recovery.is_none());
            assert_eq!(opened.key.to_hex().as_bytes(), fs::read(&kept).expect("the first key"));
        }
        "gone" => {
            let before = names(&place.dir);
            let error = place.open(&ring).expect_err("the keyring is gone");
            assert!(matches!(error, KeysError::NoKey(_)), "{error}");
            assert_eq!(names(&place.dir), before, "nothing was made");
        }
        "recover" => {
            let code = fs::read_to_string(&code).expect("the code");
            place.recover(&ring, &code).expect("the code opens the wrapped copy");
        }
        other => panic!("no such step: {other}"),
    }
}

fn names(dir: &Path) -> Vec<PathBuf> {
    let mut names: Vec<_> = fs::read_dir(dir).expect("the directory").map(|e| e.expect("an entry").path()).collect();
    names.sort();
    names
}
