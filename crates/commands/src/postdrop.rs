//! postdrop: takes a submission from standard input into `maildrop/`.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use attributes::Attributes;
use lookup::{Lookup, Subject};
use parameters::Config;
use queue::NewFile;
use queue_format::record::{self, Kind, Parsed, Record};

use crate::getopt::{Getopt, Opt};
use crate::site::{EX_NOPERM, EX_TEMPFAIL, EX_UNAVAILABLE, Failure, Site, Voice, reason};

const VOICE: Voice = Voice { program: "postdrop" };
/// How much is read at a time, in bytes.
const BLOCK_BYTES: usize = 64 * 1024;

/// The greeting, and the numbers of a status, as sendmail knows them.
pub(crate) const GREETING: &str = "postdrop_protocol";
/// The submission is safe.
pub(crate) const STATUS_DONE: i32 = 0;
/// It makes no sense.
pub(crate) const STATUS_BAD: i32 = 1;
/// It could not be written.
pub(crate) const STATUS_WRITE: i32 = 2;
/// It is too large.
pub(crate) const STATUS_SIZE: i32 = 4;

/// Runs the command with the arguments that stand behind its name.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    VOICE.finish(run(arguments).map_err(|failure| Failure { status: failure.status.max(1), ..failure }))
}

fn run(arguments: Vec<OsString>) -> Result<ExitCode, Failure> {
    const USAGE: &str = "usage: postdrop [-c config_dir] [-v]";
    let mut directory = None;
    let mut getopt = Getopt::new("c:rv", arguments);
    for option in getopt.by_ref() {
        match option.map_err(|misuse| VOICE.misuse(&misuse, USAGE))? {
            Opt::Value(_, path) => directory = Some(PathBuf::from(path)),
            Opt::Letter(_) => {}
        }
    }
    if !getopt.operands().is_empty() {
        return Err(Failure::with(EX_UNAVAILABLE, USAGE));
    }
    let site = Site::open(VOICE, directory.as_deref())?;
    authorize(&site.config)?;
    let queue = site.enter_queue()?;
    let now_us = sys::clock::now_us();
    let file = queue
        .create_submission(now_us)
        .map_err(|error| Failure::with(EX_TEMPFAIL, format!("mail_queue_enter: {error}")))?;
    let mut output = std::io::stdout().lock();
    say(&mut output, &Attributes::new().with("protocol", GREETING).with("queue_id", file.id()));
    let limit = u64::try_from(site.config.get(&parameters::MESSAGE_SIZE_LIMIT)).unwrap_or(0);
    let status = match accept(file, now_us, limit) {
        Ok(()) => {
            // Nobody listens: pickup finds the file at its next look.
            let _ =
                crate::postqueue::trigger(&site, &site.config.get(&parameters::PICKUP_SERVICE_NAME), b"W\0");
            STATUS_DONE
        }
        Err(Refusal { status, text }) => {
            VOICE.warn(format!("uid={}: {text}", sys::ids::real_uid()));
            status
        }
    };
    say(&mut output, &Attributes::new().with("status", status).with("reason", ""));
    Ok(if status == STATUS_DONE { ExitCode::SUCCESS } else { ExitCode::from(EX_UNAVAILABLE) })
}

/// `authorized_submit_users`: others may not.
fn authorize(config: &Config) -> Result<(), Failure> {
    let uid = sys::ids::real_uid();
    let list = config.get(&parameters::AUTHORIZED_SUBMIT_USERS);
    if uid == 0 || list.trim() == "static:anyone" {
        return Ok(());
    }
    let user =
        sys::users::user_of_id(uid).ok().flatten().map_or_else(|| "unknown".to_owned(), |user| user.name);
    match tables::Tables::new(tables::Options::default()).listed(&list, &Subject::Text(&user)) {
        Ok(true) => Ok(()),
        _ => Err(Failure::with(EX_NOPERM, format!("User {user}({uid}) is not allowed to submit mail"))),
    }
}

fn say(output: &mut impl Write, message: &Attributes) {
    // A sendmail that has gone away gets no answer; the message counts all the same.
    let _ = output.write_all(&message.to_bytes()).and_then(|()| output.flush());
}

struct Refusal {
    status: i32,
    text: String,
}

