//! A pair of nodes that watch each other: a beat a second each way, delayed 1 to 20 ms, one in a thousand lost; a
//! node is suspected 3.5 s after its last beat; nodes fail every 30 days on average and are back after an hour.
//!
//! The time-out is re-armed lazily in both forms: a beat notes the new deadline only, and the entry is put back when
//! it comes up early. That is no event of the model.

use failsim::engine::agenda::{Rank, Slot};
use failsim::engine::dist::Law;
use failsim::engine::sim::{Ctx, Simulation, World};
use failsim::engine::stream::{Stream, StreamKey};
use failsim::engine::time::{Instant, Span};

use super::hand::{self, SortedArray};

/// Between two beats.
pub const PERIOD: Span = Span::from_whole_secs(1);
/// Without a beat until suspicion.
pub const TIME_OUT: Span = Span::from_millis(3_500);
/// Until a failed node is back.
pub const REPAIR: Span = Span::from_whole_secs(3_600);
const LOSS: f64 = 0.001;
const MTBF_SECS: f64 = 30.0 * 86_400.0;

/// What happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Beats that arrived at a node that was up.
    pub heard: u64,
    /// Failures noticed.
    pub detections: u64,
    /// Nodes suspected that were up.
    pub mistakes: u64,
    /// Failures.
    pub failures: u64,
}

/// What both forms draw from.
#[derive(Clone)]
pub struct Draws {
    latency_law: Law,
    life_law: Law,
    loss: [Stream; 2],
    latency: [Stream; 2],
    life: [Stream; 2],
}

impl Draws {
    /// Under the seed of the bench.
    pub fn new() -> Draws {
        let streams = |purpose| ["a", "b"].map(|node| StreamKey::new(1, node, purpose).open(0));
        Draws {
            latency_law: Law::uniform(0.001, 0.020).expect("a range"),
            life_law: Law::exponential(MTBF_SECS).expect("a positive mean"),
            loss: streams("loss"),
            latency: streams("latency"),
            life: streams("life"),
        }
    }

    /// How long the next beat of `from` is under way; `None` if it is lost.
    #[inline]
    pub fn beat(&mut self, from: usize) -> Option<Span> {
        if self.loss[from].uniform() < LOSS {
            return None;
        }
        Some(self.latency_law.sample(self.latency[from].uniform()))
    }

    /// Until a node that starts now fails.
    pub fn life(&mut self, node: usize) -> Span {
        self.life_law.sample(self.life[node].uniform())
    }
}

/// What can happen, and to which node.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// It sends a beat.
    Beats(u8),
    /// It hears one.
    Hears(u8),
    /// It has heard nothing for too long.
    Suspects(u8),
    /// It fails.
    Fails(u8),
    /// It is back.
    Returns(u8),
}

/// The pair on the engine.
#[derive(Clone)]
pub struct Pair {
    draws: Draws,
    up: [bool; 2],
    time_outs: [Slot; 2],
    tally: Tally,
}

fn rank(node: u8) -> Rank {
    Rank { class: 0, entity: u32::from(node) }
}

impl Pair {
    /// Both up, with their first beats scheduled.
    pub fn simulation() -> Simulation<Pair> {
        let mut simulation = Simulation::build(|agenda| {
            let time_outs = [0, 1].map(|node| agenda.slot(rank(node), Event::Suspects(node)));
            Pair { draws: Draws::new(), up: [true; 2], time_outs, tally: Tally::default() }
        });
        simulation.set_up(|world, ctx| [0, 1].into_iter().for_each(|node| world.starts(node, ctx)));
        simulation
    }

    /// What happened so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    fn starts(&mut self, node: u8, ctx: &mut Ctx<'_, Event>) {
        self.up[usize::from(node)] = true;
        ctx.push(ctx.now() + PERIOD, rank(node), Event::Beats(node));
        ctx.arm(self.time_outs[usize::from(node)], ctx.now() + TIME_OUT);
        ctx.push(ctx.now() + self.draws.life(usize::from(node)), rank(node), Event::Fails(node));
    }
}

impl World for Pair {
    type Event = Event;

