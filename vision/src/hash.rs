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
    let edges: [usize; SIDE + 1] = std::array::from_fn(|cell| cell * width / SIDE * 3);
    let mut sums = [[0_u64; SIDE]; SIDE];
    let mut rows = [0_u64; SIDE];
    for (y, row) in picture.data().chunks_exact(width * 3).enumerate() {
        let cell_row = y * SIDE / height;
        rows[cell_row] += 1;
        for (cell, sum) in sums[cell_row].iter_mut().enumerate() {
            let pixels = row[edges[cell]..edges[cell + 1]].as_chunks::<3>().0;
            let grey = |[r, g, b]: &[u8; 3]| 299 * u32::from(*r) + 587 * u32::from(*g) + 114 * u32::from(*b);
            *sum += pixels.iter().map(|pixel| u64::from(grey(pixel))).sum::<u64>();
        }
    }
    // Sides are at least 32 pixels for decoded pictures; a smaller one leaves empty cells, which count as black.
    let pixels = |x: usize, y: usize| rows[y] * (edges[x + 1] - edges[x]) as u64 / 3;
    std::array::from_fn(|y| std::array::from_fn(|x| sums[y][x] as f64 / 1000.0 / pixels(x, y).max(1) as f64))
}
