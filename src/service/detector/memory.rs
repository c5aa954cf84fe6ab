//! What a detector remembers besides the newest beat: outcomes of ticks, arrivals, gaps.

use crate::engine::time::{Instant, Span};
use crate::maths;

use super::Beats;
use super::silence::{Silence, Tail, deviations};

/// What there is to remember.
#[derive(Clone, Debug)]
pub(super) enum Memory {
    /// The newest beat says it all.
    None,
    /// Outcomes of ticks.
    Ticks(Ticks),
    /// Arrivals against the schedule.
    Arrivals(Arrivals),
    /// Gaps between arrivals.
    Gaps(Gaps),
}

impl Memory {
    pub(super) fn new(silence: &Silence) -> Memory {
        match *silence {
            Silence::TimeOut(_) | Silence::Missed { .. } | Silence::Lease(_) => Memory::None,
            Silence::MissedOf { .. } => {
                // The beginning counts as a beat, as it does for every detector.
                Memory::Ticks(Ticks { next: 1, heard: true, missing: 0 })
            }
            Silence::Expected { window, .. } => {
                Memory::Arrivals(Arrivals { series: None, newest: 0, kept: Window::new(usize::from(window)) })
            }
            Silence::Accrual { tail, window, threshold, every } => {
                Memory::Gaps(Gaps::new(tail, window, threshold, every))
            }
        }
    }
}

impl Memory {
    fn window(&mut self) -> Option<&mut Window> {
        match self {
            Memory::None | Memory::Ticks(_) => None,
            Memory::Arrivals(arrivals) => Some(&mut arrivals.kept),
            Memory::Gaps(gaps) => Some(&mut gaps.kept),
        }
    }

    /// How many arrivals or gaps it holds at most.
    pub(super) fn size(&mut self) -> usize {
        self.window().map_or(0, |window| window.size)
    }

    /// Whether it holds as many.
    pub(super) fn is_full(&mut self) -> bool {
        self.window().is_none_or(|window| window.kept.len() == window.size)
    }

    /// Forgets all, so many beats after the newest: of ticks, each had its own, and that of the beat after these is next.
    pub(super) fn forget(&mut self, beats: u64) {
        if let Memory::Ticks(ticks) = self {
            ticks.next += beats + 1;
            (ticks.missing, ticks.heard) = (0, false);
        }
        if let Some(window) = self.window() {
            window.clear();
        }
    }
}

/// Outcomes of the observer's ticks; the n-th tick covers the time after the one before it, itself included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticks {
    /// The number of the next tick.
    pub(super) next: u64,
    /// A beat has come since the one before it.
    pub(super) heard: bool,
    /// The last outcomes, the newest in the lowest bit: 1 for a tick without a beat.
    pub(super) missing: u64,
}

impl Ticks {
    /// Takes the outcomes of the ticks up to the one with number `last`.
    pub(super) fn pass(&mut self, last: u64) {
        let Some(more) = (last + 1).checked_sub(self.next).filter(|n| *n > 0) else { return };
        self.missing = self.missing << 1 | u64::from(!self.heard);
        for _ in 1..more.min(65) {
            self.missing = self.missing << 1 | 1;
        }
        self.heard = false;
        self.next = last + 1;
    }

    /// Of the last `of` ticks, those without a beat.
    pub(super) fn missing_of(&self, of: u8) -> u32 {
        (self.missing & (u64::MAX >> (64 - u32::from(of.clamp(1, 64))))).count_ones()
    }
}

/// The last so many numbers, oldest first from `head`, with their sum.
#[derive(Clone, Debug)]
struct Window {
    kept: Vec<i64>,
    head: usize,
    size: usize,
    sum: i128,
    squares: i128,
}

impl Window {
    fn new(size: usize) -> Window {
        Window { kept: Vec::new(), head: 0, size: size.max(1), sum: 0, squares: 0 }
    }

    fn clear(&mut self) {
        self.kept.clear();
        (self.head, self.sum, self.squares) = (0, 0, 0);
    }

    fn add(&mut self, value: i64) {
        let square = |x: i64| i128::from(x) * i128::from(x);
        if self.kept.len() < self.size {
            self.kept.push(value);
        } else {
            let old = std::mem::replace(&mut self.kept[self.head], value);
            self.head = (self.head + 1) % self.size;
            self.sum -= i128::from(old);
            self.squares -= square(old);
        }
        self.sum += i128::from(value);
        self.squares += square(value);
    }

    fn count(&self) -> i128 {
        self.kept.len() as i128
    }

    /// From the newest to the oldest.
    fn backwards(&self) -> impl Iterator<Item = i64> + '_ {
        let (newer, older) = self.kept.split_at(self.head);
        newer.iter().rev().chain(older.iter().rev()).copied()
    }
}

/// NFD-E: arrivals less what the schedule adds between them.
#[derive(Clone, Debug)]
pub(super) struct Arrivals {
    /// The series of beats they belong to.
    series: Option<Beats>,
    /// The number of the newest beat in it.
    newest: u64,
    kept: Window,
}

