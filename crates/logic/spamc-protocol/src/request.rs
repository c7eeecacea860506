//! What a client asks.

use crate::reply::Fault;

/// Header lines of a request.
const HEADER_LIMIT: usize = 255;
/// Bytes of the request line and the header together.
pub(crate) const HEAD_LIMIT_BYTES: usize = 64 * 1024;

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Are you there?
    Ping,
    /// Nothing.
    Skip,
    /// Is it spam?
    Check,
    /// Which rules hit?
    Symbols,
    /// The report.
    Report,
    /// The report, if it is spam.
    ReportIfSpam,
    /// The message with its marks.
    Process,
    /// The header of the message with its marks.
    Headers,
    /// Learn from it, or tell others.
    Tell,
}

impl Command {
    /// Its name in the protocol.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ping => "PING",
            Self::Skip => "SKIP",
            Self::Check => "CHECK",
            Self::Symbols => "SYMBOLS",
            Self::Report => "REPORT",
            Self::ReportIfSpam => "REPORT_IFSPAM",
            Self::Process => "PROCESS",
            Self::Headers => "HEADERS",
            Self::Tell => "TELL",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let all = [
            Self::Ping,
            Self::Skip,
            Self::Check,
            Self::Symbols,
            Self::Report,
            Self::ReportIfSpam,
            Self::Process,
            Self::Headers,
            Self::Tell,
        ];
        all.into_iter().find(|command| command.name() == name)
    }
}

/// What a message is told to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Spam.
    Spam,
    /// Wanted mail.
    Ham,
}

/// What `TELL` is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Learn {
    /// `Message-class`.
    pub class: Option<Class>,
    /// `Set: local`
    pub set_local: bool,
    /// `Set: remote`
    pub set_remote: bool,
    /// `Remove: local`
    pub remove_local: bool,
    /// `Remove: remote`
    pub remove_remote: bool,
}

/// A request without its message.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What is asked.
    pub command: Command,
    /// The client's version, times ten: 15.
    pub version: u32,
    /// For whom.
    pub user: Option<String>,
    /// Bytes of the message as they are sent.
    pub content_length: Option<usize>,
    /// The message is compressed with zlib.
    pub compressed: bool,
    /// What `TELL` is about.
    pub learn: Learn,
}

impl Request {
    /// Reads the first line.
    ///
    /// # Errors
    /// [`Fault::BadHeaderLine`] with the line.
    pub(crate) fn begin(line: &str) -> Result<Self, Fault> {
        let bad = || Fault::BadHeaderLine(line.to_owned());
        let (name, version) = line.split_once(" SPAMC/").ok_or_else(bad)?;
        let name =
            name.rsplit(|char: char| !(char.is_ascii_uppercase() || char == '_')).next().unwrap_or_default();
        let command = Command::parse(name).ok_or_else(bad)?;
        let (major, minor) = version.trim().split_once('.').ok_or_else(bad)?;
        let minor: String = minor.chars().take_while(char::is_ascii_digit).collect();
        let number = |text: &str| text.parse::<u32>().map_err(|_| bad());
        let version = number(major)?.saturating_mul(10).saturating_add(number(&minor)?.min(9));
        let learn = Learn::default();
        Ok(Self { command, version, user: None, content_length: None, compressed: false, learn })
    }

    /// Does the client send header lines? Before 1.1 there were none, and `PING` has them since 1.5.
    pub(crate) fn has_header(&self) -> bool {
        match self.command {
            Command::Ping | Command::Skip => self.version >= 15,
            Command::Tell => true,
            _ => self.version > 10,
        }
    }

    /// Why a request can not be carried out, whatever its message.
    pub(crate) fn contradiction(&self) -> Option<Fault> {
        let learn = &self.learn;
        let both = [
            (learn.set_local, learn.remove_local, "local"),
            (learn.set_remote, learn.remove_remote, "remote"),
        ];
        let (_, _, place) = both.into_iter().find(|(set, remove, _)| *set && *remove)?;
        let text = format!("Unable to set {place} and remove {place} in the same operation.");
        Some(Fault::BadHeaderLine(text))
    }

    /// Takes header line number `count`, from 1. Names are read with their case, as the original does.
    pub(crate) fn header(&mut self, line: &str, count: usize) -> Result<(), Fault> {
        if count > HEADER_LIMIT {
            return Err(Fault::BadHeaderLine("(too many headers)".to_owned()));
        }
        let form = || Fault::BadHeaderLine("(header not in 'Name: value' format)".to_owned());
        let (name, value) = line.split_once(':').ok_or_else(form)?;
        let value = value.trim_start();
        match name {
            "Content-length" => self.content_length = Some(content_length(value)?),
            "User" if value.contains(|char: char| char < ' ') => {
                return Err(Fault::BadHeaderLine("(User header contains control chars)".to_owned()));
            }
            "User" => self.user = user(value),
            "Compress" => self.compress(value)?,
            "Message-class" => {
                self.learn.class = match value.to_ascii_lowercase().as_str() {
                    "spam" => Some(Class::Spam),
                    "ham" => Some(Class::Ham),
                    _ => None,
                }
            }
            "Set" => (self.learn.set_local, self.learn.set_remote) = places(value),
            "Remove" => (self.learn.remove_local, self.learn.remove_remote) = places(value),
            _ => {}
        }
        Ok(())
    }

    fn compress(&mut self, value: &str) -> Result<(), Fault> {
        if !value.to_ascii_lowercase().contains("zlib") {
            return Err(Fault::BadHeaderLine(format!("(compression type not supported: {value})")));
        }
        self.compressed = true;
        Ok(())
    }
}

fn content_length(value: &str) -> Result<usize, Fault> {
    let number = value.parse().ok().filter(|_| value.bytes().all(|byte| byte.is_ascii_digit()));
    number.ok_or_else(|| Fault::BadHeaderLine("(Content-Length contains non-numeric bytes)".to_owned()))
}

/// A name that can not lead out of a folder of users; others are as if none was given.
fn user(value: &str) -> Option<String> {
    let good = |char: char| !char.is_control() && char != '/';
    let plausible =
        !value.is_empty() && value.len() <= 256 && value.chars().all(good) && !value.starts_with('.');
    plausible.then(|| value.to_owned())
}

fn places(value: &str) -> (bool, bool) {
    let value = value.to_ascii_lowercase();
    let has = |place: &str| value.contains(place);
    (has("local"), has("remote"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read() {
        let mut request = Request::begin("CHECK SPAMC/1.5").unwrap();
        request.header("Content-length: 12", 1).unwrap();
        request.header("User: joe", 2).unwrap();
        request.header("Content-Length: 5", 3).unwrap();
        assert_eq!(
            (request.command, request.version, request.content_length),
            (Command::Check, 15, Some(12))
        );
        assert_eq!(request.user.as_deref(), Some("joe"));
        assert_eq!(Request::begin("PING SPAMC/9.9").unwrap().version, 99);
        assert!(Request::begin("check SPAMC/1.5").is_err() && Request::begin("GET / HTTP/1.0").is_err());
        assert_eq!(user("o'hara\\x y@example.com").as_deref(), Some("o'hara\\x y@example.com"));
        for odd in ["", "../x", "a/../x", "a\u{7f}"] {
            assert_eq!(user(odd), None);
        }
    }
}
