//! EXPN and ETRN.

use address::AddressList;
use attributes::Attributes;
use lookup::{Lookup, Part};
use reactor::channel::{Channel, Line, Talk};
use reactor::{EventLoop, Fate, HandlerId};
use rewriting::Context;
use services::flush::{Request, Status};
use smtp_protocol::{Answer, Reply};

use crate::service::Smtpd;
use crate::session::{Attempt, Session};

impl Session {
    /// The members of an alias: those of `alias_maps` for a name of this host, those of `virtual_alias_maps` for an
    /// address. One step, as RFC 5321 §3.5.2 has it: a member may be a list again.
    pub(crate) fn expn(&self, address: &str, daemon: &Smtpd) -> Attempt {
        let full = daemon.rewriting.rewrite(address, Context::Local);
        let maps = &daemon.rewriting.settings().virtual_alias_maps;
        let virtual_alias = daemon.rewriting.find_address(daemon.tables.as_ref(), maps, &full);
        let local = full.rsplit_once('@').map_or(full.as_str(), |(local, _)| local);
        let value = match virtual_alias {
            Ok(Some(found)) => Ok(Some(found.value)),
            Ok(None) if self.is_ours(&full, daemon) => {
                let found = daemon.tables.find(&daemon.settings.alias_maps, local, Part::Whole);
                found.map(|found| found.map(|found| found.value))
            }
            Ok(None) => Ok(None),
            Err(stop) => Err(stop),
        };
        match value {
            Ok(Some(value)) => Answer::Members(members(&value)),
            Ok(None) => Answer::Refuse(Reply::from(format!("550 5.1.1 <{address}>: not a mailing list"))),
            Err(_) => Answer::Refuse(Reply::from("451 4.3.0 Temporary lookup failure")),
        }
        .into()
    }

    fn is_ours(&self, address: &str, daemon: &Smtpd) -> bool {
        let resolved = daemon.rewriting.resolve(daemon.tables.as_ref(), "", address);
        resolved.is_ok_and(|resolved| resolved.class == rewriting::Class::Local)
    }

    /// Asks flush(8) for the deliveries to a domain; its word comes as a letter.
    pub(crate) fn tell_flush(
        &self,
        domain: &str,
        daemon: &Smtpd,
        events: &mut EventLoop<Smtpd>,
        me: HandlerId,
    ) -> Attempt {
        let request =
            Flushing { request: Some(Request::SendSite(domain.to_owned())), asker: me, answered: false };
        let socket = sys::sockets::connect_unix(&daemon.settings.flush_socket);
        match socket.and_then(|socket| Channel::start(socket, request, events)) {
            Ok(channel) => {
                events.set_deadline(channel, Some(events.now() + daemon.settings.ipc_timeout));
                Attempt::Letter
            }
            Err(error) => {
                let path = daemon.settings.flush_socket.display();
                log::warn!("connect to {path}: {}", sys::error_text::reason(&error));
                unable().into()
            }
        }
    }

    /// RFC 1985 §5.3: what flush(8) says, in the words for the client.
    pub(crate) fn flushed(&self, flushed: &Flushed) -> Answer {
        match flushed.0 {
            Some(Status::Done) => Answer::Proceed,
            Some(Status::BadRequest) => Answer::Refuse(Reply::from("501 Error: invalid parameter syntax")),
            // Its list and ours are the same one: it was changed in this moment.
            Some(Status::NotListed | Status::Failed) | None => unable(),
        }
    }
}

fn unable() -> Answer {
    Answer::Refuse(Reply::from("458 Unable to queue messages"))
}

/// A letter: what flush(8) said, if it said anything.
pub(crate) struct Flushed(Option<Status>);

/// The talk with flush(8): it greets, hears one request, and gives one status.
struct Flushing {
    request: Option<Request>,
    asker: HandlerId,
    answered: bool,
}

impl Flushing {
    fn tell(&mut self, status: Option<Status>, events: &EventLoop<Smtpd>) {
        if !std::mem::replace(&mut self.answered, true) {
            events.post_box().send(self.asker, Box::new(Flushed(status)));
        }
    }
}

impl Talk<Smtpd> for Flushing {
    fn message(&mut self, message: Attributes, _: &mut Smtpd, line: &mut Line<'_, Smtpd>) -> Fate {
        if let Some(request) = self.request.take() {
            line.send(&request.to_attributes());
            return Fate::Keep;
        }
        let number = message.text("status").ok().and_then(|number| number.parse().ok());
        self.tell(number.and_then(Status::from_number), line.events);
        Fate::Close
    }

    fn elapsed(&mut self, _: &mut Smtpd, _: &mut Line<'_, Smtpd>) -> Fate {
        log::warn!("flush service: no answer in time");
        Fate::Close
    }

    fn ended(&mut self, _: &mut Smtpd, events: &mut EventLoop<Smtpd>) {
        self.tell(None, events);
    }
}

/// The addresses of an alias; commands, files and included lists are nobody's business.
fn members(value: &str) -> Vec<String> {
    const TOKEN_LIMIT: usize = 100_000;
    let list = AddressList::parse(value, TOKEN_LIMIT);
    let private = |address: &String| address.starts_with(['|', '/']) || address.starts_with(":include:");
    list.addresses().filter(|address| !private(address)).collect()
}
