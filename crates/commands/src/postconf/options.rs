//! The command line, and which options go together.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use parameters::text::{from_bytes, is_list_separator};

use crate::getopt::{Getopt, Opt};

use super::report::{Fatal, Report};

/// What is shown or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mode {
    SaslServer,
    SaslClient,
    Templates(Templates),
    Locks,
    Tables,
    Tls(String),
    Main,
    MasterEntries,
    MasterFields,
    MasterParameters,
}

/// How templates of reports are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Templates {
    Expanded,
    AsWritten,
}

/// How a file is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edit {
    Set,
    CommentOut,
    Remove,
}

/// Which settings of main.cf are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Classes {
    pub(super) builtin: bool,
    pub(super) service: bool,
    pub(super) user: bool,
    /// Names since Postfix 3.7: only when asked for.
    pub(super) later: bool,
}

/// The command line, checked.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) mode: Mode,
    pub(super) edit: Option<Edit>,
    pub(super) directory: Option<String>,
    pub(super) classes: Classes,
    /// `-d`
    pub(super) defaults: bool,
    /// `-n`
    pub(super) only_set: bool,
    /// `-x`
    pub(super) expand: bool,
    /// `-f`
    pub(super) fold: bool,
    /// `-h`
    pub(super) hide_names: bool,
    /// `-H`
    pub(super) hide_values: bool,
    /// `-j`
    pub(super) json: bool,
    /// `-q`
    pub(super) quiet: bool,
    /// `-o`
    pub(super) overrides: Vec<String>,
    /// What follows the options.
    pub(super) names: Vec<String>,
}

/// The letters, in the order in which Postfix names them in messages.
const LETTERS: &str = "aAbdefFhHjlmMnopPtTxX#";
/// All letters; a colon stands behind those with a value.
const OPTIONS: &str = "aAbc:C:defFhHjlmMno:pPqtT:vxX#";
/// Letters of which only one may be given.
const EXCLUSIVE: [&str; 6] = ["aAblmtpMFPT", "denX#", "feX#", "xeX#", "odeX#", "hHeX#"];
/// A letter, and the only others that it goes with.
const COMPATIBLE: [(&str, &str); 11] = [
    ("a", ""),
    ("A", ""),
    ("b", ""),
    ("l", ""),
    ("m", ""),
    ("T", ""),
    ("t", ""),
    ("p", "eX#fhxdnoHj"),
    ("M", "eX#foxj"),
    ("F", "efhoxHj"),
    ("P", "eXfhoxHj"),
];

impl Options {
    /// Reads the arguments behind the program's name.
    pub(super) fn parse(arguments: Vec<OsString>, report: &Report) -> Result<Self, Fatal> {
        let mut given = Given::read(arguments, report)?;
        if !given.has_any(EXCLUSIVE[0]) {
            given.letters.push('p');
        }
        if given.has_any("pMFP") && given.names.first().is_some_and(|name| name.contains('=')) {
            given.letters.push('e');
        }
        given.check_exclusive()?;
        given.check_compatible()?;
        if given.has_any("e") && given.names.is_empty() {
            return Err(Fatal::new("-e requires name=value argument"));
        }
        given.into_options()
    }
}

/// The command line, letter by letter.
#[derive(Default)]
struct Given {
    letters: Vec<char>,
    directory: Option<String>,
    classes: Option<Classes>,
    tls: Option<String>,
    overrides: Vec<String>,
    names: Vec<String>,
}

impl Given {
    fn read(arguments: Vec<OsString>, report: &Report) -> Result<Self, Fatal> {
        let mut given = Self::default();
        let mut getopt = Getopt::new(OPTIONS, arguments);
        for option in getopt.by_ref() {
            match option {
                Ok(Opt::Letter(letter)) => given.letter(letter)?,
                Ok(Opt::Value(letter, value)) => given.with_value(letter, from_bytes(value.as_bytes()))?,
                Err(misuse) => {
                    report.line(&format!("{}: {misuse}", report.program()));
                    return Err(usage(report));
                }
            }
        }
        given.names = getopt.operands().iter().map(|name| from_bytes(name.as_bytes())).collect();
        Ok(given)
    }

    fn letter(&mut self, letter: char) -> Result<(), Fatal> {
        if matches!(letter, 'b' | 't') && self.has_any("bt") {
            return Err(Fatal::new("specify one of -b and -t"));
        }
        self.letters.push(letter);
        Ok(())
    }

    fn with_value(&mut self, letter: char, value: String) -> Result<(), Fatal> {
        match letter {
            'c' => {
                self.directory = Some(value);
                return Ok(());
            }
            'C' => {
                self.classes = Some(Classes::parse(&value)?);
                return Ok(());
            }
            'o' => self.overrides.push(value),
            _ if self.tls.is_some() => {
                return Err(Fatal::new("At most one -T <mode> option may be specified"));
            }
            _ => self.tls = Some(value),
        }
        self.letters.push(letter);
        Ok(())
    }

    fn has_any(&self, letters: &str) -> bool {
        self.letters.iter().any(|letter| letters.contains(*letter))
    }

    fn check_exclusive(&self) -> Result<(), Fatal> {
        for group in EXCLUSIVE {
            let found = named(|letter| group.contains(letter) && self.letters.contains(&letter));
            if found.len() > 1 {
                return Err(Fatal(format!("specify one of {}", found.join(" "))));
            }
        }
        Ok(())
    }

