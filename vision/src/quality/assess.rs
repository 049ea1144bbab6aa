//! The measuring of one photo: which components, which limits.
//!
//! Limits are those of `docs/architecture.md` and the passport practice behind it; hard ones (fail) are only what really moves
//! recognition: a face, one face, its size, yaw and pitch, sharpness. Light and place only warn. The background is a component
//! for cosmetics and never a finding.

use super::light::{self, score};
use super::sharpness;
use super::{Finding, Level, Pose, Quality, QualityCode};
use crate::faces::protocol::Face;
use crate::geometry::{Point, sample_patch};
use crate::picture::Rgb;

/// Side of the patch on which sharpness and light are measured: the embedder's chip.
const PATCH: u32 = 150;
/// The eyes' distance and their centre's height in that patch (dlib's template with its padding).
const PATCH_EYES: f64 = 52.9;
const PATCH_EYES_Y: f64 = 46.6;
/// Sharpness (per cent) below which a face may be blurred, and below which it is. Measured: press photos with 100 to 125 px
/// between the eyes have 3 to 12; out of focus or smeared so that one sees it they have 0.4 to 1.2, badly 0.1 to 0.4.
const BLURRED_WARN: f64 = 1.0;
const BLURRED_FAIL: f64 = 0.4;

/// What the photo is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A photo to keep.
    Photo,
    /// A frame of 640 px that only guides the sitter; the shot itself is larger, so the eye distance may be smaller.
    Live,
}

/// What is judged.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The picture, upright.
    pub picture: &'a Rgb,
    /// Its faces, largest first.
    pub faces: &'a [Face],
    /// What [`crate::geometry::portrait_cut`] said about the main face.
    pub head_cut_off: bool,
    /// Photo or live frame.
    pub purpose: Purpose,
}

/// Measures a photo.
pub fn assess(subject: &Subject<'_>) -> Quality {
    let mut sheet = Sheet::default();
    let Some(face) = subject.faces.first() else {
        sheet.find(QualityCode::NoFace, Level::Fail, 0.0, 1.0);
        return sheet.finish();
    };
    single_face(&mut sheet, subject.faces);
    match Pose::of(&face.marks) {
        Some(pose) => {
            place_and_pose(&mut sheet, subject, face, &pose);
            surface(&mut sheet, subject.picture, face, &pose);
        }
        // Points that are no face: the picture waits for a person like one without a face.
        None => sheet.find(QualityCode::NoFace, Level::Fail, 0.0, 1.0),
    }
    if subject.head_cut_off {
        sheet.0.findings.push(Finding::head_cut_off());
    }
    sheet.finish()
}

fn single_face(sheet: &mut Sheet, faces: &[Face]) {
    let mut areas = faces.iter().map(|face| face.area.pixels());
    let (first, second) = (areas.next().unwrap_or(0).max(1), areas.next().unwrap_or(0));
    let share = (second as f64 / first as f64).min(1.0);
    sheet.component("single_face", score(100.0 * (1.0 - share)));
    if share > 0.3 {
        sheet.find(QualityCode::ManyFaces, Level::Fail, share, 0.3);
    }
}

