//! Redundancy protocols, and the host that runs them.
//!
//! A protocol is one file that uses only [`contract`] (and the vocabulary of `service` and `system`): it cannot see
//! hardware, another node's state or the true time. To add one, copy `active_passive/`, change it, and add it to
//! [`registry::Shipped`].

pub mod active_active;
pub mod active_passive;
pub mod contract;
pub mod facts;
pub mod host;
pub mod hot_standby;
pub mod registry;
pub mod single;
