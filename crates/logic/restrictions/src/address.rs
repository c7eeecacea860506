//! Restrictions on sender and recipient: form, domain, existence, ownership.

use address::is_hostname;
use lookup::{Part, Stop};
use rewriting::{Class, Existence};

use crate::check::{Check, Verdict};
use crate::parse::{Login, Subject};
use crate::world::{DnsFailure, LogLine};

impl Check<'_> {
    /// The address a restriction is about; `None` where there is none at this stage, or the null sender.
    pub(crate) fn address_of(&self, subject: Subject) -> Option<String> {
        let envelope = self.session.envelope;
        let address = if subject == Subject::Sender { &envelope.sender } else { &envelope.recipient };
        address.clone().filter(|address| !address.is_empty())
    }

    /// `user@host.domain` or nothing: other mailers can not answer to less.
    pub(crate) fn reject_non_fqdn(&mut self, subject: Subject) -> Verdict {
        let Some(address) = self.address_of(subject) else { return Verdict::Dunno };
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        let bare = domain.strip_suffix('.').unwrap_or(domain);
        let literal = domain.starts_with('[') && domain.ends_with(']');
        let postmaster = subject == Subject::Recipient && address.eq_ignore_ascii_case("postmaster");
        if literal || (is_hostname(bare) && bare.contains('.')) || postmaster {
            return Verdict::Dunno;
        }
        let text = rejected(&address, subject, "need fully-qualified address");
        self.refuse(self.settings.non_fqdn_reject_code, "4.5.2", text)
    }

    pub(crate) fn reject_unknown_domain(&mut self, subject: Subject) -> Result<Verdict, Stop> {
        let Some(address) = self.address_of(subject) else { return Ok(Verdict::Dunno) };
        let resolved = match self.world.resolve(self.sender_for(subject), &address) {
            Ok(resolved) => resolved,
            Err(Stop::Wait) => return Err(Stop::Wait),
            Err(Stop::Failed { .. }) => return Ok(self.lookup_failure(&address)),
        };
        let ours = matches!(resolved.class, Class::Local | Class::Alias | Class::Virtual);
        match resolved.recipient.rsplit_once('@') {
            Some((_, domain)) if !ours && !domain.starts_with('[') => {
                self.unknown_domain(&address, domain, subject)
            }
            _ => Ok(Verdict::Dunno),
        }
    }

    fn unknown_domain(&mut self, address: &str, domain: &str, subject: Subject) -> Result<Verdict, Stop> {
        let sender = subject == Subject::Sender;
        let hosts = self.world.mail_hosts(domain)?;
        if hosts.as_ref().is_ok_and(|hosts| hosts.iter().all(|mx| mx.host.is_empty())) {
            let (code, status) = if sender { (550, "4.7.27") } else { (556, "4.1.10") };
            let why = format!("Domain {domain} does not accept mail (nullMX)");
            return Ok(self.refuse(code, status, rejected(address, subject, &why)));
        }
        let status = if sender { "4.1.8" } else { "4.1.2" };
        let text = rejected(address, subject, "Domain not found");
        let known = if hosts.is_ok() { Ok(()) } else { self.has_address_or_mx(domain)? };
        Ok(match known {
            Ok(()) => Verdict::Dunno,
            Err(DnsFailure::NotFound) => self.refuse(self.settings.unknown_address_reject_code, status, text),
            Err(DnsFailure::Unavailable) if self.settings.unknown_address_tempfail_waits => {
                self.defer_if_permit(450, status, text)
            }
            Err(DnsFailure::Unavailable) => self.refuse(450, status, text),
        })
    }

    /// Address verification needs the verify service and a way out: not yet to be had, so it can not say no.
    pub(crate) fn reject_unverified(&mut self, subject: Subject) -> Verdict {
        let Some(address) = self.address_of(subject) else { return Verdict::Dunno };
        let status = if subject == Subject::Sender { "4.1.7" } else { "4.1.1" };
        self.defer_if_permit(450, status, rejected(&address, subject, "address verification problem"))
    }

    /// Would we take mail for the address ourselves, if it is one of ours?
    pub(crate) fn unlisted(&mut self, subject: Subject) -> Result<Verdict, Stop> {
        self.note_listed(subject);
        let Some(address) = self.address_of(subject) else { return Ok(Verdict::Dunno) };
        match self.world.existence(self.sender_for(subject), &address) {
            Ok(existence) => Ok(self.refuse_unlisted(&address, existence, subject)),
            Err(Stop::Wait) => Err(Stop::Wait),
            Err(Stop::Failed { .. }) => Ok(self.lookup_failure(&address)),
        }
    }

    fn refuse_unlisted(&mut self, address: &str, existence: Existence, subject: Subject) -> Verdict {
        let detail = if subject == Subject::Sender { "1.0" } else { "1.1" };
        let (code, status, text) = match existence {
            Existence::Accepted | Existence::Malformed => return Verdict::Dunno,
            Existence::Undeliverable { class: Class::Alias, status, text } => {
                (self.settings.unknown_virtual_alias_reject_code, status, text)
            }
            Existence::Undeliverable { status, text, .. } => (550, status, text),
            Existence::Deferred { status, text } => (450, status, text),
            Existence::Unknown { class, text } => (self.unknown_user_code(class), None, text),
        };
        let status = match status {
            Some(status) => self.fitting_status(&status, class_name(subject)),
            None => format!("{}.{detail}", if code == 450 { 4 } else { 5 }),
        };
        let own_words = self.if_reject.is_none();
        let verdict = self.refuse(code, &status, rejected(address, subject, &text));
        self.unlisted = own_words && matches!(verdict, Verdict::Reject(_));
        verdict
    }

    fn unknown_user_code(&self, class: Class) -> i64 {
        match class {
            Class::Local => self.settings.unknown_local_recipient_reject_code,
            Class::Alias => self.settings.unknown_virtual_alias_reject_code,
            Class::Virtual => self.settings.unknown_virtual_mailbox_reject_code,
            Class::Relay => self.settings.unknown_relay_recipient_reject_code,
            Class::Default => 550,
        }
    }

    /// Nobody is logged in, so only the rules for those who are not can say no.
    pub(crate) fn sender_login_mismatch(&mut self, login: Login) -> Result<Verdict, Stop> {
        let Some(sender) = self.address_of(Subject::Sender) else { return Ok(Verdict::Dunno) };
        if !self.settings.sasl_auth_enable {
            self.warn_without_sasl(login);
            return Ok(Verdict::Dunno);
        }
        if login == Login::Authenticated {
            return Ok(Verdict::Dunno);
        }
        match self.world.tables().find(&self.settings.sender_login_maps, &sender, Part::Whole) {
            Ok(None) => Ok(Verdict::Dunno),
            Ok(Some(_)) => {
                Ok(self.refuse(553, "5.7.1", format!("<{sender}>: Sender address rejected: not logged in")))
            }
            Err(Stop::Wait) => Err(Stop::Wait),
            Err(Stop::Failed { .. }) => Ok(self.lookup_failure(&sender)),
        }
    }
}

