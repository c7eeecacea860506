//! Every parameter declared once; the grammar of main.cf and master.cf; `$name` expansion; the `Config` of
//! one process.
#![forbid(unsafe_code)]

pub mod declare;
mod table;

pub use declare::{Declared, Flag, Kind, Number, Param, Raw, Text, Time};
pub use table::*;
