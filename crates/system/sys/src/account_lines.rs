//! The system's accounts as the lines of /etc/passwd and /etc/group, from wherever nsswitch.conf(5) finds them.

use nix::unistd::{Group, User};
use std::io;

/// The line of /etc/passwd for the account `name`: `root:x:0:0:root:/root:/bin/bash`.
///
/// # Errors
/// The databases could not be asked; an account that does not exist is `None`.
pub fn passwd_line(name: &str) -> io::Result<Option<String>> {
    Ok(User::from_name(name)?.map(|user| {
        let password = user.passwd.to_string_lossy();
        let (full_name, home, shell) =
            (user.gecos.to_string_lossy(), user.dir.display(), user.shell.display());
        format!("{}:{password}:{}:{}:{full_name}:{home}:{shell}", user.name, user.uid, user.gid)
    }))
}

/// The line of /etc/group for the group `name`: `mail:x:8:alice,bob`.
///
/// # Errors
/// As [`passwd_line`].
pub fn group_line(name: &str) -> io::Result<Option<String>> {
    Ok(Group::from_name(name)?.map(|group| {
        let password = group.passwd.to_string_lossy();
        format!("{}:{password}:{}:{}", group.name, group.gid, group.mem.join(","))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_known_and_nonsense_is_not() {
        assert!(passwd_line("root").unwrap().unwrap().starts_with("root:x:0:0:"));
        assert_eq!(group_line("root").unwrap().unwrap(), "root:x:0:");
        assert_eq!(passwd_line("no such account").unwrap(), None);
    }
}
