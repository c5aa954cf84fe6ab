//! Runs of losses: when do `r` independent events of probability `q` first come in a row?
//!
//! This is what makes quiet time free. A detector that tolerates r − 1 missing beats does nothing observable until
//! r beats in a row go missing; the number of beats until then can be drawn with one uniform number.
//!
//! Survival a(n) = P(no such run in n trials) obeys a(n) = a(n−1) − (1−q)qʳ a(n−r−1) with a(n) = 1 for n < r
//! (Feller, *An Introduction to Probability Theory*, vol. 1, XIII.7). Up to [`SMALL`] trials the recurrence is used
//! itself, on b(n) = 1 − a(n) so that tiny probabilities keep their relative accuracy; beyond, a(n) = C xⁿ with the
//! dominant root x. What the other roots contribute there is of order q^[`SMALL`].

use crate::engine::stream::Stream;
use crate::maths;
use crate::system::medium::Exception;

/// Up to this many trials the recurrence is evaluated step by step.
const SMALL: u64 = 64;
/// A shorter stretch, in beats or checks, is not worth a jump.
pub(super) const JUMP_MIN: u64 = 4;
/// The longest run handled, a bound for the buffers below.
pub(crate) const RUN_MAX: u64 = 32;

/// The law of the first run of beats that are not ordinary, and which are not; `None`: nothing can be skipped.
pub(crate) type Ordinary = Option<(RunLaw, Exception)>;

/// The law of the first run of `r` in a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RunLaw {
    q: f64,
    r: u64,
    /// (1−q) qʳ, the probability that a run begins right after a success.
    begin: f64,
    /// ln x of the dominant root, negative.
    ln_root: f64,
    ln_factor: f64,
    /// b(SMALL).
    small: f64,
}

impl RunLaw {
    /// `None` where the closed form does not pay or hold: q above one half, r of zero or too long.
    pub(crate) fn new(q: f64, r: u64) -> Option<RunLaw> {
        if !(0.0..=0.5).contains(&q) || r == 0 || r > RUN_MAX {
            return None;
        }
        let q_to_r = power(q, r);
        let begin = (1.0 - q) * q_to_r;
        // The dominant root is x = 1 − ε with (1 − ε)ʳ ε = (1 − q) qʳ; solved for ε itself, which may be 1e-30.
        let mut epsilon = begin;
        for _ in 0..60 {
            let rest = power(1.0 - epsilon, r);
            let slope = rest - r as f64 * epsilon * power(1.0 - epsilon, r - 1);
            let next = epsilon - (rest * epsilon - begin) / slope;
            if !(next - epsilon).abs().gt(&(1e-16 * epsilon)) {
                break;
            }
            epsilon = next;
        }
        let ln_root = maths::ln_1p(-epsilon);
        // C = (1 − qʳ zʳ) x / (1 − (r+1)(1−q) qʳ zʳ) at z = 1/x: the residue of the generating function.
        let z_to_r = maths::exp(-(r as f64) * ln_root);
        let ln_factor =
            maths::ln_1p(-q_to_r * z_to_r) + ln_root - maths::ln_1p(-(r as f64 + 1.0) * begin * z_to_r);
        let mut law = RunLaw { q, r, begin, ln_root, ln_factor, small: 0.0 };
        law.small = law.run_within(SMALL);
        Some(law)
    }

    /// The length of run that counts.
    pub(crate) fn run(&self) -> u64 {
        self.r
    }

    /// P(a run is complete within `n` trials).
    pub(crate) fn run_within(&self, n: u64) -> f64 {
        if n > SMALL {
            return -maths::exp_m1(self.ln_factor + n as f64 * self.ln_root);
        }
        let mut last = 0.0;
        self.walk(n, |_, b| {
            last = b;
            false
        });
        last
    }

    /// Calls `visit(n, b(n))` for n = r, r + 1, … `to` until it says true.
    fn walk(&self, to: u64, mut visit: impl FnMut(u64, f64) -> bool) {
        let mut b = [0.0; SMALL as usize + 1];
        for n in self.r..=to.min(SMALL) {
            let at = n as usize;
            b[at] = if n == self.r {
                power(self.q, self.r)
            } else {
                let before = n - self.r - 1;
                b[at - 1] + self.begin * (1.0 - b[before as usize])
            };
            if visit(n, b[at]) {
                return;
            }
        }
    }

    /// The trial that completes the first run, from one uniform number; `None` if it never comes (or only after
    /// 2⁵³ trials).
    pub(crate) fn first(&self, u: f64) -> Option<u64> {
        if u <= self.small {
            let mut found = None;
            self.walk(SMALL, |n, b| {
                if b >= u {
                    found = Some(n);
                }
                found.is_some()
            });
            return found;
        }
        if self.ln_root == 0.0 {
            return None;
        }
        let n = ((maths::ln_1p(-u) - self.ln_factor) / self.ln_root).ceil();
        if n > 9.007e15 { None } else { Some((n as u64).max(SMALL + 1)) }
    }

    /// The same if it is no later than trial `most`.
    pub(crate) fn first_within(&self, u: f64, most: u64) -> Option<u64> {
        // No more likely than the sum over all trials at which a run can end: mostly that settles it.
        if u > most as f64 * self.begin / (1.0 - self.q) {
            return None;
        }
        self.first(u).filter(|n| *n <= most)
    }

