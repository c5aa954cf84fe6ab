//! One replication, from opening to its figures.

use crate::engine::agenda::CLASSES;
use crate::engine::probe::Probe;
use crate::engine::time::{Instant, Span};
use crate::policy::contract::Policy;
use crate::policy::facts::Fact;
use crate::policy::host::{self, Setup};
use crate::system::ids::GroupId;

use super::availability::Observer;
use super::tally::Tally;

/// Events a run may take before it is given up: far more than any model needs, a limit so that nothing can hang.
const EVENTS_MAX: u64 = 200_000_000_000;

/// A loss that was older than the policy's bound allows, inside the class of faults the bound speaks of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Breach {
    /// The group, by its place in the model.
    pub group: usize,
    /// Age of the oldest lost write at the fault.
    pub age_secs: f64,
    /// What the policy promises.
    pub bound_secs: f64,
}

/// One run's figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The fingerprint of the whole run.
    pub fingerprint: u128,
    /// The fingerprint of each group's facts.
    pub group_fingerprints: Vec<u128>,
    /// Events handled.
    pub events: u64,
    /// The same by priority class, in the order of [`host::CLASS_NAMES`].
    pub events_by_class: [u64; CLASSES],
    /// A bound that did not hold.
    pub breach: Option<Breach>,
    pub(super) service: Tally,
    pub(super) groups: Vec<Tally>,
}

/// Simulates run `run` up to `horizon`.
pub fn simulate<P: Policy>(setup: &Setup<P>, run: u64, horizon: Span) -> Record {
    simulate_with(setup, run, horizon, ()).0
}

/// Simulates run `run` with a further probe, which is handed back with what it saw.
pub fn simulate_with<P: Policy, T: Probe<Fact>>(
    setup: &Setup<P>,
    run: u64,
    horizon: Span,
    probe: T,
) -> (Record, T) {
    let mut replication = Replication::open(setup, run, horizon, probe);
    replication.step();
    replication.close()
}

/// A replication whose stages are gone through one by one, for those who want to know how long each takes.
pub struct Replication<'s, P: Policy, T: Probe<Fact>> {
    simulation: host::Run<'s, P, (Observer, T)>,
    end: Instant,
}

impl<'s, P: Policy, T: Probe<Fact>> Replication<'s, P, T> {
    /// Run `run`, ready to step.
    pub fn open(setup: &'s Setup<P>, run: u64, horizon: Span, probe: T) -> Self {
        let simulation = host::open(setup, run, (Observer::new(setup), probe));
        Replication { simulation, end: Instant::ZERO + horizon }
    }

    /// Steps to the horizon.
    pub fn step(&mut self) {
        self.simulation.run_until(self.end, EVENTS_MAX);
    }

    /// Closes the books: the run's figures, and the probe with what it saw.
    pub fn close(self) -> (Record, T) {
        let Replication { mut simulation, end } = self;
        simulation.world.finish(end);
        let (events, events_by_class) = (simulation.events(), simulation.events_by_class());
        let fingerprint = simulation.world.fingerprint().value();
        let groups = simulation.world.setup().model.groups.len();
        let group_fingerprints =
            (0..groups).map(|g| simulation.world.group_fingerprint(GroupId::from(g)).value()).collect();
        let (observer, probe) = simulation.world.probe;
        let breach = observer.breach;
        let (service, groups) = observer.finish(end);
        (Record { fingerprint, group_fingerprints, events, events_by_class, breach, service, groups }, probe)
    }
}
