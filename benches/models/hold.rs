//! The hold model (Jones 1986): take the next event, schedule one in its place; the number pending stays.

use failsim::engine::agenda::Rank;
use failsim::engine::dist::Law;
use failsim::engine::sim::{Ctx, Simulation, World};
use failsim::engine::stream::{Stream, StreamKey};
use failsim::engine::time::{Instant, Span};

use super::hand::{self, Heap, SortedArray};

/// What both forms draw from: increments with a mean of a second.
#[derive(Clone)]
pub struct Draws {
    law: Law,
    stream: Stream,
}

impl Draws {
    /// Under the seed of the bench.
    pub fn new() -> Draws {
        Draws {
            law: Law::exponential(1.0).expect("a positive mean"),
            stream: StreamKey::new(1, "hold", "increment").open(0),
        }
    }

    /// How far ahead the next event of a process is.
    #[inline]
    pub fn wait(&mut self) -> Span {
        self.law.sample(self.stream.uniform())
    }
}

/// The model on the engine; an event is the number of its process.
#[derive(Clone)]
pub struct Hold {
    draws: Draws,
    sum: u64,
}

impl Hold {
    /// With one event of each of `pending` processes scheduled.
    pub fn simulation(pending: u32) -> Simulation<Hold> {
        let mut simulation = Simulation::new(Hold { draws: Draws::new(), sum: 0 });
        simulation.set_up(|world, ctx| (0..pending).for_each(|process| world.schedule(process, ctx)));
        simulation
    }

    #[inline]
    fn schedule(&mut self, process: u32, ctx: &mut Ctx<'_, u32>) {
        let wait = self.draws.wait();
        ctx.push(ctx.now() + wait, Rank { class: 0, entity: process }, process);
    }

    /// The sum of the processes of all events so far.
    pub fn sum(&self) -> u64 {
        self.sum
    }
}

impl World for Hold {
    type Event = u32;

    #[inline]
    fn handle(&mut self, process: u32, ctx: &mut Ctx<'_, u32>) {
        self.sum += u64::from(process);
        self.schedule(process, ctx);
    }
}

/// The model by hand: a sorted array while very few are pending, a heap with fused replacement else.
pub struct ByHand {
    draws: Draws,
    pending: Pending,
    sum: u64,
}

enum Pending {
    Few(SortedArray),
    Many(Heap),
}

impl ByHand {
    /// With one event of each of `pending` processes scheduled.
    pub fn new(pending: u32) -> ByHand {
        let mut draws = Draws::new();
        let keys: Vec<u128> = (0..pending).map(|i| hand::key(draws.wait().as_nanos(), i)).collect();
        let pending = if pending <= 8 {
            let mut few = SortedArray::default();
            keys.into_iter().for_each(|key| few.push(key));
            Pending::Few(few)
        } else {
            Pending::Many(Heap::new(keys))
        };
        ByHand { draws, pending, sum: 0 }
    }

    /// `events` more.
    pub fn run(&mut self, events: u64) {
        let ByHand { draws, pending, sum } = self;
        let mut next = |key: u128| {
            *sum += u64::from(key as u32);
            hand::key(hand::nanos(key) + draws.wait().as_nanos(), key as u32)
        };
        match pending {
            Pending::Few(few) => {
                for _ in 0..events {
                    let Some(key) = few.pop() else { return };
                    few.push(next(key));
                }
            }
            Pending::Many(many) => {
                for _ in 0..events {
                    let key = many.first();
                    many.replace_first(next(key));
                }
            }
        }
    }

    /// The sum of the processes of all events so far.
    pub fn sum(&self) -> u64 {
        self.sum
    }
}

/// `events` events on the engine; gives the sum of their processes.
pub fn engine(pending: u32, events: u64) -> u64 {
    let mut simulation = Hold::simulation(pending);
    simulation.run_until(Instant::NEVER, events);
    simulation.world.sum()
}

/// The same by hand.
pub fn by_hand(pending: u32, events: u64) -> u64 {
    let mut hold = ByHand::new(pending);
    hold.run(events);
    hold.sum()
}
