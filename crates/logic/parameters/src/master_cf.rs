//! The grammar of master.cf (master(5)): which services there are, and how each is started.

use std::collections::VecDeque;

use crate::list::{BraceError, inside_braces, words};
use crate::main_cf::{AssignmentError, LogicalLine, OrphanLine, logical_lines, split_assignment};

/// Names of the seven fields before the command, as Postfix writes them in messages.
pub const FIELD_NAMES: [&str; 8] =
    ["service", "type", "private", "unprivileged", "chroot", "wakeup", "process_limit", "command"];

/// An entry of master.cf as it is written: eight fields and the arguments of the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The eight fields in the order of [`FIELD_NAMES`].
    pub fields: [String; 8],
    /// What follows the command: options one by one (`-o`, then `name=value`), braces removed.
    pub arguments: Vec<String>,
    /// Number of its first physical line.
    pub line: usize,
    /// Number of the last physical line that was read with it.
    pub last_line: usize,
}

/// An entry that cannot be used; worded as Postfix words it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Fewer than eight fields.
    #[error("bad field count")]
    FieldCount,
    /// A field with a value that it cannot have.
    #[error("invalid {field} field \"{value}\" in \"{text}\"")]
    Field {
        /// One of [`FIELD_NAMES`].
        field: &'static str,
        /// The value.
        value: String,
        /// The logical line.
        text: String,
    },
}

/// Something odd in an entry that postconf goes on after; worded as Postfix words it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryWarning {
    /// Braces that do not match.
    #[error(transparent)]
    Braces(#[from] BraceError),
    /// `-o {text}` without `name = value` in it.
    #[error("{problem}: \"{text}\"")]
    Override {
        /// What the braces hold.
        text: String,
        /// What is wrong with it.
        problem: AssignmentError,
    },
}

impl Entry {
    /// Reads one logical line as postconf does. What is odd in it is told to `warn`.
    ///
    /// # Errors
    /// [`EntryError`] for missing and impossible fields.
    pub fn parse(line: &LogicalLine<'_>, warn: &mut dyn FnMut(EntryWarning)) -> Result<Self, EntryError> {
        Self::parse_as(line, ValueLetter::AsPostconf, warn)
    }

    fn parse_as(
        line: &LogicalLine<'_>,
        letter: ValueLetter,
        warn: &mut dyn FnMut(EntryWarning),
    ) -> Result<Self, EntryError> {
        let mut words = words(&line.text).map(str::to_owned);
        let fields: Vec<String> = words.by_ref().take(FIELD_NAMES.len()).collect();
        let fields = <[String; 8]>::try_from(fields).map_err(|_| EntryError::FieldCount)?;
        check_fields(&fields, &line.text)?;
        Ok(Self { fields, arguments: arguments(words, letter, warn), line: line.first, last_line: line.last })
    }

    /// Replaces the command and its arguments by those in `text`.
    pub fn set_command(&mut self, text: &str, warn: &mut dyn FnMut(EntryWarning)) {
        let mut words = words(text).map(str::to_owned);
        self.fields[7] = words.next().unwrap_or_default();
        self.arguments = arguments(words, ValueLetter::AsPostconf, warn);
    }

    /// Checks the fields again after a change; `text` is what messages show.
    ///
    /// # Errors
    /// [`EntryError::Field`] for a field with a value that it cannot have.
    pub fn check(&self, text: &str) -> Result<(), EntryError> {
        check_fields(&self.fields, text)
    }

    /// The name of the service: `smtp`, `127.0.0.1:10025`.
    pub fn name(&self) -> &str {
        &self.fields[0]
    }

    /// The type of its socket: `inet`, `unix`, `unix-dgram`, `fifo`, `pass`.
    pub fn kind(&self) -> &str {
        &self.fields[1]
    }

    /// The program.
    pub fn command(&self) -> &str {
        &self.fields[7]
    }

    /// Where each `-o` has its `name=value` among the arguments.
    ///
    /// Options end at the first argument that is none, or at `--`.
    pub fn overrides(&self) -> impl Iterator<Item = usize> {
        let mut at = 0;
        std::iter::from_fn(move || {
            loop {
                let argument = self.arguments.get(at)?;
                if !argument.starts_with('-') || argument == "--" {
                    return None;
                }
                at += 1;
                if argument == "-o" && at < self.arguments.len() {
                    at += 1;
                    return Some(at - 1);
                }
            }
        })
    }
}

