//! A 64-bit hash of a picture's looks: near duplicates differ in few bits, whatever their size and JPEG quality.
//!
//! The picture is averaged to 32x32 greys (integers), transformed by a DCT, and the 8x8 lowest frequencies are compared with
//! their median. It finds the same shot sent twice; it says nothing about persons.

#![allow(clippy::indexing_slicing, reason = "fixed-size numeric kernel: every index is a loop bound of an array")]

use crate::picture::Rgb;

const SIDE: usize = 32;
const LOW: usize = 8;

/// The hash of a picture.
pub fn perceptual_hash(picture: &Rgb) -> u64 {
    let greys = averages(picture);
    let mut basis = [[0.0_f64; SIDE]; LOW];
    for (frequency, row) in basis.iter_mut().enumerate() {
        for (place, value) in row.iter_mut().enumerate() {
            let angle = std::f64::consts::PI / SIDE as f64 * (place as f64 + 0.5) * frequency as f64;
            *value = angle.cos();
        }
    }
    let mut coefficients = [0.0_f64; LOW * LOW];
    for (v, down) in basis.iter().enumerate() {
        for (u, across) in basis.iter().enumerate() {
            let mut sum = 0.0;
            for (y, weight) in down.iter().enumerate() {
                let row: f64 = across.iter().zip(&greys[y]).map(|(a, grey)| a * grey).sum();
                sum += weight * row;
            }
            coefficients[v * LOW + u] = sum;
        }
    }
    // The first coefficient is the brightness alone and says nothing about looks.
    let mut sorted = coefficients;
    sorted[0] = 0.0;
    coefficients[0] = 0.0;
    sorted.sort_by(f64::total_cmp);
    let median = f64::midpoint(sorted[31], sorted[32]);
    coefficients.iter().enumerate().fold(0, |hash, (bit, value)| hash | (u64::from(*value > median) << bit))
}

/// In how many bits two hashes differ: 0 is the same look, below 10 a near duplicate, about 32 unrelated.
pub fn hash_distance(a: u64, b: u64) -> u32 {
    (a ^ b).count_ones()
}

fn averages(picture: &Rgb) -> [[f64; SIDE]; SIDE] {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut sums = [[0_u64; SIDE]; SIDE];
    let mut counts = [[0_u64; SIDE]; SIDE];
    for (y, row) in picture.data().chunks_exact(width * 3).enumerate() {
        let cell_row = y * SIDE / height;
        for (x, pixel) in row.chunks_exact(3).enumerate() {
            let cell = x * SIDE / width;
            sums[cell_row][cell] += 299 * u64::from(pixel[0]) + 587 * u64::from(pixel[1]) + 114 * u64::from(pixel[2]);
            counts[cell_row][cell] += 1;
        }
    }
    // Sides are at least 32 pixels for decoded pictures; a smaller one leaves empty cells, which count as black.
    std::array::from_fn(|y| std::array::from_fn(|x| sums[y][x] as f64 / 1000.0 / counts[y][x].max(1) as f64))
}
