//! `manifest.json`: exactly what made a result folder, and the fingerprints that tell whether it can be made again.
//!
//! No time, host, folder, number of threads or commit: the same inputs and program give the same bytes anywhere.

use serde::{Deserialize, Serialize};

use super::RecordError;

/// Version of the formats in a result folder; raised when a reader of the old one could misread the new one.
pub const FORMAT: u32 = 1;

/// A file that went into the experiment, in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// What it was: `experiment`, `model`, or a setting given beside them.
    pub role: String,
    /// Its name without folders.
    pub name: String,
    /// Its text as read.
    pub text: String,
}

/// What the runs of one policy at one point did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprints {
    /// Values of the axes, in the order of [`Manifest::axes`], as in `points.csv`.
    pub axes: Vec<String>,
    /// The policy.
    pub policy: String,
    /// Number of runs.
    pub runs: u64,
    /// Of run 0 alone: the quickest thing to check.
    pub first_run: String,
    /// Of all runs.
    pub all_runs: String,
}

/// The whole manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`] of the program that wrote it.
    pub format: u32,
    /// Name of the experiment; what a folder is recognised by when it is to be replaced.
    pub experiment: String,
    /// Version of the program.
    pub version: String,
    /// Seed of all runs.
    pub seed: u64,
    /// Everything that was read.
    pub inputs: Vec<Input>,
    /// Names of the axes.
    pub axes: Vec<String>,
    /// Point by point, and policy by policy within each.
    pub points: Vec<Fingerprints>,
}

impl Manifest {
    /// An empty manifest of this program's format and version.
    pub fn new(experiment: &str, seed: u64) -> Self {
        Self {
            format: FORMAT,
            experiment: experiment.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed,
            inputs: Vec::new(),
            axes: Vec::new(),
            points: Vec::new(),
        }
    }

    /// The text of `manifest.json`.
    pub fn to_json(&self) -> String {
        let mut text =
            serde_json::to_string_pretty(self).expect("text and whole numbers always have a JSON form");
        text.push('\n');
        text
    }

    /// Reads a `manifest.json`. One of another format is refused by its number before anything else is looked at.
    ///
    /// # Errors
    /// Where the text is not a manifest, or one that this program cannot read.
    pub fn from_json(text: &str) -> Result<Self, RecordError> {
        let format = Outline::from_json(text)?.format;
        if format != FORMAT {
            let message =
                format!("format {format} was written by another version of failsim; this one reads {FORMAT}");
            return Err(RecordError::new(0, message));
        }
        serde_json::from_str(text).map_err(wrong)
    }
}

/// The part of a manifest that every format has.
#[derive(Debug, Deserialize)]
pub(super) struct Outline {
    pub(super) format: u32,
    pub(super) experiment: String,
}

impl Outline {
    pub(super) fn from_json(text: &str) -> Result<Self, RecordError> {
        serde_json::from_str(text).map_err(wrong)
    }
}

fn wrong(error: serde_json::Error) -> RecordError {
    RecordError::new(error.line() as u64, format!("not a manifest: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let point = Fingerprints {
            axes: vec!["10.0".into()],
            policy: "hot standby".into(),
            runs: 400,
            first_run: "9f02".into(),
            all_runs: "77aa".into(),
        };
        let input = Input { role: "model".into(), name: "pair.toml".into(), text: "title = \"x\"\n".into() };
        Manifest {
            inputs: vec![input],
            axes: vec!["MTTF".into()],
            points: vec![point],
            ..Manifest::new("mttf", 7)
        }
    }

    #[test]
    fn what_was_written_reads_back_exactly() {
        assert_eq!(Manifest::from_json(&manifest().to_json()), Ok(manifest()));
    }

    #[test]
    fn another_format_is_refused_by_its_number() {
        let text = r#"{"format": 2, "experiment": "mttf", "something": "new"}"#;
        let error = Manifest::from_json(text).unwrap_err();
        assert!(error.to_string().starts_with("format 2 was written by another version"), "{error}");
    }
}
