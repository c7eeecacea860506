//! What a client hears on its way to RCPT TO: smtpd's own restriction lists, gone through here.

use std::cell::RefCell;
use std::net::IpAddr;

use dns::{Answer, Question};
use lookup::Stop;
use restrictions::{
    Client, Effect, Envelope, LogLine, NameStatus, OPEN_RELAY, Refusal, Restrictions, Ruling, Session,
    Settings, Stage,
};

use crate::explain::journey::Journey;
use crate::explain::page::Page;
use crate::explain::scene::{Names, Scene};

/// What restrictions may have asked tables about.
const ASKED: [&str; 14] = [
    "virtual_alias_maps",
    "canonical_maps",
    "recipient_canonical_maps",
    "mydestination",
    "virtual_alias_domains",
    "virtual_mailbox_domains",
    "relay_domains",
    "virtual_mailbox_maps",
    "local_recipient_maps",
    "relay_recipient_maps",
    "transport_maps",
    "mynetworks",
    "smtpd_sender_login_maps",
    "relay_clientcerts",
];

/// The stages before the first recipient is accepted, and the word of each.
const STAGES: [(Stage, &str); 4] =
    [(Stage::Connect, "CONNECT"), (Stage::Helo, "EHLO"), (Stage::Mail, "MAIL"), (Stage::Rcpt, "RCPT")];

/// The lists, by the name of the parameter.
const LISTS: [&str; 5] = [
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions",
];

/// One session up to its first recipient.
struct Dialogue<'a> {
    scene: Scene<'a>,
    settings: Settings,
    client: Client,
    helo: String,
    envelope: Envelope,
}

impl Journey<'_> {
    /// Writes down what the client hears, and what decided it.
    pub(crate) fn describe_reply(&self, page: &mut Page<'_>, names: &dyn Names) {
        let dialogue = Dialogue::new(self, names);
        page.step("client", &format!("{}, which says EHLO {}", dialogue.client.shown(), dialogue.helo));
        let (command, stage, ruling) = dialogue.hold();
        let reply = match &ruling.refusal {
            None => "250 2.1.5 Ok",
            Some(refusal) => refusal.reply().unwrap_or("none: the connection is closed"),
        };
        let name =
            if command == "RCPT" { "reply to RCPT TO".to_owned() } else { format!("reply to {command}") };
        page.step(&name, reply);
        let questions = self.tables.take();
        if let Some(refusal) = &ruling.refusal {
            page.reason(&dialogue.decider(stage, refusal, page));
        }
        self.tables.take();
        page.questions(&questions, &ASKED);
        ruling.effects.iter().for_each(|effect| page.reason(&effect_text(effect)));
        for line in &ruling.log {
            match line {
                LogLine::Warning(text) => page.warning(text),
                LogLine::Note(text) => page.reason(text),
                LogLine::Action("reject", _) => {}
                LogLine::Action(action, text) => page.reason(&format!("the log says {action}: {text}")),
            }
        }
        let restrictions = Restrictions::new(dialogue.settings.clone());
        if restrictions.is_open_relay() {
            page.warning(&format!("smtpd does not start: {OPEN_RELAY}"));
        }
        restrictions.mistakes().iter().for_each(|mistake| page.warning(mistake));
        dialogue.scene.notes.borrow().iter().for_each(|note| page.warning(note));
    }
}

impl<'a> Dialogue<'a> {
    fn new(journey: &'a Journey<'a>, names: &'a dyn Names) -> Self {
        let overrides = journey.config.get(&parameters::RECEIVE_OVERRIDE_OPTIONS);
        let trusting = overrides
            .split(parameters::text::is_list_separator)
            .any(|word| word == "no_unknown_recipient_checks");
        let looks_up = journey.named && journey.config.get(&parameters::SMTPD_PEERNAME_LOOKUP);
        let client = client(journey.client, looks_up.then_some(names));
        let helo = journey.helo.clone().unwrap_or_else(|| literal(journey.client));
        Self {
            scene: Scene {
                tables: journey.tables,
                rewriting: &journey.rewriting,
                names,
                trusting,
                notes: RefCell::default(),
            },
            settings: Settings::from(journey.config),
            client,
            helo,
            envelope: Envelope {
                sender: Some(journey.sender.clone()),
                recipient: Some(journey.address.clone()),
                ..Envelope::default()
            },
        }
    }

    /// Goes through the stages up to the first refusal.
    fn hold(&self) -> (&'static str, Stage, Ruling) {
        let restrictions = Restrictions::new(self.settings.clone());
        let mut all = Ruling::default();
        for (stage, command) in STAGES {
            let ruling = self.check(&restrictions, stage);
            all.log.extend(ruling.log);
            all.effects.extend(ruling.effects);
            all.refusal = ruling.refusal;
            if all.refusal.is_some() {
                return (command, stage, all);
            }
        }
        ("RCPT", Stage::Rcpt, all)
    }

