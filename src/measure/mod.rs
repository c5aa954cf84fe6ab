//! Measures: what is reported of a run, worked out from its facts.
//!
//! Observers see facts and cannot draw, schedule or change. [`simulate`] runs one replication and returns its
//! [`Record`]; a [`Summary`] folds records in the order of their run index, so any number of threads gives the same
//! bytes. Definitions of the measures stand in `catalog.rs`.

mod availability;
mod catalog;
mod outage;
mod pairs;
mod record;
mod shape;
mod spells;
mod summary;
mod tally;
mod windows;

pub use catalog::{Measure, find, measures};
pub use pairs::{PairRow, PairSummary};
pub use record::{Breach, Promise, Record, Replication, simulate, simulate_with};
pub use summary::{Figure, Summary};
