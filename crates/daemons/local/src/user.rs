//! Mail for a user of this system: which mailbox, and a courier to bring it there.

use std::fs::File;
use std::path::Path;
use std::rc::Rc;

use mailbox::job::Job;
use mailbox::{Envelope, Place, QuotaRule};
use reactor::EventLoop;
use rewriting::fill_in;
use services::couriers::{Assignment, Owner, Ticket};
use services::delivery::Outcome;
use services::spawn::CourierRequest;
use sys::clock;
use sys::users::{self, User};

use crate::outcome;
use crate::part::Destination;
use crate::service::Local;

impl Local {
    /// Has a courier go to the mailbox of `name`.
    pub(crate) fn send_to_user(
        &mut self,
        ticket: Ticket,
        name: &str,
        extension: Option<&str>,
        file: &Rc<File>,
        events: &mut EventLoop<Self>,
    ) {
        let found = self.find_mailbox(name);
        let (user, destination, request) = match found {
            Ok(found) => found,
            Err(outcome) => return self.settle(ticket, *outcome),
        };
        if self.only_verifies(ticket.request) {
            return self.settle(ticket, outcome::would_deliver(&destination));
        }
        let job = self.job(ticket, &destination, self.forward_files(&user, extension));
        let owner = destination.owner.clone();
        if let Some(state) = self.requests.get_mut(&ticket.request) {
            state.parts[ticket.recipient].destination = Some(destination);
        }
        let Some(job) = job else { return };
        let assignment = Assignment { ticket, job, file: Rc::clone(file) };
        if let Err(why) = self.couriers.assign(&owner, &request, assignment, events) {
            self.courier_is_back(ticket, Err(why));
        }
    }

    fn find_mailbox(&self, name: &str) -> Result<(User, Destination, CourierRequest), Box<Outcome>> {
        if let Some(parameter) = self.settings.not_available {
            return Err(Box::new(outcome::not_available(parameter)));
        }
        let user = users::user(name).ok().flatten().ok_or_else(|| Box::new(outcome::user_lookup()))?;
        if user.uid == 0 {
            return Err(Box::new(outcome::is_root(name)));
        }
        let (base, path, request) = if self.settings.home_mailbox.is_empty() {
            let slash = if self.settings.spool.ends_with('/') { "/" } else { "" };
            let path = format!("{name}{slash}");
            (self.settings.spool.clone(), path, CourierRequest::Spool { user: name.to_owned() })
        } else {
            let home = user.home.to_string_lossy().into_owned();
            (home, self.settings.home_mailbox.clone(), CourierRequest::Home { user: name.to_owned() })
        };
        let place = Place::parse(&path)
            .map_err(|why| Box::new(outcome::misconfigured(&format!("mailbox of {name}: {why}"))))?;
        let full_path = format!("{}/{path}", base.trim_end_matches('/'));
        let owner = Owner { uid: user.uid, gid: user.gid, base: Rc::from(base) };
        Ok((user, Destination { owner, user: name.to_owned(), place, full_path }, request))
    }

    fn job(&self, ticket: Ticket, destination: &Destination, unless_exists: Vec<String>) -> Option<Job> {
        let state = self.requests.get(&ticket.request)?;
        let part = state.parts.get(ticket.recipient)?;
        let recipient = &state.request.recipients[part.recipient];
        let envelope = Envelope {
            sender: &state.request.sender,
            original: self.settings.tells_original.then(|| recipient.before_aliases()),
            delivered: self.settings.delivered_to_in_mailbox.then_some(recipient.address.as_str()),
            time: &clock::local_time((state.taken_us / 1_000_000) as i64).to_asctime(),
        };
        Some(Job {
            place: destination.place.clone(),
            name: format!("{}P{}", state.request.delivery_name(recipient), part.number),
            record_offset: if part.alone { state.request.crossing_offset(recipient) } else { 0 },
            head: envelope.lines(destination.place.form),
            content_offset: state.request.content_offset,
            limit_bytes: self.settings.limit_bytes,
            quota: QuotaRule::default(),
            only_measure: None,
            queue_id: state.request.queue_id.clone(),
            in_doubt: state.request.in_doubt,
            unless_exists,
        })
    }

    /// The files that would send the user's mail elsewhere.
    fn forward_files(&self, user: &User, extension: Option<&str>) -> Vec<String> {
        let home = user.home.to_string_lossy();
        let delimiter = if extension.is_some() { self.settings.recipient_delimiter.as_str() } else { "" };
        let values = [
            ("home", &*home),
            ("user", user.name.as_str()),
            ("recipient_delimiter", delimiter.get(..1).unwrap_or("")),
            ("extension", extension.unwrap_or("")),
        ];
        let paths = self.settings.forward_path.split(parameters::text::is_list_separator);
        let filled = paths.filter(|path| !path.is_empty()).map(|path| fill_in(path, &values));
        // An extension is a stranger's text: it must not lead out of the home directory.
        filled.filter(|path| Path::new(path).is_absolute() && !path.contains("..")).collect()
    }
}
