//! postdrop: takes a submission from standard input into `maildrop/`.

mod senders;
mod submission;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use attributes::Attributes;
use lookup::{Lookup, Subject};
use parameters::Config;

use crate::getopt::{Getopt, Opt};
use crate::site::{EX_NOPERM, EX_TEMPFAIL, EX_UNAVAILABLE, Failure, Site, Voice};

use senders::Senders;
use submission::{Refusal, accept};

const VOICE: Voice = Voice { program: "postdrop" };

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
/// The user may not send in this name; the reason comes along.
pub(crate) const STATUS_NOT_PERMITTED: i32 = 512;

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
    let uid = sys::ids::real_uid();
    let login = sys::users::user_of_id(uid).ok().flatten().map(|user| user.name);
    authorize(&site.config, uid, login.as_deref())?;
    let queue = site.enter_queue()?;
    let now_us = sys::clock::now_us();
    let file = queue
        .create_submission(now_us)
        .map_err(|error| Failure::with(EX_TEMPFAIL, format!("mail_queue_enter: {error}")))?;
    let mut output = std::io::stdout().lock();
    say(&mut output, &Attributes::new().with("protocol", GREETING).with("queue_id", file.id()));
    let senders = Senders::of(&site.config, uid, login.as_deref()).map_err(Failure::new)?;
    let limit = u64::try_from(site.config.get(&parameters::MESSAGE_SIZE_LIMIT)).unwrap_or(0);
    let refusal = match accept(VOICE, file, now_us, limit, uid, &senders) {
        Ok(()) => {
            // Nobody listens: pickup finds the file at its next look.
            let _ =
                crate::postqueue::trigger(&site, &site.config.get(&parameters::PICKUP_SERVICE_NAME), b"W\0");
            say_status(&mut output, STATUS_DONE, "");
            return Ok(ExitCode::SUCCESS);
        }
        Err(refusal) => refusal,
    };
    match refusal {
        Refusal::Ended => Ok(ExitCode::SUCCESS),
        Refusal::Malformed(text) => Err(Failure::new(format!("uid={uid}: {text}"))),
        Refusal::NotPermitted(text) => {
            say_status(&mut output, STATUS_NOT_PERMITTED, &text);
            Ok(ExitCode::SUCCESS)
        }
        Refusal::Incomplete => {
            say_status(&mut output, STATUS_BAD, "");
            Ok(ExitCode::FAILURE)
        }
        Refusal::Failed { status, text } => {
            VOICE.warn(format!("uid={uid}: {text}"));
            say_status(&mut output, status, "");
            Ok(ExitCode::from(EX_UNAVAILABLE))
        }
    }
}

fn say_status(output: &mut impl Write, status: i32, reason: &str) {
    say(output, &Attributes::new().with("status", status).with("reason", reason));
}

/// `authorized_submit_users`: others may not.
fn authorize(config: &Config, uid: u32, login: Option<&str>) -> Result<(), Failure> {
    let list = config.get(&parameters::AUTHORIZED_SUBMIT_USERS);
    if uid == 0 || list.trim() == "static:anyone" {
        return Ok(());
    }
    let user = login.unwrap_or("unknown");
    match tables::Tables::new(tables::Options::default()).listed(&list, &Subject::Text(user)) {
        Ok(true) => Ok(()),
        _ => Err(Failure::with(EX_NOPERM, format!("User {user}({uid}) is not allowed to submit mail"))),
    }
}

fn say(output: &mut impl Write, message: &Attributes) {
    // A sendmail that has gone away gets no answer; the message counts all the same.
    let _ = output.write_all(&message.to_bytes()).and_then(|()| output.flush());
}
