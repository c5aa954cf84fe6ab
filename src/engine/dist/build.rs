//! The checking constructors of laws, and what they refuse.

use std::fmt;

use super::{Kind, Law, weibull_unit_mean};
use crate::maths::{exp, ln, normal_quantile};

/// Why numbers do not make a law.
#[derive(Clone, Debug, PartialEq)]
pub enum LawError {
    /// A parameter that must be a positive number is not.
    NotPositive {
        /// The parameter.
        what: &'static str,
        /// What was given.
        value: f64,
    },
    /// A parameter that must be zero or a positive number is not.
    Negative {
        /// The parameter.
        what: &'static str,
        /// What was given.
        value: f64,
    },
    /// A probability that must lie strictly between 0 and 1 does not.
    NotAProbability {
        /// What was given.
        value: f64,
    },
    /// The upper end of a range lies below the lower one.
    EmptyRange {
        /// The lower end.
        low: f64,
        /// The upper end.
        high: f64,
    },
    /// No values were given.
    NoValues,
    /// The numbers are valid but the mean of the law is not a finite positive number.
    MeanOutOfRange,
    /// A quantile on the wrong side of the median, or exactly a half with another value than the median.
    QuantileBesideMedian {
        /// The probability of the quantile.
        p: f64,
        /// The median.
        median: f64,
        /// The quantile.
        value: f64,
    },
    /// No lognormal law has this mean and quantile.
    NoLognormal {
        /// The probability of the quantile.
        p: f64,
        /// The quantile divided by the mean.
        ratio: f64,
        /// The largest ratio (for p below a half: the ratio must be below this) a lognormal law can have.
        limit: f64,
    },
}

impl fmt::Display for LawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LawError::NotPositive { what, value } => {
                write!(f, "{what} must be a positive number, got {value}")
            }
            LawError::Negative { what, value } => write!(f, "{what} must be zero or positive, got {value}"),
            LawError::NotAProbability { value } => {
                write!(f, "a probability strictly between 0 and 1 is needed, got {value}")
            }
            LawError::EmptyRange { low, high } => {
                write!(f, "the upper end of the range ({high}) lies below the lower end ({low})")
            }
            LawError::NoValues => f.write_str("at least one value is needed"),
            LawError::MeanOutOfRange => {
                f.write_str("the mean of this law is too large or too small to compute with")
            }
            LawError::QuantileBesideMedian { p, median, value } => write!(
                f,
                "the {} % quantile ({value}) must lie {} the median ({median})",
                p * 100.0,
                match p.partial_cmp(&0.5) {
                    Some(std::cmp::Ordering::Less) => "below",
                    Some(std::cmp::Ordering::Greater) => "above",
                    _ => "on",
                }
            ),
            LawError::NoLognormal { p, ratio, limit } => write!(
                f,
                "no lognormal law has a {:.4} % quantile of {ratio:.4} times its mean: the most is {limit:.4} times \
                 (a heavier tail pulls the mean up with it); give the median and the quantile instead",
                p * 100.0
            ),
        }
    }
}

impl std::error::Error for LawError {}

fn positive(what: &'static str, value: f64) -> Result<f64, LawError> {
    if value > 0.0 && value.is_finite() { Ok(value) } else { Err(LawError::NotPositive { what, value }) }
}

fn non_negative(what: &'static str, value: f64) -> Result<f64, LawError> {
    // `+ 0.0` turns −0 into 0.
    if value >= 0.0 && value.is_finite() { Ok(value + 0.0) } else { Err(LawError::Negative { what, value }) }
}

fn probability(value: f64) -> Result<f64, LawError> {
    if value > 0.0 && value < 1.0 { Ok(value) } else { Err(LawError::NotAProbability { value }) }
}

impl Law {
    fn with(kind: Kind, mean: f64) -> Result<Law, LawError> {
        if mean.is_finite() && mean > 0.0 { Ok(Law { kind, mean }) } else { Err(LawError::MeanOutOfRange) }
    }

    /// Exponential with the given mean in seconds.
    pub fn exponential(mean_secs: f64) -> Result<Law, LawError> {
        Law::with(Kind::Exponential, positive("the mean", mean_secs)?)
    }

    /// Weibull with survival function exp(−(x/scale)^shape).
    pub fn weibull(scale_secs: f64, shape: f64) -> Result<Law, LawError> {
        let (scale, shape) = (positive("the scale", scale_secs)?, positive("the shape", shape)?);
        let mean = scale * weibull_unit_mean(shape);
        Law::with(Kind::Weibull { scale, shape, inverse_shape: 1.0 / shape }, mean)
    }

    /// Weibull with the given mean and shape.
    pub fn weibull_mean(mean_secs: f64, shape: f64) -> Result<Law, LawError> {
        let (mean, shape) = (positive("the mean", mean_secs)?, positive("the shape", shape)?);
        let scale = mean / weibull_unit_mean(shape);
        if scale.is_nan() || scale <= 0.0 {
            return Err(LawError::MeanOutOfRange);
        }
        Law::with(Kind::Weibull { scale, shape, inverse_shape: 1.0 / shape }, mean)
    }

    /// Lognormal with the given median in seconds and standard deviation `sigma` of the logarithm.
    pub fn lognormal_median(median_secs: f64, sigma: f64) -> Result<Law, LawError> {
        let (median, sigma) = (positive("the median", median_secs)?, non_negative("sigma", sigma)?);
        if sigma == 0.0 {
            return Law::fixed(median);
        }
        let mean = median * exp(0.5 * sigma * sigma);
        Law::with(Kind::Lognormal { median, ln_median: ln(median), sigma }, mean)
    }

