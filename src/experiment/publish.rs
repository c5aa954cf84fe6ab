//! Writes a result folder.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::outcome::Outcome;
use super::{figures, reports, verdict};
use crate::record::{Publication, PublishError};
use crate::report::table::Table;

/// Writes every file of a result into the partial folder.
///
/// # Errors
/// Where the system refuses.
pub fn write(work: &Publication, outcome: &Outcome) -> Result<(), PublishError> {
    let folder = work.folder();
    put(&folder.join("points.csv"), outcome.points.to_csv().as_bytes())?;
    put(&folder.join("pairs.csv"), outcome.pairs.to_csv().as_bytes())?;
    put(&folder.join("manifest.json"), outcome.manifest.to_json().as_bytes())?;
    let charts = figures::figures(outcome);
    if !charts.is_empty() {
        let folder = folder.join("charts");
        fs::create_dir_all(&folder).map_err(|source| failed("create", &folder, source))?;
        for figure in &charts {
            put(&folder.join(format!("{}.svg", figure.name)), figure.chart.svg().as_bytes())?;
            put(&folder.join(format!("{}.png", figure.name)), &figure.chart.png())?;
            put(&folder.join(format!("{}.csv", figure.name)), figure.chart.csv().as_bytes())?;
        }
    }
    let names: Vec<&str> = charts.iter().map(|chart| chart.name.as_str()).collect();
    put(&folder.join("summary.md"), summary(outcome, &names).as_bytes())
}

/// The result in words, as Markdown.
pub fn summary(outcome: &Outcome, charts: &[&str]) -> String {
    let view = outcome.view();
    let mut text = format!("# {}\n\n", outcome.title);
    let mut add = |paragraph: String| {
        let _ = write!(text, "{}\n\n", paragraph.trim_end());
    };
    outcome.question.iter().for_each(|question| add(question.clone()));
    add(format!("**{}.**", verdict::headline(&view)));
    reports::paragraphs(&view).into_iter().for_each(&mut add);
    for table in reports::tables(&view) {
        // The sentence of a table stands above already.
        add(Table { sentence: String::new(), ..table }.to_markdown());
    }
    for breach in &outcome.breaches {
        add(format!("**A bound did not hold:** {}. Replay: `{}`", breach.message, breach.replay));
    }
    let kinds: Vec<String> = view
        .policies
        .iter()
        .map(|policy| {
            format!("{policy} ({})", if view.is_stateful(policy) { "keeps data" } else { "no data" })
        })
        .collect();
    add(format!("Policies: {}.", kinds.join(", ")));
    add(notes(outcome));
    charts.iter().for_each(|name| add(format!("![{name}](charts/{name}.svg)")));
    format!("{}\n", text.trim_end())
}

/// What every report says about its numbers.
pub fn notes(outcome: &Outcome) -> String {
    let runs = outcome.points.rows.first().map_or(0, |row| row.runs);
    format!(
        "Intervals are 95 % simulation intervals ({runs} runs, seed {}): how far the simulation has converged, not how \
         well the failure rates are known. {}.",
        outcome.manifest.seed, outcome.defaults
    )
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), PublishError> {
    fs::write(path, bytes).map_err(|source| failed("write", path, source))
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> PublishError {
    PublishError::Io { action, path: PathBuf::from(path), source }
}
