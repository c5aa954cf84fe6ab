//! Placeholder until the laws land.
use crate::engine::time::Span;
use std::fmt;
/// A law.
#[derive(Clone, Debug, PartialEq)]
pub struct Law(pub f64);
/// Why there is no such law.
#[derive(Clone, Debug, PartialEq)]
pub struct LawError(&'static str);
impl fmt::Display for LawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
fn positive(a: f64, b: f64, law: f64) -> Result<Law, LawError> {
    if a > 0.0 && b > 0.0 { Ok(Law(law)) } else { Err(LawError("must be above zero")) }
}
#[allow(missing_docs, clippy::missing_errors_doc)]
impl Law {
    pub fn fixed(value: f64) -> Result<Law, LawError> {
        Ok(Law(value))
    }
    pub fn exponential(mean_secs: f64) -> Result<Law, LawError> {
        positive(mean_secs, 1.0, mean_secs)
    }
    pub fn weibull(scale: f64, shape: f64) -> Result<Law, LawError> {
        positive(scale, shape, scale)
    }
    pub fn weibull_mean(mean: f64, shape: f64) -> Result<Law, LawError> {
        positive(mean, shape, mean)
    }
    pub fn lognormal_median(median: f64, sigma: f64) -> Result<Law, LawError> {
        positive(median, sigma, median)
    }
    pub fn lognormal_median_quantile(median: f64, _p: f64, value: f64) -> Result<Law, LawError> {
        if value > median { Ok(Law(median)) } else { Err(LawError("the quantile must lie above the median")) }
    }
    pub fn lognormal_mean_quantile(mean: f64, p: f64, value: f64) -> Result<Law, LawError> {
        let limit = if p < 0.96 { 3.868 } else { 14.97 };
        if value / mean <= limit {
            Ok(Law(mean))
        } else {
            Err(LawError("no lognormal has this mean and quantile"))
        }
    }
    pub fn gamma(shape: f64, scale: f64) -> Result<Law, LawError> {
        positive(shape, scale, shape * scale)
    }
    pub fn uniform(low: f64, high: f64) -> Result<Law, LawError> {
        if low <= high {
            Ok(Law(0.5 * (low + high)))
        } else {
            Err(LawError("the lower end lies above the upper"))
        }
    }
    pub fn empirical(values: Vec<f64>) -> Result<Law, LawError> {
        match values.first() {
            Some(first) => Ok(Law(*first)),
            None => Err(LawError("no values")),
        }
    }
    pub fn mean(&self) -> f64 {
        self.0
    }
    pub fn sample(&self, _u: f64) -> Span {
        Span::from_secs_saturating(self.0)
    }
}
