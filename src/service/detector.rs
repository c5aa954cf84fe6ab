//! Watching a peer by its heartbeats, stepwise or skipping.
//!
//! A [`Watch`] is one observer of one peer. Its surroundings (is the peer sending, is the way open, is the observer
//! listening) are constant between [`Watch::change`]s; in between it says when it wants to be woken, and
//! [`Watch::wake`] tells what became observable.
//!
//! **Stepwise**, it wakes at every beat sent, every arrival and every deadline. **Skipping**, it wakes only where
//! something becomes observable. While the last beat sent is the newest heard (a renewal) it is *quiet*: a beat is
//! *ordinary* if it is not lost and its delay is at most `cut`; `cut` and the run length r are chosen so that no
//! suspicion is possible until r beats in a row are not ordinary (r·period + cut is below the time-out), and the beat
//! that completes the first such run is drawn exactly (`runs.rs`; of a detector that counts m of n, the first such window,
//! `windows.rs`). Otherwise it *looks ahead*: it draws the fates of the coming beats until it knows the first arrival or
//! deadline that matters, and wakes there. When the surroundings change at t, a quiet stretch ends in the state at t drawn
//! from its law given that nothing observable happened before, and of a look ahead the beats not sent before t are
//! forgotten: nobody has seen them, and what is drawn in their place is independent. Both forms are equal in distribution
//! for independent losses and delays; tests compare them.
//!
//! Detectors that remember more than the newest beat, and ways with bursts of loss, *go ahead* outside of quiet stretches
//! instead (`ahead.rs`); what they remember at the end of one is drawn backwards (`rebuild.rs`).
//!
//! Beats older than the newest one heard are ignored. What waits for an observer at the end of its pause counts, for a
//! detector that remembers, as one arrival: that of the newest. A beat sent at the very instant of a change counts as not sent.

mod ahead;
mod change;
mod explain;
mod memory;
mod quiet;
mod rebuild;
mod silence;

use crate::engine::stream::Stream;
use crate::engine::time::{Instant, Span};
use crate::system::bursts::Channels;
use crate::system::medium::Medium;
use crate::system::spec::Link;

use super::recent::Recent;
use super::room::Room;
use super::runs::Ordinary;
use ahead::Ahead;
use memory::Memory;
use quiet::{Patience, Quiet, Windows};

pub use silence::{Silence, Tail};

/// How the peer sends, as far as the observer's fate depends on it. Spans are in true time: drift is in them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beats {
    /// The first beat of the present series.
    pub first: Instant,
    /// Distance of beats.
    pub period: Span,
}

/// What surrounds a watch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surroundings {
    /// The peer's beats while it sends.
    pub beats: Option<Beats>,
    /// The way from the peer to the observer while it is open.
    pub medium: Option<Medium>,
    /// Whether the observer listens; while it is paused beats wait for it.
    pub hearing: bool,
}

/// What became observable, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// The peer is suspected now.
    pub suspect: bool,
    /// A beat was heard that says something new: the first one, one that ended a suspicion, or one sent after a
    /// change of content. The instant is when it was sent.
    pub heard: Option<Instant>,
    /// Whether `heard` ended a suspicion.
    pub trust: bool,
}

impl Observed {
    /// Whether there is anything to tell.
    pub fn is_any(&self) -> bool {
        self.suspect || self.heard.is_some()
    }
}

/// A beat under way.
#[derive(Clone, Copy, Debug)]
struct Flight {
    sent: Instant,
    arrives: Instant,
}