    /// Lognormal with the given median, whose `p`-quantile is `value_secs`.
    pub fn lognormal_median_quantile(median_secs: f64, p: f64, value_secs: f64) -> Result<Law, LawError> {
        let median = positive("the median", median_secs)?;
        let (p, value) = (probability(p)?, positive("the quantile", value_secs)?);
        let (z, log) = (normal_quantile(p), ln(value / median));
        if log == 0.0 && z == 0.0 {
            // A second statement of the median says nothing about the spread.
            return Err(LawError::NotAProbability { value: p });
        }
        if log * z <= 0.0 {
            return Err(LawError::QuantileBesideMedian { p, median, value });
        }
        Law::lognormal_median(median, log / z)
    }

    /// Lognormal with the given mean, whose `p`-quantile is `value_secs`.
    ///
    /// With z the standard normal quantile of p and r = value/mean, ln r = zσ − σ²/2, so σ = z ∓ √(z² − 2·ln r).
    /// Of two positive solutions the narrower is taken; there is none if r > e^(z²/2) (3.868 for p95, 14.97 for
    /// p99).
    pub fn lognormal_mean_quantile(mean_secs: f64, p: f64, value_secs: f64) -> Result<Law, LawError> {
        let mean = positive("the mean", mean_secs)?;
        let (p, value) = (probability(p)?, positive("the quantile", value_secs)?);
        let (z, log) = (normal_quantile(p), ln(value / mean));
        let inside = z * z - 2.0 * log;
        let limit = if z > 0.0 { exp(0.5 * z * z) } else { 1.0 };
        let none = LawError::NoLognormal { p, ratio: value / mean, limit };
        if inside < 0.0 {
            return Err(none);
        }
        let root = inside.sqrt();
        let (narrow, wide) = (z - root, z + root);
        let sigma = if narrow >= 0.0 { narrow } else { wide };
        if sigma < 0.0 || (sigma == 0.0 && log != 0.0) {
            return Err(none);
        }
        Law::lognormal_median(mean * exp(-0.5 * sigma * sigma), sigma)
    }

    /// Gamma with the given shape and scale; the mean is their product.
    pub fn gamma(shape: f64, scale_secs: f64) -> Result<Law, LawError> {
        let (shape, scale) = (positive("the shape", shape)?, positive("the scale", scale_secs)?);
        Law::with(Kind::Gamma { shape, scale }, shape * scale)
    }

    /// Uniform between two times.
    pub fn uniform(low_secs: f64, high_secs: f64) -> Result<Law, LawError> {
        let (low, high) =
            (non_negative("the lower end", low_secs)?, non_negative("the upper end", high_secs)?);
        if high < low {
            return Err(LawError::EmptyRange { low, high });
        }
        if high == low {
            return Law::fixed(low);
        }
        Law::with(Kind::Uniform { low, width: high - low }, low + 0.5 * (high - low))
    }

    /// Always the same time; it may be zero.
    pub fn fixed(secs: f64) -> Result<Law, LawError> {
        Ok(Law { kind: Kind::Fixed, mean: non_negative("the time", secs)? })
    }

    /// Each of the given times with equal probability; their order does not matter.
    pub fn empirical(values_secs: &[f64]) -> Result<Law, LawError> {
        if values_secs.is_empty() {
            return Err(LawError::NoValues);
        }
        let mut sorted: Vec<f64> =
            values_secs.iter().map(|v| non_negative("each value", *v)).collect::<Result<_, _>>()?;
        sorted.sort_by(f64::total_cmp);
        let mut sum = 0.0;
        let sums: Box<[f64]> = sorted
            .iter()
            .map(|v| {
                sum += v;
                sum
            })
            .collect();
        if !sum.is_finite() {
            return Err(LawError::MeanOutOfRange);
        }
        let mean = sum / sorted.len() as f64;
        Ok(Law { kind: Kind::Empirical { sorted: sorted.into(), sums }, mean })
    }

    /// The law of `factor` times a time of `law`.
    pub fn scaled(law: &Law, factor: f64) -> Result<Law, LawError> {
        let by = positive("the factor", factor)?;
        match &law.kind {
            Kind::Exponential => Law::exponential(law.mean * by),
            Kind::Weibull { scale, shape, .. } => Law::weibull(scale * by, *shape),
            Kind::Lognormal { median, sigma, .. } => Law::lognormal_median(median * by, *sigma),
            Kind::Gamma { shape, scale } => Law::gamma(*shape, scale * by),
            Kind::Uniform { low, width } => Law::uniform(low * by, (low + width) * by),
            Kind::Fixed => Law::fixed(law.mean * by),
            Kind::Empirical { sorted, .. } => {
                let values: Vec<f64> = sorted.iter().map(|v| v * by).collect();
                Law::empirical(&values)
            }
            Kind::Shifted { inner, offset } => Law::shifted(&Law::scaled(inner, by)?, offset * by),
        }
    }

    /// The law of a time of `law` plus `offset_secs`.
    pub fn shifted(law: &Law, offset_secs: f64) -> Result<Law, LawError> {
        let by = non_negative("the offset", offset_secs)?;
        if by == 0.0 {
            return Ok(law.clone());
        }
        match &law.kind {
            Kind::Fixed => Law::fixed(law.mean + by),
            Kind::Uniform { low, width } => Law::uniform(low + by, low + width + by),
            Kind::Empirical { sorted, .. } => {
                let values: Vec<f64> = sorted.iter().map(|v| v + by).collect();
                Law::empirical(&values)
            }
            Kind::Shifted { inner, offset } => Law::shifted(inner, offset + by),
            _ => Law::with(Kind::Shifted { inner: Box::new(law.clone()), offset: by }, law.mean + by),
        }
    }
}
