//! Health checks: a request every so often, an answer within a time-out, so many failures or successes in a row.
//!
//! Used by balancers and for echo requests. The fate of a check is decided when it is sent, from the surroundings of
//! that instant; its result is known when the answer arrives, or after the time-out.
//!
//! Skipping, only verdicts are events. Checks that cannot succeed (peer dead, way closed) are counted, checks that
//! succeed skipped to the one that completes the first run of `fall` exceptional ones (`runs.rs`) or, over links with
//! bursts, to the last one in the present state, and the others are stepped privately up to the next verdict, from a
//! state that is kept: if the surroundings change first, the same steps are taken again up to the change, with the same
//! draws.

use crate::engine::stream::Stream;
use crate::engine::time::{Instant, Span};
use crate::system::bursts::Channels;
use crate::system::medium::{Exception, Medium};
use crate::system::spec::Link;

use super::detector::Observed;
use super::fidelity::{Explained, Form, WITH_BURSTS, shown_probability};
use super::recent::Recent;
use super::room::Room;
use super::runs::{JUMP_MIN, RunLaw};

/// The rule of a health check. Spans are in true time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// Distance of checks.
    pub every: Span,
    /// An answer that takes longer counts as none; at most `every`.
    pub timeout: Span,
    /// Failures in a row until the peer is suspected.
    pub fall: u32,
    /// Successes in a row until it is trusted again.
    pub rise: u32,
}

/// What surrounds a check.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CheckSurroundings {
    /// The way there and back, while both are open.
    pub ways: Option<[Medium; 2]>,
    /// Whether the peer answers.
    pub answering: bool,
    /// Whether the observer runs.
    pub checking: bool,
}

impl CheckSurroundings {
    fn hopeful(&self) -> Option<[Medium; 2]> {
        self.ways.filter(|_| self.answering)
    }
}

/// Which checks are exceptional: those of which a leg, there or back, is.
#[derive(Clone, Copy, Debug)]
struct Legs {
    law: RunLaw,
    /// There and back, in the state they keep.
    ways: [Medium; 2],
    exceptions: [Exception; 2],
}

/// A stretch of ordinary checks.
#[derive(Clone, Copy, Debug)]
struct Quiet {
    legs: Legs,
    /// The check that ends it, counted from `next` as 1.
    wake_check: Option<u64>,
    /// Whether that one completes the run; else it is the last one in the present state of a link.
    completes: bool,
}

/// One observer's health checks of one peer.
#[derive(Clone, Debug)]
pub struct HealthCheck {
    rule: Rule,
    skips: bool,
    around: CheckSurroundings,
    stream: Stream,
    next: Instant,
    /// Failures (while trusted) or successes (while suspected) in a row.
    row: u32,
    suspected: bool,
    /// When the change of mind that is already decided becomes known.
    verdict: Instant,
    quiet: Option<Quiet>,
    /// What [`HealthCheck::ordinary`] found last, by the ways there and back.
    ordinary: Recent<[Medium; 2], Option<Legs>>,
    channels: Channels,
    /// When to wake next.
    wake: Instant,
    /// The state it went ahead from.
    origin: Option<Origin>,
    room: Room<HealthCheck>,
    /// Checks it may go ahead.
    stride: u32,
    /// Requests and answers up to an instant, in the mean.
    messages: f64,
    counted: Instant,
}

/// A check as it was before those whose results nobody has seen.
#[derive(Clone, Debug)]
enum Origin {
    /// Checks that cannot succeed draw nothing: they change no more than this.
    Counted {
        next: Instant,
        row: u32,
    },
    Drawn(Box<HealthCheck>),
}

/// Checks it may go ahead at first; twice as many each time nothing was met, up to the most.
const STRIDE_MIN: u32 = 16;
const STRIDE_MAX: u32 = 4096;

impl Rule {
    /// A check answers before the next one is due, and verdicts need at least one.
    fn proper(self) -> Rule {
        let (fall, rise) = (self.fall.max(1), self.rise.max(1));
        Rule { timeout: self.timeout.min(self.every), fall, rise, ..self }
    }
}

impl HealthCheck {
    /// Checks that begin at `first`; the peer is trusted until they say otherwise.
    pub fn new(
        rule: Rule,
        skips: bool,
        first: Instant,
        around: CheckSurroundings,
        stream: Stream,
        links: &[Link],
    ) -> Self {
        HealthCheck::over(rule, skips, first, around, stream, links, Channels::default())
    }

