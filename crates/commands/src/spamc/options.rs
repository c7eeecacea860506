//! The command line of spamc, read as the original reads it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use spamc_protocol::{Class, Command, Learn};

/// Bytes of a message, when `-s` does not say.
const SIZE_BYTES: usize = 500 * 1024;
/// What `-s` may say at the most.
const SIZE_LIMIT_BYTES: usize = 256 * 1024 * 1024;
/// The file that is read when it is there.
const CONFIG: &str = "/etc/spamassassin/spamc.conf";
/// Words of a file of options, and bytes of one of its lines.
const WORDS_LIMIT: usize = 100;
const LINE_LIMIT_BYTES: usize = 1024;

/// Where spamd is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Hosts, tried in turn.
    Hosts(Vec<String>),
    /// A unix socket.
    Socket(PathBuf),
}

/// Which addresses of a host count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Any,
    V4,
    V6,
}

/// Files of TLS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Secrets {
    /// What we show when spamd asks who we are.
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    /// Whom spamd's certificate has to lead to; anybody's will do when there is neither.
    pub(crate) authorities: Option<PathBuf>,
    pub(crate) authority_folders: Option<PathBuf>,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) place: Place,
    pub(crate) port: u16,
    pub(crate) family: Family,
    pub(crate) randomize: bool,
    pub(crate) user: Option<String>,
    pub(crate) size_limit_bytes: usize,
    pub(crate) timeout_seconds: u64,
    pub(crate) connect_timeout_seconds: u64,
    pub(crate) connect_attempts: u32,
    pub(crate) connect_pause_seconds: u64,
    pub(crate) filter_attempts: u32,
    pub(crate) filter_pause_seconds: u64,
    pub(crate) bsmtp: bool,
    pub(crate) exit_code: bool,
    pub(crate) safe_fallback: bool,
    pub(crate) unavailable_is_temporary: bool,
    pub(crate) compress: bool,
    pub(crate) log_to_stderr: bool,
    /// TLS, and with what.
    pub(crate) secrets: Option<Secrets>,
    /// `-K`: only whether spamd is there is asked.
    pub(crate) ping: bool,
    /// `-x`: the first host alone is tried.
    pub(crate) first_host: bool,
    pub(crate) command: Command,
    /// What the modes ask, also where something else is done: it says what is shown when there is no verdict.
    pub(crate) mode: Command,
    /// `--headers`: the body is put behind what comes back.
    pub(crate) header_only: bool,
    pub(crate) learn: Learn,
    /// `-C`, not `-L`.
    pub(crate) report: bool,
    /// The result goes there.
    pub(crate) pipe_to: Option<Vec<OsString>>,
    /// What is odd, for the log.
    pub(crate) complaints: Vec<String>,
}

/// What the command line comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parsed {
    Run(Box<Options>),
    Help,
    Version,
}

/// Why there is nothing to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misuse {
    /// No such option; shown with how the command is used, and told where the log goes.
    #[error("{text}")]
    Unknown { text: String, to_stderr: bool },
    /// Options that contradict each other; told where the log goes.
    #[error("{text}")]
    Refused { text: String, to_stderr: bool },
    /// The file of options.
    #[error("{0}")]
    Config(String),
}

/// What is wrong with a word.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("option not found {0}")]
    Option(String),
    #[error("argument required for option {0}")]
    Argument(String),
}

/// How complaints name an option: a letter without its dash.
fn shown(word: &str) -> String {
    if word.starts_with("--") { word.to_owned() } else { word.chars().skip(1).take(1).collect() }
}

