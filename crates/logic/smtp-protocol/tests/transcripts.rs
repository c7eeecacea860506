//! Plays the transcripts in `tests/transcripts` against the server's machine.
//!
//! ```text
//! ! helo_required = yes          a setting
//! C: EHLO client.example         the client sends this line with CRLF
//! C+ .\n                         the client sends these bytes, escaped
//! S: 250 2.0.0 Ok                the server sends this line
//! ? rcpt a@b -> 550 5.1.1 no     the machine asks this, and is answered that; without "->" it is "ok"
//! W: 300s                        the machine waits for so long, and the time passes
//! K: 2ms                         it waits on, so much longer; then what happens as above
//! P: 1s                          it pauses for so long
//! TLS                            the handshake takes place here
//! LOST                           the client goes
//! STOP                           the service is about to end
//! END                            the machine has closed
//! ```
//! Questions about syntax and verbs are answered with "ok" unless the transcript has them.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use machine::{Disconnect, Machine, Output, TlsFacts};
use smtp_protocol::{
    Admission, Answer, BareNewline, Named, Question, Reply, Server, Settings, TlsLevel, Troubles,
};

#[test]
fn every_transcript_comes_out_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 10, "transcripts are missing");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        Player::new(&name, &text).play();
    }
}

struct Player {
    name: String,
    lines: Vec<(usize, String)>,
    at: usize,
    server: Server,
    sent: String,
}

impl Player {
    fn new(name: &str, text: &str) -> Self {
        let mut settings = defaults();
        let mut lines = Vec::new();
        for (number, line) in text.lines().enumerate() {
            if let Some(setting) = line.strip_prefix("! ") {
                set(&mut settings, setting);
            } else if !line.is_empty() && !line.starts_with('#') {
                lines.push((number + 1, line.to_owned()));
            }
        }
        let server = Server::new(Arc::new(settings));
        Self { name: name.to_owned(), lines, at: 0, server, sent: String::new() }
    }

    fn play(mut self) {
        loop {
            match self.server.poll() {
                Output::Write(bytes) => self.sent.push_str(std::str::from_utf8(&bytes).unwrap()),
                Output::Ask(question) => self.answer(&question),
                Output::Wait(time) => {
                    self.check_sent();
                    if !self.waited(time) {
                        return;
                    }
                }
                Output::KeepWaiting { extension } => {
                    self.check_sent();
                    self.expect(&format!("K: {extension:?}"));
                    if !self.waited(Duration::ZERO) {
                        return;
                    }
                }
                Output::Pause(time) => {
                    self.check_sent();
                    self.expect(&format!("P: {time:?}"));
                    self.server.elapsed();
                }
                Output::StartTls => {
                    self.check_sent();
                    self.expect("TLS");
                    self.server.secured(TlsFacts { protocol: "TLSv1.3".to_owned(), ..TlsFacts::default() });
                }
                Output::HandOver => panic!("{}: SMTP keeps its connections", self.name),
                Output::Close => {
                    self.check_sent();
                    self.expect("END");
                    assert_eq!(self.line(), None, "{}: closed, but the transcript goes on", self.name);
                    return;
                }
            }
        }
    }

    fn line(&self) -> Option<&str> {
        self.lines.get(self.at).map(|(_, line)| line.as_str())
    }

    fn place(&self) -> String {
        let number = self.lines.get(self.at).map_or(0, |(number, _)| *number);
        format!("{}:{number}", self.name)
    }

    fn expect(&mut self, line: &str) {
        assert_eq!(Some(line), self.line(), "at {} (left: the machine, right: the transcript)", self.place());
        self.at += 1;
    }

    fn check_sent(&mut self) {
        for line in std::mem::take(&mut self.sent).split_terminator("\r\n") {
            self.expect(&format!("S: {line}"));
        }
    }

    fn answer(&mut self, question: &Question) {
        // Questions may be asked before an earlier reply is sent: the transcript shows the reply first.
        self.check_sent();
        let shown = format!("? {}", show(question));
        let given = match self.line().map(|line| line.split_once(" -> ").unwrap_or((line, "ok"))) {
            Some((text, answer)) if text == shown => {
                let answer = answer.to_owned();
                self.at += 1;
                answer
            }
            _ if matches!(question, Question::Address { .. } | Question::Verb(_)) => "ok".to_owned(),
            line => panic!("at {}: the machine asks {shown:?}, the transcript has {line:?}", self.place()),
        };
        self.server.answered(parse(question, &given));
    }

