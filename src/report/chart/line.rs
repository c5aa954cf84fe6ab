//! Measures over a swept axis, one line per policy.

use super::axis::{Axis, Ruler, Scale, Twin};
use super::ends::{Wish, spread};
use super::frame::{self, NORMAL, Note, Pen, Plot, WIDTH};
use super::palette::{self, Towards};
use super::{Point, csv_text, field};
use crate::report::scene::{Anchor, Colour, Scene};
use crate::report::text;

/// One line of a chart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// Stands at the end of the line.
    pub name: String,
    /// Colour and marker; the same policy keeps its slot in every chart.
    pub slot: usize,
    /// A derived limit or reference rather than a measurement: dashed, without markers.
    pub dashed: bool,
    /// In ascending order of `x`.
    pub points: Vec<Point>,
}

/// Lines over one axis, with the interval of each as a band.
///
/// ```
/// use failsim::report::chart::{Axis, Chart, LineChart, Point, Series};
/// let lines = LineChart {
///     series: vec![Series {
///         name: "hot standby".into(),
///         points: vec![Point::seen(10.0, 2e-4, 1.8e-4, 2.3e-4), Point::below(100.0, 3e-5)],
///         ..Series::default()
///     }],
///     ..LineChart::new("Rarer crashes help in proportion", "1000 runs", Axis::log("MTTF, days"), Axis::log("unavailability"))
/// };
/// assert!(Chart::from(lines).svg().contains("hot standby"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LineChart {
    /// States the finding.
    pub title: String,
    /// Number of runs, interval, seed.
    pub subtitle: String,
    /// The swept axis.
    pub x: Axis,
    /// The measure.
    pub y: Axis,
    /// The measure in a person's units, further left.
    pub twin: Option<Twin>,
    /// The swept axis in other units, along the top.
    pub top: Option<Twin>,
    /// One line each.
    pub series: Vec<Series>,
    /// Confidence of all intervals and bounds shown, such as 0.95.
    pub confidence: f64,
    /// Further lines of explanation below the chart.
    pub notes: Vec<String>,
}

/// Height of the area between the axes.
const PLOT_HEIGHT: f64 = 340.0;
/// End labels are broken into lines of at most this width.
const LABEL_LIMIT: f64 = 150.0;
/// From the end of a line to its label.
const LEADER: f64 = 38.0;
/// Lines whose points are this near to each other, in pixels, are drawn by turns.
const NEAR: f64 = 4.0;
/// Length of a dash of a line that shares its place with others.
const DASH: f64 = 9.0;
const LINE_HEIGHT: f64 = 14.5;

impl LineChart {
    /// A chart without series yet, with intervals of 95 %.
    pub fn new(title: &str, subtitle: &str, x: Axis, y: Axis) -> Self {
        Self {
            title: title.to_owned(),
            subtitle: subtitle.to_owned(),
            x,
            y,
            twin: None,
            top: None,
            series: Vec::new(),
            confidence: 0.95,
            notes: Vec::new(),
        }
    }

    /// The data behind the chart: `series,kind,x,y,low,high`, where `kind` is `measured`, `upper_bound` (nothing was
    /// seen: `y` is empty and `high` the bound) or `reference`.
    pub(super) fn to_csv(&self) -> String {
        let rows = self.series.iter().flat_map(|series| {
            series.points.iter().map(move |point| {
                let kind = match (series.dashed, point.zero) {
                    (true, _) => "reference",
                    (false, true) => "upper_bound",
                    (false, false) => "measured",
                };
                let name = series.name.clone();
                vec![
                    name,
                    kind.to_owned(),
                    field(Some(point.x)),
                    field(point.y),
                    field(point.low),
                    field(point.high),
                ]
            })
        });
        csv_text(&["series", "kind", "x", "y", "low", "high"], rows)
    }

    fn points(&self) -> impl Iterator<Item = &Point> {
        self.series.iter().flat_map(|series| &series.points)
    }

