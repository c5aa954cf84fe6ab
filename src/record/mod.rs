//! What results are stored in: versioned formats with types of their own, and how a folder of them is published.
//!
//! A result folder holds a [`Manifest`] (what made it), `points.csv` ([`Points`]), `pairs.csv` ([`Pairs`]) and charts.
//! Nothing written depends on time, host, folder or the number of threads. These types know no simulation type: who
//! runs fills them, who reports reads them. Read [`Points`] first.

mod manifest;
mod pairs;
mod points;
mod publish;

pub use manifest::{FORMAT, Fingerprints, Input, Manifest};
pub use pairs::{Pair, Pairs};
pub use points::{AxisValue, Estimate, Points, Row};
pub use publish::{Publication, PublishError};

use std::fmt;

/// What is wrong with a file that should hold a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    /// The line it was found in, counted from 1; 0 where it concerns the whole file.
    pub line: u64,
    /// What is wrong.
    pub message: String,
}

impl RecordError {
    fn new(line: u64, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.message),
            line => write!(f, "line {line}: {}", self.message),
        }
    }
}

impl std::error::Error for RecordError {}

impl From<csv::Error> for RecordError {
    fn from(error: csv::Error) -> Self {
        Self::new(error.position().map_or(0, csv::Position::line), error.to_string())
    }
}

/// The shortest text that reads back as the same number.
fn number(value: f64) -> String {
    format!("{value:?}")
}

/// A number from a field; an empty one is none.
fn parse_number(field: &str, name: &str, line: u64) -> Result<Option<f64>, RecordError> {
    if field.is_empty() {
        return Ok(None);
    }
    field
        .parse()
        .map(Some)
        .map_err(|_| RecordError::new(line, format!("`{name}` should be a number, not `{field}`")))
}

/// A number from a field that must hold one.
fn need_number(field: &str, name: &str, line: u64) -> Result<f64, RecordError> {
    parse_number(field, name, line)?.ok_or_else(|| RecordError::new(line, format!("`{name}` is empty")))
}

/// Rows of fields as CSV text.
fn csv_text(rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(&row).expect("rows of one table are equally long");
    }
    let bytes = writer.into_inner().expect("a table in memory cannot fail");
    String::from_utf8(bytes).expect("text in, text out")
}
