//! Pixels: a decoded picture, how foreign bytes become one, and how it becomes the files that Parkdesk keeps.
//!
//! Decoding runs only inside `parkdesk-faces` and in tests. The order is fixed: limits, decode, colours to sRGB, scale to at most
//! [`ORIGINAL_LONG_SIDE`], turn.
//!
//! Invariant: nothing of a file but its pixels comes through. Files are encoded from [`Rgb`] alone and hold no metadata, so
//! trailing bytes, EXIF, XMP, profiles and comments end here (guarded by `no_metadata_survives_the_re_encoding`).

mod colour;
mod jpeg;
mod png;
mod shrink;
mod turn;
mod webp;

pub use self::shrink::shrunk;
use crate::geometry::{Cut, cut_portrait};
use crate::limits::{self, Format, Rejection, RejectionCode};

/// Longest side of the picture that is kept as the original.
pub const ORIGINAL_LONG_SIDE: u32 = 4096;
/// JPEG quality of the original.
pub const ORIGINAL_QUALITY: u8 = 92;
/// JPEG quality of the portrait and the thumb.
pub const PORTRAIT_QUALITY: u8 = 85;
/// Longest side of the thumb.
pub const THUMB_LONG_SIDE: u32 = 320;

/// A picture of 8-bit sRGB rows without padding.
#[derive(Clone, PartialEq, Eq)]
pub struct Rgb {
    width: u32,
    height: u32,
    data: Vec<u8>,
}

impl std::fmt::Debug for Rgb {
    // Pixels are personal data; only the size may reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rgb({}x{})", self.width, self.height)
    }
}

impl Rgb {
    /// A picture of these rows; `None` if a side is zero or beyond [`limits::MAX_SIDE`], or `data` is not
    /// `width * height * 3` bytes.
    pub fn new(width: u32, height: u32, data: Vec<u8>) -> Option<Self> {
        let len = (width as usize).checked_mul(height as usize)?.checked_mul(3)?;
        (len > 0 && width.max(height) <= limits::MAX_SIDE && data.len() == len).then_some(Self { width, height, data })
    }

    /// Columns.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The rows, top first, three bytes a pixel.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The rows, without a copy.
    pub fn into_data(self) -> Vec<u8> {
        self.data
    }

    /// One pixel; `None` outside the picture.
    pub fn pixel(&self, x: u32, y: u32) -> Option<[u8; 3]> {
        if x >= self.width || y >= self.height {
            return None;
        }
        let at = (y as usize * self.width as usize + x as usize) * 3;
        self.data.get(at..at + 3)?.try_into().ok()
    }
}

/// The files made of one picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Files {
    /// The whole picture, JPEG.
    pub original: Vec<u8>,
    /// The 3:4 crop, JPEG; `None` without a face.
    pub portrait: Option<Vec<u8>>,
    /// The whole picture, small, JPEG.
    pub thumb: Vec<u8>,
}

/// Turns foreign bytes into a picture as Parkdesk keeps it: upright, sRGB, at most [`ORIGINAL_LONG_SIDE`] long.
///
/// All coordinates of an analysis are in this picture, so nothing has to be mapped back.
///
/// # Errors
/// A [`Rejection`] for anything that breaks a limit or cannot be decoded completely.
pub fn decode(bytes: &[u8]) -> Result<Rgb, Rejection> {
    let header = limits::inspect(bytes)?;
    let raw = match header.format {
        Format::Jpeg => jpeg::decode(bytes)?,
        Format::Png => png::decode(bytes)?,
        Format::WebP => webp::decode(bytes)?,
    };
    let coloured = colour::to_srgb(raw.pixels, raw.profile.as_deref());
    let fitted = shrunk(&coloured, ORIGINAL_LONG_SIDE).unwrap_or(coloured);
    Ok(turn::apply(fitted, raw.orientation))
}

/// Encodes pixels as JPEG (4:2:0) without any metadata.
///
/// # Panics
/// Only on a bug: the encoder takes every [`Rgb`] within [`limits::MAX_SIDE`].
pub fn encode_jpeg(picture: &Rgb, quality: u8) -> Vec<u8> {
    jpeg::encode(picture, quality)
}

/// Makes the three files of a picture.
pub fn files(picture: &Rgb, cut: Option<&Cut>) -> Files {
    Files {
        original: encode_jpeg(picture, ORIGINAL_QUALITY),
        portrait: cut.map(|cut| portrait(picture, cut)),
        thumb: encode_jpeg(shrunk(picture, THUMB_LONG_SIDE).as_ref().unwrap_or(picture), PORTRAIT_QUALITY),
    }
}

/// The portrait at a place of a picture, JPEG.
pub fn portrait(picture: &Rgb, cut: &Cut) -> Vec<u8> {
    encode_jpeg(&cut_portrait(picture, cut), PORTRAIT_QUALITY)
}

/// What a decoder hands over: pixels in the file's own colours, and what the file says about them.
struct Raw {
    pixels: Pixels,
    profile: Option<Vec<u8>>,
    /// EXIF orientation, 1 to 8.
    orientation: u8,
}

/// Pixels as stored: three channels, or four of ink (0 = none, 255 = full).
struct Pixels {
    width: u32,
    height: u32,
    ink: bool,
    data: Vec<u8>,
}

fn broken() -> Rejection {
    Rejection::plain(RejectionCode::Broken)
}
