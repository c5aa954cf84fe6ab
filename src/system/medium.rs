//! What one message meets between two nodes: loss and latency over the links in use.

use crate::engine::stream::Stream;
use crate::engine::time::{Instant, Span};

use super::bursts::Channels;
use super::ids::LinkId;
use super::spec::Link;

/// Links at most sent over at the same time.
const COPIES_MAX: usize = 4;

/// The links that carry a message at present, each a copy of it. No link at all is a perfect connection: nodes that
/// stand together and name no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Medium {
    links: [Option<LinkId>; COPIES_MAX],
    /// The links that are in the bad state of their bursts, one bit each: none, until somebody asks at an instant.
    bad: u8,
}

/// Which messages over a medium are exceptional: those that are lost, and those that take longer than `cut`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exception {
    /// The longest delay that is not one.
    pub cut: Span,
    /// P(exceptional).
    pub probability: f64,
    /// P(not lost, and late) of each copy.
    late: [f64; COPIES_MAX],
}

impl Medium {
    /// Neither loss nor delay.
    pub const PERFECT: Medium = Medium { links: [None; COPIES_MAX], bad: 0 };

    /// Adds a link as one more copy; further copies than four are not sent.
    pub fn add(&mut self, link: LinkId) {
        if let Some(free) = self.links.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(link);
        }
    }

    /// The links used.
    pub fn links(&self) -> impl Iterator<Item = LinkId> + '_ {
        self.links.iter().flatten().copied()
    }

    /// Whether any of its links has bursts.
    #[inline]
    pub fn has_bursts(&self, channels: &Channels) -> bool {
        !channels.is_empty() && self.links().any(|link| channels.has(link))
    }

    /// The same medium in the state it has at `at`; see [`Channels::is_bad`].
    #[must_use]
    #[inline]
    pub fn at(&self, at: Instant, channels: &mut Channels) -> Medium {
        if channels.is_empty() {
            return Medium { bad: 0, ..*self };
        }
        self.in_state(|link| channels.is_bad(link, at))
    }

    /// The same medium with its links in the states given.
    pub(super) fn in_state(&self, mut is_bad: impl FnMut(LinkId) -> bool) -> Medium {
        let states = self.links().enumerate();
        let bad = states.fold(0, |bad, (i, link)| bad | u8::from(is_bad(link)) << i);
        Medium { bad, ..*self }
    }

    /// The links with the loss that each has in this state.
    fn lossy<'l>(&self, links: &'l [Link]) -> impl Iterator<Item = (&'l Link, f64)> {
        self.links().enumerate().map(|(i, id)| {
            let link = &links[id.index()];
            let bad = link.bursts.filter(|_| self.bad & (1 << i) != 0);
            (link, bad.map_or(link.loss, |bursts| bursts.loss))
        })
    }

    /// The fate of a message: its delay, or `None` if every copy is lost. One uniform number a copy.
    pub fn draw(&self, links: &[Link], stream: &mut Stream) -> Option<Span> {
        self.first_copy(links, |link, loss| copy(link, loss, stream))
    }

    /// The fates of all copies of a message: over which link each that is not lost goes, and its delay. Nothing for a
    /// perfect connection. As many uniform numbers as [`Medium::draw`].
    pub fn draw_copies(&self, links: &[Link], stream: &mut Stream, mut goes: impl FnMut(LinkId, Span)) {
        for (id, (link, loss)) in self.links().zip(self.lossy(links)) {
            if let Some(delay) = copy(link, loss, stream) {
                goes(id, delay);
            }
        }
    }

    /// The fate of a message of so many bytes, whose last bit follows the first after bytes ÷ bandwidth. Messages do not
    /// wait for each other.
    pub fn draw_sized(&self, links: &[Link], bytes: f64, stream: &mut Stream) -> Option<Span> {
        let sending = |link: &Link| match link.bandwidth {
            Some(bandwidth) => Span::from_secs_saturating(bytes / bandwidth),
            None => Span::ZERO,
        };
        self.first_copy(links, |link, loss| copy(link, loss, stream).map(|delay| delay + sending(link)))
    }

    /// Bytes a second that the fastest of its links carries; `None`: no limit.
    pub fn bandwidth(&self, links: &[Link]) -> Option<f64> {
        let mut fastest = 0.0_f64;
        for id in self.links() {
            fastest = fastest.max(links[id.index()].bandwidth?);
        }
        (fastest > 0.0).then_some(fastest)
    }

    fn first_copy(&self, links: &[Link], mut fate: impl FnMut(&Link, f64) -> Option<Span>) -> Option<Span> {
        if self.links[0].is_none() {
            return Some(Span::ZERO);
        }
        self.lossy(links).fold(None, |first, (link, loss)| match (first, fate(link, loss)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        })
    }

    /// The messages that are lost or later than `cut`.
    pub fn exception(&self, links: &[Link], cut: Span) -> Exception {
        let (mut late, mut probability) = ([0.0; COPIES_MAX], 1.0);
        for (late, (link, loss)) in late.iter_mut().zip(self.lossy(links)) {
            *late = (1.0 - loss) * link.latency.sf(cut.as_secs());
            probability *= loss + *late;
        }
        if self.links[0].is_none() {
            probability = 0.0;
        }
        Exception { cut, probability, late }
    }

    /// A delay given that it is no longer than `cut`.
    pub fn draw_ordinary(&self, links: &[Link], cut: Span, stream: &mut Stream) -> Span {
        let mut only = self.links();
        let alone = match (only.next(), only.next()) {
            (Some(id), None) => Some(&links[id.index()].latency),
            _ => None,
        };
        // Ordinary is the rule, so drawing again until it happens is short; the limit is for form.
        for _ in 0..10_000 {
            let delay = match alone {
                // That it is not lost is part of the condition.
                Some(latency) => Some(latency.sample(stream.uniform())),
                None => self.draw(links, stream),
            };
            if let Some(delay) = delay.filter(|delay| *delay <= cut) {
                return delay;
            }
        }
        cut
    }

    /// The fate given that it is this exception: no copy arrives by then.
    pub fn draw_exceptional(
        &self,
        links: &[Link],
        exception: &Exception,
        stream: &mut Stream,
    ) -> Option<Span> {
        let (cut, mut late) = (exception.cut, exception.late.iter());
        self.first_copy(links, |link, loss| {
            let late = *late.next()?;
            let u = stream.uniform() * (loss + late);
            if u < loss || late == 0.0 {
                return None;
            }
            let v = ((u - loss) / late).clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON);
            Some(link.latency.sample_above(v, cut).max(cut + Span::from_nanos(1)))
        })
    }

    /// The shortest delay possible.
    pub fn delay_min(&self, links: &[Link]) -> Span {
        self.extreme(links, |link| link.latency.support_min()).unwrap_or(Span::ZERO)
    }

    /// The longest delay possible of a message that is not lost; [`Span::NEVER`] if unbounded.
    pub fn delay_max(&self, links: &[Link]) -> Span {
        self.links()
            .map(|id| Span::from_secs_saturating(links[id.index()].latency.support_max()))
            .max()
            .unwrap_or(Span::ZERO)
    }

    fn extreme(&self, links: &[Link], of: impl Fn(&Link) -> f64) -> Option<Span> {
        self.links().map(|id| Span::from_secs_saturating(of(&links[id.index()]))).min()
    }
}

/// One copy over one link, from one uniform number.
fn copy(link: &Link, loss: f64, stream: &mut Stream) -> Option<Span> {
    let u = stream.uniform();
    if u < loss {
        return None;
    }
    if loss == 0.0 {
        return Some(link.latency.sample(u));
    }
    let v = ((u - loss) / (1.0 - loss)).clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON);
    Some(link.latency.sample(v))
}
