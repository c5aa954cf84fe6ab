//! `failsim test`: scenario files and their expectations.

use std::path::Path;

use clap::Args;

use super::exit::{Ended, Exit, Failure};
use super::output::print;
use crate::experiment::scenario::{self, Verdict};
use crate::input::Problems;
use crate::model::shipped::{self, FileKind};
use crate::policy::registry::PolicySet;

/// Runs scenarios (a model, faults at exact times) and checks their expectations
#[derive(Args, Debug)]
pub(super) struct TestArgs {
    /// Scenario files or bare names [default: all of `experiments/scenarios/`, or the shipped ones]
    scenarios: Vec<String>,
    /// Simulate every heartbeat, never skip quiet time
    #[arg(long)]
    stepwise: bool,
    /// Only scenarios that fail
    #[arg(long, short)]
    quiet: bool,
}

pub(super) fn test<P: PolicySet>(args: &TestArgs) -> Ended {
    let names = if args.scenarios.is_empty() { all() } else { args.scenarios.clone() };
    if names.is_empty() {
        return Err(Failure::Usage(
            "there are no scenarios; name one, such as `failsim test mine.toml`".into(),
        ));
    }
    let mut problems = Problems::new();
    let (mut good, mut open, mut failed) = (0, 0, 0);
    for name in &names {
        let found = shipped::find(FileKind::Scenario, name, None)?;
        let (file, judged) = match scenario::judge::<P>(&found, args.stepwise) {
            Ok(judged) => judged,
            Err(more) => {
                problems.extend(more);
                continue;
            }
        };
        let has = |verdict| judged.iter().any(|judged| judged.verdict == verdict);
        let verdict = [Verdict::Missed, Verdict::Open].into_iter().find(|&verdict| has(verdict));
        let verdict = verdict.unwrap_or(Verdict::Met);
        *(match verdict {
            Verdict::Met => &mut good,
            Verdict::Open => &mut open,
            Verdict::Missed => &mut failed,
        }) += 1;
        if args.quiet && verdict == Verdict::Met {
            continue;
        }
        let stem = crate::model::load::stem(&found.source.name);
        print(&format!("{} {stem}: {}\n", mark(verdict), file.title))?;
        for judged in judged {
            print(&format!("    {} {}: {}\n", mark(judged.verdict), judged.wanted, judged.found))?;
        }
    }
    let plural = if names.len() == 1 { "scenario" } else { "scenarios" };
    let unread = names.len() - good - open - failed;
    let more = |count: usize, what: &str| if count > 0 { format!(", {count} {what}") } else { String::new() };
    let (open_text, unread_text) =
        (more(open, "with too few runs to say"), more(unread, "could not be read"));
    print(&format!("{} {plural}: {good} passed, {failed} failed{open_text}{unread_text}\n", names.len()))?;
    if !problems.is_empty() {
        return Err(problems.into());
    }
    Ok(match (failed, open) {
        (0, 0) => Exit::Good,
        (0, _) => Exit::Inconclusive,
        _ => Exit::Failed,
    })
}

fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "✓",
        Verdict::Open => "?",
        Verdict::Missed => "✗",
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
