//! The grammar of master.cf (master(5)): which services there are, and how each is started.

mod entry;

use crate::list::BraceError;
use crate::main_cf::{AssignmentError, LogicalLine, OrphanLine, logical_lines, split_assignment};

use self::entry::ValueLetter;
pub use self::entry::{Entry, EntryError, EntryWarning, FIELD_NAMES};

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
    /// Clients from the network can not reach what is private.
    #[error("inet service cannot be private; write n in the third field")]
    PrivateInet,
}

/// What is odd in a master.cf that can be used all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MasterWarning {
    /// White space at the start of a line that continues nothing: the line is no entry.
    #[error("{path}: {orphan}")]
    Orphan {
        /// The file.
        path: String,
        /// The line.
        orphan: OrphanLine,
    },
    /// Two entries have the same name and type.
    #[error("duplicate master.cf entry for service \"{name}\" ({place}) -- using the last entry")]
    Duplicate {
        /// As master.cf has it.
        name: String,
        /// Its socket, from the queue directory; the name again where it listens to the network.
        place: String,
    },
}

/// master.cf, line by line: what can be used, and what is wrong with the rest.
#[derive(Debug, Default)]
pub struct MasterFile {
    /// The services; of several with the same name and type, the last one.
    pub services: Vec<Service>,
    /// What is odd, in the order of the lines.
    pub warnings: Vec<MasterWarning>,
    /// The lines that can not be used. Postfix's master does not start with one.
    pub errors: Vec<MasterError>,
}

impl MasterFile {
    /// Reads the text of the file at `path`, whose name is for messages only.
    pub fn read(text: &str, path: &str) -> Self {
        let mut file = Self::default();
        for line in logical_lines(text) {
            if let Some(orphan) = line.orphan() {
                file.warnings.push(MasterWarning::Orphan { path: path.to_owned(), orphan });
                continue;
            }
            match service(&line) {
                Ok(service) => file.take(service),
                Err(problem) => {
                    file.errors.push(MasterError { path: path.to_owned(), line: line.first, problem });
                }
            }
        }
        file
    }

    fn take(&mut self, service: Service) {
        let before = self.services.len();
        self.services.retain(|other| (&other.name, other.kind) != (&service.name, service.kind));
        if self.services.len() < before {
            let (name, place) = (service.name.clone(), service.place());
            self.warnings.push(MasterWarning::Duplicate { name, place });
        }
        self.services.push(service);
    }
}

impl Service {
    /// `private/bounce`, `public/cleanup`: its socket, from the queue directory. The name, where it listens to the
    /// network.
    pub fn place(&self) -> String {
        match (self.kind, self.private) {
            (Kind::Inet, _) => self.name.clone(),
            (_, true) => format!("private/{}", self.name),
            (_, false) => format!("public/{}", self.name),
        }
    }
}

fn service(line: &LogicalLine<'_>) -> Result<Service, ServiceProblem> {
    let mut braces = Ok(());
    let entry = Entry::parse_as(line, ValueLetter::First, &mut |warning| {
        // A bad override is found again below, with its remedy.
        if let EntryWarning::Braces(error) = warning {
            braces = Err(error);
        }
    })?;
    braces?;
    let [name, kind, private, unprivileged, chroot, wakeup, process_limit, command] = entry.fields.clone();
    let (kind, private) = (Kind::parse(&kind).unwrap_or(Kind::Unix), private != "n");
    if private && kind == Kind::Inet {
        return Err(ServiceProblem::PrivateInet);
    }
    Ok(Service {
        kind,
        private,
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
        let mut file = MasterFile::read(text, "master.cf");
        assert_eq!(file.errors, []);
        file.services.remove(0)
    }

    fn error(text: &str) -> String {
        MasterFile::read(text, "master.cf").errors[0].to_string()
    }

    fn warnings(text: &str) -> Vec<String> {
        MasterFile::read(text, "master.cf").warnings.iter().map(ToString::to_string).collect()
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
    fn options_end_at_the_first_other_argument() {
        let service = one("a unix - - n - - pipe user=x argv=/bin/true -o a=b ${x} {a b}\n");
        assert_eq!(service.overrides, []);
        assert_eq!(service.arguments, ["user=x", "argv=/bin/true", "-o", "a=b", "${x}", "a b"]);
    }

    #[test]
    fn the_last_entry_of_a_name_and_type_counts() {
        let text = "a unix - - n - - b\nc unix - - n - - d\na unix - - n - - e\na inet n - n - - f\na inet n - n - - g";
        let file = MasterFile::read(text, "");
        let found: Vec<_> = file.services.iter().map(|service| service.command.as_str()).collect();
        assert_eq!(found, ["d", "e", "g"]);
        let duplicate = "duplicate master.cf entry for service";
        let last = "using the last entry";
        assert_eq!(
            warnings(text),
            [format!("{duplicate} \"a\" (private/a) -- {last}"), format!("{duplicate} \"a\" (a) -- {last}")]
        );
    }

    #[test]
    fn errors_name_the_line_and_spare_the_others() {
        let file = MasterFile::read("a unix - -\n\nb unix - - n - - b\n", "master.cf");
        assert_eq!((file.services.len(), file.errors.len()), (1, 1));
        assert!(file.errors[0].to_string().starts_with("master.cf: line 1: bad field count; an entry is: "));
        assert!(error("a x - - n - - b").contains("invalid type field \"x\" in \"a x - - n - - b\""));
        assert!(error("a unix - - n 5x - b").contains("invalid wakeup field \"5x\""));
        assert!(error("a unix - - n 5 1? b").contains("invalid process_limit field \"1?\""));
        assert!(error("a unix - - n 5 1 b -o c").contains("bad -o option \"c\": missing '='"));
        assert!(error("a unix - - n 5 1 b -o {c=d").contains("missing '}'"));
        assert!(error("a unix - - n 99999999999 1 b").contains("bad value"));
        assert!(error("25 inet - - n - - smtpd").contains("line 1: inet service cannot be private; write n"));
        assert!(
            warnings(" a unix - - n 5 1 b")[0].starts_with("master.cf: logical line must not start with ")
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z {}=?\\-o0-9\\n#]{0,120}") {
            let _ = MasterFile::read(&text, "master.cf");
        }
    }
}
