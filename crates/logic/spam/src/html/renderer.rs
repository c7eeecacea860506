//! From tokens to text, links and measures.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use message::tree::Text;

use super::entities::Decoded;
use super::style::{Hidden, Looks, changes_look};
use super::target::resolve;
use super::tokens::{Token, tokens};
use crate::perl::Fixed;

/// Bytes of a link; the rest is cut off.
const URI_LIMIT_CHARS: usize = 8192;

/// A link of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Link {
    /// Elements that hold it; `None` when only its text is known.
    pub(crate) types: Option<BTreeSet<String>>,
    /// The texts that lead to it.
    pub(crate) anchor_text: Vec<String>,
}

/// What was found in a document.
#[derive(Debug, Clone, Default)]
pub(crate) struct Html {
    /// Links in the order in which they came.
    pub(crate) links: Vec<(String, Link)>,
    pub(crate) uri_truncated: bool,
    /// Numbers by the names that rules use.
    pub(crate) numbers: BTreeMap<&'static str, f64>,
    /// Texts by the names that rules use: `title`, `comment`, `script`, `anchor`.
    pub(crate) texts: BTreeMap<&'static str, Vec<String>>,
    /// How often each element is open at the end.
    pub(crate) inside: HashMap<String, i32>,
    /// What `meta` says the charset is.
    pub(crate) charsets: Option<String>,
}

/// A document as text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rendering {
    pub(crate) all: Text,
    /// What a reader sees of it, and what is hidden from readers.
    pub(crate) visible: Text,
    pub(crate) invisible: Text,
    pub(crate) html: Html,
}

/// A piece of the text.
struct Piece {
    text: String,
    wide: bool,
    whitespace: bool,
    invisible: bool,
}

const ELEMENTS: &str = " a abbr acronym address area b base bdo big blockquote body br button caption cite code col colgroup dd \
    del dfn div dl dt em fieldset form h1 h2 h3 h4 h5 h6 head hr html i img input ins kbd label legend li link map meta noscript \
    object ol optgroup option p param pre q samp script select small span strong style sub sup table tbody td textarea tfoot th \
    thead title tr tt ul var applet basefont center dir font frame frameset iframe isindex menu noframes s strike u nobr \
    x-sigsep x-tab ";
const TRICKS: &str = " bgsound embed listing plaintext xmp ";

fn among(list: &str, name: &str) -> bool {
    let padded = format!(" {name} ");
    !name.contains(' ') && list.contains(&padded)
}

#[derive(Default)]
struct Renderer {
    html: Html,
    pieces: Vec<Piece>,
    looks: Looks,
    base: String,
    elements: u32,
    elements_seen: u32,
    tags: u32,
    tags_seen: u32,
    closed_extra: u32,
    obfuscation: u32,
    backhair: BTreeSet<(usize, usize)>,
    image_area: f64,
    anchor: String,
}

/// Renders a document of `text`.
pub(crate) fn render(text: &Text) -> Rendering {
    static EMPTY_ELEMENT: Fixed = Fixed::new(r"<(\w+)\s*/>");
    let length = text.chars.chars().count();
    let source = text.chars.replace("&nbsp;", " ");
    let source = if source.contains("/>") {
        let slim =
            EMPTY_ELEMENT.replace_all(source.as_bytes(), |groups| [b"<", groups.get(1), b">"].concat());
        String::from_utf8(slim).unwrap_or(source)
    } else {
        source
    };
    let source = source.replace(['\u{201c}', '\u{201d}'], "\"");
    let mut renderer = Renderer::default();
    for token in tokens(&source, text.decoded) {
        renderer.token(token);
    }
    renderer.finish(length)
}

impl Renderer {
    fn token(&mut self, token: Token) {
        match token {
            Token::Text(text) => self.text(text),
            Token::Start { name, attributes } => self.start(&name, attributes),
            Token::End { name } => self.end(&name),
            Token::Comment(text) => self.html.texts.entry("comment").or_default().push(text),
            Token::Declaration(text) => {
                if text.get(..9).is_some_and(|begin| begin.eq_ignore_ascii_case("<!doctype")) {
                    self.elements += 1;
                    self.tags += 1;
                    self.html.inside.insert("!doctype".to_owned(), 0);
                }
            }
        }
    }

