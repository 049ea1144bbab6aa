//! The portrait's place and its pixels.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "a test fails loudly")]

#[path = "support/pictures.rs"]
mod pictures;

use parkdesk_vision::geometry::{Cut, LEAST_WIDTH, Point, cut_fits, cut_portrait, cuts_head_off, portrait_cut};
use pictures::scene;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

fn eyes(x: f32, y: f32, distance: f32, degrees: f32) -> (Point, Point) {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let half = distance / 2.0;
    (Point { x: x - cos * half, y: y - sin * half }, Point { x: x + cos * half, y: y + sin * half })
}

/// The corners of the turned rectangle.
fn corners(cut: &Cut) -> [(f64, f64); 4] {
    let (sin, cos) = (f64::from(cut.turn) / 100.0).to_radians().sin_cos();
    let (w, h) = (f64::from(cut.w) / 2.0, f64::from(cut.h) / 2.0);
    let (cx, cy) = (f64::from(cut.x) + w, f64::from(cut.y) + h);
    [(-w, -h), (w, -h), (w, h), (-w, h)].map(|(x, y)| (cx + cos * x - sin * y, cy + sin * x + cos * y))
}

fn lies_inside(cut: &Cut, width: u32, height: u32) -> bool {
    corners(cut)
        .iter()
        .all(|(x, y)| (-0.01..=f64::from(width) + 0.01).contains(x) && (-0.01..=f64::from(height) + 0.01).contains(y))
}

#[test]
fn a_roomy_picture_gets_the_portrait_of_the_rule() {
    let (left, right) = eyes(999.5, 799.5, 150.0, 0.0);
    let (cut, cut_off) = portrait_cut(left, right, 2000, 2000);
    assert!(!cut_off);
    // 150 px between the eyes are a quarter of 600; the eyes are in the middle, 0.42 of 800 below the top.
    assert_eq!(cut, Cut { x: 700, y: 464, w: 600, h: 800, turn: 0 });
}

#[test]
fn a_leaning_head_is_turned_level_with_its_eyes_in_place() {
    for degrees in [-60.0, -12.0, 3.3, 30.0, 90.0] {
        let (left, right) = eyes(1500.0, 1500.0, 120.0, degrees);
        let (cut, cut_off) = portrait_cut(left, right, 3000, 3000);
        assert!(!cut_off);
        assert_eq!(cut.turn, (degrees * 100.0).round() as i32);
        let (sin, cos) = (f64::from(degrees)).to_radians().sin_cos();
        let (cx, cy) = (f64::from(cut.x) + f64::from(cut.w) / 2.0, f64::from(cut.y) + f64::from(cut.h) / 2.0);
        for (eye, across) in [(left, 0.375), (right, 0.625)] {
            let (dx, dy) = (f64::from(eye.x) + 0.5 - cx, f64::from(eye.y) + 0.5 - cy);
            let x = (cos * dx + sin * dy) / f64::from(cut.w) + 0.5;
            let y = (-sin * dx + cos * dy) / f64::from(cut.h) + 0.5;
            assert!((x - across).abs() < 0.005 && (y - 0.42).abs() < 0.005, "{degrees}: ({x}, {y})");
        }
    }
}

#[test]
fn a_portrait_that_would_leave_the_picture_is_shifted_then_shrunk_then_flagged() {
    // Little room above: shifted down, full size.
    let (left, right) = eyes(500.0, 170.0, 100.0, 0.0);
    let (cut, cut_off) = portrait_cut(left, right, 1000, 1000);
    assert_eq!((cut.w, cut.y, cut_off), (399, 0, false));
    // A narrow picture: shrunk, the head still fits.
    let (left, right) = eyes(150.0, 400.0, 100.0, 0.0);
    let (cut, cut_off) = portrait_cut(left, right, 300, 1000);
    assert_eq!((cut.w, cut.h, cut_off), (300, 400, false));
    // The face at the edge: flagged, and the cut is inside all the same.
    let (left, right) = eyes(40.0, 400.0, 100.0, 0.0);
    let (cut, cut_off) = portrait_cut(left, right, 1000, 1000);
    assert!(cut_off && lies_inside(&cut, 1000, 1000));
    // The crown above the picture.
    let (left, right) = eyes(500.0, 60.0, 100.0, 0.0);
    assert!(portrait_cut(left, right, 1000, 1000).1);
}

