//! `debugger_command`: a look at a process by other means (`-D`).

use std::process::Command;

use parameters::Config;
use sys::error_text::reason;

/// Where the command finds programs.
const PATH: &str = "/bin:/usr/bin:/sbin:/usr/sbin:/usr/local/bin";

/// Runs `debugger_command` with `process_name` and `process_id` in its environment, and waits until its shell ends.
pub fn run(config: &Config) {
    let command = config.get(&parameters::DEBUGGER_COMMAND);
    if command.is_empty() {
        return log::warn!("-D: debugger_command is empty: name a command in main.cf");
    }
    log::info!("running: {command}");
    let ended = Command::new("/bin/sh")
        .args(["-c", &command])
        .env("PATH", PATH)
        .env("daemon_directory", config.get(&parameters::DAEMON_DIRECTORY))
        .env("process_name", config.get(&parameters::PROCESS_NAME))
        .env("process_id", std::process::id().to_string())
        .status();
    if let Err(error) = ended {
        log::warn!("run debugger_command: {}", reason(&error));
    }
}
