//! PNG: palette, grey, 16-bit and alpha (laid over white) to 8-bit RGB, row by row.
//!
//! Text chunks are never read, and the colour profile is inflated under its own bound, so that a compressed bomb in either
//! costs nothing. Rows are converted as they come: a 16-bit picture with alpha never exists as a whole.

use std::io::Cursor;

use ::png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Transformations};

use super::turn;
use super::{Pixels, Raw, broken};
use crate::limits::{self, Rejection, RejectionCode};

/// Memory the decoder may take for chunks and its own buffers; rows of the widest picture need far less.
const DECODER_BYTES: usize = 8_000_000;

pub(super) fn decode(bytes: &[u8]) -> Result<Raw, Rejection> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: DECODER_BYTES });
    decoder.set_ignore_text_chunk(true);
    // The profile is taken from the file by our own reader; the library would inflate it up to its whole limit.
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let mut reader = decoder.read_info().map_err(|error| refusal(&error))?;
    let (width, height) = (reader.info().width, reader.info().height);
    let interlaced = reader.info().interlaced;
    let (colour, depth) = reader.output_color_type();
    if depth != BitDepth::Eight {
        return Err(broken());
    }
    let len = width as usize * height as usize * 3;
    let mut data = Vec::with_capacity(len);
    if interlaced {
        let size = reader.output_buffer_size().ok_or_else(broken)?;
        let mut whole = vec![0; size];
        reader.next_frame(&mut whole).map_err(|error| refusal(&error))?;
        push_rgb(&mut data, &whole, colour);
    } else {
        while let Some(row) = reader.next_row().map_err(|error| refusal(&error))? {
            push_rgb(&mut data, row.data(), colour);
        }
    }
    if data.len() != len {
        return Err(broken());
    }
    Ok(Raw {
        pixels: Pixels { width, height, ink: false, data },
        orientation: turn::orientation(limits::png_chunk(bytes, b"eXIf")),
        profile: limits::png_chunk(bytes, b"iCCP").and_then(inflate_profile),
    })
}

fn push_rgb(data: &mut Vec<u8>, row: &[u8], colour: ColorType) {
    match colour {
        ColorType::Rgb | ColorType::Indexed => data.extend_from_slice(row),
        ColorType::Grayscale => data.extend(row.iter().flat_map(|v| [*v; 3])),
        ColorType::GrayscaleAlpha => {
            for [grey, alpha] in row.as_chunks::<2>().0 {
                data.extend([over_white(*grey, *alpha); 3]);
            }
        }
        ColorType::Rgba => {
            for [r, g, b, alpha] in row.as_chunks::<4>().0 {
                data.extend([over_white(*r, *alpha), over_white(*g, *alpha), over_white(*b, *alpha)]);
            }
        }
    }
}

/// One channel laid over white paper.
pub(super) fn over_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    u8::try_from((value * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(255)
}

/// The profile of an iCCP chunk: a name, a zero, the method (zero) and a zlib stream.
fn inflate_profile(chunk: &[u8]) -> Option<Vec<u8>> {
    let name = chunk.iter().take(80).position(|byte| *byte == 0)?;
    let stream = chunk.get(name + 2..)?;
    super::colour::inflate(stream)
}

fn refusal(error: &DecodingError) -> Rejection {
    let code = match error {
        DecodingError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => RejectionCode::Truncated,
        DecodingError::IoError(_)
        | DecodingError::Format(_)
        | DecodingError::Parameter(_)
        | DecodingError::LimitsExceeded => RejectionCode::Broken,
    };
    Rejection::plain(code)
}