    /// False at the end of the transcript.
    fn waited(&mut self, time: Duration) -> bool {
        let Some(line) = self.line().map(str::to_owned) else { return false };
        if let Some(text) = line.strip_prefix("C: ") {
            self.server.received(format!("{text}\r\n").as_bytes());
        } else if let Some(text) = line.strip_prefix("C+ ") {
            self.server.received(&unescape(text));
        } else if line == "STOP" {
            self.server.stopping();
        } else if line == "LOST" {
            self.server.disconnected(Disconnect::Lost);
        } else {
            assert_eq!(line, format!("W: {time:?}"), "at {}: the machine waits", self.place());
            self.server.elapsed();
        }
        self.at += 1;
        true
    }
}

fn defaults() -> Settings {
    Settings {
        hostname: "mx.example".to_owned(),
        banner: "mx.example ESMTP".to_owned(),
        message_limit_bytes: 1000,
        recipient_limit: 2,
        recipient_overshoot_limit: 1,
        ..Settings::default()
    }
}

fn set(settings: &mut Settings, text: &str) {
    let (name, value) = text.split_once(" = ").unwrap();
    match name {
        "helo_required" => settings.helo_required = value == "yes",
        "strict_envelopes" => settings.strict_envelopes = value == "yes",
        "vrfy_disabled" => settings.vrfy_disabled = value == "yes",
        "expn" => settings.expn = value == "yes",
        "help" => settings.help = value == "yes",
        "soft_bounce" => settings.soft_bounce = value == "yes",
        "proxy_protocol" => settings.proxy_protocol = value == "yes",
        "noop_commands" => settings.noop_commands = value == "yes",
        "command_filter" => settings.command_filter = value == "yes",
        "forbid_pipelining" => settings.forbid_pipelining = value == "yes",
        "request_deadline" => settings.request_deadline = value == "yes",
        "notify" => {
            let kinds = value.split(' ').map(|word| Troubles::named(word).unwrap());
            settings.notify = kinds.fold(Troubles::default(), Troubles::with);
        }
        "history_threshold" => settings.history_threshold = value.parse().unwrap(),
        "tls_wrapper" => settings.tls_wrapper = value == "yes",
        "soft_error_limit" => settings.soft_error_limit = value.parse().unwrap(),
        "hard_error_limit" => settings.hard_error_limit = value.parse().unwrap(),
        "junk_limit" => settings.junk_limit = value.parse().unwrap(),
        "line_limit" => settings.line_limit_bytes = value.parse().unwrap(),
        "message_limit" => settings.message_limit_bytes = value.parse().unwrap(),
        "reject_footer" => settings.reject_footer = value == "yes",
        "tls" => {
            settings.tls = match value {
                "may" => TlsLevel::May,
                "encrypt" => TlsLevel::Encrypt,
                "broken" => TlsLevel::Broken { required: false },
                _ => panic!("{value}"),
            }
        }
        "bare_newline" => {
            settings.bare_newline = match value {
                "accept" => BareNewline::Accept,
                "reject" => BareNewline::Reject,
                "note" => BareNewline::Note,
                _ => panic!("{value}"),
            }
        }
        _ => panic!("no setting {name}"),
    }
}

