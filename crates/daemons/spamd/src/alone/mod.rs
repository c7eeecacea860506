//! spamd by hand, with SpamAssassin's options: it opens its own sockets and log.

mod background;
mod listening;
mod serving;

use std::fs::OpenOptions;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use rulefiles::Places;
use spam::rules::Networks;
use sys::ids::Identity;
use sys::signals::{SignalKind, Signals};

use self::listening::Listener;
use self::serving::{Alone, serve};
use crate::calling::Calling;
use crate::encryption::Encryption;
use crate::filtering::Policy;
use crate::notes::Notes;
use crate::options::{Options, Remotes};
use crate::preferences::Kind;
use crate::service::{MILTER_LIMIT_BYTES, load, settings};
use crate::session::Shared;
use crate::users::{Rules, UserFiles, UserPlaces};

/// sysexits.h: the command line is wrong.
const EX_USAGE: u8 = 64;

/// Runs until it is told to stop.
pub(crate) fn run() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match Options::parse(&arguments).and_then(|options| start(&options, &arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("spamd: {text}");
            log::error!(target: maillog::FATAL, "spamd: {text}");
            maillog::flush();
            ExitCode::from(EX_USAGE)
        }
    }
}

fn start(options: &Options, arguments: &[String]) -> Result<(), String> {
    if options.version {
        let own = env!("CARGO_PKG_VERSION");
        println!("SpamAssassin Server version {}\n  (Pillarbox spamd {own})", spam::report::VERSION);
        return Ok(());
    }
    if options.help {
        println!("Usage: spamd [options]\nSee spamd(8) for the options.");
        return Ok(());
    }
    if options.background && !background::is_waited_for() {
        return background::enter(arguments);
    }
    open_log(options)?;
    sys::signals::ignore_broken_pipes();
    sys::process::raise_descriptor_limit();
    let kinds = [SignalKind::SIGHUP, SignalKind::SIGTERM, SignalKind::SIGINT];
    let signals = Signals::catch(&kinds).map_err(step("take signals"))?;
    let (rules, site, lines) = (options.rules.clone(), options.site.clone(), options.lines.clone());
    let language = rulefiles::language();
    let places = Places { rules, site, lines, local_only: options.local, language, ..Places::default() };
    let site = load(&places)?;
    let listeners = listening::listen(options)?;
    let encryption = encryption(options, &listeners)?;
    if let Some(path) = &options.pid_file {
        let written = std::fs::write(path, format!("{}\n", std::process::id()));
        written.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    become_user(options)?;
    let users = user_places(options);
    let settings = settings(options.timeout_tcp, options.timeout_child, options.allow_tell);
    let home = home();
    let rules = Arc::new(Rules::new(site, users, home.join(".spamassassin"))?);
    let notes = Notes::new(home);
    let shared = Arc::new(Shared { rules, notes, host: sys::process::host_name(), settings });
    let encryption = encryption.map(Arc::new);
    let calling = if options.milter { Calling::Milter(Arc::new(policy(options))) } else { Calling::Spamc };
    let alone =
        Alone { shared, calling, encryption, places, allowed: allowed(options)?, sessions: 0, stop: None };
    serve(alone, listeners, signals, options)
}

/// TLS, if any socket is secured by it; its files are read with the rights that are still there.
fn encryption(options: &Options, listeners: &[Listener]) -> Result<Option<Encryption>, String> {
    if !listeners.iter().any(|listener| listener.secured) {
        return Ok(None);
    }
    if options.milter {
        return Err("--milter and --ssl: no mail server speaks TLS to a milter".to_owned());
    }
    Encryption::open(options.files.clone()).map(Some).map_err(|error| error.to_string())
}

/// Where users' preferences are. With `-x` one place counts, the first that was asked for in this order: a database, a directory,
/// files of virtual users, a database for users of this system, a directory for them. Without it users' own files count, and a
/// database (`-q`) on top of them.
fn user_places(options: &Options) -> UserPlaces {
    let files = match (&options.virtual_config, options.no_user_config) {
        (Some(pattern), _) => UserFiles::Pattern(pattern.clone()),
        (None, true) => UserFiles::None,
        (None, false) => UserFiles::Home,
    };
    let none = UserPlaces { files: files.clone(), remote: None, accounts: false };
    let only = |kind, accounts| UserPlaces { files: UserFiles::None, remote: Some(kind), accounts };
    match options.remote {
        Remotes { sql: true, .. } if options.no_user_config => only(Kind::Sql, false),
        Remotes { sql: true, .. } => UserPlaces { remote: Some(Kind::Sql), ..none },
        Remotes { ldap: true, .. } if options.no_user_config => only(Kind::Ldap, false),
        remotes if remotes == Remotes::default() || options.virtual_config.is_some() => none,
        Remotes { accounts_sql: true, .. } if options.no_user_config => only(Kind::Sql, true),
        Remotes { accounts_ldap: true, .. } if options.no_user_config => only(Kind::Ldap, true),
        _ => {
            log::warn!(
                "spamd: --ldap-config, -Q and --setuid-with-ldap do nothing without -x: users' own files count"
            );
            none
        }
    }
}

fn step(what: &'static str) -> impl Fn(io::Error) -> String {
    move |error| format!("{what}: {error}")
}

/// `-s`: a facility of syslog, `stderr`, `null`, or a file.
fn open_log(options: &Options) -> Result<(), String> {
    let sink = match options.log.as_deref() {
        Some("stderr") => maillog::Sink::Terminal,
        Some("null") => maillog::Sink::Syslog(None),
        Some(path) if path.contains('/') => {
            let file = OpenOptions::new().append(true).create(true).open(path);
            maillog::Sink::File(file.map_err(|error| format!("{path}: {error}"))?)
        }
        _ => maillog::Sink::syslog(),
    };
    let host = sys::process::host_name();
    let host = host.split('.').next().unwrap_or_default().to_owned();
    maillog::open(maillog::Settings { tag: "spamd".to_owned(), host, sink, buffered: false, verbose: false });
    if !options.inert.is_empty() {
        log::warn!("spamd: these options do nothing in this version: {}", options.inert.join(" "));
    }
    Ok(())
}

/// The home of the user that this process has become.
fn home() -> PathBuf {
    let user = sys::users::user_of_id(sys::ids::effective_uid()).ok().flatten();
    user.map_or_else(|| PathBuf::from("/"), |user| user.home)
}

/// What mail servers get.
fn policy(options: &Options) -> Policy {
    Policy {
        reject_score: options.reject_score,
        default_user: options.user.clone(),
        whole_address: options.whole_address || options.virtual_config.is_some(),
        size_limit_bytes: MILTER_LIMIT_BYTES,
    }
}

/// Who may connect by TCP: by default this host alone.
fn allowed(options: &Options) -> Result<Option<Networks>, String> {
    let mut networks = if options.allowed.is_empty() { Networks::loopback() } else { Networks::default() };
    for text in &options.allowed {
        if matches!(text.as_str(), "0.0.0.0" | "0.0.0.0/0") {
            return Ok(None);
        }
        if !networks.add(text) {
            return Err(format!("-A {text}: no address or network"));
        }
    }
    Ok(Some(networks))
}

/// root never judges mail.
fn become_user(options: &Options) -> Result<(), String> {
    if !sys::ids::is_root() {
        return Ok(());
    }
    let name = options.user.as_deref().unwrap_or("nobody");
    let user = sys::users::user(name).map_err(step("look up the user"))?;
    let user = user.filter(|user| user.uid != 0);
    let user = user.ok_or_else(|| format!("-u {name}: there is no such user, or it is root"))?;
    sys::ids::become_for_good(&Identity::new(user.uid, user.gid)).map_err(step("become the user"))
}
