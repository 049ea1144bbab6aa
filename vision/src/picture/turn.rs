//! The eight turns of EXIF, and reading which one a file asks for.

use exif::{In, Reader, Tag};

use super::Rgb;

/// Reads the orientation of a TIFF block; anything absent, damaged or out of range is 1 (as stored).
pub(super) fn orientation(tiff: Option<&[u8]>) -> u8 {
    let Some(tiff) = tiff else { return 1 };
    let mut reader = Reader::new();
    reader.continue_on_error(true);
    let exif = match reader.read_raw(tiff.to_vec()) {
        Ok(exif) => exif,
        Err(exif::Error::PartialResult(partial)) => partial.into_inner().0,
        Err(_) => return 1,
    };
    exif.get_field(Tag::Orientation, In::PRIMARY)
        .and_then(|field| field.value.get_uint(0))
        .and_then(|value| u8::try_from(value).ok())
        .filter(|value| (1..=8).contains(value))
        .unwrap_or(1)
}

/// Turns a stored picture upright.
pub(super) fn apply(picture: Rgb, orientation: u8) -> Rgb {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let swaps = (5..=8).contains(&orientation);
    match orientation {
        2 => {
            let mut picture = picture;
            for row in picture.data.chunks_exact_mut(width * 3) {
                reverse_pixels(row);
            }
            picture
        }
        3 => {
            let mut picture = picture;
            reverse_pixels(&mut picture.data);
            picture
        }
        4..=8 => {
            // Where the stored row runs in the upright picture: its start, and the step per stored pixel.
            let (out_width, out_height) = if swaps { (height, width) } else { (width, height) };
            let mut data = vec![0; picture.data.len()];
            for (y, row) in picture.data.chunks_exact(width * 3).enumerate() {
                let (start, step) = match orientation {
                    4 => ((height - 1 - y) * width, 1_isize),
                    5 => (y, out_width.cast_signed()),
                    6 => (height - 1 - y, out_width.cast_signed()),
                    7 => ((out_height - 1) * out_width + (height - 1 - y), -out_width.cast_signed()),
                    _ => ((out_height - 1) * out_width + y, -out_width.cast_signed()),
                };
                let mut at = start;
                for pixel in row.chunks_exact(3) {
                    if let Some(target) = data.get_mut(at * 3..at * 3 + 3) {
                        target.copy_from_slice(pixel);
                    }
                    at = at.wrapping_add_signed(step);
                }
            }
            let (width, height) = if swaps { (picture.height, picture.width) } else { (picture.width, picture.height) };
            Rgb { width, height, data }
        }
        _ => picture,
    }
}

fn reverse_pixels(data: &mut [u8]) {
    data.reverse();
    for pixel in data.chunks_exact_mut(3) {
        pixel.swap(0, 2);
    }
}
