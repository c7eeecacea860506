//! The steps of an address, in the order in which mail takes them.

use std::net::IpAddr;

use address::{Address, split_extension};
use lookup::{Lookup, Part, Stop};
use parameters::Config;
use rewriting::{Canonical, Class, Context, ExpandError, MailboxOwners, NoMailbox, Resolved, Rewriting};

use crate::explain::page::Page;
use crate::explain::recorder::Recorder;
use crate::explain::scene::Names;
use crate::explain::{Question, STRANGER, traps};

/// Parameters whose lists and tables a route depends on.
const ROUTE: [&str; 8] = [
    "mydestination",
    "virtual_alias_domains",
    "virtual_mailbox_domains",
    "relay_domains",
    "transport_maps",
    "relocated_maps",
    "sender_dependent_relayhost_maps",
    "sender_dependent_default_transport_maps",
];
/// Parameters that replace an address.
const CANONICAL: [&str; 4] =
    ["recipient_canonical_maps", "canonical_maps", "masquerade_exceptions", "mydestination"];
/// Parameters that expand one.
const ALIASES: [&str; 2] = ["virtual_alias_maps", "mydestination"];
/// Parameters of a mailbox.
const MAILBOX: [&str; 4] = ["virtual_mailbox_maps", "virtual_uid_maps", "virtual_gid_maps", "mydestination"];

/// One address on its way.
pub(crate) struct Journey<'a> {
    pub(crate) config: &'a Config,
    pub(crate) tables: &'a Recorder<'a>,
    pub(crate) rewriting: Rewriting,
    /// In internal form.
    pub(crate) address: String,
    pub(crate) sender: String,
    pub(crate) client: IpAddr,
    /// Is the client a real one, whose name can be found?
    pub(crate) named: bool,
    pub(crate) helo: Option<String>,
}

impl<'a> Journey<'a> {
    pub(crate) fn new(config: &'a Config, tables: &'a Recorder<'a>, question: &Question<'_>) -> Self {
        let stranger = || STRANGER.parse().unwrap_or(IpAddr::from([192, 0, 2, 1]));
        Self {
            config,
            tables,
            rewriting: Rewriting::new(rewriting::Settings::from(config)),
            address: Address::external(question.address).into(),
            sender: Address::external(question.sender).into(),
            client: question.client.unwrap_or_else(stranger),
            named: question.client.is_some(),
            helo: question.helo.map(str::to_owned),
        }
    }

    /// Writes every step down.
    pub(crate) fn describe(&self, page: &mut Page<'_>, names: &dyn Names) {
        page.step("address", &self.address);
        self.describe_reply(page, names);
        let full = self.rewriting.rewrite(&self.address, Context::Local);
        page.step("full form", &full);
        if full != self.address {
            page.reason(&page.setting("myorigin"));
        }
        let Some(mapped) = self.describe_canonical(page, &full) else { return };
        let Some(recipients) = self.describe_aliases(page, &mapped) else { return };
        self.describe_copies(page, &mapped);
        for recipient in &recipients {
            self.describe_recipient(page, recipient);
        }
        traps::describe(self, page, &full, &recipients);
    }

    fn describe_canonical(&self, page: &mut Page<'_>, address: &str) -> Option<String> {
        let outcome = self.rewriting.canonical(self.tables, address, Canonical::EnvelopeRecipient);
        match outcome {
            Ok(mapping) => {
                page.step("canonical", if mapping.changed { &mapping.address } else { "unchanged" });
                self.write_questions(page, &CANONICAL);
                mapping.warnings.iter().for_each(|warning| page.warning(warning));
                Some(mapping.address)
            }
            Err(failure) => {
                page.step("canonical", "not known for now: mail is refused with 451 4.3.0");
                self.write_questions(page, &CANONICAL);
                page.warning(&unreadable(&failure.stop, failure.parameter));
                None
            }
        }
    }

    fn describe_aliases(&self, page: &mut Page<'_>, address: &str) -> Option<Vec<String>> {
        match self.rewriting.virtual_alias_expand(self.tables, address) {
            Ok(expansion) => {
                let result =
                    if expansion.changed { expansion.recipients.join(", ") } else { "none".to_owned() };
                page.step("aliases", &result);
                self.write_questions(page, &ALIASES);
                Some(expansion.recipients)
            }
            Err(error) => {
                page.step("aliases", "no end: mail is refused with 451 4.6.0 Alias expansion error");
                self.write_questions(page, &ALIASES);
                page.warning(&match error {
                    ExpandError::Stop(stop) => unreadable(&stop, "virtual_alias_maps"),
                    ExpandError::TooMany => page.setting("virtual_alias_expansion_limit"),
                    ExpandError::TooDeep => page.setting("virtual_alias_recursion_limit"),
                    ExpandError::TooLong { result } => format!("the alias {result} is too long"),
                });
                None
            }
        }
    }

