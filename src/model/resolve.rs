//! Changes to the tree of a model file before it is read: `like` and overrides.
//!
//! `like = "a"` stands for everything of `a`, table by table; what stands beside it replaces it. Overrides come
//! after that: `nodes.a.start` changes `a` alone, not the nodes that are like it. A key that says the same as
//! another in other words (`rate`, `mttf`) takes the other's place.

use crate::input::nearest::nearest_preferring;
use crate::input::tree::{Entry, Item, TableItem, Value};
use crate::input::{Choice, Key, Kind, Place, Problem, Problems};

use super::load::Override;

/// The alternatives of a program, as functions: what overrides have to know of its policies.
#[derive(Clone, Copy)]
pub struct Alternatives {
    /// The names.
    pub names: fn() -> Vec<&'static str>,
    /// The keys of one.
    pub keys: fn(&str) -> Option<&'static [Key]>,
}

impl Alternatives {
    /// Those of `C`.
    pub fn of<C: Choice>() -> Alternatives {
        Alternatives { names: C::names, keys: C::keys }
    }
}

/// Replaces `like` in every table of the file that has it.
pub fn like(table: &mut TableItem, keys: &'static [Key], problems: &mut Problems) {
    for key in keys {
        let Kind::Named(below) = key.kind else { continue };
        if !below.iter().any(|key| key.name == "like") {
            continue;
        }
        let Some(entry) = table.get_mut(key.name) else { continue };
        let Value::Table(tables) = &mut entry.item.value else { continue };
        let written = tables.clone();
        for entry in &mut tables.entries {
            inherit(entry, &written, below, problems);
        }
    }
}

/// Follows the chain of `like` from one table and merges from its far end.
fn inherit(entry: &mut Entry, written: &TableItem, keys: &'static [Key], problems: &mut Problems) {
    let mut chain: Vec<&Entry> = Vec::new();
    let mut next = written.get(&entry.key);
    while let Some(here) = next {
        chain.push(here);
        let Some(like) = here.item.as_table().and_then(|table| table.get("like")) else { break };
        let Some(name) = like.item.as_text() else { break };
        if let Some(start) = chain.iter().position(|other| other.key == name) {
            // Everyone whose chain ends in the circle would report it: its first member in the file does.
            let circle = &chain[start..];
            let first = circle.iter().min_by_key(|member| member.key_place.span.start);
            if first.is_some_and(|first| first.key == entry.key) {
                let start = circle.iter().position(|member| member.key == entry.key).unwrap_or(0);
                let mut names: Vec<&str> = Vec::new();
                for offset in 0..=circle.len() {
                    names.push(&circle[(start + offset) % circle.len()].key);
                }
                let place = like_place(circle[start]).unwrap_or_else(|| like.item.place.clone());
                let message = format!("`like` goes in a circle: {}", names.join(" → "));
                problems.add(Problem::new(place, message).expected("a chain that ends"));
            }
            return;
        }
        next = written.get(name);
        if next.is_none() && chain.len() == 1 {
            let names =
                written.entries.iter().map(|entry| entry.key.as_str()).filter(|key| *key != entry.key);
            let all: Vec<&str> = names.collect();
            let problem =
                Problem::new(like.item.part(0..name.len()), format!("nothing here is called `{name}`"));
            let problem = problem.expected(format!("one of {}", all.join(", "))).derived();
            problems.add(problem.nearest(name, all.iter().copied()));
        }
    }
    let mut merged = TableItem::default();
    for member in chain.iter().rev() {
        if let Some(table) = member.item.as_table() {
            merge(&mut merged, table, keys);
        }
    }
    if let Value::Table(table) = &mut entry.item.value {
        merged.remove("like");
        *table = merged;
    }
}

fn like_place(entry: &Entry) -> Option<Place> {
    Some(entry.item.as_table()?.get("like")?.item.place.clone())
}

/// Lays `over` on top of `base`: tables of described keys are merged, every other value replaces the one below.
fn merge(base: &mut TableItem, over: &TableItem, keys: &'static [Key]) {
    for entry in &over.entries {
        let key = keys.iter().find(|key| key.name == entry.key);
        let kind = key.map(|key| key.kind);
        let below = base.get_mut(&entry.key);
        if let (Some(below), Value::Table(new)) = (below, &entry.item.value)
            && let Value::Table(old) = &mut below.item.value
        {
            match kind {
                Some(Kind::Table(keys)) => {
                    merge(old, new, keys);
                    continue;
                }
                Some(Kind::Named(keys)) => {
                    merge_named(old, new, keys);
                    continue;
                }
                _ => {}
            }
        }
        for other in key.map_or(&[][..], |key| key.excludes) {
            if over.get(other).is_none() {
                base.remove(other);
            }
        }
        base.set(entry.clone());
    }
}

fn merge_named(base: &mut TableItem, over: &TableItem, keys: &'static [Key]) {
    for entry in &over.entries {
        match base.get_mut(&entry.key) {
            Some(below) => {
                if let (Value::Table(old), Value::Table(new)) = (&mut below.item.value, &entry.item.value) {
                    merge(old, new, keys);
                } else {
                    *below = entry.clone();
                }
            }
            None => base.set(entry.clone()),
        }
    }
}

