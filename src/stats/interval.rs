//! Intervals: an estimate with the range in which the true value lies, and how that was computed.
//!
//! No interval here is ever "0 ± 0": where nothing was seen, the bound is the one the number of trials can give.

use super::moments::Moments;
use crate::maths::{
    beta_inv, binomial_quantile, chi_square_quantile, exp_m1, gamma_q_inv, ln, student_t_quantile,
};

/// How an interval was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Student t over independent replications.
    StudentT,
    /// Ratio of means over replications, spread by the delta method, limits of a gamma law.
    Ratio,
    /// Limits of a gamma law for a mean over independent replications.
    Gamma,
    /// Limits of a Poisson count of clusters.
    Clusters,
    /// Exact limits of a Poisson rate (Garwood 1936).
    Garwood,
    /// Exact limits of a probability (Clopper & Pearson 1934).
    ClopperPearson,
    /// Nothing was seen: an upper limit only.
    ZeroEvents,
    /// Every trial was a success: a lower limit only.
    AllEvents,
    /// Order statistics of values in clusters (Woodruff 1952).
    Clustered,
    /// Order statistics of spells of which some had not ended (Kaplan & Meier 1958).
    KaplanMeier,
    /// Order statistics (no assumption on the law).
    OrderStatistics,
    /// Welch's interval of a difference of two independent means.
    Welch,
    /// Student t over paired differences.
    PairedT,
}

impl Method {
    /// A few words for a table.
    pub fn name(self) -> &'static str {
        match self {
            Method::StudentT => "Student t",
            Method::Ratio => "ratio, delta method",
            Method::Gamma => "gamma limits",
            Method::Clusters => "Garwood, in clusters",
            Method::Garwood => "Garwood",
            Method::ClopperPearson => "Clopper-Pearson",
            Method::ZeroEvents => "no event, upper limit",
            Method::AllEvents => "all events, lower limit",
            Method::Clustered => "order statistics, in clusters",
            Method::KaplanMeier => "Kaplan-Meier",
            Method::OrderStatistics => "order statistics",
            Method::Welch => "Welch",
            Method::PairedT => "paired t",
        }
    }
}

/// An estimate with limits that hold the true value with probability `confidence`.
///
/// A limit that the data cannot give is infinite. Of no data at all the estimate is NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The best single number.
    pub estimate: f64,
    /// The lower limit.
    pub low: f64,
    /// The upper limit.
    pub high: f64,
    /// The probability with which such limits hold the true value, such as 0.95.
    pub confidence: f64,
    /// The number of observations: replications, trials, events or values, as the method says.
    pub n: u64,
    /// How it was computed.
    pub method: Method,
}

impl Interval {
    /// An estimate plus or minus `half`.
    pub fn around(estimate: f64, half: f64, confidence: f64, n: u64, method: Method) -> Interval {
        Interval { estimate, low: estimate - half, high: estimate + half, confidence, n, method }
    }

    /// Upper minus lower limit.
    pub fn width(&self) -> f64 {
        self.high - self.low
    }

    /// Half the width.
    pub fn half_width(&self) -> f64 {
        0.5 * self.width()
    }

    /// Half the width divided by the estimate's size; infinite for an estimate of 0.
    pub fn relative_half_width(&self) -> f64 {
        if self.estimate == 0.0 { f64::INFINITY } else { self.half_width() / self.estimate.abs() }
    }

    /// Whether a value lies within the limits.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// The interval of `factor` times the quantity (another unit, or a rate per year).
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Interval {
        let (a, b) = (self.low * factor, self.high * factor);
        Interval { estimate: self.estimate * factor, low: a.min(b), high: a.max(b), ..*self }
    }

    /// The interval of one minus the quantity: availability from unavailability.
    #[must_use]
    pub fn complement(&self) -> Interval {
        let method = match self.method {
            Method::ZeroEvents => Method::AllEvents,
            Method::AllEvents => Method::ZeroEvents,
            other => other,
        };
        Interval {
            estimate: 1.0 - self.estimate,
            low: 1.0 - self.high,
            high: 1.0 - self.low,
            method,
            ..*self
        }
    }
}

