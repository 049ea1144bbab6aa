//! A walk over the segments of a JPEG: size, number of scans, turn, profile, kind of colour.
//!
//! It trusts no length: each step is checked against the bytes at hand. The entropy-coded data is skipped by looking for the
//! next marker, so that the walk is linear and a file with ten thousand scans is refused without decoding one.

use super::{MAX_SCANS, Rejection, RejectionCode};

/// Largest EXIF block looked at: the format cannot hold more in one segment.
const MAX_EXIF: usize = 65_535;
/// Largest ICC profile gathered from its parts; real ones are below 1 MB, print profiles included.
const MAX_ICC: usize = 2_000_000;

/// What the Adobe segment says about the stored colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AdobeTransform {
    /// No such segment: CMYK values mean ink.
    Absent,
    /// Present: CMYK values are stored inverted (255 = no ink), as every program that writes it does.
    Present,
}

/// What the segments say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JpegHeader {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) components: u8,
    pub(crate) adobe: AdobeTransform,
    /// The TIFF block of the first EXIF segment.
    pub(crate) exif: Option<Vec<u8>>,
    /// The ICC profile, its parts joined in order; `None` if absent, incomplete or too large.
    pub(crate) icc: Option<Vec<u8>>,
}

pub(super) fn read_header(bytes: &[u8]) -> Result<JpegHeader, Rejection> {
    let mut header =
        JpegHeader { width: 0, height: 0, components: 0, adobe: AdobeTransform::Absent, exif: None, icc: None };
    let mut icc_parts: Vec<(u8, &[u8])> = Vec::new();
    let mut icc_size = 0;
    let mut scans = 0_u32;
    let mut rest = bytes.get(2..).unwrap_or_default();
    loop {
        let Some((marker, after)) = next_marker(rest) else {
            return end(header, scans, icc_parts);
        };
        // Markers without a length: restarts and TEM go on, EOI ends the picture whatever follows it.
        if marker == 0xd9 {
            return end(header, scans, icc_parts);
        }
        if (0xd0..=0xd8).contains(&marker) || marker == 0x01 {
            rest = after;
            continue;
        }
        let Some((body, next)) = segment(after) else {
            return end(header, scans, icc_parts);
        };
        match marker {
            // SOF0..SOF15 but DHT, JPG and DAC, which share the range.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => read_frame(&mut header, body)?,
            0xda => {
                scans += 1;
                if scans > MAX_SCANS {
                    return Err(Rejection::figure(RejectionCode::Broken, u64::from(scans), u64::from(MAX_SCANS)));
                }
            }
            0xe1 if header.exif.is_none() && body.len() <= MAX_EXIF => {
                header.exif = body.strip_prefix(b"Exif\0\0").map(<[u8]>::to_vec);
            }
            0xe2 => {
                if let Some([number, _count, part @ ..]) = body.strip_prefix(b"ICC_PROFILE\0") {
                    icc_size += part.len();
                    icc_parts.push((*number, part));
                }
            }
            0xee if body.starts_with(b"Adobe") => header.adobe = AdobeTransform::Present,
            _ => {}
        }
        if icc_size > MAX_ICC {
            icc_parts.clear();
        }
        rest = next;
    }
}

fn read_frame(header: &mut JpegHeader, body: &[u8]) -> Result<(), Rejection> {
    let &[_precision, h1, h0, w1, w0, components, ..] = body else {
        return Err(Rejection::plain(RejectionCode::Truncated));
    };
    // One frame header only: a second one with other figures would let a small header hide a large picture.
    if header.components != 0 {
        return Err(Rejection::plain(RejectionCode::Broken));
    }
    header.height = u32::from(u16::from_be_bytes([h1, h0]));
    header.width = u32::from(u16::from_be_bytes([w1, w0]));
    header.components = components;
    if header.width == 0 || header.height == 0 || components == 0 {
        return Err(Rejection::plain(RejectionCode::Broken));
    }
    Ok(())
}

fn end(mut header: JpegHeader, scans: u32, mut icc_parts: Vec<(u8, &[u8])>) -> Result<JpegHeader, Rejection> {
    if header.components == 0 || scans == 0 {
        return Err(Rejection::plain(RejectionCode::Truncated));
    }
    if !icc_parts.is_empty() {
        icc_parts.sort_by_key(|(number, _)| *number);
        header.icc = Some(icc_parts.iter().flat_map(|(_, part)| part.iter().copied()).collect());
    }
    Ok(header)
}

/// The next marker and what follows it; entropy-coded bytes and fill bytes before it are skipped.
fn next_marker(mut rest: &[u8]) -> Option<(u8, &[u8])> {
    loop {
        let at = rest.iter().position(|byte| *byte == 0xff)?;
        rest = rest.get(at + 1..)?;
        let (marker, after) = rest.split_first()?;
        match marker {
            0x00 => rest = after,
            0xff => {}
            marker => return Some((*marker, after)),
        }
    }
}

/// The body of a segment with a length, and what follows the segment.
fn segment(after: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, _) = after.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (whole, next) = after.split_at_checked(length)?;
    Some((whole.get(2..)?, next))
}
