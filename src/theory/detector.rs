//! Failure detectors: how often they are wrong, for how long, and how fast they are right.
//!
//! NFD-S of Chen, Toueg & Aguilera (IEEE Trans. Computers 51(5), 2002); runs of lost heartbeats after Feller
//! (volume 1, XIII.7); detection times of leases and time-outs by the uniform phase of the crash.

use crate::engine::dist::{Law, LawError};
use crate::maths::{exp, ln, ln_1p, pow};

/// The detector with freshness points: heartbeats each `period`, each lost with probability `loss` or late by an
/// independent `delay`; at the i-th point, `shift` after the i-th sending, it trusts iff message i or a later one is
/// there.
#[derive(Clone, Debug, PartialEq)]
pub struct Nfds {
    /// η.
    pub period: f64,
    /// δ.
    pub shift: f64,
    /// p_L, independent for each heartbeat.
    pub loss: f64,
    /// The delay of a heartbeat that arrives.
    pub delay: Law,
}

/// How good a detector is while the other side is up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accuracy {
    /// E\[T_MR\]: the mean time between the beginnings of mistakes.
    pub mistake_recurrence: f64,
    /// E\[T_M\]: the mean length of a mistake.
    pub mistake_duration: f64,
    /// 1 − P_A: the share of time it is mistaken.
    pub mistake_share: f64,
}

impl Accuracy {
    /// P_A: the probability that it is right at a random time.
    pub fn query_accuracy(&self) -> f64 {
        1.0 - self.mistake_share
    }
}

impl Nfds {
    /// k = ⌈δ/η⌉: messages 0 … k count for the interval after a freshness point.
    fn last_message(&self) -> u32 {
        let k = (self.shift / self.period).ceil();
        // A shift of ten thousand periods is no detector; the bound keeps odd numbers from looping for ever.
        k.clamp(0.0, 10_000.0) as u32
    }

    /// p_j(x) = p_L + (1 − p_L)·P(D > δ + x − jη): message j is not there `x` after the freshness point.
    fn missing(&self, j: u32, x: f64) -> f64 {
        self.loss + (1.0 - self.loss) * self.delay.sf(self.shift + x - f64::from(j) * self.period)
    }

    /// u(x): none of the messages is there.
    fn suspected(&self, x: f64) -> f64 {
        (0..=self.last_message()).map(|j| self.missing(j, x)).product()
    }

    /// E\[T_MR\] = η/p_s, E\[T_M\] = ∫u/p_s, 1 − P_A = ∫u/η, over one period, with p_s = q_0·u(0) and
    /// q_0 = (1 − p_L)·P(D < δ + η).
    pub fn accuracy(&self) -> Accuracy {
        let in_time = (1.0 - self.loss) * self.delay.cdf(self.shift + self.period);
        let begins = in_time * self.suspected(0.0);
        let area = self.area();
        Accuracy {
            mistake_recurrence: self.period / begins,
            mistake_duration: if begins > 0.0 { area / begins } else { 0.0 },
            mistake_share: area / self.period,
        }
    }

    /// ∫_0^η u(x) dx, cut where a factor has a corner or falls steeply.
    fn area(&self) -> f64 {
        let mut marks = vec![self.delay.support_min(), self.delay.support_max()];
        marks.extend([1e-6, 1e-3, 0.1, 0.5, 0.9, 0.99].map(|u| self.delay.quantile(u)));
        marks.extend([1e-4, 1e-6, 1e-9, 1e-13].map(|q| self.delay.isf(q)));
        let mut cuts = vec![0.0, self.period];
        for j in 0..=self.last_message() {
            let zero = f64::from(j) * self.period - self.shift;
            cuts.extend(marks.iter().map(|m| m + zero).filter(|x| *x > 0.0 && *x < self.period));
        }
        cuts.sort_by(f64::total_cmp);
        cuts.dedup();
        let parts = cuts.windows(2).map(|w| integrate(&|x| self.suspected(x), w[0], w[1], 12));
        parts.sum()
    }

    /// The largest detection time, δ + η: tight.
    pub fn detection_max(&self) -> f64 {
        self.shift + self.period
    }
}

/// Gauss-Legendre with 8 points, halved until the halves agree; at most `depth` times.
fn integrate(f: &dyn Fn(f64) -> f64, low: f64, high: f64, depth: u32) -> f64 {
    fn recurse(f: &dyn Fn(f64) -> f64, low: f64, high: f64, whole: f64, depth: u32) -> f64 {
        let middle = 0.5 * (low + high);
        let (left, right) = (gauss(f, low, middle), gauss(f, middle, high));
        if depth == 0 || (left + right - whole).abs() <= 1e-14 * (left + right).abs() {
            return left + right;
        }
        recurse(f, low, middle, left, depth - 1) + recurse(f, middle, high, right, depth - 1)
    }
    recurse(f, low, high, gauss(f, low, high), depth)
}