    fn check_compatible(&self) -> Result<(), Fatal> {
        for (letter, others) in COMPATIBLE {
            let excess = named(|other| {
                self.letters.contains(&other) && !others.contains(other) && !letter.contains(other)
            });
            if self.has_any(letter) && !excess.is_empty() {
                return Err(Fatal(format!("with option -{letter}, do not specify {}", excess.join(" "))));
            }
        }
        Ok(())
    }

    fn into_options(mut self) -> Result<Options, Fatal> {
        let has = |letter: char| self.letters.contains(&letter);
        let edit = [('e', Edit::Set), ('#', Edit::CommentOut), ('X', Edit::Remove)];
        Ok(Options {
            edit: edit.into_iter().find(|(letter, _)| has(*letter)).map(|(_, edit)| edit),
            classes: self.classes.unwrap_or(Classes::ALL),
            defaults: has('d'),
            only_set: has('n'),
            expand: has('x'),
            fold: has('f'),
            hide_names: has('h'),
            hide_values: has('H'),
            json: has('j'),
            quiet: has('q'),
            mode: self.mode(),
            directory: self.directory.take(),
            overrides: self.overrides,
            names: self.names,
        })
    }

    fn mode(&self) -> Mode {
        let modes = [
            ('a', Mode::SaslServer),
            ('A', Mode::SaslClient),
            ('b', Mode::Templates(Templates::Expanded)),
            ('t', Mode::Templates(Templates::AsWritten)),
            ('l', Mode::Locks),
            ('m', Mode::Tables),
            ('T', Mode::Tls(self.tls.clone().unwrap_or_default())),
            ('M', Mode::MasterEntries),
            ('F', Mode::MasterFields),
            ('P', Mode::MasterParameters),
        ];
        modes
            .into_iter()
            .find(|(letter, _)| self.letters.contains(letter))
            .map_or(Mode::Main, |(_, mode)| mode)
    }
}

impl Classes {
    const ALL: Self = Self { builtin: true, service: true, user: true, later: false };

    /// A list of class names, in any case.
    fn parse(list: &str) -> Result<Self, Fatal> {
        let mut classes = Self::default();
        for word in list.split(is_list_separator).filter(|word| !word.is_empty()) {
            match word.to_ascii_lowercase().as_str() {
                "builtin" => classes.builtin = true,
                "service" => classes.service = true,
                "user" => classes.user = true,
                "later" => classes.later = true,
                "all" => classes = Self { later: classes.later, ..Self::ALL },
                _ => return Err(Fatal(format!("unknown -C option value \"{word}\" in \"{list}\""))),
            }
        }
        Ok(classes)
    }
}

/// `-a -A ...`: those letters that `wanted` says, in Postfix's order.
fn named(wanted: impl Fn(char) -> bool) -> Vec<String> {
    LETTERS.chars().filter(|letter| wanted(*letter)).map(|letter| format!("-{letter}")).collect()
}

fn usage(report: &Report) -> Fatal {
    Fatal(format!(
        "usage: {} [-a (server SASL types)] [-A (client SASL types)] [-b (bounce templates)] \
         [-c config_dir] [-C param_class] [-d (parameter defaults)] [-e (edit configuration)] \
         [-f (fold lines)] [-F (master.cf fields)] [-h (no names)] [-H (no values)] [-j (JSON)] \
         [-l (lock types)] [-m (map types)] [-M (master.cf)] [-n (non-default parameters)] \
         [-o name=value (override parameter value)] [-p (main.cf, default)] [-P (master.cf parameters)] \
         [-q (no warnings)] [-t (bounce templates)] \
         [-T compile-version|run-version|public-key-algorithms] [-v (verbose)] \
         [-x (expand parameter values)] [-X (exclude)] [-# (comment-out)] [name...]",
        report.program()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let report = Report::new("postconf".into());
        Options::parse(line.split_whitespace().map(OsString::from).collect(), &report)
            .map_err(|fatal| fatal.0)
    }

    #[test]
    fn letters_may_be_joined_and_values_too() {
        let options = parse("-nfc /x -C user,SERVICE -oa=b -o c=d name -x").unwrap();
        assert!(options.only_set && options.fold && !options.expand);
        assert_eq!(options.directory.as_deref(), Some("/x"));
        assert_eq!(options.classes, Classes { service: true, user: true, ..Classes::default() });
        assert_eq!((options.overrides.len(), options.names.len()), (2, 2));
    }

    #[test]
    fn an_assignment_means_edit() {
        assert_eq!(parse("a=b").unwrap().edit, Some(Edit::Set));
        assert_eq!(parse("-M a/b=c").unwrap().edit, Some(Edit::Set));
        assert_eq!(parse("a b=c").unwrap().edit, None);
        assert_eq!(parse("-M# a/b").unwrap().edit, Some(Edit::CommentOut));
    }

    #[test]
    fn options_that_do_not_go_together() {
        for (line, wanted) in [
            ("-an", "with option -a, do not specify -n"),
            ("-dn", "specify one of -d -n"),
            ("-e", "-e requires name=value argument"),
            ("-x -e a=b", "specify one of -e -x"),
            ("-Mh", "with option -M, do not specify -h"),
            ("-nhH", "specify one of -h -H"),
            ("-M -P", "specify one of -M -P"),
            ("-C foo", "unknown -C option value \"foo\" in \"foo\""),
            ("-T x -T y", "At most one -T <mode> option may be specified"),
            ("-b -t", "specify one of -b and -t"),
        ] {
            assert_eq!(parse(line).unwrap_err(), wanted, "{line}");
        }
    }
}