    fn is_inside(&self, tag: &str) -> bool {
        self.html.inside.get(tag).is_some_and(|count| *count > 0)
    }

    /// Counts a tag; false for tags of other name spaces, which mean nothing further.
    fn count(&mut self, tag: &str, change: i32) -> bool {
        static NAMESPACE: Fixed = Fixed::new(r"^(?:o|st\d):[\w-]+/?$");
        let foreign = tag.contains(':') && NAMESPACE.is_match(tag.as_bytes());
        let new = !self.html.inside.contains_key(tag);
        if foreign || among(ELEMENTS, tag) {
            self.elements += 1;
            self.elements_seen += u32::from(new);
        }
        self.tags += 1;
        self.tags_seen += u32::from(new);
        let open = self.html.inside.entry(tag.to_owned()).or_default();
        *open += change;
        if *open < 0 {
            *open = 0;
            self.closed_extra += 1;
        }
        !foreign && (among(ELEMENTS, tag) || among(TRICKS, tag))
    }

    fn start(&mut self, tag: &str, mut attributes: Vec<(String, Decoded)>) {
        if !self.count(tag, 1) {
            return;
        }
        if changes_look(tag) {
            self.looks.open(tag, &attributes);
        }
        self.whitespace(tag);
        self.find_links(tag, &mut attributes);
        self.examine(tag, &attributes);
    }

    fn end(&mut self, tag: &str) {
        if !self.count(tag, -1) {
            return;
        }
        if changes_look(tag) {
            self.looks.close(tag);
        }
        self.whitespace(tag);
    }

    fn whitespace(&mut self, tag: &str) {
        let text = match tag {
            "br" | "div" => "\n",
            "li" | "th" | "td" | "dt" | "dd" | "embed" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => " ",
            "p" | "hr" | "blockquote" | "pre" | "listing" | "plaintext" | "xmp" | "title" => "\n\n",
            _ => return,
        };
        if let Some(last) = self.pieces.last_mut().filter(|last| !last.whitespace && !last.invisible)
            && last.text.ends_with(' ')
        {
            last.text.pop();
        }
        self.pieces.push(Piece { text: text.to_owned(), wide: false, whitespace: true, invisible: false });
    }

    fn text(&mut self, text: Decoded) {
        if self.is_inside("script") {
            return self.html.texts.entry("script").or_default().push(text.text);
        }
        if self.is_inside("style") {
            return;
        }
        if self.is_inside("a") {
            self.add_anchor_text(&text.text);
        }
        if self.is_inside("title")
            && let Some(title) = self.html.texts.get_mut("title").and_then(|titles| titles.last_mut())
        {
            title.push_str(&text.text);
        }
        let blank =
            text.text.chars().all(|char| matches!(char, ' ' | '\t' | '\n' | '\r' | '\u{c}' | '\u{b}'));
        let hidden = if blank { None } else { self.looks.hidden() };
        match hidden {
            Some(Hidden::LowContrast) => self.note("font_low_contrast"),
            Some(Hidden::InvalidColour) => self.note("font_invalid_color"),
            _ => {}
        }
        self.compare_with_last(&text.text);
        self.display(&text, hidden.is_some());
    }

    fn display(&mut self, text: &Decoded, invisible: bool) {
        let mut shown = String::with_capacity(text.text.len());
        let mut blank = false;
        for char in text.text.chars() {
            let is_blank = matches!(char, ' ' | '\t' | '\n' | '\r' | '\u{c}' | '\u{b}');
            if !is_blank {
                shown.push(char);
            } else if !blank {
                shown.push(' ');
            }
            blank = is_blank;
        }
        let behind_space = self.pieces.last().is_some_and(|last| last.whitespace);
        if !invisible && behind_space && shown.starts_with(' ') {
            shown.remove(0);
        }
        self.pieces.push(Piece { text: shown, wide: text.wide, whitespace: false, invisible });
    }

    /// Words that tags cut into pieces.
    fn compare_with_last(&mut self, text: &str) {
        let Some(last) = self.pieces.last() else { return };
        let joins = |char: Option<char>| char.is_some_and(is_letter_like);
        if joins(text.chars().next()) && joins(last.text.chars().next_back()) {
            self.obfuscation += 1;
        }
        if let (Some(before), Some(behind)) = (word_at_end(&last.text), word_at_begin(text)) {
            self.backhair.insert((before, behind));
        }
    }

