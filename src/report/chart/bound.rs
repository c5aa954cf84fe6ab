//! Measured values beside the limits that were derived for them.

use super::axis::{Axis, Ruler};
use super::frame::{self, MARGIN, NORMAL, Note, Pen, Plot, SMALL, WIDTH};
use super::palette::{self, AXIS, GREY, GRID, INK, Towards};
use super::{Point, csv_text, field};
use crate::report::scene::{Anchor, Scene};
use crate::report::text;

/// Which summary of a distribution a mark stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    /// Mean over incidents.
    Mean,
    /// The value that 95 % of incidents stay below.
    P95,
    /// The largest value seen.
    Max,
}

/// One measured value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    /// What it is.
    pub kind: MarkKind,
    /// Its value and interval; `x` is not used.
    pub value: Point,
}

/// The limit a policy states for itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// Never more than this.
    Limit {
        /// In the units of the axis.
        value: f64,
        /// The limit as text, such as `6s`.
        text: String,
        /// The faults it holds for.
        class: String,
    },
    /// There is no limit.
    Unbounded {
        /// What it grows with.
        grows_with: String,
    },
}

/// One policy.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BoundRow {
    /// Rows of one group stand together under its name; empty for no heading.
    pub group: String,
    /// The policy.
    pub name: String,
    /// Its colour.
    pub slot: usize,
    /// What was measured.
    pub marks: Vec<Mark>,
    /// What was derived.
    pub bound: Option<Bound>,
}

/// One row per policy: mean, 95th percentile and largest value seen, and the bound as a dashed line.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundChart {
    /// States the finding.
    pub title: String,
    /// Number of runs, interval, seed.
    pub subtitle: String,
    /// The measure.
    pub value: Axis,
    /// From top to bottom.
    pub rows: Vec<BoundRow>,
    /// Confidence of all intervals and bounds shown.
    pub confidence: f64,
    /// Further lines of explanation below the chart.
    pub notes: Vec<String>,
}

const ROW: f64 = 36.0;
const HEADING: f64 = 28.0;
const NAME_LIMIT: f64 = 150.0;
const WORDS_LIMIT: f64 = 200.0;

impl BoundChart {
    /// A chart without rows yet, with intervals of 95 %.
    pub fn new(title: &str, subtitle: &str, value: Axis) -> Self {
        let (title, subtitle) = (title.to_owned(), subtitle.to_owned());
        Self { title, subtitle, value, rows: Vec::new(), confidence: 0.95, notes: Vec::new() }
    }

    /// The data behind the chart: `group,name,mark,value,low,high,note`; the mark `bound` has an empty value where
    /// there is no limit, and its note says for which faults it holds or what it grows with.
    pub(super) fn to_csv(&self) -> String {
        let rows = self.rows.iter().flat_map(|row| {
            let line = move |mark: &str, value, low, high, note: &str| {
                let (group, name) = (row.group.clone(), row.name.clone());
                vec![group, name, mark.to_owned(), field(value), field(low), field(high), note.to_owned()]
            };
            let marks = row.marks.iter().map(move |mark| {
                let note = if mark.value.zero { "none seen: upper bound" } else { "" };
                line(mark.kind.name(), mark.value.y, mark.value.low, mark.value.high, note)
            });
            let bound = row.bound.iter().map(move |bound| match bound {
                Bound::Limit { value, class, .. } => line("bound", Some(*value), None, None, class),
                Bound::Unbounded { grows_with } => {
                    line("bound", None, None, None, &format!("grows with {grows_with}"))
                }
            });
            marks.chain(bound)
        });
        csv_text(&["group", "name", "mark", "value", "low", "high", "note"], rows)
    }

    fn extent(&self) -> Vec<f64> {
        let points = || self.rows.iter().flat_map(|row| &row.marks).map(|mark| mark.value);
        let estimates: Vec<f64> = points().filter_map(|p| p.y).filter(|y| self.value.shows(*y)).collect();
        let least = estimates.iter().copied().fold(f64::INFINITY, libm::fmin) / 10.0;
        let lows = points().filter_map(|p| p.low).filter(|low| *low > least);
        let bounds = self.rows.iter().filter_map(|row| match &row.bound {
            Some(Bound::Limit { value, .. }) => Some(*value),
            _ => None,
        });
        let highs = points().filter_map(|p| p.high);
        estimates
            .iter()
            .copied()
            .chain(lows)
            .chain(highs)
            .chain(bounds)
            .filter(|v| self.value.shows(*v))
            .collect()
    }

