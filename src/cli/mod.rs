//! The command line. Only this module prints, and only here does the program end.
//!
//! One file per command; `args` holds the options they share, `exit` the exit codes, `output` the two streams, `work`
//! what the simulating commands have in common. Start with [`main`].

mod args;
mod bounds;
mod changes;
mod check;
mod compare;
mod exit;
mod explain;
mod figures;
mod json;
mod list;
mod new;
mod output;
mod replay;
mod run;
mod stats;
mod sweep;
mod test;
mod work;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::policy::registry::PolicySet;
pub use exit::Exit;
use exit::{Ended, Failure};

/// What does a redundancy protocol really give you? Availability, split brain and data loss, simulated.
#[derive(Parser, Debug)]
#[command(
    name = "failsim",
    version,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Exit codes: 0 good, 1 a gate, expectation or bound failed or something moved, 2 bad input or usage, \
                  3 inconclusive, 130 interrupted."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Run(run::RunArgs),
    Sweep(sweep::SweepArgs),
    Compare(compare::CompareArgs),
    Test(test::TestArgs),
    Check(check::CheckArgs),
    Replay(replay::ReplayArgs),
    Bounds(bounds::BoundsArgs),
    New(new::NewArgs),
    List(list::ListArgs),
    Explain(explain::ExplainArgs),
}

/// The whole program, for a set of policies.
///
/// ```no_run
/// use failsim::policy::registry::Shipped;
/// fn main() -> std::process::ExitCode {
///     failsim::main::<Shipped>()
/// }
/// ```
pub fn main<P: PolicySet>() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to standard output and is no error; a closed stream is nobody's problem.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Good }.into();
        }
    };
    match dispatch::<P>(&cli.command) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::complain(&failure);
            if matches!(failure, Failure::Closed) { Exit::Good } else { Exit::Usage }.into()
        }
    }
}

fn dispatch<P: PolicySet>(command: &Command) -> Ended {
    match command {
        Command::Run(args) => run::run::<P>(args),
        Command::Sweep(args) => sweep::sweep::<P>(args),
        Command::Compare(args) => compare::compare(args),
        Command::Test(args) => test::test::<P>(args),
        Command::Check(args) => check::check::<P>(args),
        Command::Replay(args) => replay::replay::<P>(args),
        Command::Bounds(args) => bounds::bounds::<P>(args),
        Command::New(args) => new::new(args),
        Command::List(args) => list::list::<P>(args),
        Command::Explain(args) => explain::explain::<P>(args),
    }
}
