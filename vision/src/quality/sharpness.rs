//! Sharpness of a face at a fixed scale: strength of the finest detail against the face's contrast.
//!
//! Measured on a 150 px patch, so that a large photo is not sharp by its size alone. The ratio of the Laplacian's variance to
//! the greys' variance does not depend on the light: halving the contrast halves both.

/// The ratio for a square of greys of that side; zero for a flat one.
pub(super) fn ratio(greys: &[f64], side: usize) -> f64 {
    let mut laplacian = Vec::with_capacity(greys.len());
    for row in greys.chunks_exact(side).collect::<Vec<_>>().windows(3) {
        let [above, here, below] = row else { continue };
        for ((up, row), down) in above.windows(3).zip(here.windows(3)).zip(below.windows(3)) {
            if let ([_, up, _], [left, centre, right], [_, down, _]) = (up, row, down) {
                laplacian.push(up + down + left + right - 4.0 * centre);
            }
        }
    }
    let contrast = variance(greys);
    // Below one grey level squared there is no face to be sharp.
    if contrast < 1.0 { 0.0 } else { variance(&laplacian) / contrast }
}

fn variance(values: &[f64]) -> f64 {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count
}
