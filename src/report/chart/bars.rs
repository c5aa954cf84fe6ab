//! What a total consists of: one bar per policy, in groups, made of causes.
//!
//! Totals of different policies lie orders of magnitude apart, so stacked amounts on one axis would show the worst
//! policy and nothing else, and stacks on a log axis mean nothing. Hence two columns: the total as a point on a log
//! axis, with its interval and its figures, and beside it a bar of full length divided into the shares of the causes.

use super::axis::{Axis, Ruler, Scale, Ticks};
use super::frame::{self, MARGIN, NORMAL, Note, Pen, SMALL, WIDTH};
use super::palette::{self, AXIS, GREY, GRID, INK, Towards};
use super::{Point, csv_text, field};
use crate::report::number;
use crate::report::scene::{Anchor, Colour, Scene};
use crate::report::text;

/// The causes of downtime in the order in which they are stacked.
pub const CAUSES: [&str; 14] = [
    "detect",
    "fence",
    "elect",
    "promote",
    "redirect",
    "reconnect",
    "warm",
    "restart",
    "network",
    "no_spare",
    "no_quorum",
    "overload",
    "planned",
    "human",
];

/// What the length of a bar means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BarLength {
    /// Every bar is as long as every other and shows shares.
    #[default]
    Share,
    /// Bars are as long as their totals, on a linear scale of its own for every group: for groups whose totals are
    /// of the same order, such as one policy at several values of an axis.
    Amount,
}

/// The bar of one policy.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bar {
    /// The policy.
    pub name: String,
    /// Its colour and marker.
    pub slot: usize,
    /// One amount per part of the chart.
    pub amounts: Vec<f64>,
    /// The total with its interval, or only its upper bound; `x` is not used.
    pub total: Point,
}

/// Bars under one heading, such as one value of the swept axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Group {
    /// The heading.
    pub name: String,
    /// One bar per policy.
    pub bars: Vec<Bar>,
}

/// Totals and what they consist of.
#[derive(Debug, Clone, PartialEq)]
pub struct StackedBars {
    /// States the finding.
    pub title: String,
    /// Number of runs, interval, seed.
    pub subtitle: String,
    /// What is totalled, without its unit: `downtime`.
    pub measure: String,
    /// Its unit: `h/yr`.
    pub unit: String,
    /// Names of the parts, in the order in which they are stacked; [`CAUSES`] keep their own colours.
    pub parts: Vec<String>,
    /// From top to bottom.
    pub groups: Vec<Group>,
    /// What the length of a bar means.
    pub length: BarLength,
    /// Confidence of all intervals and bounds shown.
    pub confidence: f64,
    /// Further lines of explanation below the chart.
    pub notes: Vec<String>,
}

const ROW: f64 = 22.0;
const BAR: f64 = 15.0;
const GROUP_GAP: f64 = 14.0;
const HEADING: f64 = 22.0;
const NAME_LIMIT: f64 = 175.0;
const LINE_HEIGHT: f64 = 14.0;
/// A part smaller than this in every bar is no more than a hair line: it is named below instead of in the legend.
const VISIBLE: f64 = 0.005;

impl Bar {
    /// The name, broken where it is long.
    fn lines(&self) -> Vec<String> {
        text::wrap_evenly(&self.name, NORMAL, false, NAME_LIMIT)
    }

    /// What a part is of the whole.
    fn share(&self, part: usize) -> f64 {
        let total: f64 = self.amounts.iter().sum();
        self.amounts.get(part).map_or(0.0, |amount| if total > 0.0 { amount / total } else { 0.0 })
    }

    fn height(&self) -> f64 {
        libm::fmax(ROW, self.lines().len() as f64 * LINE_HEIGHT + 4.0)
    }
}

impl Group {
    fn height(&self) -> f64 {
        HEADING + self.bars.iter().map(Bar::height).sum::<f64>() + GROUP_GAP
    }
}

/// Horizontal division of the chart.
struct Columns {
    names: f64,
    dots: (f64, f64),
    figures: f64,
    bars: (f64, f64),
}

impl StackedBars {
    /// A chart of the causes of downtime, without groups yet.
    pub fn downtime(title: &str, subtitle: &str, unit: &str) -> Self {
        Self {
            title: title.to_owned(),
            subtitle: subtitle.to_owned(),
            measure: "downtime".to_owned(),
            unit: unit.to_owned(),
            parts: CAUSES.iter().map(|cause| (*cause).to_owned()).collect(),
            groups: Vec::new(),
            length: BarLength::Share,
            confidence: 0.95,
            notes: Vec::new(),
        }
    }

    /// The data behind the chart: `group,bar,part,amount,low,high`. The part `total` carries the interval; where
    /// nothing was seen its amount is empty and `high` the upper bound.
    pub(super) fn to_csv(&self) -> String {
        let rows = self.groups.iter().flat_map(|group| {
            group.bars.iter().flat_map(move |bar| {
                let row = move |part: &str, amount, low, high| {
                    vec![
                        group.name.clone(),
                        bar.name.clone(),
                        part.to_owned(),
                        field(amount),
                        field(low),
                        field(high),
                    ]
                };
                let parts = self.parts.iter().zip(&bar.amounts);
                let parts = parts.map(move |(part, amount)| row(part, Some(*amount), None, None));
                parts.chain([row("total", bar.total.y, bar.total.low, bar.total.high)])
            })
        });
        csv_text(&["group", "bar", "part", "amount", "low", "high"], rows)
    }

