//! Arbitration: which of two servers is to be Main.
//!
//! In the order of the product, first difference wins: a server that forfeits (its action after isolation is to become
//! Standby) comes last; higher Arbitration Priority; longer time running as Main, accumulated; longer time running in
//! any role; higher node name. A server that has lost its data is no contender while the other one has some.

use crate::engine::time::Span;

/// What stands in the order of comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    /// It has a copy of the data.
    pub has_data: bool,
    /// "Become Standby" after isolation.
    pub forfeits: bool,
    /// Arbitration Priority.
    pub priority: i32,
    /// Accumulated time as Main.
    pub main_time: Span,
    /// Time running in any role.
    pub running: Span,
}

impl Claim {
    /// Whether a server of this name wins over another one.
    pub fn wins(&self, name: &str, other: &Claim, other_name: &str) -> bool {
        self.order(name) > other.order(other_name)
    }

    fn order<'a>(&self, name: &'a str) -> (bool, bool, i32, Span, Span, &'a str) {
        (self.has_data, !self.forfeits, self.priority, self.main_time, self.running, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(main_time: u64, running: u64) -> Claim {
        Claim {
            has_data: true,
            forfeits: false,
            priority: 0,
            main_time: Span::from_whole_secs(main_time),
            running: Span::from_whole_secs(running),
        }
    }

    #[track_caller]
    fn wins(one: Claim, other: Claim) {
        assert!(one.wins("a", &other, "b"), "{one:?} {other:?}");
        assert!(!other.wins("b", &one, "a"), "{one:?} {other:?}");
    }

    #[test]
    fn the_first_difference_decides() {
        // Each line differs in one more of what comes later, the other way round.
        wins(claim(1, 2), claim(1, 1));
        wins(claim(2, 1), claim(1, 9));
        wins(Claim { priority: 1, ..claim(0, 0) }, claim(9, 9));
        wins(claim(0, 0), Claim { forfeits: true, priority: 9, ..claim(9, 9) });
        wins(Claim { forfeits: true, ..claim(0, 0) }, Claim { has_data: false, priority: 9, ..claim(9, 9) });
        // If both forfeit, the rest of the order decides after all.
        wins(Claim { forfeits: true, ..claim(2, 0) }, Claim { forfeits: true, ..claim(1, 0) });
        // Equal in all: the higher name.
        assert!(claim(1, 1).wins("b", &claim(1, 1), "a"));
        assert!(!claim(1, 1).wins("a", &claim(1, 1), "b"));
    }

    #[test]
    fn ten_hours_of_main_win_over_two_whichever_side_saw_the_plant() {
        // The product's example: A had been Main for ten hours, the split lasts two.
        wins(claim(12 * 3600, 12 * 3600), claim(2 * 3600, 12 * 3600));
    }
}
