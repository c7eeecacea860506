//! spamc's side of a connection: the bytes of a request, and what a reply says.

use crate::request::{Class, Command, Learn};

/// Bytes of a line in a reply's header: those of the original client's buffer.
const LINE_LIMIT_BYTES: usize = 8187;
/// Scores in a reply are cut to this, so that printing one can not fill a screen.
const SCORE_LIMIT: f64 = 1e10;
/// Characters of `True` or `False`, and of a number, that the original reads.
const VERDICT_LIMIT: usize = 5;
const NUMBER_LIMIT: usize = 20;

/// What goes to spamd, but for the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call<'a> {
    /// What is asked.
    pub command: Command,
    /// What `TELL` is about.
    pub learn: Learn,
    /// For whom.
    pub user: Option<&'a str>,
    /// The message is compressed with zlib.
    pub compressed: bool,
    /// Nothing goes with the command, as with `PING`: all that counts is that somebody replies.
    pub bare: bool,
}

impl Call<'_> {
    /// The whole request, in the order of fields of the original client.
    pub fn bytes(&self, message: &[u8]) -> Vec<u8> {
        let mut text = format!("{} SPAMC/1.5\r\n", self.command.name());
        if self.bare || self.command == Command::Ping {
            return (text + "\r\n").into_bytes();
        }
        let class = match self.learn.class {
            Some(Class::Spam) => "Message-class: spam\r\n",
            Some(Class::Ham) => "Message-class: ham\r\n",
            None => "",
        };
        text.push_str(class);
        let fields = [
            ("Set", self.learn.set_local, self.learn.set_remote),
            ("Remove", self.learn.remove_local, self.learn.remove_remote),
        ];
        for (name, local, remote) in fields {
            if let Some(places) = places(local, remote) {
                text.push_str(&format!("{name}: {places}\r\n"));
            }
        }
        if let Some(user) = self.user {
            text.push_str(&format!("User: {user}\r\n"));
        }
        if self.compressed {
            text.push_str("Compress: zlib\r\n");
        }
        text.push_str(&format!("Content-length: {}\r\n\r\n", message.len()));
        [text.as_bytes(), message].concat()
    }
}

/// `local`, `remote`, both, or none.
pub(crate) fn places(local: bool, remote: bool) -> Option<&'static str> {
    match (local, remote) {
        (true, true) => Some("local,remote"),
        (true, false) => Some("local"),
        (false, true) => Some("remote"),
        (false, false) => None,
    }
}

/// Spam or not, and by how much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The reply says `True`. (`Yes`, of `REPORT_IFSPAM`, does not count for the original client either.)
    pub spam: bool,
    /// What the message has.
    pub score: f64,
    /// From where on it is spam.
    pub threshold: f64,
}

impl Score {
    /// `15.0/5.0`
    pub fn line(&self) -> String {
        format!("{:.1}/{:.1}\n", self.score, self.threshold)
    }
}

/// What spamd said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The version it names: `1.1`.
    pub version: String,
    /// 0, or why there is nothing, by the numbers of sysexits.h.
    pub status: i32,
    /// The verdict.
    pub score: Option<Score>,
    /// What `TELL` did.
    pub did: Learn,
    /// The message, the report or the names of rules.
    pub body: Vec<u8>,
    /// What is wrong with it, and does not count for this command.
    pub complaint: Option<BadAnswer>,
}

/// Why a reply can not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    /// It ends too early.
    #[error("spamd has closed the connection too early")]
    Cut,
    /// Its first line is none of spamd's.
    #[error("spamd responded with bad string '{0}'")]
    Line(String),
    /// No such version.
    #[error("spamd responded with bad version string '{0}'")]
    Version(String),
    /// The length is no number.
    #[error("spamd responded with bad Content-length '{0}'")]
    Length(String),
    /// A field that must be there is not.
    #[error("spamd responded with a header that makes no sense")]
    Header,
    /// It is longer or shorter than it says.
    #[error("failed sanity check, {claimed} bytes claimed, {seen} bytes seen")]
    Size {
        /// What it says.
        claimed: usize,
        /// What came.
        seen: usize,
    },
    /// A line without end.
    #[error("spamd responded with line of {LINE_LIMIT_BYTES} bytes, dying")]
    LongLine,
}