/// Applies overrides in order; one that matches nothing is reported with the nearest path that would.
pub fn overrides(
    table: &mut TableItem,
    keys: &'static [Key],
    alternatives: Alternatives,
    list: &[Override],
    problems: &mut Problems,
) {
    for change in list {
        let path: Vec<&str> = change.segments.iter().map(String::as_str).collect();
        if path.last() == Some(&"like") {
            let problem = Problem::new(change.place.clone(), "`like` cannot be set from outside");
            problems.add(problem.expected("a key that holds a value"));
            continue;
        }
        let hits = apply(table, keys, &path, change, alternatives);
        if hits == 0 && !change.may_miss {
            let mut known = Known { alternatives, wanted: &path, list: Vec::new() };
            known.collect(table, keys, 0, "");
            let near = known.list.iter().map(|(path, is_written)| (path.as_str(), *is_written));
            let near = nearest_preferring(&change.path(), near).map(str::to_owned);
            let problem = Problem::new(
                change.place.clone(),
                format!("`{}` matches nothing in this model", change.path()),
            );
            let problem =
                problem.expected("the path of a key, its parts joined by dots; `*` matches one name");
            problems.add(Problem { nearest: near, ..problem });
        }
    }
}

/// Sets the value wherever the path leads and says how often that was.
fn apply(
    table: &mut TableItem,
    keys: &'static [Key],
    path: &[&str],
    change: &Override,
    alternatives: Alternatives,
) -> usize {
    let Some(key) = path.first().and_then(|name| keys.iter().find(|key| key.name == *name)) else { return 0 };
    if path.len() == 1 {
        set(table, key.name, change);
        for other in key.excludes {
            table.remove(other);
        }
        return 1;
    }
    match key.kind {
        Kind::Table(below) => {
            let was_there = table.get(key.name).is_some();
            if !was_there {
                let value = Value::Table(TableItem::default());
                table.set(Entry {
                    key: key.name.to_owned(),
                    key_place: change.place.clone(),
                    item: Item { place: change.place.clone(), value },
                });
            }
            let hits = inner(table, key.name)
                .map_or(0, |inner| apply(inner, below, &path[1..], change, alternatives));
            if hits == 0 && !was_there {
                table.remove(key.name);
            }
            hits
        }
        Kind::Named(_) | Kind::Alternatives => {
            let is_choice = matches!(key.kind, Kind::Alternatives);
            let Some(tables) = inner(table, key.name) else { return 0 };
            let mut hits = 0;
            for entry in &mut tables.entries {
                if path[1] != "*" && path[1] != entry.key {
                    continue;
                }
                if path.len() == 2 {
                    entry.item = change.item.clone();
                    hits += 1;
                    continue;
                }
                let below =
                    if is_choice { (alternatives.keys)(&entry.key).unwrap_or(&[]) } else { key.below() };
                if let Value::Table(inner) = &mut entry.item.value {
                    hits += apply(inner, below, &path[2..], change, alternatives);
                }
            }
            hits
        }
        Kind::NameMap(..) if path.len() == 2 => inner(table, key.name).map_or(0, |inner| {
            set(inner, path[1], change);
            1
        }),
        // Inside a law or another value that is a table without described keys: only what is there.
        _ => inner(table, key.name).map_or(0, |inner| existing(inner, &path[1..], change)),
    }
}

fn existing(table: &mut TableItem, path: &[&str], change: &Override) -> usize {
    match path {
        [last] if table.get(last).is_some() => {
            set(table, last, change);
            1
        }
        [first, rest @ ..] if !rest.is_empty() => {
            inner(table, first).map_or(0, |inner| existing(inner, rest, change))
        }
        _ => 0,
    }
}

fn inner<'a>(table: &'a mut TableItem, key: &str) -> Option<&'a mut TableItem> {
    match &mut table.get_mut(key)?.item.value {
        Value::Table(inner) => Some(inner),
        _ => None,
    }
}

fn set(table: &mut TableItem, key: &str, change: &Override) {
    table.set(Entry { key: key.to_owned(), key_place: change.place.clone(), item: change.item.clone() });
}

/// The paths that an override could name, as somebody who meant `wanted` would write them: `*` where that has it, else
/// the names of this file.
struct Known<'a> {
    alternatives: Alternatives,
    wanted: &'a [&'a str],
    /// Each with whether it stands in the file.
    list: Vec<(String, bool)>,
}

impl Known<'_> {
    /// Those below a table that is `depth` parts down its path.
    fn collect(&mut self, table: &TableItem, keys: &'static [Key], depth: usize, path: &str) {
        let join =
            |path: &str, name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        for key in keys {
            let path = join(path, key.name);
            let written = table.get(key.name);
            let entries = written.and_then(|entry| entry.item.as_table());
            match key.kind {
                Kind::Table(below) => {
                    let empty = TableItem::default();
                    self.collect(entries.unwrap_or(&empty), below, depth + 1, &path);
                }
                Kind::Named(_) | Kind::Alternatives => {
                    let is_any = self.wanted.get(depth + 1) == Some(&"*");
                    for entry in entries.map_or(&[][..], |table| &table.entries) {
                        let is_choice = matches!(key.kind, Kind::Alternatives);
                        let below =
                            if is_choice { (self.alternatives.keys)(&entry.key) } else { Some(key.below()) };
                        if let (Some(table), Some(below)) = (entry.item.as_table(), below) {
                            let name = if is_any { "*" } else { &entry.key };
                            self.collect(table, below, depth + 2, &join(&path, name));
                        }
                    }
                    self.list.push((path, written.is_some()));
                }
                _ => self.list.push((path, written.is_some())),
            }
        }
    }
}
