//! # NAME
//! anvil - counts clients and what they do
//!
//! # DESCRIPTION
//! Not in this version: the per-client limits of smtpd(8) that need its counts have no effect. Whoever connects is
//! turned away.

use std::process::ExitCode;

use unavailable::Missing;
use unavailable::refusal::{Refusing, Server};

struct Program;

impl Missing for Program {
    const PROGRAM: &'static str = "anvil";
    const WHAT: &'static str = "counting of clients";
}

impl Refusing for Program {}

fn main() -> ExitCode {
    worker::run::<Server<Program>>()
}