fn show(question: &Question) -> String {
    match question {
        Question::Connect(None) => "connect".to_owned(),
        Question::Connect(Some(ends)) => format!("connect from {} to {}", ends.client, ends.server),
        Question::Hello(hello) if hello.extended => format!("ehlo {}", hello.name),
        Question::Hello(hello) => format!("helo {}", hello.name),
        Question::Address { command, address } => format!("address {} {address}", command.name()),
        Question::Mail(sender) => show_sender(sender),
        Question::Rcpt(recipient) => {
            let bits = recipient.notify.map_or(String::new(), |notify| format!(" notify={}", notify.bits()));
            format!("rcpt {}{bits} {}", recipient.address, recipient.original)
        }
        Question::Rate(command) => format!("rate {}", command.name()),
        Question::Data => "data".to_owned(),
        Question::Content(bytes) => format!("content {}", bytes.escape_ascii()),
        Question::EndOfData(_) => "end of data".to_owned(),
        Question::Reset => "reset".to_owned(),
        Question::Vrfy(text) => format!("vrfy {text}"),
        Question::Expn(text) => format!("expn {text}"),
        Question::Etrn(text) => format!("etrn {text}"),
        Question::StartTls => "starttls".to_owned(),
        Question::Secured(facts) => format!("secured {}", facts.protocol),
        Question::Xclient(attributes) => format!("xclient {attributes:?}"),
        Question::Xforward(attributes) => format!("xforward {attributes:?}"),
        Question::Verb(text) => format!("verb {text}"),
        Question::Filter(text) => format!("filter {text}"),
        Question::Footer(reply) => format!("footer {reply}"),
        Question::Note(event) => format!("note {event:?}"),
        Question::Notice(transcript) => {
            let aborted = transcript.aborted.map_or(String::new(), |reason| format!(" {reason};"));
            format!("notice{aborted} {}", transcript.lines.trim_end().replace('\n', " | "))
        }
        Question::Ended(ending) => {
            let bytes = ending.content_bytes.map_or(String::new(), |bytes| format!(" ({bytes} bytes)"));
            let why = ending
                .why
                .map_or(String::new(), |why| format!("{} after {}{bytes};", why.reason(), ending.after));
            format!("ended {why}{}", ending.counts)
        }
    }
}

fn show_sender(sender: &smtp_protocol::Sender) -> String {
    let mut text = format!("mail <{}>", sender.address);
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            write!(text, " {name}={value}").unwrap();
        }
    };
    add("size", sender.size_bytes.map(|size| size.to_string()));
    add("body", sender.body.map(|body| format!("{body:?}")));
    add("smtputf8", sender.smtputf8.then(|| "yes".to_owned()));
    add("ret", sender.ret.map(|ret| format!("{ret:?}")));
    add("envid", sender.envelope_id.clone());
    add("verp", sender.verp.clone());
    text
}

fn parse(question: &Question, text: &str) -> Answer {
    let words: Vec<_> = text.split(' ').collect();
    match (question, words[0]) {
        (Question::Connect(_) | Question::Xclient(_), _) => Answer::Admit(Box::new(admission(&words, text))),
        (Question::Verb(_), "ok") => Answer::Verb(Named::Ordinary),
        (_, "ignored") => Answer::Verb(Named::Ignored),
        (_, "forbidden") => Answer::Verb(Named::Forbidden),
        (_, "ok") => Answer::Proceed,
        (_, "queued") => Answer::Queued(words[1].to_owned()),
        (_, "members") => Answer::Members(words[1..].iter().map(|word| (*word).to_owned()).collect()),
        (_, "line") => Answer::Line(words[1..].join(" ")),
        _ => Answer::Refuse(Reply::new(text.replace("\\n", "\n"))),
    }
}

fn admission(words: &[&str], text: &str) -> Admission {
    let mut admission = Admission { client: "client[192.0.2.1]".to_owned(), ..Admission::default() };
    if words[0].parse::<u16>().is_ok() {
        admission.refused = Some(Reply::new(text));
        return admission;
    }
    for word in words {
        match word.split_once('=') {
            Some(("discard", keyword)) => assert!(admission.discard.add(keyword)),
            _ => match *word {
                "xclient" => admission.xclient = true,
                "xforward" => admission.xforward = true,
                "verp" => admission.verp = true,
                "bare_newline" => admission.bare_newline = true,
                "rates" => admission.rates = true,
                "ok" => {}
                other => panic!("{other}"),
            },
        }
    }
    admission
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match (byte, byte == b'\\') {
            (_, true) => match bytes.next().unwrap() {
                b'r' => b'\r',
                b'n' => b'\n',
                b'0' => 0,
                b'x' => {
                    let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                other => other,
            },
            (byte, false) => byte,
        });
    }
    out
}
