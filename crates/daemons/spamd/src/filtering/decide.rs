//! What becomes of a message that a mail server submits.

use std::time::Instant;

use milter::{Change, Decision, Fate, Submission};
use rulefiles::stamp;
use spam::report::Form;

use crate::judge::check;
use crate::log_lines::{Facts, write};
use crate::session::Shared;

/// What the client of the mail server is told.
const REFUSAL: &str = "550 5.7.1 Blocked by SpamAssassin";
/// Fields that a tag may be put into.
const REWRITTEN: [&str; 3] = ["Subject", "From", "To"];

/// What is done with mail.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Policy {
    /// From this score on it is refused.
    pub(crate) reject_score: Option<f64>,
    /// Whose preferences count when a message has several recipients.
    pub(crate) default_user: Option<String>,
    /// A recipient's preferences are found by its whole address, not by what stands before the `@`.
    pub(crate) whole_address: bool,
    /// Larger messages pass unchecked.
    pub(crate) size_limit_bytes: usize,
}

/// Judges a message.
pub(crate) fn decide(shared: &Shared, policy: &Policy, message: &Submission) -> Decision {
    let begun = Instant::now();
    if message.cut {
        log::info!(
            "spamd: message {} is too large: it passes unchecked",
            message.queue_id.as_deref().unwrap_or("(unknown)")
        );
        return Decision { changes: Vec::new(), fate: Fate::Accept };
    }
    let user = policy.user(message);
    let chosen = match shared.rules.of(user.as_deref()) {
        Ok(chosen) => chosen,
        Err(withheld) => {
            log::warn!("spamd: service unavailable: {withheld}: the message passes unchecked");
            return Decision { changes: Vec::new(), fate: Fate::Accept };
        }
    };
    let memory = shared.notes.of(&chosen.rules().settings, chosen.user(), chosen.state());
    let (now, stamp) = stamp(&shared.host);
    let limit = shared.settings.check_time;
    let is_over = || begun.elapsed() > limit;
    let whole = compose(message, &shared.host, &stamp.date);
    let check = check(&chosen, memory.as_ref(), &whole, now, &is_over);
    let client = client_text(message);
    let facts = Facts { user: user.as_deref(), client: &client, doing: "processing", size: whole.len() };
    write(&check, &facts, begun.elapsed());
    if policy.reject_score.is_some_and(|limit| check.findings.score >= limit) {
        return Decision { changes: Vec::new(), fate: Fate::Refuse(REFUSAL.to_owned()) };
    }
    let changes = changes(&message.fields, &check.marked(Form::Headers, &stamp));
    Decision { changes, fate: Fate::Accept }
}

fn client_text(message: &Submission) -> String {
    let ip = if message.client.address.is_empty() { "127.0.0.1" } else { &message.client.address };
    format!("rhost={},raddr={ip},rport=0", message.client.name.trim_matches(['[', ']']))
}

impl Policy {
    /// Whose preferences count: those of the one recipient.
    fn user(&self, message: &Submission) -> Option<String> {
        let [recipient] = message.recipients.as_slice() else { return self.default_user.clone() };
        let address = recipient.trim_matches(['<', '>']).to_ascii_lowercase();
        let local = address.rsplit_once('@').map_or(address.as_str(), |(local, _)| local);
        let local = local.split('+').next().unwrap_or(local);
        let name = if self.whole_address { address.as_str() } else { local };
        let plain = |char: char| char.is_ascii_alphanumeric() || "-_.,@+=".contains(char);
        let good = !name.is_empty() && !name.starts_with('.') && name.chars().all(plain);
        if good { Some(name.to_owned()) } else { self.default_user.clone() }
    }
}

/// The message with the fields that the mail server will add, so that the rules see where it comes from.
fn compose(message: &Submission, host: &str, date: &str) -> Vec<u8> {
    let mut text = format!("X-Envelope-From: {}\n", one_line(&message.sender));
    let client = &message.client;
    if !client.address.is_empty() {
        let name =
            if client.name.starts_with('[') || client.name.is_empty() { "unknown" } else { &client.name };
        let server = message.server.as_deref().unwrap_or(host);
        let helo = if client.helo.is_empty() { name } else { &client.helo };
        text.push_str(&format!(
            "Received: from {} ({} [{}])\n",
            one_line(helo),
            one_line(name),
            one_line(&client.address)
        ));
        if let Some(login) = &message.login {
            text.push_str(&format!("\t(Authenticated sender: {})\n", one_line(login)));
        }
        let id = one_line(message.queue_id.as_deref().unwrap_or("unknown"));
        text.push_str(&format!("\tby {} (Postfix) with ESMTP id {id}", one_line(server)));
        if let [recipient] = message.recipients.as_slice() {
            text.push_str(&format!("\n\tfor {}", one_line(recipient)));
        }
        text.push_str(&format!("; {date}\n"));
    }
    let mut whole = text.into_bytes();
    for (name, value) in &message.fields {
        whole.extend([name.as_slice(), b":", value, b"\n"].concat());
    }
    whole.push(b'\n');
    for line in message.body.split_inclusive(|byte| *byte == b'\n') {
        let content = line.strip_suffix(b"\r\n").map(|content| [content, b"\n"].concat());
        whole.extend(content.unwrap_or_else(|| line.to_vec()));
    }
    whole
}

