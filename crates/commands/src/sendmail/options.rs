//! The command line of sendmail.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::getopt::{Getopt, Opt, text};
use crate::postqueue::Request;
use crate::sendmail::Name;
use crate::site::{EX_TEMPFAIL, Failure, Voice};

/// RFC 3461 NOTIFY.
const NOTIFY_NEVER: u32 = 1;
/// Longest envelope id, in characters.
const ENVELOPE_ID_LIMIT: usize = 100;
/// Postfix's flag for `-bv`: try the delivery, do not do it, and report.
const TRACE_VERIFY: u32 = 1 << 9;
/// Postfix's flag for `-v`: deliver and report.
const TRACE_RECORD: u32 = 1 << 10;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Take a message from standard input (`-bm`).
    Submit,
    /// Report how mail for the recipients would be delivered (`-bv`).
    Verify,
    /// `-bp`
    ListQueue,
    /// `-q`
    Flush,
    /// `-bi`
    Aliases,
    /// `-bd`
    Daemon,
    /// `-bs`
    Dialogue,
    /// `-q5m`: a daemon with a queue run; the suite runs its queue by itself.
    Nothing,
}

/// The command line, read.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) mode: Mode,
    pub(crate) config_directory: Option<PathBuf>,
    pub(crate) flush: Request,
    /// `-f`, `-r`
    pub(crate) sender: Option<String>,
    /// `-F`
    pub(crate) full_name: Option<String>,
    /// `-t`
    pub(crate) recipients_from_header: bool,
    /// `-i`, `-oi`: a line with a dot is a line.
    pub(crate) dots_are_text: bool,
    /// "8bit" or "7bit", of `-B`.
    pub(crate) encoding: Option<&'static str>,
    /// "local", or "remote" for `-G`.
    pub(crate) rewrite_context: &'static str,
    pub(crate) notify: u32,
    pub(crate) return_flags: u32,
    pub(crate) envelope_id: Option<String>,
    /// What stands behind `-XV`: nothing, or two delimiters. The submission sees to it that they are allowed.
    pub(crate) verp_delimiters: Option<String>,
    /// `-oA`
    pub(crate) alias_database: Option<String>,
    pub(crate) trace_flags: u32,
    pub(crate) recipients: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mode: Mode::Submit,
            config_directory: None,
            flush: Request::FlushAll,
            sender: None,
            full_name: None,
            recipients_from_header: false,
            dots_are_text: false,
            encoding: None,
            rewrite_context: "local",
            notify: 0,
            return_flags: 0,
            envelope_id: None,
            verp_delimiters: None,
            alias_database: None,
            trace_flags: 0,
            recipients: Vec::new(),
        }
    }
}

fn fatal<T>(text: impl std::fmt::Display) -> Result<T, Failure> {
    Err(Failure::with(EX_TEMPFAIL, text))
}

impl Options {
    pub(crate) fn parse(name: Name, arguments: Vec<OsString>) -> Result<Self, Failure> {
        let voice = name.voice();
        let mut options = Self::default();
        if name == Name::Mailq {
            options.mode = Mode::ListQueue;
        }
        let mut verbose = 0;
        let mut getopt =
            Getopt::new("A:B:C:F:GIL:N:O:R:UV:X:b:ce:f:h:imno:p:r:q:tvx", with_queue_run(arguments));
        for option in getopt.by_ref() {
            match option {
                Ok(Opt::Letter(letter)) => options.letter(letter, &mut verbose)?,
                Ok(Opt::Value(letter, value)) => options.value(voice, letter, &text(&value))?,
                Err(misuse) => {
                    eprintln!("{}: {misuse}", voice.program);
                    return fatal(format!("usage: {} [options]", voice.program));
                }
            }
        }
        options.recipients = getopt.operands().iter().map(|operand| text(operand)).collect();
        options.no_divided_will(verbose)?;
        options.no_needless_recipients()?;
        if options.mode == Mode::Submit && options.flush != Request::FlushAll {
            options.mode = Mode::Flush;
        }
        // The first -v asks for a report of the delivery, further ones for a chattier log.
        if verbose > 0 && options.mode == Mode::Submit {
            options.trace_flags = TRACE_RECORD;
        }
        if options.mode == Mode::Verify {
            options.trace_flags = TRACE_VERIFY;
        }
        Ok(options)
    }

