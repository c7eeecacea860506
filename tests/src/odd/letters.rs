//! Messages as no mail program should write them.

use crate::dice::Dice;

/// A message to be sent.
#[derive(Debug, Clone)]
pub struct Letter {
    /// What is odd about it, for whoever reads of a difference.
    pub what: String,
    /// Its content as it comes over the wire, before dots are doubled: line ends as they are sent.
    pub content: Vec<u8>,
}

/// Lines of a header, each piece odd in its own way. Line ends are `\n` here.
const HEADERS: [&[u8]; 79] = [
    b"Subject: plain\n",
    b"Subject:no blank\n",
    b"Subject : blank before the colon\n",
    b"Subject\t: tab before the colon\n",
    b"SUBJECT:   many blanks   \n",
    b"Subject:\n",
    b"Subject: \n",
    b"Subject: folded\n here\n\tand there\n",
    b"Subject:\n folded at once\n",
    b"Subject: folded\n \n with a blank line inside\n",
    b"Subject: =?utf-8?Q?=C3=A4=20b?= =?iso-8859-1?B?5A==?=\n",
    b"Subject: =?broken\n",
    b"Subject: \xc3\xa4\xc3\xb6 in UTF-8\n",
    b"Subject: \xe4\xf6 in Latin-1\n",
    b"Subject: nul \x00 inside\n",
    b"Subject: bell \x07 and escape \x1b\n",
    b"Subject: one\nSubject: two\n",
    b"From: a@b.example\n",
    b"From: A B <a@b.example>\n",
    b"From: \"A, B\" <a@b.example>, c@d.example\n",
    b"From: a@b.example (a comment (nested) \\) end)\n",
    b"From: a\n",
    b"From: a@b\n",
    b"From:\n",
    b"From: <>\n",
    b"From: a b c\n",
    b"From: a@b.example\nFrom: c@d.example\n",
    b"From: \"unclosed <a@b.example>\n",
    b"From: <a@b.example\n",
    b"From: a@b.example>\n",
    b"From: (unclosed comment a@b.example\n",
    b"From: @relay.example:a@b.example\n",
    b"From: <@relay.example,@two.example:a@b.example>\n",
    b"From: a%b@c.example\n",
    b"From: c!a\n",
    b"From: =?utf-8?Q?A?= <a@b.example>\n",
    b"From: \"\" <a@b.example>\n",
    b"From: a@[127.0.0.1]\n",
    b"From: \"quoted local\"@b.example\n",
    b"From: \"needs\\\"escape\"@b.example\n",
    b"From: a@b.example,,,c@d.example\n",
    b"From: a . b @ c . example\n",
    b"From: a..b@c.example\n",
    b"From: a@b.example.\n",
    b"From: postmaster\n",
    b"Sender: user\n",
    b"Reply-To: a, b, c@d.example\n",
    b"Errors-To: x\n",
    b"Return-Receipt-To: me\n",
    b"To: undisclosed-recipients:;\n",
    b"To: group: a, b@c.example; d\n",
    b"To: group: a, b@c.example, d\n",
    b"To: a; b\n",
    b"To: a@b.example\nTo: c@d.example\n",
    b"To: very.long.local.part.of.an.address.number.one@quite.a.long.domain.example, very.long.local.part.of.an.address.number.two@quite.a.long.domain.example, third@x\n",
    b"To:\n",
    b"To: ,\n",
    b"To: <a>, <b@c>, d (e)\n",
    b"Cc: a,b,\n c,\n\td@e.example\n",
    b"Bcc: hidden@b.example\n",
    b"Bcc:\n",
    b"Apparently-To: x\n",
    b"Date: Thu, 1 Jan 1970 00:00:00 +0000\n",
    b"Date: nonsense\n",
    b"Date: a\nDate: b\n",
    b"Message-ID: <one@b.example>\n",
    b"Message-ID: no brackets\n",
    b"Message-ID:\n",
    b"Message-ID: <one@b.example>\nMessage-ID: <two@b.example>\n",
    b"Message-ID: <folded\n @b.example>\n",
    b"Resent-From: r@b.example\nResent-To: s\n",
    b"Resent-Date: x\nResent-From: a\nResent-Message-ID: <r@x>\nResent-To: a, b\nResent-Bcc: c\n",
    b"Resent-Sender: r\nResent-Cc: s\nResent-Reply-To: t\n",
    b"Return-Path: <old@b.example>\n",
    b"Return-Path: <old@b.example>\nReturn-Path: <older@b.example>\n",
    b"Delivered-To: somebody@else.example\n",
    b"X-Original-To: somebody@else.example\n",
    b"Content-Length: 7\nStatus: RO\nLines: 1\n",
    b"Mail-From: x\nMime-Version: 1.0 (comment)\nDisposition-Notification-To: x\n",
];

