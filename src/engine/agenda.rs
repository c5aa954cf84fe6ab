//! The agenda: pending events in a total order that is part of the input format.
//!
//! Events are ordered by time, then [`Rank`] (priority class, entity), then a per-entity counter, so that an
//! unrelated new component changes nothing else. All of it makes one key of 128 bits: one comparison, no ties.
//!
//! An entry is the key and the place of its event, 24 bytes whatever the event holds. Two structures share them
//! (`order.rs`): a sorted array while few are pending, a heap when there are many.
//!
//! Timers are *slots*: [`Agenda::arm`] moves a slot's deadline, [`Agenda::disarm`] clears it. Moving a deadline
//! later only notes it (the entry re-sorts itself when it comes up). For one that is moved earlier the entry of the array
//! is moved; in the heap, where it would have to be searched for, it gets a new one, and the old one is dropped when it
//! surfaces.

use super::order::{Entry, Order};
use super::time::Instant;

/// Priority classes there are.
pub const CLASSES: usize = 16;
/// Superseded entries that are tolerated.
const STALE_MAX: usize = 8;

/// Where an event stands among others at the same nanosecond: lower class first, then lower entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// Priority class, below [`CLASSES`].
    pub class: u8,
    /// Entity, below 2²⁰.
    pub entity: u32,
}

/// A timer slot, allocated once by [`Agenda::slot`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot(u32);

const COUNTER_BITS: u32 = 40;
const ENTITY_BITS: u32 = 20;
/// Plain events of an entity come after its timers of the same class and instant.
const PLAIN: u64 = 1 << (COUNTER_BITS - 1);

#[derive(Clone, Copy, Debug)]
struct Timer<E> {
    /// Class, entity and slot as they stand in a key.
    tie: u64,
    event: E,
    /// When it is to fire; [`Instant::NEVER`] while disarmed.
    deadline: Instant,
    /// Where its live entry stands, [`Instant::NEVER`] if it has none. Never after `deadline`. An entry of the slot
    /// at any other time is superseded; two at the same time are interchangeable.
    queued: Instant,
}

/// Pending events of type `E`, in order.
#[derive(Clone, Debug)]
pub struct Agenda<E> {
    order: Order,
    timers: Vec<Timer<E>>,
    /// Plain events by place; free places are listed beside.
    plain: Vec<E>,
    free: Vec<u32>,
    /// Next plain counter by entity.
    counters: Vec<u64>,
    /// Entries that were superseded and have not surfaced yet.
    stale: usize,
    /// Events taken so far, by class.
    taken: [u64; CLASSES],
}

impl<E: Copy> Default for Agenda<E> {
    fn default() -> Self {
        Agenda {
            order: Order::default(),
            timers: Vec::new(),
            plain: Vec::new(),
            free: Vec::new(),
            counters: Vec::new(),
            stale: 0,
            taken: [0; CLASSES],
        }
    }
}

/// The lower half of a key.
#[inline]
fn tie(rank: Rank, counter: u64) -> u64 {
    debug_assert!(
        usize::from(rank.class) < CLASSES && rank.entity < 1 << ENTITY_BITS && counter < 1 << COUNTER_BITS
    );
    u64::from(rank.class) << (ENTITY_BITS + COUNTER_BITS) | u64::from(rank.entity) << COUNTER_BITS | counter
}

impl<E: Copy> Agenda<E> {
    /// An empty agenda.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything but keeps its memory, for the next run.
    pub fn clear(&mut self) {
        self.order.clear();
        self.timers.clear();
        self.plain.clear();
        self.free.clear();
        self.counters.clear();
        self.stale = 0;
        self.taken = [0; CLASSES];
    }

    /// A new timer slot that fires `event`. Timers of one rank that fire at the same instant do so in the order of
    /// allocation.
    pub fn slot(&mut self, rank: Rank, event: E) -> Slot {
        let id = u32::try_from(self.timers.len()).expect("fewer than 2^32 timer slots");
        let tie = tie(rank, u64::from(id));
        self.timers.push(Timer { tie, event, deadline: Instant::NEVER, queued: Instant::NEVER });
        Slot(id)
    }

    /// Schedules a plain event. One at [`Instant::NEVER`] is dropped: it never comes.
    #[inline]
    pub fn push(&mut self, time: Instant, rank: Rank, event: E) {
        if time.is_never() {
            return;
        }
        let counter = self.count(rank.entity as usize);
        let place = match self.free.pop() {
            Some(place) => {
                self.plain[place as usize] = event;
                place
            }
            None => self.store(event),
        };
        self.order.insert(time.as_nanos(), tie(rank, PLAIN | counter), u64::from(place));
    }

    /// The next plain counter of an entity.
    #[inline]
    fn count(&mut self, entity: usize) -> u64 {
        let Some(next) = self.counters.get_mut(entity) else { return self.first_count(entity) };
        let counter = *next;
        // 2^39 events of one entity are 17,000 years of one a second; wrapping would only affect ties.
        *next = (counter + 1) & (PLAIN - 1);
        counter
    }

