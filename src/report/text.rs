//! The chart font and how wide a text is in it.
//!
//! Nothing of the system is asked: two weights of Inter are built in (see `font/README.md`).

use std::sync::Once;

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

/// The list that stands in the SVG, so that a viewer without Inter takes a near relative.
pub(crate) const FAMILY: &str = "Inter, Helvetica Neue, Arial, sans-serif";

/// What the drawing library calls the size of a text, in em.
pub(crate) const HEIGHT: f64 = 1.24;

/// Room left for viewers that have no Inter: its usual substitutes run a little wider.
const SLACK: f64 = 1.03;

/// Makes the built-in font known to the drawing library; any number of calls does it once.
pub(crate) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let weights: [(FontStyle, &'static [u8]); 2] = [
            (FontStyle::Normal, include_bytes!("font/Inter-Regular.ttf")),
            (FontStyle::Bold, include_bytes!("font/Inter-Bold.ttf")),
        ];
        for (style, bytes) in weights {
            assert!(register_font(FAMILY, style, bytes).is_ok(), "the built-in font is damaged");
        }
    });
}

/// Width of one line of text in pixels, for letters of `size` pixels to the em.
pub(crate) fn width(text: &str, size: f64, bold: bool) -> f64 {
    register();
    let style = if bold { FontStyle::Bold } else { FontStyle::Normal };
    // Measured a thousand times larger because the answer is in whole pixels.
    let font = FontDesc::new(FontFamily::Name(FAMILY), 1000.0 * HEIGHT, style);
    let (width, _) = font.box_size(text).expect("the built-in font is registered");
    f64::from(width) / 1000.0 * size * SLACK
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
        let missing = width("\u{10FFFF}", 100.0, false);
        for c in "⁻⁰¹²³⁴⁵⁶⁷⁸⁹±×≤≥→▽µ·–—…α∞".chars() {
            assert!((width(&c.to_string(), 100.0, false) - missing).abs() > 1e-9 || missing == 0.0, "{c}");
        }
    }

    #[test]
    fn lines_stay_within_the_limit() {
        let lines = wrap("active-passive with fencing and a witness", 12.0, false, 110.0);
        assert!(lines.len() > 1);
        assert!(lines.iter().all(|line| width(line, 12.0, false) <= 110.0), "{lines:?}");
    }
}
