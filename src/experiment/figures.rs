//! The charts of a result. A chart without data is left out.

use super::outcome::Outcome;
use super::reports::Report;
use super::shown::shown;
use super::verdict;
use super::view::{View, name_and_unit};
use super::words::{self, capital, join};
use crate::policy::contract::{Bound as Promise, Bounds};
use crate::record::{AxisValue, Estimate};
use crate::report::chart::{
    Axis, Bar, Bound, BoundChart, BoundRow, CAUSES, Chart, Group, LineChart, Mark, MarkKind, Point, Series,
    StackedBars, Ticks, Twin,
};
use crate::report::number;

/// A chart with its place in the result folder.
pub struct Figure {
    /// File name without ending.
    pub name: String,
    /// The chart.
    pub chart: Chart,
}

impl Figure {
    fn new(name: &str, chart: impl Into<Chart>) -> Figure {
        Figure { name: name.to_owned(), chart: chart.into() }
    }
}

/// More lines than this make a chart unreadable: only those at the first values of the other axes are drawn.
const LINES_MAX: usize = 8;

/// More groups of bars or rows than this are not drawn: then only the place that sentences speak of.
const GROUPS_MAX: usize = 6;

/// All charts of a result.
pub fn figures(outcome: &Outcome) -> Vec<Figure> {
    let view = outcome.view();
    let subtitle = subtitle(outcome, &view);
    let mut list = Vec::new();
    if let Some(axis) = view.main_axis() {
        list.extend(over_axis(&view, axis, &subtitle));
    }
    if view.asked.wants(Report::Downtime) {
        list.extend(downtime(&view, &subtitle).map(|chart| Figure::new("downtime", chart)));
    }
    if view.asked.wants(Report::SplitBrain) {
        let windows = limits(outcome, &view, &subtitle, &WINDOWS);
        list.extend(windows.map(|chart| Figure::new("split-brain-windows", chart)));
    }
    if view.asked.wants(Report::Data) {
        let losses = limits(outcome, &view, &subtitle, &LOSSES);
        list.extend(losses.map(|chart| Figure::new("data-loss", chart)));
    }
    list
}

/// A chart for each measure that is asked for; the usual ones are the time not safely up and that in split brain.
fn over_axis(view: &View<'_>, axis: usize, subtitle: &str) -> Vec<Figure> {
    let usual = ["safe_availability", "split_brain_time"];
    let asked = &view.asked.measures;
    let measures: Vec<&str> =
        if asked.is_empty() { usual.to_vec() } else { asked.iter().map(String::as_str).collect() };
    let mut list = Vec::new();
    for measure in measures {
        let figure = match measure {
            "safe_availability" => {
                unavailability(view, axis, subtitle).map(|chart| Figure::new("unavailability", chart))
            }
            // The chart above shows it, and the part of it that is downtime is the subject of another.
            "availability" | "unavailability" | "downtime" if view.asked.wants(Report::Downtime) => None,
            _ => {
                let chart = measured(view, axis, subtitle, measure);
                chart.map(|chart| Figure::new(&measure.replace('_', "-"), chart))
            }
        };
        list.extend(figure);
    }
    list
}

fn subtitle(outcome: &Outcome, view: &View<'_>) -> String {
    let runs = view.points.rows.first().map_or(0, |row| row.runs);
    let years = number::significant(outcome.years, 3);
    let years = if years.contains('.') { years.trim_end_matches('0').trim_end_matches('.') } else { &years };
    format!(
        "{runs} runs of {years} years per point and policy · 95 % simulation intervals · seed {}",
        outcome.manifest.seed
    )
}