    /// What the vertical axis has to cover. Intervals that reach towards zero count only down to a tenth of the
    /// smallest estimate: on a log axis they would otherwise push everything else to the top.
    fn extent(&self) -> Vec<f64> {
        let estimates: Vec<f64> = self.points().filter_map(|p| p.y).filter(|y| self.y.shows(*y)).collect();
        let smallest = estimates.iter().copied().fold(f64::INFINITY, libm::fmin);
        let least = smallest / 10.0;
        // A linear axis that begins elsewhere than at zero turns noise into a trend.
        let zero = (self.y.scale == Scale::Linear && smallest >= 0.0).then_some(0.0);
        let lows = self.points().filter_map(|p| p.low).filter(|low| self.y.shows(*low) && *low > least);
        let highs = self.points().filter_map(|p| p.high);
        estimates.iter().copied().chain(lows).chain(highs).chain(zero).collect()
    }

    pub(super) fn scene(&self) -> Scene {
        let mut scene = Scene::new(WIDTH, 560.0, &self.title);
        let head = frame::head(&mut scene, &self.title, &self.subtitle);
        let y_fit = Ruler::fit(self.y.scale, self.extent(), 0.05).reaching_ticks(&self.y.ticks);
        let x_fit = Ruler::fit(self.x.scale, self.points().map(|point| point.x), 0.02);
        let twin_ticks = self.twin.as_ref().map(|twin| frame::visible(twin, &y_fit));
        let names: Vec<Vec<String>> = self
            .series
            .iter()
            .map(|series| text::wrap_evenly(&series.name, NORMAL, true, LABEL_LIMIT))
            .collect();
        let label_width =
            names.iter().flatten().map(|line| text::width(line, NORMAL, true)).fold(0.0, libm::fmax);
        let top = head + if self.top.is_some() { 50.0 } else { 12.0 };
        let plot = Plot {
            left: frame::MARGIN - 4.0
                + frame::room_left(&y_fit.ticks(&self.y.ticks).0, twin_ticks.as_deref()),
            top,
            right: WIDTH - frame::MARGIN - label_width - LEADER,
            bottom: top + PLOT_HEIGHT,
        };
        let y = y_fit.between(plot.bottom, plot.top);
        let x = x_fit.between(plot.left, plot.right);
        frame::vertical(&mut scene, plot, &self.y, &y, self.twin.as_ref());
        let below = frame::horizontal(&mut scene, plot, &self.x, &x);
        if let Some(twin) = &self.top {
            frame::along_top(&mut scene, plot, &x, twin);
        }
        for series in &self.series {
            self.band(&mut scene, series, &x, &y);
        }
        for series in &self.series {
            self.stroke(&mut scene, series, &x, &y);
        }
        self.markers(&mut scene, &x, &y);
        self.end_labels(&mut scene, &names, plot, &x, &y);
        let end = frame::notes(&mut scene, below + 12.0, &self.legend());
        scene.set_height(libm::ceil(end + 12.0));
        scene
    }

