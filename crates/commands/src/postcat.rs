//! postcat: a queue file in readable form.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use queue::QueueName;
use queue_format::QueueId;
use queue_format::record::{self, Kind, Parsed, Record};

use crate::getopt::{Getopt, Opt, text};
use crate::site::{Failure, Site, Voice, reason};

const VOICE: Voice = Voice { program: "postcat" };
const USAGE: &str = "usage: postcat [-b (body text)] [-c config_dir] [-d (decimal record type)] [-e (envelope records)] \
                     [-h (header text)] [-q (access queue)] [-v] [file(s)...]";

/// Where a message is looked for.
const FOLDERS: [QueueName; 6] = [
    QueueName::Maildrop,
    QueueName::Incoming,
    QueueName::Active,
    QueueName::Deferred,
    QueueName::Hold,
    QueueName::Saved,
];
const NOT_FOUND: &str = "No such file or directory";

/// What is to be shown.
#[derive(Debug, Clone, Copy, Default)]
struct Options {
    body: bool,
    header: bool,
    envelope: bool,
    decimal_type: bool,
    offsets: bool,
    in_queue: bool,
    raw: bool,
    skip: u64,
    verbose: bool,
}

/// Runs the command with the arguments that stand behind its name.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    VOICE.finish(run(arguments))
}

fn run(arguments: Vec<OsString>) -> Result<ExitCode, Failure> {
    let mut options = Options::default();
    let mut directory = None;
    let mut getopt = Getopt::new("bc:dehoqrs:v", arguments);
    for option in getopt.by_ref() {
        match option.map_err(|misuse| VOICE.misuse(&misuse, USAGE))? {
            Opt::Value('c', path) => directory = Some(PathBuf::from(path)),
            Opt::Value(_, offset) => {
                let offset = text(&offset);
                options.skip = offset.parse().map_err(|_| Failure::new(format!("bad offset: {offset}")))?;
            }
            Opt::Letter(letter) => options.letter(letter),
        }
    }
    if !(options.body || options.header || options.envelope) {
        (options.body, options.header, options.envelope) = (true, true, true);
    }
    // Whoever looks at a file is told of its faults, not the log.
    let site = Site::read(VOICE, directory.as_deref())?;
    let operands = getopt.operands();
    let mut out = std::io::stdout().lock();
    if options.in_queue {
        let queue = site.enter_queue()?;
        for name in &operands {
            let (path, file) = find(&queue, &text(name))?;
            show_file(&path, file, options, &mut out)?;
        }
    } else if operands.is_empty() {
        let mut bytes = Vec::new();
        std::io::stdin()
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::new(format!("read stdin: {}", reason(&error))))?;
        show(&bytes, "stdin", options, &mut out)?;
    } else {
        for path in operands.into_iter().map(PathBuf::from) {
            let file = File::open(&path)
                .map_err(|error| Failure::new(format!("open {}: {}", path.display(), reason(&error))))?;
            show_file(&path, file, options, &mut out)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Options {
    fn letter(&mut self, letter: char) {
        match letter {
            'b' => self.body = true,
            'd' => self.decimal_type = true,
            'e' => self.envelope = true,
            'h' => self.header = true,
            'o' => self.offsets = true,
            'q' => self.in_queue = true,
            'r' => self.raw = true,
            _ => self.verbose = true,
        }
    }
}

fn find(queue: &queue::Queue, name: &str) -> Result<(PathBuf, File), Failure> {
    let id: QueueId = name.parse().map_err(|_| Failure::new(format!("bad mail queue ID: {name}")))?;
    let mut error = io::Error::from(ErrorKind::NotFound);
    for folder in FOLDERS {
        let path = queue.path(folder, &id);
        match File::open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(other) if other.kind() != ErrorKind::NotFound => error = other,
            Err(_) => {}
        }
    }
    let why = if error.kind() == ErrorKind::NotFound { NOT_FOUND.to_owned() } else { reason(&error) };
    Err(Failure::new(format!("open queue file {name}: {why}")))
}

fn show_file(path: &Path, mut file: File, options: Options, out: &mut impl Write) -> Result<(), Failure> {
    let shown = path.display().to_string();
    let mut bytes = Vec::new();
    match file.read_to_end(&mut bytes) {
        Ok(_) => show(&bytes, &shown, options, out),
        Err(error) => {
            VOICE.warn(format!("close {shown}: {}", reason(&error)));
            Ok(())
        }
    }
}

/// In which part of the file we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Envelope,
    Header,
    Body,
    Extracted,
}