    /// Automatic copies.
    fn describe_copies(&self, page: &mut Page<'_>, address: &str) {
        let always = self.config.get(&parameters::ALWAYS_BCC);
        if !always.is_empty() {
            page.step("copy", &always);
            page.reason(&page.setting("always_bcc"));
        }
        for (name, maps, about) in [
            ("recipient_bcc_maps", self.config.get(&parameters::RECIPIENT_BCC_MAPS), address),
            ("sender_bcc_maps", self.config.get(&parameters::SENDER_BCC_MAPS), &self.sender),
        ] {
            if let Ok(Some(found)) = self.rewriting.find_address(self.tables, &maps, about) {
                page.step("copy", &found.value);
                self.write_questions(page, &[name]);
            }
            self.tables.take();
        }
    }

    fn describe_recipient(&self, page: &mut Page<'_>, recipient: &str) {
        page.step("recipient", recipient);
        let resolved = match self.rewriting.resolve(self.tables, &self.sender, recipient) {
            Ok(resolved) => resolved,
            Err(stop) => {
                page.step("  route", "not known for now: mail waits");
                self.write_questions(page, &ROUTE);
                return page.warning(&unreadable(&stop, "a parameter of the route"));
            }
        };
        if resolved.malformed {
            self.tables.take();
            return page.step("  route", "none: bad address syntax, mail is returned with 5.1.3");
        }
        page.step("  class", class_name(resolved.class));
        self.write_questions(page, &ROUTE);
        page.step("  transport", &format!("{}:{}", resolved.transport, resolved.nexthop));
        page.reason(&page.setting(resolved.decided_by));
        self.describe_delivery(page, &resolved);
    }

    fn describe_delivery(&self, page: &mut Page<'_>, resolved: &Resolved) {
        match resolved.transport.as_str() {
            "virtual" => self.describe_mailbox(page, &resolved.recipient),
            "local" => self.describe_local(page, &resolved.recipient),
            "error" => page.step("  delivery", "mail is returned to the sender"),
            "retry" => page.step("  delivery", "mail waits"),
            "discard" => page.step("  delivery", "mail is thrown away"),
            other => page.step("  delivery", &format!("by the service {other} of master.cf")),
        }
    }

    fn describe_mailbox(&self, page: &mut Page<'_>, recipient: &str) {
        let owners = MailboxOwners {
            virtual_uid_maps: self.config.get(&parameters::VIRTUAL_UID_MAPS),
            virtual_gid_maps: self.config.get(&parameters::VIRTUAL_GID_MAPS),
            virtual_minimum_uid: u32::try_from(self.config.get(&parameters::VIRTUAL_MINIMUM_UID))
                .unwrap_or(u32::MAX),
        };
        match self.rewriting.virtual_mailbox(self.tables, &owners, recipient) {
            Ok(mailbox) => {
                let base = self.config.get(&parameters::VIRTUAL_MAILBOX_BASE);
                let kind = if mailbox.path.ends_with('/') { "Maildir" } else { "mbox" };
                page.step("  mailbox", &format!("{base}/{} ({kind})", mailbox.path.trim_start_matches('/')));
                page.step("  owner", &format!("uid {} gid {}", mailbox.uid, mailbox.gid));
                self.write_questions(page, &MAILBOX);
                page.step("  limit", &page.setting("virtual_mailbox_limit"));
            }
            Err(NoMailbox::Unknown(_)) => {
                page.step("  mailbox", "none: mail is returned with 5.1.1");
                self.write_questions(page, &MAILBOX);
            }
            Err(trouble) => {
                page.step("  mailbox", "can not be used: mail waits with 4.3.5");
                self.write_questions(page, &MAILBOX);
                page.warning(&trouble.to_string());
            }
        }
    }

    /// Names of this system: aliases(5) first, then the user's mailbox.
    fn describe_local(&self, page: &mut Page<'_>, recipient: &str) {
        let local = recipient.rsplit_once('@').map_or(recipient, |(local, _)| local);
        let delimiters = self.config.get(&parameters::RECIPIENT_DELIMITER);
        let base = split_extension(local, &delimiters).map_or(local, |(base, _)| base);
        let maps = self.config.get(&parameters::ALIAS_MAPS);
        let ask = |name: &str| self.tables.find(&maps, name, Part::Whole).ok().flatten();
        let alias = ask(local).or_else(|| (base != local).then(|| ask(base)).flatten());
        match alias {
            Some(found) => page.step("  alias", &found.value),
            None => page.step("  mailbox", &format!("of the user {base}")),
        }
        self.write_questions(page, &["alias_maps"]);
    }

    pub(crate) fn write_questions(&self, page: &mut Page<'_>, parameters: &[&str]) {
        page.questions(&self.tables.take(), parameters);
    }
}

pub(crate) fn unreadable(stop: &Stop, parameter: &str) -> String {
    match stop {
        Stop::Failed { table } => format!("{parameter}: {table} can not be read"),
        Stop::Wait => format!("{parameter}: no answer yet"),
    }
}

pub(crate) const fn class_name(class: Class) -> &'static str {
    match class {
        Class::Local => "local (mydestination)",
        Class::Alias => "virtual alias (virtual_alias_domains)",
        Class::Virtual => "virtual mailbox (virtual_mailbox_domains)",
        Class::Relay => "relay (relay_domains)",
        Class::Default => "elsewhere (in no list of ours)",
    }
}
