//! Address extensions: `user+folder`.

/// Splits `local` at the first character of `delimiters` (`recipient_delimiter`) into the name and the extension,
/// which does not hold the delimiter.
///
/// `None` when there is no extension: nothing stands before the delimiter, the name is one that mail to the
/// system itself uses, or `owner-list` and `list-request` where `-` is a delimiter.
pub fn split_extension<'a>(local: &'a str, delimiters: &str) -> Option<(&'a str, &'a str)> {
    if delimiters.is_empty() || is_reserved(local) || (delimiters.contains('-') && belongs_to_list(local)) {
        return None;
    }
    let at = local.find(|character| delimiters.contains(character))?;
    let width = local[at..].chars().next().map_or(1, char::len_utf8);
    (at > 0).then(|| (&local[..at], &local[at + width..]))
}

fn is_reserved(local: &str) -> bool {
    ["postmaster", "mailer-daemon", "double-bounce"].iter().any(|name| local.eq_ignore_ascii_case(name))
}

/// `owner_request_special`: addresses that belong to a mailing list's machinery stay whole.
fn belongs_to_list(local: &str) -> bool {
    let lower = local.to_ascii_lowercase();
    lower.starts_with("owner-") || (lower.len() > 8 && lower.ends_with("-request"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_delimiter_splits() {
        assert_eq!(split_extension("user+a+b", "+"), Some(("user", "a+b")));
        assert_eq!(split_extension("user-a+b", "+-"), Some(("user", "a+b")));
        assert_eq!(split_extension("user+", "+"), Some(("user", "")));
    }

    #[test]
    fn some_names_stay_whole() {
        for local in ["user", "+tag", "owner-list", "list-request", "Mailer-Daemon", "double-bounce"] {
            assert_eq!(split_extension(local, "+-"), None, "{local}");
        }
        assert_eq!(split_extension("owner+list", "+"), Some(("owner", "list")));
        assert_eq!(split_extension("user+tag", ""), None);
    }
}
