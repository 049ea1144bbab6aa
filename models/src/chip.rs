//! The aligned face: dlib's 150 px chip, byte for byte (`get_face_chip_details`, `extract_image_chip`).
//!
//! Descriptors depend on these very pixels, so nothing here may be "improved": the truncations, the pyramid's borders and
//! the black outside are dlib's. Part of the aligner's id [`ALIGNER_ID`]; another chip is another id.
#![allow(
    clippy::indexing_slicing,
    reason = "a numeric kernel: every index is bounded by the loop or the check beside it"
)]

use parkdesk_vision::geometry::Point;
use parkdesk_vision::picture::Rgb;

use crate::embedder::CHIP_SIDE;
use crate::similarity::Similarity;

/// Names the way from a picture to a chip; templates of different ids are never compared.
pub const ALIGNER_ID: &str = "mmod+dlib5+chip150-v1";

const SIDE: f64 = CHIP_SIDE as f64;
const PADDING: f64 = 0.25;
/// dlib's mean face in the unit square, in the order of its five points.
const TEMPLATE: [(f64, f64); 5] = [
    (0.859_567_459_599_2, 0.213_498_153_801_4),
    (0.646_060_476_410_4, 0.228_967_438_767_7),
    (0.120_575_062_078_9, 0.213_727_452_684_8),
    (0.334_085_061_371_2, 0.229_064_240_324_2),
    (0.490_112_313_567_9, 0.627_797_531_647_5),
];

/// Where a chip lies: an upright rectangle (inclusive corners) turned about its centre.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    rect: Rect,
    angle: f64,
}

/// Left, top, right, bottom; the corners belong to it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Rect {
    l: f64,
    t: f64,
    r: f64,
    b: f64,
}

impl Place {
    /// The place for dlib's five points.
    #[must_use]
    pub fn of(points: &[Point; 5]) -> Self {
        let chip = TEMPLATE
            .map(|(x, y)| ((PADDING + x) / (2.0 * PADDING + 1.0) * SIDE, (PADDING + y) / (2.0 * PADDING + 1.0) * SIDE));
        let to_image = Similarity::between(&chip, &points.map(|p| (f64::from(p.x), f64::from(p.y))));
        let (cx, cy) = to_image.map((SIDE / 2.0, SIDE / 2.0));
        let half = (SIDE * to_image.a.hypot(to_image.b) - 1.0) / 2.0;
        let rect = Rect { l: cx - half, t: cy - half, r: cx + half, b: cy + half };
        Self { rect, angle: to_image.b.atan2(to_image.a) }
    }
}

/// Cuts the chip out; what lies outside the picture is black.
#[must_use]
pub fn extract(picture: &Rgb, place: &Place) -> Rgb {
    let whole = Plane { width: picture.width() as usize, height: picture.height() as usize, data: picture.data() };
    let (mut depth, mut grow) = (0, 2.0);
    let mut rect = place.rect.down();
    while rect.area() > SIDE * SIDE {
        rect = rect.down();
        depth += 1;
        grow = grow * 2.0 + 2.0;
    }
    let Some(bounds) = bounding_box(place, grow, &whole) else { return black() };
    let mut rect = place.rect.shifted(-(bounds.x as f64), -(bounds.y as f64));
    let mut level = whole.sub_image(&bounds);
    for _ in 0..depth {
        let Some(smaller) = half(&level) else { return black() };
        level = smaller;
        rect = rect.down();
    }
    sample(&level, &rect, place.angle)
}

/// A borrowed picture.
struct Plane<'a> {
    width: usize,
    height: usize,
    data: &'a [u8],
}

/// A part of a picture, copied.
struct Patch {
    width: usize,
    height: usize,
    data: Vec<u8>,
}

struct Bounds {
    x: usize,
    y: usize,
    w: usize,
    h: usize,
}

impl Rect {
    fn down(self) -> Self {
        Self { l: self.l / 2.0 - 1.25, t: self.t / 2.0 - 0.75, r: self.r / 2.0 - 1.25, b: self.b / 2.0 - 0.75 }
    }

    fn area(self) -> f64 {
        if self.r < self.l || self.b < self.t { 0.0 } else { (self.r - self.l + 1.0) * (self.b - self.t + 1.0) }
    }

    fn shifted(self, x: f64, y: f64) -> Self {
        Self { l: self.l + x, t: self.t + y, r: self.r + x, b: self.b + y }
    }

    /// The corners tl, tr, bl, br turned about the centre.
    fn corners(self, angle: f64) -> [(f64, f64); 4] {
        let (cx, cy) = ((self.l + self.r) / 2.0, (self.t + self.b) / 2.0);
        let (sin, cos) = angle.sin_cos();
        [(self.l, self.t), (self.r, self.t), (self.l, self.b), (self.r, self.b)].map(|(x, y)| {
            let (dx, dy) = (x - cx, y - cy);
            (cx + cos * dx - sin * dy, cy + sin * dx + cos * dy)
        })
    }
}

/// The part of the picture that the chip can need; `None` if they do not meet.
fn bounding_box(place: &Place, grow: f64, image: &Plane<'_>) -> Option<Bounds> {
    let corners = place.rect.corners(place.angle);
    let bound = |pick: fn(&(f64, f64)) -> f64, sign: f64| {
        corners.iter().map(|corner| pick(corner) * sign).fold(f64::INFINITY, f64::min) * sign
    };
    let (columns, rows) = (image.width as f64 - 1.0, image.height as f64 - 1.0);
    let l = (bound(|c| c.0, 1.0) - grow).max(0.0);
    let t = (bound(|c| c.1, 1.0) - grow).max(0.0);
    let r = (bound(|c| c.0, -1.0) + grow).min(columns);
    let b = (bound(|c| c.1, -1.0) + grow).min(rows);
    // The negation also catches points that are no numbers.
    if !(l <= r && t <= b) {
        return None;
    }
    let round = |v: f64| (v + 0.5).floor() as usize;
    Some(Bounds { x: round(l), y: round(t), w: round(r) - round(l) + 1, h: round(b) - round(t) + 1 })
}

