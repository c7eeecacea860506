//! What was said in a session, for mail to the postmaster (`notify_classes`).

use crate::reply::Reply;

/// How much of a session is remembered, in bytes: its end.
const LIMIT_BYTES: usize = 64 * 1024;

/// Kinds of trouble, as `notify_classes` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Troubles(u8);

impl Troubles {
    /// "bounce": an unknown address, or a message that can not be taken.
    pub const BOUNCE: Self = Self(1);
    /// "policy": a refusal by a restriction.
    pub const POLICY: Self = Self(2);
    /// "protocol": a command that is none, or is out of order.
    pub const PROTOCOL: Self = Self(4);
    /// "resource": no room.
    pub const RESOURCE: Self = Self(8);
    /// "software": something here is broken.
    pub const SOFTWARE: Self = Self(16);
    /// "data": a table does not answer.
    pub const DATA: Self = Self(32);

    /// The kind of this name; others are those of bounce(8).
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "bounce" => Self::BOUNCE,
            "policy" => Self::POLICY,
            "protocol" => Self::PROTOCOL,
            "resource" => Self::RESOURCE,
            "software" => Self::SOFTWARE,
            "data" => Self::DATA,
            _ => return None,
        })
    }

    /// With those of `other`.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Has it one of `other`?
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// No trouble.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// What kind of trouble a reply tells of; `ruled` when it comes from outside: from a restriction, or the queue.
    fn of(reply: &Reply, ruled: bool) -> Self {
        let text = reply.text();
        let begins = |starts: &[&str]| starts.iter().any(|start| text.starts_with(start));
        if !text.starts_with(['4', '5']) || begins(&UNTOLD) {
            return Self::default();
        }
        if begins(&["452 4.3.1 ", "451 4.3.0 Error: queue file write error"]) {
            Self::RESOURCE
        } else if begins(&["451 4.3.5 ", "454 4.7.0 TLS"]) {
            Self::SOFTWARE
        } else if begins(&["451 4.3.0 "]) {
            Self::DATA
        } else if begins(&["554 5.4.0 ", "552 5.3.4 Error: message"]) || reply.is_of_address() {
            Self::BOUNCE
        } else if begins(&BY_POLICY) || (ruled && !begins(&["501 5.1.3 ", "501 5.1.7 "])) {
            Self::POLICY
        } else {
            Self::PROTOCOL
        }
    }
}

/// Refusals that tell of nobody's mistake: nothing to do, too much at once, too slow.
const UNTOLD: [&str; 8] = [
    "452 4.5.3 ",
    "554 5.5.1 Error: no valid",
    "551 ",
    "458 ",
    "459 ",
    "421 4.4.2 ",
    "421 4.3.2 ",
    "554 5.5.0 ",
];
/// Refusals of the machine itself that are a matter of what is allowed here.
const BY_POLICY: [&str; 4] = ["550 5.7.0 ", "503 5.7.0 ", "552 5.3.4 ", "553 5.6.7 "];

/// Part of a session with trouble in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// `In:  EHLO x` and `Out: 250 y`, a line each.
    pub lines: String,
    /// All kinds of trouble that came since the last message was taken.
    pub troubles: Troubles,
    /// The session ended before its time: "lost connection".
    pub aborted: Option<&'static str>,
}

/// What has been said so far.
#[derive(Debug, Default)]
pub(crate) struct History {
    lines: String,
    count: usize,
    troubles: Troubles,
}

impl History {
    /// The client said this.
    pub(crate) fn heard(&mut self, line: &[u8]) {
        self.add("In:  ", &String::from_utf8_lossy(line));
    }

    /// The client is told this.
    pub(crate) fn said(&mut self, reply: &Reply) {
        let mut wire = Vec::new();
        reply.write(&mut wire);
        for line in String::from_utf8_lossy(&wire).lines() {
            self.add("Out: ", line);
        }
    }

    /// There was trouble, if this refusal tells of any.
    pub(crate) fn refused(&mut self, reply: &Reply, ruled: bool) {
        self.troubles = self.troubles.with(Troubles::of(reply, ruled));
    }

    /// The client makes up for its errors: a message was taken.
    pub(crate) fn forgive(&mut self) {
        self.troubles = Troubles::default();
    }

