//! What a picture may be before anybody decodes it: its size in bytes, its format by content, its pixels and its frames.
//!
//! Everything here reads headers only: no pixel is decoded, nothing is inflated, nothing is allocated by a figure that the
//! file claims. Invariant: [`inspect`] of any bytes takes time linear in their length and memory that does not depend on
//! the claimed size (guarded by `a_60000_square_png_of_one_colour_is_refused_at_the_header`).
//!
//! The allow-list is short on purpose (JPEG, PNG, WebP): a phone, a browser and a camera make these. HEIC is refused with a
//! hint, because its decoder is neither free nor small.

mod jpeg;
mod png;
mod webp;
mod words;

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use self::jpeg::{AdobeTransform, JpegHeader};
use crate::quality::Lang;

/// Largest file taken, in bytes (25 MB as people count them).
pub const MAX_BYTES: usize = 25_000_000;
/// Largest picture taken, in pixels.
pub const MAX_PIXELS: u64 = 50_000_000;
/// Longest side taken, in pixels: what the JPEG format itself can hold.
pub const MAX_SIDE: u32 = 65_500;
/// Shortest side taken, in pixels: below it there is no face that could be recognised.
pub const MIN_SIDE: u32 = 32;
/// Most scans of a progressive JPEG: honest encoders write about ten; each one costs a pass over the whole picture.
pub const MAX_SCANS: u32 = 100;

/// Why a picture was refused, with the figure found and the limit it broke.
///
/// The text ([`Rejection::text`]; `Display` has the English one) is one sentence with a hint, for logs, reason files and
/// people alike. It never holds anything read from the picture besides the figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub struct Rejection {
    /// The kind of refusal.
    pub code: RejectionCode,
    /// What was found (bytes, pixels, frames...), if the refusal is about a figure.
    pub figure: Option<i64>,
    /// What is allowed.
    pub limit: Option<i64>,
}

/// The kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectionCode {
    /// The bytes are not a picture in any format we know of.
    NotAnImage,
    /// A picture, but in a format that is not taken (GIF, BMP, TIFF, HEIC, AVIF, SVG, ...).
    UnsupportedFormat,
    /// The file is larger than [`MAX_BYTES`].
    TooManyBytes,
    /// The picture has more than [`MAX_PIXELS`] pixels.
    TooManyPixels,
    /// The shorter side is below [`MIN_SIDE`].
    TooSmall,
    /// An animation.
    ManyFrames,
    /// The file ends before the picture does.
    Truncated,
    /// The file is damaged or breaks its own format.
    Broken,
}

impl RejectionCode {
    /// The code as it is written in files and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAnImage => "not_an_image",
            Self::UnsupportedFormat => "unsupported_format",
            Self::TooManyBytes => "too_many_bytes",
            Self::TooManyPixels => "too_many_pixels",
            Self::TooSmall => "too_small",
            Self::ManyFrames => "many_frames",
            Self::Truncated => "truncated",
            Self::Broken => "broken",
        }
    }
}

impl Rejection {
    pub(crate) fn plain(code: RejectionCode) -> Self {
        Self { code, figure: None, limit: None }
    }

    pub(crate) fn figure(code: RejectionCode, figure: u64, limit: u64) -> Self {
        let clamp = |n: u64| Some(i64::try_from(n).unwrap_or(i64::MAX));
        Self { code, figure: clamp(figure), limit: clamp(limit) }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Lang::En))
    }
}

/// The formats that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JPEG, baseline or progressive.
    Jpeg,
    /// PNG with one frame.
    Png,
    /// WebP with one frame, lossy or lossless.
    WebP,
}

/// What the header of an acceptable picture says, before any turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The format by content; names and declared types are not asked.
    pub format: Format,
    /// Columns as stored.
    pub width: u32,
    /// Rows as stored.
    pub height: u32,
}

