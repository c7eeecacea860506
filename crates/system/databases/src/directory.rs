//! LDAP directories, asked by a URL (RFC 4516): `ldap://host:port/base?attribute?scope?filter`.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use ldap3::{LdapConn, LdapConnSettings, LdapError, ResultEntry, Scope, SearchOptions};

use crate::connection::Limits;
use crate::rest::Rest;
use crate::trouble::Trouble;

/// RFC 4511 §4.1.9: the directory has no such entry.
const NO_SUCH_OBJECT: u32 = 32;

/// What is wrong with a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// It is none of a directory.
    #[error("{0}: no URL of a directory: write ldap://host:port/base?attribute?scope?filter")]
    Form(String),
    /// RFC 4516 §2 knows three scopes.
    #[error("{0}: the scope is base, one or sub")]
    Scope(String),
}

/// A question to a directory. Each time it is asked somebody connects, and goes.
pub struct Directory {
    /// `ldap://host:port`
    server: String,
    base: String,
    attribute: String,
    scope: Scope,
    filter: String,
    bind_name: String,
    bind_password: String,
    limits: Limits,
    rest: Mutex<Rest>,
}

impl Directory {
    /// Reads a URL. With an empty `bind_name` and `bind_password` nobody in particular asks.
    ///
    /// # Errors
    /// [`DirectoryError`]
    pub fn parse(
        url: &str,
        bind_name: &str,
        bind_password: &str,
        limits: Limits,
    ) -> Result<Self, DirectoryError> {
        let form = || DirectoryError::Form(url.to_owned());
        let (scheme, rest) = url.split_once("://").ok_or_else(form)?;
        let scheme = scheme.to_ascii_lowercase();
        if !matches!(scheme.as_str(), "ldap" | "ldaps" | "ldapi") {
            return Err(form());
        }
        let (place, question) = rest.split_once('/').unwrap_or((rest, ""));
        let mut parts = question.split('?');
        let mut part = |default: &str| match parts.next().map(unescaped) {
            Some(text) if !text.is_empty() => text,
            _ => default.to_owned(),
        };
        let (base, attributes) = (part(""), part(""));
        let scope = match part("base").to_ascii_lowercase().as_str() {
            "base" => Scope::Base,
            "one" => Scope::OneLevel,
            "sub" => Scope::Subtree,
            other => return Err(DirectoryError::Scope(other.to_owned())),
        };
        Ok(Self {
            server: format!("{scheme}://{}", if place.is_empty() { "localhost" } else { place }),
            base,
            attribute: attributes.split(',').next().unwrap_or_default().to_owned(),
            scope,
            filter: part("(objectClass=*)"),
            bind_name: bind_name.to_owned(),
            bind_password: bind_password.to_owned(),
            limits,
            rest: Mutex::default(),
        })
    }

    /// The values of the first attribute that was asked for, of all entries that are found, with `word` standing for `mark` in
    /// the filter. What `word` holds is no filter (RFC 4515 §3).
    ///
    /// # Errors
    /// [`Trouble`]; at once while a server that could not be reached is left alone.
    pub fn values(&self, mark: &str, word: &str) -> Result<Vec<Vec<u8>>, Trouble> {
        let rest = || self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        rest().is_over(Instant::now())?;
        let connected = self.connect();
        rest().note(&connected, Instant::now());
        let mut connection = connected?;
        let filter = self.filter.replace(mark, &ldap3::ldap_escape(word));
        let found = self.search(&mut connection, &filter);
        // It goes anyway.
        let _ = connection.unbind();
        found
    }

    fn connect(&self) -> Result<LdapConn, Trouble> {
        let settings = LdapConnSettings::new().set_conn_timeout(self.limits.connect);
        let opened = LdapConn::with_settings(settings, &self.server);
        let mut connection = opened.map_err(|error| match error {
            LdapError::Timeout { .. } => {
                Trouble::Late { name: self.server.clone(), limit: self.limits.connect }
            }
            _ => Trouble::Connect { name: self.server.clone(), problem: error.to_string() },
        })?;
        connection.with_timeout(self.limits.answer);
        let bound = connection
            .simple_bind(&self.bind_name, &self.bind_password)
            .map_err(|error| self.trouble(&error))?;
        if bound.rc != 0 {
            return Err(self.refused(bound.rc, &bound.text));
        }
        Ok(connection)
    }