impl Arrivals {
    /// A beat sent at `sent` arrived; `beats`: what the peer sends at present.
    pub(super) fn add(&mut self, sent: Instant, arrived: Instant, beats: Option<Beats>, every: Span) {
        if let Some(now) = beats.filter(|now| sent >= now.first && self.series != Some(*now)) {
            self.series = Some(now);
            self.kept.clear();
        }
        // A beat of a peer that is gone already, and of which none was heard before: a series of its own.
        let series = *self.series.get_or_insert(Beats { first: sent, period: every });
        let period = series.period.as_nanos().max(1);
        self.newest = (sent.since(series.first).as_nanos() + period / 2) / period;
        let scheduled = i128::from(self.newest) * i128::from(every.as_nanos());
        let above = i128::from(arrived.since(series.first).as_nanos()) - scheduled;
        self.kept.add(i64::try_from(above).unwrap_or(i64::MAX));
    }

    /// The clock that they were read from stood still for so long.
    pub(super) fn stand_still(&mut self, length: Span) {
        let later = i64::try_from(length.as_nanos()).unwrap_or(i64::MAX);
        let kept: Vec<i64> = self.kept.backwards().map(|above| above.saturating_add(later)).collect();
        self.kept.clear();
        kept.into_iter().rev().for_each(|above| self.kept.add(above));
    }

    /// When the beat after the newest is expected.
    pub(super) fn expected(&self, every: Span) -> Option<Instant> {
        let series = self.series?;
        let mean = self.kept.sum.div_euclid(self.kept.count().max(1));
        let next = i128::from(self.newest + 1) * i128::from(every.as_nanos());
        let at = i128::from(series.first.as_nanos()) + mean + next;
        Some(Instant::from_nanos(u64::try_from(at.max(0)).unwrap_or(u64::MAX)))
    }

    /// The least silence after the sending of the newest beat that is allowed with this margin, now and after each beat of
    /// the series to come, with clocks that agree: no beat arrives before it is sent. `None`: it says nothing of these
    /// beats.
    ///
    /// The expectation is a mean over the window. What a beat to come contributes to it is its delay, zero at the least;
    /// what one of the past contributes is known, and does not grow less but by what clocks differ.
    pub(super) fn least_patience(&self, beats: Beats, every: Span, margin: Span) -> Option<Span> {
        if self.series.is_some_and(|series| series != beats) {
            return None;
        }
        let apart = i128::from(every.as_nanos()) - i128::from(beats.period.as_nanos());
        let earliest =
            self.kept.kept.iter().map(|above| i128::from(*above) + i128::from(self.newest) * apart).min();
        let allowed = i128::from(beats.period.as_nanos()) + i128::from(margin.as_nanos());
        // Means are rounded down.
        let least = allowed + earliest.unwrap_or(0).min(0) - 1;
        Some(Span::from_nanos(u64::try_from(least.max(0)).unwrap_or(0)))
    }
}

/// phi-accrual: the gaps between arrivals.
#[derive(Clone, Debug)]
pub(super) struct Gaps {
    tail: Tail,
    /// Normal: standard deviations from the mean to suspicion. Exponential: means to suspicion.
    factor: f64,
    kept: Window,
}

/// Longer gaps count as this long, some three days: so that the sums stay exact.
const GAP_MAX: u64 = 1 << 48;

impl Gaps {
    fn new(tail: Tail, window: u16, threshold: f64, every: Span) -> Gaps {
        let factor = match tail {
            Tail::Normal { .. } => deviations(threshold),
            Tail::Exponential => threshold * maths::ln(10.0),
        };
        let mut gaps = Gaps { tail, factor, kept: Window::new(usize::from(window.max(2))) };
        let quarter = Span::from_nanos(every.as_nanos() / 4);
        match tail {
            Tail::Normal { .. } => {
                gaps.add(every.saturating_sub(quarter));
                gaps.add(every + quarter);
            }
            Tail::Exponential => gaps.add(every),
        }
        gaps
    }

    /// The gap between two arrivals.
    pub(super) fn add(&mut self, gap: Span) {
        self.kept.add(gap.as_nanos().min(GAP_MAX) as i64);
    }

    /// The silence that φ allows.
    pub(super) fn patience(&self) -> Span {
        let n = self.kept.count().max(1);
        let mean = self.kept.sum as f64 / n as f64 * 1e-9;
        match self.tail {
            Tail::Normal { deviation_min, pause } => {
                // n Σx² − (Σx)² is exact.
                let spread = n * self.kept.squares - self.kept.sum * self.kept.sum;
                let deviation = (spread.max(0) as f64).sqrt() / n as f64 * 1e-9;
                let deviation = deviation.max(deviation_min.as_secs());
                Span::from_secs_saturating(mean + self.factor * deviation) + pause
            }
            Tail::Exponential => Span::from_secs_saturating(self.factor * mean),
        }
    }

