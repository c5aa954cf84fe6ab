//! Statistics of finished runs: moments, intervals, paired comparison, quantiles, stopping, and tests.
//!
//! Pure functions of numbers: they draw nothing and know nothing of simulation. Folding in the same order gives the
//! same bits. Start with [`interval::Interval`]; [`moments::Moments`] is what most of them eat.
pub mod censored;
pub mod clustered;
pub mod interval;
pub mod moments;
pub mod paired;
pub mod quantile;
pub mod skewed;
pub mod stop;
pub mod test;
