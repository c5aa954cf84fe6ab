//! M/M/1: one server, customers in order, load 0.9.

use failsim::engine::agenda::Rank;
use failsim::engine::dist::Law;
use failsim::engine::sim::{Ctx, Simulation, World};
use failsim::engine::stream::{Stream, StreamKey};
use failsim::engine::time::{Instant, Span};

use super::hand::{self, SortedArray};

const RANK: Rank = Rank { class: 0, entity: 0 };

/// What both forms draw from.
#[derive(Clone)]
pub struct Draws {
    between: Law,
    service: Law,
    arrivals: Stream,
    services: Stream,
}

impl Draws {
    /// Under the seed of the bench.
    pub fn new() -> Draws {
        Draws {
            between: Law::exponential(1.0).expect("a positive mean"),
            service: Law::exponential(0.9).expect("a positive mean"),
            arrivals: StreamKey::new(1, "queue", "arrivals").open(0),
            services: StreamKey::new(1, "queue", "services").open(0),
        }
    }

    /// Until the next customer comes.
    #[inline]
    pub fn between(&mut self) -> Span {
        self.between.sample(self.arrivals.uniform())
    }

    /// How long one is served.
    #[inline]
    pub fn service(&mut self) -> Span {
        self.service.sample(self.services.uniform())
    }
}

/// What can happen.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A customer comes.
    Arrives,
    /// The one being served goes.
    Leaves,
}

/// The queue on the engine.
#[derive(Clone)]
pub struct Queue {
    draws: Draws,
    waiting: u32,
}

impl Queue {
    /// With the first customer scheduled.
    pub fn simulation() -> Simulation<Queue> {
        let mut simulation = Simulation::new(Queue { draws: Draws::new(), waiting: 0 });
        simulation.set_up(Queue::next_arrives);
        simulation
    }

    fn next_arrives(&mut self, ctx: &mut Ctx<'_, Event>) {
        let wait = self.draws.between();
        ctx.push(ctx.now() + wait, RANK, Event::Arrives);
    }

    fn serves(&mut self, ctx: &mut Ctx<'_, Event>) {
        let takes = self.draws.service();
        ctx.push(ctx.now() + takes, RANK, Event::Leaves);
    }
}

impl World for Queue {
    type Event = Event;

    #[inline]
    fn handle(&mut self, event: Event, ctx: &mut Ctx<'_, Event>) {
        match event {
            Event::Arrives => {
                self.waiting += 1;
                if self.waiting == 1 {
                    self.serves(ctx);
                }
                self.next_arrives(ctx);
            }
            Event::Leaves => {
                self.waiting -= 1;
                if self.waiting > 0 {
                    self.serves(ctx);
                }
            }
        }
    }
}

/// `events` events on the engine: the time of the last in nanoseconds, and who waits then.
pub fn engine(events: u64) -> (u64, u32) {
    let mut simulation = Queue::simulation();
    simulation.run_until(Instant::NEVER, events);
    (simulation.now().as_nanos(), simulation.world.waiting)
}

/// The same by hand.
pub fn by_hand(events: u64) -> (u64, u32) {
    const ARRIVES: u32 = 0;
    const LEAVES: u32 = 1;
    let mut draws = Draws::new();
    let mut pending = SortedArray::default();
    let (mut now, mut waiting) = (0, 0);
    pending.push(hand::key(draws.between().as_nanos(), ARRIVES));
    for _ in 0..events {
        let Some(key) = pending.pop() else { break };
        now = hand::nanos(key);
        let mut serves = false;
        if key as u32 == ARRIVES {
            waiting += 1;
            serves = waiting == 1;
            let next = now + draws.between().as_nanos();
            pending.push(hand::key(next, ARRIVES));
        } else {
            waiting -= 1;
            serves |= waiting > 0;
        }
        if serves {
            pending.push(hand::key(now + draws.service().as_nanos(), LEAVES));
        }
    }
    (now, waiting)
}
