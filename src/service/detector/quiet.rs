//! Quiet stretches: from a renewal, the last beat sent being the newest heard, to the first run of beats that could
//! matter, in one step.
//!
//! Beats are *ordinary* or *exceptional*: lost, or later than a cut. How many exceptional ones in a row, or among the
//! last few, can lead to a suspicion at the earliest is worked out for the detector as it is ([`Patience`]); the beat
//! that completes the first such row is drawn exactly.

use crate::engine::time::{Instant, Span};
use crate::system::medium::{Exception, Medium};
use crate::system::spec::Link;

use super::super::runs::{JUMP_MIN, Ordinary, RUN_MAX, RunLaw};
use super::super::windows::WindowLaw;
use super::memory::Memory;
use super::rebuild::ticks_until;
use super::silence::Silence;
use super::{Beats, Flight, Watch};

/// Cuts below the longest delay, and patience that hangs on what is remembered, come in so many steps a period: what is
/// worked out of them is asked for again.
const STEPS: u64 = 64;

/// A stretch of ordinary beats: nothing observable before `wake_beat` beats after the anchor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quiet {
    /// When the last beat before the stretch was sent (it has arrived at `Watch::newest`).
    pub(super) anchor: Instant,
    pub(super) law: Law,
    pub(super) exception: Exception,
    /// The way the beats take, in the state it keeps.
    pub(super) medium: Medium,
    pub(super) wake_beat: Option<u64>,
    /// Whether the beat of the wake completes what `law` counts; else the stretch ends for another reason.
    pub(super) completes: bool,
}

/// What there may not be before something can be observed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Law {
    /// So many exceptional beats in a row.
    Runs(RunLaw),
    /// So many among the last few: [`Watch::windows`].
    Windows,
}

/// How many exceptional beats a detector that counts ticks can bear, and which they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows {
    of: (Medium, Span),
    pub(super) exception: Exception,
    pub(super) law: Option<WindowLaw>,
}

impl Windows {
    fn new(medium: Medium, cut: Span, (missing, of): (u8, u8), links: &[Link]) -> Windows {
        let exception = medium.exception(links, cut);
        let law = WindowLaw::new(exception.probability, missing.into(), of.into());
        Windows { of: (medium, cut), exception, law }
    }
}

/// The least time from the sending of a beat that is heard to the suspicion that follows it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Patience {
    span: Span,
    /// Less by this much for each beat by which a run of exceptional ones is longer.
    less: Span,
}

impl Patience {
    fn new(span: Span) -> Patience {
        Patience { span, less: Span::ZERO }
    }

    /// Where at most `run` beats lie between two that are heard.
    pub(super) fn with(self, run: u64) -> Span {
        self.span.saturating_sub(self.less.times(run))
    }

    fn in_steps(self, period: Span) -> Patience {
        let step = (period.as_nanos() / STEPS).max(1);
        Patience { span: Span::from_nanos(self.span.as_nanos() / step * step), ..self }
    }
}

impl Watch {
    /// What it bears with the newest beat heard. It depends on the way alone where nothing else is remembered.
    pub(super) fn patience(&self, beats: Beats, medium: Medium, links: &[Link]) -> Patience {
        match (self.silence, &self.memory) {
            (Silence::TimeOut(after), _) => Patience::new(after + medium.delay_min(links)),
            (Silence::Missed { count, every }, _) => {
                Patience::new(every.times(u64::from(count)) + medium.delay_min(links))
            }
            (Silence::Lease(after), _) => Patience::new(after),
            (Silence::Expected { window, every, margin }, Memory::Arrivals(arrivals)) => {
                let Some(least) = arrivals.least_patience(beats, every, margin) else {
                    return Patience::default();
                };
                // Of clocks that differ, the expectation falls behind the beats by this for each beat of the window.
                let slip = beats.period.saturating_sub(every);
                let less = slip.times(u64::from(window));
                Patience { span: least.saturating_sub(slip), less }.in_steps(beats.period)
            }
            (Silence::Accrual { .. }, Memory::Gaps(gaps)) => {
                // How late a beat can be heard that begins a row of gaps: the newest was, or one to come before a
                // suspicion.
                let heard_after = self.newest.since(self.newest_sent.unwrap_or(self.newest));
                let latest = medium.delay_max(links).min(gaps.patience()).max(heard_after);
                Patience::new(gaps.least_patience(beats.period, latest) + medium.delay_min(links))
                    .in_steps(beats.period)
            }
            _ => Patience::default(),
        }
    }

