//! SMTP sessions as no client should have them.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::dice::Dice;
use crate::suite::PATIENCE;

/// What a client does next.
#[derive(Debug, Clone)]
pub enum Step {
    /// Writes this, and reads so many replies.
    Say(Vec<u8>, usize),
    /// DATA; where that is answered with 354, this content and its reply.
    Data(Vec<u8>),
    /// DATA, and the end of the connection in the middle of the content.
    HalfData(Vec<u8>),
    /// Closes its side, so that the server sees the end.
    Leave,
}

/// A session and the profile of the server that it is for.
#[derive(Debug, Clone)]
pub struct Session {
    /// The number of the profile.
    pub profile: usize,
    /// What happens.
    pub steps: Vec<Step>,
}

const GREETINGS: [&str; 26] = [
    "EHLO client.example",
    "EHLO client.example",
    "EHLO client.example",
    "ehlo client.example",
    "EhLo  client.example ",
    "HELO client.example",
    "HELO",
    "EHLO",
    "HELO client.example extra words",
    "EHLO [127.0.0.1]",
    "EHLO [IPv6:::1]",
    "EHLO 127.0.0.1",
    "EHLO 127.0.0.1.",
    "EHLO client",
    "EHLO client..example",
    "EHLO -client.example",
    "EHLO client_under.example",
    "EHLO <client.example>",
    "EHLO cli?ent.example",
    "EHLO cli(e)nt.example",
    "EHLO cli;ent&x.example",
    "EHLO \"quoted\".example",
    "EHLO cl\tient.example",
    "EHLO .",
    "EHLO client.example.",
    "EHLO xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.example",
];

const SENDERS: [&str; 34] = [
    "<a@sender.example>",
    "<a@sender.example>",
    "<>",
    "<a@SENDER.example>",
    "a@sender.example",
    " <a@sender.example>",
    "\t<a@sender.example>",
    "<a@sender.example",
    "a@sender.example>",
    "<<a@sender.example>>",
    "<a b@sender.example>",
    "<\"a b\"@sender.example>",
    "<\"a\\\"b\"@sender.example>",
    "<\"\"@sender.example>",
    "<@sender.example>",
    "<a@>",
    "<a>",
    "<@relay.example:a@sender.example>",
    "<@relay.example,@two.example:a@sender.example>",
    "<a@[127.0.0.1]>",
    "<a@[IPv6:::1]>",
    "<a@[nonsense]>",
    "<a@127.0.0.1>",
    "<a@sender..example>",
    "<a@.sender.example>",
    "<a@sender.example.>",
    "<a@-sender.example>",
    "<.a@sender.example>",
    "<a.@sender.example>",
    "<a..b@sender.example>",
    "<a@sen der.example>",
    "<a@b@sender.example>",
    "<a(comment)@sender.example>",
    "<\u{e4}@sender.example>",
];

const RECIPIENTS: [&str; 40] = [
    "<user@example.com>",
    "<user@example.com>",
    "<user@example.com>",
    "<other@example.com>",
    "<mbox@example.com>",
    "<USER@EXAMPLE.COM>",
    "user@example.com",
    "<\"user\"@example.com>",
    "<user+ext@example.com>",
    "<nobody@example.com>",
    "<nobody@mx.test.example>",
    "<postmaster>",
    "<Postmaster>",
    "postmaster",
    "<postmaster@>",
    "<postmaster@mx.test.example>",
    "<root@[127.0.0.1]>",
    "<root@[127.0.0.2]>",
    "<root>",
    "<>",
    "< >",
    "<a@relay.example>",
    "<user@example.com.>",
    "<user%example.com@mx.test.example>",
    "<example.com!user>",
    "<user@example.com@mx.test.example>",
    "<@mx.test.example:user@example.com>",
    "<user@[127.0.0.1>",
    "<user @example.com>",
    "<us er@example.com>",
    "<user@example.com",
    "<user@deferred.example>",
    "<user@bounced.example>",
    "<u\u{e4}@example.com>",
    "<user@ex\u{e4}mple.com>",
    "<|/bin/true@mx.test.example>",
    "</dev/null>",
    "<user@example.com>,<other@example.com>",
    "<\"user\\@example.com\"@mx.test.example>",
    "<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com>",
];