/// Reads the whole reply to `command`.
///
/// # Errors
/// [`BadAnswer`]: the message is to be taken as not checked.
pub fn read_answer(command: Command, bytes: &[u8]) -> Result<Answer, BadAnswer> {
    let (first, mut rest) = line(bytes)?;
    let (version, status) = status_line(&first)?;
    let mut answer = Answer { version, status, ..Answer::default() };
    if command == Command::Ping {
        return Ok(answer);
    }
    let mut length = None;
    loop {
        let (text, behind) = line(rest)?;
        rest = behind;
        if text.is_empty() {
            break;
        }
        field(&text, &mut answer, &mut length);
    }
    match command {
        Command::Tell => {}
        Command::Check => {
            answer.score.ok_or(BadAnswer::Header)?;
        }
        _ => {
            if let Some(fault) = answer.complaint {
                return Err(fault);
            }
            let claimed = length.ok_or(BadAnswer::Header)?;
            if claimed != rest.len() {
                // The original client puts the line of the score before a report, and counts it.
                let report = matches!(command, Command::Report | Command::ReportIfSpam);
                let line = answer.score.filter(|_| report).map_or(0, |score| score.line().len());
                return Err(BadAnswer::Size { claimed: claimed + line, seen: rest.len() + line });
            }
            answer.body = rest.to_vec();
        }
    }
    Ok(answer)
}

/// A line without its end, and what is behind it.
fn line(bytes: &[u8]) -> Result<(String, &[u8]), BadAnswer> {
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or(BadAnswer::Cut)?;
    if end > LINE_LIMIT_BYTES {
        return Err(BadAnswer::LongLine);
    }
    let text = bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]);
    Ok((String::from_utf8_lossy(text).into_owned(), &bytes[end + 1..]))
}

fn status_line(line: &str) -> Result<(String, i32), BadAnswer> {
    let bad = || BadAnswer::Line(line.to_owned());
    let mut words = line.strip_prefix("SPAMD/").ok_or_else(bad)?.split_ascii_whitespace();
    let version = words.next().ok_or_else(bad)?.to_owned();
    let status = words.next().and_then(leading_number).ok_or_else(bad)?;
    if leading_score(&version) >= 1.0 {
        Ok((version, as_int(status)))
    } else {
        Err(BadAnswer::Version(version))
    }
}

/// One line of the header. What does not read counts for nothing, as a field that is not known.
fn field(line: &str, answer: &mut Answer, length: &mut Option<usize>) {
    let Some((name, value)) = line.split_once(':') else { return };
    let has = |place: &str| value.contains(place);
    match name {
        "Spam" => answer.score = score(value).or(answer.score),
        "Content-length" => match leading_number(value).map(|number| usize::try_from(as_int(number))) {
            Some(Ok(number)) => *length = Some(number),
            Some(Err(_)) => answer.complaint = Some(BadAnswer::Length(line.to_owned())),
            None => {}
        },
        "DidSet" => (answer.did.set_local, answer.did.set_remote) = (has("local"), has("remote")),
        "DidRemove" => (answer.did.remove_local, answer.did.remove_remote) = (has("local"), has("remote")),
        _ => {}
    }
}

/// As scanf(3) reads a number: what is behind it does not count.
fn leading_number(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let sign = usize::from(text.starts_with(['-', '+']));
    let digits = text[sign..].bytes().take_while(u8::is_ascii_digit).count();
    let limit = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    (digits > 0).then(|| text[..sign + digits].parse().unwrap_or(limit))
}

/// What the original keeps of a number: the low bits.
fn as_int(number: i64) -> i32 {
    number as i32
}

