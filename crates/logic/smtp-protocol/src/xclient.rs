//! The attributes of XCLIENT and XFORWARD (XCLIENT_README, XFORWARD_README).

use core::net::IpAddr;

use crate::reply::Reply;
use crate::xtext;

/// What can be told about a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// NAME: the verified host name.
    Name,
    /// REVERSE_NAME: the name that the address has, whether or not the name has the address.
    ReverseName,
    /// ADDR
    Address,
    /// PORT
    Port,
    /// HELO
    Helo,
    /// PROTO
    Protocol,
    /// LOGIN
    Login,
    /// DESTADDR
    ServerAddress,
    /// DESTPORT
    ServerPort,
    /// IDENT: the queue id upstream.
    Identity,
    /// SOURCE: LOCAL or REMOTE.
    Source,
}

use Attribute::{
    Address, Helo, Identity, Login, Name, Port, Protocol, ReverseName, ServerAddress, ServerPort, Source,
};

/// Attribute names as they stand in EHLO and in the commands.
const XCLIENT: [(&str, Attribute); 9] = [
    ("NAME", Name),
    ("ADDR", Address),
    ("PORT", Port),
    ("PROTO", Protocol),
    ("HELO", Helo),
    ("LOGIN", Login),
    ("DESTADDR", ServerAddress),
    ("DESTPORT", ServerPort),
    ("REVERSE_NAME", ReverseName),
];
const XFORWARD: [(&str, Attribute); 7] = [
    ("NAME", Name),
    ("ADDR", Address),
    ("PROTO", Protocol),
    ("HELO", Helo),
    ("SOURCE", Source),
    ("PORT", Port),
    ("IDENT", Identity),
];

/// What an EHLO reply lists for the one and the other.
pub(crate) const XCLIENT_KEYWORD: &str =
    "XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT";
/// As [`XCLIENT_KEYWORD`].
pub(crate) const XFORWARD_KEYWORD: &str = "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT";

/// The longest value; the commands are limited to 512 bytes, this is per attribute.
const VALUE_LIMIT_BYTES: usize = 255;

/// Attributes with their values; `None` where the sender does not know.
pub type Attributes = Vec<(Attribute, Option<String>)>;

/// Reads the words of XCLIENT.
pub(crate) fn xclient(words: &[&str]) -> Result<Attributes, Reply> {
    words.iter().map(|word| attribute(word, "XCLIENT", &XCLIENT)).collect()
}

/// Reads the words of XFORWARD.
pub(crate) fn xforward(words: &[&str]) -> Result<Attributes, Reply> {
    words.iter().map(|word| attribute(word, "XFORWARD", &XFORWARD)).collect()
}

fn attribute(
    word: &str,
    command: &str,
    table: &[(&str, Attribute)],
) -> Result<(Attribute, Option<String>), Reply> {
    let (name, coded) =
        word.split_once('=').ok_or_else(|| Reply::new("501 5.5.4 Error: attribute=value expected"))?;
    if coded.len() > VALUE_LIMIT_BYTES {
        return Err("501 5.5.4 Error: attribute value too long".into());
    }
    let found = table.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let Some((known, attribute)) = found else {
        return Err(format!("501 5.5.4 Bad {command} attribute name: {name}").into());
    };
    let bad = || Reply::new(format!("501 5.5.4 Bad {known} syntax: {coded}"));
    let decoded = xtext::decode(coded).ok_or_else(bad)?;
    // XFORWARD knows the first of them only.
    if decoded == "[UNAVAILABLE]" || (decoded == "[TEMPUNAVAIL]" && command == "XCLIENT") {
        return Ok((*attribute, None));
    }
    Ok((*attribute, Some(value(*attribute, &decoded).ok_or_else(bad)?)))
}

fn value(attribute: Attribute, text: &str) -> Option<String> {
    let printable =
        |text: &str| text.chars().map(|c| if c.is_control() { '?' } else { c }).collect::<String>();
    match attribute {
        Address | ServerAddress => {
            let bare = text
                .get(..5)
                .filter(|start| start.eq_ignore_ascii_case("ipv6:"))
                .map_or(text, |_| &text[5..]);
            bare.parse::<IpAddr>().ok().map(|address| address.to_string())
        }
        Port | ServerPort => text.parse::<u16>().ok().map(|port| port.to_string()),
        Protocol => {
            ["SMTP", "ESMTP"].iter().find(|known| known.eq_ignore_ascii_case(text)).map(|p| (*p).to_owned())
        }
        Source => {
            ["LOCAL", "REMOTE"].iter().find(|known| known.eq_ignore_ascii_case(text)).map(|s| (*s).to_owned())
        }
        Name | ReverseName => is_host_name(text).then(|| text.to_owned()),
        Helo | Identity | Login => Some(printable(text)),
    }
}

/// RFC 1123 §2.1, with underscores, for they are met.
pub(crate) fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    !text.is_empty() && text.len() <= 255 && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_decoded_and_checked() {
        let read =
            xclient(&["NAME=a.example", "addr=IPv6:::1", "PORT=25", "HELO=[UNAVAILABLE]", "LOGIN=a+40b"]);
        let expected = vec![
            (Name, Some("a.example".to_owned())),
            (Address, Some("::1".to_owned())),
            (Port, Some("25".to_owned())),
            (Helo, None),
            (Login, Some("a@b".to_owned())),
        ];
        assert_eq!(read, Ok(expected));
        for bad in ["NAME", "FOO=x", "ADDR=1.2.3", "PORT=65536", "PROTO=HTTP", "NAME=a b", "HELO=+"] {
            assert!(xclient(&[bad]).is_err(), "{bad}");
        }
        assert!(xforward(&["LOGIN=x"]).is_err());
        assert!(xforward(&["NAME=[UNAVAILABLE]"]).is_ok());
        assert!(xforward(&["NAME=[TEMPUNAVAIL]"]).is_err());
    }
}
