//! Options that several commands share.

use std::ffi::OsStr;

use clap::builder::TypedValueParser;
use clap::{Arg, Args, Command, ValueEnum};

use crate::experiment::plan::Settings;
use crate::input::Problems;
use crate::model::Override;
use crate::model::experiment_file::Fidelity;
use crate::model::scenario_file;

/// What differs from the files.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct ModelArgs {
    #[command(flatten)]
    changes: ChangeArgs,
    /// Length of a run, such as `10y`
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    horizon: Option<String>,
}

/// What differs from the files, whatever the length of a run.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct ChangeArgs {
    /// Set a key of the model: its dotted path, `*` matches one name [repeatable]
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true)]
    set: Vec<String>,
    /// Seed of every random stream
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = Count(0, i64::MAX as u64))]
    seed: Option<u64>,
    /// Work as rates and shares, or each request by itself
    #[arg(long, value_enum)]
    fidelity: Option<FidelityArg>,
    /// Simulate every heartbeat, never skip quiet time
    #[arg(long)]
    stepwise: bool,
}

/// What the commands that simulate whole models have in common.
#[derive(Args, Clone, Debug)]
pub(super) struct SimulateArgs {
    #[command(flatten)]
    pub(super) settings: ModelArgs,
    #[command(flatten)]
    pub(super) work: WorkArgs,
    #[command(flatten)]
    pub(super) folder: FolderArgs,
    #[command(flatten)]
    pub(super) format: FormatArgs,
}

/// How much work, and how.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct WorkArgs {
    /// Runs per point
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = Count(1, 100_000_000))]
    pub(super) runs: Option<u64>,
    #[command(flatten)]
    pub(super) threads: JobsArgs,
    /// No progress and no notes
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Say what it took, on standard error: events, simulated years a second, time by stage
    #[arg(long)]
    pub(super) stats: bool,
}

/// How many threads.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct JobsArgs {
    /// Threads; results do not depend on it [default: one per processor]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = Count(1, JOBS_MAX))]
    jobs: Option<u64>,
}

/// Where results go.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct FolderArgs {
    /// Result folder
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<std::path::PathBuf>,
    /// Overwrite the folder whatever it holds, unless it is a file, holds a repository, or one stands or lives in it
    #[arg(long)]
    pub(super) replace: bool,
}

/// How results are printed.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(super) struct FormatArgs {
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

/// Forms of output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Aligned columns
    #[default]
    Table,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
    /// For documents
    Markdown,
}

/// Fidelity by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FidelityArg {
    /// Rates and shares
    Aggregate,
    /// Each request by itself
    Requests,
}

impl ModelArgs {
    /// The settings with all mistakes in them.
    pub(super) fn settings(&self, runs: Option<u64>) -> Settings {
        let mut settings = self.changes.settings(runs);
        let horizon = self.horizon.as_deref().map(|text| scenario_file::horizon(text, "--horizon"));
        settings.horizon = horizon.and_then(|read| kept(read, &mut settings.problems));
        settings
    }
}

impl ChangeArgs {
    /// The settings with all mistakes in them.
    pub(super) fn settings(&self, runs: Option<u64>) -> Settings {
        let mut problems = Problems::new();
        let mut set = Vec::new();
        for text in &self.set {
            set.extend(kept(Override::parse(text, "--set"), &mut problems));
        }
        let fidelity = self.fidelity.map(|fidelity| match fidelity {
            FidelityArg::Aggregate => Fidelity::Aggregate,
            FidelityArg::Requests => Fidelity::Requests,
        });
        Settings {
            set,
            seed: self.seed,
            runs,
            fidelity,
            stepwise: self.stepwise,
            problems,
            ..Settings::default()
        }
    }
}

/// What could be read; the mistakes go to the others.
pub(super) fn kept<T>(read: Result<T, Problems>, problems: &mut Problems) -> Option<T> {
    read.map_err(|found| problems.extend(found)).ok()
}

/// Threads of one program: more only wait for each other.
pub(super) const JOBS_MAX: u64 = 4096;

/// A whole number within two limits, both included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count(pub(super) u64, pub(super) u64);

impl TypedValueParser for Count {
    type Value = u64;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<u64, clap::Error> {
        let Count(least, most) = *self;
        let read = move |text: &str| match text.parse() {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            _ => Err(format!("expected a whole number from {least} to {most}")),
        };
        TypedValueParser::parse_ref(&read, command, arg, value)
    }
}

impl JobsArgs {
    /// Threads to use.
    pub(super) fn jobs(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.jobs.map_or_else(all, |jobs| usize::try_from(jobs).unwrap_or(1))
    }
}