    /// How many in a row stand at the end of `n` trials, given that no run of r has been completed in them.
    pub(crate) fn trailing(&self, n: u64, stream: &mut Stream) -> u64 {
        if self.q == 0.0 {
            return 0;
        }
        let u = stream.uniform();
        // P(none) = (1 − q)(1 − b(n−1))/(1 − b(n)) is 1 − q at least: mostly that settles it.
        if u < 1.0 - self.q || n == 0 {
            return 0;
        }
        let mut left = u * (1.0 - self.run_within(n));
        let mut q_to_j = 1.0;
        for j in 0..self.r.min(n) {
            left -= q_to_j * (1.0 - self.q) * (1.0 - self.run_within(n - j - 1));
            if left < 0.0 {
                return j;
            }
            q_to_j *= self.q;
        }
        // Only with n < r can all n of them stand; otherwise it is the rounding of the last term.
        n.min(self.r - 1)
    }
}

/// qⁿ by repeated multiplication: exact powers of the same factors in the same order on every machine.
fn power(q: f64, n: u64) -> f64 {
    (0..n).fold(1.0, |product, _| product * q)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stream::StreamKey;

    /// The distribution by brute force: the chain of trailing counts, multiplied out.
    fn chain(q: f64, r: usize, n: usize) -> (f64, Vec<f64>) {
        let mut state = vec![0.0; r];
        state[0] = 1.0;
        let mut done = 0.0;
        for _ in 0..n {
            let mut next = vec![0.0; r];
            for (j, p) in state.iter().enumerate() {
                next[0] += p * (1.0 - q);
                if j + 1 == r { done += p * q } else { next[j + 1] += p * q }
            }
            state = next;
        }
        (done, state)
    }

    #[test]
    fn the_recurrence_and_the_root_agree_with_the_chain() {
        for q in [1e-6, 0.001, 0.01, 0.1, 0.3, 0.5] {
            for r in [1, 2, 3, 5] {
                let law = RunLaw::new(q, r).unwrap();
                for n in [0, 1, 2, 3, 4, 7, 20, 64, 65, 66, 100, 1000] {
                    let (expected, _) = chain(q, r as usize, n as usize);
                    let got = law.run_within(n);
                    let error = (got - expected).abs() / expected.max(1e-300);
                    // Beyond SMALL the chain itself loses digits of 1 − done; compare what it can carry.
                    assert!(
                        error < 1e-6 || (got - expected).abs() < 1e-14,
                        "q {q} r {r} n {n}: {got} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_limit_changes_nothing_before_it() {
        for (q, r) in [(0.1, 3), (0.01, 1), (0.02, 2), (1e-4, 3)] {
            let law = RunLaw::new(q, r).unwrap();
            let mut stream = StreamKey::new(1, "limit", "test").open(r);
            let mut seen = 0;
            for most in (1..2_000).step_by(7) {
                // Uniform numbers about as small as it takes.
                let u = stream.uniform() * (4.0 * most as f64 * power(q, r)).min(1.0);
                let first = law.first(u).filter(|n| *n <= most);
                assert_eq!(law.first_within(u, most), first, "q {q} r {r} most {most} u {u}");
                seen += u32::from(first.is_some());
            }
            assert!((20..280).contains(&seen), "{seen}");
        }
    }

    #[test]
    fn drawn_first_runs_follow_the_law() {
        let (q, r) = (0.3, 2);
        let law = RunLaw::new(q, r).unwrap();
        let mut stream = StreamKey::new(1, "runs", "test").open(0);
        let draws = 200_000;
        let mut mean = 0.0;
        for _ in 0..draws {
            mean += law.first(stream.uniform()).unwrap() as f64 / f64::from(draws);
        }
        // Mean trials until r in a row: (1 − qʳ)/((1 − q) qʳ) = 14.44; its standard deviation is about 13.
        let expected = (1.0 - q * q) / ((1.0 - q) * q * q);
        assert!((mean - expected).abs() < 4.0 * 13.0 / f64::from(draws).sqrt(), "{mean} {expected}");
    }

    /// Chi-square of 2 degrees of freedom exceeds the limit with e^(−limit/2) = 2·10⁻⁴, once for each of five lengths.
    /// One per cent more in a term of the law makes it 59 and more.
    #[test]
    fn trailing_counts_follow_the_conditional_law() {
        const LIMIT: f64 = 17.03;
        let (q, r) = (0.4, 3);
        let law = RunLaw::new(q, r).unwrap();
        for n in [1, 2, 3, 10, 70] {
            let (done, state) = chain(q, r as usize, n);
            let mut stream = StreamKey::new(2, "trailing", "test").open(n as u64);
            let draws = 1_000_000;
            let mut seen = [0_u32; 3];
            for _ in 0..draws {
                seen[law.trailing(n as u64, &mut stream) as usize] += 1;
            }
            let mut statistic = 0.0;
            for (seen, p) in seen.into_iter().zip(state) {
                let expected = f64::from(draws) * p / (1.0 - done);
                if expected > 0.0 {
                    statistic += (f64::from(seen) - expected) * (f64::from(seen) - expected) / expected;
                } else {
                    assert_eq!(seen, 0, "n {n}: more than there were trials");
                }
            }
            assert!(statistic < LIMIT, "n {n}: {statistic}, {seen:?}");
        }
    }

    #[test]
    fn without_losses_nothing_ever_happens() {
        let law = RunLaw::new(0.0, 3).unwrap();
        assert_eq!(law.first(1.0 - 1e-16), None);
        assert_eq!(law.trailing(1000, &mut StreamKey::new(1, "x", "y").open(0)), 0);
    }
}
