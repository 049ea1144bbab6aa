//! Says where `parkdesk-faces` finds libtorch at run time: beside the installed program, else where it was built against.
//! torch-sys sets a path for its own C++ only, which does not reach a program.

use std::path::{Path, absolute};

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN/../lib/parkdesk");
    let Ok(libtorch) = std::env::var("LIBTORCH") else { return };
    let lib = Path::new(&libtorch).join("lib");
    let lib = absolute(&lib).unwrap_or(lib);
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
}