/// One observer of one peer.
#[derive(Clone, Debug)]
pub struct Watch {
    silence: Silence,
    skips: bool,
    around: Surroundings,
    stream: Stream,
    /// Ticks of the observer start here ([`Silence::Missed`]).
    ticks_from: Instant,
    /// When the newest beat arrived, or the watch began.
    newest: Instant,
    /// When the newest beat heard was sent.
    newest_sent: Option<Instant>,
    /// For how long the observer's clock has stood still since that.
    still: Span,
    /// When it last stood still, from and to.
    stood: (Instant, Instant),
    /// The next beat of the series.
    next_beat: Instant,
    flight: Vec<Flight>,
    suspected: bool,
    /// No deadline before the first beat.
    listening_first: bool,
    /// A beat sent at or after this instant says something new.
    news_since: Option<Instant>,
    quiet: Option<Quiet>,
    /// When to wake next.
    wake: Instant,
    /// Beats of before have been sent: a wake deals with one that is sent at its very instant, too.
    fresh: Instant,
    /// What [`Watch::ordinary`] found last, by all that it depends on.
    ordinary: Recent<(Medium, Span, Patience), Ordinary>,
    /// The same for a detector that counts ticks.
    windows: Option<Box<Windows>>,
    memory: Memory,
    channels: Channels,
    /// No step lies before this instant.
    now: Instant,
    /// The steps it has gone ahead of its surroundings.
    ahead: Option<Box<Ahead>>,
    room: Room<Ahead>,
    /// How many it may go.
    stride: u32,
}

/// Beats whose fates are drawn in one look ahead, at most: a way that loses nearly all is looked along in parts.
const AHEAD_MAX: usize = 64;

impl Watch {
    /// A watch that begins `now`. `armed`: its time-out runs from now; else only from the first beat.
    pub fn new(
        silence: Silence,
        skips: bool,
        armed: bool,
        now: Instant,
        around: Surroundings,
        stream: Stream,
        links: &[Link],
    ) -> Watch {
        Watch::over(silence, skips, armed, now, around, stream, links, Channels::default())
    }

    /// The same over links with bursts, whose states are read from `channels`.
    #[expect(clippy::too_many_arguments, reason = "each is another thing, and none has a value to leave out")]
    pub fn over(
        silence: Silence,
        skips: bool,
        armed: bool,
        now: Instant,
        around: Surroundings,
        stream: Stream,
        links: &[Link],
        channels: Channels,
    ) -> Watch {
        let mut watch = Watch {
            silence,
            skips,
            around,
            stream,
            ticks_from: now,
            newest: now,
            newest_sent: None,
            still: Span::ZERO,
            stood: (Instant::ZERO, Instant::ZERO),
            next_beat: Instant::NEVER,
            flight: Vec::new(),
            suspected: false,
            listening_first: !armed,
            news_since: Some(Instant::ZERO),
            quiet: None,
            wake: Instant::NEVER,
            fresh: now,
            ordinary: Recent::new(),
            windows: None,
            memory: Memory::new(&silence),
            channels,
            now,
            ahead: None,
            room: Room::new(),
            stride: ahead::STRIDE_MIN,
        };
        watch.next_beat = watch.beat_from(now);
        watch.plan(links);
        watch
    }

    /// Takes over what a watch of the same pair over the same links has worked out, if it watched alike. A law of windows
    /// of its own stays: it may be in a stretch of it already.
    pub(crate) fn learn(&mut self, former: &Watch) {
        if former.silence == self.silence {
            self.ordinary = former.ordinary;
            if self.windows.is_none() {
                self.windows.clone_from(&former.windows);
            }
        }
    }

    /// Whether the peer is suspected.
    pub fn is_suspected(&self) -> bool {
        self.ahead.as_ref().map_or(self.suspected, |ahead| ahead.origin.suspected)
    }

    /// A new watch of the same pair in the place of this one, with the same stream and room.
    pub(crate) fn begin_again(
        &mut self,
        silence: Silence,
        armed: bool,
        now: Instant,
        around: Surroundings,
        links: &[Link],
        channels: Channels,
    ) {
        self.come_back(now, links);
        if self.silence != silence {
            self.silence = silence;
            self.ordinary.forget();
            self.windows = None;
        }
        self.memory = Memory::new(&silence);
        self.around = around;
        (self.ticks_from, self.newest, self.fresh, self.now) = (now, now, now, now);
        (self.newest_sent, self.still) = (None, Span::ZERO);
        self.stood = (Instant::ZERO, Instant::ZERO);
        self.flight.clear();
        self.suspected = false;
        self.listening_first = !armed;
        self.news_since = Some(Instant::ZERO);
        self.quiet = None;
        self.channels = channels;
        self.stride = ahead::STRIDE_MIN;
        self.next_beat = self.beat_from(now);
        self.plan(links);
    }

