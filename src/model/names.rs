//! Names of one kind of thing and the index each stands for.

use crate::input::source::Name;
use crate::input::{Problem, Problems};

/// The names of one kind, by index.
#[derive(Clone, Debug, Default)]
pub struct Names {
    what: &'static str,
    list: Vec<String>,
}

impl Names {
    /// Names in order; `what` says in messages what they are names of (`node`).
    pub fn new<'a>(what: &'static str, names: impl IntoIterator<Item = &'a str>) -> Names {
        Names { what, list: names.into_iter().map(str::to_owned).collect() }
    }

    /// The names of the tables of a file. More than 65,535 are refused.
    pub fn of<T>(what: &'static str, tables: &[(Name, T)], problems: &mut Problems) -> Names {
        if let Some((name, _)) = tables.get(usize::from(u16::MAX)) {
            let message = format!("more than 65,535 of one kind ({what})");
            problems.add(Problem::new(name.place.clone(), message).expected("a smaller model"));
        }
        Names::new(what, tables.iter().take(usize::from(u16::MAX)).map(|(name, _)| name.text.as_str()))
    }

    /// Adds a name if it is new; its index in any case.
    pub fn intern(&mut self, name: &str) -> usize {
        self.index(name).unwrap_or_else(|| {
            self.list.push(name.to_owned());
            self.list.len() - 1
        })
    }

    /// The index of a name.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.list.iter().position(|other| other == name)
    }

    /// The index of a name in a file; one that leads nowhere is reported with the nearest that does.
    pub fn find(&self, name: &Name, problems: &mut Problems) -> Option<usize> {
        let found = self.index(&name.text);
        if found.is_none() {
            problems.add(dangling(self.what, name, &[self]));
        }
        found
    }

    /// The names in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(String::as_str)
    }
}

/// The problem of a name that none of these kinds knows.
pub fn dangling(what: &str, name: &Name, kinds: &[&Names]) -> Problem {
    let all: Vec<&str> = kinds.iter().flat_map(|names| names.iter()).collect();
    let problem = Problem::new(name.place.clone(), format!("no {what} is called `{}`", name.text)).derived();
    let problem = problem.nearest(&name.text, all.iter().copied());
    if all.is_empty() {
        return problem.expected(format!("the name of a {what}, and there is none"));
    }
    let shown = all.iter().take(12).copied().collect::<Vec<_>>().join(", ");
    let more = if all.len() > 12 { ", …" } else { "" };
    problem.expected(format!("one of {shown}{more}"))
}
