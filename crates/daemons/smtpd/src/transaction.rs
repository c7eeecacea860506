//! The mail transaction that a session is in.

use queue::Reserved;
use queue_format::QueueId;
use restrictions::{Effect, Envelope, Instance};
use smtp_protocol::{Body, Recipient, Return, Sender};

use crate::intake::Intake;

/// From MAIL to the end of the message.
#[derive(Default)]
pub(crate) struct Transaction {
    pub(crate) sender: Sender,
    /// As restrictions see it.
    pub(crate) envelope: Envelope,
    /// The recipients so far, until the content begins.
    pub(crate) recipients: Vec<Recipient>,
    /// What gives the message its id, from the first recipient on until the content begins.
    pub(crate) reserved: Option<(Reserved, QueueId)>,
    /// The message, from DATA on.
    pub(crate) intake: Option<Box<Intake>>,
    /// What access tables asked for.
    pub(crate) effects: Vec<Effect>,
    /// Its name for policy servers, from MAIL on.
    pub(crate) instance: Option<Instance>,
    /// The one recipient, while there is only one.
    pub(crate) only_recipient: Option<String>,
    /// The first recipient that was accepted.
    pub(crate) first_recipient: Option<String>,
}

impl Transaction {
    pub(crate) fn new(sender: Sender) -> Self {
        let envelope = Envelope {
            sender: Some(sender.address.clone()),
            size_bytes: sender.size_bytes.unwrap_or(0),
            author: sender.author.clone().unwrap_or_default(),
            ..Envelope::default()
        };
        Self { sender, envelope, ..Self::default() }
    }

    /// One more recipient is in.
    pub(crate) fn admit(&mut self, recipient: &Recipient) {
        self.envelope.recipients += 1;
        self.only_recipient = (self.envelope.recipients == 1).then(|| recipient.address.clone());
        self.first_recipient.get_or_insert_with(|| recipient.address.clone());
        self.recipients.push(recipient.clone());
    }

    /// RET as the queue file has it.
    pub(crate) fn return_flags(&self) -> u32 {
        match self.sender.ret {
            None => 0,
            Some(Return::Full) => 1,
            Some(Return::Headers) => 2,
        }
    }

    /// BODY as the queue file has it.
    pub(crate) fn encoding(&self) -> &'static str {
        match self.sender.body {
            None => "",
            Some(Body::SevenBit) => "7bit",
            Some(Body::EightBit) => "8bit",
        }
    }
}
