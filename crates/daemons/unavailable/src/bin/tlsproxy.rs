//! # NAME
//! tlsproxy - does TLS for postscreen and smtp
//!
//! # DESCRIPTION
//! Not in this version. Whoever connects is turned away.

use std::process::ExitCode;

use unavailable::Missing;
use unavailable::refusal::{Refusing, Server};

struct Program;

impl Missing for Program {
    const PROGRAM: &'static str = "tlsproxy";
    const WHAT: &'static str = "the TLS helper of postscreen";
}

impl Refusing for Program {}

fn main() -> ExitCode {
    worker::run::<Server<Program>>()
}
