//! What is refused before or while decoding, with its code, figure, limit and hint.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "a test fails loudly")]

#[path = "support/pictures.rs"]
mod pictures;

use parkdesk_vision::limits::{self, Rejection, RejectionCode};
use parkdesk_vision::picture::decode;
use parkdesk_vision::quality::Lang;
use pictures::{deflated, jpeg, scene, with_chunk};
use proptest::prelude::*;

fn refusal(bytes: &[u8]) -> Rejection {
    decode(bytes).expect_err("this must be refused")
}

#[test]
fn what_is_no_picture_is_refused_as_such() {
    for bytes in [&b""[..], b"hello", b"%PDF-1.7 something", b"PK\x03\x04 a zip", b"<html><body>", &[0; 4096]] {
        assert_eq!(refusal(bytes).code, RejectionCode::NotAnImage);
    }
    assert!(refusal(b"hello").to_string().contains("JPEG, PNG or WebP"), "the sentence must hold a hint");
}

#[test]
fn other_picture_formats_are_named_and_refused() {
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";
    let svg = b"<?xml version=\"1.0\"?>\n<SVG xmlns=\"http://www.w3.org/2000/svg\"/>";
    for bytes in
        [&b"GIF89a\x01\0\x01\0"[..], b"BM\x36\0\0\0", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", heic, svg, b"8BPS"]
    {
        assert_eq!(refusal(bytes).code, RejectionCode::UnsupportedFormat, "{bytes:?}");
    }
}

#[test]
fn a_file_beyond_the_bytes_is_refused_with_figure_and_limit() {
    let mut bytes = jpeg(64, 64);
    bytes.resize(limits::MAX_BYTES + 1, 0);
    let rejection = refusal(&bytes);
    assert_eq!(rejection.code, RejectionCode::TooManyBytes);
    assert_eq!((rejection.figure, rejection.limit), (Some(25_000_001), Some(25_000_000)));
    assert!(rejection.to_string().contains("25.1 MB"));
}

#[test]
fn a_jpeg_header_of_65500_square_is_refused_at_the_header() {
    let rejection = refusal(&pictures::with_size(&jpeg(64, 64), 65_500, 65_500));
    assert_eq!(rejection.code, RejectionCode::TooManyPixels);
    assert_eq!((rejection.figure, rejection.limit), (Some(65_500 * 65_500), Some(50_000_000)));
}

#[test]
fn a_webp_canvas_of_16384_square_is_refused_at_the_header() {
    let bytes = [&b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0"[..], &[0xff, 0x3f, 0, 0xff, 0x3f, 0]].concat();
    let rejection = refusal(&bytes);
    assert_eq!((rejection.code, rejection.figure), (RejectionCode::TooManyPixels, Some(16_384 * 16_384)));
}

#[test]
fn a_second_frame_header_cannot_hide_a_larger_picture() {
    let small = jpeg(64, 64);
    let at = small.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    let length = usize::from(u16::from_be_bytes([small[at + 2], small[at + 3]]));
    let mut frame = small[at + 4..at + 2 + length].to_vec();
    frame[1..5].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
    assert_eq!(refusal(&pictures::with_segment(&small, 0xc0, &frame)).code, RejectionCode::Broken);
}

#[test]
fn a_picture_of_ten_thousand_scans_is_refused_and_an_honest_progressive_one_is_not() {
    let rejection = refusal(&pictures::with_scans(10_000));
    assert_eq!((rejection.code, rejection.limit), (RejectionCode::Broken, Some(100)));
    assert!(decode(&pictures::with_scans(1)).is_ok());
}

#[test]
fn animations_are_refused_with_their_frames() {
    let one = pictures::png(64, 64, png::ColorType::Grayscale, png::BitDepth::Eight, &[7; 64 * 64]);
    let apng = with_chunk(&one, b"acTL", &[0, 0, 0, 12, 0, 0, 0, 0]);
    let rejection = refusal(&apng);
    assert_eq!((rejection.code, rejection.figure, rejection.limit), (RejectionCode::ManyFrames, Some(12), Some(1)));
    let rejection = refusal(&pictures::animated_webp());
    assert_eq!((rejection.code, rejection.figure), (RejectionCode::ManyFrames, Some(3)));
}

#[test]
fn a_picture_that_ends_early_is_truncated_wherever_it_was_cut() {
    let rows: Vec<u8> = scene(128, 128).into_data();
    let png = pictures::png(128, 128, png::ColorType::Rgb, png::BitDepth::Eight, &rows);
    let webp = pictures::webp(128, 128, false);
    for whole in [jpeg(128, 128), png, webp] {
        for share in [50, 70, 90, 97] {
            let cut = &whole[..whole.len() * share / 100];
            let code = refusal(cut).code;
            assert!(
                code == RejectionCode::Truncated || (whole.starts_with(b"RIFF") && code == RejectionCode::Broken),
                "{share} % of {:?}: {code:?}",
                &whole[..4]
            );
        }
    }
}

#[test]
fn damage_in_the_middle_never_passes_for_a_short_file_or_a_crash() {
    let mut bytes = jpeg(128, 128);
    // The quantisation table goes missing: nothing can be decoded.
    let at = bytes.windows(2).position(|pair| pair == [0xff, 0xdb]).unwrap();
    bytes[at + 1] = 0xfe;
    assert!(matches!(refusal(&bytes).code, RejectionCode::Broken | RejectionCode::Truncated));
}

#[test]
fn a_picture_too_small_for_a_face_is_refused() {
    let rejection = refusal(&jpeg(12, 12));
    assert_eq!((rejection.code, rejection.figure, rejection.limit), (RejectionCode::TooSmall, Some(12), Some(32)));
}

#[test]
fn compressed_bombs_in_profile_and_text_cost_nothing_and_the_picture_is_kept() {
    let rows: Vec<u8> = scene(64, 64).into_data();
    let plain = pictures::png(64, 64, png::ColorType::Rgb, png::BitDepth::Eight, &rows);
    let bomb = deflated(64 << 20);
    let profile = [b"icc\0\0".to_vec(), bomb.clone()].concat();
    let text = [b"Comment\0\0".to_vec(), bomb].concat();
    let bytes = with_chunk(&with_chunk(&plain, b"iCCP", &profile), b"zTXt", &text);
    assert_eq!(decode(&bytes).unwrap().data(), &rows[..]);
}

#[test]
fn every_code_has_a_sentence_and_its_own_name() {
    let codes = [
        RejectionCode::NotAnImage,
        RejectionCode::UnsupportedFormat,
        RejectionCode::TooManyBytes,
        RejectionCode::TooManyPixels,
        RejectionCode::TooSmall,
        RejectionCode::ManyFrames,
        RejectionCode::Truncated,
        RejectionCode::Broken,
    ];
    for code in codes {
        let rejection = Rejection { code, figure: Some(1), limit: Some(2) };
        assert!(rejection.to_string().contains("send"), "{rejection} must say what to do");
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_the_decoder(bytes in proptest::collection::vec(any::<u8>(), 0..2048), start in 0..4_usize) {
        let starts: [&[u8]; 4] = [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"RIFF\xff\0\0\0WEBP"];
        let _ = decode(&[starts[start], &bytes].concat());
    }

    #[test]
    fn damaged_pictures_never_panic_the_decoder(which in 0..3_usize, flips in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..20)) {
        let rows = scene(48, 48).into_data();
        let mut bytes = match which {
            0 => pictures::with_segment(&jpeg(48, 48), 0xe1, &pictures::exif_segment(6)),
            1 => with_chunk(&pictures::png(48, 48, png::ColorType::Rgb, png::BitDepth::Eight, &rows), b"eXIf", &pictures::exif(3)),
            _ => pictures::webp(48, 48, true),
        };
        for (at, value) in flips {
            let at = usize::from(at) % bytes.len();
            bytes[at] ^= value;
        }
        let _ = decode(&bytes);
    }
}

#[test]
fn figures_come_in_peoples_units_in_both_languages() {
    let of = |code, figure, limit| Rejection { code, figure: Some(figure), limit: Some(limit) };
    for (rejection, ru, en) in [
        (of(RejectionCode::TooManyBytes, 25_000_001, 25_000_000), "25,1 МБ", "25.1 MB"),
        (of(RejectionCode::TooManyPixels, 60_000_000, 50_000_000), "60 мегапикселей", "60 megapixels"),
        (of(RejectionCode::TooManyPixels, 70_000, 65_500), "70000 px", "70000 px"),
        (of(RejectionCode::TooSmall, 20, 32), "20 px", "20 px"),
        (of(RejectionCode::ManyFrames, 12, 1), "кадров: 12", "12 frames"),
    ] {
        assert!(rejection.text(Lang::Ru).contains(ru), "{}", rejection.text(Lang::Ru));
        assert!(rejection.text(Lang::En).contains(en), "{}", rejection.text(Lang::En));
        assert!(!rejection.to_string().contains("000000"), "{rejection}");
    }
}
