//! The contact sheet: what the pipeline saw in each photo, for a person to look at. The original with the face's box,
//! its five points and the portrait's turned rectangle, the portrait beside it, and the findings in words.

use std::fs;
use std::path::Path;

use ab_glyph::{Font, FontVec, PxScale, ScaleFont, point};
use anyhow::{Context, Result};
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

/// One photo of the sheet. Geometry is in pixels of the original.
#[derive(Clone)]
pub(super) struct Card {
    pub(super) title: String,
    pub(super) lines: Vec<(String, Tone)>,
    pub(super) original: Vec<u8>,
    pub(super) portrait: Option<Vec<u8>>,
    /// x, y, w, h.
    pub(super) face: Option<[f32; 4]>,
    pub(super) points: Vec<[f32; 2]>,
    /// x, y, w, h, turn in degrees about its centre.
    pub(super) crop: Option<[f32; 5]>,
}

/// How a line is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Good,
    Warn,
    Bad,
}

const WIDTH: u32 = 1560;
const MARGIN: u32 = 24;
const COLUMNS: u32 = 3;
const CARD_W: u32 = (WIDTH - MARGIN * (COLUMNS + 1)) / COLUMNS;
const PAD: u32 = 16;
const PICTURE_H: u32 = 288;
const PORTRAIT_W: u32 = 180;
const PORTRAIT_H: u32 = 240;
const LINE_H: u32 = 21;
const HEADER_H: u32 = 96;

const BACK: Rgb<u8> = Rgb([241, 245, 249]);
const CARD: Rgb<u8> = Rgb([255, 255, 255]);
const BORDER: Rgb<u8> = Rgb([203, 213, 225]);
const INK: Rgb<u8> = Rgb([15, 23, 42]);
const FAINT: Rgb<u8> = Rgb([71, 85, 105]);
const GREEN: Rgb<u8> = Rgb([21, 128, 61]);
const AMBER: Rgb<u8> = Rgb([245, 183, 0]);
const BROWN: Rgb<u8> = Rgb([146, 84, 0]);
const RED: Rgb<u8> = Rgb([185, 28, 28]);

struct Fonts {
    regular: FontVec,
    bold: FontVec,
}

/// Draws the sheet into a PNG.
///
/// # Errors
/// If a picture cannot be read, the fonts are missing, or the file cannot be written.
pub(super) fn draw(title: &str, subtitle: &str, cards: &[Card], to: &Path) -> Result<()> {
    let fonts = Fonts { regular: font("Regular")?, bold: font("SemiBold")? };
    let lines = cards.iter().map(|card| card.lines.len()).max().unwrap_or_default() as u32;
    let card_h = PAD * 3 + 28 + PICTURE_H + lines * LINE_H;
    let rows = (cards.len() as u32).div_ceil(COLUMNS);
    let mut sheet = RgbImage::from_pixel(WIDTH, HEADER_H + rows * (card_h + MARGIN), BACK);
    write(&mut sheet, &fonts.bold, 24.0, INK, MARGIN, 22, WIDTH - 2 * MARGIN, title);
    write(&mut sheet, &fonts.regular, 15.0, FAINT, MARGIN, 58, WIDTH - 2 * MARGIN, subtitle);
    for (number, card) in cards.iter().enumerate() {
        let (column, row) = (number as u32 % COLUMNS, number as u32 / COLUMNS);
        let (x, y) = (MARGIN + column * (CARD_W + MARGIN), HEADER_H + row * (card_h + MARGIN));
        fill(&mut sheet, x, y, CARD_W, card_h, BORDER);
        fill(&mut sheet, x + 1, y + 1, CARD_W - 2, card_h - 2, CARD);
        draw_card(&mut sheet, &fonts, card, x + PAD, y + PAD).with_context(|| card.title.clone())?;
    }
    sheet.save(to).with_context(|| format!("cannot write {}", to.display()))
}

fn draw_card(sheet: &mut RgbImage, fonts: &Fonts, card: &Card, x: u32, y: u32) -> Result<()> {
    let inner = CARD_W - 2 * PAD;
    write(sheet, &fonts.bold, 17.0, INK, x, y, inner, &card.title);
    let top = y + 28;
    let original = image::load_from_memory(&card.original)?.to_rgb8();
    let box_w = inner - PORTRAIT_W - PAD;
    let scale = (box_w as f32 / original.width() as f32).min(PICTURE_H as f32 / original.height() as f32);
    let size = |n: u32| ((n as f32 * scale) as u32).max(1);
    let mut small = imageops::resize(&original, size(original.width()), size(original.height()), FilterType::Triangle);
    if let Some([cx, cy, w, h, turn]) = card.crop {
        outline(&mut small, corners(cx, cy, w, h, turn), scale, AMBER);
    }
    if let Some([fx, fy, w, h]) = card.face {
        outline(&mut small, corners(fx, fy, w, h, 0.0), scale, GREEN);
    }
    for [px, py] in &card.points {
        dot(&mut small, px * scale, py * scale);
    }
    imageops::overlay(sheet, &small, i64::from(x + (box_w - small.width()) / 2), i64::from(top));
    if let Some(bytes) = &card.portrait {
        let portrait = image::load_from_memory(bytes)?.to_rgb8();
        let portrait = imageops::resize(&portrait, PORTRAIT_W, PORTRAIT_H, FilterType::CatmullRom);
        imageops::overlay(sheet, &portrait, i64::from(x + box_w + PAD), i64::from(top));
    }
    let mut line_y = top + PICTURE_H + PAD;
    for (text, tone) in &card.lines {
        let colour = match tone {
            Tone::Plain => FAINT,
            Tone::Good => GREEN,
            Tone::Warn => BROWN,
            Tone::Bad => RED,
        };
        write(sheet, &fonts.regular, 14.0, colour, x, line_y, inner, text);
        line_y += LINE_H;
    }
    Ok(())
}

