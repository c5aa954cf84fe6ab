//! Going ahead: a watch whose next observable instant no formula gives steps there privately, without an event for
//! each step, and keeps the state it came from. If its surroundings change on the way, it comes back: it starts from
//! that state again and takes the same steps, with the same draws, up to the change. So it is equal to the stepwise
//! form step by step, not only in distribution, wherever it does not jump; stretches of ordinary beats it jumps.
//!
//! This is the form for detectors that remember more than the newest beat, and for bursts of loss.

use crate::engine::time::{Instant, Span};
use crate::system::medium::{Exception, Medium};
use crate::system::spec::Link;

use super::super::runs::{Ordinary, RunLaw};
use super::memory::Memory;
use super::silence::Silence;
use super::{Observed, Quiet, Watch};

/// Steps it may go at first; twice as many each time nothing was met, up to the most.
pub(super) const STRIDE_MIN: u32 = 16;
const STRIDE_MAX: u32 = 4096;
/// A shorter stretch is not worth a jump.
const JUMP_MIN: u64 = 4;

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

    /// After a jump of a watch that counts ticks: every tick on the way had its beat.
    pub(super) fn catch_up_ticks(&mut self, now: Instant) {
        let (Silence::MissedOf { every, .. }, Memory::Ticks(ticks)) = (self.silence, &mut self.memory) else {
            return;
        };
        let next = ticks_until(self.ticks_from, now, every);
        if next > ticks.next {
            ticks.next = next;
            ticks.heard = self.newest > self.ticks_from + every.times(next - 1);
        }
    }

    /// Jumps to the first run that counts, or to the last beat that is sent before `limit`.
    pub(super) fn begin_quiet(
        &mut self,
        anchor: Instant,
        law: RunLaw,
        exception: Exception,
        medium: Medium,
        limit: Instant,
    ) {
        let period = self.around.beats.map_or(Span::NEVER, |beats| beats.period).as_nanos().max(1);
        let most = (!limit.is_never()).then(|| limit.since(anchor).as_nanos().saturating_sub(1) / period);
        if most.is_some_and(|most| most < JUMP_MIN) {
            return;
        }
        let first = law.first(self.stream.uniform()).filter(|n| most.is_none_or(|most| *n <= most));
        let wake_beat = first.or(most);
        self.quiet = Some(Quiet { anchor, law, exception, medium, wake_beat, completes: first.is_some() });
    }

    /// Of a watch that counts ticks: what an ordinary beat is, so that as long as all are, every tick has exactly
    /// one. Beats and ticks drift apart: `limit` is brought forward to where that ends.
    pub(super) fn ordinary_in_step(
        &mut self,
        sent: Instant,
        period: Span,
        medium: Medium,
        limit: &mut Instant,
        links: &[Link],
    ) -> Ordinary {
        let (Silence::MissedOf { of, every, .. }, Memory::Ticks(ticks)) = (self.silence, &self.memory) else {
            return None;
        };
        let tick = self.ticks_from + every.times(ticks.next);
        // The beat sent at `sent` is the one of the tick to come, and the past is clean.
        if ticks.missing_of(of) != 0
            || !ticks.heard
            || sent >= tick
            || tick.before(every) >= sent + medium.delay_min(links)
        {
            return None;
        }
        let room = tick - sent;
        let slower = period.as_nanos().saturating_sub(every.as_nanos());
        let faster = every.as_nanos().saturating_sub(period.as_nanos());
        // Beats that come later at each tick need room for that; without a limit of the delay, half of what there is.
        let reserve =
            Span::from_nanos(slower.saturating_mul(10_000)).min(Span::from_nanos(room.as_nanos() / 2));
        let cut = medium.delay_max(links).min(room.saturating_sub(reserve)).min(period);
        let known = self.ordinary.get(&(medium, cut)).unwrap_or_else(|| {
            let exception = medium.exception(links, cut);
            let known = RunLaw::new(exception.probability, 1).map(|law| (law, exception));
            self.ordinary.keep((medium, cut), known);
            known
        });
        let (law, exception) = known?;
        let early = (sent + medium.delay_min(links)).since(tick.before(every)).as_nanos();
        let until_late = room.saturating_sub(cut).as_nanos().checked_div(slower);
        let until_early = (early - 1).checked_div(faster);
        let Some(beats) = until_late.or(until_early) else { return Some((law, exception)) };
        *limit = (*limit).min(sent + period.times(beats) + Span::from_nanos(1));
        Some((law, exception))
    }
}

/// The number of the first tick at or after `at`.
fn ticks_until(from: Instant, at: Instant, every: Span) -> u64 {
    at.since(from).as_nanos().div_ceil(every.as_nanos().max(1))
}
