//! Laws of times: checked when built, sampled by inversion from one uniform.
//!
//! A [`Law`] is a probability law of a non-negative time in seconds. Every draw is the quantile of one uniform, so
//! a larger uniform never gives a shorter time, whatever the law: two policies or two parameter values that are
//! compared on the same stream meet the same luck. Nothing here holds a generator; that is the streams' part.
mod build;
mod conditional;

#[cfg(test)]
mod tests;

use crate::engine::time::Span;
use crate::maths::{
    exp, exp_m1, gamma, gamma_inv, gamma_p, gamma_pq, ln, ln_1p, normal_cdf, normal_isf, normal_quantile,
    normal_sf, pow,
};

pub use build::LawError;

/// The law of a non-negative time in seconds.
///
/// ```
/// use failsim::engine::dist::Law;
/// let repair = Law::lognormal_median(4.0 * 3600.0, 0.8).unwrap();
/// assert!((repair.quantile(0.5) - 4.0 * 3600.0).abs() < 1e-8);
/// assert!(repair.sample(0.9) > repair.sample(0.1));
/// assert!(Law::exponential(-1.0).is_err());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Law {
    kind: Kind,
    mean: f64,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Exponential,
    Weibull { scale: f64, shape: f64, inverse_shape: f64 },
    Lognormal { median: f64, ln_median: f64, sigma: f64 },
    Gamma { shape: f64, scale: f64 },
    Uniform { low: f64, width: f64 },
    Fixed,
    Empirical { sorted: Box<[f64]>, sums: Box<[f64]> },
    Shifted { inner: Box<Law>, offset: f64 },
}

impl Law {
    /// The mean in seconds.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The time in seconds not exceeded with probability `u`.
    ///
    /// Zero and one give the ends of the support; a NaN, or a number outside [0, 1], counts as the nearer end.
    pub fn quantile(&self, u: f64) -> f64 {
        let u = if u > 0.0 { u.min(1.0) } else { 0.0 };
        match &self.kind {
            Kind::Exponential => -self.mean * ln_1p(-u),
            Kind::Weibull { scale, inverse_shape, .. } => scale * pow(-ln_1p(-u), *inverse_shape),
            Kind::Lognormal { median, sigma, .. } => median * exp(sigma * normal_quantile(u)),
            Kind::Uniform { low, width } => low + width * u,
            Kind::Fixed => self.mean,
            Kind::Gamma { .. } | Kind::Empirical { .. } | Kind::Shifted { .. } => self.at(u, 1.0 - u),
        }
    }

    /// The time in seconds exceeded with probability `q`: `quantile(1 − q)`, accurate for small `q`.
    pub fn isf(&self, q: f64) -> f64 {
        let q = if q > 0.0 { q.min(1.0) } else { 0.0 };
        self.at(1.0 - q, q)
    }

    /// The time with cdf `p` and survival `q`, p + q = 1, where the smaller of the two carries the precision.
    fn at(&self, p: f64, q: f64) -> f64 {
        let hazard = || if p < 0.5 { -ln_1p(-p) } else { -ln(q) };
        match &self.kind {
            Kind::Exponential => self.mean * hazard(),
            Kind::Weibull { scale, inverse_shape, .. } => scale * pow(hazard(), *inverse_shape),
            Kind::Lognormal { median, sigma, .. } => {
                median * exp(sigma * if p < 0.5 { normal_quantile(p) } else { normal_isf(q) })
            }
            Kind::Gamma { shape, scale } => scale * gamma_inv(*shape, p, q),
            Kind::Uniform { low, width } => low + width * p,
            Kind::Fixed => self.mean,
            Kind::Empirical { sorted, .. } => {
                // The smallest value whose share of values at or below it reaches p.
                let n = sorted.len();
                let from_below = (p * n as f64).ceil() as usize;
                let from_above = (q * n as f64).floor() as usize;
                let rank = if p < 0.5 { from_below } else { n - from_above.min(n) };
                sorted[rank.clamp(1, n) - 1]
            }
            Kind::Shifted { inner, offset } => offset + inner.at(p, q),
        }
    }

