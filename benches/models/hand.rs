//! What the hand-tight loops schedule with: 128-bit keys in a sorted array or a 4-ary heap, nothing else.

/// A key: time above, then what the engine's order has as class, entity and counter. Here the low half says what
/// happens and to whom, since nothing ties.
#[inline]
pub fn key(nanos: u64, what: u32) -> u128 {
    u128::from(nanos) << 64 | u128::from(what)
}

/// The time of a key.
#[inline]
pub fn nanos(key: u128) -> u64 {
    (key >> 64) as u64
}

/// Keys in falling order: the next one is the last.
#[derive(Default)]
pub struct SortedArray {
    keys: Vec<u128>,
}

impl SortedArray {
    /// Puts one in.
    #[inline]
    pub fn push(&mut self, key: u128) {
        let mut at = self.keys.len();
        self.keys.push(key);
        while at > 0 && self.keys[at - 1] < key {
            self.keys[at] = self.keys[at - 1];
            at -= 1;
        }
        self.keys[at] = key;
    }

    /// Takes the next.
    #[inline]
    pub fn pop(&mut self) -> Option<u128> {
        self.keys.pop()
    }
}

/// A 4-ary heap.
#[derive(Default)]
pub struct Heap {
    keys: Vec<u128>,
}

impl Heap {
    /// Makes a heap of keys in any order.
    pub fn new(mut keys: Vec<u128>) -> Heap {
        keys.sort_unstable(); // a rising array is a heap
        Heap { keys }
    }

    /// The next.
    #[inline]
    pub fn first(&self) -> u128 {
        self.keys[0]
    }

    /// Puts `key` in the place of the next: one sift for an event that schedules its successor.
    #[inline]
    pub fn replace_first(&mut self, key: u128) {
        let keys = self.keys.as_mut_slice();
        let mut at = 0;
        loop {
            let child = 4 * at + 1;
            let Some(&[a, b, c, d]) = keys.get(child..child + 4) else {
                if let Some(least) = (child..keys.len()).min_by_key(|&i| keys[i])
                    && keys[least] < key
                {
                    keys[at] = keys[least];
                    at = least;
                }
                break;
            };
            // Times alone are enough but for ties, and are compared without a branch.
            let (left, ab) = if nanos(b) < nanos(a) { (1, nanos(b)) } else { (0, nanos(a)) };
            let (right, cd) = if nanos(d) < nanos(c) { (3, nanos(d)) } else { (2, nanos(c)) };
            let mut least = child + if cd < ab { right } else { left };
            if nanos(a) == nanos(b) || nanos(c) == nanos(d) || ab == cd {
                least = (child..child + 4).min_by_key(|&i| keys[i]).unwrap_or(child);
            }
            if key <= keys[least] {
                break;
            }
            keys[at] = keys[least];
            at = least;
        }
        keys[at] = key;
    }
}