struct Printer<'a, W> {
    options: Options,
    name: &'a str,
    out: &'a mut W,
    part: Part,
    /// The line before goes on in this record.
    continued: bool,
}

fn show(file: &[u8], name: &str, options: Options, out: &mut impl Write) -> Result<(), Failure> {
    let mut printer = Printer { options, name, out, part: Part::Envelope, continued: false };
    if options.skip == 0 && !file.is_empty() && !is_queue_file(file) {
        VOICE.warn(format!("{name}: input is not a valid queue file"));
        return Ok(());
    }
    if options.skip == 0 && !file.is_empty() {
        printer.banner("ENVELOPE RECORDS", 0, None);
    }
    let mut offset = options.skip;
    let mut seen = HashSet::new();
    loop {
        let rest = usize::try_from(offset).ok().and_then(|begin| file.get(begin..)).unwrap_or_default();
        if rest.is_empty() || printer.has_shown_all() {
            return Ok(());
        }
        let (record, length) = match record::parse(rest, offset) {
            Ok(Parsed::Whole(record, length)) => (record, length),
            Ok(Parsed::Partial(_)) => return Err(cut_short(name, rest)),
            Err(error) => return Err(Failure::new(format!("{name}: {error}"))),
        };
        printer
            .record(offset, record)
            .map_err(|error| Failure::new(format!("write error: {}", reason(&error))))?;
        if record.kind == Kind::END {
            return Ok(());
        }
        offset = match target(record).filter(|_| !options.raw) {
            Some(target) if seen.insert(offset) => target,
            Some(_) => return Err(Failure::new(format!("{name}: pointer loop at offset {offset}"))),
            None => offset + length as u64,
        };
    }
}

/// A queue file begins with its size, or with the time of its arrival (maildrop).
fn is_queue_file(file: &[u8]) -> bool {
    let first = file.first().copied().map(Kind);
    [Kind::SIZE, Kind::TIME, Kind::ATTRIBUTE, Kind::FULL_NAME].into_iter().any(|kind| first == Some(kind))
}

fn cut_short(name: &str, rest: &[u8]) -> Failure {
    VOICE.warn(record::cut_short(name, rest));
    Failure::new("record read error")
}

fn target(record: Record<'_>) -> Option<u64> {
    if record.kind != Kind::POINTER {
        return None;
    }
    std::str::from_utf8(record.data).ok()?.trim().parse().ok().filter(|target| *target > 0)
}

impl<W: Write> Printer<'_, W> {
    fn record(&mut self, offset: u64, record: Record<'_>) -> std::io::Result<()> {
        match record.kind {
            Kind::MESSAGE => {
                self.banner("MESSAGE CONTENTS", offset, Some(record.kind));
                self.part = Part::Header;
                Ok(())
            }
            Kind::EXTRACTED => {
                self.banner("HEADER EXTRACTED", offset, Some(record.kind));
                self.part = Part::Extracted;
                Ok(())
            }
            Kind::END => {
                self.banner("MESSAGE FILE END", offset, Some(record.kind));
                Ok(())
            }
            Kind::POINTER if !(self.options.verbose || self.options.raw) => Ok(()),
            Kind::DELETED if !self.options.verbose => Ok(()),
            Kind::NORMAL | Kind::CONTINUED if matches!(self.part, Part::Header | Part::Body) => {
                self.line(offset, record)
            }
            _ => self.envelope_record(offset, record),
        }
    }

    /// Is everything over that is to be shown?
    fn has_shown_all(&self) -> bool {
        let Options { header, body, envelope, .. } = self.options;
        match self.part {
            Part::Envelope => false,
            Part::Header => !header && !body && !envelope,
            Part::Body => !body && !envelope,
            Part::Extracted => !envelope,
        }
    }

    fn banner(&mut self, title: &str, offset: u64, kind: Option<Kind>) {
        if self.options.envelope {
            let _ = match kind {
                Some(kind) => self.prefix(offset, kind),
                None => Ok(()),
            };
            let _ = writeln!(self.out, "*** {title} {} ***", self.name);
        }
    }

    fn prefix(&mut self, offset: u64, kind: Kind) -> std::io::Result<()> {
        if self.options.offsets {
            write!(self.out, "{offset:9} ")?;
        }
        if self.options.decimal_type {
            write!(self.out, "{:3} ", kind.0)?;
        }
        Ok(())
    }

    /// A line of the message, or a piece of one.
    fn line(&mut self, offset: u64, record: Record<'_>) -> std::io::Result<()> {
        if self.part == Part::Header && !self.continued && !is_header(record.data) {
            self.part = Part::Body;
        }
        let shown = if self.part == Part::Header { self.options.header } else { self.options.body };
        let goes_on = record.kind == Kind::CONTINUED;
        if shown {
            if self.continued && self.options.offsets && !self.options.verbose {
                self.out.write_all(b"\n")?;
            }
            self.prefix(offset, record.kind)?;
            if self.options.verbose {
                write!(self.out, "{}: ", record.kind.name().unwrap_or_default())?;
            }
            self.out.write_all(record.data)?;
            if !goes_on || self.options.verbose {
                self.out.write_all(b"\n")?;
            }
        }
        self.continued = goes_on;
        Ok(())
    }

    fn envelope_record(&mut self, offset: u64, record: Record<'_>) -> std::io::Result<()> {
        if !self.options.envelope {
            return Ok(());
        }
        self.prefix(offset, record.kind)?;
        // Text ends where C ends it.
        let bytes = record.data.split(|byte| *byte == 0).next().unwrap_or_default();
        let data = String::from_utf8_lossy(bytes);
        let is_time = matches!(record.kind, Kind::TIME | Kind::WARN_TIME);
        match (record.kind, data.strip_prefix("create_time=")) {
            (Kind::ATTRIBUTE, Some(time)) => {
                writeln!(self.out, "create_time: {}", local_date(leading_number(time).unwrap_or(0)))
            }
            (kind, _) => {
                match kind {
                    Kind::NORMAL => {}
                    // The same letter has another meaning in front of the message.
                    Kind::CONTINUED => write!(self.out, "content_filter: ")?,
                    kind => write!(self.out, "{}: ", kind.name().unwrap_or("unknown_record_type"))?,
                }
                match leading_number(&data).filter(|_| is_time) {
                    Some(seconds) => write!(self.out, "{}", local_date(seconds))?,
                    None => self.out.write_all(bytes)?,
                }
                self.out.write_all(b"\n")
            }
        }
    }
}

