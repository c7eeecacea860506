//! What the subject looks like.

use super::{Context, Found, Function, charset, text};
use crate::perl::Fixed;
use crate::rules::matches_glob;

pub(super) fn function(name: &str) -> Option<Function> {
    match name {
        "subject_is_all_caps" => Some(all_caps),
        "check_for_to_in_subject" => Some(recipient_in_subject),
        "check_subject_in_welcomelist" | "check_subject_in_whitelist" => Some(welcome),
        "check_subject_in_blocklist" | "check_subject_in_blacklist" => Some(blocked),
        "check_for_unique_subject_id" => Some(|_, _| Found::No),
        _ => None,
    }
}

fn all_caps(context: &Context<'_>, _: &[String]) -> Found {
    static REPLY: Fixed = Fixed::new(r"(?i)^(?:(?:Re|Fwd|Fw|Aw|Antwort|WG|SV|VB|VS|VL):\s*)+");
    let subject = context.mail.text("Subject");
    let subject = subject.trim_ascii();
    let subject = REPLY.replace_first(subject, |_| Vec::new()).unwrap_or_else(|| subject.to_vec());
    let one_word = !subject.iter().any(|byte| byte.is_ascii_whitespace() || *byte == 0x0b);
    if one_word || subject.len() < 10 || charset::raw_subject_may_mislead(context) {
        return Found::No;
    }
    let mut letters = subject.iter().filter(|byte| byte.is_ascii_alphabetic()).peekable();
    (letters.peek().is_some() && letters.all(u8::is_ascii_uppercase)).into()
}

fn recipient_in_subject(context: &Context<'_>, arguments: &[String]) -> Found {
    let to = context.mail.text("To:addr");
    if to.is_empty() {
        return Found::No;
    }
    let subject = context.mail.text("Subject");
    match text(arguments, 0) {
        "address" => address_in(&subject, &to).into(),
        "user" => {
            let user = to.split(|byte| *byte == b'@').next().unwrap_or_default();
            user_in(&subject, user).into()
        }
        _ => Found::No,
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn address_in(subject: &[u8], address: &[u8]) -> bool {
    let boundary = |at: usize| {
        let before = at.checked_sub(1).and_then(|at| subject.get(at)).is_some_and(|byte| is_word(*byte));
        before != subject.get(at).is_some_and(|byte| is_word(*byte))
    };
    (0..subject.len().saturating_sub(address.len() - 1)).any(|at| {
        let end = at + address.len();
        subject[at..end].eq_ignore_ascii_case(address) && boundary(at) && boundary(end)
    })
}

fn user_in(subject: &[u8], user: &[u8]) -> bool {
    static REPLY: Fixed = Fixed::new(r"(?i)^(?:re|fw):\s*(?:\w+\s+)?");
    let subject = subject.strip_suffix(b"\n").unwrap_or(subject);
    let is_user = |text: &[u8]| text.eq_ignore_ascii_case(user);
    if is_user(subject) {
        return true;
    }
    let reply = REPLY.groups(subject).and_then(|groups| groups.span(0)).is_some_and(|(_, end)| {
        let rest = &subject[..end];
        let word = rest.iter().rposition(|byte| *byte == b':').map_or(end, |at| at + 1);
        is_user(&subject[end..]) || is_user(subject[word..].trim_ascii_start())
    });
    let addressed = subject.strip_prefix(user).is_some_and(|rest| {
        let rest = rest.trim_ascii_start();
        let mark = rest.first().is_some_and(|byte| b",:;!?-".contains(byte));
        mark && rest.get(1).is_none_or(u8::is_ascii_whitespace)
    });
    let closing = subject.strip_prefix(b",").map(<[u8]>::trim_ascii_start).is_some_and(|rest| {
        rest.split_last().is_some_and(|(mark, name)| b",:;!?-".contains(mark) && is_user(name))
    });
    reply || addressed || closing
}

fn listed(context: &Context<'_>, list: &[String]) -> Found {
    let subject = context.mail.text("Subject").to_ascii_lowercase();
    if subject.is_empty() {
        return Found::No;
    }
    // A pattern matches anywhere in the subject.
    list.iter().any(|pattern| matches_glob(format!("*{pattern}*").as_bytes(), &subject)).into()
}

fn welcome(context: &Context<'_>, _: &[String]) -> Found {
    listed(context, &context.mail.settings.welcomelist_subject)
}

fn blocked(context: &Context<'_>, _: &[String]) -> Found {
    listed(context, &context.mail.settings.blocklist_subject)
}
