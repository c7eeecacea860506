//! Would the mail system take this address? The check that smtpd(8) makes of recipients and senders.

use lookup::{Lookup, Stop};

use crate::Rewriting;
use crate::resolve::{Class, Resolved};
use crate::route::{ERROR_TRANSPORT, RETRY_TRANSPORT};

/// What is known of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Existence {
    /// A table has it, or its class has no list of addresses.
    Accepted,
    /// Its form is one that no mail may go to.
    Malformed,
    /// It is routed to the `error` transport: refuse, with `unknown_virtual_alias_reject_code` for [`Class::Alias`], else 550.
    Undeliverable {
        /// Of the domain.
        class: Class,
        /// RFC 3463 status, where the route has one.
        status: Option<String>,
        /// The reason: "User unknown in virtual alias table".
        text: String,
    },
    /// It is routed to the `retry` transport: refuse for now (450).
    Deferred {
        /// RFC 3463 status, where the route has one.
        status: Option<String>,
        /// The reason.
        text: String,
    },
    /// The list of its class does not have it: 5.1.1, with the reply code of the class.
    Unknown {
        /// Local, virtual or relay.
        class: Class,
        /// "User unknown in local recipient table"
        text: String,
    },
}

impl Rewriting {
    /// Looks for `address`, given how it is routed; `resolved` must come from [`Rewriting::resolve`] for the same.
    ///
    /// # Errors
    /// As [`Lookup::find`].
    pub fn existence(
        &self,
        tables: &dyn Lookup,
        address: &str,
        resolved: &Resolved,
    ) -> Result<Existence, Stop> {
        if self.is_mapped(tables, address, resolved)? {
            return Ok(Existence::Accepted);
        }
        if resolved.malformed {
            return Ok(Existence::Malformed);
        }
        match resolved.transport.as_str() {
            ERROR_TRANSPORT => {
                let (status, text) = split_status(&resolved.nexthop, '5');
                Ok(Existence::Undeliverable { class: resolved.class, status, text })
            }
            RETRY_TRANSPORT => {
                let (status, text) = split_status(&resolved.nexthop, '4');
                Ok(Existence::Deferred { status, text })
            }
            _ => self.listed_existence(tables, resolved),
        }
    }

