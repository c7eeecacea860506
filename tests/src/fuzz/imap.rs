//! Whole sessions of the IMAP server: up to the log-in, and behind it.
//!
//! The first byte chooses the machine and settings, the second how questions are answered; the rest is the client's (see
//! [`super::dialogue`]).

use std::sync::Arc;
use std::time::Duration;

use imap_protocol::session::{
    Answer, AppendStep, Denial, Done, Login, LoginAnswer, LoginQuestion, LoginSettings, Question, Session,
    SessionSettings,
};
use imap_protocol::types::{Capability, Command, Reply};

use super::dialogue;
use testkit::dialogue::End;

const COMMAND_LIMIT_BYTES: usize = 400;

/// Every session ends, every response is lines, and the cut between reads changes nothing.
pub(super) fn run(input: &[u8]) {
    let ([settings, answers], wire) = super::head(input);
    let play = if settings & 1 == 0 { login } else { session };
    let asked = play(settings, answers, wire);
    let starts_tls = wire.to_ascii_uppercase().windows(8).any(|word| word == b"STARTTLS");
    if dialogue::is_bytes_alone(wire) && !starts_tls {
        let whole = play(settings, answers, &dialogue::joined(wire));
        assert_eq!(whole, asked, "left: in one read, right: as cut");
    }
}

/// Returns what was asked.
fn login(settings: u8, answers: u8, wire: &[u8]) -> Vec<String> {
    let is = |bit: u8| settings & (1 << bit) != 0;
    let settings = LoginSettings {
        greeting: "ready.".to_owned(),
        capabilities: names(&["IMAP4rev1", "SASL-IR"]),
        mechanisms: vec!["CRAM-MD5".to_owned()],
        plaintext_mechanisms: vec!["PLAIN".to_owned()],
        starttls: is(1),
        wrapper: is(2),
        requires_tls: is(3),
        plaintext: is(4),
        timeout: Duration::from_secs(180),
        command_limit_bytes: COMMAND_LIMIT_BYTES,
        bad_command_limit: 10,
        id: vec![("name".to_owned(), "Pillarbox".to_owned())],
    };
    let mut asked = Vec::new();
    let machine = Login::new(Arc::new(settings), is(5));
    let mut played = dialogue::play(machine, wire, is(7), &mut |question| {
        let text = shown(&question);
        let answer = user_database(&question, dialogue::draw(answers, &text, 8));
        asked.push(text);
        answer
    });
    let lines = dialogue::lines(&played.said);
    check(&lines);
    if played.end == End::HandedOver {
        let logged_in = played.machine.logged_in();
        assert!(!logged_in.tag.is_empty(), "who has logged in waits for an answer");
        let sent = dialogue::joined(wire);
        let rest = logged_in.rest.as_slice();
        let is_sent = rest.is_empty() || sent.windows(rest.len()).any(|part| part == rest);
        assert!(is_sent || !dialogue::is_bytes_alone(wire), "words of nobody");
    }
    asked
}

fn shown(question: &LoginQuestion) -> String {
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    match question {
        LoginQuestion::Login { user, password } => format!("login {} {}", text(user), text(password)),
        LoginQuestion::Begin { mechanism, initial } => format!("begin {mechanism} {initial:?}"),
        LoginQuestion::Continue(answer) => format!("continue {}", text(answer)),
        LoginQuestion::Connected => "connected".to_owned(),
        LoginQuestion::Secured(_) => "secured".to_owned(),
        LoginQuestion::Cancel => "cancel".to_owned(),
        LoginQuestion::Ended => "ended".to_owned(),
    }
}

fn user_database(question: &LoginQuestion, draw: u64) -> LoginAnswer {
    match (question, draw) {
        (LoginQuestion::Connected, 0) => LoginAnswer::Turned("too many".to_owned()),
        (LoginQuestion::Login { .. } | LoginQuestion::Begin { .. } | LoginQuestion::Continue(_), draw) => {
            match draw {
                0 => LoginAnswer::Accepted,
                1 => LoginAnswer::Denied(Denial::Unavailable),
                2 => LoginAnswer::Denied(Denial::NotAllowed),
                3 => LoginAnswer::Denied(Denial::Credentials),
                _ if matches!(question, LoginQuestion::Login { .. }) => {
                    LoginAnswer::Denied(Denial::Credentials)
                }
                _ => LoginAnswer::Challenge(b"PDFAeD4=".to_vec()),
            }
        }
        _ => LoginAnswer::Proceed,
    }
}

/// Returns the commands that were to be run, and what was appended.
fn session(settings: u8, answers: u8, wire: &[u8]) -> Vec<String> {
    if wire.to_ascii_uppercase().windows(8).any(|word| word == b"COMPRESS") {
        // What unfolds from compressed bytes is bounded elsewhere, and no lines are seen from here.
        return Vec::new();
    }
    let settings = SessionSettings {
        capabilities: names(&["IMAP4rev1", "IDLE"]),
        timeout: Duration::from_secs(1800),
        idle_notice: Duration::from_secs(120),
        progress_notice: Duration::from_secs(15),
        command_limit_bytes: COMMAND_LIMIT_BYTES,
        bad_command_limit: if settings & 2 == 0 { 10 } else { 1000 },
        id: Vec::new(),
    };
    let (mut asked, mut appended) = (Vec::new(), Vec::new());
    let mut utf8 = false;
    let machine = Session::new(Arc::new(settings), "a0", b"");
    let played = dialogue::play(machine, wire, false, &mut |question| {
        let text = format!("{question:?}");
        let draw = if answers & 0x0F == 0 { 1 } else { dialogue::draw(answers, &text, 8) };
        match &question {
            Question::Append(AppendStep::Bytes(bytes)) => {
                appended.extend_from_slice(bytes);
                assert!(appended.len() <= wire.len(), "more is appended than was sent");
                return Answer::Proceed;
            }
            Question::Changes | Question::Resume | Question::IdleEnds => {}
            Question::Append(AppendStep::MessageEnd) => {
                asked.push(format!("{text} {}", appended.escape_ascii()));
            }
            _ => asked.push(text),
        }
        utf8 |= matches!(&question, Question::Run { command, .. } if matches!(**command, Command::Enable(_)));
        mailbox(&question, draw, utf8)
    });
    check(&dialogue::lines(&played.said));
    assert_eq!(played.end, End::Closed);
    asked
}

