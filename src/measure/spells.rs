//! Spells of something, such as outages, of which those closer together than a gap count as one: their lengths are added
//! up, the time between them is in none.

use crate::engine::time::{Instant, Span};

/// One spell, or several that lie close.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spell {
    /// When it began, the first of several.
    pub(super) began: Instant,
    /// How long it lasted, without the time between several.
    pub(super) length: Span,
}

/// Puts spells together that lie close.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spells {
    /// Zero: none are put together.
    gap: Span,
    /// The last one, which may yet go on, and when it ended.
    last: Option<(Spell, Instant)>,
    /// When the one began that has begun, unless it continues the last one.
    begun: Instant,
}

impl Spells {
    pub(super) fn new(gap: Span) -> Spells {
        Spells { gap, last: None, begun: Instant::ZERO }
    }

    /// One begins. Either it continues the last one, or that one is over: then it is told.
    pub(super) fn begin(&mut self, at: Instant) -> Option<Spell> {
        if self.last.is_some_and(|(_, ended)| self.gap > Span::ZERO && at.since(ended) <= self.gap) {
            return None;
        }
        self.begun = at;
        self.close()
    }

    /// Whether the one that has begun continues another.
    pub(super) fn continues(&self) -> bool {
        self.last.is_some()
    }

    /// The one that has begun ends after so long.
    pub(super) fn end(&mut self, at: Instant, length: Span) {
        self.last = Some((self.whole(length), at));
    }

    /// The one that has begun has lasted so long at the horizon.
    pub(super) fn cut_off(&mut self, length: Span) -> Spell {
        let spell = self.whole(length);
        self.last = None;
        spell
    }

    fn whole(&self, length: Span) -> Spell {
        match self.last {
            Some((last, _)) => Spell { length: last.length + length, ..last },
            None => Spell { began: self.begun, length },
        }
    }

    /// Nothing can follow: the last one.
    pub(super) fn close(&mut self) -> Option<Spell> {
        self.last.take().map(|(spell, _)| spell)
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
        told.into_iter().map(|spell| spell.length.as_secs()).collect()
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
        // One that lasts at the horizon is part of the one before it, or its own.
        for (gap, began, length) in [(4, 25, 3.0), (5, 10, 13.0)] {
            let mut together = Spells::new(Span::from_whole_secs(gap));
            together.begin(at(10));
            together.end(at(20), Span::from_whole_secs(10));
            together.begin(at(25));
            let open = together.cut_off(Span::from_whole_secs(3));
            assert_eq!((open.began, open.length.as_secs()), (at(began), length));
            assert_eq!(together.close(), None);
        }
    }
}
