//! Pictures made in code: good ones, and the bad ones that people and attackers send.

#![allow(dead_code, reason = "each test file uses its own part")]

use parkdesk_vision::picture::{Rgb, encode_jpeg};
use turbojpeg::{Colorspace, Compressor, Image, PixelFormat, Subsamp};

/// A smooth picture whose four corners differ: red grows to the right, green downwards, blue is a coarse checkerboard.
pub(crate) fn scene(width: u32, height: u32) -> Rgb {
    let mut data = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let blue = if (x * 4 / width + y * 4 / height).is_multiple_of(2) { 64 } else { 192 };
            data.extend([(x * 255 / width) as u8, (y * 255 / height) as u8, blue]);
        }
    }
    Rgb::new(width, height, data).unwrap()
}

/// Soft-coloured patches, as unlike from seed to seed as photos are.
pub(crate) fn patchwork(width: u32, height: u32, seed: u64) -> Rgb {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let patches: Vec<[u8; 3]> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        [(state >> 20) as u8, (state >> 30) as u8, (state >> 40) as u8]
    })
    .take(48)
    .collect();
    let at = |x: u32, y: u32| patches[(x * 8 / width + y * 6 / height * 8) as usize];
    let data = (0..height).flat_map(|y| (0..width).flat_map(move |x| [x, y])).collect::<Vec<_>>();
    Rgb::new(width, height, data.chunks_exact(2).flat_map(|place| at(place[0], place[1])).collect()).unwrap()
}

pub(crate) fn jpeg(width: u32, height: u32) -> Vec<u8> {
    encode_jpeg(&scene(width, height), 92)
}

/// How a JPEG is written.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Progressive,
    Grey,
    Cmyk,
    Ycck,
}

pub(crate) fn jpeg_of(picture: &Rgb, kind: Kind) -> Vec<u8> {
    let mut encoder = Compressor::new().unwrap();
    encoder.set_quality(95).unwrap();
    encoder.set_subsamp(Subsamp::None).unwrap();
    let (mut format, mut pixels) = (PixelFormat::RGB, picture.data().to_vec());
    match kind {
        Kind::Progressive => encoder.set_progressive(true).unwrap(),
        Kind::Grey => encoder.set_subsamp(Subsamp::Gray).unwrap(),
        Kind::Cmyk | Kind::Ycck => {
            format = PixelFormat::CMYK;
            // As Adobe writes it: inverted ink, no black.
            pixels = picture.data().chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
            encoder
                .set_colorspace(if matches!(kind, Kind::Cmyk) { Colorspace::CMYK } else { Colorspace::YCCK })
                .unwrap();
        }
    }
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    encoder.compress_to_vec(Image { pixels: &pixels[..], width, pitch: width * format.size(), height, format }).unwrap()
}

/// A JPEG with a segment put in right behind its start.
pub(crate) fn with_segment(jpeg: &[u8], marker: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, body, &jpeg[2..]].concat()
}

/// A TIFF block that holds the orientation, a maker, and GPS coordinates.
pub(crate) fn exif(orientation: u16) -> Vec<u8> {
    let mut tiff = b"MM\0*\0\0\0\x08\0\x03".to_vec();
    tiff.extend([0x01, 0x0f, 0, 2, 0, 0, 0, 4, b'A', b'c', b'm', 0]);
    tiff.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1]);
    tiff.extend(orientation.to_be_bytes());
    tiff.extend([0, 0]);
    tiff.extend([0x88, 0x25, 0, 4, 0, 0, 0, 1, 0, 0, 0, 50]);
    tiff.extend([0, 0, 0, 0]);
    // The GPS directory: latitude reference "N".
    tiff.extend([0, 1, 0, 1, 0, 2, 0, 0, 0, 2, b'N', 0, 0, 0, 0, 0, 0, 0]);
    tiff
}

pub(crate) fn exif_segment(orientation: u16) -> Vec<u8> {
    [b"Exif\0\0".to_vec(), exif(orientation)].concat()
}

pub(crate) fn icc_segment(profile: &[u8]) -> Vec<u8> {
    [b"ICC_PROFILE\0\x01\x01", profile].concat()
}

/// A JPEG that claims another size.
pub(crate) fn with_size(jpeg: &[u8], width: u16, height: u16) -> Vec<u8> {
    let mut jpeg = jpeg.to_vec();
    let at = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[at + 5..at + 7].copy_from_slice(&height.to_be_bytes());
    jpeg[at + 7..at + 9].copy_from_slice(&width.to_be_bytes());
    jpeg
}