/// Checks bytes against every limit without decoding them.
///
/// # Errors
/// The first limit that the bytes break.
pub fn inspect(bytes: &[u8]) -> Result<Header, Rejection> {
    check_bytes(bytes.len())?;
    let format = sniff(bytes)?;
    let (width, height) = match format {
        Format::Jpeg => {
            let header = jpeg_header(bytes)?;
            (header.width, header.height)
        }
        Format::Png => png::dimensions(bytes)?,
        Format::WebP => webp::dimensions(bytes)?,
    };
    check_pixels(width, height)?;
    Ok(Header { format, width, height })
}

/// Checks the number of bytes alone, so that a caller can refuse before it reads or sends them.
///
/// # Errors
/// [`RejectionCode::TooManyBytes`], or [`RejectionCode::NotAnImage`] for an empty file.
pub fn check_bytes(len: usize) -> Result<(), Rejection> {
    if len > MAX_BYTES {
        return Err(Rejection::figure(RejectionCode::TooManyBytes, len as u64, MAX_BYTES as u64));
    }
    if len == 0 {
        return Err(Rejection::plain(RejectionCode::NotAnImage));
    }
    Ok(())
}

/// Walks the segments of a JPEG: its size, turn, profile and kind of colour, all bounded.
pub(crate) fn jpeg_header(bytes: &[u8]) -> Result<JpegHeader, Rejection> {
    jpeg::read_header(bytes)
}

/// The ICC profile of a WebP file as it lies in the container, if there is one.
pub(crate) fn webp_chunk<'a>(bytes: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    webp::chunk(bytes, name)
}

/// The body of a PNG's chunk as it lies in the file (not inflated), if there is one before the pixels.
pub(crate) fn png_chunk<'a>(bytes: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    png::chunk(bytes, name)
}

fn check_pixels(width: u32, height: u32) -> Result<(), Rejection> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MAX_PIXELS {
        return Err(Rejection::figure(RejectionCode::TooManyPixels, pixels, MAX_PIXELS));
    }
    let long = width.max(height);
    if long > MAX_SIDE {
        return Err(Rejection::figure(RejectionCode::TooManyPixels, u64::from(long), u64::from(MAX_SIDE)));
    }
    let short = width.min(height);
    if short < MIN_SIDE {
        return Err(Rejection::figure(RejectionCode::TooSmall, u64::from(short), u64::from(MIN_SIDE)));
    }
    Ok(())
}

fn sniff(bytes: &[u8]) -> Result<Format, Rejection> {
    if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        return Ok(Format::Jpeg);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok(Format::Png);
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Ok(Format::WebP);
    }
    let code = if is_other_picture(bytes) { RejectionCode::UnsupportedFormat } else { RejectionCode::NotAnImage };
    Err(Rejection::plain(code))
}

/// Formats that people do send and that deserve a better answer than "not a picture".
fn is_other_picture(bytes: &[u8]) -> bool {
    const MAGICS: [&[u8]; 11] = [
        b"GIF87a",
        b"GIF89a",
        b"BM",
        b"II*\0",
        b"MM\0*",
        b"8BPS",
        &[0, 0, 1, 0],
        &[0x00, 0x00, 0x00, 0x0c, b'j', b'P', b' ', b' '],
        &[0xff, 0x4f, 0xff, 0x51],
        &[0xff, 0x0a],
        &[0x00, 0x00, 0x00, 0x0c, b'J', b'X', b'L', b' '],
    ];
    if MAGICS.iter().any(|magic| bytes.starts_with(magic)) {
        return true;
    }
    // HEIC, HEIF and AVIF are ISO media files: a box `ftyp` with a brand.
    if bytes.get(4..8) == Some(b"ftyp") {
        return bytes.get(8..12).is_some_and(|brand| {
            [b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"]
                .iter()
                .any(|b| *b == brand)
        });
    }
    let head = bytes.get(..bytes.len().min(1024)).unwrap_or_default();
    String::from_utf8_lossy(head).to_ascii_lowercase().contains("<svg")
}
