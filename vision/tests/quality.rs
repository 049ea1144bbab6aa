//! The verdict on a photo: components, limits, advice.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "a test fails loudly")]

use parkdesk_vision::faces::protocol::Face;
use parkdesk_vision::geometry::{Area, Point};
use parkdesk_vision::picture::Rgb;
use parkdesk_vision::quality::{Finding, Lang, Level, Pose, Purpose, Quality, QualityCode, Subject, advice, assess};

type Marks = [(f32, f32); 5];
/// Code, level, figure and limit of a finding.
type Known = (QualityCode, Level, i64, i64);

/// O-Net's points on the seven demo photos, as facenet-pytorch gives them.
const DEMO: [(&str, u32, u32, Marks); 7] = [
    (
        "32bit",
        626,
        1200,
        [(251.929, 367.445), (378.126, 375.36), (283.37, 444.079), (245.816, 525.73), (355.946, 532.29)],
    ),
    (
        "biden",
        970,
        2204,
        [(534.12, 322.12), (654.532, 347.92), (602.609, 404.912), (510.313, 458.643), (627.609, 481.246)],
    ),
    (
        "obama",
        910,
        1137,
        [(439.721, 211.225), (552.313, 209.565), (498.79, 273.634), (436.474, 318.715), (556.406, 318.458)],
    ),
    (
        "obama2",
        626,
        1200,
        [(251.951, 367.466), (378.06, 375.321), (283.303, 444.093), (245.903, 525.671), (355.951, 532.169)],
    ),
    (
        "obama3",
        1434,
        2333,
        [(736.245, 381.402), (857.716, 398.271), (812.918, 437.632), (733.324, 509.797), (849.265, 525.343)],
    ),
    (
        "partial",
        491,
        1137,
        [(29.647, 214.341), (127.725, 208.509), (69.228, 276.624), (32.875, 322.174), (134.234, 316.041)],
    ),
    (
        "partial2",
        551,
        1137,
        [(440.262, 211.42), (540.5, 211.334), (500.643, 276.195), (438.523, 322.091), (541.584, 321.556)],
    ),
];

/// A face that looks straight ahead: eyes at (200, 200) and (320, 200).
const STRAIGHT: Marks = [(200.0, 200.0), (320.0, 200.0), (260.0, 278.0), (210.0, 333.0), (310.0, 333.0)];

fn face(marks: Marks) -> Face {
    let marks = marks.map(|(x, y)| Point { x, y });
    let [left, right, nose, ..] = marks;
    Face {
        area: Area { x: 140, y: 140, w: 240, h: 240 },
        detection_milli: 1000,
        probability_milli: 999,
        points: [right, right, left, left, nose],
        marks,
        descriptor: None,
    }
}

/// Skin with dark eyes, brows and a mouth around the marks, and fine reproducible texture.
fn portrait(width: u32, height: u32, marks: &Marks) -> Rgb {
    let mut noise = 12345_u32;
    let mut data = Vec::new();
    for y in 0..height {
        for x in 0..width {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            let near = |(cx, cy): (f32, f32), rx: f32, ry: f32| {
                ((x as f32 - cx) / rx).powi(2) + ((y as f32 - cy) / ry).powi(2) < 1.0
            };
            let [left, right, nose, mouth_left, mouth_right] = *marks;
            let mouth = ((mouth_left.0 + mouth_right.0) / 2.0, (mouth_left.1 + mouth_right.1) / 2.0);
            let brow = |eye: (f32, f32)| (eye.0, eye.1 - 28.0);
            let base = if near(left, 14.0, 8.0) || near(right, 14.0, 8.0) {
                [40.0, 30.0, 30.0]
            } else if near(brow(left), 30.0, 6.0) || near(brow(right), 30.0, 6.0) {
                [70.0, 50.0, 40.0]
            } else if near(mouth, 45.0, 10.0) {
                [150.0, 70.0, 70.0]
            } else if near(nose, 120.0, 190.0) {
                let shade = 1.0 - ((x as f32 - nose.0) / 400.0).abs();
                [215.0 * shade, 165.0 * shade, 140.0 * shade]
            } else {
                [120.0, 125.0, 130.0]
            };
            data.extend(base.map(|v| (v + (noise % 17) as f32 - 8.0).clamp(0.0, 255.0) as u8));
        }
    }
    Rgb::new(width, height, data).unwrap()
}

