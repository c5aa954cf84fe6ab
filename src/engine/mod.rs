//! The engine: time, an agenda of events, named random streams, laws, stepping and cloning.
//!
//! It knows no node and no protocol; `examples/bank_queue.rs` is built on nothing else. Start with
//! [`sim::Simulation`].

pub mod agenda;
pub mod dist;
pub mod fingerprint;
mod order;
pub mod probe;
pub mod sim;
pub mod stream;
pub mod time;
