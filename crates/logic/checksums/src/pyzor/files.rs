//! The files of a Pyzor home folder: which servers are asked, as whom, and what is never asked about.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{PORT, PUBLIC_SERVER};

/// Seconds that one server has, where nothing else is said.
const SERVER_SECONDS: u64 = 5;
/// Servers that are asked about one message.
const SERVER_LIMIT: usize = 16;

/// A server's name or address, and its port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServerName {
    /// A name or an address.
    pub host: String,
    /// Its UDP port.
    pub port: u16,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The name.
    pub user: String,
    /// The secret, in hexadecimal digits.
    pub key: String,
}

impl Default for Account {
    /// The account that everybody has.
    fn default() -> Self {
        Self { user: "anonymous".to_owned(), key: String::new() }
    }
}

/// The accounts at the servers that have some.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts(HashMap<ServerName, Account>);

impl Accounts {
    /// Reads `accounts`: `host : port : user : salt,key`.
    pub fn parse(text: &str) -> Self {
        let line = |line: &str| {
            let parts: Vec<&str> = line.split(':').map(str::trim).collect();
            let [host, port, user, secret] = parts.as_slice() else { return None };
            let (salt, key) = secret.split_once(',')?;
            let has_secret = !salt.is_empty() || !key.is_empty();
            let is_account = has_secret && !key.contains(',') && !host.starts_with('#');
            let account = Account { user: (*user).to_owned(), key: key.to_owned() };
            let server = ServerName { host: (*host).to_owned(), port: port.parse().ok()? };
            is_account.then_some((server, account))
        };
        Self(text.lines().filter_map(line).collect())
    }

    /// The account at a server.
    pub fn at(&self, server: &ServerName) -> Account {
        self.0.get(server).cloned().unwrap_or_default()
    }
}

/// Reads `servers`: `host:port`. The public server stands in for none.
pub fn servers(text: &str) -> Vec<ServerName> {
    let line = |line: &str| {
        let (host, port) = line.trim().rsplit_once(':')?;
        let named = host.len() > 1
            && !host.starts_with('#')
            && host[1..].bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
        named.then_some(ServerName { host: host.to_owned(), port: port.parse().ok()? })
    };
    let found: Vec<ServerName> = text.lines().filter_map(line).take(SERVER_LIMIT).collect();
    if found.is_empty() { vec![ServerName { host: PUBLIC_SERVER.to_owned(), port: PORT }] } else { found }
}

/// Reads `whitelist`: digests that are never asked about.
pub fn known_digests(text: &str) -> Vec<String> {
    let line = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
    text.lines().map(line).filter(|line| !line.is_empty()).collect()
}

/// Which files count, and how long a server is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeFiles {
    /// Who is asked.
    pub servers: PathBuf,
    /// As whom.
    pub accounts: PathBuf,
    /// Digests that are never asked about.
    pub whitelist: PathBuf,
    /// Seconds that one server has.
    pub timeout_seconds: u64,
}

/// The options of the original's client that say where its files are (`pyzor_options`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// `--homedir`
    pub home: Option<PathBuf>,
    set: HashMap<String, String>,
}

impl Options {
    /// Reads the words of a command line; others than those of files and of the time are passed over.
    pub fn parse(text: &str) -> Self {
        let mut options = Self::default();
        let mut words = text.split_whitespace();
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=').filter(|_| word.starts_with("--")) {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word, None),
            };
            let key = match name {
                "--homedir" => "homedir",
                "--servers-file" => "serversfile",
                "--accounts-file" => "accountsfile",
                "--local-whitelist" => "localwhitelist",
                "-t" | "--timeout" => "timeout",
                _ => continue,
            };
            if let Some(value) = value.or_else(|| words.next().map(str::to_owned)) {
                options.set.insert(key.to_owned(), value);
            }
        }
        options.home = options.set.remove("homedir").map(PathBuf::from);
        options
    }

    /// The files of a home folder, with what the file `config` in it says (section `client`); `user_home` stands for `~`.
    pub fn files(&self, home: &Path, config: &str, user_home: &Path) -> HomeFiles {
        let configured = client_section(config);
        let value = |key: &str, usual: &str| {
            let found = self.set.get(key).or_else(|| configured.get(key));
            found.map_or_else(|| usual.to_owned(), Clone::clone)
        };
        let file = |key: &str, usual: &str| match value(key, usual).strip_prefix("~/") {
            Some(below) => user_home.join(below),
            None => home.join(value(key, usual)),
        };
        HomeFiles {
            servers: file("serversfile", "servers"),
            accounts: file("accountsfile", "accounts"),
            whitelist: file("localwhitelist", "whitelist"),
            timeout_seconds: value("timeout", "").trim().parse().unwrap_or(SERVER_SECONDS),
        }
    }
}

/// `name = value` or `name: value` of the section `[client]`, names in lower case.
fn client_section(text: &str) -> HashMap<String, String> {
    let mut within = false;
    let mut found = HashMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            within = section == "client";
        } else if let Some((name, value)) = line.split_once(['=', ':']).filter(|_| within) {
            found.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_read() {
        let server = |host: &str, port| ServerName { host: host.to_owned(), port };
        assert_eq!(
            servers("# x:1\na.example:24441\nnonsense\n127.0.0.1:5\n"),
            [server("a.example", 24441), server("127.0.0.1", 5)]
        );
        assert_eq!(servers(""), [server(PUBLIC_SERVER, PORT)]);
        let accounts = Accounts::parse("# none\n127.0.0.1 : 5 : joe : 00,ab\nbad\n127.0.0.1:6:x:,\n");
        assert_eq!(accounts.at(&server("127.0.0.1", 5)), Account { user: "joe".into(), key: "ab".into() });
        assert_eq!(accounts.at(&server("127.0.0.1", 6)).user, "anonymous");
        assert_eq!(known_digests("abc # why\n\n#\n"), ["abc"]);
    }

    #[test]
    fn options_win_over_the_file() {
        let options = Options::parse("-d --homedir /p --servers-file=other -t 2");
        assert_eq!(options.home.as_deref(), Some(Path::new("/p")));
        let config = "[client]\nServersFile = ignored\nAccountsFile: ~/mine\nTimeout = 9\n[server]\nLocalWhitelist = x\n";
        let files = options.files(Path::new("/p"), config, Path::new("/home/joe"));
        assert_eq!(files.servers, Path::new("/p/other"));
        assert_eq!(files.accounts, Path::new("/home/joe/mine"));
        assert_eq!(files.whitelist, Path::new("/p/whitelist"));
        assert_eq!(files.timeout_seconds, 2);
    }
}
