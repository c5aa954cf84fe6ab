//! Which keys were left out, and how well the values taken instead are founded.

use std::collections::BTreeSet;

use super::key::{Key, Mark};

/// The keys left at their defaults.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    list: Vec<(String, String, &'static Key)>,
}

/// One line of the list of defaults.
#[derive(Clone, Debug)]
pub struct DefaultLine {
    /// The key, names of the user's choice as `*`.
    pub pattern: String,
    /// Where it was left out, in full.
    pub paths: Vec<String>,
    /// Its description.
    pub key: &'static Key,
}

impl Defaults {
    pub(super) fn note(&mut self, path: String, pattern: String, key: &'static Key) {
        self.list.push((path, pattern, key));
    }

    pub(super) fn forget(&mut self, path: &str) {
        self.list.retain(|(other, ..)| other != path);
    }

    /// Adds those of another file.
    pub fn extend(&mut self, other: Defaults) {
        self.list.extend(other.list);
    }

    /// How many different parameters are defaults; neutral ones (no loss, no limit) do not count.
    pub fn count(&self) -> usize {
        self.patterns(|mark| mark != Mark::Neutral)
    }

    /// How many of those are assumptions.
    pub fn assumptions(&self) -> usize {
        self.patterns(|mark| mark == Mark::Assumption)
    }

    /// The sentence for a report.
    pub fn sentence(&self) -> String {
        let (count, assumptions) = (self.count(), self.assumptions());
        let plural = if count == 1 { "parameter is a default" } else { "parameters are defaults" };
        format!("{count} {plural}, {assumptions} of those assumptions")
    }

    /// Every parameter left out, with the places where it was, in the order of first mention.
    pub fn lines(&self) -> Vec<DefaultLine> {
        let mut lines: Vec<DefaultLine> = Vec::new();
        for (path, pattern, key) in &self.list {
            match lines.iter_mut().find(|line| line.pattern == *pattern) {
                Some(line) => line.paths.push(path.clone()),
                None => lines.push(DefaultLine { pattern: pattern.clone(), paths: vec![path.clone()], key }),
            }
        }
        lines
    }

    fn patterns(&self, counts: impl Fn(Mark) -> bool) -> usize {
        self.list
            .iter()
            .filter(|(.., key)| counts(key.mark))
            .map(|(_, pattern, _)| pattern)
            .collect::<BTreeSet<_>>()
            .len()
    }
}
