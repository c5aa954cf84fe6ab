//! What a person sees of a result: tables and charts, drawn from plain values.
//!
//! Nothing here runs anything, knows a simulation type or reads a file; [`record`](crate::record) holds the formats
//! that results are stored in. Read [`chart::LineChart`] and [`table::Table`] first.

pub mod chart;
pub mod number;
mod raster;
mod scene;
pub mod table;
mod text;
