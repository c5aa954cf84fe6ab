//! What the commands that simulate have in common: finding files, running a plan, progress, Ctrl-C.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::WorkArgs;
use super::exit::{Exit, Failure};
use super::output::note;
use super::stats::{self, Times};
use crate::experiment::execute::{self, Options, Results};
use crate::experiment::outcome::{self, Outcome};
use crate::experiment::plan::{Plan, Settings};
use crate::experiment::{publish, replay};
use crate::model::shipped::{self, FileKind};
use crate::policy::registry::PolicySet;
use crate::record::Publication;

/// Set by Ctrl-C.
static CANCEL: AtomicBool = AtomicBool::new(false);

/// Makes the plan of an experiment by path or name.
pub(super) fn experiment<P: PolicySet>(name: &str, mut settings: Settings) -> Result<Plan<P>, Failure> {
    let found = shipped::find(FileKind::Experiment, name, None)?;
    // A key of one policy may be missing under the others; the plan reports one that all lack.
    for change in &mut settings.set {
        let part = |index: usize| change.segments.get(index).map(String::as_str);
        change.may_miss |= part(0) == Some("groups") && part(2) == Some("policy");
    }
    Ok(Plan::of_experiment(&found, settings)?)
}

/// From here on Ctrl-C ends the work at the next run; a second one ends the program at once.
fn catch_interrupt() {
    // Without a handler Ctrl-C ends the program at once: nothing published is lost by that either.
    let _ = ctrlc::set_handler(|| {
        if CANCEL.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Interrupted as i32);
        }
    });
}

/// Runs a plan, with a progress bar where somebody is watching.
fn execute<P: PolicySet>(plan: &Plan<P>, work: &WorkArgs) -> Results {
    let bar = bar(plan, work.quiet);
    let results = execute::execute(
        plan,
        &Options {
            jobs: work.threads.jobs(),
            cancel: &CANCEL,
            timed: work.stats,
            progress: &|done, _| bar.set_position(done),
            panicked: &|point, policy, run| {
                note(&format!(
                    "this run met a bug in failsim; it is run again by\n  {}",
                    replay::command(plan, point, policy, run)
                ));
            },
        },
    );
    bar.finish_and_clear();
    results
}

fn bar<P: PolicySet>(plan: &Plan<P>, quiet: bool) -> ProgressBar {
    let total = plan.points.len() as u64 * plan.runs;
    // Hides itself where standard error is no terminal.
    let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    let template = "{wide_bar} {percent:>3} % of {len} runs × policies, {eta} left";
    let template = template.replace("{len} runs × policies", &format!("{total} × {}", plan.policies.len()));
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// A plan that was run to its end.
pub(super) struct Done {
    /// What is reported.
    pub(super) outcome: Outcome,
    /// What it was put together from.
    pub(super) results: Results,
    times: Times,
}

/// Runs a plan and writes its folder, where one is wanted. `None`: it was interrupted. The command began at `start`.
pub(super) fn results<P: PolicySet>(
    plan: &Plan<P>,
    work: &WorkArgs,
    folder: Option<(&Path, bool)>,
    start: Instant,
) -> Result<Option<Done>, Failure> {
    catch_interrupt();
    // Before anything runs: an unwritable folder is not found out after an hour.
    let publication = match folder {
        Some((path, replace)) => Some(Publication::begin(path, &plan.name, replace)?),
        None => None,
    };
    let planned = Instant::now();
    let results = execute(plan, work);
    let times = Times { start, planned, ran: Instant::now() };
    let outcome = outcome::collect(plan, &results);
    if results.is_cancelled {
        let done = results.points.len();
        if let (Some(publication), true) = (&publication, done > 0) {
            publish::write(publication, &outcome)?;
            note(&format!(
                "interrupted: {done} of {} points are finished and kept in `{}`",
                plan.points.len(),
                publication.folder().display()
            ));
        } else {
            if let Some(publication) = publication {
                publication.discard()?;
            }
            note("interrupted before the first point was finished");
        }
        return Ok(None);
    }
    if let Some(publication) = publication {
        publish::write(&publication, &outcome)?;
        let path = publication.publish()?;
        if !work.quiet {
            note(&format!("written to {}", path.display()));
        }
    }
    Ok(Some(Done { outcome, results, times }))
}

/// Says what it took, where that is wanted: when everything else has been said.
pub(super) fn stats<P: PolicySet>(plan: &Plan<P>, work: &WorkArgs, done: &Done) {
    if work.stats {
        stats::show(plan, &done.results, work.threads.jobs(), &done.times);
    }
}

/// Reports bounds that did not hold, with the commands that replay the runs.
pub(super) fn breaches(outcome: &Outcome) -> Exit {
    for breach in &outcome.breaches {
        note(&format!("error: {}\n  {}", breach.message, breach.replay));
    }
    if outcome.breaches.is_empty() { Exit::Good } else { Exit::Failed }
}
