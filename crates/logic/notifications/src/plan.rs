//! Who gets which report: the sender, the postmaster, or nobody. Never a bounce of a bounce of a bounce.

use crate::log::LogEntry;
use crate::notify;
use crate::template::Class;

/// What the postmaster wants to see (`notify_classes`), as far as reports go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Classes {
    /// "bounce": headers of every message that is returned.
    pub bounce: bool,
    /// "2bounce": returned messages that could not be returned.
    pub double_bounce: bool,
    /// "delay": headers of every message whose sender is warned.
    pub delay: bool,
}

impl Classes {
    /// Reads `notify_classes`; words for other programs ("policy", "protocol", "resource", "software",
    /// "data") pass. `Err` is the word that means nothing.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut classes = Self::default();
        for word in text.split([',', ' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()) {
            match word.to_ascii_lowercase().as_str() {
                "bounce" => classes.bounce = true,
                "2bounce" => classes.double_bounce = true,
                "delay" => classes.delay = true,
                "policy" | "protocol" | "resource" | "software" | "data" => {}
                _ => return Err(word.to_owned()),
            }
        }
        Ok(classes)
    }
}

/// Who stands behind the reports, from main.cf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postmaster {
    /// `double_bounce_sender` with `@$myhostname`: sender of what must not be returned again.
    pub double_bounce_sender: String,
    /// `bounce_notice_recipient`
    pub bounce_recipient: String,
    /// `2bounce_notice_recipient`
    pub double_bounce_recipient: String,
    /// `delay_notice_recipient`
    pub delay_recipient: String,
    /// `notify_classes`
    pub classes: Classes,
}

/// Who reads a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The sender: with the template's text.
    Sender,
    /// The postmaster: the facts alone.
    Postmaster,
}

/// How much of the message goes back with the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    /// All of it, unless it is larger than `bounce_size_limit`.
    Full,
    /// The headers.
    Headers,
}

/// One report to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter<'a> {
    /// Envelope sender: empty, or the double bounce sender.
    pub sender: String,
    /// Envelope recipient.
    pub recipient: String,
    /// For whom it is written.
    pub reader: Reader,
    /// What is returned with it.
    pub returned: Returned,
    /// The results it tells of. Empty: the log is gone, and the report says so.
    pub entries: Vec<&'a LogEntry>,
}

impl Letter<'_> {
    /// The words in the log, "sender non-delivery notification".
    pub fn log_words(&self, class: Class) -> String {
        let reader = match self.reader {
            Reader::Sender => "sender",
            Reader::Postmaster => "postmaster",
        };
        let kind = match class {
            Class::Failure => "non-delivery",
            Class::Delay => "delay",
            Class::Success | Class::Verify => "delivery status",
        };
        format!("{reader} {kind} notification")
    }
}

/// What to do about a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan<'a> {
    /// These reports; none at all is a plan too. The first one has to succeed, the second is a courtesy.
    Send(Vec<Letter<'a>>),
    /// The message was a report to the postmaster: it is dropped, and the log says so.
    Discard,
}

/// RFC 3461 RET=HDRS as the queue file has it.
const RETURN_HEADERS: u32 = 2;

/// Decides who is told about a message from `sender` whose recipients fared as `entries` say.
///
/// `return_flags` is RFC 3461 RET as in the queue file: 0 unset, 1 FULL, 2 HDRS. It counts for failures only
/// (RFC 3461 §4.3).
pub fn plan<'a>(
    class: Class,
    sender: &str,
    return_flags: u32,
    entries: &'a [LogEntry],
    postmaster: &Postmaster,
) -> Plan<'a> {
    let planner = Planner { class, sender, return_flags, entries, postmaster };
    let reports = matches!(class, Class::Success | Class::Verify);
    if sender.eq_ignore_ascii_case(&postmaster.double_bounce_sender) {
        return if reports { Plan::Send(Vec::new()) } else { Plan::Discard };
    }
    let letters = match (reports, sender.is_empty()) {
        // RFC 3461 §5.2.1: the null sender gets no report.
        (true, true) => [None, None],
        (true, false) => [planner.to_sender(), None],
        (false, true) => [planner.last_resort(), None],
        (false, false) => [planner.to_sender(), planner.courtesy()],
    };
    Plan::Send(letters.into_iter().flatten().collect())
}

struct Planner<'a, 'p> {
    class: Class,
    sender: &'p str,
    return_flags: u32,
    entries: &'a [LogEntry],
    postmaster: &'p Postmaster,
}

