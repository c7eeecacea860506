//! One client: answers what the dialogue's machine asks. The one place of control flow.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lookup::Stop;
use machine::TlsFacts;
use reactor::drive;
use reactor::{EventLoop, HandlerId, Letter};
use restrictions::{Client, Refusal};
use smtp_protocol::{Answer, Command, Question, Reply, Server};
use sys::sockets::Peer;

use crate::chat_log;
use crate::client::{self, Told};
use crate::facts::{Fact, Facts, Found, Wanted};
use crate::inquiry::Flushed;
use crate::intake::{Committed, Named, Written};
use crate::pause;
use crate::policy::{self, Inquiry};
use crate::rates;
use crate::restrict::Deferrals;
use crate::service::Smtpd;
use crate::transaction::Transaction;

/// A client and what is known of it.
pub(crate) struct Session {
    pub(crate) machine: Server,
    pub(crate) client: Client,
    /// `NAME[IP]`, as the log has it.
    pub(crate) shown: String,
    pub(crate) local_end: Option<SocketAddr>,
    pub(crate) helo: Option<String>,
    pub(crate) extended: bool,
    pub(crate) tls: Option<Box<TlsFacts>>,
    pub(crate) pipelining: bool,
    /// Headers of its mail are completed by our own rules (`local_header_rewrite_clients`).
    pub(crate) rewrites_locally: bool,
    /// XFORWARD: the client that a filter speaks for.
    pub(crate) forwarded: Option<Box<(Client, Told)>>,
    pub(crate) transaction: Option<Box<Transaction>>,
    pub(crate) facts: Facts,
    /// What the stages before MAIL, and MAIL itself, could not find out (without `smtpd_delay_reject`).
    pub(crate) deferrals: Deferrals,
    /// What is to be answered once the facts are there.
    question: Option<Box<Question>>,
    connected: bool,
    /// anvil(8) counts it, and is to hear when it goes.
    pub(crate) counted: bool,
}

/// What an attempt to answer came to.
pub(crate) enum Attempt {
    /// Here it is.
    Answer(Answer),
    /// When the facts that are wanted have come, try again.
    Wait,
    /// A letter will bring it.
    Letter,
}

impl From<Answer> for Attempt {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}

/// What restrictions came to: without a refusal the client may go on.
pub(crate) type Checked = Result<Option<Refusal>, Stop>;

impl From<Checked> for Attempt {
    fn from(checked: Checked) -> Self {
        match checked {
            Ok(None) => Self::Answer(Answer::Proceed),
            Ok(Some(refusal)) => Self::Answer(answer_of(refusal)),
            Err(_) => Self::Wait,
        }
    }
}

pub(crate) fn answer_of(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::Reply(reply) => Answer::Refuse(Reply::from(reply)),
        Refusal::Unlisted(reply) => Answer::Refuse(Reply::from(reply).of_address()),
        Refusal::HangUp => Answer::HangUp,
    }
}

impl Session {
    /// A client that has just connected.
    pub(crate) fn new(
        settings: Arc<smtp_protocol::Settings>,
        peer: Peer,
        local_end: Option<SocketAddr>,
    ) -> Self {
        let client = client::at(&peer);
        Self {
            machine: Server::new(settings),
            shown: String::new(),
            client,
            local_end,
            helo: None,
            extended: false,
            tls: None,
            pipelining: false,
            rewrites_locally: false,
            forwarded: None,
            transaction: None,
            facts: Facts::default(),
            deferrals: Deferrals::default(),
            question: None,
            connected: false,
            counted: false,
        }
    }

