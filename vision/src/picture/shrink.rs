//! Scaling down by area: each output pixel is the mean of what it covers.
//!
//! Integers only, so that a picture shrinks to the same bytes everywhere. The crate `fast_image_resize` was measured first: its
//! filters are a little faster, but it compiles hundreds of variants into whoever calls it, a minute of every clean build for
//! a thumb and the rare picture beyond 4096 pixels; and area means are as good as any filter for scaling down.

use super::Rgb;

/// The picture scaled down to a longest side; `None` if it is no larger.
///
/// # Panics
/// Only on a bug: the rows are made for the size.
pub fn shrunk(picture: &Rgb, long_side: u32) -> Option<Rgb> {
    let long = picture.width().max(picture.height());
    let long_side = long_side.max(1);
    if long <= long_side {
        return None;
    }
    let scale = |side: u32| {
        let scaled = (u64::from(side) * u64::from(long_side) + u64::from(long) / 2) / u64::from(long);
        u32::try_from(scaled).unwrap_or(long_side).max(1)
    };
    let (width, height) = (scale(picture.width()), scale(picture.height()));
    let stride = picture.width() as usize * 3;
    let mut sums = vec![0_u32; stride];
    let mut data = Vec::with_capacity(width as usize * height as usize * 3);
    for row in 0..height {
        sums.fill(0);
        for (stored, weight) in covered(row, picture.height(), height) {
            let start = stored as usize * stride;
            for (sum, value) in sums.iter_mut().zip(picture.data().get(start..start + stride).unwrap_or_default()) {
                *sum += weight * u32::from(*value);
            }
        }
        // Weights of a row add up to the stored height; eight bits of fraction are kept for the second mean.
        for sum in &mut sums {
            *sum = (*sum * 256 + picture.height() / 2) / picture.height();
        }
        let (pixels, _) = sums.as_chunks::<3>();
        for column in 0..width {
            let mut mean = [0_u64; 3];
            for (stored, weight) in covered(column, picture.width(), width) {
                for (mean, value) in mean.iter_mut().zip(pixels.get(stored as usize).into_iter().flatten()) {
                    *mean += u64::from(weight) * u64::from(*value);
                }
            }
            let whole = u64::from(picture.width()) * 256;
            data.extend(mean.map(|sum| u8::try_from((sum + whole / 2) / whole).unwrap_or(255)));
        }
    }
    Some(Rgb::new(width, height, data).expect("BUG: one pixel was pushed per column and row"))
}

/// The stored lines that an output line covers, each with its share; the shares add up to `stored`.
///
/// Invariant: `stored * 255 * 256` fits u32, because no side is longer than 65,500.
fn covered(line: u32, stored: u32, output: u32) -> impl Iterator<Item = (u32, u32)> {
    let (stored, output) = (u64::from(stored), u64::from(output));
    let (start, end) = (u64::from(line) * stored, (u64::from(line) + 1) * stored);
    (start / output..end.div_ceil(output)).map(move |at| {
        let share = ((at + 1) * output).min(end) - (at * output).max(start);
        (at as u32, share as u32)
    })
}