    #[cold]
    fn first_count(&mut self, entity: usize) -> u64 {
        self.counters.resize(entity + 1, 0);
        self.counters[entity] = 1;
        0
    }

    /// A new place for an event.
    #[cold]
    fn store(&mut self, event: E) -> u32 {
        self.plain.push(event);
        u32::try_from(self.plain.len() - 1).expect("fewer than 2^32 events pending")
    }

    /// Arms `slot` to fire at `time`, replacing what it was armed for. [`Instant::NEVER`] disarms it.
    #[inline]
    pub fn arm(&mut self, slot: Slot, time: Instant) {
        let timer = &mut self.timers[slot.0 as usize];
        timer.deadline = time;
        if timer.queued > time {
            self.queue(slot);
        }
        // Else its entry comes up first and is moved then.
    }

    /// Makes an entry for an armed slot, in place of a later one.
    fn queue(&mut self, slot: Slot) {
        let timer = &mut self.timers[slot.0 as usize];
        let (time, before) = (timer.deadline, std::mem::replace(&mut timer.queued, timer.deadline));
        if !before.is_never() {
            if self.order.bring_forward(before.as_nanos(), timer.tie, time.as_nanos()) {
                return;
            }
            self.stale += 1;
        }
        self.order.insert(time.as_nanos(), timer.tie, u64::from(slot.0));
        if self.stale > STALE_MAX && 2 * self.stale > self.order.len() {
            self.sweep_out();
        }
    }

    /// Drops what was superseded or cancelled: entries far ahead would otherwise stay for most of the run.
    fn sweep_out(&mut self) {
        let timers = &mut self.timers;
        self.order.retain(|entry, is_repeated| {
            if entry.tie & PLAIN != 0 {
                return true;
            }
            let timer = &mut timers[entry.place as usize];
            if is_repeated || timer.queued.as_nanos() != entry.time {
                return false;
            }
            if timer.deadline.is_never() {
                timer.queued = Instant::NEVER;
                return false;
            }
            true
        });
        self.stale = 0;
    }

    /// Clears `slot`.
    #[inline]
    pub fn disarm(&mut self, slot: Slot) {
        self.timers[slot.0 as usize].deadline = Instant::NEVER;
    }

    /// When `slot` is to fire; [`Instant::NEVER`] if it is not armed.
    #[inline]
    pub fn deadline(&self, slot: Slot) -> Instant {
        self.timers[slot.0 as usize].deadline
    }

    /// Entries held, stale ones included.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many events have been taken, by priority class.
    pub fn taken(&self) -> [u64; CLASSES] {
        self.taken
    }