    fn link(&mut self, uri: &str) -> &mut Link {
        let index = self.html.links.iter().position(|(known, _)| known == uri).unwrap_or_else(|| {
            self.html.links.push((uri.to_owned(), Link::default()));
            self.html.links.len() - 1
        });
        &mut self.html.links[index].1
    }

    fn add_anchor_text(&mut self, text: &str) {
        let uri = self.anchor.clone();
        let link = self.link(&uri);
        if link.anchor_text.is_empty() {
            link.anchor_text.push(String::new());
        }
        if let Some(last) = link.anchor_text.last_mut() {
            last.push_str(text);
        }
        if let Some(last) = self.html.texts.entry("anchor").or_default().last_mut() {
            last.push_str(text);
        }
    }

    fn canonical(&mut self, uri: &str) -> String {
        let uri =
            uri.trim_matches(|char: char| char.is_ascii_whitespace() || matches!(char, '\u{a0}' | '\u{b}'));
        if uri.chars().count() <= URI_LIMIT_CHARS {
            return uri.to_owned();
        }
        self.html.uri_truncated = true;
        uri.chars().take(URI_LIMIT_CHARS).collect()
    }

    fn add_link(&mut self, tag: &str, uri: &str) {
        let uri = self.canonical(uri);
        if uri.is_empty() {
            return;
        }
        let lower = uri.to_ascii_lowercase();
        let opaque =
            ["data:", "mailto:", "file:", "cid:", "tel:"].iter().any(|scheme| lower.starts_with(scheme));
        let target = if opaque { uri } else { resolve(&self.base, &uri) };
        if !target.is_empty() {
            self.link(&target).types.get_or_insert_default().insert(tag.to_owned());
        }
    }

