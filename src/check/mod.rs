//! A result against its committed baseline, and against the gates of its experiment.
//!
//! Equal inputs give equal bytes, so the comparison is exact: whatever differs is named with its old and new value.
//! Nothing here prints. Start with [`compare`].

use crate::experiment::view::View;
use crate::model::experiment_file::Gate;
use crate::record::{Estimate, Input, Manifest, Points, Row};

/// One difference from the baseline.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Something that went in is not what it was.
    Input(String),
    /// A point or policy that the baseline does not have.
    Added(String),
    /// One that it has and the new result has not.
    Removed(String),
    /// A figure that moved.
    Moved {
        /// Point and policy.
        at: String,
        /// The measure.
        measure: String,
        /// As it was.
        old: Option<Estimate>,
        /// As it is.
        new: Option<Estimate>,
    },
    /// The runs went differently and no figure moved.
    Fingerprint(String),
}

/// A result as it was recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The points.
    pub points: Points,
    /// What made them.
    pub manifest: Manifest,
}

/// Everything in which two results differ, inputs first.
pub fn compare(old: &Recorded, new: &Recorded) -> Vec<Change> {
    let mut changes = inputs(&old.manifest, &new.manifest);
    if old.points.axes != new.points.axes {
        let axes = |points: &Points| points.axes.join(", ");
        changes.push(Change::Input(format!("the axes ({} → {})", axes(&old.points), axes(&new.points))));
        return changes;
    }
    let pairs = crate::record::Pairs::default();
    let (before, after) = (View::new(&old.points, &pairs), View::new(&new.points, &pairs));
    let name = |view: &View<'_>, row: &Row| {
        if row.axes.is_empty() {
            row.policy.clone()
        } else {
            format!("{}, {}", view.label(&row.axes), row.policy)
        }
    };
    for row in &old.points.rows {
        if after.row(&row.axes, &row.policy).is_none() {
            changes.push(Change::Removed(name(&before, row)));
        }
    }
    let mut measures = old.points.measures.clone();
    measures.extend(new.points.measures.iter().filter(|name| !old.points.measures.contains(name)).cloned());
    for row in &new.points.rows {
        let Some(was) = before.row(&row.axes, &row.policy) else {
            changes.push(Change::Added(name(&after, row)));
            continue;
        };
        let count = changes.len();
        for measure in &measures {
            let at = (&row.axes, row.policy.as_str());
            let (old, new) = (before.get(at.0, at.1, measure), after.get(at.0, at.1, measure));
            if old != new {
                changes.push(Change::Moved { at: name(&after, row), measure: measure.clone(), old, new });
            }
        }
        if changes.len() == count && (was.fingerprint != row.fingerprint || was.runs != row.runs) {
            changes.push(Change::Fingerprint(name(&after, row)));
        }
    }
    changes
}

fn inputs(old: &Manifest, new: &Manifest) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut add = |what: String| changes.push(Change::Input(what));
    if old.version != new.version {
        add(format!("the version of failsim ({} → {})", old.version, new.version));
    }
    if old.seed != new.seed {
        add(format!("the seed ({} → {})", old.seed, new.seed));
    }
    let title = |input: &Input| format!("{} `{}`", input.role, input.name);
    for input in &new.inputs {
        match old.inputs.iter().find(|other| other.role == input.role && other.name == input.name) {
            None => add(format!("{} (new)", title(input))),
            Some(other) if other.text != input.text => add(title(input)),
            Some(_) => {}
        }
    }
    for input in &old.inputs {
        if !new.inputs.iter().any(|other| other.role == input.role && other.name == input.name) {
            add(format!("{} (gone)", title(input)));
        }
    }
    changes
}

/// How a gate came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The whole interval lies inside the limits.
    Passed,
    /// The interval reaches over a limit: more runs would tell.
    Inconclusive,
    /// The whole interval lies outside a limit, or there is nothing to measure.
    Failed,
}

/// A gate at one point for one policy.
#[derive(Clone, Debug)]
pub struct GateResult {
    /// Point and policy.
    pub at: String,
    /// What it asks: `safe_availability ≥ 99.9%`.
    pub asks: String,
    /// What was found.
    pub found: Option<Estimate>,
    /// How it came out.
    pub verdict: Verdict,
}

