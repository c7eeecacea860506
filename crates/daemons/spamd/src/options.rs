//! The command line, as SpamAssassin's spamd takes it.

use std::path::PathBuf;

use crate::encryption::Files;

/// What was asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options {
    pub(crate) background: bool,
    /// No files of users (`-x`).
    pub(crate) no_user_config: bool,
    /// No network tests (`-L`).
    pub(crate) local: bool,
    pub(crate) allow_tell: bool,
    pub(crate) listen: Vec<String>,
    pub(crate) port: u16,
    pub(crate) socket_path: Option<PathBuf>,
    pub(crate) allowed: Vec<String>,
    pub(crate) user: Option<String>,
    pub(crate) pid_file: Option<PathBuf>,
    pub(crate) log: Option<String>,
    pub(crate) rules: Option<PathBuf>,
    pub(crate) site: Option<PathBuf>,
    pub(crate) lines: Vec<String>,
    pub(crate) virtual_config: Option<String>,
    /// Preferences from databases and directories.
    pub(crate) remote: Remotes,
    pub(crate) threads: Option<usize>,
    pub(crate) timeout_tcp: u64,
    pub(crate) timeout_child: u64,
    pub(crate) version: bool,
    /// Options that do nothing here.
    pub(crate) inert: Vec<String>,
    pub(crate) help: bool,
    pub(crate) family: Family,
    pub(crate) socket_owner: Option<String>,
    pub(crate) socket_group: Option<String>,
    pub(crate) socket_mode: Option<u32>,
    /// Mail servers come, not spamc: an option of ours.
    pub(crate) milter: bool,
    pub(crate) reject_score: Option<f64>,
    /// A recipient's preferences go by its whole address: an option of ours.
    pub(crate) whole_address: bool,
    /// Clients come by TLS.
    pub(crate) ssl: bool,
    pub(crate) ssl_port: Option<u16>,
    pub(crate) files: Files,
}

/// Where preferences are beside files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Remotes {
    /// `-q`
    pub(crate) sql: bool,
    /// `--ldap-config`
    pub(crate) ldap: bool,
    /// `-Q`: for users of this system.
    pub(crate) accounts_sql: bool,
    /// `--setuid-with-ldap`
    pub(crate) accounts_ldap: bool,
}

/// Which addresses are listened on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Any,
    V4,
    V6,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            background: false,
            no_user_config: false,
            local: false,
            allow_tell: false,
            listen: Vec::new(),
            port: 783,
            socket_path: None,
            allowed: Vec::new(),
            user: None,
            pid_file: None,
            log: None,
            rules: None,
            site: None,
            lines: Vec::new(),
            virtual_config: None,
            remote: Remotes::default(),
            threads: None,
            timeout_tcp: 30,
            timeout_child: 300,
            version: false,
            inert: Vec::new(),
            help: false,
            family: Family::Any,
            socket_owner: None,
            socket_group: None,
            socket_mode: None,
            milter: false,
            reject_score: None,
            whole_address: false,
            ssl: false,
            ssl_port: None,
            files: Files::default(),
        }
    }
}

/// Does an option take a value?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
    /// A value, or none.
    Perhaps,
}
use Takes::{Nothing, Perhaps, Value};

/// All options: letter (a blank where there is none), name, whether they take a value.
const ALL: [(char, &str, Takes); 64] = [
    ('4', "ipv4", Nothing),
    ('6', "ipv6", Nothing),
    ('A', "allowed-ips", Value),
    ('C', "configpath", Value),
    ('D', "debug", Perhaps),
    ('H', "helper-home-dir", Perhaps),
    ('L', "local", Nothing),
    ('P', "paranoid", Nothing),
    ('Q', "setuid-with-sql", Nothing),
    ('T', "timeout-tcp", Value),
    ('U', "default-user", Value),
    ('V', "version", Nothing),
    ('a', "auto-whitelist", Nothing),
    ('c', "create-prefs", Nothing),
    ('d', "daemonize", Nothing),
    ('g', "groupname", Value),
    ('h', "help", Nothing),
    ('i', "listen", Perhaps),
    ('l', "allow-tell", Nothing),
    ('m', "max-children", Value),
    ('p', "port", Value),
    ('q', "sql-config", Nothing),
    ('r', "pidfile", Value),
    ('s', "syslog", Value),
    ('t', "timeout-child", Value),
    ('u', "username", Value),
    ('v', "vpopmail", Nothing),
    ('x', "nouser-config", Nothing),
    (' ', "cf", Value),
    (' ', "ident-timeout", Value),
    (' ', "ip-address", Perhaps),
    (' ', "ipv4-only", Nothing),
    (' ', "ipv4only", Nothing),
    (' ', "ldap-config", Nothing),
    (' ', "listen-ip", Perhaps),
    (' ', "local-tests-only", Nothing),
    (' ', "log-timestamp-fmt", Value),
    (' ', "max-conn-per-child", Value),
    (' ', "max-spare", Value),
    (' ', "milter", Nothing),
    (' ', "min-children", Value),
    (' ', "min-spare", Value),
    (' ', "pre", Value),
    (' ', "reject-score", Value),
    (' ', "round-robin", Nothing),
    (' ', "server-cert", Value),
    (' ', "server-key", Value),
    (' ', "setuid-with-ldap", Nothing),
    (' ', "siteconfigpath", Value),
    (' ', "socketgroup", Value),
    (' ', "socketmode", Value),
    (' ', "socketowner", Value),
    (' ', "socketpath", Value),
    (' ', "ssl", Nothing),
    (' ', "ssl-ca-file", Value),
    (' ', "ssl-ca-path", Value),
    (' ', "ssl-port", Value),
    (' ', "ssl-verify", Nothing),
    ('S', "stop-at-threshold", Nothing),
    (' ', "syslog-socket", Value),
    (' ', "timing", Nothing),
    (' ', "user-config", Nothing),
    (' ', "virtual-config-dir", Value),
    (' ', "whole-address", Nothing),
];

