//! `spamassassin`: judges mail on standard input, and marks it.

mod debug;
mod memory;
mod options;
mod preferences;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use inquiries::Inquirer;
use rulefiles::{Places, Site, stamp};
use spam::learned::Class;
use spam::report::{Form, VERSION, unmark};
use spam::{Answers, Check, Circumstances, Correspondents, Letter};

use self::debug::Debug;
use self::memory::Recollection;
use self::options::{Options, Standing, Task};
use crate::archive::{Complaints, Walk};
use crate::site::{EX_SOFTWARE, EX_USAGE};

/// sysexits(3): writing failed.
const EX_IOERR: u8 = 74;
const USAGE: &str =
    "Usage: spamassassin [options] [ < mailmessage | path ... ]\nSee spamassassin(1) for the options.";

/// Runs the command with the arguments that stand behind its name.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let options = match Options::parse(arguments) {
        Ok(options) => options,
        Err(text) => {
            eprintln!("{text}\n{USAGE}");
            return ExitCode::from(EX_USAGE);
        }
    };
    let debug = Debug::new(options.debug);
    options.warnings.iter().for_each(|text| debug.warn(text));
    ExitCode::from(run(&options, &debug))
}

fn run(options: &Options, debug: &Debug) -> u8 {
    match options.task {
        Task::Help => {
            println!("{}\n\n{USAGE}", version());
            return 0;
        }
        Task::Version => {
            println!("{}", version());
            return 0;
        }
        Task::Unmark => return each_message(options, debug, |message| print(&unmark(message))),
        _ => {}
    }
    let site = match Site::load(&places(options, debug)) {
        Ok(site) => site,
        Err(error) => {
            debug.warn(&error.to_string());
            return EX_SOFTWARE;
        }
    };
    match &options.task {
        Task::Lint => lint(&site, debug),
        Task::Report { revoke } => report(options, debug, &site, *revoke),
        Task::Address(standing, address) => {
            let memory = Recollection::open(&site, options.user.as_deref(), debug);
            memory.set(*standing, address);
            memory.close(debug)
        }
        Task::Senders(standing) => senders(options, debug, &site, *standing),
        _ => judge_all(options, debug, &site),
    }
}

fn version() -> String {
    format!("SpamAssassin version {VERSION}\n  (Pillarbox spamassassin {})", env!("CARGO_PKG_VERSION"))
}

/// Which files count.
fn places(options: &Options, debug: &Debug) -> Places {
    let own = || preferences::own_file(options.create_preferences && options.task != Task::Lint, debug);
    let preferences = options.preferences.clone().or_else(own);
    debug.say("config", &format!("using \"{}\" for user prefs", shown(preferences.as_deref())));
    // A test teaches nothing.
    let mut lines = options.lines.clone();
    lines.extend(options.test.then(|| "bayes_auto_learn 0".to_owned()));
    Places {
        rules: options.rules.clone(),
        site: options.site.clone(),
        lines,
        lines_before: options.lines_before.clone(),
        preferences,
        local_only: options.local,
        language: rulefiles::language(),
    }
}

fn shown(path: Option<&Path>) -> String {
    path.map_or_else(|| "(none)".to_owned(), |path| path.display().to_string())
}

/// `--lint`: what is wrong with the files, one line each.
fn lint(site: &Site, debug: &Debug) -> u8 {
    let mut count = site.problems.len();
    site.problems.iter().for_each(|problem| debug.warn(&format!("config: {problem}")));
    for (rule, problem) in site.rules.check_patterns() {
        debug.warn(&format!("rules: {rule}: {problem}"));
        count += 1;
    }
    if count > 0 && !debug.on {
        debug.warn(&format!(
            "lint: {count} issues detected, please rerun with debug enabled for more information"
        ));
    }
    u8::from(count > 0)
}

/// Does something with each message; the exit status is the first that is not 0, and 1 when there was none.
fn each_message(options: &Options, debug: &Debug, mut visit: impl FnMut(&[u8]) -> Result<(), u8>) -> u8 {
    let targets: Vec<PathBuf> = match options.targets.as_slice() {
        [] => vec![PathBuf::from("-")],
        targets => targets.iter().map(PathBuf::from).collect(),
    };
    let mut complaints = Complaints::new();
    let mut any = false;
    for target in targets {
        let walked =
            Walk::default().visit(&target, options.format, &mut complaints, &mut |message: Vec<u8>| {
                any = true;
                visit(&message)
            });
        complaints.drain(..).for_each(|text| debug.warn(&text));
        if let Err(status) = walked {
            return status;
        }
    }
    u8::from(!any)
}

