//! The begin of a session: the client's name, and what it may do.

use lookup::{Lookup, Part, Subject};
use restrictions::{Refusal, Stage};
use smtp_protocol::{Admission, Answer, Attributes, Command, Endpoints, Hello, Keywords, Named, Reply};

use crate::client;
use crate::facts::{Found, Wanted};
use crate::service::Smtpd;
use crate::session::{Attempt, Session};

impl Session {
    pub(crate) fn connect(&mut self, ends: Option<Endpoints>, daemon: &Smtpd) -> Attempt {
        if let Some(ends) = ends.filter(|_| self.shown.is_empty()) {
            self.client = client::proxied(ends.client);
            self.local_end = Some(ends.server);
        }
        if self.shown.is_empty() {
            if !self.find_name(daemon) {
                return Attempt::Wait;
            }
            self.show_client(daemon);
            self.note_connected();
        }
        match self.count_connection(daemon) {
            Ok(None) => {}
            // There is nobody to say it to before the handshake.
            Ok(Some(_)) if daemon.dialogue.tls_wrapper => return Answer::HangUp.into(),
            Ok(Some(reply)) => return self.refused_at_once(reply),
            Err(_) => return Attempt::Wait,
        }
        match self.may_begin_tls(daemon) {
            _ if !daemon.dialogue.tls_wrapper => {}
            Ok(true) => {}
            Ok(false) => {
                let service = &daemon.rates.service;
                log::warn!("Refusing TLS service request from {} for service {service}", self.shown);
                return Answer::HangUp.into();
            }
            Err(_) => return Attempt::Wait,
        }
        self.admit("CONNECT", daemon)
    }

    /// The client's name, from the system's file or DNS; false while DNS has not answered.
    fn find_name(&mut self, daemon: &Smtpd) -> bool {
        let Some(address) = self.client.address.filter(|_| self.client.name == "unknown") else {
            return true;
        };
        if !daemon.settings.peername_lookup {
            return true;
        }
        let question = dns::Question::Peer(address);
        let answer = match daemon.resolver.at_once(&question) {
            Some(answer) => answer,
            None => match self.facts.get(Wanted::Dns(question)) {
                Some(Found::Dns(answer)) => answer,
                _ => return false,
            },
        };
        if let dns::Answer::Peer(peer) = answer {
            client::name(&mut self.client, &peer);
        }
        true
    }

    fn show_client(&mut self, daemon: &Smtpd) {
        self.shown = self.client.shown();
        if let Some(port) = self.client.port.filter(|_| daemon.settings.log_port) {
            self.shown += &format!(":{port}");
        }
        self.rewrites_locally = self.is_local(daemon);
        self.machine.watch(self.is_watched(daemon));
    }

    /// `debug_peer_list`: a list that can not be read has nobody in it.
    fn is_watched(&self, daemon: &Smtpd) -> bool {
        let settings = &daemon.settings;
        if settings.debug_peers.is_empty() {
            return false;
        }
        let address = self.client.address_text();
        let parents = settings.debug_peers_match_subdomains;
        let client = Subject::Client { name: &self.client.name, address: &address, parents };
        daemon.tables.listed(&settings.debug_peers, &client) == Ok(true)
    }

    /// XCLIENT: from now on this is somebody else.
    pub(crate) fn become_client(&mut self, attributes: &Attributes, daemon: &Smtpd) -> Attempt {
        let mut told = client::Told::default();
        client::overwrite(&mut self.client, &mut told, attributes);
        self.helo = told.helo;
        self.extended = told.protocol.as_deref() == Some("ESMTP");
        self.facts.forget();
        self.show_client(daemon);
        self.admit("XCLIENT", daemon)
    }

    /// XFORWARD: a filter says whom it has the mail from.
    pub(crate) fn forward(&mut self, attributes: &Attributes) {
        let mut forwarded = self.forwarded.take().unwrap_or_else(|| {
            let unknown = client::at(&sys::sockets::Peer::Inet(([0, 0, 0, 0], 0).into()));
            Box::new((unknown, client::Told::default()))
        });
        client::overwrite(&mut forwarded.0, &mut forwarded.1, attributes);
        self.forwarded = Some(forwarded);
    }

    fn refused_at_once(&mut self, reply: Reply) -> Attempt {
        self.facts.forget();
        let client = self.shown.clone();
        Answer::Admit(Box::new(Admission { refused: Some(reply), client, ..Admission::default() })).into()
    }

