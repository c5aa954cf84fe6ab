//! Shapes as pixels: filled polygons, strokes and letters with smooth edges, on a white canvas.
//!
//! A polygon is painted by the exact area that it covers of each pixel: every edge adds to a buffer how much further
//! right of it the shape lies, and a sum along each row turns that into coverage (Levien, font-rs, 2015). Only additions,
//! multiplications and divisions of floats are used, so a drawing has the same bytes on every machine.

use super::scene::Colour;

/// Pixels from the upper left, row by row, in red, green and blue.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
    cover: Vec<f32>,
}

impl Canvas {
    /// A white canvas.
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![255; width * height * 3], cover: Vec::new() }
    }

    /// The finished pixels.
    pub(super) fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// Paints one pixel with this share of ink; one outside the canvas is left out.
    pub(super) fn blend(&mut self, x: i32, y: i32, colour: Colour, share: f32) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if x >= self.width || y >= self.height {
            return;
        }
        let at = (y * self.width + x) * 3;
        for (pixel, ink) in self.pixels[at..at + 3].iter_mut().zip([colour.0, colour.1, colour.2]) {
            let mixed = f32::from(*pixel) + (f32::from(ink) - f32::from(*pixel)) * share;
            *pixel = (mixed + 0.5) as u8;
        }
    }

    /// Paints the inside of a polygon.
    pub(super) fn fill(&mut self, points: &[(f64, f64)], colour: Colour, alpha: f64) {
        let within = |value: f64, end: usize| value.clamp(0.0, end as f64);
        let bounds = |pick: fn(&(f64, f64)) -> f64, end: usize| {
            let values = || points.iter().map(pick).map(|value| within(value, end));
            let low = values().fold(end as f64, libm::fmin);
            let high = values().fold(0.0, libm::fmax);
            (libm::floor(low) as usize, libm::ceil(high) as usize)
        };
        let ((left, right), (top, bottom)) = (bounds(|p| p.0, self.width), bounds(|p| p.1, self.height));
        if left >= right || top >= bottom {
            return;
        }
        // One pixel more than the shape is wide: an edge on its right side adds there.
        let row = right - left + 2;
        self.cover.clear();
        self.cover.resize(row * (bottom - top), 0.0);
        let local = |(x, y): (f64, f64)| {
            let x = within(x, self.width) - left as f64;
            (x as f32, (within(y, self.height) - top as f64) as f32)
        };
        for (index, from) in points.iter().enumerate() {
            let to = points[(index + 1) % points.len()];
            edge(&mut self.cover, row, local(*from), local(to));
        }
        for y in top..bottom {
            let mut sum = 0.0;
            for x in left..right {
                sum += self.cover[(y - top) * row + x - left];
                let share = sum.abs().min(1.0) * alpha as f32;
                if share > 1.0 / 512.0 {
                    self.blend(x as i32, y as i32, colour, share);
                }
            }
        }
    }

    /// Draws a line through these points, `width` pixels wide. Upright and level stretches lie on whole pixels.
    pub(super) fn stroke(&mut self, points: &[(f64, f64)], colour: Colour, width: f64) {
        let width = libm::fmax(width, 1.0);
        for pair in points.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            let snapped = |middle: f64| {
                let low = libm::rint(middle - width / 2.0);
                (low, low + libm::rint(width))
            };
            let corners = if x0 == x1 {
                let (left, right) = snapped(x0);
                vec![(left, y0), (right, y0), (right, y1), (left, y1)]
            } else if y0 == y1 {
                let (top, bottom) = snapped(y0);
                vec![(x0, top), (x1, top), (x1, bottom), (x0, bottom)]
            } else {
                let length = libm::hypot(x1 - x0, y1 - y0);
                let (dx, dy) = ((y1 - y0) / length * width / 2.0, (x0 - x1) / length * width / 2.0);
                vec![(x0 + dx, y0 + dy), (x1 + dx, y1 + dy), (x1 - dx, y1 - dy), (x0 - dx, y0 - dy)]
            };
            self.fill(&corners, colour, 1.0);
        }
        for joint in points.iter().skip(1).take(points.len().saturating_sub(2)) {
            let around = (0..12).map(|step| {
                let angle = std::f64::consts::TAU * f64::from(step) / 12.0;
                let radius = width / 2.0;
                (joint.0 + radius * libm::cos(angle), joint.1 + radius * libm::sin(angle))
            });
            self.fill(&around.collect::<Vec<_>>(), colour, 1.0);
        }
    }
}

