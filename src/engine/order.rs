//! Entries in the order of their keys: a sorted array while there are few, a 4-ary heap when there are many.
//!
//! With very few entries a falling array is fastest: the next one is popped off its end, and one cache line is
//! touched. It stays so for longer where new events always fall into the same place, but where they fall anywhere,
//! the end of the search is guessed wrong, which costs more than a heap. In the heap a popped root leaves a hole that the next insertion fills, so an event that schedules its successor
//! costs one sift instead of two. The change-over goes by size, with hysteresis. Start with [`Order`].

/// Above this many entries the sorted array becomes a heap.
const HEAP_FROM: usize = 12;
/// Below this many the heap becomes a sorted array again.
const SORT_BELOW: usize = 6;
/// Children per heap node.
const ARITY: usize = 4;

/// A key in two halves, which order by the upper one first, and what it stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Upper half: when, in nanoseconds.
    pub(super) time: u64,
    /// Lower half: who comes first at that time.
    pub(super) tie: u64,
    /// Where the event is kept. As wide as the others: an entry has no padding, and is moved word by word.
    pub(super) place: u64,
}

#[inline]
fn key(time: u64, tie: u64) -> u128 {
    u128::from(time) << 64 | u128::from(tie)
}

impl Entry {
    #[inline]
    fn key(&self) -> u128 {
        key(self.time, self.tie)
    }
}

/// Entries, the least key first.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    /// Falling keys, or a heap.
    entries: Vec<Entry>,
    is_heap: bool,
    /// The heap's root has been taken and not yet replaced.
    hole: bool,
}

impl Order {
    /// Forgets everything but keeps its memory.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.is_heap = false;
        self.hole = false;
    }

    /// How many.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.entries.len() - usize::from(self.hole)
    }

    /// Takes the first if its time is no later than `until`.
    #[inline]
    pub(super) fn pop(&mut self, until: u64) -> Option<Entry> {
        if self.is_heap {
            return self.pop_heap(until);
        }
        let first = *self.entries.last()?;
        if first.time > until {
            return None;
        }
        self.entries.pop();
        Some(first)
    }

    /// Puts one in.
    ///
    /// The words of the new entry stay apart up to their place: one put together in memory would be read back in
    /// wider pieces than it was written in, for which processors wait.
    #[inline]
    pub(super) fn insert(&mut self, time: u64, tie: u64, place: u64) {
        if self.is_heap {
            self.insert_heap(time, tie, place);
            return;
        }
        let mut at = self.entries.len();
        self.entries.push(Entry { time, tie, place });
        // Most new events are far ahead of the next one but behind few: look from the front of the order.
        let entries = self.entries.as_mut_slice();
        while at > 0 {
            let Entry { time: other_time, tie: other_tie, place: other_place } = entries[at - 1];
            if key(other_time, other_tie) > key(time, tie) {
                break;
            }
            entries[at] = Entry { time: other_time, tie: other_tie, place: other_place };
            at -= 1;
        }
        entries[at] = Entry { time, tie, place };
        if self.entries.len() > HEAP_FROM {
            self.become_heap();
        }
    }

    /// Moves the entry of this time and tie to an earlier time, where that is a short search: in the array.
    pub(super) fn bring_forward(&mut self, from: u64, tie: u64, time: u64) -> bool {
        if self.is_heap {
            return false;
        }
        let entries = self.entries.as_mut_slice();
        let Some(mut at) = entries.iter().position(|entry| entry.tie == tie && entry.time == from) else {
            return false;
        };
        let place = entries[at].place;
        while let Some(&after) = entries.get(at + 1).filter(|after| after.key() > key(time, tie)) {
            entries[at] = after;
            at += 1;
        }
        entries[at] = Entry { time, tie, place };
        true
    }

    /// Keeps those of which `keep` says so; it is told whether the same key has been seen already.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Entry, bool) -> bool) {
        if self.is_heap {
            self.become_array();
        }
        let mut before = None;
        self.entries.retain(|entry| keep(entry, before.replace(entry.key()) == Some(entry.key())));
        if self.entries.len() > HEAP_FROM {
            self.become_heap();
        }
    }

    #[cold]
    fn become_heap(&mut self) {
        self.entries.reverse(); // a rising array is a heap of any arity
        self.is_heap = true;
    }

    #[cold]
    fn become_array(&mut self) {
        self.close_hole();
        self.entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.key()));
        self.is_heap = false;
    }

    #[inline]
    fn pop_heap(&mut self, until: u64) -> Option<Entry> {
        self.close_hole();
        let first = *self.entries.first()?;
        if first.time > until {
            return None;
        }
        self.hole = true;
        if self.entries.len() < SORT_BELOW {
            self.become_array();
        }
        Some(first)
    }

    fn insert_heap(&mut self, time: u64, tie: u64, place: u64) {
        if self.hole {
            self.hole = false;
            self.sift_down(time, tie, place);
        } else {
            self.sift_up(time, tie, place);
        }
    }

    #[inline]
    fn close_hole(&mut self) {
        if self.hole {
            self.fill_hole();
        }
    }

    fn fill_hole(&mut self) {
        self.hole = false;
        let last = self.entries.pop().expect("a hole is an entry");
        if !self.entries.is_empty() {
            self.sift_down(last.time, last.tie, last.place);
        }
    }

    /// Adds an entry at the bottom and lets it rise.
    fn sift_up(&mut self, time: u64, tie: u64, place: u64) {
        let mut at = self.entries.len();
        self.entries.push(Entry { time, tie, place });
        let entries = self.entries.as_mut_slice();
        while at > 0 {
            let parent = (at - 1) / ARITY;
            let above = entries[parent];
            if above.key() <= key(time, tie) {
                break;
            }
            entries[at] = above;
            at = parent;
        }
        entries[at] = Entry { time, tie, place };
    }

    /// Puts an entry in the place of the root and lets it sink.
    #[inline]
    fn sift_down(&mut self, time: u64, tie: u64, place: u64) {
        let entries = self.entries.as_mut_slice();
        let mut at = 0;
        loop {
            let child = at * ARITY + 1;
            let Some([a, b, c, d]) = entries.get(child..child + ARITY) else {
                return self.sift_down_last(time, tie, place, at);
            };
            // A tournament of times, without a branch that could be guessed wrong; ties are rare.
            let (left, left_time) = if b.time < a.time { (1, b.time) } else { (0, a.time) };
            let (right, right_time) = if d.time < c.time { (3, d.time) } else { (2, c.time) };
            let mut least = child + if right_time < left_time { right } else { left };
            if a.time == b.time || c.time == d.time || left_time == right_time {
                least = least_of(entries, child);
            }
            let below = entries[least];
            if key(time, tie) <= below.key() {
                break;
            }
            entries[at] = below;
            at = least;
        }
        entries[at] = Entry { time, tie, place };
    }
    /// As [`Order::sift_down`] from a node that may lack children.
    fn sift_down_last(&mut self, time: u64, tie: u64, place: u64, mut at: usize) {
        let entries = self.entries.as_mut_slice();
        let child = at * ARITY + 1;
        if child < entries.len() {
            let least = least_of(entries, child);
            if entries[least].key() < key(time, tie) {
                entries[at] = entries[least];
                at = least;
            }
        }
        entries[at] = Entry { time, tie, place };
    }
}

/// The least of up to four entries from `child` on.
#[cold]
fn least_of(entries: &[Entry], child: usize) -> usize {
    let end = (child + ARITY).min(entries.len());
    (child..end).min_by_key(|&i| entries[i].key()).expect("at least one")
}
