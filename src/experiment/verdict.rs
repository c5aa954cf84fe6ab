//! What a result shows, in words.
//!
//! Policies are ranked by the time in which the service is not safely up (down, split or stale). Two of them are called
//! different only where the interval of their paired differences excludes zero.

use super::view::View;
use crate::record::{AxisValue, Estimate};
use crate::report::chart::CAUSES;
use crate::report::number::{self, significant};

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

/// Every sentence, in paragraphs.
pub fn paragraphs(view: &View<'_>) -> Vec<String> {
    let mut list = winners(view);
    let Some(place) = middle(view) else { return list };
    let at = if view.places.len() > 1 { format!("At {}: ", view.label(place)) } else { String::new() };
    for text in [causes(view, place), split_brain(view, place), data(view, place), cost(view, place)] {
        if !text.is_empty() {
            list.push(if at.is_empty() { capital(&text) } else { format!("{at}{text}") });
        }
    }
    list
}

/// One sentence: who wins.
pub fn headline(view: &View<'_>) -> String {
    let all: Vec<&str> = view.policies.clone();
    let mut wins: Vec<(&str, usize)> = Vec::new();
    for place in &view.places {
        if let Some((best, _)) = ranking(view, place, &all).first() {
            match wins.iter_mut().find(|(name, _)| name == best) {
                Some((_, count)) => *count += 1,
                None => wins.push((best, 1)),
            }
        }
    }
    wins.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    match wins.as_slice() {
        [] => "Nothing was measured".to_owned(),
        [(best, _)] if all.len() == 1 => format!("{} along the sweep", capital(best)),
        [(best, _)] => {
            let text = format!("{} is safely up the longest at every point", capital(best));
            match level_everywhere(view, best).as_slice() {
                [] => text,
                [other] => format!("{text}, level with {other}"),
                others => format!("{text}, level with {} others", others.len()),
            }
        }
        [(best, count), ..] => {
            format!("{} is safely up the longest at {count} of {} points", capital(best), view.places.len())
        }
    }
}

/// Policies whose paired difference from `best` is not told apart from zero at any point.
fn level_everywhere<'a>(view: &View<'a>, best: &str) -> Vec<&'a str> {
    let level = |other: &&str| {
        view.places.iter().all(|place| {
            let difference = view.difference(place, best, other, "safe_availability");
            difference.is_some_and(|(_, low, high)| low <= 0.0 && high >= 0.0)
        })
    };
    view.policies.iter().copied().filter(|policy| *policy != best).filter(level).collect()
}

fn middle<'a>(view: &View<'a>) -> Option<&'a [AxisValue]> {
    let selected = view.selected();
    selected.get(selected.len() / 2).copied()
}

/// Policies by their time not safely up, best first.
pub fn ranking<'a>(view: &View<'_>, place: &[AxisValue], policies: &[&'a str]) -> Vec<(&'a str, Estimate)> {
    let mut list: Vec<(&str, Estimate)> =
        policies.iter().filter_map(|policy| Some((*policy, unsafe_share(view, place, policy)?))).collect();
    list.sort_by(|a, b| a.1.estimate.total_cmp(&b.1.estimate));
    list
}

