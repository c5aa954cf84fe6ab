//! The engine alone: the agenda at several sizes beside the standard library's heap, a queue with one server, a whole
//! run as a clone.
//!
//! ```console
//! $ cargo bench --bench engine
//! ```

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use failsim::engine::agenda::{Agenda, Rank};
use failsim::engine::dist::Law;
use failsim::engine::sim::{Ctx, Simulation, World};
use failsim::engine::stream::{Stream, StreamKey};
use failsim::engine::time::{Instant, Span};

const RANK: Rank = Rank { class: 0, entity: 0 };

/// Exponential increments with a mean of one simulated second, drawn beforehand: the agenda is timed, not the draw.
fn increments() -> Vec<Span> {
    let law = Law::exponential(1.0).expect("a positive mean");
    let mut stream = StreamKey::new(1, "hold", "increment").open(0);
    (0..65_536).map(|_| law.sample(stream.uniform())).collect()
}

/// The hold model (Jones 1986): take the next event, schedule one in its place, the number pending stays.
fn hold(c: &mut Criterion) {
    let increments = increments();
    let mut group = c.benchmark_group("hold");
    group.throughput(Throughput::Elements(1));
    for pending in [16_usize, 1_000, 100_000] {
        group.bench_function(BenchmarkId::new("agenda", pending), |b| {
            let mut agenda = Agenda::new();
            for i in 0..pending {
                agenda.push(Instant::ZERO + increments[i % increments.len()], RANK, i as u32);
            }
            let mut draw = 0;
            b.iter(|| {
                let (time, event) = agenda.pop(Instant::NEVER).expect("never empty");
                draw = (draw + 1) % increments.len();
                agenda.push(time + increments[draw], RANK, event);
            });
        });
        group.bench_function(BenchmarkId::new("std BinaryHeap", pending), |b| {
            let mut heap = BinaryHeap::new();
            for i in 0..pending {
                heap.push(Reverse((increments[i % increments.len()].as_nanos(), i as u64, i as u32)));
            }
            let (mut draw, mut counter) = (0, pending as u64);
            b.iter(|| {
                let Reverse((time, _, event)) = heap.pop().expect("never empty");
                draw = (draw + 1) % increments.len();
                counter += 1;
                heap.push(Reverse((time + increments[draw].as_nanos(), counter, event)));
            });
        });
    }
    group.finish();
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Arrives,
    Leaves,
}

#[derive(Clone)]
struct Queue {
    between: Law,
    service: Law,
    arrivals: Stream,
    services: Stream,
    waiting: u32,
}

impl Queue {
    fn simulation() -> Simulation<Queue> {
        let queue = Queue {
            between: Law::exponential(1.0).expect("a positive mean"),
            service: Law::exponential(0.8).expect("a positive mean"),
            arrivals: StreamKey::new(1, "queue", "arrivals").open(0),
            services: StreamKey::new(1, "queue", "services").open(0),
            waiting: 0,
        };
        let mut simulation = Simulation::new(queue);
        simulation.set_up(Queue::arrives);
        simulation
    }

    fn arrives(&mut self, ctx: &mut Ctx<'_, Event>) {
        ctx.push(ctx.now() + self.between.sample(self.arrivals.uniform()), RANK, Event::Arrives);
    }

    fn serves(&mut self, ctx: &mut Ctx<'_, Event>) {
        ctx.push(ctx.now() + self.service.sample(self.services.uniform()), RANK, Event::Leaves);
    }
}

impl World for Queue {
    type Event = Event;

    fn handle(&mut self, event: Event, ctx: &mut Ctx<'_, Event>) {
        match event {
            Event::Arrives => {
                self.waiting += 1;
                if self.waiting == 1 {
                    self.serves(ctx);
                }
                self.arrives(ctx);
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

fn queue(c: &mut Criterion) {
    let mut group = c.benchmark_group("M/M/1");
    group.throughput(Throughput::Elements(100_000));
    group.bench_function("100,000 events", |b| {
        b.iter(|| {
            let mut simulation = Queue::simulation();
            simulation.run_until(Instant::NEVER, 100_000);
            black_box(simulation.world.waiting)
        });
    });
    group.finish();
    let mut simulation = Queue::simulation();
    simulation.run_until(Instant::NEVER, 10_000);
    c.bench_function("M/M/1 clone", |b| b.iter(|| black_box(simulation.clone())));
}

criterion_group!(benches, hold, queue);
criterion_main!(benches);
