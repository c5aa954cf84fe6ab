//! `failsim test`: scenario files and their expectations.

use std::path::Path;

use clap::Args;
use serde_json::json;

use super::args::{ChangeArgs, Count, Format, FormatArgs, JobsArgs};
use super::exit::{Ended, Exit, Failure};
use super::output::{print, print_json, print_tables};
use crate::experiment::plan::Settings;
use crate::experiment::scenario::{self, Judged, Verdict};
use crate::input::Problems;
use crate::model::scenario_file::ScenarioFile;
use crate::model::shipped::{self, FileKind, FindError};
use crate::policy::registry::PolicySet;
use crate::report::table::{Cell, Column, Table};

/// Runs scenarios (a model, faults at exact times) and checks their expectations
#[derive(Args, Debug)]
pub(super) struct TestArgs {
    /// Scenario files or bare names [default: all of `experiments/scenarios/`, or the shipped ones]
    scenarios: Vec<String>,
    #[command(flatten)]
    changes: ChangeArgs,
    /// Runs of each scenario
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = Count(1, 1_000_000))]
    runs: Option<u64>,
    #[command(flatten)]
    threads: JobsArgs,
    /// Only scenarios that fail
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    format: FormatArgs,
}

/// How a scenario came out, or what is wrong with it.
type Outcome = Result<(ScenarioFile, Vec<Judged>), Problems>;

/// A scenario that was run.
struct Tried {
    stem: String,
    title: String,
    verdict: Verdict,
    judged: Vec<Judged>,
}

pub(super) fn test<P: PolicySet>(args: &TestArgs) -> Ended {
    let names = if args.scenarios.is_empty() { all() } else { args.scenarios.clone() };
    if names.is_empty() {
        return Err(Failure::Usage(
            "there are no scenarios; name one, such as `failsim test mine.toml`".into(),
        ));
    }
    let settings = args.changes.settings(args.runs);
    let threads = rayon::ThreadPoolBuilder::new().num_threads(args.threads.jobs()).build();
    let threads = threads.map_err(|error| Failure::Usage(format!("cannot start threads: {error}")))?;
    let is_text = args.format.format == Format::Table;
    let mut problems = Problems::new();
    let mut tried: Vec<Tried> = Vec::new();
    for name in &names {
        let (stem, judged) = threads.install(|| judge::<P>(name, &settings))?;
        let (file, judged) = match judged {
            Ok(judged) => judged,
            Err(more) => {
                problems.extend(more);
                continue;
            }
        };
        let has = |verdict| judged.iter().any(|judged| judged.verdict == verdict);
        let verdict = [Verdict::Missed, Verdict::Open].into_iter().find(|&verdict| has(verdict));
        let verdict = verdict.unwrap_or(Verdict::Met);
        let one = Tried { stem, title: file.title, verdict, judged };
        if is_text && is_shown(args, &one) {
            // Each as soon as it is known: some take their time.
            print(&text(&one))?;
        }
        tried.push(one);
    }
    let count = |verdict| tried.iter().filter(|one| one.verdict == verdict).count();
    let [good, open, failed] = [Verdict::Met, Verdict::Open, Verdict::Missed].map(count);
    let counts = [good, failed, open, names.len() - tried.len()];
    let shown: Vec<&Tried> = tried.iter().filter(|one| is_shown(args, one)).collect();
    match args.format.format {
        Format::Table => print(&format!("{}\n", sentence(names.len(), counts)))?,
        Format::Json => print_json(&json(&shown, counts))?,
        format => print_tables(&[table(&shown, sentence(names.len(), counts))], format)?,
    }
    if !problems.is_empty() {
        return Err(problems.sorted().into());
    }
    Ok(match (failed, open) {
        (0, 0) => Exit::Good,
        (0, _) => Exit::Inconclusive,
        _ => Exit::Failed,
    })
}

/// What [`scenario::judge`] says of a file by path or name, and how the file is called.
fn judge<P: PolicySet>(name: &str, settings: &Settings) -> Result<(String, Outcome), FindError> {
    let found = shipped::find(FileKind::Scenario, name, None)?;
    Ok((crate::model::load::stem(&found.source.name), scenario::judge::<P>(&found, settings)))
}

fn is_shown(args: &TestArgs, one: &Tried) -> bool {
    !args.quiet || one.verdict != Verdict::Met
}

fn text(one: &Tried) -> String {
    let mut text = format!("{} {}: {}\n", mark(one.verdict), one.stem, one.title);
    for judged in &one.judged {
        text.push_str(&format!("    {} {}: {}\n", mark(judged.verdict), judged.wanted, judged.found));
    }
    text
}

/// How many there were, and of those how many passed, failed, were left open, could not be read.
fn sentence(all: usize, [good, failed, open, unread]: [usize; 4]) -> String {
    let plural = if all == 1 { "scenario" } else { "scenarios" };
    let more = |count: usize, what: &str| if count > 0 { format!(", {count} {what}") } else { String::new() };
    let (open, unread) = (more(open, "with too few runs to say"), more(unread, "could not be read"));
    format!("{all} {plural}: {good} passed, {failed} failed{open}{unread}")
}

/// A row for each expectation.
fn table(shown: &[&Tried], sentence: String) -> Table {
    let columns = ["scenario", "verdict", "expected", "found"].map(Column::words).to_vec();
    let row = |one: &Tried, judged: &Judged| {
        [one.stem.as_str(), word(judged.verdict), &judged.wanted, &judged.found]
            .map(|text| Cell::Text(text.to_owned()))
            .to_vec()
    };
    let rows = shown.iter().flat_map(|one| one.judged.iter().map(|judged| row(one, judged)));
    Table { title: String::new(), columns, rows: rows.collect(), sentence }
}

fn json(shown: &[&Tried], [good, failed, open, unread]: [usize; 4]) -> serde_json::Value {
    let scenarios = shown.iter().map(|one| {
        let expectations = one.judged.iter().map(|judged| {
            json!({"expected": judged.wanted, "found": judged.found, "verdict": word(judged.verdict)})
        });
        json!({
            "scenario": one.stem, "title": one.title, "verdict": word(one.verdict),
            "expectations": expectations.collect::<Vec<_>>(),
        })
    });
    json!({
        "format": crate::record::FORMAT,
        "passed": good, "failed": failed, "inconclusive": open, "unread": unread,
        "scenarios": scenarios.collect::<Vec<_>>(),
    })
}

fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "✓",
        Verdict::Open => "?",
        Verdict::Missed => "✗",
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "passed",
        Verdict::Open => "inconclusive",
        Verdict::Missed => "failed",
    }
}

/// The scenarios of the project one stands in, else those built in.
fn all() -> Vec<String> {
    let folder = Path::new(FileKind::Scenario.folder());
    let Ok(entries) = std::fs::read_dir(folder) else {
        return shipped::names(FileKind::Scenario).into_iter().map(str::to_owned).collect();
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut names: Vec<String> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .map(|path| path.display().to_string())
        .collect();
    names.sort();
    names
}
