//! The fingerprint of a run: a rolling hash of what happened.
//!
//! It hashes *facts* (a node failed, a role changed, a write was lost), never the agenda's internals: a faster
//! agenda changes no fingerprint, and a changed fingerprint is changed behaviour. Check-points of it find the first
//! fact at which two runs part.

use std::fmt;

use super::time::Instant;

/// A rolling hash of facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Fingerprint {
    state: [u64; 2],
    count: u64,
}

/// The first 64 bits of π's and e's fraction: constants with nothing up their sleeve.
const MULTIPLIERS: [u64; 2] = [0x243f_6a88_85a3_08d3, 0xb7e1_5162_8aed_2a6b];

impl Fingerprint {
    /// Takes one word in.
    #[inline]
    pub fn word(&mut self, word: u64) {
        let [a, b] = self.state;
        let folded = u128::from(a ^ word ^ MULTIPLIERS[0]) * u128::from(b.rotate_left(29) ^ MULTIPLIERS[1]);
        self.state = [folded as u64 ^ b, (folded >> 64) as u64 ^ a.rotate_left(17) ^ word];
    }

    /// Takes one fact in: when, what kind, of whom, and its value.
    #[inline]
    pub fn fact(&mut self, at: Instant, kind: u8, entity: u32, value: u64) {
        self.count += 1;
        self.word(at.as_nanos());
        self.word(u64::from(kind) << 32 | u64::from(entity));
        self.word(value);
    }

    /// Facts taken in.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The hash, 128 bits.
    pub fn value(&self) -> u128 {
        let mut last = *self;
        last.word(self.count);
        last.word(!self.count);
        u128::from(last.state[0]) << 64 | u128::from(last.state[1])
    }
}

/// As 32 hexadecimal digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.value())
    }
}

/// A fingerprint after so many facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckPoint {
    /// Facts so far.
    pub count: u64,
    /// Time of the last of them.
    pub at: Instant,
    /// The hash of all of them.
    pub value: u128,
}

/// A bounded list of check-points: when it is full, every other one goes and the distance doubles.
#[derive(Clone, Debug)]
pub struct CheckPoints {
    every: u64,
    points: Vec<CheckPoint>,
}

/// At most this many are kept.
const POINTS_MAX: usize = 64;

impl Default for CheckPoints {
    fn default() -> Self {
        CheckPoints { every: 1, points: Vec::new() }
    }
}

impl CheckPoints {
    /// Looks at the fingerprint after a fact and keeps it where one is due.
    pub fn see(&mut self, at: Instant, fingerprint: &Fingerprint) {
        if !fingerprint.count().is_multiple_of(self.every) {
            return;
        }
        if self.points.len() == POINTS_MAX {
            self.every *= 2;
            let every = self.every;
            self.points.retain(|point| point.count.is_multiple_of(every));
            if !fingerprint.count().is_multiple_of(every) {
                return;
            }
        }
        self.points.push(CheckPoint { count: fingerprint.count(), at, value: fingerprint.value() });
    }

    /// The check-points kept, in order.
    pub fn points(&self) -> &[CheckPoint] {
        &self.points
    }

    /// The stretch of facts in which two runs part: after the last common check-point, up to the first that differs.
    /// `None` if no check-point that both hold differs.
    pub fn parting(&self, other: &CheckPoints) -> Option<(u64, u64)> {
        let mut common = 0;
        for point in &self.points {
            match other.points.binary_search_by_key(&point.count, |p| p.count) {
                Ok(i) if other.points[i] == *point => common = point.count,
                Ok(_) => return Some((common, point.count)),
                Err(_) => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(values: impl Iterator<Item = u64>) -> (Fingerprint, CheckPoints) {
        let (mut fingerprint, mut points) = (Fingerprint::default(), CheckPoints::default());
        for (i, value) in values.enumerate() {
            let at = Instant::from_nanos(i as u64);
            fingerprint.fact(at, 1, 2, value);
            points.see(at, &fingerprint);
        }
        (fingerprint, points)
    }

    #[test]
    fn order_and_every_field_count() {
        let of = |facts: &[(u64, u8, u32, u64)]| {
            let mut f = Fingerprint::default();
            for &(at, kind, entity, value) in facts {
                f.fact(Instant::from_nanos(at), kind, entity, value);
            }
            f.value()
        };
        let base = of(&[(1, 1, 1, 1), (2, 2, 2, 2)]);
        for other in [
            of(&[(2, 2, 2, 2), (1, 1, 1, 1)]),
            of(&[(1, 1, 1, 1)]),
            of(&[(1, 1, 1, 1), (3, 2, 2, 2)]),
            of(&[(1, 1, 1, 1), (2, 3, 2, 2)]),
            of(&[(1, 1, 1, 1), (2, 2, 3, 2)]),
            of(&[(1, 1, 1, 1), (2, 2, 2, 3)]),
            of(&[]),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn check_points_enclose_the_first_difference() {
        let (a, points_a) = run(0..100_000);
        let (b, points_b) = run((0..100_000).map(|i| if i == 70_000 { 0 } else { i }));
        assert_ne!(a, b);
        let (after, until) = points_a.parting(&points_b).expect("they differ");
        assert!(after <= 70_000 && 70_000 < until, "fact 70,001 lies in ({after}, {until}]");
        assert!(until - after <= 4096);
        assert!(points_a.points().len() <= POINTS_MAX);
        assert_eq!(points_a.parting(&points_a.clone()), None);
    }
}
