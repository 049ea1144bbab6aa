//! The chunks of a PNG, without inflating any of them.

use super::{Rejection, RejectionCode};

/// Width and height of the header; an animation is refused here.
pub(super) fn dimensions(bytes: &[u8]) -> Result<(u32, u32), Rejection> {
    let Some(body) = chunk(bytes, b"IHDR") else {
        return Err(Rejection::plain(RejectionCode::Truncated));
    };
    let Some((Ok(width), Ok(height))) = body.get(0..4).zip(body.get(4..8)).map(|(w, h)| (w.try_into(), h.try_into()))
    else {
        return Err(Rejection::plain(RejectionCode::Truncated));
    };
    let (width, height) = (u32::from_be_bytes(width), u32::from_be_bytes(height));
    if width == 0 || height == 0 {
        return Err(Rejection::plain(RejectionCode::Broken));
    }
    // An APNG says so before its pixels; the count of frames is its first field.
    if let Some(&[a, b, c, d, ..]) = chunk(bytes, b"acTL") {
        let frames = u32::from_be_bytes([a, b, c, d]);
        if frames != 1 {
            return Err(Rejection::figure(RejectionCode::ManyFrames, u64::from(frames), 1));
        }
    }
    Ok((width, height))
}

/// The body of the first chunk of that name before the pixels (or IHDR, which is first).
pub(super) fn chunk<'a>(bytes: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let mut rest = bytes.get(8..)?;
    loop {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (kind, after) = after.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (body, after) = after.split_at_checked(length)?;
        if kind == name {
            return Some(body);
        }
        if kind == b"IDAT" || kind == b"IEND" {
            return None;
        }
        // Behind the body lies its checksum.
        rest = after.get(4..)?;
    }
}