fn mailbox(question: &Question, draw: u64, utf8: bool) -> Answer {
    let done = |reply: Reply| {
        let (untagged, selected) = (b"* 3 EXISTS\r\n".to_vec(), true);
        let (hears, news) = (draw % 2 == 1, draw == 5);
        Answer::Done(Box::new(Done { untagged, reply, selected, utf8, hears, news }))
    };
    match question {
        Question::Run { .. } | Question::Append(AppendStep::Commit) => match draw {
            0 => done(Reply::no("not now")),
            2 => Answer::More(b"* 1 FETCH (FLAGS ())\r\n".to_vec()),
            3 if matches!(question, Question::Append(_)) => Answer::Refused(Reply::no("full")),
            4 => Answer::Gone("the disk is gone".to_owned()),
            _ => done(Reply::ok("done")),
        },
        Question::More => done(Reply::ok("done")),
        Question::Append(AppendStep::Open { .. } | AppendStep::Message(..) | AppendStep::Url(_))
            if draw == 0 =>
        {
            Answer::Refused(Reply::no("no such mailbox"))
        }
        Question::Changes => Answer::Changes(b"* 4 EXISTS\r\n".to_vec()),
        _ => Answer::Proceed,
    }
}

fn names(names: &[&str]) -> Vec<Capability> {
    names.iter().map(|name| Capability::new(name).expect("a name")).collect()
}

/// RFC 3501 §2.2.2: a response has a tag, `*` or `+` before it.
fn check(lines: &[&str]) {
    for line in lines {
        let tag = line.split(' ').next().unwrap_or_default();
        let is_tag = !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_graphic());
        assert!(is_tag && line.len() > tag.len(), "{line:?}");
    }
}

/// The client's side of every transcript, and a command of each kind.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let transcripts = super::files_in("crates/logic/imap-protocol/tests/transcripts");
    let wires = transcripts.iter().map(|text| dialogue::wire(text));
    let choices = [[0x10, 0], [0x1A, 3], [0x01, 0], [0x03, 5]];
    let mut seeds: Vec<_> = wires.flat_map(|wire| choices.map(|head| [&head[..], &wire].concat())).collect();
    for command in COMMANDS {
        seeds.push([&[3_u8, 0][..], b"a SELECT INBOX\r\nb ", command.as_bytes(), b"\r\nc NOOP\r\n"].concat());
    }
    seeds
}

const COMMANDS: [&str; 24] = [
    "FETCH 1:*,3 (FLAGS UID BODY.PEEK[1.2.HEADER.FIELDS (Subject \"To\")]<0.20> BODYSTRUCTURE RFC822.SIZE)",
    "UID FETCH 1,2:4 (ENVELOPE INTERNALDATE BINARY.PEEK[1]<1.2> BINARY.SIZE[2]) (CHANGEDSINCE 5 VANISHED)",
    "STORE 1 (UNCHANGEDSINCE 3) +FLAGS.SILENT (\\Seen $Forwarded)",
    "UID STORE 1:$ -FLAGS \\Deleted",
    "SEARCH RETURN (MIN MAX COUNT SAVE) CHARSET UTF-8 OR (NOT SEEN FROM {3+}\r\nabc) SINCE 1-Jan-2020 LARGER 5",
    "UID SEARCH HEADER X-A \"b\" UNKEYWORD k UID 1:* MODSEQ \"/flags/\\\\seen\" all 3 OLDER 60 BEFORE \"2-Feb-1999\"",
    "SORT (REVERSE DATE SUBJECT DISPLAYFROM) UTF-8 ALL",
    "THREAD REFERENCES US-ASCII SUBJECT x",
    "COPY 1:3 \"Sent &AOQ- x\"",
    "UID MOVE 4 Trash",
    "APPEND INBOX (\\Seen) \"22-Nov-2026 05:11:09 +0000\" {5+}\r\nhello",
    "APPEND INBOX UTF8 (~{5+}\r\nhello)",
    "APPEND INBOX CATENATE (TEXT {2+}\r\nab URL \"/INBOX;UIDVALIDITY=1/;UID=2\")",
    "LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (\"a%\" *) RETURN (CHILDREN STATUS (MESSAGES UNSEEN) SPECIAL-USE)",
    "LSUB \"\" \"*\"",
    "STATUS a (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ SIZE MAILBOXID)",
    "SELECT x (QRESYNC (67890007 20050715194045000 41,43:211,214:541 (1:9 2:10)) CONDSTORE)",
    "CREATE y (USE (\\Drafts \\Sent))",
    "RENAME a b",
    "ENABLE UTF8=ACCEPT CONDSTORE",
    "ID (\"name\" \"x\" \"os\" NIL)",
    "GETQUOTAROOT INBOX",
    "UID EXPUNGE 1:5",
    "IDLE\r\nDONE",
];
