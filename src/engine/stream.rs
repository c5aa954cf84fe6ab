//! Random streams by name.
//!
//! A stream is ChaCha8 with a key made of (seed, entity name, purpose) and the run's index as stream number, so
//! adding an entity or a purpose shifts nobody else's draws, and two policies under one seed meet the same
//! failures. One draw consumes one uniform number (64 bits). There is no shared generator.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The key of a stream, computed once for all runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamKey([u8; 32]);

/// A named stream at one run's index. Opening costs nothing until the first draw.
#[derive(Clone, Debug)]
pub struct Stream {
    key: StreamKey,
    run: u64,
    generator: Option<ChaCha8Rng>,
}

/// 128-bit FNV-1a (Fowler, Noll, Vo), which takes names of any length.
fn fnv1a(words: &[&[u8]]) -> u128 {
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for word in words {
        for &byte in *word {
            hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
        // A byte that UTF-8 never contains ends each word, so ("ab", "c") and ("a", "bc") differ.
        hash = (hash ^ 0xff).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    hash
}

/// SplitMix64 (Steele, Lea, Flood 2014): spreads the 128 hashed bits over the 256 of a key.
pub(crate) fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl StreamKey {
    /// The key for `purpose` of `entity` under `seed`.
    pub fn new(seed: u64, entity: &str, purpose: &str) -> StreamKey {
        let hash = fnv1a(&[&seed.to_le_bytes(), entity.as_bytes(), purpose.as_bytes()]);
        let (mut low, mut high) = (hash as u64, (hash >> 64) as u64);
        let mut key = [0; 32];
        for (i, chunk) in key.chunks_exact_mut(8).enumerate() {
            let word = splitmix(if i % 2 == 0 { &mut low } else { &mut high });
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        StreamKey(key)
    }

    /// The stream of run `run`.
    pub const fn open(self, run: u64) -> Stream {
        Stream { key: self, run, generator: None }
    }
}

/// The middle of one of 2⁵² equal parts of (0, 1): neither end is ever drawn.
fn open_unit(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0)
}

impl Stream {
    /// The next uniform number, strictly between 0 and 1.
    pub fn uniform(&mut self) -> f64 {
        open_unit(self.bits())
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let (key, run) = (self.key, self.run);
        self.generator
            .get_or_insert_with(|| {
                let mut generator = ChaCha8Rng::from_seed(key.0);
                generator.set_stream(run);
                generator
            })
            .next_u64()
    }

    /// The uniform number at `position`, without moving the stream: for things that are looked at out of order.
    pub fn uniform_at(&self, position: u64) -> f64 {
        let mut generator = ChaCha8Rng::from_seed(self.key.0);
        generator.set_stream(self.run);
        generator.set_word_pos(2 * u128::from(position));
        open_unit(generator.next_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_runs_and_purposes_give_different_streams() {
        let draw = |seed, entity, purpose, run| StreamKey::new(seed, entity, purpose).open(run).bits();
        let base = draw(1, "a", "crash", 0);
        assert_eq!(base, draw(1, "a", "crash", 0));
        for other in [
            draw(2, "a", "crash", 0),
            draw(1, "b", "crash", 0),
            draw(1, "a", "repair", 0),
            draw(1, "a", "crash", 1),
        ] {
            assert_ne!(base, other);
        }
        assert_ne!(draw(1, "ab", "c", 0), draw(1, "a", "bc", 0));
    }

    #[test]
    fn positions_are_the_sequence() {
        let mut stream = StreamKey::new(3, "clock", "sync").open(17);
        for position in 0..100 {
            let there = stream.uniform_at(position);
            assert_eq!(there.to_bits(), stream.uniform().to_bits());
        }
    }

    #[test]
    fn the_draws_are_pinned() {
        // A change here changes every result that was ever published: it must be announced as such.
        let mut stream = StreamKey::new(20_261_121, "north", "failure:crash").open(399);
        let drawn: Vec<u64> = (0..3).map(|_| stream.bits()).collect();
        assert_eq!(drawn, PINNED);
    }

    const PINNED: [u64; 3] =
        [2_395_066_516_498_948_166, 6_254_692_078_451_049_929, 14_962_861_742_201_329_254];

    #[test]
    fn uniforms_never_touch_the_ends() {
        assert!(open_unit(0) > 0.0);
        assert!(open_unit(u64::MAX) < 1.0);
    }
}