/// What ends a header early, or is none.
const NOT_HEADERS: [&[u8]; 16] = [
    b"no colon here\n",
    b": no name\n",
    b" begins with a blank\n",
    b"\tbegins with a tab\n",
    b"From somebody Thu Jan  1 00:00:00 1970\n",
    b">From somebody Thu Jan  1 00:00:00 1970\n",
    b"From somebody@x\nFrom another\n",
    b"Two words: value\n",
    b"N\xc3\xa4me: value\n",
    b"Na\x00me: value\n",
    b"Na(me): value\n",
    b"\"Name\": value\n",
    b"X:\n",
    b"X-Empty-Line-Of-Blanks:\n   \n\n",
    b"   \n",
    b"\x00\n",
];

const TWO_PARTS: &[u8] = b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"b b\"\n\npreamble\n--b b\nContent-Type: text/plain\nFrom: inner@x\n\ntext\n--b b \nContent-Type: message/rfc822\n\nFrom: x\nSubject: nested\n\nnested body\n--b b--\nepilogue\n";
const NESTED: &[u8] = b"MIME-Version: 1.0\nContent-Type: multipart/mixed;\n boundary=outer\n\n--outer\nContent-Type: multipart/digest; boundary=inner\n\n--inner\n\nFrom: y\n\nz\n--inner--\n--outer\nContent-Transfer-Encoding: 8bit\n\n\xc3\xa4\n--outer--\n";
const BROKEN_MIME: &[u8] = b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\nContent-Transfer-Encoding: base64, x\n\n--\n--x\nno colon\n\nbody\n";
const BAD_ENCODING: &[u8] = b"MIME-Version: 1.0\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nRnJvbTogeAoKeA==\n";

/// What follows the header, its empty line included where it has one.
const BODIES: [&[u8]; 31] = [
    b"\nplain\n",
    b"",
    b"\n",
    b"\n\n\n",
    b"\nno newline at the end",
    b"\n.\n",
    b"\n..\n...\n.x\n",
    b"\nFrom here\nFrom there\n",
    b"\n\nFrom here\n\n>From there\n>>From\nfrom\nFROM x\n From x\nFrom\n",
    b"\nends with an empty line\n\n",
    b"\nblanks at the end   \t \n",
    b"\n\xc3\xa4\xe4\xff\xfe\n",
    b"\nnul \x00 in the middle\n\x00\n",
    b"\n\x01\x02\x1a\x7f\x80\x9f\n",
    b"\nform \x0c feed \x0b\n",
    b"\nFrom: not a header\nSubject: no\n",
    b"\n-- \nsignature\n",
    b"\n=3D=\nquoted=20printable\n",
    b"\n\x1b[31mred\n",
    TWO_PARTS,
    NESTED,
    BROKEN_MIME,
    BAD_ENCODING,
    b"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n=C3=A4\n",
    b"MIME-Version: 1.0\nContent-Type: (comment) multipart/mixed (another) ; boundary=\"a\\\"b\"\n\n--a\"b\n\nx\n--a\"b--\n",
    b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\n--x\n--x--\n--x\nFrom: after the end\n\n",
    b"Content-Transfer-Encoding: 7bit\n\n\xc3\xa4 says it is 7bit\n",
    b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\nno boundary at all\n",
    b"MIME-Version: 1.0\nContent-Type: message/partial; id=x\n\nSubject: part\n\nx\n",
    b"MIME-Version: 1.0\nContent-Type: message/external-body\n\nSubject: part\n\nx\n",
    b"Content-Type: multipart/mixed; boundary=x\n\n--x\nFrom: inner\n body folded\n\n",
];

/// Widths around limits: `line_length_limit`, `header_size_limit`, what SMTP allows, and buffers.
const WIDTHS: [usize; 14] =
    [77, 997, 998, 999, 2046, 2047, 2048, 2049, 4095, 4096, 6144, 10_000, 102_399, 103_000];
/// Addresses in one header: `sendmail -t` sends to all of them.
const LIST_LIMIT: usize = 60;
/// `Received` lines: below, at and above `hopcount_limit`.
const HOPS: [usize; 4] = [2, 49, 50, 51];