/// A score without an exponent; what is no number counts as 0.
fn leading_score(text: &str) -> f64 {
    let sign = usize::from(text.starts_with(['-', '+']));
    let end = text[sign..].bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    text[..sign + end].parse::<f64>().unwrap_or(0.0).clamp(-SCORE_LIMIT, SCORE_LIMIT)
}

/// `True ; 15.0 / 5.0`
fn score(value: &str) -> Option<Score> {
    let (verdict, rest) = word(value, VERDICT_LIMIT)?;
    let (score, rest) = word(rest.trim_ascii_start().strip_prefix(';')?, NUMBER_LIMIT)?;
    let (threshold, _) = word(rest.trim_ascii_start().strip_prefix('/')?, NUMBER_LIMIT)?;
    let spam = verdict.eq_ignore_ascii_case("true");
    Some(Score { spam, score: leading_score(score), threshold: leading_score(threshold) })
}

/// The next word, as scanf(3) takes one: its first characters, whatever stands behind.
fn word(text: &str, limit: usize) -> Option<(&str, &str)> {
    let text = text.trim_ascii_start();
    let is_end =
        |(count, (_, character)): &(usize, (usize, char))| *count == limit || character.is_ascii_whitespace();
    let end = text.char_indices().enumerate().find(is_end).map_or(text.len(), |(_, (at, _))| at);
    (end > 0).then(|| text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reply, Verdict};
    use proptest::prelude::*;

    #[test]
    fn requests_are_those_of_the_original() {
        let call = Call {
            command: Command::Check,
            learn: Learn::default(),
            user: Some("joe"),
            compressed: false,
            bare: false,
        };
        assert_eq!(call.bytes(b"x\n"), b"CHECK SPAMC/1.5\r\nUser: joe\r\nContent-length: 2\r\n\r\nx\n");
        let learn =
            Learn { class: Some(Class::Ham), set_local: true, remove_remote: true, ..Learn::default() };
        let told = Call { command: Command::Tell, learn, ..call.clone() }.bytes(b"x");
        let expected = "TELL SPAMC/1.5\r\nMessage-class: ham\r\nSet: local\r\nRemove: remote\r\nUser: joe\r\nContent-length: 1\r\n\r\nx";
        assert_eq!(String::from_utf8(told).unwrap(), expected);
        assert_eq!(Call { command: Command::Ping, ..call.clone() }.bytes(b""), b"PING SPAMC/1.5\r\n\r\n");
        assert_eq!(Call { bare: true, ..call }.bytes(b""), b"CHECK SPAMC/1.5\r\n\r\n");
    }

    #[test]
    fn replies_are_understood() {
        let read = |command, text: &str| read_answer(command, text.as_bytes());
        let checked = read(Command::Check, "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 15.04 / 5\r\n\r\n").unwrap();
        let score = checked.score.unwrap();
        assert_eq!((score.spam, score.line().as_str()), (true, "15.0/5.0\n"));
        let report = "SPAMD/1.1 0 EX_OK\r\nContent-length: 2\r\nSpam: Yes ; 12.0 / 5.0\r\n\r\nr\n";
        let report = read(Command::ReportIfSpam, report).unwrap();
        assert_eq!((report.score.unwrap().spam, report.body.as_slice()), (false, &b"r\n"[..]));
        let told = read(Command::Tell, "SPAMD/1.1 0 EX_OK\r\nDidRemove: local\r\n\r\n\r\n").unwrap();
        assert!(told.did.remove_local && !told.did.set_local);
        assert_eq!(read(Command::Ping, "SPAMD/1.5 0 PONG\r\n").unwrap().version, "1.5");
    }

    #[test]
    fn replies_that_make_no_sense_are_refused() {
        let read = |text: &str| read_answer(Command::Process, text.as_bytes()).unwrap_err();
        assert_eq!(read(""), BadAnswer::Cut);
        assert_eq!(read("SPAMD/1.0 76 Bad header line: x\r\n"), BadAnswer::Cut);
        assert_eq!(read("garbage\r\n"), BadAnswer::Line("garbage".into()));
        let long = read("SPAMD/1.1 0 EX_OK\r\nContent-length: 99\r\nSpam: True ; 1.0 / 5.0\r\n\r\nA: b\n");
        assert_eq!(long, BadAnswer::Size { claimed: 99, seen: 5 });
        assert_eq!(read("SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1.0 / 5.0\r\n\r\nA: b\n"), BadAnswer::Header);
        assert_eq!(read(&format!("SPAMD/1.1 0 {}\r\n", "x".repeat(9000))), BadAnswer::LongLine);
    }

    /// As the original client takes them.
    #[test]
    fn odd_replies_count_as_far_as_they_read() {
        let read = |field: &str| {
            let text = format!("SPAMD/1.1 0 EX_OK\r\n{field}\r\nContent-length: 3x\r\n\r\nabc");
            let answer = read_answer(Command::Process, text.as_bytes()).unwrap();
            assert_eq!(answer.body, b"abc");
            answer.score.map(|score| score.line())
        };
        assert_eq!(read("X-Other: y"), None);
        assert_eq!(read("spam: True ; 15.0 / 5.0"), None);
        assert_eq!(read("Spam: True; 15.0/5.0"), None);
        assert_eq!(read("Spam: True ; 15.0"), None);
        assert_eq!(read("no colon"), None);
        assert_eq!(read("Content-length: x"), None);
        assert_eq!(read("Content-length: 4294967299"), None);
        assert_eq!(read("Spam:True;; 15.0 /5.0").as_deref(), Some("15.0/5.0\n"));
        assert_eq!(read("Spam:  True ;15.0 / 5.0").as_deref(), Some("15.0/5.0\n"));
        assert_eq!(read("Spam: True ; nan / 5.0").as_deref(), Some("0.0/5.0\n"));
        assert_eq!(read("Spam: False ; 1e99 / -5.0").as_deref(), Some("1.0/-5.0\n"));
        let report = b"SPAMD/1.1 0 EX_OK\r\nContent-length: 10\r\nSpam: True ; 15.0 / 5.0\r\n\r\nabc";
        let size = read_answer(Command::Report, report).unwrap_err();
        assert_eq!(size, BadAnswer::Size { claimed: 19, seen: 12 });
        let first = b"SPAMD/1x1 0x EX_OK\r\n";
        assert_eq!(read_answer(Command::Ping, first).map(|answer| answer.version), Ok("1x1".into()));
        let negative = b"SPAMD/1.1 0 EX_OK\r\nContent-length: -5\r\nSpam: True ; 15.0 / 5.0\r\n\r\n";
        let bad = BadAnswer::Length("Content-length: -5".into());
        assert_eq!(
            read_answer(Command::Check, negative).map(|answer| answer.complaint),
            Ok(Some(bad.clone()))
        );
        assert_eq!(read_answer(Command::Process, negative), Err(bad));
    }

    proptest! {
        #[test]
        fn what_our_server_says_our_client_understands(spam: bool, text in prop::collection::vec(any::<u8>(), 0..80)) {
            let verdict =
                Verdict { spam, score: "1.0".into(), required: "5.0".into(), text: text.clone() };
            let request = crate::Request::begin("PROCESS SPAMC/1.5").unwrap();
            let bytes = Reply::Verdict(verdict).bytes(&request);
            let answer = read_answer(Command::Process, &bytes).unwrap();
            prop_assert_eq!(answer.body, text);
            prop_assert_eq!(answer.score.unwrap().spam, spam);
        }

        #[test]
        fn any_reply_is_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_answer(Command::Process, &bytes);
            let _ = read_answer(Command::Check, &[b"SPAMD/1.1 0 EX_OK\r\n", bytes.as_slice()].concat());
        }
    }
}
