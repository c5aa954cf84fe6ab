//! Probes: code that watches a run and cannot change it.
//!
//! A probe sees typed facts. It gets no stream and no agenda, so it can neither draw nor schedule. The unit type is
//! the probe that is off: its call compiles to nothing.

use super::time::Instant;

/// Watches the facts of type `F` of a run.
pub trait Probe<F>: Clone {
    /// Sees one fact.
    fn see(&mut self, at: Instant, fact: &F);
}

/// Off.
impl<F> Probe<F> for () {
    #[inline]
    fn see(&mut self, _at: Instant, _fact: &F) {}
}

/// Two probes, the first one first.
impl<F, A: Probe<F>, B: Probe<F>> Probe<F> for (A, B) {
    #[inline(always)]
    fn see(&mut self, at: Instant, fact: &F) {
        self.0.see(at, fact);
        self.1.see(at, fact);
    }
}

/// Keeps every fact with its time.
impl<F: Clone> Probe<F> for Vec<(Instant, F)> {
    fn see(&mut self, at: Instant, fact: &F) {
        self.push((at, fact.clone()));
    }
}
