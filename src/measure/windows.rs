//! Availability in windows of a fixed length: the worst one anywhere, and how many meet a target.

use crate::engine::time::{Instant, Span};

/// The largest share of any window of this length that is down. The worst window begins where an outage begins, or
/// ends where one ends.
pub(super) fn worst_window(intervals: &[(Instant, Instant)], window: Span, horizon: Instant) -> f64 {
    let window = window.min(horizon.since(Instant::ZERO));
    if window == Span::ZERO {
        return 0.0;
    }
    let mut worst = Span::ZERO;
    let (mut first, mut whole) = (0, Span::ZERO);
    // Windows that end where interval `last` ends; `whole` is the length of first..=last.
    for last in 0..intervals.len() {
        whole += intervals[last].1 - intervals[last].0;
        let begin = intervals[last].1.before(window);
        while intervals[first].1 <= begin {
            whole = whole.saturating_sub(intervals[first].1 - intervals[first].0);
            first += 1;
        }
        worst = worst.max(whole.saturating_sub(begin.since(intervals[first].0)));
    }
    let (mut last, mut whole) = (intervals.len(), Span::ZERO);
    // Windows that begin where interval `first` begins.
    for first in (0..intervals.len()).rev() {
        whole += intervals[first].1 - intervals[first].0;
        let end = intervals[first].0 + window;
        while intervals[last - 1].0 >= end {
            last -= 1;
            whole = whole.saturating_sub(intervals[last].1 - intervals[last].0);
        }
        worst = worst.max(whole.saturating_sub(intervals[last - 1].1.since(end)));
    }
    worst.as_secs() / window.as_secs()
}

/// Whole windows, one after the other from the start, and those whose availability meets the target.
pub(super) fn windows_met(
    intervals: &[(Instant, Instant)],
    window: Span,
    horizon: Instant,
    target: f64,
) -> (u64, u64) {
    let length = window.as_nanos().max(1);
    let all = horizon.as_nanos() / length;
    let allowed = (1.0 - target) * window.as_secs();
    let mut missed = 0;
    let (mut at, mut down) = (u64::MAX, 0.0);
    let mut note = |index: u64, secs: f64| {
        if index != at {
            missed += u64::from(down > allowed * (1.0 + 1e-12) && at < all);
            (at, down) = (index, 0.0);
        }
        down += secs;
    };
    for &(from, to) in intervals {
        let mut from = from.as_nanos();
        while from < to.as_nanos() {
            let index = from / length;
            let end = ((index + 1) * length).min(to.as_nanos());
            note(index, Span::from_nanos(end - from).as_secs());
            from = end;
        }
    }
    note(u64::MAX - 1, 0.0);
    (all - missed, all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Instant {
        Instant::ZERO + Span::from_whole_secs(secs)
    }

    #[test]
    fn the_worst_window_is_found_wherever_it_lies() {
        let day = Span::from_whole_secs(100);
        let check = |intervals: &[(u64, u64)], expected: f64| {
            let intervals: Vec<_> = intervals.iter().map(|&(a, b)| (at(a), at(b))).collect();
            assert_eq!(worst_window(&intervals, day, at(1000)), expected, "{intervals:?}");
        };
        check(&[], 0.0);
        check(&[(10, 20)], 0.10);
        check(&[(10, 20), (500, 505)], 0.10);
        // The window that ends at 250 holds all of the second; the one from 95 to 195 holds only 15.
        check(&[(95, 105), (190, 250)], 0.60);
        check(&[(95, 105), (190, 230)], 0.40);
        check(&[(140, 160), (190, 230)], 0.60);
        check(&[(0, 300)], 1.0);
    }

    #[test]
    fn windows_are_met_one_after_the_other() {
        let window = Span::from_whole_secs(100);
        let intervals = [(at(90), at(110)), (at(350), at(352)), (at(999), at(1000))];
        // 10 of 100 down in the first two windows, 2 in the fourth, 1 in the tenth.
        assert_eq!(windows_met(&intervals, window, at(1000), 0.95), (8, 10));
        assert_eq!(windows_met(&intervals, window, at(1000), 0.99), (7, 10));
        assert_eq!(windows_met(&intervals, window, at(1000), 0.90), (10, 10));
    }
}