/// The two-sided t factor: the estimate lies within this many standard errors.
pub(crate) fn t_factor(confidence: f64, df: f64) -> f64 {
    if df <= 0.0 { f64::INFINITY } else { -student_t_quantile(df, 0.5 * (1.0 - confidence)) }
}

/// Half a t interval; infinite with fewer than two replications.
fn t_half(std_error: f64, n: u64, confidence: f64) -> f64 {
    if n < 2 { f64::INFINITY } else { t_factor(confidence, (n - 1) as f64) * std_error }
}

/// The interval of a mean over independent replications.
pub fn mean(moments: &Moments, confidence: f64) -> Interval {
    let n = moments.count();
    let estimate = if n == 0 { f64::NAN } else { moments.mean() };
    Interval::around(estimate, t_half(moments.std_error(), n, confidence), confidence, n, Method::StudentT)
}

/// The interval of a Poisson rate: `events` seen during `exposure`.
///
/// Exact (Garwood, Biometrika 28, 1936). With no event, the upper limit at full confidence: −ln(1 − confidence)
/// over the exposure, 3.00 at 95 %.
pub fn poisson_rate(events: u64, exposure: f64, confidence: f64) -> Interval {
    let tail = 0.5 * (1.0 - confidence);
    let k = events as f64;
    if exposure.is_nan() || exposure <= 0.0 {
        return Interval::around(f64::NAN, f64::INFINITY, confidence, events, Method::Garwood);
    }
    if events == 0 {
        let high = -ln(1.0 - confidence) / exposure;
        return Interval { estimate: 0.0, low: 0.0, high, confidence, n: 0, method: Method::ZeroEvents };
    }
    Interval {
        estimate: k / exposure,
        low: 0.5 * chi_square_quantile(2.0 * k, tail) / exposure,
        high: gamma_q_inv(k + 1.0, tail) / exposure,
        confidence,
        n: events,
        method: Method::Garwood,
    }
}

/// The interval of a probability: `hits` in `trials`.
///
/// Exact (Clopper & Pearson, Biometrika 26, 1934). With no hit, or with hits only, the one limit there is, at full
/// confidence.
pub fn probability(hits: u64, trials: u64, confidence: f64) -> Interval {
    let n = trials;
    if trials == 0 {
        let none = Interval::around(f64::NAN, f64::INFINITY, confidence, 0, Method::ClopperPearson);
        return Interval { low: 0.0, high: 1.0, ..none };
    }
    if hits == 0 {
        let high = zero_event_limit(trials, confidence);
        return Interval { estimate: 0.0, low: 0.0, high, confidence, n, method: Method::ZeroEvents };
    }
    if hits >= trials {
        let low = 1.0 - zero_event_limit(trials, confidence);
        return Interval { estimate: 1.0, low, high: 1.0, confidence, n, method: Method::AllEvents };
    }
    let tail = 0.5 * (1.0 - confidence);
    let (k, misses) = (hits as f64, (trials - hits) as f64);
    Interval {
        estimate: k / trials as f64,
        low: beta_inv(k, misses + 1.0, tail, 1.0 - tail).0,
        high: beta_inv(k + 1.0, misses, 1.0 - tail, tail).0,
        confidence,
        n,
        method: Method::ClopperPearson,
    }
}

/// The upper limit of a probability that did not come true in `trials`: 1 − (1 − confidence)^(1/trials).
///
/// Close to 3/n at 95 % (Hanley & Lippman-Hand, JAMA 249, 1983). Without a trial it is 1.
pub fn zero_event_limit(trials: u64, confidence: f64) -> f64 {
    if trials == 0 { 1.0 } else { -exp_m1(ln(1.0 - confidence) / trials as f64) }
}