const MAIL_PARAMETERS: [&str; 26] = [
    "SIZE=100",
    "SIZE=0",
    "SIZE=",
    "SIZE=x",
    "SIZE=-1",
    "SIZE=99999999999999999999999",
    "size=100",
    "BODY=7BIT",
    "BODY=8BITMIME",
    "BODY=BINARYMIME",
    "BODY=x",
    "BODY",
    "SMTPUTF8",
    "SMTPUTF8=yes",
    "RET=FULL",
    "RET=HDRS",
    "RET=x",
    "RET=FULL RET=HDRS",
    "ENVID=abc",
    "ENVID=a+20b",
    "ENVID=a+zz",
    "ENVID=",
    "AUTH=<>",
    "AUTH=a@b.example",
    "XFOO=1",
    "=",
];

const RCPT_PARAMETERS: [&str; 13] = [
    "NOTIFY=NEVER",
    "NOTIFY=SUCCESS,FAILURE,DELAY",
    "NOTIFY=NEVER,SUCCESS",
    "NOTIFY=x",
    "NOTIFY=",
    "ORCPT=rfc822;a@b.example",
    "ORCPT=rfc822;a+2Bb@b.example",
    "ORCPT=rfc822",
    "ORCPT=;x",
    "ORCPT=x;+zz",
    "ORCPT=utf-8;\\x{E4}@b.example",
    "XFOO=1",
    "NOTIFY=DELAY NOTIFY=DELAY",
];

const COMMANDS: [&str; 50] = [
    "NOOP",
    "NOOP with words",
    "RSET",
    "RSET now",
    "VRFY user@example.com",
    "VRFY nobody@example.com",
    "VRFY <user@example.com>",
    "VRFY user",
    "VRFY",
    "VRFY a b",
    "VRFY postmaster",
    "VRFY \u{e4}@example.com",
    "ETRN example.com",
    "ETRN",
    "ETRN @example.com",
    "ETRN #queue",
    "ETRN bad..name",
    "ETRN a b",
    "AUTH PLAIN",
    "AUTH",
    "AUTH PLAIN AGEAYgBj",
    "STARTTLS now",
    "XCLIENT NAME=x",
    "XCLIENT",
    "XFORWARD NAME=x",
    "XFORWARD",
    "BDAT",
    "BDAT 0",
    "BDAT x",
    "BDAT 0 LAST",
    "BDAT 5 FIRST",
    "BDAT 1 LAST extra",
    "MAIL",
    "MAIL FROM",
    "MAIL FROM:",
    "MAIL TO:<a@sender.example>",
    "MAIL FROM <a@sender.example>",
    "MAIL FROM:<a@sender.example>trailing",
    "mail from:<a@sender.example>",
    "RCPT",
    "RCPT TO",
    "RCPT TO:",
    "RCPT FROM:<user@example.com>",
    "rcpt to:<user@example.com>",
    "RCPT TO <user@example.com>",
    "DATA now",
    "",
    " NOOP",
    "NONSENSE",
    "x",
];

/// What ends a session: commands of other protocols, and one that wants another language.
const FOREIGN: [&str; 8] = [
    "STARTTLS",
    "STARTTLS",
    "GET / HTTP/1.1",
    "POST /x HTTP/1.0",
    "CONNECT x:25 HTTP/1.0",
    "Subject: x",
    "From: a@b.example",
    "get lost",
];

const CONTENTS: [&str; 8] = [
    "Subject: x\r\n\r\nx\r\n",
    "\r\n",
    "",
    "no header\r\n",
    "Subject: x\r\n\r\n..dots\r\n...\r\n",
    "Subject: x\r\n\r\nbare\nlf\r\n",
    "Subject: x\r\n\r\nMAIL FROM:<a@b>\r\nQUIT\r\n",
    "Received: a\r\nReceived: b\r\nSubject: x\r\n\r\n8bit \u{e4}\r\n",
];

/// So many sessions for so many profiles.
pub fn all(seed: u64, count: usize, profiles: usize) -> Vec<Session> {
    let mut dice = Dice::new(seed);
    (0..count).map(|number| Session { profile: number % profiles, steps: steps(&mut dice) }).collect()
}

fn steps(dice: &mut Dice) -> Vec<Step> {
    let mut steps = Vec::new();
    if dice.chance(92) {
        steps.push(line(&pick(dice, &GREETINGS)));
    }
    for _ in 0..2 + dice.below(9) {
        steps.extend(some_steps(dice));
    }
    if dice.chance(15) {
        steps.push(Step::Leave);
    } else {
        steps.push(line("QUIT"));
    }
    steps
}

fn some_steps(dice: &mut Dice) -> Vec<Step> {
    match dice.below(100) {
        0..40 => transaction(dice),
        40..48 => vec![line(&mail(dice))],
        48..56 => vec![line(&recipient(dice))],
        56..82 => vec![line(&pick(dice, &COMMANDS))],
        82..86 => vec![line(&pick(dice, &GREETINGS))],
        86..89 => vec![Step::Data(pick(dice, &CONTENTS).into_bytes())],
        89..92 => vec![bdat(dice)],
        92..98 => vec![pipeline(dice)],
        98 => vec![line(&pick(dice, &FOREIGN)), Step::Leave],
        _ => vec![Step::HalfData(pick(dice, &CONTENTS).into_bytes()), Step::Leave],
    }
}

