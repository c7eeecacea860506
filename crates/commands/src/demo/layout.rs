//! The demo's folder: configuration, queue, mailboxes, log.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use sys::{ids, users};

/// The domain of the demo's users.
pub(crate) const DOMAIN: &str = "demo.example";
/// The user with a Maildir.
pub(crate) const MAILDIR_USER: &str = "maria";
/// The user with an mbox.
pub(crate) const MBOX_USER: &str = "boris";
/// By which both read their mail.
pub(crate) const PASSWORD: &str = "demo";
/// Owner of the mailboxes when root runs the demo.
const MAILBOX_UID: u32 = 5000;
/// Users that may own the queue when root runs the demo, the best first.
const MAIL_OWNERS: [&str; 3] = ["postfix", "mail", "nobody"];
/// Groups for the folders of local submission, the best first.
const DROP_GROUPS: [&str; 3] = ["postdrop", "mail", "nogroup"];

/// Where everything is.
#[derive(Debug)]
pub(crate) struct Layout {
    root: PathBuf,
    programs: PathBuf,
}

/// Who owns what.
struct People {
    mail_owner: String,
    drop_group: String,
    mailbox_uid: u32,
    mailbox_gid: u32,
}

impl Layout {
    /// Writes all files below `directory`; mail that is there already stays.
    pub(crate) fn write(directory: &Path, port: u16, pop3_port: u16) -> Result<Self, String> {
        let told = |error: io::Error| format!("{}: {error}", directory.display());
        fs::create_dir_all(directory).map_err(told)?;
        let root = directory.canonicalize().map_err(told)?;
        must_be_reachable(&root)?;
        let this = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
        let programs = this.parent().map(Path::to_path_buf).unwrap_or_default();
        let layout = Self { root, programs };
        let people = People::find()?;
        layout.make_folders(&people).map_err(told)?;
        layout.write_files(&people, (port, pop3_port)).map_err(told)?;
        Ok(layout)
    }

    pub(crate) fn programs(&self) -> PathBuf {
        self.programs.clone()
    }

    pub(crate) fn config_directory(&self) -> PathBuf {
        self.root.join("etc")
    }

    pub(crate) fn queue_directory(&self) -> PathBuf {
        self.root.join("queue")
    }

    pub(crate) fn log_file(&self) -> PathBuf {
        self.root.join("log/mail.log")
    }

    pub(crate) fn maildir(&self) -> PathBuf {
        self.mail().join(MAILDIR_USER)
    }

    pub(crate) fn mbox(&self) -> PathBuf {
        self.mail().join(MBOX_USER)
    }

    /// Where spamd listens.
    pub(crate) fn spam_socket(&self) -> PathBuf {
        self.queue_directory().join("public/spam")
    }

    /// The demo's own few rules: what is installed on this machine does not count.
    fn rules(&self) -> PathBuf {
        self.config_directory().join("spam")
    }

    fn mail(&self) -> PathBuf {
        self.root.join("mail").join(DOMAIN)
    }

    fn make_folders(&self, people: &People) -> io::Result<()> {
        fs::set_permissions(&self.root, fs::Permissions::from_mode(0o755))?;
        for folder in [
            self.config_directory(),
            self.rules(),
            self.root.join("log"),
            self.root.join("mail"),
            self.mail(),
        ] {
            fs::create_dir_all(folder)?;
        }
        if ids::is_root() {
            chown(self.mail(), Some(people.mailbox_uid), Some(people.mailbox_gid))?;
        }
        Ok(())
    }

    fn write_files(&self, people: &People, ports: (u16, u16)) -> io::Result<()> {
        let config = self.config_directory();
        fs::write(config.join("main.cf"), self.main_cf(people))?;
        fs::write(config.join("master.cf"), master_cf(ports, &self.rules()))?;
        fs::write(self.rules().join("rules.cf"), rulefiles::BUILT_IN)?;
        fs::create_dir_all(self.rules().join("site"))?;
        fs::write(self.rules().join("site/local.cf"), "# Your own settings, in SpamAssassin's words.\n")?;
        fs::write(config.join("vmailbox"), vmailbox())?;
        fs::write(config.join("vpassword"), vpassword())?;
        fs::write(config.join("virtual"), format!("postmaster@{DOMAIN}\t{MAILDIR_USER}@{DOMAIN}\n"))?;
        fs::write(config.join("aliases"), "postmaster: root\n")
    }

