//! Colours of a file to sRGB.
//!
//! A profile is used if it fits the pixels and parses; a bad one is ignored, because a picture with slightly wrong colours is
//! worth more to a person than none. Ink without a usable profile is converted by the plain formula.

use std::io::Read;

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use super::{Pixels, Rgb};

/// Largest profile that is parsed, inflated or not.
const MAX_PROFILE: u64 = 2_000_000;

/// Turns pixels in the file's colours into sRGB.
pub(super) fn to_srgb(pixels: Pixels, profile: Option<&[u8]>) -> Rgb {
    let Pixels { width, height, ink, data } = pixels;
    let converted = profile
        .filter(|profile| profile.len() as u64 <= MAX_PROFILE)
        .and_then(|profile| convert(&data, width as usize, ink, profile));
    let data = match converted {
        Some(data) => data,
        None if ink => plain_ink(&data),
        None => data,
    };
    Rgb { width, height, data }
}

/// Inflates a zlib stream up to the largest profile; `None` if it is damaged or goes on beyond.
pub(super) fn inflate(stream: &[u8]) -> Option<Vec<u8>> {
    let mut profile = Vec::new();
    flate2::read::ZlibDecoder::new(stream).take(MAX_PROFILE + 1).read_to_end(&mut profile).ok()?;
    (profile.len() as u64 <= MAX_PROFILE).then_some(profile)
}

fn convert(data: &[u8], width: usize, ink: bool, profile: &[u8]) -> Option<Vec<u8>> {
    let source = ColorProfile::new_from_slice(profile).ok()?;
    let (space, layout, channels) =
        if ink { (DataColorSpace::Cmyk, Layout::Rgba, 4) } else { (DataColorSpace::Rgb, Layout::Rgb, 3) };
    if source.color_space != space {
        return None;
    }
    let target = ColorProfile::new_srgb();
    let transform = source.create_transform_8bit(layout, &target, Layout::Rgb, TransformOptions::default()).ok()?;
    let mut out = vec![0; data.len() / channels * 3];
    // Row by row, so that the transform's own scratch stays small.
    for (from, to) in data.chunks_exact(width * channels).zip(out.chunks_exact_mut(width * 3)) {
        transform.transform(from, to).ok()?;
    }
    Some(out)
}

fn plain_ink(data: &[u8]) -> Vec<u8> {
    data.as_chunks::<4>()
        .0
        .iter()
        .flat_map(|[c, m, y, k]| {
            let paper = 255 - u32::from(*k);
            [c, m, y].map(|ink| u8::try_from(((255 - u32::from(*ink)) * paper + 127) / 255).unwrap_or(255))
        })
        .collect()
}