/// One line per policy, and per combination of the other axes where that stays readable; else at their first values
/// only, which are the second answer.
fn lines(
    view: &View<'_>,
    axis: usize,
    value: impl Fn(&[AxisValue], &str) -> Option<Estimate>,
) -> (Vec<Series>, String) {
    let mut starts: Vec<&[AxisValue]> = Vec::new();
    for place in &view.places {
        let same = |other: &&[AxisValue]| {
            other.iter().zip(*place).enumerate().all(|(i, (a, b))| i == axis || a == b)
        };
        if !starts.iter().any(same) {
            starts.push(place);
        }
    }
    let mut only_at = String::new();
    if starts.len() > 1 && starts.len() * view.policies.len() > LINES_MAX {
        starts.truncate(1);
        only_at = view.label_without(starts[0], &[axis]);
    }
    let mut series = Vec::new();
    for start in &starts {
        for (policy_slot, policy) in view.policies.iter().enumerate() {
            let line = view.along(axis, start);
            let points: Vec<Point> =
                line.iter().map(|(x, place)| Point::recorded(*x, value(place, policy))).collect();
            if points.iter().all(|point| point.y.is_none() && point.high.is_none()) {
                continue;
            }
            let others = view.points.axes.iter().zip(*start).enumerate().filter(|(index, _)| *index != axis);
            let others: Vec<String> =
                others.map(|(_, (axis, value))| super::view::axis_label(axis, value)).collect();
            let name = match (starts.len() > 1, view.policies.len() > 1) {
                (false, _) => (*policy).to_owned(),
                (true, true) => format!("{policy}, {}", others.join(", ")),
                (true, false) => others.join(", "),
            };
            let slot = if starts.len() > 1 { series.len() } else { policy_slot };
            series.push(Series { name, slot, dashed: false, points });
        }
    }
    (series, only_at)
}

/// The subtitle of a chart that holds at some values of other axes only.
fn at(place: &str, subtitle: &str) -> String {
    if place.is_empty() { subtitle.to_owned() } else { format!("{place} · {subtitle}") }
}

fn horizontal(view: &View<'_>, axis: usize) -> Axis {
    let (name, unit) = name_and_unit(&view.points.axes[axis]);
    let words = match unit {
        "d" => "days",
        "h" => "hours",
        "m" => "minutes",
        "s" => "seconds",
        "y" => "years",
        other => other,
    };
    let label = if words.is_empty() { name.to_owned() } else { format!("{name}, {words}") };
    let numbers: Vec<f64> = view
        .values(axis)
        .into_iter()
        .filter_map(|value| if let AxisValue::Number(number) = value { Some(*number) } else { None })
        .collect();
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low > 0.0 && high / low >= 8.0 { Axis::log(&label) } else { Axis::linear(&label) }
}

fn unavailability(view: &View<'_>, axis: usize, subtitle: &str) -> Option<LineChart> {
    let (series, only_at) = lines(view, axis, |place, policy| verdict::unsafe_share(view, place, policy));
    if series.is_empty() {
        return None;
    }
    let is_log = series.iter().flat_map(|line| &line.points).any(|point| point.y.is_some_and(|y| y > 0.0));
    let label = "unavailability (not safely up)";
    let vertical = if is_log { Axis::log(label) } else { Axis::linear(label) };
    let title = verdict::headline(view);
    let mut chart = LineChart::new(&title, &at(&only_at, subtitle), horizontal(view, axis), vertical);
    chart.series = series;
    chart.twin = is_log.then(Twin::time_per_year);
    Some(chart)
}

/// One measure over the main axis. Policies in which it was never seen are named below.
fn measured(view: &View<'_>, axis: usize, subtitle: &str, measure: &str) -> Option<LineChart> {
    let show = shown(measure);
    let value =
        |place: &[AxisValue], policy: &str| view.get(place, policy, measure).map(|found| show.of(found));
    let (series, only_at) = lines(view, axis, value);
    let is_seen = |series: &Series| series.points.iter().any(|point| point.y.is_some_and(|y| y > 0.0));
    let (seen, never): (Vec<Series>, Vec<Series>) = series.into_iter().partition(is_seen);
    if seen.is_empty() {
        return None;
    }
    let positive = || seen.iter().flat_map(|line| &line.points).filter_map(|p| p.y).filter(|y| *y > 0.0);
    let (low, high) = (positive().fold(f64::INFINITY, f64::min), positive().fold(0.0, f64::max));
    let vertical = if high >= 4.0 * low { Axis::log(&show.heading()) } else { Axis::linear(&show.heading()) };
    let never: Vec<&str> = never.iter().map(|line| line.name.as_str()).collect();
    let title = finding(view, measure, &seen, &never);
    let mut chart = LineChart::new(&title, &at(&only_at, subtitle), horizontal(view, axis), vertical);
    if !never.is_empty() {
        chart.notes = vec![format!("Never seen: {}.", join(&never))];
    }
    chart.series = seen;
    Some(chart)
}