    /// Takes the next event if it comes no later than `until`.
    #[inline]
    pub fn pop(&mut self, until: Instant) -> Option<(Instant, E)> {
        loop {
            let Entry { time, tie, place } = self.order.pop(until.as_nanos())?;
            let time = Instant::from_nanos(time);
            let class = (tie >> (ENTITY_BITS + COUNTER_BITS)) as usize % CLASSES;
            if tie & PLAIN != 0 {
                self.taken[class] += 1;
                self.free.push(place as u32);
                return Some((time, self.plain[place as usize]));
            }
            let timer = &mut self.timers[place as usize];
            if timer.queued != time {
                self.stale -= 1; // superseded
            } else if timer.deadline > time {
                // Moved later, or cancelled, since it was queued.
                timer.queued = timer.deadline;
                if !timer.deadline.is_never() {
                    self.order.insert(timer.deadline.as_nanos(), tie, place);
                }
            } else {
                self.taken[class] += 1;
                timer.deadline = Instant::NEVER;
                timer.queued = Instant::NEVER;
                return Some((time, timer.event));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stream::StreamKey;

    fn rank(class: u8, entity: u32) -> Rank {
        Rank { class, entity }
    }

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    fn drain(agenda: &mut Agenda<u32>) -> Vec<(u64, u32)> {
        std::iter::from_fn(|| agenda.pop(Instant::NEVER)).map(|(t, e)| (t.as_nanos(), e)).collect()
    }

    #[test]
    fn ties_go_by_class_then_entity_then_order_of_scheduling() {
        let mut agenda = Agenda::new();
        agenda.push(at(5), rank(2, 0), 1);
        agenda.push(at(5), rank(1, 9), 2);
        agenda.push(at(5), rank(1, 3), 3);
        agenda.push(at(5), rank(1, 3), 4);
        agenda.push(at(4), rank(9, 9), 5);
        assert_eq!(drain(&mut agenda), [(4, 5), (5, 3), (5, 4), (5, 2), (5, 1)]);
    }

    #[test]
    fn a_timer_fires_once_at_its_last_deadline() {
        let mut agenda = Agenda::new();
        let slot = agenda.slot(rank(0, 0), 1);
        agenda.arm(slot, at(10));
        agenda.arm(slot, at(30)); // later: the entry is moved when it comes up
        agenda.arm(slot, at(20));
        assert_eq!(agenda.deadline(slot), at(20));
        assert_eq!(agenda.pop(at(15)), None);
        let fired = drain(&mut agenda);
        assert_eq!(fired, [(20, 1)]);
        agenda.arm(slot, at(40));
        agenda.disarm(slot);
        assert_eq!(drain(&mut agenda), []);
        agenda.arm(slot, at(50));
        assert_eq!(drain(&mut agenda), [(50, 1)]);
    }

    #[test]
    fn an_entry_that_was_superseded_and_is_right_again_fires_once() {
        let mut agenda = Agenda::new();
        let slot = agenda.slot(rank(0, 0), 1);
        agenda.arm(slot, at(10));
        agenda.arm(slot, at(5)); // the entry at 10 is superseded
        assert_eq!(agenda.pop(at(7)), Some((at(5), 1)));
        agenda.arm(slot, at(10)); // and now there are two at 10
        assert_eq!(drain(&mut agenda), [(10, 1)]);
        assert!(agenda.is_empty());
        // The same with so many superseded ones that they are swept out.
        agenda.arm(slot, at(20));
        agenda.arm(slot, at(15));
        assert_eq!(agenda.pop(at(15)), Some((at(15), 1)));
        for time in (16..=30).rev() {
            agenda.arm(slot, at(time));
        }
        assert!(agenda.len() < 15, "{} entries", agenda.len());
        assert_eq!(drain(&mut agenda), [(16, 1)]);
        agenda.arm(slot, at(40));
        assert_eq!(drain(&mut agenda), [(40, 1)]);
    }

    /// The same operations on a plain sorted list: every size, so both structures and both changes between them.
    #[test]
    fn both_structures_agree_with_a_sorted_list() {
        let mut random = StreamKey::new(7, "agenda", "test").open(0);
        let mut agenda = Agenda::new();
        let mut list: Vec<(u64, u32)> = Vec::new();
        let mut now = 0;
        for step in 0..20_000_u32 {
            let growing = (step / 2_000) % 2 == 0;
            if list.is_empty() || random.uniform() < if growing { 0.6 } else { 0.4 } {
                let time = now + (random.uniform() * 1000.0) as u64;
                agenda.push(at(time), rank(0, 0), step);
                list.push((time, step));
            } else {
                // Equal times keep their order of scheduling, which is the order of `step`.
                let index = (0..list.len()).min_by_key(|&i| list[i]).unwrap();
                let expected = list.swap_remove(index);
                let (time, event) = agenda.pop(Instant::NEVER).unwrap();
                assert_eq!((time.as_nanos(), event), expected);
                now = expected.0;
            }
        }
        list.sort_unstable();
        assert_eq!(drain(&mut agenda), list);
    }

    /// Timers that are moved to and fro, in the array and in the heap.
    #[test]
    fn moved_timers_fire_at_their_deadlines() {
        for count in [3_u32, 10, 14, 60] {
            let mut random = StreamKey::new(count.into(), "agenda", "timers").open(0);
            let mut draw = |below: u32| (random.uniform() * f64::from(below)) as u32;
            let mut agenda = Agenda::new();
            let slots: Vec<Slot> = (0..count).map(|i| agenda.slot(rank(0, 0), i)).collect();
            let mut deadlines = vec![u64::MAX; slots.len()];
            let mut now = 0;
            for _ in 0..20_000 {
                let i = draw(count) as usize;
                match draw(4) {
                    0 => {
                        let due = (0..slots.len()).map(|i| (deadlines[i], i as u32)).min().expect("one");
                        let due = (due.0 < u64::MAX).then_some(due);
                        let fired = agenda.pop(Instant::NEVER).map(|(time, event)| (time.as_nanos(), event));
                        assert_eq!(fired, due);
                        if let Some((time, event)) = due {
                            now = time;
                            deadlines[event as usize] = u64::MAX;
                        }
                    }
                    1 => {
                        deadlines[i] = u64::MAX;
                        agenda.disarm(slots[i]);
                    }
                    _ => {
                        deadlines[i] = now + u64::from(draw(50));
                        agenda.arm(slots[i], at(deadlines[i]));
                    }
                }
            }
        }
    }

    #[test]
    fn timers_in_a_large_agenda_behave_the_same() {
        let mut agenda = Agenda::new();
        for i in 0..200 {
            agenda.push(at(1000 + i), rank(1, 0), 0);
        }
        let slot = agenda.slot(rank(0, 1), 1);
        agenda.arm(slot, at(1010));
        agenda.arm(slot, at(1050));
        let fired: Vec<_> = drain(&mut agenda).into_iter().filter(|e| e.1 != 0).collect();
        assert_eq!(fired, [(1050, 1)]);
    }
}
