//! Transcripts of dialogues, and the player that holds a protocol machine against them.
//!
//! ```text
//! # text                         a remark
//! ! helo_required = yes          a setting, which whoever makes the machine reads
//! C: EHLO client.example         the client sends this line with CRLF
//! C+ .\n                         the client sends these bytes, escaped
//! S: 250 2.0.0 Ok                the server sends this line
//! ? rcpt a@b -> 550 5.1.1 no     the machine asks this, and is answered that; without "->" it is "ok"
//! W: 300s                        the machine waits for so long; need not be said
//! K: 2ms                         it waits on, so much longer; need not be said where that is no longer
//! LATE                           the time is over
//! P: 1s                          it pauses for so long, and the time passes
//! TLS                            the handshake takes place here
//! LOST                           the client goes
//! STOP                           the service is about to end
//! OVER                           the machine has given the client into other hands
//! END                            the machine has closed
//! ```

use std::path::Path;
use std::time::Duration;

use machine::{Disconnect, Machine, Output, TlsFacts};

/// How the questions of a machine are written down, and what else happens to it than to all others.
pub trait Script {
    /// The machine that is played.
    type Machine: Machine;

    /// The machine.
    fn machine(&mut self) -> &mut Self::Machine;

    /// A question as it stands behind `?`.
    fn show(&self, question: &<Self::Machine as Machine>::Question) -> String;

    /// The answer that `text` stands for, which is what the transcript has behind `->`.
    fn answer(
        &mut self,
        question: <Self::Machine as Machine>::Question,
        text: &str,
    ) -> <Self::Machine as Machine>::Answer;

    /// What the machine says before the answer comes that `text` stands for.
    fn meanwhile(&mut self, _text: &str) -> Vec<u8> {
        Vec::new()
    }

    /// May a question that is answered with "ok" be left out?
    fn goes_without_saying(&self, _question: &<Self::Machine as Machine>::Question) -> bool {
        false
    }

    /// Something happens that happens to this machine alone; false for a line that it does not know.
    fn happens(&mut self, _line: &str) -> bool {
        false
    }

    /// The line that says how the client is given into other hands.
    fn handed_over(&mut self) -> String {
        "OVER".to_owned()
    }
}

/// Holds a machine against a transcript.
#[derive(Debug)]
pub struct Player<S> {
    script: S,
    name: String,
    lines: Vec<(usize, String)>,
    at: usize,
    sent: String,
}

