//! The man pages of `man/`, made from what stands in the code: the head comment of each program, and the
//! parameter table.
//!
//! `cargo run -p tests --bin write-documents` writes them; `tests/tidy.rs` fails while they differ from the code.

mod header;
mod main_cf;
mod program;
mod roff;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use thiserror::Error;

/// Why a page could not be made.
#[derive(Debug, Error)]
pub enum ManError {
    /// A file or folder of the source could not be read.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The head comment of a program is not a man page.
    #[error("{path}:{line}: {problem}")]
    Header {
        /// The program's source.
        path: PathBuf,
        /// Line of the file, from 1.
        line: usize,
        /// What is wrong, and what to do.
        problem: &'static str,
    },
}

/// What the code has to say.
#[derive(Debug, Default)]
pub struct Pages {
    /// File name below `man/`, and text.
    pub texts: BTreeMap<String, String>,
    /// Programs whose head comment is no man page.
    pub faults: Vec<ManError>,
}

/// All pages. Programs that are still to be written (their head comment says so) have none.
///
/// # Errors
/// A source that cannot be read.
pub fn pages(root: &Path) -> Result<Pages, ManError> {
    let mut pages = Pages::default();
    pages.texts.insert("main.cf.5".to_owned(), main_cf::page(&crate::inert::names()));
    for (name, section, source) in programs(root)? {
        let text = fs::read_to_string(root.join(&source))
            .map_err(|error| ManError::Io { path: source.clone(), source: error })?;
        match header::parse(&source, &text) {
            Ok(Some(header)) => {
                let page = program::page(&name, section, &header);
                pages.texts.insert(format!("{name}.{section}"), page);
            }
            Ok(None) => {}
            Err(fault) => pages.faults.push(fault),
        }
    }
    Ok(pages)
}

/// The names of all programs, written or still to be.
///
/// # Errors
/// A folder that cannot be read.
pub fn program_names(root: &Path) -> Result<Vec<String>, ManError> {
    Ok(programs(root)?.into_iter().map(|(name, ..)| name).collect())
}

/// Name, section of the manual and source (from the root) of every program.
fn programs(root: &Path) -> Result<Vec<(String, u8, PathBuf)>, ManError> {
    let mut programs = commands(root, Path::new("crates/commands/src/bin"), 1)?;
    for folder in entries(root, Path::new("crates/daemons"))? {
        let main = folder.join("src/main.rs");
        if root.join(&main).exists() {
            programs.push((stem(&folder), 8, main));
        }
        programs.extend(commands(root, &folder.join("src/bin"), 8)?);
    }
    Ok(programs)
}

/// The programs of a folder with one file, or one folder with a `main.rs`, for each.
fn commands(root: &Path, folder: &Path, section: u8) -> Result<Vec<(String, u8, PathBuf)>, ManError> {
    let sources = entries(root, folder)?.into_iter().map(|source| {
        let main = source.join("main.rs");
        (stem(&source), section, if root.join(&main).exists() { main } else { source })
    });
    Ok(sources.collect())
}

/// What lies in `folder`, sorted; nothing if there is no such folder.
fn entries(root: &Path, folder: &Path) -> Result<Vec<PathBuf>, ManError> {
    let failed = |source| ManError::Io { path: folder.to_owned(), source };
    let listing = match fs::read_dir(root.join(folder)) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let names = listing.map(|entry| entry.map(|entry| folder.join(entry.file_name())));
    let mut paths: Vec<_> = names.collect::<Result<_, _>>().map_err(failed)?;
    paths.sort();
    Ok(paths)
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