    /// Stretches of neighbouring points that were measured and can be shown.
    fn stretches<'a>(&self, series: &'a Series) -> Vec<Vec<&'a Point>> {
        let is_shown =
            |point: &&Point| !point.zero && point.y.is_some_and(|y| self.y.shows(y)) && self.x.shows(point.x);
        let mut stretches = vec![Vec::new()];
        for point in &series.points {
            if is_shown(&point) {
                stretches.last_mut().expect("never empty").push(point);
            } else {
                stretches.push(Vec::new());
            }
        }
        stretches.retain(|stretch| !stretch.is_empty());
        stretches
    }

    fn band(&self, scene: &mut Scene, series: &Series, x: &Ruler, y: &Ruler) {
        for stretch in self.stretches(series) {
            let ends: Vec<_> = stretch
                .iter()
                .filter_map(|point| Some((x.at(point.x), y.clamped(point.low?), y.clamped(point.high?))))
                .collect();
            let colour = palette::line(series.slot);
            if let [(x, low, high)] = ends[..] {
                scene.stroke(vec![(x, low), (x, high)], colour, 1.2);
                for y in [low, high] {
                    scene.stroke(vec![(x - 3.5, y), (x + 3.5, y)], colour, 1.2);
                }
            }
            let upper = ends.iter().map(|(x, _, high)| (*x, *high));
            let lower = ends.iter().rev().map(|(x, low, _)| (*x, *low));
            if ends.len() > 1 {
                scene.fill(upper.chain(lower).collect(), colour, 0.18 / self.level_with(series, x, y));
            }
        }
    }

    /// How many lines run where this one does, in the mean over its points: their bands lie on each other, and would
    /// hide the rest if each were as dark as one alone.
    fn level_with(&self, series: &Series, x: &Ruler, y: &Ruler) -> f64 {
        let place = |point: &Point| Some((x.at(point.x), y.clamped(point.y?)));
        let level: Vec<f64> = series
            .points
            .iter()
            .filter_map(place)
            .map(|place| self.turn(series, &[place], x, y).1 as f64)
            .collect();
        libm::fmax(1.0, level.iter().sum::<f64>() / libm::fmax(1.0, level.len() as f64))
    }

    fn stroke(&self, scene: &mut Scene, series: &Series, x: &Ruler, y: &Ruler) {
        for stretch in self.stretches(series) {
            let path: Vec<_> = stretch.iter().map(|p| (x.at(p.x), y.clamped(p.y.unwrap_or(p.x)))).collect();
            if series.dashed {
                scene.dashed(&path, palette::line(series.slot), 1.8, 7.0, 4.5);
                continue;
            }
            for piece in path.windows(2) {
                let (turn, of) = self.turn(series, piece, x, y);
                by_turns(scene, (piece[0], piece[1]), palette::line(series.slot), turn, of);
            }
            if let [_] = path[..] {
                scene.stroke(path, palette::line(series.slot), 2.0);
            }
        }
    }

    /// Which of how many lines this one is that run along a piece of it, one beside the other.
    fn turn(&self, series: &Series, piece: &[(f64, f64)], x: &Ruler, y: &Ruler) -> (usize, usize) {
        let height = |other: &Series, at: f64| {
            let point = other.points.iter().find(|p| !p.zero && (x.at(p.x) - at).abs() < 1.0)?;
            point.y.map(|value| y.clamped(value))
        };
        // A neighbour of a neighbour belongs to them too.
        let mut here: Vec<usize> = Vec::new();
        let mut levels: Vec<Vec<f64>> = vec![piece.iter().map(|(_, y)| *y).collect()];
        while let Some(level) = levels.pop() {
            for (index, other) in self.series.iter().enumerate() {
                let heights: Option<Vec<f64>> = piece.iter().map(|(at, _)| height(other, *at)).collect();
                let Some(heights) = heights.filter(|_| !other.dashed && !here.contains(&index)) else {
                    continue;
                };
                if heights.iter().zip(&level).all(|(a, b)| (a - b).abs() < NEAR) {
                    here.push(index);
                    levels.push(heights);
                }
            }
        }
        here.sort_unstable();
        let turn = here.iter().position(|index| std::ptr::eq(&self.series[*index], series)).unwrap_or(0);
        (turn, here.len().max(1))
    }

    /// Of markers that would lie on each other one is drawn, by turns along the axis: all keep their true places.
    fn markers(&self, scene: &mut Scene, x: &Ruler, y: &Ruler) {
        for series in self.series.iter().filter(|series| !series.dashed) {
            for point in self.stretches(series).into_iter().flatten() {
                let place = (x.at(point.x), y.clamped(point.y.unwrap_or_default()));
                let (turn, of) = self.turn(series, &[place], x, y);
                let before = series.points.iter().filter(|other| other.x < point.x).count();
                if before % of == turn {
                    palette::marker(scene, place.0, place.1, series.slot);
                }
            }
        }
        for (slot, x, y) in self.bounds(x, y) {
            palette::bound_marker(scene, x, y, palette::line(slot), Towards::Down);
        }
    }

    /// Slot and place of every upper bound. Policies in which nothing was seen often have the very same bound: those
    /// stand side by side.
    fn bounds(&self, x: &Ruler, y: &Ruler) -> Vec<(usize, f64, f64)> {
        let mut places: Vec<(usize, f64, f64)> = Vec::new();
        for series in self.series.iter().filter(|series| !series.dashed) {
            for point in series.points.iter().filter(|point| point.zero && self.x.shows(point.x)) {
                places.extend(point.high.map(|high| (series.slot, x.at(point.x), y.clamped(high))));
            }
        }
        let is_near = |a: &(usize, f64, f64), b: &(usize, f64, f64)| {
            (a.1 - b.1).abs() < 1.0 && (a.2 - b.2).abs() < 12.0
        };
        let moved = places.iter().enumerate().map(|(index, place)| {
            let before = places[..index].iter().filter(|other| is_near(place, other)).count() as f64;
            let after = places[index + 1..].iter().filter(|other| is_near(place, other)).count() as f64;
            (place.0, place.1 + 6.5 * (before - after), place.2)
        });
        moved.collect()
    }

    /// Names at the right ends, moved apart where they would collide, with a leader to each that moved.
    fn end_labels(&self, scene: &mut Scene, names: &[Vec<String>], plot: Plot, x: &Ruler, y: &Ruler) {
        let ends: Vec<Option<(f64, f64)>> = self
            .series
            .iter()
            .map(|series| {
                let shown =
                    |p: &&Point| self.x.shows(p.x) && (p.zero || p.y.is_some_and(|y| self.y.shows(y)));
                let last = series.points.iter().rev().find(shown)?;
                let value = if last.zero { last.high? } else { last.y? };
                Some((x.at(last.x), y.clamped(value)))
            })
            .collect();
        let labelled: Vec<usize> = (0..ends.len()).filter(|index| ends[*index].is_some()).collect();
        let wishes: Vec<Wish> = labelled
            .iter()
            .map(|index| Wish {
                wanted: ends[*index].map_or(0.0, |(_, y)| y),
                height: names[*index].len() as f64 * LINE_HEIGHT,
            })
            .collect();
        let middles = spread(&wishes, 3.0, plot.top - 6.0, plot.bottom + 6.0);
        let left = plot.right + LEADER;
        for ((index, wish), middle) in labelled.into_iter().zip(wishes).zip(middles) {
            let series = &self.series[index];
            let (end_x, end_y) = ends[index].unwrap_or_default();
            // Markers of bounds may stand side by side: start to the right of them all.
            let start = end_x + if series.points.last().is_some_and(|point| point.zero) { 14.0 } else { 7.0 };
            let path = if (middle - end_y).abs() < 1.5 {
                vec![(start, end_y), (left - 14.0, end_y)]
            } else {
                vec![(start, end_y), (libm::fmax(start, plot.right + 6.0), end_y), (left - 14.0, middle)]
            };
            scene.stroke(path, palette::line(series.slot), 0.8);
            if !series.dashed {
                palette::marker(scene, left - 8.0, middle, series.slot);
            }
            let pen = Pen::new(NORMAL, palette::text(series.slot), Anchor::Start).bold();
            let first = middle - wish.height / 2.0 + LINE_HEIGHT / 2.0;
            for (line, words) in names[index].iter().enumerate() {
                pen.centred(scene, left, first + line as f64 * LINE_HEIGHT, words);
            }
        }
    }

    fn legend(&self) -> Vec<Note> {
        let level = frame::percent(self.confidence);
        let mut notes = Vec::new();
        if self.points().any(|point| !point.zero && point.low.is_some() && point.high.is_some()) {
            notes.push(Note::Band(format!("{level} simulation interval")));
        }
        if self.points().any(|point| point.zero) {
            notes.push(Note::Below(format!("none seen: upper bound ({level})"), Towards::Down));
        }
        if self.series.iter().any(|series| series.dashed) {
            notes.push(Note::Dashed("derived, not simulated".to_owned()));
        }
        notes.extend(self.notes.iter().cloned().map(Note::Plain));
        notes
    }
}

/// A straight piece of a line; where it shares its way with others, only its own dashes, so that all can be seen.
fn by_turns(scene: &mut Scene, (from, to): ((f64, f64), (f64, f64)), colour: Colour, turn: usize, of: usize) {
    if of == 1 {
        return scene.stroke(vec![from, to], colour, 2.0);
    }
    let length = libm::hypot(to.0 - from.0, to.1 - from.1);
    let at = |done: f64| {
        let share = libm::fmin(done / length, 1.0);
        (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share)
    };
    let dashes = libm::ceil(length / DASH) as usize;
    for dash in (turn..dashes).step_by(of) {
        scene.stroke(vec![at(dash as f64 * DASH), at((dash + 1) as f64 * DASH)], colour, 2.0);
    }
}
