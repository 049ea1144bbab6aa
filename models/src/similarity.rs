//! The similarity (turn, scale, shift) that maps one set of points to another with the least squared error (Umeyama).
//!
//! In the plane the best turn needs no SVD: with C the covariance of the two sets, turn and scale together are
//! `[[p, -q], [q, p]] / variance`, where p = C00 + C11 and q = C10 - C01. That equals dlib's `find_similarity_transform`,
//! its case of a mirrored set included.

/// A similarity: `(x, y) -> (a x - b y + shift.0, b x + a y + shift.1)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// Scale times the cosine of the turn.
    pub a: f64,
    /// Scale times the sine of the turn.
    pub b: f64,
    /// Where (0, 0) goes.
    pub shift: (f64, f64),
}

impl Similarity {
    /// The best similarity from the first to the second of each pair; all points in one place give scale 0.
    #[must_use]
    pub fn between<const N: usize>(from: &[(f64, f64); N], to: &[(f64, f64); N]) -> Self {
        let (from_mean, to_mean) = (mean(from), mean(to));
        let (mut variance, mut p, mut q) = (0.0, 0.0, 0.0);
        for (f, t) in from.iter().zip(to) {
            let (fx, fy) = (f.0 - from_mean.0, f.1 - from_mean.1);
            let (tx, ty) = (t.0 - to_mean.0, t.1 - to_mean.1);
            variance += fx * fx + fy * fy;
            p += tx * fx + ty * fy;
            q += ty * fx - tx * fy;
        }
        let (a, b) = if variance > 0.0 { (p / variance, q / variance) } else { (0.0, 0.0) };
        let shift = (to_mean.0 - (a * from_mean.0 - b * from_mean.1), to_mean.1 - (b * from_mean.0 + a * from_mean.1));
        Self { a, b, shift }
    }

    /// Where a point goes.
    #[must_use]
    pub fn map(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.a * x - self.b * y + self.shift.0, self.b * x + self.a * y + self.shift.1)
    }
}

fn mean<const N: usize>(points: &[(f64, f64); N]) -> (f64, f64) {
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
    (x / N as f64, y / N as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_similarity_is_found() {
        let from = [(0.0, 0.0), (10.0, 0.0), (0.0, 5.0), (7.0, 7.0)];
        let truth = Similarity { a: 1.5, b: -0.7, shift: (3.0, -20.0) };
        let found = Similarity::between(&from, &from.map(|p| truth.map(p)));
        for (got, want) in [(found.a, truth.a), (found.b, truth.b), (found.shift.0, 3.0), (found.shift.1, -20.0)] {
            assert!((got - want).abs() < 1e-12);
        }
    }

    #[test]
    fn mirrored_points_get_a_turn_and_no_mirror() {
        let from = [(0.0, 0.0), (2.0, 0.0), (0.0, 1.0)];
        let found = Similarity::between(&from, &from.map(|(x, y)| (x, -y)));
        // The best proper turn of a mirrored set still has a positive determinant.
        assert!(found.a.hypot(found.b) > 0.0 && found.a > 0.0);
    }
}
