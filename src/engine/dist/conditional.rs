//! Draws under a condition: what a process says when it is asked before or after a limit.

use super::{Kind, Law};
use crate::engine::time::Span;
use crate::maths::{exp_m1, ln_1p, pow};

impl Law {
    /// A draw given that it is at most `limit`, from one uniform: the exact inverse of the conditional law.
    ///
    /// Never longer than `limit`, also where the condition has probability zero.
    pub fn sample_below(&self, u: f64, limit: Span) -> Span {
        if limit.is_never() {
            return self.sample(u);
        }
        let (p, q) = self.pair(limit.as_secs());
        if p <= 0.0 {
            return limit;
        }
        if let Kind::Exponential = self.kind {
            let p = -exp_m1(-limit.as_secs() / self.mean);
            return Span::from_secs_saturating(-self.mean * ln_1p(-u * p)).min(limit);
        }
        Span::from_secs_saturating(self.at(u * p, (1.0 - u) + u * q)).min(limit)
    }

    /// A draw given that it is longer than `limit`, from one uniform: the exact inverse of the conditional law.
    ///
    /// Always at least a nanosecond longer than `limit`, also where the condition has probability zero. Larger
    /// uniforms give longer times, as without the condition.
    pub fn sample_above(&self, u: f64, limit: Span) -> Span {
        if limit.is_never() {
            return Span::NEVER;
        }
        let least = limit.saturating_add(Span::from_nanos(1));
        let secs = limit.as_secs();
        match &self.kind {
            // Without memory, and so exact however long the limit is.
            Kind::Exponential => limit.saturating_add(self.sample(u)).max(least),
            Kind::Weibull { scale, shape, inverse_shape } => {
                let hazard = pow(secs / scale, *shape) - ln_1p(-u);
                Span::from_secs_saturating(scale * pow(hazard, *inverse_shape)).max(least)
            }
            Kind::Shifted { inner, offset } => {
                let offset = Span::from_secs_saturating(*offset);
                let draw = if limit < offset {
                    offset.saturating_add(inner.sample(u))
                } else {
                    offset.saturating_add(inner.sample_above(u, limit.saturating_sub(offset)))
                };
                draw.max(least)
            }
            _ => {
                let (p, q) = self.pair(secs);
                if q <= 0.0 {
                    return least;
                }
                Span::from_secs_saturating(self.at(p + u * q, (1.0 - u) * q)).max(least)
            }
        }
    }
}