/// The ranks (from 1) of `n` sorted values between which the `p`-quantile lies with the given confidence.
///
/// The count of values at or below the quantile is binomial. A rank the data cannot give is `None`: with n values
/// a quantile beyond about 1 − 3/n has no upper limit.
pub fn quantile_ranks(n: u64, p: f64, confidence: f64) -> (Option<u64>, Option<u64>) {
    let tail = 0.5 * (1.0 - confidence);
    // P(N < low) ≤ tail for the largest such rank, P(N ≥ high) ≤ tail for the smallest.
    let low = binomial_quantile(n, p, tail);
    let high = binomial_quantile(n, p, 1.0 - tail) + 1;
    ((low >= 1).then_some(low), (high <= n).then_some(high))
}

/// The rank (from 1) of the sample quantile: the smallest value whose share of values at or below reaches `p`.
pub fn quantile_rank(n: u64, p: f64) -> u64 {
    // Guarding against 0.95·20 = 19.000000000000004: a product this close to an integer is that integer.
    let exact = p * n as f64;
    let near = exact.round();
    let rank = if (exact - near).abs() <= 1e-12 * exact { near } else { exact.ceil() };
    (rank as u64).clamp(1, n.max(1))
}

/// The interval of the `p`-quantile of sorted independent values, by order statistics.
pub fn quantile(sorted: &[f64], p: f64, confidence: f64) -> Interval {
    let n = sorted.len() as u64;
    let method = Method::OrderStatistics;
    if n == 0 {
        return Interval::around(f64::NAN, f64::INFINITY, confidence, 0, method);
    }
    let at = |rank: u64| sorted[rank as usize - 1];
    let (low, high) = quantile_ranks(n, p, confidence);
    Interval {
        estimate: at(quantile_rank(n, p)),
        low: low.map_or(f64::NEG_INFINITY, at),
        high: high.map_or(f64::INFINITY, at),
        confidence,
        n,
        method,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::exp;
    use crate::maths::testing::near;

    #[test]
    fn a_mean_of_five() {
        let i = mean(&[1.0, 2.0, 3.0, 4.0, 5.0].into_iter().collect(), 0.95);
        near(i.half_width(), 2.776_445_105_197_987 * (0.5_f64).sqrt(), 1e-12);
        assert!(i.contains(1.1) && !i.contains(5.0));
        assert!(mean(&[1.0].into_iter().collect(), 0.95).high.is_infinite());
        assert!(mean(&Moments::new(), 0.95).estimate.is_nan());
    }

    #[test]
    fn rates_have_garwoods_limits() {
        let i = poisson_rate(10, 1.0, 0.95);
        near(i.low, 4.795_389, 1e-6);
        near(i.high, 18.390_36, 1e-6);
        let none = poisson_rate(0, 100.0, 0.95);
        assert_eq!((none.estimate, none.low, none.method), (0.0, 0.0, Method::ZeroEvents));
        near(none.high, 0.029_957_322_735_539_9, 1e-12);
    }

    #[test]
    fn probabilities_have_clopper_and_pearsons_limits() {
        let i = probability(4, 20, 0.95);
        near(i.low, 0.057_333_99, 1e-6);
        near(i.high, 0.436_613_997, 1e-6);
        near(probability(0, 10_000_000, 0.95).high, 2.995_731_8e-7, 1e-7);
        near(probability(10, 10, 0.95).low, 0.741_134_449_106_948_6, 1e-12);
        assert_eq!(probability(0, 0, 0.95).width(), 1.0);
        near(zero_event_limit(2_995_731, 0.95), 1e-6, 1e-5);
        near(probability(0, 50, 0.95).complement().low, exp(ln(0.05) / 50.0), 1e-13);
    }

    #[test]
    fn order_statistics_bracket_a_quantile() {
        // The textbook case: the median of 10 values lies between the 2nd and the 9th with 97.9 %.
        assert_eq!(quantile_ranks(10, 0.5, 0.95), (Some(2), Some(9)));
        assert_eq!(quantile_ranks(20, 0.99, 0.95), (Some(19), None));
        assert_eq!(quantile_rank(20, 0.95), 19);
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        let i = quantile(&values, 0.5, 0.95);
        assert_eq!((i.low, i.estimate, i.high), (2.0, 5.0, 9.0));
        assert!(quantile(&values, 0.95, 0.95).high.is_infinite());
    }
}