    fn find_links(&mut self, tag: &str, attributes: &mut [(String, Decoded)]) {
        if matches!(tag, "a" | "area" | "link") {
            rename_prefixed(attributes, "href");
        } else if matches!(tag, "img" | "frame" | "iframe" | "embed" | "script" | "bgsound") {
            rename_prefixed(attributes, "src");
        }
        let value = |name: &str| {
            attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.text.clone())
        };
        let found = match tag {
            "body" | "table" | "tr" | "td" => vec![value("background")],
            "a" | "area" | "link" => {
                let href = value("href").map(|href| href.replace('\u{feff}', ""));
                vec![href, value("data-saferedirecturl")]
            }
            "img" | "frame" | "iframe" | "embed" | "script" | "bgsound" => vec![value("src")],
            "form" => vec![value("action")],
            "base" => return self.set_base(value("href")),
            "meta" => vec![refresh_target(value("http-equiv"), value("content"))],
            _ => return,
        };
        found.into_iter().flatten().for_each(|uri| self.add_link(tag, &uri));
    }

    fn set_base(&mut self, href: Option<String>) {
        static FILE: Fixed = Fixed::new(r"(?i)^([a-z]+:/{0,2}[^/]+/.*?)[^/.]+\.[^/.]{2,4}$");
        static WEB: Fixed = Fixed::new(r"(?i)^(?:https?|ftp):/{0,2}");
        let Some(href) = href.filter(|href| !href.is_empty()) else { return };
        let uri = self.canonical(&href);
        self.add_link("base", &uri);
        if !WEB.is_match(uri.as_bytes()) {
            return;
        }
        let folder = FILE.replace_first(uri.as_bytes(), |groups| groups.text(1));
        let mut base = folder.and_then(|folder| String::from_utf8(folder).ok()).unwrap_or(uri);
        if !base.ends_with('/') {
            base.push('/');
        }
        self.base = base;
    }

    fn examine(&mut self, tag: &str, attributes: &[(String, Decoded)]) {
        static FACE: Fixed = Fixed::new(
            r#"(?i)^\s*["'.]?[a-z ][a-z -]*[a-z]\d?["']?(?:,\s*["']?[a-z][a-z -]*[a-z]\d?["']?)*;?$"#,
        );
        let value = |name: &str| {
            attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.text.as_str())
        };
        match tag {
            "font" if value("face").is_some_and(|face| !FACE.is_match(face.as_bytes())) => {
                self.note("font_face_bad")
            }
            "img" => self.image(value("width"), value("height")),
            "form"
                if value("action").is_some_and(|action| action.to_ascii_lowercase().contains("mailto:")) =>
            {
                self.note("form_action_mailto");
            }
            "object" | "embed" => self.note("embeds"),
            "a" => {
                self.anchor =
                    value("href").map(str::to_owned).map_or_else(String::new, |href| self.canonical(&href));
                let uri = self.anchor.clone();
                self.link(&uri).anchor_text.push(String::new());
                self.html.texts.entry("anchor").or_default().push(String::new());
            }
            "title" => self.html.texts.entry("title").or_default().push(String::new()),
            "meta" => self.note_charset(value("http-equiv"), value("content")),
            _ => {}
        }
    }

    fn note(&mut self, name: &'static str) {
        self.html.numbers.insert(name, 1.0);
    }

    fn image(&mut self, width: Option<&str>, height: Option<&str>) {
        if self.is_inside("a") {
            self.add_anchor_text("<img>\n");
        }
        let (Some(width), Some(height)) = (width, height) else { return };
        let side = |text: &str, percent: f64| {
            let (number, factor) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, percent));
            let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            let side = number.parse::<f64>().unwrap_or(0.0) * factor;
            if digits && side > 0.0 { side } else { 200.0 }
        };
        self.image_area += side(width, 8.0) * side(height, 6.0);
    }

    fn note_charset(&mut self, equivalent: Option<&str>, content: Option<&str>) {
        static CHARSET: Fixed = Fixed::new(r#"(?i)\bcharset\s*=\s*["']?([^"']+)"#);
        let is_type = equivalent.is_some_and(|name| name.to_ascii_lowercase().contains("content-type"));
        let Some(groups) = content.filter(|_| is_type).and_then(|content| CHARSET.groups(content.as_bytes()))
        else {
            return;
        };
        let charset = String::from_utf8_lossy(groups.get(1)).into_owned();
        self.html.charsets = Some(match self.html.charsets.take() {
            Some(before) => format!("{before} {charset}"),
            None => charset,
        });
    }

    fn finish(mut self, length: usize) -> Rendering {
        let ratio = |part: u32, whole: u32| f64::from(part) / f64::from(whole);
        let numbers = &mut self.html.numbers;
        numbers.insert("html", 1.0);
        numbers.insert("image_area", self.image_area);
        numbers.insert("length", as_number(length));
        numbers.insert("max_size", self.looks.largest as f64);
        numbers.insert("min_size", self.looks.smallest as f64);
        if self.tags > 0 {
            numbers.insert("closed_extra_ratio", ratio(self.closed_extra, self.tags));
        }
        if self.tags > 0 && self.elements > 0 {
            numbers.insert("bad_tag_ratio", ratio(self.tags - self.elements, self.tags));
        }
        if self.tags_seen > 0 && self.elements_seen > 0 {
            numbers.insert("non_element_ratio", ratio(self.tags_seen - self.elements_seen, self.tags_seen));
        }
        if self.tags > 0 && self.obfuscation > 0 {
            numbers.insert("obfuscation_ratio", ratio(self.obfuscation, self.tags));
        }
        if !self.backhair.is_empty() {
            numbers.insert("backhair_count", as_number(self.backhair.len()));
        }
        Rendering {
            all: joined(&self.pieces, |_| true),
            visible: joined(&self.pieces, |piece| !piece.invisible),
            invisible: joined(&self.pieces, |piece| piece.invisible),
            html: self.html,
        }
    }
}

pub(crate) fn as_number(count: usize) -> f64 {
    count as f64
}

fn joined(pieces: &[Piece], chosen: impl Fn(&Piece) -> bool) -> Text {
    let mut text = Text::default();
    for piece in pieces.iter().filter(|piece| chosen(piece)) {
        text.chars.push_str(&piece.text);
        text.decoded |= piece.wide;
    }
    text
}

