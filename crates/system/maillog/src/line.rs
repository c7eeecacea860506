//! What a log line looks like.

use std::io::Write;

use log::Level;
use sys::clock::{LocalTime, local_time, now_us};

/// No line is longer than this, in bytes.
const LINE_LIMIT_BYTES: usize = 8192;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// syslog(3) LOG_MAIL.
const FACILITY_MAIL: u8 = 2 << 3;

/// How bad it is, as syslog and Postfix name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Info,
    Warning,
    Error,
    Fatal,
}

impl Severity {
    pub(crate) fn of(level: Level, fatal: bool) -> Self {
        match level {
            Level::Error if fatal => Self::Fatal,
            Level::Error => Self::Error,
            Level::Warn => Self::Warning,
            _ => Self::Info,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Info => "",
            Self::Warning => "warning: ",
            Self::Error => "error: ",
            Self::Fatal => "fatal: ",
        }
    }

    fn syslog_priority(self) -> u8 {
        FACILITY_MAIL
            | match self {
                Self::Info => 6,
                Self::Warning => 4,
                Self::Error => 3,
                Self::Fatal => 2,
            }
    }
}

/// Remembers the text of the current second, and who we are: a fork is noticed a second later at the latest.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    second: i64,
    text: String,
    process: u32,
}

impl Clock {
    /// `Nov 22 02:28:16 host postfix/smtpd[123]: warning: text` and a line end.
    pub(crate) fn line(&mut self, out: &mut Vec<u8>, host: &str, severity: Severity, tag: &str, text: &str) {
        self.tick();
        let _ = write!(out, "{} {host} {tag}[{}]: {}", self.text, self.process, severity.prefix());
        printable(out, text);
        out.push(b'\n');
    }

    /// The packet that syslogd expects at /dev/log.
    pub(crate) fn syslog(&mut self, out: &mut Vec<u8>, severity: Severity, tag: &str, text: &str) {
        self.tick();
        let priority = severity.syslog_priority();
        let _ = write!(out, "<{priority}>{} {tag}[{}]: {}", self.text, self.process, severity.prefix());
        printable(out, text);
    }

    fn tick(&mut self) {
        let second = i64::try_from(now_us() / 1_000_000).unwrap_or(0);
        if second != self.second || self.text.is_empty() {
            self.second = second;
            self.process = std::process::id();
            self.text = time_text(&local_time(second));
        }
    }
}

/// `postfix: warning: text`, as programs speak to a terminal.
pub(crate) fn terminal(out: &mut Vec<u8>, severity: Severity, tag: &str, text: &str) {
    let _ = write!(out, "{tag}: {}", severity.prefix());
    printable(out, text);
    out.push(b'\n');
}

fn time_text(time: &LocalTime) -> String {
    let month = MONTHS.get(time.month.saturating_sub(1) as usize).unwrap_or(&"???");
    format!("{month} {:2} {:02}:{:02}:{:02}", time.day, time.hour, time.minute, time.second)
}

/// Control characters become `?`, so that no client can forge a line.
fn printable(out: &mut Vec<u8>, text: &str) {
    let start = out.len();
    for character in text.chars() {
        if out.len() - start >= LINE_LIMIT_BYTES {
            break;
        }
        if character.is_control() {
            out.push(b'?');
        } else {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_as_postfix_writes_it_and_can_not_be_forged() {
        let mut clock = Clock::default();
        let mut out = Vec::new();
        clock.line(&mut out, "mx", Severity::Warning, "postfix/smtpd", "a\nNov 1 b\u{7f}é");
        let line = String::from_utf8(out).unwrap();
        let expected = format!(" mx postfix/smtpd[{}]: warning: a?Nov 1 b?é\n", std::process::id());
        assert_eq!(&line[15..], expected);
        assert_eq!(line.matches('\n').count(), 1);
    }

    #[test]
    fn days_below_ten_have_a_blank() {
        let time = LocalTime { month: 3, day: 7, hour: 4, minute: 5, second: 6, ..local_time(0) };
        assert_eq!(time_text(&time), "Mar  7 04:05:06");
    }

    #[test]
    fn syslog_priority_is_the_mail_facility_with_the_severity() {
        let mut out = Vec::new();
        Clock::default().syslog(&mut out, Severity::Info, "postfix/qmgr", "x");
        assert!(out.starts_with(b"<22>"));
    }
}
