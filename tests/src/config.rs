//! The configuration that a test starts from.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::port::Port;
use crate::programs::{Maker, Programs};
use crate::suite::Suite;

/// Uid and gid of mailboxes when the tests run as root.
const MAILBOX_ID: u32 = 5001;

/// What a test adds to the basic configuration. In its main.cf, `$config_directory` is where the tables are,
/// `$test_mail` the directory for mailboxes, `$test_id` the uid and gid they belong to.
#[derive(Debug, Clone)]
pub struct Builder {
    programs: Programs,
    main: String,
    master: String,
    whole_master: Option<String>,
    tables: Vec<(String, String)>,
    aliases: String,
    folders: Vec<String>,
    ports: Vec<Arc<Port>>,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// Local mail for `mx.test.example`, no virtual domains, nothing leaves the machine.
    pub fn new() -> Self {
        Self::with(Programs::under_test())
    }

    /// As [`Builder::new`], with these programs.
    pub fn with(programs: Programs) -> Self {
        let aliases = "mailer-daemon: postmaster
postmaster: root
"
        .to_owned();
        Self {
            programs,
            main: String::new(),
            master: String::new(),
            whole_master: None,
            tables: Vec::new(),
            aliases,
            folders: Vec::new(),
            ports: Vec::new(),
        }
    }

    /// A further port on 127.0.0.1 that is the suite's, for a line of master.cf.
    pub fn reserve_port(&mut self) -> u16 {
        let port = Port::reserve();
        let number = port.number();
        self.ports.push(Arc::new(port));
        number
    }

    /// Virtual mailboxes for `example.com`: every local part, `name/` a Maildir each, but `mbox` a mailbox file.
    pub fn example_com(self) -> Self {
        let users = ["user", "other", "third"].map(|user| format!("{user}@example.com {user}/\n")).concat();
        self.main(
            "virtual_mailbox_domains = example.com\n\
             virtual_mailbox_base = $test_mail\n\
             virtual_mailbox_maps = hash:$config_directory/vmailbox\n\
             virtual_minimum_uid = 1\n\
             virtual_uid_maps = static:$test_id\n\
             virtual_gid_maps = static:$test_id\n",
        )
        .table("vmailbox", &format!("{users}mbox@example.com mbox\n"))
    }

    /// Adds to main.cf, in the place of the basic definition where there is one.
    pub fn main(mut self, text: &str) -> Self {
        let kept = self.main.lines().filter(|line| !defines(text, line)).map(|line| format!("{line}\n"));
        self.main = kept.collect::<String>() + text + "\n";
        self
    }

    /// Appends to master.cf.
    pub fn master(mut self, text: &str) -> Self {
        self.master += text;
        self
    }

    /// A master.cf of the test's own; `@PORT@` in it is the port that tests connect to on 127.0.0.1.
    pub fn master_cf(mut self, text: &str) -> Self {
        self.whole_master = Some(text.to_owned());
        self
    }

    /// A `hash:` table, compiled by the suite's own postmap.
    pub fn table(mut self, name: &str, text: &str) -> Self {
        self.tables.push((name.to_owned(), text.to_owned()));
        self
    }

    /// As [`Builder::table`], in the place of the one that has this name.
    pub fn replace_table(mut self, name: &str, text: &str) -> Self {
        self.tables.retain(|(own, _)| own != name);
        self.table(name, text)
    }

