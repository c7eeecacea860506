//! The message with its marks: headers added, or wrapped into a report.

use super::{Stamp, VERSION};
use crate::check::Check;
use message::tree::{LineEnd, Tree};

/// How spam is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As the settings say.
    Configured,
    /// Headers only.
    Headers,
}

/// What stands above an attached message.
const DESCRIPTION: &str = "original message before SpamAssassin";

/// The last field of that name with its folds, as it came; its line break stays.
fn pristine(tree: &Tree, name: &str) -> Option<Vec<u8>> {
    all_pristine(tree, name).pop()
}

fn all_pristine(tree: &Tree, name: &str) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut inside = false;
    for line in tree.head.split_inclusive(|byte| *byte == b'\n') {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            if let Some(last) = found.last_mut().filter(|_| inside) {
                last.extend_from_slice(line);
            }
            continue;
        }
        let value = line
            .get(..name.len())
            .filter(|start| start.eq_ignore_ascii_case(name.as_bytes()))
            .and_then(|_| {
                let rest = line[name.len()..]
                    .iter()
                    .position(|byte| !matches!(byte, b' ' | b'\t'))
                    .map(|at| &line[name.len() + at..])?;
                rest.strip_prefix(b":")
            });
        inside = value.is_some();
        if let Some(value) = value {
            let blanks = value.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            found.push(value[blanks..].to_vec());
        }
    }
    found
}

fn with_line_ends(text: Vec<u8>, line_end: LineEnd) -> Vec<u8> {
    if line_end == LineEnd::Lf {
        return text;
    }
    let mut changed = Vec::with_capacity(text.len() + text.len() / 40);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(content) => {
                changed.extend_from_slice(content.strip_suffix(b"\r").unwrap_or(content));
                changed.extend_from_slice(b"\r\n");
            }
            None => changed.extend_from_slice(line),
        }
    }
    changed
}

