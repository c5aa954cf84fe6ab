//! No event of a steady run allocates: what it needs is there already, or is taken from what was used before.
//!
//! In a file of its own, since the allocator that counts is the whole program's.

use std::hint::black_box;

use failsim::engine::agenda::{Rank, Slot};
use failsim::engine::probe::Probe;
use failsim::engine::sim::{Ctx, Simulation, World};
use failsim::engine::time::{Instant, SECS_PER_YEAR, Span};
use failsim::model::load::load;
use failsim::model::shipped::{self, FileKind};
use failsim::policy::contract::Policy;
use failsim::policy::facts::Fact;
use failsim::policy::host::{self, Setup};
use failsim::policy::registry::Shipped;

/// What a piece of work allocates, moves of what is there to a longer place included.
fn allocations<T>(work: impl FnOnce() -> T) -> u64 {
    allocation_counter::measure(|| {
        black_box(work());
    })
    .count_total
}

fn setup(name: &str, skips: bool) -> Setup<Shipped> {
    let found = shipped::find(FileKind::Model, name, None).expect("a shipped model");
    let loaded = load::<<Shipped as Policy>::Params>(&found.source, found.files, &[]);
    let (model, _) = loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    Setup::new(model, 1, skips, false)
}

/// Counts facts.
#[derive(Clone, Default)]
struct Told(u64);

impl Probe<Fact> for Told {
    fn see(&mut self, _: Instant, _: &Fact) {
        self.0 += 1;
    }
}

#[derive(Debug, Default)]
struct Counts {
    events: u64,
    allocations: u64,
}

/// What events allocate between two times in years: those that led to no fact, and the others.
fn count(name: &str, skips: bool, [from, to]: [f64; 2]) -> [Counts; 2] {
    let setup = setup(name, skips);
    let at = |years: f64| Instant::ZERO + Span::from_secs(years * SECS_PER_YEAR).expect("a span");
    let mut run = host::open(&setup, 0, Told::default());
    run.run_until(at(from), u64::MAX);
    let mut counts = [Counts::default(), Counts::default()];
    while run.now() < at(to) {
        let facts = run.world.probe.0;
        let allocations = allocations(|| run.step());
        let counts = &mut counts[usize::from(run.world.probe.0 > facts)];
        counts.events += 1;
        counts.allocations += allocations;
    }
    counts
}

/// A world of the engine alone: a plain event that schedules its successor, a hundred in all, and a timer that each
/// of them moves, later or earlier.
#[derive(Clone)]
struct Plain {
    timer: Slot,
    fired: u32,
}

impl World for Plain {
    type Event = u32;
    fn handle(&mut self, event: u32, ctx: &mut Ctx<'_, u32>) {
        if event == u32::MAX {
            self.fired += 1;
            return;
        }
        let step = Span::from_nanos(u64::from(event % 7) * 1_000 + 1);
        ctx.push(ctx.now() + step, Rank { class: 1, entity: event }, event);
        ctx.arm(self.timer, ctx.now() + Span::from_nanos(u64::from(event) * 100));
    }
}

#[test]
fn no_event_of_a_steady_run_allocates() {
    let rank = |class, entity| Rank { class, entity };
    let mut plain = Simulation::build(|agenda| Plain { timer: agenda.slot(rank(0, 0), u32::MAX), fired: 0 });
    (0..100).for_each(|event| plain.agenda().push(Instant::ZERO, rank(1, event), event));
    plain.run_until(Instant::NEVER, 10_000);
    let steady = allocations(|| plain.run_until(Instant::NEVER, 1_000_000));
    assert_eq!(steady, 0, "a million events of the engine");
    assert!(plain.world.fired > 100, "the timer fired {} times", plain.world.fired);

    // Every beat an event: five million of them. What little is left are lists that reach a new length.
    for name in ["heartbeat-pair", "server-pair"] {
        let [quiet, _] = count(name, false, [0.01, 0.05]);
        assert!(quiet.events > 1_000_000, "{name}: {quiet:?}");
        assert!(quiet.allocations < 10, "{name}, stepwise: {quiet:?}");
    }
    // Quiet time skipped: all that is left are incidents. A process that starts, a new lineage, a detector that
    // begins again do allocate, but not with each event.
    for name in ["heartbeat-pair", "server-pair"] {
        let [quiet, told] = count(name, true, [10.0, 60.0]);
        assert!(told.events > 5_000, "{name}: {told:?}");
        let (events, allocations) = (quiet.events + told.events, quiet.allocations + told.allocations);
        assert!(allocations < events, "{name}, skipping: {allocations} allocations in {events} events");
    }
}
