//! Typed words between our programs, a file each; no program speaks to another but in these.

pub mod anvil;
pub mod bounce;
pub mod couriers;
pub mod delivery;
pub mod flush;
pub mod login;
pub mod proxymap;
pub mod residents;
pub mod spawn;
pub mod ticket_keys;
pub mod qmgr;
