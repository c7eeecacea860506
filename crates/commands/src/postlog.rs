//! postlog: lines for the log, from scripts.

use std::ffi::OsString;
use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::getopt::{Getopt, Opt, text};
use crate::site::{Failure, Site, Voice, reason};

const VOICE: Voice = Voice { program: "postlog" };
const USAGE: &str = "usage: postlog [-c config_dir] [-i] [-p priority] [-t tag] [-v] [text...]";

/// `-p`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Priority {
    Info,
    Warn,
    Error,
    Fatal,
    Panic,
}

impl Priority {
    fn of(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "info" => Self::Info,
            "warn" | "warning" => Self::Warn,
            "error" => Self::Error,
            "fatal" => Self::Fatal,
            "panic" => Self::Panic,
            _ => return None,
        })
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Info => "",
            Self::Warn => "warning: ",
            Self::Error => "error: ",
            Self::Fatal => "fatal: ",
            Self::Panic => "panic: ",
        }
    }

    fn log(self, line: &str) {
        match self {
            Self::Info => log::info!("{line}"),
            Self::Warn => log::warn!("{line}"),
            Self::Error => log::error!("{line}"),
            Self::Fatal => log::error!(target: maillog::FATAL, "{line}"),
            Self::Panic => log::info!("panic: {line}"),
        }
    }
}

/// Runs the command with the arguments that stand behind its name.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    VOICE.finish(run(arguments))
}

fn run(arguments: Vec<OsString>) -> Result<ExitCode, Failure> {
    let (mut directory, mut priority, mut tag) = (None, Priority::Info, None);
    let mut getopt = Getopt::new("c:ip:t:v", arguments);
    for option in getopt.by_ref() {
        match option.map_err(|misuse| VOICE.misuse(&misuse, USAGE))? {
            Opt::Value('c', path) => directory = Some(PathBuf::from(path)),
            Opt::Value('p', name) => {
                let name = text(&name);
                priority =
                    Priority::of(&name).ok_or_else(|| Failure::new(format!("bad priority: {name}")))?;
            }
            Opt::Value(_, name) => tag = Some(text(&name)),
            Opt::Letter(_) => {}
        }
    }
    let site = Site::read(VOICE, directory.as_deref())?;
    let tag = tag.unwrap_or_else(|| format!("{}/postlog", site.config.get(&parameters::SYSLOG_NAME)));
    let terminal = std::io::stderr().is_terminal();
    site.open_log(tag.clone());
    let say = |line: &str| {
        if terminal {
            eprintln!("{tag}: {}{line}", priority.prefix());
        }
        priority.log(line);
    };
    let operands = getopt.operands();
    if operands.is_empty() {
        for line in std::io::stdin().lock().split(b'\n') {
            let line = line.map_err(|error| Failure::new(format!("read stdin: {}", reason(&error))))?;
            // Text ends where C ends it.
            let text = line.split(|byte| *byte == 0).next().unwrap_or_default();
            say(&String::from_utf8_lossy(text));
        }
    } else {
        say(&operands.iter().map(|word| text(word)).collect::<Vec<_>>().join(" "));
    }
    Ok(ExitCode::SUCCESS)
}