#[test]
fn eyes_that_cannot_be_are_flagged() {
    let at = |x, y| Point { x, y };
    for (left, right) in [
        (at(f32::NAN, 1.0), at(5.0, 5.0)),
        (at(5.0, 5.0), at(5.0, 5.0)),
        (at(f32::INFINITY, 0.0), at(0.0, 0.0)),
        (at(-1e30, 0.0), at(1e30, 0.0)),
    ] {
        let (cut, cut_off) = portrait_cut(left, right, 640, 480);
        assert!(cut_off && lies_inside(&cut, 640, 480), "{cut:?}");
    }
}

#[test]
fn every_small_picture_and_every_lean_has_a_cut_inside() {
    for side in 5..60 {
        for lean in 0..72 {
            let (left, right) = eyes(side as f32 / 2.0, side as f32 / 3.0, 8.0, lean as f32 * 5.0 - 180.0);
            let (cut, _) = portrait_cut(left, right, side, 64 - side);
            assert!(lies_inside(&cut, side, 64 - side), "{side}, {lean}: {cut:?}");
        }
    }
}

#[test]
fn an_upright_cut_is_the_picture_s_own_pixels() {
    let picture = scene(400, 400);
    let portrait = cut_portrait(&picture, &Cut { x: 37, y: 11, w: 150, h: 200, turn: 0 });
    for (x, y) in [(0, 0), (149, 0), (70, 99), (149, 199)] {
        assert_eq!(portrait.pixel(x, y), picture.pixel(x + 37, y + 11));
    }
}

#[test]
fn a_quarter_turn_is_exact() {
    let picture = scene(400, 400);
    let portrait = cut_portrait(&picture, &Cut { x: 100, y: 50, w: 150, h: 200, turn: 9_000 });
    // The centre is (175, 150); the portrait's right is the picture's down, its down the picture's left.
    for (x, y) in [(0_u32, 0_u32), (149, 0), (70, 99)] {
        assert_eq!(portrait.pixel(x, y), picture.pixel(175 + 99 - y, 150 - 75 + x), "({x}, {y})");
    }
}

#[test]
fn a_large_cut_is_scaled_into_1080_by_1440_and_a_small_one_is_left() {
    let picture = scene(3000, 3000);
    let portrait = cut_portrait(&picture, &Cut { x: 0, y: 0, w: 2160, h: 2880, turn: 0 });
    assert_eq!((portrait.width(), portrait.height()), (1080, 1440));
    let small = cut_portrait(&picture, &Cut { x: 0, y: 0, w: 90, h: 120, turn: 150 });
    assert_eq!((small.width(), small.height()), (90, 120));
}

#[test]
fn the_same_cut_gives_the_same_bytes_on_every_machine() {
    let picture = scene(640, 480);
    let mut hash = Sha256::new();
    for turn in [0, 1, 1_234, 4_499, 4_501, -777, 17_999, -18_000] {
        hash.update(cut_portrait(&picture, &Cut { x: 201, y: 77, w: 240, h: 320, turn }).data());
    }
    // A large cut runs through the averaging.
    hash.update(cut_portrait(&scene(1500, 2000), &Cut { x: 0, y: 0, w: 1500, h: 2000, turn: 321 }).data());
    assert_eq!(hex::encode(hash.finalize()), "30507eef1a2ddd9e8aa31249c156917984b543c7e358c65558f29a1d22f90922");
}