/// Nodes and weights: Abramowitz & Stegun, table 25.4.
fn gauss(f: &dyn Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    const NODES: [(f64, f64); 4] = [
        (0.183_434_642_495_649_8, 0.362_683_783_378_362),
        (0.525_532_409_916_329, 0.313_706_645_877_887_3),
        (0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
        (0.960_289_856_497_536_3, 0.101_228_536_290_376_26),
    ];
    let (centre, half) = (0.5 * (low + high), 0.5 * (high - low));
    half * NODES.iter().map(|(x, w)| w * (f(centre - half * x) + f(centre + half * x))).sum::<f64>()
}

/// Mean number of heartbeats until `k` in a row are lost, counting from a fresh start: Σ p^(−i), i = 1 … k.
pub fn k_run_mean(loss: f64, k: u32) -> f64 {
    (1..=k).map(|i| pow(loss, -f64::from(i))).sum()
}

/// P(no `k` heartbeats in a row are lost among `n`): the table a(0), …, a(n).
///
/// a(n) = a(n − 1) − (1 − p)·p^k·a(n − k − 1), with a(n) = 1 below k and a(k) = 1 − p^k.
pub fn run_survival(loss: f64, k: u32, n: usize) -> Vec<f64> {
    let (k, step) = (k as usize, (1.0 - loss) * pow(loss, f64::from(k)));
    let mut a: Vec<f64> = Vec::with_capacity(n + 1);
    for i in 0..=n {
        let next = if i < k || (k == 0 && i == 0) {
            if k == 0 { 0.0 } else { 1.0 }
        } else if i == k {
            1.0 - pow(loss, k as f64)
        } else if k == 0 {
            0.0
        } else {
            a[i - 1] - step * a[i - k - 1]
        };
        a.push(next.max(0.0));
    }
    a
}

/// The long stretch of [`run_survival`]: a(n) ≈ `factor`·(1 − `gap`)^n, `gap` to full relative precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunTail {
    /// 1 − x, where x is the dominant root: the chance per heartbeat that the run completes.
    pub gap: f64,
    /// The constant in front.
    pub factor: f64,
}

impl RunTail {
    /// The dominant root for `k` losses in a row, each with probability `loss` in (0, 1).
    ///
    /// With ε = 1 − x the characteristic equation is ε(1 − ε)^k = (1 − p)p^k; it also has the root ε = 1 − p, which
    /// is not of the recurrence's solution. The left side peaks at 1/(k + 1), and the two roots lie on either side:
    /// bisection in ln ε on the side away from 1 − p. The factor is Feller's (XIII.7.10). None for k = 0 or a loss
    /// that is not inside (0, 1).
    pub fn new(loss: f64, k: u32) -> Option<RunTail> {
        if !(loss > 0.0 && loss < 1.0) || k == 0 {
            return None;
        }
        let (p, q, runs) = (loss, 1.0 - loss, f64::from(k));
        let goal = ln(q) + runs * ln(p);
        let peak = 1.0 / (runs + 1.0);
        let miss = |e: f64| ln(e) + runs * ln_1p(-e) - goal;
        let gap = if q > peak {
            // Rising side: ε is between its first approximation (1 − p)p^k and the peak.
            let mut e = exp(goal).max(f64::MIN_POSITIVE);
            for _ in 0..100 {
                // Newton from the left on a concave function in ln ε approaches without overshooting.
                let step = -miss(e) / (1.0 - runs * e / (1.0 - e));
                if !step.is_finite() {
                    break;
                }
                let next = (e * exp(step)).min(peak);
                let done = (next - e).abs() <= 1e-16 * e;
                e = next;
                if done {
                    break;
                }
            }
            e
        } else {
            let (mut low, mut high) = (peak, 1.0);
            for _ in 0..200 {
                let middle = 0.5 * (low + high);
                if miss(middle) > 0.0 { low = middle } else { high = middle }
            }
            0.5 * (low + high)
        };
        // With s = 1/x: (1 − p·s)/((k + 1 − k·s)·q)·s^(−n−1). Multiplied out by x.
        let x = 1.0 - gap;
        // Where the two roots meet, both differences vanish; their ratio tends to 2/(k + 1).
        let ratio = if (q - peak).abs() < 1e-7 * peak { 2.0 * peak } else { (q - gap) / (1.0 - gap / peak) };
        let factor = ratio * x / q;
        Some(RunTail { gap, factor })
    }

    /// P(no run among `n` heartbeats), for `n` well above k.
    pub fn survival(&self, n: f64) -> f64 {
        self.factor * exp(n * ln_1p(-self.gap))
    }

    /// The `n` at which the survival falls to `a`: the inverse of [`RunTail::survival`], not below 0.
    pub fn heartbeats_until(&self, a: f64) -> f64 {
        ((ln(a) - ln(self.factor)) / ln_1p(-self.gap)).max(0.0)
    }
}

