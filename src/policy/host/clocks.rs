//! Clocks, evaluated lazily: nothing happens at a synchronisation unless somebody looks.
//!
//! A wall clock errs by its offset at the start until it is first synchronised, then by what the last synchronisation
//! left, by its drift since, and by the steps since: a step (somebody sets the clock, or a time server lies) lasts until
//! the next synchronisation, or for ever where there is none. The monotonic clock knows none of that but the drift.

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
    /// Steps of the wall clock: when, and the sum of all up to then in seconds.
    steps: Vec<(Instant, f64)>,
}

impl Clocks {
    /// Draws the drift; the n-th synchronisation error is read at position n of `errors`.
    pub(super) fn new(spec: &Clock, drift: &mut Stream, errors: Stream) -> Clocks {
        let drift = if spec.drift_max == 0.0 { 0.0 } else { (2.0 * drift.uniform() - 1.0) * spec.drift_max };
        Clocks { drift, errors, steps: Vec::new() }
    }

    /// The wall clock is set forward (or back) by so many seconds.
    pub(super) fn step(&mut self, now: Instant, secs: f64) {
        let before = self.steps.last().map_or(0.0, |(_, sum)| *sum);
        self.steps.push((now, before + secs));
    }

    /// What the steps in (`from`, `to`] come to.
    fn stepped(&self, from: Option<Instant>, to: Instant) -> f64 {
        if self.steps.is_empty() {
            return 0.0;
        }
        let sum = |count: usize| if count == 0 { 0.0 } else { self.steps[count - 1].1 };
        let up_to = |end: Instant| sum(self.steps.partition_point(|(at, _)| *at <= end));
        up_to(to) - from.map_or(0.0, |from| sum(self.steps.partition_point(|(at, _)| *at < from)))
    }

    /// The wall clock's error at `now`, in seconds: the last synchronisation's error, and the drift and steps since.
    pub(super) fn wall_error(&self, spec: &Clock, now: Instant) -> f64 {
        if spec.sync_interval.is_never() {
            return spec.offset_secs + self.drift * now.as_secs() + self.stepped(None, now);
        }
        let interval = spec.sync_interval.as_nanos().max(1);
        let epoch = now.as_nanos() / interval;
        let since = Span::from_nanos(now.as_nanos() % interval);
        let error = if epoch == 0 && spec.offset_secs != 0.0 {
            spec.offset_secs
        } else if spec.sync_error_secs == 0.0 {
            0.0
        } else {
            spec.sync_error_secs * maths::normal_quantile(self.errors.uniform_at(epoch))
        };
        error + self.drift * since.as_secs() + self.stepped(Some(now.before(since)), now)
    }

    /// What the wall clock shows, in seconds.
    pub(super) fn wall(&self, spec: &Clock, now: Instant) -> f64 {
        now.as_secs() + self.wall_error(spec, now)
    }