fn font(weight: &str) -> Result<FontVec> {
    let path = format!("/usr/share/fonts/opentype/inter/Inter-{weight}.otf");
    let bytes = fs::read(&path).with_context(|| format!("{path} is missing; install fonts-inter"))?;
    FontVec::try_from_vec(bytes).with_context(|| format!("{path} is no font"))
}

/// Writes one line, cut with an ellipsis at `max` px.
#[allow(clippy::too_many_arguments, reason = "a drawing primitive: where, how, what")]
fn write(sheet: &mut RgbImage, font: &FontVec, px: f32, colour: Rgb<u8>, x: u32, y: u32, max: u32, text: &str) {
    let scaled = font.as_scaled(PxScale::from(px));
    let width = |text: &str| text.chars().map(|c| scaled.h_advance(scaled.glyph_id(c))).sum::<f32>();
    let mut kept: Vec<char> = text.chars().collect();
    let mut shown = text.to_owned();
    while width(&shown) > max as f32 && kept.pop().is_some() {
        shown = format!("{}…", kept.iter().collect::<String>().trim_end());
    }
    let mut caret = x as f32;
    for c in shown.chars() {
        let glyph = scaled.glyph_id(c).with_scale_and_position(px, point(caret, y as f32 + scaled.ascent()));
        caret += scaled.h_advance(glyph.id);
        if let Some(outline) = font.outline_glyph(glyph) {
            let bounds = outline.px_bounds();
            outline.draw(|gx, gy, cover| {
                let (px, py) = (bounds.min.x as i64 + i64::from(gx), bounds.min.y as i64 + i64::from(gy));
                blend(sheet, px, py, colour, cover);
            });
        }
    }
}

fn blend(sheet: &mut RgbImage, x: i64, y: i64, colour: Rgb<u8>, cover: f32) {
    let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
    if let Some(pixel) = sheet.get_pixel_mut_checked(x, y) {
        for (old, new) in pixel.0.iter_mut().zip(colour.0) {
            *old = (f32::from(*old) + (f32::from(new) - f32::from(*old)) * cover.clamp(0.0, 1.0)) as u8;
        }
    }
}

fn fill(sheet: &mut RgbImage, x: u32, y: u32, w: u32, h: u32, colour: Rgb<u8>) {
    for py in y..y + h {
        for px in x..x + w {
            blend(sheet, i64::from(px), i64::from(py), colour, 1.0);
        }
    }
}

/// The corners of a rectangle turned about its centre.
fn corners(x: f32, y: f32, w: f32, h: f32, turn_degrees: f32) -> [[f32; 2]; 4] {
    let (cx, cy) = (x + w / 2.0, y + h / 2.0);
    let (sin, cos) = turn_degrees.to_radians().sin_cos();
    [[-w, -h], [w, -h], [w, h], [-w, h]].map(|[dx, dy]| {
        let (dx, dy) = (dx / 2.0, dy / 2.0);
        [cx + dx * cos - dy * sin, cy + dx * sin + dy * cos]
    })
}

fn outline(picture: &mut RgbImage, corners: [[f32; 2]; 4], scale: f32, colour: Rgb<u8>) {
    let [a, b, c, d] = corners;
    for (from, to) in [(a, b), (b, c), (c, d), (d, a)] {
        line(picture, from.map(|v| v * scale), to.map(|v| v * scale), colour);
    }
}

fn line(picture: &mut RgbImage, [x0, y0]: [f32; 2], [x1, y1]: [f32; 2], colour: Rgb<u8>) {
    let steps = ((x1 - x0).abs().max((y1 - y0).abs()) as u32 * 2).max(1);
    for step in 0..=steps {
        let t = step as f32 / steps as f32;
        let (x, y) = (x0 + (x1 - x0) * t, y0 + (y1 - y0) * t);
        for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            blend(picture, x as i64 + dx, y as i64 + dy, colour, 0.9);
        }
    }
}

fn dot(picture: &mut RgbImage, x: f32, y: f32) {
    for dy in -3i64..=3 {
        for dx in -3i64..=3 {
            let far = ((dx * dx + dy * dy) as f32).sqrt();
            let (px, py) = (x.round() as i64 + dx, y.round() as i64 + dy);
            blend(picture, px, py, CARD, (3.4 - far).clamp(0.0, 1.0));
            blend(picture, px, py, RED, (2.4 - far).clamp(0.0, 1.0));
        }
    }
}
