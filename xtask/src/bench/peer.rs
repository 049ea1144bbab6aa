//! The peer of `cargo xtask bench faces`: `face_recognition` in a virtual environment of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::{place, run};

/// What pip installs; dlib is built from its sdist, as its users do. The last one brings `pkg_resources`.
const PACKAGES: [&str; 3] = ["dlib==20.0.0", "face_recognition==1.3.0", "setuptools<81"];

/// The same as ours: from the file's bytes to the descriptor, CPU time, one thread, the library's defaults.
const SCRIPT: &str = r#"
import io, json, os, sys, time
import face_recognition
folder = sys.argv[1]
names = sorted(os.listdir(folder))
for line in sys.stdin:
    seconds, found = [], 0
    for name in names:
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        start = time.process_time()
        picture = face_recognition.load_image_file(io.BytesIO(data))
        found += bool(face_recognition.face_encodings(picture))
        seconds.append(time.process_time() - start)
    print(json.dumps({"seconds": seconds, "found": found}), flush=True)
"#;

/// Installs `face_recognition` once; answers its environment.
///
/// # Errors
/// If pip cannot; building dlib needs cmake and a C++ compiler.
pub(super) fn install() -> Result<PathBuf> {
    let dir = place::cache()?.join("peers").join("face_recognition-1.3.0-dlib-20.0.0");
    let done = dir.join("installed");
    if done.is_file() {
        return Ok(dir);
    }
    let mut venv = run::command("python3");
    run::step("make an environment for face_recognition", venv.args(["-m", "venv"]).arg(&dir), "install python3-venv")?;
    let mut pip = run::command(&dir.join("bin/pip").to_string_lossy());
    pip.args(["install", "--no-binary", "dlib"]).args(PACKAGES);
    run::step("build dlib from its sdist (takes minutes)", &mut pip, "needs cmake, a C++ compiler and PyPI")?;
    fs::write(&done, PACKAGES.join("\n"))?;
    Ok(dir)
}

/// The peer's measuring program.
pub(super) fn command(environment: &Path, photos: &Path) -> Command {
    let mut command = Command::new(environment.join("bin/python"));
    command.args(["-W", "ignore", "-c", SCRIPT]).arg(photos);
    command.env("OMP_NUM_THREADS", "1").env("OPENBLAS_NUM_THREADS", "1").env("MKL_NUM_THREADS", "1");
    command
}