impl Check<'_> {
    /// The message with its marks.
    pub fn marked(&self, form: Form, stamp: &Stamp) -> Vec<u8> {
        let separator = self.mail.tree.mbox_separator.clone().unwrap_or_default();
        let wrap = form == Form::Configured && self.is_spam() && self.rules.settings.report_safe > 0;
        let message = if wrap { self.wrapped(stamp) } else { self.with_headers(stamp) };
        [separator, message].concat()
    }

    /// A tag for one of the fields that may be rewritten, on one line.
    fn rewrite(&self, field: &str, stamp: &Stamp) -> Option<Vec<u8>> {
        let template = self.rules.settings.rewrite_header.get(field)?;
        Some(
            self.fill(template, stamp)
                .into_iter()
                .map(|byte| if byte == b'\n' { b' ' } else { byte })
                .collect(),
        )
    }

    fn prefix(&self, stamp: &Stamp) -> Option<Vec<u8>> {
        let active = self.rules.settings.rewrite_header.contains_key("Subject");
        let prefix = self.subject_prefix().filter(|_| active)?;
        Some(
            self.fill(&prefix, stamp)
                .into_iter()
                .map(|byte| if byte == b'\n' { b' ' } else { byte })
                .collect(),
        )
    }

    fn rewritten_subject(&self, stamp: &Stamp) -> Option<Vec<u8>> {
        let subject = pristine(&self.mail.tree, "Subject");
        let Some(tag) = self.rewrite("Subject", stamp) else { return subject };
        let subject =
            [self.prefix(stamp).unwrap_or_default(), subject.unwrap_or_else(|| b"\n".to_vec())].concat();
        let tag = [tag.as_slice(), b" "].concat();
        Some(if subject.starts_with(&tag) { subject } else { [tag, subject].concat() })
    }

    /// From and To get their tag as a comment.
    fn commented(&self, field: &str, stamp: &Stamp) -> Option<Vec<u8>> {
        let value = pristine(&self.mail.tree, field);
        let Some(tag) = self.rewrite(field, stamp) else { return value };
        let value = value.unwrap_or_else(|| b"\n".to_vec());
        let comment = [b"\t(", tag.as_slice(), b")"].concat();
        let text = value.strip_suffix(b"\n").unwrap_or(&value);
        let text = text.strip_suffix(comment.as_slice()).unwrap_or(text);
        Some([text, &comment, b"\n"].concat())
    }

    fn wrapped(&self, stamp: &Stamp) -> Vec<u8> {
        let tree = &self.mail.tree;
        let settings = &self.rules.settings;
        let mut head = Vec::new();
        let mut add = |name: &str, value: Option<Vec<u8>>| {
            if let Some(value) = value {
                head.extend([name.as_bytes(), b": ", &value].concat());
            }
        };
        add("From", self.commented("From", stamp));
        add("To", self.commented("To", stamp));
        add("Cc", pristine(tree, "Cc"));
        add("Subject", self.rewritten_subject(stamp));
        add("Date", pristine(tree, "Date"));
        add("Message-Id", pristine(tree, "Message-Id"));
        head.extend(self.added_headers(true, stamp));
        let mut received = Vec::new();
        for name in &settings.report_safe_copy_headers {
            let known = ["from", "to", "cc", "subject", "date", "message-id"];
            if known.contains(&name.to_ascii_lowercase().as_str()) {
                continue;
            }
            let list = if name.eq_ignore_ascii_case("received") { &mut received } else { &mut head };
            all_pristine(tree, name)
                .iter()
                .for_each(|value| list.extend([name.as_bytes(), b": ", value].concat()));
        }
        let own = format!(
            "Received: from localhost by {}\n\twith SpamAssassin (version {VERSION});\n\t{}\n",
            stamp.host, stamp.date
        );
        let head = [own.into_bytes(), received, head].concat();
        self.with_attachment(head, stamp)
    }

    fn with_attachment(&self, head: Vec<u8>, stamp: &Stamp) -> Vec<u8> {
        let tree = &self.mail.tree;
        let settings = &self.rules.settings;
        let original = tree.pristine();
        let boundary = format!("----------=_{}", stamp.unique);
        let kind = tree.root().fields.value("content-type").map(<[u8]>::to_ascii_lowercase);
        let text =
            kind.is_none_or(|kind| kind.is_empty() || kind.windows(10).any(|window| window == b"text/plain"));
        let mut report = self.report(stamp);
        if !text {
            report.extend(self.fill(&settings.unsafe_report_template, stamp));
        }
        let disposition = if text { "inline" } else { "attachment" };
        let attached = if settings.report_safe > 1 { "text/plain" } else { "message/rfc822" };
        let charset = &settings.report_charset;
        let begin = format!(
            "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"{boundary}\"\n\nThis is a multi-part message in MIME format.\n\n\
             --{boundary}\nContent-Type: text/plain; charset={charset}\nContent-Disposition: inline\nContent-Transfer-Encoding: 8bit\n\n"
        );
        let middle = format!(
            "\n\n--{boundary}\nContent-Type: {attached}; x-spam-type=original\nContent-Description: {DESCRIPTION}\n\
             Content-Disposition: {disposition}\nContent-Transfer-Encoding: 8bit\n\n"
        );
        let front = [head, begin.into_bytes(), report, middle.into_bytes()].concat();
        let end = format!("\n--{boundary}--\n\n").into_bytes();
        [with_line_ends(front, tree.line_end), original, with_line_ends(end, tree.line_end)].concat()
    }

    fn with_headers(&self, stamp: &Stamp) -> Vec<u8> {
        let tree = &self.mail.tree;
        let mut lines = without_marks(&tree.head);
        let separator = lines.pop_if(|line| line.iter().all(u8::is_ascii_whitespace)).unwrap_or_default();
        let subject = self.rules.settings.rewrite_header.contains_key("Subject");
        let created = subject && pristine(tree, "Subject").is_none();
        if created {
            lines.push(b"Subject: \n".to_vec());
        }
        let mut kept = Vec::new();
        for line in &mut lines {
            kept.extend(self.rewrite_line(line, created, stamp));
        }
        lines.extend(kept);
        let mut first = 0;
        if lines.first().is_some_and(|line| starts_with(line, "return-path:")) {
            first =
                1 + lines[1..].iter().take_while(|line| matches!(line.first(), Some(b' ' | b'\t'))).count();
        }
        let rest = lines.split_off(first);
        let head =
            [lines.concat(), self.added_headers(self.is_spam(), stamp), rest.concat(), separator].concat();
        [with_line_ends(head, tree.line_end), tree.body.clone()].concat()
    }

    /// Puts a tag into a line of the header; the line as it was comes back, to be kept.
    fn rewrite_line(&self, line: &mut Vec<u8>, created: bool, stamp: &Stamp) -> Option<Vec<u8>> {
        let field = ["From", "Subject", "To"]
            .into_iter()
            .find(|name| starts_with(line, &format!("{name}:").to_ascii_lowercase()))?;
        let mut tags = Vec::new();
        let mut kept = None;
        if self.is_spam() {
            let tag = self.rewrite(field, stamp)?;
            let before = if created { b"Subject: (nonexistent)\n".to_vec() } else { line.clone() };
            kept = Some([b"X-Spam-Prev-".as_slice(), &before].concat());
            tags.push(if field == "Subject" { tag } else { [b"(", tag.as_slice(), b")"].concat() });
        } else if field != "Subject" {
            return None;
        }
        tags.extend(self.prefix(stamp).map(|prefix| prefix.trim_ascii_end().to_vec()));
        let colon = line.iter().position(|byte| *byte == b':')?;
        for tag in tags.into_iter().rev() {
            let value = line[colon + 1..]
                .iter()
                .position(|byte| !matches!(byte, b' ' | b'\t'))
                .map_or(&b""[..], |at| &line[colon + 1 + at..]);
            let tag = [tag.as_slice(), b" "].concat();
            let value = value.strip_prefix(tag.as_slice()).unwrap_or(value);
            *line = [&line[..=colon], b" ", &tag, value].concat();
        }
        kept
    }
}

fn starts_with(line: &[u8], lower: &str) -> bool {
    line.get(..lower.len()).is_some_and(|start| start.eq_ignore_ascii_case(lower.as_bytes()))
}

/// The header without the marks of an earlier check.
fn without_marks(head: &[u8]) -> Vec<Vec<u8>> {
    let mut kept = Vec::new();
    let mut dropping = false;
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let continues = matches!(line.first(), Some(b' ' | b'\t'));
        dropping = if continues {
            dropping
        } else {
            starts_with(line, "x-spam-") && !starts_with(line, "x-spam-prev-")
        };
        if !dropping {
            kept.push(line.to_vec());
        }
    }
    kept
}
