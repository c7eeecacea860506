//! From a recipient address to transport, next hop and the address the delivery agent gets.

use address::{Token, internal_text, is_hostname, literal, quote, scan};
use lookup::{Lookup, Stop};

use crate::Rewriting;
use crate::rewrite::{Context, TOKEN_LIMIT, strip_trailing_dot};

/// Old routing forms are undone at most this often.
const ROUTE_LIMIT: usize = 100;

/// The address class, by the domain (ADDRESS_CLASS_README).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// In `mydestination` or an address of this host.
    Local,
    /// In `virtual_alias_domains`: every address is an alias.
    Alias,
    /// In `virtual_mailbox_domains`.
    Virtual,
    /// In `relay_domains`.
    Relay,
    /// Anywhere else.
    Default,
}

impl Class {
    /// The class bit among the flags of the `resolve` request.
    pub const fn bit(self) -> u32 {
        match self {
            Self::Local => 1 << 8,
            Self::Alias => 1 << 9,
            Self::Virtual => 1 << 10,
            Self::Relay => 1 << 11,
            Self::Default => 1 << 12,
        }
    }
}

/// Where a recipient's mail goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The service in master.cf that delivers: "virtual", "local", "smtp", "error".
    pub transport: String,
    /// The host or domain for it; for "error" the status and reason.
    pub nexthop: String,
    /// The recipient in the form the delivery agent gets.
    pub recipient: String,
    /// The class of the domain.
    pub class: Class,
    /// The local part holds `@`, `%` or `!`: the next host may route on (`reject_unauth_destination`).
    pub routed: bool,
    /// The address has a form that no mail may go to: "bad address syntax". Transport and next hop mean nothing
    /// then, unless the address begins with `-`.
    pub malformed: bool,
    /// The parameter that decided on the transport.
    pub decided_by: &'static str,
}

impl Resolved {
    /// The flags of the `resolve` request of trivial-rewrite(8).
    pub fn flags(&self) -> u32 {
        self.class.bit() | (u32::from(self.routed) << 1) | (u32::from(self.malformed) << 2)
    }
}

/// An address taken apart down to the domain that decides.
pub(crate) struct Destination {
    pub(crate) recipient: String,
    pub(crate) domain: String,
    pub(crate) local: bool,
    pub(crate) malformed: bool,
}

impl Rewriting {
    /// Finds out where mail from `sender` to `recipient` goes.
    ///
    /// # Errors
    /// [`Stop`] when a table did not answer, or a transport parameter is empty.
    pub fn resolve(&self, tables: &dyn Lookup, sender: &str, recipient: &str) -> Result<Resolved, Stop> {
        let destination = self.destination(tables, recipient)?;
        if destination.malformed {
            return Ok(Resolved {
                transport: String::new(),
                nexthop: String::new(),
                recipient: destination.recipient,
                class: Class::Default,
                routed: false,
                malformed: true,
                decided_by: "",
            });
        }
        self.route(tables, sender, destination)
    }

    /// Strips our own domains and undoes routing through us, until a foreign domain or a local name is left.
    fn destination(&self, tables: &dyn Lookup, recipient: &str) -> Result<Destination, Stop> {
        if let Some((_, domain)) = plain(recipient) {
            let local = self.is_here(tables, domain)?;
            return Ok(self.checked(recipient.to_owned(), local));
        }
        let mut tokens = scan(&quote(recipient), TOKEN_LIMIT);
        let mut saved_domain = None;
        for _ in 0..ROUTE_LIMIT {
            strip_trailing_dot(&mut tokens);
            if self.settings.resolve_null_domain && tokens.last().is_some_and(|last| last.is('@')) {
                tokens.pop();
            }
            if let Some(at) = tokens.iter().rposition(|token| token.is('@')) {
                let domain = internal_text(&tokens[at + 1..]);
                if at + 1 < tokens.len() && !self.is_here(tables, &domain)? {
                    return Ok(self.checked(internal_text(&tokens), false));
                }
                saved_domain = Some(tokens.split_off(at));
            }
            if !self.undo_routing(&mut tokens) {
                break;
            }
        }
        if tokens.is_empty() {
            tokens = scan(&self.settings.empty_address_recipient, TOKEN_LIMIT);
        }
        tokens.extend(
            saved_domain.unwrap_or_else(|| scan(&format!("@{}", self.settings.myhostname), TOKEN_LIMIT)),
        );
        Ok(self.checked(internal_text(&tokens), true))
    }

