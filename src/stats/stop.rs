//! When to stop running: a relative precision, looked at only where batches end.
//!
//! Looking after every run would stop at the first lucky streak and make intervals too short, and looking whenever
//! a thread happens to finish would make the answer depend on the machine. So the rule is asked at a schedule of run
//! counts that is fixed before the first run (Chow & Robbins 1965; Glynn & Whitt 1992). Apply it to unavailability,
//! never to availability.

use super::interval::Interval;

/// A stopping rule.
///
/// ```
/// use failsim::stats::stop::Rule;
/// let rule = Rule { relative: 0.05, events_min: 30, runs_first: 100, growth: 1.5, runs_max: 1000 };
/// assert_eq!(rule.schedule().collect::<Vec<_>>(), [100, 150, 225, 338, 507, 761, 1000]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// Half-width divided by estimate at which to stop, such as 0.05.
    pub relative: f64,
    /// Events (outages, losses) to have seen at least; below about 30 the interval itself is not to be trusted.
    pub events_min: u64,
    /// Runs before the rule is asked for the first time.
    pub runs_first: u64,
    /// Each look comes at this many times the runs of the last one; at least one run more.
    pub growth: f64,
    /// Runs at which to stop in any case.
    pub runs_max: u64,
}

/// What the rule says at the end of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go on to this number of runs, then ask again.
    Continue {
        /// Runs in all at the next look.
        until: u64,
    },
    /// The interval is narrow enough.
    Precise,
    /// The limit of runs is reached before the interval is narrow enough.
    RunsExhausted,
}

impl Rule {
    /// The run counts at which the rule is asked, rising, the last being `runs_max`.
    pub fn schedule(&self) -> impl Iterator<Item = u64> + use<> {
        let rule = *self;
        let mut next = Some(rule.runs_first.clamp(1, rule.runs_max.max(1)));
        std::iter::from_fn(move || {
            let now = next?;
            next = rule.after(now);
            Some(now)
        })
    }

    /// The look after the one at `runs`; `None` after the last.
    fn after(&self, runs: u64) -> Option<u64> {
        if runs >= self.runs_max {
            return None;
        }
        // `as` saturates, and maps the NaN of an odd growth to 0.
        let grown = (runs as f64 * self.growth).round() as u64;
        Some(grown.max(runs + 1).min(self.runs_max))
    }

    /// The first look.
    pub fn first(&self) -> u64 {
        self.runs_first.clamp(1, self.runs_max.max(1))
    }

    /// Asks the rule after `runs` runs, which must be a number of the schedule: elsewhere it only names the next
    /// look.
    pub fn decide(&self, runs: u64, interval: &Interval, events: u64) -> Decision {
        if let Some(until) = self.schedule().find(|n| *n >= runs)
            && until != runs
        {
            return Decision::Continue { until };
        }
        // Also false for NaN and for an estimate of zero.
        if events >= self.events_min && interval.relative_half_width() <= self.relative {
            return Decision::Precise;
        }
        match self.after(runs) {
            Some(until) => Decision::Continue { until },
            None => Decision::RunsExhausted,
        }
    }
}

/// Runs after which the half-width would be `goal` if the spread stays: the interval shrinks as 1/√runs.
///
/// For a progress display; a rule must not act on it. `None` if the interval says nothing yet.
pub fn runs_needed(runs: u64, interval: &Interval, relative: f64) -> Option<u64> {
    let now = interval.relative_half_width();
    let factor = now / relative;
    let needed = runs as f64 * factor * factor;
    (needed.is_finite() && needed >= 0.0).then(|| needed.ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::super::interval::Method;
    use super::*;

    const RULE: Rule = Rule { relative: 0.1, events_min: 30, runs_first: 10, growth: 2.0, runs_max: 50 };

    fn interval(half: f64) -> Interval {
        Interval::around(1.0, half, 0.95, 10, Method::StudentT)
    }

    #[test]
    fn it_stops_only_at_the_end_of_a_batch() {
        assert_eq!(RULE.decide(10, &interval(0.05), 100), Decision::Precise);
        assert_eq!(RULE.decide(11, &interval(0.05), 100), Decision::Continue { until: 20 });
        assert_eq!(RULE.decide(10, &interval(0.2), 100), Decision::Continue { until: 20 });
    }

    #[test]
    fn few_events_are_not_precise() {
        assert_eq!(RULE.decide(40, &interval(0.05), 29), Decision::Continue { until: 50 });
        assert_eq!(RULE.decide(50, &interval(0.05), 29), Decision::RunsExhausted);
        let zero = Interval::around(0.0, 0.0, 0.95, 50, Method::StudentT);
        assert_eq!(RULE.decide(50, &zero, 100), Decision::RunsExhausted);
    }

    #[test]
    fn odd_rules_still_end() {
        let rule = Rule { growth: f64::NAN, runs_first: 0, runs_max: 4, ..RULE };
        assert_eq!(rule.schedule().collect::<Vec<_>>(), [1, 2, 3, 4]);
        let rule = Rule { runs_max: 0, ..RULE };
        assert_eq!(rule.schedule().collect::<Vec<_>>(), [1]);
        assert_eq!(rule.decide(1, &interval(1.0), 0), Decision::RunsExhausted);
    }

    #[test]
    fn the_runs_still_needed_grow_with_the_square() {
        assert_eq!(runs_needed(100, &interval(0.2), 0.1), Some(400));
        assert_eq!(runs_needed(100, &interval(f64::INFINITY), 0.1), None);
    }
}
