//! URLs of messages on this server, as CATENATE has them (RFC 5092, RFC 5550 §4.1).

use acl::Right;
use imap_protocol::types::{MailboxName, Partial, Section};
use sys::clock;

use crate::state::State;
use crate::text::Text;

/// What a URL such as `/box;UIDVALIDITY=1/;UID=2/;SECTION=1.2` stands for.
pub(crate) fn fetch(state: &State, url: &str) -> Result<Vec<u8>, &'static str> {
    let path = url.strip_prefix('/').ok_or("Only URLs without a server are known here")?;
    let mut parts = path.split("/;");
    let (mailbox, validity) = mailbox(parts.next().unwrap_or_default())?;
    let (mut uid, mut section, mut partial) = (None, Section::default(), None);
    for part in parts {
        match part.split_once('=').ok_or("Invalid URL")? {
            (name, value) if name.eq_ignore_ascii_case("UID") => uid = value.parse::<u32>().ok(),
            (name, value) if name.eq_ignore_ascii_case("SECTION") => {
                if value.is_empty() {
                    return Err("Invalid section");
                }
                section = Section::parse(&unescape(value)).ok_or("Invalid section")?;
            }
            (name, value) if name.eq_ignore_ascii_case("PARTIAL") => partial = Some(range(value)?),
            _ => return Err("Invalid URL"),
        }
    }
    let uid = uid.ok_or("The URL names no message")?;
    let name = state.folder_name(&mailbox).map_err(|_| "Invalid mailbox name")?;
    let folder = state.store.folder(&name, clock::now_us()).map_err(|_| "Mailbox doesn't exist")?;
    state.permit(&name, Right::Read).map_err(|_| "Permission denied")?;
    folder.sync(clock::now_us()).map_err(|_| "Mailbox can't be read")?;
    if validity.is_some_and(|validity| validity != folder.read(|contents| contents.summary().uid_validity)) {
        return Err("Invalid UIDVALIDITY");
    }
    let mut text = Text::new(&folder, uid);
    let content = text.section(&section).map_err(|_| "Message doesn't exist")?;
    let partial = partial.unwrap_or(Partial { offset: 0, count: None });
    let range = partial.of(content.len() as u64);
    Ok(content[range.start as usize..range.end as usize].to_vec())
}

fn mailbox(text: &str) -> Result<(MailboxName, Option<u32>), &'static str> {
    let (name, validity) = match text.split_once(";UIDVALIDITY=") {
        Some((name, number)) => (name, Some(number.parse().map_err(|_| "Invalid UIDVALIDITY")?)),
        None => (text, None),
    };
    let name = MailboxName::from_wire(&unescape(name), false).map_err(|_| "Invalid mailbox name")?;
    Ok((name, validity))
}

fn range(text: &str) -> Result<Partial, &'static str> {
    let (offset, count) = text.split_once('.').map_or((text, None), |(offset, count)| (offset, Some(count)));
    let number = |text: &str| text.parse::<u64>().map_err(|_| "Invalid partial");
    let count = count.map(number).transpose()?;
    // RFC 5092 §11: nothing is no part.
    if count == Some(0) { Err("Invalid partial") } else { Ok(Partial { offset: number(offset)?, count }) }
}

/// `%20` (RFC 3986 §2.1)
fn unescape(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}
