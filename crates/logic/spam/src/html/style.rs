//! How text looks: colours, sizes and visibility as they are nested in a document.

use super::colour;

/// The look of text at some place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Look {
    pub(super) tag: String,
    foreground: String,
    background: String,
    size: i64,
    display: Option<String>,
    visibility: Option<String>,
}

/// Why text can not be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hidden {
    LowContrast,
    InvalidColour,
    Otherwise,
}

/// Colours this close can not be told apart.
const CONTRAST: f64 = 12.0;

/// The looks that are open, the default one first.
#[derive(Debug, Clone)]
pub(super) struct Looks {
    stack: Vec<Look>,
    base_size: i64,
    pub(super) largest: i64,
    pub(super) smallest: i64,
}

impl Default for Looks {
    fn default() -> Self {
        let first = Look {
            tag: "default".to_owned(),
            foreground: "#000000".to_owned(),
            background: "#ffffff".to_owned(),
            size: 3,
            display: None,
            visibility: None,
        };
        Self { stack: vec![first], base_size: 3, largest: 3, smallest: 3 }
    }
}

/// Elements that change the look of text.
pub(super) fn changes_look(tag: &str) -> bool {
    matches!(
        tag,
        "body"
            | "font"
            | "table"
            | "tr"
            | "th"
            | "td"
            | "big"
            | "small"
            | "basefont"
            | "marquee"
            | "span"
            | "p"
            | "div"
            | "a"
    )
}

/// Does this attribute of this element count?
fn counts(tag: &str, attribute: &str) -> bool {
    match tag {
        "basefont" | "font" => matches!(attribute, "color" | "face" | "size"),
        "body" => matches!(attribute, "text" | "bgcolor" | "link" | "alink" | "vlink" | "background"),
        "marquee" => matches!(attribute, "bgcolor" | "background"),
        "table" | "td" | "tr" => matches!(attribute, "bgcolor" | "style"),
        "span" | "p" | "div" | "a" => attribute == "style",
        _ => false,
    }
}

fn leading_number(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let end = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

impl Looks {
    fn top(&self) -> &Look {
        // The first look is never taken off.
        &self.stack[self.stack.len() - 1]
    }

    /// An element begins.
    pub(super) fn open(&mut self, tag: &str, attributes: &[(String, super::entities::Decoded)]) {
        let tag = if tag == "th" { "td" } else { tag };
        let value = |name: &str| {
            attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.text.as_str())
        };
        if let (true, Some(size)) = (tag == "basefont", value("size").and_then(leading_number)) {
            self.base_size = size;
            return;
        }
        if matches!(tag, "td" | "tr") {
            self.close_table(tag);
        }
        let mut new = Look { tag: tag.to_owned(), ..self.top().clone() };
        match tag {
            "big" => new.size += 1,
            "small" => new.size -= 1,
            _ => attributes.iter().filter(|(name, _)| counts(tag, name)).for_each(|(name, value)| {
                self.attribute(&mut new, name, &value.text);
                if new.size > self.largest {
                    self.largest = new.size;
                } else if new.size < self.smallest {
                    self.smallest = new.size;
                }
            }),
        }
        self.stack.push(new);
    }

    /// An element ends.
    pub(super) fn close(&mut self, tag: &str) {
        let tag = if tag == "th" { "td" } else { tag };
        if tag == "body" {
            return;
        }
        if let Some(at) = self.stack.iter().rposition(|look| look.tag == tag) {
            self.stack.truncate(at.max(1));
        }
    }

    /// A cell or row ends those that are open.
    fn close_table(&mut self, tag: &str) {
        if !self.stack.iter().any(|look| look.tag == tag) {
            return;
        }
        let ends = |top: &str| matches!((tag, top), ("td", "font" | "td") | ("tr", "font" | "td" | "tr"));
        while self.stack.len() > 1 && ends(&self.top().tag) {
            self.stack.pop();
        }
    }

    fn attribute(&self, new: &mut Look, name: &str, value: &str) {
        match name {
            "text" | "color" => new.foreground = colour::parse(value),
            "size" => {
                let text = value.trim_start();
                let sign = text.chars().next().filter(|char| matches!(char, '+' | '-'));
                let number = leading_number(sign.map_or(text, |_| &text[1..]));
                let number = number.filter(|_| sign.is_none() || !text[1..].starts_with(char::is_whitespace));
                match (sign, number) {
                    (Some('-'), Some(number)) => new.size = self.base_size.saturating_sub(number),
                    (Some(_), Some(number)) => new.size = self.base_size.saturating_add(number),
                    (None, Some(number)) => new.size = number,
                    _ => {}
                }
            }
            "style" => self.style(new, value),
            // The background of an attribute does not count: so it was when the rules were measured.
            _ => {}
        }
    }

    fn style(&self, new: &mut Look, style: &str) {
        style.split(';').for_each(|declaration| declare(new, declaration));
        if new.background == "transparent" {
            new.background = self.top().background.clone();
        }
        if new.foreground == "transparent" {
            new.foreground = new.background.clone();
        }
    }

    /// Why text at this place can not be seen, if it can not.
    pub(super) fn hidden(&self) -> Option<Hidden> {
        let look = self.top();
        let tail = |colour: &str| colour.get(colour.len().saturating_sub(6)..).unwrap_or(colour).to_owned();
        let (one, other) = (&look.foreground, &look.background);
        if tail(one) == tail(other) || too_close(one, other) {
            return Some(Hidden::LowContrast);
        }
        if one == colour::INVALID || other == colour::INVALID {
            return Some(Hidden::InvalidColour);
        }
        let is = |value: &Option<String>, word: &str| {
            value.as_deref().is_some_and(|value| value.eq_ignore_ascii_case(word))
        };
        let hidden = look.size <= 1 || is(&look.display, "none") || is(&look.visibility, "hidden");
        hidden.then_some(Hidden::Otherwise)
    }
}

