//! Clocks, evaluated lazily: nothing happens at a synchronisation unless somebody looks.

use crate::engine::stream::Stream;
use crate::engine::time::{Instant, Span};
use crate::maths;
use crate::system::spec::Clock;

/// A node's clocks in one run.
#[derive(Clone, Debug)]
pub(super) struct Clocks {
    /// How much faster than true time both run.
    pub(super) drift: f64,
    errors: Stream,
}

impl Clocks {
    /// Draws the drift; the n-th synchronisation error is read at position n of `errors`.
    pub(super) fn new(spec: &Clock, drift: &mut Stream, errors: Stream) -> Clocks {
        let drift = if spec.drift_max == 0.0 { 0.0 } else { (2.0 * drift.uniform() - 1.0) * spec.drift_max };
        Clocks { drift, errors }
    }

    /// The wall clock's error at `now`, in seconds: the last synchronisation's error, and the drift since.
    pub(super) fn wall_error(&self, spec: &Clock, now: Instant) -> f64 {
        if spec.sync_interval.is_never() {
            return spec.offset_secs + self.drift * now.as_secs();
        }
        let interval = spec.sync_interval.as_nanos().max(1);
        let epoch = now.as_nanos() / interval;
        let since = Span::from_nanos(now.as_nanos() % interval).as_secs();
        let error = if spec.sync_error_secs == 0.0 {
            0.0
        } else {
            spec.sync_error_secs * maths::normal_quantile(self.errors.uniform_at(epoch))
        };
        error + self.drift * since
    }

    /// The first true instant at which the wall clock has moved on by `span` from what it shows at `now`. A step back
    /// at a synchronisation makes it later, a step forward earlier.
    pub(super) fn wall_after(&self, spec: &Clock, now: Instant, span: Span) -> Instant {
        let deadline = now.as_secs() + self.wall_error(spec, now) + span.as_secs();
        let rate = 1.0 + self.drift;
        let mut at = now;
        // A deadline is met in its own epoch or soon after: clocks err by seconds, epochs last minutes.
        for _ in 0..10_000 {
            let reading = at.as_secs() + self.wall_error(spec, at);
            if reading >= deadline {
                return at;
            }
            let hit = at + Span::from_secs_saturating((deadline - reading) / rate);
            if spec.sync_interval.is_never() {
                return hit;
            }
            let interval = spec.sync_interval.as_nanos().max(1);
            let next =
                Instant::from_nanos((at.as_nanos() / interval).saturating_add(1).saturating_mul(interval));
            if hit < next {
                return hit;
            }
            at = next;
        }
        at
    }
}
