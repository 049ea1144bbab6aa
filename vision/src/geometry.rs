//! Where the portrait lies in the original, and cutting it out.
//!
//! The rule (`docs/architecture.md`, "The photo and its files"): 3:4, the eyes' centre at (0.50 W, 0.42 H), the eye distance
//! 0.25 W, turned level; a cut that would leave the picture is shifted, then shrunk, and if the head still does not fit it is
//! flagged `head_cut_off`. [`portrait_cut`] runs once, where the photo is taken; its integers travel, and [`cut_portrait`]
//! must give the same bytes everywhere, so the sampler uses no library trigonometry and no vector unit's own rounding.
//!
//! Invariant: the turned rectangle of a cut lies inside the picture (guarded by `every_cut_lies_inside_its_picture`).

mod sample;

use serde::{Deserialize, Serialize};

pub use self::sample::cut_portrait;
pub(crate) use self::sample::sample_patch;

/// Widest portrait; a larger cut is scaled down to it, a smaller one never enlarged.
pub const PORTRAIT_WIDTH: u32 = 1080;
/// Highest portrait.
pub const PORTRAIT_HEIGHT: u32 = 1440;

/// A place in a picture, in pixels; the centre of the first pixel is (0, 0).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

impl Point {
    /// The point halfway to another.
    pub fn middle(self, other: Self) -> Self {
        Self { x: f32::midpoint(self.x, other.x), y: f32::midpoint(self.y, other.y) }
    }

    /// The distance to another point, in pixels.
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// An upright rectangle; it may leave the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Area {
    /// Left column.
    pub x: i32,
    /// Top row.
    pub y: i32,
    /// Columns.
    pub w: i32,
    /// Rows.
    pub h: i32,
}

impl Area {
    /// Pixels covered; zero for an empty rectangle.
    pub fn pixels(self) -> i64 {
        i64::from(self.w.max(0)) * i64::from(self.h.max(0))
    }
}

/// The portrait's place: an integer rectangle of the original, turned about its centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Left column of the rectangle before the turn.
    pub x: i32,
    /// Top row of the rectangle before the turn.
    pub y: i32,
    /// Columns; always a multiple of 3.
    pub w: i32,
    /// Rows; always `w / 3 * 4`.
    pub h: i32,
    /// Clockwise turn about the centre, in hundredths of a degree: how far the head leans.
    pub turn: i32,
}

/// Narrowest cut that a person may choose.
pub const LEAST_WIDTH: i32 = 90;

/// Where the eyes' centre lies in the portrait, and how far apart the eyes are, as shares of its sides.
const EYES_Y: f64 = 0.42;
const EYE_DISTANCE: f64 = 0.25;
/// The head around the eyes' centre in eye distances: to each side, up to the crown, down to the chin.
const HEAD_SIDE: f64 = 1.0;
const HEAD_UP: f64 = 1.3;
const HEAD_DOWN: f64 = 1.8;

/// Finds the portrait for a pair of eyes (image-left first) in a picture of that size; the flag says that the head is cut off.
pub fn portrait_cut(left_eye: Point, right_eye: Point, width: u32, height: u32) -> (Cut, bool) {
    let [lx, ly, rx, ry] = [left_eye.x, left_eye.y, right_eye.x, right_eye.y].map(f64::from);
    let distance = (rx - lx).hypot(ry - ly);
    let sane = distance.is_finite() && distance >= 1.0 && lx.abs() < 1e6 && ly.abs() < 1e6;
    let (eyes, distance, turn) = if sane {
        let degrees = (ry - ly).atan2(rx - lx).to_degrees();
        (((lx + rx) / 2.0 + 0.5, (ly + ry) / 2.0 + 0.5), distance, (degrees * 100.0).round() as i32)
    } else {
        // Eyes that cannot be: the middle of the picture, flagged below because no head fits a picture-wide eye distance.
        ((f64::from(width) / 2.0, f64::from(height) / 2.0), f64::from(width.max(height)), 0)
    };
    let (sin, cos) = sample::sin_cos(turn);
    // From the eyes' centre to the cut's centre, along the turned head.
    let unit = |thirds: i32| {
        let (w, h) = (f64::from(thirds * 3), f64::from(thirds * 4));
        let down = (0.5 - EYES_Y) * h;
        (w, h, (eyes.0 - sin * down, eyes.1 + cos * down))
    };
    let wanted = (distance / EYE_DISTANCE / 3.0).round().clamp(1.0, 1e6) as i32;
    let mut thirds = wanted.min(largest_thirds(sin, cos, width, height));
    let cut = loop {
        let (w, h, centre) = unit(thirds);
        let reach_x = (w * cos.abs() + h * sin.abs()) / 2.0;
        let reach_y = (w * sin.abs() + h * cos.abs()) / 2.0;
        let x = place(centre.0, w, reach_x, width);
        let y = place(centre.1, h, reach_y, height);
        if let (Some(x), Some(y)) = (x, y) {
            break Cut { x, y, w: thirds * 3, h: thirds * 4, turn };
        }
        // Rounding to whole pixels left no room: one step smaller. The smallest cut is taken as it is.
        if thirds <= 1 {
            break Cut { x: 0, y: 0, w: 3, h: 4, turn: 0 };
        }
        thirds -= 1;
    };
    let whole = holds_head(&cut, eyes, distance, sin, cos);
    (cut, !(sane && whole))
}

