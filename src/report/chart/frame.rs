//! What every chart has around its data: title, axes, notes.

use super::axis::{Axis, Ruler, Twin};
use super::palette::{self, AXIS, GREY, GRID, INK, Towards};
use crate::report::scene::{Anchor, Colour, Label, Scene};
use crate::report::text;

/// Width of every chart in CSS pixels: a column of a report, or a page of a paper at 96 dots per inch.
pub(super) const WIDTH: f64 = 860.0;
/// Free margin at the sides.
pub(super) const MARGIN: f64 = 20.0;
/// Letter sizes.
pub(super) const SMALL: f64 = 11.0;
pub(super) const NORMAL: f64 = 12.0;
const LARGE: f64 = 17.0;

/// Places lines of text; a shorthand that keeps the charts readable.
pub(super) struct Pen {
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) colour: Colour,
    pub(super) anchor: Anchor,
}

impl Pen {
    pub(super) fn new(size: f64, colour: Colour, anchor: Anchor) -> Self {
        Self { size, bold: false, colour, anchor }
    }

    pub(super) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    fn label(&self, x: f64, y: f64, text: &str, turned: bool) -> Label {
        let Self { size, bold, colour, anchor } = *self;
        Label { x, y, text: text.to_owned(), size, bold, colour, anchor, turned }
    }

    /// Writes a line with its baseline at `y`.
    pub(super) fn write(&self, scene: &mut Scene, x: f64, y: f64, text: &str) {
        scene.text(self.label(x, y, text, false));
    }

    /// Writes a line whose small letters are centred on `y`.
    pub(super) fn centred(&self, scene: &mut Scene, x: f64, y: f64, text: &str) {
        self.write(scene, x, y + 0.35 * self.size, text);
    }

    /// Writes a line that reads upwards.
    pub(super) fn upwards(&self, scene: &mut Scene, x: f64, y: f64, text: &str) {
        scene.text(self.label(x, y, text, true));
    }
}

/// Title and subtitle at the upper left; returns where they end.
pub(super) fn head(scene: &mut Scene, title: &str, subtitle: &str) -> f64 {
    let room = WIDTH - 2.0 * MARGIN;
    let mut y = 14.0;
    for line in text::wrap(title, LARGE, true, room) {
        y += 21.0;
        Pen::new(LARGE, INK, Anchor::Start).bold().write(scene, MARGIN, y, &line);
    }
    y += 4.0;
    for line in text::wrap(subtitle, NORMAL, false, room) {
        y += 16.0;
        Pen::new(NORMAL, GREY, Anchor::Start).write(scene, MARGIN, y, &line);
    }
    y + 8.0
}

/// One explanation below the chart, with the sign it explains.
pub(super) enum Note {
    Plain(String),
    Band(String),
    Below(String, Towards),
    Dashed(String),
}

/// Notes below the chart, side by side while they fit; returns where they end.
pub(super) fn notes(scene: &mut Scene, top: f64, notes: &[Note]) -> f64 {
    let pen = Pen::new(SMALL, GREY, Anchor::Start);
    let room = WIDTH - 2.0 * MARGIN;
    let (mut x, mut y) = (0.0, top + 12.0);
    let mut is_first = true;
    for note in notes {
        let (sign, words) = match note {
            Note::Plain(words) => (0.0, words),
            Note::Band(words) | Note::Dashed(words) => (28.0, words),
            Note::Below(words, _) => (18.0, words),
        };
        let width = sign + text::width(words, SMALL, false);
        if !is_first && x + width > room {
            (x, y) = (0.0, y + 17.0);
        }
        is_first = false;
        let (left, middle) = (MARGIN + x, y - 0.35 * SMALL);
        match note {
            Note::Plain(_) => {}
            Note::Band(_) => {
                let (a, b) = (left, left + 22.0);
                let corners =
                    vec![(a, middle - 5.5), (b, middle - 5.5), (b, middle + 5.5), (a, middle + 5.5)];
                scene.fill(corners, GREY, 0.25);
                scene.stroke(vec![(a, middle), (b, middle)], GREY, 2.0);
            }
            Note::Dashed(_) => scene.dashed(&[(left, middle), (left + 22.0, middle)], GREY, 1.6, 6.0, 4.0),
            Note::Below(_, Towards::Down) => {
                palette::bound_marker(scene, left + 6.0, middle - 4.0, GREY, Towards::Down)
            }
            Note::Below(_, Towards::Left) => {
                palette::bound_marker(scene, left + 10.0, middle, GREY, Towards::Left)
            }
        }
        for (index, line) in text::wrap(words, SMALL, false, room - sign).into_iter().enumerate() {
            if index > 0 {
                y += 15.0;
            }
            pen.write(scene, left + sign, y, &line);
        }
        x += width + 26.0;
    }
    if notes.is_empty() { top } else { y + 6.0 }
}

/// The area between the axes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plot {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