    fn search(&self, connection: &mut LdapConn, filter: &str) -> Result<Vec<Vec<u8>>, Trouble> {
        let options = SearchOptions::new().sizelimit(i32::try_from(self.limits.rows).unwrap_or(i32::MAX));
        connection.with_search_options(options).with_timeout(self.limits.answer);
        let attributes = [self.attribute.as_str()];
        let answer = connection
            .search(&self.base, self.scope, filter, attributes)
            .map_err(|error| self.trouble(&error))?;
        let (entries, outcome) = (answer.0, answer.1);
        if !matches!(outcome.rc, 0 | NO_SUCH_OBJECT) {
            return Err(self.refused(outcome.rc, &outcome.text));
        }
        Ok(entries.into_iter().filter_map(|entry| values_of(entry, &self.attribute)).flatten().collect())
    }

    fn refused(&self, code: u32, text: &str) -> Trouble {
        let problem = if text.is_empty() {
            format!("result code {code}")
        } else {
            format!("{text} (result code {code})")
        };
        Trouble::Refused { name: self.server.clone(), problem, state: None }
    }

    fn trouble(&self, error: &LdapError) -> Trouble {
        let name = self.server.clone();
        match error {
            LdapError::Timeout { .. } => Trouble::Late { name, limit: self.limits.answer },
            LdapError::FilterParsing => Trouble::Refused {
                name,
                problem: format!("{}: no filter (RFC 4515)", self.filter),
                state: None,
            },
            _ => Trouble::Lost { name, problem: error.to_string() },
        }
    }
}

/// RFC 4511 §4.5.2: an entry is its name and its attributes, each a name with values. `None` when it is made otherwise, or has
/// no such attribute.
fn values_of(entry: ResultEntry, attribute: &str) -> Option<Vec<Vec<u8>>> {
    let attributes = entry.0.match_id(4)?.expect_constructed()?.into_iter().nth(1)?.expect_constructed()?;
    attributes.into_iter().find_map(|one| {
        let mut parts = one.expect_constructed()?.into_iter();
        let name = parts.next()?.expect_primitive()?;
        if !name.eq_ignore_ascii_case(attribute.as_bytes()) {
            return None;
        }
        parts.next()?.expect_constructed()?.into_iter().map(|value| value.expect_primitive()).collect()
    })
}

/// `%2F` is `/` (RFC 3986 §2.1).
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..2).filter(|_| *first == b'%').and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Directory, DirectoryError> {
        Directory::parse(url, "", "", Limits::default())
    }

    #[test]
    fn parts_of_a_url() {
        let found = parse("ldap://localhost:389/dc=koehntopp,dc=de?saconfig?sub?uid=__USERNAME__").unwrap();
        assert_eq!(
            (found.server.as_str(), found.base.as_str()),
            ("ldap://localhost:389", "dc=koehntopp,dc=de")
        );
        assert_eq!((found.attribute.as_str(), found.scope), ("saconfig", Scope::Subtree));
        assert_eq!(found.filter, "uid=__USERNAME__");
        let found = parse("ldap:///o=a%20b?x,y").unwrap();
        assert_eq!((found.server.as_str(), found.base.as_str()), ("ldap://localhost", "o=a b"));
        assert_eq!((found.attribute.as_str(), found.scope), ("x", Scope::Base));
        assert_eq!(found.filter, "(objectClass=*)");
    }

    #[test]
    fn what_is_no_url_says_so() {
        let error = |url: &str| parse(url).err().map(|error| error.to_string()).unwrap();
        assert!(error("DBI:mysql:x").contains("no URL of a directory"));
        assert!(error("ldap://h/b?a?uid=x").starts_with("uid=x: the scope is"));
        assert_eq!(unescaped("%2f%zz%"), "/%zz%");
    }
}