/// A progressive JPEG whose last scan is said again and again.
pub(crate) fn with_scans(count: usize) -> Vec<u8> {
    let jpeg = jpeg_of(&scene(64, 64), Kind::Progressive);
    let last = jpeg.windows(2).rposition(|pair| pair == [0xff, 0xda]).unwrap();
    let scan = jpeg[last..jpeg.len() - 2].to_vec();
    let mut all = jpeg[..last].to_vec();
    for _ in 0..count {
        all.extend(&scan);
    }
    all.extend([0xff, 0xd9]);
    all
}

pub(crate) fn png(width: u32, height: u32, colour: png::ColorType, depth: png::BitDepth, rows: &[u8]) -> Vec<u8> {
    png_with(width, height, rows, |encoder| {
        encoder.set_color(colour);
        encoder.set_depth(depth);
    })
}

pub(crate) fn png_with(
    width: u32,
    height: u32,
    rows: &[u8],
    set: impl FnOnce(&mut png::Encoder<'_, &mut Vec<u8>>),
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    set(&mut encoder);
    encoder.write_header().unwrap().write_image_data(rows).unwrap();
    bytes
}

/// A PNG with a chunk put in right behind its header.
pub(crate) fn with_chunk(png: &[u8], name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut checked = name.to_vec();
    checked.extend(body);
    let mut crc = flate2::Crc::new();
    crc.update(&checked);
    let header = 8 + 25;
    [
        &png[..header],
        &u32::try_from(body.len()).unwrap().to_be_bytes(),
        &checked,
        &crc.sum().to_be_bytes(),
        &png[header..],
    ]
    .concat()
}

/// A PNG header of that size with the first rows of one colour; the rest is never asked for.
pub(crate) fn one_colour_png(side: u32) -> Vec<u8> {
    let small = png(64, 64, png::ColorType::Grayscale, png::BitDepth::Eight, &[7; 64 * 64]);
    let mut bytes = small;
    bytes[16..20].copy_from_slice(&side.to_be_bytes());
    bytes[20..24].copy_from_slice(&side.to_be_bytes());
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    bytes
}

pub(crate) fn deflated(zeros: usize) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let block = vec![0; 1 << 16];
    for _ in 0..zeros.div_ceil(block.len()) {
        encoder.write_all(&block).unwrap();
    }
    encoder.finish().unwrap()
}

pub(crate) fn webp(width: u32, height: u32, rgba: bool) -> Vec<u8> {
    let picture = scene(width, height);
    let mut bytes = Vec::new();
    let encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut bytes);
    if rgba {
        let data: Vec<u8> = picture.data().chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 128]).collect();
        encoder.encode(&data, width, height, image::ExtendedColorType::Rgba8).unwrap();
    } else {
        encoder.encode(picture.data(), width, height, image::ExtendedColorType::Rgb8).unwrap();
    }
    bytes
}

/// A WebP container that says it is an animation.
pub(crate) fn animated_webp() -> Vec<u8> {
    let mut body = b"WEBPVP8X\x0a\0\0\0\x02\0\0\0\x3f\0\0\x3f\0\0".to_vec();
    for _ in 0..3 {
        body.extend(b"ANMF\x04\0\0\0abcd");
    }
    [b"RIFF".to_vec(), u32::try_from(body.len()).unwrap().to_le_bytes().to_vec(), body].concat()
}

/// The largest difference of one channel between two pictures.
pub(crate) fn difference(a: &Rgb, b: &Rgb) -> u8 {
    assert_eq!((a.width(), a.height()), (b.width(), b.height()));
    a.data().iter().zip(b.data()).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

/// Markers of a JPEG in order, without the entropy-coded data; and whether anything follows its end.
pub(crate) fn markers(jpeg: &[u8]) -> (Vec<u8>, bool) {
    let (mut found, mut at) = (vec![jpeg[1]], 2);
    loop {
        assert_eq!(jpeg[at], 0xff);
        let marker = jpeg[at + 1];
        found.push(marker);
        if marker == 0xd9 {
            return (found, at + 2 < jpeg.len());
        }
        at += 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        if marker == 0xda {
            while !(jpeg[at] == 0xff && jpeg[at + 1] != 0 && !(0xd0..=0xd7).contains(&jpeg[at + 1])) {
                at += 1;
            }
        }
    }
}
