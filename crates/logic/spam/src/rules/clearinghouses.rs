//! Settings of networks that count messages: Pyzor and DCC.

// Each row of the flat matches below is one assignment.
#![allow(clippy::unit_arg)]

use std::path::PathBuf;

use super::configuration::Configuration;
use super::statement::{Done, Statement};

/// Both networks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Clearinghouses {
    /// Settings of the plugin Pyzor.
    pub pyzor: Pyzor,
    /// Settings of the plugin DCC.
    pub dcc: Dcc,
}

/// Settings of the plugin Pyzor: `pyzor_...`.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct Pyzor {
    /// `use_pyzor`, and the plugin is loaded.
    pub active: bool,
    pub count_min: f64,
    pub welcomelist_min: f64,
    pub welcomelist_factor: f64,
    /// `pyzor_timeout`
    pub timeout_seconds: f64,
    /// Words for the original's client: of interest are those that name files.
    pub options: String,
    /// The original's client. It is never run; that it is named says that Pyzor is wanted.
    pub path: Option<PathBuf>,
    /// Servers, one a line, instead of those of the home folder.
    pub server_file: Option<PathBuf>,
}

impl Default for Pyzor {
    fn default() -> Self {
        Self {
            active: true,
            count_min: 5.0,
            welcomelist_min: 10.0,
            welcomelist_factor: 0.2,
            timeout_seconds: 5.0,
            options: String::new(),
            path: None,
            server_file: None,
        }
    }
}

impl Pyzor {
    /// Do the rule files say that Pyzor is wanted? The usual file of servers may say so as well.
    pub fn is_wished(&self) -> bool {
        !self.options.is_empty() || self.path.is_some() || self.server_file.is_some()
    }
}

/// Settings of the plugin DCC: `dcc_...`.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct Dcc {
    /// `use_dcc`, and the plugin is loaded.
    pub active: bool,
    /// `use_dcc_rep`
    pub reputation: bool,
    pub body_max: f64,
    pub fuz1_max: f64,
    pub fuz2_max: f64,
    pub rep_percent: f64,
    /// `dcc_timeout`
    pub timeout_seconds: f64,
    /// `dcc_home`
    pub home: PathBuf,
    /// `dcc_dccifd_path`; without it the socket is `dccifd` in the home folder.
    pub daemon: Option<DccPlace>,
    /// `dccifd_options`
    pub options: String,
}

impl Default for Dcc {
    fn default() -> Self {
        let many = 999_999.0;
        Self {
            active: true,
            reputation: true,
            body_max: many,
            fuz1_max: many,
            fuz2_max: many,
            rep_percent: 90.0,
            timeout_seconds: 5.0,
            home: PathBuf::from("/var/dcc"),
            daemon: None,
            options: String::new(),
        }
    }
}

/// Where DCC's interface daemon listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DccPlace {
    /// A unix socket.
    Path(PathBuf),
    /// A TCP port of a host.
    Host(String, u16),
}

impl Dcc {
    /// Where the daemon is asked.
    pub fn place(&self) -> DccPlace {
        self.daemon.clone().unwrap_or_else(|| DccPlace::Path(self.home.join("dccifd")))
    }
}

/// Lines about these networks.
pub(super) fn clearinghouses(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    let houses = &mut configuration.settings.clearinghouses;
    pyzor(&mut houses.pyzor, statement).or_else(|| dcc(&mut houses.dcc, statement))
}

