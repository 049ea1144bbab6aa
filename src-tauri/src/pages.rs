//! The page's files, read from the folder where they are installed: the same files that the appliance serves to browsers.
//!
//! They are not compiled in, so that the program and its page are built apart and lie on the disk once. Only plain file
//! names below the folder are read; without the folder a page says what to do.

use std::borrow::Cow;
use std::fs;
use std::path::{Component, Path, PathBuf};

use tauri::utils::assets::{AssetKey, AssetsIter, CspHash};
use tauri::{Assets, Runtime};

/// What is shown when there is no page to show.
const MISSING: &str = include_str!("missing.html");

/// The folder of the page.
pub(crate) struct Pages {
    dir: Option<PathBuf>,
}

impl Pages {
    /// From `wanted`, else installed beside the program, else in a checkout where set-up builds them.
    pub(crate) fn find(wanted: Option<PathBuf>) -> Self {
        let dir = wanted.or_else(|| {
            let here = std::env::current_exe().ok()?;
            let beside = here.parent()?;
            let installed = beside.join("../share/parkdesk/ui");
            let checkout = beside.ancestors().map(|dir| dir.join("ui/dist"));
            std::iter::once(installed).chain(checkout).find(|dir| dir.join("index.html").is_file())
        });
        match &dir {
            Some(dir) => tracing::debug!(dir = %dir.display(), "pages"),
            None => tracing::error!("the program's pages are missing: install it again, or run cargo xtask setup"),
        }
        Self { dir }
    }

    fn read(&self, key: &str) -> Option<Vec<u8>> {
        let name = Path::new(key.strip_prefix('/').unwrap_or(key));
        if !name.components().all(|part| matches!(part, Component::Normal(_))) {
            return None;
        }
        let found = self.dir.as_ref().and_then(|dir| fs::read(dir.join(name)).ok());
        match found {
            None if key.trim_start_matches('/') == "index.html" => Some(MISSING.into()),
            found => found,
        }
    }
}

impl<R: Runtime> Assets<R> for Pages {
    fn get(&self, key: &AssetKey) -> Option<Cow<'_, [u8]>> {
        self.read(key.as_ref()).map(Cow::Owned)
    }

    fn iter(&self) -> Box<AssetsIter<'_>> {
        Box::new(std::iter::empty())
    }

    fn csp_hashes(&self, _html_path: &AssetKey) -> Box<dyn Iterator<Item = CspHash<'_>> + '_> {
        Box::new(std::iter::empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_below_the_folder_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let ui = dir.path().join("ui");
        fs::create_dir_all(ui.join("assets")).unwrap();
        fs::write(ui.join("index.html"), "page").unwrap();
        fs::write(ui.join("assets/a.js"), "script").unwrap();
        fs::write(dir.path().join("secret"), "no").unwrap();
        let pages = Pages::find(Some(ui));
        assert_eq!(pages.read("/index.html").unwrap(), b"page");
        assert_eq!(pages.read("/assets/a.js").unwrap(), b"script");
        for key in ["/../secret", "../secret", "/assets/../../secret", "//etc/passwd", "/./index.html/../../secret"] {
            assert_eq!(pages.read(key), None, "{key}");
        }
    }

    #[test]
    fn without_a_folder_a_page_says_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let pages = Pages::find(Some(dir.path().join("gone")));
        let page = String::from_utf8(pages.read("/index.html").unwrap()).unwrap();
        assert!(page.contains("cargo xtask setup") && page.contains("Установите"), "{page}");
        assert_eq!(pages.read("/assets/a.js"), None);
    }
}