#[test]
fn a_cut_of_a_persons_hand_is_upright_enough_large_enough_and_inside() {
    let good = Cut { x: 0, y: 0, w: 300, h: 400, turn: 0 };
    assert!(cut_fits(&good, 300, 400) && cut_fits(&Cut { x: 5, y: 7, ..good }, 305, 407));
    assert!(cut_fits(&Cut { x: 100, y: 100, turn: 18_000, ..good }, 500, 600), "upside down is a turn like another");
    for (bad, why) in [
        (Cut { x: -1, ..good }, "left of the picture"),
        (Cut { y: 1, ..good }, "below the picture"),
        (Cut { w: 299, ..good }, "no multiple of 3"),
        (Cut { h: 401, ..good }, "not 3:4"),
        (Cut { turn: 1, ..good }, "the corners leave the picture"),
        (Cut { w: LEAST_WIDTH - 3, h: (LEAST_WIDTH - 3) / 3 * 4, ..good }, "too small"),
        (Cut { w: 0, h: 0, ..good }, "empty"),
        (Cut { w: -300, h: -400, ..good }, "inside out"),
        (Cut { w: 2_147_483_646, h: i32::MAX, ..good }, "beyond all sizes"),
        (Cut { x: i32::MIN, y: i32::MAX, ..good }, "far away"),
        (Cut { turn: i32::MIN, ..good }, "turned beyond a turn"),
    ] {
        assert!(!cut_fits(&bad, 300, 400), "{why}");
    }
}

#[test]
fn a_cut_through_the_chin_cuts_the_head_off() {
    let (left, right) = eyes(500.0, 400.0, 100.0, 4.0);
    let (cut, cut_off) = portrait_cut(left, right, 1000, 1000);
    assert!(!cut_off && !cuts_head_off(&cut, left, right));
    assert!(cuts_head_off(&Cut { y: cut.y + 120, ..cut }, left, right), "the crown");
    assert!(cuts_head_off(&Cut { y: cut.y - 200, ..cut }, left, right), "the chin");
    assert!(cuts_head_off(&Cut { x: cut.x + 150, ..cut }, left, right), "an ear");
}

proptest! {
    #[test]
    fn every_automatic_cut_of_some_size_fits_and_is_judged_alike(
        width in 400..3000_u32, height in 400..3000_u32,
        x in 0.2..0.8_f32, y in 0.2..0.8_f32, distance in 0.05..0.2_f32, lean in -45.0..45.0_f32,
    ) {
        let (left, right) = eyes(x * width as f32, y * height as f32, distance * width as f32, lean);
        let (cut, cut_off) = portrait_cut(left, right, width, height);
        prop_assert!(cut.w < LEAST_WIDTH || cut_fits(&cut, width, height), "{:?}", cut);
        prop_assert_eq!(cut_off, cuts_head_off(&cut, left, right));
    }

    #[test]
    fn every_cut_lies_inside_its_picture(
        width in 32..5000_u32, height in 32..5000_u32,
        x in -0.5..1.5_f32, y in -0.5..1.5_f32, distance in 0.001..2.0_f32, lean in -180.0..180.0_f32,
    ) {
        let (left, right) = eyes(x * width as f32, y * height as f32, distance * width as f32, lean);
        let (cut, _) = portrait_cut(left, right, width, height);
        prop_assert!(lies_inside(&cut, width, height), "{:?}", cut);
        prop_assert_eq!(cut.w / 3 * 4, cut.h);
    }

    #[test]
    fn an_unflagged_cut_holds_both_eyes(
        width in 100..3000_u32, height in 100..3000_u32,
        x in 0.0..1.0_f32, y in 0.0..1.0_f32, distance in 0.01..0.5_f32, lean in -45.0..45.0_f32,
    ) {
        let (left, right) = eyes(x * width as f32, y * height as f32, distance * width as f32, lean);
        let (cut, cut_off) = portrait_cut(left, right, width, height);
        if !cut_off {
            let (sin, cos) = (f64::from(cut.turn) / 100.0).to_radians().sin_cos();
            for eye in [left, right] {
                let dx = f64::from(eye.x) - f64::from(cut.x) - f64::from(cut.w) / 2.0;
                let dy = f64::from(eye.y) - f64::from(cut.y) - f64::from(cut.h) / 2.0;
                prop_assert!((cos * dx + sin * dy).abs() <= f64::from(cut.w) / 2.0);
                prop_assert!((-sin * dx + cos * dy).abs() <= f64::from(cut.h) / 2.0);
            }
        }
    }

    #[test]
    fn any_integers_cut_something_and_crash_nothing(x: i32, y: i32, w in -5..300_i32, h in -5..300_i32, turn: i32) {
        let portrait = cut_portrait(&scene(64, 64), &Cut { x, y, w, h, turn });
        prop_assert!(portrait.width() <= 1080 && portrait.height() <= 1440);
    }
}