    fn main_cf(&self, people: &People) -> String {
        let root = self.root.display();
        let programs = self.programs.display();
        let People { mail_owner, drop_group, mailbox_uid, mailbox_gid } = people;
        let minimum = mailbox_uid.min(&100);
        format!(
            "# Written by `pillarbox demo`: a whole mail system in one folder.\n\
             compatibility_level = 3.7\n\
             queue_directory = {root}/queue\n\
             data_directory = {root}/data\n\
             command_directory = {programs}\n\
             daemon_directory = {programs}\n\
             mail_owner = {mail_owner}\n\
             setgid_group = {drop_group}\n\
             maillog_file = {root}/log/mail.log\n\
             maillog_file_prefixes = {root}\n\n\
             myhostname = mx.{DOMAIN}\n\
             mydestination = $myhostname, localhost\n\
             inet_interfaces = 127.0.0.1\n\
             inet_protocols = ipv4\n\
             mynetworks = 127.0.0.0/8\n\
             recipient_delimiter = +\n\
             alias_maps = hash:{root}/etc/aliases\n\
             alias_database = $alias_maps\n\n\
             # The users of {DOMAIN}: a name that ends in / is a Maildir, any other an mbox.\n\
             virtual_mailbox_domains = {DOMAIN}\n\
             virtual_mailbox_base = {root}/mail\n\
             virtual_mailbox_maps = hash:{root}/etc/vmailbox\n\
             virtual_alias_maps = hash:{root}/etc/virtual\n\
             virtual_minimum_uid = {minimum}\n\
             virtual_uid_maps = static:{mailbox_uid}\n\
             virtual_gid_maps = static:{mailbox_gid}\n\
             virtual_password_maps = hash:{root}/etc/vpassword\n\
             login_default_domain = {DOMAIN}\n\n\
             # Nothing leaves this machine.\n\
             default_transport = error:5.7.1 the demo sends no mail to the outside\n\
             relay_transport = error:5.7.1 the demo sends no mail to the outside\n\
             disable_dns_lookups = yes\n\
             smtpd_peername_lookup = no\n"
        )
    }
}

/// As root, the suite runs under other users: every folder on the way must let them through.
fn must_be_reachable(root: &Path) -> Result<(), String> {
    let closed =
        |folder: &&Path| fs::metadata(folder).is_ok_and(|facts| facts.permissions().mode() & 0o001 == 0);
    match root.ancestors().skip(1).find(closed) {
        Some(folder) if ids::is_root() => Err(format!(
            "{} is closed to the users under which the suite runs: choose another place with --dir",
            folder.display()
        )),
        _ => Ok(()),
    }
}

fn vmailbox() -> String {
    format!("{MAILDIR_USER}@{DOMAIN}\t{DOMAIN}/{MAILDIR_USER}/\n{MBOX_USER}@{DOMAIN}\t{DOMAIN}/{MBOX_USER}\n")
}

fn vpassword() -> String {
    [MAILDIR_USER, MBOX_USER].map(|user| format!("{user}@{DOMAIN}\t{{PLAIN}}{PASSWORD}\n")).concat()
}

fn master_cf((port, pop3_port): (u16, u16), rules: &Path) -> String {
    let rules = rules.display();
    format!(
        "# service type  private unpriv  chroot  wakeup  maxproc command\n\
         127.0.0.1:{port} inet n -      n       -       -       smtpd\n\
         127.0.0.1:{pop3_port} inet n -      n       -       -       pop3d\n\
         auth      unix  -       -       n       -       -       authd\n\
         pickup    unix  n       -       n       60      1       pickup\n\
         cleanup   unix  n       -       n       -       0       cleanup\n\
         qmgr      unix  n       -       n       300     1       qmgr\n\
         tlsmgr    unix  -       -       n       1000?   1       tlsmgr\n\
         rewrite   unix  -       -       n       -       -       trivial-rewrite\n\
         bounce    unix  -       -       n       -       0       bounce\n\
         defer     unix  -       -       n       -       0       bounce\n\
         trace     unix  -       -       n       -       0       bounce\n\
         showq     unix  n       -       n       -       -       showq\n\
         flush     unix  n       -       n       1000?   0       flush\n\
         error     unix  -       -       n       -       -       error\n\
         retry     unix  -       -       n       -       -       error\n\
         discard   unix  -       -       n       -       -       discard\n\
         local     unix  -       n       n       -       -       local\n\
         virtual   unix  -       n       n       -       -       virtual\n\
         anvil     unix  -       -       n       -       1       anvil\n\
         spam      unix  n       -       n       -       -       spamd configpath={rules} siteconfigpath={rules}/site\n\
         postlog   unix-dgram n  -       n       -       1       postlogd\n"
    )
}

impl People {
    fn find() -> Result<Self, String> {
        if !ids::is_root() {
            return Self::this_user();
        }
        let mail_owner = MAIL_OWNERS.into_iter().find(|name| matches!(users::user(name), Ok(Some(_))));
        let drop_group = DROP_GROUPS.into_iter().find(|name| matches!(users::group(name), Ok(Some(_))));
        Ok(Self {
            mail_owner: mail_owner.ok_or("no user postfix, mail or nobody to own the queue")?.to_owned(),
            drop_group: drop_group
                .ok_or("no group postdrop, mail or nogroup for local submission")?
                .to_owned(),
            mailbox_uid: MAILBOX_UID,
            mailbox_gid: MAILBOX_UID,
        })
    }

    fn this_user() -> Result<Self, String> {
        let (uid, gid) = (ids::effective_uid(), ids::effective_gid());
        let user = users::user_of_id(uid).ok().flatten();
        Ok(Self {
            mail_owner: user.map_or_else(|| uid.to_string(), |user| user.name),
            drop_group: gid.to_string(),
            mailbox_uid: uid,
            mailbox_gid: gid,
        })
    }
}
