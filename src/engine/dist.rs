//! Placeholder until the laws land.
use crate::engine::time::Span;
/// A law.
#[derive(Clone, Debug, PartialEq)]
pub struct Law(pub f64);
impl Law {
    /// Fixed.
    pub fn fixed(value: f64) -> Result<Law, ()> {
        Ok(Law(value))
    }
    /// Mean in seconds.
    pub fn mean(&self) -> f64 {
        self.0
    }
    /// Sample.
    pub fn sample(&self, _u: f64) -> Span {
        Span::from_secs_saturating(self.0)
    }
}