fn print(text: &[u8]) -> Result<(), u8> {
    let mut out = io::stdout().lock();
    out.write_all(text).and_then(|()| out.flush()).map_err(|_| EX_IOERR)
}

fn judge_all(options: &Options, debug: &Debug, site: &Site) -> u8 {
    site.problems.iter().for_each(|problem| debug.warn(&format!("config: {problem}")));
    if site.built_in {
        debug.say("config", "no rules are installed: a few built-in ones are in use");
    }
    let inquirer = Inquirer::new(&site.rules);
    debug.say("config", &format!("{} rules; {}", site.rules.len(), inquiries::outlook(&site.rules)));
    let memory = Recollection::open(site, options.user.as_deref(), debug);
    let host = sys::process::host_name();
    let mut spam_seen = false;
    let status = each_message(options, debug, |message| {
        let plain;
        let message = if options.unmark_first {
            plain = unmark(message);
            &plain
        } else {
            message
        };
        let (now, stamp) = stamp(&host);
        let letter = Letter::open(&site.rules, message);
        let asked = inquirer.as_ref().map(|inquirer| inquirer.answers(&letter, &site.rules, now));
        let answers = asked.or_else(|| (!site.rules.is_local()).then(Answers::default));
        let circumstances = Circumstances {
            answers: answers.as_ref(),
            memory: memory.known(),
            ..Circumstances::new(now, &|| false)
        };
        let check = letter.judge(&circumstances);
        memory.apply(&check.findings.changes);
        tell(&check, debug);
        spam_seen |= check.is_spam();
        print(&check.marked(Form::Configured, &stamp))?;
        if options.test { print(&check.report(&stamp)) } else { Ok(()) }
    });
    memory.close(debug);
    match options.spam_status {
        Some(told) if status == 0 && spam_seen => told,
        _ => status,
    }
}

/// What `-D` says of a verdict.
fn tell(check: &Check<'_>, debug: &Debug) {
    let required = check.shown_required_score();
    debug.say("check", &format!("is spam? score={} required={required}", check.findings.score));
    debug.say("check", &format!("tests={}", check.tests().join(",")));
    debug.say("check", &format!("subtests={}", check.subtests().join(",")));
}

/// `-W`, `-R`: whoever is named in a message is welcome, or not.
fn senders(options: &Options, debug: &Debug, site: &Site, standing: Standing) -> u8 {
    let memory = Recollection::open(site, options.user.as_deref(), debug);
    let which = if standing == Standing::Blocked { Correspondents::Authors } else { Correspondents::All };
    let mut count = 0;
    let status = each_message(options, debug, |message| {
        count += 1;
        for address in site.rules.correspondents(message, which) {
            memory.set(standing, &address);
        }
        Ok(())
    });
    println!("{count} message(s) examined.");
    status.max(memory.close(debug))
}

/// `-r`, `-k`: the message is learned, and with `-r` the networks that are on are told. Where nobody takes it, that is what the
/// original says. No network takes a report back.
fn report(options: &Options, debug: &Debug, site: &Site, revoke: bool) -> u8 {
    let memory = Recollection::open(site, options.user.as_deref(), debug);
    let (what, class) = if revoke { ("revoke", Class::Ham) } else { ("report", Class::Spam) };
    let learns = revoke || site.rules.settings.bayes_learn_during_report;
    let inquirer = if revoke { None } else { Inquirer::new(&site.rules) };
    let mut count = 0;
    let status = each_message(options, debug, |message| {
        count += 1;
        let plain = unmark(message);
        if learns {
            memory.learn(&plain, class);
        }
        let told = inquirer.as_ref().map(|inquirer| inquirer.report(&plain, &site.rules, stamp("").0));
        let told = told.unwrap_or_default();
        for (network, done) in [("Pyzor", told.pyzor), ("DCC", told.dcc)] {
            match done {
                Some(true) => debug.say("reporter", &format!("spam reported to {network}")),
                Some(false) => debug.say("reporter", &format!("could not report spam to {network}")),
                None => {}
            }
        }
        if told.is_done() {
            return Ok(());
        }
        debug.warn(&format!(
            "reporter: no {what}{} methods available, so couldn't {what}",
            if revoke { "" } else { "ing" }
        ));
        debug.warn(&format!("spamassassin: warning, unable to {what} message"));
        debug.warn("spamassassin: for more information, re-run with -D option to see debug output");
        Ok(())
    });
    println!("{count} message(s) examined.");
    memory.close(debug);
    status
}
