//! The agenda: pending events in a total order that is part of the input format.
//!
//! Events are ordered by time, then [`Rank`] (priority class, entity), then a per-entity counter, so that an
//! unrelated new component changes nothing else. All of it is packed into one `u128` key: one comparison, no ties.
//!
//! Two structures share the same entries. With few pending events a descending sorted array is fastest (the next
//! event is popped off its end, one cache line is touched); with many, a 4-ary heap. The agenda changes over by
//! size, with hysteresis. In the heap a popped root leaves a hole that the next push fills, so an event that
//! schedules its successor costs one sift instead of two.
//!
//! Timers are *slots*: [`Agenda::arm`] moves a slot's deadline, [`Agenda::disarm`] clears it. Moving a deadline
//! later only notes it (the entry re-sorts itself when it comes up); cancelling bumps the slot's generation and
//! the stale entry is dropped when it surfaces. No hash set, no search.

use super::time::Instant;

/// Above this many entries the sorted array becomes a heap.
const HEAP_FROM: usize = 48;
/// Below this many the heap becomes a sorted array again.
const SORT_BELOW: usize = 16;
/// Superseded entries that are tolerated.
const STALE_MAX: usize = 8;
/// Children per heap node.
const ARITY: usize = 4;

/// Where an event stands among others at the same nanosecond: lower class first, then lower entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// Priority class, 0 to 15.
    pub class: u8,
    /// Entity, below 2²⁰.
    pub entity: u32,
}

/// A timer slot, allocated once by [`Agenda::slot`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot(u32);

const NO_SLOT: u32 = u32::MAX;
const COUNTER_BITS: u32 = 40;
const ENTITY_BITS: u32 = 20;
/// Plain events of an entity come after its timers of the same class and instant.
const PLAIN: u64 = 1 << (COUNTER_BITS - 1);

#[derive(Clone, Copy, Debug)]
struct Entry<E> {
    key: u128,
    slot: u32,
    generation: u32,
    event: E,
}

#[derive(Clone, Copy, Debug)]
struct Timer<E> {
    rank: Rank,
    event: E,
    generation: u32,
    /// When it is to fire; [`Instant::NEVER`] while disarmed.
    deadline: Instant,
    /// Where its live entry stands, [`Instant::NEVER`] if it has none. Never after `deadline`.
    queued: Instant,
}

/// Pending events of type `E`, in order.
#[derive(Clone, Debug)]
pub struct Agenda<E> {
    entries: Vec<Entry<E>>,
    is_heap: bool,
    /// The heap's root has been taken and not yet replaced.
    hole: bool,
    timers: Vec<Timer<E>>,
    /// Next plain counter by entity.
    counters: Vec<u64>,
    /// Entries that were superseded and have not surfaced yet.
    stale: usize,
}

impl<E: Copy> Default for Agenda<E> {
    fn default() -> Self {
        Agenda {
            entries: Vec::new(),
            is_heap: false,
            hole: false,
            timers: Vec::new(),
            counters: Vec::new(),
            stale: 0,
        }
    }
}

fn pack(time: Instant, rank: Rank, counter: u64) -> u128 {
    debug_assert!(rank.class < 16 && rank.entity < 1 << ENTITY_BITS && counter < 1 << COUNTER_BITS);
    u128::from(time.as_nanos()) << 64
        | u128::from(rank.class) << (ENTITY_BITS + COUNTER_BITS)
        | u128::from(rank.entity) << COUNTER_BITS
        | u128::from(counter)
}

fn time_of(key: u128) -> Instant {
    // The upper half of the key is the time; the shift leaves 64 bits.
    Instant::from_nanos((key >> 64) as u64)
}