/// `x/href` counts as `href`.
fn rename_prefixed(attributes: &mut [(String, Decoded)], name: &str) {
    let ending = format!("/{name}");
    for index in 0..attributes.len() {
        let prefix = attributes[index].0.find(&ending).filter(|at| *at > 0);
        if prefix.is_some_and(|at| {
            attributes[index].0[..at].ends_with(|char: char| char.is_ascii_alphanumeric() || char == '_')
        }) {
            if let Some(plain) = attributes.iter().position(|(known, _)| known == name) {
                attributes.swap(plain, index);
                attributes[index].0 = String::new();
                attributes[plain].0 = name.to_owned();
            } else {
                attributes[index].0 = name.to_owned();
            }
        }
    }
}

fn refresh_target(equivalent: Option<String>, content: Option<String>) -> Option<String> {
    static URL: Fixed = Fixed::new(r"(?i)^.*\burl\s*=\s*");
    static REST: Fixed = Fixed::new(r"\s*;.*");
    let content =
        content.filter(|_| equivalent.is_some_and(|name| name.to_ascii_lowercase().contains("refresh")))?;
    let uri = URL.replace_first(content.as_bytes(), |_| Vec::new())?;
    let uri = REST.replace_first(&uri, |_| Vec::new()).unwrap_or(uri);
    String::from_utf8(uri).ok()
}

/// Letters and digits, and whatever is neither blank nor ASCII punctuation.
fn is_letter_like(char: char) -> bool {
    !char.is_whitespace() && !char.is_ascii_punctuation()
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Pieces of words at most this long are counted.
const FRAGMENT_LIMIT: usize = 7;

/// Characters of the word at the end of `text`.
fn word_at_end(text: &str) -> Option<usize> {
    let tail: Vec<char> = text.chars().rev().take(FRAGMENT_LIMIT + 1).collect();
    let length = tail.iter().take(FRAGMENT_LIMIT).take_while(|char| is_letter_like(**char)).count();
    (1..=length)
        .rev()
        .find(|length| is_word(tail[length - 1]) != tail.get(*length).copied().is_some_and(is_word))
}

/// Characters of the word at the begin of `text`.
fn word_at_begin(text: &str) -> Option<usize> {
    let head: Vec<char> = text.chars().take(FRAGMENT_LIMIT + 1).collect();
    let length = head.iter().take(FRAGMENT_LIMIT).take_while(|char| is_letter_like(**char)).count();
    (1..=length)
        .rev()
        .find(|length| is_word(head[length - 1]) != head.get(*length).copied().is_some_and(is_word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Rendering {
        render(&Text { chars: text.to_owned(), decoded: false })
    }

    #[test]
    fn text_is_laid_out() {
        assert_eq!(shown("<p>a  b</p> <br>c<td>d</td>").all.chars, "\n\na b\n\n\nc d ");
        assert_eq!(shown("a<script>x</script><style>y</style>b").all.chars, "ab");
        assert_eq!(shown("<title>t</title>x").all.chars, "\n\nt\n\nx");
    }

    #[test]
    fn what_can_not_be_seen_is_noted() {
        let rendering = shown("see<font color=white>hide</font>end");
        assert_eq!(rendering.all.chars, "seehideend");
        assert_eq!(rendering.html.numbers.get("font_low_contrast"), Some(&1.0));
    }

    #[test]
    fn links_and_their_texts() {
        let html = shown("<base href=http://a.com/x/y.html><a href=z>here</a><img src=//b.com/i>").html;
        let uris: Vec<_> =
            html.links.iter().map(|(uri, link)| (uri.as_str(), link.anchor_text.join("|"))).collect();
        assert_eq!(
            uris,
            [
                ("http://a.com/x/y.html", String::new()),
                ("http://a.com/x/z", String::new()),
                ("z", "here".to_owned()),
                ("http://b.com/i", String::new())
            ]
        );
    }

    #[test]
    fn measures() {
        let html = shown("vi<b>ag</b>ra <img width=10 height=20></b><foo>").html;
        assert_eq!(html.numbers["image_area"], 200.0);
        assert!(
            html.numbers["backhair_count"] >= 1.0
                && html.numbers["closed_extra_ratio"] > 0.0
                && html.numbers["non_element_ratio"] > 0.0
        );
    }
}
