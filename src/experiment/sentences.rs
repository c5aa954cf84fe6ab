//! What a result says besides who wins: why the service is down, when two nodes accepted at once, what was lost, what it
//! costs. Each for the places worth naming.

use super::verdict::{self, SAME, shares};
use super::view::View;
use super::words::{capital, join, more};
use crate::record::{AxisValue, Estimate};
use crate::report::number::{self, significant};

/// More places than this are too many to speak of one by one.
const PLACES_MAX: usize = 4;

/// One sentence for each place worth naming; places that these measures cannot tell apart count once.
fn at_places(view: &View<'_>, measures: &[&str], say: impl Fn(&[AxisValue]) -> String) -> Vec<String> {
    let (mut places, mut idle) = match view.main_axis() {
        Some(_) => (Vec::new(), Vec::new()),
        None => view.distinct(measures),
    };
    if places.is_empty() || places.len() > PLACES_MAX {
        (places, idle) = (view.typical().into_iter().collect(), Vec::new());
    }
    let sentence = |place: &&[AxisValue]| {
        let text = say(place);
        let label = view.label_without(place, &idle);
        match (text.is_empty(), label.is_empty(), idle.is_empty()) {
            (true, ..) => None,
            (_, true, true) => Some(capital(&text)),
            (_, true, false) => Some(format!("{}: {text}", capital(&view.whatever(&idle)))),
            (_, false, true) => Some(format!("At {label}: {text}")),
            (_, false, false) => Some(format!("At {label}, {}: {text}", view.whatever(&idle))),
        }
    };
    places.iter().filter_map(sentence).collect()
}

/// Through which phases the service is down.
pub(super) fn causes(view: &View<'_>) -> Vec<String> {
    at_places(view, &["downtime", "downtime_detect", "downtime_no_spare"], |place| {
        let of = |policy: &&str| {
            let shares = shares(view, place, policy);
            let parts = shares.iter().take(2).filter(|(_, share)| *share >= 0.05);
            let parts: Vec<String> = parts
                .map(|(cause, share)| format!("{} % {}", (share * 100.0).round(), cause.replace('_', " ")))
                .collect();
            (!parts.is_empty()).then(|| format!("{policy} {}", parts.join(" and ")))
        };
        let list: Vec<String> = view.policies.iter().filter_map(of).collect();
        if list.is_empty() { String::new() } else { format!("downtime goes into: {}.", list.join("; ")) }
    })
}

/// In which policies two nodes accepted at once, and for how long.
pub(super) fn split_brain(view: &View<'_>) -> Vec<String> {
    at_places(view, &["split_brain_time", "split_brain_window_max"], |place| {
        let (mut seen, mut never) = (Vec::new(), Vec::new());
        for policy in &view.policies {
            let Some(time) = view.get(place, policy, "split_brain_time") else { continue };
            if time.estimate > 0.0 {
                let window = view.get(place, policy, "split_brain_window_max");
                let window = window
                    .map_or(String::new(), |w| format!(", longest {}", number::duration_at_most(w.estimate)));
                seen.push(format!("{policy} {} a year{window}", number::duration(time.estimate)));
            } else {
                let rate = view.get(place, policy, "split_brain_rate").and_then(|rate| rate.high);
                let bound = rate.filter(|high| *high > 0.0);
                let bound = bound
                    .map_or(String::new(), |high| format!(" ({} windows a year)", number::upper_bound(high)));
                never.push(format!("{policy}{bound}"));
            }
        }
        let mut parts = Vec::new();
        if !seen.is_empty() {
            parts.push(format!("two nodes accepted at once in {}", seen.join("; ")));
        }
        if !never.is_empty() {
            parts.push(format!("none seen in {}", never.join(", ")));
        }
        if parts.is_empty() { String::new() } else { format!("split brain: {}.", parts.join("; ")) }
    })
}

