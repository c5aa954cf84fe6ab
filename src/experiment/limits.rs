//! Charts of a distribution beside the policies' promises about it: split-brain windows, and the age of lost writes.

use super::figures::{GROUPS_MAX, at};
use super::outcome::Outcome;
use super::view::View;
use super::words::join;
use crate::policy::contract::{Bound as Promise, Bounds};
use crate::record::AxisValue;
use crate::report::chart::{Axis, Bound, BoundChart, BoundRow, Mark, MarkKind, Point, Ticks};
use crate::report::number;

/// A distribution with a promise about it.
pub(super) struct Limited {
    axis: &'static str,
    title: &'static str,
    promise: fn(&Bounds) -> Option<&Promise>,
    /// What the promise speaks of: measures `…_mean`, `…_p95` and `…_max`.
    promised: Kind,
    /// What it does not speak of, where that is measured apart.
    others: Option<Kind>,
}

/// Events of one kind.
struct Kind {
    measure: &'static str,
    /// In a heading; empty where there is one kind only.
    words: &'static str,
}

pub(super) const WINDOWS: Limited = Limited {
    axis: "length of a split-brain window",
    title: "The longest split-brain window",
    promise: |bounds| Some(&bounds.split_brain),
    promised: Kind { measure: "split_brain_window", words: "" },
    others: None,
};

pub(super) const LOSSES: Limited = Limited {
    axis: "age of the oldest lost write",
    title: "The oldest lost write",
    promise: |bounds| bounds.loss_age.as_ref(),
    promised: Kind { measure: "in_class_loss_age", words: "faults that the bound speaks of" },
    others: Some(Kind { measure: "out_of_class_loss_age", words: "other faults: cuts, second faults" }),
};

const MARKS: [(&str, MarkKind); 3] =
    [("mean", MarkKind::Mean), ("p95", MarkKind::P95), ("max", MarkKind::Max)];

impl Kind {
    fn marks(&self, view: &View<'_>, place: &[AxisValue], policy: &str) -> Vec<Mark> {
        let mark = |(end, kind): (&str, MarkKind)| {
            let value = view.get(place, policy, &format!("{}_{end}", self.measure))?;
            (value.estimate > 0.0).then(|| Mark { kind, value: Point::recorded(0.0, Some(value)) })
        };
        MARKS.into_iter().filter_map(mark).collect()
    }

    fn largest(&self, view: &View<'_>, place: &[AxisValue], policy: &str) -> Option<f64> {
        view.get(place, policy, &format!("{}_max", self.measure)).map(|value| value.estimate)
    }
}

/// A largest value: whose it is, and where.
#[derive(Clone)]
struct Largest<'a> {
    policy: &'a str,
    place: String,
    value: f64,
}

/// Values within this share of the largest are of the same event, as one long cut that meets every policy.
const SAME: f64 = 0.99;