    #[inline]
    fn handle(&mut self, event: Event, ctx: &mut Ctx<'_, Event>) {
        match event {
            Event::Beats(node) => {
                let from = usize::from(node);
                if self.up[from] {
                    if let Some(latency) = self.draws.beat(from) {
                        ctx.push(ctx.now() + latency, rank(1 - node), Event::Hears(1 - node));
                    }
                    ctx.push(ctx.now() + PERIOD, rank(node), Event::Beats(node));
                }
            }
            Event::Hears(node) => {
                let to = usize::from(node);
                if self.up[to] {
                    self.tally.heard += 1;
                    ctx.arm(self.time_outs[to], ctx.now() + TIME_OUT);
                }
            }
            Event::Suspects(node) => {
                if self.up[1 - usize::from(node)] {
                    self.tally.mistakes += 1;
                } else {
                    self.tally.detections += 1;
                }
            }
            Event::Fails(node) => {
                self.up[usize::from(node)] = false;
                self.tally.failures += 1;
                ctx.disarm(self.time_outs[usize::from(node)]);
                ctx.push(ctx.now() + REPAIR, rank(node), Event::Returns(node));
            }
            Event::Returns(node) => self.starts(node, ctx),
        }
    }
}

/// `length` on the engine: what happened and how many events it took.
pub fn engine(length: Span) -> (Tally, u64) {
    let mut simulation = Pair::simulation();
    simulation.run_until(Instant::ZERO + length, u64::MAX);
    (simulation.world.tally(), simulation.events())
}

const BEATS: u32 = 0;
const HEARS: u32 = 1;
const SUSPECTS: u32 = 2;
const FAILS: u32 = 3;
const RETURNS: u32 = 4;

/// The node's part of a key: before the kind, as an entity comes before its counter.
fn of(nanos: u64, node: usize, kind: u32) -> u128 {
    hand::key(nanos, (node as u32) << 8 | kind)
}

struct ByHand {
    draws: Draws,
    pending: SortedArray,
    up: [bool; 2],
    /// When each is to suspect the other; never while it is down or has done so.
    deadline: [u64; 2],
    /// When an entry for that stands, if one does.
    queued: [u64; 2],
    tally: Tally,
}

impl ByHand {
    #[inline]
    fn arm(&mut self, node: usize, at: u64) {
        self.deadline[node] = at;
        if self.queued[node] > at {
            self.queued[node] = at;
            self.pending.push(of(at, node, SUSPECTS));
        }
    }

    fn starts(&mut self, now: u64, node: usize) {
        self.up[node] = true;
        self.pending.push(of(now + PERIOD.as_nanos(), node, BEATS));
        self.arm(node, now + TIME_OUT.as_nanos());
        self.pending.push(of(now + self.draws.life(node).as_nanos(), node, FAILS));
    }
}

/// The same by hand.
pub fn by_hand(length: Span) -> (Tally, u64) {
    let mut pair = ByHand {
        draws: Draws::new(),
        pending: SortedArray::default(),
        up: [true; 2],
        deadline: [u64::MAX; 2],
        queued: [u64::MAX; 2],
        tally: Tally::default(),
    };
    let mut events = 0;
    pair.starts(0, 0);
    pair.starts(0, 1);
    while let Some(key) = pair.pending.pop() {
        let now = hand::nanos(key);
        if now > length.as_nanos() {
            break;
        }
        let (node, kind) = ((key as u32 >> 8) as usize & 1, key as u32 & 0xff);
        if kind == SUSPECTS && now != pair.queued[node] {
            continue; // superseded
        }
        if kind == SUSPECTS && pair.deadline[node] > now {
            pair.queued[node] = pair.deadline[node];
            if pair.deadline[node] != u64::MAX {
                pair.pending.push(of(pair.deadline[node], node, SUSPECTS));
            }
            continue;
        }
        events += 1;
        match kind {
            BEATS => {
                if pair.up[node] {
                    if let Some(latency) = pair.draws.beat(node) {
                        pair.pending.push(of(now + latency.as_nanos(), 1 - node, HEARS));
                    }
                    pair.pending.push(of(now + PERIOD.as_nanos(), node, BEATS));
                }
            }
            HEARS => {
                if pair.up[node] {
                    pair.tally.heard += 1;
                    pair.arm(node, now + TIME_OUT.as_nanos());
                }
            }
            SUSPECTS => {
                pair.deadline[node] = u64::MAX;
                pair.queued[node] = u64::MAX;
                if pair.up[1 - node] {
                    pair.tally.mistakes += 1;
                } else {
                    pair.tally.detections += 1;
                }
            }
            FAILS => {
                pair.up[node] = false;
                pair.tally.failures += 1;
                pair.deadline[node] = u64::MAX;
                pair.pending.push(of(now + REPAIR.as_nanos(), node, RETURNS));
            }
            _ => pair.starts(now, node),
        }
    }
    (pair.tally, events)
}
