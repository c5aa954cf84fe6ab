//! Model, experiment and scenario files: what may stand in them, and how they become plain data.
//!
//! [`schema`] describes every key, [`resolve`] applies `like` and overrides to the text's tree, [`build`] turns
//! names into indexes and checks what spans several tables, [`load`](fn@load::load) joins the three. Nothing here
//! runs a model. Start with [`load::load`].

pub mod axis;
pub mod build;
pub mod describe;
pub mod ends;
pub mod experiment_file;
pub mod load;
pub mod names;
pub mod resolve;
pub mod scale;
pub mod scenario_file;
pub mod schema;
pub mod schema_faults;
pub mod schema_work;
pub mod script;
pub mod shipped;

#[cfg(test)]
mod tests;

pub use load::{Override, load};
