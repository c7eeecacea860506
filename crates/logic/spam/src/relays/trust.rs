//! Which relays are ours, and where the world outside begins.

use super::line::{Hop, Memory, Reading, read_with};
use crate::addresses_of_hosts;
use crate::perl::Fixed;
use crate::rules::{Networks, Settings};
use message::tree::Tree;

/// The relays of a message, the last one first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Relays {
    pub(crate) trusted: Vec<Hop>,
    pub(crate) untrusted: Vec<Hop>,
    pub(crate) internal: Vec<Hop>,
    pub(crate) external: Vec<Hop>,
    pub(crate) unparseable: usize,
    /// `Received` fields above the first one that is not trusted, less one.
    pub(crate) last_trusted: i64,
    pub(crate) last_internal: i64,
}

/// How far trust goes on the way down.
struct Path<'a> {
    trusted: &'a Networks,
    internal: &'a Networks,
    msa: &'a Networks,
    /// Nobody said what is trusted: guess.
    guess: bool,
    in_trusted: bool,
    in_internal: bool,
    found_msa: bool,
}

impl Relays {
    /// Reads the `Received` fields of a message.
    pub(crate) fn of(tree: &Tree, settings: &Settings) -> Self {
        let mut relays = Self { last_trusted: -1, last_internal: -1, ..Self::default() };
        let mut path = Path::new(settings);
        let mut memory = Memory::default();
        let mut fetched_allowed = true;
        for line in lines(tree, settings) {
            let envelope_sender = memory.scanner_sender.take();
            let reading = read_with(&line, &mut memory);
            if reading == Reading::Fetched && fetched_allowed {
                // A program fetched the mail from a mailbox: the way begins anew.
                relays.trusted.clear();
                relays.internal.clear();
                relays.external.clear();
            }
            let Reading::Hop(mut hop) = reading else {
                relays.unparseable += usize::from(reading == Reading::Unknown);
                relays.last_trusted += i64::from(path.in_trusted);
                relays.last_internal += i64::from(path.in_internal);
                continue;
            };
            if envelope_sender.is_some() {
                hop.envelope_sender = envelope_sender;
            }
            path.judge(&mut hop);
            hop.internal = path.in_internal;
            fetched_allowed = path.in_trusted;
            relays.push(*hop, &path);
        }
        relays
    }

    fn push(&mut self, hop: Hop, path: &Path<'_>) {
        if path.in_internal {
            self.internal.push(hop.clone());
            self.last_internal += 1;
        } else {
            self.external.push(hop.clone());
        }
        if path.in_trusted {
            self.trusted.push(hop);
            self.last_trusted += 1;
        } else {
            self.untrusted.push(hop);
        }
    }
}

fn lines(tree: &Tree, settings: &Settings) -> Vec<Vec<u8>> {
    static ADDRESS: Fixed = Fixed::new(r"(<IP>)");
    let fields = &tree.root().fields;
    let mut lines: Vec<Vec<u8>> = fields.named(b"received").map(|field| field.value.clone()).collect();
    for name in &settings.originating_ip_headers {
        let groups = fields.value(name).and_then(|value| ADDRESS.groups(value));
        lines.extend(groups.map(|groups| [b"from X-Originating-IP: ", groups.get(1)].concat()));
    }
    lines
}

impl<'a> Path<'a> {
    fn new(settings: &'a Settings) -> Self {
        let (trusted, internal) = (&settings.trusted_networks, &settings.internal_networks);
        let (trusted, internal) = match (trusted.configured, internal.configured) {
            (true, false) => (trusted, trusted),
            (false, true) => (internal, internal),
            _ => (trusted, internal),
        };
        let guess = !trusted.configured && !internal.configured;
        let msa = &settings.msa_networks;
        Self { trusted, internal, msa, guess, in_trusted: true, in_internal: true, found_msa: false }
    }

    fn judge(&mut self, hop: &mut Hop) {
        if !self.in_trusted || self.found_msa {
            return;
        }
        let logged_in = !hop.auth.is_empty();
        let address = addresses_of_hosts::parse(&hop.ip);
        let within = |networks: &Networks| address.is_some_and(|address| networks.contains(address));
        if self.guess {
            let trusted = hop.is_private() || logged_in;
            self.in_trusted = trusted;
            self.in_internal &= trusted;
        } else if !logged_in && !within(self.trusted) {
            self.in_trusted = false;
            self.in_internal = false;
        } else {
            self.in_internal &= logged_in || within(self.internal);
            if within(self.msa) {
                self.found_msa = true;
                hop.msa = true;
            }
        }
    }
}
