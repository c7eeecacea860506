//! spamd by hand, with SpamAssassin's options: it opens its own sockets and log.

use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsRawFd, RawFd};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use reactor::{EventLoop, Fate, Handler, HandlerId, Readiness};
use rulefiles::Places;
use spam::rules::Networks;
use sys::ids::Identity;
use sys::signals::{SignalKind, Signals};
use sys::sockets::{Peer, Socket};

use crate::options::Options;
use crate::service::{SESSION_LIMIT, client_text, load, settings};
use crate::session::{Office, Session, Shared};
use crate::users::{Rules, UserFiles};

/// Tells the process in the background that its parent waits for a word on standard output.
const PARENT_WAITS: &str = "PILLARBOX_SPAMD_PARENT_WAITS";
/// Nothing is waited for longer than this.
const TURN: Duration = Duration::from_secs(3600);
/// When all places are taken, the door is looked at again after this.
const FULL: Duration = Duration::from_millis(20);
/// sysexits.h: the command line is wrong.
const EX_USAGE: u8 = 64;

/// The daemon by hand.
struct Alone {
    shared: Arc<Shared>,
    places: Places,
    /// Who may connect by TCP; `None` for all.
    allowed: Option<Networks>,
    sessions: usize,
    stop: bool,
}

impl Office for Alone {
    fn session_ended(&mut self) {
        self.sessions = self.sessions.saturating_sub(1);
    }
}

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
    let waited_for = std::env::var_os(PARENT_WAITS).is_some();
    if options.background && !waited_for {
        return into_background(arguments);
    }
    open_log(options)?;
    sys::signals::ignore_broken_pipes();
    sys::process::raise_descriptor_limit();
    let kinds = [SignalKind::SIGHUP, SignalKind::SIGTERM, SignalKind::SIGINT];
    let signals = Signals::catch(&kinds).map_err(step("take signals"))?;
    let (rules, site, lines) = (options.rules.clone(), options.site.clone(), options.lines.clone());
    let places = Places { rules, site, lines, local_only: true, language: language() };
    let site = load(&places)?;
    let sockets = listen(options)?;
    if let Some(path) = &options.pid_file {
        let written = std::fs::write(path, format!("{}\n", std::process::id()));
        written.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    become_user(options)?;
    let files = match (&options.virtual_config, options.no_user_config) {
        (Some(pattern), _) => UserFiles::Pattern(pattern.clone()),
        (None, true) => UserFiles::None,
        (None, false) => UserFiles::Home,
    };
    let settings = settings(options.timeout_tcp, options.timeout_child, options.allow_tell);
    let rules = Arc::new(Rules::new(site, files));
    let shared = Arc::new(Shared { rules, host: sys::process::host_name(), settings });
    let alone = Alone { shared, places, allowed: allowed(options)?, sessions: 0, stop: false };
    serve(alone, sockets, signals, options, waited_for)
}

fn step(what: &'static str) -> impl Fn(io::Error) -> String {
    move |error| format!("{what}: {error}")
}

/// Starts the same program without a terminal, and ends when that one serves.
fn into_background(arguments: &[String]) -> Result<(), String> {
    let program = std::env::current_exe().map_err(step("find this program"))?;
    let mut child = Command::new(program)
        .args(arguments)
        .env(PARENT_WAITS, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(step("start in the background"))?;
    let mut word = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output)
            .read_line(&mut word)
            .map_err(step("wait for the process in the background"))?;
    }
    let started = word.trim() == "serving";
    if started { Ok(()) } else { Err("the process in the background did not start: see the log".to_owned()) }
}

