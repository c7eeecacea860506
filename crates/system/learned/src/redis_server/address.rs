//! Where a Redis server is: `bayes_sql_dsn` of the original's Redis store.

use std::path::PathBuf;

use crate::trouble::Trouble;

/// Where one is when nobody says otherwise.
const HOST: &str = "127.0.0.1";
const PORT: u16 = 6379;

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Host(String, u16),
    Socket(PathBuf),
}

/// A server, and how it is entered.
pub(super) struct Address {
    pub(super) place: Place,
    pub(super) password: Option<String>,
    pub(super) database: u32,
}

impl Address {
    /// Reads `server=...;password=...;database=...`; options that are not known say nothing.
    pub(super) fn parse(text: &str) -> Result<Self, Trouble> {
        let refused = |problem: &'static str| Trouble::Dsn { problem };
        let mut address = Self { place: Place::Host(HOST.to_owned(), PORT), password: None, database: 0 };
        for option in text.split(';').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').ok_or(refused("write option=value"))?;
            match name {
                "database" => {
                    address.database = value.parse().map_err(|_| refused("database is no number"))?;
                }
                "password" => address.password = Some(value.to_owned()),
                "server" if value != "undef" => {
                    address.place = place(value).ok_or(refused("server is no host:port, and no path"))?;
                }
                _ => {}
            }
        }
        Ok(address)
    }

    /// As the log names it.
    pub(super) fn name(&self) -> String {
        let place = match &self.place {
            Place::Host(host, port) => format!("{host}:{port}"),
            Place::Socket(path) => path.display().to_string(),
        };
        format!("redis {place} database {}", self.database)
    }
}

fn place(text: &str) -> Option<Place> {
    if text.starts_with('/') {
        return Some(Place::Socket(PathBuf::from(text)));
    }
    let (host, port) = text.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    (!host.is_empty()).then_some(())?;
    Some(Place::Host(host.to_owned(), port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_of_the_original() {
        let name = |text| Address::parse(text).unwrap().name();
        assert_eq!(name(""), "redis 127.0.0.1:6379 database 0");
        assert_eq!(name("server=localhost:6380;password=a=b;database=2"), "redis localhost:6380 database 2");
        assert_eq!(name("server=[::1]:7"), "redis ::1:7 database 0");
        assert_eq!(name("server=/run/redis.sock;every=1"), "redis /run/redis.sock database 0");
        assert_eq!(Address::parse("password=a=b").unwrap().password.as_deref(), Some("a=b"));
        for text in ["server", "server=x", "database=x", "server=:1"] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }
}
