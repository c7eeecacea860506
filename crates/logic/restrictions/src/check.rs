//! The stages of the dialogue, and which lists belong to each.

use lookup::Stop;

use crate::expand::ExpansionFilter;
use crate::parse::{Restriction, Subject, parse};
use crate::session::Session;
use crate::settings::Settings;
use crate::world::{Effect, LogLine, Refusal, Ruling, World};

/// Why a server for which [`Restrictions::is_open_relay`] holds does not start.
pub const OPEN_RELAY: &str = "in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at least one \
     working instance of: reject_unauth_destination, defer_unauth_destination, reject, defer, defer_if_permit or \
     check_relay_domains";

/// When restrictions are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The connection.
    Connect,
    /// HELO and EHLO.
    Helo,
    /// MAIL.
    Mail,
    /// RCPT, and VRFY.
    Rcpt,
    /// DATA, and the first BDAT.
    Data,
    /// The end of the message.
    EndOfData,
    /// ETRN.
    Etrn,
}

/// The restriction lists of one server, parsed.
#[derive(Debug, Clone)]
pub struct Restrictions {
    pub(crate) settings: Settings,
    client: Vec<Restriction>,
    helo: Vec<Restriction>,
    sender: Vec<Restriction>,
    relay: Vec<Restriction>,
    recipient: Vec<Restriction>,
    data: Vec<Restriction>,
    end_of_data: Vec<Restriction>,
    etrn: Vec<Restriction>,
    classes: Vec<(String, Vec<Restriction>)>,
}

impl Restrictions {
    /// Parses the lists. What can not be understood answers 451 when its turn comes; see [`Restrictions::mistakes`].
    pub fn new(settings: Settings) -> Self {
        let lists = &settings.lists;
        let list = |text: &str| parse(text, &lists.classes, &settings.policy);
        let classes = lists.classes.iter().map(|(name, text)| (name.clone(), list(text))).collect();
        Self {
            client: list(&lists.client),
            helo: list(&lists.helo),
            sender: list(&lists.sender),
            relay: list(&lists.relay),
            recipient: list(&lists.recipient),
            data: list(&lists.data),
            end_of_data: list(&lists.end_of_data),
            etrn: list(&lists.etrn),
            classes,
            settings,
        }
    }

    /// What a value may put into a reply.
    pub fn expansion_filter(&self) -> &ExpansionFilter {
        &self.settings.expansion_filter
    }

    /// What is wrong in the lists, for the log at start.
    pub fn mistakes(&self) -> Vec<String> {
        self.every()
            .filter_map(|one| match one {
                Restriction::Wrong(why) => Some(why.clone()),
                Restriction::RejectUnverified(_) => Some(NO_VERIFICATION.to_owned()),
                _ => None,
            })
            .collect()
    }

    /// Does any list need the client's name?
    pub fn is_open_relay(&self) -> bool {
        let guards = [
            Restriction::Reject,
            Restriction::Defer,
            Restriction::DeferIfPermit,
            Restriction::RejectUnauthDestination,
            Restriction::DeferUnauthDestination,
            Restriction::CheckRelayDomains,
        ];
        let lists =
            self.relay.iter().chain(&self.recipient).chain(self.classes.iter().flat_map(|(_, list)| list));
        !lists.into_iter().any(|restriction| guards.contains(restriction))
    }

    fn every(&self) -> impl Iterator<Item = &Restriction> {
        let lists = [
            &self.client,
            &self.helo,
            &self.sender,
            &self.relay,
            &self.recipient,
            &self.data,
            &self.end_of_data,
            &self.etrn,
        ];
        lists.into_iter().chain(self.classes.iter().map(|(_, list)| list)).flatten()
    }

    pub(crate) fn class(&self, name: &str) -> Option<&[Restriction]> {
        let found = self.classes.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, list)| list.as_slice())
    }

    /// Checks a stage. With `smtpd_delay_reject` those before RCPT pass, and RCPT makes up for them.
    ///
    /// # Errors
    /// [`Stop::Wait`]: an answer is on its way; [`Stop::Failed`] does not come out of here, it is a refusal.
    pub fn check(&self, stage: Stage, session: &Session<'_>, world: &dyn World) -> Result<Ruling, Stop> {
        let mut check = Check::new(self, session, world);
        let verdict = check.stage(stage)?;
        Ok(check.ruling(verdict))
    }

    /// Would a recipient be refused because nobody has the address? For what must not depend on restrictions.
    ///
    /// # Errors
    /// As [`Restrictions::check`].
    pub fn check_listed(&self, session: &Session<'_>, world: &dyn World) -> Result<Ruling, Stop> {
        let mut check = Check::new(self, session, world);
        let verdict = check.unlisted(Subject::Recipient)?;
        Ok(check.ruling(verdict))
    }
}

