//! Root working with somebody else's rights for a while.

use std::io;

use nix::unistd::{Gid, Uid, getegid, geteuid, getgroups, setegid, seteuid, setgroups};

/// The effective ids of this process are somebody else's until this value goes away.
///
/// The real and saved ids stay root's: this guards against mistakes (files get the right owner, files of others
/// are not read or written), not against hostile code.
#[derive(Debug)]
pub struct ActingAs {
    uid: Uid,
    gid: Gid,
    groups: Vec<Gid>,
}

impl ActingAs {
    /// Takes on `uid` and `gid`, with no other groups.
    ///
    /// # Errors
    /// This process is not root; then nothing has changed.
    pub fn new(uid: u32, gid: u32) -> io::Result<Self> {
        if !geteuid().is_root() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let before = Self { uid: geteuid(), gid: getegid(), groups: getgroups()? };
        let gid = Gid::from_raw(gid);
        setgroups(&[gid])?;
        setegid(gid)?;
        seteuid(Uid::from_raw(uid))?;
        Ok(before)
    }
}

impl Drop for ActingAs {
    fn drop(&mut self) {
        let back = seteuid(self.uid).and_then(|()| setegid(self.gid)).and_then(|()| setgroups(&self.groups));
        assert!(back.is_ok(), "the process can not be root again: {back:?}");
    }
}