fn pyzor(pyzor: &mut Pyzor, statement: &Statement<'_>) -> Option<Done> {
    Some(match statement.key {
        "use_pyzor" => statement.switch().map(|on| pyzor.active = on),
        "pyzor_count_min" | "pyzor_max" => statement.number().map(|number| pyzor.count_min = number),
        "pyzor_welcomelist_min" => statement.number().map(|number| pyzor.welcomelist_min = number),
        "pyzor_welcomelist_factor" => statement.number().map(|number| pyzor.welcomelist_factor = number),
        "pyzor_timeout" => statement.duration().map(|time| pyzor.timeout_seconds = time),
        "pyzor_options" => words(statement, " =,._/-").map(|text| pyzor.options = text),
        "pyzor_path" => statement.required().map(|path| pyzor.path = Some(path.into())),
        "pyzor_server_file" => statement.required().map(|path| pyzor.server_file = Some(path.into())),
        // Ours always asks beside everything else, and runs no program.
        "pyzor_fork" | "pyzor_perl" => statement.switch().map(|_| ()),
        _ => return None,
    })
}

fn dcc(dcc: &mut Dcc, statement: &Statement<'_>) -> Option<Done> {
    Some(match statement.key {
        "use_dcc" => statement.switch().map(|on| dcc.active = on),
        "use_dcc_rep" => statement.switch().map(|on| dcc.reputation = on),
        "dcc_body_max" => statement.number().map(|number| dcc.body_max = number),
        "dcc_fuz1_max" => statement.number().map(|number| dcc.fuz1_max = number),
        "dcc_fuz2_max" => statement.number().map(|number| dcc.fuz2_max = number),
        "dcc_rep_percent" => statement.number().map(|number| dcc.rep_percent = number),
        "dcc_timeout" => statement.duration().map(|time| dcc.timeout_seconds = time),
        "dcc_home" => statement.required().map(|path| dcc.home = path.into()),
        "dcc_dccifd_path" => statement
            .required()
            .and_then(|text| place(text).ok_or_else(|| statement.invalid()))
            .map(|place| dcc.daemon = Some(place)),
        "dccifd_options" => words(statement, " ,._/-").map(|text| dcc.options = text),
        _ => return None,
    })
}

/// Letters, digits and these.
fn words(statement: &Statement<'_>, others: &str) -> Result<String, super::problem::Fault> {
    let text = statement.required()?;
    let good = text.chars().all(|next| next.is_ascii_alphanumeric() || others.contains(next));
    if good { Ok(text.to_owned()) } else { Err(statement.invalid()) }
}

/// `[host]:port`, `host:port`, or a path.
fn place(text: &str) -> Option<DccPlace> {
    let Some((host, port)) = text.rsplit_once(':') else { return Some(DccPlace::Path(text.into())) };
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if bracketed.is_none() && host.contains(':') {
        return Some(DccPlace::Path(text.into()));
    }
    let host = bracketed.unwrap_or(host);
    let port = port.parse().ok().filter(|port| *port > 0)?;
    (!host.is_empty()).then(|| DccPlace::Host(host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Loader, Surroundings};

    #[test]
    fn settings_read() {
        let mut loader = Loader::new(Surroundings::default());
        let text = "use_pyzor 0\npyzor_timeout 2m\npyzor_whitelist_min 3\npyzor_options --homedir /p\npyzor_options a;b\n\
            dcc_home /d\ndcc_fuz1_max 7\ndcc_dccifd_path [::1]:99\ndcc_dccifd_path x:0\ndccifd_options |\nuse_dcc_rep no\n";
        loader.push("/etc/test.cf", text.as_bytes());
        loader.run();
        let (configuration, problems) = loader.finish();
        let lines: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [5, 9, 10], "{problems:?}");
        let Clearinghouses { pyzor, dcc } = configuration.settings.clearinghouses;
        assert!(pyzor.is_wished() && !Pyzor::default().is_wished());
        assert!(!pyzor.active && pyzor.timeout_seconds == 120.0 && pyzor.welcomelist_min == 3.0);
        assert_eq!(pyzor.options, "--homedir /p");
        assert_eq!(dcc.place(), DccPlace::Host("::1".into(), 99));
        assert_eq!(Dcc { daemon: None, ..dcc }.place(), DccPlace::Path("/d/dccifd".into()));
        assert_eq!(place("/run/x"), Some(DccPlace::Path("/run/x".into())));
    }
}