fn changed(picture: &Rgb, change: impl Fn(u32, u32, [u8; 3]) -> [u8; 3]) -> Rgb {
    let mut data = Vec::new();
    for y in 0..picture.height() {
        for x in 0..picture.width() {
            data.extend(change(x, y, picture.pixel(x, y).unwrap()));
        }
    }
    Rgb::new(picture.width(), picture.height(), data).unwrap()
}

/// Mean over a square around each pixel, several times: out of focus.
fn blurred(picture: &Rgb, reach: i32) -> Rgb {
    let mut picture = picture.clone();
    for _ in 0..2 {
        for (dx, dy) in [(1, 0), (0, 1)] {
            let source = picture.clone();
            let (w, h) = (source.width() as i32, source.height() as i32);
            picture = changed(&source, |x, y, _| {
                let mut sum = [0_u32; 3];
                for step in -reach..=reach {
                    let (u, v) = ((x as i32 + dx * step).clamp(0, w - 1), (y as i32 + dy * step).clamp(0, h - 1));
                    let pixel = source.pixel(u as u32, v as u32).unwrap();
                    (0..3).for_each(|c| sum[c] += u32::from(pixel[c]));
                }
                sum.map(|v| (v / (2 * reach as u32 + 1)) as u8)
            });
        }
    }
    picture
}

fn judge(picture: &Rgb, faces: &[Face]) -> Quality {
    assess(&Subject { picture, faces, head_cut_off: false, purpose: Purpose::Photo })
}

fn codes(quality: &Quality) -> Vec<(QualityCode, Level)> {
    quality.findings.iter().map(|finding| (finding.code, finding.level)).collect()
}

fn find(quality: &Quality, code: QualityCode) -> Finding {
    quality.findings.iter().find(|finding| finding.code == code).expect("the code must be found").clone()
}

#[test]
fn a_good_portrait_has_no_findings_and_full_components() {
    let picture = portrait(520, 640, &STRAIGHT);
    let quality = judge(&picture, &[face(STRAIGHT)]);
    assert_eq!(codes(&quality), []);
    assert_eq!((quality.first_advice(), quality.readiness_percent(), quality.fails()), (None, 100, false));
    for name in [
        "single_face",
        "pose_yaw",
        "pose_pitch",
        "pose_roll",
        "inter_eye_distance",
        "head_size",
        "margin_left",
        "margin_right",
        "margin_above",
        "margin_below",
        "sharpness",
        "under_exposure",
        "over_exposure",
        "dynamic_range",
        "luminance_mean",
        "luminance_variance",
        "illumination_uniformity",
        "natural_colour",
        "background_uniformity",
    ] {
        let score = quality.components.get(name).unwrap_or_else(|| panic!("{name} is missing"));
        assert!((0..=100).contains(score), "{name} = {score}");
    }
    for name in ["single_face", "pose_yaw", "pose_pitch", "pose_roll", "inter_eye_distance", "natural_colour"] {
        assert!(quality.components[name] >= 70, "{name} = {}", quality.components[name]);
    }
}

#[test]
fn the_demo_photos_get_the_pose_they_are_known_for() {
    use Level::{Fail, Warn};
    use QualityCode::{ChinUp, Tilted, TurnedHead};
    let expected: [(&str, &[Known]); 7] = [
        ("32bit", &[(TurnedHead, Warn, 214, 150)]),
        ("biden", &[(TurnedHead, Warn, 185, 150), (Tilted, Warn, 12_094, 8_000)]),
        ("obama", &[]),
        ("obama2", &[(TurnedHead, Warn, 215, 150)]),
        ("obama3", &[(ChinUp, Fail, 355, 400), (TurnedHead, Warn, 182, 150)]),
        ("partial", &[]),
        ("partial2", &[]),
    ];
    for ((name, width, height, marks), (_, expected)) in DEMO.iter().zip(expected) {
        let quality = judge(&portrait(*width, *height, marks), &[face(*marks)]);
        let pose: Vec<_> = quality
            .findings
            .iter()
            .filter(|finding| matches!(finding.code, TurnedHead | ChinUp | QualityCode::ChinDown | Tilted))
            .map(|finding| (finding.code, finding.level, finding.figure_milli, finding.limit_milli))
            .collect();
        assert_eq!(pose, expected, "{name}");
    }
}