    /// The way beats take at present.
    pub(crate) fn medium(&self) -> Option<Medium> {
        self.around.medium
    }

    /// Whether the watch runs in a quiet stretch at present (for reports).
    pub fn is_quiet(&self) -> bool {
        self.quiet.is_some()
    }

    /// The first beat of the series at or after `t`.
    fn beat_from(&self, t: Instant) -> Instant {
        let Some(beats) = self.around.beats else { return Instant::NEVER };
        if t <= beats.first {
            return beats.first;
        }
        let behind = (t - beats.first).as_nanos();
        let period = beats.period.as_nanos().max(1);
        beats.first + Span::from_nanos(behind.div_ceil(period).saturating_mul(period))
    }

    /// When silence becomes suspicion if nothing more is heard; or the next tick, where each has an outcome.
    fn deadline(&self) -> Instant {
        let tells_nothing = self.suspected && self.is_tick_idle();
        if self.listening_first || tells_nothing { Instant::NEVER } else { self.silent_until() }
    }

    /// Whether the next deadline can change nothing of a suspicion; each tick has an outcome, but without a beat on its
    /// way they are all the same.
    fn is_tick_idle(&self) -> bool {
        match &self.memory {
            Memory::Ticks(ticks) => {
                let is_silent = self.around.beats.is_none() || self.around.medium.is_none();
                self.skips && is_silent && self.flight.is_empty() && !ticks.heard
            }
            _ => true,
        }
    }

    /// The same, whether or not the peer is suspected already.
    fn silent_until(&self) -> Instant {
        match (self.silence, &self.memory) {
            (Silence::TimeOut(after), _) => self.newest + after,
            (Silence::Missed { count, every }, _) => {
                let since = self.newest.since(self.ticks_from).as_nanos();
                let tick = since / every.as_nanos().max(1) + 1;
                self.ticks_from + every.times(tick + u64::from(count))
            }
            (Silence::Lease(after), _) => match self.newest_sent {
                Some(sent) => sent + self.still + after,
                None => self.newest + after,
            },
            (Silence::MissedOf { every, .. }, Memory::Ticks(ticks)) => {
                self.ticks_from + every.times(ticks.next)
            }
            (Silence::Expected { every, margin, .. }, Memory::Arrivals(arrivals)) => {
                arrivals.expected(every).unwrap_or(self.newest + every) + margin
            }
            (Silence::Accrual { .. }, Memory::Gaps(gaps)) => self.newest + gaps.patience(),
            (silence, memory) => unreachable!("{silence:?} with {memory:?}"),
        }
    }

    /// When to call [`Watch::wake`]; [`Instant::NEVER`]: only a change can matter.
    pub fn wake_at(&self) -> Instant {
        self.wake
    }

    /// Works out when to wake.
    fn plan(&mut self, links: &[Link]) {
        self.wake = if !self.around.hearing {
            Instant::NEVER
        } else if self.goes_ahead() {
            self.go_ahead(links)
        } else if let Some(quiet) = &self.quiet {
            let period = self.around.beats.map_or(Span::NEVER, |beats| beats.period);
            quiet.wake_beat.map_or(Instant::NEVER, |n| quiet.anchor + period.times(n))
        } else if self.skips {
            self.look_ahead(links)
        } else {
            self.next_step()
        };
    }

    /// The next beat, arrival or deadline.
    fn next_step(&self) -> Instant {
        let beat = if self.around.medium.is_some() { self.next_beat } else { Instant::NEVER };
        let arrival = self.flight.iter().map(|f| f.arrives).min().unwrap_or(Instant::NEVER);
        beat.min(arrival).min(self.deadline())
    }

