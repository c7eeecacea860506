//! Log lines in Postfix's form, to syslog, a file or a terminal.
//!
//! A program opens the log once ([`open`]) and then uses the macros of the `log` crate: `info!` is a plain line,
//! `warn!` begins with `warning:`, `error!` with `error:`, and an `error!` of target [`FATAL`] with `fatal:`.
//! A daemon keeps the lines of one turn of its loop together and writes them with [`flush`]. It never waits for a log
//! daemon: lines that find no room wait, up to a limit, and the log says how many were lost.

mod line;
mod packets;
mod sink;

use std::sync::{Mutex, OnceLock, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};

pub use packets::Packets;
pub use sink::{Sink, open_file};

use crate::packets::Haste;

/// Target of the `error!` that a program says before it gives up.
pub const FATAL: &str = "fatal";
/// Target of what the work of cleanup has to tell, whichever program does it: such lines are tagged as cleanup's, for
/// that is where log analysers look for them.
pub const CLEANUP: &str = "cleanup";
/// Lines that wait for [`flush`] are written before it when they are more than this.
const BUFFER_LIMIT_BYTES: usize = 32 * 1024;

/// What the log of this process is like.
#[derive(Debug)]
pub struct Settings {
    /// What stands before the process id: `postfix/smtpd`.
    pub tag: String,
    /// The host's name as the log shows it.
    pub host: String,
    /// Where the lines go.
    pub sink: Sink,
    /// Keep lines until [`flush`]; only for programs that call it in every turn.
    pub buffered: bool,
    /// Show `debug!` lines as well (-v).
    pub verbose: bool,
}

static LOGGER: OnceLock<Logger> = OnceLock::new();

struct Logger {
    state: Mutex<State>,
    verbose: bool,
}

struct State {
    settings: Settings,
    /// For lines of target [`CLEANUP`], once it is known.
    cleanup_tag: Option<String>,
    clock: line::Clock,
    buffer: Vec<u8>,
}

/// Opens the log of this process. Later calls change nothing and return false.
pub fn open(settings: Settings) -> bool {
    let verbose = settings.verbose;
    let state = State { settings, cleanup_tag: None, clock: line::Clock::default(), buffer: Vec::new() };
    let first = LOGGER.set(Logger { state: Mutex::new(state), verbose }).is_ok();
    if let Some(logger) = LOGGER.get().filter(|_| first) {
        let _ = log::set_logger(logger);
        log::set_max_level(if logger.verbose { LevelFilter::Debug } else { LevelFilter::Info });
    }
    first
}

/// What stands before the process id in lines of target [`CLEANUP`]: `postfix/cleanup`.
pub fn set_cleanup_tag(tag: String) {
    if let Some(logger) = LOGGER.get() {
        logger.lock().cleanup_tag = Some(tag);
    }
}

/// Writes the lines that wait.
pub fn flush() {
    if let Some(logger) = LOGGER.get() {
        logger.lock().flush();
    }
}

/// Does a log daemon have lines of this program still before it? Then [`flush`] is to be called again soon.
pub fn is_behind() -> bool {
    LOGGER
        .get()
        .is_some_and(|logger| logger.lock().settings.sink.daemon().is_some_and(|daemon| daemon.is_behind()))
}

/// Writes the lines that wait, and gives a log daemon that is behind a moment: for a program that ends.
pub fn finish() {
    if let Some(logger) = LOGGER.get() {
        let mut state = logger.lock();
        state.settings.buffered = false;
        state.flush();
    }
}

/// From now on lines go to what `new_sink` makes; lines that wait are written to the old one first.
pub fn change_sink(new_sink: impl FnOnce() -> Sink) {
    if let Some(logger) = LOGGER.get() {
        let mut state = logger.lock();
        state.flush();
        state.settings.sink = new_sink();
    }
}

/// A second handle of the file that lines go to, when they go to one.
///
/// # Errors
/// As dup(2).
pub fn file_handle() -> std::io::Result<Option<std::fs::File>> {
    match LOGGER.get().map(|logger| logger.lock()).as_ref().map(|state| &state.settings.sink) {
        Some(Sink::File(file)) => file.try_clone().map(Some),
        _ => Ok(None),
    }
}

impl Logger {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Info || self.verbose
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let mut state = self.lock();
            state.take(record.level(), record.target(), &record.args().to_string());
            let keep = state.settings.buffered && record.level() > Level::Warn;
            if !keep || state.buffer.len() > BUFFER_LIMIT_BYTES {
                state.flush();
            }
        }
    }

    fn flush(&self) {
        self.lock().flush();
    }
}

impl State {
    fn take(&mut self, level: Level, target: &str, text: &str) {
        let State { settings, cleanup_tag, clock, buffer } = self;
        let tag = cleanup_tag.as_ref().filter(|_| target == CLEANUP).unwrap_or(&settings.tag);
        let severity = line::Severity::of(level, target == FATAL);
        match settings.sink {
            Sink::Syslog(_) => {
                let mut packet = Vec::with_capacity(text.len() + 64);
                clock.syslog(&mut packet, severity, tag, text);
                self.flush();
                let haste = self.haste();
                self.settings.sink.send(&packet, haste);
            }
            Sink::File(_) | Sink::Postlog(_) => {
                clock.line(buffer, &settings.host, severity, tag, text);
            }
            Sink::Terminal => line::terminal(buffer, severity, tag, text),
        }
    }

    fn flush(&mut self) {
        let haste = self.haste();
        if !self.buffer.is_empty() {
            self.settings.sink.send(&self.buffer, haste);
            self.buffer.clear();
        }
        let Some(daemon) = self.settings.sink.daemon() else { return };
        daemon.catch_up(haste);
        let lost = daemon.take_lost();
        if lost > 0 {
            self.tell_lost(lost);
        }
    }

    fn tell_lost(&mut self, lost: u64) {
        let text = format!("{lost} lines of this log are lost: the log daemon was behind, or gone");
        let Settings { tag, host, .. } = &self.settings;
        let mut line = Vec::new();
        match self.settings.sink {
            Sink::Syslog(_) => self.clock.syslog(&mut line, line::Severity::Warning, tag, &text),
            _ => self.clock.line(&mut line, host, line::Severity::Warning, tag, &text),
        }
        self.settings.sink.send(&line, Haste::Never);
    }

    fn haste(&self) -> Haste {
        if self.settings.buffered { Haste::Never } else { Haste::MayWait }
    }
}
