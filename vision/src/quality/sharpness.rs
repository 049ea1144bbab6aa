//! Sharpness of a face at a fixed scale: strength of the finest detail against the face's contrast.
//!
//! Measured on a 150 px patch, so that a large photo is not sharp by its size alone. The ratio of a second difference's variance
//! to the greys' variance does not depend on the light: halving the contrast halves both. The weaker direction counts, because
//! a moving head or hand smears along one and leaves the other as sharp as it was.

/// The ratio for a square of greys of that side, in per cent; zero for a flat one.
pub(super) fn percent(greys: &[f64], side: usize) -> f64 {
    let second = |three: [f64; 3]| three[0] - 2.0 * three[1] + three[2];
    let across: Vec<f64> = greys
        .chunks_exact(side)
        .flat_map(|row| row.array_windows::<3>().map(|three| second(*three)).collect::<Vec<_>>())
        .collect();
    let below = greys.iter().skip(side).zip(greys.iter().skip(2 * side));
    let down: Vec<f64> = greys.iter().zip(below).map(|(up, (here, down))| second([*up, *here, *down])).collect();
    let contrast = variance(greys);
    // Below one grey level squared there is no face to be sharp.
    if contrast < 1.0 { 0.0 } else { 100.0 * variance(&across).min(variance(&down)) / contrast }
}

fn variance(values: &[f64]) -> f64 {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count
}