/// Half a restriction must say that it is.
const NO_VERIFICATION: &str = "reject_unverified_sender, reject_unverified_recipient: address verification is not in this \
     version: an address that has to be verified is put off with 450";

/// What one restriction says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing: ask the next one.
    Dunno,
    /// Yes: the list ends here.
    Permit,
    /// No, with this reply.
    Reject(String),
    /// No, without a word: the connection ends (HANGUP).
    HangUp,
}

impl Verdict {
    fn refuses(&self) -> bool {
        matches!(self, Self::Reject(_) | Self::HangUp)
    }

    fn into_refusal(self, unlisted: bool) -> Option<Refusal> {
        match self {
            Self::Reject(reply) if unlisted => Some(Refusal::Unlisted(reply)),
            Self::Reject(reply) => Some(Refusal::Reply(reply)),
            Self::HangUp => Some(Refusal::HangUp),
            Self::Dunno | Self::Permit => None,
        }
    }
}

/// What a list is about: the words of its replies, and the access check that a bare table means.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) name: &'a str,
    pub(crate) class: &'static str,
    pub(crate) bare_table: Option<Subject>,
}

/// One run through the lists of a stage.
pub(crate) struct Check<'a> {
    pub(crate) rules: &'a Restrictions,
    pub(crate) settings: &'a Settings,
    pub(crate) session: &'a Session<'a>,
    pub(crate) world: &'a dyn World,
    pub(crate) stage: Stage,
    pub(crate) log: Vec<LogLine>,
    pub(crate) effects: Vec<Effect>,
    /// A permanent refusal becomes this temporary one: something could not be found out that might have permitted.
    pub(crate) if_reject: Option<Deferral>,
    /// A permission becomes this refusal: something could not be found out that might have refused.
    pub(crate) if_permit: Option<Deferral>,
    /// Within warn_if_reject refusals are only logged.
    pub(crate) warn_only: usize,
    pub(crate) depth: usize,
    sender_listed: bool,
    recipient_listed: bool,
    /// The refusal is that of an address where mail would come back from.
    pub(crate) unlisted: bool,
}

/// A temporary refusal that waits for the outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deferral {
    pub(crate) code: i64,
    pub(crate) status: String,
    pub(crate) text: String,
}

impl<'a> Check<'a> {
    fn new(rules: &'a Restrictions, session: &'a Session<'a>, world: &'a dyn World) -> Self {
        Self {
            rules,
            settings: &rules.settings,
            session,
            world,
            stage: Stage::Connect,
            log: Vec::new(),
            effects: Vec::new(),
            if_reject: None,
            if_permit: session.deferral.cloned(),
            warn_only: 0,
            depth: 0,
            sender_listed: false,
            recipient_listed: false,
            unlisted: false,
        }
    }

    fn ruling(self, verdict: Verdict) -> Ruling {
        Ruling {
            refusal: verdict.into_refusal(self.unlisted),
            log: self.log,
            deferral: self.if_permit,
            effects: self.effects,
        }
    }

    fn stage(&mut self, stage: Stage) -> Result<Verdict, Stop> {
        self.stage = stage;
        let now = !self.settings.delay_reject;
        match stage {
            Stage::Connect if now => self.client(),
            Stage::Helo if now => self.helo(),
            Stage::Mail if now => self.sender(),
            Stage::Connect | Stage::Helo | Stage::Mail => Ok(Verdict::Dunno),
            Stage::Rcpt => self.recipient(),
            Stage::Data => self.plain_list(&self.rules.data, "DATA", "Data command"),
            Stage::EndOfData => self.plain_list(&self.rules.end_of_data, "END-OF-MESSAGE", "End-of-data"),
            Stage::Etrn => self.etrn(),
        }
    }

    fn client(&mut self) -> Result<Verdict, Stop> {
        self.if_reject = None;
        let name = self.session.client.shown();
        self.run(
            &self.rules.client,
            About { name: &name, class: "Client host", bare_table: Some(Subject::Client) },
        )
    }

