//! HTML as text. No tree is made of it: what is broken is read as Dovecot 2.3 reads it.

use super::words::Words;
use crate::entities;

/// Bytes of the longest name of a character.
const NAME_LIMIT_BYTES: usize = 9;
/// What ends the part of a document that is not HTML.
const DATA_END: &str = "]]>";

/// Says what is between the tags.
pub(super) fn read(text: &str, words: &mut Words) {
    let (mut rest, mut quotations) = (text, 0_usize);
    while let Some(at) = rest.find(['<', '&']).filter(|_| !words.is_full()) {
        words.text(&rest[..at]);
        let found = &rest[at..];
        rest = match found.strip_prefix('&') {
            Some(behind) => reference(behind, words),
            None => markup(found, &mut quotations, words),
        };
    }
    words.text(rest);
}

/// Says the character that a reference names, if it names one; answers what is behind it.
fn reference<'t>(text: &'t str, words: &mut Words) -> &'t str {
    let is_end = |byte: &u8| *byte == b';' || is_blank(*byte);
    match text.bytes().take(NAME_LIMIT_BYTES + 1).position(|byte| is_end(&byte)) {
        Some(end) if text.as_bytes()[end] == b';' => {
            if let Some(letter) = character(&text[..end]) {
                words.letter(letter);
            }
            &text[end + 1..]
        }
        // It goes on for ever, or is none: only the ampersand goes.
        Some(_) => text,
        None if text.len() > NAME_LIMIT_BYTES => text,
        None => "",
    }
}

fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
        let digits = Some(digits).filter(|digits| !digits.starts_with('+'))?;
        return u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    }
    // HTML 5 means otherwise than HTML 4.
    match name {
        "lang" => return Some('\u{27e8}'),
        "rang" => return Some('\u{27e9}'),
        _ => {}
    }
    let known = |(known, _): &(&str, u32)| known.trim_end_matches(';').cmp(name);
    let found = entities::NAMES.iter().find(|entry| known(entry).is_eq())?;
    char::from_u32(found.1)
}

/// Passes over what begins with `<`; answers what is behind it.
fn markup<'t>(text: &'t str, quotations: &mut usize, words: &mut Words) -> &'t str {
    if let Some(comment) = text.strip_prefix("<!--") {
        return behind_comment(comment);
    }
    if let Some(data) = strip(text, "<![CDATA[") {
        // What may be the begin of the end, at the end of all, is none of it.
        let cut = || data.strip_suffix("]]").or_else(|| data.strip_suffix(']')).unwrap_or(data);
        let (data, behind) = data.split_once(DATA_END).unwrap_or_else(|| (cut(), ""));
        words.text(data);
        return behind;
    }
    words.part();
    if let Some(hidden) = named(text, "<style") {
        return behind(hidden, "</style>");
    }
    if let Some(hidden) = named(text, "<script") {
        return behind(hidden, "</script>");
    }
    if let Some(behind) = strip(text, "</blockquote>") {
        match *quotations {
            0 => {}
            1 => words.begin_line(),
            _ => words.quote(),
        }
        *quotations = quotations.saturating_sub(1);
        return behind;
    }
    *quotations += usize::from(named(text, "<blockquote").is_some());
    if *quotations > 0 {
        words.quote();
    }
    behind_tag(text)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn strip<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// What is behind the name of the tag that begins here.
fn named<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    strip(text, name).filter(|rest| rest.bytes().next().is_some_and(|byte| byte == b'>' || is_blank(byte)))
}

/// What is behind `end`.
fn behind<'t>(text: &'t str, end: &str) -> &'t str {
    text.match_indices("</").find_map(|(at, _)| strip(&text[at..], end)).unwrap_or_default()
}

/// A `>` between quotes does not end a tag.
fn behind_tag(text: &str) -> &str {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (byte, quote) {
            (b'>', None) => return &text[at + 1..],
            (b'"' | b'\'', None) => quote = Some(byte),
            (_, Some(open)) if open == byte => quote = None,
            _ => {}
        }
    }
    ""
}

