//! Header fields that do not look right.

use super::{Context, Found, Function, contains, number, text};
use crate::perl::Fixed;

pub(super) fn function(name: &str) -> Option<Function> {
    match name {
        "check_for_fake_aol_relay_in_rcvd" => Some(fake_aol_relay),
        "check_illegal_chars" => Some(illegal_chars),
        "gated_through_received_hdr_remover" => Some(|context, _| gated(context).into()),
        "check_for_matching_env_and_hdr_from" => Some(matching_from),
        "check_for_missing_to_header" => Some(missing_to),
        "check_for_forged_gw05_received_headers" => Some(forged_gw05),
        "check_messageid_not_usable" => Some(message_id_not_usable),
        "check_header_count_range" => Some(count_range),
        "check_unresolved_template" => Some(unresolved_template),
        "check_ratware_name_id" => Some(ratware_name_id),
        "check_ratware_envelope_from" => Some(ratware_envelope_from),
        "check_equal_from_domains" => Some(different_domains),
        _ => None,
    }
}

fn fake_aol_relay(context: &Context<'_>, _: &[String]) -> Found {
    static RELAY: Fixed = Fixed::new(r"(?i) rly-[a-z][a-z]\d\d\.");
    static REAL: Fixed = Fixed::new(r"\/AOL-\d+\.\d+\.\d+\)|ESMTP id (?:RELAY|MAILRELAY|MAILIN)");
    let received = super::squeezed(&context.mail.text("Received"));
    (RELAY.is_match(&received) && !REAL.is_match(&received)).into()
}

fn illegal_chars(context: &Context<'_>, arguments: &[String]) -> Found {
    let name = text(arguments, 0);
    let request = if name.ends_with(":raw") { name.to_owned() } else { format!("{name}:raw") };
    let value = context.mail.text(&request);
    let is_control = |byte: &u8| matches!(byte, 0..=8 | 0x0b | 0x0c | 0x0e..=0x1f);
    if value.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0x0b) {
        return Found::No;
    }
    if !value.is_ascii() && std::str::from_utf8(&value).is_ok() && !value.iter().any(is_control) {
        return Found::No;
    }
    let mut illegal = value.iter().filter(|byte| is_control(byte) || **byte >= 0x7f).count();
    if request.eq_ignore_ascii_case("subject:raw") && illegal > 0 {
        let exempt = value.iter().filter(|byte| matches!(byte, 0xa2 | 0xa3 | 0xae)).count();
        illegal -= usize::from(exempt == 1);
    }
    let ratio = illegal as f64 / value.len() as f64;
    (ratio >= number(arguments, 1).unwrap_or(0.0) && illegal as f64 >= number(arguments, 2).unwrap_or(0.0))
        .into()
}

/// Has something on the way taken the `Received` fields out, or are there none?
pub(super) fn gated(context: &Context<'_>) -> bool {
    static EZMLM: Fixed = Fixed::new(r"(?m)^contact \S+\@\S+\; run by ezmlm$");
    static LIST: Fixed = Fixed::new(r"(?m)^mailing list \S+\@\S+");
    static QMAIL: Fixed = Fixed::new(r"qmail \d+ invoked (?:from network|by .{3,20})\); \d+ ... \d+");
    static MSN: Fixed = Fixed::new(r"from groups\.msn\.com \(\S+\.msn\.com ");
    let mail = context.mail;
    let received = mail.text_if_any("Received");
    if mail.text_if_any("Mailing-List").is_some_and(|list| EZMLM.is_match(&list)) {
        let text = received.as_deref().unwrap_or_default();
        if LIST.is_match(&mail.text("Delivered-To")) && QMAIL.is_match(text) {
            return true;
        }
    }
    received.is_none_or(|received| MSN.is_match(&received))
}

fn matching_from(context: &Context<'_>, _: &[String]) -> Found {
    context.mail.text("EnvelopeFrom:addr").eq_ignore_ascii_case(&context.mail.text("From:addr")).into()
}

fn missing_to(context: &Context<'_>, _: &[String]) -> Found {
    (context.mail.text("To").is_empty() && context.mail.text("Apparently-To").is_empty()).into()
}

fn forged_gw05(context: &Context<'_>, _: &[String]) -> Found {
    static LINE: Fixed = Fixed::new(
        r"(?s)\nfrom\s(\S+)\sby\s(\S+)\swith\sESMTP\;\s+\S\S\S,\s+\d+\s+\S\S\S\s+\d{4}\s+\d\d:\d\d:\d\d\s+[-+]*\d{4}\n$",
    );
    LINE.groups(&context.mail.text("Received")).is_some_and(|groups| !groups.get(2).contains(&b'.')).into()
}

