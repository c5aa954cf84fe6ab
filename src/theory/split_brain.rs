//! Two nodes that never fail, a link that does, and nobody to say who is right.

use crate::maths::exp;

/// The standby promotes itself when the link has been silent for `detect`; the two merge when the link is back.
///
/// The link is up for a mean time U and down for an exponential time of mean D. An outage outlasts the detection
/// time τ with probability e^(−τ/D) and then lasts another D on average, so two actives exist for a share of
/// D·e^(−τ/D)/(U + D) of the time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoWitness {
    /// U: the mean time the link is up.
    pub link_up_mean: f64,
    /// D: the mean time it is down, exponential.
    pub link_down_mean: f64,
    /// τ: from the loss of the link to the promotion.
    pub detect: f64,
}

impl NoWitness {
    /// The long-run share of time with two actives.
    pub fn share(&self) -> f64 {
        self.window_rate() * self.window_mean()
    }

    /// Windows with two actives per unit of time.
    pub fn window_rate(&self) -> f64 {
        exp(-self.detect / self.link_down_mean) / (self.link_up_mean + self.link_down_mean)
    }

    /// The mean length of a window; its law is exponential.
    pub fn window_mean(&self) -> f64 {
        self.link_down_mean
    }
}
