//! Decoding keeps the looks and drops everything else.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "a test fails loudly")]

#[path = "support/pictures.rs"]
mod pictures;

use parkdesk_vision::geometry::Point;
use parkdesk_vision::geometry::portrait_cut;
use parkdesk_vision::hash::{hash_distance, perceptual_hash};
use parkdesk_vision::picture::{Rgb, decode, encode_jpeg, files};
use pictures::{Kind, difference, jpeg, markers, scene, with_segment};

/// The stored picture of an orientation: what the camera writes so that the turn gives `upright`.
fn stored(upright: &Rgb, orientation: u16) -> Rgb {
    let (w, h) = (upright.width(), upright.height());
    let (sw, sh) = if orientation >= 5 { (h, w) } else { (w, h) };
    let mut data = Vec::new();
    for y in 0..sh {
        for x in 0..sw {
            // Where the stored pixel is seen, by the table of the EXIF standard.
            let (u, v) = match orientation {
                1 => (x, y),
                2 => (w - 1 - x, y),
                3 => (w - 1 - x, h - 1 - y),
                4 => (x, h - 1 - y),
                5 => (y, x),
                6 => (w - 1 - y, x),
                7 => (w - 1 - y, h - 1 - x),
                _ => (y, h - 1 - x),
            };
            data.extend(upright.pixel(u, v).unwrap());
        }
    }
    Rgb::new(sw, sh, data).unwrap()
}

#[test]
fn all_eight_turns_give_the_same_upright_picture() {
    let upright = scene(96, 64);
    for orientation in 1..=8 {
        let stored = stored(&upright, orientation);
        let png =
            pictures::png(stored.width(), stored.height(), png::ColorType::Rgb, png::BitDepth::Eight, stored.data());
        let turned = decode(&pictures::with_chunk(&png, b"eXIf", &pictures::exif(orientation))).unwrap();
        assert_eq!(turned, upright, "PNG, orientation {orientation}");
        let turned = {
            let jpeg = pictures::jpeg_of(&stored, Kind::Progressive);
            decode(&with_segment(&jpeg, 0xe1, &pictures::exif_segment(orientation))).unwrap()
        };
        assert!(difference(&turned, &upright) < 40, "JPEG, orientation {orientation}");
    }
}

#[test]
fn a_turn_that_is_no_turn_is_ignored() {
    let upright = decode(&jpeg(96, 64)).unwrap();
    for orientation in [0, 9, 500] {
        assert_eq!(decode(&with_segment(&jpeg(96, 64), 0xe1, &pictures::exif_segment(orientation))).unwrap(), upright);
    }
    assert_eq!(decode(&with_segment(&jpeg(96, 64), 0xe1, b"Exif\0\0MM\0*\xff\xff\xff\xff")).unwrap(), upright);
}

#[test]
fn progressive_and_ink_and_grey_jpegs_look_as_they_should() {
    let picture = scene(96, 64);
    for kind in [Kind::Progressive, Kind::Cmyk, Kind::Ycck] {
        let decoded = decode(&pictures::jpeg_of(&picture, kind)).unwrap();
        assert!(difference(&decoded, &picture) < 40, "{}", difference(&decoded, &picture));
    }
    let grey = decode(&pictures::jpeg_of(&picture, Kind::Grey)).unwrap();
    assert!(grey.data().chunks_exact(3).all(|p| p[0].abs_diff(p[1]) <= 2 && p[1].abs_diff(p[2]) <= 2));
}

#[test]
fn ink_without_the_adobe_mark_means_ink() {
    let picture = scene(96, 64);
    let adobe = pictures::jpeg_of(&picture, Kind::Cmyk);
    let at = adobe.windows(2).position(|pair| pair == [0xff, 0xee]).expect("the encoder writes the mark");
    let length = usize::from(u16::from_be_bytes([adobe[at + 2], adobe[at + 3]]));
    let plain = [&adobe[..at], &adobe[at + 2 + length..]].concat();
    // The values stay: 255 of black ink is black.
    assert!(decode(&plain).unwrap().data().iter().all(|value| *value == 0));
}

