//! spamc: hands a message to spamd, and what comes back to standard output.

mod bsmtp;
mod connection;
mod options;
mod secured;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, Stdio};
use std::thread::sleep;
use std::time::Duration;

use spamc_protocol::{Answer, BadAnswer, Call, Command, compress, read_answer};

use self::bsmtp::Envelope;
use self::connection::{EX_IOERR, GROWTH_BYTES, Route, exchange, route};
use self::options::{Misuse, Options, Parsed, parse};
use crate::site::{EX_DATAERR, EX_OSERR, EX_TEMPFAIL, EX_UNAVAILABLE, EX_USAGE, reason};

/// sysexits(3): the peer does not speak the protocol.
const EX_PROTOCOL: u8 = 76;
/// sysexits(3): the configuration can not be used.
const EX_CONFIG: u8 = 78;
/// The message is larger than `-s` allows.
const EX_TOOBIG: u8 = 98;
/// How the command is used.
const USAGE: &str = "Usage: spamc [options] [-e command [args]] < message\n\
    See spamc(1) for the options.\n";
/// The version that clients of this protocol name.
const VERSION: &str = "SpamAssassin Client version 4.0.1\n  compiled with SSL support (Pillarbox, rustls)";

/// Runs the command with the arguments that stand behind its name.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    ExitCode::from(match parse(&arguments) {
        Ok(Parsed::Run(options)) => run(&options),
        Ok(Parsed::Help) => {
            print!("{VERSION}\n\n{USAGE}\n");
            0
        }
        Ok(Parsed::Version) => {
            println!("{VERSION}");
            0
        }
        Err(Misuse::Unknown { text, to_stderr }) => {
            eprintln!("{text}");
            Log::open(to_stderr).say("invalid usage");
            print!("{VERSION}\n\n{USAGE}\n");
            EX_USAGE
        }
        Err(Misuse::Refused { text, to_stderr }) => {
            Log::open(to_stderr).say(&text);
            EX_USAGE
        }
        Err(Misuse::Config(text)) => {
            eprintln!("{text}");
            EX_CONFIG
        }
    })
}

/// Where complaints go.
struct Log {
    to_stderr: bool,
}

impl Log {
    fn open(to_stderr: bool) -> Self {
        if !to_stderr {
            let host = sys::process::host_name();
            let host = host.split('.').next().unwrap_or_default().to_owned();
            let (tag, sink) = ("spamc".to_owned(), maillog::Sink::syslog());
            maillog::open(maillog::Settings { tag, host, sink, buffered: false, verbose: false });
        }
        Self { to_stderr }
    }

    fn say(&self, text: &str) {
        if self.to_stderr {
            eprintln!("spamc: {text}");
        } else {
            log::info!("{text}");
        }
    }
}

/// The message, where it came from, and what becomes of it.
struct Job<'a> {
    options: &'a Options,
    log: Log,
    /// All that was read.
    raw: Vec<u8>,
    envelope: Option<Envelope>,
}

fn run(options: &Options) -> u8 {
    let log = Log::open(options.log_to_stderr);
    options.complaints.iter().for_each(|text| log.say(text));
    let mut job = Job { options, log, raw: Vec::new(), envelope: None };
    let found = route(options, &|text| job.say(text));
    if options.ping {
        return job.ping(found);
    }
    let outcome = found.and_then(|route| job.read().and_then(|message| job.ask(&route, &message)));
    match outcome {
        Ok((text, status)) => job.write(&text, status),
        Err(status) => job.give_up(status),
    }
}

