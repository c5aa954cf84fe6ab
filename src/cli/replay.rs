//! `failsim replay`: one run again, as a trace of its facts.

use std::io::{self, BufWriter, Write};

use clap::{Args, ValueEnum};

use super::args::{Count, ModelArgs, kept};
use super::exit::{Ended, Exit, Failure};
use super::output::note;
use crate::engine::sim::Stop;
use crate::engine::time::Instant;
use crate::experiment::plan::Plan;
use crate::experiment::trace::{HEADING, Line};
use crate::model::scenario_file;
use crate::model::shipped::{self, FileKind};
use crate::policy::facts::Fact;
use crate::policy::host;
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
    let write = |out: &mut BufWriter<_>, facts: &mut Vec<(Instant, Fact)>| -> Result<(), Failure> {
        for (at, fact) in facts.drain(..).filter(|(at, _)| *at >= from) {
            let line = Line::new(at, &fact, &setup.model);
            let text = if args.format == TraceFormat::Text { line.text() } else { line.json() };
            out.write_all(text.as_bytes())?;
        }
        Ok(())
    };
    if args.format == TraceFormat::Text {
        out.write_all(HEADING.as_bytes())?;
    }
    let mut simulation = host::open(setup, args.run, Vec::new());
    loop {
        let stop = simulation.run_until(to, BATCH);
        write(&mut out, &mut simulation.world.probe)?;
        if stop != Stop::Events {
            break;
        }
    }
    if to == end {
        simulation.world.finish(end);
        write(&mut out, &mut simulation.world.probe)?;
    }
    out.flush()?;
    if !args.quiet {
        let fingerprint = simulation.world.fingerprint();
        let events = simulation.events();
        note(&format!("run {} up to {to}: {events} events, fingerprint {fingerprint}", args.run));
    }
    Ok(Exit::Good)
}
