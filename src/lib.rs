//! failsim: what does a redundancy protocol really give me?
//!
//! The library behind the program of that name. A program with policies of its own calls [`main`] with them.
pub mod check;
pub mod cli;
pub mod engine;
pub mod experiment;
pub mod input;
pub mod maths;
pub mod measure;
pub mod model;
pub mod policy;
pub mod record;
pub mod report;
pub mod service;
pub mod stats;
pub mod system;
pub mod theory;

pub use cli::main;