/// Adds one edge of a polygon to the buffer of rows that are `row` cells long.
fn edge(cover: &mut [f32], row: usize, from: (f32, f32), to: (f32, f32)) {
    if from.1 == to.1 {
        return;
    }
    let (sign, (x0, y0), (x1, y1)) = if from.1 < to.1 { (1.0, from, to) } else { (-1.0, to, from) };
    let slope = (x1 - x0) / (y1 - y0);
    let mut x = x0;
    let rows = cover.len() / row;
    for (y, cells) in cover.chunks_mut(row).enumerate().take(rows).skip(y0 as usize) {
        let (above, below) = (y as f32, y as f32 + 1.0);
        if above >= y1 {
            break;
        }
        let height = below.min(y1) - above.max(y0);
        let next = x + slope * height;
        let amount = sign * height;
        let (left, right) = if x < next { (x, next) } else { (next, x) };
        let first = left as usize;
        let last = (right.ceil() as usize).max(first + 1);
        if last == first + 1 {
            // Within one column: the part to the right of its middle in this cell, the rest in the next.
            let beyond = (left + right) / 2.0 - first as f32;
            cells[first] += amount * (1.0 - beyond);
            cells[first + 1] += amount * beyond;
        } else {
            // Across several columns: the area grows quadratically in the first and last, evenly in between.
            let per_column = 1.0 / (right - left);
            let start = 1.0 - (left - first as f32);
            let end = right - (last - 1) as f32;
            let first_area = 0.5 * per_column * start * start;
            cells[first] += amount * first_area;
            if last == first + 2 {
                cells[first + 1] += amount * (1.0 - first_area - 0.5 * per_column * end * end);
            } else {
                let second = per_column * (start + 0.5);
                cells[first + 1] += amount * (second - first_area);
                for cell in &mut cells[first + 2..last - 1] {
                    *cell += amount * per_column;
                }
                let before_last = second + (last - first - 3) as f32 * per_column;
                cells[last - 1] += amount * (1.0 - before_last - 0.5 * per_column * end * end);
            }
            cells[last] += amount * 0.5 * per_column * end * end;
        }
        x = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLACK: Colour = Colour(0, 0, 0);

    /// Ink on the canvas in pixels.
    fn ink(canvas: &Canvas) -> f64 {
        canvas.pixels.iter().step_by(3).map(|&value| 1.0 - f64::from(value) / 255.0).sum()
    }

    fn check(points: &[(f64, f64)], area: f64) {
        let mut canvas = Canvas::new(40, 30);
        canvas.fill(points, BLACK, 1.0);
        // Each touched pixel is rounded to one of 255 greys.
        assert!((ink(&canvas) - area).abs() < 0.15, "{} instead of {area}: {points:?}", ink(&canvas));
    }

    #[test]
    fn the_ink_of_a_polygon_is_its_area() {
        check(&[(3.0, 4.0), (13.0, 4.0), (13.0, 9.0), (3.0, 9.0)], 50.0);
        check(&[(3.25, 4.5), (13.5, 4.5), (13.5, 9.25), (3.25, 9.25)], 10.25 * 4.75);
        check(&[(2.0, 2.0), (32.0, 2.0), (2.0, 22.0)], 300.0);
        check(&[(32.0, 2.0), (2.0, 22.0), (2.0, 2.0)], 300.0);
        check(&[(1.3, 7.1), (38.2, 7.4), (20.9, 8.05)], 0.5 * ((38.2 - 1.3) * 0.95 - (20.9 - 1.3) * 0.3));
    }

    #[test]
    fn what_lies_outside_the_canvas_is_left_out() {
        check(&[(-10.0, -10.0), (5.0, -10.0), (5.0, 5.0), (-10.0, 5.0)], 25.0);
        check(&[(30.0, 20.0), (90.0, 20.0), (90.0, 90.0), (30.0, 90.0)], 100.0);
        check(&[(50.0, 0.0), (60.0, 0.0), (60.0, 9.0)], 0.0);
    }

    #[test]
    fn a_level_line_is_sharp() {
        let mut canvas = Canvas::new(20, 10);
        canvas.stroke(&[(2.0, 5.3), (12.0, 5.3)], BLACK, 2.0);
        assert!(canvas.pixels.iter().all(|&value| value == 0 || value == 255));
        assert!((ink(&canvas) - 20.0).abs() < 1e-9);
    }

    #[test]
    fn half_a_share_of_ink_is_grey() {
        let mut canvas = Canvas::new(4, 4);
        canvas.fill(&[(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)], BLACK, 0.5);
        assert!(canvas.pixels.iter().all(|value| (127..=128).contains(value)), "{:?}", canvas.pixels);
    }
}
