//! What became of one recipient, and of those whom its alias named.

use attributes::Missing;

use super::Recipient;

/// What became of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Delivered, to be tried again, or failed for good.
    pub verdict: Verdict,
    /// RFC 3463 status: "2.0.0", "4.2.2", "5.1.1".
    pub status: String,
    /// The reason, as in the log's parentheses and in the report: "delivered to maildir".
    pub text: String,
    /// As `relay=` in the log: "virtual", "none", "mx.example[192.0.2.1]:25".
    pub relay: String,
    /// RFC 3464 Remote-MTA, empty when none spoke.
    pub remote_mta: String,
    /// RFC 3464 Diagnostic-Code `type; text` when a remote system or command said something.
    pub diagnostic: String,
    /// The agent has crossed the recipient off.
    pub crossed_off: bool,
    /// It went on as a message of its own (RFC 3464 §2.3.3: "relayed").
    pub relayed: bool,
    /// An alias led from the recipient to others: who asked for success reports hears of that, and nothing of those
    /// others.
    pub expansion: Option<Expansion>,
    /// Each address that an alias led to, where reports name those; empty: they name the recipient.
    pub members: Vec<Member>,
}

/// What became of an address behind an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its own.
    pub address: String,
    /// As in [`Outcome`].
    pub verdict: Verdict,
    /// As in [`Outcome`].
    pub status: String,
    /// As in [`Outcome`].
    pub text: String,
}

/// What an alias is, for reports of success (RFC 3461 §5.2.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expansion {
    /// Other names of the recipient: "expanded".
    Alias,
    /// A list that has an owner: it is where the delivery ends, "delivered".
    List,
}

impl Expansion {
    /// RFC 3464 §2.3.3 action.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Alias => "expanded",
            Self::List => "delivered",
        }
    }

    pub(super) fn of_action(word: &str) -> Option<Self> {
        [Self::Alias, Self::List].into_iter().find(|one| one.action() == word)
    }
}

/// The three ways a delivery ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// `status=sent`: done, the recipient is crossed off.
    Sent,
    /// `status=deferred`: another try later.
    Deferred,
    /// `status=bounced`: the sender is told.
    Bounced,
}

impl Verdict {
    /// The word after `status=` in the log.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Deferred => "deferred",
            Self::Bounced => "bounced",
        }
    }
}

impl Member {
    /// Nothing is known of it yet.
    pub(super) fn of(address: &str) -> Self {
        let [status, text] = [const { String::new() }; 2];
        Self { address: address.to_owned(), verdict: Verdict::Deferred, status, text }
    }

    /// Takes one attribute that follows `member`.
    pub(super) fn read(&mut self, name: &str, value: &str) -> Result<(), Missing> {
        match name {
            "member_verdict" => self.verdict = read_verdict(value)?,
            "member_status" => value.clone_into(&mut self.status),
            "member_text" => value.clone_into(&mut self.text),
            _ => {}
        }
        Ok(())
    }
}

impl Outcome {
    /// Of whom reports tell, and what: the recipient, or the members of its alias.
    pub fn results(&self, recipient: &Recipient) -> Vec<(Recipient, Self)> {
        if self.members.is_empty() {
            return vec![(recipient.clone(), self.clone())];
        }
        let original = recipient.before_aliases();
        let of_member = |member: &Member| {
            let who = Recipient {
                address: member.address.clone(),
                original: if original == member.address { String::new() } else { original.to_owned() },
                ..recipient.clone()
            };
            let what = Self {
                verdict: member.verdict,
                status: member.status.clone(),
                text: member.text.clone(),
                members: Vec::new(),
                ..self.clone()
            };
            (who, what)
        };
        self.members.iter().map(of_member).collect()
    }

    /// An outcome decided here, with no remote system involved.
    pub fn new(verdict: Verdict, status: &str, text: impl Into<String>, relay: &str) -> Self {
        Self {
            verdict,
            status: status.to_owned(),
            text: text.into(),
            relay: relay.to_owned(),
            remote_mta: String::new(),
            diagnostic: String::new(),
            crossed_off: false,
            relayed: false,
            expansion: None,
            members: Vec::new(),
        }
    }
}

/// Takes a status code apart from the text behind it, as in `error:5.1.2 no such domain` (transport(5)). Without
/// one, or with one of another class than `default`, the status is `default`; no text at all is `?`.
pub fn split_status(text: &str, default: &str) -> (String, String) {
    let text = text.trim_start();
    let (word, rest) =
        text.split_once(|character: char| character.is_ascii_whitespace()).unwrap_or((text, ""));
    let (status, text) = if is_status(word) { (word, rest.trim_start()) } else { (default, text) };
    let text = if text.is_empty() { "?" } else { text };
    if status.as_bytes().first() == default.as_bytes().first() {
        return (status.to_owned(), text.to_owned());
    }
    log::warn!("ignoring dsn code \"{status}\"");
    (default.to_owned(), text.to_owned())
}

/// RFC 3463 §2: class 2, 4 or 5, subject and detail of one to three digits.
pub fn is_status(word: &str) -> bool {
    let mut parts = word.split('.');
    let class = parts.next().is_some_and(|class| matches!(class, "2" | "4" | "5"));
    let number = |part: Option<&str>| {
        part.is_some_and(|part| {
            (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    class && number(parts.next()) && number(parts.next()) && parts.next().is_none()
}

/// The verdict that [`Verdict::word`] wrote.
pub(super) fn read_verdict(word: &str) -> Result<Verdict, Missing> {
    match word {
        "sent" => Ok(Verdict::Sent),
        "deferred" => Ok(Verdict::Deferred),
        "bounced" => Ok(Verdict::Bounced),
        _ => Err(Missing { name: "verdict" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_before_the_text_counts_when_its_class_fits() {
        let cases = [
            ("5.1.2 no such domain", "5.0.0", "5.1.2", "no such domain"),
            ("plain words", "5.0.0", "5.0.0", "plain words"),
            ("4.7.1 later", "5.0.0", "5.0.0", "later"),
            ("5.1.2", "5.0.0", "5.1.2", "?"),
            ("5.1.2.3 x", "5.0.0", "5.0.0", "5.1.2.3 x"),
            ("2.1.5 with code", "2.0.0", "2.1.5", "with code"),
        ];
        for (nexthop, default, status, text) in cases {
            assert_eq!(split_status(nexthop, default), (status.to_owned(), text.to_owned()), "{nexthop}");
        }
    }
}
