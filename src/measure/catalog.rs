//! The measures: names, units, definitions, and how each is estimated from the sums of runs.
//!
//! Terms follow IEC 60050-192 (dependability); detector quality follows Chen, Toueg and Aguilera (2002).

use crate::engine::time::SECS_PER_YEAR;
use crate::policy::contract::Phase;

use super::tally::{Pool, Sum};

/// One measure.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// As it is written in files and tables.
    pub name: &'static str,
    /// `1` for shares and probabilities, `s`, `1/yr`, `s/yr`, …
    pub unit: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Measures of one family stand together.
    pub family: &'static str,
    /// Whether less of it is better; `None`: neither.
    pub lower_is_better: Option<bool>,
    pub(super) method: Method,
    pub(super) needs: Needs,
}

/// How a measure is estimated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Method {
    /// A sum of seconds over the horizon, in [0, 1].
    Share(Sum),
    /// One minus such a share.
    Rest(Sum),
    /// A mean over runs of a time from the start, at most the horizon.
    TimeFromStart(Sum),
    /// A mean over runs of a share, in [0, 1].
    MeanShare(Sum),
    /// Events a year.
    Rate(Sum),
    /// What events amount to in a year, such as writes lost, and of what it is a part.
    Amount(Sum, Option<Sum>),
    /// Seconds a year.
    TimeRate(Sum),
    /// Seconds a year of one cause of downtime.
    CauseRate(Phase),
    /// A large count a second.
    PerSecond(Sum),
    /// A large count a second; absent where there is none by design.
    PerSecondIfAny(Sum),
    /// A sum over another: a mean per event.
    Ratio(Sum, Sum),
    /// A sum over another of which it is a part, in [0, 1].
    Fraction(Sum, Sum),
    /// The share of runs or trials: hits over trials.
    Probability(Sum, Sum),
    /// The share of runs in which it did not happen.
    NotInRuns(Sum),
    /// A quantile of pooled values, with what turns a raw value into the unit.
    Quantile(Pool, f64, f64),
    /// The mean of pooled values.
    MeanOf(Pool, f64),
    /// The largest in all runs.
    Max(Pool, f64),
    /// Hours a year that follow from the model alone.
    NodeHours,
    /// Hours a year of a sum of seconds.
    HoursRate(Sum),
    /// Cost a year.
    Cost,
}

/// What a model must have for a measure to exist.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Needs {
    Nothing,
    /// Somebody who writes.
    Writes,
    /// Somebody who reads.
    Reads,
    /// Writes that are stored, with one acceptor at a time.
    Ledger,
    /// Writes that are stored at several nodes at once.
    Merge,
    /// One acceptor at a time, and a node that can take over.
    Exclusive,
    /// Stored writes that two nodes can accept without each other.
    Divergence,
    /// A winner of a split brain that takes in what the loser accepted.
    TakenIn,
    /// Devices that replay what was lost.
    Replay,
    /// A target for windows.
    Availability,
    /// A recovery time objective.
    Rto,
    /// A recovery point objective.
    Rpo,
    /// Writes that change the configuration.
    Configuration,
    /// Synchronous copies.
    Sync,
    /// Heartbeats.
    Detector,
    /// A limit to the age of what is read, and data that can be older.
    Staleness,
    /// One acceptor at a time, and devices that obey whoever accepts.
    Actuators,
    /// Writes whose order can change.
    Order,
    /// Field devices.
    Field,
    /// A node that can do another one's work.
    Several,
    /// Costs.
    Cost,
    /// Request fidelity.
    Requests,
    /// Request fidelity and service stations.
    Stations,
}

const NANO: f64 = 1e-9;
const ONE: f64 = 1.0;

/// Raw seconds to the unit of a rate: a year.
pub(super) const YEAR: f64 = SECS_PER_YEAR;

macro_rules! catalog {
    ($($family:literal, $needs:ident: { $($name:literal, $unit:literal, $better:expr, $method:expr, $doc:literal;)* })*) => {
        &[$($(Measure {
            name: $name, unit: $unit, doc: $doc, family: $family, lower_is_better: $better,
            method: $method, needs: Needs::$needs,
        },)*)*]
    };
}

