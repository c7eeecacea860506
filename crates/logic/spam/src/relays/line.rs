//! One `Received` field: who gave the message to whom.

use super::forms::{self, Outcome};
use crate::addresses_of_hosts::is_private;
use crate::perl::Fixed;

/// A relay that gave the message on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Hop {
    pub(crate) ip: Vec<u8>,
    pub(crate) rdns: Vec<u8>,
    pub(crate) helo: Vec<u8>,
    pub(crate) by: Vec<u8>,
    pub(crate) ident: Vec<u8>,
    pub(crate) envelope_sender: Option<Vec<u8>>,
    pub(crate) id: Vec<u8>,
    pub(crate) auth: Vec<u8>,
    pub(crate) internal: bool,
    pub(crate) msa: bool,
    /// The server looked for the client's name and found none.
    pub(crate) no_reverse_dns: bool,
    /// The server looks up names.
    pub(super) looked_up: bool,
}

/// What a line turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    Hop(Box<Hop>),
    /// Nothing that was handed over by SMTP.
    Ignored,
    /// Fetched from a mailbox by POP3 or IMAP.
    Fetched,
    /// Not understood.
    Unknown,
}

/// What one line tells about the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    /// qmail-scanner names the envelope sender in a line of its own.
    pub(super) scanner_sender: Option<Vec<u8>>,
}

impl Hop {
    /// Is its address of a private network?
    pub(crate) fn is_private(&self) -> bool {
        is_private(&self.ip)
    }

    /// As rules see it in `X-Spam-Relays-*`.
    pub(crate) fn to_text(&self) -> Vec<u8> {
        let sender = self.envelope_sender.as_deref().filter(|sender| *sender != b"0").unwrap_or_default();
        let flag = |on: bool| if on { &b"1"[..] } else { b"0" };
        [
            b"[ ip=",
            self.ip.as_slice(),
            b" rdns=",
            &self.rdns,
            b" helo=",
            &self.helo,
            b" by=",
            &self.by,
            b" ident=",
            &self.ident,
            b" envfrom=",
            sender,
            b" intl=",
            flag(self.internal),
            b" id=",
            &self.id,
            b" auth=",
            &self.auth,
            b" msa=",
            flag(self.msa),
            b" ]",
        ]
        .concat()
    }
}

/// Reads a line on its own.
#[cfg(test)]
pub(crate) fn read(line: &[u8]) -> Reading {
    read_with(line, &mut Memory::default())
}

/// Reads a line.
pub(super) fn read_with(line: &[u8], memory: &mut Memory) -> Reading {
    static FROM: Fixed = Fixed::new(r"(?i)^\(?from ");
    static LOCAL: Fixed = Fixed::new(r"\bwith local for\b");
    static BARE: Fixed = Fixed::new(r"(?i)^from (\S+) by [^\s;]+ ?;");
    static ADDRESS_ONLY: Fixed = Fixed::new(r"^\[[\d.]+\]$");
    let text = squeezed(line);
    if !FROM.is_match(&text) || LOCAL.is_match(&text) {
        return Reading::Ignored;
    }
    if BARE.groups(&text).is_some_and(|groups| !ADDRESS_ONLY.is_match(groups.get(1))) {
        return Reading::Ignored;
    }
    let text = without_date(text);
    let mut hop = Hop { auth: authentication(&text), ..Hop::default() };
    note_names(&text, &mut hop);
    match forms::read(&text, &mut hop) {
        Outcome::Hop => Reading::Hop(Box::new(finished(hop))),
        Outcome::Ignored => Reading::Ignored,
        Outcome::Fetched => Reading::Fetched,
        Outcome::Scanner => {
            memory.scanner_sender = hop.envelope_sender.map(|sender| clean(&without_brackets(&sender)));
            Reading::Ignored
        }
        Outcome::Unknown => fallback(&text, hop),
    }
}

/// Runs of blanks become one, and semicolons at the end go.
fn squeezed(line: &[u8]) -> Vec<u8> {
    let is_space = |byte: u8| byte.is_ascii_whitespace() || byte == 0x0b;
    let mut text = Vec::with_capacity(line.len());
    for byte in line {
        match is_space(*byte) {
            true if text.last() == Some(&b' ') => {}
            true => text.push(b' '),
            false => text.push(*byte),
        }
    }
    let start = usize::from(text.first() == Some(&b' '));
    let mut text = text.split_off(start);
    if text.last() == Some(&b' ') {
        text.pop();
    }
    while text.last() == Some(&b';') {
        text.pop();
        if text.last() == Some(&b' ') {
            text.pop();
        }
    }
    text
}

