//! Reads tables written by people and reports every mistake in them, with its place and advice.
//!
//! A leaf: it knows TOML, units and laws of time, and no model. A table describes its keys once, as constants
//! ([`Key`]); reading, checking, `explain` and the account of defaults all follow from that description. Plain
//! deserialization stops at its first error, hence a reader of its own over values that know their place.
//! Start with [`Reader`].

pub mod defaults;
pub mod key;
pub mod law;
pub mod nearest;
pub mod problem;
pub mod reader;
pub mod session;
pub mod source;
pub mod tree;
pub mod units;
pub mod values;

pub use defaults::Defaults;
pub use key::{Key, Kind, Mark};
pub use problem::{Problem, Problems};
pub use reader::{Choice, Reader, Table};
pub use session::{Files, Folder, NoFiles, Session};
pub use source::{Name, Place, Source};
pub use tree::{Entry, Item, TableItem, Value};
pub use values::{ArrivalsValue, Dimension, QuantityValue};