    fn bars(&self) -> impl Iterator<Item = &Bar> {
        self.groups.iter().flat_map(|group| &group.bars)
    }

    fn colour(&self, part: usize) -> Colour {
        let known = CAUSES.iter().position(|cause| *cause == self.parts[part]);
        palette::segment(known.unwrap_or(part))
    }

    fn total_heading(&self) -> String {
        format!("total, {}", self.unit)
    }

    fn figures(&self, total: &Point) -> String {
        match (total.y, total.low, total.high, total.zero) {
            (_, _, Some(high), true) => number::upper_bound(high),
            (Some(y), Some(low), Some(high), _) => number::with_interval(y, low, high),
            (Some(y), ..) => number::significant(y, 3),
            _ => "–".to_owned(),
        }
    }

    pub(super) fn scene(&self) -> Scene {
        let mut scene = Scene::new(WIDTH, 560.0, &self.title);
        let head = frame::head(&mut scene, &self.title, &self.subtitle);
        let top = self.legend(&mut scene, head + 8.0);
        let names = self.bars().flat_map(|bar| bar.lines());
        let names = names.map(|line| text::width(&line, NORMAL, false)).fold(0.0, libm::fmax);
        let figures = self.bars().map(|bar| text::width(&self.figures(&bar.total), SMALL, false));
        let figures = figures.fold(text::width(&self.total_heading(), SMALL, false), libm::fmax);
        let names = MARGIN + names;
        let dots = (names + 14.0, names + 14.0 + 190.0);
        let figures = dots.1 + 14.0 + figures;
        let columns = Columns { names, dots, figures, bars: (figures + 14.0, WIDTH - MARGIN) };

        let totals = self.bars().flat_map(|bar| [bar.total.y, bar.total.low, bar.total.high]).flatten();
        let totals: Vec<f64> = totals.filter(|total| *total > 0.0).collect();
        let least =
            self.bars().filter_map(|bar| bar.total.y).filter(|y| *y > 0.0).fold(f64::INFINITY, libm::fmin);
        let ruler = Ruler::fit(Scale::Log, totals.into_iter().filter(|v| *v > least / 10.0), 0.06)
            .reaching_ticks(&Ticks::Numbers)
            .between(columns.dots.0, columns.dots.1);

        let pen = |anchor| Pen::new(SMALL, GREY, anchor);
        let made_of = match self.length {
            BarLength::Share => "made up of",
            BarLength::Amount => "made up of (linear scale, longest bar of each group in full)",
        };
        let total = self.total_heading();
        let y = top + 14.0;
        pen(Anchor::End).write(&mut scene, columns.figures, y, &total);
        pen(Anchor::Start).write(&mut scene, columns.bars.0, y, made_of);
        let mut y = top + 22.0;
        let axis = Axis::log(&format!("{}, {}", self.measure, self.unit));
        let bottom = y + self.groups.iter().map(Group::height).sum::<f64>() - GROUP_GAP + 6.0;
        let (ticks, _) = ruler.ticks(&axis.ticks);
        for (index, group) in self.groups.iter().enumerate() {
            // A heading may be longer than the column of names: grid lines begin below it.
            let end = if index + 1 == self.groups.len() { bottom } else { y + group.height() };
            for (value, _) in &ticks {
                scene.stroke(vec![(ruler.at(*value), y + HEADING), (ruler.at(*value), end)], GRID, 1.0);
            }
            self.group(&mut scene, group, y, &columns, &ruler);
            y += group.height();
        }
        let plot = frame::Plot { left: columns.dots.0, top, right: columns.dots.1, bottom };
        let below = frame::horizontal(&mut scene, plot, &axis, &ruler);
        if self.length == BarLength::Share {
            share_axis(&mut scene, columns.bars, bottom);
        }
        let end = frame::notes(&mut scene, below + 10.0, &self.explanations());
        scene.set_height(libm::ceil(end + 12.0));
        scene
    }

    fn explanations(&self) -> Vec<Note> {
        let level = frame::percent(self.confidence);
        let mut notes = vec![Note::Plain(format!("±: {level} simulation interval"))];
        if self.bars().any(|bar| bar.total.zero) {
            notes.push(Note::Below(format!("none seen: upper bound ({level})"), Towards::Left));
        }
        let is_hidden = |index: &usize| {
            let most = self.bars().map(|bar| bar.share(*index)).fold(0.0, libm::fmax);
            most > 0.0 && most < VISIBLE
        };
        let hidden: Vec<String> = (0..self.parts.len())
            .filter(is_hidden)
            .map(|index| self.parts[index].replace('_', " "))
            .collect();
        if !hidden.is_empty() {
            let words = format!("below {} everywhere: {}", frame::percent(VISIBLE), hidden.join(", "));
            notes.push(Note::Plain(words));
        }
        notes.extend(self.notes.iter().cloned().map(Note::Plain));
        notes
    }

