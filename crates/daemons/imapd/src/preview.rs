//! The first words of a message (RFC 8970).

use mailbox::store::MailError;
use message::content_type::Encoding;
use message::decode;
use message::preview::{LIMIT, of_html, of_plain};
use message::structure::{Headers, Inner, Part};

use crate::binary::encoding_of;
use crate::text::Parts;

/// Bytes of a body that are looked at: first so many, and when that does not make a whole preview, so many.
const LOOK_LIMITS_BYTES: [usize; 2] = [32 * 1024, 1024 * 1024];
/// A transfer encoding makes so many of one byte.
const ENCODED_FACTOR: usize = 4;

/// The preview of a message: text of its first text part, without quotations where there is other text.
pub(crate) fn preview(parts: &Parts<'_>) -> Result<String, MailError> {
    let Some(part) = text_part(parts.root) else { return Ok(String::new()) };
    // What this is nobody can know.
    if encoding_of(parts.header_of(part)) == Encoding::Other {
        return Ok(String::new());
    }
    let mut preview = String::new();
    for limit_bytes in LOOK_LIMITS_BYTES {
        let mut content = parts.decoded(part, limit_bytes * ENCODED_FACTOR)?;
        let is_cut = content.len() > limit_bytes || part.body.len() > limit_bytes * ENCODED_FACTOR;
        content.truncate(limit_bytes);
        if is_cut {
            content.truncate(whole_letters(&content));
        }
        let text = decode::text(part.media.parameter("charset").unwrap_or(b"utf-8"), &content);
        preview = if part.media.is("text", "html") { of_html(&text) } else { of_plain(&text) };
        // A quotation may yet be followed by other text.
        if !is_cut || preview.chars().count() + 1 >= LIMIT && !preview.starts_with('>') {
            break;
        }
    }
    Ok(preview)
}

/// The part of a message that is read first; messages within messages do not count.
fn text_part(part: &Part) -> Option<&Part> {
    match &part.inner {
        Inner::Parts(parts) if part.media.is("multipart", "alternative") => {
            alternative(parts).or_else(|| parts.iter().find_map(text_part))
        }
        Inner::Parts(parts) => parts.iter().find_map(text_part),
        Inner::Leaf if is_text(part) => Some(part),
        _ => None,
    }
}

/// Of those that stand there themselves: the first plain text, or else the last HTML, or the last text.
fn alternative(parts: &[Part]) -> Option<&Part> {
    let mut leaves = parts.iter().filter(|part| matches!(part.inner, Inner::Leaf) && is_text(part));
    let plain = leaves.clone().find(|part| part.media.is("text", "plain"));
    let html = || leaves.clone().rfind(|part| part.media.is("text", "html"));
    plain.or_else(html).or_else(|| leaves.next_back())
}

fn is_text(part: &Part) -> bool {
    part.media.is_kind("text") && !part.media.subtype.is_empty()
}

/// Bytes without the part of a letter of UTF-8 that a cut left at the end.
fn whole_letters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(message: &str) -> String {
        let message = message.replace('\n', "\r\n");
        let root = Part::read(message.as_bytes());
        preview(&Parts::of(message.as_bytes(), &root)).unwrap()
    }

    fn parts(subtype: &str, parts: &[&str]) -> String {
        let head = format!("Content-Type: multipart/{subtype}; boundary=b\n\n");
        head + &parts.iter().map(|part| format!("--b\n{part}\n")).collect::<String>() + "--b--\n"
    }

    #[test]
    fn the_first_words_of_the_first_text() {
        assert_eq!(of("A: b\n\n> quoted\nHello\n  world\n"), "Hello world");
        assert_eq!(of("Content-Type: text/html\n\n<style>x{}</style><p>Hi &amp; <b>you</b></p>"), "Hi & you");
        assert_eq!(of("Content-Type: image/png\n\nx"), "");
        assert_eq!(of("Content-Transfer-Encoding: x-uuencode\n\nx"), "");
        assert_eq!(of(&format!("\n{}", "x".repeat(500))).len(), LIMIT);
    }

    #[test]
    fn which_part_is_shown() {
        let [plain, html, calendar, image] = ["plain", "html", "calendar", "image/png"].map(|kind| {
            let kind = if kind.contains('/') { kind.to_owned() } else { format!("text/{kind}") };
            format!("Content-Type: {kind}\n\n{kind}\n")
        });
        assert_eq!(of(&parts("mixed", &[&image, &html, &plain])), "text/html");
        assert_eq!(of(&parts("mixed", &[&calendar, &plain])), "text/calendar");
        assert_eq!(of(&parts("alternative", &[&html, &calendar, &plain])), "text/plain");
        assert_eq!(of(&parts("alternative", &[&html, &calendar])), "text/html");
        assert_eq!(of(&parts("alternative", &[&image, &calendar])), "text/calendar");
    }

    #[test]
    fn text_behind_much_that_is_none() {
        let style = format!("<style>{}</style>", "x".repeat(40_000));
        assert_eq!(of(&format!("Content-Type: text/html\n\n{style}Hi\n")), "Hi");
        assert_eq!(of(&format!("\n{}Hi\n", "> q\n".repeat(20_000))), "Hi");
        // Cut between the bytes of a letter, it is still UTF-8.
        assert_eq!(of(&format!("\n{}", "\u{20ac}".repeat(20_000))), "\u{20ac}".repeat(LIMIT));
    }
}
