//! How a queue is shown: the table of sendmail, or a JSON object a line.

use std::fmt::Write;

use attributes::Attributes;

use crate::postcat::local_date;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `-p`
    Table,
    /// `-j`
    Json,
}

/// Reasons end at this column.
const REASON_COLUMNS: usize = 76;

/// Writes messages as they come.
#[derive(Debug)]
pub(crate) struct Printer {
    form: Form,
    long_ids: bool,
    messages: u64,
    bytes: u64,
    /// The last time that was shown, in seconds since 1970, and how.
    date: (Option<i64>, String),
}

impl Printer {
    /// `long_ids`: `enable_long_queue_ids`, which widens the first column.
    pub(crate) fn new(form: Form, long_ids: bool) -> Self {
        Self { form, long_ids, messages: 0, bytes: 0, date: (None, String::new()) }
    }

    /// Appends one message of showq(8); false when it lacks what every message has.
    pub(crate) fn message(&mut self, message: &Attributes, out: &mut String) -> bool {
        let Some(entry) = Entry::read(message) else { return false };
        match self.form {
            Form::Table => self.table(&entry, out),
            Form::Json => entry.json(out),
        }
        self.messages += 1;
        self.bytes += entry.size;
        true
    }

    /// Appends what stands below the last message.
    pub(crate) fn end(&self, out: &mut String) {
        match (self.form, self.messages) {
            (Form::Json, _) => {}
            (Form::Table, 0) => out.push_str("Mail queue is empty\n"),
            (Form::Table, count) => {
                let plural = if count == 1 { "" } else { "s" };
                out.push_str(&format!("-- {} Kbytes in {count} Request{plural}.\n", self.bytes / 1024));
            }
        }
    }

    fn table(&mut self, entry: &Entry<'_>, out: &mut String) {
        if self.messages == 0 {
            out.push_str(if self.long_ids {
                "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n"
            } else {
                "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n"
            });
        }
        let mark = match entry.queue_name {
            "active" => "*",
            "hold" => "!",
            _ if entry.forced_expire => "#",
            _ => "",
        };
        let (id, size, sender) = (entry.queue_id, entry.size, entry.sender);
        // Most messages of a long queue came in bursts.
        if self.date.0 != Some(entry.time) {
            self.date = (Some(entry.time), local_date(entry.time));
        }
        let date = &self.date.1;
        let (id_columns, indent): (usize, usize) = if self.long_ids { (17, 47) } else { (11, 41) };
        out.extend([id, mark]);
        pad(out, id_columns.saturating_sub(id.len() + mark.len()));
        let _ = match self.long_ids {
            true => write!(out, " {size:>8} {date:19.19} "),
            false => write!(out, " {size:>7} {date:20.20} "),
        };
        out.extend([sender, "\n"]);
        let mut last = "";
        for (recipient, reason) in &entry.recipients {
            if *reason != last {
                if !reason.is_empty() {
                    pad(out, REASON_COLUMNS.saturating_sub(reason.len()));
                    out.extend(["(", reason, ")\n"]);
                }
                last = reason;
            }
            pad(out, indent);
            out.extend([recipient, "\n"]);
        }
        out.push('\n');
    }
}

fn pad(out: &mut String, columns: usize) {
    const SPACES: &str = match std::str::from_utf8(&[b' '; REASON_COLUMNS]) {
        Ok(spaces) => spaces,
        Err(_) => "",
    };
    out.push_str(&SPACES[..columns]);
}

struct Entry<'a> {
    queue_name: &'a str,
    queue_id: &'a str,
    time: i64,
    size: u64,
    forced_expire: bool,
    sender: &'a str,
    recipients: Vec<(&'a str, &'a str)>,
}

impl<'a> Entry<'a> {
    fn read(message: &'a Attributes) -> Option<Self> {
        let (mut queue_name, mut queue_id, mut sender) = (None, None, None);
        let (mut time, mut size, mut forced_expire) = (None, None, None);
        let mut recipients: Vec<(&str, &str)> = Vec::new();
        for (name, value) in message.iter() {
            match name {
                "queue_name" => queue_name = Some(value),
                "queue_id" => queue_id = Some(value),
                "time" => time = value.parse().ok(),
                "size" => size = value.parse().ok(),
                "forced_expire" => forced_expire = value.parse::<i32>().ok(),
                "sender" => sender = Some(value),
                "recipient" => recipients.push((value, "")),
                "reason" => recipients.last_mut()?.1 = value,
                _ => {}
            }
        }
        Some(Self {
            queue_name: queue_name?,
            queue_id: queue_id?,
            time: time?,
            size: size?,
            forced_expire: forced_expire? != 0,
            sender: sender?,
            recipients,
        })
    }

    fn json(&self, out: &mut String) {
        out.push_str("{\"queue_name\": ");
        quote(self.queue_name, out);
        out.push_str(", \"queue_id\": ");
        quote(self.queue_id, out);
        out.push_str(&format!(", \"arrival_time\": {}, \"message_size\": {}, ", self.time, self.size));
        out.push_str(&format!("\"forced_expire\": {}, \"sender\": ", self.forced_expire));
        quote(self.sender, out);
        out.push_str(", \"recipients\": [");
        for (place, (recipient, reason)) in self.recipients.iter().enumerate() {
            out.push_str(if place > 0 { ", {\"address\": " } else { "{\"address\": " });
            quote(recipient, out);
            if !reason.is_empty() {
                out.push_str(", \"delay_reason\": ");
                quote(reason, out);
            }
            out.push('}');
        }
        out.push_str("]}\n");
    }
}

/// A JSON string (RFC 8259 §7).
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if u32::from(control) < 0x20 || u32::from(control) == 0x7f => {
                out.push_str(&format!("\\u{:04X}", u32::from(control)));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(name: &str, id: &str) -> Attributes {
        Attributes::new()
            .with("queue_name", name)
            .with("queue_id", id)
            .with("time", 0)
            .with("size", 3251)
            .with("forced_expire", 0)
            .with("sender", "a@client.example")
            .with("recipient", "b@\"x")
            .with("reason", "(deferred transport)")
            .with("recipient", "c@x")
            .with("reason", "")
    }

    #[test]
    fn columns_are_those_of_postfix() {
        let mut short = String::new();
        let mut printer = Printer::new(Form::Table, false);
        assert!(printer.message(&message("active", "7D774992033"), &mut short));
        printer.end(&mut short);
        let date = &local_date(0)[..20];
        let expected = format!(
            "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n\
             7D774992033*    3251 {date} a@client.example\n{:56}((deferred transport))\n{:41}b@\"x\n{:41}c@x\n\n\
             -- 3 Kbytes in 1 Request.\n",
            "", "", ""
        );
        assert_eq!(short, expected);
    }

    #[test]
    fn json_is_one_object_a_line() {
        let mut out = String::new();
        let mut printer = Printer::new(Form::Json, false);
        assert!(printer.message(&message("hold", "A1"), &mut out));
        printer.end(&mut out);
        assert_eq!(
            out,
            "{\"queue_name\": \"hold\", \"queue_id\": \"A1\", \"arrival_time\": 0, \"message_size\": 3251, \
             \"forced_expire\": false, \"sender\": \"a@client.example\", \"recipients\": [{\"address\": \"b@\\\"x\", \
             \"delay_reason\": \"(deferred transport)\"}, {\"address\": \"c@x\"}]}\n"
        );
    }

    #[test]
    fn an_empty_queue_says_so() {
        let mut out = String::new();
        Printer::new(Form::Table, true).end(&mut out);
        assert_eq!(out, "Mail queue is empty\n");
    }
}
