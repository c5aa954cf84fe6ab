//! Who wins: policies ranked by the time in which the service is not safely up (down, split or stale).
//!
//! Two of them are called different only where the interval of their paired differences excludes zero.

use super::view::{View, name_and_unit, value_label};
use super::words::{capital, join, more};
use crate::record::{AxisValue, Estimate};
use crate::report::chart::CAUSES;
use crate::report::number;

/// Time not safely up as a share: 1 − `safe_availability`, or unavailability where that is not measured.
pub fn unsafe_share(view: &View<'_>, place: &[AxisValue], policy: &str) -> Option<Estimate> {
    if let Some(safe) = view.get(place, policy, "safe_availability") {
        let from = |value: f64| libm::fmax(0.0, 1.0 - value);
        return Some(Estimate {
            estimate: from(safe.estimate),
            low: safe.high.map(from),
            high: safe.low.map(from),
        });
    }
    view.get(place, policy, "unavailability")
}

/// What policies are ranked by, where it is measured.
pub fn ranked_by(view: &View<'_>) -> &'static str {
    let has_safe = view.points.measures.iter().any(|name| name == "safe_availability");
    if has_safe { "safe_availability" } else { "unavailability" }
}

/// Whether a paired difference is told apart from zero; none where it was not recorded.
fn is_apart(view: &View<'_>, place: &[AxisValue], a: &str, b: &str) -> Option<bool> {
    let (_, low, high) = view.difference(place, a, b, ranked_by(view))?;
    Some(low > 0.0 || high < 0.0)
}

/// One sentence: who wins. A service without data is no alternative to one that keeps them: where there are both, it
/// speaks of those that do.
pub fn headline(view: &View<'_>) -> String {
    match view.kinds() {
        (stateful, stateless) if !stateful.is_empty() && !stateless.is_empty() => {
            format!("Of the policies that keep data, {}", best(view, &stateful))
        }
        _ => capital(&best(view, &view.policies)),
    }
}

/// The best of some policies.
fn best(view: &View<'_>, all: &[&str]) -> String {
    if let [only] = all {
        return alone(view, only);
    }
    let best_at = |place: &[AxisValue]| ranking(view, place, all).first().map(|(name, _)| *name);
    let bests: Vec<&str> = view.places.iter().filter_map(|place| best_at(place)).collect();
    let leads = |policy: &&&str| {
        let level = |(place, best): (&&[AxisValue], &&str)| {
            best == *policy || is_apart(view, place, best, policy) == Some(false)
        };
        view.places.iter().zip(&bests).all(level)
    };
    let mut leaders: Vec<&str> = all.iter().filter(leads).copied().collect();
    leaders.sort_by_key(|name| std::cmp::Reverse(bests.iter().filter(|best| *best == name).count()));
    let everywhere = if view.places.len() > 1 { " at every point" } else { "" };
    match leaders.as_slice() {
        _ if bests.len() < view.places.len() => "nothing was measured".to_owned(),
        [] => format!(
            "safely up the longest: {}",
            spans(view, |place| best_at(place).unwrap_or_default().to_owned())
        ),
        [only] => {
            let is_level = |place: &&[AxisValue]| {
                all.iter().any(|other| other != only && is_apart(view, place, only, other) == Some(false))
            };
            let everywhere =
                match (view.places.iter().filter(|place| is_level(&&place[..])).count(), view.places.len()) {
                    (0, _) | (_, 1) => everywhere.to_owned(),
                    (level, places) => format!("{everywhere}, level with others at {level} of {places}"),
                };
            format!("{only} is safely up the longest{everywhere}")
        }
        [first, other] => format!("{first} is safely up the longest{everywhere}, level with {other}"),
        [first, others @ ..] => {
            format!("{first} is safely up the longest{everywhere}, level with {} others", others.len())
        }
    }
}

/// What there is to say of the only policy: how long it is not safely up, at its worst and at its best point.
fn alone(view: &View<'_>, policy: &str) -> String {
    let mut found: Vec<(&[AxisValue], Estimate)> = Vec::new();
    for place in &view.places {
        found.extend(unsafe_share(view, place, policy).map(|share| (*place, share)));
    }
    found.sort_by(|a, b| b.1.estimate.total_cmp(&a.1.estimate));
    let is = if ranked_by(view) == "safe_availability" { "is not safely up for" } else { "is down for" };
    match found.as_slice() {
        [] => "nothing was measured".to_owned(),
        [(_, only)] => format!("{policy} {is} {}", lost_time(only)),
        [(_, worst), .., (_, best)] if worst.estimate < 1.1 * best.estimate => {
            format!("{policy} {is} {} to {}, wherever", lost_time(best), lost_time(worst))
        }
        [(at_worst, worst), .., (at_best, best)] => format!(
            "{policy} {is} {} at {}, {} at {}",
            lost_time(worst),
            view.label(at_worst),
            lost_time(best),
            view.label(at_best)
        ),
    }
}

/// Values nearer to each other than this share are called the same.
pub(super) const SAME: f64 = 0.02;

/// Who has least of a measure at a place: a policy, or several that are nearly the same.
fn least_at(view: &View<'_>, place: &[AxisValue], measure: &str) -> String {
    let values: Vec<(&str, f64)> = view
        .policies
        .iter()
        .filter_map(|policy| Some((*policy, view.get(place, policy, measure)?.estimate)))
        .collect();
    let least = values.iter().map(|(_, value)| *value).fold(f64::INFINITY, libm::fmin);
    let alike: Vec<&str> =
        values.iter().filter(|(_, value)| *value <= (1.0 + SAME) * least).map(|(name, _)| *name).collect();
    match alike.as_slice() {
        [] | [_] => alike.concat(),
        [a, b] => format!("{a} and {b} alike"),
        _ => "several alike".to_owned(),
    }
}

/// Who has least of a measure where, if that is not the same everywhere.
pub(super) fn least(view: &View<'_>, measure: &str) -> Option<String> {
    let at = |place: &[AxisValue]| least_at(view, place, measure);
    let first = at(view.places.first()?);
    view.places.iter().any(|place| at(place) != first).then(|| spans(view, at))
}

/// Where each of several answers holds: `a up to 31.6 d, b from 56.2 d`; in counts where there is no single numeric
/// axis, or where it changes too often.
pub(super) fn spans(view: &View<'_>, answer: impl Fn(&[AxisValue]) -> String) -> String {
    let answers: Vec<(String, &[AxisValue])> = match view.main_axis() {
        Some(axis) if view.points.axes.len() == 1 => {
            view.along(axis, view.places[0]).into_iter().map(|(_, place)| (answer(place), place)).collect()
        }
        _ => view.places.iter().map(|place| (answer(place), *place)).collect(),
    };
    let mut groups: Vec<(&str, &[AxisValue], &[AxisValue])> = Vec::new();
    for (answer, place) in &answers {
        match groups.last_mut() {
            Some((same, _, last)) if same == answer => *last = place,
            _ => groups.push((answer, place, place)),
        }
    }
    if let [(only, ..)] = groups.as_slice() {
        return if view.places.len() > 1 { format!("{only} everywhere") } else { (*only).to_owned() };
    }
    if let (Some(axis), 2..=3, 1) = (view.main_axis(), groups.len(), view.points.axes.len()) {
        let (_, unit) = name_and_unit(&view.points.axes[axis]);
        let label = |place: &[AxisValue]| value_label(unit, &place[axis]);
        let end = groups.len() - 1;
        let parts = groups.iter().enumerate().map(|(index, (answer, first, last))| match index {
            0 => format!("{answer} up to {}", label(last)),
            _ if index == end => format!("{answer} from {}", label(first)),
            _ if first == last => format!("{answer} at {}", label(first)),
            _ => format!("{answer} at {} to {}", label(first), label(last)),
        });
        return parts.collect::<Vec<_>>().join(", ");
    }
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for (answer, _) in &answers {
        match counts.iter_mut().find(|(other, _)| other == answer) {
            Some((_, count)) => *count += 1,
            None => counts.push((answer, 1)),
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let parts: Vec<String> = counts.iter().map(|(answer, count)| format!("{answer} at {count}")).collect();
    format!("{} of {} points", parts.join(", "), answers.len())
}

/// Policies by their time not safely up, best first.
pub fn ranking<'a>(view: &View<'_>, place: &[AxisValue], policies: &[&'a str]) -> Vec<(&'a str, Estimate)> {
    let mut list: Vec<(&str, Estimate)> =
        policies.iter().filter_map(|policy| Some((*policy, unsafe_share(view, place, policy)?))).collect();
    list.sort_by(|a, b| a.1.estimate.total_cmp(&b.1.estimate));
    list
}

/// For each place worth naming: who is safely up the longest, and by how much.
pub(super) fn winners(view: &View<'_>) -> Vec<String> {
    let (stateful, stateless) = view.kinds();
    let both = !stateful.is_empty() && !stateless.is_empty();
    let (places, idle) = view.distinct(&[ranked_by(view)]);
    let mut list = Vec::new();
    for place in places {
        let mut at = view.label_without(place, &idle);
        at = if at.is_empty() { "Here".to_owned() } else { format!("At {at}") };
        if !idle.is_empty() {
            at = format!("{at}, {}", view.whatever(&idle));
        }
        for (policies, kind) in
            [(&stateful, "of the policies that keep data"), (&stateless, "of those without data")]
        {
            let sentence = winner(view, place, policies);
            if !sentence.is_empty() {
                list.push(if both {
                    format!("{at}, {kind}: {sentence}")
                } else {
                    format!("{at}: {sentence}")
                });
            }
        }
    }
    list.extend(optimum(view));
    list
}

/// Where on the main axis a policy is best, if that is neither at its beginning nor at its end.
fn optimum(view: &View<'_>) -> Option<String> {
    let axis = view.main_axis()?;
    let (name, unit) = name_and_unit(&view.points.axes[axis]);
    let line = view.along(axis, view.places.first()?);
    let (mut best, mut flat) = (Vec::new(), Vec::new());
    for policy in &view.policies {
        let shares: Vec<Estimate> =
            line.iter().filter_map(|(_, place)| unsafe_share(view, place, policy)).collect();
        if shares.len() < 3 || shares.len() < line.len() {
            continue;
        }
        let least = (0..shares.len()).min_by(|&a, &b| shares[a].estimate.total_cmp(&shares[b].estimate))?;
        let (first, last) = (&shares[0], &shares[shares.len() - 1]);
        let is_below = |end: &Estimate| shares[least].high.zip(end.low).is_some_and(|(high, low)| high < low);
        let label = |index: usize| value_label(unit, &line[index].1[axis]);
        let most = shares.iter().map(|share| share.estimate).fold(0.0, libm::fmax);
        if is_below(first) && is_below(last) {
            best.push(format!(
                "{policy} at {} ({}; {} at {}, {} at {})",
                label(least),
                number::hours_a_year(shares[least].estimate),
                number::hours_a_year(first.estimate),
                label(0),
                number::hours_a_year(last.estimate),
                label(line.len() - 1)
            ));
        } else if most < 1.1 * shares[least].estimate {
            flat.push(*policy);
        }
    }
    if best.is_empty() {
        return None;
    }
    let flat = match flat.as_slice() {
        [] => String::new(),
        [one] => format!("; {one} hardly depends on it"),
        several => format!("; {} hardly depend on it", join(several)),
    };
    Some(format!("Best {name}: {}{flat}.", best.join(", ")))
}

fn winner(view: &View<'_>, place: &[AxisValue], policies: &[&str]) -> String {
    let ranked = ranking(view, place, policies);
    let Some(((best, value), others)) = ranked.split_first() else { return String::new() };
    let loss = lost_time(value);
    if others.is_empty() {
        return format!("{best} is not safely up for {loss}.");
    }
    let (mut ties, mut behind) = (Vec::new(), Vec::new());
    for (name, other) in others {
        if is_apart(view, place, best, name) != Some(true) {
            ties.push(*name);
        } else if value.estimate > 0.0 {
            behind.push(format!("{name} loses {}", more(other.estimate, value.estimate)));
        } else {
            behind.push(format!("{name} loses {}", lost_time(other)));
        }
    }
    let mut text = if ties.is_empty() {
        format!("{best} loses least, {loss}")
    } else {
        format!("{best} loses {loss} and cannot be told apart from {}", join(&ties))
    };
    if !behind.is_empty() {
        text.push_str("; ");
        text.push_str(&behind.join(", "));
    }
    text.push('.');
    text
}

/// `0.88 h/yr`, or the bound where nothing was seen.
fn lost_time(share: &Estimate) -> String {
    match share.high {
        Some(high) if share.estimate == 0.0 && high > 0.0 => {
            format!("less than {} (nothing seen)", number::hours_a_year(high))
        }
        _ => number::hours_a_year(share.estimate),
    }
}

/// Downtime of a policy at a point by cause, largest first, as shares.
pub fn shares(view: &View<'_>, place: &[AxisValue], policy: &str) -> Vec<(&'static str, f64)> {
    let amount =
        |cause: &str| view.get(place, policy, &format!("downtime_{cause}")).map_or(0.0, |e| e.estimate);
    let total: f64 = CAUSES.iter().map(|cause| amount(cause)).sum();
    if total <= 0.0 {
        return Vec::new();
    }
    let mut list: Vec<(&str, f64)> = CAUSES.iter().map(|cause| (*cause, amount(cause) / total)).collect();
    list.sort_by(|a, b| b.1.total_cmp(&a.1));
    list.retain(|(_, share)| *share > 0.0);
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Pair, Pairs, Points, Row};

    fn points(values: &[(&str, f64)]) -> Points {
        let row = |(policy, value): &(&str, f64)| Row {
            axes: vec![AxisValue::Number(10.0)],
            policy: (*policy).to_owned(),
            runs: 4,
            seed: 1,
            fingerprint: "9f".into(),
            measures: vec![Some(Estimate::seen(1.0 - value, 1.0 - value * 1.1, 1.0 - value * 0.9))],
        };
        Points {
            axes: vec!["MTTF (d)".into()],
            measures: vec!["safe_availability".into()],
            rows: values.iter().map(row).collect(),
        }
    }

    fn pair(a: &str, b: &str, difference: f64, half: f64) -> Pair {
        Pair {
            axes: vec![AxisValue::Number(10.0)],
            policy_a: a.into(),
            policy_b: b.into(),
            measure: "safe_availability".into(),
            difference,
            paired_low: difference - half,
            paired_high: difference + half,
            unpaired_low: difference - 9.0 * half,
            unpaired_high: difference + 9.0 * half,
        }
    }

    #[test]
    fn what_keeps_data_is_not_ranked_with_what_does_not() {
        let mut points = points(&[("pair", 1e-3), ("web", 1e-5), ("log", 3e-3)]);
        points.measures.push("acked_rate".into());
        for row in &mut points.rows {
            row.measures.push((row.policy != "web").then(|| Estimate::exact(5.0)));
        }
        let said = headline(&View::new(&points, &Pairs::default()));
        assert_eq!(said, "Of the policies that keep data, pair is safely up the longest");
    }

    #[test]
    fn a_policy_alone_is_told_with_its_figure() {
        let said = |points: &Points| headline(&View::new(points, &Pairs::default()));
        let mut points = points(&[("pair", 1e-3)]);
        assert_eq!(said(&points), "Pair is not safely up for 8.77 h/yr");
        points.rows.push(Row {
            axes: vec![AxisValue::Number(100.0)],
            measures: vec![Some(Estimate::exact(1.0 - 1e-4))],
            ..points.rows[0].clone()
        });
        assert_eq!(
            said(&points),
            "Pair is not safely up for 8.77 h/yr at MTTF 10 d, 0.877 h/yr at MTTF 100 d"
        );
    }

    #[test]
    fn who_has_least_is_told_where_it_changes() {
        let row = |mttf: f64, policy: &str, cost: f64| Row {
            axes: vec![AxisValue::Number(mttf)],
            policy: policy.to_owned(),
            runs: 4,
            seed: 1,
            fingerprint: "9f".into(),
            measures: vec![Some(Estimate::exact(cost))],
        };
        let costs = [(10.0, [100.0, 101.0, 900.0]), (100.0, [100.0, 100.5, 50.0])];
        let rows = costs.iter().flat_map(|(mttf, costs)| {
            ["a", "b", "alone"].into_iter().zip(costs).map(|(policy, cost)| row(*mttf, policy, *cost))
        });
        let points = Points {
            axes: vec!["MTTF (d)".into()],
            measures: vec!["annual_cost".into()],
            rows: rows.collect(),
        };
        let pairs = Pairs::default();
        let view = View::new(&points, &pairs);
        assert_eq!(
            least(&view, "annual_cost").as_deref(),
            Some("a and b alike up to 10 d, alone from 100 d")
        );
    }

    #[test]
    fn a_difference_counts_only_where_its_interval_excludes_zero() {
        let points = points(&[("a", 1e-3), ("b", 2e-3), ("c", 1.01e-3)]);
        let rows = vec![pair("a", "b", -1e-3, 1e-4), pair("a", "c", -1e-5, 1e-4)];
        let pairs = Pairs { axes: vec!["MTTF (d)".into()], rows };
        let said = winners(&View::new(&points, &pairs));
        assert_eq!(
            said,
            ["At MTTF 10 d: a loses 8.77 h/yr and cannot be told apart from c; b loses 2.0× as much."]
        );
    }
}