fn check_fields(fields: &[String; 8], text: &str) -> Result<(), EntryError> {
    match FIELD_NAMES.into_iter().zip(fields).find(|(field, value)| !is_valid_field(field, value)) {
        None => Ok(()),
        Some((field, value)) => Err(EntryError::Field { field, value: value.clone(), text: text.to_owned() }),
    }
}

fn is_valid_field(field: &str, value: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match field {
        "type" => Kind::parse(value).is_some(),
        "private" | "unprivileged" | "chroot" => matches!(value, "y" | "n" | "-"),
        "wakeup" => value == "-" || is_number(value.strip_suffix('?').unwrap_or(value)),
        "process_limit" => value == "-" || is_number(value),
        _ => true,
    }
}

/// Which `o` in an option has a value behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ValueLetter {
    /// The first, as getopt(3) in the started program has it.
    First,
    /// The first behind the first letter: `-oholdo=x` is taken for `-oh -oldo=x` by Postfix's postconf.
    AsPostconf,
}

/// Splits `-vo` and `-oname=value`, and takes the braces off.
fn arguments(
    words: impl Iterator<Item = String>,
    letter: ValueLetter,
    warn: &mut dyn FnMut(EntryWarning),
) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut words: VecDeque<String> = words.collect();
    while let Some(option) = words.pop_front() {
        if !option.starts_with('-') || option == "--" {
            words.push_front(option);
            break;
        }
        let from = if letter == ValueLetter::First && option.starts_with("-o") { option.len() } else { 2 };
        let split = option.get(from..).and_then(|rest| rest.find('o')).map(|at| from + at);
        let (option, rest) = option.split_at(split.unwrap_or(option.len()));
        if split.is_some() {
            words.push_front(["-", rest].concat());
        }
        let Some(attached) = option.strip_prefix("-o") else {
            arguments.push(option.to_owned());
            continue;
        };
        arguments.push("-o".to_owned());
        let value = if attached.is_empty() { words.pop_front() } else { Some(attached.to_owned()) };
        arguments.extend(value.map(|value| override_text(value, warn)));
    }
    arguments.extend(words.iter().map(|word| unbraced(word, warn)));
    arguments
}

/// `{ name = value }` as `name=value`; other text as it is.
fn override_text(value: String, warn: &mut dyn FnMut(EntryWarning)) -> String {
    if !value.starts_with('{') {
        return value;
    }
    let text = unbraced(&value, warn);
    match split_assignment(&text) {
        Ok((name, value)) => [name, "=", value].concat(),
        Err(problem) => {
            warn(EntryWarning::Override { text: text.clone(), problem });
            text
        }
    }
}

fn unbraced(word: &str, warn: &mut dyn FnMut(EntryWarning)) -> String {
    let (content, problem) = inside_braces(word);
    if let Err(problem) = problem {
        warn(problem.into());
    }
    content.to_owned()
}

/// How the socket of a service is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// TCP, on one port of one or all addresses.
    Inet,
    /// A stream socket in the queue directory.
    Unix,
    /// A datagram socket in the queue directory.
    UnixDatagram,
    /// A named pipe in the queue directory.
    Fifo,
    /// A stream socket over which connections are handed on.
    Pass,
}

impl Kind {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "inet" => Self::Inet,
            "unix" => Self::Unix,
            "unix-dgram" => Self::UnixDatagram,
            "fifo" => Self::Fifo,
            "pass" => Self::Pass,
            _ => return None,
        })
    }

    /// As it is written in master.cf.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Inet => "inet",
            Self::Unix => "unix",
            Self::UnixDatagram => "unix-dgram",
            Self::Fifo => "fifo",
            Self::Pass => "pass",
        }
    }
}

/// When a service is woken without a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wakeup {
    /// Time between two wake-ups in seconds.
    pub seconds: u32,
    /// Only once a client has used the service (`?`).
    pub only_once_used: bool,
}

/// A service as the master daemon needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// `smtp`, `127.0.0.1:10025`, `[::1]:smtp`; for sockets in the queue directory, the file name.
    pub name: String,
    /// The socket.
    pub kind: Kind,
    /// The socket lies in `private`, else in `public`.
    pub private: bool,
    /// The program runs as `$mail_owner`, else as root.
    pub unprivileged: bool,
    /// The program runs chrooted to the queue directory; `None` says nothing: yes below compatibility level 1.
    pub chroot: Option<bool>,
    /// Wake-ups, if any.
    pub wakeup: Option<Wakeup>,
    /// Most processes at a time: `None` is `default_process_limit`, `Some(0)` is no limit.
    pub process_limit: Option<u32>,
    /// The program, below `$daemon_directory` unless absolute.
    pub command: String,
    /// Its arguments, `-o` and `name=value` one by one, without braces.
    pub arguments: Vec<String>,
    /// `-o name=value`, in order.
    pub overrides: Vec<(String, String)>,
    /// How often `-v` is given.
    pub verbosity: usize,
    /// Number of its first line in master.cf.
    pub line: usize,
}