impl<'a> Planner<'a, '_> {
    /// To the sender, about those recipients he wants to hear of (RFC 3461 §4.1).
    fn to_sender(&self) -> Option<Letter<'a>> {
        let wanted = match self.class {
            Class::Failure => notify::FAILURE,
            Class::Delay => notify::DELAY,
            Class::Success | Class::Verify => u32::MAX,
        };
        let entries = self.entries.iter().filter(|entry| notify::wants(entry.notify, wanted)).collect();
        let full = self.class == Class::Failure && self.return_flags != RETURN_HEADERS;
        self.unless_empty(Letter {
            sender: String::new(),
            recipient: self.sender.to_owned(),
            reader: Reader::Sender,
            returned: if full { Returned::Full } else { Returned::Headers },
            entries,
        })
    }

    /// A report could not be delivered, or warned about: only the postmaster is left to see it.
    fn last_resort(&self) -> Option<Letter<'a>> {
        let Postmaster { classes, double_bounce_recipient, delay_recipient, .. } = self.postmaster;
        match self.class {
            Class::Failure => (classes.bounce || classes.double_bounce)
                .then(|| self.to_postmaster(double_bounce_recipient, Returned::Full)),
            _ => classes.delay.then(|| self.to_postmaster(delay_recipient, Returned::Headers)),
        }
        .and_then(|letter| self.unless_empty(letter))
    }

    /// A copy for the postmaster beside what the sender got.
    fn courtesy(&self) -> Option<Letter<'a>> {
        let Postmaster { classes, bounce_recipient, delay_recipient, .. } = self.postmaster;
        match self.class {
            Class::Failure => classes.bounce.then_some(bounce_recipient),
            _ => classes.delay.then_some(delay_recipient),
        }
        .map(|recipient| self.to_postmaster(recipient, Returned::Headers))
        .and_then(|letter| self.unless_empty(letter))
    }

    /// The postmaster sees all recipients, whatever the sender asked for.
    fn to_postmaster(&self, recipient: &str, returned: Returned) -> Letter<'a> {
        Letter {
            sender: self.postmaster.double_bounce_sender.clone(),
            recipient: recipient.to_owned(),
            reader: Reader::Postmaster,
            returned,
            entries: self.entries.iter().collect(),
        }
    }

    /// A report about nobody is not sent, unless mail is being returned whose log is lost.
    fn unless_empty(&self, letter: Letter<'a>) -> Option<Letter<'a>> {
        let log_lost = self.class == Class::Failure && self.entries.is_empty();
        (log_lost || !letter.entries.is_empty()).then_some(letter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postmaster(classes: &str) -> Postmaster {
        Postmaster {
            double_bounce_sender: "double-bounce@mx.example".into(),
            bounce_recipient: "bounces".into(),
            double_bounce_recipient: "doubles".into(),
            delay_recipient: "delays".into(),
            classes: Classes::read(classes).unwrap(),
        }
    }

    fn entry(notify: u32) -> LogEntry {
        LogEntry { recipient: format!("n{notify}@x"), notify, ..LogEntry::default() }
    }

    /// "recipient reader returned n" of each letter.
    fn told(class: Class, sender: &str, entries: &[LogEntry], classes: &str) -> Vec<String> {
        match plan(class, sender, 0, entries, &postmaster(classes)) {
            Plan::Discard => vec!["discard".to_owned()],
            Plan::Send(letters) => letters
                .iter()
                .map(|l| format!("{} {:?} {:?} {}", l.recipient, l.reader, l.returned, l.entries.len()))
                .collect(),
        }
    }

    #[test]
    fn the_sender_hears_of_failures_he_wants_to_hear_of() {
        let entries = [entry(0), entry(notify::NEVER), entry(notify::SUCCESS), entry(notify::FAILURE)];
        assert_eq!(told(Class::Failure, "s@x", &entries, ""), ["s@x Sender Full 2"]);
        assert_eq!(told(Class::Failure, "s@x", &entries[1..3], ""), [""; 0]);
        assert_eq!(
            told(Class::Failure, "s@x", &entries[1..3], "bounce"),
            ["bounces Postmaster Headers 2"],
            "the postmaster sees what the sender does not"
        );
    }

    #[test]
    fn ret_hdrs_returns_headers() {
        let entries = [entry(0)];
        let Plan::Send(letters) = plan(Class::Failure, "s@x", 2, &entries, &postmaster("")) else { panic!() };
        assert_eq!(letters[0].returned, Returned::Headers);
        assert_eq!(letters[0].log_words(Class::Failure), "sender non-delivery notification");
    }

    #[test]
    fn a_bounce_that_bounces_goes_to_the_postmaster_in_full_or_nowhere() {
        let entries = [entry(0)];
        assert_eq!(told(Class::Failure, "", &entries, "2bounce"), ["doubles Postmaster Full 1"]);
        assert_eq!(told(Class::Failure, "", &entries, "bounce"), ["doubles Postmaster Full 1"]);
        assert_eq!(told(Class::Failure, "", &entries, "resource, software"), [""; 0]);
        assert_eq!(told(Class::Failure, "Double-Bounce@mx.example", &entries, "2bounce"), ["discard"]);
    }

    #[test]
    fn delay_and_success_return_headers() {
        let entries = [entry(notify::DELAY), entry(notify::FAILURE)];
        assert_eq!(
            told(Class::Delay, "s@x", &entries, "delay"),
            ["s@x Sender Headers 1", "delays Postmaster Headers 2"]
        );
        assert_eq!(told(Class::Delay, "", &entries, "delay"), ["delays Postmaster Headers 2"]);
        assert_eq!(
            told(Class::Success, "s@x", &[entry(notify::SUCCESS)], "bounce"),
            ["s@x Sender Headers 1"]
        );
        assert_eq!(told(Class::Verify, "", &entries, "bounce"), [""; 0]);
    }

    #[test]
    fn a_lost_log_is_no_reason_to_say_nothing() {
        assert_eq!(told(Class::Failure, "s@x", &[], ""), ["s@x Sender Full 0"]);
        assert_eq!(told(Class::Delay, "s@x", &[], "delay"), [""; 0]);
    }

    #[test]
    fn an_unknown_class_is_named() {
        assert_eq!(Classes::read("bounce, huh"), Err("huh".to_owned()));
    }
}
