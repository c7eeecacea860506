//! check_policy_service (SMTPD_POLICY_README): which server is asked, how, and what it is told.

use std::time::Duration;

use lookup::Stop;
use parameters::list;
use parameters::value::{Unit, Value};

use crate::action::Origin;
use crate::check::{About, Check, Stage, Verdict};

/// A policy server, and how one speaks to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyService {
    /// `inet:host:port` or `unix:path`.
    pub endpoint: String,
    /// What main.cf says, or what stands beside the endpoint: `{ inet:host:port, timeout=10s }`.
    pub options: PolicyOptions,
}

/// Times, limits and texts; each field has the name of its parameter without `smtpd_policy_service_`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct PolicyOptions {
    pub timeout: Duration,
    pub max_idle: Duration,
    pub max_ttl: Duration,
    /// 0 is none.
    pub request_limit: u64,
    pub try_limit: u64,
    pub retry_delay: Duration,
    pub default_action: String,
    pub policy_context: String,
}

impl PolicyService {
    /// Reads the argument of check_policy_service.
    ///
    /// # Errors
    /// What can not be understood, for the log.
    pub(crate) fn parse(argument: &str, defaults: &PolicyOptions) -> Result<Self, String> {
        let (inside, braces) = list::inside_braces(argument);
        braces.map_err(|error| error.to_string())?;
        let bare = !argument.starts_with('{');
        let mut items = list::items(inside);
        let endpoint = if bare { inside } else { items.next().unwrap_or("") };
        if !endpoint.starts_with("inet:") && !endpoint.starts_with("unix:") {
            return Err(format!("check_policy_service {argument}: need inet:host:port or unix:path"));
        }
        let mut options = defaults.clone();
        if !bare {
            items.try_for_each(|item| options.set(item))?;
        }
        Ok(Self { endpoint: endpoint.to_owned(), options })
    }
}

impl PolicyOptions {
    /// `name=value`, or `{ name = value with blanks }`
    fn set(&mut self, item: &str) -> Result<(), String> {
        let (inside, braces) = list::inside_braces(item);
        braces.map_err(|error| error.to_string())?;
        let (name, value) = inside.split_once('=').ok_or_else(|| format!("missing '=' in \"{item}\""))?;
        let (name, value) = (name.trim(), value.trim());
        let wrong = |_| format!("bad value in \"{name} = {value}\" of check_policy_service");
        let time = || Duration::from_text(value, Unit::Seconds).map_err(wrong);
        let count =
            || i64::from_text(value, Unit::Seconds).map(|n| u64::try_from(n).unwrap_or(0)).map_err(wrong);
        match name {
            "timeout" => self.timeout = time()?,
            "max_idle" => self.max_idle = time()?,
            "max_ttl" => self.max_ttl = time()?,
            "retry_delay" => self.retry_delay = time()?,
            "request_limit" => self.request_limit = count()?,
            "try_limit" => self.try_limit = count()?,
            "default_action" => value.clone_into(&mut self.default_action),
            "policy_context" => value.clone_into(&mut self.policy_context),
            _ => return Err(format!("unknown option: \"{name} = {value}\"")),
        }
        Ok(())
    }
}

impl Check<'_> {
    pub(crate) fn policy_service(
        &mut self,
        service: &PolicyService,
        about: About<'_>,
    ) -> Result<Verdict, Stop> {
        let attributes = self.policy_attributes(service);
        let action = match self.world.policy(service, &attributes)? {
            Some(action) => action,
            None => service.options.default_action.clone(),
        };
        self.act(&action, Origin { table: &service.endpoint, key: "" }, about)
    }

    fn policy_attributes(&self, service: &PolicyService) -> Vec<(&'static str, String)> {
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
            ("instance", session.instance.map_or(String::new(), |instance| instance.to_string())),
            ("size", envelope.size_bytes.to_string()),
            ("etrn_domain", text(envelope.etrn_domain.as_deref())),
            ("stress", self.settings.stress.clone()),
            ("sasl_method", String::new()),
            ("sasl_username", String::new()),
            ("sasl_sender", envelope.author.clone()),
        ];
        attributes.extend(self.tls_attributes());
        attributes.push(("policy_context", service.options.policy_context.clone()));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults() -> PolicyOptions {
        PolicyOptions { timeout: Duration::from_secs(100), try_limit: 2, ..PolicyOptions::default() }
    }

    #[test]
    fn options_stand_beside_the_endpoint() {
        let text = "{ inet:[::1]:10023, timeout=2s, {default_action = DEFER come back} policy_context=mx request_limit=7 }";
        let service = PolicyService::parse(text, &defaults()).unwrap();
        assert_eq!(service.endpoint, "inet:[::1]:10023");
        let options = PolicyOptions {
            timeout: Duration::from_secs(2),
            request_limit: 7,
            default_action: "DEFER come back".to_owned(),
            policy_context: "mx".to_owned(),
            ..defaults()
        };
        assert_eq!(service.options, options);
        assert_eq!(PolicyService::parse("unix:private/policy", &defaults()).unwrap().options, defaults());
    }

    #[test]
    fn what_is_no_option_is_told() {
        let wrong = |text: &str| PolicyService::parse(text, &defaults()).unwrap_err();
        assert_eq!(wrong("{ inet:a:1, bad=yes }"), "unknown option: \"bad = yes\"");
        assert_eq!(wrong("{ inet:a:1, timeout=x }"), "bad value in \"timeout = x\" of check_policy_service");
        assert_eq!(wrong("{ inet:a:1, timeout }"), "missing '=' in \"timeout\"");
        assert_eq!(wrong("{ inet:a:1"), "missing '}' in \"{ inet:a:1\"");
        assert_eq!(wrong("hash:/x"), "check_policy_service hash:/x: need inet:host:port or unix:path");
    }
}