impl<S: Script> Player<S> {
    /// Plays the transcript `text`, which complaints call `name`, to its end. Returns what was played, to be looked at.
    ///
    /// # Panics
    /// Where the machine does something else.
    pub fn play(name: &str, text: &str, script: S) -> S {
        let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.to_owned()));
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with(['#', '!'])).collect();
        let mut player = Self { script, name: name.to_owned(), lines, at: 0, sent: String::new() };
        while player.step() {}
        player.script
    }

    /// One output of the machine; false at the end of the dialogue or of the transcript.
    fn step(&mut self) -> bool {
        let output = self.script.machine().poll();
        match output {
            Output::Write(bytes) => self.sent.push_str(self.text(&bytes)),
            Output::Ask(question) => self.answer(question),
            Output::Wait(time) => return self.wait(&format!("W: {time:?}"), true),
            Output::KeepWaiting { extension } => {
                return self.wait(&format!("K: {extension:?}"), extension == Duration::ZERO);
            }
            Output::Pause(time) => {
                self.expect(&format!("P: {time:?}"));
                self.script.machine().elapsed();
            }
            Output::StartTls => {
                self.expect("TLS");
                let facts = TlsFacts { protocol: "TLSv1.3".to_owned(), ..TlsFacts::default() };
                self.script.machine().secured(facts);
            }
            Output::HandOver => {
                let line = self.script.handed_over();
                return self.end(&line);
            }
            Output::Close => return self.end("END"),
        }
        true
    }

    fn text<'a>(&self, bytes: &'a [u8]) -> &'a str {
        let text = std::str::from_utf8(bytes);
        text.unwrap_or_else(|_| panic!("at {}: the machine says what is no text: {bytes:?}", self.place()))
    }

    fn line(&self) -> Option<&str> {
        self.lines.get(self.at).map(|(_, line)| line.as_str())
    }

    fn place(&self) -> String {
        format!("{}:{}", self.name, self.lines.get(self.at).map_or(0, |(number, _)| *number))
    }

    /// The machine does what `line` says, and has said what stands before it.
    fn expect(&mut self, line: &str) {
        self.check_sent();
        self.meet(line);
    }

    fn meet(&mut self, line: &str) {
        assert_eq!(Some(line), self.line(), "at {} (left: the machine, right: the transcript)", self.place());
        self.at += 1;
    }

    fn check_sent(&mut self) {
        let sent = std::mem::take(&mut self.sent);
        assert!(sent.is_empty() || sent.ends_with("\r\n"), "at {}: no line: {sent:?}", self.place());
        for line in sent.split_terminator("\r\n") {
            assert!(!line.contains(['\r', '\n']), "at {}: every line ends with CRLF: {line:?}", self.place());
            self.meet(&format!("S: {line}"));
        }
    }

    fn answer(&mut self, question: <S::Machine as Machine>::Question) {
        // What is said in pieces may be in the middle of a line.
        if self.sent.ends_with("\r\n") {
            self.check_sent();
        }
        let shown = format!("? {}", self.script.show(&question));
        let given = match self.line().map(|line| line.split_once(" -> ").unwrap_or((line, "ok"))) {
            Some((text, answer)) if text == shown => {
                let answer = answer.to_owned();
                self.at += 1;
                answer
            }
            _ if self.script.goes_without_saying(&question) => "ok".to_owned(),
            line => panic!("at {}: the machine asks {shown:?}, the transcript has {line:?}", self.place()),
        };
        let meanwhile = self.script.meanwhile(&given);
        self.sent.push_str(self.text(&meanwhile));
        let answer = self.script.answer(question, &given);
        self.script.machine().answered(answer);
    }

    /// The machine waits; false at the end of the transcript.
    fn wait(&mut self, said: &str, goes_without_saying: bool) -> bool {
        self.check_sent();
        let is_said = self.line().is_some_and(|line| line.starts_with("W: ") || line.starts_with("K: "));
        if is_said || !goes_without_saying {
            self.meet(said);
        }
        let Some(line) = self.line().map(str::to_owned) else { return false };
        if let Some(text) = line.strip_prefix("C: ") {
            self.script.machine().received(format!("{text}\r\n").as_bytes());
        } else if let Some(text) = line.strip_prefix("C+ ") {
            self.script.machine().received(&unescaped(text));
        } else {
            match line.as_str() {
                "LATE" => self.script.machine().elapsed(),
                "STOP" => self.script.machine().stopping(),
                "LOST" => self.script.machine().disconnected(Disconnect::Lost),
                _ => assert!(self.script.happens(&line), "at {}: the machine waits: {said}", self.place()),
            }
        }
        self.at += 1;
        true
    }

    /// The dialogue is over, and so is the transcript; always false.
    fn end(&mut self, line: &str) -> bool {
        self.expect(line);
        assert_eq!(self.line(), None, "{}: it is over, but the transcript goes on", self.name);
        false
    }
}

/// The transcripts in a folder: their names and texts, by name.
///
/// # Panics
/// When they can not be read.
pub fn in_folder(folder: &Path) -> Vec<(String, String)> {
    let files = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found: Vec<_> = files
        .map(|file| {
            let path = file.map(|file| file.path()).unwrap_or_else(|error| panic!("{error}"));
            let text = std::fs::read_to_string(&path);
            let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text)
        })
        .collect();
    found.sort();
    found
}

/// The bytes that a line of a transcript stands for: `\r`, `\n`, `\0`, `\xff` and `\\` are escaped.
///
/// # Panics
/// When something else is.
pub fn unescaped(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        out.push(match bytes.next() {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b'0') => 0,
            Some(b'x') => digit(bytes.next()) << 4 | digit(bytes.next()),
            Some(b'\\') => b'\\',
            other => panic!("{text}: what is \\{:?}?", other.map(char::from)),
        });
    }
    out
}

fn digit(byte: Option<u8>) -> u8 {
    let value =
        byte.and_then(|byte| char::from(byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
    value.unwrap_or_else(|| panic!("\\x needs two digits"))
}
