//! The charts of a result. A chart without data is left out.

use super::limits::{self, LOSSES, WINDOWS};
use super::outcome::Outcome;
use super::reports::Report;
use super::shown::shown;
use super::verdict;
use super::view::{View, name_and_unit};
use super::words::{self, capital, join};
use crate::record::{AxisValue, Estimate};
use crate::report::chart::{Axis, Bar, CAUSES, Chart, Group, LineChart, Point, Series, StackedBars, Twin};
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
pub(super) const GROUPS_MAX: usize = 6;

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
        let windows = limits::chart(outcome, &view, &subtitle, &WINDOWS);
        list.extend(windows.map(|chart| Figure::new("split-brain-windows", chart)));
    }
    if view.asked.wants(Report::Data) {
        let losses = limits::chart(outcome, &view, &subtitle, &LOSSES);
        list.extend(losses.map(|chart| Figure::new("data-loss", chart)));
    }
    list
}

/// A chart for each measure that is asked for; the usual ones are the time not safely up, the time down, and that in
/// split brain.
fn over_axis(view: &View<'_>, axis: usize, subtitle: &str) -> Vec<Figure> {
    let usual = ["safe_availability", "unavailability", "split_brain_time"];
    let asked = &view.asked.measures;
    let measures: Vec<&str> =
        if asked.is_empty() { usual.to_vec() } else { asked.iter().map(String::as_str).collect() };
    let is_down = |measure: &&str| matches!(*measure, "availability" | "unavailability" | "downtime");
    let mut list: Vec<Figure> = Vec::new();
    for measure in &measures {
        let figure = match *measure {
            // Where no policy is ever up without being safe, both charts would be the same.
            "safe_availability" if measures.iter().any(is_down) && !is_ever_up_unsafe(view) => None,
            "safe_availability" => {
                not_safely_up(view, axis, subtitle).map(|chart| Figure::new("not-safely-up", chart))
            }
            _ if is_down(measure) => {
                unavailability(view, axis, subtitle).map(|chart| Figure::new("unavailability", chart))
            }
            _ => {
                let chart = measured(view, axis, subtitle, measure);
                chart.map(|chart| Figure::new(&measure.replace('_', "-"), chart))
            }
        };
        list.extend(figure.filter(|figure| list.iter().all(|other| other.name != figure.name)));
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
pub(super) fn at(place: &str, subtitle: &str) -> String {
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

/// Whether any policy is up anywhere without being safe.
fn is_ever_up_unsafe(view: &View<'_>) -> bool {
    let is_more = |place: &[AxisValue], policy: &str| {
        let not_safe = verdict::unsafe_share(view, place, policy);
        let down = view.get(place, policy, "unavailability");
        not_safe.zip(down).is_some_and(|(a, b)| a.estimate > b.estimate * (1.0 + 1e-9))
    };
    view.places.iter().any(|place| view.policies.iter().any(|policy| is_more(place, policy)))
}

/// The time down, split or stale.
fn not_safely_up(view: &View<'_>, axis: usize, subtitle: &str) -> Option<LineChart> {
    let value = |place: &[AxisValue], policy: &str| verdict::unsafe_share(view, place, policy);
    let title = |_: &[Series], _: &[&str]| verdict::headline(view);
    shares(view, axis, subtitle, "share of time not safely up: down, split or stale", value, title)
}

fn unavailability(view: &View<'_>, axis: usize, subtitle: &str) -> Option<LineChart> {
    let value = |place: &[AxisValue], policy: &str| view.get(place, policy, "unavailability");
    let title = |seen: &[Series], never: &[&str]| {
        comparison(view, "unavailability", "Unavailability", &number::hours_a_year, seen, never)
    };
    shares(view, axis, subtitle, "unavailability (down)", value, title)
}

/// A share of time over the main axis, with a second reading in time a year.
fn shares(
    view: &View<'_>,
    axis: usize,
    subtitle: &str,
    label: &str,
    value: impl Fn(&[AxisValue], &str) -> Option<Estimate>,
    title: impl Fn(&[Series], &[&str]) -> String,
) -> Option<LineChart> {
    let (series, only_at) = lines(view, axis, value);
    if series.is_empty() {
        return None;
    }
    let (seen, never): (Vec<&Series>, Vec<&Series>) = series.iter().partition(|series| is_seen(series));
    let vertical = if seen.is_empty() { Axis::linear(label) } else { Axis::log(label) };
    let seen: Vec<Series> = seen.into_iter().cloned().collect();
    let never: Vec<&str> = never.iter().map(|series| series.name.as_str()).collect();
    let title = title(&seen, &never);
    let mut chart = LineChart::new(&title, &at(&only_at, subtitle), horizontal(view, axis), vertical);
    chart.twin = (!seen.is_empty()).then(Twin::time_per_year);
    chart.series = series;
    Some(chart)
}

fn is_seen(series: &Series) -> bool {
    series.points.iter().any(|point| point.y.is_some_and(|y| y > 0.0))
}

/// Whether the axis moves a line by no more than a tenth, or by less than can be told from chance: one value lies in
/// all intervals.
fn is_flat(series: &Series) -> bool {
    let ends = |least: fn(&Point) -> Option<f64>, most: fn(&Point) -> Option<f64>| {
        let low = series.points.iter().filter_map(least).fold(f64::INFINITY, libm::fmin);
        (low, series.points.iter().filter_map(most).fold(0.0, libm::fmax))
    };
    let (low, high) = ends(|point| point.y, |point| point.y);
    let (least_high, most_low) = ends(|point| point.high, |point| point.low);
    high < 1.1 * low || (most_low <= least_high && series.points.iter().all(|point| point.high.is_some()))
}

/// One measure over the main axis. Policies in which it was never seen, or cannot be, are named below. Nothing is drawn
/// where all there is to see is one policy that the axis does not move.
fn measured(view: &View<'_>, axis: usize, subtitle: &str, measure: &str) -> Option<LineChart> {
    let show = shown(measure);
    let value =
        |place: &[AxisValue], policy: &str| view.get(place, policy, measure).map(|found| show.of(found));
    let (series, only_at) = lines(view, axis, value);
    let (seen, never): (Vec<Series>, Vec<Series>) = series.into_iter().partition(is_seen);
    if seen.is_empty() || matches!(seen.as_slice(), [only] if is_flat(only)) {
        return None;
    }
    let positive = || seen.iter().flat_map(|line| &line.points).filter_map(|p| p.y).filter(|y| *y > 0.0);
    let (low, high) = (positive().fold(f64::INFINITY, f64::min), positive().fold(0.0, f64::max));
    let vertical = if high >= 4.0 * low { Axis::log(&show.heading()) } else { Axis::linear(&show.heading()) };
    let never: Vec<&str> = never.iter().map(|line| line.name.as_str()).collect();
    let title = finding(view, measure, &seen, &never);
    let mut chart = LineChart::new(&title, &at(&only_at, subtitle), horizontal(view, axis), vertical);
    if !never.is_empty() {
        chart.notes.push(format!("Never seen: {}", never.join(" · ")));
    }
    let has = |policy: &&&str| view.places.iter().any(|place| view.get(place, policy, measure).is_some());
    let without: Vec<&str> = view.policies.iter().filter(|policy| !has(policy)).copied().collect();
    if !without.is_empty() {
        chart.notes.push(format!("It cannot happen with: {}", without.join(" · ")));
    }
    chart.series = seen;
    Some(chart)
}

/// What a chart of one measure shows.
fn finding(view: &View<'_>, measure: &str, seen: &[Series], never: &[&str]) -> String {
    if measure == "split_brain_time" {
        let names: Vec<&str> = seen.iter().map(|series| series.name.as_str()).collect();
        let others = if never.is_empty() { String::new() } else { format!("; none seen in {}", join(never)) };
        return match names.len() {
            1..=4 => format!("Two nodes accept at once in {}{others}", join(&names)),
            many => {
                let all = view.policies.len().max(many + never.len());
                format!("Two nodes accept at once in {many} of {all} policies{others}")
            }
        };
    }
    let show = shown(measure);
    let amount =
        |value: f64| format!("{} {}", number::significant(value, 2), show.unit).trim_end().to_owned();
    comparison(view, measure, &capital(&show.name), &amount, seen, never)
}

/// Who has least of a measure where, and most of it at the middle of the axis.
fn comparison(
    view: &View<'_>,
    measure: &str,
    name: &str,
    amount: &dyn Fn(f64) -> String,
    seen: &[Series],
    never: &[&str],
) -> String {
    let middle = |series: &Series| series.points.get(series.points.len() / 2).and_then(|point| point.y);
    let mut ends: Vec<(&str, f64)> =
        seen.iter().filter_map(|series| Some((series.name.as_str(), middle(series)?))).collect();
    ends.sort_by(|a, b| a.1.total_cmp(&b.1));
    let place = view.typical().map_or(String::new(), |place| format!(" at {}", view.label(place)));
    let is_one_line_each = view.main_axis().is_some() && view.points.axes.len() == 1;
    let least = if never.is_empty() && is_one_line_each { verdict::least(view, measure) } else { None };
    match (ends.as_slice(), never) {
        ([], _) => name.to_owned(),
        ([(only, value)], []) => format!("{name}: {}{place}, {only}", amount(*value)),
        (_, []) if least.is_some() => format!("{name}: least with {}", least.unwrap_or_default()),
        ([(least, low), .., (most, high)], []) if *high < 1.1 * low => {
            let (low, high) = (amount(*low), amount(*high));
            let range = if low == high { low } else { format!("{low} ({least}) to {high} ({most})") };
            format!("{name}: nearly the same for all, {range}{place}")
        }
        ([(least, low), .., (most, high)], []) => {
            let (low, high) = (amount(*low), amount(*high));
            format!("{name}: least with {least} ({low}), most with {most} ({high}){place}")
        }
        ([(only, value)], never) => {
            format!("{name}: none seen with {}; {} with {only}{place}", join(never), amount(*value))
        }
        ([(least, low), .., (most, high)], never) => {
            let (low, high) = (amount(*low), amount(*high));
            format!("{name}: none seen with {}; {low} ({least}) to {high} ({most}){place}", join(never))
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
    for &place in &places {
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
    let mut chart = StackedBars::downtime(&largest_causes(view, &places, &idle), subtitle, "h/yr");
    chart.groups = groups;
    let whatever = view.whatever(&idle);
    if !whatever.is_empty() {
        chart.notes.push(format!("Equal {whatever}."));
    }
    Some(chart)
}

/// The cause that most policies lose most of their time to, and where it is another one.
fn largest_causes(view: &View<'_>, places: &[&[AxisValue]], idle: &[usize]) -> String {
    let found: Vec<(&str, &[AxisValue])> =
        places.iter().filter_map(|place| Some((largest_cause(view, place)?.0, *place))).collect();
    let Some((first, _)) = found.first() else { return "Where the downtime goes".to_owned() };
    let all = view.policies.len();
    let agree = |(_, place): &(&str, &[AxisValue])| largest_cause(view, place).is_some_and(|(_, n)| n == all);
    let what = match found.iter().all(agree) {
        true => "Downtime is mostly",
        false => "The largest part of the downtime in the most policies:",
    };
    if found.len() > 1 && found.iter().all(|(other, _)| other == first) {
        return format!("{what} {} everywhere", words::cause(first));
    }
    if found.len() > 1 && view.main_axis().is_some() && view.points.axes.len() == 1 {
        let cause = |place: &[AxisValue]| words::cause(largest_cause(view, place).map_or("none", |(c, _)| c));
        return format!("{what} {}", verdict::spans(view, cause));
    }
    let parts: Vec<String> = found
        .iter()
        .map(|(cause, place)| match view.label_without(place, idle) {
            at if at.is_empty() => words::cause(cause),
            at => format!("{} at {at}", words::cause(cause)),
        })
        .collect();
    format!("{what} {}", parts.join(", "))
}

/// The cause that most policies lose most of their time to, with how many they are.
fn largest_cause(view: &View<'_>, place: &[AxisValue]) -> Option<(&'static str, usize)> {
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
    counts.first().copied()
}
