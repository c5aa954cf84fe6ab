//! From an experiment to its results: points × policies × runs, worked through in parallel and put together in order.
//!
//! [`plan`] says what is to be run, [`execute`](fn@execute::execute) runs it, [`outcome`] turns what came out into the
//! recorded tables, [`reports`] says in words and tables what they show, [`figures`] draws them, [`publish`] writes the
//! folder.
//! Nothing here prints. Start with [`plan::Plan`].

mod axes;
mod effects;
pub mod execute;
mod expectation;
pub mod figures;
mod limits;
mod missed;
pub mod outcome;
pub mod pairwise;
pub mod plan;
pub mod publish;
pub mod replay;
pub mod reports;
pub mod scenario;
mod sentences;
pub mod shown;
pub mod sources;
pub mod stats;
pub mod tables;
pub mod trace;
pub mod verdict;
pub mod view;
mod words;

/// Confidence of every interval and bound in a result.
pub const CONFIDENCE: f64 = 0.95;
