//! `failsim sweep`: an experiment, its result folder and its comparison.

use std::path::Path;
use std::time::Instant;

use clap::Args;

use super::args::{Format, SimulateArgs};
use super::exit::{Ended, Exit};
use super::output::{print, print_json, print_tables};
use super::work;
use crate::experiment::outcome::Outcome;
use crate::experiment::plan::Plan;
use crate::experiment::view::View;
use crate::experiment::{publish, reports, verdict};
use crate::policy::registry::PolicySet;

/// Runs an experiment, writes `results/NAME/` and prints the comparison
#[derive(Args, Debug)]
pub(super) struct SweepArgs {
    /// An experiment file, or the bare name of a shipped one (`failsim list experiments`)
    experiment: String,
    #[command(flatten)]
    common: SimulateArgs,
}

pub(super) fn sweep<P: PolicySet>(args: &SweepArgs) -> Ended {
    let start = Instant::now();
    let SimulateArgs { settings, work, folder, format } = &args.common;
    let (settings, format) = (settings.settings(work.runs), format.format);
    let plan: Plan<P> = work::experiment(&args.experiment, settings)?;
    let usual = Path::new("results").join(&plan.name);
    let target = folder.out.as_deref().unwrap_or(&usual);
    let Some(done) = work::results(&plan, work, Some((target, folder.replace)), start)? else {
        return Ok(Exit::Interrupted);
    };
    show(&done.outcome, format)?;
    work::stats(&plan, work, &done);
    Ok(work::breaches(&done.outcome))
}

/// Prints a result.
pub(super) fn show(outcome: &Outcome, format: Format) -> Result<(), super::exit::Failure> {
    let view = outcome.view();
    match format {
        Format::Csv => print(&outcome.points.to_csv()),
        Format::Json => print_json(&serde_json::json!({
            "format": crate::record::FORMAT,
            "experiment": outcome.manifest.experiment,
            "title": outcome.title,
            "seed": outcome.manifest.seed,
            "verdict": verdict::headline(&view),
            "paragraphs": reports::paragraphs(&view),
            "points": rows(&view),
        })),
        Format::Markdown => print(&publish::summary(outcome, &[])),
        Format::Table => {
            print(&format!("{}\n\n", outcome.title))?;
            print_tables(&reports::tables(&view), format)?;
            print(&format!("\n{}\n\n{}\n", reports::paragraphs(&view).join("\n"), publish::notes(outcome)))
        }
    }
}

/// Every row with its figures by name.
pub(super) fn rows(view: &View<'_>) -> Vec<serde_json::Value> {
    let value = |axis: &crate::record::AxisValue| match axis {
        crate::record::AxisValue::Number(number) => serde_json::json!(number),
        crate::record::AxisValue::Name(name) => serde_json::json!(name),
    };
    view.points
        .rows
        .iter()
        .map(|row| {
            let axes: serde_json::Map<_, _> =
                view.points.axes.iter().cloned().zip(row.axes.iter().map(value)).collect();
            let measures: serde_json::Map<_, _> = view
                .points
                .measures
                .iter()
                .zip(&row.measures)
                .filter_map(|(name, estimate)| {
                    let e = (*estimate)?;
                    let fields = serde_json::json!({"estimate": e.estimate, "low": e.low, "high": e.high});
                    Some((name.clone(), fields))
                })
                .collect();
            serde_json::json!({
                "axes": axes, "policy": row.policy, "runs": row.runs, "fingerprint": row.fingerprint,
                "measures": measures,
            })
        })
        .collect()
}
