//! check_policy_service (SMTPD_POLICY_README): what is told to a policy server.

use lookup::Stop;

use crate::check::{About, Check, Stage, Verdict};

impl Check<'_> {
    pub(crate) fn policy_service(&mut self, service: &str, about: About<'_>) -> Result<Verdict, Stop> {
        let attributes = self.policy_attributes();
        let action = match self.world.policy(service, &attributes)? {
            Some(action) => action,
            None => self.settings.policy_default_action.clone(),
        };
        self.act(&action, &format!("policy service {service}"), about)
    }

    fn policy_attributes(&self) -> Vec<(&'static str, String)> {
        let session = self.session;
        let (client, envelope) = (session.client, session.envelope);
        let text = |value: Option<&str>| value.unwrap_or("").to_owned();
        let (server, server_port) =
            session.server.map_or((String::new(), String::new()), |(address, port)| {
                (address.to_string(), port.to_string())
            });
        let recipients = if self.stage == Stage::Rcpt { 0 } else { envelope.recipients };
        let mut attributes = vec![
            ("request", "smtpd_access_policy".to_owned()),
            ("protocol_state", session.command.to_owned()),
            ("protocol_name", session.protocol.to_owned()),
            ("client_address", client.address_text()),
            ("client_name", client.name.clone()),
            ("client_port", client.port.map_or(String::new(), |port| port.to_string())),
            ("reverse_client_name", client.reverse_name.clone()),
            ("server_address", server),
            ("server_port", server_port),
            ("helo_name", text(session.helo)),
            ("sender", text(envelope.sender.as_deref())),
            ("recipient", text(envelope.recipient.as_deref())),
            ("recipient_count", recipients.to_string()),
            ("queue_id", envelope.queue_id.clone()),
            ("instance", session.instance.to_owned()),
            ("size", envelope.size_bytes.to_string()),
            ("etrn_domain", text(envelope.etrn_domain.as_deref())),
            ("stress", self.settings.stress.clone()),
            ("sasl_method", String::new()),
            ("sasl_username", String::new()),
            ("sasl_sender", String::new()),
        ];
        attributes.extend(self.tls_attributes());
        attributes.push(("policy_context", self.settings.policy_context.clone()));
        attributes
    }

    fn tls_attributes(&self) -> Vec<(&'static str, String)> {
        let facts = self.session.tls.cloned().unwrap_or_default();
        let bits = if facts.cipher_bits > 0 { facts.cipher_bits.to_string() } else { "0".to_owned() };
        vec![
            ("ccert_subject", String::new()),
            ("ccert_issuer", String::new()),
            ("ccert_fingerprint", facts.client_certificate.unwrap_or_default()),
            ("ccert_pubkey_fingerprint", String::new()),
            ("encryption_protocol", facts.protocol),
            ("encryption_cipher", facts.cipher),
            ("encryption_keysize", bits),
        ]
    }
}
