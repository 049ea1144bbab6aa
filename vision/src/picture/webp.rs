//! WebP: lossy and lossless, alpha laid over white.

use std::io::Cursor;

use image::codecs::webp::WebPDecoder;
use image::{ColorType, ImageDecoder, ImageError};

use super::png::over_white;
use super::turn;
use super::{Pixels, Raw, broken};
use crate::limits::{self, Rejection, RejectionCode};

pub(super) fn decode(bytes: &[u8]) -> Result<Raw, Rejection> {
    let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|error| refusal(&error))?;
    let (width, height) = decoder.dimensions();
    let inspected = limits::inspect(bytes)?;
    if (width, height) != (inspected.width, inspected.height) {
        return Err(broken());
    }
    let colour = decoder.color_type();
    let size = usize::try_from(decoder.total_bytes()).map_err(|_| broken())?;
    let mut data = vec![0; size];
    decoder.read_image(&mut data).map_err(|error| refusal(&error))?;
    if colour == ColorType::Rgba8 {
        data = data
            .as_chunks::<4>()
            .0
            .iter()
            .flat_map(|[r, g, b, a]| [over_white(*r, *a), over_white(*g, *a), over_white(*b, *a)])
            .collect();
    }
    if data.len() != width as usize * height as usize * 3 {
        return Err(broken());
    }
    Ok(Raw {
        pixels: Pixels { width, height, ink: false, data },
        // Some programs keep the JPEG prefix in the chunk.
        orientation: turn::orientation(
            limits::webp_chunk(bytes, b"EXIF").map(|tiff| tiff.strip_prefix(b"Exif\0\0").unwrap_or(tiff)),
        ),
        profile: limits::webp_chunk(bytes, b"ICCP").map(<[u8]>::to_vec),
    })
}

fn refusal(error: &ImageError) -> Rejection {
    let code = match error {
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => RejectionCode::Truncated,
        ImageError::Unsupported(_) => RejectionCode::UnsupportedFormat,
        ImageError::IoError(_)
        | ImageError::Decoding(_)
        | ImageError::Encoding(_)
        | ImageError::Parameter(_)
        | ImageError::Limits(_) => RejectionCode::Broken,
    };
    Rejection::plain(code)
}
