//! # NAME
//! postscreen - looks at clients before smtpd(8) does
//!
//! # DESCRIPTION
//! Not in this version. Clients are told to come back later; let smtpd(8) serve the port in master.cf instead.

use std::process::ExitCode;

use unavailable::Missing;
use unavailable::refusal::{Refusing, Server};

struct Program;

impl Missing for Program {
    const PROGRAM: &'static str = "postscreen";
    const WHAT: &'static str = "tests of clients by postscreen (let smtpd serve the port in master.cf)";
}

impl Refusing for Program {
    const FAREWELL: &'static [u8] = b"421 4.3.2 All server ports are busy\r\n";
}

fn main() -> ExitCode {
    worker::run::<Server<Program>>()
}
