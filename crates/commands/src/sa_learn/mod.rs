//! `sa-learn`: teaches the learner by mail that is known to be spam, or not.

mod dump;
mod options;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use learned::{Expiry, Learned, Owner, Shelf, Trouble};
use rulefiles::{Places, Site};
use spam::learned::Class;
use spam::report::VERSION;

use self::options::{Lesson, Options, Target, Task};
use crate::archive::{Complaints, Walk};
use crate::site::{EX_USAGE, reason};

const USAGE: &str = "Usage: sa-learn [options] [file]...\n       sa-learn [options] --dump [ all | data | magic ]\n\
    See sa-learn(1) for the options.";
/// The original's status when it gives up.
const FAILED: u8 = 2;

/// Runs the command with the arguments that stand behind its name.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let mut options = match Options::parse(arguments) {
        Ok(options) => options,
        Err(text) => {
            println!("SpamAssassin version {VERSION}");
            eprintln!("{text}\n{USAGE}");
            return ExitCode::from(if text.starts_with("Unknown dump") { 1 } else { EX_USAGE });
        }
    };
    options.warnings.iter().for_each(|text| eprintln!("{text}"));
    ExitCode::from(match options.task {
        Task::Help => {
            println!("SpamAssassin version {VERSION}\n\n{USAGE}");
            0
        }
        Task::Version => {
            println!("SpamAssassin version {VERSION}\n  (Pillarbox sa-learn {})", env!("CARGO_PKG_VERSION"));
            0
        }
        _ => run(&mut options),
    })
}

fn run(options: &mut Options) -> u8 {
    let site = match Site::load(&places(options)) {
        Ok(site) => site,
        Err(error) => return fail(&error.to_string()),
    };
    if options.task == Task::Learn && !site.rules.settings.use_bayes {
        eprintln!("ERROR: configuration specifies 'use_bayes 0', sa-learn disabled");
        return 1;
    }
    let shelf = Shelf::default();
    let folders = Folders::of_user();
    let opened = match shelf.learned(&site.rules.settings, &folders.owner(options.user.as_deref())) {
        Ok(opened) => opened,
        Err(trouble) => return fail(&trouble.to_string()),
    };
    if options.debug {
        eprintln!("dbg: bayes: {} rules, data in {}", site.rules.len(), opened.bayes.name());
    }
    match perform(options, &site, &opened) {
        Ok(status) => status,
        Err(trouble) => fail(&trouble.to_string()),
    }
}

fn fail(text: &str) -> u8 {
    eprintln!("ERROR: {text}");
    FAILED
}

/// Where the user's data lies, and what he is called.
pub(crate) struct Folders {
    login: String,
    pub(crate) home: PathBuf,
    /// `~/.spamassassin`
    pub(crate) state: PathBuf,
}

impl Folders {
    pub(crate) fn of_user() -> Self {
        let known = sys::users::user_of_id(sys::ids::effective_uid()).ok().flatten();
        let (login, known) = known.map(|user| (user.name, user.home)).unzip();
        let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute()).or(known);
        let home = home.unwrap_or_else(|| PathBuf::from("/"));
        Self { login: login.unwrap_or_default(), state: home.join(".spamassassin"), home }
    }

    /// Whose data counts: that of whom `-u` names, where users have names.
    pub(crate) fn owner<'a>(&'a self, user: Option<&'a str>) -> Owner<'a> {
        let user = user.unwrap_or(&self.login);
        Owner { user, login: &self.login, state: &self.state, home: &self.home }
    }
}

/// Which files count. The folder of `--dbpath` holds a database of the usual name.
fn places(options: &Options) -> Places {
    let mut lines = Vec::new();
    if let Some(path) = &options.database {
        let path = if path.is_dir() { path.join("bayes") } else { path.clone() };
        lines.push(format!("bayes_path {}", path.display()));
    }
    if options.task != Task::Learn {
        lines.push("use_bayes 1".to_owned());
    }
    lines.extend(options.lines.iter().cloned());
    let own = || Some(Folders::of_user().state.join("user_prefs")).filter(|path| path.is_file());
    Places {
        rules: options.rules.clone(),
        site: options.site.clone(),
        lines,
        preferences: options.preferences.clone().or_else(own),
        local_only: true,
        language: rulefiles::language(),
        ..Places::default()
    }
}

fn now() -> u32 {
    u32::try_from(sys::clock::now_us() / 1_000_000).unwrap_or(u32::MAX)
}

