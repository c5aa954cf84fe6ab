//! Bursts of loss on a link: a good and a bad state that take turns, with a loss probability in each (Gilbert, Bell
//! System Technical Journal 39, 1960; Elliott, ibid. 42, 1963), in continuous time.
//!
//! The path of states is exogenous: sojourns read from one stream in their order, so it is the same for everybody who
//! uses the link, in both directions and for all traffic. Each reader keeps a [`Channel`] of its own and reads as far as
//! it likes to look, some further than others: they agree on every instant.

use crate::engine::stream::Stream;
use crate::engine::time::{Instant, Span};
use crate::maths;

use super::ids::LinkId;
use super::medium::Medium;
use super::spec::Link;

/// How a link's bursts are. The loss of the good state is the link's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bursts {
    /// Mean length of a good sojourn, exponential, above zero.
    pub good_mean: Span,
    /// Mean length of a bad one, exponential, above zero.
    pub bad_mean: Span,
    /// Probability that a message is lost in the bad state.
    pub loss: f64,
}

impl Bursts {
    /// The share of time in the bad state.
    pub fn bad_share(&self) -> f64 {
        let (good, bad) = (self.good_mean.as_secs(), self.bad_mean.as_secs());
        bad / (good + bad)
    }
}

/// One reader's place in the path of a link's states.
#[derive(Clone, Debug)]
pub struct Channel {
    bursts: Bursts,
    stream: Stream,
    is_bad: bool,
    from: Instant,
    until: Instant,
}

impl Channel {
    /// At the start of a run: in either state with its share of time.
    pub fn new(bursts: Bursts, mut stream: Stream) -> Channel {
        let is_bad = stream.uniform() < bursts.bad_share();
        let mut channel =
            Channel { bursts, stream, is_bad: !is_bad, from: Instant::ZERO, until: Instant::ZERO };
        channel.turn();
        channel
    }

    fn turn(&mut self) {
        self.is_bad = !self.is_bad;
        let mean = if self.is_bad { self.bursts.bad_mean } else { self.bursts.good_mean };
        // A state lasts a nanosecond at least, so that time goes on.
        let length = mean.scaled(-maths::ln(self.stream.uniform())).max(Span::from_nanos(1));
        self.from = self.until;
        self.until = self.from + length;
    }

    /// The state at `at`, which must not lie before the sojourn read last.
    fn is_bad_at(&mut self, at: Instant) -> bool {
        assert!(at >= self.from, "a channel is read backwards: {at:?} after {:?}", self.from);
        while self.until <= at && !self.until.is_never() {
            self.turn();
        }
        self.is_bad
    }
}

/// The channels of all links, as one reader sees them; links without bursts have none.
#[derive(Clone, Debug, Default)]
pub struct Channels(Vec<Option<Channel>>);

impl Channels {
    /// By link. `stream` opens the stream of one of them.
    pub fn new(links: &[Link], mut stream: impl FnMut(LinkId) -> Stream) -> Channels {
        if links.iter().all(|link| link.bursts.is_none()) {
            return Channels::default();
        }
        let open = |(l, link): (usize, &Link)| {
            link.bursts.map(|bursts| Channel::new(bursts, stream(LinkId::from(l))))
        };
        Channels(links.iter().enumerate().map(open).collect())
    }

    /// Whether this link has bursts.
    pub fn has(&self, link: LinkId) -> bool {
        self.0.get(link.index()).is_some_and(Option::is_some)
    }

    /// Whether the link is in its bad state at `at`, which must not lie before the sojourn read last.
    pub fn is_bad(&mut self, link: LinkId, at: Instant) -> bool {
        match self.0.get_mut(link.index()) {
            Some(Some(channel)) => channel.is_bad_at(at),
            _ => false,
        }
    }

    /// A way in the state it will have at `at`, and until when it keeps that. Reads nothing: what comes first may be
    /// asked for afterwards.
    pub fn look(&self, medium: Medium, at: Instant) -> (Medium, Instant) {
        if !medium.has_bursts(self) {
            return (medium, Instant::NEVER);
        }
        let mut reader = self.clone();
        let medium = medium.at(at, &mut reader);
        let until = |link: LinkId| match &reader.0[link.index()] {
            Some(channel) => channel.until,
            None => Instant::NEVER,
        };
        (medium, medium.links().map(until).min().unwrap_or(Instant::NEVER))
    }

    /// Reads all of them up to `at`.
    pub fn advance(&mut self, at: Instant) {
        for channel in self.0.iter_mut().flatten() {
            channel.is_bad_at(at);
        }
    }
}
