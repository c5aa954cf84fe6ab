//! How a command ends: exit codes, and the ways in which it cannot even begin.

use std::io;
use std::process::ExitCode;

use crate::experiment::plan::PlanError;
use crate::input::Problems;
use crate::model::shipped::FindError;
use crate::record::PublishError;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Good = 0,
    /// A gate, an expectation or a bound failed, or something moved.
    Failed = 1,
    /// Bad input or usage.
    Usage = 2,
    /// The interval is too wide to say.
    Inconclusive = 3,
    /// Stopped by Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(super) enum Failure {
    /// Mistakes in files or values.
    Problems(Problems),
    /// Anything else that the user can put right.
    Usage(String),
    /// Standard output is closed: whoever read it has seen enough.
    Closed,
    /// Standard output fails otherwise.
    Output(io::Error),
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Failure::Problems(problems)
    }
}

impl From<FindError> for Failure {
    fn from(error: FindError) -> Self {
        match error {
            FindError::NoText(problem) => {
                let mut problems = Problems::new();
                problems.add(*problem);
                Failure::Problems(problems)
            }
            error => Failure::Usage(error.to_string()),
        }
    }
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        Failure::Usage(error.to_string())
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Problems(problems) => Failure::Problems(problems),
            PlanError::Find(error) => error.into(),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Failure::Closed } else { Failure::Output(error) }
    }
}

/// What every command gives back.
pub(super) type Ended = Result<Exit, Failure>;