/// All options with a name: letter (a blank where there is none), name, whether a value follows.
const NAMES: [(char, &str, bool); 34] = [
    ('4', "", false),
    ('6', "", false),
    ('B', "bsmtp", false),
    ('C', "reporttype", true),
    ('E', "exitcode", false),
    ('F', "config", true),
    ('H', "randomize", false),
    ('K', "", false),
    ('L', "learntype", true),
    ('R', "full", false),
    ('S', "ssl", false),
    ('U', "socket", true),
    ('V', "version", false),
    ('X', "unavailable-tempfail", false),
    ('c', "check", false),
    ('d', "dest", true),
    ('e', "pipe-to", true),
    ('f', "", false),
    ('h', "help", false),
    ('l', "log-to-stderr", false),
    ('n', "connect-timeout", true),
    ('p', "port", true),
    ('r', "full-spam", false),
    ('s', "max-size", true),
    ('t', "timeout", true),
    ('u', "username", true),
    ('x', "no-safe-fallback", false),
    ('y', "tests", false),
    ('z', "compress", false),
    (' ', "connect-retries", true),
    (' ', "filter-retries", true),
    (' ', "filter-retry-sleep", true),
    (' ', "headers", false),
    (' ', "retry-sleep", true),
];

/// What each of the modes asks; the first in this order counts.
const MODES: [(&str, Command); 5] = [
    ("check", Command::Check),
    ("full-spam", Command::ReportIfSpam),
    ("full", Command::Report),
    ("tests", Command::Symbols),
    ("headers", Command::Headers),
];

/// Options as they are read, before it is known what they come to together.
struct Reader {
    options: Options,
    modes: Vec<String>,
    ping: bool,
    learn_type: Option<String>,
    report_type: Option<String>,
    /// `-S`, and whether it came with a version.
    ssl: Option<bool>,
    secrets: Secrets,
    help: Option<Parsed>,
}

/// Reads the command line, and the file of options before it.
pub(crate) fn parse(arguments: &[OsString]) -> Result<Parsed, Misuse> {
    let mut words: Vec<OsString> = config_words(arguments)?.into_iter().map(OsString::from).collect();
    words.extend(arguments.iter().cloned());
    let mut reader = Reader::new();
    let mut rest = words.into_iter().enumerate();
    while let Some((at, word)) = rest.next() {
        let word = word.to_string_lossy().into_owned();
        if word == "--" || word == "-" {
            break;
        }
        let unknown = |fault: Fault| {
            let letter = if word.starts_with("--") { "" } else { ", char 2" };
            let (text, to_stderr) =
                (format!("Error in argument {}{letter}", at + 1), reader.options.log_to_stderr);
            let space = if letter.is_empty() { " " } else { "" };
            Misuse::Unknown { text: format!("{text}{space}: {fault}"), to_stderr }
        };
        let Some((name, value, takes)) = option_of(&word).map_err(unknown)? else { break };
        let value = match (takes, value) {
            (true, None) => {
                let next =
                    rest.next().map(|(_, next)| next).filter(|next| !next.to_string_lossy().starts_with('-'));
                Some(next.ok_or_else(|| unknown(Fault::Argument(shown(&word))))?)
            }
            (_, value) => value.map(OsString::from),
        };
        if name == "pipe-to" {
            let mut command: Vec<OsString> = value.into_iter().collect();
            command.extend(rest.by_ref().map(|(_, word)| word));
            reader.options.pipe_to = Some(command);
            break;
        }
        let text = value.map(|value| value.to_string_lossy().into_owned()).unwrap_or_default();
        reader.take(&name, text);
    }
    reader.finish()
}

/// The name of an option, the value that stands in the same word, and whether it takes one. Letters behind the first of a
/// word are not looked at, as in the original. A word that is no option ends them.
fn option_of(word: &str) -> Result<Option<(String, Option<String>, bool)>, Fault> {
    if let Some(long) = word.strip_prefix("--") {
        let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
        let ssl = matches!(name, "ssl-cert" | "ssl-key" | "ssl-ca-file" | "ssl-ca-path");
        let known = NAMES.iter().find(|(_, known, _)| *known == name && !name.is_empty());
        let takes = known.map(|(_, _, takes)| *takes).or(ssl.then_some(true));
        let takes = takes.ok_or_else(|| Fault::Option(word.to_owned()))?;
        return Ok(Some((name.to_owned(), value.map(str::to_owned), takes)));
    }
    let Some(letter) = word.strip_prefix('-').and_then(|letters| letters.chars().next()) else {
        return Ok(None);
    };
    let known = NAMES.iter().find(|(known, _, _)| *known == letter && letter != ' ');
    let (_, name, takes) = known.ok_or_else(|| Fault::Option(letter.to_string()))?;
    // The value must be a word of its own.
    if *takes && word.len() > 2 {
        return Err(Fault::Argument(letter.to_string()));
    }
    let name = if name.is_empty() { letter.to_string() } else { (*name).to_owned() };
    Ok(Some((name, None, *takes)))
}