    /// The least silence that φ allows, now and after each further gap between beats of this period, of which the first of
    /// a row is heard `latest` after it was sent at the most. Zero: it cannot be told.
    ///
    /// Gaps in a row add up to the time between their ends, which is the period for each at the least, less by how late
    /// the first end was. So the mean over each window to come is bounded, whatever part of it is known already.
    pub(super) fn least_patience(&self, period: Span, latest: Span) -> Span {
        let (period, latest) = (period.as_secs(), latest.as_secs());
        let (known, size) = (self.kept.kept.len(), self.kept.size);
        let all = self.kept.sum as f64 * 1e-9;
        let mean = |sum: f64, gaps: usize, of: usize| (sum + gaps as f64 * period - latest) / of as f64;
        let mut least = all / known.max(1) as f64;
        if known < size {
            // With more gaps the mean moves one way, from the first of them to the last that there is room for.
            least = least.min(mean(all, 1, known + 1)).min(mean(all, size - known, size));
        }
        let mut sum = 0.0;
        for (kept, gap) in (1..known).zip(self.kept.backwards()) {
            least = least.min(mean(sum, size + 1 - kept, size));
            sum += gap as f64 * 1e-9;
        }
        least = least.min(mean(sum, size + 1 - known.max(1), size));
        let silence = match self.tail {
            // More deviation means less patience then.
            Tail::Normal { .. } if self.factor < 0.0 => 0.0,
            Tail::Normal { deviation_min, pause } => {
                least.max(0.0) + self.factor * deviation_min.as_secs() + pause.as_secs()
            }
            Tail::Exponential => self.factor * least.max(0.0),
        };
        // Sums of floating-point numbers are not exact.
        Span::from_secs_saturating((silence - 1e-6).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(x: f64) -> Span {
        Span::from_secs_saturating(x)
    }

    #[test]
    fn ticks_count_what_is_missing() {
        let mut ticks = Ticks { next: 1, heard: true, missing: 0 };
        ticks.pass(1);
        assert_eq!((ticks.missing_of(3), ticks.next), (0, 2));
        ticks.pass(3);
        assert_eq!((ticks.missing_of(3), ticks.missing_of(1)), (2, 1));
        ticks.heard = true;
        ticks.pass(4);
        assert_eq!((ticks.missing_of(3), ticks.missing_of(1)), (2, 0));
        ticks.pass(4);
        assert_eq!(ticks.next, 5, "nothing passes twice");
        ticks.pass(1_000);
        assert_eq!((ticks.missing_of(64), ticks.next), (64, 1_001));
    }

    #[test]
    fn windows_forget_the_oldest() {
        let mut window = Window::new(3);
        for x in [5, 7, 9, 11, 13] {
            window.add(x);
        }
        assert_eq!((window.sum, window.squares, window.count()), (33, 81 + 121 + 169, 3));
    }

    #[test]
    fn arrivals_are_expected_after_their_mean() {
        let beats = Beats { first: Instant::ZERO + secs(10.0), period: secs(1.0) };
        let Memory::Arrivals(mut arrivals) =
            Memory::new(&Silence::Expected { window: 2, every: secs(1.0), margin: secs(1.0) })
        else {
            panic!("not Chen's")
        };
        let at = |x: f64| Instant::ZERO + secs(x);
        // Delays 0.1, (lost), 0.3: the next is expected at 13 + 0.2. Then 0.5, and 0.1 is forgotten: 14 + 0.4.
        arrivals.add(at(10.0), at(10.1), Some(beats), secs(1.0));
        assert_eq!(arrivals.expected(secs(1.0)), Some(at(11.1)));
        arrivals.add(at(12.0), at(12.3), Some(beats), secs(1.0));
        assert_eq!(arrivals.expected(secs(1.0)), Some(at(13.2)));
        arrivals.add(at(13.0), at(13.5), None, secs(1.0));
        assert_eq!(arrivals.expected(secs(1.0)), Some(at(14.4)));
        // A new series: nothing of the old one counts.
        let again = Beats { first: at(100.5), ..beats };
        arrivals.add(at(100.5), at(100.6), Some(again), secs(1.0));
        assert_eq!(arrivals.expected(secs(1.0)), Some(at(101.6)));
    }

    #[test]
    fn gaps_allow_what_phi_allows() {
        let tail = Tail::Normal { deviation_min: secs(0.1), pause: secs(3.0) };
        let mut gaps = Gaps::new(tail, 100, 8.0, secs(1.0));
        // The first estimate: a quarter of a second on either side.
        assert!((gaps.patience().as_secs() - (4.0 + 0.25 * deviations(8.0))).abs() < 1e-9);
        (0..100).for_each(|_| gaps.add(secs(1.0)));
        assert!((gaps.patience().as_secs() - (4.0 + 0.1 * deviations(8.0))).abs() < 1e-9);
        let mut cassandra = Gaps::new(Tail::Exponential, 100, 8.0, secs(1.0));
        assert!((cassandra.patience().as_secs() - 18.4207).abs() < 1e-3);
        cassandra.add(secs(3.0));
        assert!((cassandra.patience().as_secs() - 36.841).abs() < 1e-3);
    }
}
