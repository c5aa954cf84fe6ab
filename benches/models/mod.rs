//! Three models that every event simulator can run, each as a world on the engine and as a hand-tight loop beside it:
//! the least that the model needs, with the same generator, the same sampling and the same keys. Both give the same
//! outcome to the last event, which is checked before anything is timed.

pub mod hand;
pub mod heartbeat;
pub mod hold;
pub mod queue;
