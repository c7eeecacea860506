//! The queue's folders: made when they are missing, looked at when they are there.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use sys::{ids, users};

use crate::postfix::Site;
use crate::postfix::report::{Problem, say, warn};

/// Who owns a folder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Root,
    /// `mail_owner`, with root's group.
    Mail,
    /// `mail_owner`, with the group `setgid_group`.
    MailAndDrop,
}

/// Folders of the queue with owner and mode, as Postfix has them (spool layout of postfix-files).
const FOLDERS: [(&str, Owner, u32); 16] = [
    ("active", Owner::Mail, 0o700),
    ("bounce", Owner::Mail, 0o700),
    ("corrupt", Owner::Mail, 0o700),
    ("defer", Owner::Mail, 0o700),
    ("deferred", Owner::Mail, 0o700),
    ("flush", Owner::Mail, 0o700),
    ("hold", Owner::Mail, 0o700),
    ("incoming", Owner::Mail, 0o700),
    ("private", Owner::Mail, 0o700),
    ("saved", Owner::Mail, 0o700),
    ("trace", Owner::Mail, 0o700),
    ("maildrop", Owner::MailAndDrop, 0o730),
    ("public", Owner::MailAndDrop, 0o710),
    ("pid", Owner::Root, 0o755),
    ("usr", Owner::Root, 0o755),
    ("lib", Owner::Root, 0o755),
];
/// Folders of [`FOLDERS`] that are only looked at: a chroot jail may have them.
const OPTIONAL: [&str; 2] = ["usr", "lib"];

/// User and group ids by [`Owner`]; `None` where this process may not give files away.
struct Owners {
    mail: u32,
    drop_group: u32,
}

impl Owners {
    fn of(site: &Site) -> Result<Option<Self>, Problem> {
        if !ids::is_root() {
            return Ok(None);
        }
        let name = site.config.get(&parameters::MAIL_OWNER);
        let group = site.config.get(&parameters::SETGID_GROUP);
        let user = users::user(&name).ok().flatten();
        let mail = user.ok_or_else(|| Problem(format!("mail_owner = {name}: no such user: create it")))?.uid;
        let drop_group = users::group(&group).ok().flatten();
        let drop_group =
            drop_group.ok_or_else(|| Problem(format!("setgid_group = {group}: no such group: create it")))?;
        Ok(Some(Self { mail, drop_group }))
    }

    fn ids(&self, owner: Owner) -> (u32, u32) {
        match owner {
            Owner::Root => (0, 0),
            Owner::Mail => (self.mail, 0),
            Owner::MailAndDrop => (self.mail, self.drop_group),
        }
    }
}

/// What `start` and `reload` do first: folders that are missing are made, tables are brought up to date.
pub(crate) fn prepare(site: &Site) -> Result<(), Problem> {
    let owners = Owners::of(site)?;
    make(&site.queue_directory, 0o755, None)?;
    for (name, owner, mode) in FOLDERS.iter().filter(|(name, ..)| !OPTIONAL.contains(name)) {
        let ids = owners.as_ref().map(|owners| owners.ids(*owner));
        make(&site.queue_directory.join(name), *mode, ids)?;
    }
    let data = PathBuf::from(site.config.get(&parameters::DATA_DIRECTORY));
    make(&data, 0o700, owners.as_ref().map(|owners| owners.ids(Owner::Mail)))?;
    look(site, owners.as_ref());
    crate::postfix::warnings::tell(site);
    bring_tables_up_to_date(site);
    Ok(())
}

/// `postfix check`
pub(crate) fn check(site: &Site) -> Result<(), Problem> {
    prepare(site)
}

/// `postfix set-permissions`
pub(crate) fn set_permissions(site: &Site) -> Result<(), Problem> {
    if !ids::is_root() {
        return Err(Problem("set-permissions needs root".to_owned()));
    }
    prepare(site)?;
    let Some(owners) = Owners::of(site)? else { return Ok(()) };
    for (name, owner, mode) in FOLDERS.iter().filter(|(name, ..)| !OPTIONAL.contains(name)) {
        give(&site.queue_directory.join(name), owners.ids(*owner), *mode)?;
    }
    let commands = PathBuf::from(site.config.get(&parameters::COMMAND_DIRECTORY));
    for name in ["postqueue", "postdrop"] {
        let path = commands.join(name);
        if path.exists() {
            give(&path, (0, owners.drop_group), 0o2755)?;
        }
    }
    Ok(())
}

/// Makes a folder that is not there, with its parents.
fn make(path: &Path, mode: u32, owner: Option<(u32, u32)>) -> Result<(), Problem> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(|error| told("make folder", path, &error))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(|error| told("set the mode of", path, &error))?;
    match owner {
        Some((uid, gid)) => {
            chown(path, Some(uid), Some(gid)).map_err(|error| told("set the owner of", path, &error))
        }
        None => Ok(()),
    }
}

fn give(path: &Path, (uid, gid): (u32, u32), mode: u32) -> Result<(), Problem> {
    chown(path, Some(uid), Some(gid)).map_err(|error| told("set the owner of", path, &error))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(|error| told("set the mode of", path, &error))
}

fn told(what: &str, path: &Path, error: &io::Error) -> Problem {
    Problem(format!("{what} {}: {error}", path.display()))
}

/// Warns of what is not as it should be, in Postfix's words.
fn look(site: &Site, owners: Option<&Owners>) {
    let config_files = ["main.cf", "master.cf"].map(|name| site.config_directory.join(name));
    for path in config_files.iter().chain([&site.queue_directory]) {
        if let Ok(facts) = fs::metadata(path) {
            if ids::is_root() && facts.uid() != 0 {
                warn(&format!("not owned by root: {}", path.display()));
            }
            if facts.mode() & 0o022 != 0 {
                warn(&format!("group or other writable: {}", path.display()));
            }
        }
    }
    let Some(owners) = owners else { return };
    for (name, owner, mode) in FOLDERS {
        let path = site.queue_directory.join(name);
        let Ok(facts) = fs::metadata(&path) else { continue };
        let (uid, gid) = owners.ids(owner);
        if facts.uid() != uid {
            let owner = if uid == 0 { "root".to_owned() } else { site.config.get(&parameters::MAIL_OWNER) };
            warn(&format!("not owned by {owner}: {}", path.display()));
        }
        if owner == Owner::MailAndDrop && facts.gid() != gid {
            let group = site.config.get(&parameters::SETGID_GROUP);
            warn(&format!("not owned by group {group}: {}", path.display()));
        }
        if facts.mode() & 0o002 & !mode != 0 {
            warn(&format!("group or other writable: {}", path.display()));
        }
    }
}

/// Indexes older than their source are built anew.
fn bring_tables_up_to_date(site: &Site) {
    for line in crate::postfix::stale_tables::rebuild(site) {
        say(&line);
    }
}