fn language() -> String {
    let names = ["LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"];
    let value = names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let value = value.unwrap_or_else(|| "C".to_owned());
    let first = value.split([':', '@', '.', '+', ',']).next().unwrap_or_default();
    if matches!(first, "C" | "POSIX") { "en_US".to_owned() } else { first.to_owned() }
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

fn listen(options: &Options) -> Result<Vec<Socket>, String> {
    let mut sockets = Vec::new();
    if let Some(path) = &options.socket_path {
        let socket =
            sys::sockets::listen_unix(path).map_err(|error| format!("{}: {error}", path.display()))?;
        sockets.push(socket);
        if options.listen.is_empty() {
            return Ok(sockets);
        }
    }
    let default = ["127.0.0.1".to_owned(), "::1".to_owned()];
    let asked = !options.listen.is_empty();
    for text in if asked { &options.listen[..] } else { &default[..] } {
        for address in addresses(text, options.port)? {
            match sys::sockets::listen_tcp(address) {
                Ok(socket) => sockets.push(socket),
                Err(error) if !asked && address.is_ipv6() => log::info!("spamd: {address}: {error}"),
                Err(error) => return Err(format!("listen on {address}: {error}")),
            }
        }
    }
    Ok(sockets)
}

/// `127.0.0.1`, `[::1]:783`, `*`, `localhost:1783`.
fn addresses(text: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let text = if text == "*" { "0.0.0.0" } else { text };
    if let Ok(ip) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let named = if text.contains(':') { text.to_owned() } else { format!("{text}:{port}") };
    named.to_socket_addrs().map(Iterator::collect).map_err(|error| format!("{text}: {error}"))
}

/// Who may connect by TCP: by default this host alone.
fn allowed(options: &Options) -> Result<Option<Networks>, String> {
    let mut networks = Networks::loopback();
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

fn serve(
    mut alone: Alone,
    sockets: Vec<Socket>,
    signals: Signals,
    options: &Options,
    waited_for: bool,
) -> Result<(), String> {
    let threads = options.threads.unwrap_or_else(|| sys::process::processors().max(2));
    let mut events = EventLoop::new(threads).map_err(step("make the event loop"))?;
    for socket in sockets {
        let id = events.add(Box::new(Door { socket })).map_err(step("watch a socket"))?;
        events.again(id);
    }
    events.add(Box::new(Bell { signals })).map_err(step("watch for signals"))?;
    let port = options.port;
    log::info!("spamd: server started on port {port}/tcp (running version {})", spam::report::VERSION);
    log::info!("spamd: server pid: {}", std::process::id());
    if waited_for {
        println!("serving");
        io::stdout().flush().map_err(step("tell the parent"))?;
        sys::process::silence_terminal();
    }
    while !alone.stop {
        events.turn(&mut alone, Some(TURN)).map_err(step("wait for clients"))?;
        events.turn_is_over();
    }
    log::info!("spamd: server killed by SIGTERM, shutting down");
    if let Some(path) = &options.pid_file
        && let Err(error) = std::fs::remove_file(path)
    {
        log::info!("spamd: {}: {error}", path.display());
    }
    Ok(())
}

/// A socket on which clients come.
struct Door {
    socket: Socket,
}

impl Handler<Alone> for Door {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.socket.as_raw_fd())
    }

    fn ready(
        &mut self,
        _: Readiness,
        alone: &mut Alone,
        events: &mut EventLoop<Alone>,
        me: HandlerId,
    ) -> Fate {
        while alone.sessions < SESSION_LIMIT {
            let Ok((socket, peer)) = self.socket.accept() else { return Fate::Keep };
            if let (Peer::Inet(address), Some(allowed)) = (&peer, &alone.allowed)
                && !allowed.contains(address.ip())
            {
                log::warn!("spamd: unauthorized connection from {} at port {}", address.ip(), address.port());
                continue;
            }
            let session = Session::new(socket, Arc::clone(&alone.shared), client_text(&peer));
            match events.add(Box::new(session)) {
                Ok(id) => {
                    alone.sessions += 1;
                    events.again(id);
                }
                Err(error) => log::warn!("spamd: watch a client: {error}"),
            }
        }
        events.set_deadline(me, Some(events.now() + FULL));
        Fate::Keep
    }

    fn elapsed(&mut self, _: &mut Alone, events: &mut EventLoop<Alone>, me: HandlerId) -> Fate {
        events.again(me);
        Fate::Keep
    }
}

/// Signals: HUP reads the rules anew, TERM and INT end.
struct Bell {
    signals: Signals,
}

impl Handler<Alone> for Bell {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.signals.as_raw_fd())
    }

    fn ready(
        &mut self,
        _: Readiness,
        alone: &mut Alone,
        events: &mut EventLoop<Alone>,
        me: HandlerId,
    ) -> Fate {
        while let Ok(Some(signal)) = self.signals.next() {
            if signal != SignalKind::SIGHUP {
                alone.stop = true;
                continue;
            }
            let (places, rules) = (alone.places.clone(), Arc::clone(&alone.shared.rules));
            let reload = move || match load(&places) {
                Ok(site) => rules.replace(site),
                Err(text) => log::warn!("spamd: {text}: the rules stay as they are"),
            };
            if events.offload(me, reload).is_err() {
                log::warn!("spamd: too busy to read the rules anew: send HUP again");
            }
        }
        Fate::Keep
    }
}