/// The time from a crash at a random phase to the expiry of a lease renewed each `renew`: uniform on
/// [ttl − renew, ttl], plus a fixed `reaction`.
///
/// # Errors
/// Negative times, or a renewal that comes after the expiry.
pub fn lease_detection(ttl: f64, renew: f64, reaction: f64) -> Result<Law, LawError> {
    Law::shifted(&Law::uniform(ttl - renew, ttl)?, reaction)
}

/// The time from a crash at a random phase to the suspicion by a time-out counted from the last arrival: uniform on
/// [timeout − period + delay, timeout + delay], for heartbeats each `period` with a constant `delay`.
///
/// # Errors
/// Negative times, or a time-out shorter than the period less the delay.
pub fn timeout_detection(period: f64, timeout: f64, delay: f64) -> Result<Law, LawError> {
    Law::uniform(timeout - period + delay, timeout + delay)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::testing::near;

    #[test]
    fn nfds_has_the_figures_of_the_table() {
        // η, δ, loss, mean delay, E\[T_MR\], E\[T_M\], 1 − P_A, with the digits given there.
        for (shift, loss, delay, recurrence, duration, share, digits) in [
            (1.0, 0.01, 0.02, 101.0, 0.030_1, 2.98e-4, 2e-3),
            (1.5, 0.01, 0.02, 10_101.0, 0.530, 5.25e-5, 2e-3),
            (2.0, 0.01, 0.02, 10_101.0, 0.030_1, 2.98e-6, 2e-3),
            (3.0, 0.01, 0.02, 1.010_1e6, 0.030_1, 2.98e-8, 2e-3),
            (1.0, 0.2, 0.3, 5.476, 0.500_3, 0.091_36, 2e-4),
            (1.5, 0.2, 0.3, 17.338, 0.702_1, 0.040_5, 2e-4),
            (2.0, 0.3, 0.2, 15.626, 0.620_3, 0.039_70, 2e-4),
        ] {
            let law = Law::exponential(delay).unwrap();
            let got = Nfds { period: 1.0, shift, loss, delay: law }.accuracy();
            near(got.mistake_recurrence, recurrence, digits);
            near(got.mistake_duration, duration, digits);
            near(got.mistake_share, share, digits);
            near(got.mistake_share, got.mistake_duration / got.mistake_recurrence, 1e-12);
        }
    }

    #[test]
    fn nfds_with_a_constant_delay_is_elementary() {
        // Delay 0.2 s, shift 1 s, period 1 s: wrong from a lost message's point to the arrival of the next.
        let law = Law::fixed(0.2).unwrap();
        let got = Nfds { period: 1.0, shift: 1.0, loss: 0.1, delay: law }.accuracy();
        near(got.mistake_share, 0.1 * (0.2 + 0.8 * 0.1), 1e-13);
        near(got.mistake_recurrence, 1.0 / 0.09, 1e-13);
    }

    #[test]
    fn runs_of_losses_by_recurrence_and_by_root() {
        near(k_run_mean(0.5, 3), 14.0, 1e-15);
        for (p, k) in [(0.05, 3), (0.3, 3), (0.5, 2), (0.9, 2), (0.01, 1), (0.7, 4)] {
            let table = run_survival(p, k, 200);
            let tail = RunTail::new(p, k).unwrap();
            for n in [100, 150, 200] {
                // The table subtracts, so it has an absolute error only.
                assert!((tail.survival(n as f64) - table[n]).abs() < 1e-12, "p {p}, k {k}, n {n}");
            }
            // The mean is the sum of the survivals.
            let sum: f64 = table.iter().sum();
            let rest = tail.survival(201.0) / tail.gap;
            near(sum + rest, k_run_mean(p, k), 1e-11);
            near(tail.heartbeats_until(tail.survival(150.0)), 150.0, 1e-12);
        }
        // 1 − x itself is good to the last digits: one run of 6 in 10^18.
        let tail = RunTail::new(1e-3, 6).unwrap();
        near(1.0 / tail.gap, k_run_mean(1e-3, 6), 1e-14);
        // Where the two roots of the equation meet.
        let (table, tail) = (run_survival(2.0 / 3.0, 2, 40), RunTail::new(2.0 / 3.0, 2).unwrap());
        near(tail.survival(20.0), table[20], 1e-6);
        assert_eq!(RunTail::new(0.0, 3), None);
        assert_eq!(run_survival(0.5, 0, 2), [0.0, 0.0, 0.0]);
    }

    #[test]
    fn leases_and_time_outs_are_uniform() {
        let lease = lease_detection(30.0, 10.0, 0.0).unwrap();
        assert_eq!((lease.support_min(), lease.mean(), lease.support_max()), (20.0, 25.0, 30.0));
        let timeout = timeout_detection(1.0, 3.0, 0.25).unwrap();
        assert_eq!((timeout.support_min(), timeout.mean(), timeout.support_max()), (2.25, 2.75, 3.25));
        assert!(lease_detection(5.0, 10.0, 0.0).is_err());
    }
}
