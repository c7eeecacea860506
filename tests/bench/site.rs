//! The configuration that both suites run: 500 users of one domain, every second with a Maildir.

use std::sync::Mutex;

use tempfile::TempDir;
use tests::programs::Programs;
use tests::{Builder, Suite};

/// How many mailboxes there are.
pub(crate) const USERS: u32 = 500;
const FIRST_ID: u32 = 10_000;

/// Whose mailboxes they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owners {
    /// All of one user id.
    One,
    /// Each of its own.
    Each,
}

/// The address of a user.
pub(crate) fn address(user: u32) -> String {
    format!("user{}@example.com", user % USERS)
}

/// The configuration, with these lines added to main.cf.
pub(crate) fn builder(programs: Programs, owners: Owners, main: &str) -> Builder {
    let rows = |value: &dyn Fn(u32) -> String| -> String {
        (0..USERS).map(|user| format!("{} {}\n", address(user), value(user))).collect()
    };
    let mailboxes = rows(&|user| format!("user{user}{}", if user % 2 == 0 { "/" } else { "" }));
    let ids = rows(&|user| match owners {
        Owners::One => FIRST_ID.to_string(),
        Owners::Each => (FIRST_ID + user).to_string(),
    });
    Builder::with(programs)
        .example_com()
        .main(
            "virtual_uid_maps = hash:$config_directory/vuid\nvirtual_gid_maps = hash:$config_directory/vuid\n\
             default_process_limit = 100\nmaximal_queue_lifetime = 1d\n",
        )
        .main(main)
        .replace_table("vmailbox", &mailboxes)
        .table("vuid", &ids)
}

/// Up and warm: one message has gone through.
pub(crate) fn start(programs: Programs, owners: Owners, main: &str) -> Suite {
    let suite = up(programs, owners, main);
    let id = suite.send("s@x.example", &[&address(0)], "Subject: warm\n\nx\n");
    suite.wait_log(&[&id, ": removed"]);
    suite
}

/// Up.
pub(crate) fn up(programs: Programs, owners: Owners, main: &str) -> Suite {
    let suite = builder(programs, owners, main).write();
    let mail = suite.root().join("mail");
    // Everybody may make a mailbox here, as in /var/mail.
    std::fs::set_permissions(mail, std::os::unix::fs::PermissionsExt::from_mode(0o1777)).expect("chmod");
    suite.start();
    suite
}

/// Directories of suites that have ended. The file system does not use an inode again that was freed a short while ago,
/// and takes long to find another; so nothing is removed before everything has been measured.
static ATTIC: Mutex<Vec<TempDir>> = Mutex::new(Vec::new());

/// Stops a suite.
pub(crate) fn retire(suite: Suite) {
    ATTIC.lock().expect("the attic").extend(suite.retire());
}

/// Removes what the suites have left.
pub(crate) fn clear_the_attic() {
    ATTIC.lock().expect("the attic").clear();
}