#[test]
fn stray_bytes_that_some_cameras_write_before_the_end_lose_no_pixel() {
    let clean = jpeg(96, 64);
    let (body, end) = clean.split_at(clean.len() - 2);
    let stray = [body, &[0x11; 40], end].concat();
    assert_eq!(decode(&stray).unwrap(), decode(&clean).unwrap());
}

#[test]
fn every_kind_of_png_becomes_plain_rgb() {
    use png::{BitDepth, ColorType};
    let picture = scene(64, 64);
    let deep: Vec<u8> = picture.data().iter().flat_map(|v| [*v, 0x80]).collect();
    assert_eq!(decode(&pictures::png(64, 64, ColorType::Rgb, BitDepth::Sixteen, &deep)).unwrap(), picture);
    let clear: Vec<u8> = picture.data().chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 0]).collect();
    let white = decode(&pictures::png(64, 64, ColorType::Rgba, BitDepth::Eight, &clear)).unwrap();
    assert!(white.data().iter().all(|v| *v == 255), "what is clear shows white paper");
    let half: Vec<u8> = (0..64 * 64).flat_map(|_| [100, 128]).collect();
    let mixed = decode(&pictures::png(64, 64, ColorType::GrayscaleAlpha, BitDepth::Eight, &half)).unwrap();
    assert!(mixed.data().iter().all(|v| *v == 177), "100 at half over white is 177");
    let palette = pictures::png_with(64, 64, &[1; 64 * 64], |encoder| {
        encoder.set_color(ColorType::Indexed);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_palette(vec![0, 0, 0, 10, 20, 30]);
    });
    assert!(decode(&palette).unwrap().data().chunks_exact(3).all(|p| p == [10, 20, 30]));
    let clear_palette = pictures::png_with(64, 64, &[1; 64 * 64], |encoder| {
        encoder.set_color(ColorType::Indexed);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_palette(vec![0, 0, 0, 10, 20, 30]);
        encoder.set_trns(vec![255, 0]);
    });
    assert!(decode(&clear_palette).unwrap().data().iter().all(|v| *v == 255));
    let bits = decode(&pictures::png(64, 64, ColorType::Grayscale, BitDepth::One, &[0b0101_0101; 8 * 64])).unwrap();
    assert_eq!((bits.pixel(0, 0), bits.pixel(1, 0)), (Some([0; 3]), Some([255; 3])));
}

#[test]
fn webp_with_and_without_alpha_is_read() {
    assert_eq!(decode(&pictures::webp(64, 48, false)).unwrap(), scene(64, 48));
    let [r, ..] = decode(&pictures::webp(64, 48, true)).unwrap().pixel(0, 0).unwrap();
    assert_eq!(r, 127, "black at half over white");
}

#[test]
fn a_profile_is_applied_and_a_bad_one_is_ignored() {
    let p3 = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let plain = jpeg(96, 64);
    let untouched = decode(&plain).unwrap();
    let converted = decode(&with_segment(&plain, 0xe2, &pictures::icc_segment(&p3))).unwrap();
    // Saturated red of the wider space is clipped to sRGB: its green goes down, its red does not.
    let (before, after) = (untouched.pixel(80, 4).unwrap(), converted.pixel(80, 4).unwrap());
    assert!(after[0] >= before[0] && after != before, "{before:?} -> {after:?}");
    let srgb = moxcms::ColorProfile::new_srgb().encode().unwrap();
    assert!(difference(&decode(&with_segment(&plain, 0xe2, &pictures::icc_segment(&srgb))).unwrap(), &untouched) <= 2);
    for bad in [&b"not a profile"[..], &p3[..100], &[0xff; 4000]] {
        assert_eq!(decode(&with_segment(&plain, 0xe2, &pictures::icc_segment(bad))).unwrap(), untouched);
    }
    // A profile for ink does not fit RGB pixels.
    let mut ink = p3.clone();
    ink[16..20].copy_from_slice(b"CMYK");
    assert_eq!(decode(&with_segment(&plain, 0xe2, &pictures::icc_segment(&ink))).unwrap(), untouched);
}