/// The number with which a text begins.
fn leading_number(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let end = digits.bytes().take_while(u8::is_ascii_digit).count();
    text[..end + (text.len() - digits.len())].parse().ok()
}

/// A line that may stand in a header: `Name:` or a continuation.
fn is_header(line: &[u8]) -> bool {
    let name = line.iter().take_while(|byte| byte.is_ascii_graphic() && **byte != b':').count();
    let after = line[name..].iter().position(|byte| !matches!(byte, b' ' | b'\t'));
    let named = name > 0 && after.is_some_and(|blanks| line[name + blanks] == b':');
    named || matches!(line.first(), Some(b' ' | b'\t'))
}

/// `Sun Nov 22 03:26:45 2026`
pub(crate) fn local_date(seconds: i64) -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let time = sys::clock::local_time(seconds);
    let day = DAYS[time.weekday as usize % 7];
    let month = MONTHS[(time.month.max(1) as usize - 1) % 12];
    format!(
        "{day} {month} {:2} {:02}:{:02}:{:02} {}",
        time.day, time.hour, time.minute, time.second, time.year
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMTP: &[u8] = include_bytes!("../../logic/queue-format/testdata/sendmail_extracted_recipient");

    fn shown(options: Options) -> String {
        let mut out = Vec::new();
        show(SMTP, "deferred/3/309679920C4", options, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_parts_are_those_of_postfix() {
        let header = shown(Options { header: true, ..Options::default() });
        assert!(
            header.starts_with("Received: by mx.lab.example (Postfix, from userid 0)\n\tid 309679920C4;"),
            "{header}"
        );
        assert!(header.ends_with("\nFrom: Full Name <me@example.com>\n"), "{header}");
        assert_eq!(shown(Options { body: true, ..Options::default() }), "\nhello\n");
        let envelope =
            shown(Options { envelope: true, offsets: true, decimal_type: true, ..Options::default() });
        let lines: Vec<_> = envelope.lines().collect();
        assert_eq!(lines[0], "*** ENVELOPE RECORDS deferred/3/309679920C4 ***");
        assert_eq!(lines[4], "      140  65 named_attribute: rewrite_context=local");
        assert_eq!(lines[lines.len() - 1], "      566  69 *** MESSAGE FILE END deferred/3/309679920C4 ***");
    }

    #[test]
    fn headers_are_told_from_the_body() {
        for (line, header) in [
            ("Subject: x", true),
            (" more", true),
            ("X-A : b", true),
            ("", false),
            ("no colon", false),
            (": x", false),
        ] {
            assert_eq!(is_header(line.as_bytes()), header, "{line}");
        }
    }
}