    pub(super) fn scene(&self) -> Scene {
        let mut scene = Scene::new(WIDTH, 560.0, &self.title);
        let head = frame::head(&mut scene, &self.title, &self.subtitle);
        let top = self.key(&mut scene, head + 8.0);
        let names: Vec<Vec<String>> =
            self.rows.iter().map(|row| text::wrap_evenly(&row.name, NORMAL, true, NAME_LIMIT)).collect();
        let names_width =
            names.iter().flatten().map(|line| text::width(line, NORMAL, true)).fold(0.0, libm::fmax);
        let words: Vec<Vec<(String, bool)>> = self.rows.iter().map(BoundRow::words).collect();
        let lines = words.iter().flatten();
        let words_width = lines.map(|(line, bold)| text::width(line, SMALL, *bold)).fold(0.0, libm::fmax);
        let left = MARGIN + names_width + 14.0;
        let right = WIDTH - MARGIN - words_width - 18.0;
        let ruler = Ruler::fit(self.value.scale, self.extent(), 0.05)
            .reaching_ticks(&self.value.ticks)
            .between(left, right);
        let mut y = top + 4.0;
        let mut heights = Vec::new();
        let mut group = "";
        for (row, words) in self.rows.iter().zip(&words) {
            if row.group != group {
                group = &row.group;
                heights.push((y + HEADING, Some(group)));
                y += HEADING;
            } else {
                heights.push((y, None));
            }
            y += row_height(words.len());
        }
        let plot = Plot { left, top, right, bottom: y + 4.0 };
        for (value, _) in ruler.ticks(&self.value.ticks).0 {
            scene.stroke(vec![(ruler.at(value), plot.top), (ruler.at(value), plot.bottom)], GRID, 1.0);
        }
        for (index, row) in self.rows.iter().enumerate() {
            let (y, heading) = heights[index];
            if let Some(heading) = heading {
                Pen::new(NORMAL, INK, Anchor::Start).bold().write(&mut scene, MARGIN, y - 6.0, heading);
            }
            let middle = y + row_height(words[index].len()) / 2.0;
            let first = middle - (names[index].len() as f64 - 1.0) * 7.0;
            for (line, name) in names[index].iter().enumerate() {
                let pen = Pen::new(NORMAL, palette::text(row.slot), Anchor::End).bold();
                pen.centred(&mut scene, left - 12.0, first + 14.0 * line as f64, name);
            }
            row.draw(&mut scene, middle, plot, &ruler);
            let first = middle - (words[index].len() as f64 - 1.0) * 6.5;
            for (line, (words, bold)) in words[index].iter().enumerate() {
                let pen =
                    Pen { bold: *bold, ..Pen::new(SMALL, if *bold { INK } else { GREY }, Anchor::Start) };
                pen.centred(&mut scene, right + 16.0, first + 13.0 * line as f64, words);
            }
        }
        let below = frame::horizontal(&mut scene, plot, &self.value, &ruler);
        let notes: Vec<Note> = self.notes.iter().cloned().map(Note::Plain).collect();
        let end = frame::notes(&mut scene, below + 10.0, &notes);
        scene.set_height(libm::ceil(end + 12.0));
        scene
    }

    /// What the signs mean, in one line; returns where it ends.
    fn key(&self, scene: &mut Scene, top: f64) -> f64 {
        let (mut x, y) = (MARGIN, top + 6.0);
        let has = |kind| {
            self.rows.iter().flat_map(|row| &row.marks).any(|mark| mark.kind == kind && !mark.value.zero)
        };
        let level = frame::percent(self.confidence);
        let pen = Pen::new(SMALL, GREY, Anchor::Start);
        let mut explain = |scene: &mut Scene, sign: &dyn Fn(&mut Scene, f64), words: &str| {
            sign(scene, x);
            pen.centred(scene, x + 26.0, y, words);
            x += 26.0 + text::width(words, SMALL, false) + 18.0;
        };
        for kind in [MarkKind::Mean, MarkKind::P95, MarkKind::Max].into_iter().filter(|kind| has(*kind)) {
            explain(scene, &|scene, x| kind.draw(scene, x + 10.0, y, None), kind.words());
        }
        if self.rows.iter().flat_map(|row| &row.marks).any(|mark| mark.value.low.is_some()) {
            let sign = |scene: &mut Scene, x: f64| scene.stroke(vec![(x, y), (x + 20.0, y)], GREY, 3.0);
            explain(scene, &sign, &format!("{level} simulation interval"));
        }
        if self.rows.iter().flat_map(|row| &row.marks).any(|mark| mark.value.zero) {
            let sign =
                |scene: &mut Scene, x: f64| palette::bound_marker(scene, x + 16.0, y, GREY, Towards::Left);
            explain(scene, &sign, &format!("none seen: upper bound ({level})"));
        }
        let sign = |scene: &mut Scene, x: f64| {
            scene.dashed(&[(x + 10.0, y - 9.0), (x + 10.0, y + 9.0)], INK, 1.8, 4.0, 3.0)
        };
        explain(scene, &sign, "derived bound");
        y + 18.0
    }
}