/// Room to the left of a plot for the vertical axis, its texts and those of its twin.
pub(super) fn room_left(ticks: &[(f64, String)], twin: Option<&[(f64, String)]>) -> f64 {
    let texts = widest(ticks) + 9.0 + 24.0;
    texts + twin.map_or(0.0, |ticks| widest(ticks) + 9.0 + 34.0)
}

fn widest(ticks: &[(f64, String)]) -> f64 {
    ticks.iter().map(|(_, text)| text::width(text, SMALL, false)).fold(0.0, libm::fmax)
}

/// Grid lines, ticks and label of the vertical axis, and its twin further left.
pub(super) fn vertical(scene: &mut Scene, plot: Plot, axis: &Axis, ruler: &Ruler, twin: Option<&Twin>) {
    let (ticks, minor) = ruler.ticks(&axis.ticks);
    for value in minor {
        scene.stroke(vec![(plot.left - 3.0, ruler.at(value)), (plot.left, ruler.at(value))], AXIS, 0.75);
    }
    for (value, words) in &ticks {
        let y = ruler.at(*value);
        scene.stroke(vec![(plot.left, y), (plot.right, y)], GRID, 1.0);
        scene.stroke(vec![(plot.left - 5.0, y), (plot.left, y)], AXIS, 1.0);
        Pen::new(SMALL, INK, Anchor::End).centred(scene, plot.left - 9.0, y, words);
    }
    scene.stroke(vec![(plot.left, plot.top), (plot.left, plot.bottom)], AXIS, 1.0);
    let middle = (plot.top + plot.bottom) / 2.0;
    let x = plot.left - 9.0 - widest(&ticks) - 12.0;
    Pen::new(NORMAL, INK, Anchor::Middle).upwards(scene, x, middle, &axis.label);
    let Some(twin) = twin else { return };
    let ticks = visible(twin, ruler);
    let line = x - 24.0;
    scene.stroke(vec![(line, plot.top), (line, plot.bottom)], AXIS, 1.0);
    for (value, words) in &ticks {
        let y = ruler.at(*value);
        scene.stroke(vec![(line - 5.0, y), (line, y)], AXIS, 1.0);
        Pen::new(SMALL, GREY, Anchor::End).centred(scene, line - 9.0, y, words);
    }
    let x = line - 9.0 - widest(&ticks) - 10.0;
    Pen::new(NORMAL, GREY, Anchor::Middle).upwards(scene, x, middle, &twin.label);
}

/// The ticks of a twin axis that lie within the range of the main one.
pub(super) fn visible(twin: &Twin, ruler: &Ruler) -> Vec<(f64, String)> {
    twin.ticks.iter().filter(|(value, _)| ruler.holds(*value)).cloned().collect()
}

/// Ticks and label of the horizontal axis; returns where they end.
pub(super) fn horizontal(scene: &mut Scene, plot: Plot, axis: &Axis, ruler: &Ruler) -> f64 {
    let (ticks, minor) = ruler.ticks(&axis.ticks);
    for value in minor {
        scene.stroke(vec![(ruler.at(value), plot.bottom), (ruler.at(value), plot.bottom + 3.0)], AXIS, 0.75);
    }
    for (value, words) in &ticks {
        let x = ruler.at(*value);
        scene.stroke(vec![(x, plot.bottom), (x, plot.bottom + 5.0)], AXIS, 1.0);
        Pen::new(SMALL, INK, Anchor::Middle).write(scene, x, plot.bottom + 18.0, words);
    }
    scene.stroke(vec![(plot.left, plot.bottom), (plot.right, plot.bottom)], AXIS, 1.0);
    let middle = (plot.left + plot.right) / 2.0;
    Pen::new(NORMAL, INK, Anchor::Middle).write(scene, middle, plot.bottom + 37.0, &axis.label);
    plot.bottom + 42.0
}

/// A second reading of the horizontal axis along the top of the plot.
pub(super) fn along_top(scene: &mut Scene, plot: Plot, ruler: &Ruler, twin: &Twin) {
    for (value, words) in visible(twin, ruler) {
        let x = ruler.at(value);
        scene.stroke(vec![(x, plot.top), (x, plot.top - 5.0)], AXIS, 1.0);
        Pen::new(SMALL, GREY, Anchor::Middle).write(scene, x, plot.top - 9.0, &words);
    }
    scene.stroke(vec![(plot.left, plot.top), (plot.right, plot.top)], AXIS, 1.0);
    let middle = (plot.left + plot.right) / 2.0;
    Pen::new(NORMAL, GREY, Anchor::Middle).write(scene, middle, plot.top - 26.0, &twin.label);
}

/// `95 %` from 0.95.
pub(super) fn percent(share: f64) -> String {
    let text = format!("{:.1}", share * 100.0);
    format!("{} %", text.strip_suffix(".0").unwrap_or(&text))
}