    fn admit(&mut self, command: &'static str, daemon: &Smtpd) -> Attempt {
        let refused = match self.check(Stage::Connect, command, daemon) {
            Ok(Some(Refusal::HangUp)) => return Answer::HangUp.into(),
            Ok(Some(Refusal::Reply(reply) | Refusal::Unlisted(reply))) => Some(reply),
            Ok(None) => None,
            Err(_) => return Attempt::Wait,
        };
        self.facts.forget();
        let settings = &daemon.settings;
        let admission = Admission {
            refused: refused.map(Reply::from),
            client: self.shown.clone(),
            xclient: self.is_listed(&settings.xclient_hosts, daemon),
            xforward: self.is_listed(&settings.xforward_hosts, daemon),
            verp: self.is_listed(&settings.verp_clients, daemon),
            discard: self.discarded_keywords(daemon),
            bare_newline: self.is_listed(&settings.bare_newline_exclusions, daemon),
            rates: self.counted && daemon.rates.message_rate + daemon.rates.recipient_rate > 0,
        };
        Answer::Admit(Box::new(admission)).into()
    }

    /// Is the client in this list? A list that can not be read has nobody.
    pub(crate) fn is_listed(&self, list: &str, daemon: &Smtpd) -> bool {
        if list.is_empty() {
            return false;
        }
        let address = self.client.address_text();
        let parents = daemon.settings.mynetworks_match_subdomains;
        let subject = Subject::Client { name: &self.client.name, address: &address, parents };
        daemon.tables.listed(list, &subject).unwrap_or(false)
    }

    fn is_local(&self, daemon: &Smtpd) -> bool {
        let words = daemon.settings.local_rewrite_clients.split([',', ' ', '\t', '\n']);
        let address = self.client.address_text();
        words.filter(|word| !word.is_empty()).any(|word| match word {
            "permit_inet_interfaces" => {
                self.client.address.is_some_and(|address| daemon.settings.own_addresses.contains(&address))
            }
            "permit_mynetworks" => self.is_listed(&daemon.settings.mynetworks, daemon),
            table if table.contains(':') => {
                matches!(daemon.tables.find(table, &address, Part::Whole), Ok(Some(_)))
            }
            _ => false,
        })
    }

    fn discarded_keywords(&self, daemon: &Smtpd) -> Keywords {
        let settings = &daemon.settings;
        let address = self.client.address_text();
        let mapped = daemon.tables.find(&settings.discard_keyword_maps, &address, Part::Whole).ok().flatten();
        let list = mapped.map_or_else(|| settings.discard_keywords.clone(), |found| found.value);
        let mut keywords = Keywords::default();
        for word in list.split([',', ' ', '\t', '\n']).filter(|word| !word.is_empty()) {
            if !keywords.add(word) && !word.eq_ignore_ascii_case("silent-discard") {
                log::warn!("unknown EHLO keyword \"{word}\" in \"{list}\"");
            }
        }
        keywords
    }

    pub(crate) fn hello(&mut self, hello: &Hello, daemon: &Smtpd) -> Attempt {
        let before = self.helo.replace(hello.name.clone());
        let command = if hello.extended { Command::Ehlo } else { Command::Helo };
        match self.check(Stage::Helo, command.name(), daemon) {
            Ok(None) => {
                self.extended |= hello.extended;
                Answer::Proceed.into()
            }
            other => {
                self.helo = before;
                other.into()
            }
        }
    }

    pub(crate) fn verb(&self, verb: &str, daemon: &Smtpd) -> Attempt {
        let has = |list: &str| daemon.tables.listed(list, &Subject::Text(verb)).unwrap_or(false);
        Answer::Verb(match () {
            () if has(&daemon.settings.noop_commands) => Named::Ignored,
            () if has(&daemon.settings.forbidden_commands) => Named::Forbidden,
            () => Named::Ordinary,
        })
        .into()
    }

    pub(crate) fn filter(&self, line: &str, daemon: &Smtpd) -> Attempt {
        let found = daemon.tables.find(&daemon.settings.command_filter, line, Part::Whole).ok().flatten();
        if let Some(found) = &found {
            log::info!("{}: replacing command \"{line:.100}\" with \"{:.100}\"", self.shown, found.value);
        }
        Answer::Line(found.map_or_else(|| line.to_owned(), |found| found.value)).into()
    }
}