    /// Is it a domain of this host, or one of its addresses (`resolve_numeric_domain` takes them without brackets)?
    fn is_here(&self, tables: &dyn Lookup, domain: &str) -> Result<bool, Stop> {
        self.is_local_domain(tables, self.as_literal(domain).as_deref().unwrap_or(domain))
    }

    /// The domain literal that a bare address stands for, where it may.
    fn as_literal(&self, domain: &str) -> Option<String> {
        let bare = self.settings.resolve_numeric_domain && domain.parse::<std::net::IpAddr>().is_ok();
        let prefix = if domain.contains(':') { "IPv6:" } else { "" };
        bare.then(|| format!("[{prefix}{domain}]"))
    }

    /// With our own domain gone, is what is left an address again? Then it is brought into full form.
    fn undo_routing(&self, tokens: &mut Vec<Token>) -> bool {
        let routes = |character: char| match character {
            '@' => true,
            '!' => self.settings.swap_bangpath,
            '%' => self.settings.allow_percent_hack,
            _ => false,
        };
        if tokens.iter().any(|token| matches!(token, Token::Operator(character) if routes(*character))) {
            self.rewrite_tokens(tokens, Context::Local);
            return true;
        }
        let [Token::Quoted(text)] = tokens.as_slice() else { return false };
        if text.is_empty() {
            tokens.clear();
            return false;
        }
        let Some(opened) = self.open_quotes(text) else { return false };
        *tokens = scan(&opened, TOKEN_LIMIT);
        self.rewrite_tokens(tokens, Context::Local);
        true
    }

    /// Looks for routing inside the quotes of `"user@elsewhere"@here`: correct it is not, but without it such an
    /// address would get past the relay check (`resolve_dequoted_address`).
    fn open_quotes(&self, text: &str) -> Option<String> {
        if !self.settings.resolve_dequoted_address {
            return None;
        }
        let percent = || text.rfind('%').filter(|_| self.settings.allow_percent_hack);
        if let Some(at) = text.rfind('@').or_else(percent) {
            return Some(quote(&format!("{}@{}", &text[..at], &text[at + 1..])));
        }
        (self.settings.swap_bangpath && text.contains('!')).then(|| text.to_owned())
    }

    /// Is the domain one that mail can go to?
    fn checked(&self, mut recipient: String, local: bool) -> Destination {
        let at = recipient.rfind('@').map_or(recipient.len(), |at| at + 1);
        let mut domain = recipient[at..].to_owned();
        if let Some(literal) = self.as_literal(&domain) {
            domain = literal;
            recipient.truncate(at);
            recipient.push_str(&domain);
        }
        let valid = if domain.starts_with('[') { literal(&domain).is_some() } else { is_hostname(&domain) };
        Destination { recipient, domain, local, malformed: !valid }
    }
}