    /// The first true instant from `now` on at which the wall clock shows `deadline` or more, if it is not set again. A
    /// step back at a synchronisation makes it later, a step forward earlier.
    pub(super) fn when_wall_shows(&self, spec: &Clock, now: Instant, deadline: f64) -> Instant {
        let rate = 1.0 + self.drift;
        let interval = spec.sync_interval.as_nanos().max(1);
        // After the next synchronisation the clock is ahead by no more than this: steps are over, and no uniform has a
        // quantile beyond nine standard deviations. Epochs that end before are passed over, but for one in case of
        // rounding.
        let ahead_max = 9.0 * spec.sync_error_secs + self.drift.max(0.0) * spec.sync_interval.as_secs();
        let mut at = now;
        loop {
            let reading = self.wall(spec, at);
            if reading >= deadline || at.is_never() {
                return at;
            }
            let hit = at + Span::from_secs_saturating((deadline - reading) / rate);
            if spec.sync_interval.is_never() {
                return hit;
            }
            let next = (at.as_nanos() / interval).saturating_add(1).saturating_mul(interval);
            if hit < Instant::from_nanos(next) {
                return hit;
            }
            let earliest = Span::from_secs_saturating(deadline - ahead_max);
            if earliest.is_never() {
                return Instant::NEVER;
            }
            let worth_a_look = (earliest.as_nanos() / interval).saturating_sub(1) * interval;
            at = Instant::from_nanos(next.max(worth_a_look));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stream::StreamKey;

    fn at(secs: f64) -> Instant {
        Instant::ZERO + Span::from_secs(secs).unwrap()
    }

    fn clock(sync_interval: Span, offset_secs: f64) -> (Clock, Clocks) {
        let spec = Clock { drift_max: 0.0, sync_error_secs: 0.0, sync_interval, offset_secs };
        let stream = |purpose| StreamKey::new(1, "a", purpose).open(0);
        let clocks = Clocks::new(&spec, &mut stream("drift"), stream("clock"));
        (spec, clocks)
    }

    #[test]
    fn an_offset_lasts_until_the_first_synchronisation() {
        let (spec, clocks) = clock(Span::from_whole_secs(1000), -30.0);
        assert_eq!(clocks.wall_error(&spec, at(0.0)), -30.0);
        assert_eq!(clocks.wall_error(&spec, at(999.0)), -30.0);
        assert_eq!(clocks.wall_error(&spec, at(1000.0)), 0.0);
        let (spec, clocks) = clock(Span::NEVER, -30.0);
        assert_eq!(clocks.wall_error(&spec, at(1e6)), -30.0);
    }

    #[test]
    fn a_step_lasts_until_the_next_synchronisation() {
        let (spec, mut clocks) = clock(Span::from_whole_secs(1000), 0.0);
        clocks.step(at(1400.0), 20.0);
        clocks.step(at(1500.0), -50.0);
        clocks.step(at(2500.0), 7.0);
        for (when, error) in [
            (1399.0, 0.0),
            (1400.0, 20.0),
            (1500.0, -30.0),
            (1999.0, -30.0),
            (2000.0, 0.0),
            (2500.0, 7.0),
            (3000.0, 0.0),
        ] {
            assert_eq!(clocks.wall_error(&spec, at(when)), error, "at {when}");
        }
        let (spec, mut clocks) = clock(Span::NEVER, 1.0);
        clocks.step(at(10.0), 2.0);
        clocks.step(at(20.0), 3.0);
        assert_eq!([5.0, 15.0, 25.0].map(|when| clocks.wall_error(&spec, at(when))), [1.0, 3.0, 6.0]);
    }

    #[test]
    fn a_wall_timer_is_met_when_the_clock_shows_it() {
        let (spec, mut clocks) = clock(Span::from_whole_secs(1000), 0.0);
        assert_eq!(clocks.when_wall_shows(&spec, at(100.0), 150.0), at(150.0));
        clocks.step(at(100.0), 30.0);
        assert_eq!(clocks.when_wall_shows(&spec, at(100.0), 150.0), at(120.0));
        assert_eq!(clocks.when_wall_shows(&spec, at(100.0), 120.0), at(100.0));
        clocks.step(at(101.0), -90.0);
        assert_eq!(clocks.when_wall_shows(&spec, at(101.0), 150.0), at(210.0));
        // Set back by an hour it shows the time again only after the next synchronisation.
        clocks.step(at(102.0), -3600.0);
        assert_eq!(clocks.when_wall_shows(&spec, at(102.0), 150.0), at(1000.0));
    }

    #[test]
    fn a_deadline_many_synchronisations_away_is_met_in_time() {
        let (mut spec, mut clocks) = clock(Span::from_whole_secs(1), 0.0);
        let day = 86_400.0;
        assert_eq!(clocks.when_wall_shows(&spec, at(0.5), day), at(day));
        assert_eq!(clocks.when_wall_shows(&spec, at(0.5), f64::INFINITY), Instant::NEVER);
        clocks.step(at(0.5), -3600.0);
        assert_eq!(clocks.when_wall_shows(&spec, at(0.5), day), at(day));
        // No epoch that could meet it is passed over: all of them in turn give the same.
        spec.sync_error_secs = 0.4;
        clocks.drift = 0.01;
        for deadline in [5.0, 50.0, 77.25, 300.0, 3000.0, 9000.5] {
            let in_turn = (1..).find_map(|epoch| {
                let begins = at(f64::from(epoch));
                let missing = (deadline - clocks.wall(&spec, begins)).max(0.0) / 1.01;
                (missing < 1.0).then(|| begins + Span::from_secs_saturating(missing))
            });
            assert_eq!(Some(clocks.when_wall_shows(&spec, at(0.5), deadline)), in_turn, "{deadline}");
        }
    }
}
