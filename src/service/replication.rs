//! Copying writes from one node to another.
//!
//! While source and copy are in step nothing is simulated: what the copy holds is worked out at the instant somebody
//! asks ([`Replication::stop`], [`Replication::left`]). An interruption shorter than `patience` is a *stall*: the connection outlives
//! it and goes on where it was. A longer one, or the death of either process, needs a new first copy.
//!
//! A connection carries so much and no more ([`Copying::speed`]). What has piled up during a stall follows at that
//! speed, oldest first, while new writes arise: with speed v a stall of length L is made up for after L/(v − 1), and
//! until then the copy is behind. A way of limited bandwidth limits it further ([`Replication::carry`]). Passes bring present values and configuration up to date each time; it is the
//! *records* (history, events) that queue, as a stream of their own, also after a first copy, which leaves them to the
//! background (Geo SCADA Expert help, "Short Pass"; with v < 1 they lag without limit).

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
    /// How much the connection carries, in multiples of what arises (of the writes, with passes of the records);
    /// `None`: no limit.
    pub speed: Option<f64>,
    /// How long what has reached the copy waits there until it is applied; `None`: not at all. It is safe from the moment
    /// it is there, but a node that takes over has to apply it first: lag of receiving costs data, lag of replaying time.
    /// It is time for which the copy's process runs: one that is down or stands still applies nothing.
    pub replay: Option<Law>,
}

/// What a copy holds at an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// Everything accepted before this, but for what is in flight.
    pub upto: Instant,
    /// Writes under way.
    pub in_flight: Option<InFlight>,
    /// The same of records, where they are a stream of their own.
    pub records: Instant,
}

impl Position {
    fn nothing() -> Position {
        Position { upto: Instant::ZERO, in_flight: None, records: Instant::ZERO }
    }
}

impl Copying {
    /// Whether the copy's own process must run.
    pub fn needs_peer(&self) -> bool {
        !matches!(self.level, Level::Passes { to_store: true, .. })
    }

