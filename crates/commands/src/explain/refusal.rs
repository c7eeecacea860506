//! What a client hears in answer to RCPT TO.

use lookup::{Lookup, Stop, Subject};
use rewriting::{Class, Existence, Resolved};

use crate::explain::journey::Journey;
use crate::explain::page::Page;

/// Parameters that decide whether an address exists.
const EXISTENCE: [&str; 12] = [
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
];

impl Journey<'_> {
    /// Writes the reply down, and what decided it.
    pub(crate) fn describe_reply(&self, page: &mut Page<'_>) {
        let reply = self.reply().unwrap_or_else(|stop| match stop {
            Stop::Failed { .. } | Stop::Wait => self.rejected(451, "4.3.0", "Temporary lookup failure"),
        });
        page.step("reply to RCPT TO", &reply);
        self.write_questions(page, &EXISTENCE);
    }

    fn reply(&self) -> Result<String, Stop> {
        let resolved = self.rewriting.resolve(self.tables, &self.sender, &self.address)?;
        if let Some(refusal) = self.relay_refusal(&resolved)? {
            return Ok(refusal);
        }
        let existence = self.rewriting.existence(self.tables, &self.address, &resolved)?;
        Ok(match existence {
            Existence::Accepted => "250 2.1.5 Ok".to_owned(),
            Existence::Malformed => self.rejected(550, "5.1.3", "bad address syntax"),
            Existence::Undeliverable { class, status, text } => {
                self.rejected(self.code(class), &status, &text)
            }
            Existence::Deferred { status, text } => self.rejected(450, &status, &text),
            Existence::Unknown { class, text } => self.rejected(self.code(class), "5.1.1", &text),
        })
    }

    /// Mail to elsewhere is taken from our own networks only (`smtpd_relay_restrictions`).
    fn relay_refusal(&self, resolved: &Resolved) -> Result<Option<String>, Stop> {
        let ours = resolved.class != Class::Default && !resolved.routed;
        if ours || self.is_own_client()? {
            return Ok(None);
        }
        let code = self.config.get(&parameters::RELAY_DOMAINS_REJECT_CODE);
        Ok(Some(format!("{code} 5.7.1 <{}>: Relay access denied", self.address)))
    }

    fn is_own_client(&self) -> Result<bool, Stop> {
        let networks = self.config.get(&parameters::MYNETWORKS);
        let address = self.client.to_string();
        self.tables.listed(&networks, &Subject::Client { name: "unknown", address: &address, parents: false })
    }

    fn code(&self, class: Class) -> u16 {
        let parameter = match class {
            Class::Local => &parameters::UNKNOWN_LOCAL_RECIPIENT_REJECT_CODE,
            Class::Alias => &parameters::UNKNOWN_VIRTUAL_ALIAS_REJECT_CODE,
            Class::Virtual => &parameters::UNKNOWN_VIRTUAL_MAILBOX_REJECT_CODE,
            Class::Relay => &parameters::UNKNOWN_RELAY_RECIPIENT_REJECT_CODE,
            Class::Default => return 550,
        };
        u16::try_from(self.config.get(parameter)).unwrap_or(550)
    }

    fn rejected(&self, code: u16, status: &str, text: &str) -> String {
        format!("{code} {status} <{}>: Recipient address rejected: {text}", self.address)
    }
}