    /// P(X ≤ x).
    pub fn cdf(&self, x: f64) -> f64 {
        self.pair(x).0
    }

    /// P(X > x), accurate far in the tail.
    pub fn sf(&self, x: f64) -> f64 {
        match &self.kind {
            Kind::Lognormal { ln_median, sigma, .. } if x > 0.0 => normal_sf((ln(x) - ln_median) / sigma),
            _ => self.pair(x).1,
        }
    }

    /// (P(X ≤ x), P(X > x)).
    fn pair(&self, x: f64) -> (f64, f64) {
        if x.is_nan() {
            return (f64::NAN, f64::NAN);
        }
        if x < 0.0 {
            return (0.0, 1.0);
        }
        let from_hazard = |h: f64| (-exp_m1(-h), exp(-h));
        match &self.kind {
            Kind::Exponential => from_hazard(x / self.mean),
            Kind::Weibull { scale, shape, .. } => from_hazard(pow(x / scale, *shape)),
            Kind::Lognormal { ln_median, sigma, .. } => {
                let z = (ln(x) - ln_median) / sigma;
                (normal_cdf(z), normal_sf(z))
            }
            Kind::Gamma { shape, scale } => gamma_pq(*shape, x / scale),
            Kind::Uniform { low, width } => {
                let share = ((x - low) / width).clamp(0.0, 1.0);
                (share, ((low + width - x) / width).clamp(0.0, 1.0))
            }
            Kind::Fixed => {
                if x >= self.mean {
                    (1.0, 0.0)
                } else {
                    (0.0, 1.0)
                }
            }
            Kind::Empirical { sorted, .. } => {
                let (n, below) = (sorted.len(), sorted.partition_point(|v| *v <= x));
                (below as f64 / n as f64, (n - below) as f64 / n as f64)
            }
            Kind::Shifted { inner, offset } => inner.pair(x - offset),
        }
    }

    /// The shortest possible time in seconds.
    pub fn support_min(&self) -> f64 {
        match &self.kind {
            Kind::Uniform { low, .. } => *low,
            Kind::Fixed => self.mean,
            Kind::Empirical { sorted, .. } => sorted[0],
            Kind::Shifted { inner, offset } => offset + inner.support_min(),
            _ => 0.0,
        }
    }

    /// The longest possible time in seconds; infinity if there is none.
    pub fn support_max(&self) -> f64 {
        match &self.kind {
            Kind::Uniform { low, width } => low + width,
            Kind::Fixed => self.mean,
            Kind::Empirical { sorted, .. } => sorted[sorted.len() - 1],
            Kind::Shifted { inner, offset } => offset + inner.support_max(),
            _ => f64::INFINITY,
        }
    }

    /// Whether the remaining time never depends on the time already passed.
    pub fn is_memoryless(&self) -> bool {
        self.kind == Kind::Exponential
    }

    /// The draw of the uniform `u` in (0, 1), to the nearest nanosecond; beyond every horizon it is `NEVER`.
    #[inline]
    pub fn sample(&self, u: f64) -> Span {
        Span::from_secs_saturating(self.quantile(u))
    }

    /// E[min(X, a)], the integral of the survival function from 0 to `a` seconds.
    pub fn tail_integral(&self, a: f64) -> f64 {
        if a.is_nan() || a <= 0.0 {
            return 0.0;
        }
        if a >= self.support_max() {
            return self.mean;
        }
        match &self.kind {
            Kind::Exponential => -self.mean * exp_m1(-a / self.mean),
            // Substituting t = (s/scale)^shape turns the integrand into a gamma density of shape 1/shape.
            Kind::Weibull { scale, shape, inverse_shape } => {
                self.mean * gamma_p(*inverse_shape, pow(a / scale, *shape))
            }
            Kind::Lognormal { ln_median, sigma, .. } => {
                let z = (ln(a) - ln_median) / sigma;
                self.mean * normal_cdf(z - sigma) + a * normal_sf(z)
            }
            Kind::Gamma { shape, scale } => {
                let x = a / scale;
                self.mean * gamma_p(shape + 1.0, x) + a * gamma_pq(*shape, x).1
            }
            Kind::Uniform { low, width } => {
                let into = (a - low).max(0.0);
                a - into * into / (2.0 * width)
            }
            Kind::Fixed => a,
            Kind::Empirical { sorted, sums } => {
                let below = sorted.partition_point(|v| *v <= a);
                let under = if below == 0 { 0.0 } else { sums[below - 1] };
                (under + (sorted.len() - below) as f64 * a) / sorted.len() as f64
            }
            Kind::Shifted { inner, offset } => {
                if a <= *offset {
                    a
                } else {
                    offset + inner.tail_integral(a - offset)
                }
            }
        }
    }

