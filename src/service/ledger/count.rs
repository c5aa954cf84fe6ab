//! How many writes a range holds, and the oldest of them: drawn once, when the range is disposed of.

use crate::engine::time::{Instant, Span};
use crate::maths;
use crate::system::spec::{Arrivals, Client};

use super::{Disposal, InFlight, Incident, Ledger, Loss};

impl Ledger {
    /// How many writes accepted in (from, to] were still under way at `flight.until`, and the age of the oldest.
    /// With Poisson writes and independent lags the number is Poisson (M/G/∞, Takács 1962). The third figure is the
    /// time whose writes they are, in the mean.
    pub(super) fn under_way(
        &mut self,
        client: &Client,
        flight: &InFlight,
        from: Instant,
        to: Instant,
    ) -> (u64, Span, f64) {
        let young = flight.until.since(to).as_secs();
        let old = flight.until.since(from).as_secs();
        let weight = |age: f64| flight.lag.tail_integral(age);
        let mass = (weight(old) - weight(young)).max(0.0);
        let u = self.stream.uniform();
        let v = self.stream.uniform();
        let count = maths::poisson_quantile(client.write_rate * self.share * mass, u);
        if count == 0 {
            return (0, Span::ZERO, mass);
        }
        // The oldest of `count` ages with density sf(a)/mass on (young, old).
        let level = maths::pow(v, 1.0 / count as f64);
        let age = flight.lag.equilibrium_quantile((weight(young) + level * mass) / flight.lag.mean());
        // Near its end the integral of the tail is flat and its inverse loses digits; the law's own end does not.
        let oldest = old.min(flight.lag.support_max());
        (count, Span::from_secs_saturating(age.clamp(young.min(oldest), oldest)), mass)
    }

    /// Writes of a client in (from, to].
    pub(super) fn count(&mut self, client: &Client, from: Instant, to: Instant) -> u64 {
        match &client.arrivals {
            Arrivals::Poisson => {
                let mean = client.write_rate * self.share * (to - from).as_secs();
                let u = self.stream.uniform();
                maths::poisson_quantile(mean, u)
            }
            Arrivals::Fixed => calendar(client, self.share, to) - calendar(client, self.share, from),
            Arrivals::Trace(times) => {
                (times.partition_point(|t| *t <= to) - times.partition_point(|t| *t <= from)) as u64
            }
        }
    }

    /// When the first of `count` writes in (from, to] was accepted.
    pub(super) fn oldest(&mut self, client: &Client, from: Instant, to: Instant, count: u64) -> Instant {
        match &client.arrivals {
            Arrivals::Poisson => {
                let u = self.stream.uniform();
                from + (to - from).scaled(1.0 - maths::pow(u, 1.0 / count as f64))
            }
            Arrivals::Fixed => {
                let number = calendar(client, self.share, from) as f64 + 0.5;
                let at =
                    Instant::ZERO + Span::from_secs_saturating(number / (client.write_rate * self.share));
                at.max(from).min(to)
            }
            Arrivals::Trace(times) => times[times.partition_point(|t| *t <= from)],
        }
    }
}

/// Marks of a fixed calendar up to `t`, the first half a distance after the start.
pub(crate) fn calendar(client: &Client, share: f64, t: Instant) -> u64 {
    // A nanosecond's worth of slack keeps a mark that falls on `t` itself inside whatever the rounding.
    (t.as_secs() * client.write_rate * share + 0.5 + 1e-9 * client.write_rate * share) as u64
}

pub(super) fn given_up(
    client: &Client,
    count: u64,
    oldest: Instant,
    fault: Instant,
    incident: Option<Incident>,
    how: Disposal,
    until: Instant,
) -> Loss {
    let merged = if how.merge { count } else { 0 };
    // A device still holds the events of the last `buffer`; they are spread evenly over the range.
    let replayable = if how.windback && client.is_field {
        let length = until.since(oldest).as_secs();
        if length <= 0.0 { 1.0 } else { (client.buffer.as_secs() / length).min(1.0) }
    } else {
        0.0
    };
    let recovered = ((count - merged) as f64 * replayable).floor() as u64;
    Loss {
        count,
        recovered,
        merged,
        bytes: (count - merged) as f64 * client.write_bytes,
        age: fault.since(oldest),
        incident,
    }
}

pub(super) fn join(a: Option<Loss>, b: Option<Loss>) -> Option<Loss> {
    match (a, b) {
        (Some(a), Some(b)) => Some(Loss {
            count: a.count + b.count,
            recovered: a.recovered + b.recovered,
            merged: a.merged + b.merged,
            bytes: a.bytes + b.bytes,
            age: a.age.max(b.age),
            incident: a.incident.or(b.incident),
        }),
        (a, b) => a.or(b),
    }
}

/// Adds a loss to those of the same fault.
pub(super) fn add(losses: &mut Vec<Loss>, loss: Option<Loss>) {
    let Some(loss) = loss else { return };
    match losses.iter_mut().find(|known| known.incident == loss.incident) {
        Some(known) => *known = join(Some(*known), Some(loss)).expect("both are there"),
        None => losses.push(loss),
    }
}
