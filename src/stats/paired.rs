//! Two policies on the same failures: the difference, and what the pairing was worth.

use super::interval::{Interval, Method, t_factor};
use super::moments::{Moments, PairMoments};
use super::skewed;

/// Results of two policies, run by run on the same random streams.
///
/// ```
/// use failsim::stats::paired::Paired;
/// let mut paired = Paired::new();
/// for i in 0..20 {
///     let luck = f64::from(i % 7);
///     paired.push(luck, luck + 1.0 + 0.01 * f64::from(i % 3));
/// }
/// assert!(paired.difference(0.95).low > 0.99);
/// assert!(paired.gain(0.95) > 1000.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Paired {
    both: PairMoments,
    difference: Moments,
    /// By how much the second was more, and by how much it was less; 0 in other runs.
    more: Moments,
    less: Moments,
}

impl Paired {
    /// No runs yet.
    pub fn new() -> Paired {
        Paired::default()
    }

    /// Takes up the results of one run.
    pub fn push(&mut self, first: f64, second: f64) {
        self.both.push(first, second);
        self.difference.push(second - first);
        self.more.push((second - first).max(0.0));
        self.less.push((first - second).max(0.0));
    }

    /// Takes up the runs of another series.
    pub fn merge(&mut self, other: &Paired) {
        self.both.merge(&other.both);
        self.difference.merge(&other.difference);
        self.more.merge(&other.more);
        self.less.merge(&other.less);
    }

    /// How many runs.
    pub fn count(&self) -> u64 {
        self.difference.count()
    }

    /// The first policy alone.
    pub fn first(&self) -> &Moments {
        &self.both.x
    }

    /// The second policy alone.
    pub fn second(&self) -> &Moments {
        &self.both.y
    }

    /// How alike the runs of the two policies are; 1 if one follows from the other.
    pub fn correlation(&self) -> f64 {
        self.both.correlation()
    }

    /// Second minus first, by Student t over the differences of the runs.
    ///
    /// Where few runs differ, mostly one way, that is too short on the side of rare large differences: the limits are at
    /// least those of being more and being less, each a mean of what is never negative, put together (Zou & Donner,
    /// Statistics in Medicine 27, 2008).
    pub fn difference(&self, confidence: f64) -> Interval {
        let student = self.student(confidence);
        if self.count() == 0 {
            return student;
        }
        let sides = |part: &Moments| {
            let i = skewed::amount(part, confidence);
            if part.max() > 0.0 { (i.estimate - i.low, i.high - i.estimate) } else { (0.0, 0.0) }
        };
        let ((more_below, more_above), (less_below, less_above)) = (sides(&self.more), sides(&self.less));
        let below = (more_below * more_below + less_above * less_above).sqrt();
        let above = (more_above * more_above + less_below * less_below).sqrt();
        Interval {
            low: student.low.min(student.estimate - below),
            high: student.high.max(student.estimate + above),
            ..student
        }
    }

    fn student(&self, confidence: f64) -> Interval {
        let n = self.count();
        let mean = if n == 0 { f64::NAN } else { self.difference.mean() };
        let half = if n < 2 {
            f64::INFINITY
        } else {
            t_factor(confidence, (n - 1) as f64) * self.difference.std_error()
        };
        Interval::around(mean, half, confidence, n, Method::PairedT)
    }

    /// Second minus first, as if the two had been run on streams of their own.
    pub fn unpaired(&self, confidence: f64) -> Interval {
        welch(&self.both.x, &self.both.y, confidence)
    }

    /// How many times more runs would have been needed without pairing: the squared ratio of the widths, both by Student's
    /// t, so that it is the runs' spread alone that is compared.
    ///
    /// Infinite if the difference never varies; 1 where neither side does; NaN with fewer than two runs.
    pub fn gain(&self, confidence: f64) -> f64 {
        if self.count() < 2 {
            return f64::NAN;
        }
        let (apart, together) = (self.unpaired(confidence).width(), self.student(confidence).width());
        if apart == 0.0 && together == 0.0 {
            return 1.0;
        }
        (apart / together) * (apart / together)
    }
}

/// The difference of two independent means, second minus first (Welch, Biometrika 34, 1947).
pub fn welch(first: &Moments, second: &Moments, confidence: f64) -> Interval {
    let n = first.count().min(second.count());
    let estimate = second.mean() - first.mean();
    if n < 2 {
        let estimate = if n == 0 { f64::NAN } else { estimate };
        return Interval::around(estimate, f64::INFINITY, confidence, n, Method::Welch);
    }
    let (a, b) = (first.std_error(), second.std_error());
    let (a, b) = (a * a, b * b);
    if a + b == 0.0 {
        return Interval::around(estimate, 0.0, confidence, n, Method::Welch);
    }
    let shares = a * a / (first.count() - 1) as f64 + b * b / (second.count() - 1) as f64;
    // Squares of tiny variances may vanish: then the smaller number of degrees of freedom is the safe choice.
    let df = if shares > 0.0 { (a + b) * (a + b) / shares } else { (n - 1) as f64 };
    Interval::around(estimate, t_factor(confidence, df) * (a + b).sqrt(), confidence, n, Method::Welch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::testing::{SplitMix, near};

    #[test]
    fn the_gain_is_about_one_over_one_minus_the_correlation() {
        let mut random = SplitMix(4);
        let mut paired = Paired::new();
        for _ in 0..5_000 {
            let (common, a, b) = (random.uniform(), random.uniform(), random.uniform());
            paired.push(3.0 * common + a, 3.0 * common + b);
        }
        near(paired.correlation(), 0.9, 0.02);
        near(paired.gain(0.95), 10.0, 0.15);
        near(paired.difference(0.95).estimate, paired.unpaired(0.95).estimate, 1e-9);
    }

    #[test]
    fn few_runs_that_differ_are_held_as_often_as_promised() {
        let mut random = SplitMix(41);
        let (mut held, mut student) = (0, 0);
        for _ in 0..1000 {
            let mut paired = Paired::new();
            for _ in 0..400 {
                // Ten of 400 runs differ, by an exponential amount.
                let differs = random.uniform() < 10.0 / 400.0;
                let amount = -crate::maths::ln(random.uniform());
                paired.push(5.0, if differs { 5.0 - amount } else { 5.0 });
            }
            let truth = -10.0 / 400.0;
            held += u32::from(paired.difference(0.95).contains(truth));
            let half = t_factor(0.95, 399.0) * paired.difference.std_error();
            student += u32::from((paired.difference.mean() - truth).abs() <= half);
        }
        assert!(held >= 930 && student < 900, "{held} of 1000, by Student's t {student}");
    }

    #[test]
    fn welch_agrees_with_a_worked_example() {
        // Equal sizes and variances: 2(n − 1) degrees of freedom.
        let a: Moments = [1.0, 2.0, 3.0].into_iter().collect();
        let b: Moments = [11.0, 12.0, 13.0].into_iter().collect();
        let i = welch(&a, &b, 0.95);
        near(i.half_width(), 2.776_445_105_197_987 * (2.0_f64 / 3.0).sqrt(), 1e-12);
        assert_eq!(i.estimate, 10.0);
    }

    #[test]
    fn equal_policies_differ_by_exactly_nothing() {
        let mut paired = Paired::new();
        for x in [1.0, 5.0, 2.0] {
            paired.push(x, x);
        }
        let i = paired.difference(0.95);
        assert_eq!((i.low, i.high), (0.0, 0.0));
        assert!(paired.gain(0.95).is_infinite());
        assert!(Paired::new().difference(0.95).estimate.is_nan());
    }
}
