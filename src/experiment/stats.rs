//! What a plan took: events, and where the time went.
//!
//! Events are counted always and are the same every time. Time is looked at only where it is asked for, between the
//! stages of a run and never inside, and goes into no result. Start with [`Stats`].

use std::time::{Duration, Instant};

use crate::engine::agenda::CLASSES;
use crate::measure::Record;

/// Where time goes while a plan runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Making a run ready to step.
    Opening,
    /// Handling its events; observers see what happens as it happens.
    Stepping,
    /// Closing its books and putting its figures together.
    Closing,
    /// Folding figures, and waiting for one's turn to do so.
    Folding,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Stage; 4] = [Stage::Opening, Stage::Stepping, Stage::Closing, Stage::Folding];

    /// As it is shown.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Opening => "opening runs",
            Stage::Stepping => "stepping and observing",
            Stage::Closing => "closing runs",
            Stage::Folding => "folding",
        }
    }
}

/// What a plan, or a part of it, took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Runs, counting each policy's.
    pub runs: u64,
    /// Events by priority class.
    pub events: [u64; CLASSES],
    /// Time by stage, added up over threads; zero where nobody asked.
    pub time: [Duration; Stage::ALL.len()],
}

impl Stats {
    /// Counts a run.
    pub fn add(&mut self, record: &Record) {
        self.runs += 1;
        self.events.iter_mut().zip(&record.events_by_class).for_each(|(all, events)| *all += events);
    }

    /// Adds what another part took.
    pub fn merge(&mut self, other: &Stats) {
        self.runs += other.runs;
        self.events.iter_mut().zip(&other.events).for_each(|(all, events)| *all += events);
        self.time.iter_mut().zip(&other.time).for_each(|(all, time)| *all += *time);
    }
}

/// A watch that one thread carries from stage to stage; stopped, it never looks at a clock.
pub(super) struct StopWatch {
    since: Option<Instant>,
}

impl StopWatch {
    pub(super) fn new(is_running: bool) -> StopWatch {
        StopWatch { since: is_running.then(Instant::now) }
    }

    /// A stage ends here.
    pub(super) fn lap(&mut self, stage: Stage, stats: &mut Stats) {
        if let Some(since) = &mut self.since {
            let now = Instant::now();
            stats.time[stage as usize] += now - *since;
            *since = now;
        }
    }
}
