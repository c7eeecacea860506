//! Whom a courier becomes, by the tables and the databases of this system; the agent's word counts for nothing.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use parameters::Config;
use rewriting::{MailboxOwners, NoMailbox, Rewriting, Settings};
use services::residents::Program;
use services::spawn::CourierRequest;
use sys::ids::{self, Identity};
use sys::users;
use tables::{Options, Tables};

use crate::order::{Bounds, Order};

/// The permission bit by which a mail spool lets its group make mailboxes and lock files.
const GROUP_WRITE: u32 = 0o020;

/// Why there is no courier.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoCourier {
    /// The tables give no usable owner.
    #[error("{0}")]
    Mailbox(#[from] NoMailbox),
    /// There is no such user of this system.
    #[error("unknown user: \"{0}\"")]
    UnknownUser(String),
    /// It is root, or its group is.
    #[error("mail for {0} is not delivered as root: give it an alias in alias_maps")]
    Root(String),
    /// The user database can not be read.
    #[error("look user {user} up: {source}")]
    Database {
        /// Login name.
        user: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Mailboxes would lie anywhere.
    #[error("virtual_mailbox_base is empty: name the directory of all mailboxes in main.cf")]
    NoBase,
    /// The suite runs without root.
    #[error(
        "the owner of this mailbox is uid {uid} gid {gid}, but the mail system runs as uid {own_uid} gid {own_gid} and can not become another"
    )]
    OtherUser {
        /// The owner.
        uid: u32,
        /// The owner's group.
        gid: u32,
        /// This process.
        own_uid: u32,
        /// Its group.
        own_gid: u32,
    },
}

/// The tables and parameters that decide.
pub(crate) struct Owners {
    tables: Tables,
    rewriting: Rewriting,
    maps: MailboxOwners,
    virtual_base: PathBuf,
    spool: PathBuf,
    zygote_is_root: bool,
    bounds: Bounds,
}

impl Owners {
    pub(crate) fn new(config: &Config, zygote_is_root: bool) -> Self {
        let maps = MailboxOwners {
            virtual_uid_maps: config.get(&parameters::VIRTUAL_UID_MAPS),
            virtual_gid_maps: config.get(&parameters::VIRTUAL_GID_MAPS),
            virtual_minimum_uid: config.get(&parameters::VIRTUAL_MINIMUM_UID).try_into().unwrap_or(u32::MAX),
        };
        // `$1` would let a stranger's address choose the user.
        let tables = Tables::new(Options { substitution: false, ..Options::default() });
        tables.open_maps(&maps.virtual_uid_maps);
        tables.open_maps(&maps.virtual_gid_maps);
        Self {
            tables,
            rewriting: Rewriting::new(Settings::from(config)),
            bounds: bounds(config, &maps),
            maps,
            virtual_base: PathBuf::from(config.get(&parameters::VIRTUAL_MAILBOX_BASE)),
            spool: PathBuf::from(config.get(&parameters::MAIL_SPOOL_DIRECTORY)),
            zygote_is_root,
        }
    }

    pub(crate) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// The order for the courier that was asked for.
    pub(crate) fn order(&self, request: &CourierRequest) -> Result<Order, NoCourier> {
        let order = match request {
            CourierRequest::Virtual { recipient } => {
                if self.virtual_base.as_os_str().is_empty() {
                    return Err(NoCourier::NoBase);
                }
                let (uid, gid) = self.rewriting.mailbox_owner(&self.tables, &self.maps, recipient)?;
                Order { identity: Identity::new(uid, gid), base: self.virtual_base.clone(), program: None }
            }
            CourierRequest::Spool { user } => {
                let mut identity = system_user(user)?.0;
                identity.groups.extend(self.spool_group());
                Order { identity, base: self.spool.clone(), program: None }
            }
            CourierRequest::Home { user } => {
                let (identity, base) = system_user(user)?;
                Order { identity, base, program: None }
            }
        };
        self.check_reachable(order)
    }

    /// The order for a resident, by what authd says of a user.
    pub(crate) fn resident(
        &self,
        program: Program,
        ids: (u32, u32),
        base: PathBuf,
    ) -> Result<Order, NoCourier> {
        let mut identity = Identity::new(ids.0, ids.1);
        if base == self.spool {
            identity.groups.extend(self.spool_group());
        }
        self.check_reachable(Order { identity, base, program: Some(program) })
    }

    /// Without root nobody can become another.
    fn check_reachable(&self, order: Order) -> Result<Order, NoCourier> {
        let (own_uid, own_gid) = (ids::effective_uid(), ids::effective_gid());
        let Identity { uid, gid, .. } = order.identity;
        if self.zygote_is_root || (uid, gid) == (own_uid, own_gid) {
            return Ok(order);
        }
        Err(NoCourier::OtherUser { uid, gid, own_uid, own_gid })
    }

    /// The group by which users make their mailboxes in the spool, `mail` on many systems.
    fn spool_group(&self) -> Option<u32> {
        let facts = std::fs::metadata(&self.spool).ok()?;
        (facts.mode() & GROUP_WRITE != 0 && facts.gid() != 0).then(|| facts.gid())
    }
}

fn system_user(name: &str) -> Result<(Identity, PathBuf), NoCourier> {
    let found = users::user(name).map_err(|source| NoCourier::Database { user: name.to_owned(), source })?;
    let user = found.ok_or_else(|| NoCourier::UnknownUser(name.to_owned()))?;
    if user.uid == 0 || user.gid == 0 {
        return Err(NoCourier::Root(name.to_owned()));
    }
    Ok((Identity::new(user.uid, user.gid), user.home))
}

/// The zygote needs root only where couriers of different users, or of this system's users, may be wanted.
fn bounds(config: &Config, maps: &MailboxOwners) -> Bounds {
    let has_local_users = !config.get(&parameters::MYDESTINATION).is_empty();
    let only = static_id(&maps.virtual_uid_maps)
        .zip(static_id(&maps.virtual_gid_maps))
        .filter(|(uid, _)| !has_local_users && *uid >= maps.virtual_minimum_uid);
    Bounds {
        minimum_uid: if has_local_users { 1 } else { maps.virtual_minimum_uid },
        only,
        no_new_privileges: config.get(&parameters::PROCESS_NO_NEW_PRIVS_ENABLE),
        landlock: config.get(&parameters::PROCESS_LANDLOCK_ENABLE),
        seccomp: config.get(&parameters::PROCESS_SECCOMP_ENABLE),
        follow_links: config.get(&parameters::VIRTUAL_MAILBOX_FOLLOW_LINKS),
    }
}

fn static_id(maps: &str) -> Option<u32> {
    rewriting::exact_id(maps.trim().strip_prefix("static:")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_static_id_is_seen_and_a_list_is_not() {
        assert_eq!(static_id(" static:5000"), Some(5000));
        for maps in ["static:0", "static:5000 hash:x", "hash:x", "static:{5000}", ""] {
            assert_eq!(static_id(maps), None, "{maps}");
        }
    }
}