fn too_close(one: &str, other: &str) -> bool {
    let (Some(one), Some(other)) = (colour::channels(one), colour::channels(other)) else { return false };
    let weights = [0.2126, 0.7152, 0.0722];
    let squares = (0..3).map(|index| (weights[index] * (one[index] - other[index])).powi(2));
    squares.sum::<f64>().sqrt() < CONTRAST
}

fn declare(new: &mut Look, declaration: &str) {
    let text = declaration.trim();
    let Some((property, value)) = text.split_once(':') else { return };
    let value = value.trim();
    if value.is_empty() {
        return;
    }
    match property.to_ascii_lowercase().as_str() {
        "color" => set_colour(&mut new.foreground, value),
        "background-color" => set_colour(&mut new.background, value),
        "background" if property == "background" => {
            let found = background_colour(&value.to_ascii_lowercase());
            new.background = found.unwrap_or_else(|| std::mem::take(&mut new.background));
        }
        _ => match property.trim_end() {
            "display" => new.display = Some(value.to_owned()),
            "visibility" => new.visibility = Some(value.to_owned()),
            _ => {}
        },
    }
}

fn set_colour(colour: &mut String, value: &str) {
    let value = value.to_ascii_lowercase();
    let value =
        match value.strip_suffix("important").map(str::trim_end).and_then(|rest| rest.strip_suffix('!')) {
            Some(rest) => rest.trim_end(),
            None => &value,
        };
    if value.contains("rgb") {
        let digits: String = value.chars().filter(|char| char.is_ascii_digit() || *char == ',').collect();
        let mut channels = digits
            .split(',')
            .map(|part| part.parse::<u32>().unwrap_or(if part.is_empty() { 0 } else { 255 }).min(255));
        let mut next = || channels.next().unwrap_or(0);
        *colour = format!("#{:02x}{:02x}{:02x}", next(), next(), next());
    } else if value == "transparent" {
        value.clone_into(colour);
    } else if value != "inherit" {
        *colour = colour::parse(value);
    }
}

/// The first word of the last layer that is a colour.
fn background_colour(value: &str) -> Option<String> {
    let mut layer = Vec::new();
    let mut word = String::new();
    let mut closing = Vec::new();
    for char in value.chars() {
        match (closing.last(), char) {
            (None, ' ') => layer.push(std::mem::take(&mut word)),
            (None, ',') => {
                layer.clear();
                word.clear();
            }
            (None | Some(')'), '(' | '"' | '\'') if closing.is_empty() || char != '(' => {
                word.push(char);
                closing.push(if char == '(' { ')' } else { char });
            }
            (Some(end), _) if *end == char => {
                word.push(char);
                closing.pop();
                if char == ')' {
                    layer.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(char),
        }
    }
    layer.push(word);
    layer
        .into_iter()
        .filter(|word| !word.is_empty())
        .map(|word| colour::parse(&word))
        .find(|colour| colour != colour::INVALID)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html::entities::Decoded;

    fn looks(tag: &str, name: &str, value: &str) -> Looks {
        let mut looks = Looks::default();
        looks.open(tag, &[(name.to_owned(), Decoded { text: value.to_owned(), wide: false })]);
        looks
    }

    #[test]
    fn hidden_text_is_seen() {
        assert_eq!(looks("font", "color", "white").hidden(), Some(Hidden::LowContrast));
        assert_eq!(looks("font", "color", "#fefefe").hidden(), Some(Hidden::LowContrast));
        assert_eq!(looks("font", "color", "nonsense").hidden(), Some(Hidden::InvalidColour));
        assert_eq!(looks("font", "size", "1").hidden(), Some(Hidden::Otherwise));
        assert_eq!(looks("span", "style", "display: none").hidden(), Some(Hidden::Otherwise));
        assert_eq!(
            looks("span", "style", "color: rgb(255,255,255) !important").hidden(),
            Some(Hidden::LowContrast)
        );
        assert_eq!(looks("div", "style", "background: #000 url(x)").hidden(), Some(Hidden::LowContrast));
        assert_eq!(looks("td", "bgcolor", "black").hidden(), None);
    }

    #[test]
    fn sizes_are_relative() {
        let looks = looks("font", "size", "+2");
        assert_eq!((looks.largest, looks.smallest), (5, 3));
    }

    #[test]
    fn closing_goes_back_to_the_element() {
        let mut looks = looks("font", "color", "white");
        looks.open("b", &[]);
        looks.close("font");
        assert_eq!(looks.hidden(), None);
        looks.close("font");
        assert_eq!(looks.hidden(), None);
    }
}
