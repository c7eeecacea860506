//! The Received header that a server writes (RFC 5321 §4.4), in Postfix's form.

use crate::Moment;

/// What a Received header says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Received {
    /// From whom, by SMTP; `None` for mail from this host.
    pub from: Option<From>,
    /// Who submitted it on this host: "from userid 1000". Only without `from`.
    pub submitter: Option<String>,
    /// `myhostname`
    pub host: String,
    /// `mail_name`
    pub mail_name: String,
    /// "ESMTP", "ESMTPSA", "UTF8SMTP" (RFC 3848, RFC 6531 §4.3); not written for mail from this host.
    pub protocol: String,
    /// The recipient in external form, where there is only one.
    pub recipient: Option<String>,
    /// When it came.
    pub date: Moment,
}

/// The client of an SMTP session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct From {
    /// What it called itself; its name where it did not.
    pub helo: String,
    /// Its verified name, or "unknown".
    pub name: String,
    /// Its address, IPv6 with the prefix: "192.0.2.1", "IPv6:2001:db8::1".
    pub address: String,
    /// `smtpd_tls_received_header`: how the session was encrypted.
    pub tls: Option<Tls>,
    /// `smtpd_sasl_authenticated_header`: the login name.
    pub authenticated: Option<String>,
}

/// The encryption of a session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// "TLSv1.3"
    pub protocol: String,
    /// "TLS_AES_256_GCM_SHA384"
    pub cipher: String,
    /// Bits of the key in use.
    pub used_bits: u32,
    /// Bits that the algorithm can use.
    pub algorithm_bits: u32,
    /// "X25519"
    pub key_exchange: Option<String>,
    /// "RSA-PSS (2048 bits)"
    pub server_signature: Option<String>,
    /// "SHA256"
    pub server_digest: Option<String>,
    /// What is known of the client's certificate.
    pub client: ClientCertificate,
}

/// The certificate of a TLS client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ClientCertificate {
    /// The server did not ask for one.
    #[default]
    NotRequested,
    /// The client has none.
    Absent,
    /// The client sent one.
    Present {
        /// Common name of its owner.
        subject: String,
        /// Common name of its issuer.
        issuer: String,
        /// Is the chain good?
        verified: bool,
    },
}

impl Received {
    /// The header's lines, without line ends; all but the first begin with a tab.
    pub fn lines(&self, queue_id: &str) -> Vec<String> {
        let Some(from) = &self.from else { return self.local_lines(queue_id) };
        let mut lines = vec![format!("Received: from {} ({} [{}])", from.helo, from.name, from.address)];
        if let Some(tls) = &from.tls {
            tls.append(&mut lines);
        }
        if let Some(login) = &from.authenticated {
            lines.push(format!("\t(Authenticated sender: {})", comment_text(login)));
        }
        let by = format!("\tby {} ({}) with {} id {queue_id}", self.host, self.mail_name, self.protocol);
        match &self.recipient {
            Some(recipient) => {
                lines.push(by);
                lines.push(format!("\tfor <{recipient}>; {}", self.date.to_header()));
            }
            None => {
                lines.push(by + ";");
                lines.push(format!("\t{}", self.date.to_header()));
            }
        }
        lines
    }

    fn local_lines(&self, queue_id: &str) -> Vec<String> {
        let submitter = self.submitter.as_ref().map(|submitter| format!(", {submitter}")).unwrap_or_default();
        vec![
            format!("Received: by {} ({}{submitter})", self.host, self.mail_name),
            format!("\tid {queue_id}; {}", self.date.to_header()),
        ]
    }
}

impl Tls {
    fn append(&self, lines: &mut Vec<String>) {
        let Self { protocol, cipher, used_bits, algorithm_bits, .. } = self;
        let mut session =
            format!("\t(using {protocol} with cipher {cipher} ({used_bits}/{algorithm_bits} bits)");
        let details = [
            ("key-exchange", &self.key_exchange),
            ("server-signature", &self.server_signature),
            ("server-digest", &self.server_digest),
        ];
        let known =
            details.iter().filter_map(|(name, value)| value.as_ref().map(|value| format!(" {name} {value}")));
        let known: String = known.collect();
        if !known.is_empty() {
            lines.push(std::mem::replace(&mut session, format!("\t{known}")));
        }
        lines.push(session + ")");
        lines.push(match &self.client {
            ClientCertificate::NotRequested => "\t(No client certificate requested)".into(),
            ClientCertificate::Absent => "\t(Client did not present a certificate)".into(),
            ClientCertificate::Present { subject, issuer, verified } => {
                let verified = if *verified { "verified OK" } else { "not verified" };
                format!(
                    "\t(Client CN \"{}\", Issuer \"{}\" ({verified}))",
                    comment_text(subject),
                    comment_text(issuer)
                )
            }
        });
    }
}

/// Nothing in a foreign name may end the comment or the line it stands in.
fn comment_text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '(' | ')' | '\\' | '"' => safe.extend(['\\', character]),
            control if control.is_control() => safe.push('?'),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received() -> Received {
        Received {
            from: Some(From {
                helo: "client.lab.example".into(),
                name: "localhost".into(),
                address: "127.0.0.1".into(),
                ..From::default()
            }),
            host: "mx.lab.example".into(),
            mail_name: "Postfix".into(),
            protocol: "ESMTP".into(),
            date: Moment { seconds: 1_795_315_422, zone: "UTC".into(), ..Moment::default() },
            ..Received::default()
        }
    }

    #[test]
    fn a_single_recipient_is_named() {
        let header = Received { recipient: Some("u@example.com".into()), ..received() };
        assert_eq!(
            header.lines("QID"),
            [
                "Received: from client.lab.example (localhost [127.0.0.1])",
                "\tby mx.lab.example (Postfix) with ESMTP id QID",
                "\tfor <u@example.com>; Sun, 22 Nov 2026 02:43:42 +0000 (UTC)",
            ]
        );
    }

    #[test]
    fn several_recipients_are_not() {
        let lines = received().lines("QID");
        assert_eq!(lines[1], "\tby mx.lab.example (Postfix) with ESMTP id QID;");
        assert_eq!(lines[2], "\tSun, 22 Nov 2026 02:43:42 +0000 (UTC)");
    }

    #[test]
    fn mail_from_this_host_names_its_submitter() {
        let header = Received { from: None, submitter: Some("from userid 0".into()), ..received() };
        let expected = [
            "Received: by mx.lab.example (Postfix, from userid 0)",
            "\tid QID; Sun, 22 Nov 2026 02:43:42 +0000 (UTC)",
        ];
        assert_eq!(header.lines("QID"), expected);
    }

    #[test]
    fn encryption_and_login_stand_in_comments() {
        let mut header = received();
        header.from.as_mut().unwrap().authenticated = Some("a)b".into());
        header.from.as_mut().unwrap().tls = Some(Tls {
            protocol: "TLSv1.3".into(),
            cipher: "TLS_AES_256_GCM_SHA384".into(),
            used_bits: 256,
            algorithm_bits: 256,
            key_exchange: Some("X25519".into()),
            ..Tls::default()
        });
        let expected = [
            "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
            "\t key-exchange X25519)",
            "\t(No client certificate requested)",
            "\t(Authenticated sender: a\\)b)",
        ];
        assert_eq!(&header.lines("QID")[1..5], expected);
    }
}
