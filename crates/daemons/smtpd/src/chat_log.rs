//! The lines about a session, in Postfix's words.

use address::quote;
use machine::TlsFacts;
use restrictions::{LogLine, Session};
use smtp_protocol::{Disconnection, Ending, Event};

/// `<address>` in external form.
pub(crate) fn angled(address: &str) -> String {
    if address.is_empty() { "<>".to_owned() } else { format!("<{}>", quote(address)) }
}

/// What restrictions have to tell.
pub(crate) fn ruling(lines: &[LogLine], session: &Session<'_>, client: &str) {
    for line in lines {
        match line {
            LogLine::Warning(text) => log::warn!("{text}"),
            LogLine::Note(text) => log::info!("{text}"),
            LogLine::Action(action, text) => log::info!("{}", action_line(action, text, session, client)),
        }
    }
}

/// `NOQUEUE: reject: RCPT from NAME[IP]: TEXT; from=<..> to=<..> proto=ESMTP helo=<..>`
pub(crate) fn action_line(action: &str, text: &str, session: &Session<'_>, client: &str) -> String {
    let envelope = session.envelope;
    let id = if envelope.queue_id.is_empty() { "NOQUEUE" } else { &envelope.queue_id };
    let mut line = format!("{id}: {action}: {} from {client}: {text};", session.command);
    for (name, value) in [("from", &envelope.sender), ("to", &envelope.recipient)] {
        if let Some(value) = value {
            line += &format!(" {name}={}", angled(value));
        }
    }
    line += &format!(" proto={}", session.protocol);
    if let Some(helo) = session.helo {
        line += &format!(" helo=<{helo}>");
    }
    line
}

/// What the machine noticed.
pub(crate) fn event(event: &Event, session: &Session<'_>, client: &str) {
    let id = if session.envelope.queue_id.is_empty() { "NOQUEUE" } else { &session.envelope.queue_id };
    match event {
        Event::Pipelining(after, bytes) => {
            log::info!("improper command pipelining after {after} from {client}: {bytes}")
        }
        Event::UnknownNotify(word, value) => {
            log::warn!("unknown DSN NOTIFY command value \"{word}\" in \"{value}\"");
        }
        Event::NonSmtpCommand(line) => log::warn!("non-SMTP command from {client}: {}", shown(line)),
        Event::IllegalAddress(command, argument) => {
            log::warn!("Illegal address syntax from {client} in {command} command: {argument}");
        }
        Event::BareNewline(place, refused) => {
            let action = if *refused { "reject" } else { "info" };
            let session = Session { command: place, ..*session };
            log::info!("{}", action_line(action, "bare <LF> received", &session, client));
        }
        Event::TooBig => log::warn!("{id}: queue file size limit exceeded"),
        Event::MalformedBdat(line) => {
            log::warn!("{id}: malformed BDAT command syntax from {client}: {}", shown(line));
        }
        Event::NullBdat => log::warn!("{id}: null BDAT request from {client}"),
        Event::BdatTooBig => log::warn!("{id}: BDAT request from {client} exceeds message size limit"),
        Event::BadProxyHeader(why) => log::warn!("haproxy read: {why} from {client}"),
        Event::DiscardingKeywords(keywords) => {
            log::info!("discarding EHLO keywords: {}", keywords.names().collect::<Vec<_>>().join(" "));
        }
        Event::Heard(line) => log::info!("< {client}: {line}"),
        Event::Said(line) => log::info!("> {client}: {line}"),
        Event::TlsUnavailable => {
            log::warn!(
                "Wrapper-mode request dropped from {client}. TLS is not available, see the lines at start"
            );
        }
    }
}

fn shown(line: &str) -> String {
    line.chars().take(100).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// The handshake is done (`smtpd_tls_loglevel` 1). `named`: the name that the client asked for, and whether
/// `tls_server_sni_maps` have it.
pub(crate) fn secured(facts: &TlsFacts, named: Option<(&str, Option<bool>)>, client: &str, log_level: i64) {
    if let Some((name, Some(false))) = named {
        log::info!("TLS SNI {name} from {client} not matched, using default chain");
    }
    if log_level < 1 {
        return;
    }
    let trust = if facts.client_certificate.is_some() { "Untrusted" } else { "Anonymous" };
    let TlsFacts { protocol, cipher, cipher_bits: bits, .. } = facts;
    let exchange =
        facts.key_exchange.as_ref().map_or(String::new(), |group| format!(" key-exchange {group}"));
    let session = format!("{protocol} with cipher {cipher} ({bits}/{bits} bits){exchange}");
    let to = named.filter(|(_, known)| *known == Some(true)).map_or("", |(name, _)| name);
    let to = if to.is_empty() { String::new() } else { format!(" to {to}") };
    log::info!("{trust} TLS connection established from {client}{to}: {session}");
}

/// "lost connection after RCPT from", and the counts.
pub(crate) fn ending(ending: &Ending, client: &str) {
    if let Some(Disconnection::Handshake { timed_out }) = ending.why {
        let problem = if timed_out { "Connection timed out" } else { "lost connection" };
        log::info!("SSL_accept error from {client}: {problem}");
    }
    if let Some(why) = ending.why {
        let bytes = ending.content_bytes.map_or(String::new(), |bytes| format!(" ({bytes} bytes)"));
        log::info!("{} after {}{bytes} from {client}", why.reason(), ending.after);
    }
    log::info!("disconnect from {client}{}", ending.counts);
}
