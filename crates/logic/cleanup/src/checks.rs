//! header_checks(5): what a table says about a header or a line, and what comes of it.

use lookup::{Lookup, Part};
use message::header::{Charset, header_name};
use rewriting::MapFailure;

use crate::editor::Cleanup;
use crate::log::{LogLine, excerpt};
use crate::refusal::Problem;

/// So much of the text that matched is logged, in characters.
const EXCERPT_LIMIT: usize = 200;
/// The reason of a REJECT without one.
const DEFAULT_REASON: &str = "message content rejected";
/// The status of a REJECT without one.
const DEFAULT_STATUS: &str = "5.7.1";

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    Header,
    Body,
}

impl Context {
    const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Body => "body",
        }
    }
}

/// What a header, a line or an action does to the message. Nothing happens before it is applied.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// Text that goes into the content, in lines.
    pub(crate) lines: Vec<Vec<u8>>,
    pub(crate) log: Vec<LogLine>,
    pub(crate) problem: Option<Problem>,
    pub(crate) filter: Option<String>,
    pub(crate) redirect: Option<String>,
    pub(crate) bcc: Option<String>,
    pub(crate) hold: bool,
    pub(crate) discard: bool,
    pub(crate) passed: bool,
}

impl Change {
    /// Appends a field or text, which may have line breaks.
    pub(crate) fn text(&mut self, text: &[u8]) {
        self.lines.extend(text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec));
    }
}

impl Cleanup {
    /// Asks `maps`, the value of `parameter`, about `text`. Gives what is to change, and the text that stays: `None` when it goes.
    pub(crate) fn check(
        &self,
        tables: &dyn Lookup,
        context: Context,
        parameter: &'static str,
        maps: &str,
        text: &[u8],
    ) -> Result<(Change, Option<Vec<u8>>), MapFailure> {
        let mut change = Change::default();
        let (charset, key) = Charset::decode(text);
        let failed = |stop| MapFailure { stop, parameter, address: String::new() };
        let Some(found) = tables.find(maps, &key, Part::Whole).map_err(failed)? else {
            return Ok((change, Some(text.to_vec())));
        };
        let (command, argument) = split_action(&found.value);
        let matched = Matched { context, parameter, text: &key, argument };
        let kept = self.act(&command, &matched, &mut change);
        Ok((change, kept.map(|kept| if kept == key { text.to_vec() } else { charset.encode(&kept) })))
    }

    /// Carries one action out; gives the text that stays.
    fn act(&self, command: &str, matched: &Matched<'_>, change: &mut Change) -> Option<String> {
        let Matched { parameter, argument, .. } = *matched;
        let keep = Some(matched.text.to_owned());
        match command {
            "REJECT" => {
                let reason = with_status(if argument.is_empty() { DEFAULT_REASON } else { argument });
                self.note("reject", matched, &reason, change);
                let for_now = reason.starts_with('4');
                change.problem =
                    Some(if for_now { Problem::Deferred(reason) } else { Problem::Content(reason) });
            }
            "WARN" => self.note("warning", matched, argument, change),
            "INFO" => self.note("info", matched, argument, change),
            "PASS" => {
                self.note("pass", matched, argument, change);
                change.passed = true;
            }
            "DISCARD" => {
                self.note("discard", matched, argument, change);
                change.discard = true;
            }
            "HOLD" => {
                if !self.found.hold && !self.found.discard {
                    self.note("hold", matched, argument, change);
                    change.hold = true;
                }
            }
            "FILTER" => self.act_filter(matched, change),
            "REDIRECT" => match argument.contains('@') {
                true => {
                    self.note("redirect", matched, argument, change);
                    change.redirect = Some(argument.to_owned());
                    change.passed = true;
                }
                false => {
                    complain(
                        change,
                        format!("bad REDIRECT target \"{argument}\" in {parameter} map -- need user@domain"),
                    );
                }
            },
            "BCC" => match argument.contains('@') {
                true => {
                    self.note("bcc", matched, argument, change);
                    change.bcc = Some(argument.to_owned());
                }
                false => {
                    complain(
                        change,
                        format!("bad BCC address \"{argument}\" in {parameter} map -- need user@domain"),
                    );
                }
            },
            "PREPEND" => {
                if self.good_text("PREPEND", matched, change) {
                    self.note("prepend", matched, argument, change);
                    change.text(argument.as_bytes());
                }
            }
            "REPLACE" => {
                if self.good_text("REPLACE", matched, change) {
                    self.note("replace", matched, argument, change);
                    return Some(argument.to_owned());
                }
            }
            "STRIP" => {
                self.note("strip", matched, argument, change);
                return None;
            }
            "IGNORE" => return None,
            "DUNNO" | "OK" => {}
            _ => {
                let whole = matched.whole(command);
                complain(change, format!("unknown command in {parameter} map: {whole}"));
            }
        }
        keep
    }

