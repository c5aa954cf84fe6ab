//! What one act of reading shares: the mistakes found, the defaults taken, and access to other files.

use std::path::PathBuf;
use std::sync::Arc;

use super::defaults::Defaults;
use super::problem::{Problem, Problems};
use super::source::{Place, Source};
use super::tree::Item;
use super::units;

/// Gives the text of a file named inside a file.
pub trait Files {
    /// The text of `path`, which is relative to the file that names it.
    ///
    /// # Errors
    /// Why it cannot be read, in words.
    fn text(&self, path: &str) -> Result<Arc<Source>, String>;
}

/// Files of a folder on disk.
#[derive(Clone, Debug)]
pub struct Folder(pub PathBuf);

impl Files for Folder {
    fn text(&self, path: &str) -> Result<Arc<Source>, String> {
        let full = self.0.join(path);
        let bytes = std::fs::read(&full).map_err(|error| error.to_string())?;
        Source::of_bytes(full.display().to_string(), bytes)
            .map_err(|problem| format!("{} at {}", problem.message, problem.place))
    }
}

/// No other files: for texts that stand alone.
#[derive(Clone, Copy, Debug)]
pub struct NoFiles;

impl Files for NoFiles {
    fn text(&self, _path: &str) -> Result<Arc<Source>, String> {
        Err("this text has no folder to look in".into())
    }
}

/// What is shared while a file is read.
pub struct Session {
    /// The mistakes found.
    pub problems: Problems,
    /// The defaults taken.
    pub defaults: Defaults,
    files: Arc<dyn Files>,
}

impl Session {
    /// A new session that finds other files through `files`.
    pub fn new(files: Arc<dyn Files>) -> Session {
        Session { problems: Problems::new(), defaults: Defaults::default(), files }
    }

    /// Reads a file with one column of times: seconds, or with a unit. A first line without digits is a heading,
    /// lines that begin with `#` and empty ones are skipped. `None` after reporting what is wrong.
    pub fn column(&mut self, path: &Item) -> Option<Vec<(f64, Place)>> {
        let Some(name) = path.as_text() else {
            let problem =
                Problem::new(path.place.clone(), format!("{} is not a file name", path.value.kind()));
            self.problems.add(problem.expected("a path to a CSV file, relative to this file"));
            return None;
        };
        let source = match self.files.text(name) {
            Ok(source) => source,
            Err(reason) => {
                let problem = Problem::new(path.place.clone(), format!("cannot read `{name}`: {reason}"));
                self.problems.add(problem.expected("a readable CSV file, its path relative to this file"));
                return None;
            }
        };
        let mut values = Vec::new();
        let before = self.problems.len();
        let mut start = 0;
        for (index, line) in source.text.split('\n').enumerate() {
            let place = Place::new(&source, start..start + line.trim_end().len());
            start += line.len() + 1;
            let heading = index == 0 && !line.contains(|c: char| c.is_ascii_digit());
            if line.trim().is_empty() || line.starts_with('#') || heading {
                continue;
            }
            if self.problems.len() > before + 20 {
                break;
            }
            match cell(line.trim_end(), &place) {
                Ok(value) => values.push((value, place)),
                Err(problem) => self.problems.add(*problem),
            }
        }
        if values.is_empty() && self.problems.len() == before {
            let problem = Problem::new(source.whole(), "no values in this file");
            self.problems.add(problem.expected("one column of seconds"));
        }
        (self.problems.len() == before).then_some(values)
    }
}

fn cell(line: &str, place: &Place) -> Result<f64, Box<Problem>> {
    const EXPECTED: &str = "one column: seconds such as `12.5`, or a time with its unit";
    if let Some(comma) = line.find([',', ';', '\t']) {
        let rest = place.part(comma..line.len());
        return Err(Box::new(Problem::new(rest, "more than one column").expected(EXPECTED)));
    }
    let indent = line.len() - line.trim_start().len();
    let text = line.trim();
    let (text, indent) = match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(inner) => (inner, indent + 1),
        None => (text, indent),
    };
    let here = |range: std::ops::Range<usize>| place.part(range.start + indent..range.end + indent);
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        Ok(value) => {
            let message = if value < 0.0 { "a time cannot be negative" } else { "not a finite number" };
            Err(Box::new(Problem::new(here(0..text.len()), message).expected(EXPECTED)))
        }
        Err(_) => units::seconds(text)
            .map_err(|error| Box::new(Problem::new(here(error.range), error.message).expected(EXPECTED))),
    }
}