fn without_date(text: Vec<u8>) -> Vec<u8> {
    static DATE: Fixed = Fixed::new(
        r"[\s;]+(?:(?:Mon|T(?:ue|hu)|Wed|Fri|S(?:at|un)), )?\d+ (?:J(?:an|u[nl])|Feb|Ma[ry]|A(?:pr|ug)|Sep|Oct|Nov|Dec) \d+ \d+:\d+(?::\d+)? \S+$",
    );
    static CLOSED_BY: Fixed = Fixed::new(r"\)by ");
    let text = DATE.replace_first(&text, |_| Vec::new()).unwrap_or(text);
    CLOSED_BY.replace_first(&text, |_| b") by ".to_vec()).unwrap_or(text)
}

/// What can be read whatever wrote the line.
fn note_names(text: &[u8], hop: &mut Hop) {
    static ID: Fixed = Fixed::new(r" id <?([^\s<>;]{3,})");
    static HELO: Fixed =
        Fixed::new(r"\bhelo=([-A-Za-z0-9\.\^+_&:=?!@%*\$\\\/]+)(?:[^-A-Za-z0-9\.\^+_&:=?!@%*\$\\\/]|$)");
    static EHLO: Fixed = Fixed::new(
        r"\b(?:HELO|EHLO) ([-A-Za-z0-9\.\^+_&:=?!@%*\$\\\/]+)(?:[^-A-Za-z0-9\.\^+_&:=?!@%*\$\\\/]|$)",
    );
    static BY: Fixed = Fixed::new(r" by (\S+)(?:[^-A-Za-z0-9\;\.]|$)");
    if let Some(groups) = ID.groups(text) {
        hop.id = groups.text(1);
    }
    if let Some(groups) = HELO.groups(text).or_else(|| EHLO.groups(text)) {
        hop.helo = groups.text(1);
    }
    if let Some(groups) = BY.groups(text) {
        hop.by = groups.text(1);
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// How the client logged in, if the line tells.
fn authentication(text: &[u8]) -> Vec<u8> {
    static PROTOCOL: Fixed = Fixed::new(r"(?i) with ((?:ES|L|UTF8S|UTF8L)MTPS?A|ASMTP|HTTP[SU]?)(?: |;|$)");
    static GMAIL: Fixed = Fixed::new(
        r" by mx\.google\.com with ESMTPS id [a-z0-9]{1,4}sm[0-9]{2,9}[a-z]{3}\.[0-9]{1,3}\.[0-9]{4}\.(?:[0-6][0-9]\.){4}[0-6][0-9]",
    );
    static CIPHER: Fixed = Fixed::new(r"\(version=([^ ]+) cipher=([^\)]+)\)");
    static AUTH: Fixed =
        Fixed::new(r"^from .*?(?:\]\)|\)\]) \(AUTH: (LOGIN|PLAIN|DIGEST-MD5|CRAM-MD5) \S+(?:, .*?)?\) by ");
    static SENDMAIL: Fixed =
        Fixed::new(r"^from .*?(?:\](?: \([^)]*\))?\)|\)\]) .*?\(.*?authenticated.*?\).*? by");
    static GMX: Fixed = Fixed::new(
        r"from \S* \((?:HELO|EHLO) (\S*)\) \[(<IP>)\] by (mail\.gmx\.(?:net|com)) \([^\)]+\) with ((?:ESMTP|SMTP))",
    );
    static CRITICAL_PATH: Fixed =
        Fixed::new(r"\) by .+ \(\d{1,2}\.\d\.\d{3}(?:\.\d{1,3})?\) \(authenticated as .+\) id ");
    static POSTFIX: Fixed = Fixed::new(r"\) \(Authenticated sender: \S+\) by \S+ \(([^\)]+)\) with ");
    static COMMUNIGATE: Fixed = Fixed::new(r"CommuniGate Pro (HTTP|SMTP|XIMSS|IMAP)");
    static VIA_HTTP: Fixed = Fixed::new(r"(?i) \(via (HTTP.?)\)(?: |;|$)");
    let by = contains(text, b" by ");
    if by && let Some(groups) = PROTOCOL.groups(text) {
        return groups.text(1);
    }
    if GMAIL.is_match(text)
        && let Some(groups) = CIPHER.groups(text)
    {
        return [b"GMail - transport=", groups.get(1), b" cipher=", groups.get(2)].concat();
    }
    if let Some(groups) = AUTH.groups(text) {
        return groups.text(1);
    }
    if contains(text, b"authenticated") && SENDMAIL.is_match(text) {
        return b"Sendmail".to_vec();
    }
    if let Some(groups) = GMX.groups(text) {
        return [b"GMX (", groups.get(4), b" / ", groups.get(3), b")"].concat();
    }
    if contains(text, b" (authenticated as ") && CRITICAL_PATH.is_match(text) {
        return b"CriticalPath".to_vec();
    }
    if let Some(groups) = POSTFIX.groups(text) {
        let program = groups.get(1);
        return if program == b"Postfix" { program.to_vec() } else { [b"Postfix (", program, b")"].concat() };
    }
    if contains(text, b" (account ") && COMMUNIGATE.is_match(text) {
        return b"Communigate".to_vec();
    }
    if contains(text, b" with Microsoft Exchange Server HTTP-DAV") {
        return b"HTTP-DAV".to_vec();
    }
    VIA_HTTP.groups(text).filter(|_| by).map_or_else(Vec::new, |groups| groups.text(1))
}

/// No form fits, but an address in brackets and a `by` are enough.
fn fallback(text: &[u8], mut hop: Hop) -> Reading {
    static BRACKETED: Fixed = Fixed::new(r"\[(<IP>)\]");
    if hop.ip.is_empty()
        && let Some(groups) = BRACKETED.groups(text)
    {
        hop.ip = groups.text(1);
    }
    if hop.ip.is_empty() || hop.by.is_empty() {
        Reading::Unknown
    } else {
        Reading::Hop(Box::new(finished(hop)))
    }
}

fn finished(mut hop: Hop) -> Hop {
    static MAPPED: Fixed = Fixed::new(r"(?i)^0*:0*:(?:0*:)*ffff:(\d+\.\d+\.\d+\.\d+)$");
    static ZONE: Fixed = Fixed::new(r"(?si)%[A-Z0-9._~-]*\z");
    while hop.rdns.last() == Some(&b'.') {
        hop.rdns.pop();
    }
    if hop.rdns.eq_ignore_ascii_case(b"unknown") || hop.rdns.starts_with(b"[") {
        hop.rdns.clear();
    }
    let bare = hop
        .ip
        .get(..5)
        .filter(|prefix| prefix.eq_ignore_ascii_case(b"ipv6:"))
        .map_or(&hop.ip[..], |_| &hop.ip[5..]);
    let bare = bare.strip_prefix(b"[").unwrap_or(bare);
    let bare = bare.strip_suffix(b"]").unwrap_or(bare);
    let ip = ZONE.replace_first(bare, |_| Vec::new()).unwrap_or_else(|| bare.to_vec());
    hop.ip = MAPPED.groups(&ip).map(|groups| groups.text(1)).unwrap_or(ip);
    if hop.by.last() == Some(&b';') {
        hop.by.pop();
    }
    for part in [&mut hop.ip, &mut hop.rdns, &mut hop.helo, &mut hop.by, &mut hop.ident] {
        *part = clean(part);
    }
    hop.envelope_sender = hop.envelope_sender.map(|sender| clean(&without_brackets(&sender)));
    hop.no_reverse_dns = hop.rdns.is_empty() && hop.looked_up;
    hop
}

fn without_brackets(text: &[u8]) -> Vec<u8> {
    let text = text.trim_ascii();
    let start = text.iter().take_while(|byte| **byte == b'<').count();
    let end = text.iter().rposition(|byte| *byte != b'>').map_or(start, |at| at + 1);
    text[start..end.max(start)].to_vec()
}

/// What would break the form of `X-Spam-Relays-*` becomes `!`.
fn clean(text: &[u8]) -> Vec<u8> {
    let bad = |byte: u8| {
        byte.is_ascii_whitespace()
            || matches!(byte, 0 | 0x0b | b'#' | b'[' | b']' | b'(' | b')' | b'<' | b'>' | b'|')
    };
    text.iter().map(|byte| if bad(*byte) { b'!' } else { *byte }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(line: &str) -> String {
        match read(line.as_bytes()) {
            Reading::Hop(hop) => String::from_utf8(hop.to_text()).unwrap(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn lines_of_many_programs() {
        assert_eq!(
            show(
                "from mail.example.com (rdns.example.com [192.0.2.1])\n\tby mx.example.org (Postfix) with ESMTP id ABC123\n\tfor <joe@example.org>; Wed, 23 Jul 2003 23:30:00 +0200"
            ),
            "[ ip=192.0.2.1 rdns=rdns.example.com helo=mail.example.com by=mx.example.org ident= envfrom= intl=0 id=ABC123 auth= msa=0 ]"
        );
        assert_eq!(
            show("from unknown (HELO foo.com) (192.0.2.5) by bar.com with SMTP; 1 Jan 2003 00:00:00 -0000"),
            "[ ip=192.0.2.5 rdns= helo=foo.com by=bar.com ident= envfrom= intl=0 id= auth= msa=0 ]"
        );
        assert_eq!(
            show("from [192.0.2.9] (helo=foo ident=joe) by mx.org with esmtp (Exim 4.0) id 18abc-0001"),
            "[ ip=192.0.2.9 rdns= helo=foo by=mx.org ident=joe envfrom= intl=0 id=18abc-0001 auth= msa=0 ]"
        );
        assert_eq!(show("(qmail 123 invoked by uid 500); 1 Jan 2003 00:00:00 -0000"), "Ignored");
        assert_eq!(show("from somewhere strange"), "Unknown");
        assert_eq!(
            show("from pop.x.org by localhost with POP3 (fetchmail-6.2) for joe@localhost (single-drop)"),
            "Fetched"
        );
    }
}
