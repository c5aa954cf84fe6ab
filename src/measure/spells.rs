//! Spells of something, such as outages, of which those closer together than a gap count as one: their lengths are added
//! up, the time between them is in none.

use crate::engine::time::{Instant, Span};

/// Puts spells together that lie close.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spells {
    /// Zero: none are put together.
    gap: Span,
    /// When the last one ended that may yet go on, and its length so far.
    last: Option<(Instant, Span)>,
}

impl Spells {
    pub(super) fn new(gap: Span) -> Spells {
        Spells { gap, last: None }
    }

    /// One begins. Either it continues the last one, or that one is over: then its length is told.
    pub(super) fn begin(&mut self, at: Instant) -> Option<Span> {
        let (ended, _) = self.last?;
        let goes_on = self.gap > Span::ZERO && at.since(ended) <= self.gap;
        if goes_on { None } else { self.close() }
    }

    /// Whether the one that has begun continues another.
    pub(super) fn continues(&self) -> bool {
        self.last.is_some()
    }

    /// The one that has begun ends after so long.
    pub(super) fn end(&mut self, at: Instant, length: Span) {
        let so_far = self.last.map_or(Span::ZERO, |(_, so_far)| so_far);
        self.last = Some((at, so_far + length));
    }

    /// Nothing can follow: the length of the last one.
    pub(super) fn close(&mut self) -> Option<Span> {
        self.last.take().map(|(_, length)| length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Instant {
        Instant::ZERO + Span::from_whole_secs(secs)
    }

    /// The lengths of what is left of these spells, in seconds.
    fn told(gap: u64, spells: &[(u64, u64)]) -> Vec<f64> {
        let mut together = Spells::new(Span::from_whole_secs(gap));
        let mut told = Vec::new();
        for &(from, to) in spells {
            told.extend(together.begin(at(from)));
            together.end(at(to), at(to) - at(from));
        }
        told.extend(together.close());
        told.into_iter().map(Span::as_secs).collect()
    }

    #[test]
    fn those_that_lie_close_are_one_and_the_gaps_are_in_none() {
        let spells = [(10, 20), (25, 27), (32, 33), (39, 40)];
        assert_eq!(told(0, &spells), [10.0, 2.0, 1.0, 1.0]);
        assert_eq!(told(4, &spells), [10.0, 2.0, 1.0, 1.0]);
        assert_eq!(told(5, &spells), [13.0, 1.0]);
        assert_eq!(told(6, &spells), [14.0]);
        // Without a gap even those that touch are two.
        assert_eq!(told(0, &[(1, 2), (2, 4)]), [1.0, 2.0]);
        assert_eq!(told(5, &[]), [0.0; 0]);
    }
}