fn message_id_not_usable(context: &Context<'_>, _: &[String]) -> Found {
    static UNSUBSCRIBE: Fixed = Fixed::new(r"(?i)<mailto:(?:leave-\S+|\S+-unsubscribe)\@\S+>$");
    static SERVER: Fixed = Fixed::new(r"(?i)iPlanet Messaging Server");
    let received = context.mail.text("Received");
    let found = UNSUBSCRIBE.is_match(&context.mail.text("List-Unsubscribe")) || gated(context);
    (found || contains(&received, b"/CWT/DCE)") || SERVER.is_match(&received)).into()
}

fn count_range(context: &Context<'_>, arguments: &[String]) -> Found {
    let mut values: Vec<&[u8]> = context
        .mail
        .tree
        .root()
        .fields
        .named(text(arguments, 0).as_bytes())
        .map(|field| field.value.as_slice())
        .collect();
    values.sort_unstable();
    values.dedup();
    let count = values.len() as f64;
    (number(arguments, 1).is_none_or(|least| count >= least)
        && number(arguments, 2).is_none_or(|most| count <= most))
    .into()
}

fn unresolved_template(context: &Context<'_>, _: &[String]) -> Found {
    static TEMPLATE: Fixed = Fixed::new(r"%[A-Z][A-Z_-]");
    static MAY: Fixed = Fixed::new(
        r"(?i)^(?:X-VMS-To|X-UIDL|X-Face|To|Cc|From|Subject|References|In-Reply-To|(?:X-|Resent-|X-Original-)?Message-Id):",
    );
    let all = context.mail.text("ALL");
    all.split(|byte| *byte == b'\n').any(|line| TEMPLATE.is_match(line) && !MAY.is_match(line)).into()
}

fn ratware_name_id(context: &Context<'_>, _: &[String]) -> Found {
    static ID: Fixed = Fixed::new(r"<[A-Z]{28}\.([^>]+?)>");
    static FROM: Fixed = Fixed::new(r#"\"[^\"]+\"\s*<([^>]*)>"#);
    let id = context.mail.text("MESSAGEID");
    let Some(groups) = ID.groups(&id) else { return Found::No };
    let from = context.mail.text("From");
    FROM.all(&from).iter().any(|from| from.get(1) == groups.get(1)).into()
}

fn ratware_envelope_from(context: &Context<'_>, _: &[String]) -> Found {
    static ADDRESS: Fixed = Fixed::new(r"^([^@]+)\@(.+)$");
    static REWRITTEN: Fixed = Fixed::new(r"(?i)^SRS\d[=+-]");
    let mail = context.mail;
    let (to, from) = (mail.text("To:addr"), mail.text("EnvelopeFrom:addr"));
    if from.is_empty() || to.is_empty() || REWRITTEN.is_match(&from) {
        return Found::No;
    }
    let Some(groups) = ADDRESS.groups(&to) else { return Found::No };
    let domain = mail.settings.registry.registered(groups.get(2));
    if !mail.settings.registry.is_valid(&domain) {
        return Found::No;
    }
    is_made_of(&from, &domain, groups.get(1)).into()
}

/// Does `text` hold the domain, any character, the user and `@`, in a word of its own?
fn is_made_of(text: &[u8], domain: &[u8], user: &[u8]) -> bool {
    let length = domain.len() + 1 + user.len() + 1;
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.windows(length).enumerate().any(|(at, window)| {
        let begins = at == 0 || is_word(text[at - 1]) != is_word(window[0]);
        let rest = &window[domain.len() + 1..];
        begins
            && window[..domain.len()].eq_ignore_ascii_case(domain)
            && window[domain.len()] != b'\n'
            && rest[..user.len()].eq_ignore_ascii_case(user)
            && rest[user.len()] == b'@'
    })
}

fn different_domains(context: &Context<'_>, _: &[String]) -> Found {
    let (from, envelope) = (context.mail.text("From:addr"), context.mail.text("EnvelopeFrom:addr"));
    match (last_two_labels(&from), last_two_labels(&envelope)) {
        (Some(one), Some(other)) => (!one.eq_ignore_ascii_case(&other)).into(),
        _ => Found::No,
    }
}

/// The end of the domain of an address.
fn last_two_labels(address: &[u8]) -> Option<Vec<u8>> {
    static LABELS: Fixed = Fixed::new(r"^.+\.([^\.]+\.[^\.]+)$");
    let at = address.iter().rposition(|byte| *byte == b'@')?;
    let domain = &address[at + 1..];
    let short = LABELS.groups(domain).map_or_else(|| domain.to_vec(), |groups| groups.text(1));
    (!short.is_empty()).then_some(short)
}
