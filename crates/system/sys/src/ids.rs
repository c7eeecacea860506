//! User and group ids of this process, and how to give them up for good.

use std::io;

use nix::unistd::{Gid, Uid, getegid, geteuid, getgid, getgroups, getresgid, getresuid, getuid};
use nix::unistd::{setgroups, setresgid, setresuid};

/// Whom a process becomes: one user, one group, and the supplementary groups besides.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Supplementary groups; `gid` need not be among them.
    pub groups: Vec<u32>,
}

impl Identity {
    /// A user with its group and no other.
    pub const fn new(uid: u32, gid: u32) -> Self {
        Self { uid, gid, groups: Vec::new() }
    }
}

/// The effective user id.
pub fn effective_uid() -> u32 {
    geteuid().as_raw()
}

/// The effective group id.
pub fn effective_gid() -> u32 {
    getegid().as_raw()
}

/// The real user id.
pub fn real_uid() -> u32 {
    getuid().as_raw()
}

/// The real group id.
pub fn real_gid() -> u32 {
    getgid().as_raw()
}

/// Is this process root, and so able to become anyone?
pub fn is_root() -> bool {
    effective_uid() == 0
}

/// The supplementary groups.
///
/// # Errors
/// What getgroups(2) says.
pub fn supplementary_groups() -> io::Result<Vec<u32>> {
    Ok(getgroups()?.into_iter().map(Gid::as_raw).collect())
}

/// Makes real, effective and saved ids those of `identity`, with no way back, and checks that it is so.
///
/// A process that is not root can only become what it is already: then nothing is changed, only checked,
/// and the supplementary groups stay. Call it before any thread starts.
///
/// # Errors
/// What the kernel refused, or [`io::ErrorKind::PermissionDenied`] when the ids are not as wanted afterwards.
pub fn become_for_good(identity: &Identity) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(identity.uid), Gid::from_raw(identity.gid));
    if is_root() {
        let mut groups = vec![gid];
        groups.extend(identity.groups.iter().map(|group| Gid::from_raw(*group)));
        setgroups(&groups)?;
        setresgid(gid, gid, gid)?;
        setresuid(uid, uid, uid)?;
    }
    let (users, group_ids) = (getresuid()?, getresgid()?);
    let users_hold = [users.real, users.effective, users.saved].iter().all(|id| *id == uid);
    let groups_hold = [group_ids.real, group_ids.effective, group_ids.saved].iter().all(|id| *id == gid);
    if users_hold && groups_hold {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!("this process runs as uid {} gid {}, not {uid} {gid}", users.effective, group_ids.effective),
    ))
}
