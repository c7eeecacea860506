//! Values of header fields, made ready for being cut into words: what differs from message to message goes.

use super::words::address_words;
use crate::addresses;
use crate::perl::Fixed;

/// The value of a field of that name, as the field's kind asks for it.
pub(super) fn chewed(name: &[u8], value: &[u8]) -> Vec<u8> {
    let lower = name.to_ascii_lowercase();
    let plain =
        [&b"x-"[..], b"resent-"].iter().find_map(|begin| lower.strip_prefix(*begin)).unwrap_or(&lower);
    match plain {
        b"message-id" => message_id(value),
        b"return-path" | b"from" | b"to" | b"cc" | b"reply-to" | b"errors-to" | b"mail-followup-to"
        | b"sender" => addresses_of(value),
        _ => by_exact_name(name, &lower, value),
    }
}

fn by_exact_name(name: &[u8], lower: &[u8], value: &[u8]) -> Vec<u8> {
    static VERSION: Fixed = Fixed::new(r"1\.0");
    static RELAY_WORD: Fixed = Fixed::new(r" [a-z]+=");
    match name {
        b"Received" => received(value),
        b"Content-Type" => content_type(value),
        b"MIME-Version" => VERSION.replace_first(value, |_| Vec::new()).unwrap_or_else(|| value.to_vec()),
        b"x-spam-relays-external"
        | b"x-spam-relays-internal"
        | b"x-spam-relays-trusted"
        | b"x-spam-relays-untrusted" => RELAY_WORD.replace_all(value, |_| b" ".to_vec()),
        _ if only_its_presence_counts(lower) => b"1".to_vec(),
        _ => value.to_vec(),
    }
}

/// Fields that differ in each message.
fn only_its_presence_counts(lower: &[u8]) -> bool {
    static FINGERPRINT: Fixed = Fixed::new(r"^x-(?:gnu-?pg|pgp|gpg)(?:-key)?-fingerprint$");
    let known: [&[u8]; 7] = [
        b"x-face",
        b"dkim-signature",
        b"domainkey-signature",
        b"x-google-dkim-signature",
        b"arc-message-signature",
        b"arc-seal",
        b"autocrypt",
    ];
    known.contains(&lower) || (lower.starts_with(b"x-") && FINGERPRINT.is_match(lower))
}

/// Names and addresses: `N*Joe U*joe D*example.com D*com`.
fn addresses_of(value: &[u8]) -> Vec<u8> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    for mailbox in addresses::parse(value) {
        if let Some(phrase) = mailbox.phrase {
            let is_space = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
            let names = phrase.split(is_space).filter(|name| !name.is_empty());
            words.extend(names.map(|name| [b"N*", name].concat()));
        }
        if let Some(address) = mailbox.address {
            address_words(&address, |kind, part| words.push([kind, part].concat()));
        }
    }
    words.join(&b' ')
}

/// Ids of well-known programs are taken apart, those that are only numbers go.
fn message_id(value: &[u8]) -> Vec<u8> {
    static OUTLOOK_EXPRESS: Fixed =
        Fixed::new(r"<([0-9a-f]{4})[0-9a-f]{8}\$([0-9a-f]{4})[0-9a-f]{4}\$([0-9a-f]{8})\@(\S+)>");
    static EXIM: Fixed = Fixed::new(r"<[A-Za-z0-9]{7}-[A-Za-z0-9]{6}-0[A-Za-z0-9]\@");
    static SENDMAIL: Fixed =
        Fixed::new(r"<20\d\d[01]\d[0123]\d[012]\d[012345]\d[012345]\d\.[A-F0-9]{10,12}\@");
    let mut value = OUTLOOK_EXPRESS.replace_all(value, |groups| {
        let parts: [&[u8]; 9] = [
            b" OEA",
            groups.get(1),
            b" OEB",
            groups.get(2),
            b" OEC",
            groups.get(3),
            b" ",
            groups.get(4),
            b" ",
        ];
        parts.concat()
    });
    if let Some(rest) = EXIM.replace_first(&value, |_| Vec::new()) {
        value = rest;
    }
    let mut value = SENDMAIL.replace_all(&value, |_| Vec::new());
    for byte in &mut value {
        if !byte.is_ascii_alphanumeric() && *byte != b'_' {
            *byte = b' ';
        }
    }
    value
}