#[test]
fn pose_does_not_depend_on_lean_place_or_size() {
    let straight = Pose::of(&face(STRAIGHT).marks).unwrap();
    assert!((straight.pitch - 78.0 / 133.0).abs() < 1e-6 && straight.yaw.abs() < 1e-6);
    for degrees in [-170.0_f64, -45.0, 10.0, 90.0] {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let turned = STRAIGHT.map(|(x, y)| {
            let (x, y) = (f64::from(x), f64::from(y));
            ((0.5 * (cos * x - sin * y) + 99.0) as f32, (0.5 * (sin * x + cos * y) - 7.0) as f32)
        });
        let pose = Pose::of(&face(turned).marks).unwrap();
        assert!((pose.roll_degrees - degrees).abs() < 0.01 && (pose.eye_distance - 60.0).abs() < 0.01);
        assert!((pose.yaw - straight.yaw).abs() < 1e-4 && (pose.pitch - straight.pitch).abs() < 1e-4);
    }
}

#[test]
fn a_far_turn_and_a_bowed_head_fail() {
    let turned: Marks = [(200.0, 200.0), (320.0, 200.0), (295.0, 278.0), (210.0, 333.0), (310.0, 333.0)];
    let bowed: Marks = [(200.0, 200.0), (320.0, 200.0), (260.0, 305.0), (210.0, 333.0), (310.0, 333.0)];
    let picture = portrait(520, 640, &STRAIGHT);
    let found = find(&judge(&picture, &[face(turned)]), QualityCode::TurnedHead);
    assert_eq!((found.level, found.figure_milli, found.limit_milli), (Level::Fail, 292, 250));
    let found = find(&judge(&picture, &[face(bowed)]), QualityCode::ChinDown);
    assert_eq!((found.level, found.figure_milli, found.limit_milli), (Level::Fail, 789, 750));
}

#[test]
fn no_face_is_a_fail_with_advice_and_not_a_refusal() {
    let quality = judge(&portrait(520, 640, &STRAIGHT), &[]);
    assert_eq!(codes(&quality), [(QualityCode::NoFace, Level::Fail)]);
    assert_eq!((quality.findings[0].figure_milli, quality.findings[0].limit_milli), (0, 1000));
    assert!(quality.fails() && quality.readiness_percent() <= 40);
}

#[test]
fn points_that_are_no_face_count_as_no_face() {
    let nowhere = face([(f32::NAN, 0.0); 5]);
    let one_spot = face([(100.0, 100.0); 5]);
    for odd in [nowhere, one_spot] {
        assert_eq!(codes(&judge(&portrait(520, 640, &STRAIGHT), &[odd])), [(QualityCode::NoFace, Level::Fail)]);
    }
}

#[test]
fn a_second_face_of_a_comparable_size_fails_and_a_small_one_behind_does_not() {
    let picture = portrait(520, 640, &STRAIGHT);
    let second = |side| Face { area: Area { x: 0, y: 0, w: side, h: side }, ..face(STRAIGHT) };
    let found = find(&judge(&picture, &[face(STRAIGHT), second(180)]), QualityCode::ManyFaces);
    assert_eq!((found.level, found.figure_milli, found.limit_milli), (Level::Fail, 563, 300));
    assert_eq!(codes(&judge(&picture, &[face(STRAIGHT), second(100)])), []);
}

