//! Options that several commands share.

use clap::{Args, ValueEnum};

use super::exit::Failure;
use crate::experiment::plan::Settings;
use crate::input::Problems;
use crate::model::Override;
use crate::model::experiment_file::Fidelity;
use crate::model::scenario_file;

/// What differs from the files.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct ModelArgs {
    /// Set a key of the model: its dotted path, `*` matches one name [repeatable]
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// Seed of every random stream
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=i64::MAX as u64))]
    pub(super) seed: Option<u64>,
    /// Length of a run, such as `10y`
    #[arg(long, value_name = "TIME")]
    pub(super) horizon: Option<String>,
    /// Work as rates and shares, or each request by itself
    #[arg(long, value_enum)]
    pub(super) fidelity: Option<FidelityArg>,
    /// Simulate every heartbeat, never skip quiet time
    #[arg(long)]
    pub(super) stepwise: bool,
}

/// How much work, and how.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct WorkArgs {
    /// Runs per point
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(super) runs: Option<u64>,
    /// Threads; results do not depend on it [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub(super) jobs: Option<u64>,
    /// No progress and no notes
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Say what it took, on standard error: events, simulated years a second, time by stage
    #[arg(long)]
    pub(super) stats: bool,
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
    /// The settings, all mistakes in them at once.
    pub(super) fn settings(&self, runs: Option<u64>) -> Result<Settings, Failure> {
        let mut problems = Problems::new();
        let mut set = Vec::new();
        for text in &self.set {
            match Override::parse(text, "--set") {
                Ok(change) => set.push(change),
                Err(found) => problems.extend(found),
            }
        }
        let horizon = match self.horizon.as_deref().map(|text| scenario_file::horizon(text, "--horizon")) {
            Some(Ok(horizon)) => Some(horizon),
            Some(Err(found)) => {
                problems.extend(found);
                None
            }
            None => None,
        };
        if !problems.is_empty() {
            return Err(problems.into());
        }
        let fidelity = self.fidelity.map(|fidelity| match fidelity {
            FidelityArg::Aggregate => Fidelity::Aggregate,
            FidelityArg::Requests => Fidelity::Requests,
        });
        Ok(Settings { set, seed: self.seed, runs, horizon, fidelity, stepwise: self.stepwise })
    }
}

impl WorkArgs {
    /// Threads to use.
    pub(super) fn jobs(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.jobs.map_or_else(all, |jobs| usize::try_from(jobs).unwrap_or(1))
    }
}