const LESS: Option<bool> = Some(true);
const MORE: Option<bool> = Some(false);

static MEASURES: &[Measure] = catalog! {
    "availability", Nothing: {
        "availability", "1", MORE, Method::Rest(Sum::Down), "Time-based availability: the share of time in which a request of each kind, issued then, would succeed within its deadline for clients of the required weight (mean availability over the horizon, IEC 60050-192-08-05).";
        "unavailability", "1", LESS, Method::Share(Sum::Down), "One minus availability.";
    }
    "availability", Writes: {
        "write_availability", "1", MORE, Method::Rest(Sum::WritesDown), "The share of time in which writes are served.";
    }
    "availability", Reads: {
        "read_availability", "1", MORE, Method::Rest(Sum::ReadsDown), "The share of time in which reads are served.";
    }
    "availability", Nothing: {
        "safe_availability", "1", MORE, Method::Rest(Sum::Unsafe), "The share of time in which the service is up, no two nodes accept the same part of the work at once, and no reads are answered from data older than the objective's staleness (where it has one): the default for ranking.";
        "capacity_availability", "1", MORE, Method::Rest(Sum::CapacityLost), "Time mean of serving nodes over required ones, at most 1.";
        "availability_window_min", "1", MORE, Method::MeanShare(Sum::WorstWindow), "The worst availability of any window of the objective's length (30 days without one) within a run; the mean over runs.";
        "downtime", "s/yr", LESS, Method::TimeRate(Sum::Down), "Time down a year; the causes below add up to it.";
        "time_to_first_failure", "s", MORE, Method::TimeFromStart(Sum::FirstFailure), "Time from the start to the first outage, the horizon where there is none: a lower bound of the mean. An outage is any time in which a request would miss its deadline, so a failover counts as a failure unless clients have a `deadline` that outlasts it (IEC 60050-192-05-11).";
        "reliability", "1", MORE, Method::NotInRuns(Sum::Failed), "The share of runs without any outage; a failover is one where it outlasts the clients' `deadline`.";
    }
    "availability", Staleness: {
        "stale_time", "s/yr", LESS, Method::TimeRate(Sum::StaleSecs), "Time in which reads were answered from data that lacked writes acknowledged longer ago than the objective's staleness, which another running node had.";
    }
    "objectives", Availability: {
        "slo_met", "1", MORE, Method::Fraction(Sum::WindowsMet, Sum::Windows), "The share of windows that meet the availability target.";
    }
    "objectives", Rto: {
        "rto_miss_fraction", "1", LESS, Method::Probability(Sum::RtoMissed, Sum::RtoJudged), "The share of outages longer than the recovery time objective, of those that begin so early that they can be before the horizon.";
    }
    "objectives", Rpo: {
        "rpo_miss_fraction", "1", LESS, Method::Probability(Sum::RpoMissed, Sum::Incidents), "The share of incidents that lost data older than the recovery point objective.";
    }
    "outages", Nothing: {
        "outage_rate", "1/yr", LESS, Method::Rate(Sum::Outages), "Outages a year.";
        "outage_duration_mean", "s", LESS, Method::MeanOf(Pool::Outage, NANO), "Mean length of an outage.";
        "outage_duration_p50", "s", LESS, Method::Quantile(Pool::Outage, 0.5, NANO), "Half of all outages are longer.";
        "outage_duration_p95", "s", LESS, Method::Quantile(Pool::Outage, 0.95, NANO), "One in twenty is longer.";
        "outage_duration_max", "s", LESS, Method::Max(Pool::Outage, NANO), "The longest in all runs, whether it had ended or not; it grows with their number.";
        "downtime_detect", "s/yr", LESS, Method::CauseRate(Phase::Detect), "Down because nobody able to act had noticed yet, or a balancer held instances that serve for dead.";
        "downtime_fence", "s/yr", LESS, Method::CauseRate(Phase::Fence), "Down while a node was being powered off.";
        "downtime_elect", "s/yr", LESS, Method::CauseRate(Phase::Elect), "Down while nodes agreed who takes over.";
        "downtime_promote", "s/yr", LESS, Method::CauseRate(Phase::Promote), "Down while the new node was made able to serve.";
        "downtime_redirect", "s/yr", LESS, Method::CauseRate(Phase::Redirect), "Down while traffic was pointed to it.";
        "downtime_reconnect", "s/yr", LESS, Method::CauseRate(Phase::Reconnect), "Down while clients were finding it.";
        "downtime_warm", "s/yr", LESS, Method::CauseRate(Phase::Warm), "Down while it warmed up.";
        "downtime_restart", "s/yr", LESS, Method::CauseRate(Phase::Restart), "Down while a node started again and no other could act.";
        "downtime_network", "s/yr", LESS, Method::CauseRate(Phase::Network), "Down because a node that accepted could not be reached.";
        "downtime_no_spare", "s/yr", LESS, Method::CauseRate(Phase::NoSpare), "Down because every capable node was dead.";
        "downtime_no_quorum", "s/yr", LESS, Method::CauseRate(Phase::NoQuorum), "Down because a node alone may not act: it waits for a copy before it acknowledges, or has withdrawn because it is cut off, and nobody else is able to.";
        "downtime_overload", "s/yr", LESS, Method::CauseRate(Phase::Overload), "Down because of too much work.";
        "downtime_planned", "s/yr", LESS, Method::CauseRate(Phase::Planned), "Down because of planned work or an ordered changeover.";
        "downtime_human", "s/yr", LESS, Method::CauseRate(Phase::Human), "Down until a person had done what should have worked by itself.";
    }
    "split brain", Exclusive: {
        "dual_belief_time", "s/yr", LESS, Method::TimeRate(Sum::DualBelief), "Time in which two nodes believed themselves active in the same part of the work.";
        "split_brain_rate", "1/yr", LESS, Method::Rate(Sum::Splits), "Split-brain windows a year: maximal intervals in which two nodes would accept and acknowledge a write of the same part of the work.";
        "split_brain_time", "s/yr", LESS, Method::TimeRate(Sum::SplitSecs), "Time in such windows a year.";
        "split_brain_exposed_time", "s/yr", LESS, Method::TimeRate(Sum::ExposedSecs), "Of that, time in which two of them were reached by a client or device.";
        "split_brain_window_mean", "s", LESS, Method::MeanOf(Pool::Split, NANO), "Mean length of a window.";
        "split_brain_window_p95", "s", LESS, Method::Quantile(Pool::Split, 0.95, NANO), "One in twenty is longer.";
        "split_brain_window_max", "s", LESS, Method::Max(Pool::Split, NANO), "The longest in all runs, whether it had ended or not.";
    }
    "split brain", Divergence: {
        "reconciliation_time_mean", "s", LESS, Method::Ratio(Sum::ReconciledSecs, Sum::Reconciled), "From the first divergence to the end of it, mean.";
        "divergence_time", "s/yr", LESS, Method::TimeRate(Sum::DivergedSecs), "Time in which two histories held acknowledged writes that the other did not: after a split brain, or while sites that all write cannot exchange theirs.";
    }
    "split brain", Actuators: {
        "dual_actuation_rate", "1/yr", LESS, Method::Rate(Sum::DualActuations), "Windows a year in which two nodes that accepted reached the same field devices, which obey both: each command given on both sides is carried out twice.";
    }
    "data", Ledger: {
        "acked_rate", "1/s", None, Method::PerSecond(Sum::Acked), "Acknowledged writes a second.";
        "lost_rate", "1/yr", LESS, Method::Amount(Sum::Lost, Some(Sum::Acked)), "Acknowledged writes a year that are not in the surviving state after reconciliation.";
        "lost_fraction", "1", LESS, Method::Fraction(Sum::Lost, Sum::Acked), "Of all acknowledged writes.";
        "lost_per_incident_mean", "1", LESS, Method::Ratio(Sum::Lost, Sum::Incidents), "Acknowledged writes lost for each fault that took the serving node away or cut it off.";
        "lost_per_incident_p95", "1", LESS, Method::Quantile(Pool::LostPerIncident, 0.95, ONE), "One incident in twenty loses more.";
        "lost_per_incident_max", "1", LESS, Method::Max(Pool::LostPerIncident, ONE), "The most in all runs.";
        "loss_age_mean", "s", LESS, Method::MeanOf(Pool::LossAge, NANO), "How long before the fault the oldest lost write had been accepted; incidents that lost anything.";
        "loss_age_p95", "s", LESS, Method::Quantile(Pool::LossAge, 0.95, NANO), "One in twenty is older.";
        "loss_age_max", "s", LESS, Method::Max(Pool::LossAge, NANO), "The oldest in all runs, whatever the fault; the policy's bound speaks of in_class_loss_age_max.";
        "in_class_loss_age_mean", "s", LESS, Method::MeanOf(Pool::InClassAge, NANO), "The age of the oldest lost write after faults of the class that the policy's bound speaks of; incidents that lost anything.";
        "in_class_loss_age_p95", "s", LESS, Method::Quantile(Pool::InClassAge, 0.95, NANO), "One in twenty of them is older.";
        "in_class_loss_age_max", "s", LESS, Method::Max(Pool::InClassAge, NANO), "The oldest of them in all runs: never older than the bound.";
        "out_of_class_loss_age_mean", "s", LESS, Method::MeanOf(Pool::OutOfClassAge, NANO), "The age of the oldest lost write after faults that the policy's bound does not speak of, such as cuts and second faults; incidents that lost anything.";
        "out_of_class_loss_age_p95", "s", LESS, Method::Quantile(Pool::OutOfClassAge, 0.95, NANO), "One in twenty of them is older.";
        "out_of_class_loss_age_max", "s", LESS, Method::Max(Pool::OutOfClassAge, NANO), "The oldest of them in all runs.";
        "lost_bytes_rate", "B/yr", LESS, Method::Amount(Sum::LostBytes, None), "Bytes lost a year.";
    }
    "data", Replay: {
        "recovered_late_rate", "1/yr", None, Method::Amount(Sum::RecoveredLate, Some(Sum::Acked)), "Lost writes a year that devices replayed later from their buffers; they are in lost_rate as well.";
    }
    "data", TakenIn: {
        "merged_rate", "1/yr", None, Method::Amount(Sum::Merged, Some(Sum::Acked)), "Writes a year accepted by the losing side of a split brain and merged into the winner; overwritten_rate tells of values that met there.";
    }
    "data", Ledger: {
        "out_of_class_rate", "1/yr", None, Method::Rate(Sum::OutOfClass), "Incidents a year outside the class of faults that the bound speaks of.";
        "out_of_class_lost_rate", "1/yr", LESS, Method::Amount(Sum::OutOfClassLost, Some(Sum::Acked)), "Writes lost in those.";
        "loss_incident_rate", "1/yr", LESS, Method::Rate(Sum::LossIncidents), "Faults a year that lost any acknowledged write. Where none is seen, its bound is three in all years simulated; how much an unseen one would lose nobody knows, so the bound of lost_rate is that of runs that lose all.";
    }
    "data", Configuration: {
        "lost_configuration_rate", "1/yr", LESS, Method::Amount(Sum::LostConfiguration, Some(Sum::Acked)), "Of the lost writes, changes of the configuration a year: no merge keeps those of the losing side.";
    }
    "data", Sync: {
        "degraded_time", "s/yr", LESS, Method::TimeRate(Sum::DegradedSecs), "Time in which a synchronous node acknowledged alone.";
    }
    "data", Merge: {
        "overwritten_rate", "1/yr", LESS, Method::Amount(Sum::Overwritten, Some(Sum::Acked)), "Acknowledged writes a year that a merge rule discarded, because the same key or point had been written elsewhere meanwhile.";
    }
    "data", Order: {
        "reordered_rate", "1/yr", LESS, Method::Amount(Sum::Reordered, Some(Sum::Acked)), "Acknowledged writes a year that stand against the order of acknowledgement: a write of the same key acknowledged after them was discarded for them, since clocks differ, or a device replayed them behind newer ones.";
    }
    "data", Field: {
        "dropped_rate", "1/yr", LESS, Method::Amount(Sum::Dropped, None), "Field events a year that no node took for longer than the device keeps them: never acknowledged, and gone.";
    }
    "failover", Exclusive: {
        "failover_rate", "1/yr", None, Method::Rate(Sum::Failovers), "Takeovers by another node a year, complete with a client served.";
        "false_failover_rate", "1/yr", LESS, Method::Rate(Sum::FalseFailovers), "Of these, those in which the one before could still accept at the instant of suspicion.";
        "failed_failover_rate", "1/yr", LESS, Method::Rate(Sum::FailedFailovers), "Takeovers a year that were begun and not completed by another node before the former one was back.";
        "failover_time_mean", "s", LESS, Method::MeanOf(Pool::Failover, NANO), "From the fault (a crash or pause of the one before, or the cut for which it gave its role up) to service on another node that was up at the fault and stayed up.";
        "failover_time_p95", "s", LESS, Method::Quantile(Pool::Failover, 0.95, NANO), "One in twenty takes longer.";
        "failover_time_max", "s", LESS, Method::Max(Pool::Failover, NANO), "The longest in all runs.";
    }
    "failover", Detector: {
        "detection_time_mean", "s", LESS, Method::MeanOf(Pool::Detection, NANO), "From the fault to the suspicion of the node that took over.";
        "detection_time_p95", "s", LESS, Method::Quantile(Pool::Detection, 0.95, NANO), "One in twenty takes longer.";
        "detection_time_max", "s", LESS, Method::Max(Pool::Detection, NANO), "The longest in all runs.";
        "mistake_rate", "1/yr", LESS, Method::Rate(Sum::Mistakes), "Suspicions a year, over all watching pairs, of a node that ran and was not paused.";
        "mistake_duration_mean", "s", LESS, Method::Ratio(Sum::MistakeSecs, Sum::MistakesEnded), "How long such a suspicion lasts.";
    }
    "requests", Requests: {
        "request_availability", "1", MORE, Method::Fraction(Sum::Succeeded, Sum::Operations), "Operations that succeeded in time over those issued; retries belong to their operation.";
        "ghost_rate", "1/yr", LESS, Method::Amount(Sum::Ghosts, Some(Sum::Operations)), "Writes a year that the client was told had failed and that are there all the same.";
        "duplicate_rate", "1/yr", LESS, Method::Amount(Sum::Duplicates, Some(Sum::Operations)), "Writes a year that a retry made a second time.";
        "latency_mean", "s", LESS, Method::MeanOf(Pool::Latency, NANO), "From issue to answer of operations that succeeded, retries included.";
        "latency_p50", "s", LESS, Method::Quantile(Pool::Latency, 0.5, NANO), "Half of them take longer.";
        "latency_p99", "s", LESS, Method::Quantile(Pool::Latency, 0.99, NANO), "One in a hundred takes longer.";
        "latency_p999", "s", LESS, Method::Quantile(Pool::Latency, 0.999, NANO), "One in a thousand takes longer.";
        "throughput", "1/s", MORE, Method::PerSecond(Sum::Operations), "Operations that came to an end a second.";
        "goodput", "1/s", MORE, Method::PerSecond(Sum::Succeeded), "Operations that succeeded in time a second.";
    }
    "load", Stations: {
        "queue_length_mean", "1", LESS, Method::Ratio(Sum::NumberSecs, Sum::Stations), "Requests in a station, waiting or in service: mean over time and stations.";
        "queue_length_max", "1", LESS, Method::Max(Pool::QueueLongest, ONE), "The most in one station in all runs.";
        "utilisation", "1", None, Method::Fraction(Sum::BusySecs, Sum::Stations), "Share of servers busy: mean over time and stations.";
    }
    "cost", Nothing: {
        "node_hours", "h/yr", LESS, Method::NodeHours, "Hours of nodes owned a year.";
        "standby_hours", "h/yr", LESS, Method::HoursRate(Sum::StandbySecs), "Of these, hours in which a node ran and served no part of the work.";
    }
    "cost", Nothing: {
        "messages_rate", "1/s", LESS, Method::PerSecondIfAny(Sum::Messages), "Messages of the protocol a second: heartbeats to each peer, health checks, polls and echo requests with their answers, and what nodes tell each other; without clients' requests and copies of data.";
    }
    "cost", Cost: {
        "annual_cost", "1/yr", LESS, Method::Cost, "Cost of the nodes and of the downtime a year, in the model's currency.";
    }
};

