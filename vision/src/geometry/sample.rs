//! Cutting a turned rectangle out of a picture, with the same bytes on every machine.
//!
//! Only additions, multiplications, divisions and roundings of f64 are used, which IEEE 754 fixes to the bit; sine and cosine
//! come from a series of our own, because each platform's library rounds them its own way. A cut larger than the portrait is
//! averaged over a grid of samples per output pixel, in integers, so that scaling down does not depend on a resizer either.

use super::{Cut, PORTRAIT_HEIGHT, PORTRAIT_WIDTH, Point};
use crate::picture::Rgb;

/// Weights of the bilinear sampler are in 256ths.
const ONE: i64 = 256;

/// Cuts the portrait out of the original: turned level, at most 1080x1440, never enlarged.
///
/// A cut from elsewhere is not trusted: what lies outside the picture repeats its edge, and sides are bounded, so that any
/// integers give some picture and none gives a crash.
pub fn cut_portrait(original: &Rgb, cut: &Cut) -> Rgb {
    let w = cut.w.clamp(1, 1 << 13).unsigned_abs();
    let h = cut.h.clamp(1, 1 << 13).unsigned_abs();
    let centre = (f64::from(cut.x) + f64::from(w) / 2.0, f64::from(cut.y) + f64::from(h) / 2.0);
    sample(original, centre, (f64::from(w), f64::from(h)), cut.turn, output_size(w, h))
}

/// A square around a point (in pixel centres), turned level and brought to a fixed size, for measuring.
pub(crate) fn sample_patch(original: &Rgb, centre: Point, side: f64, turn: i32, size: u32) -> Rgb {
    let side = if side.is_finite() { side.clamp(1.0, 16_384.0) } else { 1.0 };
    let centre = (f64::from(centre.x) + 0.5, f64::from(centre.y) + 0.5);
    sample(original, centre, (side, side), turn, (size, size))
}

/// Samples a turned rectangle around a centre into a picture of that size.
fn sample(original: &Rgb, centre: (f64, f64), (w, h): (f64, f64), turn: i32, (width, height): (u32, u32)) -> Rgb {
    // Samples per output pixel and axis: enough that no stored pixel is skipped.
    let grid = (w / f64::from(width)).max(h / f64::from(height)).ceil().max(1.0) as u32;
    let (sin, cos) = sin_cos(turn);
    let step_x = w / f64::from(width * grid);
    let step_y = h / f64::from(height * grid);
    let mut data = Vec::with_capacity(width as usize * height as usize * 3);
    let whole = i64::from(grid * grid) * ONE * ONE;
    for row in 0..height {
        for column in 0..width {
            let mut sum = [0_i64; 3];
            for sub_row in 0..grid {
                let dy = (f64::from(row * grid + sub_row) + 0.5) * step_y - h / 2.0;
                for sub_column in 0..grid {
                    let dx = (f64::from(column * grid + sub_column) + 0.5) * step_x - w / 2.0;
                    let x = centre.0 + (cos * dx - sin * dy) - 0.5;
                    let y = centre.1 + (sin * dx + cos * dy) - 0.5;
                    add_sample(&mut sum, original, x, y);
                }
            }
            data.extend(sum.map(|channel| u8::try_from((channel + whole / 2) / whole).unwrap_or(255)));
        }
    }
    Rgb::new(width, height, data).expect("BUG: one pixel was pushed per column and row")
}

/// The portrait's size for a cut's: as it is, or scaled down into 1080x1440 with the ratio kept.
fn output_size(w: u32, h: u32) -> (u32, u32) {
    if w <= PORTRAIT_WIDTH && h <= PORTRAIT_HEIGHT {
        return (w, h);
    }
    if w * PORTRAIT_HEIGHT >= h * PORTRAIT_WIDTH {
        (PORTRAIT_WIDTH, (h * PORTRAIT_WIDTH / w).max(1))
    } else {
        ((w * PORTRAIT_HEIGHT / h).max(1), PORTRAIT_HEIGHT)
    }
}

/// Adds one bilinear sample, weighted in 65536ths.
fn add_sample(sum: &mut [i64; 3], picture: &Rgb, x: f64, y: f64) {
    let (column, right) = split(x, picture.width());
    let (row, below) = split(y, picture.height());
    let next_column = (column + 1).min(picture.width() as usize - 1);
    let next_row = (row + 1).min(picture.height() as usize - 1);
    let stride = picture.width() as usize * 3;
    let corners = [
        (row * stride + column * 3, (ONE - right) * (ONE - below)),
        (row * stride + next_column * 3, right * (ONE - below)),
        (next_row * stride + column * 3, (ONE - right) * below),
        (next_row * stride + next_column * 3, right * below),
    ];
    for (at, weight) in corners {
        if let Some(pixel) = picture.data().get(at..at + 3) {
            for (sum, value) in sum.iter_mut().zip(pixel) {
                *sum += weight * i64::from(*value);
            }
        }
    }
}

/// The pixel at or before a coordinate and the share of the next one, kept inside the picture.
fn split(at: f64, side: u32) -> (usize, i64) {
    let at = at.clamp(0.0, f64::from(side - 1));
    let floor = at.floor();
    let share = ((at - floor) * ONE as f64).round() as i64;
    (floor as usize, share)
}

/// Sine and cosine of a turn in hundredths of a degree, equal to the last bit on every machine.
pub(super) fn sin_cos(centidegrees: i32) -> (f64, f64) {
    // To the nearest quarter turn, so that the series runs over at most 45 degrees.
    let turn = centidegrees.rem_euclid(36_000);
    let quarter = (turn + 4_500) / 9_000;
    let x = f64::from(turn - quarter * 9_000) * (std::f64::consts::PI / 18_000.0);
    let (mut sin, mut cos) = (0.0, 0.0);
    let mut term = 1.0;
    // The terms of e^(ix): even powers belong to the cosine, odd ones to the sine. 18 are beyond the last bit.
    for power in 0..18_i32 {
        match power % 4 {
            0 => cos += term,
            1 => sin += term,
            2 => cos -= term,
            _ => sin -= term,
        }
        term *= x / f64::from(power + 1);
    }
    debug_assert!((sin * sin + cos * cos - 1.0).abs() < 1e-12);
    match quarter % 4 {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}