    fn helo(&mut self) -> Result<Verdict, Stop> {
        self.if_reject = None;
        let Some(name) = self.session.helo else { return Ok(Verdict::Dunno) };
        self.run(&self.rules.helo, About { name, class: "Helo command", bare_table: Some(Subject::Helo) })
    }

    fn sender(&mut self) -> Result<Verdict, Stop> {
        self.if_reject = None;
        let Some(name) = self.session.envelope.sender.clone() else { return Ok(Verdict::Dunno) };
        let about = About { name: &name, class: "Sender address", bare_table: Some(Subject::Sender) };
        let verdict = self.run(&self.rules.sender, about)?;
        if self.settings.reject_unlisted_sender && !verdict.refuses() && !self.discards() {
            return self.unlisted_once(Subject::Sender);
        }
        Ok(verdict)
    }

    fn recipient(&mut self) -> Result<Verdict, Stop> {
        let name = self.session.envelope.recipient.clone().unwrap_or_default();
        if self.is_always_there(&name) {
            return Ok(Verdict::Dunno);
        }
        if self.settings.delay_reject {
            for check in [Self::client, Self::helo, Self::sender] {
                let verdict = check(self)?;
                if verdict.refuses() {
                    return Ok(verdict);
                }
            }
        }
        self.if_reject = None;
        let about = About { name: &name, class: "Recipient address", bare_table: Some(Subject::Recipient) };
        let (relay, recipient) = (&self.rules.relay, &self.rules.recipient);
        let lists =
            if self.settings.relay_before_recipient { [relay, recipient] } else { [recipient, relay] };
        for list in lists {
            let verdict = self.run(list, about)?;
            if verdict.refuses() {
                return Ok(verdict);
            }
        }
        if let Some(refused) = self.refused_by_deferral() {
            return Ok(refused);
        }
        if self.settings.reject_unlisted_recipient && !self.discards() {
            return self.unlisted_once(Subject::Recipient);
        }
        Ok(Verdict::Dunno)
    }

    /// The postmaster (RFC 5321 §4.5.1), and the address that other hosts ask for when they verify ours.
    fn is_always_there(&self, recipient: &str) -> bool {
        [self.settings.double_bounce_address.as_str(), "postmaster"]
            .iter()
            .any(|always| recipient.eq_ignore_ascii_case(always))
    }

    fn etrn(&mut self) -> Result<Verdict, Stop> {
        if self.settings.delay_reject {
            for check in [Self::client, Self::helo] {
                let verdict = check(self)?;
                if verdict.refuses() {
                    return Ok(verdict);
                }
            }
        }
        self.if_reject = None;
        let name = self.session.envelope.etrn_domain.clone().unwrap_or_default();
        let about = About { name: &name, class: "Etrn command", bare_table: Some(Subject::Etrn) };
        let verdict = self.run(&self.rules.etrn, about)?;
        Ok(self.permission_or_deferral(verdict))
    }

    fn plain_list(
        &mut self,
        list: &'a [Restriction],
        name: &str,
        class: &'static str,
    ) -> Result<Verdict, Stop> {
        let verdict = self.run(list, About { name, class, bare_table: None })?;
        Ok(self.permission_or_deferral(verdict))
    }

    fn permission_or_deferral(&mut self, verdict: Verdict) -> Verdict {
        match verdict {
            Verdict::Reject(_) | Verdict::HangUp => verdict,
            _ => self.refused_by_deferral().unwrap_or(verdict),
        }
    }

    /// What could not be found out before might have been a refusal: then a permission is one, for now.
    fn refused_by_deferral(&mut self) -> Option<Verdict> {
        let deferral = self.if_permit.take()?;
        Some(self.refuse(deferral.code, &deferral.status, deferral.text))
    }

    /// Looks whether the address exists, unless a restriction of the list has done so.
    fn unlisted_once(&mut self, subject: Subject) -> Result<Verdict, Stop> {
        let done = if subject == Subject::Sender { self.sender_listed } else { self.recipient_listed };
        if done { Ok(Verdict::Dunno) } else { self.unlisted(subject) }
    }

    pub(crate) fn note_listed(&mut self, subject: Subject) {
        match subject {
            Subject::Sender => self.sender_listed = true,
            _ => self.recipient_listed = true,
        }
    }

    /// The message will be held already.
    pub(crate) fn holds(&self) -> bool {
        self.session.envelope.held || self.effects.contains(&Effect::Hold)
    }

    /// Nothing is checked any more: the message will be thrown away.
    pub(crate) fn discards(&self) -> bool {
        self.session.envelope.discarded || self.effects.contains(&Effect::Discard)
    }