/// What a chart of one measure shows: who has most and least of it at the middle of the axis.
fn finding(view: &View<'_>, measure: &str, seen: &[Series], never: &[&str]) -> String {
    let show = shown(measure);
    if measure == "split_brain_time" {
        return match (seen, never) {
            ([one], _) => format!("Only {} has two nodes accepting at once", one.name),
            (_, []) => "Every policy has two nodes accepting at once".to_owned(),
            (_, [one]) => format!("Only {one} never has two nodes accepting at once"),
            (many, _) => {
                format!("{} of {} have two nodes accepting at once", many.len(), many.len() + never.len())
            }
        };
    }
    let middle = |series: &Series| series.points.get(series.points.len() / 2).and_then(|point| point.y);
    let mut ends: Vec<(&str, f64)> =
        seen.iter().filter_map(|series| Some((series.name.as_str(), middle(series)?))).collect();
    ends.sort_by(|a, b| a.1.total_cmp(&b.1));
    let name = capital(&show.name);
    let amount =
        |value: f64| format!("{} {}", number::significant(value, 2), show.unit).trim_end().to_owned();
    let place = view.typical().map_or(String::new(), |place| format!(" at {}", view.label(place)));
    match (ends.as_slice(), never) {
        ([], _) => name,
        ([(only, value)], []) => format!("{name}: {}{place}, {only}", amount(*value)),
        ([(least, low), .., (most, high)], []) if *high < 1.1 * low => {
            format!(
                "{name}: nearly the same for all, {} ({least}) to {} ({most}){place}",
                amount(*low),
                amount(*high)
            )
        }
        ([(least, low), .., (most, high)], []) => {
            format!(
                "{name}: least with {least} ({}), most with {most} ({}){place}",
                amount(*low),
                amount(*high)
            )
        }
        ([.., (most, high)], never) => {
            format!("{name}: never with {}, most with {most} ({}){place}", join(never), amount(*high))
        }
    }
}

fn downtime(view: &View<'_>, subtitle: &str) -> Option<StackedBars> {
    const HOUR: f64 = 3600.0;
    let causes: Vec<String> = CAUSES.iter().map(|cause| format!("downtime_{cause}")).collect();
    let (mut places, mut idle) = view.distinct(&causes.iter().map(String::as_str).collect::<Vec<_>>());
    if places.len() > GROUPS_MAX {
        (places, idle) = (view.typical().into_iter().collect(), Vec::new());
    }
    let mut groups = Vec::new();
    for place in places {
        let bars: Vec<Bar> = view
            .policies
            .iter()
            .enumerate()
            .filter_map(|(slot, policy)| {
                let total = view.get(place, policy, "downtime")?;
                let hours = |value: Option<f64>| value.map(|value| value / HOUR);
                let total = Estimate {
                    estimate: total.estimate / HOUR,
                    low: hours(total.low),
                    high: hours(total.high),
                };
                let amount = |cause: &&str| {
                    let amount = view.get(place, policy, &format!("downtime_{cause}"));
                    amount.map_or(0.0, |amount| amount.estimate / HOUR)
                };
                let amounts = CAUSES.iter().map(amount).collect();
                let total = Point::recorded(0.0, Some(total));
                Some(Bar { name: (*policy).to_owned(), slot, amounts, total })
            })
            .collect();
        if !bars.is_empty() {
            groups.push(Group { name: view.label_without(place, &idle), bars });
        }
    }
    if groups.is_empty() {
        return None;
    }
    let mut chart = StackedBars::downtime(&largest_cause(view, view.typical()?), subtitle, "h/yr");
    chart.groups = groups;
    let whatever = view.whatever(&idle);
    if !whatever.is_empty() {
        chart.notes.push(format!("Equal {whatever}."));
    }
    Some(chart)
}

