//! The sums of one run.

use crate::policy::contract::Phase;
use crate::stats::quantile::Histogram;

/// What is summed. Times in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub(super) enum Sum {
    Horizon,
    Down,
    WritesDown,
    ReadsDown,
    Unsafe,
    CapacityLost,
    WorstWindow,
    FirstFailure,
    Failed,
    WindowsMet,
    Windows,
    RtoMissed,
    RtoJudged,
    Outages,
    OutageSecs,
    OutagesEnded,
    DualBelief,
    SplitSecs,
    ExposedSecs,
    Splits,
    SplitsEnded,
    SplitEndedSecs,
    DivergedSecs,
    Reconciled,
    ReconciledSecs,
    Acked,
    Lost,
    LostBytes,
    RecoveredLate,
    Merged,
    Overwritten,
    LostConfiguration,
    Reordered,
    Dropped,
    Messages,
    DualActuations,
    StaleSecs,
    Incidents,
    LossIncidents,
    LossAgeSecs,
    InClassLosses,
    InClassAgeSecs,
    OutOfClassLosses,
    OutOfClassAgeSecs,
    RpoMissed,
    OutOfClass,
    OutOfClassLost,
    DegradedSecs,
    Failovers,
    FalseFailovers,
    FailedFailovers,
    OrderedFailovers,
    FailoversTimed,
    FailoverSecs,
    Detections,
    DetectionSecs,
    Mistakes,
    MistakesEnded,
    MistakeSecs,
    StandbySecs,
    Operations,
    Succeeded,
    Duplicates,
    Ghosts,
    LatencySecs,
    NumberSecs,
    BusySecs,
    Stations,
    /// The causes of downtime follow from here, in the order of [`Phase::ALL`].
    Cause,
}

pub(super) const SUMS: usize = Sum::Cause as usize + Phase::ALL.len();

/// Distributions pooled over all runs, in nanoseconds or counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Pool {
    Outage,
    /// Those that last at the horizon.
    OpenOutage,
    Split,
    OpenSplit,
    LostPerIncident,
    LossAge,
    InClassAge,
    OutOfClassAge,
    Failover,
    Detection,
    Latency,
    QueueLongest,
}

pub(super) const POOLS: usize = Pool::QueueLongest as usize + 1;

/// Sums and pooled values of one run, of the service or of one group.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tally {
    pub(super) sums: [f64; SUMS],
    pub(super) pooled: [Vec<u64>; POOLS],
    /// Latencies of requests, too many to keep one by one.
    pub(super) latencies: Histogram,
}

impl Default for Tally {
    fn default() -> Self {
        Tally { sums: [0.0; SUMS], pooled: Default::default(), latencies: Histogram::new() }
    }
}

impl Tally {
    pub(super) fn add(&mut self, sum: Sum, value: f64) {
        self.sums[sum as usize] += value;
    }

    pub(super) fn add_cause(&mut self, cause: Phase, secs: f64) {
        self.sums[Sum::Cause as usize + cause as usize] += secs;
    }

    pub(super) fn get(&self, sum: Sum) -> f64 {
        self.sums[sum as usize]
    }

    pub(super) fn pool(&mut self, pool: Pool, value: u64) {
        self.pooled[pool as usize].push(value);
    }

    /// Adds what another group contributed, for the service as a whole: everything that is not about being up.
    pub(super) fn absorb(&mut self, group: &Tally) {
        const OF_SERVICE: [Sum; 14] = [
            Sum::Horizon,
            Sum::Down,
            Sum::WritesDown,
            Sum::ReadsDown,
            Sum::Unsafe,
            Sum::CapacityLost,
            Sum::WorstWindow,
            Sum::FirstFailure,
            Sum::Failed,
            Sum::WindowsMet,
            Sum::Windows,
            Sum::RtoMissed,
            Sum::RtoJudged,
            Sum::StaleSecs,
        ];
        let outage = [Sum::Outages, Sum::OutageSecs, Sum::OutagesEnded];
        for i in 0..Sum::Cause as usize {
            let is_of_service = OF_SERVICE.iter().chain(&outage).any(|&sum| sum as usize == i);
            if !is_of_service {
                self.sums[i] += group.sums[i];
            }
        }
        self.latencies.merge(&group.latencies);
        for (i, values) in group.pooled.iter().enumerate() {
            if i != Pool::Outage as usize && i != Pool::OpenOutage as usize {
                self.pooled[i].extend_from_slice(values);
            }
        }
    }
}
