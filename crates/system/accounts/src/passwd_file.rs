//! Password files in Dovecot's form.

use std::path::Path;

use crate::Unavailable;
use crate::file::LineFile;

/// One line: `user:password:uid:gid:gecos:home:shell:extra fields`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// Stored password; empty for none.
    pub password: String,
    /// User id as it stands there.
    pub uid: String,
    /// Group id as it stands there.
    pub gid: String,
    /// Home folder.
    pub home: String,
    /// What stands after it.
    pub extra: Extra,
}

/// The extra fields that are understood; others are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extra {
    /// `userdb_mail=` or `mail=`: a mail location.
    pub mail: Option<String>,
    /// `allow_nets=`
    pub allow_nets: Option<String>,
    /// `userdb_quota_rule=*:storage=1G`
    pub quota: Option<String>,
    /// `userdb_acl_groups=staff,crew`
    pub acl_groups: Option<String>,
    /// `nopassword`
    pub nopassword: bool,
    /// `nologin`
    pub nologin: bool,
}

/// The file.
pub(crate) struct PasswdFile(LineFile<Entry>);

impl PasswdFile {
    pub(crate) fn open(path: &str) -> Self {
        Self(LineFile::open(Path::new(path), Entry::parse))
    }

    pub(crate) fn find(&self, user: &str) -> Result<Option<Entry>, Unavailable> {
        Ok(self.0.entries()?.get(user).cloned())
    }

    pub(crate) fn is_out_of_date(&self) -> bool {
        self.0.is_out_of_date()
    }

    /// The stored passwords of all.
    pub(crate) fn passwords(&self) -> Vec<String> {
        self.0
            .entries()
            .map_or_else(|_| Vec::new(), |all| all.values().map(|it| it.password.clone()).collect())
    }
}

impl Entry {
    /// Reads a line; none for a comment, or one without a password field.
    pub fn parse(line: &str) -> Option<(String, Self)> {
        let line = line.trim_end_matches('\r');
        if line.starts_with('#') {
            return None;
        }
        let mut fields = line.splitn(8, ':');
        let user = fields.next()?.to_lowercase();
        let password = scheme_of_suffix(fields.next()?);
        let mut next = || fields.next().unwrap_or_default().to_owned();
        let (uid, gid, _gecos, home, _shell) = (next(), next(), next(), next(), next());
        let extra = Extra::parse(&next());
        (!user.is_empty()).then_some((user, Self { password, uid, gid, home, extra }))
    }
}

/// An old form names the scheme by the length of the hash: `hash[34]`.
fn scheme_of_suffix(password: &str) -> String {
    let schemes = [("[13]", "CRYPT"), ("[34]", "PLAIN-MD5"), ("[56]", "DIGEST-MD5")];
    let found = schemes.iter().find_map(|(suffix, scheme)| Some((password.strip_suffix(suffix)?, scheme)));
    found.map_or_else(|| password.to_owned(), |(hash, scheme)| format!("{{{scheme}}}{hash}"))
}

impl Extra {
    /// With an empty eighth field, the ninth is a mail location, as it was once.
    fn parse(text: &str) -> Self {
        let mut extra = Self::default();
        if let Some(mail) = text.strip_prefix(':') {
            extra.mail = Some(mail.to_owned()).filter(|mail| !mail.is_empty());
            return extra;
        }
        for field in text.split(' ') {
            match field.split_once('=') {
                Some(("userdb_mail" | "mail", mail)) => extra.mail = Some(mail.to_owned()),
                Some(("userdb_quota_rule" | "quota_rule", rule)) => extra.quota = Some(rule.to_owned()),
                Some(("userdb_acl_groups" | "acl_groups", groups)) => {
                    extra.acl_groups = Some(groups.to_owned())
                }
                Some(("allow_nets", networks)) => extra.allow_nets = Some(networks.to_owned()),
                None if field == "nopassword" => extra.nopassword = true,
                None if field == "nologin" => extra.nologin = true,
                _ => {}
            }
        }
        extra
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_dovecot_are_read() {
        let line = "Info@Example.com:{SHA512-CRYPT}$6$x$y:5000:5001::/home/info::userdb_mail=maildir:~/Mail \
                    allow_nets=192.0.2.0/24,::1 userdb_quota_rule=*:storage=1G \
                    userdb_acl_groups=staff,crew";
        let (user, entry) = Entry::parse(line).unwrap();
        assert_eq!(user, "info@example.com");
        assert_eq!(
            (entry.uid.as_str(), entry.gid.as_str(), entry.home.as_str()),
            ("5000", "5001", "/home/info")
        );
        assert_eq!(entry.extra.mail.as_deref(), Some("maildir:~/Mail"));
        assert_eq!(entry.extra.allow_nets.as_deref(), Some("192.0.2.0/24,::1"));
        assert_eq!(entry.extra.quota.as_deref(), Some("*:storage=1G"));
        assert_eq!(entry.extra.acl_groups.as_deref(), Some("staff,crew"));
        assert_eq!(entry.password, "{SHA512-CRYPT}$6$x$y");
    }

    #[test]
    fn short_old_and_empty_lines_are_read_too() {
        assert_eq!(Entry::parse("# u:x"), None);
        assert_eq!(Entry::parse("u"), None);
        assert_eq!(Entry::parse(":x:1:1"), None);
        let (_, short) = Entry::parse("u:{PLAIN}pw").unwrap();
        assert_eq!(short, Entry { password: "{PLAIN}pw".into(), ..Entry::default() });
        let (_, old) = Entry::parse("u:e6a0d5dd[34]:1:2::/h:::mbox:~/mail").unwrap();
        assert_eq!(
            (old.password.as_str(), old.extra.mail.as_deref()),
            ("{PLAIN-MD5}e6a0d5dd", Some("mbox:~/mail"))
        );
        let (_, open) = Entry::parse("u::1:2::/h::nopassword nologin").unwrap();
        assert!(open.extra.nopassword && open.extra.nologin);
    }
}