/// What became of acknowledged writes: lost, or overwritten by a merge rule, which is a loss of its own kind.
pub(super) fn data(view: &View<'_>) -> Vec<String> {
    let measures = ["lost_rate", "loss_age_max", "overwritten_rate", "merged_rate"];
    at_places(view, &measures, |place| {
        let is_some = |rate: &Option<Estimate>| rate.is_some_and(|rate| rate.estimate > 0.0);
        let (mut lost, mut overwritten, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        for policy in &view.policies {
            let rate = view.get(place, policy, "lost_rate");
            let discarded = view.get(place, policy, "overwritten_rate");
            if let Some(rate) = rate.filter(|rate| rate.estimate > 0.0) {
                let age = view.get(place, policy, "loss_age_max").filter(|age| age.estimate > 0.0);
                let age = age.map_or(String::new(), |age| {
                    format!(", up to {} old", number::duration_at_most(age.estimate))
                });
                lost.push(format!("{policy} {} a year{age}", significant(rate.estimate, 3)));
            }
            if let Some(rate) = discarded.filter(|rate| rate.estimate > 0.0) {
                overwritten.push(format!("{policy} {} a year", significant(rate.estimate, 3)));
            }
            if !is_some(&rate) && !is_some(&discarded) && (rate.is_some() || discarded.is_some()) {
                kept.push(*policy);
            }
        }
        let stateless: Vec<&str> = view.policies.iter().copied().filter(|p| !view.is_stateful(p)).collect();
        let mut parts = Vec::new();
        if !lost.is_empty() {
            parts.push(format!("acknowledged writes lost: {}", lost.join("; ")));
        }
        if !overwritten.is_empty() {
            parts.push(format!("acknowledged writes overwritten by others: {}", overwritten.join("; ")));
        }
        if !kept.is_empty() {
            parts.push(format!("no write lost: {}", join(&kept)));
        }
        if !stateless.is_empty() && !parts.is_empty() {
            parts.push(format!("no data kept: {}", join(&stateless)));
        }
        if parts.is_empty() { String::new() } else { format!("{}.", parts.join("; ")) }
    })
}

/// What the policies cost, against the cheapest.
pub(super) fn cost(view: &View<'_>) -> Vec<String> {
    let mut list = cost_at_places(view);
    let cheapest = if list.is_empty() { None } else { verdict::least(view, "annual_cost") };
    list.extend(cheapest.map(|cheapest| format!("Cheapest: {cheapest}.")));
    list
}

fn cost_at_places(view: &View<'_>) -> Vec<String> {
    at_places(view, &["annual_cost", "node_hours"], |place| {
        for (measure, what) in [("annual_cost", "cost a year"), ("node_hours", "node time owned")] {
            let values: Vec<(&str, f64)> = view
                .policies
                .iter()
                .filter_map(|policy| Some((*policy, view.get(place, policy, measure)?.estimate)))
                .filter(|(_, value)| *value > 0.0)
                .collect();
            let Some(cheapest) =
                values.iter().min_by(|a, b| a.1.total_cmp(&b.1)).filter(|_| values.len() > 1)
            else {
                continue;
            };
            let (same, dearer): (Vec<_>, Vec<_>) =
                values.iter().partition(|(_, value)| *value <= (1.0 + SAME) * cheapest.1);
            let same: Vec<&str> = same.iter().map(|(name, _)| *name).collect();
            if dearer.is_empty() {
                return format!("{what}: the same within {} %.", significant(100.0 * SAME, 1));
            }
            let dearer: Vec<String> =
                dearer.iter().map(|(name, value)| format!("{name} {}", more(*value, cheapest.1))).collect();
            let equal = if same.len() > 1 {
                format!(" (the same within {} %)", significant(100.0 * SAME, 1))
            } else {
                String::new()
            };
            return format!("{what}: least with {}{equal}; {}.", join(&same), dearer.join(", "));
        }
        String::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Pairs, Points, Row};

    fn points(rows: &[(&str, [Option<f64>; 3])]) -> Points {
        let row = |(policy, values): &(&str, [Option<f64>; 3])| Row {
            axes: Vec::new(),
            policy: (*policy).to_owned(),
            runs: 4,
            seed: 1,
            fingerprint: "9f".into(),
            measures: values.iter().map(|value| value.map(Estimate::exact)).collect(),
        };
        let measures = ["lost_rate", "overwritten_rate", "annual_cost"];
        Points {
            axes: Vec::new(),
            measures: measures.map(str::to_owned).to_vec(),
            rows: rows.iter().map(row).collect(),
        }
    }

    #[test]
    fn overwritten_writes_are_no_kept_ones() {
        let points = points(&[
            ("log", [Some(3.0), None, None]),
            ("merge", [Some(0.0), Some(12_000.0), None]),
            ("single", [Some(0.0), None, None]),
            ("web", [None, None, None]),
        ]);
        let said = data(&View::new(&points, &Pairs::default()));
        assert_eq!(
            said,
            [
                "Acknowledged writes lost: log 3.00 a year; acknowledged writes overwritten by others: merge 12000 a \
              year; no write lost: single; no data kept: web."
            ]
        );
    }

    #[test]
    fn costs_that_are_as_good_as_the_same_are_called_so() {
        let said = |costs: [f64; 3]| {
            let rows: Vec<_> =
                ["a", "b", "c"].into_iter().zip(costs.map(|c| [None, None, Some(c)])).collect();
            let points = points(&rows);
            cost(&View::new(&points, &Pairs::default()))
        };
        assert_eq!(said([100.0, 101.0, 100.5]), ["Cost a year: the same within 2 %."]);
        assert_eq!(
            said([100.0, 101.0, 250.0]),
            ["Cost a year: least with a and b (the same within 2 %); c 2.5× as much."]
        );
    }
}