    fn check(&self, restrictions: &Restrictions, stage: Stage) -> Ruling {
        let known =
            |from: Stage| STAGES.iter().skip_while(|(first, _)| *first != from).any(|(at, _)| *at == stage);
        let envelope = Envelope {
            sender: self.envelope.sender.clone().filter(|_| known(Stage::Mail)),
            recipient: self.envelope.recipient.clone().filter(|_| known(Stage::Rcpt)),
            ..Envelope::default()
        };
        let command = STAGES.iter().find(|(at, _)| *at == stage).map_or("RCPT", |(_, command)| *command);
        let session = Session {
            client: &self.client,
            helo: Some(self.helo.as_str()).filter(|_| known(Stage::Helo)),
            protocol: "ESMTP",
            command,
            envelope: &envelope,
            tls: None,
            pipelining: false,
            server: None,
            deferral: None,
            instance: None,
        };
        restrictions.check(stage, &session, &self.scene).unwrap_or_else(|stop| match stop {
            Stop::Failed { .. } | Stop::Wait => Ruling {
                refusal: Some(Refusal::Reply("451 4.3.0 Temporary lookup failure".to_owned())),
                ..Ruling::default()
            },
        })
    }

    /// Which list says so, and which word in it: the shortest beginning of one list that says the same alone.
    fn decider(&self, stage: Stage, refusal: &Refusal, page: &Page<'_>) -> String {
        for list in LISTS {
            let text = self.list(list).to_owned();
            let words: Vec<&str> = parameters::list::items(&text).collect();
            for count in 1..=words.len() {
                let mut settings = self.settings.clone();
                settings.reject_unlisted_recipient = false;
                settings.reject_unlisted_sender = false;
                LISTS.iter().for_each(|other| field(&mut settings, other).clear());
                *field(&mut settings, list) = words[..count].join(" ");
                let ruling = self.check(&Restrictions::new(settings), stage);
                if ruling.refusal.as_ref() == Some(refusal) {
                    return format!("{list} ({}): {}", page.origin(list), last_restriction(&words[..count]));
                }
            }
        }
        let name = if self.settings.reject_unlisted_recipient {
            "smtpd_reject_unlisted_recipient"
        } else {
            "smtpd_reject_unlisted_sender"
        };
        page.setting(name)
    }

    fn list(&self, name: &str) -> &str {
        let lists = &self.settings.lists;
        match name {
            "smtpd_client_restrictions" => &lists.client,
            "smtpd_helo_restrictions" => &lists.helo,
            "smtpd_sender_restrictions" => &lists.sender,
            "smtpd_relay_restrictions" => &lists.relay,
            _ => &lists.recipient,
        }
    }
}

/// The last word, with the one before if it belongs to it: `check_client_access hash:/etc/access`.
fn last_restriction(words: &[&str]) -> String {
    let takes_argument =
        |word: &str| word.starts_with("check_") || word.contains("bl_") || word == "warn_if_reject";
    match words {
        [.., name, argument] if takes_argument(name) => format!("{name} {argument}"),
        [.., name] => (*name).to_owned(),
        [] => String::new(),
    }
}

fn field<'a>(settings: &'a mut Settings, name: &str) -> &'a mut String {
    let lists = &mut settings.lists;
    match name {
        "smtpd_client_restrictions" => &mut lists.client,
        "smtpd_helo_restrictions" => &mut lists.helo,
        "smtpd_sender_restrictions" => &mut lists.sender,
        "smtpd_relay_restrictions" => &mut lists.relay,
        _ => &mut lists.recipient,
    }
}

/// The client, with the name that DNS has for it if `names` are to be asked.
fn client(address: IpAddr, names: Option<&dyn Names>) -> Client {
    let named = |name: &dns::Named| match name {
        Ok(name) => (name.clone(), NameStatus::Found),
        Err(dns::Failure::Unavailable) => ("unknown".to_owned(), NameStatus::Unavailable),
        Err(dns::Failure::NotFound) => ("unknown".to_owned(), NameStatus::NotFound),
    };
    let nobody = Err(dns::Failure::NotFound);
    let (name, reverse) = match names.map(|names| names.answer(Question::Peer(address))) {
        Some(Answer::Peer(peer)) => (named(&peer.name), named(&peer.reverse)),
        _ => (named(&nobody), named(&nobody)),
    };
    Client {
        name: name.0,
        name_status: name.1,
        reverse_name: reverse.0,
        reverse_status: reverse.1,
        address: Some(address),
        port: None,
    }
}

/// The address as a client without a name says it (RFC 5321 §4.1.3).
fn literal(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("[{address}]"),
        IpAddr::V6(address) => format!("[IPv6:{address}]"),
    }
}

fn effect_text(effect: &Effect) -> String {
    match effect {
        Effect::Hold => "the message is put on hold".to_owned(),
        Effect::Discard => "the message is thrown away".to_owned(),
        Effect::Filter(filter) => format!("the message goes through {filter}"),
        Effect::Redirect(address) => format!("the message goes to {address} instead"),
        Effect::Bcc(address) => format!("a copy goes to {address}"),
        Effect::Prepend(header) => format!("a header is put in front: {header}"),
    }
}
