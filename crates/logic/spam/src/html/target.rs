//! Links relative to a base (RFC 3986 §5.2).

/// A URI taken apart; scheme, authority and the like are there or not.
#[derive(Default, Clone)]
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

fn split(uri: &str) -> Parts<'_> {
    let mut parts = Parts::default();
    let mut rest = uri;
    if let Some(end) = rest.find([':', '/', '?', '#']).filter(|end| *end > 0 && rest[*end..].starts_with(':'))
    {
        parts.scheme = Some(&rest[..end]);
        rest = &rest[end + 1..];
    }
    if let Some(behind) = rest.strip_prefix("//") {
        let end = behind.find(['/', '?', '#']).unwrap_or(behind.len());
        parts.authority = Some(&behind[..end]);
        rest = &behind[end..];
    }
    if let Some((before, fragment)) = rest.split_once('#') {
        parts.fragment = Some(fragment.split('\n').next().unwrap_or_default());
        rest = before;
    }
    if let Some((before, query)) = rest.split_once('?') {
        parts.query = Some(query);
        rest = before;
    }
    parts.path = rest;
    parts
}

/// `.` and `..` taken out of a path.
fn without_dots(path: &str) -> String {
    let mut rest = match path.strip_prefix("../").or_else(|| path.strip_prefix("./")) {
        Some(behind) => format!("/{behind}"),
        None => path.to_owned(),
    };
    let mut done = String::new();
    while !rest.is_empty() && rest != "0" {
        if let Some(behind) = rest.strip_prefix("/./").or_else(|| (rest == "/.").then_some("")) {
            rest = format!("/{behind}");
        } else if let Some(behind) = rest.strip_prefix("/../").or_else(|| (rest == "/..").then_some("")) {
            rest = format!("/{behind}");
            done.truncate(done.rfind('/').unwrap_or(0));
        } else {
            let skip = usize::from(rest.starts_with('/'));
            let end = rest[skip..].find('/').map_or(rest.len(), |at| at + skip);
            done.push_str(&rest[..end]);
            rest.drain(..end);
        }
    }
    done
}

/// Where a link leads, seen from `base`.
pub(super) fn resolve(base: &str, link: &str) -> String {
    let (base, mut link) = (split(base), split(link));
    if link.scheme.is_some() && link.scheme == base.scheme {
        link.scheme = None;
    }
    let (mut scheme, mut authority, mut query) = (link.scheme, link.authority, link.query);
    let path;
    if scheme.is_some() || authority.is_some() {
        path = without_dots(link.path);
    } else if link.path.is_empty() {
        path = base.path.to_owned();
        query = link.query.or(base.query);
    } else if link.path.starts_with('/') {
        path = without_dots(link.path);
    } else {
        path = without_dots(&merged(&base, link.path));
    }
    if link.scheme.is_none() {
        scheme = base.scheme;
        authority = link.authority.or(base.authority);
    }
    let mut uri = prefix(scheme, authority);
    uri.push_str(&path);
    uri.extend(query.map(|query| format!("?{query}")));
    uri.extend(link.fragment.map(|fragment| format!("#{fragment}")));
    uri
}

fn merged(base: &Parts<'_>, path: &str) -> String {
    if base.authority.is_some() && base.path.is_empty() {
        return format!("/{path}");
    }
    let folder = base.path.rfind('/').map_or("", |slash| &base.path[..=slash]);
    format!("{folder}{path}")
}

fn prefix(scheme: Option<&str>, authority: Option<&str>) -> String {
    let guessed = |authority: &str| {
        let lower = authority.to_ascii_lowercase();
        let named = |name: &str| {
            lower.strip_prefix(name).is_some_and(|rest| {
                rest.trim_start_matches(|char: char| char.is_ascii_digit()).starts_with('.')
            })
        };
        if named("www") {
            "http:"
        } else if named("ftp") {
            "ftp:"
        } else {
            ""
        }
    };
    let mut uri = match scheme.filter(|scheme| !scheme.is_empty()) {
        Some(scheme) => format!("{scheme}:"),
        None => authority.map_or("", guessed).to_owned(),
    };
    uri.extend(authority.map(|authority| format!("//{authority}")));
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_resolved() {
        assert_eq!(resolve("", "http://a.com/b/../c?d#e"), "http://a.com/c?d#e");
        assert_eq!(resolve("http://a.com/x/y/", "z.html"), "http://a.com/x/y/z.html");
        assert_eq!(resolve("http://a.com/x/", "/z"), "http://a.com/z");
        assert_eq!(resolve("http://a.com/x/", "//b.com/"), "http://b.com/");
        assert_eq!(resolve("", "//www.b.com/"), "http://www.b.com/");
        assert_eq!(resolve("", "foo"), "foo");
        assert_eq!(resolve("http://a.com", "../../x"), "http://a.com/x");
    }
}
