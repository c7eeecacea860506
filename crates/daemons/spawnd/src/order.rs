//! What the front tells the zygote: first the bounds, once, then one order for each courier.
//!
//! Numbers of fixed width, so that the process that holds root has next to nothing to parse.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use services::residents::Program;
use sys::ids::Identity;

/// No word to the zygote is longer, in bytes.
pub(crate) const WORD_LIMIT_BYTES: usize = 8 * 1024;
/// Supplementary groups that an order can name.
const GROUPS_LIMIT: u32 = 16;

/// What no later order can change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// The lowest user id a courier may have.
    pub(crate) minimum_uid: u32,
    /// The one id that all couriers have: the zygote takes it on itself, and root is gone.
    pub(crate) only: Option<(u32, u32)>,
    /// `process_no_new_privs_enable`
    pub(crate) no_new_privileges: bool,
    /// `process_landlock_enable`
    pub(crate) landlock: bool,
    /// `process_seccomp_enable`
    pub(crate) seccomp: bool,
    /// `virtual_mailbox_follow_links`: paths may go through symbolic links.
    pub(crate) follow_links: bool,
}

/// One courier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// Whom it becomes.
    pub(crate) identity: Identity,
    /// What it may write below.
    pub(crate) base: PathBuf,
    /// Which program it becomes; none for a courier.
    pub(crate) program: Option<Program>,
}

impl Bounds {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let (uid, gid) = self.only.unwrap_or_default();
        let flags =
            [self.only.is_some(), self.no_new_privileges, self.landlock, self.seccomp, self.follow_links];
        let mut bytes = Vec::new();
        for number in [self.minimum_uid, uid, gid] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend(flags.map(u8::from));
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (minimum_uid, rest) = number(bytes)?;
        let (uid, rest) = number(rest)?;
        let (gid, rest) = number(rest)?;
        let flags: &[u8; 5] = rest.try_into().ok()?;
        let [only, no_new_privileges, landlock, seccomp, follow_links] = flags.map(|flag| flag != 0);
        let only = only.then_some((uid, gid));
        Some(Self { minimum_uid, only, no_new_privileges, landlock, seccomp, follow_links })
    }

    /// May a courier have this identity?
    pub(crate) fn admit(&self, identity: &Identity) -> bool {
        let is_a_users = |id: u32| id != 0 && id != u32::MAX;
        let allowed = is_a_users(identity.uid)
            && is_a_users(identity.gid)
            && identity.groups.iter().copied().all(is_a_users)
            && identity.uid >= self.minimum_uid;
        allowed && self.only.is_none_or(|only| only == (identity.uid, identity.gid))
    }
}

impl Order {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let groups = &self.identity.groups;
        let mut bytes = Vec::new();
        let place = |program| Program::ALL.iter().position(|known| *known == program);
        let program = self.program.and_then(place).map_or(0, |place| place as u32 + 1);
        let head = [self.identity.uid, self.identity.gid, program, groups.len() as u32];
        for number in head.iter().chain(groups) {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(self.base.as_os_str().as_bytes());
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (uid, rest) = number(bytes)?;
        let (gid, rest) = number(rest)?;
        let (program, rest) = number(rest)?;
        let (count, mut rest) = number(rest)?;
        let mut groups = Vec::new();
        for _ in 0..(count <= GROUPS_LIMIT).then_some(count)? {
            let (group, after) = number(rest)?;
            groups.push(group);
            rest = after;
        }
        let base = PathBuf::from(OsString::from_vec(rest.to_vec()));
        let program = match program.checked_sub(1) {
            Some(place) => Some(*Program::ALL.get(place as usize)?),
            None => None,
        };
        is_plain(&base).then_some(Self { identity: Identity { uid, gid, groups }, base, program })
    }
}

fn is_plain(base: &Path) -> bool {
    base.is_absolute() && !base.as_os_str().as_bytes().contains(&0)
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (first, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*first), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds() -> Bounds {
        Bounds {
            minimum_uid: 100,
            only: None,
            no_new_privileges: true,
            landlock: false,
            seccomp: true,
            follow_links: false,
        }
    }

    #[test]
    fn words_come_back_as_they_were_sent() {
        for only in [None, Some((5000, 5001))] {
            let bounds = Bounds { only, ..bounds() };
            assert_eq!(Bounds::from_bytes(&bounds.to_bytes()), Some(bounds));
        }
        let identity = Identity { uid: 5000, gid: 5001, groups: vec![8] };
        let order = Order { identity, base: "/var/mail/vhosts".into(), program: Some(Program::Imapd) };
        assert_eq!(Order::from_bytes(&order.to_bytes()), Some(order.clone()));
        for end in 0..16 {
            assert_eq!(Order::from_bytes(&order.to_bytes()[..end]), None, "cut at {end}");
        }
        assert_eq!(Order::from_bytes(&Order { base: "relative".into(), ..order }.to_bytes()), None);
    }

    #[test]
    fn root_and_ids_out_of_bounds_are_never_admitted() {
        let admitted = |bounds: &Bounds, uid, gid| bounds.admit(&Identity::new(uid, gid));
        let open = bounds();
        assert!(admitted(&open, 100, 1));
        for (uid, gid) in [(0, 5000), (99, 5000), (u32::MAX, 5000), (5000, 0), (5000, u32::MAX)] {
            assert!(!admitted(&open, uid, gid), "{uid} {gid}");
        }
        assert!(!open.admit(&Identity { uid: 5000, gid: 5000, groups: vec![0] }));
        let one = Bounds { only: Some((5000, 5000)), ..bounds() };
        assert!(admitted(&one, 5000, 5000) && !admitted(&one, 5000, 5001) && !admitted(&one, 5001, 5000));
    }
}
