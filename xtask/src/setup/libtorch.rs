//! libtorch 2.4.0 for the CPU, cut from the PyPI wheel of torch (which is the CUDA build): the CPU libraries and headers
//! are taken, the dependency on CUDA is removed, symbols are stripped. `tch` 0.17 wants exactly this version, because
//! `rust-bert` 0.23 does (ADR-0002).

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::pypi::Package;
use crate::run;

const VERSION: &str = "2.4.0";

/// Counts changes of what is taken, so that an older cut is not used.
const CUT: u32 = 2;

const TORCH: Package = Package {
    name: "torch",
    version: VERSION,
    file: "torch-2.4.0-cp311-cp311-manylinux1_x86_64.whl",
    sha256: "e743adadd8c8152bb8373543964551a7cb7cc20ba898dc8f9c0cdbe47c283de0",
    bytes: 797_262_052,
    is_wheel: true,
};

/// libtorch_cpu.so needs these two small ones even where no GPU is.
const CUDA: [Package; 2] = [
    Package {
        name: "nvidia-cuda-runtime-cu12",
        version: "12.1.105",
        file: "nvidia_cuda_runtime_cu12-12.1.105-py3-none-manylinux1_x86_64.whl",
        sha256: "6e258468ddf5796e25f1dc591a31029fa317d97a0a94ed93468fc86301d61e40",
        bytes: 823_596,
        is_wheel: true,
    },
    Package {
        name: "nvidia-cuda-cupti-cu12",
        version: "12.1.105",
        file: "nvidia_cuda_cupti_cu12-12.1.105-py3-none-manylinux1_x86_64.whl",
        sha256: "e54fde3983165c624cb79254ae9818a456eb6e87a7fd4d56a2352c24ee542d7e",
        bytes: 14_109_015,
        is_wheel: true,
    },
];

const LIBRARIES: [&str; 5] = ["libtorch_cpu.so", "libtorch.so", "libc10.so", "libshm.so", "libtorch_global_deps.so"];

/// Cuts libtorch into the cache unless it is there; answers its folder.
///
/// # Errors
/// If a package cannot be had or a tool fails.
pub(super) fn cut(cache: &Path, downloads: &Path) -> Result<PathBuf> {
    let to = cache.join(format!("libtorch-{VERSION}-cpu-r{CUT}"));
    // Written last, so it proves the whole.
    if to.join("build-version").is_file() {
        return Ok(to);
    }
    let part = to.with_extension("part");
    if part.exists() {
        fs::remove_dir_all(&part)?;
    }
    fs::create_dir_all(part.join("lib"))?;
    TORCH.fetch(downloads)?;
    for package in &CUDA {
        package.fetch(downloads)?;
    }
    println!("==> cut libtorch {VERSION} for the CPU out of {}", TORCH.file);
    unpack(&downloads.join(TORCH.file), &part)?;
    for package in &CUDA {
        unpack(&downloads.join(package.file), &part)?;
    }
    let lib = part.join("lib");
    ensure!(!lib.join("libtorch_cuda.so").exists(), "BUG: libtorch_cuda.so was taken along");
    let tool = |name: &str, args: &[&str], files: &[&str]| {
        run::output(run::command(name).args(args).args(files).current_dir(&lib))
    };
    tool("patchelf", &["--remove-needed", "libtorch_cuda.so"], &["libtorch.so"])?;
    tool("patchelf", &["--set-rpath", "$ORIGIN"], &["libtorch_cpu.so", "libtorch.so", "libc10.so"])?;
    tool("strip", &["--strip-unneeded"], &["libtorch_cpu.so"])?;
    fs::write(part.join("build-version"), format!("{VERSION}\n"))?;
    if to.exists() {
        fs::remove_dir_all(&to)?;
    }
    fs::rename(&part, &to)?;
    TORCH.forget(downloads)?;
    for package in &CUDA {
        package.forget(downloads)?;
    }
    Ok(to)
}

fn unpack(wheel: &Path, to: &Path) -> Result<()> {
    let mut zip = zip::ZipArchive::new(File::open(wheel)?).with_context(|| wheel.display().to_string())?;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index)?;
        let Some(path) = entry.enclosed_name() else { continue };
        let Some(target) = wanted(&path) else { continue };
        if entry.is_dir() {
            continue;
        }
        let target = to.join(target);
        if let Some(dir) = target.parent() {
            fs::create_dir_all(dir)?;
        }
        if entry.size() > 50_000_000 {
            println!("    {} ({:.0} MB)", path.display(), entry.size() as f64 / 1e6);
        }
        let mut file = File::create(&target).with_context(|| format!("cannot write {}", target.display()))?;
        io::copy(&mut entry, &mut file).with_context(|| format!("cannot write {}", target.display()))?;
    }
    Ok(())
}

/// Where a member of a wheel goes, if it is one of ours.
fn wanted(path: &Path) -> Option<PathBuf> {
    if let Ok(header) = path.strip_prefix("torch/include") {
        return Some(Path::new("include").join(header));
    }
    let name = path.file_name()?.to_str()?;
    let package = path.iter().next()?.to_str()?.split('-').next()?;
    if path.iter().any(|part| part.to_string_lossy().ends_with(".dist-info"))
        && matches!(name.to_ascii_lowercase().as_str(), "license" | "notice" | "license.txt")
    {
        return Some(Path::new("licences").join(format!("{package}-{name}")));
    }
    let is_ours = if path.starts_with("torch/lib") {
        LIBRARIES.contains(&name) || (name.starts_with("libgomp-") && name.ends_with(".so.1"))
    } else {
        path.starts_with("nvidia") && matches!(name, "libcudart.so.12" | "libcupti.so.12")
    };
    is_ours.then(|| Path::new("lib").join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuda_is_left_behind() {
        let takes = |path: &str| wanted(Path::new(path)).map(|p| p.display().to_string());
        assert_eq!(takes("torch/lib/libtorch_cpu.so").as_deref(), Some("lib/libtorch_cpu.so"));
        assert_eq!(takes("torch/lib/libgomp-a34b3233.so.1").as_deref(), Some("lib/libgomp-a34b3233.so.1"));
        assert_eq!(takes("torch/include/ATen/ATen.h").as_deref(), Some("include/ATen/ATen.h"));
        assert_eq!(takes("nvidia/cuda_runtime/lib/libcudart.so.12").as_deref(), Some("lib/libcudart.so.12"));
        assert_eq!(takes("torch-2.4.0.dist-info/NOTICE").as_deref(), Some("licences/torch-NOTICE"));
        assert_eq!(takes("torch/lib/libtorch_cuda.so"), None);
        assert_eq!(takes("torch/bin/protoc"), None);
    }
}