/// Ids, dates and frequent words go; of addresses of hosts the network stays, and the whole address with a mark.
fn received(value: &[u8]) -> Vec<u8> {
    static IDS: [Fixed; 4] = [
        Fixed::new(r"\swith\sSMTP\sid\sg[\dA-Z]{10,12}\s"),
        Fixed::new(r"\swith\sESMTP\sid\s[\dA-F]{10,12}\s"),
        Fixed::new(r"\bid\s[a-zA-Z0-9]{7,20}\b"),
        Fixed::new(r"\bid\s[A-Za-z0-9]{7}-[A-Za-z0-9]{6}-0[A-Za-z0-9]"),
    ];
    static DATE: Fixed = Fixed::new(concat!(
        r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),\s)?[0-3\s]?[0-9]\s",
        r"(?:Jan|Feb|Ma[ry]|Apr|Ju[nl]|Aug|Sep|Oct|Nov|Dec)\s(?:19|20)?[0-9]{2}\s",
        r"[0-2][0-9](?:\:[0-5][0-9]){1,2}\s",
        r"(?:\s*\(|\)|\s*(?:[+-][0-9]{4})|\s*(?:UT|[A-Z]{2,3}T))*",
    ));
    static ADDRESS: Fixed = Fixed::new(r"\b(\d{1,3}\.\d{1,3}\.\d{1,3})(\.\d{1,3})\b");
    static FREQUENT: Fixed = Fixed::new(r"\b(?:with|from|for|SMTP|ESMTP)\b");
    let mut value = value.to_vec();
    for id in &IDS {
        value = id.replace_all(&value, |_| b" ".to_vec());
    }
    let value = DATE.replace_all(&value, |_| Vec::new());
    let value = ADDRESS
        .replace_all(&value, |groups| [groups.get(1), b" ip*", groups.get(1), groups.get(2), b" "].concat());
    FREQUENT.replace_all(&value, |_| b" ".to_vec())
}

/// Of a boundary its pattern is kept: which characters stand where.
fn content_type(value: &[u8]) -> Vec<u8> {
    static BOUNDARY: Fixed = Fixed::new(r#"(?i)boundary=["'](.*?)["']"#);
    static SEPARATORS: Fixed = Fixed::new(r"[-_.=]+");
    static FREQUENT: Fixed = Fixed::new(r"\b(?:text|charset)\b");
    let mut boundary = BOUNDARY.all(value).pop().map(|groups| groups.text(1)).unwrap_or_default();
    let mut rest = BOUNDARY.replace_all(value, |_| b" ".to_vec());
    for byte in &mut boundary {
        if byte.is_ascii_hexdigit() {
            *byte = b'H';
        }
    }
    rest.extend(SEPARATORS.replace_all(&boundary, |groups| [b" ", groups.get(0), b" "].concat()));
    FREQUENT.replace_all(&rest, |_| b" ".to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chew(name: &str, value: &str) -> String {
        String::from_utf8(chewed(name.as_bytes(), value.as_bytes())).unwrap()
    }

    #[test]
    fn each_field_in_its_way() {
        assert_eq!(
            chew("Resent-From", "\"Joe D\" <joe@mail.example.com>"),
            "N*Joe N*D U*joe D*mail.example.com D*example.com D*com"
        );
        assert_eq!(
            chew("Message-Id", " <000001c1f6b5$1a2b3c4d$0100007f@host.example>"),
            "  OEA0000 OEB1a2b OEC0100007f host example "
        );
        assert_eq!(chew("Message-ID", " <16A7bCd-0003xy-00@host.example>"), " host example ");
        assert_eq!(
            chew("Content-Type", " multipart/mixed; boundary=\"--=_ab12zz\""),
            " multipart/mixed;   --=_ HHHHzz"
        );
        assert_eq!(chew("MIME-Version", " 1.0 (x)"), "  (x)");
        assert_eq!(chew("DKIM-Signature", " v=1; a=b"), "1");
        assert_eq!(chew("x-spam-relays-trusted", " [ ip=1.2.3.4 rdns= ]"), " [ 1.2.3.4  ]");
    }

    #[test]
    fn a_received_line_keeps_the_way() {
        assert_eq!(
            chew(
                "Received",
                " from a (b [192.0.2.7]) by c with ESMTP id 1234567890AB for <d>; Mon, 1 Jul 2002 10:00:00 +0200 (CEST)"
            ),
            "   a (b [192.0.2 ip*192.0.2.7 ]) by c   <d>; "
        );
    }
}