/// Every gate at every point that it speaks of. `indexes` tells the index of each row's values on their axes.
pub fn gates(gates: &[Gate], points: &Points, indexes: &dyn Fn(&Row) -> Vec<usize>) -> Vec<GateResult> {
    let pairs = crate::record::Pairs::default();
    let view = View::new(points, &pairs);
    let mut list = Vec::new();
    for gate in gates {
        for row in &points.rows {
            let at = indexes(row);
            let is_here = gate.at.iter().all(|&(axis, value)| at.get(axis) == Some(&value));
            if !is_here || gate.policy.as_ref().is_some_and(|policy| policy.text != row.policy) {
                continue;
            }
            let found = figure(&view, row, gate);
            let at = if row.axes.is_empty() { String::new() } else { format!("{}, ", view.label(&row.axes)) };
            list.push(GateResult {
                at: format!("{at}{}", row.policy),
                asks: asks(gate),
                found,
                verdict: verdict(gate, found),
            });
        }
    }
    list
}

fn figure(view: &View<'_>, row: &Row, gate: &Gate) -> Option<Estimate> {
    let measure = &gate.measure.text;
    let of_group = gate.group.as_ref().map(|group| format!("{}.{measure}", group.text));
    of_group
        .and_then(|name| view.get(&row.axes, &row.policy, &name))
        .or_else(|| view.get(&row.axes, &row.policy, measure))
}

fn asks(gate: &Gate) -> String {
    let group = gate.group.as_ref().map_or(String::new(), |group| format!("{}.", group.text));
    let mut text = format!("{group}{}", gate.measure.text);
    if let Some(limit) = &gate.at_least {
        text.push_str(&format!(" ≥ {}", limit.text));
    }
    if let Some(limit) = &gate.at_most {
        text.push_str(&format!(" ≤ {}", limit.text));
    }
    text
}

fn verdict(gate: &Gate, found: Option<Estimate>) -> Verdict {
    let Some(found) = found else { return Verdict::Failed };
    let (low, high) = found.limits();
    let least = gate.at_least.as_ref().map_or(f64::NEG_INFINITY, |limit| limit.value);
    let most = gate.at_most.as_ref().map_or(f64::INFINITY, |limit| limit.value);
    if high < least || low > most {
        Verdict::Failed
    } else if low >= least && high <= most {
        Verdict::Passed
    } else {
        Verdict::Inconclusive
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Dimension, Name, QuantityValue, Source};

    fn gate(at_least: f64) -> Gate {
        let place = Source::new("x", "").whole();
        let limit = QuantityValue {
            value: at_least,
            dimension: Dimension::Number,
            text: at_least.to_string(),
            place: place.clone(),
        };
        Gate {
            place: place.clone(),
            policy: None,
            measure: Name { text: "safe_availability".into(), place },
            group: None,
            at_least: Some(limit),
            at_most: None,
            at: Vec::new(),
        }
    }

    #[test]
    fn an_interval_across_the_limit_is_no_answer() {
        let found = Some(Estimate::seen(0.5, 0.4, 0.6));
        assert_eq!(verdict(&gate(0.3), found), Verdict::Passed);
        assert_eq!(verdict(&gate(0.5), found), Verdict::Inconclusive);
        assert_eq!(verdict(&gate(0.7), found), Verdict::Failed);
        assert_eq!(verdict(&gate(0.7), None), Verdict::Failed);
    }

    #[test]
    fn what_so_few_events_cannot_limit_passes_no_gate() {
        // A quantile of few values has no upper limit: its estimate below the limit of the gate says little.
        let mut gate = gate(0.0);
        gate.at_most = gate.at_least.take().map(|limit| QuantityValue { value: 6.0, ..limit });
        let open = |low| Some(Estimate { estimate: 4.0, low: Some(low), high: None });
        assert_eq!(verdict(&gate, open(1.0)), Verdict::Inconclusive);
        assert_eq!(verdict(&gate, open(7.0)), Verdict::Failed);
        assert_eq!(verdict(&gate, Some(Estimate::exact(4.0))), Verdict::Passed);
        let nan = Some(Estimate::seen(f64::NAN, f64::NAN, f64::NAN));
        assert_eq!(verdict(&gate, nan), Verdict::Inconclusive);
    }

    fn recorded(value: f64, fingerprint: &str) -> Recorded {
        let row = Row {
            axes: Vec::new(),
            policy: "single".into(),
            runs: 2,
            seed: 1,
            fingerprint: fingerprint.into(),
            measures: vec![Some(Estimate::exact(value))],
        };
        let points = Points { axes: Vec::new(), measures: vec!["downtime".into()], rows: vec![row] };
        Recorded { points, manifest: Manifest::new("x", 1) }
    }

    #[test]
    fn what_moved_is_named_with_both_values() {
        let old = recorded(1.0, "a");
        assert_eq!(compare(&old, &recorded(1.0, "a")), []);
        assert_eq!(compare(&old, &recorded(1.0, "b")), [Change::Fingerprint("single".into())]);
        let moved = compare(&old, &recorded(2.0, "b"));
        assert!(matches!(&moved[..], [Change::Moved { measure, .. }] if measure == "downtime"), "{moved:?}");
    }
}