/// A master.cf that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: line {line}: {problem}")]
pub struct MasterError {
    /// The file.
    pub path: String,
    /// Number of the first physical line of the entry.
    pub line: usize,
    /// What is wrong.
    pub problem: ServiceProblem,
}

/// What is wrong with an entry, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceProblem {
    /// Fields are missing or have impossible values.
    #[error(
        "{0}; an entry is: service type private unprivileged chroot wakeup process_limit command [arguments]"
    )]
    Entry(#[from] EntryError),
    /// Braces that do not match.
    #[error(transparent)]
    Braces(#[from] BraceError),
    /// `-o` without `name=value`.
    #[error("bad -o option \"{text}\": {problem}; write -o name=value or -o {{ name = value }}")]
    Override {
        /// What follows `-o`.
        text: String,
        /// What is wrong with it.
        problem: AssignmentError,
    },
    /// A number that no process limit or time is as large as.
    #[error("field \"{field}\": bad value: \"{value}\"; write a smaller number")]
    TooLarge {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
    },
    /// White space at the start of a line that continues nothing.
    #[error(transparent)]
    Orphan(#[from] OrphanLine),
}

/// Reads master.cf. Of several entries with the same name and type, the last one counts.
///
/// A line that cannot be used is left out and its error given beside the services that can: one bad line
/// must not stop the others.
pub fn services(text: &str, path: &str) -> (Vec<Service>, Vec<MasterError>) {
    let mut services: Vec<Service> = Vec::new();
    let mut errors = Vec::new();
    for line in logical_lines(text) {
        match service(&line) {
            Ok(service) => {
                services.retain(|other| (&other.name, other.kind) != (&service.name, service.kind));
                services.push(service);
            }
            Err(problem) => errors.push(MasterError { path: path.to_owned(), line: line.first, problem }),
        }
    }
    (services, errors)
}

fn service(line: &LogicalLine<'_>) -> Result<Service, ServiceProblem> {
    if let Some(orphan) = line.orphan() {
        return Err(orphan.into());
    }
    let mut braces = Ok(());
    let entry = Entry::parse_as(line, ValueLetter::First, &mut |warning| {
        // A bad override is found again below, with its remedy.
        if let EntryWarning::Braces(error) = warning {
            braces = Err(error);
        }
    })?;
    braces?;
    let [name, kind, private, unprivileged, chroot, wakeup, process_limit, command] = entry.fields.clone();
    Ok(Service {
        kind: Kind::parse(&kind).unwrap_or(Kind::Unix),
        private: private != "n",
        unprivileged: unprivileged != "n",
        chroot: (chroot != "-").then_some(chroot == "y"),
        wakeup: parse_wakeup(&wakeup)?,
        process_limit: number("process_limit", &process_limit)?,
        overrides: overrides(&entry)?,
        verbosity: verbosity(&entry),
        line: entry.line,
        arguments: entry.arguments,
        name,
        command,
    })
}

fn parse_wakeup(value: &str) -> Result<Option<Wakeup>, ServiceProblem> {
    let seconds = number("wakeup", value.strip_suffix('?').unwrap_or(value))?;
    let wakeup = seconds.map(|seconds| Wakeup { seconds, only_once_used: value.ends_with('?') });
    Ok(wakeup.filter(|wakeup| wakeup.seconds > 0))
}

fn number(field: &'static str, value: &str) -> Result<Option<u32>, ServiceProblem> {
    if value == "-" {
        return Ok(None);
    }
    value.parse().map(Some).map_err(|_| ServiceProblem::TooLarge { field, value: value.to_owned() })
}

fn overrides(entry: &Entry) -> Result<Vec<(String, String)>, ServiceProblem> {
    let texts = entry.overrides().map(|at| entry.arguments[at].as_str());
    texts
        .map(|text| match split_assignment(text) {
            Ok((name, value)) => Ok((name.to_owned(), value.to_owned())),
            Err(problem) => Err(ServiceProblem::Override { text: text.to_owned(), problem }),
        })
        .collect()
}

fn verbosity(entry: &Entry) -> usize {
    let values: Vec<usize> = entry.overrides().collect();
    let options =
        entry.arguments.iter().enumerate().filter(|(at, _)| !values.contains(at)).map(|(_, text)| text);
    let letters = options.take_while(|text| text.starts_with('-') && *text != "--");
    letters.map(|text| text.matches('v').count()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(text: &str) -> Service {
        let (mut services, errors) = services(text, "master.cf");
        assert_eq!(errors, []);
        services.remove(0)
    }

    fn error(text: &str) -> String {
        services(text, "master.cf").1[0].to_string()
    }

    #[test]
    fn fields_and_their_defaults() {
        let service = one("smtp inet n - y 60? 0 smtpd\n");
        assert_eq!(
            (service.name.as_str(), service.kind, service.command.as_str()),
            ("smtp", Kind::Inet, "smtpd")
        );
        assert_eq!((service.private, service.unprivileged, service.chroot), (false, true, Some(true)));
        assert_eq!(service.wakeup, Some(Wakeup { seconds: 60, only_once_used: true }));
        assert_eq!(service.process_limit, Some(0));
        let service = one("x unix - n - 0 - cleanup\n");
        assert_eq!((service.private, service.unprivileged, service.chroot), (true, false, None));
        assert_eq!((service.wakeup, service.process_limit), (None, None));
    }

    #[test]
    fn options_in_every_spelling() {
        let service = one("a unix - - n - - smtp -v -o a=b -oc=d -vvo { e = f g }\n  -o h=\n");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(service.overrides, [pair("a", "b"), pair("c", "d"), pair("e", "f g"), pair("h", "")]);
        assert_eq!(service.verbosity, 3);
        assert_eq!(service.arguments[..4], ["-v", "-o", "a=b", "-o"]);
    }

    #[test]
    fn a_value_may_have_any_letter_in_it() {
        let service = one("a unix - - n - - smtp -ofoo=boo -vofoo=o\n");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(service.overrides, [pair("foo", "boo"), pair("foo", "o")]);
    }

    #[test]
    fn postconf_takes_options_apart_as_postfixs_does() {
        let line = LogicalLine {
            first: 1,
            last: 1,
            text: "a unix - - n - - smtp -odo=x -oo=b -oa -vdox - foo".into(),
        };
        let entry = Entry::parse(&line, &mut |_| ()).unwrap();
        assert_eq!(
            entry.arguments,
            ["-o", "d", "-o", "=x", "-o", "-o=b", "-o", "a", "-vd", "-o", "x", "-", "foo"]
        );
    }

    #[test]
    fn options_end_at_the_first_other_argument() {
        let service = one("a unix - - n - - pipe user=x argv=/bin/true -o a=b ${x} {a b}\n");
        assert_eq!(service.overrides, []);
        assert_eq!(service.arguments, ["user=x", "argv=/bin/true", "-o", "a=b", "${x}", "a b"]);
    }

    #[test]
    fn the_last_entry_of_a_name_and_type_counts() {
        let (services, _) =
            services("a unix - - n - - b\nc unix - - n - - d\na unix - - n - - e\na inet - - n - - f", "");
        let found: Vec<_> = services.iter().map(|service| service.command.as_str()).collect();
        assert_eq!(found, ["d", "e", "f"]);
    }

    #[test]
    fn errors_name_the_line_and_spare_the_others() {
        let (services, errors) = services("a unix - -\n\nb unix - - n - - b\n", "master.cf");
        assert_eq!((services.len(), errors.len()), (1, 1));
        assert!(errors[0].to_string().starts_with("master.cf: line 1: bad field count; an entry is: "));
        assert!(error("a x - - n - - b").contains("invalid type field \"x\" in \"a x - - n - - b\""));
        assert!(error("a unix - - n 5x - b").contains("invalid wakeup field \"5x\""));
        assert!(error("a unix - - n 5 1? b").contains("invalid process_limit field \"1?\""));
        assert!(error("a unix - - n 5 1 b -o c").contains("bad -o option \"c\": missing '='"));
        assert!(error("a unix - - n 5 1 b -o {c=d").contains("missing '}'"));
        assert!(error("a unix - - n 99999999999 1 b").contains("bad value"));
        assert!(error(" a unix - - n 5 1 b").contains("must not start with whitespace"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z {}=?\\-o0-9\\n#]{0,120}") {
            let _ = services(&text, "master.cf");
        }
    }
}