/// A row has room for its words, however many lines they take.
fn row_height(lines: usize) -> f64 {
    libm::fmax(ROW, 13.0 * lines as f64 + 12.0)
}

impl BoundRow {
    /// The bound in words, with whether each line is bold.
    fn words(&self) -> Vec<(String, bool)> {
        let (head, rest) = match &self.bound {
            Some(Bound::Limit { text, class, .. }) => (format!("at most {text}"), class.clone()),
            Some(Bound::Unbounded { grows_with }) => {
                ("unbounded".to_owned(), format!("grows with {grows_with}"))
            }
            None => return Vec::new(),
        };
        let rest = text::wrap_evenly(&rest, SMALL, false, WORDS_LIMIT);
        std::iter::once((head, true)).chain(rest.into_iter().map(|line| (line, false))).collect()
    }

    fn draw(&self, scene: &mut Scene, y: f64, plot: Plot, ruler: &Ruler) {
        let colour = palette::line(self.slot);
        let seen: Vec<f64> = self.marks.iter().filter(|m| !m.value.zero).filter_map(|m| m.value.y).collect();
        if let (Some(low), Some(high)) =
            (seen.iter().copied().reduce(libm::fmin), seen.iter().copied().reduce(libm::fmax))
        {
            scene.stroke(vec![(ruler.clamped(low), y), (ruler.clamped(high), y)], AXIS, 1.0);
        }
        match &self.bound {
            Some(Bound::Limit { value, .. }) => {
                let x = ruler.clamped(*value);
                scene.dashed(&[(x, y - 14.0), (x, y + 14.0)], palette::text(self.slot), 2.0, 4.0, 3.0);
            }
            Some(Bound::Unbounded { .. }) => {
                let from = seen.iter().copied().fold(ruler.low, libm::fmax);
                let start = libm::fmin(ruler.clamped(from) + 8.0, plot.right - 16.0);
                scene.dashed(&[(start, y), (plot.right - 2.0, y)], palette::text(self.slot), 1.4, 4.0, 3.0);
                let tip = plot.right + 6.0;
                scene.fill(
                    vec![(tip - 9.0, y - 4.5), (tip, y), (tip - 9.0, y + 4.5)],
                    palette::text(self.slot),
                    1.0,
                );
            }
            None => {}
        }
        for mark in &self.marks {
            if let (Some(low), Some(high), false) = (mark.value.low, mark.value.high, mark.value.zero) {
                scene.stroke(vec![(ruler.clamped(low), y), (ruler.clamped(high), y)], colour, 3.0);
            }
        }
        for mark in &self.marks {
            match (mark.value.zero, mark.value.high, mark.value.y) {
                (true, Some(high), _) => {
                    palette::bound_marker(scene, ruler.clamped(high), y, colour, Towards::Left)
                }
                (false, _, Some(value)) => mark.kind.draw(scene, ruler.clamped(value), y, Some(self.slot)),
                _ => {}
            }
        }
    }
}

impl MarkKind {
    fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::P95 => "p95",
            Self::Max => "max",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::P95 => "95 % stay below",
            Self::Max => "largest seen",
        }
    }

    /// Draws the sign in the colour of a slot, or in grey for the key.
    fn draw(self, scene: &mut Scene, x: f64, y: f64, slot: Option<usize>) {
        let colour = slot.map_or(GREY, palette::line);
        match self {
            Self::Mean => palette::dot(scene, x, y, colour, true),
            Self::P95 => palette::dot(scene, x, y, colour, false),
            Self::Max => scene.stroke(vec![(x, y - 8.0), (x, y + 8.0)], colour, 3.0),
        }
    }
}
