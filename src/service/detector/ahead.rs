//! Going ahead: a watch whose next observable instant no formula gives steps there privately, without an event for
//! each step, and keeps the state it came from. If its surroundings change on the way, it comes back: it starts from
//! that state again and takes the same steps, with the same draws, up to the change. So it is equal to the stepwise
//! form step by step, not only in distribution, wherever it does not jump; stretches of ordinary beats it jumps.
//!
//! This is the form for bursts of loss, and outside of quiet stretches for detectors that remember more than the newest
//! beat.

use crate::engine::time::{Instant, Span};
use crate::system::spec::Link;

use super::memory::Memory;
use super::rebuild::ticks_until;
use super::silence::Silence;
use super::{Observed, Watch};

/// Steps it may go at first; twice as many each time nothing was met, up to the most.
pub(super) const STRIDE_MIN: u32 = 16;
const STRIDE_MAX: u32 = 4096;

/// Steps gone ahead.
#[derive(Clone, Debug)]
pub(super) struct Ahead {
    /// Where they began.
    pub(super) origin: Watch,
    /// What the last of them showed.
    pub(super) seen: Observed,
}

impl Watch {
    /// Whether this is its form at present.
    pub(super) fn goes_ahead(&self) -> bool {
        self.skips
            && (self.silence.remembers()
                || self.around.medium.is_some_and(|way| way.has_bursts(&self.channels)))
    }

    /// The next step, or the end of the present jump.
    fn next_private(&self) -> Instant {
        let next = match &self.quiet {
            Some(quiet) => {
                let period = self.around.beats.map_or(Span::NEVER, |beats| beats.period);
                quiet.wake_beat.map_or(Instant::NEVER, |n| quiet.anchor + period.times(n))
            }
            None => self.next_step(),
        };
        next.max(self.now)
    }

    /// Steps until something is observable, or as far as it may; says when that is.
    pub(super) fn go_ahead(&mut self, links: &[Link]) -> Instant {
        if self.next_private().is_never() {
            return Instant::NEVER;
        }
        let begun = Ahead { origin: self.clone(), seen: Observed::default() };
        let mut ahead = self.room.put(begun);
        let mut wake = Instant::NEVER;
        for step in 0..=self.stride {
            let next = self.next_private();
            if next.is_never() {
                wake = Instant::NEVER;
                break;
            }
            if step == self.stride {
                self.stride = (2 * self.stride).min(STRIDE_MAX);
                break;
            }
            wake = next;
            ahead.seen = self.pass(next, links);
            if ahead.seen.is_any() {
                break;
            }
        }
        self.ahead = Some(ahead);
        wake
    }

    /// Comes back to the steps before `now`.
    pub(crate) fn come_back(&mut self, now: Instant, links: &[Link]) {
        let Some(mut ahead) = self.ahead.take() else { return };
        std::mem::swap(self, &mut ahead.origin);
        self.room.keep(ahead);
        self.stride = STRIDE_MIN;
        loop {
            let next = self.next_private();
            if next >= now {
                return;
            }
            let seen = self.pass(next, links);
            assert!(!seen.is_any(), "a step at {next:?} before {now:?} was observable: {seen:?}");
        }
    }

    /// Takes a beat into what it remembers.
    pub(super) fn remember(&mut self, sent: Instant, arrived: Instant) {
        match (&mut self.memory, self.silence) {
            (Memory::Ticks(ticks), Silence::MissedOf { every, .. }) => {
                if self.listening_first {
                    ticks.next = ticks_until(self.ticks_from, arrived, every).max(1);
                }
                ticks.heard = true;
            }
            (Memory::Arrivals(arrivals), Silence::Expected { every, .. }) => {
                arrivals.add(sent, arrived, self.around.beats, every);
            }
            (Memory::Gaps(gaps), _) if self.newest_sent.is_some() && !self.suspected => {
                gaps.add(arrived - self.newest);
            }
            _ => {}
        }
    }

    /// Whether the beat that arrived now ends a suspicion.
    pub(super) fn is_trusted_again(&self, arrived: Instant) -> bool {
        match self.silence {
            Silence::TimeOut(_) | Silence::Missed { .. } | Silence::Accrual { .. } => true,
            // Its outcome is told by the next tick.
            Silence::MissedOf { .. } => false,
            // It may have come so late that it counts for nothing.
            Silence::Lease(_) | Silence::Expected { .. } => self.silent_until() > arrived,
        }
    }

    /// The deadline is here.
    pub(super) fn expire(&mut self, now: Instant) -> Observed {
        let (Silence::MissedOf { missing, of, every }, Memory::Ticks(ticks)) =
            (self.silence, &mut self.memory)
        else {
            self.suspected = true;
            return Observed { suspect: true, ..Observed::default() };
        };
        ticks.pass(now.since(self.ticks_from).as_nanos() / every.as_nanos().max(1));
        let suspected = ticks.missing_of(of) >= u32::from(missing);
        if suspected == self.suspected {
            return Observed::default();
        }
        self.suspected = suspected;
        if suspected {
            return Observed { suspect: true, ..Observed::default() };
        }
        if self.newest_sent >= self.news_since {
            self.news_since = None;
        }
        Observed { suspect: false, heard: self.newest_sent, trust: true }
    }
}