impl<E: Copy> Agenda<E> {
    /// An empty agenda.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything but keeps its memory, for the next run.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.is_heap = false;
        self.hole = false;
        self.timers.clear();
        self.counters.clear();
        self.stale = 0;
    }

    /// A new timer slot that fires `event`. Timers of one rank that fire at the same instant do so in the order of
    /// allocation.
    pub fn slot(&mut self, rank: Rank, event: E) -> Slot {
        let id = u32::try_from(self.timers.len()).expect("fewer than 2^32 timer slots");
        self.timers.push(Timer {
            rank,
            event,
            generation: 0,
            deadline: Instant::NEVER,
            queued: Instant::NEVER,
        });
        Slot(id)
    }

    /// Schedules a plain event. One at [`Instant::NEVER`] is dropped: it never comes.
    pub fn push(&mut self, time: Instant, rank: Rank, event: E) {
        if time.is_never() {
            return;
        }
        let entity = rank.entity as usize;
        if self.counters.len() <= entity {
            self.counters.resize(entity + 1, 0);
        }
        let counter = self.counters[entity];
        // 2^39 events of one entity are 17,000 years of one a second; wrapping would only affect ties.
        self.counters[entity] = (counter + 1) & (PLAIN - 1);
        self.insert(Entry { key: pack(time, rank, PLAIN | counter), slot: NO_SLOT, generation: 0, event });
    }

    /// Arms `slot` to fire at `time`, replacing what it was armed for. [`Instant::NEVER`] disarms it.
    pub fn arm(&mut self, slot: Slot, time: Instant) {
        let timer = &mut self.timers[slot.0 as usize];
        timer.deadline = time;
        if time.is_never() {
            self.disarm(slot);
            return;
        }
        if timer.queued <= time {
            return; // its entry comes up first and is moved then
        }
        self.stale += usize::from(!timer.queued.is_never());
        timer.generation = timer.generation.wrapping_add(1);
        timer.queued = time;
        let (rank, generation, event) = (timer.rank, timer.generation, timer.event);
        self.insert(Entry { key: pack(time, rank, u64::from(slot.0)), slot: slot.0, generation, event });
        if self.stale > STALE_MAX && 2 * self.stale > self.entries.len() {
            self.sweep_out();
        }
    }

    /// Drops what was superseded or cancelled: entries far ahead would otherwise stay for most of the run.
    fn sweep_out(&mut self) {
        self.close_hole();
        let timers = &mut self.timers;
        self.entries.retain(|entry| {
            if entry.slot == NO_SLOT {
                return true;
            }
            let timer = &mut timers[entry.slot as usize];
            if timer.generation != entry.generation {
                return false;
            }
            if timer.deadline.is_never() {
                timer.queued = Instant::NEVER;
                return false;
            }
            true
        });
        self.stale = 0;
        self.is_heap = self.entries.len() > HEAP_FROM;
        if self.is_heap {
            self.entries.sort_unstable_by_key(|a| a.key);
        } else {
            self.entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.key));
        }
    }

    /// Clears `slot`.
    pub fn disarm(&mut self, slot: Slot) {
        let timer = &mut self.timers[slot.0 as usize];
        timer.deadline = Instant::NEVER;
    }

    /// When `slot` is to fire; [`Instant::NEVER`] if it is not armed.
    pub fn deadline(&self, slot: Slot) -> Instant {
        self.timers[slot.0 as usize].deadline
    }

    /// Entries held, stale ones included.
    pub fn len(&self) -> usize {
        self.entries.len() - usize::from(self.hole)
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the next event if it comes no later than `until`.
    pub fn pop(&mut self, until: Instant) -> Option<(Instant, E)> {
        loop {
            let first = *self.first()?;
            let time = time_of(first.key);
            if first.slot == NO_SLOT {
                if time > until {
                    return None;
                }
                self.take_first();
                return Some((time, first.event));
            }
            let timer = &mut self.timers[first.slot as usize];
            if timer.generation != first.generation {
                self.take_first(); // superseded
                self.stale -= 1;
                continue;
            }
            if timer.deadline > time {
                // Moved later, or cancelled, since it was queued.
                let (deadline, rank) = (timer.deadline, timer.rank);
                timer.queued = deadline;
                self.take_first();
                if !deadline.is_never() {
                    let key = pack(deadline, rank, u64::from(first.slot));
                    self.insert(Entry { key, ..first });
                }
                continue;
            }
            if time > until {
                return None;
            }
            timer.deadline = Instant::NEVER;
            timer.queued = Instant::NEVER;
            self.take_first();
            return Some((time, first.event));
        }
    }

    fn first(&mut self) -> Option<&Entry<E>> {
        self.close_hole();
        if self.is_heap { self.entries.first() } else { self.entries.last() }
    }

    fn take_first(&mut self) {
        if !self.is_heap {
            self.entries.pop();
            return;
        }
        self.hole = true;
        if self.entries.len() < SORT_BELOW {
            self.close_hole();
            self.entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.key));
            self.is_heap = false;
        }
    }

    fn insert(&mut self, entry: Entry<E>) {
        if self.is_heap {
            if self.hole {
                self.hole = false;
                self.entries[0] = entry;
                self.sift_down();
            } else {
                self.entries.push(entry);
                self.sift_up();
            }
            return;
        }
        if self.entries.len() >= HEAP_FROM {
            self.entries.push(entry);
            // An ascending array is a heap of any arity.
            self.entries.sort_unstable_by_key(|a| a.key);
            self.is_heap = true;
            return;
        }
        // Most new events are far ahead of the next one but behind few: look from the front of the order.
        let mut at = self.entries.len();
        while at > 0 && self.entries[at - 1].key < entry.key {
            at -= 1;
        }
        self.entries.insert(at, entry);
    }

    fn close_hole(&mut self) {
        if !self.hole {
            return;
        }
        self.hole = false;
        let last = self.entries.pop().expect("a hole is an entry");
        if !self.entries.is_empty() {
            self.entries[0] = last;
            self.sift_down();
        }
    }

    fn sift_up(&mut self) {
        let mut at = self.entries.len() - 1;
        let entry = self.entries[at];
        while at > 0 {
            let parent = (at - 1) / ARITY;
            if self.entries[parent].key <= entry.key {
                break;
            }
            self.entries[at] = self.entries[parent];
            at = parent;
        }
        self.entries[at] = entry;
    }

    fn sift_down(&mut self) {
        let len = self.entries.len();
        let entry = self.entries[0];
        let mut at = 0;
        loop {
            let child = at * ARITY + 1;
            if child >= len {
                break;
            }
            let mut least = child;
            for other in child + 1..(child + ARITY).min(len) {
                if self.entries[other].key < self.entries[least].key {
                    least = other;
                }
            }
            if entry.key <= self.entries[least].key {
                break;
            }
            self.entries[at] = self.entries[least];
            at = least;
        }
        self.entries[at] = entry;
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
