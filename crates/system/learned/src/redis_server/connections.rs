//! Connections to a Redis server, for many threads: each waits for so long and no longer.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::address::Address;
use super::wire::{Commands, Fault, Reply, Wire};
use crate::trouble::Trouble;

/// To connect, and for the words that begin a connection, each.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// For the answers to what goes out together, as in the original.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// A server that did not answer is not asked again for so long: messages are judged without it meanwhile.
const REST: Duration = Duration::from_secs(5);
/// A connection that was idle for longer is asked whether it still stands.
const TRUSTED: Duration = Duration::from_secs(1);
/// Connections that are kept while nobody asks.
const IDLE_LIMIT: usize = 32;
/// The only form of the data that is known here, and of its tokens.
const VERSION: &str = "3";
const TOKEN_FORMAT: i64 = 2;

/// A server with the connections to it.
pub(super) struct Connections {
    address: Address,
    idle: Mutex<Vec<(Wire, Instant)>>,
    /// Until when the server is left alone, and why.
    rest: Mutex<Option<(Instant, String)>>,
}

impl Connections {
    pub(super) fn new(address: Address) -> Self {
        Self { address, idle: Mutex::default(), rest: Mutex::default() }
    }

    pub(super) fn name(&self) -> String {
        self.address.name()
    }

    pub(super) fn database(&self) -> u32 {
        self.address.database
    }

    /// Sends commands once, whatever happens: what they change may have come through. An answer for each.
    pub(super) fn ask(&self, commands: &Commands) -> Result<Vec<Reply>, Trouble> {
        if commands.len() == 0 {
            return Ok(Vec::new());
        }
        let mut wire = self.wire()?;
        let replies = wire.ask(commands, ANSWER_LIMIT).map_err(|fault| self.note(&fault))?;
        let mut idle = lock(&self.idle);
        if idle.len() < IDLE_LIMIT {
            idle.push((wire, Instant::now()));
        }
        Ok(replies)
    }

    /// The answer to one command.
    pub(super) fn ask_one(&self, words: &[&[u8]]) -> Result<Reply, Trouble> {
        Ok(self.ask(&Commands::one(words))?.pop().unwrap_or(Reply::Nothing))
    }

    fn wire(&self) -> Result<Wire, Trouble> {
        loop {
            let idle = lock(&self.idle).pop();
            let Some((mut wire, since)) = idle else { return self.connect() };
            if since.elapsed() < TRUSTED || wire.ask_one(&[b"PING"], CONNECT_LIMIT).is_ok() {
                return Ok(wire);
            }
        }
    }

    fn connect(&self) -> Result<Wire, Trouble> {
        if let Some((until, problem)) = &*lock(&self.rest)
            && Instant::now() < *until
        {
            return Err(self.away(problem.clone()));
        }
        let mut wire = self.enter().map_err(|fault| self.note(&fault))?;
        self.check_form(&mut wire)?;
        *lock(&self.rest) = None;
        Ok(wire)
    }

    /// Like the original it shows the password only to a server that asks for one.
    fn enter(&self) -> Result<Wire, Fault> {
        let mut wire = Wire::open(&self.address.place, CONNECT_LIMIT)?;
        let database = self.address.database.to_string();
        let select: [&[u8]; 2] = [b"SELECT", database.as_bytes()];
        match (wire.ask_one(&select, CONNECT_LIMIT), &self.address.password) {
            (Err(Fault::Refused { code, .. }), Some(password)) if code == "NOAUTH" => {
                wire.ask_one(&[b"AUTH", password.as_bytes()], CONNECT_LIMIT)?;
                wire.ask_one(&select, CONNECT_LIMIT)?;
            }
            (done, _) => drop(done?),
        }
        Ok(wire)
    }

    /// Is it data as we know it? An empty database becomes one.
    fn check_form(&self, wire: &mut Wire) -> Result<(), Trouble> {
        let mut ask = |words: &[&[u8]]| wire.ask_one(words, CONNECT_LIMIT).map_err(|fault| self.note(&fault));
        let form = ask(&[b"MGET", b"v:DB_VERSION", b"v:TOKEN_FORMAT"])?.list();
        let version = form.first().and_then(Reply::text).map(str::to_owned);
        let tokens = form.get(1).and_then(Reply::number);
        match (version.as_deref(), tokens) {
            (Some(VERSION), Some(TOKEN_FORMAT..)) => Ok(()),
            // Not MSET as the original: another host may be at it, and have counted already.
            (None, None) => ask(&[
                b"MSETNX",
                b"v:DB_VERSION",
                VERSION.as_bytes(),
                b"v:NSPAM",
                b"0",
                b"v:NHAM",
                b"0",
                b"v:TOKEN_FORMAT",
                TOKEN_FORMAT.to_string().as_bytes(),
            ])
            .map(drop),
            _ => Err(Trouble::Form {
                name: self.name(),
                version: version.unwrap_or_default(),
                tokens: tokens.unwrap_or_default(),
            }),
        }
    }

    /// A server that is away, or too slow, is left alone for a while.
    fn note(&self, fault: &Fault) -> Trouble {
        let problem = fault.to_string();
        if !matches!(fault, Fault::Refused { .. }) {
            *lock(&self.rest) = Some((Instant::now() + REST, problem.clone()));
        }
        self.away(problem)
    }

    fn away(&self, problem: String) -> Trouble {
        Trouble::Away { name: self.name(), problem }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
