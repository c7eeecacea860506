//! Mail that goes on as a new message: to lists, and to addresses elsewhere.

use std::fs::File;
use std::rc::Rc;
use std::sync::Arc;

use cleanup::{LogClient, Recipient};
use mailbox::content::QueueContent;
use posting::{Letter, PostError, Poster};
use queue::Queue;
use queue_format::QueueId;
use reactor::EventLoop;
use services::couriers::Ticket;
use services::delivery::DeliveryRequest;

use crate::outcome;
use crate::service::Local;

/// RFC 3461 NOTIFY, as in the queue file.
const NOTIFY_NEVER: u32 = 1;
const NOTIFY_SUCCESS: u32 = 2;

/// What became of a message that is sent on; a letter to the session.
pub(crate) struct Posted {
    ticket: Ticket,
    outcome: Result<Option<QueueId>, PostError>,
}

impl Local {
    /// Queues a new message for `recipients`, on the pool.
    pub(crate) fn send_on(
        &mut self,
        ticket: Ticket,
        sender: Option<String>,
        recipients: Vec<String>,
        file: &Rc<File>,
        events: &mut EventLoop<Self>,
    ) {
        let Some(state) = self.requests.get(&ticket.request) else { return };
        let number = state.parts[ticket.recipient].recipient;
        let letter = self.letter(&state.request, number, sender, recipients);
        let (offset, client) = (state.request.content_offset, state.client());
        let (poster, queue) = (Arc::clone(&self.poster), self.queue.clone());
        let file = match file.try_clone() {
            Ok(file) => file,
            Err(error) => return self.settle(ticket, outcome::unreadable(&error)),
        };
        let job = move || Posted { ticket, outcome: post(&poster, &queue, &letter, &file, offset) };
        if events.offload(client, job).is_err() {
            self.settle(ticket, outcome::too_busy());
        }
    }

    fn letter(
        &self,
        request: &DeliveryRequest,
        number: usize,
        sender: Option<String>,
        recipients: Vec<String>,
    ) -> Letter {
        let recipient = &request.recipients[number];
        let original = recipient.before_aliases();
        // With an owner of its own the list is what its members' reports are about.
        let same_sender = sender.is_none();
        let to = |address: String| Recipient {
            original: if same_sender { original.to_owned() } else { address.clone() },
            dsn_original: if same_sender { recipient.dsn_original.clone() } else { String::new() },
            notify: notify_of_members(recipient.notify),
            address,
        };
        let delivered = self.settings.delivered_to_in_forward;
        Letter {
            sender: sender.unwrap_or_else(|| request.sender.clone()),
            recipients: recipients.into_iter().map(to).collect(),
            log_client: (!request.client.name.is_empty()).then(|| log_client(request)),
            encoding: request.encoding.clone(),
            send_options: request.sendopts,
            envelope_id: request.envelope_id.clone(),
            return_flags: request.return_flags,
            head: if delivered {
                format!("Delivered-To: {}\n", on_one_line(&recipient.address.to_ascii_lowercase()))
            } else {
                String::new()
            },
        }
    }

    /// The pool is done with a message.
    pub(crate) fn is_posted(&mut self, posted: Posted) {
        let outcome = match posted.outcome {
            Ok(Some(id)) => {
                self.notifier.arrived(id.as_str());
                outcome::forwarded(id.as_str())
            }
            Ok(None) => outcome::discarded(),
            Err(error) => outcome::not_posted(&error),
        };
        self.settle(posted.ticket, outcome);
    }
}

/// Of success the sender hears once, that the alias took the recipient in (RFC 3461 §5.2.7.2): not from its members.
fn notify_of_members(notify: u32) -> u32 {
    if notify == NOTIFY_SUCCESS { NOTIFY_NEVER } else { notify & !NOTIFY_SUCCESS }
}

fn post(
    poster: &Poster,
    queue: &Queue,
    letter: &Letter,
    file: &File,
    offset: u64,
) -> Result<Option<QueueId>, PostError> {
    let mut block = Vec::new();
    poster.post(queue, letter, &mut QueueContent::new(file, offset, &mut block))
}

fn log_client(request: &DeliveryRequest) -> LogClient {
    let client = &request.client;
    LogClient {
        name: client.name.clone(),
        address: client.address.clone(),
        port: client.port.clone(),
        helo: client.helo.clone(),
        protocol: client.protocol.clone(),
        origin: format!("{}[{}]", client.name, client.address),
    }
}

fn on_one_line(address: &str) -> String {
    address.replace(['\n', '\r', '\0'], "?")
}
