//! Who is who on this system (passwd and group databases).

use std::io;
use std::path::PathBuf;

/// A user of this system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Home directory.
    pub home: PathBuf,
    /// Full name and more (GECOS).
    pub gecos: String,
}

impl From<nix::unistd::User> for User {
    fn from(user: nix::unistd::User) -> Self {
        Self {
            name: user.name,
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
            home: user.dir,
            gecos: user.gecos.to_string_lossy().into_owned(),
        }
    }
}

/// The user of this name, if there is one.
///
/// # Errors
/// When the database can not be read: that is not "no such user".
pub fn user(name: &str) -> io::Result<Option<User>> {
    Ok(nix::unistd::User::from_name(name)?.map(User::from))
}

/// The user with this id, if there is one.
///
/// # Errors
/// As [`user`].
pub fn user_of_id(uid: u32) -> io::Result<Option<User>> {
    Ok(nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid))?.map(User::from))
}

/// The id of the group of this name, if there is one.
///
/// # Errors
/// As [`user`].
pub fn group(name: &str) -> io::Result<Option<u32>> {
    Ok(nix::unistd::Group::from_name(name)?.map(|group| group.gid.as_raw()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_known_and_nobody_else_has_its_name() {
        let root = user("root").unwrap().unwrap();
        assert_eq!((root.uid, root.gid), (0, 0));
        assert_eq!(user_of_id(0).unwrap(), Some(root));
        assert_eq!(user("no such user at all").unwrap(), None);
        assert_eq!(group("root").unwrap(), Some(0));
    }
}