impl Refusal {
    fn new(status: i32, text: impl std::fmt::Display) -> Self {
        Self { status, text: text.to_string() }
    }
}

/// In which part of the file the next record belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Envelope,
    Content,
    Extracted,
    Ended,
}

impl Part {
    /// What follows a record, if it may stand here. Times are ours: nobody else says when a message came.
    fn after(self, record: Record<'_>) -> Option<Self> {
        match (self, record.kind) {
            (Self::Envelope, Kind::MESSAGE) => Some(Self::Content),
            (Self::Content, Kind::EXTRACTED) => Some(Self::Extracted),
            (Self::Extracted, Kind::END) => Some(Self::Ended),
            (Self::Content, Kind::NORMAL | Kind::CONTINUED) => Some(self),
            (
                Self::Envelope,
                Kind::FULL_NAME | Kind::SENDER | Kind::VERP | Kind::RECIPIENT | Kind::ATTRIBUTE,
            ) => Some(self),
            (Self::Extracted, Kind::RECIPIENT | Kind::ATTRIBUTE) => Some(self),
            _ => None,
        }
    }
}

/// Copies what sendmail says into the file, and makes it safe. The file is gone when that fails.
fn accept(mut file: NewFile, now_us: u64, limit: u64) -> Result<(), Refusal> {
    let mut out = Vec::new();
    record::write(&mut out, Kind::TIME, format!("{} {}", now_us / 1_000_000, now_us % 1_000_000).as_bytes());
    let (mut input, mut part, mut length) = (Vec::new(), Part::Envelope, 0_u64);
    let mut stdin = std::io::stdin().lock();
    let mut block = vec![0; BLOCK_BYTES];
    while part != Part::Ended {
        let count = stdin
            .read(&mut block)
            .map_err(|error| Refusal::new(STATUS_BAD, format!("read input: {}", reason(&error))))?;
        if count == 0 {
            return Err(Refusal::new(STATUS_BAD, "unexpected end of input: the submission is not taken"));
        }
        length += count as u64;
        if limit > 0 && length > limit {
            return Err(Refusal::new(STATUS_SIZE, "message file too big"));
        }
        input.extend_from_slice(&block[..count]);
        let taken = take_records(&input, &mut part, &mut out)?;
        input.drain(..taken);
        if out.len() > BLOCK_BYTES {
            file.write(&out).map_err(|error| Refusal::new(STATUS_WRITE, error))?;
            out.clear();
        }
    }
    file.commit(&out).map(drop).map_err(|error| Refusal::new(STATUS_WRITE, error))
}

/// Copies whole records; gives how many bytes they took.
fn take_records(input: &[u8], part: &mut Part, out: &mut Vec<u8>) -> Result<usize, Refusal> {
    let mut taken = 0;
    while *part != Part::Ended {
        let parsed = record::parse(&input[taken..], 0).map_err(|error| Refusal::new(STATUS_BAD, error))?;
        let Parsed::Whole(record, length) = parsed else { break };
        let unexpected = || Refusal::new(STATUS_BAD, format!("unexpected record type {:?}", record.kind));
        *part = part.after(record).ok_or_else(unexpected)?;
        out.extend_from_slice(&input[taken..taken + length]);
        taken += length;
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_sendmail_may_say_is_taken() {
        let mut input = Vec::new();
        for (kind, data) in [
            (Kind::ATTRIBUTE, "rewrite_context=local"),
            (Kind::SENDER, "a"),
            (Kind::MESSAGE, ""),
            (Kind::NORMAL, "x"),
        ] {
            record::write(&mut input, kind, data.as_bytes());
        }
        let (mut part, mut out) = (Part::Envelope, Vec::new());
        assert_eq!(take_records(&input, &mut part, &mut out).ok(), Some(input.len()));
        assert_eq!((part, out.as_slice()), (Part::Content, input.as_slice()));
        for kind in [Kind::TIME, Kind::SIZE, Kind::POINTER, Kind::DONE, Kind::NORMAL, Kind::END] {
            let mut input = Vec::new();
            record::write(&mut input, kind, b"0");
            assert!(take_records(&input, &mut Part::Envelope, &mut Vec::new()).is_err(), "{kind:?}");
        }
    }
}
