//! The chart font: how wide a text is in it, and its letters as pixels.
//!
//! Nothing of the system is asked: two weights of Inter are built in (see `font/README.md`).

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, Point, ScaleFont};

/// The list that stands in the SVG, so that a viewer without Inter takes a near relative.
pub(crate) const FAMILY: &str = "Inter, Helvetica Neue, Arial, sans-serif";

/// Room left for viewers that have no Inter: its usual substitutes run wider, and in bold more so.
const SLACK: [f64; 2] = [1.07, 1.1];

static REGULAR: LazyLock<FontRef<'static>> = LazyLock::new(|| load(include_bytes!("font/Inter-Regular.ttf")));
static BOLD: LazyLock<FontRef<'static>> = LazyLock::new(|| load(include_bytes!("font/Inter-Bold.ttf")));

fn load(bytes: &'static [u8]) -> FontRef<'static> {
    FontRef::try_from_slice(bytes).expect("the built-in font is sound")
}

fn font(bold: bool) -> &'static FontRef<'static> {
    if bold { &BOLD } else { &REGULAR }
}

/// Advance of a text in em.
fn advance(text: &str, bold: bool) -> f64 {
    let font = font(bold);
    let per_em = f64::from(font.units_per_em().expect("the built-in font states its units"));
    text.chars().map(|c| f64::from(font.h_advance_unscaled(font.glyph_id(c))) / per_em).sum()
}

/// Width of one line of text in pixels, for letters of `size` pixels to the em.
pub(crate) fn width(text: &str, size: f64, bold: bool) -> f64 {
    advance(text, bold) * size * SLACK[usize::from(bold)]
}

/// Calls `pixel(x, y, cover)` for every pixel the letters touch, with positions relative to the start of the baseline
/// and the covered share of the pixel; `before` is the share of the text's width that lies before that start.
pub(crate) fn rasterise(
    text: &str,
    size: f64,
    bold: bool,
    before: f64,
    mut pixel: impl FnMut(i32, i32, f32),
) {
    let font = font(bold);
    let per_em = font.units_per_em().expect("the built-in font states its units");
    let scaled = font.as_scaled(size as f32 * font.height_unscaled() / per_em);
    let mut x = (-before * advance(text, bold) * size) as f32;
    for c in text.chars() {
        let mut glyph = scaled.scaled_glyph(c);
        glyph.position = Point { x, y: 0.0 };
        x += scaled.h_advance(glyph.id);
        let Some(outline) = font.outline_glyph(glyph) else { continue };
        let corner = outline.px_bounds().min;
        outline.draw(|dx, dy, cover| pixel(corner.x as i32 + dx as i32, corner.y as i32 + dy as i32, cover));
    }
}

/// Breaks a text into as few lines as the limit allows, and those as even as they can be.
pub(crate) fn wrap_evenly(text: &str, size: f64, bold: bool, limit: f64) -> Vec<String> {
    let mut lines = wrap(text, size, bold, limit);
    let mut limit = limit;
    loop {
        limit *= 0.96;
        let tighter = wrap(text, size, bold, limit);
        if tighter.len() > lines.len() || tighter.iter().any(|line| width(line, size, bold) > limit) {
            return lines;
        }
        lines = tighter;
    }
}

/// Breaks a text at spaces into lines no wider than `limit`; a single word wider than that keeps a line of its own.
pub(crate) fn wrap(text: &str, size: f64, bold: bool, limit: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size, bold) <= limit => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wider_text_measures_wider_and_bold_wider_still() {
        assert!(width("iii", 12.0, false) < width("mmm", 12.0, false));
        assert!(width("standby", 12.0, false) < width("standby", 12.0, true));
        assert!((width("standby", 24.0, false) / width("standby", 12.0, false) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn every_character_a_chart_uses_is_in_the_font() {
        for c in "⁻⁰¹²³⁴⁵⁶⁷⁸⁹±×≤≥→▽µ·–—…α∞".chars() {
            assert_ne!(font(false).glyph_id(c).0, 0, "{c}");
            assert_ne!(font(true).glyph_id(c).0, 0, "{c}");
        }
    }

    #[test]
    fn lines_stay_within_the_limit() {
        let lines = wrap_evenly("active-passive with fencing and a witness", 12.0, false, 110.0);
        assert!(lines.len() > 1);
        assert!(lines.iter().all(|line| width(line, 12.0, false) <= 110.0), "{lines:?}");
    }
}
