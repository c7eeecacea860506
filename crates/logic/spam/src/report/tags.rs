//! `_SCORE_`, `_TESTS(,)_` and their like in templates.

use super::wrap::{Break, Wrap};
use super::{SUB_VERSION, Stamp, VERSION};
use crate::addresses_of_hosts::reversed;
use crate::autolearn::points;
use crate::check::Check;
use crate::headers::relays_text;
use crate::perl::Fixed;
use crate::scan::Hit;

/// Stars beyond this many are not shown.
const STARS_LIMIT: f64 = 50.0;
/// What is said of a rule without description.
const NO_DESCRIPTION: &str = "No description available.";
/// Names that are tags, but of parts that this version does not have: they are empty.
const EMPTY: [&str; 17] = [
    "ASN",
    "ASNCIDR",
    "AWL",
    "AWLMEAN",
    "AWLCOUNT",
    "AWLPRESCORE",
    "DCCB",
    "DCCR",
    "DCCREP",
    "DKIMDOMAIN",
    "DKIMIDENTITY",
    "DKIMSELECTOR",
    "LANGUAGES",
    "PYZOR",
    "RBL",
    "RELAYCOUNTRY",
    "TIMING",
];

/// A score of a whole number of tenths, never rounded up over the limit.
pub(crate) fn shown_score(score: f64, required: f64) -> String {
    let shown = format!("{score:.1}");
    let (rounded, limit) =
        (shown.parse().unwrap_or(score), format!("{required:.1}").parse().unwrap_or(required));
    if score >= required || rounded < limit { shown } else { format!("{:.1}", limit - 0.1) }
}

