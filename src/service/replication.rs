//! Copying writes from one node to another.
//!
//! While source and copy are in step nothing is simulated: what the copy holds is worked out at the instant somebody
//! asks ([`Replication::stop`], [`Replication::left`]). An interruption shorter than `patience` is a *stall*: the connection outlives
//! it and goes on where it was. A longer one, or the death of either process, needs a new first copy.

use crate::engine::dist::Law;
use crate::engine::stream::Stream;
use crate::engine::time::{Instant, Span};

use super::ledger::InFlight;

/// When a write is acknowledged, and when the copy has it.
#[derive(Clone, Debug, PartialEq)]
pub enum Level {
    /// Acknowledged at once; each write reaches the copy after a `lag` of its own.
    Async {
        /// Delay of one write.
        lag: Law,
    },
    /// Acknowledged when the copy has it. While it cannot be reached writes wait, for `Copying::patience` at most;
    /// after that they are acknowledged alone (degraded).
    Sync,
    /// A pass every `interval`; the copy is as the original was when the last complete pass began.
    Passes {
        /// From the start of a pass to the start of the next; one that takes longer is cut off and does not count.
        interval: Span,
        /// Length of a pass.
        pass: Law,
        /// The copy's own process need not run (backups to a store beside it).
        to_store: bool,
    },
}

/// How a node copies its writes to a peer.
#[derive(Clone, Debug, PartialEq)]
pub struct Copying {
    /// Level.
    pub level: Level,
    /// Length of the first copy.
    pub first: Law,
    /// An interruption up to this long needs no new first copy.
    pub patience: Span,
}

impl Copying {
    /// Whether the copy's own process must run.
    pub fn needs_peer(&self) -> bool {
        !matches!(self.level, Level::Passes { to_store: true, .. })
    }

    /// Whether acknowledgements wait for the copy.
    pub fn is_sync(&self) -> bool {
        matches!(self.level, Level::Sync)
    }
}

/// Where a replication stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum State {
    /// Not connected.
    Waiting,
    /// The first copy is being made, complete at `done`.
    First {
        /// When.
        done: Instant,
    },
    /// In step; passes begin at `grid` and every interval after it. Before one is complete the copy is as the
    /// original was at `base`.
    InStep {
        /// Since when.
        since: Instant,
        /// The first pass.
        grid: Instant,
        /// Content before it.
        base: Instant,
    },
    /// Interrupted; given up at `until`.
    Stalled {
        /// Since when it had been in step.
        since: Instant,
        /// Given up then.
        until: Instant,
        /// What the copy holds.
        base: Instant,
    },
}

/// Copying from one member of a group to another.
#[derive(Clone, Debug)]
pub struct Replication {
    /// The source, by its index in the group.
    pub from: usize,
    /// The copy, by its index in the group.
    pub to: usize,
    /// How.
    pub copying: Copying,
    /// Where it stands.
    pub state: State,
    /// What the copy held when it last fell out of step.
    left: (Instant, Option<InFlight>),
    /// The last change took it from in step to nothing at once.
    fell_out: bool,
    stream: Stream,
}

/// What a change of surroundings did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing to tell.
    None,
    /// A first copy begins.
    Begins,
    /// It is complete.
    InStep,
    /// A stall begins.
    Stalls,
    /// A stall is over.
    Resumes,
    /// The connection is given up.
    Breaks,
}

/// One pass in 10¹² takes longer than this quantile: that is never.
const ALL_PASSES: f64 = 1.0 - 1e-12;

impl Replication {
    /// A replication that is not connected yet.
    pub fn new(from: usize, to: usize, copying: Copying, stream: Stream) -> Replication {
        Replication {
            from,
            to,
            copying,
            state: State::Waiting,
            left: (Instant::ZERO, None),
            fell_out: false,
            stream,
        }
    }

    /// When [`Replication::update`] must be called even if nothing changes around it.
    pub fn wake_at(&self) -> Instant {
        match self.state {
            State::First { done } => done,
            State::Stalled { until, .. } => until,
            _ => Instant::NEVER,
        }
    }

    /// Whether the copy follows the source (a stall included).
    pub fn is_in_step(&self) -> bool {
        matches!(self.state, State::InStep { .. } | State::Stalled { .. })
    }

