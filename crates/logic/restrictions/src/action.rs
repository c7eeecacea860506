//! What stands on the right-hand side of an access table (access(5)), or behind `action=` of a policy server.

use std::fmt;

use lookup::Stop;

use crate::check::{About, Check, Stage, Verdict};
use crate::parse::{Restriction, parse};
use crate::world::{Effect, LogLine};

/// Where an action stands, for the log: in this table under this key, or in the answer of this server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) table: &'a str,
    pub(crate) key: &'a str,
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "access table {} entry \"{}\"", self.table, self.key)
    }
}

const NO_TABLES_IN_TABLES: [&str; 2] = [
    "do not specify lookup tables inside SMTPD access maps",
    "define a restriction class and specify its name instead.",
];

impl Check<'_> {
    /// Carries out one action.
    pub(crate) fn act(
        &mut self,
        action: &str,
        origin: Origin<'_>,
        about: About<'_>,
    ) -> Result<Verdict, Stop> {
        let action = action.trim();
        let (word, text) =
            action.split_once([' ', '\t']).map_or((action, ""), |(word, text)| (word, text.trim()));
        if let Some(code) = reply_code(word).filter(|_| !text.is_empty()) {
            let default = format!("{}.7.1", code / 100);
            return Ok(self.refuse_with(code, &default, text, "Access denied", about));
        }
        if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(self.permit(action, about));
        }
        let settings = self.settings;
        Ok(match word.to_ascii_uppercase().as_str() {
            "" => {
                let Origin { table, key } = origin;
                self.log.push(LogLine::Warning(format!("access table {table} entry {key} has empty value")));
                Verdict::Permit
            }
            "OK" | "RELAY" => self.permit(action, about),
            "DUNNO" => Verdict::Dunno,
            "REJECT" => {
                self.refuse_with(settings.access_map_reject_code, "5.7.1", text, "Access denied", about)
            }
            "DEFER" => {
                self.refuse_with(settings.access_map_defer_code, "4.7.1", text, "Access denied", about)
            }
            "DEFER_IF_PERMIT" => {
                let (status, text) = self.later(text, about);
                self.defer_if_permit(450, &status, text)
            }
            "DEFER_IF_REJECT" => {
                let (status, text) = self.later(text, about);
                self.defer_if_reject(450, &status, text)
            }
            "HANGUP" => {
                self.log.push(LogLine::Action("hangup", text.to_owned()));
                Verdict::HangUp
            }
            _ => self.act_beside(word, text, origin, about)?,
        })
    }

    /// Actions that are done to the message, and leave the decision to others.
    fn act_beside(
        &mut self,
        word: &str,
        text: &str,
        origin: Origin<'_>,
        about: About<'_>,
    ) -> Result<Verdict, Stop> {
        match word.to_ascii_uppercase().as_str() {
            "HOLD" | "DISCARD" | "FILTER" | "REDIRECT" | "BCC" | "PREPEND"
                if !self.has_message(word, origin.table) => {}
            "WARN" => self.log.push(LogLine::Action("warn", text.to_owned())),
            "INFO" => self.log.push(LogLine::Action("info", text.to_owned())),
            "HOLD" if self.holds() => {}
            "HOLD" => {
                self.tell("hold", about, or(text, "triggers HOLD action"));
                self.effects.push(Effect::Hold);
            }
            "DISCARD" => {
                self.tell("discard", about, or(text, "triggers DISCARD action"));
                self.effects.push(Effect::Discard);
                return Ok(Verdict::Permit);
            }
            "FILTER" if text.is_empty() => {
                self.log.push(LogLine::Warning(format!("{origin} has FILTER entry without value")));
            }
            "FILTER" if !text.contains(':') => {
                self.log.push(LogLine::Warning(format!("{origin} requires transport:destination")));
            }
            "FILTER" => {
                self.tell("filter", about, &format!("triggers FILTER {text}"));
                self.effects.push(Effect::Filter(text.to_owned()));
            }
            "REDIRECT" | "BCC" if !text.contains('@') => {
                self.log.push(LogLine::Warning(format!("{origin} requires user@domain target")));
            }
            "REDIRECT" => {
                self.tell("redirect", about, &format!("triggers REDIRECT {text}"));
                self.effects.push(Effect::Redirect(text.to_owned()));
            }
            "BCC" => {
                self.tell("bcc", about, &format!("triggers BCC {text}"));
                self.effects.push(Effect::Bcc(text.to_owned()));
            }
            "PREPEND" if !is_header(text) => {
                self.log.push(LogLine::Warning(format!("{origin} requires header: text")));
            }
            "PREPEND" => self.effects.push(Effect::Prepend(text.to_owned())),
            _ => return self.act_as_list(&format!("{word} {text}"), origin, about),
        }
        Ok(Verdict::Dunno)
    }

    /// Is there a message that something could be done to? Before MAIL, and for ETRN, there is none.
    fn has_message(&mut self, action: &str, table: &str) -> bool {
        let action = action.to_ascii_uppercase();
        let why = if self.stage == Stage::Etrn {
            format!("action {action} is unavailable in smtpd_etrn_restrictions")
        } else if self.session.envelope.sender.is_none() {
            format!(
                "with smtpd_delay_reject=no, action {action} is always skipped in Client host or Helo command \
                 restrictions"
            )
        } else {
            return true;
        };
        self.log.push(LogLine::Warning(format!("access table {table}: {why}")));
        false
    }

    /// Anything else names restrictions.
    fn act_as_list(&mut self, text: &str, origin: Origin<'_>, about: About<'_>) -> Result<Verdict, Stop> {
        let list = parse(text, &self.settings.lists.classes, &self.settings.policy);
        if list.iter().any(names_table) {
            let what = format!("access table {} has entry with lookup table: {}", origin.table, text.trim());
            self.log.push(LogLine::Warning(what));
            for advice in NO_TABLES_IN_TABLES {
                self.log.push(LogLine::Warning(advice.to_owned()));
            }
            return Ok(self.configuration_error());
        }
        self.run(&list, about)
    }

    fn refuse_with(
        &mut self,
        code: i64,
        status: &str,
        text: &str,
        default: &str,
        about: About<'_>,
    ) -> Verdict {
        let (given, text) = split_status(text);
        let text = or(text, default);
        let text = format!("<{}>: {} rejected: {text}", about.name, about.class);
        let status = self.fitting_status(given.unwrap_or(status), about.class);
        self.refuse(code, &status, text)
    }

    fn later(&self, text: &str, about: About<'_>) -> (String, String) {
        let (status, text) = split_status(text);
        let text = or(text, "Service unavailable");
        (status.unwrap_or("4.7.1").to_owned(), format!("<{}>: {} rejected: {text}", about.name, about.class))
    }

    fn permit(&mut self, action: &str, about: About<'_>) -> Verdict {
        let listed =
            self.settings.log_access_permit_actions.split([',', ' ', '\t']).any(|name| name == "static:all");
        if listed {
            self.tell("permit", about, &format!("action={action}"));
        }
        Verdict::Permit
    }

    fn tell(&mut self, action: &'static str, about: About<'_>, text: &str) {
        self.log.push(LogLine::Action(action, format!("<{}>: {} {text}", about.name, about.class)));
    }
}

fn names_table(restriction: &Restriction) -> bool {
    matches!(
        restriction,
        Restriction::BareTable(_) | Restriction::Access { .. } | Restriction::ServerAccess { .. }
    )
}

fn or<'a>(text: &'a str, default: &'a str) -> &'a str {
    if text.is_empty() { default } else { text }
}

/// `450`, `554`: three digits that refuse.
fn reply_code(word: &str) -> Option<i64> {
    let code = word.parse().ok().filter(|_| word.len() == 3)?;
    (400..600).contains(&code).then_some(code)
}

/// `4.7.1 text` (RFC 3463 §2)
fn split_status(text: &str) -> (Option<&str>, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let parts: Vec<_> = word.split('.').collect();
    let number =
        |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let status = parts.len() == 3 && matches!(parts[0], "2" | "4" | "5") && parts[1..].iter().all(number);
    if status { (Some(word), rest.trim_start()) } else { (None, text) }
}

fn is_header(text: &str) -> bool {
    text.split_once(':')
        .is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()))
}