    /// Makes folders below the mail directory, as a mailbox file needs them.
    pub fn folders(mut self, names: &[&str]) -> Self {
        self.folders.extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    /// The alias file.
    pub fn aliases(mut self, text: &str) -> Self {
        self.aliases = text.to_owned();
        self
    }

    /// Writes everything below a new directory and brings the suite up.
    pub fn start(self) -> Suite {
        let suite = self.write();
        suite.start();
        suite
    }

    /// Writes everything below a new directory; [`Suite::start`] brings it up.
    pub fn write(self) -> Suite {
        let directory = tempfile::Builder::new().prefix("suite-").tempdir().expect("a temporary directory");
        let root = directory.path().to_owned();
        let id = mailbox_id();
        for name in ["etc", "queue", "data", "log", "mail", "spool"] {
            fs::create_dir(root.join(name)).unwrap();
            // Workers of other users pass through, whatever the umask of this process is.
            fs::set_permissions(root.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
        let port = Port::reserve();
        let owner = owner();
        own(&root.join("mail"), id);
        for name in &self.folders {
            fs::create_dir(root.join("mail").join(name)).unwrap();
            own(&root.join("mail").join(name), id);
        }
        fs::set_permissions(root.join("spool"), fs::Permissions::from_mode(0o1777)).unwrap();
        if sys::ids::is_root() {
            own(&root.join("data"), owner.id);
        }
        fs::write(root.join("etc/main.cf"), self.main_cf(&root, &owner, id)).unwrap();
        fs::write(root.join("etc/master.cf"), self.master_text(port.number())).unwrap();
        fs::write(root.join("etc/aliases"), &self.aliases).unwrap();
        let suite = Suite::new(self.programs, directory, port, self.ports);
        for (name, text) in &self.tables {
            suite.write_table(name, text);
        }
        suite.run("postalias", &[&format!("hash:{}/aliases", suite.config().display())]);
        suite
    }

    fn master_text(&self, port: u16) -> String {
        let own = self.whole_master.as_ref().map(|text| text.replace("@PORT@", &port.to_string()));
        own.unwrap_or_else(|| master_cf(port)) + &self.master
    }

    fn main_cf(&self, root: &Path, owner: &Owner, id: u32) -> String {
        let (root, programs) = (root.display(), &self.programs);
        let mut text = format!(
            "compatibility_level = 3.7\n\
             queue_directory = {root}/queue\n\
             data_directory = {root}/data\n\
             command_directory = {commands}\n\
             daemon_directory = {daemons}\n\
             mail_owner = {owner}\n\
             setgid_group = {group}\n\
             maillog_file_prefixes = {root}/log\n\
             maillog_file = {root}/log/mail.log\n\
             test_mail = {root}/mail\n\
             test_id = {id}\n\
             myhostname = mx.test.example\n\
             mydomain = test.example\n\
             myorigin = $myhostname\n\
             mydestination = $myhostname, localhost\n\
             mynetworks = 127.0.0.2/32\n\
             inet_interfaces = loopback-only\n\
             inet_protocols = ipv4\n\
             alias_maps = hash:$config_directory/aliases\n\
             alias_database = $alias_maps\n\
             local_recipient_maps = $alias_maps\n\
             mail_spool_directory = {root}/spool\n\
             recipient_delimiter = +\n\
             default_transport = error:5.7.1 no outgoing mail in tests\n\
             relay_transport = $default_transport\n\
             disable_dns_lookups = yes\n\
             smtpd_client_event_limit_exceptions = 127.0.0.0/8\n\
             smtpd_peername_lookup = no\n",
            commands = programs.commands.display(),
            daemons = programs.daemons.display(),
            owner = owner.name,
            group = owner.group,
        );
        if programs.maker == Maker::Peer {
            // Ours makes the table that `hash:` means by itself; the original needs to be told nothing.
            let _ = writeln!(text, "default_database_type = hash");
        }
        text.lines()
            .filter(|line| !defines(&self.main, line))
            .map(|line| format!("{line}\n"))
            .collect::<String>()
            + &self.main
    }
}

/// Does `text` set what this line sets? Neither has continuation lines.
fn defines(text: &str, line: &str) -> bool {
    let name = |line: &str| line.split_once('=').map(|(name, _)| name.trim().to_owned());
    text.lines().any(|own| name(own).is_some() && name(own) == name(line))
}

fn master_cf(port: u16) -> String {
    let mut text = format!("127.0.0.1:{port} inet n - n - - smtpd\n");
    for line in [
        "pickup    unix  n - n 60    1 pickup",
        "cleanup   unix  n - n -     0 cleanup",
        "qmgr      unix  n - n 300   1 qmgr",
        "tlsmgr    unix  - - n 1000? 1 tlsmgr",
        "rewrite   unix  - - n -     - trivial-rewrite",
        "bounce    unix  - - n -     0 bounce",
        "defer     unix  - - n -     0 bounce",
        "trace     unix  - - n -     0 bounce",
        "verify    unix  - - n -     1 verify",
        "flush     unix  n - n 1000? 0 flush",
        "proxymap  unix  - - n -     - proxymap",
        "proxywrite unix - - n -     1 proxymap",
        "smtp      unix  - - n -     - smtp",
        "relay     unix  - - n -     - smtp",
        "lmtp      unix  - - n -     - lmtp",
        "showq     unix  n - n -     - showq",
        "error     unix  - - n -     - error",
        "retry     unix  - - n -     - error",
        "discard   unix  - - n -     - discard",
        "local     unix  - n n -     - local",
        "virtual   unix  - n n -     - virtual",
        "anvil     unix  - - n -     1 anvil",
        "scache    unix  - - n -     1 scache",
        "postlog   unix-dgram n - n - 1 postlogd",
    ] {
        text += line;
        text.push('\n');
    }
    text
}

/// Who owns the queue.
struct Owner {
    name: String,
    group: String,
    id: u32,
}

/// As root the user and group that Postfix's packages make, where they exist; else whoever runs the test.
fn owner() -> Owner {
    if sys::ids::is_root() {
        for (name, group) in [("postfix", "postdrop"), ("mail", "daemon")] {
            if let Some(id) =
                number_of("/etc/passwd", name).filter(|_| number_of("/etc/group", group).is_some())
            {
                return Owner { name: name.to_owned(), group: group.to_owned(), id };
            }
        }
        panic!("no user and group to own the queue");
    }
    let (uid, gid) = (sys::ids::effective_uid(), sys::ids::effective_gid());
    Owner { name: name_of("/etc/passwd", uid), group: name_of("/etc/group", gid), id: uid }
}

/// Uid and gid that mailboxes get.
fn mailbox_id() -> u32 {
    if sys::ids::is_root() { MAILBOX_ID } else { sys::ids::effective_uid() }
}

fn number_of(file: &str, name: &str) -> Option<u32> {
    let text = fs::read_to_string(file).ok()?;
    let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    lines.find(|fields| fields.first() == Some(&name))?.get(2)?.parse().ok()
}

fn name_of(file: &str, id: u32) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let id = id.to_string();
    let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let found = lines.find(|fields| fields.get(2) == Some(&id.as_str())).map(|fields| fields[0].to_owned());
    found.unwrap_or(id)
}

fn own(path: &PathBuf, id: u32) {
    if sys::ids::is_root() {
        std::os::unix::fs::chown(path, Some(id), Some(id)).unwrap();
    }
}
