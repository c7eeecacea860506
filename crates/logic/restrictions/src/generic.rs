//! One restriction after the other.

use lookup::Stop;

use crate::check::{About, Check, Stage, Verdict};
use crate::parse::{Restriction, Subject};
use crate::world::LogLine;

/// Classes and tables may name further restrictions; this deep at the most.
const DEPTH_LIMIT: usize = 100;

impl Check<'_> {
    /// Runs a list, or a class, or what a table named, until one of them decides.
    pub(crate) fn run(&mut self, list: &[Restriction], about: About<'_>) -> Result<Verdict, Stop> {
        if self.depth >= DEPTH_LIMIT {
            return Ok(self.server_error(format!("smtpd restrictions of <{}> name each other", about.name)));
        }
        self.depth += 1;
        let verdict = self.run_items(list, about);
        self.depth -= 1;
        verdict
    }

    fn run_items(&mut self, list: &[Restriction], about: About<'_>) -> Result<Verdict, Stop> {
        let mut only_warn = false;
        for restriction in list {
            if self.discards() {
                break;
            }
            if *restriction == Restriction::WarnIfReject {
                only_warn = true;
                continue;
            }
            self.warn_only += usize::from(only_warn);
            let verdict = self.one(restriction, about);
            self.warn_only -= usize::from(only_warn);
            only_warn = false;
            let verdict = verdict?;
            if verdict != Verdict::Dunno || (self.if_permit.is_some() && self.if_reject.is_some()) {
                return Ok(verdict);
            }
        }
        Ok(Verdict::Dunno)
    }

    fn one(&mut self, restriction: &Restriction, about: About<'_>) -> Result<Verdict, Stop> {
        let rejected = |text: &str| format!("<{}>: {} rejected: {text}", about.name, about.class);
        Ok(match restriction {
            Restriction::WarnIfReject => Verdict::Dunno,
            Restriction::Permit => Verdict::Permit,
            Restriction::Reject => self.refuse(self.settings.reject_code, "5.7.1", rejected("Access denied")),
            Restriction::Defer => self.refuse(self.settings.defer_code, "4.3.2", rejected("Try again later")),
            Restriction::DeferIfPermit => {
                self.defer_if_permit(450, "4.7.0", rejected("defer_if_permit requested"))
            }
            Restriction::DeferIfReject => {
                self.defer_if_reject(450, "4.7.0", rejected("defer_if_reject requested"))
            }
            Restriction::Sleep(time) => {
                self.world.sleep(*time)?;
                Verdict::Dunno
            }
            Restriction::RejectUnauthPipelining if self.session.pipelining => {
                self.refuse(503, "5.5.0", rejected("Improper use of SMTP command pipelining"))
            }
            Restriction::RejectPlaintextSession if self.session.tls.is_none() => self.refuse(
                self.settings.plaintext_reject_code,
                "4.7.1",
                "Session encryption is required".to_owned(),
            ),
            Restriction::RejectUnauthPipelining | Restriction::RejectPlaintextSession => Verdict::Dunno,
            Restriction::CheckPolicyService(service) => self.policy_service(service, about)?,
            Restriction::Class(name) => match self.rules.class(name) {
                Some(list) => self.run(list, about)?,
                None => self.server_error(format!("restriction class `{name}' needs a definition")),
            },
            Restriction::BareTable(table) => match about.bare_table {
                Some(subject) => self.access(subject, table, about)?,
                None => {
                    self.server_error(format!("restriction \"{table}\": need a restriction, not a table"))
                }
            },
            Restriction::Wrong(why) => self.server_error(why.clone()),
            Restriction::Ignored(why) => {
                self.log.push(LogLine::Warning(why.clone()));
                Verdict::Dunno
            }
            other => self.of_the_client(other, about)?,
        })
    }

    fn of_the_client(&mut self, restriction: &Restriction, about: About<'_>) -> Result<Verdict, Stop> {
        Ok(match restriction {
            Restriction::PermitInetInterfaces => self.permit_inet_interfaces(),
            Restriction::PermitMynetworks => self.permit_mynetworks(about)?,
            Restriction::PermitTlsClientcerts => self.permit_tls_clientcerts()?,
            // Nobody is authenticated, and no authority has signed a client's certificate: not yet to be had.
            Restriction::PermitSaslAuthenticated | Restriction::PermitTlsAllClientcerts => Verdict::Dunno,
            Restriction::RejectUnknownClientHostname => self.reject_unknown_client(),
            Restriction::RejectUnknownReverseClientHostname => self.reject_unknown_reverse_client(),
            Restriction::AddressList { list, permit } => self.address_list(list, *permit)?,
            Restriction::RejectMapsRbl => self.maps_rbl()?,
            Restriction::DomainList { list, subject, permit } => self.domain_list(list, *subject, *permit)?,
            Restriction::Access { subject, table } => self.access(*subject, table, about)?,
            Restriction::ServerAccess { subject, kind, table } => {
                self.server_access(*subject, *kind, table)?
            }
            Restriction::RejectInvalidHelo => self.reject_invalid_helo(),
            Restriction::RejectNonFqdnHelo => self.reject_non_fqdn_helo(),
            Restriction::RejectUnknownHelo => self.reject_unknown_helo()?,
            Restriction::PermitNakedIpAddress => self.permit_naked_ip_address(),
            other => self.of_an_address(other, about)?,
        })
    }

    fn of_an_address(&mut self, restriction: &Restriction, about: About<'_>) -> Result<Verdict, Stop> {
        Ok(match restriction {
            Restriction::RejectNonFqdn(subject) => self.reject_non_fqdn(*subject),
            Restriction::RejectUnknownDomain(subject) => self.reject_unknown_domain(*subject)?,
            Restriction::RejectUnknownAddress => {
                let subject =
                    if about.class == "Recipient address" { Subject::Recipient } else { Subject::Sender };
                self.reject_unknown_domain(subject)?
            }
            Restriction::RejectUnverified(subject) => self.reject_unverified(*subject),
            Restriction::RejectUnlisted(subject) => self.unlisted(*subject)?,
            Restriction::RejectSenderLoginMismatch(login) => self.sender_login_mismatch(*login)?,
            Restriction::PermitAuthDestination => self.permit_auth_destination(about)?,
            Restriction::RejectUnauthDestination | Restriction::CheckRelayDomains => {
                self.unauth_destination(self.settings.relay_domains_reject_code, about)?
            }
            Restriction::DeferUnauthDestination => {
                self.unauth_destination(self.settings.relay_domains_reject_code - 100, about)?
            }
            Restriction::PermitMxBackup => self.permit_mx_backup(about)?,
            Restriction::RejectMultiRecipientBounce => self.reject_multi_recipient_bounce(about),
            _ => Verdict::Dunno,
        })
    }

    /// Is the stage one before the recipient is known?
    pub(crate) fn at_end(&self) -> bool {
        matches!(self.stage, Stage::Data | Stage::EndOfData)
    }
}