#[test]
fn a_small_face_warns_then_fails_and_a_live_frame_may_be_smaller() {
    for (share, photo, live) in [
        (0.70, Some(Level::Warn), None),
        (0.45, Some(Level::Fail), None),
        (0.33, Some(Level::Fail), Some(Level::Warn)),
        (0.20, Some(Level::Fail), Some(Level::Fail)),
    ] {
        let marks = STRAIGHT.map(|(x, y)| (x * share, y * share));
        let picture = portrait(520, 640, &marks);
        for (purpose, expected) in [(Purpose::Photo, photo), (Purpose::Live, live)] {
            let quality = assess(&Subject { picture: &picture, faces: &[face(marks)], head_cut_off: false, purpose });
            let found = codes(&quality).into_iter().find(|(code, _)| *code == QualityCode::FaceTooSmall);
            assert_eq!(found.map(|(_, level)| level), expected, "{share} {purpose:?}");
        }
    }
}

#[test]
fn a_picture_out_of_focus_or_shaken_is_blurred() {
    let sharp = portrait(520, 640, &STRAIGHT);
    let found = find(&judge(&blurred(&sharp, 8), &[face(STRAIGHT)]), QualityCode::Blurred);
    assert_eq!(found.level, Level::Fail);
    assert!(found.figure_milli < found.limit_milli);
}

#[test]
fn light_is_judged_in_words() {
    let picture = portrait(520, 640, &STRAIGHT);
    let scaled = |factor: f32| changed(&picture, |_, _, p| p.map(|v| (f32::from(v) * factor) as u8));
    let dark = judge(&scaled(0.15), &[face(STRAIGHT)]);
    assert_eq!(find(&dark, QualityCode::TooDark).level, Level::Warn);
    let bright = changed(&picture, |_, _, p| p.map(|v| v.saturating_add(110)));
    assert_eq!(find(&judge(&bright, &[face(STRAIGHT)]), QualityCode::TooBright).level, Level::Warn);
    let one_side = changed(&picture, |x, _, p| if x < 260 { p } else { p.map(|v| v / 5) });
    assert_eq!(find(&judge(&one_side, &[face(STRAIGHT)]), QualityCode::UnevenLight).level, Level::Warn);
    let fog = changed(&picture, |_, _, p| p.map(|v| 120 + v / 32));
    assert_eq!(find(&judge(&fog, &[face(STRAIGHT)]), QualityCode::FlatLight).level, Level::Warn);
}

#[test]
fn grey_and_green_skin_is_unnatural() {
    let picture = portrait(520, 640, &STRAIGHT);
    let grey = changed(&picture, |_, _, p| [p[1]; 3]);
    let green = changed(&picture, |_, _, p| [p[1], p[0], p[2]]);
    for odd in [grey, green] {
        let found = find(&judge(&odd, &[face(STRAIGHT)]), QualityCode::UnnaturalColour);
        assert_eq!((found.level, found.figure_milli), (Level::Warn, 100_000));
    }
}

#[test]
fn a_face_at_the_side_and_a_head_cut_off_are_said() {
    let marks = STRAIGHT.map(|(x, y)| (x - 170.0, y));
    let picture = portrait(520, 640, &marks);
    let quality =
        assess(&Subject { picture: &picture, faces: &[face(marks)], head_cut_off: true, purpose: Purpose::Photo });
    assert_eq!(find(&quality, QualityCode::OffCentre).level, Level::Warn);
    assert_eq!(find(&quality, QualityCode::HeadCutOff).level, Level::Warn);
    assert_eq!(quality.first_advice(), Some(QualityCode::HeadCutOff), "the head comes before the middle");
}

#[test]
fn every_code_has_one_line_in_both_languages_and_one_name() {
    for code in QualityCode::ALL {
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        let (ru, en) = (advice(code, Lang::Ru), advice(code, Lang::En));
        assert!(ru.chars().any(|c| ('а'..='я').contains(&c)) && en.is_ascii());
        for line in [ru, en] {
            assert!(line.chars().count() <= 60 && !line.contains('\n') && !line.ends_with('.'), "{line}");
        }
    }
    let names: std::collections::BTreeSet<_> = QualityCode::ALL.map(QualityCode::as_str).into();
    assert_eq!(names.len(), QualityCode::ALL.len());
}