impl Job<'_> {
    fn say(&self, text: &str) {
        self.log.say(text);
    }

    /// `-K`: the version and the status of the reply.
    fn ping(&self, found: Result<Route, u8>) -> u8 {
        match found.and_then(|route| self.exchange(&route, &[])) {
            Ok(answer) => {
                let text = format!("SPAMD/{} {}\n", answer.version, answer.status);
                self.output(text.as_bytes(), &mut io::empty(), 0)
            }
            Err(status) => status,
        }
    }

    /// The message on standard input; one byte too many is enough to know that it is too large.
    fn read(&mut self) -> Result<Vec<u8>, u8> {
        let limit = self.options.size_limit_bytes;
        let mut input = io::stdin().lock();
        let piece = (&mut input).take(limit as u64 + 1).read_to_end(&mut self.raw);
        if piece.is_err() || self.raw.is_empty() {
            return Err(EX_IOERR);
        }
        if self.raw.len() > limit {
            if !self.options.bsmtp {
                self.say(&format!("skipped message, greater than max message size ({limit} bytes)"));
            }
            return Err(EX_TOOBIG);
        }
        if !self.options.bsmtp {
            return Ok(self.raw.clone());
        }
        let (envelope, message) = bsmtp::open(&self.raw).ok_or(EX_DATAERR)?;
        self.envelope = Some(envelope);
        Ok(message)
    }

    /// One call of spamd, and what it said.
    fn exchange(&self, route: &Route, message: &[u8]) -> Result<Answer, u8> {
        let own_name =
            || sys::users::user_of_id(sys::ids::effective_uid()).ok().flatten().map(|user| user.name);
        let user = self.options.user.clone().or_else(own_name);
        let call = Call {
            command: self.options.command,
            learn: self.options.learn,
            user: user.as_deref(),
            compressed: self.options.compress,
            bare: self.options.ping,
        };
        let packed = if self.options.compress { compress(message) } else { message.to_vec() };
        let reply = exchange(self.options, route, &call.bytes(&packed), &|text| self.say(text))?;
        let command = if self.options.ping { Command::Ping } else { self.options.command };
        let answer = read_answer(command, &reply).map_err(|fault| self.refuse(&fault))?;
        if let Some(complaint) = &answer.complaint {
            self.say(&complaint.to_string());
        }
        let reports = matches!(command, Command::Report | Command::ReportIfSpam);
        let line = answer.score.filter(|_| reports).map_or(0, |score| score.line().len());
        if answer.body.len() + line > self.reply_limit_bytes() { Err(EX_TOOBIG) } else { Ok(answer) }
    }

    /// A message that has grown by more is taken as not checked.
    fn reply_limit_bytes(&self) -> usize {
        self.options.size_limit_bytes + GROWTH_BYTES
    }

    /// The exit status for a reply that can not be used.
    fn refuse(&self, fault: &BadAnswer) -> u8 {
        match fault {
            BadAnswer::Cut => return EX_IOERR,
            BadAnswer::Header => return EX_PROTOCOL,
            BadAnswer::Size { seen, .. } if *seen > self.reply_limit_bytes() => return EX_TOOBIG,
            _ => self.say(&fault.to_string()),
        }
        if *fault == BadAnswer::LongLine { EX_TOOBIG } else { EX_PROTOCOL }
    }

    /// What is to be written, and the exit status.
    fn ask(&self, route: &Route, message: &[u8]) -> Result<(Vec<u8>, u8), u8> {
        let mut attempt = 1;
        let answer = loop {
            match self.exchange(route, message) {
                Err(EX_IOERR) if attempt < self.options.filter_attempts => {
                    attempt += 1;
                    sleep(Duration::from_secs(self.options.filter_pause_seconds));
                }
                other => break other?,
            }
        };
        let spam = answer.score.is_some_and(|score| score.spam);
        let line = answer.score.map(|score| score.line()).unwrap_or_default();
        let text = match self.options.command {
            Command::Check => return Ok((line.into_bytes(), u8::from(spam))),
            Command::Tell => return Ok((self.told(&answer).as_bytes().to_vec(), 0)),
            Command::Report => [line.as_bytes(), &answer.body].concat(),
            Command::ReportIfSpam if spam => [line.as_bytes(), &answer.body].concat(),
            _ if self.options.header_only => [answer.body.as_slice(), body_of(message)].concat(),
            _ => answer.body,
        };
        Ok((text, u8::from(spam && self.options.exit_code)))
    }

    fn told(&self, answer: &Answer) -> &'static str {
        let (did, asked) = (&answer.did, &self.options.learn);
        if self.options.report {
            let done = if asked.set_remote { did.set_remote } else { did.remove_remote };
            return if done {
                "Message successfully reported/revoked\n"
            } else {
                "Unable to report/revoke message\n"
            };
        }
        let done = if asked.set_local { did.set_local } else { did.remove_local };
        if done { "Message successfully un/learned\n" } else { "Message was already un/learned\n" }
    }

    fn write(&self, text: &[u8], status: u8) -> u8 {
        let wrap = !matches!(self.options.command, Command::Check | Command::Tell);
        match &self.envelope {
            Some(envelope) if wrap => self.output(&envelope.close(text), &mut io::empty(), status),
            _ => self.output(text, &mut io::empty(), status),
        }
    }

    /// There is no verdict: the message goes through as it came, unless that is not wanted.
    fn give_up(&self, status: u8) -> u8 {
        let too_big = status == EX_TOOBIG;
        let passes = self.options.safe_fallback || too_big;
        let learning = self.options.command == Command::Tell && !self.options.report;
        let shown = match status {
            _ if learning => status,
            _ if passes => 0,
            EX_UNAVAILABLE if self.options.unavailable_is_temporary => EX_TEMPFAIL,
            _ => status,
        };
        match self.options.mode {
            _ if learning && self.options.pipe_to.is_some() => self.output(b"", &mut io::empty(), shown),
            _ if learning => shown,
            Command::Check | Command::Report | Command::ReportIfSpam => {
                self.output(b"0/0\n", &mut io::empty(), shown)
            }
            Command::Symbols => self.output(b"\n", &mut io::empty(), shown),
            _ if passes => self.output(&self.raw, &mut io::stdin().lock(), shown),
            _ => shown,
        }
    }

    /// To standard output, or to the command of `-e`, whose status is ours then; `rest` is what was not read yet.
    fn output(&self, text: &[u8], rest: &mut dyn Read, status: u8) -> u8 {
        let Some(command) = &self.options.pipe_to else {
            let mut out = io::stdout().lock();
            let written =
                out.write_all(text).and_then(|()| io::copy(rest, &mut out)).and_then(|_| out.flush());
            return if written.is_ok() { status } else { EX_IOERR };
        };
        match self.pipe(command, text, rest) {
            Ok(status) => status,
            Err(error) => {
                self.say(&format!("exec failed: {}", reason(&error)));
                EX_OSERR
            }
        }
    }

    fn pipe(&self, command: &[OsString], text: &[u8], rest: &mut dyn Read) -> io::Result<u8> {
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        let (program, arguments) = command.split_first().ok_or_else(missing)?;
        // As execv(2), which looks nowhere else.
        std::fs::metadata(program)?;
        let mut child = std::process::Command::new(program).args(arguments).stdin(Stdio::piped()).spawn()?;
        if let Some(mut input) = child.stdin.take() {
            // A command that does not read all of it has its reasons; its status tells.
            let _ = input.write_all(text).and_then(|()| io::copy(rest, &mut input));
        }
        let status = child.wait()?;
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
        Ok(u8::try_from(code).unwrap_or(EX_OSERR))
    }
}

/// What is behind the header.
fn body_of(message: &[u8]) -> &[u8] {
    let mut at = 0;
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        if line.trim_ascii().is_empty() {
            break;
        }
    }
    &message[at..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_behind_the_first_blank_line() {
        assert_eq!(body_of(b"A: b\n\nbody\n"), b"body\n");
        assert_eq!(body_of(b"A: b\r\n\r\nbody\r\n"), b"body\r\n");
        assert_eq!(body_of(b"no header"), b"");
    }
}
