//! A finished drawing as plain shapes, and its two renderings: SVG text and PNG bytes.
//!
//! Charts lay themselves out into a [`Scene`] in CSS pixels with the origin at the upper left; what becomes of it is
//! decided here alone, so the drawing library could change without any chart noticing. Bytes are the same on every
//! machine: positions come from our own portable maths, and SVG rounds them to whole pixels of a finer canvas.

use std::io::Write as _;

use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color as _, FontDesc, FontFamily, FontStyle, FontTransform, RGBAColor, RGBColor, ShapeStyle, TextStyle,
};

use super::raster::Canvas;
use super::text;

/// A colour without transparency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour(pub(crate) u8, pub(crate) u8, pub(crate) u8);

/// Which end of a text stands at its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    /// The share of the text that lies before its position.
    fn before(self) -> f64 {
        match self {
            Self::Start => 0.0,
            Self::Middle => 0.5,
            Self::End => 1.0,
        }
    }
}

/// One line of text; `y` is its baseline. Turned text reads upwards, and `x` is its baseline then.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) text: String,
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) colour: Colour,
    pub(crate) anchor: Anchor,
    pub(crate) turned: bool,
}

/// Upper left and lower right corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Box2 {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Box2 {
    #[cfg(test)]
    pub(crate) fn overlaps(&self, other: &Box2) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}

impl Label {
    /// The box around the letters, from the top of the capitals to the bottom of the descenders.
    #[cfg(test)]
    pub(crate) fn bounds(&self) -> Box2 {
        let width = text::width(&self.text, self.size, self.bold);
        let before = self.anchor.before() * width;
        let (up, down) = (0.75 * self.size, 0.22 * self.size);
        if self.turned {
            let bottom = self.y + before;
            Box2 { left: self.x - up, top: bottom - width, right: self.x + down, bottom }
        } else {
            let left = self.x - before;
            Box2 { left, top: self.y - up, right: left + width, bottom: self.y + down }
        }
    }
}

#[derive(Debug, Clone)]
enum Shape {
    Stroke { points: Vec<(f64, f64)>, colour: Colour, width: f64 },
    Fill { points: Vec<(f64, f64)>, colour: Colour, alpha: f64 },
    Text(Label),
}

/// Shapes in the order they are painted.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    width: f64,
    height: f64,
    title: String,
    shapes: Vec<Shape>,
}

/// The SVG canvas is this many times finer than its nominal size: the drawing library knows whole pixels only.
const SVG_SCALE: f64 = 4.0;
/// Pixels of a PNG per CSS pixel.
const PNG_SCALE: f64 = 2.0;

impl Scene {
    pub(crate) fn new(width: f64, height: f64, title: &str) -> Self {
        Self { width, height, title: title.to_owned(), shapes: Vec::new() }
    }

    /// Makes the drawing as high as its contents turned out to need.
    pub(crate) fn set_height(&mut self, height: f64) {
        self.height = height;
    }

    pub(crate) fn stroke(&mut self, points: Vec<(f64, f64)>, colour: Colour, width: f64) {
        if points.len() > 1 {
            self.shapes.push(Shape::Stroke { points, colour, width });
        }
    }