    /// Names of the parts that can be seen, each beside its colour; returns where they end.
    fn legend(&self, scene: &mut Scene, top: f64) -> f64 {
        let (mut x, mut y) = (MARGIN, top + 10.0);
        for (index, part) in self.parts.iter().enumerate() {
            if !self.bars().any(|bar| bar.share(index) >= VISIBLE) {
                continue;
            }
            let words = part.replace('_', " ");
            let width = 16.0 + text::width(&words, SMALL, false);
            if x + width > WIDTH - MARGIN {
                (x, y) = (MARGIN, y + 18.0);
            }
            palette::block(scene, x, y - 9.5, x + 11.0, y + 1.5, self.colour(index));
            Pen::new(SMALL, INK, Anchor::Start).write(scene, x + 16.0, y, &words);
            x += width + 16.0;
        }
        y + 10.0
    }

    fn group(&self, scene: &mut Scene, group: &Group, top: f64, columns: &Columns, ruler: &Ruler) {
        Pen::new(NORMAL, INK, Anchor::Start).bold().write(scene, MARGIN, top + 15.0, &group.name);
        let largest = group.bars.iter().map(|bar| bar.amounts.iter().sum()).fold(0.0, libm::fmax);
        let mut end = top + HEADING;
        for bar in &group.bars {
            let y = end + bar.height() / 2.0;
            end += bar.height();
            let lines = bar.lines();
            let first = y - (lines.len() as f64 - 1.0) * LINE_HEIGHT / 2.0;
            for (line, words) in lines.iter().enumerate() {
                let y = first + line as f64 * LINE_HEIGHT;
                Pen::new(NORMAL, INK, Anchor::End).centred(scene, columns.names, y, words);
            }
            let colour = palette::line(bar.slot);
            match (bar.total.y, bar.total.high, bar.total.zero) {
                (_, Some(high), true) => {
                    palette::bound_marker(scene, ruler.clamped(high), y, colour, Towards::Left);
                }
                (Some(total), _, _) => {
                    if let (Some(low), Some(high)) = (bar.total.low, bar.total.high) {
                        scene.stroke(vec![(ruler.clamped(low), y), (ruler.clamped(high), y)], colour, 2.0);
                    }
                    palette::marker(scene, ruler.clamped(total), y, bar.slot);
                }
                _ => {}
            }
            let figures = self.figures(&bar.total);
            Pen::new(SMALL, INK, Anchor::End).centred(scene, columns.figures, y, &figures);
            let total: f64 = bar.amounts.iter().sum();
            let whole = match self.length {
                BarLength::Share => total,
                BarLength::Amount => largest,
            };
            if total > 0.0 {
                self.segments(scene, bar, y, columns.bars, whole);
            } else {
                Pen::new(SMALL, GREY, Anchor::Start).centred(scene, columns.bars.0, y, "none seen");
            }
        }
    }

    fn segments(&self, scene: &mut Scene, bar: &Bar, y: f64, (left, right): (f64, f64), whole: f64) {
        let total: f64 = bar.amounts.iter().sum();
        let mut x = left;
        for (index, amount) in bar.amounts.iter().enumerate().filter(|(_, amount)| **amount > 0.0) {
            let end = x + (right - left) * amount / whole;
            let gap = if end - x > 2.5 { 0.8 } else { 0.0 };
            let colour = self.colour(index);
            palette::block(scene, x, y - BAR / 2.0, end - gap, y + BAR / 2.0, colour);
            let share = format!("{:.0} %", 100.0 * amount / total);
            let name = format!("{} {share}", self.parts[index].replace('_', " "));
            let fits = |words: &&String| text::width(words, SMALL - 1.0, false) + 7.0 < end - x;
            if let Some(words) = [name, share].iter().find(fits) {
                let ink = if palette::is_dark(colour) { palette::WHITE } else { INK };
                Pen::new(SMALL - 1.0, ink, Anchor::Middle).centred(scene, (x + end - gap) / 2.0, y, words);
            }
            x = end;
        }
    }
}

fn share_axis(scene: &mut Scene, (left, right): (f64, f64), y: f64) {
    scene.stroke(vec![(left, y), (right, y)], AXIS, 1.0);
    for percent in [0, 25, 50, 75, 100] {
        let x = left + (right - left) * f64::from(percent) / 100.0;
        scene.stroke(vec![(x, y), (x, y + 5.0)], AXIS, 1.0);
        let anchor = match percent {
            0 => Anchor::Start,
            100 => Anchor::End,
            _ => Anchor::Middle,
        };
        Pen::new(SMALL, INK, anchor).write(scene, x, y + 18.0, &format!("{percent} %"));
    }
    let middle = (left + right) / 2.0;
    Pen::new(NORMAL, INK, Anchor::Middle).write(scene, middle, y + 37.0, "share of the total");
}