    /// Begins anew when there are more than `threshold` lines. What there was, if it has one of the troubles `wanted`.
    pub(crate) fn flush(
        &mut self,
        threshold: usize,
        wanted: Troubles,
        aborted: Option<&'static str>,
    ) -> Option<Transcript> {
        if self.count <= threshold {
            return None;
        }
        let Self { lines, troubles, .. } = std::mem::take(self);
        troubles.has(wanted).then_some(Transcript { lines, troubles, aborted })
    }

    fn add(&mut self, who: &str, text: &str) {
        let plain =
            |one: char| if one.is_control() || one == char::REPLACEMENT_CHARACTER { '?' } else { one };
        self.lines += who;
        self.lines.extend(text.chars().map(plain));
        self.lines.push('\n');
        self.count += 1;
        if self.lines.len() > LIMIT_BYTES {
            self.drop_first_half();
        }
    }

    fn drop_first_half(&mut self) {
        let half = self.lines.len() / 2;
        let after = self.lines.bytes().skip(half).position(|byte| byte == b'\n');
        self.lines.drain(..after.map_or(self.lines.len(), |after| half + after + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Postfix 3.7.11 sorts them.
    #[test]
    fn replies_tell_what_kind_of_trouble_there_is() {
        for (reply, expected) in [
            ("250 2.0.0 Ok", Troubles::default()),
            ("500 5.5.2 Error: command not recognized", Troubles::PROTOCOL),
            ("501 5.1.7 Bad sender address syntax", Troubles::PROTOCOL),
            ("503 5.5.1 Error: need MAIL command", Troubles::PROTOCOL),
            ("554 5.5.1 Error: no valid recipients", Troubles::default()),
            ("452 4.5.3 Error: too many recipients", Troubles::default()),
            ("459 <x>: service unavailable", Troubles::default()),
            ("421 4.7.0 mx Error: too many errors", Troubles::PROTOCOL),
            ("552 5.3.4 Message size exceeds fixed limit", Troubles::POLICY),
            ("552 5.3.4 Error: message file too big", Troubles::BOUNCE),
            ("550 5.7.0 Error: insufficient authorization", Troubles::POLICY),
        ] {
            assert_eq!(Troubles::of(&Reply::from(reply), false), expected, "{reply}");
        }
    }

    #[test]
    fn refusals_from_outside_are_policy_unless_they_say_otherwise() {
        for (reply, expected) in [
            ("504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname", Troubles::POLICY),
            ("503 5.5.1 <x@y>: Recipient address rejected: x", Troubles::POLICY),
            ("454 4.7.1 <x@y>: Relay access denied", Troubles::POLICY),
            ("554 5.4.0 Error: too many hops", Troubles::BOUNCE),
            ("452 4.3.1 Insufficient system storage", Troubles::RESOURCE),
            ("451 4.3.0 Error: queue file write error", Troubles::RESOURCE),
            ("451 4.3.0 <x@y>: Temporary lookup failure", Troubles::DATA),
            ("451 4.3.5 Server configuration error", Troubles::SOFTWARE),
            ("501 5.1.3 Bad recipient address syntax", Troubles::PROTOCOL),
        ] {
            assert_eq!(Troubles::of(&Reply::from(reply), true), expected, "{reply}");
        }
        let unknown = Reply::from("550 5.1.2 <x@y>: Sender address rejected: no such domain").of_address();
        assert_eq!(Troubles::of(&unknown, true), Troubles::BOUNCE);
    }

    #[test]
    fn the_end_of_a_long_session_is_kept() {
        let mut history = History::default();
        (0..20_000).for_each(|number| history.heard(format!("NOOP {number}\r\u{fffd}\u{e9}").as_bytes()));
        history.said(&Reply::from("250 a\nb"));
        history.refused(&Reply::from("500 x"), false);
        assert!(history.lines.len() <= LIMIT_BYTES);
        let transcript = history.flush(0, Troubles::PROTOCOL, None).expect("a transcript");
        assert!(transcript.lines.starts_with("In:  NOOP "), "{}", &transcript.lines[..20]);
        assert!(transcript.lines.ends_with("In:  NOOP 19999??\u{e9}\nOut: 250-a\nOut: 250 b\n"));
        assert_eq!(history.flush(0, Troubles::PROTOCOL, None), None);
    }
}
