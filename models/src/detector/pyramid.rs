//! Where the levels of the tiled pyramid lie in their canvas (dlib's `create_tiled_pyramid` with `pyramid_down<6>`).

/// Gap between levels, and margin around them.
const PADDING: i64 = 10;
const MARGIN: i64 = 11;
/// A level of fewer rows is not made.
const LEAST_ROWS: i64 = 5;

/// A level's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) w: i64,
    pub(super) h: i64,
}

/// The layout for one size of picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pyramid {
    pub(super) levels: Vec<Place>,
    /// Columns and rows.
    pub(super) canvas: (i64, i64),
}

impl Pyramid {
    /// The layout for a picture of at least one pixel.
    pub(super) fn of(width: i64, height: i64) -> Self {
        let sizes: Vec<(i64, i64)> = std::iter::successors(Some((width, height)), |(w, h)| {
            let next = (5 * w / 6, 5 * h / 6);
            (next.0 > 0 && next.1 >= LEAST_ROWS).then_some(next)
        })
        .collect();
        // The first column goes on until the next level fits beside the last one and half of the rest is placed.
        let total: i64 = sizes.iter().map(|(_, h)| h + PADDING).sum::<i64>() - 2 * PADDING;
        let (mut filled, mut last_width, mut in_first) = (0, 0, 0);
        for (w, h) in &sizes {
            if *w <= width - last_width - PADDING && 2 * (filled - height) >= total - height {
                break;
            }
            filled += h + PADDING;
            last_width = *w;
            in_first += 1;
        }
        let canvas = (width + 2 * MARGIN, filled - PADDING + 2 * MARGIN);

        let mut levels = Vec::with_capacity(sizes.len());
        let mut y = MARGIN;
        for (w, h) in sizes.iter().take(in_first) {
            levels.push(Place { x: MARGIN, y, w: *w, h: *h });
            y += h + PADDING;
        }
        // Then back upwards along the right side, until a level would touch the first one.
        y -= PADDING;
        for (w, h) in sizes.iter().skip(in_first) {
            let place = Place { x: MARGIN + width - w, y: y - h, w: *w, h: *h };
            if place.y < MARGIN + height {
                break;
            }
            levels.push(place);
            y -= h + PADDING;
        }
        Self { levels, canvas }
    }

    /// The corners (left, top, right, bottom) in the picture of a window around a place in the canvas.
    pub(super) fn to_picture(&self, x: i64, y: i64, half: f64) -> [f64; 4] {
        let (level, place) = self
            .levels
            .iter()
            .enumerate()
            .min_by_key(|(_, place)| place.distance(x, y))
            .expect("BUG: a pyramid has at least its picture");
        let up = |v: f64| (0..level).fold(v, |v, _| v * 1.2 + 0.3);
        let (x, y) = ((x - place.x) as f64, (y - place.y) as f64);
        [x - half, y - half, x + half, y + half].map(up)
    }
}

impl Place {
    /// Squared distance of a point, 0 inside.
    fn distance(&self, x: i64, y: i64) -> i64 {
        let away = |v: i64, from: i64, len: i64| (from - v).max(v - (from + len - 1)).max(0);
        away(x, self.x, self.w).pow(2) + away(y, self.y, self.h).pow(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canvases_are_dlibs() {
        for ((w, h), canvas, levels) in
            [((500, 332), (522, 1250), 22), ((640, 480), (662, 1782), 24), ((1920, 1080), (1942, 3937), 28)]
        {
            let pyramid = Pyramid::of(w, h);
            assert_eq!((pyramid.canvas, pyramid.levels.len()), (canvas, levels), "{w}x{h}");
        }
    }

    #[test]
    fn levels_lie_apart_inside_the_canvas() {
        for (w, h) in [(1, 1), (32, 800), (800, 32), (80, 80), (333, 800), (640, 360)] {
            let Pyramid { levels, canvas } = Pyramid::of(w, h);
            for (at, a) in levels.iter().enumerate() {
                assert!(
                    a.x >= MARGIN && a.y >= MARGIN && a.x + a.w <= canvas.0 - MARGIN && a.y + a.h <= canvas.1 - MARGIN
                );
                for b in &levels[at + 1..] {
                    assert!(a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y, "{w}x{h}");
                }
            }
        }
    }
}
