//! The rules by which silence becomes suspicion: what a detector is, as a policy names it.

use crate::engine::time::Span;
use crate::maths;

/// When silence becomes suspicion. Spans are by the observer's clock until [`Silence::in_true_time`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Silence {
    /// No beat for this long, by the observer's clock, since the last arrival.
    TimeOut(Span),
    /// This many of the observer's ticks in a row without a beat.
    Missed {
        /// How many.
        count: u32,
        /// Distance of ticks.
        every: Span,
    },
    /// At least `missing` of the last `of` ticks without a beat; trust returns at the first tick at which it is fewer.
    /// Before the watch began no tick counts as missing.
    MissedOf {
        /// m: 1 to `of`.
        missing: u8,
        /// n: 1 to 64.
        of: u8,
        /// Distance of ticks.
        every: Span,
    },
    /// This long since the newest beat heard was *sent*: a lease that each beat renews, with its safety margin (for
    /// clocks that differ). The same as NFD-S of Chen, Toueg and Aguilera with a shift of one period less (IEEE
    /// Trans. Computers 51(5), 2002). A renewal that arrives after its own expiry renews nothing.
    Lease(Span),
    /// NFD-E of the same: the arrival of the next beat is expected from the last `window` ones; suspicion `margin`
    /// after that. A peer that begins a new series of beats is met with an empty window.
    Expected {
        /// n: 1 to 10 000.
        window: u16,
        /// η: the period that the peer is known to send with.
        every: Span,
        /// α.
        margin: Span,
    },
    /// phi-accrual (Hayashibara and others, SRDS 2004): suspicion when −log10 P(a gap is longer than the silence)
    /// reaches `threshold`, with the law of gaps fitted to the last `window` ones.
    Accrual {
        /// How the tail of gaps is fitted.
        tail: Tail,
        /// 2 to 10 000.
        window: u16,
        /// Φ.
        threshold: f64,
        /// The first estimate of a gap.
        every: Span,
    },
}

/// The law fitted to the gaps between beats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tail {
    /// Normal, by the logistic approximation of Akka's `PhiAccrualFailureDetector`; its mean is that of the gaps and
    /// `pause`. Gaps that ended a suspicion are not taken in. It begins with two gaps of `every` ± a quarter.
    Normal {
        /// The standard deviation is not taken to be smaller.
        deviation_min: Span,
        /// Acceptable pause.
        pause: Span,
    },
    /// Exponential, as Cassandra's: φ = silence / (mean gap · ln 10). It begins with one gap of `every`.
    Exponential,
}

impl Silence {
    /// VRRP's master-down interval: `adverts` advertisement intervals (three) and a skew of (256 − priority)/256 of
    /// one, so that the best backup is the first (RFC 9568 section 6.1).
    pub fn master_down(advertisement: Span, adverts: u32, priority: u8) -> Silence {
        let skew = advertisement.scaled(f64::from(256 - u16::from(priority)) / 256.0);
        Silence::TimeOut(advertisement.times(u64::from(adverts)) + skew)
    }

    /// The same rule in true time, for an observer whose clock runs `drift` fast.
    pub fn in_true_time(self, drift: f64) -> Silence {
        let of = |span: Span| if drift == 0.0 { span } else { span.scaled(1.0 / (1.0 + drift)) };
        match self {
            Silence::TimeOut(after) => Silence::TimeOut(of(after)),
            Silence::Missed { count, every } => Silence::Missed { count, every: of(every) },
            Silence::MissedOf { missing, of: n, every } => {
                Silence::MissedOf { missing, of: n, every: of(every) }
            }
            Silence::Lease(after) => Silence::Lease(of(after)),
            Silence::Expected { window, every, margin } => {
                Silence::Expected { window, every: of(every), margin: of(margin) }
            }
            Silence::Accrual { tail, window, threshold, every } => {
                let tail = match tail {
                    Tail::Normal { deviation_min, pause } => {
                        Tail::Normal { deviation_min: of(deviation_min), pause: of(pause) }
                    }
                    Tail::Exponential => Tail::Exponential,
                };
                Silence::Accrual { tail, window, threshold, every: of(every) }
            }
        }
    }

    /// Whether what it will do depends on more than the newest beat heard.
    pub(super) fn remembers(&self) -> bool {
        matches!(self, Silence::MissedOf { .. } | Silence::Expected { .. } | Silence::Accrual { .. })
    }
}

/// How many standard deviations after the mean φ reaches `threshold`: the root y of
/// y (1.5976 + 0.070566 y²) = −ln(p/(1 − p)) with p = 10^−Φ.
pub(super) fn deviations(threshold: f64) -> f64 {
    let p = maths::pow(10.0, -threshold);
    let odds = maths::ln_1p(-p) - maths::ln(p);
    let mut y = odds / 1.5976;
    // The left side is convex and increasing on the side from which this comes: Newton does not overshoot.
    for _ in 0..100 {
        let value = y * (1.5976 + 0.070566 * y * y) - odds;
        let next = y - value / (1.5976 + 3.0 * 0.070566 * y * y);
        if (next - y).abs() <= 1e-15 * y.abs() {
            break;
        }
        y = next;
    }
    y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn master_down_intervals_are_those_of_the_protocol() {
        let of = |priority| match Silence::master_down(Span::from_whole_secs(1), 3, priority) {
            Silence::TimeOut(after) => (after.as_secs() * 1000.0).round(),
            other => panic!("{other:?}"),
        };
        assert_eq!([254, 200, 100, 1].map(of), [3008.0, 3219.0, 3609.0, 3996.0]);
    }

    #[test]
    fn phi_is_reached_where_akka_reaches_it() {
        for threshold in [0.5, 1.0, 8.0, 10.0, 16.0] {
            let y = deviations(threshold);
            let e = maths::exp(-y * (1.5976 + 0.070566 * y * y));
            let phi = -maths::log10(e / (1.0 + e));
            assert!((phi - threshold).abs() < 1e-9, "{threshold} {phi}");
        }
        // Akka's cluster defaults: 1 s gaps, 3 s acceptable pause, 100 ms and 200 ms: 4.52 s and 5.05 s (5.04).
        assert!((4.0 + 0.1 * deviations(8.0) - 4.52).abs() < 0.01);
        assert!((4.0 + 0.2 * deviations(8.0) - 5.05).abs() < 0.01);
    }
}