    /// A refusal; within warn_if_reject only a line in the log. One for good gives way to what could not be found
    /// out before and might have permitted.
    pub(crate) fn refuse(&mut self, code: i64, status: &str, text: String) -> Verdict {
        let gives_way = self.warn_only == 0 && (500..600).contains(&code);
        if let Some(deferral) = self.if_reject.take_if(|_| gives_way) {
            return self.refuse(deferral.code, &deferral.status, deferral.text);
        }
        let reply = self.reply(code, status, &text);
        if self.warn_only > 0 {
            self.log.push(LogLine::Action("reject_warning", reply));
            return Verdict::Dunno;
        }
        self.log.push(LogLine::Action("reject", reply.clone()));
        Verdict::Reject(reply)
    }

    /// The reply, if the configured code can refuse; under `soft_bounce` a temporary one.
    fn reply(&mut self, code: i64, status: &str, text: &str) -> String {
        if !(400..600).contains(&code) {
            let wrong = format!("SMTP reply code configuration error: {code} {status} {text}");
            self.log.push(LogLine::Warning(wrong));
            return "450 4.7.1 Service unavailable".to_owned();
        }
        let code = if self.settings.soft_bounce && code >= 500 { code - 100 } else { code };
        format!("{code} {} {text}", status_for(code, status))
    }

    /// A status from a table in the words of what is refused (access(5), ENHANCED STATUS CODES): `x.1.1` is about
    /// recipients, of a sender it is `x.1.7` (RFC 3463 §3.2), and what is no address has no status of addresses.
    pub(crate) fn fitting_status(&mut self, status: &str, class: &str) -> String {
        let (kind, detail) = status.split_once('.').unwrap_or(("5", "0.0"));
        let Some(number) = detail.strip_prefix("1.") else { return status.to_owned() };
        let fitting = match (class, number) {
            ("Sender address", "1" | "3" | "4" | "6" | "7") => "1.7",
            ("Sender address", "2" | "8") => "1.8",
            ("Recipient address", "7") => "1.3",
            ("Recipient address", "8") => "1.2",
            ("Recipient address", "1" | "2" | "3" | "4" | "5" | "6") => detail,
            ("Sender address" | "Recipient address", _) => "1.0",
            _ => "0.0",
        };
        if fitting == detail {
            return status.to_owned();
        }
        let mapped = format!("{kind}.{fitting}");
        self.log.push(LogLine::Note(format!("mapping DSN status {status} into {class} status {mapped}")));
        mapped
    }

    /// `REASON` where something could not be looked up: refuses now, or unless it is refused anyway.
    pub(crate) fn defer_if_permit(&mut self, code: i64, status: &str, text: String) -> Verdict {
        if self.warn_only > 0 {
            return self.refuse(code, status, text);
        }
        self.if_permit.get_or_insert(Deferral { code, status: status.to_owned(), text });
        Verdict::Dunno
    }

    /// The same for what might have permitted.
    pub(crate) fn defer_if_reject(&mut self, code: i64, status: &str, text: String) -> Verdict {
        self.if_reject.get_or_insert(Deferral { code, status: status.to_owned(), text });
        Verdict::Dunno
    }

    /// A table that the check needs can not be read: an error for now, whatever the restriction.
    pub(crate) fn lookup_failure(&mut self, name: &str) -> Verdict {
        let warn_only = std::mem::take(&mut self.warn_only);
        let verdict = self.refuse(451, "4.3.0", format!("<{name}>: Temporary lookup failure"));
        self.warn_only = warn_only;
        verdict
    }

    /// A mistake in the configuration: an error for now, told in the log.
    pub(crate) fn server_error(&mut self, warning: String) -> Verdict {
        self.log.push(LogLine::Warning(warning));
        self.configuration_error()
    }

    pub(crate) fn configuration_error(&mut self) -> Verdict {
        let warn_only = std::mem::take(&mut self.warn_only);
        let verdict = self.refuse(451, "4.3.5", "Server configuration error".to_owned());
        self.warn_only = warn_only;
        verdict
    }
}

/// The status with the class of the reply code: 5.7.1 in a 450 is 4.7.1 (RFC 3463 §3.1).
fn status_for(code: i64, status: &str) -> String {
    match status.split_once('.') {
        Some((_, rest)) => format!("{}.{rest}", code / 100),
        None => status.to_owned(),
    }
}