/// Whether a cut chosen by a person may be made of a picture of that size: 3:4, at least [`LEAST_WIDTH`] wide, and its turned
/// rectangle inside the picture.
pub fn cut_fits(cut: &Cut, width: u32, height: u32) -> bool {
    let is_shaped = cut.w >= LEAST_WIDTH && cut.w % 3 == 0 && i64::from(cut.h) == i64::from(cut.w) / 3 * 4;
    if !is_shaped || cut.turn.unsigned_abs() > 18_000 {
        return false;
    }
    let (sin, cos) = sample::sin_cos(cut.turn);
    let (w, h) = (f64::from(cut.w), f64::from(cut.h));
    let (x, y) = (f64::from(cut.x) + w / 2.0, f64::from(cut.y) + h / 2.0);
    let reach_x = (w * cos.abs() + h * sin.abs()) / 2.0;
    let reach_y = (w * sin.abs() + h * cos.abs()) / 2.0;
    let inside =
        |centre: f64, reach: f64, side: u32| centre - reach >= -1e-6 && centre + reach <= f64::from(side) + 1e-6;
    inside(x, reach_x, width) && inside(y, reach_y, height)
}

/// Whether a cut leaves out a part of the head around a pair of eyes (image-left first): `head_cut_off` of a photo that a
/// person framed anew.
pub fn cuts_head_off(cut: &Cut, left_eye: Point, right_eye: Point) -> bool {
    let [lx, ly, rx, ry] = [left_eye.x, left_eye.y, right_eye.x, right_eye.y].map(f64::from);
    let (sin, cos) = sample::sin_cos(cut.turn);
    let eyes = ((lx + rx) / 2.0 + 0.5, (ly + ry) / 2.0 + 0.5);
    !holds_head(cut, eyes, (rx - lx).hypot(ry - ly), sin, cos)
}

/// The largest cut (in thirds of its width) whose turned rectangle fits the picture.
fn largest_thirds(sin: f64, cos: f64, width: u32, height: u32) -> i32 {
    let across = f64::from(width) / (3.0 * cos.abs() + 4.0 * sin.abs());
    let down = f64::from(height) / (3.0 * sin.abs() + 4.0 * cos.abs());
    (across.min(down).floor() as i32).max(1)
}

/// The whole number nearest to the wanted start of a side for which the turned rectangle stays inside; `None` if there is none.
fn place(centre: f64, side: f64, reach: f64, limit: u32) -> Option<i32> {
    let lowest = (reach - side / 2.0 - 1e-9).ceil();
    let highest = (f64::from(limit) - reach - side / 2.0 + 1e-9).floor();
    (lowest <= highest).then(|| (centre - side / 2.0).round().clamp(lowest, highest) as i32)
}

/// Whether the head's box around the eyes lies inside the cut; both are level in the turned frame.
fn holds_head(cut: &Cut, eyes: (f64, f64), distance: f64, sin: f64, cos: f64) -> bool {
    let (w, h) = (f64::from(cut.w), f64::from(cut.h));
    let (dx, dy) = (eyes.0 - f64::from(cut.x) - w / 2.0, eyes.1 - f64::from(cut.y) - h / 2.0);
    let (x, y) = (cos * dx + sin * dy + w / 2.0, -sin * dx + cos * dy + h / 2.0);
    x - HEAD_SIDE * distance >= 0.0
        && x + HEAD_SIDE * distance <= w
        && y - HEAD_UP * distance >= 0.0
        && y + HEAD_DOWN * distance <= h
}