fn place_and_pose(sheet: &mut Sheet, subject: &Subject<'_>, face: &Face, pose: &Pose) {
    let squared_cosine = |degrees: f64| score(100.0 * degrees.to_radians().cos().max(0.0).powi(2));
    sheet.component("pose_yaw", squared_cosine(pose.yaw_degrees()));
    sheet.component("pose_pitch", squared_cosine(pose.pitch_degrees()));
    sheet.component("pose_roll", squared_cosine(pose.roll_degrees));
    for (code, level, figure, limit) in pose.findings() {
        sheet.find(code, level, figure, limit);
    }
    let eye_distance = pose.eye_distance / pose.yaw_degrees().to_radians().cos().max(0.5);
    sheet.component("inter_eye_distance", score(100.0 * sigmoid(eye_distance, 70.0, 20.0)));
    let (fail, warn) = match subject.purpose {
        Purpose::Photo => (60.0, 90.0),
        Purpose::Live => (30.0, 45.0),
    };
    if eye_distance < fail {
        sheet.find(QualityCode::FaceTooSmall, Level::Fail, eye_distance, fail);
    } else if eye_distance < warn {
        sheet.find(QualityCode::FaceTooSmall, Level::Warn, eye_distance, warn);
    }

    let (width, height) = (f64::from(subject.picture.width()), f64::from(subject.picture.height()));
    let [left, right, ..] = face.marks;
    let eyes = left.middle(right);
    let (eyes_x, eyes_y) = (f64::from(eyes.x), f64::from(eyes.y));
    // Eyes to chin from eyes to mouth: five points have no chin.
    let head = 1.65 * pose.eyes_to_mouth * pose.eye_distance;
    sheet.component("head_size", score(200.0 * (1.0 - sigmoid((head / height - 0.45).abs(), 0.0, 0.05))));
    let margin = |x: f64, centre: f64| score(100.0 * sigmoid(x, centre, 0.1));
    sheet.component("margin_left", margin(f64::from(right.x) / pose.eye_distance, 0.9));
    sheet.component("margin_right", margin((width - f64::from(left.x)) / pose.eye_distance, 0.9));
    sheet.component("margin_above", margin(eyes_y / head, 1.4));
    sheet.component("margin_below", margin((height - eyes_y) / head, 1.8));
    let across = eyes_x / width;
    if across < 0.25 {
        sheet.find(QualityCode::OffCentre, Level::Warn, across, 0.25);
    } else if across > 0.75 {
        sheet.find(QualityCode::OffCentre, Level::Warn, across, 0.75);
    }
}

fn surface(sheet: &mut Sheet, picture: &Rgb, face: &Face, pose: &Pose) {
    let turn = (pose.roll_degrees * 100.0).round() as i32;
    let [left, right, ..] = face.marks;
    let eyes = left.middle(right);
    let side = pose.eye_distance / PATCH_EYES * f64::from(PATCH);
    // From the eyes' centre to the patch's centre, down the turned face.
    let down = side * (0.5 - PATCH_EYES_Y / f64::from(PATCH));
    let centre = step(eyes, turn, 0.0, down);
    let patch = sample_patch(picture, centre, side, turn, PATCH);
    let pixels: Vec<[u8; 3]> = patch.data().as_chunks::<3>().0.to_vec();
    let greys: Vec<f64> =
        pixels.iter().map(|[r, g, b]| 0.299 * f64::from(*r) + 0.587 * f64::from(*g) + 0.114 * f64::from(*b)).collect();
    let sharpness = sharpness::percent(&greys, PATCH as usize);
    sheet.component("sharpness", score(100.0 * sigmoid(sharpness.max(1e-3).ln(), BLURRED_WARN.ln(), 0.7)));
    if sharpness < BLURRED_FAIL {
        sheet.find(QualityCode::Blurred, Level::Fail, sharpness, BLURRED_FAIL);
    } else if sharpness < BLURRED_WARN {
        sheet.find(QualityCode::Blurred, Level::Warn, sharpness, BLURRED_WARN);
    }
    exposure(sheet, &in_ellipse(&pixels));

    // Squares of cheek under each eye, 0.3 eye distances wide, from halfway between eyes and mouth.
    let square = 0.3 * pose.eye_distance;
    let below = pose.eyes_to_mouth * pose.eye_distance / 2.0 + square / 2.0;
    let cheek = |eye: Point, inwards: f64| {
        let patch = sample_patch(picture, step(eye, turn, inwards * square / 2.0, below), square, turn, 32);
        patch.data().as_chunks::<3>().0.to_vec()
    };
    let (left, right) = (cheek(left, 1.0), cheek(right, -1.0));
    let overlap = light::overlap(&left, &right);
    sheet.component("illumination_uniformity", light::overlap_score(overlap));
    if overlap < UNEVEN_WARN {
        sheet.find(QualityCode::UnevenLight, Level::Warn, overlap, UNEVEN_WARN);
    }
    let skin: Vec<[u8; 3]> = left.into_iter().chain(right).collect();
    let colour = light::colour_distance(&skin);
    sheet.component("natural_colour", light::colour_score(colour));
    if colour > COLOUR_WARN {
        sheet.find(QualityCode::UnnaturalColour, Level::Warn, colour, COLOUR_WARN);
    }
    background(sheet, picture, centre, pose.eye_distance);
}

const UNEVEN_WARN: f64 = 0.05;
const COLOUR_WARN: f64 = 20.0;

