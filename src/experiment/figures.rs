//! The charts of a result. A chart without data is left out.

use super::outcome::Outcome;
use super::verdict;
use super::view::{View, name_and_unit};
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
    pub name: &'static str,
    /// The chart.
    pub chart: Chart,
}

impl Figure {
    fn new(name: &'static str, chart: impl Into<Chart>) -> Figure {
        Figure { name, chart: chart.into() }
    }
}

/// More lines than this make a chart unreadable: only those at the first values of the other axes are drawn.
const LINES_MAX: usize = 8;

/// All charts of a result.
pub fn figures(outcome: &Outcome) -> Vec<Figure> {
    let view = View::new(&outcome.points, &outcome.pairs);
    let subtitle = subtitle(outcome, &view);
    let mut list = Vec::new();
    if let Some(axis) = view.main_axis() {
        list.extend(unavailability(&view, axis, &subtitle).map(|chart| Figure::new("unavailability", chart)));
        list.extend(
            split_brain_time(&view, axis, &subtitle).map(|chart| Figure::new("split-brain-time", chart)),
        );
    }
    list.extend(downtime(&view, &subtitle).map(|chart| Figure::new("downtime", chart)));
    let windows =
        limits(outcome, &view, &subtitle, "split_brain_window", "length of a split-brain window", |bounds| {
            Some(&bounds.split_brain)
        });
    list.extend(windows.map(|chart| Figure::new("split-brain-windows", chart)));
    let losses = limits(outcome, &view, &subtitle, "loss_age", "age of the oldest lost write", |bounds| {
        bounds.loss_age.as_ref()
    });
    list.extend(losses.map(|chart| Figure::new("data-loss", chart)));
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

/// One line per policy, and per combination of the other axes where that stays readable.
fn lines(
    view: &View<'_>,
    axis: usize,
    value: impl Fn(&[AxisValue], &str) -> Option<Estimate>,
) -> Vec<Series> {
    let mut starts: Vec<&[AxisValue]> = Vec::new();
    for place in &view.places {
        let same = |other: &&[AxisValue]| {
            other.iter().zip(*place).enumerate().all(|(i, (a, b))| i == axis || a == b)
        };
        if !starts.iter().any(same) {
            starts.push(place);
        }
    }
    if starts.len() * view.policies.len() > LINES_MAX {
        starts.truncate(1);
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
    series
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
    let series = lines(view, axis, |place, policy| verdict::unsafe_share(view, place, policy));
    if series.is_empty() {
        return None;
    }
    let is_log = series.iter().flat_map(|line| &line.points).any(|point| point.y.is_some_and(|y| y > 0.0));
    let label = "unavailability (not safely up)";
    let vertical = if is_log { Axis::log(label) } else { Axis::linear(label) };
    let title = verdict::headline(view);
    let mut chart = LineChart::new(&title, subtitle, horizontal(view, axis), vertical);
    chart.series = series;
    chart.twin = is_log.then(Twin::downtime_per_year);
    Some(chart)
}

fn split_brain_time(view: &View<'_>, axis: usize, subtitle: &str) -> Option<LineChart> {
    let series = lines(view, axis, |place, policy| view.get(place, policy, "split_brain_time"));
    let is_seen = |series: &Series| series.points.iter().any(|point| point.y.is_some_and(|y| y > 0.0));
    if !series.iter().any(is_seen) {
        return None;
    }
    let (seen, never): (Vec<Series>, Vec<Series>) = series.into_iter().partition(is_seen);
    let names: Vec<&str> = seen.iter().map(|line| line.name.as_str()).collect();
    let title = match names.as_slice() {
        [one] => format!("Only {one} has two nodes accepting at once"),
        many => format!("{} of {} have two nodes accepting at once", many.len(), many.len() + never.len()),
    };
    let mut chart =
        LineChart::new(&title, subtitle, horizontal(view, axis), Axis::log("split brain, seconds per year"));
    if !never.is_empty() {
        let names: Vec<&str> = never.iter().map(|line| line.name.as_str()).collect();
        chart.notes = vec![format!("Never seen: {}.", names.join(", "))];
    }
    chart.series = seen;
    Some(chart)
}

fn downtime(view: &View<'_>, subtitle: &str) -> Option<StackedBars> {
    const HOUR: f64 = 3600.0;
    let mut groups = Vec::new();
    for place in view.selected().into_iter().take(12) {
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
            groups.push(Group { name: view.label(place), bars });
        }
    }
    if groups.is_empty() {
        return None;
    }
    let middle = view.selected()[view.selected().len() / 2];
    let mut chart = StackedBars::downtime(&largest_cause(view, middle), subtitle, "h/yr");
    chart.groups = groups;
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
    match counts.first() {
        Some((cause, count)) => format!(
            "Where the downtime goes: {} is the largest part for {count} of {}",
            cause.replace('_', " "),
            view.policies.len()
        ),
        None => "Where the downtime goes".to_owned(),
    }
}

/// Mean, 95th percentile and maximum of a measure at the middle point, beside the promise.
fn limits(
    outcome: &Outcome,
    view: &View<'_>,
    subtitle: &str,
    measure: &str,
    label: &str,
    promise: impl Fn(&Bounds) -> Option<&Promise>,
) -> Option<BoundChart> {
    let selected = view.selected();
    let place = *selected.get(selected.len() / 2)?;
    let mut rows = Vec::new();
    let mut is_seen = false;
    let mut widest: Option<(&str, f64)> = None;
    for (slot, policy) in view.policies.iter().enumerate() {
        let kinds = [("mean", MarkKind::Mean), ("p95", MarkKind::P95), ("max", MarkKind::Max)];
        let marks: Vec<Mark> = kinds
            .into_iter()
            .filter_map(|(end, kind)| {
                let value = view.get(place, policy, &format!("{measure}_{end}"))?;
                (value.estimate > 0.0).then(|| Mark { kind, value: Point::recorded(0.0, Some(value)) })
            })
            .collect();
        let largest = view.get(place, policy, &format!("{measure}_max")).map(|value| value.estimate);
        let Some(largest) = largest else { continue };
        is_seen |= !marks.is_empty();
        if widest.is_none_or(|(_, value)| largest > value) {
            widest = Some((policy, largest));
        }
        let bounds = outcome.bounds.get(slot).and_then(Option::as_ref);
        let bound = bounds.and_then(&promise).map(|bound| match bound.secs {
            Some(value) => {
                Bound::Limit { value, text: number::duration_at_most(value), class: bound.class.clone() }
            }
            None => Bound::Unbounded { grows_with: bound.class.clone() },
        });
        rows.push(BoundRow { group: String::new(), name: (*policy).to_owned(), slot, marks, bound });
    }
    let (name, value) = widest.filter(|_| is_seen)?;
    let title = format!("The longest {label}: {}, {name}", number::duration(value))
        .replace("longest age", "greatest age");
    let title = title.replace("The longest length of a", "The longest");
    let at = if view.places.len() > 1 {
        format!("{} · {subtitle}", view.label(place))
    } else {
        subtitle.to_owned()
    };
    let mut chart = BoundChart::new(&title, &at, Axis::log(label).ticked(Ticks::Durations));
    chart.rows = rows;
    Some(chart)
}
