//! From the text of a model file to a checked model.

use std::path::Path;
use std::sync::Arc;

use super::build::build;
use super::resolve::{self, Alternatives};
use super::schema::{MODEL_KEYS, ModelTable};
use crate::input::tree::{self, Item, Value};
use crate::input::{Choice, Defaults, Files, Place, Problems, Reader, Session, Source};
use crate::system::spec::Model;

/// One value set from outside the file: by `--set`, by an axis of a sweep, by a policy of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// The parts of the dotted path; `*` matches one name.
    pub segments: Vec<String>,
    /// Where the path stands.
    pub place: Place,
    /// The new value.
    pub item: Item,
    /// Whether it may match nothing: an axis over a parameter that only some of the compared policies have.
    pub may_miss: bool,
}

impl Override {
    /// A value for a path. Parts that contain dots are quoted: `nodes."a.b".start`.
    pub fn new(path: &str, place: Place, item: Item) -> Override {
        Override { segments: split(path), place, item, may_miss: false }
    }

    /// From `KEY=VALUE`; `origin` names the text in messages (`--set`). The value is TOML, or plain text such as `5s`.
    ///
    /// # Errors
    /// Without an equals sign or a key, or if the value begins like TOML and is none.
    pub fn parse(text: &str, origin: &str) -> Result<Override, Problems> {
        let source = Source::new(origin, text);
        let mut problems = Problems::new();
        let Some((path, value)) = text.split_once('=').filter(|(path, _)| !path.trim().is_empty()) else {
            let problem = crate::input::Problem::new(source.whole(), "no key and value");
            problems.add(problem.expected("KEY=VALUE, such as `nodes.*.start=30s`"));
            return Err(problems);
        };
        let item = value_at(&source, path.len() + 1, value, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let place = Place::new(&source, 0..path.trim_end().len());
        Ok(Override::new(path.trim(), place, item))
    }

    /// As [`Override::parse`] with path and value apart.
    ///
    /// # Errors
    /// If the value begins like TOML and is none.
    pub fn from_parts(path: &str, value: &str, origin: &str) -> Result<Override, Problems> {
        Override::parse(&format!("{path}={value}"), origin)
    }

    /// It may match nothing.
    #[must_use]
    pub fn may_miss(mut self) -> Override {
        self.may_miss = true;
        self
    }

    /// The dotted path.
    pub fn path(&self) -> String {
        self.segments.join(".")
    }
}

/// The value that begins at `offset` of a source, with places in that source.
fn value_at(source: &Arc<Source>, offset: usize, value: &str, problems: &mut Problems) -> Item {
    let apart = Source::new(source.name.clone(), value);
    let mut inner = Problems::new();
    let mut item = tree::parse_value(&apart, &mut inner);
    shift(&mut item, source, offset);
    for problem in inner.iter() {
        let span = &problem.place.span;
        let mut problem = problem.clone();
        problem.place = Place::new(source, span.start + offset..span.end + offset);
        problems.add(problem);
    }
    item
}

fn shift(item: &mut Item, source: &Arc<Source>, offset: usize) {
    let moved = |place: &Place| Place::new(source, place.span.start + offset..place.span.end + offset);
    item.place = moved(&item.place);
    match &mut item.value {
        Value::Array(items) => items.iter_mut().for_each(|item| shift(item, source, offset)),
        Value::Table(table) => {
            for entry in &mut table.entries {
                entry.key_place = moved(&entry.key_place);
                shift(&mut entry.item, source, offset);
            }
        }
        _ => {}
    }
}

fn split(path: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quote = None;
    for letter in path.chars() {
        let last = parts.last_mut().expect("never empty");
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, '.') => parts.push(String::new()),
            _ => last.push(letter),
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

/// Reads a model. `files` finds the CSV files it names; `overrides` are applied in order after `like`.
///
/// # Errors
/// Every mistake of the file and of the overrides, in order of place.
pub fn load<P: Choice>(
    source: &Arc<Source>,
    files: Arc<dyn Files>,
    overrides: &[Override],
) -> Result<(Model<P>, Defaults), Problems> {
    let (model, defaults, problems) = draft(source, files, overrides);
    if problems.is_empty() { Ok((model, defaults)) } else { Err(problems.sorted()) }
}

/// As [`load`], with every mistake beside what could be read: after mistakes the model may lack whatever could not be
/// made, and is good for nothing but looking up names.
pub fn draft<P: Choice>(
    source: &Arc<Source>,
    files: Arc<dyn Files>,
    overrides: &[Override],
) -> (Model<P>, Defaults, Problems) {
    let mut session = Session::new(files);
    let mut table = tree::parse(source, &mut session.problems);
    let is_damaged = tree::is_damaged(&session.problems);
    resolve::like(&mut table, MODEL_KEYS, &mut session.problems);
    resolve::overrides(&mut table, MODEL_KEYS, Alternatives::of::<P>(), overrides, &mut session.problems);
    let written: ModelTable<P> = Reader::root(&table, &source.whole(), &mut session);
    let model = build(written, &stem(&source.name), &mut session.problems);
    if is_damaged {
        session.problems.drop_derived();
    }
    (model, session.defaults, session.problems)
}

/// The overrides that match nothing in a model, whatever else may be wrong with it.
pub fn unmatched<P: Choice>(source: &Arc<Source>, overrides: &[Override]) -> Problems {
    let (mut others, mut problems) = (Problems::new(), Problems::new());
    let mut table = tree::parse(source, &mut others);
    resolve::like(&mut table, MODEL_KEYS, &mut others);
    resolve::overrides(&mut table, MODEL_KEYS, Alternatives::of::<P>(), overrides, &mut problems);
    problems
}

/// The names under a top-level key of a file, such as `groups`, whatever else may be wrong with it.
pub fn names_under(source: &Arc<Source>, key: &str) -> Vec<String> {
    let table = tree::parse(source, &mut Problems::new());
    let named = table.get(key).and_then(|entry| entry.item.as_table());
    named.map_or_else(Vec::new, |named| named.entries.iter().map(|entry| entry.key.clone()).collect())
}

/// The name of a file without folder and ending.
pub fn stem(name: &str) -> String {
    Path::new(name).file_stem().map_or_else(|| name.to_owned(), |stem| stem.to_string_lossy().into_owned())
}
