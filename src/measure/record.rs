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

/// What a promise was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// The age of a lost write, inside the class of faults that the bound speaks of.
    LossAge,
    /// The length of a split brain, where the bound holds for all faults.
    SplitBrain,
}

/// A promise of a policy that did not hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Breach {
    /// The group, by its place in the model.
    pub group: usize,
    /// What it was about.
    pub promise: Promise,
    /// What was seen: the age of the oldest lost write at the fault, or the length of the split brain, in seconds.
    pub secs: f64,
    /// What the policy promises, in seconds.
    pub bound_secs: f64,
}

impl Breach {
    /// A sentence for reports, with the name of the group.
    pub fn describe(&self, group: &str) -> String {
        let (seen, bound) = (self.secs, self.bound_secs);
        match self.promise {
            Promise::LossAge => format!(
                "the loss bound of group `{group}` did not hold: a write accepted {seen} s before the fault was lost, the \
                 bound is {bound} s"
            ),
            Promise::SplitBrain => format!(
                "the split-brain bound of group `{group}` did not hold: two nodes accepted for {seen} s, the bound is \
                 {bound} s"
            ),
        }
    }
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
    pub fn close(mut self) -> (Record, T) {
        let record = self.close_books();
        (record, self.simulation.world.probe.1)
    }

    /// The run's figures; a new observer stands ready.
    fn close_books(&mut self) -> Record {
        let Replication { simulation, end } = self;
        let (world, end) = (&mut simulation.world, *end);
        world.finish(end);
        let fingerprint = world.fingerprint().value();
        let setup = world.setup();
        let groups = (0..setup.model.groups.len()).map(GroupId::from);
        let group_fingerprints = groups.map(|group| world.group_fingerprint(group).value()).collect();
        let mut observer = std::mem::replace(&mut world.probe.0, Observer::new(setup));
        observer.check_open_splits(end);
        let breach = observer.breach;
        let (service, groups) = observer.finish(end);
        let (events, events_by_class) = (simulation.events(), simulation.events_by_class());
        Record { fingerprint, group_fingerprints, events, events_by_class, breach, service, groups }
    }
}

impl<P: Policy> Replication<'_, P, ()> {
    /// The run's figures. What it took is there for the next one: see [`Replication::open_next`].
    pub fn close_for_next(&mut self) -> Record {
        self.close_books()
    }

    /// Run `run` of the same model, ready to step, in the room of one that has been closed.
    pub fn open_next(&mut self, run: u64) {
        host::reopen(&mut self.simulation, run);
    }
}
