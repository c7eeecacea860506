//! `sa-awl`: the averages of senders, shown and tidied up.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use learned::{Store, Trouble, path_of};
use spam::learned::{Change, Reputation};

use crate::long_options::{Known, LongOptions, Takes};
use crate::sa_learn::Folders;
use crate::site::EX_USAGE;

const USAGE: &str = "usage: sa-awl [--clean] [--dry-run] [--min n] [dbfile]";
/// Senders with fewer messages are removed, when `--min` does not say.
const LEAST_MESSAGES: i64 = 2;
/// The usual file.
const FILE: &str = "__userstate__/auto-welcomelist";
const KNOWN: [Known; 4] = [
    Known(&["clean"], Takes::Nothing),
    Known(&["dry-run", "dryrun", "n"], Takes::Nothing),
    Known(&["min"], Takes::Value),
    Known(&["help", "h"], Takes::Nothing),
];

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Options {
    clean: bool,
    dry_run: bool,
    least: i64,
    help: bool,
    file: Option<PathBuf>,
}

impl Options {
    fn parse(arguments: Vec<OsString>) -> Result<Self, String> {
        let mut options =
            Self { clean: false, dry_run: false, least: LEAST_MESSAGES, help: false, file: None };
        let mut words = LongOptions::new(&KNOWN, arguments);
        while let Some((name, value)) = words.next_option()? {
            match name {
                "clean" => options.clean = true,
                "dry-run" => options.dry_run = true,
                "help" => options.help = true,
                _ => {
                    let text = value.unwrap_or_default().to_string_lossy().into_owned();
                    options.least = text.parse().map_err(|_| format!("--min {text}: that is no number"))?;
                }
            }
        }
        options.file = words.operands().into_iter().next().map(PathBuf::from);
        Ok(options)
    }
}

/// Runs the command with the arguments that stand behind its name.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let options = match Options::parse(arguments) {
        Ok(options) if !options.help => options,
        told => {
            eprintln!("{}{USAGE}", told.err().map(|text| text + "\n").unwrap_or_default());
            return ExitCode::from(EX_USAGE);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("sa-awl: {trouble}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Trouble> {
    let folders = Folders::of_user();
    let setting = options.file.as_ref().map_or_else(|| FILE.to_owned(), |file| file.display().to_string());
    let named = PathBuf::from(&setting);
    // The file itself may be named, with our ending, or its path as the settings have it.
    let path = if named.extension().is_some_and(|ending| ending == "lmdb") {
        named
    } else {
        path_of(&setting, &folders.state, &folders.home)
    };
    if !path.exists() {
        let source = io::Error::from_raw_os_error(2);
        return Err(Trouble::Folder { path, source });
    }
    let store = Store::open(&path)?;
    let mut rare = Vec::new();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut written = Ok(());
    store.each_sender(|key, reputation| {
        let goes = options.clean && reputation.count < options.least;
        if (options.clean && !goes) || written.is_err() {
            return;
        }
        let front = match (options.clean, options.dry_run) {
            (true, true) => "cleaning [dry-run]: ",
            (true, false) => "cleaning: ",
            _ => "",
        };
        written = writeln!(out, "{front}{}", line(key, reputation));
        if goes && !options.dry_run {
            rare.push(Change::ForgetKey(key.to_owned()));
        }
    })?;
    written?;
    out.flush()?;
    store.apply(&rare);
    store.flush()
}

#[allow(clippy::cast_precision_loss)] // Nobody sends so many messages.
fn line(key: &str, reputation: Reputation) -> String {
    let Reputation { count, total } = reputation;
    let average = total / count.max(1) as f64;
    format!("{average:8.1} {:>15}  --  {key}", format!("({total:.1}/{count})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_original() {
        let shown = line("dawson@example.com|ip=208.192", Reputation { count: 7, total: 0.0 });
        assert_eq!(shown, "     0.0         (0.0/7)  --  dawson@example.com|ip=208.192");
        let shown = line("x@example.com|ip=200.106", Reputation { count: 2, total: 43.7 });
        assert_eq!(shown, "    21.9        (43.7/2)  --  x@example.com|ip=200.106");
    }
}