    /// Not connected, and not about to be.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting)
    }

    /// In step and not interrupted.
    pub fn is_quiet(&self) -> bool {
        matches!(self.state, State::InStep { .. })
    }

    /// In step, and no interruption so recent that the last complete pass is older than passes ever are.
    pub fn is_undisturbed(&self, now: Instant) -> bool {
        let State::InStep { grid, base, .. } = self.state else { return false };
        let Level::Passes { interval, pass, .. } = &self.copying.level else { return true };
        let longest = Span::from_secs_saturating(pass.support_max());
        now <= base + *interval + longest || now >= grid + longest
    }

    /// Whether acknowledgements wait at present.
    pub fn blocks(&self) -> bool {
        self.copying.is_sync() && matches!(self.state, State::Stalled { .. })
    }

    /// Both ends start with the same content, as at the start of a run.
    pub fn begin_in_step(&mut self, now: Instant) {
        let u = self.stream.uniform();
        let grid = match self.copying.level {
            // The loop's phase is uniform over runs.
            Level::Passes { interval, .. } => now + interval.scaled(u),
            _ => now,
        };
        self.state = State::InStep { since: now, grid, base: now };
    }

    /// Brings the state up to `now`. `alive`: both processes exist (or the store does); `reaching`: the way between
    /// them is open and neither stands still.
    pub fn update(&mut self, now: Instant, alive: bool, reaching: bool) -> Change {
        self.fell_out = self.is_quiet() && !alive && !self.copying.is_sync();
        match self.state {
            State::Waiting if alive && reaching => {
                let u = self.stream.uniform();
                self.state = State::First { done: now + self.copying.first.sample(u) };
                Change::Begins
            }
            State::First { .. } if !(alive && reaching) => {
                self.state = State::Waiting;
                Change::Breaks
            }
            State::First { done } if done <= now => {
                let grid = match self.copying.level {
                    Level::Passes { interval, .. } => now + interval,
                    _ => now,
                };
                self.state = State::InStep { since: now, grid, base: now };
                Change::InStep
            }
            State::InStep { since, .. } if !(alive && reaching) => {
                self.left = self.position(now);
                let base = self.left.0;
                // A synchronous writer cannot tell a dead copy from a slow one: it waits either way.
                if alive || self.copying.is_sync() {
                    self.state = State::Stalled { since, until: now + self.copying.patience, base };
                    return Change::Stalls;
                }
                self.state = State::Waiting;
                Change::Breaks
            }
            State::Stalled { since, base, .. } if alive && reaching => {
                self.state = State::InStep { since, grid: now, base };
                Change::Resumes
            }
            State::Stalled { until, .. } if until <= now || !(alive || self.copying.is_sync()) => {
                self.state = State::Waiting;
                Change::Breaks
            }
            _ => Change::None,
        }
    }

    /// The source is gone: whatever was going on ends. Tells what the copy holds, if it was in step.
    pub fn stop(&mut self, now: Instant) -> Option<(Instant, Option<InFlight>)> {
        let held = match self.state {
            State::InStep { .. } => Some(self.position(now)),
            State::Stalled { .. } => Some(self.left.clone()),
            State::Waiting | State::First { .. } => None,
        };
        self.state = State::Waiting;
        held
    }

    /// Whether the last update took it from in step to nothing, without a stall in between.
    pub fn fell_out(&self) -> bool {
        self.fell_out
    }

    /// What the copy held when it last fell out of step.
    pub fn left(&self) -> (Instant, Option<InFlight>) {
        self.left.clone()
    }

    /// What the copy holds at `now`: everything accepted before the instant, but for what is in flight.
    pub fn position(&mut self, now: Instant) -> (Instant, Option<InFlight>) {
        match (self.state, &self.copying.level) {
            (State::InStep { grid, base, .. }, Level::Passes { interval, pass, .. }) => {
                let (interval, pass) = (*interval, pass.clone());
                (self.last_pass(now, grid, base, interval, &pass), None)
            }
            _ => self.surely(now),
        }
    }

    /// What the copy holds at `now` however long the last passes took. Draws nothing, so that looking changes nothing.
    pub fn surely(&self, now: Instant) -> (Instant, Option<InFlight>) {
        match (self.state, &self.copying.level) {
            (State::InStep { since, .. }, Level::Async { lag }) => {
                (now, Some(InFlight { lag: lag.clone(), until: now, since }))
            }
            (State::InStep { .. }, Level::Sync) => (now, None),
            (State::InStep { grid, base, .. }, Level::Passes { interval, pass, .. }) => {
                let longest = Span::from_secs_saturating(pass.quantile(ALL_PASSES));
                let first_done = grid + longest;
                if longest > *interval || now < first_done {
                    return (base, None);
                }
                let passes = now.since(first_done).as_nanos() / interval.as_nanos().max(1);
                (grid + interval.times(passes), None)
            }
            (State::Stalled { .. }, _) => self.left.clone(),
            (State::Waiting | State::First { .. }, _) => (Instant::ZERO, None),
        }
    }

    /// When the last pass that is complete at `now` began.
    fn last_pass(
        &mut self,
        now: Instant,
        grid: Instant,
        base: Instant,
        interval: Span,
        pass: &Law,
    ) -> Instant {
        if now < grid {
            return base;
        }
        let begun = (now - grid).as_nanos() / interval.as_nanos().max(1);
        for back in (0..=begun).rev() {
            let began = grid + interval.times(back);
            let takes = pass.sample(self.stream.uniform());
            if takes <= interval && began + takes <= now {
                return began;
            }
            if begun - back > 1_000 {
                break; // passes that are always cut off: nothing has come through for very long
            }
        }
        base
    }
}
