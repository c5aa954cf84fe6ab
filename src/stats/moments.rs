//! Means and variances in one pass, without cancellation.

/// Count, mean, spread and range of a series of numbers.
///
/// Single values are added by Welford's recurrence (1962), series joined by the formula of Chan, Golub and LeVeque
/// (1979). The last bits depend on the order of folding, so fold in run order.
///
/// ```
/// use failsim::stats::moments::Moments;
/// let m: Moments = [1.0, 2.0, 3.0, 4.0].into_iter().collect();
/// assert_eq!((m.count(), m.mean()), (4, 2.5));
/// assert!((m.variance() - 5.0 / 3.0).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
    min: f64,
    max: f64,
}

impl Default for Moments {
    fn default() -> Moments {
        Moments { count: 0, mean: 0.0, squares: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Moments {
    /// No numbers yet.
    pub fn new() -> Moments {
        Moments::default()
    }

    /// Takes up one number.
    pub fn push(&mut self, x: f64) {
        self.count += 1;
        let gap = x - self.mean;
        self.mean += gap / self.count as f64;
        self.squares += gap * (x - self.mean);
        self.min = self.min.min(x);
        self.max = self.max.max(x);
    }

    /// Takes up all numbers of another series.
    pub fn merge(&mut self, other: &Moments) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let (n, m) = (self.count as f64, other.count as f64);
        let gap = other.mean - self.mean;
        self.count += other.count;
        self.mean += gap * (m / (n + m));
        self.squares += other.squares + gap * gap * (n * m / (n + m));
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Those of `factor` times each number.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Moments {
        let (a, b) = (self.min * factor, self.max * factor);
        let (mean, squares) = (self.mean * factor, self.squares * factor * factor);
        Moments { mean, squares, min: a.min(b), max: a.max(b), ..*self }
    }

    /// Those of what each number lacks of `whole`.
    #[must_use]
    pub fn lacking(&self, whole: f64) -> Moments {
        Moments { mean: whole - self.mean, min: whole - self.max, max: whole - self.min, ..*self }
    }

    /// How many numbers.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean; 0 of no numbers.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The sum.
    pub fn sum(&self) -> f64 {
        self.mean * self.count as f64
    }

    /// The unbiased variance; 0 of fewer than two numbers.
    pub fn variance(&self) -> f64 {
        if self.count < 2 { 0.0 } else { self.squares / (self.count - 1) as f64 }
    }

    /// The standard deviation of the numbers.
    pub fn std_dev(&self) -> f64 {
        self.variance().sqrt()
    }

    /// The standard error of the mean; 0 of fewer than two numbers.
    pub fn std_error(&self) -> f64 {
        if self.count < 2 { 0.0 } else { (self.variance() / self.count as f64).sqrt() }
    }

    /// The smallest number; infinity if there is none.
    pub fn min(&self) -> f64 {
        self.min
    }

    /// The largest number; minus infinity if there is none.
    pub fn max(&self) -> f64 {
        self.max
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(numbers: I) -> Moments {
        let mut moments = Moments::new();
        for x in numbers {
            moments.push(x);
        }
        moments
    }
}

/// Means, variances and covariance of a series of pairs, for ratios.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PairMoments {
    /// The first numbers.
    pub x: Moments,
    /// The second numbers.
    pub y: Moments,
    products: f64,
}

impl PairMoments {
    /// No pairs yet.
    pub fn new() -> PairMoments {
        PairMoments::default()
    }

    /// Takes up one pair.
    pub fn push(&mut self, x: f64, y: f64) {
        let gap = x - self.x.mean;
        self.x.push(x);
        self.y.push(y);
        self.products += gap * (y - self.y.mean);
    }

    /// Takes up all pairs of another series.
    pub fn merge(&mut self, other: &PairMoments) {
        if self.x.count > 0 && other.x.count > 0 {
            let (n, m) = (self.x.count as f64, other.x.count as f64);
            let gaps = (other.x.mean - self.x.mean) * (other.y.mean - self.y.mean);
            self.products += gaps * (n * m / (n + m));
        }
        self.products += other.products;
        self.x.merge(&other.x);
        self.y.merge(&other.y);
    }

    /// How many pairs.
    pub fn count(&self) -> u64 {
        self.x.count
    }

    /// The unbiased covariance; 0 of fewer than two pairs.
    pub fn covariance(&self) -> f64 {
        if self.x.count < 2 { 0.0 } else { self.products / (self.x.count - 1) as f64 }
    }

    /// The correlation; 0 where one side does not vary.
    pub fn correlation(&self) -> f64 {
        let spread = self.x.std_dev() * self.y.std_dev();
        if spread > 0.0 { (self.covariance() / spread).clamp(-1.0, 1.0) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maths::testing::{SplitMix, near};

    #[test]
    fn parts_joined_equal_the_whole() {
        let mut random = SplitMix(3);
        let pairs: Vec<(f64, f64)> = (0..1000)
            .map(|_| {
                let x = 1e6 + random.uniform();
                (x, 3.0 * x + random.uniform())
            })
            .collect();
        let mut whole = PairMoments::new();
        pairs.iter().for_each(|(x, y)| whole.push(*x, *y));
        let mut joined = PairMoments::new();
        for part in pairs.chunks(77) {
            let mut moments = PairMoments::new();
            part.iter().for_each(|(x, y)| moments.push(*x, *y));
            joined.merge(&moments);
        }
        joined.merge(&PairMoments::new());
        assert_eq!(joined.count(), 1000);
        near(joined.x.mean(), whole.x.mean(), 1e-15);
        near(joined.x.variance(), whole.x.variance(), 1e-9);
        near(joined.covariance(), whole.covariance(), 1e-9);
        assert_eq!((joined.x.min(), joined.y.max()), (whole.x.min(), whole.y.max()));
        assert!(whole.correlation() > 0.9);
    }

    #[test]
    fn a_large_offset_does_not_swamp_the_spread() {
        let moments: Moments = [1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0].into_iter().collect();
        assert_eq!(moments.variance(), 30.0);
    }
}
