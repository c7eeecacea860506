//! Plays the transcripts in `tests/transcripts` (see [`testkit::transcript`]) against the server's machine. Their settings
//! stand in [`set`].
//!
//! Questions about syntax and verbs are answered with "ok" unless the transcript has them.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use smtp_protocol::{
    Admission, Answer, BareNewline, Named, Question, Reply, Server, Settings, TlsLevel, Troubles,
};
use testkit::transcript::{Player, Script, in_folder};

#[test]
fn every_transcript_comes_out_as_written() {
    let transcripts = in_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts"));
    assert!(transcripts.len() > 10, "transcripts are missing");
    for (name, text) in transcripts {
        let mut settings = defaults();
        text.lines().filter_map(|line| line.strip_prefix("! ")).for_each(|line| set(&mut settings, line));
        Player::play(&name, &text, Scripted(Server::new(Arc::new(settings))));
    }
}

struct Scripted(Server);

impl Script for Scripted {
    type Machine = Server;

    fn machine(&mut self) -> &mut Server {
        &mut self.0
    }

    fn show(&self, question: &Question) -> String {
        show(question)
    }

    fn answer(&mut self, question: Question, text: &str) -> Answer {
        parse(&question, text)
    }

    fn goes_without_saying(&self, question: &Question) -> bool {
        matches!(question, Question::Address { .. } | Question::Verb(_))
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
