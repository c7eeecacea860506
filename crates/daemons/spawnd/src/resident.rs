//! The first steps of a resident: it becomes the owner of mailboxes, then its program.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use services::residents::Program;
use sys::{fork, ids, process};
use worker::resident::ARGUMENT;

use crate::order::Order;
use crate::zygote::refuse;

/// Runs in a process of its own, and does not return when all goes well; answers its exit status.
pub(crate) fn run(line: &OwnedFd, order: &Order, program: Program, parent: u32) -> i32 {
    let error = become_program(line, order, program, parent);
    refuse(line, &format!("start {} for uid {}: {error}", program.name(), order.identity.uid), false);
    1
}

fn become_program(line: &OwnedFd, order: &Order, program: Program, parent: u32) -> io::Error {
    let prepared = || {
        fork::keep_only(&[line.as_fd()])?;
        // Opened before root is gone: the owner of a mailbox need not see where our programs are.
        let file = File::open(std::env::current_exe()?.with_file_name(program.name()))?;
        ids::become_for_good(&order.identity)?;
        if fork::die_with_parent(parent)? { Ok(file) } else { Err(io::Error::other("spawnd is gone")) }
    };
    match prepared() {
        Ok(file) => process::execute(file.as_fd(), &[program.name(), ARGUMENT], line.as_fd()),
        Err(error) => error,
    }
}