/// The words of the file of options: the one that is asked for, else the usual one if it is there.
fn config_words(arguments: &[OsString]) -> Result<Vec<String>, Misuse> {
    let long =
        |word: &OsString| word.to_str().and_then(|word| word.strip_prefix("--config=")).map(PathBuf::from);
    let asked = arguments.iter().enumerate().find_map(|(at, word)| {
        let named = word == "-F" || word == "--config";
        if named { arguments.get(at + 1).map(PathBuf::from) } else { long(word) }
    });
    let path = asked.clone().unwrap_or_else(|| PathBuf::from(CONFIG));
    match std::fs::read_to_string(&path) {
        Ok(text) => words_of(&text, &path),
        Err(_) if asked.is_none() => Ok(Vec::new()),
        Err(_) => Err(Misuse::Config(format!("Failed to open config file: {}", path.display()))),
    }
}

fn words_of(text: &str, path: &Path) -> Result<Vec<String>, Misuse> {
    let fault = |what: String| Err(Misuse::Config(format!("{what} in {}", path.display())));
    let mut words = Vec::new();
    for line in text.split_inclusive('\n') {
        if !line.ends_with('\n') {
            return fault("Line not terminated with a newline".to_owned());
        }
        if line.len() > LINE_LIMIT_BYTES {
            return fault(format!("Exceeded max line size ({LINE_LIMIT_BYTES})"));
        }
        if !line.starts_with('#') {
            words.extend(line.split_ascii_whitespace().map(str::to_owned));
        }
    }
    if words.len() > WORDS_LIMIT {
        return fault(format!("Exceeded max number of arguments ({WORDS_LIMIT})"));
    }
    Ok(words)
}

impl Reader {
    fn new() -> Self {
        let options = Options {
            place: Place::Hosts(vec!["localhost".to_owned()]),
            port: 783,
            family: Family::Any,
            randomize: false,
            user: None,
            size_limit_bytes: SIZE_BYTES,
            timeout_seconds: 600,
            connect_timeout_seconds: 600,
            connect_attempts: 3,
            connect_pause_seconds: 1,
            filter_attempts: 1,
            filter_pause_seconds: 1,
            bsmtp: false,
            exit_code: false,
            safe_fallback: true,
            unavailable_is_temporary: false,
            compress: false,
            log_to_stderr: false,
            secrets: None,
            ping: false,
            first_host: false,
            command: Command::Process,
            mode: Command::Process,
            header_only: false,
            learn: Learn::default(),
            report: false,
            pipe_to: None,
            complaints: Vec::new(),
        };
        Self {
            options,
            modes: Vec::new(),
            ping: false,
            learn_type: None,
            report_type: None,
            ssl: None,
            secrets: Secrets::default(),
            help: None,
        }
    }

