//! Warnings and errors on standard error, in Postfix's form.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use parameters::expand::ExpandError;
use parameters::host::HostError;
use parameters::text::to_bytes;

use super::Output;

/// What ends the command with exit code 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Fatal(pub(super) String);

impl Fatal {
    pub(super) fn new(text: impl Display) -> Self {
        Self(text.to_string())
    }
}

/// What Postfix calls the settings of main.cf in messages.
pub(super) const MAIN_DICTIONARY: &str = "mail_dict";

/// Where messages go.
#[derive(Debug)]
pub(super) struct Report {
    program: String,
}

impl Report {
    pub(super) fn new(program: String) -> Self {
        Self { program }
    }

    /// The name of the program without its folder.
    pub(super) fn program_name(&self) -> &str {
        self.program.rsplit_once('/').map_or(&self.program, |(_, name)| name)
    }

    /// The program as it was called.
    pub(super) fn program(&self) -> &str {
        &self.program
    }

    pub(super) fn warn(&self, text: impl Display) {
        self.line(&format!("{}: warning: {text}", self.program));
    }

    /// A value of `dictionary` that does not expand.
    pub(super) fn macro_error(&self, dictionary: &str, error: ExpandError) -> Fatal {
        self.warn(error);
        Fatal(format!("dictionary {dictionary}: macro processing error"))
    }

    /// A default that cannot be computed.
    pub(super) fn host_error(&self, error: HostError) -> Fatal {
        match error {
            HostError::Setting(error) => self.macro_error(MAIN_DICTIONARY, error),
            other => Fatal::new(other),
        }
    }

    pub(super) fn fatal(&self, fatal: &Fatal) -> ExitCode {
        self.line(&format!("{}: fatal: {fatal}", self.program));
        ExitCode::FAILURE
    }

    /// A line on standard error; bytes that no terminal should get are shown as `?`.
    pub(super) fn line(&self, text: &str) {
        let mut bytes = to_bytes(text);
        bytes.iter_mut().filter(|byte| !matches!(**byte, b' '..=b'~')).for_each(|byte| *byte = b'?');
        bytes.push(b'\n');
        // Nobody is left to tell when standard error does not work.
        let _ = std::io::stderr().write_all(&bytes);
    }

    /// Standard output, then the warnings that follow it.
    pub(super) fn print(&self, output: &Output) -> ExitCode {
        let mut stdout = std::io::stdout().lock();
        let written = stdout.write_all(&to_bytes(&output.text)).and_then(|()| stdout.flush());
        for warning in &output.warnings {
            self.warn(warning);
        }
        match written {
            Ok(()) if output.success => ExitCode::SUCCESS,
            Ok(()) => ExitCode::FAILURE,
            // As when the reader of a pipe has gone: nothing more to do.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
            Err(error) => self.fatal(&Fatal::new(format_args!("write standard output: {error}"))),
        }
    }
}