    fn act_filter(&self, matched: &Matched<'_>, change: &mut Change) {
        let Matched { parameter, argument, .. } = *matched;
        if argument.is_empty() {
            complain(change, format!("missing FILTER command argument in {parameter} map"));
        } else if !argument.contains(':') {
            complain(
                change,
                format!("bad FILTER command {argument} in {parameter} -- need transport:destination"),
            );
        } else {
            self.note("filter", matched, argument, change);
            change.filter = Some(argument.to_owned());
        }
    }

    /// Has PREPEND or REPLACE a text, and in a header's place a header?
    fn good_text(&self, command: &str, matched: &Matched<'_>, change: &mut Change) -> bool {
        let Matched { parameter, argument, context, .. } = *matched;
        if argument.is_empty() {
            complain(change, format!("{command} action without text in {parameter} map"));
            return false;
        }
        if context == Context::Header && header_name(argument.as_bytes()).is_none() {
            complain(
                change,
                format!(
                    "bad {command} header text \"{argument}\" in {parameter} map -- need \"headername: headervalue\""
                ),
            );
            return false;
        }
        true
    }

    fn note(&self, action: &str, matched: &Matched<'_>, text: &str, change: &mut Change) {
        let line = self.check_log(action, matched.context.name(), matched.text, text);
        change.log.push(LogLine::info(format!("{}: {line}", self.queue_id)));
    }

    /// `action: header Subject: x from name[address]; from=<> to=<> proto= helo=<>: text`
    pub(crate) fn check_log(&self, action: &str, context: &str, content: &str, text: &str) -> String {
        let content = excerpt(content, EXCERPT_LIMIT);
        let (origin, from, to) = (self.envelope.origin(), &self.found.sender, &self.found.last_recipient);
        let mut line = format!("{action}: {context} {content} from {origin}; from=<{from}>");
        if !to.is_empty() {
            line += &format!(" to=<{to}>");
        }
        if let Some(client) = &self.envelope.log_client {
            line += &format!(" proto={}", client.protocol);
            if !client.helo.is_empty() {
                line += &format!(" helo=<{}>", client.helo);
            }
        }
        if !text.is_empty() {
            line += &format!(": {text}");
        }
        line
    }

    /// Makes a change happen.
    pub(crate) fn apply(&mut self, change: Change) {
        for line in &change.lines {
            self.output.line(line, self.settings.line_length_limit);
        }
        self.log.extend(change.log);
        let found = &mut self.found;
        found.filter = change.filter.or(found.filter.take());
        found.redirect = change.redirect.or(found.redirect.take());
        found.bcc.extend(change.bcc);
        found.hold |= change.hold;
        found.discard |= change.discard;
        found.passed |= change.passed;
        if let Some(problem) = change.problem {
            self.refuse(problem);
        }
    }
}

/// An entry that matched, on its way to being carried out.
#[derive(Clone, Copy)]
struct Matched<'a> {
    context: Context,
    parameter: &'static str,
    text: &'a str,
    argument: &'a str,
}

impl Matched<'_> {
    fn whole(&self, command: &str) -> String {
        if self.argument.is_empty() { command.to_owned() } else { format!("{command} {}", self.argument) }
    }
}

fn complain(change: &mut Change, text: String) {
    change.log.push(LogLine::warning(text));
}

/// The action in upper case, and what follows it.
fn split_action(value: &str) -> (String, &str) {
    let (command, argument) = value.split_once([' ', '\t']).unwrap_or((value, ""));
    (command.to_ascii_uppercase(), argument.trim_start())
}

/// Puts a status in front of a reason that has none (RFC 3463 §2).
fn with_status(reason: &str) -> String {
    let word = reason.split(' ').next().unwrap_or("");
    let mut parts = word.split('.');
    let class = matches!(parts.next(), Some("4" | "5"));
    let rest: Vec<&str> = parts.collect();
    let number =
        |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if class && rest.len() == 2 && rest.iter().all(number) {
        reason.to_owned()
    } else {
        format!("{DEFAULT_STATUS} {reason}")
    }
}