    /// Goes quiet if the last beat sent is the newest heard.
    pub(super) fn try_quiet(&mut self, now: Instant, links: &[Link]) {
        let (Some(beats), Some(medium), Some(sent)) =
            (self.around.beats, self.around.medium, self.newest_sent)
        else {
            return;
        };
        if !self.skips
            || self.suspected
            || self.news_since.is_some()
            || !self.flight.is_empty()
            || !self.around.hearing
            || self.next_beat <= now
            || sent + beats.period != self.next_beat
        {
            return;
        }
        let (medium, mut limit) = self.channels.look(medium, self.next_beat);
        if let Memory::Ticks(_) = self.memory {
            if let Some(exception) = self.ordinary_in_step(sent, beats.period, medium, &mut limit, links) {
                self.begin_quiet(sent, Law::Windows, exception, medium, limit);
            }
            return;
        }
        let patience = if !self.silence.remembers() {
            Patience::default() // it is the same for this way
        } else if self.silent_until().since(sent) <= beats.period {
            return; // already a single beat can matter
        } else {
            self.patience(beats, medium, links)
        };
        let key = (medium, beats.period, patience);
        let found = self.ordinary.get(&key).unwrap_or_else(|| {
            let found = self.ordinary(beats, medium, links);
            self.ordinary.keep(key, found);
            found
        });
        if let Some((law, exception)) = found {
            self.begin_quiet(sent, Law::Runs(law), exception, medium, limit);
        }
    }

    /// The longest run that cannot yet lead to suspicion, and the delay up to which a beat is ordinary with it.
    pub(super) fn ordinary(&self, beats: Beats, medium: Medium, links: &[Link]) -> Ordinary {
        let (period, patience) = (beats.period, self.patience(beats, medium, links));
        let slack = |r: u64| patience.with(r).saturating_sub(period.times(r));
        let longest = patience.with(1).as_nanos() / period.as_nanos().max(1);
        let mut best: Ordinary = None;
        let possible = (1..=longest.min(RUN_MAX)).rev().filter(|r| slack(*r) > Span::ZERO);
        for r in possible.take(3) {
            let cut = slack(r).saturating_sub(Span::from_nanos(1)).min(period).min(medium.delay_max(links));
            let exception = medium.exception(links, cut);
            let Some(law) = RunLaw::new(exception.probability, r) else { continue };
            if best.as_ref().is_none_or(|(other, _)| law.run_within(1_000_000) < other.run_within(1_000_000))
            {
                best = Some((law, exception));
            }
        }
        best
    }

