//! postsuper: the administrator's hand in the queue.

mod actions;
mod structure;

use std::ffi::OsString;
use std::io::BufRead;
use std::path::PathBuf;
use std::process::ExitCode;

use queue::{Queue, QueueName};
use queue_format::QueueId;

use crate::getopt::{Getopt, Opt, text};
use crate::site::{Failure, Site, Voice, reason};

use actions::{Action, Actions};
use structure::Structure;

pub(crate) const VOICE: Voice = Voice { program: "postsuper" };
const USAGE: &str = "usage: postsuper [-c config_dir] [-d queue_id (delete)] [-e queue_id (expire)] \
    [-f queue_id (expire and/or un-hold)] [-h queue_id (hold)] [-H queue_id (un-hold)] [-p (purge temporary files)] \
    [-r queue_id (requeue)] [-s (structure fix)] [-S (redundant structure fix)][-v (verbose)] [queue...]";

/// The folders that may be named, in the order in which they are worked on.
const FOLDERS: [QueueName; 9] = [
    QueueName::Maildrop,
    QueueName::Incoming,
    QueueName::Active,
    QueueName::Deferred,
    QueueName::Hold,
    QueueName::Trace,
    QueueName::Defer,
    QueueName::Bounce,
    QueueName::Flush,
];

/// What the command line asks for.
#[derive(Debug, Default)]
struct Options {
    directory: Option<PathBuf>,
    purge: bool,
    structure: bool,
    redundant: bool,
    requests: Vec<(Action, String)>,
    /// Folders, as they were named.
    names: Vec<String>,
}

/// Runs the command with the arguments that stand behind its name.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    VOICE.finish(run(arguments))
}

fn run(arguments: Vec<OsString>) -> Result<ExitCode, Failure> {
    let options = parse(arguments)?;
    if !sys::ids::is_root() && sys::ids::real_uid() == sys::ids::effective_uid() && !owns_queue(&options)? {
        return Err(Failure::new("use of this command is reserved for the superuser"));
    }
    let site = Site::open(VOICE, options.directory.as_deref())?;
    let named: Vec<QueueName> = options.names.iter().map(folder).collect::<Result<_, _>>()?;
    become_mail_owner(&site)?;
    let queue = site.enter_queue()?;
    if options.purge || options.structure || options.redundant {
        let folders = if named.is_empty() { FOLDERS.to_vec() } else { named.clone() };
        Structure {
            queue: &queue,
            purge: options.purge,
            repair: options.structure || options.redundant,
            redundant: options.redundant,
        }
        .work_through(&folders, site.config.get(&parameters::ENABLE_LONG_QUEUE_IDS))?;
    }
    act(&queue, &options.requests, named)?;
    Ok(ExitCode::SUCCESS)
}

/// The folder of this name, if it is one that may be named.
fn folder(name: &String) -> Result<QueueName, Failure> {
    let folder = name.parse().ok().filter(|folder| FOLDERS.contains(folder));
    folder.ok_or_else(|| Failure::new(format!("invalid directory name: {name}")))
}

fn parse(arguments: Vec<OsString>) -> Result<Options, Failure> {
    let mut options = Options::default();
    let mut getopt = Getopt::new("c:d:e:f:h:H:pr:sSv", arguments);
    for option in getopt.by_ref() {
        match option.map_err(|misuse| VOICE.misuse(&misuse, USAGE))? {
            Opt::Value('c', path) => options.directory = Some(PathBuf::from(path)),
            Opt::Value(letter, id) => {
                options.requests.extend(Action::of(letter).map(|action| (action, text(&id))))
            }
            Opt::Letter('p') => options.purge = true,
            Opt::Letter('s') => options.structure = true,
            Opt::Letter('S') => options.redundant = true,
            Opt::Letter(_) => log::set_max_level(log::LevelFilter::Debug),
        }
    }
    options.names = getopt.operands().iter().map(|operand| text(operand)).collect();
    if options.requests.is_empty() && !options.purge && !options.structure && !options.redundant {
        (options.purge, options.structure) = (true, true);
    }
    Ok(options)
}

/// Without root, as in a demonstration: is the queue that of this user?
fn owns_queue(options: &Options) -> Result<bool, Failure> {
    use std::os::unix::fs::MetadataExt;
    let site = Site::open(VOICE, options.directory.as_deref())?;
    let incoming = site.queue_directory.join(QueueName::Incoming.as_str());
    Ok(std::fs::metadata(incoming).is_ok_and(|facts| facts.uid() == sys::ids::effective_uid()))
}

/// Files that are made or renamed belong to the mail owner.
fn become_mail_owner(site: &Site) -> Result<(), Failure> {
    if !sys::ids::is_root() {
        return Ok(());
    }
    let name = site.config.get(&parameters::MAIL_OWNER);
    let user = sys::users::user(&name)
        .map_err(|error| Failure::new(format!("look up {name}: {}", reason(&error))))?;
    let Some(user) = user else { return Err(Failure::new(format!("mail_owner: unknown user: {name}"))) };
    sys::ids::become_for_good(&sys::ids::Identity::new(user.uid, user.gid))
        .map_err(|error| Failure::new(format!("become {name}: {}", reason(&error))))
}

/// Does what was asked with messages, all or by id, and says how many.
fn act(queue: &Queue, requests: &[(Action, String)], named: Vec<QueueName>) -> Result<(), Failure> {
    let mut actions = Actions::new(queue, named);
    for action in Action::ORDER {
        if requests.contains(&(action, "ALL".to_owned())) {
            actions.all(action)?;
        }
    }
    for (action, id) in requests {
        match id.as_str() {
            "ALL" => {}
            "-" => {
                for line in std::io::stdin().lock().split(b'\n') {
                    let line =
                        line.map_err(|error| Failure::new(format!("read stdin: {}", reason(&error))))?;
                    one(&mut actions, *action, &String::from_utf8_lossy(until_nul(&line)))?;
                }
            }
            id => one(&mut actions, *action, id)?,
        }
    }
    for action in Action::REPORTED {
        if requests.iter().any(|(asked, _)| *asked == action || action.is_part_of(*asked)) {
            let count = actions.count(action);
            VOICE.info(format!("{}: {count} message{}", action.past(), if count == 1 { "" } else { "s" }));
        }
    }
    Ok(())
}

fn one(actions: &mut Actions<'_>, action: Action, id: &str) -> Result<(), Failure> {
    match id.parse::<QueueId>() {
        Ok(id) => actions.one(action, &id),
        Err(_) => {
            VOICE.warn(format!("invalid mail queue id: {}", printable(id)));
            Ok(())
        }
    }
}

/// What stands before a NUL.
fn until_nul(line: &[u8]) -> &[u8] {
    line.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// For the terminal: a question mark for each character that may do harm there.
fn printable(id: &str) -> String {
    let shown = |one: char| if one == ' ' || one.is_ascii_graphic() { one } else { '?' };
    id.chars().map(shown).collect()
}
