//! The chunks of a WebP file, without decoding any of them.

use super::{Rejection, RejectionCode};

/// Width and height of the picture; an animation is refused here.
pub(super) fn dimensions(bytes: &[u8]) -> Result<(u32, u32), Rejection> {
    let truncated = Rejection::plain(RejectionCode::Truncated);
    if let Some(extended) = chunk(bytes, b"VP8X") {
        let &[flags, _, _, _, w0, w1, w2, h0, h1, h2, ..] = extended else {
            return Err(truncated);
        };
        if flags & 0x02 != 0 {
            let frames = count(bytes, b"ANMF");
            return Err(Rejection::figure(RejectionCode::ManyFrames, frames.max(2), 1));
        }
        return Ok((1 + u32::from_le_bytes([w0, w1, w2, 0]), 1 + u32::from_le_bytes([h0, h1, h2, 0])));
    }
    if let Some(lossless) = chunk(bytes, b"VP8L") {
        let &[0x2f, a, b, c, d, ..] = lossless else {
            return Err(Rejection::plain(RejectionCode::Broken));
        };
        let bits = u32::from_le_bytes([a, b, c, d]);
        return Ok((1 + (bits & 0x3fff), 1 + ((bits >> 14) & 0x3fff)));
    }
    if let Some(lossy) = chunk(bytes, b"VP8 ") {
        let &[_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] = lossy else {
            return Err(Rejection::plain(RejectionCode::Broken));
        };
        return Ok((
            u32::from(u16::from_le_bytes([w0, w1]) & 0x3fff),
            u32::from(u16::from_le_bytes([h0, h1]) & 0x3fff),
        ));
    }
    Err(truncated)
}

/// The body of the first chunk of that name; of a cut file, as much of the last chunk as there is.
pub(super) fn chunk<'a>(bytes: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    chunks(bytes).find(|(kind, _)| *kind == name).map(|(_, body)| body)
}

fn count(bytes: &[u8], name: &[u8; 4]) -> u64 {
    chunks(bytes).filter(|(kind, _)| *kind == name).count() as u64
}

fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = bytes.get(12..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (kind, after) = rest.split_first_chunk::<4>()?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let body = after.get(..length.min(after.len()))?;
        // Chunks are padded to an even length.
        rest = after.get(length.saturating_add(length & 1)..).unwrap_or_default();
        Some((kind, body))
    })
}
