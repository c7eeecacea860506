//! The first steps of a resident: it becomes the owner of mailboxes, then its program; or its program first, and waits.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use services::residents::Program;
use sys::ids::Identity;
use sys::{fork, ids, process};
use worker::resident::ARGUMENT;

use crate::order::Order;
use crate::zygote::refuse;

/// Runs in a process of its own, and does not return when all goes well; answers its exit status.
pub(crate) fn run(line: &OwnedFd, order: &Order, program: Program, parent: u32) -> i32 {
    let error = become_program(line, Some(&order.identity), program, parent);
    refuse(line, &format!("start {} for uid {}: {error}", program.name(), order.identity.uid), false);
    1
}

/// The same for nobody yet: it hears from the zygote whom it becomes (`worker::resident`).
pub(crate) fn wait(line: &OwnedFd, program: Program, parent: u32) -> i32 {
    // The zygote sees it at the next order, which is carried out without this process, and says why that fails.
    let _ = become_program(line, None, program, parent);
    1
}

fn become_program(line: &OwnedFd, identity: Option<&Identity>, program: Program, parent: u32) -> io::Error {
    let prepared = || {
        fork::keep_only(&[line.as_fd()])?;
        // Opened before root is gone: the owner of a mailbox need not see where our programs are.
        let file = File::open(std::env::current_exe()?.with_file_name(program.name()))?;
        identity.map_or(Ok(()), ids::become_for_good)?;
        if fork::die_with_parent(parent)? { Ok(file) } else { Err(io::Error::other("spawnd is gone")) }
    };
    match prepared() {
        Ok(file) => process::execute(file.as_fd(), &[program.name(), ARGUMENT], line.as_fd()),
        Err(error) => error,
    }
}