    /// Of a watch that counts ticks: what an ordinary beat is, so that as long as all are, every tick has exactly
    /// one. Beats and ticks drift apart: `limit` is brought forward to where that ends.
    fn ordinary_in_step(
        &mut self,
        sent: Instant,
        period: Span,
        medium: Medium,
        limit: &mut Instant,
        links: &[Link],
    ) -> Option<Exception> {
        let (Silence::MissedOf { missing, of, every }, Memory::Ticks(ticks)) = (self.silence, &self.memory)
        else {
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
        let cut = self.cut_in_step(room.saturating_sub(reserve), period, medium, links);
        if self.windows.as_ref().is_none_or(|known| known.of != (medium, cut)) {
            self.windows = Some(Box::new(Windows::new(medium, cut, (missing, of), links)));
        }
        let exception = self.windows.as_ref().filter(|known| known.law.is_some())?.exception;
        let early = (sent + medium.delay_min(links)).since(tick.before(every)).as_nanos();
        let until_late = room.saturating_sub(cut).as_nanos().checked_div(slower);
        let until_early = (early - 1).checked_div(faster);
        if let Some(beats) = until_late.or(until_early) {
            *limit = (*limit).min(sent + period.times(beats) + Span::from_nanos(1));
        }
        Some(exception)
    }

    /// The longest delay of an ordinary beat that may take as long as `room`.
    fn cut_in_step(&self, room: Span, period: Span, medium: Medium, links: &[Link]) -> Span {
        let longest = medium.delay_max(links);
        if longest <= room.min(period) {
            return longest;
        }
        let step = (period.as_nanos() / STEPS).max(1);
        Span::from_nanos(room.min(period).as_nanos() / step * step)
    }

    /// How many exceptional beats among the last few, and which those are, when beats and ticks are far from each other
    /// (for reports).
    pub(super) fn windows_at_best(&self, beats: Beats, medium: Medium, links: &[Link]) -> Option<Windows> {
        let Silence::MissedOf { missing, of, .. } = self.silence else { return None };
        let room = Span::from_nanos(beats.period.as_nanos() / 2);
        let cut = self.cut_in_step(room, beats.period, medium, links);
        Some(Windows::new(medium, cut, (missing, of), links)).filter(|windows| windows.law.is_some())
    }

    /// Jumps to the first beat that completes what counts, or to the last one that is sent before `limit`.
    fn begin_quiet(
        &mut self,
        anchor: Instant,
        law: Law,
        exception: Exception,
        medium: Medium,
        limit: Instant,
    ) {
        let period = self.around.beats.map_or(Span::NEVER, |beats| beats.period).as_nanos().max(1);
        let most = (!limit.is_never()).then(|| limit.since(anchor).as_nanos().saturating_sub(1) / period);
        if most.is_some_and(|most| most < JUMP_MIN) {
            return;
        }
        let (u, last) = (self.stream.uniform(), most.unwrap_or(u64::MAX));
        let first = match law {
            Law::Runs(law) => law.first_within(u, last),
            Law::Windows => self.window_law().first(u).filter(|n| *n <= last),
        };
        let wake_beat = first.or(most);
        self.quiet = Some(Quiet { anchor, law, exception, medium, wake_beat, completes: first.is_some() });
    }

    /// The law of the present stretch, of a watch that counts ticks.
    pub(super) fn window_law(&self) -> &WindowLaw {
        let known = self.windows.as_ref().and_then(|windows| windows.law.as_ref());
        known.expect("a stretch of windows has their law")
    }

    /// Ends a quiet stretch of `n` beats as seen at `now`: draws what is known of it. `completes`: its last beat is the
    /// one that completes what counts.
    pub(super) fn resolve(&mut self, now: Instant, n: u64, completes: bool, quiet: &Quiet, links: &[Link]) {
        match quiet.law {
            _ if n == 0 => {}
            Law::Runs(law) if !self.silence.remembers() => {
                let trailing = if completes { law.run() } else { law.trailing(n, &mut self.stream) };
                self.draw_newest(now, n, trailing, (quiet, law), links);
            }
            _ => self.rebuild(now, n, completes, quiet, links),
        }
        self.catch_up_ticks(now);
    }

    /// Draws the fates of the last beats of a quiet stretch of `n` beats that ends in `trailing` exceptional ones.
    fn draw_newest(
        &mut self,
        now: Instant,
        n: u64,
        trailing: u64,
        (quiet, law): (&Quiet, RunLaw),
        links: &[Link],
    ) {
        let period = self.around.beats.expect("the peer is sending").period;
        let medium = quiet.medium;
        let last = n - trailing;
        if last > 0 {
            let sent = quiet.anchor + period.times(last);
            let arrives = sent + medium.draw_ordinary(links, quiet.exception.cut, &mut self.stream);
            if arrives > now {
                // Still under way: what was heard before it is the one before, again from its conditional law.
                let before = law.trailing(last - 1, &mut self.stream);
                self.draw_newest(now, last - 1, before, (quiet, law), links);
                self.flight.push(Flight { sent, arrives });
            } else {
                self.newest = arrives;
                (self.newest_sent, self.still) = (Some(sent), Span::ZERO);
            }
        }
        for j in last + 1..=n {
            let sent = quiet.anchor + period.times(j);
            if let Some(delay) = medium.draw_exceptional(links, &quiet.exception, &mut self.stream) {
                let arrives = sent + delay;
                if arrives > now {
                    self.flight.push(Flight { sent, arrives });
                } else if self.newest_sent.is_none_or(|newest| newest < sent) {
                    self.newest = self.newest.max(arrives);
                    (self.newest_sent, self.still) = (Some(sent), Span::ZERO);
                }
            }
        }
    }

    /// Of a watch that counts ticks: takes the outcomes of those before `now`.
    pub(super) fn catch_up_ticks(&mut self, now: Instant) {
        if let (Silence::MissedOf { every, .. }, Memory::Ticks(ticks)) = (self.silence, &mut self.memory) {
            ticks.pass(ticks_until(self.ticks_from, now, every).saturating_sub(1));
        }
    }
}