/// The cause that most policies lose most of their time to.
fn largest_cause(view: &View<'_>, place: &[AxisValue]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for policy in &view.policies {
        if let Some((cause, _)) = verdict::shares(view, place, policy).first() {
            match counts.iter_mut().find(|(other, _)| other == cause) {
                Some((_, count)) => *count += 1,
                None => counts.push((cause, 1)),
            }
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let Some((cause, count)) = counts.first() else { return "Where the downtime goes".to_owned() };
    let all = view.policies.len();
    let of = match all {
        1 => String::new(),
        _ if *count == all => " for every policy".to_owned(),
        _ => format!(" for {count} of {all} policies"),
    };
    let at = match view.label(place) {
        label if label.is_empty() => String::new(),
        label => format!(" at {label}"),
    };
    format!("{} is the largest part of the downtime{of}{at}", capital(&words::cause(cause)))
}

/// A distribution with a promise about it.
struct Limited {
    /// Measures `…_mean`, `…_p95` and `…_max`.
    measure: &'static str,
    axis: &'static str,
    title: &'static str,
    promise: fn(&Bounds) -> Option<&Promise>,
}

const WINDOWS: Limited = Limited {
    measure: "split_brain_window",
    axis: "length of a split-brain window",
    title: "The longest split-brain window",
    promise: |bounds| Some(&bounds.split_brain),
};

const LOSSES: Limited = Limited {
    measure: "loss_age",
    axis: "age of the oldest lost write",
    title: "The oldest lost write",
    promise: |bounds| bounds.loss_age.as_ref(),
};

/// Mean, 95th percentile and maximum of a measure beside the promise; at the middle of the main axis, or at every
/// place where there are few.
fn limits(outcome: &Outcome, view: &View<'_>, subtitle: &str, of: &Limited) -> Option<BoundChart> {
    let names = ["mean", "p95", "max"].map(|end| format!("{}_{end}", of.measure));
    let (mut places, mut idle) = match view.main_axis() {
        Some(_) => (Vec::new(), Vec::new()),
        None => view.distinct(&names.each_ref().map(String::as_str)),
    };
    if places.is_empty() || places.len() > GROUPS_MAX {
        (places, idle) = (view.typical().into_iter().collect(), Vec::new());
    }
    let mut rows = Vec::new();
    let mut is_seen = false;
    let mut widest: Option<(&str, f64)> = None;
    let mut is_beyond = false;
    for place in &places {
        for (slot, policy) in view.policies.iter().enumerate() {
            let kinds = [MarkKind::Mean, MarkKind::P95, MarkKind::Max];
            let marks: Vec<Mark> = names
                .iter()
                .zip(kinds)
                .filter_map(|(name, kind)| {
                    let value = view.get(place, policy, name)?;
                    (value.estimate > 0.0).then(|| Mark { kind, value: Point::recorded(0.0, Some(value)) })
                })
                .collect();
            let largest = view.get(place, policy, &names[2]).map(|value| value.estimate);
            let Some(largest) = largest else { continue };
            is_seen |= !marks.is_empty();
            if widest.is_none_or(|(_, value)| largest > value) {
                widest = Some((policy, largest));
            }
            let bounds = outcome.bounds.get(slot).and_then(Option::as_ref);
            let bound = bounds.and_then(of.promise).map(|bound| match bound.secs {
                Some(value) => {
                    is_beyond |= largest > value;
                    Bound::Limit { value, text: number::duration_at_most(value), class: bound.class.clone() }
                }
                None => Bound::Unbounded { grows_with: bound.class.clone() },
            });
            let group = if places.len() > 1 { view.label_without(place, &idle) } else { String::new() };
            rows.push(BoundRow { group, name: (*policy).to_owned(), slot, marks, bound });
        }
    }
    let (name, value) = widest.filter(|_| is_seen)?;
    let title = format!("{}: {}, {name}", of.title, number::duration(value));
    let place = match places.as_slice() {
        [one] => view.label(one),
        _ => String::new(),
    };
    let axis = Axis::log(of.axis).ticked(Ticks::Durations);
    let mut chart = BoundChart::new(&title, &at(&place, subtitle), axis);
    chart.rows = rows;
    let whatever = view.whatever(&idle);
    if !whatever.is_empty() {
        chart.notes.push(format!("Equal {whatever}."));
    }
    if is_beyond {
        let note = "What lies beyond its bound comes of faults that the bound does not speak of: cuts, second faults.";
        chart.notes.push(note.to_owned());
    }
    Some(chart)
}