type Rest<'a> = std::iter::Peekable<std::slice::Iter<'a, String>>;

impl Options {
    /// Reads the arguments behind the program's name.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut rest = arguments.iter().peekable();
        while let Some(argument) = rest.next() {
            if let Some(long) = argument.strip_prefix("--") {
                let (name, value) =
                    long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
                let Some((name, takes)) = long_option(name) else {
                    options.negated(name)?;
                    continue;
                };
                let value = value.map(str::to_owned).or_else(|| next_value(takes, &mut rest));
                options.set(name, value)?;
            } else if let Some(letters) = argument.strip_prefix('-').filter(|letters| !letters.is_empty()) {
                options.letters(letters, &mut rest)?;
            } else {
                return Err(format!("unknown argument: {argument}"));
            }
        }
        Ok(options)
    }

    /// Is each TCP socket behind TLS?
    pub(crate) fn secures_all(&self) -> bool {
        self.ssl || self.ssl_port.is_some() || self.files.verifies()
    }

    /// `--nodaemonize`, `--no-create-prefs`
    fn negated(&mut self, name: &str) -> Result<(), String> {
        let plain = name.strip_prefix("no").map(|rest| rest.strip_prefix('-').unwrap_or(rest));
        match plain.and_then(long_option) {
            Some(("daemonize", _)) => self.background = false,
            Some(("sql-config", _)) => self.remote.sql = false,
            Some(("ldap-config", _)) => self.remote.ldap = false,
            Some((_, Nothing)) => {}
            _ => return Err(format!("unknown option: --{name}")),
        }
        Ok(())
    }

    fn letters(&mut self, letters: &str, rest: &mut Rest<'_>) -> Result<(), String> {
        for (at, letter) in letters.char_indices() {
            let known = ALL.iter().find(|(known, _, _)| *known == letter && letter != ' ');
            let (_, name, takes) = known.ok_or_else(|| format!("unknown option: -{letter}"))?;
            if *takes == Nothing {
                self.set(name, None)?;
                continue;
            }
            let behind = letters[at + letter.len_utf8()..].trim_start_matches('=');
            let value = if behind.is_empty() { next_value(*takes, rest) } else { Some(behind.to_owned()) };
            return self.set(name, value);
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: Option<String>) -> Result<(), String> {
        let given = value.clone();
        let text = || given.clone().ok_or_else(|| format!("option --{name} needs a value"));
        let number = || text()?.parse::<u64>().map_err(|_| format!("option --{name} needs a number"));
        match name {
            "daemonize" => self.background = true,
            "nouser-config" => self.no_user_config = true,
            "local" | "local-tests-only" => self.local = true,
            "allow-tell" => self.allow_tell = true,
            "version" => self.version = true,
            "help" => self.help = true,
            "milter" => self.milter = true,
            "reject-score" => {
                let score = text()?.parse().ok().filter(|score: &f64| score.is_finite());
                self.reject_score =
                    Some(score.ok_or_else(|| "option --reject-score needs a number".to_owned())?);
            }
            "ipv4" | "ipv4-only" | "ipv4only" => self.family = Family::V4,
            "ipv6" => self.family = Family::V6,
            "socketowner" => self.socket_owner = Some(text()?),
            "socketgroup" => self.socket_group = Some(text()?),
            "socketmode" => {
                let mode = u32::from_str_radix(&text()?, 8);
                self.socket_mode =
                    Some(mode.map_err(|_| "option --socketmode needs an octal number".to_owned())?);
            }
            "listen" | "ip-address" | "listen-ip" => self.listen.push(value.unwrap_or_default()),
            "port" => {
                self.port = u16::try_from(number()?).map_err(|_| "a port is at most 65535".to_owned())?
            }
            "socketpath" => self.socket_path = Some(text()?.into()),
            "allowed-ips" => self.allowed.extend(text()?.split(',').map(|part| part.trim().to_owned())),
            "username" => self.user = Some(text()?),
            "pidfile" => self.pid_file = Some(text()?.into()),
            "syslog" => self.log = Some(text()?),
            "configpath" => self.rules = Some(text()?.into()),
            "siteconfigpath" => self.site = Some(text()?.into()),
            "cf" | "pre" => self.lines.push(text()?),
            "ssl" => self.ssl = true,
            "ssl-port" => {
                let port = u16::try_from(number()?).map_err(|_| "a port is at most 65535".to_owned())?;
                self.ssl_port = Some(port);
            }
            "ssl-verify" => self.files.verify = true,
            "ssl-ca-file" => self.files.authorities = Some(text()?.into()),
            "ssl-ca-path" => self.files.authority_folders = Some(text()?.into()),
            "server-key" => self.files.key = Some(text()?.into()),
            "server-cert" => self.files.certificate = Some(text()?.into()),
            "sql-config" => self.remote.sql = true,
            "ldap-config" => self.remote.ldap = true,
            "setuid-with-sql" => self.remote.accounts_sql = true,
            "setuid-with-ldap" => self.remote.accounts_ldap = true,
            "whole-address" => self.whole_address = true,
            "virtual-config-dir" => self.virtual_config = Some(text()?),
            "max-children" => self.threads = Some(usize::try_from(number()?).unwrap_or(1).clamp(1, 64)),
            "timeout-tcp" => self.timeout_tcp = number()?,
            "timeout-child" => self.timeout_child = number()?,
            // Without children there is nothing to keep in number.
            "auto-whitelist" | "paranoid" | "round-robin" | "user-config" | "timing" | "default-user"
            | "min-children" | "min-spare" | "max-spare" | "max-conn-per-child" => {}
            inert => self.inert.push(format!("--{inert}")),
        }
        Ok(())
    }
}

