//! A pull frame as NDJSON: a head line, one line per row, a trailer line. Built whole and read whole: a frame without
//! its trailer, with a wrong count or hash, or with a row whose hash is not its body's, never happened (F23, SEC11).

use sha2::{Digest, Sha256};

use super::{FrameHead, FrameRow, FrameTrailer};

/// Why bytes are no frame.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A line is not what it should be.
    #[error("line {line} is not a {wanted}: {cause}")]
    Line {
        /// From 1.
        line: u64,
        /// What was expected.
        wanted: &'static str,
        /// What serde said.
        cause: String,
    },
    /// The bytes end before a trailer.
    #[error("cut off after line {line}")]
    Cut {
        /// The last whole line.
        line: u64,
    },
    /// The trailer's count is wrong.
    #[error("trailer counts {trailer} rows, frame has {rows}")]
    Count {
        /// By the trailer.
        trailer: u64,
        /// In the frame.
        rows: u64,
    },
    /// The trailer's hash is wrong.
    #[error("the frame's hash is wrong")]
    Hash,
    /// A row's hash is not that of its body, or its version lies outside the frame.
    #[error("row on line {line} is unsound")]
    Row {
        /// From 1.
        line: u64,
    },
}

/// A frame that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The head.
    pub head: FrameHead,
    /// The rows, by version.
    pub rows: Vec<FrameRow>,
}

/// Appends the frame's lines to `out`.
///
/// # Errors
/// If a part does not serialise (never for these types).
pub fn encode(head: &FrameHead, rows: &[FrameRow], out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let start = out.len();
    serde_json::to_writer(&mut *out, head)?;
    out.push(b'\n');
    for row in rows {
        serde_json::to_writer(&mut *out, row)?;
        out.push(b'\n');
    }
    let hash = hex::encode(Sha256::digest(out.get(start..).unwrap_or_default()));
    let trailer = FrameTrailer { count: rows.len() as u64, hash };
    serde_json::to_writer(&mut *out, &trailer)?;
    out.push(b'\n');
    Ok(())
}

/// Reads frames one after another from decompressed bytes.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    line: u64,
}

impl<'a> Reader<'a> {
    /// Over the body of a pull answer.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, line: 0 }
    }

    fn next_line(&mut self) -> Result<&'a [u8], FrameError> {
        let end = self.rest.iter().position(|b| *b == b'\n').ok_or(FrameError::Cut { line: self.line })?;
        let (line, rest) = self.rest.split_at(end + 1);
        self.rest = rest;
        self.line += 1;
        Ok(line)
    }

    fn parse<T: serde::de::DeserializeOwned>(&self, line: &[u8], wanted: &'static str) -> Result<T, FrameError> {
        serde_json::from_slice(line).map_err(|e| FrameError::Line { line: self.line, wanted, cause: e.to_string() })
    }

    fn frame(&mut self) -> Result<Frame, FrameError> {
        let mut hasher = Sha256::new();
        let line = self.next_line()?;
        hasher.update(line);
        let head: FrameHead = self.parse(line, "frame head")?;
        let mut rows: Vec<FrameRow> = Vec::new();
        loop {
            let line = self.next_line()?;
            // A row has a kind, a trailer has not.
            if let Ok(trailer) = serde_json::from_slice::<FrameTrailer>(line) {
                if trailer.count != rows.len() as u64 {
                    return Err(FrameError::Count { trailer: trailer.count, rows: rows.len() as u64 });
                }
                if trailer.hash != hex::encode(hasher.finalize()) {
                    return Err(FrameError::Hash);
                }
                return Ok(Frame { head, rows });
            }
            hasher.update(line);
            let row: FrameRow = self.parse(line, "row or trailer")?;
            if !row.is_sound() || row.version <= head.from || row.version > head.to {
                return Err(FrameError::Row { line: self.line });
            }
            rows.push(row);
        }
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Frame, FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let frame = self.frame();
        if frame.is_err() {
            self.rest = &[];
        }
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical;
    use crate::row::Kind;
    use crate::scope::Scope;

    fn frame(rows: u64) -> Vec<u8> {
        let head = FrameHead { scope: Scope::Org, epoch: 1, from: 0, to: rows, head: rows, schema: 1, refused: None };
        let rows: Vec<_> = (1..=rows)
            .map(|version| {
                let body = format!("{{\"n\":{version}}}");
                Row {
                    kind: Kind::Other("thing".into()),
                    id: format!("r{version}").parse().unwrap(),
                    version,
                    rev: 1,
                    deleted: false,
                    schema: 1,
                    hash: canonical::hash(&body),
                    body,
                }
            })
            .collect();
        let mut out = Vec::new();
        encode(&head, &rows, &mut out).unwrap();
        out
    }
    use crate::row::Row;

    #[test]
    fn frames_follow_one_another() {
        let mut bytes = frame(3);
        bytes.extend(frame(0));
        let frames: Vec<_> = Reader::new(&bytes).collect::<Result<_, _>>().unwrap();
        assert_eq!(frames.iter().map(|f| f.rows.len()).collect::<Vec<_>>(), [3, 0]);
        assert_eq!(frames[0].rows[0].kind, Kind::Other("thing".into()), "unknown kinds are kept");
    }

    #[test]
    fn a_frame_cut_at_any_byte_never_happened() {
        let bytes = frame(3);
        for end in 0..bytes.len() {
            let whole = Reader::new(&bytes[..end]).filter(Result::is_ok).count();
            assert_eq!(whole, 0, "cut at {end}");
        }
    }

    #[test]
    fn a_changed_byte_is_found() {
        let bytes = frame(2);
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            let whole: Vec<_> = Reader::new(&bad).filter_map(Result::ok).collect();
            let good: Vec<_> = Reader::new(&bytes).filter_map(Result::ok).collect();
            assert_ne!(whole, good, "byte {at}");
        }
    }
}
