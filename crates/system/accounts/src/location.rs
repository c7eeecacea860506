//! Mail locations as Dovecot writes them: `maildir:~/Maildir`, `mbox:/var/mail/%u`.

use std::path::{Component, Path, PathBuf};

/// A mail location, without variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) path: PathBuf,
    pub(crate) is_maildir: bool,
    /// Where INBOX is, when it is not below the path: `INBOX=/var/mail/u`.
    pub(crate) inbox: Option<PathBuf>,
    /// What else stands after the path: `LAYOUT=fs:INDEX=/x`.
    pub(crate) options: String,
}

impl Location {
    /// None when it is of another kind, or leads out of sight (`..`), or there is no home for `~`.
    pub(crate) fn parse(text: &str, user: &str, home: &str) -> Option<Self> {
        let text = expand(text, user, home)?;
        let (kind, rest) = text.split_once(':')?;
        let (path, options) = rest.split_once(':').unwrap_or((rest, ""));
        let is_maildir = match kind {
            "maildir" => true,
            "mbox" => false,
            _ => return None,
        };
        let (inbox, options): (Vec<_>, Vec<_>) =
            options.split(':').partition(|option| option.starts_with("INBOX="));
        let inbox = match inbox.first().and_then(|option| option.strip_prefix("INBOX=")) {
            Some(inbox) => Some(absolute(inbox, home)?),
            None => None,
        };
        Some(Self { path: absolute(path, home)?, is_maildir, inbox, options: options.join(":") })
    }
}

/// A path without `..`; `~` is the home folder.
fn absolute(path: &str, home: &str) -> Option<PathBuf> {
    let path = match path.strip_prefix('~') {
        Some(below) if !home.is_empty() => Path::new(home).join(below.trim_start_matches('/')),
        Some(_) => return None,
        None => PathBuf::from(path),
    };
    let plain = path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    (path.is_absolute() && plain).then_some(path)
}

/// `%u` login, `%n` its user part, `%d` its domain, `%h` home, `%%`; each with `L` in between for lower case.
fn expand(text: &str, user: &str, home: &str) -> Option<String> {
    let (name, domain) = user.rsplit_once('@').unwrap_or((user, ""));
    let mut expanded = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            expanded.push(character);
            continue;
        }
        let mut variable = characters.next()?;
        if variable == 'L' {
            variable = characters.next()?;
        }
        match variable {
            'u' => expanded.push_str(user),
            'n' => expanded.push_str(name),
            'd' => expanded.push_str(domain),
            'h' => expanded.push_str(home),
            '%' => expanded.push('%'),
            _ => return None,
        }
    }
    Some(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_and_home_are_filled_in() {
        let parse = |text: &str| Location::parse(text, "info@example.com", "/home/info");
        let maildir = parse("maildir:~/Mail:LAYOUT=fs").unwrap();
        assert_eq!((maildir.path.to_str(), maildir.is_maildir), (Some("/home/info/Mail"), true));
        assert_eq!(maildir.options, "LAYOUT=fs");
        let mbox = parse("mbox:/var/mail/%Ld/%n").unwrap();
        assert_eq!((mbox.path.to_str(), mbox.is_maildir), (Some("/var/mail/example.com/info"), false));
        let both = parse("mbox:~/mail:INBOX=/var/mail/%n:UTF-8").unwrap();
        assert_eq!((both.path.to_str(), both.options.as_str()), (Some("/home/info/mail"), "UTF-8"));
        assert_eq!(both.inbox.as_deref(), Some(Path::new("/var/mail/info")));
        assert_eq!(parse("maildir:~/").unwrap().path, Path::new("/home/info/"));
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        let parse = |text: &str, home: &str| Location::parse(text, "u@x", home);
        for text in [
            "maildir:/a/../b",
            "mbox:/a:INBOX=b",
            "maildir:relative",
            "sdbox:~/x",
            "maildir",
            "maildir:/%z",
            "maildir:/%",
        ] {
            assert_eq!(parse(text, "/h"), None, "{text}");
        }
        assert_eq!(parse("maildir:~/x", ""), None);
    }
}