impl Check<'_> {
    fn warn_without_sasl(&mut self, login: Login) {
        let names: &[&str] = match login {
            Login::Authenticated => &["reject_authenticated_sender_login_mismatch"],
            Login::Unauthenticated => &["reject_unauthenticated_sender_login_mismatch"],
            Login::Known => &["reject_known_sender_login_mismatch"],
            Login::Any => &[
                "reject_authenticated_sender_login_mismatch",
                "reject_unauthenticated_sender_login_mismatch",
            ],
        };
        for name in names {
            self.log.push(LogLine::Warning(format!("restriction `{name}' ignored: no SASL support")));
        }
    }
}

pub(crate) fn rejected(name: &str, subject: Subject, why: &str) -> String {
    format!("<{name}>: {} rejected: {why}", class_name(subject))
}

/// The words for a subject in replies.
pub(crate) fn class_name(subject: Subject) -> &'static str {
    match subject {
        Subject::Client => "Client host",
        Subject::ReverseClient => "Unverified Client host",
        Subject::Helo => "Helo command",
        Subject::Sender => "Sender address",
        Subject::Recipient => "Recipient address",
        Subject::Etrn => "Etrn command",
        Subject::Certificate => "Client certificate",
        Subject::Sasl => "SASL login name",
    }
}
