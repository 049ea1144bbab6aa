//! The pipe: what is written is read again, and nonsense costs nothing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "a test fails loudly")]

use std::io::Read;

use parkdesk_vision::faces::protocol::{
    Analysis, Answer, Descriptor, Face, Job, LiveAdvice, MAX_FACES, ProtocolError, Ready, VERSION, read_answer,
    read_request, write_answer, write_request,
};
use parkdesk_vision::geometry::{Area, Cut, Point};
use parkdesk_vision::limits::{Rejection, RejectionCode};
use parkdesk_vision::quality::{Finding, Level, Quality, QualityCode};
use proptest::prelude::*;

fn face(n: u8) -> Face {
    let point = Point { x: f32::from(n) + 0.1, y: 1.0 / 3.0 };
    Face {
        area: Area { x: -3, y: 4, w: 100, h: 100 },
        detection_milli: 1074,
        probability_milli: 999,
        points: [point; 5],
        marks: [point; 5],
        descriptor: n.is_multiple_of(2).then(|| Descriptor::new(vec![0.1, -0.25, f32::from(n) + 1.0]).unwrap()),
    }
}

fn analysis(faces: u8) -> Analysis {
    let finding = Finding { code: QualityCode::TurnedHead, level: Level::Warn, figure_milli: 182, limit_milli: 150 };
    Analysis {
        width: 640,
        height: 480,
        faces: (0..faces).map(face).collect(),
        quality: Quality { components: [("sharpness".to_owned(), 70)].into(), findings: vec![finding] },
        cut: (faces > 0).then_some(Cut { x: 1, y: 2, w: 300, h: 400, turn: -150 }),
        perceptual_hash: u64::MAX - 5,
        model_id: "0".repeat(64),
        aligner_id: "mmod+dlib5+chip150-v1".to_owned(),
        original: b"\xff\xd8\xfforiginal".to_vec(),
        portrait: (faces > 0).then(|| b"\xff\xd8\xffportrait".to_vec()),
        thumb: b"\xff\xd8\xffthumb".to_vec(),
    }
}

fn written(answer: Answer) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_answer(&mut bytes, answer).unwrap();
    bytes
}

#[test]
fn every_answer_comes_through_with_its_files_and_templates() {
    let rejection = Rejection { code: RejectionCode::TooManyPixels, figure: Some(60), limit: Some(50) };
    let advice = LiveAdvice {
        width: 640,
        height: 480,
        area: None,
        marks: None,
        advice: Some(QualityCode::NoFace),
        level: Some(Level::Fail),
        readiness_percent: 7,
    };
    let mut answers = vec![
        Answer::Ready(Ready { version: VERSION, model_id: "m".into(), aligner_id: "a".into() }),
        Answer::Unable { reason: "no weights".into() },
        Answer::Live { id: 5, advice },
        Answer::Rejected { id: u64::MAX, rejection },
    ];
    answers.push(Answer::Portrait { id: 8, portrait: b"\xff\xd8\xffportrait".to_vec() });
    answers.extend([0, 1, 3].map(|faces| Answer::Analysed { id: 9, analysis: Box::new(analysis(faces)) }));
    let bytes: Vec<u8> = answers.iter().cloned().flat_map(written).collect();
    let mut pipe = &bytes[..];
    for answer in answers {
        assert_eq!(read_answer(&mut pipe).unwrap(), Some(answer));
    }
    assert_eq!(read_answer(&mut pipe).unwrap(), None, "a pipe closed between messages is an end, not an error");
}

#[test]
fn templates_and_pixels_are_never_in_the_header() {
    let bytes = written(Answer::Analysed { id: 1, analysis: Box::new(analysis(1)) });
    let length = u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&bytes[4..4 + length]).unwrap();
    assert!(!header.contains("descriptor") && !header.contains("original") && !header.contains("-0.25"));
    assert!(header.contains("\"perceptual_hash\":\"fffffffffffffffa\""));
}