    fn take(&mut self, name: &str, text: String) {
        let options = &mut self.options;
        // As atoi(3): what is no number counts as 0.
        let digits: String = text.trim().chars().take_while(char::is_ascii_digit).collect();
        let number: u64 = digits.parse().unwrap_or(0);
        let count = u32::try_from(number).unwrap_or(u32::MAX).max(1);
        match name {
            "bsmtp" => options.bsmtp = true,
            "check" | "tests" | "full-spam" | "full" | "headers" => self.modes.push(name.to_owned()),
            "reporttype" => self.report_type = Some(text),
            "learntype" => self.learn_type = Some(text),
            "exitcode" => options.exit_code = true,
            "randomize" => options.randomize = true,
            "K" => self.ping = true,
            "4" => options.family = Family::V4,
            "6" => options.family = Family::V6,
            "socket" => options.place = Place::Socket(text.into()),
            "dest" => {
                options.place = Place::Hosts(text.split(',').map(str::to_owned).collect());
            }
            "port" => options.port = u16::try_from(number).unwrap_or(0),
            "username" => options.user = Some(text),
            "max-size" => options.size_limit_bytes = usize::try_from(number).unwrap_or(usize::MAX),
            "timeout" => options.timeout_seconds = number,
            "connect-timeout" => options.connect_timeout_seconds = number,
            "connect-retries" => options.connect_attempts = count,
            "retry-sleep" => options.connect_pause_seconds = number,
            "filter-retries" => options.filter_attempts = count,
            "filter-retry-sleep" => options.filter_pause_seconds = number,
            "no-safe-fallback" => options.safe_fallback = false,
            "unavailable-tempfail" if options.safe_fallback => {
                options.complaints.push("This option is only valid if -x is set first".to_owned());
            }
            "unavailable-tempfail" => options.unavailable_is_temporary = true,
            "compress" => options.compress = true,
            "log-to-stderr" => options.log_to_stderr = true,
            "ssl" => self.ssl = Some(self.ssl.unwrap_or_default() || !text.is_empty()),
            "ssl-ca-file" => self.secrets.authorities = Some(text.into()),
            "ssl-ca-path" => self.secrets.authority_folders = Some(text.into()),
            "ssl-cert" => self.secrets.certificate = Some(text.into()),
            "ssl-key" => self.secrets.key = Some(text.into()),
            "help" => self.help = self.help.take().or(Some(Parsed::Help)),
            "version" => self.help = self.help.take().or(Some(Parsed::Version)),
            _ => {}
        }
    }

    fn refused(&self, text: impl Into<String>) -> Misuse {
        Misuse::Refused { text: text.into(), to_stderr: self.options.log_to_stderr }
    }

    fn finish(mut self) -> Result<Parsed, Misuse> {
        if let Some(help) = self.help {
            return Ok(help);
        }
        if self.options.size_limit_bytes > SIZE_LIMIT_BYTES {
            return Err(self.refused(format!("-s parameter is beyond max of {SIZE_LIMIT_BYTES}")));
        }
        if self.ssl == Some(true) {
            return Err(self.refused("Explicit specification of an SSL/TLS version no longer supported."));
        }
        if self.secrets.certificate.is_some() != self.secrets.key.is_some() {
            return Err(self.refused("--ssl-cert and --ssl-key must be used together"));
        }
        self.options.secrets = self.ssl.map(|_| self.secrets.clone());
        let asked = MODES.iter().find(|(name, _)| self.modes.iter().any(|mode| mode == name));
        self.options.mode = asked.map_or(Command::Process, |(_, command)| *command);
        self.options.command = self.options.mode;
        self.options.first_host = !self.options.safe_fallback;
        self.options.header_only = self.modes.iter().any(|mode| mode == "headers");
        if let Some(learn_type) = self.learn_type.clone() {
            self.options.learn = self.learning(&learn_type)?;
            self.options.command = Command::Tell;
            self.options.safe_fallback = false;
        } else if let Some(report_type) = self.report_type.clone() {
            self.options.learn = self.reporting(&report_type)?;
            self.options.command = Command::Tell;
            self.options.report = true;
        }
        if self.ping {
            self.options.ping = true;
            if matches!(self.options.command, Command::Process | Command::Headers | Command::Tell) {
                self.options.command = Command::Ping;
            }
        }
        Ok(Parsed::Run(Box::new(self.options)))
    }

    /// What `-L` goes together with.
    fn learning(&self, learn_type: &str) -> Result<Learn, Misuse> {
        let excluded = [
            (self.modes.iter().any(|mode| mode == "check"), "check only"),
            (self.ping, "ping"),
            (self.modes.iter().any(|mode| mode == "full-spam"), "report if spam"),
            (self.modes.iter().any(|mode| mode == "full"), "report"),
            (self.modes.iter().any(|mode| mode == "tests"), "symbols"),
            (self.report_type.is_some(), "reporting to collaborative filtering databases"),
        ];
        if let Some((_, what)) = excluded.into_iter().find(|(excluded, _)| *excluded) {
            return Err(self.refused(format!("Learning excludes {what}")));
        }
        let none = Learn::default();
        match learn_type {
            "spam" => Ok(Learn { class: Some(Class::Spam), set_local: true, ..none }),
            "ham" => Ok(Learn { class: Some(Class::Ham), set_local: true, ..none }),
            "forget" => Ok(Learn { remove_local: true, ..none }),
            _ => Err(self.refused("Please specify a legal learn type")),
        }
    }

