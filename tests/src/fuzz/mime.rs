//! Whole messages in memory: the tree of a content filter, and the parts of an IMAP server.

use message::decode::{self, text};
use message::structure::{Inner, Part};
use message::tree::{NESTING_LIMIT, Tree, Trust, decode_value, to_text};
use message::{mailboxes, sent, words};

/// Every byte is in a part or around one, parts lie within each other and side by side, and nothing grows by being
/// decoded.
pub(super) fn run(input: &[u8]) {
    tree(input);
    let part = Part::read(input);
    assert_eq!(part.header.start, 0);
    assert_eq!(part.body.end, input.len());
    nested(&part, input);
}

fn tree(input: &[u8]) {
    let tree = Tree::parse(input);
    let pristine = tree.pristine();
    // A message without an empty line, or of nothing at all, gets one; where some lines end in CRLF all of the header do.
    let line_ends = input.iter().filter(|byte| **byte == b'\n').count();
    assert!(pristine.len() <= input.len() + line_ends + 2, "more than came");
    assert_eq!(tree.all().len(), tree.len(), "each part is reached once");
    assert_eq!(tree.content_summary().len(), 1 + tree.root().children.iter().flatten().count());
    let depth = usize::try_from(NESTING_LIMIT).unwrap_or_default();
    assert!(tree.len() <= 2 + input.len() + depth, "{} parts", tree.len());
    for id in tree.leaves() {
        let leaf = tree.part(id);
        let decoded = leaf.decoded();
        assert!(
            decoded.len() <= leaf.raw.bytes().len(),
            "{} bytes of {}",
            decoded.len(),
            leaf.raw.bytes().len()
        );
        let charset = leaf.charset.as_deref().unwrap_or_default();
        for trust in [Trust::Guess, Trust::Declared] {
            // UTF-8 takes three bytes for one of the old charsets at the most, and U+FFFD for each that is wrong.
            assert!(to_text(&decoded, charset, trust).into_octets().len() <= 3 * decoded.len() + 3);
        }
        let _ = leaf.effective_kind();
    }
    for field in tree.root().fields.iter() {
        let line = field.raw_line();
        for value in line.split(|byte| *byte == b':').skip(1).take(1) {
            let _ = decode_value(value, b"subject");
            read_value(value);
        }
    }
}

/// A header field's value, read as each of the kinds.
fn read_value(value: &[u8]) {
    for entry in mailboxes::read(value) {
        let _ = format!("{entry:?}");
    }
    let _ = sent::read(value);
    assert!(words::decode_header(value).len() <= 3 * value.len() + 3);
    let _ = message::mime::MediaType::parse(value);
    let _ = message::mime::Disposition::parse(value);
    let _ = message::mime::languages(value);
    assert!(decode::base64(value).len() <= value.len());
    assert!(decode::quoted_printable(value).len() <= value.len() + 2);
    let _ = text(value, value);
}

fn nested(part: &Part, input: &[u8]) {
    assert!(part.header.end <= part.body.start && part.body.start <= part.body.end, "{part:?}");
    assert!(part.body.end <= input.len());
    let mut at = part.body.start;
    let inner: Vec<&Part> = match &part.inner {
        Inner::Leaf => Vec::new(),
        Inner::Parts(parts) => parts.iter().collect(),
        Inner::Message(message) => vec![message],
    };
    for (number, inside) in inner.iter().enumerate() {
        assert!(at <= inside.header.start, "parts overlap: {inside:?}");
        assert!(inside.body.end <= part.body.end, "a part leaves the one around it: {inside:?}");
        at = inside.body.end;
        let path = [u32::try_from(number + 1).unwrap_or(u32::MAX)];
        assert!(part.find(&path).is_some() || matches!(part.inner, Inner::Message(_)), "{part:?}");
        nested(inside, input);
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<_> = super::message::seeds().into_iter().map(|seed| seed[1..].to_vec()).collect();
    seeds.extend(
        [
            "From a@b Sun Nov 22 05:11:09 2026\nSubject: =?iso-8859-1?Q?a=E4_b?= =?utf-8?B?w6Q=?=\n\nx\n",
            "Content-Type: multipart/mixed;\r\n boundary=\"a b\"\r\n\r\npre\r\n--a b\r\nContent-Type: text/html; charset=koi8-r\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<a href=3D\"x\">=C1=\r\n</a>\r\n--a b--\r\nepi\r\n",
            "Resent-To; charset=koi8-r\r\nno header: a\nBcc: q\n(z)\nb\n",
            "Content-Type: multipart/alternative; boundary=x\n\n--x\nContent-Type: message/rfc822\n\nSubject: in\n\n--x\nContent-Transfer-Encoding: base64\nContent-Type: application/x; name*0*=utf-8''a%20; name*1=b\n\naGVsbG8=\n--x--\n",
            "From: \"O'Neil, J.\" <a@b> (c (d)), Group: e@f;, <@r1,@r2:g@h>\nDate: Sun, 22 Nov 26 05:11 EST (x)\nContent-Disposition: attachment; filename=\"a\\\"b\"\nContent-Language: de, en\n\n",
        ]
        .map(|text| text.as_bytes().to_vec()),
    );
    seeds
}
