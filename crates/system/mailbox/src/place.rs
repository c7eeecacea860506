//! What a table says about where a recipient's mail lies.

use std::path::{Component, Path, PathBuf};

/// A mailbox below its base directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Relative to the base, of plain names only. Empty for the base itself.
    pub path: PathBuf,
    /// What lies there.
    pub form: Form,
}

/// How messages are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A directory with `tmp`, `new` and `cur`; a file for each message.
    Maildir,
    /// One file, the messages in a row behind `From ` lines.
    Mbox,
}

impl Form {
    /// As Postfix's log names it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Maildir => "maildir",
            Self::Mbox => "mailbox",
        }
    }
}

/// Why a text is not a place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPlace {
    /// A `..` could lead out of the base.
    #[error("path \"{0}\" contains \"..\"")]
    Parent(String),
    /// No name at all, and no `/` that would make it a Maildir.
    #[error("path is empty")]
    Empty,
    /// A NUL ends a path for the kernel, but not for us.
    #[error("path contains a NUL byte")]
    Nul,
}

impl Place {
    /// Reads the right-hand side of `virtual_mailbox_maps`: a `/` at the end makes it a Maildir.
    ///
    /// The path counts from the base even when it begins with `/`, as in Postfix, which puts the base and a
    /// `/` in front of it.
    ///
    /// # Errors
    /// [`BadPlace`]: a fault in the table, and no reason to bounce mail.
    pub fn parse(text: &str) -> Result<Self, BadPlace> {
        if text.is_empty() {
            return Err(BadPlace::Empty);
        }
        if text.contains('\0') {
            return Err(BadPlace::Nul);
        }
        let mut path = PathBuf::new();
        for component in Path::new(text).components() {
            match component {
                Component::Normal(name) => path.push(name),
                Component::ParentDir => return Err(BadPlace::Parent(text.to_owned())),
                Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            }
        }
        let form = if text.ends_with('/') { Form::Maildir } else { Form::Mbox };
        Ok(Self { path, form })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_slash_at_the_end_makes_a_maildir() {
        let read = |text| Place::parse(text).map(|place| (place.path, place.form));
        assert_eq!(read("example.com/info/"), Ok(("example.com/info".into(), Form::Maildir)));
        assert_eq!(read("example.com/info"), Ok(("example.com/info".into(), Form::Mbox)));
        assert_eq!(read("//a/./b//"), Ok(("a/b".into(), Form::Maildir)));
        assert_eq!(read("/"), Ok(("".into(), Form::Maildir)));
    }

    #[test]
    fn what_could_leave_the_base_is_refused() {
        for path in ["..", "../x", "a/../../x/", "/..", "a/.."] {
            assert_eq!(Place::parse(path), Err(BadPlace::Parent(path.into())));
        }
        assert_eq!(Place::parse(""), Err(BadPlace::Empty));
        assert_eq!(Place::parse("a\0b/"), Err(BadPlace::Nul));
        assert!(Place::parse("..a/b..").is_ok());
    }

    proptest! {
        #[test]
        fn a_place_has_plain_names_only(text in "[./a]{0,12}") {
            if let Ok(place) = Place::parse(&text) {
                prop_assert!(place.path.components().all(|part| matches!(part, Component::Normal(_))));
            }
        }
    }
}