/// Every oddity by itself, and then `mixed` messages that have several.
pub fn all(seed: u64, mixed: usize) -> Vec<Letter> {
    let mut dice = Dice::new(seed);
    let mut letters = Vec::new();
    letters.extend(HEADERS.iter().map(|piece| letter(&[piece], BODIES[0])));
    letters.extend(NOT_HEADERS.iter().map(|piece| letter(&[b"X-A: 1\n", piece, b"X-B: 2\n"], BODIES[0])));
    letters.extend(NOT_HEADERS.iter().map(|piece| letter(&[piece, b"X-B: 2\n"], BODIES[0])));
    letters.extend(BODIES.iter().map(|body| letter(&[b"X-A: 1\n"], body)));
    letters.extend(BODIES.iter().map(|body| letter(&[], body)));
    letters.extend(long_ones());
    letters.extend(line_ends());
    letters.extend((0..mixed).map(|_| mix(&mut dice)));
    letters
}

fn letter(pieces: &[&[u8]], body: &[u8]) -> Letter {
    let text = [pieces.concat(), body.to_vec()].concat();
    let what = String::from_utf8_lossy(&text).chars().take(300).collect::<String>();
    Letter { what: format!("{what:?}"), content: with_crlf(&text) }
}

fn with_crlf(text: &[u8]) -> Vec<u8> {
    text.split_inclusive(|byte| *byte == b'\n')
        .flat_map(|line| match line.strip_suffix(b"\n") {
            Some(line) => [line, b"\r\n"].concat(),
            None => line.to_vec(),
        })
        .collect()
}

fn long_ones() -> Vec<Letter> {
    let widths = WIDTHS.iter().flat_map(|width| {
        let fill = "x".repeat(*width);
        let words = "word ".repeat(*width / 5);
        let people = (0..(*width / 20).min(LIST_LIMIT))
            .map(|number| format!("a{number}@b.example,\n "))
            .collect::<String>();
        [
            (format!("Subject: {fill}\n"), String::from("\nx\n")),
            (format!("To: {people} last@b.example\n"), String::from("\nx\n")),
            (format!("X-Words: {words}\n"), String::from("\nx\n")),
            (format!("{fill}: long name\n"), String::from("\nx\n")),
            (String::from("X: y\n"), format!("\n{fill}\n{fill}")),
        ]
    });
    let hops = HOPS.iter().map(|count| {
        ("Received: from x by y; Thu, 1 Jan 1970 00:00:00 +0000\n".repeat(*count), String::from("\nx\n"))
    });
    widths
        .chain(hops)
        .enumerate()
        .map(|(number, (header, body))| Letter {
            what: format!("long one {number}: {} bytes of header, {} of body", header.len(), body.len()),
            content: with_crlf((header + &body).as_bytes()),
        })
        .collect()
}

/// Line ends that are none, or too much of one.
fn line_ends() -> Vec<Letter> {
    let contents: [&[u8]; 12] = [
        b"Subject: bare\nlf in the header\r\n\r\nx\r\n",
        b"Subject: x\n\nbare lf\neverywhere\n",
        b"Subject: cr\rinside\r\n\r\nx\r\n",
        b"Subject: cr\r\r\n\r\nx\r\r\ny\r\n",
        b"Subject: x\r\n\r\ncr \r inside\r\n",
        b"Subject: x\r\n\r\ncr at the end\r",
        b"Subject: x\r\n\r\n\r\r\r\n",
        b"Subject: x\r\n\r\nlf\n\r\ncr\r\n",
        b"Subject: x\r\n\r\n\n.\r\nbehind\r\n",
        b"\r\r\n",
        b"Subject: x\r\n \r\n\r\nx\r\n",
        b"\nSubject: after a bare lf\r\n\r\nx\r\n",
    ];
    let make = |content: &&[u8]| Letter {
        what: format!("line ends: {}", content.escape_ascii()),
        content: content.to_vec(),
    };
    contents.iter().map(make).collect()
}

fn mix(dice: &mut Dice) -> Letter {
    let mut pieces: Vec<&[u8]> = Vec::new();
    for _ in 0..1 + dice.below(7) {
        let from: &[&[u8]] = if dice.chance(93) { &HEADERS } else { &NOT_HEADERS };
        pieces.extend(dice.one_of(from));
    }
    letter(&pieces, BODIES[dice.below(BODIES.len())])
}
