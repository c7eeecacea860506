//! Whose mailbox a recipient of a virtual mailbox domain has, and where it lies (virtual(8)).

use lookup::{Lookup, Stop};

use crate::Rewriting;

/// The ids that no mailbox may have: root, and the number that means "no id" to the kernel.
const FORBIDDEN_IDS: [u32; 2] = [0, u32::MAX];

/// The tables and limits that decide over virtual mailboxes, beside those of [`Rewriting`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxOwners {
    /// `virtual_uid_maps`
    pub virtual_uid_maps: String,
    /// `virtual_gid_maps`
    pub virtual_gid_maps: String,
    /// `virtual_minimum_uid`
    pub virtual_minimum_uid: u32,
}

/// A mailbox, as the tables have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualMailbox {
    /// The right-hand side of `virtual_mailbox_maps`.
    pub path: String,
    /// Who owns it.
    pub uid: u32,
    /// The owner's group.
    pub gid: u32,
}

/// Why a recipient has no mailbox that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoMailbox {
    /// No table has it: it does not exist.
    #[error("unknown user: \"{0}\"")]
    Unknown(String),
    /// It has a path, but no owner.
    #[error("recipient {recipient}: not found in {parameter}")]
    NoOwner {
        /// The address.
        recipient: String,
        /// `virtual_uid_maps` or `virtual_gid_maps`
        parameter: &'static str,
    },
    /// The owner is no number, is root, or lies below the limit.
    #[error("recipient {recipient}: bad {kind} {value} in virtual_{kind}_maps")]
    BadOwner {
        /// The address.
        recipient: String,
        /// "uid" or "gid"
        kind: &'static str,
        /// What the table says.
        value: String,
    },
    /// A table could not be asked.
    #[error("table lookup")]
    Stop(Stop),
}

impl From<Stop> for NoMailbox {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl Rewriting {
    /// Where the mail of `recipient` goes, and as whom it is written there.
    ///
    /// # Errors
    /// [`NoMailbox::Unknown`] is final; all else is a fault that somebody can mend, and mail waits for it.
    pub fn virtual_mailbox(
        &self,
        tables: &dyn Lookup,
        owners: &MailboxOwners,
        recipient: &str,
    ) -> Result<VirtualMailbox, NoMailbox> {
        let path = self.find_address(tables, &self.settings().virtual_mailbox_maps, recipient)?;
        let path = path.ok_or_else(|| NoMailbox::Unknown(recipient.to_owned()))?.value;
        let (uid, gid) = self.mailbox_owner(tables, owners, recipient)?;
        Ok(VirtualMailbox { path, uid, gid })
    }

    /// As whom the mail of `recipient` is written.
    ///
    /// # Errors
    /// As [`Rewriting::virtual_mailbox`].
    pub fn mailbox_owner(
        &self,
        tables: &dyn Lookup,
        owners: &MailboxOwners,
        recipient: &str,
    ) -> Result<(u32, u32), NoMailbox> {
        let minimum = owners.virtual_minimum_uid;
        let uid = self.owner_id(tables, ("uid", &owners.virtual_uid_maps, minimum), recipient)?;
        let gid = self.owner_id(tables, ("gid", &owners.virtual_gid_maps, 0), recipient)?;
        Ok((uid, gid))
    }

    fn owner_id(
        &self,
        tables: &dyn Lookup,
        (kind, maps, minimum): (&'static str, &str, u32),
        recipient: &str,
    ) -> Result<u32, NoMailbox> {
        let recipient = || recipient.to_owned();
        let parameter = if kind == "uid" { "virtual_uid_maps" } else { "virtual_gid_maps" };
        let found = self.find_address(tables, maps, &recipient())?;
        let value = found.ok_or_else(|| NoMailbox::NoOwner { recipient: recipient(), parameter })?.value;
        match exact_id(&value).filter(|id| *id >= minimum) {
            Some(id) => Ok(id),
            None => Err(NoMailbox::BadOwner { recipient: recipient(), kind, value }),
        }
    }
}

/// A user or group id that is nothing but decimal digits, is not root's, and fits: no sign, no blank, no wrap.
pub fn exact_id(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let id = digits.then(|| text.parse().ok()).flatten()?;
    (!FORBIDDEN_IDS.contains(&id)).then_some(id)
}

#[cfg(test)]
mod tests {
    use lookup::Memory;

    use super::*;
    use crate::Settings;

    const ID_MAPS: [(&str, &str); 10] = [
        ("low@x", "99"),
        ("least@x", "100"),
        ("root@x", "0"),
        ("wrap@x", "4294967296"),
        ("none@x", "4294967295"),
        ("minus@x", "-1"),
        ("plus@x", "+5000"),
        ("word@x", "fivethousand"),
        ("empty@x", " "),
        ("@catch", "5000"),
    ];

    fn find(recipient: &str) -> Result<VirtualMailbox, NoMailbox> {
        let tables = Memory::new()
            .table("hash:boxes", &ID_MAPS.map(|(key, _)| (key, key)))
            .table("hash:uids", &ID_MAPS)
            .table("static:5001", &ID_MAPS.map(|(key, _)| (key, "5001")));
        let owners = MailboxOwners {
            virtual_uid_maps: "hash:uids".into(),
            virtual_gid_maps: "static:5001".into(),
            virtual_minimum_uid: 100,
        };
        let settings = Settings {
            virtual_mailbox_maps: "hash:boxes".into(),
            recipient_delimiter: "+".into(),
            ..Settings::default()
        };
        Rewriting::new(settings).virtual_mailbox(&tables, &owners, recipient)
    }

    #[test]
    fn extension_and_catch_all_find_their_owner() {
        assert_eq!(find("Least+ext@x"), Ok(VirtualMailbox { path: "least@x".into(), uid: 100, gid: 5001 }));
        assert_eq!(find("any.body@catch").map(|mailbox| mailbox.uid), Ok(5000));
        assert_eq!(find("who@x"), Err(NoMailbox::Unknown("who@x".into())));
    }

    #[test]
    fn an_id_that_is_not_exactly_a_users_is_refused() {
        for user in ["low", "root", "wrap", "none", "minus", "plus", "word", "empty"] {
            let refused = find(&format!("{user}@x")).unwrap_err();
            let value = ID_MAPS.iter().find(|(key, _)| key.starts_with(user)).map_or("", |(_, value)| value);
            assert_eq!(
                refused.to_string(),
                format!("recipient {user}@x: bad uid {value} in virtual_uid_maps")
            );
        }
    }

    #[test]
    fn a_table_that_fails_is_not_an_unknown_user() {
        let tables = Memory::new().table("hash:boxes", &[("u@x", "u/")]).broken("hash:uids");
        let owners = MailboxOwners {
            virtual_uid_maps: "hash:uids".into(),
            virtual_gid_maps: "hash:uids".into(),
            virtual_minimum_uid: 100,
        };
        let settings = Settings { virtual_mailbox_maps: "hash:boxes".into(), ..Settings::default() };
        let refused = Rewriting::new(settings).virtual_mailbox(&tables, &owners, "u@x");
        assert_eq!(refused, Err(NoMailbox::Stop(Stop::Failed { table: "hash:uids".into() })));
    }
}