    fn letter(&mut self, letter: char, verbose: &mut u32) -> Result<(), Failure> {
        match letter {
            'G' => self.rewrite_context = "remote",
            'I' => self.mode = Mode::Aliases,
            'i' => self.dots_are_text = true,
            'n' => return fatal("-n option not supported"),
            't' => self.recipients_from_header = true,
            'v' => *verbose += 1,
            // -c -m -U -x are for sendmail alone.
            _ => {}
        }
        Ok(())
    }

    fn value(&mut self, voice: Voice, letter: char, value: &str) -> Result<(), Failure> {
        match letter {
            'b' => self.mode = mode_of(value)?,
            'B' => {
                self.encoding = match value.to_ascii_uppercase().as_str() {
                    "8BITMIME" => Some("8bit"),
                    "7BIT" => Some("7bit"),
                    _ => return fatal("-B option needs 8BITMIME or 7BIT"),
                }
            }
            'C' => self.config_directory = Some(PathBuf::from(value)),
            'F' => self.full_name = Some(value.to_owned()),
            'f' | 'r' => self.sender = Some(value.to_owned()),
            'N' => self.notify = notify_of(voice, value),
            'R' => match value.to_ascii_lowercase().as_str() {
                "full" => self.return_flags = 1,
                "hdrs" => self.return_flags = 2,
                _ => voice.warn("bad -R option value -- ignored"),
            },
            'V' if value.len() > ENVELOPE_ID_LIMIT => voice.warn("too long -V option value -- ignored"),
            'V' if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) => {
                voice.warn("bad syntax in -V option value -- ignored")
            }
            'V' => self.envelope_id = Some(value.to_owned()),
            'X' => self.verp(value)?,
            'o' if value.starts_with('i') => self.dots_are_text = true,
            'o' if value == "A" => return fatal("-oA requires pathname"),
            'o' if value.starts_with('A') => self.alias_database = Some(value[1..].to_owned()),
            'q' => self.flush_request(value)?,
            // -A -e -h -L -O -o -p are for sendmail alone.
            _ => {}
        }
        Ok(())
    }

    /// `-XV`, perhaps with two delimiters.
    fn verp(&mut self, value: &str) -> Result<(), Failure> {
        let Some(delimiters) = value.strip_prefix('V') else {
            return fatal(format!("unsupported: -X{}", value.chars().next().unwrap_or(' ')));
        };
        self.verp_delimiters = Some(delimiters.to_owned());
        Ok(())
    }

    /// `-q`, `-qIid`, `-qRsite`, or a time, for a daemon that runs the queue now and then.
    fn flush_request(&mut self, value: &str) -> Result<(), Failure> {
        let first = value.chars().next();
        if first.is_some_and(|character| character.is_ascii_digit()) {
            if self.mode == Mode::Submit {
                self.mode = Mode::Nothing;
            }
            return Ok(());
        }
        match first {
            None => self.mode = Mode::Flush,
            Some('I') if value.len() > 1 => self.flush = Request::FlushMessage(value[1..].to_owned()),
            Some('I') => return fatal("specify: -qIqueueid"),
            Some('R') if value.len() > 1 => self.flush = Request::FlushSite(value[1..].to_owned()),
            Some('R') => return fatal("specify: -qRsitename"),
            Some(other) => return fatal(format!("-q{other} is not implemented")),
        }
        Ok(())
    }

    /// What goes with no other mode: recipients in the header, a queue run for a site or a message; and what `-bv` has
    /// no use for.
    fn no_divided_will(&self, verbose: u32) -> Result<(), Failure> {
        let letters = match self.flush {
            _ if self.mode == Mode::Submit => return Ok(()),
            _ if self.mode == Mode::Verify => return self.nothing_but_recipients(verbose),
            _ if self.recipients_from_header => "t",
            Request::FlushSite(_) => "qR",
            Request::FlushMessage(_) => "qI",
            _ => return Ok(()),
        };
        fatal(format!("-{letters} can be used only in delivery mode"))
    }

    fn nothing_but_recipients(&self, verbose: u32) -> Result<(), Failure> {
        let given = [
            ('t', self.recipients_from_header),
            ('N', self.notify != 0),
            ('R', self.return_flags != 0),
            ('v', verbose == 1),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            Some((letter, _)) => fatal(format!("-{letter} option cannot be used with -bv")),
            None => Ok(()),
        }
    }

    fn no_needless_recipients(&self) -> Result<(), Failure> {
        let what = match (self.mode, &self.flush) {
            _ if self.recipients.is_empty() => return Ok(()),
            (Mode::Submit, Request::FlushSite(_)) => "flush site",
            (Mode::Submit, Request::FlushMessage(_)) => "flush queue_id",
            (Mode::Submit | Mode::Verify | Mode::Nothing, _) => return Ok(()),
            (Mode::ListQueue, _) => "display queue mode",
            (Mode::Flush, _) => "flush queue mode",
            (Mode::Aliases, _) => "alias initialization mode",
            (Mode::Daemon, _) => "daemon mode",
            (Mode::Dialogue, _) => "stand-alone mode",
        };
        fatal(format!("{what} requires no recipient"))
    }
}

