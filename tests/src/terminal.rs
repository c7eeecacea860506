//! A terminal for programs that work at nothing else.

use std::process::{Command, Stdio};

/// Runs a program at a terminal of its own until it ends, and ends as it ended.
const SCRIPT: &str = "
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.environ['TERM'] = 'xterm'
    os.execvp(sys.argv[1], sys.argv[1:])
said = b''
try:
    while block := os.read(terminal, 65536): said += block
except OSError: pass
sys.stdout.buffer.write(said)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

/// `program` at a terminal at which nobody types; what it shows is on standard output. Needs python3.
pub fn command(program: &str) -> Command {
    let mut command = Command::new("python3");
    command.args(["-c", SCRIPT, program]).stdin(Stdio::null());
    command
}