fn exposure(sheet: &mut Sheet, pixels: &[[u8; 3]]) {
    let Some(light) = light::measure(pixels) else { return };
    for (name, score) in light.components() {
        sheet.component(name, score);
    }
    if light.mean_grey < 0.16 {
        sheet.find(QualityCode::TooDark, Level::Warn, light.mean_grey, 0.16);
    } else if light.mean_grey > 0.84 {
        sheet.find(QualityCode::TooBright, Level::Warn, light.mean_grey, 0.84);
    } else if light.bright_share > 0.25 {
        sheet.find(QualityCode::TooBright, Level::Warn, light.bright_share, 0.25);
    }
    if light.entropy < 5.0 {
        sheet.find(QualityCode::FlatLight, Level::Warn, light.entropy, 5.0);
    }
}

/// The pixels of a square patch inside the ellipse of the face.
fn in_ellipse(pixels: &[[u8; 3]]) -> Vec<[u8; 3]> {
    // Centre (0.49, 0.47) and radii (0.45, 0.60) of the unit template, which is the patch without a quarter of padding.
    let place = |share: f64| (share + 0.25) / 1.5 * f64::from(PATCH);
    let (cx, cy) = (place(0.49), place(0.47));
    let (rx, ry) = (0.45 / 1.5 * f64::from(PATCH), 0.60 / 1.5 * f64::from(PATCH));
    let inside = |at: usize| {
        let (x, y) = ((at % PATCH as usize) as f64 + 0.5, (at / PATCH as usize) as f64 + 0.5);
        ((x - cx) / rx).powi(2) + ((y - cy) / ry).powi(2) <= 1.0
    };
    pixels.iter().enumerate().filter(|(at, _)| inside(*at)).map(|(_, pixel)| *pixel).collect()
}

/// Mean gradient of the picture, scaled to 160 px, outside the head and the body below it.
fn background(sheet: &mut Sheet, picture: &Rgb, centre: Point, eye_distance: f64) {
    let shrunk = crate::picture::shrunk(picture, 160);
    let small = shrunk.as_ref().unwrap_or(picture);
    let scale = f64::from(small.width()) / f64::from(picture.width());
    let (cx, cy) = (f64::from(centre.x) * scale, f64::from(centre.y) * scale);
    let reach = 2.0 * eye_distance * scale;
    let grey =
        |x: u32, y: u32| small.pixel(x, y).map_or(0.0, |[r, g, b]| (f64::from(r) + f64::from(g) + f64::from(b)) / 3.0);
    let (mut sum, mut count) = (0.0, 0_u32);
    for y in 1..small.height().saturating_sub(1) {
        for x in 1..small.width().saturating_sub(1) {
            let (dx, dy) = (f64::from(x) - cx, f64::from(y) - cy);
            if dy > 0.0 || dx.hypot(dy) < reach {
                continue;
            }
            sum += (grey(x + 1, y) - grey(x - 1, y)).hypot(grey(x, y + 1) - grey(x, y - 1));
            count += 1;
        }
    }
    if count >= 50 {
        let mean = sum / f64::from(count);
        sheet.component("background_uniformity", score(190.0 * (1.0 - sigmoid(mean, 10.0, 100.0))));
    }
}

/// A point moved along a turned face: to its right and down it.
fn step(from: Point, turn: i32, right: f64, down: f64) -> Point {
    let (sin, cos) = (f64::from(turn) / 100.0).to_radians().sin_cos();
    Point {
        x: (f64::from(from.x) + cos * right - sin * down) as f32,
        y: (f64::from(from.y) + sin * right + cos * down) as f32,
    }
}

pub(super) fn sigmoid(x: f64, centre: f64, width: f64) -> f64 {
    1.0 / (1.0 + ((centre - x) / width).exp())
}

/// Components and findings as they are gathered.
#[derive(Default)]
struct Sheet(Quality);

impl Sheet {
    fn component(&mut self, name: &str, score: i32) {
        self.0.components.insert(name.to_owned(), score);
    }

    fn find(&mut self, code: QualityCode, level: Level, figure: f64, limit: f64) {
        let milli = |value: f64| (value * 1000.0).round() as i64;
        self.0.findings.push(Finding { code, level, figure_milli: milli(figure), limit_milli: milli(limit) });
    }

    fn finish(mut self) -> Quality {
        self.0.sort();
        self.0
    }
}