impl Check<'_> {
    /// The score as replies and headers show it: `4.9`.
    pub fn shown_score(&self) -> String {
        shown_score(self.findings.score, self.rules.settings.required_score)
    }

    /// The limit as replies and headers show it: `5.0`.
    pub fn shown_required_score(&self) -> String {
        format!("{:.1}", self.rules.settings.required_score)
    }

    /// Puts values for the tags of a template.
    pub(super) fn fill(&self, template: &str, stamp: &Stamp) -> Vec<u8> {
        static TAG: Fixed = Fixed::new(r"_([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*(?:\(.*?\))?)_");
        let value = |groups: &crate::perl::Groups<'_>| {
            let tag = String::from_utf8_lossy(groups.get(1)).into_owned();
            self.tag(&tag, stamp).unwrap_or_else(|| groups.text(0))
        };
        TAG.replace_all(template.as_bytes(), value)
    }

    fn tag(&self, tag: &str, stamp: &Stamp) -> Option<Vec<u8>> {
        let (name, argument) = match tag.split_once('(') {
            Some((name, rest)) => (name, Some(rest.strip_suffix(')').unwrap_or(rest))),
            None => (tag, None),
        };
        let text = self
            .verdict_tag(name, argument)
            .or_else(|| self.bayes_tag(name, argument))
            .or_else(|| self.host_tag(name, stamp));
        text.map(String::into_bytes)
            .or_else(|| self.relay_tag(name))
            .or_else(|| self.text_tag(name, argument, stamp))
    }

    fn verdict_tag(&self, name: &str, argument: Option<&str>) -> Option<String> {
        let (spam, ham) = argument
            .and_then(|argument| argument.split_once(','))
            .unwrap_or((argument.unwrap_or("Yes"), "No"));
        let yes_no = || if self.is_spam() { spam.to_owned() } else { ham.to_owned() };
        Some(match name {
            "YESNO" => yes_no(),
            "YESNOCAPS" => yes_no().to_uppercase(),
            "SCORE" | "HITS" => padded(self.shown_score(), argument),
            "REQD" => self.shown_required_score(),
            "STARS" => argument.unwrap_or("*").repeat(stars(self.findings.score)),
            "TESTS" => or_none(self.tests().join(argument.unwrap_or(","))),
            "SUBTESTS" | "SUBTESTSCOLLAPSED" => or_none(self.subtests().join(argument.unwrap_or(","))),
            "TESTSSCORES" => or_none(self.tests_with_scores().join(argument.unwrap_or(","))),
            "AUTOLEARN" => self.findings.autolearn.to_string(),
            "AUTOLEARNSCORE" => points(self.rules, &self.findings, self.findings.scores).all.to_string(),
            _ => return None,
        })
    }

    fn host_tag(&self, name: &str, stamp: &Stamp) -> Option<String> {
        let settings = &self.rules.settings;
        Some(match name {
            "VERSION" => VERSION.to_owned(),
            "SUBVERSION" => SUB_VERSION.to_owned(),
            "RULESVERSION" => self.rules.rules_version.clone(),
            "HOSTNAME" if settings.report_hostname.is_empty() => stamp.host.clone(),
            "HOSTNAME" => settings.report_hostname.clone(),
            "REMOTEHOSTNAME" => "localhost".to_owned(),
            "REMOTEHOSTADDR" => "127.0.0.1".to_owned(),
            "CONTACTADDRESS" => settings.report_contact.clone(),
            "DATE" => stamp.date.clone(),
            _ => return None,
        })
    }

    fn relay_tag(&self, name: &str) -> Option<Vec<u8>> {
        let relays = &self.mail.relays;
        let (first, last) = (relays.trusted.last(), relays.external.first());
        let reverse = |ip: &Vec<u8>| reversed(ip).unwrap_or_default().into_bytes();
        let found = match name {
            "FIRSTTRUSTEDIP" => first.map(|hop| hop.ip.clone()),
            "FIRSTTRUSTEDREVIP" => first.map(|hop| reverse(&hop.ip)),
            "LASTEXTERNALIP" => last.map(|hop| hop.ip.clone()),
            "LASTEXTERNALREVIP" => last.map(|hop| reverse(&hop.ip)),
            "LASTEXTERNALRDNS" => last.map(|hop| hop.rdns.clone()),
            "LASTEXTERNALHELO" => last.map(|hop| hop.helo.clone()),
            "RELAYSTRUSTED" => Some(relays_text(&relays.trusted)),
            "RELAYSUNTRUSTED" => Some(relays_text(&relays.untrusted)),
            "RELAYSINTERNAL" => Some(relays_text(&relays.internal)),
            "RELAYSEXTERNAL" => Some(relays_text(&relays.external)),
            "SENDERDOMAIN" => self.mail.text_if_any("X-SenderDomain"),
            "AUTHORDOMAIN" => self.mail.text_if_any("X-AuthorDomain"),
            _ => return None,
        };
        Some(found.unwrap_or_default())
    }

    fn text_tag(&self, name: &str, argument: Option<&str>, stamp: &Stamp) -> Option<Vec<u8>> {
        Some(match name {
            "PREVIEW" => self.preview(),
            "REPORT" => [b"\n", self.terse_report().as_slice()].concat(),
            "SUMMARY" => self.summary(),
            "SUBJPREFIX" => self.subject_prefix().unwrap_or_default().into_bytes(),
            "HEADER" => self.mail.text(argument.unwrap_or_default()),
            "ADDEDHEADERHAM" => self.added_headers(false, stamp),
            "ADDEDHEADERSPAM" => self.added_headers(true, stamp),
            "ADDEDHEADER" => self.added_headers(self.is_spam(), stamp),
            name => match self.findings.tags.get(name) {
                Some(values) => values.join(&b' '),
                None => return EMPTY.contains(&name).then(Vec::new),
            },
        })
    }

    fn tests_with_scores(&self) -> Vec<String> {
        let set = self.findings.scores.index();
        let shown = |hit: &Hit| {
            let rule = self.rules.rule(hit.rule);
            // A score that depends on the message shows all its decimals.
            let score = if rule.scores[set] == hit.score {
                hit.score.to_string()
            } else {
                format!("{:.3}", hit.score)
            };
            (&*rule.name, score)
        };
        let mut all: Vec<(&str, String)> = self.findings.hits.iter().map(shown).collect();
        all.sort_unstable();
        all.into_iter().map(|(name, score)| format!("{name}={score}")).collect()
    }

    /// What hit rules put before the subject.
    pub(super) fn subject_prefix(&self) -> Option<String> {
        let mut prefix = String::new();
        for hit in &self.findings.hits {
            if let Some(text) =
                self.rules.rule(hit.rule).subject_prefix.as_deref().filter(|text| !prefix.contains(*text))
            {
                prefix.push_str(text);
                prefix.push(' ');
            }
        }
        (!prefix.is_empty()).then_some(prefix)
    }

    /// The report of a message, as the template says.
    pub fn report(&self, stamp: &Stamp) -> Vec<u8> {
        let template = &self.rules.settings.report_template;
        let template = if template.is_empty() { "(no report template found)" } else { template };
        let mut report = self.fill(template, stamp);
        while report.last() == Some(&b'\n') {
            report.pop();
        }
        report.extend_from_slice(b"\n\n");
        report
    }

    fn preview(&self) -> Vec<u8> {
        static LONG: Fixed = Fixed::new(r"(?m)^(.{200}).+$");
        static QUOTED: Fixed =
            Fixed::new(r"(?m)-----Original Message-----.*$|This is a multi-part message in MIME format\.");
        static LINE: Fixed = Fixed::new(r"(?s)[-_*.]{10,}");
        static BLANKS: Fixed = Fixed::new(r"\s+");
        let mut text = Vec::new();
        for line in self.mail.body.iter().skip(1).take(3) {
            if text.len() < 200 {
                text.extend_from_slice(line);
            }
        }
        let mut text = LONG.replace_all(&text, |groups| [groups.get(1), b" [...]"].concat());
        if text.last() != Some(&b'\n') {
            text.push(b'\n');
        }
        for (pattern, with) in [(&QUOTED, &b""[..]), (&LINE, b""), (&BLANKS, b" ")] {
            text = pattern.replace_all(&text, |_| with.to_vec());
        }
        let wrap =
            Wrap { prefix: "  ", first: "Content preview:  ", length: 75, overflow: true, at: Break::Blank };
        let wrapped = wrap.apply(&text);
        let body = wrapped.strip_prefix(b"Content preview:").unwrap_or(&wrapped);
        body.trim_ascii_start().to_vec()
    }

    /// A description behind so many characters, on as many lines as it takes.
    fn description(&self, hit: &Hit, indent: usize, prefix: &str) -> Vec<u8> {
        let text = self
            .rules
            .rule(hit.rule)
            .description
            .as_deref()
            .filter(|text| !text.is_empty())
            .unwrap_or(NO_DESCRIPTION);
        let first = " ".repeat(indent);
        let length = self.rules.settings.report_wrap_width;
        let wrap = Wrap { prefix, first: &first, length, overflow: false, at: Break::Blank };
        wrap.apply(text.as_bytes()).trim_ascii_start().to_vec()
    }

    fn summary(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for hit in &self.findings.hits {
            let rule = self.rules.rule(hit.rule);
            let score = score_column(hit.score);
            let indent = 3 + rule.name.len() + score.len() + rule.area.len();
            text.extend(format!("{score} {:<22} {}", rule.name, rule.area).into_bytes());
            text.extend(self.description(hit, indent, &" ".repeat(28)));
            text.push(b'\n');
            for piece in self.notes(hit) {
                let line = if piece.len() > 47 {
                    format!("{:>78}\n", format!("[{piece}]"))
                } else {
                    format!("{:27} [{piece}]\n", "")
                };
                text.extend(line.into_bytes());
            }
        }
        text
    }

    fn terse_report(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for hit in &self.findings.hits {
            let rule = self.rules.rule(hit.rule);
            let score = score_column(hit.score);
            let indent = 4 + rule.name.len() + score.len() + rule.area.len();
            text.extend(format!("* {score} {} {}", rule.name, rule.area).into_bytes());
            text.extend(self.description(hit, indent, "*      "));
            text.push(b'\n');
            let notes = self.notes(hit);
            if !notes.is_empty() {
                text.extend_from_slice(b"*      ");
            }
            notes.into_iter().for_each(|piece| text.extend(format!("[{piece}]\n").into_bytes()));
        }
        text
    }

    /// What a rule found, in pieces of a line.
    fn notes(&self, hit: &Hit) -> Vec<String> {
        static PIECE: Fixed = Fixed::new(r"^(.{30,48})\s");
        let secret = self.rules.rule(hit.rule).flags.nolog;
        let mut pieces = Vec::new();
        for note in &hit.notes {
            let mut rest = if secret { "*REDACTED*".to_owned() } else { note.clone() };
            while let Some(groups) = PIECE.groups(rest.as_bytes()) {
                pieces.push(String::from_utf8_lossy(groups.get(1)).into_owned());
                let end = groups.span(0).map_or(rest.len(), |(_, end)| end);
                rest = rest.get(end..).unwrap_or_default().to_owned();
            }
            pieces.push(rest);
        }
        pieces
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Between 0 and the limit.
fn stars(score: f64) -> usize {
    score.clamp(0.0, STARS_LIMIT) as usize
}

fn or_none(list: String) -> String {
    if list.is_empty() { "none".to_owned() } else { list }
}

/// `_SCORE(00)_`: zeros or blanks in front.
fn padded(score: String, padding: Option<&str>) -> String {
    let padding = padding.filter(|padding| {
        !padding.is_empty()
            && (padding.bytes().all(|byte| byte == b'0') || padding.bytes().all(|byte| byte == b' '))
    });
    let missing =
        padding.map_or(0, |padding| (padding.len() + 3).saturating_sub(score.len()).min(padding.len()));
    format!("{}{score}", &padding.unwrap_or_default()[..missing])
}

fn score_column(score: f64) -> String {
    if score.abs() >= 10.0 { format!("{score:4.0}") } else { format!("{score:4.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_never_rounded_over_the_limit() {
        assert_eq!(shown_score(4.97, 5.0), "4.9");
        assert_eq!(shown_score(5.0, 5.0), "5.0");
        assert_eq!(shown_score(-0.001, 5.0), "-0.0");
        assert_eq!(padded("3.5".into(), Some("00")), "003.5");
        assert_eq!((score_column(1000.0), score_column(-0.04)), ("1000".into(), "-0.0".into()));
    }
}