/// A message from beginning to end, more or less.
fn transaction(dice: &mut Dice) -> Vec<Step> {
    let mut steps =
        vec![line(&if dice.chance(60) { "MAIL FROM:<a@sender.example>".to_owned() } else { mail(dice) })];
    for _ in 0..1 + dice.below(3) {
        steps.push(line(&recipient(dice)));
    }
    steps.push(if dice.chance(80) { Step::Data(pick(dice, &CONTENTS).into_bytes()) } else { bdat(dice) });
    steps
}

fn mail(dice: &mut Dice) -> String {
    let mut line = format!("MAIL FROM:{}", pick(dice, &SENDERS));
    while dice.chance(35) {
        line += &format!(" {}", pick(dice, &MAIL_PARAMETERS));
    }
    line
}

fn recipient(dice: &mut Dice) -> String {
    let mut line = format!("RCPT TO:{}", pick(dice, &RECIPIENTS));
    while dice.chance(20) {
        line += &format!(" {}", pick(dice, &RCPT_PARAMETERS));
    }
    line
}

fn bdat(dice: &mut Dice) -> Step {
    let content = pick(dice, &CONTENTS).into_bytes();
    let last = if dice.chance(70) { " LAST" } else { "" };
    let command = format!("BDAT {}{last}\r\n", content.len()).into_bytes();
    Step::Say([command, content].concat(), 1)
}

/// Several commands in one write.
fn pipeline(dice: &mut Dice) -> Step {
    let mut lines = vec![mail(dice), recipient(dice)];
    for _ in 0..dice.below(3) {
        let command = if dice.chance(50) { recipient(dice) } else { pick(dice, &["RSET", "NOOP", "VRFY x"]) };
        lines.push(command);
    }
    let text = lines.iter().map(|line| format!("{line}\r\n")).collect::<String>();
    Step::Say(text.into_bytes(), lines.len())
}

fn pick(dice: &mut Dice, from: &[&str]) -> String {
    from[dice.below(from.len())].to_owned()
}

fn line(text: &str) -> Step {
    Step::Say(format!("{text}\r\n").into_bytes(), 1)
}

/// Has the session with a server; all that was said, a line each.
pub fn play(port: u16, session: &Session) -> Vec<String> {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut talk = Talk { stream: BufReader::new(stream), said: Vec::new(), over: false };
    talk.replies(1);
    for step in &session.steps {
        if !talk.over {
            talk.step(step);
        }
    }
    let _ = talk.stream.get_ref().shutdown(Shutdown::Write);
    let mut rest = Vec::new();
    let _ = talk.stream.read_to_end(&mut rest);
    talk.said.extend(String::from_utf8_lossy(&rest).lines().map(|line| format!("S: {line} (at the end)")));
    talk.said
}

struct Talk {
    stream: BufReader<TcpStream>,
    said: Vec<String>,
    over: bool,
}

impl Talk {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Say(bytes, replies) => {
                self.write(bytes);
                self.replies(*replies);
            }
            Step::Data(content) => {
                self.write(b"DATA\r\n");
                if self.replies(1) == Some(354) {
                    self.write(&[content.as_slice(), b".\r\n"].concat());
                    self.replies(1);
                }
            }
            Step::HalfData(content) => {
                self.write(b"DATA\r\n");
                if self.replies(1) == Some(354) {
                    self.write(content);
                }
            }
            Step::Leave => self.over = true,
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.said.push(format!("C: {}", bytes.escape_ascii()));
        self.over |= self.stream.get_mut().write_all(bytes).is_err();
    }

    /// Reads so many replies; the code of the last one.
    fn replies(&mut self, count: usize) -> Option<u16> {
        let mut code = None;
        for _ in 0..count {
            code = self.reply();
        }
        code
    }

    fn reply(&mut self) -> Option<u16> {
        loop {
            let mut line = Vec::new();
            match self.stream.read_until(b'\n', &mut line) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    panic!("no reply; so far:\n{}", self.said.join("\n"));
                }
                Ok(0) | Err(_) => {
                    self.over = true;
                    return None;
                }
                Ok(_) => {}
            }
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            self.said.push(format!("S: {line}"));
            if line.as_bytes().get(3) != Some(&b'-') {
                return line.get(..3)?.parse().ok();
            }
        }
    }
}