    /// The same over links with bursts, whose states are read from `channels`.
    pub fn over(
        rule: Rule,
        skips: bool,
        first: Instant,
        around: CheckSurroundings,
        stream: Stream,
        links: &[Link],
        channels: Channels,
    ) -> Self {
        let mut check = HealthCheck {
            rule: rule.proper(),
            skips,
            around,
            stream,
            next: first,
            row: 0,
            suspected: false,
            verdict: Instant::NEVER,
            quiet: None,
            ordinary: Recent::new(),
            channels,
            wake: Instant::NEVER,
            origin: None,
            room: Room::new(),
            stride: STRIDE_MIN,
            messages: 0.0,
            counted: first,
        };
        check.try_quiet(links);
        check.plan(links);
        check
    }

    /// New checks of the same peer in the place of these, with the same stream; the phase of their loop is drawn anew.
    pub(crate) fn begin_again(
        &mut self,
        rule: Rule,
        now: Instant,
        around: CheckSurroundings,
        links: &[Link],
        channels: Channels,
    ) {
        self.come_back(now, links);
        let first = now + rule.every.scaled(self.stream.uniform());
        if self.rule != rule.proper() {
            self.rule = rule.proper();
            self.ordinary.forget();
        }
        (self.around, self.channels) = (around, channels);
        (self.next, self.counted, self.messages) = (first, first, 0.0);
        (self.row, self.suspected, self.stride) = (0, false, STRIDE_MIN);
        (self.verdict, self.wake, self.quiet) = (Instant::NEVER, Instant::NEVER, None);
        self.try_quiet(links);
        self.plan(links);
    }

    /// Whether the peer is suspected.
    pub fn is_suspected(&self) -> bool {
        match &self.origin {
            Some(Origin::Drawn(origin)) => origin.suspected,
            Some(Origin::Counted { .. }) | None => self.suspected,
        }
    }

    /// Requests and answers since they were last asked for, in the mean; what is lost on the way counts.
    pub(crate) fn take_messages(&mut self, now: Instant) -> f64 {
        self.count_messages(now);
        if let Some(Origin::Drawn(origin)) = &mut self.origin {
            // What has been asked for is not counted again when it comes back.
            (origin.messages, origin.counted) = (0.0, self.counted);
        }
        std::mem::take(&mut self.messages)
    }

    fn count_messages(&mut self, now: Instant) {
        let checks = now.since(self.counted).as_secs() / self.rule.every.as_secs();
        self.counted = self.counted.max(now);
        if self.around.checking {
            self.messages += if self.around.hopeful().is_some() { 2.0 * checks } else { checks };
        }
    }

    /// When to call [`HealthCheck::wake`].
    pub fn wake_at(&self) -> Instant {
        self.wake
    }

    /// Works out when to wake: at the next step, or, going ahead, when the next verdict becomes known. The end of a
    /// quiet stretch is far, but for bursts: nothing beyond it is drawn before it is there.
    fn plan(&mut self, links: &[Link]) {
        self.wake = self.next_step();
        if !self.skips || !self.verdict.is_never() || self.wake.is_never() || self.is_far() {
            return;
        }
        if self.around.hopeful().is_none() {
            self.origin = Some(Origin::Counted { next: self.next, row: self.row });
            self.step(self.wake, links);
            self.wake = self.next_step();
            return;
        }
        let begun = self.clone();
        let origin = self.room.put(begun);
        for _ in 0..self.stride {
            self.step(self.wake, links);
            self.wake = self.next_step();
            if self.wake.is_never() || !self.verdict.is_never() || self.is_far() {
                self.origin = Some(Origin::Drawn(origin));
                return;
            }
        }
        self.stride = (2 * self.stride).min(STRIDE_MAX);
        self.origin = Some(Origin::Drawn(origin));
    }

    /// Whether it is in a quiet stretch that only a run of exceptional checks ends.
    fn is_far(&self) -> bool {
        self.quiet.is_some() && !self.has_bursts()
    }

    fn has_bursts(&self) -> bool {
        let ways = self.around.ways.iter().flatten();
        !self.channels.is_empty() && ways.into_iter().any(|way| way.has_bursts(&self.channels))
    }

    /// Comes back to the checks sent before `now`: the same steps with the same draws.
    pub(crate) fn come_back(&mut self, now: Instant, links: &[Link]) {
        match self.origin.take() {
            None => return,
            Some(Origin::Counted { next, row }) => {
                (self.next, self.row, self.verdict) = (next, row, Instant::NEVER);
            }
            Some(Origin::Drawn(mut origin)) => {
                std::mem::swap(self, &mut *origin);
                self.room.keep(origin);
                self.stride = STRIDE_MIN;
            }
        }
        while self.verdict.is_never() && self.next_step() < now {
            self.step(self.next_step(), links);
        }
    }

    fn next_step(&self) -> Instant {
        if !self.around.checking {
            return Instant::NEVER;
        }
        if !self.verdict.is_never() {
            return self.verdict;
        }
        if let Some(quiet) = self.quiet {
            return quiet.wake_check.map_or(Instant::NEVER, |n| self.next + self.rule.every.times(n - 1));
        }
        if self.around.hopeful().is_some() {
            return self.next;
        }
        if self.suspected {
            return Instant::NEVER;
        }
        // Every check from now on fails: the one that completes the row, and its time-out.
        let more = u64::from(self.rule.fall.saturating_sub(self.row).max(1));
        self.next + self.rule.every.times(more - 1)
    }