impl Plane<'_> {
    fn sub_image(&self, bounds: &Bounds) -> Patch {
        let mut data = Vec::with_capacity(bounds.w * bounds.h * 3);
        for row in self.data.chunks_exact(self.width * 3).skip(bounds.y).take(bounds.h) {
            data.extend_from_slice(&row[bounds.x * 3..(bounds.x + bounds.w) * 3]);
        }
        Patch { width: bounds.w, height: bounds.h, data }
    }
}

/// One level down: 5x5 binomial, every second pixel, sums divided and truncated. dlib gives up below 9 pixels a side.
fn half(patch: &Patch) -> Option<Patch> {
    if patch.width <= 8 || patch.height <= 8 {
        return None;
    }
    let (width, height) = ((patch.width - 3) / 2, (patch.height - 3) / 2);
    let mut rows = vec![0_u32; patch.height * width * 3];
    for y in 0..patch.height {
        let source = &patch.data[y * patch.width * 3..(y + 1) * patch.width * 3];
        for x in 0..width {
            for c in 0..3 {
                let v = |k: usize| u32::from(source[(2 * x + k) * 3 + c]);
                rows[(y * width + x) * 3 + c] = v(0) + 4 * v(1) + 6 * v(2) + 4 * v(3) + v(4);
            }
        }
    }
    let stride = width * 3;
    let mut data = Vec::with_capacity(height * stride);
    for y in 0..height {
        for at in 0..stride {
            let v = |k: usize| rows[(2 * y + k) * stride + at];
            data.push(((v(0) + 4 * v(1) + 6 * v(2) + 4 * v(3) + v(4)) / 256) as u8);
        }
    }
    Some(Patch { width, height, data })
}

/// Bilinear, truncated; black where a neighbour is missing.
fn sample(patch: &Patch, rect: &Rect, angle: f64) -> Rgb {
    let [tl, tr, bl, _] = rect.corners(angle);
    let last = SIDE - 1.0;
    let across = ((tr.0 - tl.0) / last, (tr.1 - tl.1) / last);
    let down = ((bl.0 - tl.0) / last, (bl.1 - tl.1) / last);
    let mut data = Vec::with_capacity((CHIP_SIDE * CHIP_SIDE * 3) as usize);
    for row in 0..CHIP_SIDE {
        for column in 0..CHIP_SIDE {
            let (c, r) = (f64::from(column), f64::from(row));
            let (x, y) = (tl.0 + c * across.0 + r * down.0, tl.1 + c * across.1 + r * down.1);
            data.extend(bilinear(patch, x, y));
        }
    }
    Rgb::new(CHIP_SIDE, CHIP_SIDE, data).expect("BUG: one chip of pixels was made")
}

fn bilinear(patch: &Patch, x: f64, y: f64) -> [u8; 3] {
    let (left, top) = (x.floor(), y.floor());
    if !(left >= 0.0 && top >= 0.0 && left + 1.0 < patch.width as f64 && top + 1.0 < patch.height as f64) {
        return [0; 3];
    }
    let (fx, fy) = (x - left, y - top);
    let at = (top as usize * patch.width + left as usize) * 3;
    let below = at + patch.width * 3;
    std::array::from_fn(|c| {
        let v = |at: usize| f64::from(patch.data[at + c]);
        ((1.0 - fy) * ((1.0 - fx) * v(at) + fx * v(at + 3)) + fy * ((1.0 - fx) * v(below) + fx * v(below + 3))) as u8
    })
}

fn black() -> Rgb {
    Rgb::new(CHIP_SIDE, CHIP_SIDE, vec![0; (CHIP_SIDE * CHIP_SIDE * 3) as usize])
        .expect("BUG: one chip of pixels was made")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_chip_is_dlibs() {
        let points = [(220.0, 150.0), (190.0, 152.0), (120.0, 160.0), (150.0, 159.0), (172.0, 205.0)];
        let Place { rect, angle } = Place::of(&points.map(|(x, y)| Point { x, y }));
        let want = [76.087_023_1, 92.922_468_3, 272.020_429_5, 288.855_874_7];
        for (got, want) in [rect.l, rect.t, rect.r, rect.b].into_iter().zip(want) {
            assert!((got - want).abs() < 1e-6, "{got} {want}");
        }
        assert!((angle + 0.091_067_239_098).abs() < 1e-9);
    }

    #[test]
    fn points_in_one_place_or_far_outside_give_a_chip_and_no_panic() {
        let picture = Rgb::new(64, 48, vec![200; 64 * 48 * 3]).unwrap();
        for point in [(10.0, 10.0), (-1e9, 1e9), (f32::NAN, 0.0)] {
            let place = Place::of(&[Point { x: point.0, y: point.1 }; 5]);
            assert_eq!(extract(&picture, &place).data().len(), 67_500);
        }
        let huge = [(1e7, 0.0), (5e6, 0.0), (-1e7, 0.0), (-5e6, 0.0), (0.0, 2e7)].map(|(x, y)| Point { x, y });
        assert_eq!(extract(&picture, &Place::of(&huge)).width(), CHIP_SIDE);
    }
}
