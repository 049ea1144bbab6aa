//! Whose photo it is, as far as names say: a row of the sidecar CSV, the sub-folder, the beginning of the file's name.
//! Whether such a text names a driver is the app's to say.

use std::collections::BTreeMap;
use std::path::Path;

use parkdesk_app::capture::AssignedBy;

/// A text that may name a driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hint {
    pub(super) text: String,
    pub(super) from: AssignedBy,
}

/// Rows of a sidecar: file name -> driver.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sidecar {
    rows: BTreeMap<String, String>,
}

/// Most bytes of a sidecar that are read.
pub(super) const MOST_SIDECAR_BYTES: u64 = 4 << 20;

impl Sidecar {
    /// Reads `file,driver` lines; `;` and tab separate as well, a byte order mark and a heading are skipped.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let first = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
        let delimiter = [b';', b'\t', b','].into_iter().find(|d| first.contains(d)).unwrap_or(b',');
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(bytes);
        let mut rows = BTreeMap::new();
        for record in reader.byte_records().map_while(Result::ok) {
            let field = |n| record.get(n).map(|f: &[u8]| String::from_utf8_lossy(f).trim().to_owned());
            let (Some(file), Some(driver)) = (field(0), field(1)) else { continue };
            let is_heading = file.eq_ignore_ascii_case("file") && driver.eq_ignore_ascii_case("driver");
            if !is_heading && !file.is_empty() && !driver.is_empty() {
                rows.insert(file.to_lowercase(), driver);
            }
        }
        Self { rows }
    }

    fn driver_of(&self, name: &str) -> Option<&String> {
        self.rows.get(&name.to_lowercase())
    }
}

/// Hints for a file, the most explicit first.
pub(super) fn hints(root: &Path, path: &Path, sidecar: Option<&Sidecar>) -> Vec<Hint> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut hints = Vec::new();
    if let Some(driver) = sidecar.and_then(|sidecar| sidecar.driver_of(&name)) {
        hints.push(Hint { text: driver.clone(), from: AssignedBy::Sidecar });
    }
    let folder = path.parent().filter(|folder| *folder != root).and_then(Path::file_name);
    if let Some(folder) = folder {
        hints.push(Hint { text: folder.to_string_lossy().into_owned(), from: AssignedBy::Folder });
    }
    hints.extend(beginnings(&name).into_iter().map(|text| Hint { text, from: AssignedBy::FileName }));
    hints
}

/// What stands before `_`, `-` or a space; ids may hold such signs themselves, so the longer beginnings come first.
fn beginnings(name: &str) -> Vec<String> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let cuts = stem.char_indices().filter(|(_, c)| matches!(c, '_' | '-' | ' ')).map(|(at, _)| at);
    let mut list: Vec<String> = cuts.chain([stem.len()]).filter_map(|at| stem.get(..at)).map(str::to_owned).collect();
    list.retain(|text| !text.is_empty());
    list.reverse();
    // The longest and the shortest are the likely ones; a name of a hundred dashes is not worth a hundred questions.
    while list.len() > 6 {
        list.remove(3);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sidecar_is_read_however_it_was_saved() {
        for text in [
            "file,driver\nA.jpg,d1\nb.jpg, 77 12 345678 \n",
            "a.JPG;d1\r\nb.jpg;77 12 345678\r\n",
            "\u{feff}File;Driver\nb.jpg;77 12 345678\na.jpg;d1",
            "a.jpg\td1\nb.jpg\t77 12 345678\nlonely\n\n;;\n",
        ] {
            let sidecar = Sidecar::parse(text.as_bytes());
            assert_eq!(sidecar.driver_of("a.jpg").map(String::as_str), Some("d1"), "{text:?}");
            assert_eq!(sidecar.driver_of("b.jpg").map(String::as_str), Some("77 12 345678"), "{text:?}");
            assert_eq!(sidecar.rows.len(), 2, "{text:?}");
        }
        assert_eq!(Sidecar::parse(b"\xff\xfe\0garbage\0\"").rows.len(), 0);
    }

    #[test]
    fn hints_go_from_the_explicit_to_the_vague() {
        let root = Path::new("/in");
        let sidecar = Sidecar::parse(b"7001_2.jpg,d9");
        let texts = |path: &str, sidecar| -> Vec<(String, AssignedBy)> {
            hints(root, Path::new(path), sidecar).into_iter().map(|h| (h.text, h.from)).collect()
        };
        assert_eq!(
            texts("/in/d7/7001_2.jpg", Some(&sidecar)),
            [
                ("d9".into(), AssignedBy::Sidecar),
                ("d7".into(), AssignedBy::Folder),
                ("7001_2".into(), AssignedBy::FileName),
                ("7001".into(), AssignedBy::FileName),
            ]
        );
        assert_eq!(texts("/in/+79161234567 2.jpg", None).last().unwrap().0, "+79161234567");
        assert_eq!(texts("/in/a-b_c.jpg", None).len(), 3, "an id with a dash is tried as a whole, too");
        assert_eq!(texts("/in/_.jpg", None).len(), 1);
        assert!(texts(&format!("/in/{}.jpg", "x-".repeat(100)), None).len() <= 6);
    }
}
