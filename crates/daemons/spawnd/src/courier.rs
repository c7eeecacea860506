//! The process that delivers: one user, one directory, one message at a time.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use attributes::Attributes;
use mailbox::content::QueueContent;
use mailbox::deliver::Rules;
use mailbox::job::{Answer, CourierSettings, Hello, Job, MESSAGE_LIMIT_BYTES};
use mailbox::{Copy, Mailboxes};
use sys::directory::Links;
use sys::sandbox::{Access, Calls, Reach, Sandbox};
use sys::{clock, descriptors, fork, ids, process};

use crate::order::{Bounds, Order};
use crate::zygote::refuse;

/// Directories that are missing above the base are made as Postfix makes them.
const DIRECTORY_MODE: u32 = 0o700;

/// A courier at work.
struct Courier<'a> {
    line: &'a OwnedFd,
    mailboxes: Mailboxes,
    settings: CourierSettings,
    /// Scratch space for messages on the line and for blocks of the queue file.
    message: Vec<u8>,
    block: Vec<u8>,
}

/// Becomes the owner for good, shuts everything else out, and delivers until the agent closes the line. Runs in
/// a process of its own; answers its exit status.
pub(crate) fn run(line: &OwnedFd, order: &Order, bounds: &Bounds, host: &str, parent: u32) -> i32 {
    match prepare(line, order, bounds, host, parent) {
        Ok(courier) => courier.serve(),
        Err(error) => {
            refuse(line, &error.to_string(), false);
            1
        }
    }
}

/// The steps are in this order for a reason: nothing of the user's is touched before root is gone, and no message
/// is read before the walls stand.
fn prepare<'a>(
    line: &'a OwnedFd,
    order: &Order,
    bounds: &Bounds,
    host: &str,
    parent: u32,
) -> io::Result<Courier<'a>> {
    fork::keep_only(&[line.as_fd()])?;
    ids::become_for_good(&order.identity)?;
    if !fork::die_with_parent(parent)? {
        return Err(io::Error::other("spawnd is gone"));
    }
    process::raise_descriptor_limit();
    let mut message = vec![0; MESSAGE_LIMIT_BYTES];
    let settings = receive_settings(line, &mut message)?;
    let mailboxes = open_base(&order.base, rules(&settings, order, bounds, host))?;
    confine(&mailboxes, bounds)?;
    let hello = Hello::Ready { uid: ids::effective_uid(), gid: ids::effective_gid() };
    descriptors::send(line, &hello.to_attributes().to_bytes(), &[])?;
    Ok(Courier { line, mailboxes, settings, message, block: Vec::new() })
}

fn receive_settings(line: &OwnedFd, message: &mut [u8]) -> io::Result<CourierSettings> {
    let received = descriptors::receive(line, message)?;
    let words = decode(&message[..received.length]).ok_or(io::ErrorKind::InvalidData)?;
    CourierSettings::from_attributes(&words).map_err(io::Error::other)
}

fn rules(settings: &CourierSettings, order: &Order, bounds: &Bounds, host: &str) -> Rules {
    Rules {
        links: if bounds.follow_links { Links::Follow } else { Links::Refuse },
        owner: settings.strict_ownership.then_some(order.identity.uid),
        host: host.to_owned(),
        process: std::process::id(),
    }
}

/// Opens the base; makes it first where the owner may.
fn open_base(base: &Path, rules: Rules) -> io::Result<Mailboxes> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("open {}: {error}", base.display()));
    match Mailboxes::open(base, rules.clone()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(base).map_err(named)?;
            Mailboxes::open(base, rules).map_err(named)
        }
        outcome => outcome.map_err(named),
    }
}

fn confine(mailboxes: &Mailboxes, bounds: &Bounds) -> io::Result<()> {
    let directories = vec![(mailboxes.base().as_fd(), Access::Write)];
    // Where links may lead anywhere, no directory can be the limit.
    let landlock =
        (bounds.landlock && !bounds.follow_links).then(|| Reach { directories, ..Reach::default() });
    let sandbox = Sandbox {
        no_new_privileges: bounds.no_new_privileges,
        landlock,
        seccomp: bounds.seccomp.then_some(Calls::Files),
    };
    sandbox.apply().map(drop)
}

fn decode(bytes: &[u8]) -> Option<Attributes> {
    Attributes::decode(bytes).ok().flatten().map(|(message, _)| message)
}

impl Courier<'_> {
    fn serve(mut self) -> i32 {
        loop {
            let received = match descriptors::receive(self.line, &mut self.message) {
                Ok(received) if received.length > 0 && !received.truncated => received,
                Ok(received) => return i32::from(received.length > 0),
                Err(_) => return 1,
            };
            let job =
                decode(&self.message[..received.length]).and_then(|words| Job::from_attributes(&words).ok());
            let (Some(job), Some(file)) = (job, received.files.into_iter().next()) else { return 1 };
            let answer = self.deliver(&job, &File::from(file));
            if descriptors::send(self.line, &answer.to_attributes().to_bytes(), &[]).is_err() {
                return 1;
            }
        }
    }

    fn deliver(&mut self, job: &Job, queue_file: &File) -> Answer {
        // A file that the owner may not see does not count, as for Postfix, which looks as the owner too.
        let exists = |path: &&String| Path::new(path).symlink_metadata().is_ok();
        if let Some(path) = job.unless_exists.iter().find(exists) {
            return Answer::Withheld { path: path.clone() };
        }
        let copy = Copy {
            place: &job.place,
            name: &job.name,
            head: job.head.as_bytes(),
            limit_bytes: job.limit_bytes,
            quota: job.quota,
            locks: &self.settings.locks,
            in_doubt: &job.queue_id,
            now_us: clock::now_us(),
        };
        if let Some(bytes) = job.only_measure {
            return Answer::of(self.mailboxes.check_room(&copy, bytes), false);
        }
        let content = QueueContent::new(queue_file, job.content_offset, &mut self.block);
        let mut content = content.for_recipient(job.record_offset);
        let mut crossed_off = false;
        let mut when_safe = || {
            crossed_off = job.record_offset > 0 && queue::cross_off(queue_file, job.record_offset).is_ok();
        };
        let outcome = self.mailboxes.deliver(&copy, &mut content, &mut when_safe);
        Answer::of(outcome, crossed_off)
    }
}