/// What came from the network can not begin another field.
fn one_line(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '?' } else { char }).collect()
}

/// The fields of a header.
fn fields(message: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<(String, Vec<u8>)> = Vec::new();
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        if content.is_empty() {
            break;
        }
        match found.last_mut() {
            Some((_, value)) if matches!(content.first(), Some(b' ' | b'\t')) => {
                value.push(b'\n');
                value.extend_from_slice(content);
            }
            _ => {
                let at = content.iter().position(|byte| *byte == b':').unwrap_or(content.len());
                let value = content.get(at + 1..).unwrap_or_default().to_vec();
                found.push((String::from_utf8_lossy(&content[..at]).into_owned(), value));
            }
        }
    }
    found
}

/// Is it a mark of a check?
fn is_mark(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.starts_with("x-spam-") && !lower.starts_with("x-spam-prev-")
}

/// How the header that came becomes that of the marked message.
fn changes(original: &[(Vec<u8>, Vec<u8>)], marked: &[u8]) -> Vec<Change> {
    let marked = fields(marked);
    let original: Vec<(String, &Vec<u8>)> =
        original.iter().map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value)).collect();
    let mut changes = Vec::new();
    // Marks that came with the message say nothing. The last go first, so that the numbers of the others stay true.
    for (index, (name, _)) in original.iter().enumerate().filter(|(_, (name, _))| is_mark(name)) {
        let same = original[..=index].iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).count();
        changes.push(Change::Set(name.clone(), u32::try_from(same).unwrap_or(u32::MAX), Vec::new()));
    }
    changes.reverse();
    for name in REWRITTEN {
        let before = original.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        let after = marked.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        match (before, after) {
            (Some((_, old)), Some((_, new))) if *old != new => {
                changes.push(Change::Set(name.to_owned(), 1, new.clone()));
            }
            (None, Some((_, new))) => changes.push(Change::Add(name.to_owned(), new.clone())),
            _ => {}
        }
    }
    for (name, value) in marked {
        let kept = original.iter().any(|(other, old)| *other == name && **old == value);
        if is_mark(&name) || (name.to_ascii_lowercase().starts_with("x-spam-prev-") && !kept) {
            changes.push(Change::Add(name, value));
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submission() -> Submission {
        let mut message = Submission { sender: "<a@example.net>".into(), ..Submission::default() };
        message.recipients.push("<Joe+spam@example.com>".into());
        message.client.address = "192.0.2.7".into();
        message.client.name = "[192.0.2.7]".into();
        message.client.helo = "evil\nX: y".into();
        message.fields.push((b"Subject".to_vec(), b" hello".to_vec()));
        message.body = b"one\r\ntwo\r\n".to_vec();
        message
    }

    #[test]
    fn rules_see_where_the_message_comes_from() {
        let text =
            String::from_utf8(compose(&submission(), "mx.example.com", "Sun, 22 Nov 2026 10:00:00 +0000"))
                .unwrap();
        let expected = "X-Envelope-From: <a@example.net>\nReceived: from evil?X: y (unknown [192.0.2.7])\n\
                        \tby mx.example.com (Postfix) with ESMTP id unknown\n\tfor <Joe+spam@example.com>; \
                        Sun, 22 Nov 2026 10:00:00 +0000\nSubject: hello\n\none\ntwo\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_recipient_has_preferences_of_its_own() {
        let mut policy = Policy {
            reject_score: None,
            default_user: Some("all".into()),
            whole_address: false,
            size_limit_bytes: 0,
        };
        assert_eq!(policy.user(&submission()).as_deref(), Some("joe"));
        policy.whole_address = true;
        assert_eq!(policy.user(&submission()).as_deref(), Some("joe+spam@example.com"));
        let two = Submission { recipients: vec!["<a@b>".into(), "<c@d>".into()], ..submission() };
        assert_eq!(policy.user(&two).as_deref(), Some("all"));
        let odd = Submission { recipients: vec!["<../x@b>".into()], ..submission() };
        assert_eq!(policy.user(&odd).as_deref(), Some("all"));
    }

    #[test]
    fn marks_are_exchanged_and_a_subject_is_rewritten() {
        let field = |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
        let original = [field("X-Spam-Flag", " NO"), field("Subject", " hello"), field("x-spam-flag", " NO")];
        let marked = b"X-Spam-Flag: YES\nX-Spam-Status: Yes,\n\tscore=9\nSubject: [SPAM] hello\nX-Spam-Prev-Subject: hello\n\nbody";
        let found = changes(&original, marked);
        let text = |text: &str| text.as_bytes().to_vec();
        assert_eq!(
            found,
            [
                Change::Set("x-spam-flag".into(), 2, Vec::new()),
                Change::Set("X-Spam-Flag".into(), 1, Vec::new()),
                Change::Set("Subject".into(), 1, text(" [SPAM] hello")),
                Change::Add("X-Spam-Flag".into(), text(" YES")),
                Change::Add("X-Spam-Status".into(), text(" Yes,\n\tscore=9")),
                Change::Add("X-Spam-Prev-Subject".into(), text(" hello")),
            ]
        );
        assert_eq!(changes(&original[1..2], b"Subject: hello\n\n"), []);
    }
}
