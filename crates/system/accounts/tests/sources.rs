//! The sources of users, on a disk.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use accounts::{Accounts, Mailbox, NoMailbox, Password, Settings};
use passwords::Scheme;
use rewriting::{MailboxOwners, Rewriting};
use sasl::Mechanism;
use tempfile::TempDir;

struct Site {
    folder: TempDir,
    settings: Settings,
    mailbox_maps: String,
}

impl Site {
    fn new(passwords: &str, passwd_file: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            fs::write(folder.path().join(name), text).unwrap();
            folder.path().join(name).display().to_string()
        };
        let owner = |maps: &str| maps.to_owned();
        let settings = Settings {
            password_maps: format!("texthash:{}", file("passwords", passwords)),
            passwd_file: file("users", passwd_file),
            mail_location: "maildir:~/Maildir".into(),
            system_users: false,
            default_scheme: Scheme::Plain,
            default_domain: "example.com".into(),
            base: "/var/mail/vhosts".into(),
            owners: MailboxOwners {
                virtual_uid_maps: owner("static:5000"),
                virtual_gid_maps: owner("static:5001"),
                virtual_minimum_uid: 100,
            },
            spool: "/var/mail".into(),
            home_mailbox: String::new(),
            folder_directory: "mail".into(),
            folders_suffix: ".folders".into(),
            layout: "LAYOUT=fs".into(),
            limit_maps: "inline:{info@example.com=1G}".into(),
            acl_groups_maps: "inline:{info@example.com=staff}".into(),
        };
        let mailbox_maps = format!("texthash:{}", file("mailboxes", "info@example.com example.com/info/\n"));
        Self { folder, settings, mailbox_maps }
    }

    fn accounts(&self) -> Accounts {
        let settings =
            rewriting::Settings { virtual_mailbox_maps: self.mailbox_maps.clone(), ..Default::default() };
        Accounts::open(self.settings.clone(), Rewriting::new(settings))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn mailbox(uid: u32, gid: u32, base: &str, path: &str) -> Mailbox {
    let (base, path, options) = (base.into(), path.into(), String::new());
    Mailbox { uid, gid, base, path, folders: None, options, quota: None, acl_groups: None }
}

/// What the tables give `info@example.com`.
fn virtual_info() -> Mailbox {
    let (options, quota, acl_groups) = ("LAYOUT=fs".into(), Some("1G".into()), Some("staff".into()));
    Mailbox { options, quota, acl_groups, ..mailbox(5000, 5001, "/var/mail/vhosts", "example.com/info/") }
}

#[test]
fn folders_of_an_mbox_lie_where_dovecot_is_told_to_look() {
    let users = "two@example.com:pw:6000:6001::/home/two::userdb_mail=mbox:~/mail:INBOX=/var/spool/%n \
                 userdb_quota_rule=*:storage=5M userdb_acl_groups=crew\n\
                 one@example.com:pw:6000:6001::/home/one::userdb_mail=mbox:~/mail\n";
    let mut site = Site::new("", users);
    site.mailbox_maps = "inline:{file@example.com=example.com/file}".into();
    let accounts = site.accounts();
    let of = |login: &str| accounts.mailbox_of(login).unwrap();
    let two = Mailbox {
        folders: Some("/home/two/mail".into()),
        quota: Some("*:storage=5M".into()),
        acl_groups: Some("crew".into()),
        ..mailbox(6000, 6001, "/var/spool", "two")
    };
    assert_eq!(of("two"), two);
    let one = mailbox(6000, 6001, "/home/one", "mail/inbox");
    assert_eq!(of("one"), Mailbox { folders: Some("/home/one/mail".into()), ..one });
    let file = mailbox(5000, 5001, "/var/mail/vhosts", "example.com/file");
    let folders = Some("/var/mail/vhosts/example.com/file.folders".into());
    assert_eq!(of("file"), Mailbox { folders, ..file });
}

#[test]
fn a_login_of_the_tables_has_its_virtual_mailbox() {
    let site = Site::new("info@example.com {PLAIN}secret\n", "");
    let accounts = site.accounts();
    for login in ["info", "INFO@example.com", " info@Example.COM"] {
        let account = accounts.find(login).unwrap().unwrap();
        assert_eq!(account.user, "info@example.com");
        assert!(account.password == Password::Stored("{PLAIN}secret".into()));
        assert_eq!(accounts.mailbox(&account), Ok(virtual_info()));
    }
    for login in ["", "nobody", "@example.com", "in fo\n", "a/b", "info@other.example", "info+x@example.com"]
    {
        assert_eq!(accounts.find(login), Ok(None), "{login:?}");
    }
}

#[test]
fn a_password_file_says_where_the_mail_is() {
    let users = "plain:pw:6000:6001::/home/plain::\n\
                 else@example.com:pw:6000:6001::/home/else::userdb_mail=mbox:/srv/mail/%n\n\
                 info@example.com:pw\nroot:pw:0:0::/root::\nlost:pw:6000:6001:::\n";
    let site = Site::new("", users);
    let accounts = site.accounts();
    let of = |login: &str| accounts.mailbox(&accounts.find(login).unwrap().unwrap());
    assert_eq!(of("plain@example.com"), Ok(mailbox(6000, 6001, "/home/plain", "Maildir/")));
    let other = mailbox(6000, 6001, "/srv/mail/else", "inbox");
    assert_eq!(of("else"), Ok(Mailbox { folders: Some("/srv/mail/else".into()), ..other }));
    assert_eq!(of("info"), Ok(virtual_info()));
    for login in ["root", "lost"] {
        assert!(matches!(of(login), Err(NoMailbox::Misconfigured(_))), "{login}");
    }
}

#[test]
fn a_password_file_that_changes_is_read_again() {
    let site = Site::new("", "u:old:1:1\n");
    let accounts = site.accounts();
    let password = || accounts.find("u").unwrap().map(|account| account.password);
    assert!(password() == Some(Password::Stored("old".into())));
    fs::write(site.path("users"), "u:newer:1:1\nv::1:1::/h::nopassword\nw::1:1\n").unwrap();
    assert!(password() == Some(Password::Stored("newer".into())));
    assert!(accounts.find("v").unwrap().unwrap().password == Password::Any);
    assert!(accounts.find("w").unwrap().unwrap().password == Password::Nothing);
    fs::remove_file(site.path("users")).unwrap();
    assert!(accounts.find("u").is_err(), "a file that can not be read is not an unknown user");
}

#[test]
fn mechanisms_are_those_that_every_stored_password_allows() {
    let usable = |passwords: &str, users: &str| Site::new(passwords, users).accounts().usable_mechanisms();
    assert!(usable("a@x {PLAIN}p\n", "").contains(&Mechanism::Apop));
    let cram = usable("a@x {PLAIN}p\n", &format!("b:{{CRAM-MD5}}{}\n", "0".repeat(64)));
    assert!(cram.contains(&Mechanism::CramMd5) && !cram.contains(&Mechanism::ScramSha1));
    let hashed = usable("a@x {PLAIN}p\nb@x {SHA}4NPDM/3N1xhO4z/lGdXdb9NzViA=\n", "");
    assert_eq!(hashed, [Mechanism::Plain, Mechanism::Login]);
    assert_eq!(usable("", ""), [Mechanism::Plain, Mechanism::Login]);
}

#[test]
fn a_user_without_a_password_has_a_mailbox_all_the_same() {
    let site = Site::new("", "");
    let accounts = site.accounts();
    assert_eq!(accounts.mailbox_of("info").map(|found| found.path), Ok("example.com/info/".into()));
    assert_eq!(accounts.mailbox_of("nobody"), Err(NoMailbox::Unknown("nobody@example.com".into())));
    assert!(!Path::new("/var/mail/vhosts/example.com/info").exists(), "nothing is made by asking");
}
