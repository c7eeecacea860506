//! The first words of a message (RFC 8970).

use mailbox::store::MailError;
use message::decode;
use message::structure::{Inner, Part};

use crate::text::Parts;

/// Characters of a preview: one less than RFC 8970 §3.1 allows, as Dovecot has it.
const PREVIEW_LIMIT: usize = 199;
/// Bytes of a body that are looked at.
const LOOK_LIMIT_BYTES: usize = 32 * 1024;
/// As many bytes, with a transfer encoding that makes three of one.
const ENCODED_LIMIT_BYTES: usize = 4 * LOOK_LIMIT_BYTES;

/// The preview of a message: text of its first text part, without quotations where there is other text.
pub(crate) fn preview(parts: &Parts<'_>) -> Result<String, MailError> {
    let Some(part) = text_part(parts.root, "plain").or_else(|| text_part(parts.root, "html")) else {
        return Ok(String::new());
    };
    let mut content = parts.decoded(part, ENCODED_LIMIT_BYTES)?;
    content.truncate(LOOK_LIMIT_BYTES);
    let charset = part.media.parameter("charset").unwrap_or(b"utf-8");
    let content = decode::text(charset, &content);
    if part.media.is("text", "html") {
        return Ok(words(&without_tags(&content)));
    }
    let own: String = content.lines().filter(|line| !line.starts_with('>')).collect::<Vec<_>>().join("\n");
    Ok(if own.trim().is_empty() { words(&content) } else { words(&own) })
}

/// The first part of that type; messages within messages do not count.
fn text_part<'p>(part: &'p Part, subtype: &str) -> Option<&'p Part> {
    match &part.inner {
        Inner::Parts(parts) => parts.iter().find_map(|part| text_part(part, subtype)),
        Inner::Leaf if part.media.is("text", subtype) => Some(part),
        _ => None,
    }
}

fn words(text: &str) -> String {
    let text = text.split(|letter: char| letter.is_ascii_whitespace());
    let text = text.map(|word| word.chars().filter(|letter| !letter.is_control()).collect::<String>());
    let text = text.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    text.chars().take(PREVIEW_LIMIT).collect()
}

/// HTML as text: tags go, and what stands in style and script; a few entities are characters.
fn without_tags(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        if BREAKS.iter().any(|name| is_tag(rest, name)) {
            out.push(' ');
        }
        let hidden = ["style", "script", "blockquote"].into_iter().find(|name| is_tag(rest, name));
        let end = match hidden {
            Some(name) => rest.to_ascii_lowercase().find(&format!("</{name}")).unwrap_or(rest.len()),
            None => 0,
        };
        rest = &rest[end..];
        rest = rest.find('>').map_or("", |end| &rest[end + 1..]);
    }
    out.push_str(rest);
    let entities = [
        ("&nbsp;", "\u{a0}"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    entities.iter().fold(out, |text, (name, letter)| text.replace(name, letter))
}

/// Tags that part words.
const BREAKS: [&str; 9] = ["br", "p", "div", "/p", "/div", "/title", "li", "td", "tr"];

/// Does a tag of this name begin here?
fn is_tag(text: &str, name: &str) -> bool {
    let is_named = text.get(1..=name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name));
    is_named && text[name.len() + 1..].starts_with(|letter: char| !letter.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(message: &str) -> String {
        let message = message.replace('\n', "\r\n");
        let root = Part::read(message.as_bytes());
        preview(&Parts::of(message.as_bytes(), &root)).unwrap()
    }

    #[test]
    fn the_first_words_of_the_first_text() {
        assert_eq!(of("A: b\n\n> quoted\nHello\n  world\n"), "Hello world");
        assert_eq!(of("A: b\n\n> only\n"), "> only");
        assert_eq!(of("Content-Type: text/html\n\n<style>x{}</style><p>Hi &amp; <b>you</b></p>"), "Hi & you");
        assert_eq!(of("Content-Type: image/png\n\nx"), "");
        assert_eq!(of(&format!("\n{}", "x".repeat(500))).len(), PREVIEW_LIMIT);
    }
}
