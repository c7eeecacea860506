//! The arguments of an eval function: `check('a', "b", 3)`.

/// Takes a call apart: the function's name and its arguments. `None` when it does not read.
pub(crate) fn parse(call: &str) -> Option<(String, Vec<String>)> {
    let open = call.find('(')?;
    let name = &call[..open];
    let inner = call[open + 1..].trim_end().strip_suffix(')')?;
    if name.is_empty() || !name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_') {
        return None;
    }
    let mut arguments = Vec::new();
    let mut rest = inner.trim();
    while !rest.is_empty() {
        let (argument, behind) = first(rest)?;
        arguments.push(argument.to_owned());
        let behind = behind.trim_start();
        rest = match behind.strip_prefix(',') {
            Some(behind) => behind.trim_start(),
            None if behind.is_empty() => behind,
            None => return None,
        };
    }
    Some((name.to_owned(), arguments))
}

fn first(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|char| matches!(char, '\'' | '"'));
    if let Some(quote) = quote {
        // The quote that ends it is the first one that a comma or the end follows.
        let body = &text[1..];
        let ends = |at: &usize| {
            let behind = body[at + 1..].trim_start();
            behind.is_empty() || behind.starts_with(',')
        };
        let end = body.match_indices(quote).map(|(at, _)| at).find(ends)?;
        return Some((&body[..end], &body[end + 1..]));
    }
    let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | ':' | '-');
    let end = text.find(|char| !plain(char)).unwrap_or(text.len());
    Some((&text[..end], &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_taken_apart() {
        let (name, arguments) = parse("check_x('a, b', \"c\", 0.5, undef)").unwrap();
        assert_eq!((name.as_str(), arguments.join("|").as_str()), ("check_x", "a, b|c|0.5|undef"));
        assert_eq!(parse("f()").unwrap().1, [] as [String; 0]);
        assert!(parse("f(a b)").is_none() && parse("f").is_none());
    }
}