    /// "SMTP" or "ESMTP".
    pub(crate) fn protocol(&self) -> &'static str {
        if self.extended { "ESMTP" } else { "SMTP" }
    }

    fn work(
        &mut self,
        question: Question,
        daemon: &mut Smtpd,
        events: &mut EventLoop<Smtpd>,
        me: HandlerId,
    ) -> Option<Answer> {
        match self.attempt(&question, daemon, events, me) {
            Attempt::Answer(answer) => {
                self.facts.forget_events();
                return Some(answer);
            }
            Attempt::Letter => {}
            Attempt::Wait => {
                self.question = Some(Box::new(question));
                self.find_out(daemon, events, me);
            }
        }
        None
    }

    fn attempt(
        &mut self,
        question: &Question,
        daemon: &mut Smtpd,
        events: &mut EventLoop<Smtpd>,
        me: HandlerId,
    ) -> Attempt {
        match question {
            Question::Connect(ends) => self.connect(*ends, daemon),
            Question::Xclient(attributes) => self.become_client(attributes, daemon),
            Question::Hello(hello) => self.hello(hello, daemon),
            Question::Address { address, .. } => self.address(address, daemon),
            Question::Mail(sender) => self.mail(sender, daemon, events),
            Question::Rcpt(recipient) => self.rcpt(recipient, daemon, events, me),
            Question::Data => self.data(daemon),
            Question::Content(bytes) => self.content(bytes, daemon, events, me),
            Question::EndOfData(size_bytes) => self.end_of_data(*size_bytes, daemon, events, me),
            Question::Vrfy(address) => self.vrfy(address, daemon),
            Question::Expn(address) => self.expn(address, daemon),
            Question::Etrn(domain) => self.etrn(domain, daemon, events, me),
            other => self.note(other, daemon, events, me),
        }
    }

    /// What needs no more than a look.
    fn note(
        &mut self,
        question: &Question,
        daemon: &mut Smtpd,
        events: &mut EventLoop<Smtpd>,
        me: HandlerId,
    ) -> Attempt {
        match question {
            Question::Reset => self.drop_transaction(daemon, events, me),
            Question::Secured(facts) => {
                if self.tls.is_none() {
                    self.secured(facts, daemon, events);
                }
                return self.count_tls(daemon);
            }
            Question::StartTls => return self.starttls(daemon),
            Question::Rate(command) => return self.rate(*command, daemon),
            Question::Xforward(attributes) => self.forward(attributes),
            Question::Verb(verb) => return self.verb(verb, daemon),
            Question::Filter(line) => return self.filter(line, daemon),
            Question::Footer(reply) => return self.with_footer(reply, daemon),
            Question::Note(event) => {
                self.pipelining |= matches!(event, smtp_protocol::Event::Pipelining(..));
                let view = self.view(Command::Unknown.name());
                chat_log::event(event, &view, &self.shown);
            }
            Question::Notice(transcript) => daemon.notice(transcript, &self.shown, events),
            Question::Ended(ending) if self.connected => chat_log::ending(ending, &self.shown),
            _ => {}
        }
        Answer::Proceed.into()
    }

    fn secured(&mut self, facts: &TlsFacts, daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>) {
        let named = facts.server_name.as_ref().map(|name| (name.as_str(), daemon.encryption.knows(name)));
        chat_log::secured(facts, named, &self.shown, daemon.encryption.log_level);
        worker::server_tls::renew_keys(daemon, events);
        self.tls = Some(Box::new(facts.clone()));
        self.helo = None;
        self.extended = false;
    }

    /// The line "connect from" was written, so one "disconnect from" will be.
    pub(crate) fn note_connected(&mut self) {
        if !std::mem::replace(&mut self.connected, true) {
            log::info!("connect from {}", self.shown);
        }
    }

    /// Asks for the facts that are missing; each comes as a letter.
    fn find_out(&mut self, daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>, me: HandlerId) {
        for wanted in self.facts.take_wanted() {
            let post_box = events.post_box();
            match &wanted {
                Wanted::Dns(question) => {
                    let asked = question.clone();
                    daemon.resolver.ask(asked, move |answer| {
                        post_box.send(me, Box::new(Fact(wanted, Found::Dns(answer))));
                    });
                }
                Wanted::Policy(..) => policy::ask(Inquiry::new(wanted, me), daemon, events),
                Wanted::Time(time) => pause::begin(*time, wanted, me, events),
                Wanted::Count(_) => rates::count(wanted, me, daemon, events),
            }
        }
    }
}

impl drive::Session<Smtpd> for Session {
    type Machine = Server;

    fn machine(&mut self) -> &mut Server {
        &mut self.machine
    }

    fn answer(
        &mut self,
        question: Question,
        daemon: &mut Smtpd,
        events: &mut EventLoop<Smtpd>,
        me: HandlerId,
    ) -> Option<Answer> {
        self.work(question, daemon, events, me)
    }

    fn letter(
        &mut self,
        letter: Letter,
        daemon: &mut Smtpd,
        events: &mut EventLoop<Smtpd>,
        me: HandlerId,
    ) -> Option<Answer> {
        let letter = match letter.downcast::<Fact>() {
            Ok(fact) => {
                self.facts.learn(*fact);
                let ready = self.facts.on_the_way == 0;
                let question = self.question.take_if(|_| ready)?;
                return self.work(*question, daemon, events, me);
            }
            Err(letter) => letter,
        };
        let letter = match letter.downcast::<Written>() {
            Ok(written) => return Some(self.content_written(*written)),
            Err(letter) => letter,
        };
        let letter = match letter.downcast::<Named>() {
            Ok(named) => return Some(self.named(*named)),
            Err(letter) => letter,
        };
        let letter = match letter.downcast::<Flushed>() {
            Ok(flushed) => return Some(self.flushed(&flushed)),
            Err(letter) => letter,
        };
        let committed = letter.downcast::<Committed>().ok()?;
        self.committed(*committed, daemon, events, me)
    }

    fn begin_tls(&mut self, daemon: &mut Smtpd) -> Option<(tls::Server, Duration)> {
        Some((daemon.encryption.begin()?, daemon.encryption.handshake_limit))
    }

    fn ended(&mut self, daemon: &mut Smtpd, events: &mut EventLoop<Smtpd>) {
        daemon.clients.gone();
        self.give_back_id(daemon, events);
        if let Some(name) = daemon.rates.name_of(&self.client).filter(|_| self.counted) {
            rates::disconnected(name, daemon, events);
        }
    }
}
