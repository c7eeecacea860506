//! # NAME
//! proxymap - looks keys up in tables for other programs
//!
//! # DESCRIPTION
//! Opens each table once and answers for all who ask. Only tables that stand with `proxy:` in `proxy_read_maps` are
//! opened (for the service `proxywrite`: in `proxy_write_maps`); nobody can have any other file read.
//!
//! Tables are read only: what asks for a change is refused. Programs open local tables named with `proxy:` themselves,
//! so that they do not come here for these.
//!
//! # CONFIGURATION PARAMETERS
//! `proxy_read_maps`, `proxy_write_maps`, `smtputf8_enable`.

mod allowed;

use std::process::ExitCode;

use attributes::Attributes;
use lookup::{Lookup, Part};
use reactor::channel::{Channel, Line, Talk};
use reactor::{EventLoop, Fate};
use services::proxymap::{Answer, Question};
use sys::sockets::{Peer, Socket};
use tables::{Options, Tables};
use worker::{Clients, Service, Setup, StartError};

use crate::allowed::Allowed;

struct Proxymap {
    allowed: Allowed,
    tables: Tables,
    clients: Clients,
}

impl Service for Proxymap {
    const PROGRAM: &'static str = "proxymap";
    const POOL_THREADS: usize = 1;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let list: String = match setup.service.as_str() {
            "proxywrite" => setup.config.get(&parameters::PROXY_WRITE_MAPS),
            _ => setup.config.get(&parameters::PROXY_READ_MAPS),
        };
        let options = Options { utf8: setup.config.get(&parameters::SMTPUTF8_ENABLE), ..Options::default() };
        let service =
            Self { allowed: Allowed::new(&list), tables: Tables::new(options), clients: Clients::default() };
        service.allowed.tables().for_each(|table| service.tables.open_maps(table));
        Ok(service)
    }

    fn accepted(&mut self, socket: Socket, _peer: Peer, _listener: usize, events: &mut EventLoop<Self>) {
        self.clients.welcome(Channel::start(socket, Conversation, events));
    }

    fn tables(&self) -> impl Iterator<Item = &Tables> {
        std::iter::once(&self.tables)
    }

    fn sessions(&self) -> usize {
        self.clients.here()
    }

    fn served(&self) -> u64 {
        self.clients.come()
    }
}

impl Proxymap {
    fn answer(&self, question: &Question) -> Answer {
        if !self.allowed.has(&question.table) {
            log::warn!(
                "request for table \"{}\", which does not stand with \"proxy:\" in proxy_read_maps",
                question.table
            );
            return Answer::Denied;
        }
        match self.tables.find(&question.table, &question.key, Part::Whole) {
            Ok(Some(found)) => Answer::Found(found.value),
            Ok(None) => Answer::None,
            Err(_) => Answer::Failed,
        }
    }
}

/// One program that asks.
struct Conversation;

impl Talk<Proxymap> for Conversation {
    fn message(
        &mut self,
        message: Attributes,
        proxymap: &mut Proxymap,
        line: &mut Line<'_, Proxymap>,
    ) -> Fate {
        match Question::from_attributes(&message) {
            // The next proxymap answers, with the table as it is now.
            Ok(_) if worker::is_behind(proxymap) => Fate::Close,
            Ok(question) => {
                line.send(&proxymap.answer(&question).to_attributes());
                Fate::Keep
            }
            Err(missing) => {
                log::warn!("request that is not understood: {missing}");
                Fate::Close
            }
        }
    }

    /// Whoever holds a connection asks the next proxymap then.
    fn stopping(&mut self, _proxymap: &mut Proxymap, _line: &mut Line<'_, Proxymap>) -> Fate {
        Fate::Close
    }

    fn ended(&mut self, proxymap: &mut Proxymap, _events: &mut EventLoop<Proxymap>) {
        proxymap.clients.gone();
    }
}

fn main() -> ExitCode {
    worker::run::<Proxymap>()
}
