//! Bursts of loss on a link: a good and a bad state that take turns, with a loss probability in each (Gilbert, Bell
//! System Technical Journal 39, 1960; Elliott, ibid. 42, 1963), in continuous time.
//!
//! The path of states is exogenous: sojourns read from one stream in their order, so it is the same for everybody who
//! uses the link, in both directions and for all traffic. Each reader keeps a [`Channel`] of its own and reads as far as
//! it likes to look, some further than others: they agree on every instant.

use crate::engine::dist::Law;
use crate::engine::stream::Stream;
use crate::engine::time::{Instant, Span};

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
    /// Lengths of good and bad sojourns.
    lengths: [Law; 2],
    stream: Stream,
    is_bad: bool,
    from: Instant,
    until: Instant,
    /// Until when the sojourn after this one lasts, if somebody has asked.
    next_until: Option<Instant>,
}

impl Channel {
    /// At the start of a run: in either state with its share of time.
    ///
    /// # Panics
    /// If a mean is zero: a reader of model files refuses that.
    pub fn new(bursts: Bursts, mut stream: Stream) -> Channel {
        let is_bad = stream.uniform() < bursts.bad_share();
        let law = |mean: Span| Law::exponential(mean.as_secs()).expect("a mean above zero");
        let lengths = [law(bursts.good_mean), law(bursts.bad_mean)];
        let (from, until) = (Instant::ZERO, Instant::ZERO);
        let mut channel = Channel { lengths, stream, is_bad: !is_bad, from, until, next_until: None };
        channel.turn();
        channel
    }

    fn turn(&mut self) {
        let until = self.next_until();
        self.is_bad = !self.is_bad;
        (self.from, self.until, self.next_until) = (self.until, until, None);
    }

    /// Until when the sojourn after this one lasts.
    fn next_until(&mut self) -> Instant {
        *self.next_until.get_or_insert_with(|| {
            // A state lasts a nanosecond at least, so that time goes on.
            let law = &self.lengths[usize::from(!self.is_bad)];
            self.until + law.sample(self.stream.uniform()).max(Span::from_nanos(1))
        })
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

    /// Whether no link has any.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this link has bursts.
    pub fn has(&self, link: LinkId) -> bool {
        self.channel(link).is_some()
    }

    /// Whether the link is in its bad state at `at`, which must not lie before the sojourn read last.
    pub fn is_bad(&mut self, link: LinkId, at: Instant) -> bool {
        match self.0.get_mut(link.index()) {
            Some(Some(channel)) => channel.is_bad_at(at),
            _ => false,
        }
    }

    /// A way in the state it will have at `at`, and until when it keeps that. Its place stays where it is: what comes
    /// before may be asked for afterwards.
    pub fn look(&mut self, medium: Medium, at: Instant) -> (Medium, Instant) {
        if !medium.has_bursts(self) {
            return (medium, Instant::NEVER);
        }
        // Mostly the sojourn read last lasts, or the next one does.
        let mut until = Instant::NEVER;
        let seen = medium.in_state(|link| {
            let Some(Some(channel)) = self.0.get_mut(link.index()) else { return false };
            if at < channel.until {
                until = until.min(channel.until);
                return channel.is_bad;
            }
            until = until.min(channel.next_until());
            !channel.is_bad
        });
        if at < until {
            return (seen, until);
        }
        let mut reader = self.clone();
        let medium = medium.at(at, &mut reader);
        let ends = medium.links().filter_map(|link| reader.channel(link)).map(|channel| channel.until);
        (medium, ends.min().unwrap_or(Instant::NEVER))
    }

    fn channel(&self, link: LinkId) -> Option<&Channel> {
        self.0.get(link.index())?.as_ref()
    }

    /// Reads all of them up to `at`.
    pub fn advance(&mut self, at: Instant) {
        for channel in self.0.iter_mut().flatten() {
            channel.is_bad_at(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stream::StreamKey;

    fn channel(run: u64) -> Channel {
        let bursts =
            Bursts { good_mean: Span::from_whole_secs(9), bad_mean: Span::from_whole_secs(1), loss: 1.0 };
        Channel::new(bursts, StreamKey::new(1, "link", "bursts").open(run))
    }

    fn at(secs: f64) -> Instant {
        Instant::ZERO + Span::from_secs_saturating(secs)
    }

    #[test]
    fn readers_agree_however_they_read() {
        for run in 0..20 {
            let (mut fine, mut coarse) = (channel(run), channel(run));
            for i in 0..10_000_u32 {
                let state = fine.is_bad_at(at(f64::from(i) * 0.1));
                if i % 97 == 0 {
                    assert_eq!(coarse.is_bad_at(at(f64::from(i) * 0.1)), state, "run {run}, {i}");
                }
            }
        }
    }

    #[test]
    fn states_have_their_shares_from_the_start_on() {
        // 20 000 independent runs: the standard deviation of a share of a tenth is 0.0021.
        for secs in [0.0, 0.5, 100.0] {
            let bad = (0..20_000).filter(|run| channel(*run).is_bad_at(at(secs))).count();
            let share = bad as f64 / 20_000.0;
            assert!((share - 0.1).abs() < 4.5 * 0.0021, "{secs}: {share}");
        }
    }

    #[test]
    #[should_panic(expected = "read backwards")]
    fn nobody_reads_backwards() {
        let mut channel = channel(0);
        channel.is_bad_at(at(1_000.0));
        channel.is_bad_at(at(1.0));
    }
}
