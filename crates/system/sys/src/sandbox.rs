//! What a process gives up before it reads what strangers wrote: files it does not need (Landlock), system
//! calls it does not use (seccomp), and set-id programs (no_new_privs).
//!
//! All of it binds the calling thread and what it starts later: call [`Sandbox::apply`] before any thread starts.
//! None of it needs root. A kernel without Landlock leaves that part out, and the answer says so.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus,
};
use nix::sys::prctl;

use crate::system_calls;
pub use crate::system_calls::Calls;

/// The newest set of Landlock rights asked for: later ones also bar unix sockets, which our programs live by.
const LANDLOCK_RIGHTS: ABI = ABI::V5;

/// What to give up; a part that is off is left as it is.
#[derive(Debug, Default)]
pub struct Sandbox<'a> {
    /// Set-user-id programs give no rights any more. Implied by the two others, for the kernel demands it.
    pub no_new_privileges: bool,
    /// Files out of reach, but for these.
    pub landlock: Option<Reach<'a>>,
    /// System calls refused (`ENOSYS`), but for these.
    pub seccomp: Option<Calls>,
}

/// The files and ports that stay within reach.
#[derive(Debug, Default)]
pub struct Reach<'a> {
    /// Files and directories with all below them; one that does not exist is passed over.
    pub paths: Vec<(PathBuf, Access)>,
    /// Open directories with all below them.
    pub directories: Vec<(BorrowedFd<'a>, Access)>,
    /// TCP stays possible: connect and bind.
    pub network: bool,
}

/// What may be done with what is within reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read files, list directories.
    Read,
    /// Read, and run programs.
    Execute,
    /// Read, and create, change, rename and remove files and directories.
    Write,
}

/// What [`Sandbox::apply`] achieved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// Landlock is on, in full or as far as this kernel knows it.
    pub landlock: bool,
    /// The list of system calls is on.
    pub seccomp: bool,
}

impl Sandbox<'_> {
    /// Gives it all up, for good.
    ///
    /// # Errors
    /// What the kernel refused; the process should end then.
    pub fn apply(&self) -> io::Result<Applied> {
        if self.no_new_privileges {
            prctl::set_no_new_privs()?;
        }
        let landlock = self.landlock.as_ref().map(confine_files).transpose().map_err(io::Error::other)?;
        if let Some(calls) = self.seccomp {
            system_calls::allow_only(calls)?;
        }
        Ok(Applied { landlock: landlock.unwrap_or(false), seccomp: self.seccomp.is_some() })
    }
}

fn confine_files(reach: &Reach<'_>) -> Result<bool, RulesetError> {
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(LANDLOCK_RIGHTS))?;
    if !reach.network {
        rules = rules.handle_access(AccessNet::from_all(LANDLOCK_RIGHTS))?;
    }
    let mut rules = rules.create()?;
    for (path, access) in &reach.paths {
        // What does not exist needs no rule.
        if let Ok(place) = PathFd::new(path) {
            let is_directory = path.is_dir();
            rules = admit(rules, place, *access, is_directory)?;
        }
    }
    for (directory, access) in &reach.directories {
        rules = admit(rules, *directory, *access, true)?;
    }
    Ok(rules.restrict_self()?.ruleset != RulesetStatus::NotEnforced)
}

fn admit(
    rules: RulesetCreated,
    place: impl std::os::fd::AsFd,
    access: Access,
    is_directory: bool,
) -> Result<RulesetCreated, RulesetError> {
    let mut rights = rights_of(access);
    if !is_directory {
        rights &= AccessFs::from_file(LANDLOCK_RIGHTS);
    }
    rules.add_rule(PathBeneath::new(place, rights))
}

fn rights_of(access: Access) -> BitFlags<AccessFs> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    match access {
        Access::Read => read,
        Access::Execute => read | AccessFs::Execute,
        Access::Write => {
            let devices = AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev;
            AccessFs::from_all(LANDLOCK_RIGHTS) & !(devices | AccessFs::Execute)
        }
    }
}