    /// Whether records are a stream of their own, at a speed of its own.
    pub fn has_records_apart(&self) -> bool {
        matches!(self.level, Level::Passes { .. }) && self.speed.is_some()
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
    left: Position,
    /// Where the stream of limited speed stood, and when: what has piled up follows from there.
    queue: (Instant, Instant),
    /// What the way carries, in multiples of what arises; `None`: no limit.
    bandwidth: Option<f64>,
    /// How long the copy takes to apply what it held when it last fell out of step; told once.
    backlog: Option<Span>,
    /// The last change took it from in step to nothing at once.
    fell_out: bool,
    /// The copy's disk was lost since the last first copy began, or it has followed another source or
    /// served itself.
    is_lost: bool,
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
            left: Position::nothing(),
            queue: (Instant::ZERO, Instant::ZERO),
            bandwidth: None,
            backlog: None,
            fell_out: false,
            is_lost: false,
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

    /// In step, nothing piled up, and no interruption so recent that the last complete pass is older than passes ever
    /// are.
    pub fn is_undisturbed(&self, now: Instant) -> bool {
        let State::InStep { grid, base, .. } = self.state else { return false };
        if self.carried(now) < now {
            return false;
        }
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
        self.queue = (now, now);
    }

    /// The first copy begins over data that holds every record accepted before `content`.
    pub fn begin_over(&mut self, content: Instant) {
        self.queue.1 = content;
    }

    /// The disk of the copy is gone, or it follows another source or serves itself: no connection goes on where it was, a
    /// first copy has to be made.
    pub fn lose_copy(&mut self) {
        self.is_lost = true;
    }

    /// From `now` on the way carries so much, in multiples of what arises.
    pub fn carry(&mut self, now: Instant, bandwidth: Option<f64>) {
        if self.bandwidth != bandwidth {
            if self.is_quiet() {
                self.queue = (now, self.carried(now).min(now));
            }
            self.bandwidth = bandwidth;
        }
    }

    /// Up to where the connection can have carried the stream of limited speed.
    fn carried(&self, now: Instant) -> Instant {
        let (since, content) = self.queue;
        let speed = match (self.copying.speed, self.bandwidth) {
            (Some(speed), Some(bandwidth)) => speed.min(bandwidth),
            (speed, bandwidth) => match speed.or(bandwidth) {
                Some(speed) => speed,
                None => return Instant::NEVER,
            },
        };
        content + now.since(since).scaled(speed)
    }

    /// Brings the state up to `now`. `alive`: both processes exist (or the store does); `reaching`: the way between
    /// them is open and neither stands still.
    pub fn update(&mut self, now: Instant, alive: bool, reaching: bool) -> Change {
        self.fell_out = self.is_quiet() && !alive && !self.copying.is_sync();
        match self.state {
            State::Waiting if alive && reaching => {
                let u = self.stream.uniform();
                self.state = State::First { done: now + self.copying.first.sample(u) };
                self.is_lost = false;
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
                // A first copy of a log is complete; one of passes leaves the records to the background.
                self.queue.0 = now;
                if !self.copying.has_records_apart() {
                    self.queue.1 = now;
                }
                Change::InStep
            }
            State::InStep { since, .. } if !(alive && reaching) => {
                self.left = self.position(now);
                self.leave_backlog();
                let base = self.left.upto;
                // A synchronous writer cannot tell a dead copy from a slow one: it waits either way.
                if alive || self.copying.is_sync() {
                    self.state = State::Stalled { since, until: now + self.copying.patience, base };
                    return Change::Stalls;
                }
                self.state = State::Waiting;
                Change::Breaks
            }
            State::Stalled { .. } if alive && reaching && self.is_lost => {
                self.state = State::Waiting;
                Change::Breaks
            }
            State::Stalled { since, base, .. } if alive && reaching => {
                self.state = State::InStep { since, grid: now, base };
                let apart = self.copying.has_records_apart();
                self.queue = (now, if apart { self.left.records } else { base });
                Change::Resumes
            }
            State::Stalled { until, .. } if until <= now || !(alive || self.copying.is_sync()) => {
                self.state = State::Waiting;
                Change::Breaks
            }
            _ => Change::None,
        }
    }

    /// The copy's process says that it follows no longer: it serves something else now.
    pub fn leave(&mut self, now: Instant) -> Change {
        self.fell_out = self.is_quiet();
        if self.fell_out {
            self.left = self.position(now);
            self.leave_backlog();
        }
        match std::mem::replace(&mut self.state, State::Waiting) {
            State::Waiting => Change::None,
            State::First { .. } | State::InStep { .. } | State::Stalled { .. } => Change::Breaks,
        }
    }

    /// The source is gone: whatever was going on ends. Tells what the copy holds, if it was in step.
    pub fn stop(&mut self, now: Instant) -> Option<Position> {
        let held = match self.state {
            State::InStep { .. } => {
                self.leave_backlog();
                Some(self.position(now))
            }
            // A copy whose disk is gone, or that follows another source by now, is not what it was.
            State::Stalled { .. } if !self.is_lost => Some(self.left.clone()),
            State::Stalled { .. } | State::Waiting | State::First { .. } => None,
        };
        self.state = State::Waiting;
        held
    }

    /// Nothing more reaches the copy from now on: what is there is applied as it was before.
    fn leave_backlog(&mut self) {
        self.backlog = self.copying.replay.as_ref().map(|lag| lag.sample(self.stream.uniform()));
    }

    /// How long the copy takes from now on to apply what has reached it, where nothing more does since just now.
    pub fn take_backlog(&mut self) -> Option<Span> {
        self.backlog.take()
    }

    /// Whether the last update took it from in step to nothing, without a stall in between.
    pub fn fell_out(&self) -> bool {
        self.fell_out
    }

    /// What the copy held when it last fell out of step.
    pub fn left(&self) -> Position {
        self.left.clone()
    }

    /// What the copy holds at `now`.
    pub fn position(&mut self, now: Instant) -> Position {
        match (self.state, &self.copying.level) {
            (State::InStep { grid, base, .. }, Level::Passes { interval, pass, .. }) => {
                let (interval, pass) = (*interval, pass.clone());
                let upto = self.last_pass(now, grid, base, interval, &pass);
                Position { upto, in_flight: None, records: upto.min(self.carried(now)) }
            }
            _ => self.surely(now),
        }
    }

    /// What the copy holds at `now` however long the last passes took. Draws nothing, so that looking changes nothing.
    pub fn surely(&self, now: Instant) -> Position {
        let carried = self.carried(now);
        match (self.state, &self.copying.level) {
            (State::InStep { .. }, Level::Async { .. }) if carried < now => {
                Position { upto: carried, in_flight: None, records: carried }
            }
            (State::InStep { since, .. }, Level::Async { lag }) => {
                let in_flight = InFlight { lag: lag.clone(), until: now, since };
                Position { upto: now, in_flight: Some(in_flight), records: now }
            }
            (State::InStep { .. }, Level::Sync) => Position { upto: now, in_flight: None, records: now },
            (State::InStep { grid, base, .. }, Level::Passes { interval, pass, .. }) => {
                let longest = Span::from_secs_saturating(pass.quantile(ALL_PASSES));
                let first_done = grid + longest;
                let upto = if longest > *interval || now < first_done {
                    base
                } else {
                    let passes = now.since(first_done).as_nanos() / interval.as_nanos().max(1);
                    grid + interval.times(passes)
                };
                Position { upto, in_flight: None, records: upto.min(carried) }
            }
            (State::Stalled { .. }, _) => self.left.clone(),
            (State::Waiting | State::First { .. }, _) => Position::nothing(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stream::StreamKey;

    fn at(secs: f64) -> Instant {
        Instant::ZERO + Span::from_secs(secs).unwrap()
    }

    fn fixed(secs: f64) -> Law {
        Law::fixed(secs).unwrap()
    }

    fn replication(level: Level, speed: Option<f64>) -> Replication {
        let copying =
            Copying { level, first: fixed(10.0), patience: Span::from_whole_secs(60), speed, replay: None };
        let mut replication = Replication::new(0, 1, copying, StreamKey::new(1, "a", "copy").open(0));
        replication.begin_in_step(Instant::ZERO);
        replication
    }

    fn stalled(level: Level, speed: Option<f64>) -> Replication {
        let mut replication = replication(level, speed);
        assert_eq!(replication.update(at(100.0), true, false), Change::Stalls);
        assert_eq!(replication.update(at(130.0), true, true), Change::Resumes);
        replication
    }

    #[test]
    fn what_a_stall_held_up_follows_at_the_speed_of_the_connection() {
        let mut log = stalled(Level::Async { lag: fixed(0.0) }, Some(4.0));
        // 30 s behind, made up for at 3 s a second.
        for (now, upto) in [(130.0, 100.0), (131.0, 104.0), (139.0, 136.0), (140.0, 140.0), (200.0, 200.0)] {
            let position = log.position(at(now));
            assert_eq!(position.upto, at(upto), "at {now}");
            assert_eq!(
                position.in_flight.is_some(),
                now >= 140.0,
                "at {now}: the lag counts when it is in step"
            );
            assert_eq!(log.is_undisturbed(at(now)), now >= 140.0, "at {now}");
        }
        // A further stall finds it where it was.
        let mut log = stalled(Level::Async { lag: fixed(0.0) }, Some(4.0));
        assert_eq!(log.update(at(135.0), true, false), Change::Stalls);
        assert_eq!(log.position(at(138.0)).upto, at(120.0));
        assert_eq!(log.update(at(140.0), true, true), Change::Resumes);
        assert_eq!(log.position(at(141.0)).upto, at(124.0));
    }

    #[test]
    fn without_a_limit_it_follows_at_once_and_with_too_low_a_speed_never() {
        let mut log = stalled(Level::Async { lag: fixed(0.0) }, None);
        assert_eq!(log.position(at(130.0)).upto, at(130.0));
        for speed in [0.5, 1.0] {
            let mut log = stalled(Level::Async { lag: fixed(0.0) }, Some(speed));
            assert_eq!(log.position(at(1130.0)).upto, at(100.0 * speed + 1000.0 * speed));
            assert!(!log.is_undisturbed(at(1130.0)));
        }
        // Slower than what arises it lags from the start; as fast, it does not.
        assert_eq!(
            replication(Level::Async { lag: fixed(0.0) }, Some(0.5)).position(at(80.0)).upto,
            at(40.0)
        );
        assert!(replication(Level::Async { lag: fixed(0.0) }, Some(1.0)).is_undisturbed(at(80.0)));
    }

    #[test]
    fn a_copy_whose_disk_is_lost_begins_again_however_short_its_absence() {
        let mut copy = replication(Level::Sync, None);
        for (secs, disk, back) in [(100.0, true, Change::Resumes), (200.0, false, Change::Breaks)] {
            assert_eq!(copy.update(at(secs), false, true), Change::Stalls, "a dead copy, or a slow one");
            if !disk {
                copy.lose_copy();
            }
            assert_eq!(copy.update(at(secs + 30.0), true, true), back);
        }
        assert_eq!(copy.update(at(230.0), true, true), Change::Begins);
        assert_eq!(copy.update(at(240.0), true, true), Change::InStep);
    }

    #[test]
    fn a_first_copy_of_passes_leaves_the_records_to_the_background() {
        let level = Level::Passes { interval: Span::from_whole_secs(5), pass: fixed(1.0), to_store: false };
        let mut passes = replication(level, Some(10.0));
        assert_eq!(passes.update(at(100.0), false, false), Change::Breaks);
        assert_eq!(passes.update(at(1000.0), true, true), Change::Begins);
        passes.begin_over(at(100.0));
        assert_eq!(passes.update(at(1010.0), true, true), Change::InStep);
        // Present values are as of the first copy, then of each pass; records come at ten times the speed.
        for (now, upto, records) in [
            (1010.0, 1010.0, 100.0),
            (1016.0, 1015.0, 160.0),
            (1111.0, 1110.0, 1110.0),
            (1200.0, 1195.0, 1195.0),
        ] {
            let position = passes.position(at(now));
            assert_eq!((position.upto, position.records), (at(upto), at(records)), "at {now}");
        }
        assert!(!passes.is_undisturbed(at(1110.0)), "910 s behind take 101.1 s");
        assert!(passes.is_undisturbed(at(1111.2)));
    }
}
