//! Every parameter declared once; the grammar of main.cf and master.cf; `$name` expansion; the `Config` of
//! one process.
#![forbid(unsafe_code)]

pub mod declare;
mod table;
pub mod index;
pub mod family;
pub mod safer;
pub mod inert;
pub mod text;
pub mod list;
pub mod main_cf;
pub mod master_cf;
pub mod compatibility;
pub mod expand;
pub mod value;
pub mod host;
pub mod config;

pub use config::{Config, ConfigError, Defaults, Fault, Sources};
pub use declare::{Declared, Flag, Kind, Number, Param, Raw, Text, Time};
pub use host::{HostFacts, Interface};
pub use table::*;