#[test]
fn a_crowd_is_cut_to_the_largest_faces() {
    let bytes = written(Answer::Analysed { id: 1, analysis: Box::new(analysis(200)) });
    let Some(Answer::Analysed { analysis, .. }) = read_answer(&mut &bytes[..]).unwrap() else { panic!() };
    assert_eq!(analysis.faces.len(), MAX_FACES);
}

#[test]
fn a_request_comes_through_even_in_single_bytes() {
    struct Dripping<'a>(&'a [u8]);
    impl Read for Dripping<'_> {
        fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            to[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }
    let mut bytes = Vec::new();
    let cut = Job::Portrait(Cut { x: -7, y: 9, w: 300, h: 400, turn: -150 });
    write_request(&mut bytes, 42, Job::Live, b"frame").unwrap();
    write_request(&mut bytes, 43, cut, b"original").unwrap();
    let mut pipe = Dripping(&bytes);
    for (id, job, picture) in [(42, Job::Live, &b"frame"[..]), (43, cut, b"original")] {
        let request = read_request(&mut pipe).unwrap().unwrap();
        assert_eq!((request.id, request.job, &request.picture[..]), (id, job, picture));
    }
}

#[test]
fn a_pipe_that_breaks_inside_a_message_is_an_error_wherever_it_breaks() {
    let bytes = written(Answer::Analysed { id: 1, analysis: Box::new(analysis(2)) });
    for end in 1..bytes.len() {
        assert!(matches!(read_answer(&mut &bytes[..end]), Err(ProtocolError::Io(_))), "{end}");
    }
}

#[test]
fn a_giant_length_is_refused_unread() {
    /// Counts what is taken from it, and never ends.
    struct Endless(Vec<u8>, usize);
    impl Read for Endless {
        fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
            for (at, byte) in to.iter_mut().enumerate() {
                *byte = self.0.get(self.1 + at).copied().unwrap_or(b' ');
            }
            self.1 += to.len();
            Ok(to.len())
        }
    }
    let header = br#"{"id":1,"job":"live"}"#;
    let valid = |count: u32, length: u64| {
        [&(header.len() as u32).to_le_bytes()[..], header, &count.to_le_bytes(), &length.to_le_bytes()].concat()
    };
    for start in
        [u32::MAX.to_le_bytes().to_vec(), valid(2, 5), valid(u32::MAX, 5), valid(1, u64::MAX), valid(1, 25_000_001)]
    {
        let mut pipe = Endless(start.clone(), 0);
        assert!(matches!(read_request(&mut pipe), Err(ProtocolError::TooLarge { .. })));
        assert!(pipe.1 <= start.len(), "nothing beyond the length is read");
    }
}

#[test]
fn attachments_that_do_not_fit_their_header_are_refused() {
    let good = analysis(2);
    let no_portrait = Analysis { portrait: None, ..good.clone() };
    let no_original = Analysis { original: Vec::new(), ..good };
    let no_jpeg = Analysis { thumb: b"<html>".to_vec(), ..analysis(2) };
    let no_jpeg_portrait = written(Answer::Portrait { id: 1, portrait: b"<html>".to_vec() });
    assert!(matches!(read_answer(&mut &no_jpeg_portrait[..]), Err(ProtocolError::Attachments)));
    for bad in [no_portrait, no_original, no_jpeg] {
        let bytes = written(Answer::Analysed { id: 1, analysis: Box::new(bad) });
        assert!(matches!(read_answer(&mut &bytes[..]), Err(ProtocolError::Attachments)));
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_the_readers(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = read_answer(&mut &bytes[..]);
        let _ = read_request(&mut &bytes[..]);
    }

    #[test]
    fn damaged_answers_never_panic_the_reader(flips in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..8)) {
        let mut bytes = written(Answer::Analysed { id: 1, analysis: Box::new(analysis(2)) });
        for (at, value) in flips {
            let at = usize::from(at) % bytes.len();
            bytes[at] ^= value;
        }
        let _ = read_answer(&mut &bytes[..]);
    }
}