fn winners(view: &View<'_>) -> Vec<String> {
    let (stateful, stateless): (Vec<&str>, Vec<&str>) =
        view.policies.iter().partition(|policy| view.is_stateful(policy));
    let both = !stateful.is_empty() && !stateless.is_empty();
    let mut list = Vec::new();
    for place in view.selected() {
        let at = if view.places.len() > 1 { format!("At {}", view.label(place)) } else { "Here".to_owned() };
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
    list
}

fn winner(view: &View<'_>, place: &[AxisValue], policies: &[&str]) -> String {
    let ranked = ranking(view, place, policies);
    let Some(((best, value), others)) = ranked.split_first() else { return String::new() };
    let loss = lost_time(value);
    if others.is_empty() {
        return format!("{best} is not safely up for {loss}.");
    }
    let measure = if view.get(place, best, "safe_availability").is_some() {
        "safe_availability"
    } else {
        "unavailability"
    };
    let (mut ties, mut behind) = (Vec::new(), Vec::new());
    for (name, other) in others {
        let difference = view.difference(place, best, name, measure);
        if difference.is_none_or(|(_, low, high)| low <= 0.0 && high >= 0.0) {
            ties.push(*name);
        } else if value.estimate > 0.0 {
            behind.push(format!("{name} loses {}× as much", significant(other.estimate / value.estimate, 2)));
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

fn causes(view: &View<'_>, place: &[AxisValue]) -> String {
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
}

fn split_brain(view: &View<'_>, place: &[AxisValue]) -> String {
    let (mut seen, mut never) = (Vec::new(), Vec::new());
    for policy in &view.policies {
        let Some(time) = view.get(place, policy, "split_brain_time") else { continue };
        if time.estimate > 0.0 {
            let window = view.get(place, policy, "split_brain_window_max");
            let window =
                window.map_or(String::new(), |w| format!(", longest {}", number::duration(w.estimate)));
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
        parts.push(format!("never in {}", never.join(", ")));
    }
    if parts.is_empty() { String::new() } else { format!("split brain: {}.", parts.join("; ")) }
}

fn data(view: &View<'_>, place: &[AxisValue]) -> String {
    let (mut lost, mut kept) = (Vec::new(), Vec::new());
    for policy in &view.policies {
        let Some(rate) = view.get(place, policy, "lost_rate") else { continue };
        if rate.estimate > 0.0 {
            let age = view.get(place, policy, "loss_age_max").filter(|age| age.estimate > 0.0);
            let age = age.map_or(String::new(), |age| {
                format!(", up to {} old", number::duration_at_most(age.estimate))
            });
            lost.push(format!("{policy} {} a year{age}", significant(rate.estimate, 3)));
        } else {
            kept.push(*policy);
        }
    }
    let stateless: Vec<&str> = view.policies.iter().copied().filter(|p| !view.is_stateful(p)).collect();
    let mut parts = Vec::new();
    if !lost.is_empty() {
        parts.push(format!("acknowledged writes lost: {}", lost.join("; ")));
    }
    if !kept.is_empty() {
        parts.push(format!("no write lost: {}", join(&kept)));
    }
    if !stateless.is_empty() && !parts.is_empty() {
        parts.push(format!("no data kept: {}", join(&stateless)));
    }
    if parts.is_empty() { String::new() } else { format!("{}.", parts.join("; ")) }
}

fn cost(view: &View<'_>, place: &[AxisValue]) -> String {
    for (measure, what) in [("annual_cost", "cost a year"), ("node_hours", "running node time")] {
        let values: Vec<(&str, f64)> = view
            .policies
            .iter()
            .filter_map(|policy| Some((*policy, view.get(place, policy, measure)?.estimate)))
            .filter(|(_, value)| *value > 0.0)
            .collect();
        let Some(cheapest) = values.iter().min_by(|a, b| a.1.total_cmp(&b.1)).filter(|_| values.len() > 1)
        else {
            continue;
        };
        let others: Vec<String> = values
            .iter()
            .filter(|(name, _)| *name != cheapest.0)
            .map(|(name, value)| format!("{name} {}×", significant(value / cheapest.1, 3)))
            .collect();
        return format!("{what}, against {} as 1×: {}.", cheapest.0, others.join(", "));
    }
    String::new()
}

/// `a`, `a and b`, `a, b and c`.
fn join(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().collect::<String>() + letters.as_str())
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
    fn a_difference_counts_only_where_its_interval_excludes_zero() {
        let points = points(&[("a", 1e-3), ("b", 2e-3), ("c", 1.01e-3)]);
        let rows = vec![pair("a", "b", -1e-3, 1e-4), pair("a", "c", -1e-5, 1e-4)];
        let pairs = Pairs { axes: vec!["MTTF (d)".into()], rows };
        let said = paragraphs(&View::new(&points, &pairs));
        assert_eq!(said[0], "Here: a loses 8.77 h/yr and cannot be told apart from c; b loses 2.0× as much.");
    }
}