/// An option by its name, or by the beginning of no other.
fn long_option(name: &str) -> Option<(&'static str, Takes)> {
    let exact = ALL.iter().find(|(_, known, _)| *known == name);
    let mut longer = ALL.iter().filter(|(_, known, _)| !name.is_empty() && known.starts_with(name));
    let only = longer.next().filter(|_| longer.next().is_none());
    exact.or(only).map(|(_, name, takes)| (*name, *takes))
}

fn next_value(takes: Takes, rest: &mut Rest<'_>) -> Option<String> {
    match takes {
        Nothing => None,
        Value => rest.next().cloned(),
        Perhaps => rest.next_if(|next| !next.starts_with('-')).cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
        Options::parse(&arguments)
    }

    #[test]
    fn options_of_units_and_wrappers() {
        let line = "-d -r /run/spamd.pid -u debian-spamd -x -p 1783 -i 127.0.0.1 -A 127.0.0.1,10.0.0.0/8 -s stderr -Ll";
        let options = parse(line).unwrap();
        assert!(options.background && options.no_user_config && options.allow_tell);
        assert_eq!((options.port, options.listen.len(), options.allowed.len()), (1783, 1, 2));
        let options =
            parse("--pidfile=/run/x --max-children 5 --helper-home-dir --socketpath=/run/s -Lx").unwrap();
        assert_eq!((options.threads, options.socket_path.is_some()), (Some(5), true));
        let options = parse("-d --nodaemonize --socketmode 600 --virtual=/x/%u -4 -t 5 -i -p 1").unwrap();
        assert!(!options.background && options.family == Family::V4 && options.listen == [""]);
        assert_eq!((options.socket_mode, options.timeout_child, options.port), (Some(0o600), 5, 1));
        assert!(options.virtual_config.is_some());
        let options = parse("--ssl-ca-file=/ca --server-key /k --server-cert=/c --ssl-port 7").unwrap();
        assert!(options.secures_all() && options.files.verifies() && options.ssl_port == Some(7));
        assert!(!parse("--server-key /k").unwrap().secures_all() && parse("--ssl").unwrap().secures_all());
        assert!(parse("--nonsense").is_err() && parse("-Z").is_err() && parse("-p x").is_err());
    }
}