/// The largest value in words, and all who share it.
fn told(found: &[Largest<'_>]) -> Option<(String, String)> {
    let largest = found.iter().max_by(|a, b| a.value.total_cmp(&b.value))?;
    let same: Vec<&str> = found
        .iter()
        .filter(|other| other.value >= SAME * largest.value && other.place == largest.place)
        .map(|other| other.policy)
        .collect();
    let place = if largest.place.is_empty() { String::new() } else { format!(" at {}", largest.place) };
    Some((number::duration_at_most(largest.value), format!("{}{place}", join(&same))))
}

/// Mean, 95th percentile and maximum beside the promise; at the middle of the main axis, or at every place where there
/// are few.
pub(super) fn chart(outcome: &Outcome, view: &View<'_>, subtitle: &str, of: &Limited) -> Option<BoundChart> {
    let (places, idle) = places(outcome, view, of);
    let kinds: Vec<&Kind> = std::iter::once(&of.promised).chain(&of.others).collect();
    let (mut rows, mut inside, mut outside) = (Vec::new(), Vec::new(), Vec::new());
    let (mut is_bounded, mut is_beyond) = (false, false);
    for place in &places {
        let label = if places.len() > 1 { view.label_without(place, &idle) } else { String::new() };
        let promises = promises(outcome, view, place, of);
        let is_seen = |policy: &str| kinds.iter().any(|kind| !kind.marks(view, place, policy).is_empty());
        for (index, kind) in kinds.iter().enumerate() {
            for (slot, policy) in view.policies.iter().enumerate() {
                let marks = kind.marks(view, place, policy);
                let promise = promises.get(slot).copied().flatten().filter(|_| index == 0);
                if marks.is_empty() && (promise.is_none() || !is_seen(policy)) {
                    continue;
                }
                if let Some(value) = kind.largest(view, place, policy) {
                    let largest = Largest { policy, place: label.clone(), value };
                    if index == 0 { &mut inside } else { &mut outside }.push(largest);
                    let limit = promise.and_then(|promise| promise.secs);
                    is_bounded |= limit.is_some();
                    is_beyond |= limit.is_some_and(|limit| value > limit * (1.0 + 1e-9));
                }
                let parts: Vec<&str> =
                    [label.as_str(), kind.words].into_iter().filter(|part| !part.is_empty()).collect();
                rows.push(BoundRow {
                    group: parts.join(": "),
                    name: (*policy).to_owned(),
                    slot,
                    marks,
                    bound: promise.map(bound),
                });
            }
        }
    }
    let title = title(of, told(&inside), told(&outside), is_bounded && !is_beyond)?;
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
    if is_beyond && of.others.is_none() {
        let note = "What lies beyond its bound comes of faults that the bound does not speak of: cuts, second faults.";
        chart.notes.push(note.to_owned());
    }
    Some(chart)
}

fn title(
    of: &Limited,
    inside: Option<(String, String)>,
    outside: Option<(String, String)>,
    holds: bool,
) -> Option<String> {
    match (inside, outside) {
        (Some(_), Some((value, whose))) if holds => Some(format!(
            "No loss is older than its bound; faults outside its class lose up to {value} ({whose})"
        )),
        (None, Some((value, whose))) => {
            Some(format!("Only faults that no bound speaks of lose writes: up to {value} old ({whose})"))
        }
        (Some((value, whose)), None) if holds && of.others.is_some() => {
            Some(format!("No loss is older than its bound; the oldest: {value} with {whose}"))
        }
        (Some((value, whose)), _) => Some(format!("{}: {value} with {whose}", of.title)),
        (None, None) => None,
    }
}

fn bound(promise: &Promise) -> Bound {
    match promise.secs {
        Some(value) => {
            Bound::Limit { value, text: number::duration_at_most(value), class: promise.class.clone() }
        }
        None => Bound::Unbounded { grows_with: promise.class.clone() },
    }
}

/// What each policy promises at a place.
fn promises<'a>(
    outcome: &'a Outcome,
    view: &View<'_>,
    place: &[AxisValue],
    of: &Limited,
) -> Vec<Option<&'a Promise>> {
    let index = view.places.iter().position(|other| *other == place);
    let bounds = index.and_then(|index| outcome.bounds.get(index));
    let promise = |bounds: &'a Option<Bounds>| bounds.as_ref().and_then(of.promise);
    bounds.map_or(Vec::new(), |bounds| bounds.iter().map(promise).collect())
}

/// Where it is drawn, and the axes that matter neither to what was seen nor to what is promised.
fn places<'a>(outcome: &Outcome, view: &View<'a>, of: &Limited) -> (Vec<&'a [AxisValue]>, Vec<usize>) {
    let typical = || (view.typical().into_iter().collect(), Vec::new());
    if view.main_axis().is_some() {
        return typical();
    }
    let kinds = std::iter::once(&of.promised).chain(&of.others);
    let names: Vec<String> =
        kinds.flat_map(|kind| MARKS.map(|(end, _)| format!("{}_{end}", kind.measure))).collect();
    let (places, idle) = view.distinct(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let is_like = |a: &[AxisValue], b: &[AxisValue]| {
        a.iter().zip(b).enumerate().all(|(axis, (a, b))| idle.contains(&axis) || a == b)
    };
    let promised = |place: &[AxisValue]| promises(outcome, view, place, of);
    let is_told = view
        .places
        .iter()
        .all(|place| places.iter().any(|kept| is_like(kept, place) && promised(kept) == promised(place)));
    match (places.len(), is_told) {
        (1..=GROUPS_MAX, true) => (places, idle),
        (_, false) if view.places.len() <= GROUPS_MAX => (view.places.clone(), Vec::new()),
        _ => typical(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn largest<'a>(policy: &'a str, place: &str, value: f64) -> Largest<'a> {
        Largest { policy, place: place.to_owned(), value }
    }

    #[test]
    fn all_who_share_the_largest_are_named() {
        let found = [
            largest("warm", "", 541_000.0),
            largest("hot", "", 541_300.0),
            largest("cold", "", 400_000.0),
            largest("pair", "", 541_200.0),
        ];
        assert_eq!(told(&found), Some(("6d 6h 22m".to_owned(), "warm, hot and pair".to_owned())));
        let found = [largest("a", "duty off", 10.0), largest("b", "duty on", 10.0)];
        assert_eq!(told(&found), Some(("10s".to_owned(), "b at duty on".to_owned())));
        assert_eq!(told(&[]), None);
    }

    #[test]
    fn a_bound_is_only_called_kept_where_it_is() {
        let said = |inside: Option<&str>, outside: Option<&str>, holds| {
            let told = |value: Option<&str>| value.map(|value| (value.to_owned(), "pair".to_owned()));
            title(&LOSSES, told(inside), told(outside), holds)
        };
        let whole = "No loss is older than its bound; faults outside its class lose up to 4h (pair)";
        assert_eq!(said(Some("6s"), Some("4h"), true).as_deref(), Some(whole));
        assert_eq!(
            said(Some("7s"), Some("4h"), false).as_deref(),
            Some("The oldest lost write: 7s with pair")
        );
        assert_eq!(said(None, None, true), None);
    }
}