    /// Does a canonical map or alias take the address elsewhere? Then it is good, wherever that may be.
    fn is_mapped(&self, tables: &dyn Lookup, address: &str, resolved: &Resolved) -> Result<bool, Stop> {
        let settings = &self.settings;
        let differs = !address.eq_ignore_ascii_case(&resolved.recipient);
        for maps in
            [&settings.recipient_canonical_maps, &settings.canonical_maps, &settings.virtual_alias_maps]
        {
            if self.find_address(tables, maps, &resolved.recipient)?.is_some()
                || (differs && self.find_address(tables, maps, address)?.is_some())
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn listed_existence(&self, tables: &dyn Lookup, resolved: &Resolved) -> Result<Existence, Stop> {
        let settings = &self.settings;
        let (maps, name) = match resolved.class {
            Class::Local => (&settings.local_recipient_maps, "local recipient"),
            Class::Virtual => (&settings.virtual_mailbox_maps, "virtual mailbox"),
            Class::Relay => (&settings.relay_recipient_maps, "relay recipient"),
            Class::Alias | Class::Default => return Ok(Existence::Accepted),
        };
        if maps.is_empty() || (resolved.class == Class::Local && self.is_for_the_system(&resolved.recipient))
        {
            return Ok(Existence::Accepted);
        }
        if self.find_address(tables, maps, &resolved.recipient)?.is_some() {
            return Ok(Existence::Accepted);
        }
        let table =
            if settings.show_user_unknown_table_name { format!(" in {name} table") } else { String::new() };
        Ok(Existence::Unknown { class: resolved.class, text: format!("User unknown{table}") })
    }

    /// The sender of bounces of bounces needs no mailbox: the queue manager drops what comes back. Nor do the names that
    /// each host has: without an alias local throws their mail away, and warns.
    fn is_for_the_system(&self, recipient: &str) -> bool {
        let local = recipient.rsplit_once('@').map_or(recipient, |(local, _)| local);
        [self.settings.double_bounce_sender.as_str(), "postmaster", "mailer-daemon"]
            .iter()
            .any(|name| local.eq_ignore_ascii_case(name))
    }
}

/// Splits `5.1.1 reason`; a status of another kind than `first` becomes one of that kind.
fn split_status(text: &str, first: char) -> (Option<String>, String) {
    let text = text.trim_start();
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    if !is_status(word) {
        return (None, text.to_owned());
    }
    (Some(format!("{first}{}", &word[1..])), rest.trim_start().to_owned())
}

/// RFC 3463 §2: class `.` subject `.` detail.
fn is_status(word: &str) -> bool {
    let mut parts = word.split('.');
    let class = matches!(parts.next(), Some("2" | "4" | "5"));
    let mut number = || {
        parts.next().is_some_and(|part| {
            (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let numbers = number() && number();
    class && numbers && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use lookup::Memory;

    fn existence(address: &str) -> Existence {
        let settings = Settings {
            mydestination: "here".into(),
            myhostname: "here".into(),
            virtual_alias_maps: "alias".into(),
            virtual_alias_domains: "alias.example".into(),
            virtual_mailbox_domains: "box.example".into(),
            virtual_mailbox_maps: "box".into(),
            local_recipient_maps: "local".into(),
            relay_domains: "relay.example".into(),
            transport_maps: "transport".into(),
            recipient_delimiter: "+".into(),
            ..Settings::default()
        };
        let tables = Memory::new()
            .table(
                "alias",
                &[("known@alias.example", "x@nowhere"), ("postmaster@box.example", "u@box.example")],
            )
            .table("box", &[("u@box.example", "b/u/"), ("late@box.example", "")])
            .table("local", &[("root", "x")])
            .table(
                "transport",
                &[("late@box.example", "retry:4.3.2 come back"), ("gone.example", "error:gone")],
            );
        let rewriting = Rewriting::new(settings);
        let resolved = rewriting.resolve(&tables, "", address).unwrap();
        rewriting.existence(&tables, address, &resolved).unwrap()
    }

    #[test]
    fn listed_mapped_and_unlisted_classes_are_accepted() {
        for address in ["u@box.example", "u+tag@box.example", "postmaster@box.example", "root@here", "root"] {
            assert_eq!(existence(address), Existence::Accepted, "{address}");
        }
        for address in ["known@alias.example", "any@relay.example", "any@else.example"] {
            assert_eq!(existence(address), Existence::Accepted, "{address}");
        }
        for address in ["double-bounce@here", "Postmaster@here", "MAILER-DAEMON@here"] {
            assert_eq!(existence(address), Existence::Accepted, "{address}");
        }
    }

    #[test]
    fn the_list_of_the_class_decides() {
        let unknown =
            |class, table: &str| Existence::Unknown { class, text: format!("User unknown in {table} table") };
        assert_eq!(existence("no@box.example"), unknown(Class::Virtual, "virtual mailbox"));
        assert_eq!(existence("no@here"), unknown(Class::Local, "local recipient"));
    }

    #[test]
    fn routes_to_error_and_retry_are_told_with_their_reason() {
        let alias = Existence::Undeliverable {
            class: Class::Alias,
            status: Some("5.1.1".into()),
            text: "User unknown in virtual alias table".into(),
        };
        assert_eq!(existence("no@alias.example"), alias);
        let gone = Existence::Undeliverable { class: Class::Default, status: None, text: "gone".into() };
        assert_eq!(existence("a@gone.example"), gone);
        let late = Existence::Deferred { status: Some("4.3.2".into()), text: "come back".into() };
        assert_eq!(existence("late@box.example"), late);
        assert_eq!(existence("a@b@.c"), Existence::Malformed);
    }
}
