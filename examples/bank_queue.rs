//! A bank with one counter, built on `failsim::engine` and nothing else: no node, no link, no redundancy.
//!
//! Customers arrive at random, wait in line, and are served one at a time: the M/M/1 queue, whose theory is known and
//! printed beside what was simulated. Everything the engine offers is here: a world that is plain data, events that
//! are small values, streams by name, laws, and a run that can be cloned at any moment.
//!
//! ```console
//! $ cargo run --release --example bank_queue
//! ```

use std::collections::VecDeque;

use failsim::engine::agenda::Rank;
use failsim::engine::dist::Law;
use failsim::engine::sim::{Ctx, Simulation, Stop, World};
use failsim::engine::stream::{Stream, StreamKey};
use failsim::engine::time::{Instant, Span};

/// What can happen.
#[derive(Clone, Copy, Debug)]
enum Event {
    Arrives,
    Leaves,
}

/// At the same nanosecond a customer leaves before the next one arrives.
const LEAVES: Rank = Rank { class: 0, entity: 0 };
const ARRIVES: Rank = Rank { class: 1, entity: 0 };

/// The bank: two laws with a stream each, the line, and what we count.
#[derive(Clone)]
struct Bank {
    between_arrivals: Law,
    service: Law,
    arrivals: Stream,
    services: Stream,
    /// When each customer in the bank arrived; the first one is being served.
    line: VecDeque<Instant>,
    served: u64,
    sojourn_secs: f64,
    busy: Span,
    /// The integral of the number of customers over time, in customer-seconds.
    customer_secs: f64,
    seen: Instant,
}

impl Bank {
    fn new(arrival_mean_secs: f64, service_mean_secs: f64, seed: u64, run: u64) -> Bank {
        let mean = |secs| Law::exponential(secs).expect("a positive mean");
        Bank {
            between_arrivals: mean(arrival_mean_secs),
            service: mean(service_mean_secs),
            // By name: a second counter would not shift the draws of this one.
            arrivals: StreamKey::new(seed, "door", "arrivals").open(run),
            services: StreamKey::new(seed, "counter", "services").open(run),
            line: VecDeque::new(),
            served: 0,
            sojourn_secs: 0.0,
            busy: Span::ZERO,
            customer_secs: 0.0,
            seen: Instant::ZERO,
        }
    }

    fn next_arrival(&mut self, ctx: &mut Ctx<'_, Event>) {
        let wait = self.between_arrivals.sample(self.arrivals.uniform());
        ctx.push(ctx.now() + wait, ARRIVES, Event::Arrives);
    }

    fn serve(&mut self, ctx: &mut Ctx<'_, Event>) {
        let takes = self.service.sample(self.services.uniform());
        ctx.push(ctx.now() + takes, LEAVES, Event::Leaves);
    }

    /// Brings the time integrals up to date.
    fn count(&mut self, now: Instant) {
        let since = now.since(self.seen);
        self.customer_secs += self.line.len() as f64 * since.as_secs();
        if !self.line.is_empty() {
            self.busy = self.busy.saturating_add(since);
        }
        self.seen = now;
    }
}

impl World for Bank {
    type Event = Event;

    fn handle(&mut self, event: Event, ctx: &mut Ctx<'_, Event>) {
        self.count(ctx.now());
        match event {
            Event::Arrives => {
                self.line.push_back(ctx.now());
                if self.line.len() == 1 {
                    self.serve(ctx);
                }
                self.next_arrival(ctx);
            }
            Event::Leaves => {
                let arrived = self.line.pop_front().expect("whoever leaves was there");
                self.served += 1;
                self.sojourn_secs += ctx.now().since(arrived).as_secs();
                if !self.line.is_empty() {
                    self.serve(ctx);
                }
            }
        }
    }
}

/// Means over the runs, with the half width of a normal 95 % interval.
fn interval(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
    (mean, 1.96 * (variance / n).sqrt())
}

fn main() {
    let (arrival_mean, service_mean) = (60.0, 48.0);
    let (opens, runs) = (Span::from_whole_secs(100 * 86_400), 100);
    let end = Instant::ZERO + opens;

    let (mut in_bank, mut sojourn, mut busy) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..runs {
        let mut bank = Simulation::new(Bank::new(arrival_mean, service_mean, 1, run));
        bank.set_up(Bank::next_arrival);
        assert_eq!(bank.run_until(end, u64::MAX), Stop::Time);
        bank.world.count(end);
        in_bank.push(bank.world.customer_secs / opens.as_secs());
        sojourn.push(bank.world.sojourn_secs / bank.world.served as f64);
        busy.push(bank.world.busy.as_secs() / opens.as_secs());
    }

    // Kleinrock, Queueing Systems vol. 1, 3.2: ρ = λ/µ, L = ρ/(1−ρ), T = (1/µ)/(1−ρ).
    let load = service_mean / arrival_mean;
    println!("A customer a minute, 48 s each, one counter; {runs} runs of 100 days\n");
    println!("{:24} {:>18} {:>9}", "", "simulated", "theory");
    for (what, values, theory) in [
        ("customers in the bank", &in_bank, load / (1.0 - load)),
        ("seconds in the bank", &sojourn, service_mean / (1.0 - load)),
        ("share of time busy", &busy, load),
    ] {
        let (mean, half) = interval(values);
        println!("{what:24} {mean:9.3} ± {half:6.3} {theory:9.3}");
    }

    // The whole run is one value: a clone taken at noon goes on to the same evening.
    let mut bank = Simulation::new(Bank::new(arrival_mean, service_mean, 1, 0));
    bank.set_up(Bank::next_arrival);
    bank.run_until(Instant::ZERO + Span::from_whole_secs(12 * 3_600), u64::MAX);
    let mut clone = bank.clone();
    let evening = Instant::ZERO + Span::from_whole_secs(24 * 3_600);
    bank.run_until(evening, u64::MAX);
    clone.run_until(evening, u64::MAX);
    assert_eq!(bank.world.served, clone.world.served);
    assert_eq!(bank.world.line, clone.world.line);
    println!("\nRun 0 and its clone from noon both served {} customers by the evening.", clone.world.served);
}
