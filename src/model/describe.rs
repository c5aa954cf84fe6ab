//! What every key means, for `failsim explain`: its kind, default, range, source and evidence.

use super::experiment_file::ExperimentTable;
use super::scenario_file::ScenarioTable;
use super::schema::MODEL_KEYS;
use crate::input::nearest::nearest;
use crate::input::{Choice, Key, Kind, Table};

/// A key with the dotted path at which it stands; names of the user's choice are `*`.
#[derive(Clone, Debug)]
pub struct Described {
    /// The kind of file: `model`, `experiment` or `scenario`.
    pub file: &'static str,
    /// Its dotted path.
    pub path: String,
    /// Its description.
    pub key: &'static Key,
}

/// Every key of every file, those of the policies included.
pub fn all<P: Choice>() -> Vec<Described> {
    let mut list = Vec::new();
    collect::<P>("model", "", MODEL_KEYS, &mut list);
    collect::<P>("experiment", "", ExperimentTable::KEYS, &mut list);
    collect::<P>("scenario", "", ScenarioTable::KEYS, &mut list);
    list
}

fn collect<P: Choice>(file: &'static str, prefix: &str, keys: &'static [Key], list: &mut Vec<Described>) {
    for key in keys {
        let path = if prefix.is_empty() { key.name.to_owned() } else { format!("{prefix}.{}", key.name) };
        list.push(Described { file, path: path.clone(), key });
        match key.kind {
            Kind::Table(below) | Kind::Many(below) => collect::<P>(file, &path, below, list),
            Kind::Named(below) => collect::<P>(file, &format!("{path}.*"), below, list),
            Kind::Alternatives => {
                for name in P::names() {
                    collect::<P>(file, &format!("{path}.{name}"), P::keys(name).unwrap_or(&[]), list);
                }
            }
            _ => {}
        }
    }
}

/// The keys that a name means: a whole path (with names or `*`), or its end (`crash.mttf`, `heartbeat`,
/// `hot-standby.heartbeat`).
pub fn find<P: Choice>(name: &str) -> Vec<Described> {
    let wanted: Vec<&str> = name.split('.').collect();
    let fits = |path: &str, exact: bool| {
        let parts: Vec<&str> = path.split('.').collect();
        let is_long_enough = if exact { parts.len() == wanted.len() } else { parts.len() >= wanted.len() };
        is_long_enough
            && parts.iter().rev().zip(wanted.iter().rev()).all(|(part, want)| *part == "*" || part == want)
    };
    let all = all::<P>();
    for exact in [true, false] {
        let found: Vec<Described> =
            all.iter().filter(|described| fits(&described.path, exact)).cloned().collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// What is known about a name, as text.
///
/// # Errors
/// The nearest known name, if any, when nothing is called that.
pub fn explain<P: Choice>(name: &str) -> Result<String, Option<String>> {
    let found = find::<P>(name);
    if found.is_empty() {
        let all = all::<P>();
        let last = name.rsplit('.').next().unwrap_or(name);
        let by_path = nearest(name, all.iter().map(|described| described.path.as_str()));
        let near = by_path.or_else(|| nearest(last, all.iter().map(|described| described.key.name)));
        return Err(near.map(str::to_owned));
    }
    Ok(found.iter().map(text).collect::<Vec<_>>().join("\n"))
}

/// The description of one key.
pub fn text(described: &Described) -> String {
    let key = described.key;
    let mut out = format!("{} (in a {} file)\n  {}\n", described.path, described.file, key.doc);
    out.push_str(&format!("  value: {}\n", key.expected()));
    match key.default {
        Some(default) => {
            let source = if key.source.is_empty() { String::new() } else { format!(": {}", key.source) };
            out.push_str(&format!(
                "  default: {default} ({}, {}{source})\n",
                key.mark.letter(),
                key.mark.words()
            ));
        }
        None if key.is_required => out.push_str("  required\n"),
        None => out.push_str("  may be left out\n"),
    }
    if !key.excludes.is_empty() {
        out.push_str(&format!("  instead of: {}\n", key.excludes.join(", ")));
    }
    if !key.below().is_empty() {
        let names: Vec<&str> = key.below().iter().map(|key| key.name).collect();
        out.push_str(&format!("  keys: {}\n", names.join(", ")));
    }
    out
}