    /// Handles what comes up at `now`, which must be [`HealthCheck::wake_at`].
    pub fn wake(&mut self, now: Instant, links: &[Link]) -> Observed {
        if let Some(Origin::Drawn(origin)) = self.origin.take() {
            self.room.keep(origin);
        }
        if self.verdict <= now {
            self.verdict = Instant::NEVER;
            self.row = 0;
            self.suspected = !self.suspected;
            // Checks sent while the verdict was pending do not count towards the next one.
            self.skip_to(now);
            self.try_quiet(links);
            self.plan(links);
            return Observed {
                suspect: self.suspected,
                heard: (!self.suspected).then_some(now),
                trust: !self.suspected,
            };
        }
        self.step(now, links);
        self.plan(links);
        Observed::default()
    }

    /// The check, or the end of the stretch, at `now`.
    fn step(&mut self, now: Instant, links: &[Link]) {
        if let Some(quiet) = self.quiet.take() {
            self.next = now + self.rule.every;
            let run = match quiet.wake_check {
                Some(checks) if !quiet.completes => quiet.legs.law.trailing(checks, &mut self.stream),
                _ => quiet.legs.law.run(),
            };
            self.resolve_row(run, &quiet.legs, links);
        } else if self.around.hopeful().is_none() {
            self.skip_failed(now);
            self.count(false, now, Span::ZERO);
            self.next = now + self.rule.every;
        } else {
            let (ok, delay) = self.draw(now, links);
            self.count(ok, now, delay);
            self.next = now + self.rule.every;
        }
        self.try_quiet(links);
    }

    fn draw(&mut self, sent: Instant, links: &[Link]) -> (bool, Span) {
        let [there, back] = self.around.hopeful().expect("a way that is open");
        let [there, back] = [there, back].map(|way| way.at(sent, &mut self.channels));
        let there = there.draw(links, &mut self.stream);
        let back = back.draw(links, &mut self.stream);
        self.judge(there, back)
    }

    fn judge(&self, there: Option<Span>, back: Option<Span>) -> (bool, Span) {
        match (there, back) {
            (Some(a), Some(b)) if a + b <= self.rule.timeout => (true, a + b),
            _ => (false, Span::ZERO),
        }
    }

    /// Counts a check sent at `sent`, and decides.
    fn count(&mut self, ok: bool, sent: Instant, delay: Span) {
        if ok != self.suspected {
            self.row = 0;
            return;
        }
        self.row += 1;
        let enough = if self.suspected { self.rule.rise } else { self.rule.fall };
        if self.row >= enough {
            self.verdict = sent + if ok { delay } else { self.rule.timeout };
        }
    }

    /// Of the checks up to `now`, counts those that are bound to fail before the one at `now`.
    fn skip_failed(&mut self, now: Instant) {
        let passed = now.since(self.next).as_nanos() / self.rule.every.as_nanos().max(1);
        if self.suspected {
            self.row = 0;
        } else {
            self.row = self.row.saturating_add(u32::try_from(passed).unwrap_or(u32::MAX));
        }
        self.next = self.next + self.rule.every.times(passed);
    }

    /// Moves to the first check at or after `now`.
    fn skip_to(&mut self, now: Instant) {
        if self.next < now {
            let every = self.rule.every.as_nanos().max(1);
            let passed = (now - self.next).as_nanos().div_ceil(every);
            self.next = self.next + self.rule.every.times(passed);
        }
    }

    fn try_quiet(&mut self, links: &[Link]) {
        if !self.skips || self.suspected || self.row > 0 || !self.verdict.is_never() || !self.around.checking
        {
            return;
        }
        let Some(ways) = self.around.hopeful() else { return };
        let mut limit = Instant::NEVER;
        let ways = ways.map(|way| {
            let (way, until) = self.channels.look(way, self.next);
            limit = limit.min(until);
            way
        });
        let every = self.rule.every.as_nanos().max(1);
        let most = (!limit.is_never()).then(|| limit.since(self.next).as_nanos().div_ceil(every));
        if most.is_some_and(|most| most < JUMP_MIN) {
            return;
        }
        let found = self.ordinary.get(&ways).unwrap_or_else(|| {
            let found = self.ordinary(ways, links);
            self.ordinary.keep(ways, found);
            found
        });
        let Some(legs) = found else { return };
        let u = self.stream.uniform();
        let first = legs.law.first_within(u, most.unwrap_or(u64::MAX));
        self.quiet = Some(Quiet { legs, wake_check: first.or(most), completes: first.is_some() });
    }

