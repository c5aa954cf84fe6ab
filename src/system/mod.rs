//! The system under study: nodes, links, clocks, queues, workload. It knows no protocol.

pub mod bursts;
pub mod ids;
pub mod medium;
pub mod spec;
