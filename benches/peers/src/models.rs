//! The models once more, for engines that know events and delays only: an event is a number, and what it leads to is
//! scheduled through a function. Draws are those of `benches/models`, so every engine meets the same luck.

use failsim::engine::time::Span;

use crate::shared::{heartbeat, hold, queue};

/// A model that an engine drives.
pub trait Model: Send + 'static {
    /// Schedules what happens first.
    fn start(&mut self, later: &mut impl FnMut(Span, u32));
    /// An event at `now`, in nanoseconds.
    fn handle(&mut self, now: u64, event: u32, later: &mut impl FnMut(Span, u32));
    /// Something that differs if anything went another way.
    fn outcome(&self) -> Vec<u64>;
}

/// M/M/1.
pub struct Queue {
    draws: queue::Draws,
    waiting: u32,
}

impl Queue {
    const ARRIVES: u32 = 0;
    const LEAVES: u32 = 1;

    pub fn new() -> Queue {
        Queue { draws: queue::Draws::new(), waiting: 0 }
    }
}

impl Model for Queue {
    fn start(&mut self, later: &mut impl FnMut(Span, u32)) {
        later(self.draws.between(), Queue::ARRIVES);
    }

    #[inline]
    fn handle(&mut self, _: u64, event: u32, later: &mut impl FnMut(Span, u32)) {
        if event == Queue::ARRIVES {
            self.waiting += 1;
            if self.waiting == 1 {
                later(self.draws.service(), Queue::LEAVES);
            }
            later(self.draws.between(), Queue::ARRIVES);
        } else {
            self.waiting -= 1;
            if self.waiting > 0 {
                later(self.draws.service(), Queue::LEAVES);
            }
        }
    }

    fn outcome(&self) -> Vec<u64> {
        vec![self.waiting.into()]
    }
}

/// The hold model.
pub struct Hold {
    draws: hold::Draws,
    pending: u32,
    sum: u64,
}

impl Hold {
    pub fn new(pending: u32) -> Hold {
        Hold { draws: hold::Draws::new(), pending, sum: 0 }
    }
}

impl Model for Hold {
    fn start(&mut self, later: &mut impl FnMut(Span, u32)) {
        (0..self.pending).for_each(|process| later(self.draws.wait(), process));
    }

    #[inline]
    fn handle(&mut self, _: u64, process: u32, later: &mut impl FnMut(Span, u32)) {
        self.sum += u64::from(process);
        later(self.draws.wait(), process);
    }

    fn outcome(&self) -> Vec<u64> {
        vec![self.sum]
    }
}

/// The pair that watches itself. A time-out that comes up early is scheduled again: one entry a node is pending.
pub struct Pair {
    draws: heartbeat::Draws,
    up: [bool; 2],
    deadline: [u64; 2],
    queued: [u64; 2],
    tally: heartbeat::Tally,
}

impl Pair {
    const BEATS: u32 = 0;
    const HEARS: u32 = 1;
    const SUSPECTS: u32 = 2;
    const FAILS: u32 = 3;
    const RETURNS: u32 = 4;

    pub fn new() -> Pair {
        Pair {
            draws: heartbeat::Draws::new(),
            up: [true; 2],
            deadline: [u64::MAX; 2],
            queued: [u64::MAX; 2],
            tally: Default::default(),
        }
    }

    fn starts(&mut self, now: u64, node: usize, later: &mut impl FnMut(Span, u32)) {
        self.up[node] = true;
        later(heartbeat::PERIOD, Pair::event(Pair::BEATS, node));
        self.arm(now, node, later);
        later(self.draws.life(node), Pair::event(Pair::FAILS, node));
    }

    fn arm(&mut self, now: u64, node: usize, later: &mut impl FnMut(Span, u32)) {
        let at = now + heartbeat::TIME_OUT.as_nanos();
        self.deadline[node] = at;
        if self.queued[node] > at {
            self.queued[node] = at;
            later(heartbeat::TIME_OUT, Pair::event(Pair::SUSPECTS, node));
        }
    }

    fn event(kind: u32, node: usize) -> u32 {
        kind << 1 | node as u32
    }
}

impl Model for Pair {
    fn start(&mut self, later: &mut impl FnMut(Span, u32)) {
        self.starts(0, 0, later);
        self.starts(0, 1, later);
    }

    #[inline]
    fn handle(&mut self, now: u64, event: u32, later: &mut impl FnMut(Span, u32)) {
        let node = (event & 1) as usize;
        match event >> 1 {
            Pair::BEATS => {
                if self.up[node] {
                    if let Some(latency) = self.draws.beat(node) {
                        later(latency, Pair::event(Pair::HEARS, 1 - node));
                    }
                    later(heartbeat::PERIOD, Pair::event(Pair::BEATS, node));
                }
            }
            Pair::HEARS => {
                if self.up[node] {
                    self.tally.heard += 1;
                    self.arm(now, node, later);
                }
            }
            Pair::SUSPECTS => {
                let deadline = self.deadline[node];
                if deadline > now {
                    self.queued[node] = deadline;
                    if deadline != u64::MAX {
                        later(Span::from_nanos(deadline - now), Pair::event(Pair::SUSPECTS, node));
                    }
                    return;
                }
                self.deadline[node] = u64::MAX;
                self.queued[node] = u64::MAX;
                if self.up[1 - node] {
                    self.tally.mistakes += 1;
                } else {
                    self.tally.detections += 1;
                }
            }
            Pair::FAILS => {
                self.up[node] = false;
                self.tally.failures += 1;
                self.deadline[node] = u64::MAX;
                later(heartbeat::REPAIR, Pair::event(Pair::RETURNS, node));
            }
            _ => self.starts(now, node, later),
        }
    }

    fn outcome(&self) -> Vec<u64> {
        let heartbeat::Tally { heard, detections, mistakes, failures } = self.tally;
        vec![heard, detections, mistakes, failures]
    }
}