#[test]
fn a_large_picture_is_scaled_down_and_a_small_one_is_not_scaled_up() {
    let large = decode(&jpeg(5000, 2500)).unwrap();
    assert_eq!((large.width(), large.height()), (4096, 2048));
    let upright = decode(&with_segment(&jpeg(5000, 2500), 0xe1, &pictures::exif_segment(6))).unwrap();
    assert_eq!((upright.width(), upright.height()), (2048, 4096), "the turn is applied after the scaling");
    let small = decode(&jpeg(100, 80)).unwrap();
    let files = files(&small, None);
    for file in [&files.original, &files.thumb] {
        let again = decode(file).unwrap();
        assert_eq!((again.width(), again.height()), (100, 80));
    }
    let thumb = decode(&parkdesk_vision::picture::files(&large, None).thumb).unwrap();
    assert_eq!((thumb.width(), thumb.height()), (320, 160));
}

#[test]
fn no_metadata_survives_the_re_encoding() {
    let p3 = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let mut bytes = jpeg(400, 400);
    bytes = with_segment(&bytes, 0xe1, &pictures::exif_segment(1));
    bytes = with_segment(&bytes, 0xe1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>");
    bytes = with_segment(&bytes, 0xe2, &pictures::icc_segment(&p3));
    bytes = with_segment(&bytes, 0xed, b"Photoshop 3.0\0owner");
    bytes = with_segment(&bytes, 0xfe, b"a comment <script>alert(1)</script>");
    bytes.extend(b"PK\x03\x04 a second life as an archive <?php ?>");
    bytes.extend(jpeg(64, 64));
    let picture = decode(&bytes).unwrap();
    assert_eq!((picture.width(), picture.height()), (400, 400), "the appended picture is not looked at");
    let (cut, _) = portrait_cut(Point { x: 170.0, y: 180.0 }, Point { x: 230.0, y: 180.0 }, 400, 400);
    let files = files(&picture, Some(&cut));
    for file in [files.original, files.portrait.unwrap(), files.thumb] {
        let (found, trailing) = markers(&file);
        // Start, JFIF, tables, one baseline frame, one scan, end.
        assert!(found.iter().all(|m| matches!(m, 0xd8 | 0xe0 | 0xdb | 0xc0 | 0xc4 | 0xda | 0xd9)), "{found:x?}");
        assert!(!trailing);
    }
}

#[test]
fn the_look_hash_survives_scaling_and_recompression_and_tells_pictures_apart() {
    let picture = pictures::patchwork(640, 480, 1);
    let hash = perceptual_hash(&picture);
    for side in [320, 100] {
        let small = parkdesk_vision::picture::shrunk(&picture, side).unwrap();
        let again = decode(&encode_jpeg(&small, 60)).unwrap();
        let apart = hash_distance(hash, perceptual_hash(&again));
        assert!(apart <= 8, "side {side}: {apart} bits");
    }
    for seed in 2..12 {
        let apart = hash_distance(hash, perceptual_hash(&pictures::patchwork(640, 480, seed)));
        assert!(apart >= 16, "seed {seed}: {apart} bits");
    }
}

#[test]
fn shrinking_is_the_mean_of_what_is_covered() {
    // Columns of 0 and 200 in turn: any two of them average to 100, a half-covered third one counts by half.
    let data: Vec<u8> = (0..90 * 60).flat_map(|at| [if at % 2 == 0 { 0 } else { 200 }; 3]).collect();
    let picture = Rgb::new(90, 60, data).unwrap();
    let half = parkdesk_vision::picture::shrunk(&picture, 45).unwrap();
    assert_eq!((half.width(), half.height()), (45, 30));
    assert!(half.data().iter().all(|v| *v == 100));
    let odd = parkdesk_vision::picture::shrunk(&picture, 60).unwrap();
    // Of every three columns the first output covers 1 and half of the next: (0 + 100) / 1.5.
    assert_eq!((odd.pixel(0, 0), odd.pixel(1, 0)), (Some([67; 3]), Some([67; 3])));
    assert_eq!(odd.pixel(2, 0), Some([133; 3]));
    assert!(parkdesk_vision::picture::shrunk(&picture, 90).is_none());
}