    /// The law of the first run of exceptional checks, of which a leg is lost or takes more than half the time-out.
    fn ordinary(&self, ways: [Medium; 2], links: &[Link]) -> Option<Legs> {
        let cut = Span::from_nanos(self.rule.timeout.as_nanos() / 2);
        let exceptions = ways.map(|way| way.exception(links, cut));
        let [there, back] = exceptions.map(|leg| leg.probability);
        let q = 1.0 - (1.0 - there) * (1.0 - back);
        RunLaw::new(q, u64::from(self.rule.fall)).map(|law| Legs { law, ways, exceptions })
    }

    /// In which form it runs while the surroundings are as they are.
    pub fn explain(&self, links: &[Link]) -> Explained {
        if !self.skips {
            return Explained::asked();
        }
        let Some(ways) = self.around.hopeful() else {
            return Explained::new(Form::Skips, "no check can succeed: those that fail are counted");
        };
        let Some(legs) = self.ordinary(ways, links) else {
            return Explained::new(
                Form::Ahead,
                "most checks would be lost or slow: stepped privately to the next verdict",
            );
        };
        let [there, back] = legs.exceptions.map(|leg| leg.probability);
        let q = 1.0 - (1.0 - there) * (1.0 - back);
        let mut why = if q == 0.0 {
            "every check succeeds: nothing happens until the surroundings change".to_owned()
        } else {
            format!(
                "the first {} checks in a row that are lost or slow (P = {} each) are drawn from their exact law; \
                 between suspicion and trust checks are stepped privately",
                self.rule.fall,
                shown_probability(q)
            )
        };
        if self.has_bursts() {
            why.push_str(WITH_BURSTS);
            return Explained::new(Form::Ahead, why);
        }
        Explained::new(Form::Skips, why)
    }

    /// A check drawn given that it is exceptional.
    fn draw_exceptional(&mut self, legs: &Legs, links: &[Link]) -> (bool, Span) {
        let ([there, back], [first, second]) = (&legs.ways, &legs.exceptions);
        let either = first.probability + (1.0 - first.probability) * second.probability;
        let (a, b) = if self.stream.uniform() * either < first.probability {
            (there.draw_exceptional(links, first, &mut self.stream), back.draw(links, &mut self.stream))
        } else {
            let a = there.draw_ordinary(links, first.cut, &mut self.stream);
            (Some(a), back.draw_exceptional(links, second, &mut self.stream))
        };
        self.judge(a, b)
    }

    /// So many exceptional checks, the last one just before the next.
    fn resolve_row(&mut self, length: u64, legs: &Legs, links: &[Link]) {
        for left in (0..length).rev() {
            let (ok, delay) = self.draw_exceptional(legs, links);
            self.count(ok, self.next.before(self.rule.every.times(left + 1)), delay);
        }
    }

    /// The clock of the observer, which stands still up to now, has stood still for so long: its loop and the time-out
    /// of the check under way go on with what they had left.
    pub(crate) fn stand_still(&mut self, length: Span) {
        debug_assert!(!self.around.checking && self.origin.is_none(), "it is paused");
        self.next = self.next + length;
        if !self.verdict.is_never() {
            self.verdict = self.verdict + length;
        }
    }

    /// The surroundings change at `now`.
    pub fn change(&mut self, now: Instant, around: CheckSurroundings, links: &[Link]) -> Observed {
        if around == self.around {
            return Observed::default();
        }
        self.come_back(now, links);
        self.settle(now, links);
        self.count_messages(now);
        let was_checking = self.around.checking;
        self.around = around;
        if around.checking && !was_checking {
            self.next = self.next.max(now).min(now + self.rule.every);
            if self.verdict < now {
                self.verdict = now;
            }
        }
        self.try_quiet(links);
        self.plan(links);
        Observed::default()
    }

    fn settle(&mut self, now: Instant, links: &[Link]) {
        if !self.around.checking {
            return;
        }
        if let Some(quiet) = self.quiet.take() {
            // Checks sent strictly before now.
            let every = self.rule.every.as_nanos().max(1);
            let sent = now.since(self.next).as_nanos().div_ceil(every);
            self.next = self.next + self.rule.every.times(sent);
            let trailing = quiet.legs.law.trailing(sent, &mut self.stream);
            self.resolve_row(trailing, &quiet.legs, links);
        } else if self.verdict.is_never() && self.around.hopeful().is_none() && self.next < now {
            let every = self.rule.every.as_nanos().max(1);
            let sent = (now - self.next).as_nanos().div_ceil(every);
            if self.suspected {
                self.row = 0;
            } else {
                self.row = self.row.saturating_add(u32::try_from(sent).unwrap_or(u32::MAX));
            }
            self.next = self.next + self.rule.every.times(sent);
        }
    }
}
