//! What stands behind the program's name in master.cf: `milter=yes reject_score=15`.

use std::path::PathBuf;

use crate::encryption::Files;

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ServiceArguments {
    /// Mail servers come, not spamc.
    pub(crate) milter: bool,
    /// From this score on mail is refused.
    pub(crate) reject_score: Option<f64>,
    /// Whose preferences count when a message has several recipients.
    pub(crate) default_user: Option<String>,
    /// `--virtual-config-dir`
    pub(crate) virtual_config: Option<String>,
    /// The users of the system have files of their own.
    pub(crate) user_config: bool,
    /// `--sql-config`
    pub(crate) sql: bool,
    /// `--ldap-config`
    pub(crate) ldap: bool,
    /// A recipient's preferences go by its whole address, not by what stands before the `@`.
    pub(crate) whole_address: bool,
    /// `-C`
    pub(crate) rules: Option<PathBuf>,
    /// `--siteconfigpath`
    pub(crate) site: Option<PathBuf>,
    /// `--cf`
    pub(crate) lines: Vec<String>,
    /// DNS is asked.
    pub(crate) network: bool,
    /// `--allow-tell`
    pub(crate) allow_tell: bool,
    /// Clients come by TLS.
    pub(crate) ssl: bool,
    /// With these.
    pub(crate) files: Files,
}

impl ServiceArguments {
    /// Reads the arguments.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut parsed = Self::default();
        for argument in arguments {
            let (name, value) = argument
                .split_once('=')
                .ok_or_else(|| format!("{argument}: write it as name=value (see spamd(8))"))?;
            parsed.set(name.trim(), value.trim())?;
        }
        if parsed.milter && parsed.encryption().is_some() {
            return Err("milter=yes and ssl=yes: no mail server speaks TLS to a milter".to_owned());
        }
        Ok(parsed)
    }

    /// What TLS is made of, if there is any.
    pub(crate) fn encryption(&self) -> Option<Files> {
        (self.ssl || self.files.verifies()).then(|| self.files.clone())
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let switch = || match value {
            "yes" | "1" => Ok(true),
            "no" | "0" => Ok(false),
            _ => Err(format!("{name}={value}: yes or no?")),
        };
        match name {
            "milter" => self.milter = switch()?,
            "network" => self.network = switch()?,
            "allow_tell" => self.allow_tell = switch()?,
            "sql_config" => self.sql = switch()?,
            "ldap_config" => self.ldap = switch()?,
            "whole_address" => self.whole_address = switch()?,
            "ssl" => self.ssl = switch()?,
            "ssl_verify" => self.files.verify = switch()?,
            "ssl_ca_file" => self.files.authorities = Some(value.into()),
            "ssl_ca_path" => self.files.authority_folders = Some(value.into()),
            "server_key" => self.files.key = Some(value.into()),
            "server_cert" => self.files.certificate = Some(value.into()),
            "user_config" => self.user_config = switch()?,
            "reject_score" => {
                let score = value.parse().ok().filter(|score: &f64| score.is_finite());
                self.reject_score = Some(score.ok_or_else(|| format!("{name}={value}: that is no score"))?);
            }
            "default_user" => self.default_user = Some(value.to_owned()),
            "virtual_config_dir" => self.virtual_config = Some(value.to_owned()),
            "configpath" => self.rules = Some(value.into()),
            "siteconfigpath" => self.site = Some(value.into()),
            "cf" => self.lines.push(value.to_owned()),
            _ => return Err(format!("{name}={value}: there is no such argument (see spamd(8))")),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_names_with_values() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let parsed =
            ServiceArguments::parse(&words("milter=yes reject_score=15 virtual_config_dir=/v/%u")).unwrap();
        assert!(parsed.milter && parsed.reject_score == Some(15.0) && parsed.virtual_config.is_some());
        let secured = ServiceArguments::parse(&words("ssl=yes server_key=/k server_cert=/c")).unwrap();
        assert_eq!(secured.encryption().and_then(|files| files.key), Some("/k".into()));
        assert!(ServiceArguments::parse(&words("ssl_ca_file=/c")).unwrap().encryption().is_some());
        assert!(parsed.encryption().is_none());
        for line in ["milter=yes ssl=yes", "milter", "milter=maybe", "reject_score=x", "nonsense=1"] {
            assert!(ServiceArguments::parse(&words(line)).is_err(), "{line}");
        }
    }
}