    /// Draws the fates of coming beats until the first arrival is known that changes what the observer knows, or
    /// after which it may go quiet; or until the deadline comes before it.
    fn look_ahead(&mut self, links: &[Link]) -> Instant {
        let deadline = self.deadline();
        for _ in 0..AHEAD_MAX {
            let arrival = self.flight.iter().map(|f| f.arrives).min().unwrap_or(Instant::NEVER);
            let known = arrival.min(deadline);
            let Some(medium) =
                self.around.medium.filter(|_| self.next_beat <= known && !self.next_beat.is_never())
            else {
                return known;
            };
            self.send(self.next_beat, medium, links);
        }
        self.next_beat.min(deadline)
    }

    /// Handles what comes up at `now`, which must be [`Watch::wake_at`].
    pub fn wake(&mut self, now: Instant, links: &[Link]) -> Observed {
        let seen = match self.ahead.take() {
            Some(ahead) => {
                let seen = ahead.seen;
                self.room.keep(ahead);
                seen
            }
            None => self.pass(now, links),
        };
        self.plan(links);
        seen
    }

    fn pass(&mut self, now: Instant, links: &[Link]) -> Observed {
        self.now = now;
        self.fresh = now + Span::from_nanos(1);
        if let Some(quiet) = self.quiet.take() {
            let n = quiet.wake_beat.expect("a quiet stretch without end does not wake");
            self.resolve(now, n, quiet.completes, &quiet, links);
            let period = self.around.beats.expect("the peer is sending").period;
            self.next_beat = now + period;
            return self.arrivals(now, links);
        }
        let mut seen = self.arrivals(now, links);
        if self.next_beat <= now
            && let Some(medium) = self.around.medium
        {
            self.send(now, medium, links);
            let after = self.arrivals(now, links); // without delay it is there at once
            seen = merge(seen, after);
        }
        if self.deadline() <= now {
            seen = merge(seen, self.expire(now));
        }
        seen
    }

    /// Sends the beat of the instant `sent`, or loses it.
    fn send(&mut self, sent: Instant, medium: Medium, links: &[Link]) {
        let medium = medium.at(sent, &mut self.channels);
        if let Some(delay) = medium.draw(links, &mut self.stream) {
            self.flight.push(Flight { sent, arrives: sent + delay });
        }
        self.next_beat = sent + self.around.beats.expect("the peer is sending").period;
    }

    /// Takes in what has arrived by `now`, and goes quiet where that is possible.
    fn arrivals(&mut self, now: Instant, links: &[Link]) -> Observed {
        let mut seen = Observed::default();
        while let Some(i) = self.earliest_arrival(now) {
            let beat = self.flight.swap_remove(i);
            seen = merge(seen, self.hear(beat.sent, beat.arrives.max(self.newest)));
        }
        self.try_quiet(now, links);
        seen
    }

    fn earliest_arrival(&self, now: Instant) -> Option<usize> {
        (0..self.flight.len())
            .filter(|&i| self.flight[i].arrives <= now)
            .min_by_key(|&i| (self.flight[i].arrives, self.flight[i].sent))
    }

    fn hear(&mut self, sent: Instant, arrived: Instant) -> Observed {
        if self.newest_sent.is_some_and(|newest| newest >= sent) {
            return Observed::default();
        }
        self.remember(sent, arrived);
        self.newest = arrived;
        let (stopped, went_on) = self.stood;
        (self.newest_sent, self.still) = (Some(sent), went_on.since(stopped.max(sent)));
        self.listening_first = false;
        let trust = self.suspected && self.is_trusted_again(arrived);
        self.suspected &= !trust;
        let is_news = self.news_since.is_some_and(|since| sent >= since);
        if is_news {
            self.news_since = None;
        }
        Observed { suspect: false, heard: (trust || is_news).then_some(sent), trust }
    }
}

fn merge(first: Observed, then: Observed) -> Observed {
    Observed {
        suspect: first.suspect || then.suspect,
        heard: then.heard.or(first.heard),
        trust: first.trust || then.trust,
    }
}
