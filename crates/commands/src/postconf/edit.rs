//! Changing a configuration file: its text goes to a temporary file, which then takes its place.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};

use parameters::text::{from_bytes, is_space, to_bytes};

use super::files::reason;
use super::report::Fatal;

/// Suffix of the temporary file; always the same, so that nothing is left to gather dust.
const TEMPORARY_SUFFIX: &str = ".tmp";

/// Replaces the text of `path` by what `change` makes of it.
///
/// On `Ok` the new text is on disk, under the old name, owner and mode; on `Err` the file is as before. Two
/// edits at a time wait for one another.
pub(super) fn replace(path: &str, change: impl FnOnce(&str) -> Result<String, Fatal>) -> Result<(), Fatal> {
    let temporary = [path, TEMPORARY_SUFFIX].concat();
    let open_error = |error: io::Error| Fatal(format!("open {temporary}: {}", reason(&error)));
    let mut file = lock(&temporary).map_err(open_error)?;
    let result = rewrite(path, &temporary, &mut file, change);
    if result.is_err() {
        // It is ours alone, by the lock.
        let _ = std::fs::remove_file(&temporary);
    }
    result
}

fn rewrite(
    path: &str,
    temporary: &str,
    file: &mut File,
    change: impl FnOnce(&str) -> Result<String, Fatal>,
) -> Result<(), Fatal> {
    let mut source =
        File::open(path).map_err(|error| Fatal(format!("open {path} for reading: {}", reason(&error))))?;
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes).map_err(|error| Fatal(format!("read {path}: {}", reason(&error))))?;
    let text = change(&from_bytes(&bytes))?;
    commit(&source, file, temporary, path, &to_bytes(&text))
        .map_err(|error| Fatal(format!("close {temporary}: {}", reason(&error))))
}

fn commit(source: &File, file: &mut File, temporary: &str, path: &str, bytes: &[u8]) -> io::Result<()> {
    let facts = source.metadata()?;
    file.set_len(0)?;
    file.write_all(bytes)?;
    // Only root may give files away; for others the file is theirs anyway.
    let _ = std::os::unix::fs::fchown(&*file, Some(facts.uid()), Some(facts.gid()));
    file.set_permissions(Permissions::from_mode(facts.mode() & 0o7777))?;
    file.sync_all()?;
    std::fs::rename(temporary, path)
}

/// Opens the temporary file and waits until nobody else holds it.
fn lock(path: &str) -> io::Result<File> {
    loop {
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        file.lock()?;
        // Whoever held it may have renamed or removed it meanwhile.
        let same = |facts: std::fs::Metadata| file.metadata().is_ok_and(|own| own.ino() == facts.ino());
        if std::fs::metadata(path).is_ok_and(same) {
            return Ok(file);
        }
    }
}

/// The physical lines of a file, each with its line end; the last one gets one when it has none.
pub(super) fn physical_lines(text: &str) -> impl Iterator<Item = String> {
    text.split_inclusive('\n')
        .map(|line| if line.ends_with('\n') { line.to_owned() } else { format!("{line}\n") })
}

/// What a physical line is to an editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineKind {
    /// A comment or an empty line: stays as it is.
    Other,
    /// The start of a setting or an entry.
    Start,
    /// It goes on with the setting or entry above it.
    Continuation,
}

pub(super) fn line_kind(line: &str) -> LineKind {
    let visible = line.trim_start_matches(is_space);
    if visible.is_empty() || visible.starts_with('#') {
        LineKind::Other
    } else if visible.len() < line.len() {
        LineKind::Continuation
    } else {
        LineKind::Start
    }
}

/// An argument that an edit can use: one line, no comment; blanks at the start are dropped.
pub(super) fn checked_argument<'a>(argument: &'a str, options: &str) -> Result<&'a str, Fatal> {
    if argument.contains('\n') {
        return Err(Fatal(format!("{options} no multi-line input")));
    }
    let argument = argument.trim_start_matches(is_space);
    if argument.starts_with('#') {
        return Err(Fatal(format!("{options} no comment input")));
    }
    Ok(argument)
}