fn perform(options: &mut Options, site: &Site, opened: &Learned) -> Result<u8, Trouble> {
    let settings = &site.rules.settings;
    match options.task.clone() {
        Task::Dump { magic, data } => {
            let pattern = match options.pattern.as_deref().map(dump::TokenPattern::new).transpose() {
                Ok(pattern) => pattern,
                Err(text) => return Ok(fail(&text)),
            };
            dump::show(&opened.bayes, settings.bayes_use_hapaxes, (magic, data), pattern.as_ref())?;
        }
        Task::Backup => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            opened.bayes.backup(&mut out)?;
            out.flush()?;
        }
        Task::Restore(path) => return restore(&path, opened),
        Task::Clear => clear(opened)?,
        Task::Sync { force } => {
            let limit = settings.bayes_expiry_max_db_size;
            let expired = opened.bayes.expire(Expiry { limit, now: now(), force })?;
            if expired.deleted > 0 && !options.quiet {
                let (kept, deleted) = (expired.kept, expired.deleted);
                println!("expired old bayes database entries\n{kept} entries kept, {deleted} deleted");
            }
        }
        _ => return learn(options, site, opened),
    }
    Ok(0)
}

fn clear(opened: &Learned) -> Result<(), Trouble> {
    if let Some(reason) = opened.bayes.clear()? {
        eprintln!("{reason}");
    }
    Ok(())
}

fn restore(path: &Path, opened: &Learned) -> Result<u8, Trouble> {
    let restored = match File::open(path) {
        Ok(file) => opened.bayes.restore(&mut BufReader::new(file), now()),
        Err(error) => return Ok(fail(&format!("{}: {}", path.display(), reason(&error)))),
    };
    restored.map(|_| 0)
}

/// What was learned so far.
#[derive(Debug, Default)]
struct Count {
    learned: u64,
    examined: u64,
}

/// Why the walk over messages ends early.
enum Halt {
    /// `--stopafter`
    Enough,
    Trouble(Trouble),
}

fn learn(options: &mut Options, site: &Site, opened: &Learned) -> Result<u8, Trouble> {
    if let Some(list) = options.folders.take() {
        let text = match std::fs::read_to_string(&list) {
            Ok(text) => text,
            Err(error) => return Ok(fail(&format!("cannot open {}: {}", list.display(), reason(&error)))),
        };
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            if let Err(text) = options.add(PathBuf::from(line)) {
                eprintln!("{text}");
                return Ok(EX_USAGE);
            }
        }
    }
    // A message that nobody can be asked about would be taken for one that was never learned.
    opened.bayes.reach()?;
    let mut count = Count::default();
    let mut complaints = Complaints::new();
    for target in &options.targets {
        let walk = Walk { size_limit_bytes: options.size_limit_bytes };
        let walked = walk.visit(&target.place, target.format, &mut complaints, &mut |message: Vec<u8>| {
            teach(options, target, &message, (site, opened), &mut count)
        });
        complaints.drain(..).for_each(|text| eprintln!("{text}"));
        match walked {
            Ok(()) => {}
            Err(Halt::Enough) => break,
            Err(Halt::Trouble(trouble)) => return Err(trouble),
        }
    }
    opened.flush()?;
    if options.dots || options.progress {
        eprintln!();
    }
    let forgot = options.lesson == Some(Lesson::Forget);
    if !options.quiet {
        let verb = if forgot { "Forgot" } else { "Learned" };
        let Count { learned, examined } = count;
        println!("{verb} tokens from {learned} message(s) ({examined} message(s) examined)");
    }
    if !forgot && count.learned > 0 {
        let limit = site.rules.settings.bayes_expiry_max_db_size;
        opened.bayes.expire(Expiry { limit, now: now(), force: false })?;
    }
    Ok(u8::from(count.examined == 0))
}

fn teach(
    options: &Options,
    target: &Target,
    message: &[u8],
    (site, opened): (&Site, &Learned),
    count: &mut Count,
) -> Result<(), Halt> {
    if options.stop_after.is_some_and(|limit| count.learned > limit) {
        return Err(Halt::Enough);
    }
    count.examined += 1;
    let seconds = i64::from(now());
    let lesson = match target.lesson {
        Lesson::Spam => site.rules.learn(message, Class::Spam, opened, seconds),
        Lesson::Ham => site.rules.learn(message, Class::Ham, opened, seconds),
        Lesson::Forget => site.rules.forget(message, opened, seconds),
    };
    opened.apply(&lesson.changes).map_err(Halt::Trouble)?;
    count.learned += u64::from(lesson.learned);
    if options.dots || options.progress {
        eprint!(".");
    }
    // So that what waits in memory stays small.
    if count.examined.is_multiple_of(FLUSH_MESSAGES) {
        opened.flush().map_err(Halt::Trouble)?;
    }
    Ok(())
}

/// Messages after which everything is written down.
const FLUSH_MESSAGES: u64 = 500;
