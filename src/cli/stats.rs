//! What `--stats` says: events, simulated years a second, and where the time went.
//!
//! It goes to standard error, beside the result, which it does not change.

use std::time::{Duration, Instant};

use super::output::note;
use crate::engine::time::SECS_PER_YEAR;
use crate::experiment::execute::Results;
use crate::experiment::plan::Plan;
use crate::experiment::stats::Stage;
use crate::policy::host::CLASS_NAMES;
use crate::policy::registry::PolicySet;
use crate::report::number::significant;

/// When the parts of a command ended.
pub(super) struct Times {
    /// It had begun.
    pub(super) start: Instant,
    /// The plan was there.
    pub(super) planned: Instant,
    /// Everything had run.
    pub(super) ran: Instant,
}

/// Says what a plan took that ran on `threads` threads.
pub(super) fn show<P: PolicySet>(plan: &Plan<P>, results: &Results, threads: usize, times: &Times) {
    let Times { start, planned, ran } = *times;
    let (running, tables) = (ran - planned, ran.elapsed());
    let stats = &results.stats;
    let years = stats.runs as f64 * plan.horizon.as_secs() / SECS_PER_YEAR;
    let busy: Duration = stats.time.iter().sum();
    let events: u64 = stats.events.iter().sum();
    let rate = |amount: f64, time: Duration| significant(amount / time.as_secs_f64().max(1e-9), 3);
    note(&format!(
        "{} runs, {} simulated years, in {} s on {threads} {}: {} years a second, {} a thread",
        stats.runs,
        significant(years, 4),
        seconds(running),
        if threads == 1 { "thread" } else { "threads" },
        rate(years, running),
        rate(years, busy),
    ));
    note(&format!("{events} events, {} a second and thread", rate(events as f64, busy)));
    let share = |part: u64| 100.0 * part as f64 / events.max(1) as f64;
    for (name, &count) in CLASS_NAMES.iter().zip(&stats.events).filter(|(_, count)| **count > 0) {
        note(&format!("  {name:<24}{:>6.1} %  {count}", share(count)));
    }
    note(&format!("{} s of threads while running", seconds(busy)));
    for stage in Stage::ALL {
        let time = stats.time[stage as usize];
        let share = 100.0 * time.as_secs_f64() / busy.as_secs_f64().max(1e-9);
        note(&format!("  {:<24}{share:>6.1} %  {} s", stage.name(), seconds(time)));
    }
    note(&format!(
        "before: files and plan {} s; after: tables {} s",
        seconds(planned - start),
        seconds(tables)
    ));
}

fn seconds(time: Duration) -> String {
    significant(time.as_secs_f64(), 3)
}
