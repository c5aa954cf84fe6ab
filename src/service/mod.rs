//! What policies stand on: detectors, replication, the ledger. Each in one place, tested alone.

pub mod detector;
pub mod fidelity;
pub mod health;
pub mod ledger;
pub mod poll;
mod recent;
pub mod replication;
mod room;
pub(crate) mod runs;
pub(crate) mod windows;