/// `-q` may stand without a value, which getopt(3) does not know.
fn with_queue_run(arguments: Vec<OsString>) -> Vec<OsString> {
    let mut options = true;
    let mut seen = Vec::new();
    for argument in arguments {
        options &= argument != "--" && argument.to_string_lossy().starts_with('-');
        if options && argument == "-q" {
            seen.push(OsString::from("-q"));
            seen.push(OsString::new());
        } else {
            seen.push(argument);
        }
        options = true;
    }
    seen
}

fn mode_of(value: &str) -> Result<Mode, Failure> {
    Ok(match value.chars().next() {
        Some('d' | 'l') => Mode::Daemon,
        Some('i') => Mode::Aliases,
        Some('m') => Mode::Submit,
        Some('p') => Mode::ListQueue,
        Some('s') => Mode::Dialogue,
        Some('v') => Mode::Verify,
        // Sendmail keeps a status of each host; there is none here to show or to clear.
        Some('h' | 'H') => Mode::Nothing,
        _ => return fatal(format!("unsupported: -b{value}")),
    })
}

/// NEVER alone, or some of SUCCESS, FAILURE and DELAY; 0 for what is none of these.
fn notify_of(voice: Voice, value: &str) -> u32 {
    let mut flags = 0;
    for word in value.split([',', ' ']).filter(|word| !word.is_empty()) {
        flags |= match word.to_ascii_lowercase().as_str() {
            "never" => NOTIFY_NEVER,
            "success" => 2,
            "failure" => 4,
            "delay" => 8,
            _ => {
                voice.warn(format!("unknown DSN NOTIFY command value \"{word}\" in \"{value}\""));
                voice.warn("bad -N option value -- ignored");
                return 0;
            }
        };
    }
    if flags == 0 || (flags & NOTIFY_NEVER != 0 && flags != NOTIFY_NEVER) {
        voice.warn("bad -N option value -- ignored");
        return 0;
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, Failure> {
        Options::parse(Name::Sendmail, line.split_whitespace().map(OsString::from).collect())
    }

    #[test]
    fn the_options_that_programs_use() {
        let options = parse("-t -i -oi -f me@x -oem -odb -om -h 3 -U a@b c@d").unwrap();
        assert!(options.recipients_from_header && options.dots_are_text);
        assert_eq!((options.sender.as_deref(), options.recipients.len()), (Some("me@x"), 2));
        assert_eq!(parse("-bv x").unwrap().trace_flags, 512);
        assert_eq!(parse("-v x").unwrap().trace_flags, 1024);
        assert_eq!(parse("-N success,delay x").unwrap().notify, 10);
        assert_eq!(parse("-N never,delay x").unwrap().notify, 0);
        assert_eq!(parse("-XV x").unwrap().verp_delimiters.as_deref(), Some(""));
        assert_eq!(parse("-oA/etc/x -bi").unwrap().alias_database.as_deref(), Some("/etc/x"));
    }

    #[test]
    fn queue_runs() {
        assert_eq!(parse("-q").unwrap().flush, Request::FlushAll);
        assert_eq!(parse("-qIABC").unwrap().flush, Request::FlushMessage("ABC".into()));
        assert_eq!(parse("-q30m").unwrap().mode, Mode::Nothing);
        assert_eq!(parse("-bd -q30m").unwrap().mode, Mode::Daemon);
        assert!(parse("-qRx -bd").is_err());
        assert_eq!(parse("-qRsite").unwrap().mode, Mode::Flush);
        for line in [
            "-t -bv",
            "-bv -N never x",
            "-bv -v x",
            "-t -bp",
            "-qRx y",
            "-oA",
            "-bp -qIx",
            "-n x",
            "-bz",
            "-bt",
            "-qSx",
            "-qI",
            "-bp x",
            "-q x",
            "-B foo x",
            "-Xx",
            "-Z",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
