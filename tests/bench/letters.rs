//! Mail and spam that nobody wrote: made of words, always the same.

use std::fmt::Write as _;

/// Letters of the mixture.
const MIXED: usize = 240;

const PLAIN_WORDS: [&str; 40] = [
    "meeting", "notes", "about", "the", "release", "we", "should", "look", "at", "patch", "again", "before",
    "Friday", "thanks", "for", "your", "report", "it", "works", "here", "with", "kernel", "and", "library",
    "version", "please", "send", "log", "file", "when", "server", "does", "not", "answer", "tomorrow",
    "lunch", "train", "garden", "weather", "book",
];
const SPAM_WORDS: [&str; 36] = [
    "free",
    "money",
    "click",
    "here",
    "now",
    "offer",
    "limited",
    "time",
    "winner",
    "prize",
    "cash",
    "guarantee",
    "loan",
    "credit",
    "cheap",
    "pills",
    "order",
    "online",
    "discount",
    "million",
    "dollars",
    "transfer",
    "bank",
    "urgent",
    "dear",
    "friend",
    "casino",
    "bonus",
    "weight",
    "loss",
    "mortgage",
    "rates",
    "unsubscribe",
    "amazing",
    "investment",
    "opportunity",
];

/// Numbers that look thrown: xorshift, always the same for one seed.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).expect("a small number")
    }

    fn text(&mut self, words: &[&str], count: usize) -> String {
        let mut text = String::new();
        for number in 1..=count {
            text.push_str(words[self.throw(words.len())]);
            text.push_str(if number % 60 == 0 {
                ".\n\n"
            } else if number % 11 == 0 {
                "\n"
            } else {
                " "
            });
        }
        text
    }
}

/// Three quarters mail, one quarter spam, in plain text, HTML and quoted-printable.
pub(crate) fn mixed() -> Vec<Vec<u8>> {
    (0..MIXED).map(|number| letter(number, number % 4 == 3)).collect()
}

/// Spam that is not in the mixture.
pub(crate) fn spam(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| letter(MIXED + number, true)).collect()
}

/// Mail that is not in the mixture.
pub(crate) fn ham(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| letter(2 * MIXED + number, false)).collect()
}

fn letter(number: usize, spam: bool) -> Vec<u8> {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (number as u64 + 1) << 20);
    let words: &[&str] = if spam { &SPAM_WORDS } else { &PLAIN_WORDS };
    let host = words[dice.throw(words.len())].to_ascii_lowercase();
    let (length, subject) = (80 + dice.throw(500), dice.text(words, 5));
    let mut text = format!(
        "Received: from mail.{host}.example ([192.0.2.{}])\n\tby mx.example.org (Postfix) with ESMTP id A{number:X}\n\
         \tfor <joe@example.org>; Sun, 22 Nov 2026 10:{:02}:00 +0000 (UTC)\n\
         From: \"A. Sender\" <sender{}@{host}.example>\nTo: joe@example.org\nSubject: {subject}\n\
         Date: Sun, 22 Nov 2026 09:{:02}:00 +0000\nMessage-Id: <{number}.{}@{host}.example>\nMIME-Version: 1.0\n",
        1 + dice.throw(250),
        dice.throw(60),
        dice.throw(90),
        dice.throw(60),
        dice.throw(1_000_000),
    );
    let body = dice.text(words, length);
    let link = format!("http://www.{host}.example/{}?id={number}", words[dice.throw(words.len())]);
    match number % 4 {
        0 | 1 => {
            let _ = write!(text, "Content-Type: text/plain; charset=utf-8\n\n{body}\n\n{link}\n");
        }
        2 => {
            let quoted = body.replace("the", "th=65").replace("free", "fr=\nee");
            let _ = write!(
                text,
                "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n{quoted}\n{link}\n"
            );
        }
        _ => {
            let page = format!(
                "<html><body><table><tr><td><p>{}</p></td></tr></table><a href=\"{link}\">{host}</a></body></html>",
                body.replace("\n\n", "</p><p>")
            );
            let _ = write!(
                text,
                "Content-Type: multipart/alternative; boundary=\"=_{number}\"\n\n--=_{number}\nContent-Type: text/plain\n\n\
                 {body}\n--=_{number}\nContent-Type: text/html; charset=utf-8\n\n{page}\n--=_{number}--\n"
            );
        }
    }
    text.into_bytes()
}
