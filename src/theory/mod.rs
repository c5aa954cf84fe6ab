//! Closed forms: what the simulation must find where theory already knows.
//!
//! Oracles for the tests and reference columns for reports; nothing here draws a random number. Rates and times may be
//! in any unit, as long as it is one unit. Each formula cites its source and is checked in `tests/known_answers.rs`
//! against `tests/data/known_answers.toml`.
pub mod detector;
pub mod k_of_n;
pub mod last_writer_wins;
pub mod loss;
pub mod markov;
pub mod queueing;
pub mod repair;
pub mod split_brain;
pub mod switchover;
