//! What a worker gives up between its start and its first client.

use std::io;
use std::path::{Path, PathBuf};

use parameters::Config;
use sys::ids::{self, Identity};
use sys::sandbox::{Access, Reach, Sandbox};
use sys::users;

use crate::{Setup, StartError};

/// Folders of the system that any program may read: name service, time zones, certificates, libraries.
const SYSTEM_FOLDERS: [&str; 6] =
    ["/etc", "/usr/share", "/usr/lib", "/lib", "/lib64", "/run/systemd/resolve"];
/// Devices that any program may read.
const DEVICES: [&str; 3] = ["/dev/urandom", "/dev/random", "/proc"];
/// Devices that any program may write.
const WRITABLE_DEVICES: [&str; 2] = ["/dev/null", "/dev/log"];

/// What a service keeps of the rights it was started with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privilege {
    /// Becomes `mail_owner` for good, whatever master.cf says: the rule for all but two or three.
    MailOwner,
    /// Stays what it was started as; it drops by itself what it does not need.
    AsStarted,
}

/// Which folder `/` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    /// The one that it was.
    Same,
    /// The queue directory (chroot).
    Changed,
}

/// What a service needs beyond the spool and what its settings name.
#[derive(Debug)]
pub(crate) struct Needs {
    /// TCP connections of its own.
    pub(crate) network: bool,
    /// Files that no setting names.
    pub(crate) every_file: bool,
    /// Where databases lie that tables read.
    pub(crate) folders: Vec<PathBuf>,
}

/// Becomes who the worker shall be and shuts out what it does not need. Called before any thread starts.
///
/// # Errors
/// [`StartError`] when a step fails: a worker never goes on with more rights than meant.
pub(crate) fn give_up(setup: &Setup, privilege: Privilege, needs: &Needs) -> Result<Root, StartError> {
    if privilege == Privilege::AsStarted {
        return Ok(Root::Same);
    }
    let owner = mail_owner(&setup.config)?;
    let chroot = setup.arguments.chroot && ids::is_root();
    if chroot {
        enter_for_good(&setup.queue_directory)?;
    }
    if ids::is_root() {
        ids::become_for_good(&owner).map_err(|source| StartError::step("become mail_owner", source))?;
    }
    sys::fork::die_with_parent(sys::fork::parent_id())
        .map_err(|source| StartError::step("die with master", source))?;
    confine(setup, chroot, needs)?;
    Ok(if chroot { Root::Changed } else { Root::Same })
}

/// The ids of `mail_owner`; a process that is not root stays who it is.
pub(crate) fn mail_owner(config: &Config) -> Result<Identity, StartError> {
    if !ids::is_root() {
        return Ok(Identity::new(ids::effective_uid(), ids::effective_gid()));
    }
    let name = config.get(&parameters::MAIL_OWNER);
    let found = users::user(&name).map_err(|source| StartError::step("look mail_owner up", source))?;
    let user = found.filter(|user| user.uid != 0).ok_or(StartError::NoMailOwner(name))?;
    Ok(Identity::new(user.uid, user.gid))
}

fn enter_for_good(queue_directory: &Path) -> Result<(), StartError> {
    // The name service reads its files when first used: let it, while they are there.
    let _ = users::user("root");
    let _ = sys::clock::local_time(0);
    std::os::unix::fs::chroot(queue_directory).map_err(|source| StartError::step("chroot", source))?;
    std::env::set_current_dir("/").map_err(|source| StartError::step("chdir /", source))
}

fn confine(setup: &Setup, chroot: bool, needs: &Needs) -> Result<(), StartError> {
    let config = &setup.config;
    let landlock = (config.get(&parameters::PROCESS_LANDLOCK_ENABLE) && !chroot).then(|| reach(setup, needs));
    let seccomp = config.get(&parameters::PROCESS_SECCOMP_ENABLE).then_some(sys::sandbox::Calls::Daemon);
    let sandbox = Sandbox {
        no_new_privileges: config.get(&parameters::PROCESS_NO_NEW_PRIVS_ENABLE),
        landlock,
        seccomp,
    };
    let applied = sandbox.apply().map_err(|source| StartError::step("confine the process", source))?;
    if sandbox.landlock.is_some() && !applied.landlock {
        log::debug!("this kernel has no Landlock: files are not out of reach");
    }
    Ok(())
}

/// The spool and the folders that main.cf names, besides those of the system.
fn reach(setup: &Setup, needs: &Needs) -> Reach<'static> {
    let config = &setup.config;
    let mut paths: Vec<(PathBuf, Access)> = Vec::new();
    paths.extend(SYSTEM_FOLDERS.iter().chain(&DEVICES).map(|folder| (PathBuf::from(folder), Access::Read)));
    paths.extend(WRITABLE_DEVICES.iter().map(|device| (PathBuf::from(device), Access::Write)));
    paths.push((PathBuf::from(config.get(&parameters::CONFIG_DIRECTORY)), Access::Read));
    paths.push((setup.queue_directory.clone(), Access::Write));
    paths.push((PathBuf::from(config.get(&parameters::DATA_DIRECTORY)), Access::Write));
    if needs.every_file {
        paths.push((PathBuf::from("/"), Access::Read));
    }
    let folders = folders_named(config).into_iter().chain(needs.folders.iter().cloned());
    paths.extend(folders.map(|folder| (folder, Access::Read)));
    Reach { paths, directories: Vec::new(), network: needs.network }
}

/// The folder of each file that a setting names: tables, certificates, lists. Never the root folder.
fn folders_named(config: &Config) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for name in config.names_set() {
        let value = config.text(name).unwrap_or_default();
        for word in value.split([',', ' ', '\t', '{', '}', '=']) {
            let Some(start) = word.find('/') else { continue };
            let preceded = start == 0 || word[..start].ends_with(':');
            let folder = Path::new(&word[start..]).parent();
            match folder {
                Some(folder) if preceded && folder != Path::new("/") => folders.push(folder.to_path_buf()),
                _ => {}
            }
        }
    }
    folders.sort();
    folders.dedup();
    folders
}

impl StartError {
    pub(crate) fn step(step: &'static str, source: io::Error) -> Self {
        Self::Step { step, source }
    }
}
