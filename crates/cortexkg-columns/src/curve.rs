//! A generalised Hilbert curve: every cell of a rectangle once, each beside the one before.
//!
//! Source of the curve: D. Hilbert, "Über die stetige Abbildung einer Linie auf ein Flächenstück", Mathematische Annalen 38 (1891);
//! of rectangles of any size: J. Červený, "Gilbert: space-filling curve for rectangular domains of arbitrary size" (2018). On squares
//! whose side is a power of two it is Hilbert's curve, so that 4ᵏ columns that follow each other from a multiple of 4ᵏ on are a square.

/// A step or a stretch on the grid, along one of its axes.
#[derive(Clone, Copy)]
struct Stretch {
    x: i32,
    y: i32,
}

impl Stretch {
    fn len(self) -> i32 {
        (self.x + self.y).abs()
    }

    fn step(self) -> Self {
        Self { x: self.x.signum(), y: self.y.signum() }
    }

    /// Half of it, rounded down.
    fn half(self) -> Self {
        Self { x: self.x.div_euclid(2), y: self.y.div_euclid(2) }
    }

    fn plus(self, other: Self) -> Self {
        Self { x: self.x + other.x, y: self.y + other.y }
    }

    fn minus(self, other: Self) -> Self {
        self.plus(other.turned())
    }

    fn turned(self) -> Self {
        Self { x: -self.x, y: -self.y }
    }
}

/// Where the curve goes, from the left top corner on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Along {
    /// To the right.
    Across,
    /// To the bottom.
    Down,
}

impl Along {
    /// Along the longer side.
    pub(crate) fn longer(width: u32, height: u32) -> Self {
        if width >= height { Self::Across } else { Self::Down }
    }

    /// Along the other side.
    pub(crate) fn turned(self) -> Self {
        match self {
            Self::Across => Self::Down,
            Self::Down => Self::Across,
        }
    }
}

/// Visits every cell of a rectangle in the order of the curve along one of its sides.
pub(crate) fn walk(width: u16, height: u16, way: Along, visit: &mut impl FnMut(u16, u16)) {
    let (width, height) = (i32::from(width), i32::from(height));
    let (across, down) = (Stretch { x: width, y: 0 }, Stretch { x: 0, y: height });
    let (along, aside) = match way {
        Along::Across => (across, down),
        Along::Down => (down, across),
    };
    part(Stretch { x: 0, y: 0 }, along, aside, visit);
}

/// Walks the rectangle at `from` that `along` and `aside` span, and ends at the far end of `along`. Halves it each time, so it is as
/// deep as the logarithm of its longer side.
fn part(from: Stretch, along: Stretch, aside: Stretch, visit: &mut impl FnMut(u16, u16)) {
    let (w, h) = (along.len(), aside.len());
    let (dw, dh) = (along.step(), aside.step());
    if w == 1 || h == 1 {
        let (len, step) = if h == 1 { (w, dw) } else { (h, dh) };
        let mut at = from;
        for _ in 0..len {
            // Inside of a grid whose sides are 16-bit numbers.
            visit(at.x as u16, at.y as u16);
            at = at.plus(step);
        }
        return;
    }
    let (mut near, mut low) = (along.half(), aside.half());
    if 2 * w > 3 * h {
        // Long: two parts, one after the other; an even one first, so that it ends beside the next.
        if near.len() % 2 == 1 && w > 2 {
            near = near.plus(dw);
        }
        part(from, near, aside, visit);
        part(from.plus(near), along.minus(near), aside, visit);
    } else {
        // One up, a long one across, one down.
        if low.len() % 2 == 1 && h > 2 {
            low = low.plus(dh);
        }
        part(from, low, near, visit);
        part(from.plus(low), along, aside.minus(low), visit);
        let last = from.plus(along.minus(dw)).plus(low.minus(dh));
        part(last, low.turned(), along.minus(near).turned(), visit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(width: u16, height: u16) -> Vec<(u16, u16)> {
        let mut cells = Vec::new();
        let along = Along::longer(u32::from(width), u32::from(height));
        walk(width, height, along, &mut |x, y| cells.push((x, y)));
        cells
    }

    #[test]
    fn every_cell_is_visited_once_and_follows_a_neighbour() {
        for width in 1..=34 {
            for height in 1..=34 {
                let cells = cells(width, height);
                let mut sorted = cells.clone();
                sorted.sort_unstable();
                sorted.dedup();
                assert_eq!(
                    (cells.len(), sorted.len()),
                    (usize::from(width) * usize::from(height), cells.len())
                );
                let leaps: Vec<_> = cells
                    .windows(2)
                    .map(|pair| (pair[0].0.abs_diff(pair[1].0), pair[0].1.abs_diff(pair[1].1)))
                    .filter(|&(x, y)| x + y != 1)
                    .collect();
                // An odd rectangle may need one step across a corner; with an even longer side there is none.
                assert!(
                    leaps.len() <= 1 && leaps.iter().all(|&leap| leap == (1, 1)),
                    "{width}×{height}: {leaps:?}"
                );
                if width.max(height) % 2 == 0 {
                    assert!(leaps.is_empty(), "{width}×{height}");
                }
            }
        }
    }

    #[test]
    fn on_a_power_of_two_aligned_runs_are_squares() {
        for run in cells(32, 32).chunks(64) {
            let (left, top) =
                (run.iter().map(|c| c.0).min().unwrap(), run.iter().map(|c| c.1).min().unwrap());
            assert!(left % 8 == 0 && top % 8 == 0);
            assert!(run.iter().all(|&(x, y)| x < left + 8 && y < top + 8));
        }
    }
}