impl Measure {
    /// How it is estimated, and its interval.
    pub fn estimated(&self) -> &'static str {
        match self.method {
            Method::Share(_) | Method::Rest(_) | Method::MeanShare(_) | Method::Cost => {
                "mean over runs, limits of a gamma law, which few large values in many runs do not deceive as they do \
                 Student's t; where no run saw any, the share of runs that may have had some, each taken as a whole"
            }
            Method::TimeRate(_) | Method::CauseRate(_) => {
                "mean over runs, limits of a gamma law; where no run saw any, the share of runs that may have had some, \
                 each taken as a whole"
            }
            Method::Amount(..) => {
                "mean over runs, limits of a gamma law; where no run saw any, the share of runs that may have had some, \
                 each taken to lose all that it could, or no limit"
            }
            Method::Rate(_) => {
                "events over time; up to 29 events Poisson's limits, in clusters where runs differ by more than that, \
                 then limits of a gamma law"
            }
            Method::TimeFromStart(_)
            | Method::PerSecond(_)
            | Method::PerSecondIfAny(_)
            | Method::HoursRate(_) => {
                "mean over runs, limits of a gamma law for the side on which the exceptions lie"
            }
            Method::Ratio(..) | Method::MeanOf(..) => {
                "sum over sum of all runs, spread from run to run, limits of a gamma law; from a single run with a case \
                 no upper limit. Spells that last at the horizon count as longer than they were seen (Kaplan & Meier)"
            }
            Method::Fraction(..) => {
                "sum over sum of all runs, spread from run to run; where runs had none, or nothing else, they are the trials"
            }
            Method::Probability(..) | Method::NotInRuns(_) => {
                "Clopper and Pearson's limits of a share of trials"
            }
            Method::Quantile(Pool::Latency, ..) => {
                "order statistics of all runs' values, as of so many independent ones as tell as much"
            }
            Method::Quantile(..) => {
                "order statistics of all runs' values; too few have no upper limit. Spells that last at the horizon \
                 count as longer than they were seen (Kaplan & Meier)"
            }
            Method::Max(..) => "the largest seen, with no interval: it grows with the runs",
            Method::NodeHours => "follows from the model alone",
        }
    }

    /// Whether its bound, where nothing was seen, takes a whole run to be what one event would come to, which is far more
    /// than anybody expects.
    pub fn is_bound_of_whole_runs(&self) -> bool {
        matches!(self.method, Method::TimeRate(_) | Method::CauseRate(_) | Method::Amount(..))
    }

    /// The least and the greatest value that it can have; a year has no more than its seconds.
    pub fn range(&self) -> (f64, f64) {
        match self.method {
            Method::Share(_)
            | Method::Rest(_)
            | Method::MeanShare(_)
            | Method::Fraction(..)
            | Method::Probability(..)
            | Method::NotInRuns(_) => (0.0, 1.0),
            Method::TimeRate(_) | Method::CauseRate(_) => (0.0, YEAR),
            _ => (0.0, f64::INFINITY),
        }
    }
}

/// All measures in the order of reports.
pub fn measures() -> &'static [Measure] {
    MEASURES
}

/// The measure of a name.
///
/// ```
/// assert_eq!(failsim::measure::find("unavailability").unwrap().unit, "1");
/// assert!(failsim::measure::find("unavailabilty").is_none());
/// ```
pub fn find(name: &str) -> Option<&'static Measure> {
    MEASURES.iter().find(|measure| measure.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_cause_has_a_measure() {
        for (i, measure) in MEASURES.iter().enumerate() {
            assert!(MEASURES[i + 1..].iter().all(|other| other.name != measure.name), "{}", measure.name);
        }
        for phase in Phase::ALL {
            assert!(find(&format!("downtime_{}", phase.name())).is_some());
        }
    }
}
