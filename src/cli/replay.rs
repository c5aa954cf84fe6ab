//! `failsim replay`: one run again, as a trace of its facts.

use std::any::Any;
use std::io::{self, BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use clap::{Args, ValueEnum};

use super::args::{Count, ModelArgs, kept};
use super::exit::{Ended, Exit, Failure};
use super::output::note;
use crate::engine::probe::Probe;
use crate::engine::sim::Stop;
use crate::engine::time::Instant;
use crate::experiment::plan::Plan;
use crate::experiment::trace::{HEADING, Line};
use crate::model::scenario_file;
use crate::model::shipped::{self, FileKind};
use crate::policy::contract::Policy;
use crate::policy::facts::Fact;
use crate::policy::host::{self, Run};
use crate::policy::registry::PolicySet;

/// Runs one run of a model again and prints what happened in it
#[derive(Args, Debug)]
pub(super) struct ReplayArgs {
    /// A model file, or the bare name of a shipped one
    model: String,
    /// Number of the run, from 0
    #[arg(long, value_name = "I", default_value_t = 0, allow_hyphen_values = true, value_parser = Count(0, u64::MAX))]
    run: u64,
    /// Print from this time on
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// Print up to this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<String>,
    /// Columns, or a JSON object per line
    #[arg(long, value_enum, default_value_t)]
    format: TraceFormat,
    #[command(flatten)]
    settings: ModelArgs,
    /// No closing note with the fingerprint
    #[arg(long, short)]
    quiet: bool,
}

/// Forms of a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum TraceFormat {
    /// Aligned columns
    #[default]
    Text,
    /// A JSON object per line
    #[value(alias = "jsonl")]
    Json,
}

/// Events between two looks at what there is to print.
const BATCH: u64 = 4096;

pub(super) fn replay<P: PolicySet>(args: &ReplayArgs) -> Ended {
    let mut settings = args.settings.settings(None);
    let mut time = |text: &Option<String>, option: &str| match text.as_deref()? {
        text if text.trim().trim_start_matches('0').is_empty() => Some(Instant::ZERO),
        text => {
            let span = kept(scenario_file::horizon(text, option), &mut settings.problems);
            span.map(|span| Instant::ZERO + span)
        }
    };
    let (from, to) = (time(&args.from, "--from").unwrap_or(Instant::ZERO), time(&args.to, "--to"));
    let found = shipped::find(FileKind::Model, &args.model, None)?;
    let plan: Plan<P> = Plan::of_model(&found, Vec::new(), settings)?;
    let end = Instant::ZERO + plan.horizon;
    let to = to.unwrap_or(end).min(end);
    if from > to {
        return Err(Failure::Usage(format!("`--from` ({from}) lies after the end of the trace ({to})")));
    }
    let setup = &plan.points[0].cases[0].setup;
    let mut out = BufWriter::new(io::stdout().lock());
    if args.format == TraceFormat::Text {
        out.write_all(HEADING.as_bytes())?;
    }
    let mut write = |facts: &mut Vec<(Instant, Fact)>| -> Result<(), Failure> {
        for (at, fact) in facts.drain(..).filter(|(at, _)| *at >= from) {
            let line = Line::new(at, &fact, &setup.model);
            let text = if args.format == TraceFormat::Text { line.text() } else { line.json() };
            out.write_all(text.as_bytes())?;
        }
        Ok(())
    };
    let mut simulation = host::open(setup, args.run, Vec::new());
    let bug = trace(&mut simulation, (to, end), &mut write)?;
    let flushed = out.flush();
    if let Some(bug) = bug {
        let what = bug.downcast_ref::<String>().map(String::as_str);
        let what = what.or_else(|| bug.downcast_ref().copied()).unwrap_or("no reason was told");
        note(&format!("error: run {} met a bug in failsim after its last line: {what}", args.run));
        resume_unwind(bug);
    }
    flushed?;
    if !args.quiet {
        let fingerprint = simulation.world.fingerprint();
        let events = simulation.events();
        note(&format!("run {} up to {to}: {events} events, fingerprint {fingerprint}", args.run));
    }
    Ok(Exit::Good)
}

/// A panic.
type Bug = Box<dyn Any + Send>;

/// Takes a run up to an instant and hands over what happened, now and then. A bug on the way ends the run, and is given
/// back when all that led to it has been handed over.
fn trace<P: Policy, T: Probe<Fact>>(
    simulation: &mut Run<'_, P, T>,
    (to, end): (Instant, Instant),
    mut write: impl FnMut(&mut T) -> Result<(), Failure>,
) -> Result<Option<Bug>, Failure> {
    loop {
        let stop = catch_unwind(AssertUnwindSafe(|| {
            let stop = simulation.run_until(to, BATCH);
            if stop != Stop::Events && to == end {
                simulation.world.finish(end);
            }
            stop
        }));
        let written = write(&mut simulation.world.probe);
        match stop {
            Err(bug) => return Ok(Some(bug)),
            Ok(Stop::Events) => written?,
            Ok(_) => return written.map(|()| None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::registry::Shipped;

    /// Comes upon a bug after so many facts.
    #[derive(Clone)]
    struct Buggy(usize, Vec<Fact>);

    impl Probe<Fact> for Buggy {
        fn see(&mut self, _: Instant, fact: &Fact) {
            self.1.push(*fact);
            assert_ne!(self.1.len(), self.0, "a bug on purpose");
        }
    }

    #[test]
    fn all_that_led_to_a_bug_is_told_before_it() {
        let found = shipped::find(FileKind::Model, "server-pair", None).expect("a shipped model");
        let plan: Plan<Shipped> = Plan::of_model(&found, Vec::new(), Default::default()).expect("a good one");
        let end = Instant::ZERO + plan.horizon.times(10);
        // In the first batch of events, in a later one, and never.
        for (facts, is_met) in [(100, true), (20_000, true), (usize::MAX, false)] {
            let mut simulation = host::open(&plan.points[0].cases[0].setup, 0, Buggy(facts, Vec::new()));
            let mut told = 0;
            let bug = trace(&mut simulation, (end, end), |probe: &mut Buggy| {
                told = probe.1.len();
                Ok(())
            });
            let bug = bug.expect("nothing is written that could fail");
            assert_eq!(bug.is_some(), is_met);
            assert!(told == facts || !is_met, "{told} of {facts}");
        }
    }
}