    /// A line of dashes, cut here because not every renderer can dash.
    pub(crate) fn dashed(&mut self, points: &[(f64, f64)], colour: Colour, width: f64, dash: f64, gap: f64) {
        let (mut on, mut left, mut piece) = (true, dash, Vec::new());
        for pair in points.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            let length = libm::hypot(x1 - x0, y1 - y0);
            let at = |done: f64| (x0 + (x1 - x0) * done / length, y0 + (y1 - y0) * done / length);
            if on && piece.is_empty() {
                piece.push((x0, y0));
            }
            let mut done = 0.0;
            while length - done > left {
                done += left;
                if on {
                    piece.push(at(done));
                    self.stroke(std::mem::take(&mut piece), colour, width);
                } else {
                    piece = vec![at(done)];
                }
                on = !on;
                left = if on { dash } else { gap };
            }
            left -= length - done;
            if on {
                piece.push((x1, y1));
            }
        }
        self.stroke(piece, colour, width);
    }

    pub(crate) fn fill(&mut self, points: Vec<(f64, f64)>, colour: Colour, alpha: f64) {
        if points.len() > 2 {
            self.shapes.push(Shape::Fill { points, colour, alpha });
        }
    }

    pub(crate) fn rect(&mut self, area: Box2, colour: Colour) {
        let Box2 { left, top, right, bottom } = area;
        self.fill(vec![(left, top), (right, top), (right, bottom), (left, bottom)], colour, 1.0);
    }

    pub(crate) fn text(&mut self, label: Label) {
        self.shapes.push(Shape::Text(label));
    }

    /// Every text in the drawing with the box it takes.
    #[cfg(test)]
    pub(crate) fn labels(&self) -> Vec<(&Label, Box2)> {
        self.shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Text(label) => Some((label, label.bounds())),
                _ => None,
            })
            .collect()
    }

    #[cfg(test)]
    pub(crate) fn size(&self) -> (f64, f64) {
        (self.width, self.height)
    }

    /// The drawing as an SVG document.
    pub(crate) fn svg(&self) -> String {
        let size = ((self.width * SVG_SCALE) as u32, (self.height * SVG_SCALE) as u32);
        let mut document = String::new();
        {
            let mut backend = SVGBackend::with_string(&mut document, size);
            self.paint(&mut backend);
        }
        let (_, rest) = document.split_once('\n').expect("the document opens with its tag");
        let title = self.title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        format!(
            "<svg width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\">\n\
             <title>{title}</title>\n{rest}",
            self.width, self.height, size.0, size.1
        )
    }

    /// The drawing as a PNG image of twice its nominal size.
    pub(crate) fn png(&self) -> Vec<u8> {
        let (width, height) = ((self.width * PNG_SCALE) as usize, (self.height * PNG_SCALE) as usize);
        let mut canvas = Canvas::new(width, height);
        let scaled = |points: &[(f64, f64)]| -> Vec<_> {
            points.iter().map(|(x, y)| (x * PNG_SCALE, y * PNG_SCALE)).collect()
        };
        for shape in &self.shapes {
            match shape {
                Shape::Stroke { points, colour, width } => {
                    canvas.stroke(&scaled(points), *colour, width * PNG_SCALE);
                }
                Shape::Fill { points, colour, alpha } => canvas.fill(&scaled(points), *colour, *alpha),
                Shape::Text(label) => write_text(&mut canvas, label),
            }
        }
        encode(&canvas.into_pixels(), width as u32, height as u32)
    }

    fn paint(&self, backend: &mut SVGBackend<'_>) {
        let corner = whole((self.width, self.height));
        must(backend.draw_rect((0, 0), corner, &style(Colour(255, 255, 255), 1.0, 0), true));
        for shape in &self.shapes {
            match shape {
                Shape::Stroke { points, colour, width } => {
                    let width = libm::fmax(1.0, libm::rint(width * SVG_SCALE)) as u32;
                    let points = points.iter().map(|point| whole(*point));
                    must(backend.draw_path(points, &style(*colour, 1.0, width)));
                }
                Shape::Fill { points, colour, alpha } => {
                    let points = points.iter().map(|point| whole(*point));
                    must(backend.fill_polygon(points, &style(*colour, *alpha, 0)));
                }
                Shape::Text(label) => {
                    // The backend puts the baseline of a text 0.76 em below its position.
                    let up = 0.76 * label.size;
                    let (x, y) = if label.turned { (label.x - up, label.y) } else { (label.x, label.y - up) };
                    must(backend.draw_text(&label.text, &text_style(label), whole((x, y))));
                }
            }
        }
        must(backend.present());
    }
}

fn write_text(canvas: &mut Canvas, label: &Label) {
    let (x, y) = (libm::rint(label.x * PNG_SCALE) as i32, libm::rint(label.y * PNG_SCALE) as i32);
    let (size, before) = (label.size * PNG_SCALE, label.anchor.before());
    text::rasterise(&label.text, size, label.bold, before, |dx, dy, cover| {
        let (x, y) = if label.turned { (x + dy, y - dx) } else { (x + dx, y + dy) };
        canvas.blend(x, y, label.colour, cover.min(1.0));
    });
}

/// Drawing in memory has nothing to fail at.
fn must<E: std::fmt::Display>(done: Result<(), E>) {
    if let Err(error) = done {
        panic!("drawing in memory failed: {error}");
    }
}

/// The nearest whole pixel of the finer canvas of an SVG.
fn whole((x, y): (f64, f64)) -> (i32, i32) {
    (libm::rint(x * SVG_SCALE) as i32, libm::rint(y * SVG_SCALE) as i32)
}

fn style(colour: Colour, alpha: f64, width: u32) -> ShapeStyle {
    ShapeStyle { color: RGBAColor(colour.0, colour.1, colour.2, alpha), filled: true, stroke_width: width }
}

fn text_style(label: &Label) -> TextStyle<'static> {
    let weight = if label.bold { FontStyle::Bold } else { FontStyle::Normal };
    // The backend divides the size by 1.24 before it writes it down.
    let mut font = FontDesc::new(FontFamily::Name(text::FAMILY), label.size * SVG_SCALE * 1.24, weight);
    if label.turned {
        font = font.transform(FontTransform::Rotate270);
    }
    let h_pos = match label.anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    let Colour(r, g, b) = label.colour;
    let color = RGBColor(r, g, b).to_backend_color();
    TextStyle { color, pos: Pos::new(h_pos, VPos::Top), ..TextStyle::from(font) }
}

fn encode(pixels: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    // 2 × 96 dots per inch, in dots per metre: shown at its nominal size where the viewer asks.
    encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: 7559, yppu: 7559, unit: png::Unit::Meter }));
    let mut writer = encoder.write_header().expect("a header in memory cannot fail");
    writer.write_image_data(pixels).expect("an image in memory cannot fail");
    writer.finish().expect("an image in memory cannot fail");
    bytes.flush().expect("memory cannot fail");
    bytes
}
