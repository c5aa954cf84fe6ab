//! `failsim check`: an experiment against its committed baseline, and its gates.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use super::args::{Format, FormatArgs, ModelArgs, WorkArgs};
use super::changes::changed;
use super::exit::{Ended, Exit, Failure};
use super::output::{note, print, print_json, print_tables};
use super::{compare, work};
use crate::check::{self, Change, GateResult, Recorded, Verdict};
use crate::experiment::plan::Plan;
use crate::experiment::publish;
use crate::policy::registry::PolicySet;
use crate::record::{Publication, Row};
use crate::report::table::Cell;

/// Runs an experiment again and compares it with its committed baseline; checks its gates
#[derive(Args, Debug)]
#[command(
    after_help = "Exit codes: 0 equal and every gate passed, 1 something moved or a gate failed, 2 no baseline, \
                        3 a gate's interval is too wide to say."
)]
pub(super) struct CheckArgs {
    /// An experiment file, or the bare name of a shipped one
    experiment: String,
    /// Baseline folder [default: results/NAME]
    #[arg(long, value_name = "DIR")]
    baseline: Option<PathBuf>,
    /// Make this result the new baseline
    #[arg(long)]
    bless: bool,
    /// Only the gates, without a baseline
    #[arg(long, conflicts_with = "bless")]
    gates_only: bool,
    #[command(flatten)]
    settings: ModelArgs,
    #[command(flatten)]
    work: WorkArgs,
    #[command(flatten)]
    format: FormatArgs,
}

pub(super) fn check<P: PolicySet>(args: &CheckArgs) -> Ended {
    let start = Instant::now();
    let settings = args.settings.settings(args.work.runs);
    let plan: Plan<P> = work::experiment(&args.experiment, settings)?;
    let usual = Path::new("results").join(&plan.name);
    let folder = args.baseline.as_deref().unwrap_or(&usual);
    let old = if args.bless || args.gates_only { None } else { Some(baseline(folder, &bless(args))?) };
    // Fails before the work where the folder cannot be written.
    let publication = if args.bless { Some(Publication::begin(folder, &plan.name, false)?) } else { None };
    let Some(done) = work::results(&plan, &args.work, None, start)? else { return Ok(Exit::Interrupted) };
    let outcome = &done.outcome;
    let new = Recorded { points: outcome.points.clone(), manifest: outcome.manifest.clone() };
    let changes = old.map_or_else(Vec::new, |old| check::compare(&old, &new));
    let gates = check::gates(&plan.gates, &new.points, &|row| indexes(&plan, row));
    if let Some(publication) = publication {
        publish::write(&publication, outcome)?;
        let path = publication.publish()?;
        note(&format!("blessed: {} is the new baseline", path.display()));
    }
    show(args, &plan.name, &changes, &gates)?;
    let worst = gates.iter().map(|gate| gate.verdict).max().unwrap_or(Verdict::Passed);
    let exit = match worst {
        Verdict::Failed => Exit::Failed,
        _ if !changes.is_empty() => Exit::Failed,
        Verdict::Inconclusive => Exit::Inconclusive,
        Verdict::Passed => Exit::Good,
    };
    work::stats(&plan, &args.work, &done);
    Ok(if work::breaches(outcome) == Exit::Failed { Exit::Failed } else { exit })
}

/// The command that makes a result the baseline.
fn bless(args: &CheckArgs) -> String {
    let folder =
        args.baseline.as_ref().map_or(String::new(), |path| format!(" --baseline {}", path.display()));
    format!("failsim check {}{folder} --bless", args.experiment)
}

fn baseline(folder: &Path, bless: &str) -> Result<Recorded, Failure> {
    if !folder.join("manifest.json").exists() {
        return Err(Failure::Usage(format!(
            "there is no baseline in `{}`; `{bless}` makes one, to be committed",
            folder.display()
        )));
    }
    compare::read(folder)
}

fn indexes<P: PolicySet>(plan: &Plan<P>, row: &Row) -> Vec<usize> {
    plan.points
        .iter()
        .find(|point| point.axes == row.axes)
        .map_or_else(Vec::new, |point| point.indexes.clone())
}

fn show(args: &CheckArgs, name: &str, changes: &[Change], gates: &[GateResult]) -> Result<(), Failure> {
    let word = |verdict: Verdict| match verdict {
        Verdict::Passed => "passed",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Failed => "failed",
    };
    if args.format.format == Format::Json {
        let gates = gates.iter().map(|gate| {
            let found = gate.found.map(|e| serde_json::json!({"estimate": e.estimate, "low": e.low, "high": e.high}));
            serde_json::json!({"at": gate.at, "asks": gate.asks, "found": found, "verdict": word(gate.verdict)})
        });
        return print_json(&serde_json::json!({
            "format": crate::record::FORMAT,
            "experiment": name,
            "changes": changed(changes, Format::Json).to_json()["rows"],
            "gates": gates.collect::<Vec<_>>(),
        }));
    }
    if !changes.is_empty() {
        print_tables(&[changed(changes, args.format.format)], args.format.format)?;
    } else if !args.bless && !args.gates_only {
        print(&format!("{name}: equal to the baseline to the last bit\n"))?;
    }
    for gate in gates {
        let mark = match gate.verdict {
            Verdict::Passed => "✓",
            Verdict::Inconclusive => "?",
            Verdict::Failed => "✗",
        };
        let found = match gate.found {
            Some(_) => format!("is {}", Cell::from(gate.found).text()),
            None => "is not there: this model cannot have it, or no run had a case of it".to_owned(),
        };
        let advice = if gate.verdict == Verdict::Inconclusive { "; more runs would tell" } else { "" };
        print(&format!("{mark} {}: {} {found}{advice}\n", gate.at, gate.asks))?;
    }
    if !gates.is_empty() {
        let count = |verdict: Verdict| gates.iter().filter(|gate| gate.verdict == verdict).count();
        let parts = [Verdict::Passed, Verdict::Failed, Verdict::Inconclusive]
            .map(|verdict| format!("{} {}", count(verdict), word(verdict)));
        print(&format!("{name}: of {} gates {}\n", gates.len(), parts.join(", ")))?;
    } else if args.gates_only {
        print(&format!("{name}: the experiment has no gates\n"))?;
    }
    if !changes.is_empty() {
        note(&format!("if this is meant: `{}` makes it the new baseline", bless(args)));
    }
    Ok(())
}
