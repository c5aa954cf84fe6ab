//! The command that runs one run of a plan again.

use super::plan::{Case, Plan};
use crate::input::tree::{Item, Value};
use crate::model::experiment_file::Fidelity;
use crate::policy::contract::Policy;

/// The command line that replays exactly this run.
pub fn command<P: Policy>(plan: &Plan<P>, point: usize, policy: usize, run: u64) -> String {
    let case: &Case<P> = &plan.points[point].cases[policy];
    let mut line = format!("failsim replay {} --run {run} --seed {}", quoted(&case.model), plan.seed);
    line.push_str(&format!(" --horizon {}", quoted(&plan.horizon.to_string())));
    for change in &case.overrides {
        let parts: Vec<String> = change.segments.iter().map(|part| key(part)).collect();
        // Only this policy's keys were known to be there: others are left out.
        if !change.may_miss || reaches(case, &change.segments) {
            line.push_str(&format!(
                " --set {}",
                quoted(&format!("{}={}", parts.join("."), text(&change.item)))
            ));
        }
    }
    if plan.points[point].cases[policy].setup.requests || plan.settings.fidelity == Some(Fidelity::Requests) {
        line.push_str(" --fidelity requests");
    }
    if plan.settings.stepwise {
        line.push_str(" --stepwise");
    }
    line
}

/// Whether a key of a policy (`groups.X.policy.NAME.…`) speaks of the policy that this case has.
fn reaches<P: Policy>(case: &Case<P>, segments: &[String]) -> bool {
    let Some(name) = segments.get(3) else { return true };
    let used = case
        .overrides
        .iter()
        .rev()
        .find(|change| change.segments.len() == 3 && change.segments[2] == "policy");
    let used = used.and_then(|change| change.item.as_table()).and_then(|table| table.entries.first());
    name == "*" || used.is_none_or(|entry| entry.key == *name)
}

fn key(name: &str) -> String {
    let is_bare = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'*'));
    if is_bare && !name.is_empty() { name.to_owned() } else { format!("\"{name}\"") }
}

/// A value as it can be written on one line.
pub fn text(item: &Item) -> String {
    match &item.value {
        Value::Text(text) => format!("{text:?}"),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Flag(flag) => flag.to_string(),
        Value::Date => item.place.text().to_owned(),
        Value::Array(items) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(", ")),
        Value::Table(table) => {
            let entries = table.entries.iter();
            let entries: Vec<String> =
                entries.map(|entry| format!("{} = {}", key(&entry.key), text(&entry.item))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// Safe to paste into a shell.
fn quoted(word: &str) -> String {
    let is_plain = word
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/' | b'=' | b':'));
    if is_plain && !word.is_empty() { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Problems, Source, tree};

    #[test]
    fn values_are_written_on_one_line() {
        let source = Source::new("x", "a = { b = [1, 2.5], \"c d\" = 'e' }");
        let table = tree::parse(&source, &mut Problems::new());
        assert_eq!(text(&table.entries[0].item), r#"{ b = [1, 2.5], "c d" = "e" }"#);
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