    fn reporting(&self, report_type: &str) -> Result<Learn, Misuse> {
        let set = Learn { set_local: true, ..Learn::default() };
        match report_type {
            "report" => Ok(Learn { class: Some(Class::Spam), set_remote: true, ..set }),
            "revoke" => Ok(Learn { class: Some(Class::Ham), remove_remote: true, ..set }),
            _ => Err(self.refused("Please specify a legal report type")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Parsed, Misuse> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        parse(&words)
    }

    fn run(line: &str) -> Options {
        match read(line) {
            Ok(Parsed::Run(options)) => *options,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn modes_have_an_order() {
        for (line, command) in [
            ("", Command::Process),
            ("-y -c", Command::Check),
            ("-R -r", Command::ReportIfSpam),
            ("-y -R", Command::Report),
            ("--headers -y", Command::Symbols),
            ("-yc", Command::Symbols),
            ("-K -c", Command::Check),
            ("-K --headers", Command::Ping),
            ("-R -C report", Command::Tell),
            ("--check=1", Command::Check),
            ("- -c", Command::Process),
            ("stray -c", Command::Process),
        ] {
            assert_eq!(run(line).command, command, "{line}");
        }
    }

    #[test]
    fn values_are_words_of_their_own() {
        let options = run("-d a,b --port=7830 -s 17 -t x -u joe -E -e /bin/cat -u x");
        assert_eq!(options.place, Place::Hosts(vec!["a".into(), "b".into()]));
        assert_eq!((options.port, options.size_limit_bytes, options.timeout_seconds), (7830, 17, 0));
        assert_eq!(options.pipe_to.unwrap(), ["/bin/cat", "-u", "x"]);
        assert!(options.exit_code && options.user.as_deref() == Some("joe"));
        for (line, told) in [
            ("-ujoe", "Error in argument 1, char 2: argument required for option u"),
            ("-l -s -5", "Error in argument 2, char 2: argument required for option s"),
            ("-c --max-size", "Error in argument 2 : argument required for option --max-size"),
            ("-Z", "Error in argument 1, char 2: option not found Z"),
            ("--chec", "Error in argument 1 : option not found --chec"),
        ] {
            let to_stderr = line.starts_with("-l");
            assert_eq!(read(line), Err(Misuse::Unknown { text: told.to_owned(), to_stderr }), "{line}");
        }
        assert_eq!(read("-V"), Ok(Parsed::Version));
    }

    #[test]
    fn contradictions_are_refused() {
        for line in [
            "-L nope",
            "-L SPAM",
            "-C nope",
            "-L spam -c",
            "-L spam -K",
            "-L spam -C report",
            "-s 300000000",
            "--ssl=tlsv1",
            "-S --ssl-cert c",
            "--ssl-key k",
        ] {
            assert!(matches!(read(line), Err(Misuse::Refused { .. })), "{line}");
        }
        assert_eq!(run("-X").complaints.len(), 1);
        assert!(run("-x -X").unavailable_is_temporary && !run("-L ham").safe_fallback);
        assert!(run("-x").first_host && !run("-L ham").first_host);
        assert!(run("-C revoke").learn.remove_remote && run("-L forget").learn.remove_local);
    }

    #[test]
    fn tls_is_spoken_where_it_is_asked_for() {
        assert_eq!(run("--ssl-ca-file ca").secrets, None);
        let secrets = run("--ssl --ssl-ca-path=/x --ssl-cert c --ssl-key k").secrets.unwrap();
        assert_eq!((secrets.authorities, secrets.authority_folders), (None, Some("/x".into())));
        assert_eq!((secrets.certificate, secrets.key), (Some("c".into()), Some("k".into())));
    }

    #[test]
    fn a_file_of_options_comes_first() {
        let words = words_of("# x\n-u conf\n\n -y\n", Path::new("c")).unwrap();
        assert_eq!(words, ["-u", "conf", "-y"]);
        assert!(words_of("-y", Path::new("c")).is_err());
    }
}
