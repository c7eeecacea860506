//! Images: how many, how large, and how much text there is beside them.

use super::{Context, Found, Function, number, text};
use crate::perl;

pub(super) fn function(name: &str) -> Option<Function> {
    match name {
        "image_count" => {
            Some(|context, arguments| within(found(context).count(text(arguments, 0)), arguments).into())
        }
        "pixel_coverage" => {
            Some(|context, arguments| within(found(context).area(text(arguments, 0)), arguments).into())
        }
        "image_to_text_ratio" => Some(to_text_ratio),
        "image_size_exact" => Some(size_exact),
        "image_size_range" => Some(size_range),
        "image_named" => Some(|context, arguments| {
            found(context).names().any(|name| name == text(arguments, 0).as_bytes()).into()
        }),
        "image_name_regex" => Some(name_regex),
        _ => None,
    }
}

struct Image {
    kind: &'static str,
    name: Option<Vec<u8>>,
    /// Height and width.
    size: Option<(u32, u32)>,
}

/// The images of a message.
#[derive(Default)]
pub(super) struct Images {
    list: Vec<Image>,
}

impl Images {
    fn of<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = &'s Image> {
        self.list.iter().filter(move |image| kind == "all" || image.kind == kind)
    }

    fn count(&self, kind: &str) -> f64 {
        self.of(kind).count() as f64
    }

    fn area(&self, kind: &str) -> f64 {
        self.sizes(kind).map(|(height, width)| f64::from(height) * f64::from(width)).sum()
    }

    fn sizes<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = (u32, u32)> + 's {
        self.of(kind).filter_map(|image| image.size)
    }

    fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.list.iter().filter(|image| image.size.is_some()).filter_map(|image| image.name.as_deref())
    }
}

fn within(value: f64, arguments: &[String]) -> bool {
    let Some(least) = number(arguments, 1) else { return false };
    value >= least && number(arguments, 2).is_none_or(|most| value <= most)
}

fn found<'c>(context: &'c Context<'_>) -> &'c Images {
    context.images.get_or_init(|| {
        let tree = &context.mail.tree;
        let mut images = Images::default();
        for id in tree.leaves() {
            let part = tree.part(id);
            let kind = match part.kind.as_str() {
                "image/gif" => "gif",
                "image/png" => "png",
                "image/jpeg" | "image/jpg" => "jpeg",
                _ => continue,
            };
            if part.transfer_encoding() != b"base64" {
                continue;
            }
            let data = part.decoded();
            let size = match kind {
                "gif" => gif_size(&data),
                "png" => png_size(&data),
                _ => jpeg_size(&data),
            };
            let size = size.filter(|(height, width)| *height > 0 && *width > 0);
            images.list.push(Image { kind, name: part.name.clone(), size });
        }
        images
    })
}

fn gif_size(data: &[u8]) -> Option<(u32, u32)> {
    let rest = data.strip_prefix(b"GIF87a").or_else(|| data.strip_prefix(b"GIF89a"))?;
    let [a, b, c, d, ..] = *rest else { return None };
    Some((u32::from(u16::from_le_bytes([c, d])), u32::from(u16::from_le_bytes([a, b]))))
}

fn png_size(data: &[u8]) -> Option<(u32, u32)> {
    let rest = data.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let at = rest.windows(4).position(|window| window == b"IHDR")? + 4;
    let number =
        |from: usize| rest.get(from..from + 4).and_then(|four| four.try_into().ok()).map(u32::from_be_bytes);
    Some((number(at + 4)?, number(at)?))
}

fn jpeg_size(data: &[u8]) -> Option<(u32, u32)> {
    let mut rest = data.strip_prefix(b"\xff\xd8")?;
    loop {
        let [0xff, mark, high, low, behind @ ..] = rest else { return None };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if matches!(mark, 0xda | 0xd9) || length < 2 {
            return None;
        }
        if matches!(mark, 0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf) {
            let [_, a, b, c, d, ..] = *behind else { return None };
            return Some((u32::from(u16::from_be_bytes([a, b])), u32::from(u16::from_be_bytes([c, d]))));
        }
        rest = behind.get(length - 2..)?;
    }
}

fn to_text_ratio(context: &Context<'_>, arguments: &[String]) -> Found {
    let length: usize = context.lines().iter().map(Vec::len).sum();
    let area = found(context).area(text(arguments, 0));
    if length == 0 || area <= 0.0 {
        return Found::No;
    }
    let ratio = length as f64 / area;
    let below = number(arguments, 2).is_some_and(|most| ratio < most);
    (below && number(arguments, 1).is_some_and(|least| ratio >= least)).into()
}

fn size_exact(context: &Context<'_>, arguments: &[String]) -> Found {
    let wanted = number(arguments, 1).zip(number(arguments, 2));
    let fits = |(height, width): (u32, u32)| wanted == Some((f64::from(height), f64::from(width)));
    found(context).sizes(text(arguments, 0)).any(fits).into()
}

fn size_range(context: &Context<'_>, arguments: &[String]) -> Found {
    let least = |index, value: u32| number(arguments, index).is_some_and(|least| f64::from(value) >= least);
    let most = |index, value: u32| number(arguments, index).is_none_or(|most| f64::from(value) <= most);
    let fits = |(height, width): (u32, u32)| {
        least(1, height) && least(2, width) && most(3, height) && most(4, width)
    };
    found(context).sizes(text(arguments, 0)).any(fits).into()
}

fn name_regex(context: &Context<'_>, arguments: &[String]) -> Found {
    let Some(pattern) = perl::cached(text(arguments, 0)) else { return Found::No };
    found(context).names().any(|name| pattern.is_match(name)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        assert_eq!(gif_size(b"GIF89a\x0a\x00\x14\x00\0\0\0"), Some((20, 10)));
        assert_eq!(png_size(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x05\0\0\0\x06\x08"), Some((6, 5)));
        assert_eq!(
            jpeg_size(b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x0b\x08\x00\x07\x00\x09"),
            Some((7, 9))
        );
        assert_eq!(jpeg_size(b"\xff\xd8\xff"), None);
    }
}