    /// The `u`-quantile of the remaining time at a random instant of a long chain of such times, in seconds.
    ///
    /// Its density is `sf(x)/mean` (renewal theory: the forward recurrence time in equilibrium).
    pub fn equilibrium_quantile(&self, u: f64) -> f64 {
        let u = if u > 0.0 { u.min(1.0) } else { 0.0 };
        let goal = u * self.mean;
        match &self.kind {
            Kind::Exponential => self.quantile(u),
            Kind::Fixed => goal,
            Kind::Weibull { scale, inverse_shape, .. } => {
                scale * pow(gamma_inv(*inverse_shape, u, 1.0 - u), *inverse_shape)
            }
            Kind::Uniform { low, width } => {
                if goal <= *low {
                    return goal;
                }
                // x − (x − low)²/(2·width) = goal, with the rest of the integral on the root's side: no cancellation.
                let rest = (self.mean - goal).max(0.0);
                low + width - (2.0 * width * rest).sqrt().min(*width)
            }
            Kind::Empirical { sorted, sums } => {
                let n = sorted.len() as f64;
                let at = |i: usize| (sums[i] + (sorted.len() - 1 - i) as f64 * sorted[i]) / n;
                let (mut low, mut high) = (0, sorted.len());
                while low < high {
                    let middle = low + (high - low) / 2;
                    if at(middle) < goal { low = middle + 1 } else { high = middle }
                }
                if low == sorted.len() {
                    return self.support_max();
                }
                let (start, done) = if low == 0 { (0.0, 0.0) } else { (sorted[low - 1], at(low - 1)) };
                start + (goal - done) * n / (sorted.len() - low) as f64
            }
            Kind::Shifted { inner, offset } => {
                if goal <= *offset || inner.mean == 0.0 {
                    goal.min(*offset)
                } else {
                    offset + inner.equilibrium_quantile((goal - offset) / inner.mean)
                }
            }
            Kind::Lognormal { .. } | Kind::Gamma { .. } => self.equilibrium_search(u),
        }
    }

    /// Newton's method on the tail integral in a bracket; bisects whenever a step leaves it.
    fn equilibrium_search(&self, u: f64) -> f64 {
        if u == 0.0 {
            return 0.0;
        }
        if u == 1.0 {
            return self.support_max();
        }
        let goal = u * self.mean;
        // T(x) ≤ x puts the answer above the goal.
        let (mut low, mut high) = (goal, self.isf(1e-300).max(2.0 * goal));
        let mut x = goal;
        for _ in 0..120 {
            let miss = self.tail_integral(x) - goal;
            if miss > 0.0 {
                high = x
            } else {
                low = x
            }
            let next = x - miss / self.sf(x);
            let next = if next > low && next < high { next } else { 0.5 * (low + high) };
            // The integral itself is known to a few units in the last place: beyond that every step is noise.
            if miss.abs() <= 1e-15 * goal {
                return x;
            }
            if (next - x).abs() <= 1e-14 * x {
                return next;
            }
            x = next;
        }
        x
    }
}

/// The mean of a Weibull law of scale 1.
fn weibull_unit_mean(shape: f64) -> f64 {
    gamma(1.0 + 1.0 / shape)
}
