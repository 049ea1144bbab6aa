//! Light and colour of a face: exposure, range, uniformity, natural colour (formulas of ISO/IEC 29794-5 as OFIQ has them).

use super::assess::sigmoid;

/// Figures over the pixels of a face.
pub(super) struct Light {
    /// Mean of the greys as stored (gamma), 0 to 1.
    pub(super) mean_grey: f64,
    /// Mean of the linear luminance, 0 to 1.
    mean: f64,
    variance: f64,
    dark_share: f64,
    pub(super) bright_share: f64,
    /// Entropy of the luminance histogram in bits.
    pub(super) entropy: f64,
}

/// Measures pixels; `None` if there are none.
pub(super) fn measure(pixels: &[[u8; 3]]) -> Option<Light> {
    let count = pixels.len() as f64;
    if pixels.is_empty() {
        return None;
    }
    let histogram = histogram(pixels);
    let share = |range: std::ops::RangeInclusive<usize>| {
        histogram.iter().enumerate().filter(|(level, _)| range.contains(level)).map(|(_, n)| f64::from(*n)).sum::<f64>()
            / count
    };
    let moment = |power: i32| {
        let sum: f64 =
            histogram.iter().enumerate().map(|(level, n)| f64::from(*n) * (level as f64 / 255.0).powi(power)).sum();
        sum / count
    };
    let grey: f64 =
        pixels.iter().map(|[r, g, b]| 0.299 * f64::from(*r) + 0.587 * f64::from(*g) + 0.114 * f64::from(*b)).sum();
    let entropy = histogram.iter().filter(|n| **n > 0).map(|n| f64::from(*n) / count).map(|p| -p * p.log2()).sum();
    let mean = moment(1);
    Some(Light {
        mean_grey: grey / count / 255.0,
        mean,
        variance: (moment(2) - mean * mean).max(0.0),
        dark_share: share(0..=25),
        bright_share: share(247..=255),
        entropy,
    })
}

impl Light {
    /// Name and score of each component.
    pub(super) fn components(&self) -> [(&'static str, i32); 5] {
        let under = 120.0 * (0.832 - sigmoid(self.dark_share, 0.92, 0.05));
        let over = 1.0 / (self.bright_share + 0.01);
        let mean = 100.0 * sigmoid(self.mean, 0.2, 0.05) * (1.0 - sigmoid(self.mean, 0.8, 0.05));
        let v = 60.0 * self.variance;
        let variance = 100.0 * (std::f64::consts::PI * v / (v + 1.0)).sin();
        [
            ("under_exposure", score(under)),
            ("over_exposure", score(over)),
            ("dynamic_range", score(12.5 * self.entropy)),
            ("luminance_mean", score(mean)),
            ("luminance_variance", score(variance)),
        ]
    }
}

/// Overlap of two patches' luminance histograms, 0 to 1.
pub(super) fn overlap(left: &[[u8; 3]], right: &[[u8; 3]]) -> f64 {
    let shares = |pixels: &[[u8; 3]]| {
        // 32 bins: on cheeks of a few hundred pixels 256 bins compare noise.
        let mut bins = [0.0; 32];
        for (level, count) in histogram(pixels).iter().enumerate() {
            if let Some(bin) = bins.get_mut(level / 8) {
                *bin += f64::from(*count) / pixels.len().max(1) as f64;
            }
        }
        bins
    };
    shares(left).iter().zip(shares(right)).map(|(a, b)| a.min(b)).sum()
}

/// Score of an overlap.
pub(super) fn overlap_score(overlap: f64) -> i32 {
    score(100.0 * overlap.powf(0.3))
}

/// How far the mean colour of skin lies from natural tones (0 = natural; a grey picture is as far as it gets).
pub(super) fn colour_distance(pixels: &[[u8; 3]]) -> f64 {
    if pixels.iter().all(|[r, g, b]| r == g && g == b) {
        return GREY;
    }
    let count = pixels.len().max(1) as f64;
    let mean = pixels.iter().fold([0.0; 3], |sum, pixel| {
        let [r, g, b] = pixel.map(linear);
        let [x, y, z] = sum;
        [x + r / count, y + g / count, z + b / count]
    });
    let (a, b) = lab(mean);
    if a < 0.0 || b < 0.0 {
        return GREY;
    }
    (5.0 - a).max(a - 25.0).max(0.0).hypot((5.0 - b).max(b - 35.0).max(0.0))
}

/// The distance given to colours that no skin has.
const GREY: f64 = 100.0;

/// Score of a colour distance.
pub(super) fn colour_score(distance: f64) -> i32 {
    score(200.0 * (1.0 - sigmoid(distance, 0.0, 10.0)))
}

pub(super) fn score(value: f64) -> i32 {
    value.round().clamp(0.0, 100.0) as i32
}

fn histogram(pixels: &[[u8; 3]]) -> [u32; 256] {
    let mut histogram = [0; 256];
    for pixel in pixels {
        let [r, g, b] = pixel.map(linear);
        let level = (255.0 * (0.2126 * r + 0.7152 * g + 0.0722 * b) + 0.5).floor();
        if let Some(bin) = histogram.get_mut(level as usize) {
            *bin += 1;
        }
    }
    histogram
}

fn linear(value: u8) -> f64 {
    let x = f64::from(value) / 255.0;
    if x > 0.04045 { ((x + 0.055) / 1.055).powf(2.4) } else { x / 12.92 }
}

/// CIELAB a and b of linear sRGB, white point D50.
fn lab([r, g, b]: [f64; 3]) -> (f64, f64) {
    let x = (0.436_075 * r + 0.385_065 * g + 0.143_080 * b) / 0.964_22;
    let y = 0.222_505 * r + 0.716_879 * g + 0.060_617 * b;
    let z = (0.013_932 * r + 0.097_105 * g + 0.714_173 * b) / 0.825_21;
    let f = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
    (500.0 * (f(x) - f(y)), 200.0 * (f(y) - f(z)))
}
