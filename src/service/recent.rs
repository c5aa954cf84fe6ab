//! What was worked out last, kept for when the same is asked again.

/// The last two values by what they were worked out for: surroundings change to and fro.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recent<K, V>([Option<(K, V)>; 2]);

impl<K: PartialEq, V: Copy> Recent<K, V> {
    pub(super) fn new() -> Recent<K, V> {
        Recent([None, None])
    }

    /// The value of `key`, if it is known.
    #[inline]
    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.0.iter().flatten().find(|(known, _)| known == key).map(|(_, value)| *value)
    }

    /// Keeps it in the place of the older one.
    pub(super) fn keep(&mut self, key: K, value: V) {
        let last = self.0[0].replace((key, value));
        self.0[1] = last;
    }

    pub(super) fn forget(&mut self) {
        self.0 = [None, None];
    }
}