/// `local@domain` of characters that are never operators.
fn plain(recipient: &str) -> Option<(&str, &str)> {
    let (local, domain) = recipient.split_once('@')?;
    let plain_local = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+=.".contains(&byte);
    let plain_domain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let good = !local.is_empty() && !domain.is_empty() && !domain.ends_with('.');
    (good && local.bytes().all(plain_local) && domain.bytes().all(plain_domain)).then_some((local, domain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use lookup::Memory;

    fn settings() -> Settings {
        Settings {
            myhostname: "mx.lab.example".into(),
            myorigin: "mx.lab.example".into(),
            mydestination: "mx.lab.example, localhost".into(),
            own_addresses: vec!["127.0.0.1".parse().unwrap()],
            virtual_alias_domains: "alias.example".into(),
            virtual_mailbox_domains: "example.com".into(),
            relay_domains: "relayed.example".into(),
            local_transport: "local:mx.lab.example".into(),
            default_transport: "error:5.7.1 no mail".into(),
            ..Settings::default()
        }
    }

    fn resolve(settings: Settings, recipient: &str) -> Resolved {
        let tables =
            Memory::new().table("r", &[("old@example.com", "new@x"), ("s@x", "[relay]"), ("d@x", "DUNNO")]);
        Rewriting::new(settings).resolve(&tables, "s@x", recipient).unwrap()
    }

    fn summary(recipient: &str) -> String {
        let it = resolve(settings(), recipient);
        format!("{} {} {} {}", it.flags(), it.transport, it.nexthop, it.recipient)
    }

    #[test]
    fn each_class_has_its_transport() {
        for (recipient, expected) in [
            ("user", "256 local mx.lab.example user@mx.lab.example"),
            ("user@MX.lab.example", "256 local mx.lab.example user@MX.lab.example"),
            ("user@[127.0.0.1]", "256 local mx.lab.example user@[127.0.0.1]"),
            ("user@example.com", "1024 virtual example.com user@example.com"),
            ("user@alias.example", "512 error 5.1.1 User unknown in virtual alias table user@alias.example"),
            ("user@relayed.example", "2048 relay relayed.example user@relayed.example"),
            ("user@sub.relayed.example", "2048 relay sub.relayed.example user@sub.relayed.example"),
            ("user@else.example", "4096 error 5.7.1 no mail user@else.example"),
            ("user@bad_domain", "4096 error 5.7.1 no mail user@bad_domain"),
        ] {
            assert_eq!(summary(recipient), expected);
        }
    }

    #[test]
    fn routing_through_us_is_undone() {
        for recipient in [
            "user%example.com@mx.lab.example",
            "user%example.com",
            "example.com!user",
            "example.com!user@localhost",
            "user@example.com@localhost",
            "user@example.com.",
        ] {
            assert_eq!(summary(recipient), "1024 virtual example.com user@example.com", "{recipient}");
        }
    }

    #[test]
    fn routing_behind_us_is_marked() {
        for recipient in ["a!b@example.com", "a%b@example.com", "a@b@example.com"] {
            assert_eq!(summary(recipient), format!("1026 virtual example.com {recipient}"));
        }
    }

    #[test]
    fn nobody_is_the_mailer_daemon() {
        assert_eq!(summary(""), "256 local mx.lab.example MAILER-DAEMON@mx.lab.example");
        assert_eq!(summary("@localhost"), "256 local mx.lab.example MAILER-DAEMON@localhost");
    }

    #[test]
    fn bad_domains_are_told() {
        for recipient in ["u@[1.2.3]", "u@1.2.3.4", "u@foo..", "u@", "@", "u@-bad", "u@a..b", "u@.a"] {
            let resolved = resolve(settings(), recipient);
            assert!(resolved.malformed, "{recipient}");
            assert_eq!(resolved.flags(), 4100);
        }
        assert_eq!(resolve(settings(), "-u@example.com").flags(), 1028);
        let numeric = Settings { resolve_numeric_domain: true, ..settings() };
        assert_eq!(resolve(numeric.clone(), "u@1.2.3.4").recipient, "u@[1.2.3.4]");
        let here = resolve(numeric, "u@127.0.0.1");
        assert_eq!((here.recipient.as_str(), here.class), ("u@[127.0.0.1]", Class::Local));
    }

    #[test]
    fn a_mover_is_bounced_with_the_new_address() {
        let resolved = resolve(Settings { relocated_maps: "r".into(), ..settings() }, "old@example.com");
        assert_eq!((resolved.transport.as_str(), resolved.decided_by), ("error", "relocated_maps"));
        assert_eq!(resolved.nexthop, "5.1.6 User has moved to new@x");
    }

    #[test]
    fn relayhosts_replace_the_next_hop_of_foreign_mail() {
        let relayhost =
            Settings { relayhost: "[hub]".into(), default_transport: "smtp".into(), ..settings() };
        assert_eq!(resolve(relayhost.clone(), "u@else.example").nexthop, "[hub]");
        assert_eq!(resolve(relayhost.clone(), "u@relayed.example").nexthop, "[hub]");
        assert_eq!(resolve(relayhost.clone(), "u@example.com").nexthop, "example.com");
        let by_sender = Settings { sender_dependent_relayhost_maps: "r".into(), ..relayhost };
        assert_eq!(resolve(by_sender, "u@else.example").nexthop, "[relay]");
    }

    #[test]
    fn an_empty_transport_is_a_fault_not_a_route() {
        let broken = Rewriting::new(Settings { virtual_transport: String::new(), ..settings() });
        assert!(broken.resolve(&Memory::new(), "", "u@example.com").is_err());
    }

    use proptest::prelude::*;
    proptest! {
        #[test]
        fn any_recipient_resolves(recipient in "[a-c\"\\\\ @%!.:,<>\\[\\]()\u{e9}1-]{0,16}") {
            let resolved = resolve(settings(), &recipient);
            prop_assert!(resolved.malformed || !resolved.transport.is_empty());
        }
    }
}
