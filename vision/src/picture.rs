//! Pixels: a decoded picture, how foreign bytes become one, and how it becomes the files that Parkdesk keeps.
//!
//! Decoding runs only inside `parkdesk-faces` and in tests. The order is fixed: limits, decode, scale to at most
//! [`ORIGINAL_LONG_SIDE`], colours to sRGB, turn. Scaling comes before colour and turn because both cost by the pixel.
//!
//! Invariant: nothing of a file but its pixels comes through. Files are encoded from [`Rgb`] alone and hold no metadata, so
//! trailing bytes, EXIF, XMP, profiles and comments end here (guarded by `no_metadata_survives_the_re_encoding`).

mod colour;
mod jpeg;
mod png;
mod turn;
mod webp;

use fast_image_resize as fir;

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
    /// A picture of these rows; `None` if a side is zero or `data` is not `width * height * 3` bytes.
    pub fn new(width: u32, height: u32, data: Vec<u8>) -> Option<Self> {
        let len = (width as usize).checked_mul(height as usize)?.checked_mul(3)?;
        (len > 0 && data.len() == len).then_some(Self { width, height, data })
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
    let fitted = fit_pixels(raw.pixels, ORIGINAL_LONG_SIDE);
    let rgb = colour::to_srgb(fitted, raw.profile.as_deref());
    Ok(turn::apply(rgb, raw.orientation))
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
        portrait: cut.map(|cut| encode_jpeg(&cut_portrait(picture, cut), PORTRAIT_QUALITY)),
        thumb: encode_jpeg(&fit(picture, THUMB_LONG_SIDE), PORTRAIT_QUALITY),
    }
}

/// The picture scaled down to a longest side; a smaller picture is copied as it is.
pub fn fit(picture: &Rgb, long_side: u32) -> Rgb {
    if picture.width.max(picture.height) <= long_side {
        return picture.clone();
    }
    let (width, height) = fitted_size(picture.width, picture.height, long_side);
    let data = resize::<fir::pixels::U8x3>(&picture.data, (picture.width, picture.height), (width, height), 3);
    Rgb { width, height, data }
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

fn fit_pixels(pixels: Pixels, long_side: u32) -> Pixels {
    if pixels.width.max(pixels.height) <= long_side {
        return pixels;
    }
    let (from, to) = ((pixels.width, pixels.height), fitted_size(pixels.width, pixels.height, long_side));
    let data = if pixels.ink {
        resize::<fir::pixels::U8x4>(&pixels.data, from, to, 4)
    } else {
        resize::<fir::pixels::U8x3>(&pixels.data, from, to, 3)
    };
    Pixels { width: to.0, height: to.1, ink: pixels.ink, data }
}

/// Scales rows of one kind of pixel. The typed entry is used because the untyped one compiles every kind of pixel there is
/// into this crate, which takes minutes.
fn resize<P: fir::PixelTrait>(data: &[u8], from: (u32, u32), to: (u32, u32), channels: usize) -> Vec<u8> {
    let mut scaled = vec![0; to.0 as usize * to.1 as usize * channels];
    let source = fir::images::TypedImageRef::<P>::from_buffer(from.0, from.1, data).expect("BUG: the rows fill the size");
    let mut target =
        fir::images::TypedImage::<P>::from_buffer(to.0, to.1, &mut scaled).expect("BUG: the rows were made for the size");
    let options = fir::ResizeOptions::new()
        .resize_alg(fir::ResizeAlg::Convolution(fir::FilterType::Lanczos3))
        .use_alpha(false);
    fir::Resizer::new().resize_typed(&source, &mut target, &options).expect("BUG: the whole picture is scaled");
    scaled
}

fn fitted_size(width: u32, height: u32, long_side: u32) -> (u32, u32) {
    let long = u64::from(width.max(height));
    let scale = |side: u32| {
        let scaled = (u64::from(side) * u64::from(long_side) + long / 2) / long;
        u32::try_from(scaled).unwrap_or(long_side).clamp(1, long_side)
    };
    (scale(width), scale(height))
}

fn broken() -> Rejection {
    Rejection::plain(RejectionCode::Broken)
}
