//! Says what a test leaves out.

use std::io::Write;

/// Writes that the test that runs now leaves out `what`, to be called where it does. The harness hides what a test that
/// passes prints with `eprintln!`; this it does not hide.
pub fn left_out(what: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    // A closed standard error is no reason to fail.
    let _ = writeln!(std::io::stderr(), "left out of {test}: {what}");
}