/// `--`, blanks, and `>` end a comment; a third `-` begins to count anew.
fn behind_comment(text: &str) -> &str {
    let mut dashes = 0;
    for (at, byte) in text.bytes().enumerate() {
        dashes = match (byte, dashes) {
            (b'>', 2) => return &text[at + 1..],
            (b'-', 0 | 1) => dashes + 1,
            (byte, 2) if is_blank(byte) => 2,
            _ => 0,
        };
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::super::{LIMIT, of_html, of_plain};
    use proptest::prelude::*;

    /// What Dovecot 2.3.19 answered.
    #[test]
    fn as_dovecot_shows_it() {
        let expected = [
            ("<style>x{}</style><p>Hi &amp; <b>you</b></p>", "Hi & you"),
            ("a<b>c", "a c"),
            ("a<!-- b > d -->c", "ac"),
            ("a<!--x--->b", "a"),
            ("a<!-- -- > b -->c", "a b -->c"),
            ("a<![CDATA[b>c]]>d", "ab>cd"),
            ("a<x y=\"b>c\">d", "a d"),
            ("a<b don't>c", "a"),
            ("a<style>b</style >c", "a"),
            ("a<style \">b</style>c\">d</style>e", "a c\">d e"),
            ("a<style/>b", "a b"),
            ("a<blockquote>b<blockquote>c</blockquote>d</blockquote>e", "a e"),
            ("<blockquote>b</blockquote>", ">b"),
            ("<blockquote>a\n>b\nc</blockquote>", "c"),
            ("<blockquote>\na b<p>c", "a b"),
            ("a<blockquote>b</blockquote>>c\nd", "a d"),
            ("a<br>> b", "a > b"),
            ("a</blockquote>> b", "a > b"),
            ("a<![CDATA[b]", "ab"),
            ("<p>> a\nb", "b"),
            (">a<p>b\nc", "c"),
            ("a&eacute;&#65;&#x41;&#X41;&unknown;b", "a\u{e9}AAb"),
            ("a&lt b&b c;d", "alt bb c;d"),
            ("a&abcdefghij;c&abcdefghi;d", "aabcdefghij;cd"),
            ("a&b<p>c;d", "ad"),
            ("a&#10;&gt;b", "a"),
            ("a&am", "a"),
            ("&lang;&apos;", "\u{27e8}'"),
            ("&nbsp;a", "\u{a0}a"),
        ];
        for (html, preview) in expected {
            assert_eq!(of_html(html), preview, "{html}");
        }
    }

    #[test]
    fn plain_text_without_quotations() {
        let expected = [
            ("> quoted\nHello\n  world\n", "Hello world"),
            ("> a\n> > b\n", ">a > b"),
            (">\n>\n", ""),
            (" > a\nb", "> a b"),
            ("a\0\u{feff}b\x01\x0bc", "ab\x01 c"),
            ("\u{feff}>a\nb", ">a b"),
        ];
        for (text, preview) in expected {
            assert_eq!(of_plain(text), preview, "{text}");
        }
        let long = |text: &str| of_plain(text).chars().count();
        assert_eq!(long(&"\u{e9}".repeat(300)), LIMIT);
        assert_eq!(long(&"a ".repeat(300)), LIMIT - 1);
        assert_eq!(long(&format!("> {}", "a".repeat(300))), LIMIT);
        assert_eq!(long(&format!("{} bc d", "a".repeat(199))), LIMIT - 1);
    }

    proptest! {
        #[test]
        fn any_text_has_a_preview(text in "([<>&;/! \"'a-z#0-9\n-]|<!--|-->|<blockquote>|</blockquote>|<style>|</style>|\u{e9}){0,60}") {
            prop_assert!(of_html(&text).chars().count() <= LIMIT);
            prop_assert!(of_plain(&text).chars().count() <= LIMIT);
        }
    }
}
