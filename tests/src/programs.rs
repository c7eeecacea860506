//! Where the programs under test are.

use std::path::{Path, PathBuf};

/// Whose programs a test runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// This workspace.
    Ours,
    /// The installed Postfix.
    Peer,
}

/// The directories of a suite.
#[derive(Debug, Clone)]
pub struct Programs {
    /// Whose they are.
    pub maker: Maker,
    /// `command_directory`
    pub commands: PathBuf,
    /// `daemon_directory`
    pub daemons: PathBuf,
}

impl Programs {
    /// The suite that the environment asks for.
    pub fn under_test() -> Self {
        match std::env::var("SUITE_UNDER_TEST").as_deref() {
            Ok("peer") => Self::peer(),
            _ => Self::ours(),
        }
    }

    /// The installed Postfix.
    pub fn peer() -> Self {
        Self { maker: Maker::Peer, commands: "/usr/sbin".into(), daemons: "/usr/lib/postfix/sbin".into() }
    }

    /// Can the installed Postfix be run here? It wants root.
    pub fn peer_can_run() -> bool {
        sys::ids::is_root() && Self::peer().daemons.join("master").exists()
    }

    /// Ours, of the profile that the test was built with.
    pub fn ours() -> Self {
        Self::ours_in(&profile_directory())
    }

    /// Ours, from this directory.
    pub fn ours_in(directory: &Path) -> Self {
        assert!(
            directory.join("master").exists() && directory.join("postfix").exists(),
            "no programs in {}: run `cargo build --workspace` first",
            directory.display()
        );
        Self { maker: Maker::Ours, commands: directory.to_owned(), daemons: directory.to_owned() }
    }
}

/// `target/<profile>`: the test program lies in `deps/` below it, a benchmark in it.
fn profile_directory() -> PathBuf {
    let program = std::env::current_exe().expect("path of this program");
    let directory = program.parent().expect("directory of this program");
    if directory.ends_with("deps") {
        directory.parent().expect("profile directory").to_owned()
    } else {
        directory.to_owned()
    }
}
