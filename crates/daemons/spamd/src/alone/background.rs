//! Into the background (`-d`): the same program once more, without a terminal.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// Tells the process in the background that its parent waits for a word on standard output.
const PARENT_WAITS: &str = "PILLARBOX_SPAMD_PARENT_WAITS";
/// That word.
const SERVING: &str = "serving";

/// Is this the process in the background, whose parent waits?
pub(super) fn is_waited_for() -> bool {
    std::env::var_os(PARENT_WAITS).is_some()
}

/// Starts the same program without a terminal, and ends when that one serves.
pub(super) fn enter(arguments: &[String]) -> Result<(), String> {
    let step = |what: &'static str| move |error: io::Error| format!("{what}: {error}");
    let program = std::env::current_exe().map_err(step("find this program"))?;
    let mut child = Command::new(program)
        .args(arguments)
        .env(PARENT_WAITS, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(step("start in the background"))?;
    let mut word = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output)
            .read_line(&mut word)
            .map_err(step("wait for the process in the background"))?;
    }
    if word.trim() == SERVING {
        return Ok(());
    }
    Err("the process in the background did not start: see the log".to_owned())
}

/// Tells the parent that it may end, and leaves its terminal.
///
/// # Errors
/// As writing to it.
pub(super) fn tell_parent() -> io::Result<()> {
    println!("{SERVING}");
    io::stdout().flush()?;
    sys::process::silence_terminal();
    // In a process group of its own already when it was started so: then there is nothing to leave.
    let _ = sys::process::become_session_leader();
    Ok(())
}
