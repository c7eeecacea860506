//! Where a database is, as Perl's DBI names it: `DBI:mysql:spamassassin:localhost`, `DBI:Pg:dbname=x;host=y`, `DBI:SQLite:dbname=file`.

use std::path::PathBuf;

/// Where a MySQL server of this host has its socket (Debian).
const MYSQL_SOCKET: &str = "/run/mysqld/mysqld.sock";
/// The folder of a PostgreSQL server's sockets (Debian).
const POSTGRES_FOLDER: &str = "/var/run/postgresql";

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// MySQL and MariaDB.
    MySql,
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
}

/// A database, and as whom it is asked.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    /// Which kind it is.
    pub kind: Kind,
    /// Its name; the file of SQLite.
    pub database: String,
    /// The server; `None` is this host.
    pub host: Option<String>,
    /// The server's port; `None` is the usual one.
    pub port: Option<u16>,
    /// The server's socket on this host: a path for MySQL, for PostgreSQL the folder. With one, `host` does not count.
    pub socket: Option<PathBuf>,
    /// Who asks.
    pub user: String,
    /// His password; empty for none.
    pub password: String,
    /// The connection is encrypted (MySQL).
    pub encrypted: bool,
    /// The server's certificate is checked.
    pub verified: bool,
    /// Whose certificates count: a file; `None` is those that the library knows.
    pub authorities: Option<PathBuf>,
    /// Nothing is written (SQLite): then there must be a database, else it is made.
    pub read_only: bool,
    /// What the name holds that does nothing here, for the log.
    pub inert: Vec<String>,
}

/// What is wrong with a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// It does not begin as those of DBI.
    #[error("{0}: no data source name: write DBI:driver:... (driver mysql, MariaDB, Pg or SQLite)")]
    Form(String),
    /// Another driver.
    #[error("{0}: there is no such driver: mysql, MariaDB, Pg or SQLite")]
    Driver(String),
    /// A value that can not be.
    #[error("{name}={value}: {remedy}")]
    Value {
        /// Of what.
        name: String,
        /// Which value.
        value: String,
        /// What it must be.
        remedy: &'static str,
    },
}

impl Source {
    /// Reads a name of DBI. Without a `user` the user of this process asks, `login`, as the clients of the servers do it.
    ///
    /// # Errors
    /// [`SourceError`] when it names none of the databases here.
    pub fn parse(dsn: &str, user: &str, password: &str, login: &str) -> Result<Self, SourceError> {
        let form = || SourceError::Form(dsn.to_owned());
        let rest = dsn.get(..4).filter(|begin| begin.eq_ignore_ascii_case("dbi:")).map(|_| &dsn[4..]);
        let (driver, place) = rest.and_then(|rest| rest.split_once(':')).ok_or_else(form)?;
        // `DBI:mysql(RaiseError=>1):...`: attributes of Perl's handle.
        let driver = driver.split('(').next().unwrap_or(driver);
        let kind = match driver.to_ascii_lowercase().as_str() {
            "mysql" | "mariadb" => Kind::MySql,
            "pg" => Kind::Postgres,
            "sqlite" => Kind::Sqlite,
            _ => return Err(SourceError::Driver(driver.to_owned())),
        };
        let user = if user.is_empty() { login } else { user };
        let mut source = Self::of(kind, user, password);
        match kind {
            Kind::Sqlite => source.sqlite(place),
            Kind::MySql => source.mysql(place)?,
            Kind::Postgres => source.postgres(place)?,
        }
        source.complete();
        Ok(source)
    }

    /// The same database, for reading only.
    pub fn for_reading(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// As the log names it; without who asks, and how he proves it.
    pub fn name(&self) -> String {
        let (kind, usual) = match self.kind {
            Kind::Sqlite => return self.database.clone(),
            Kind::MySql => ("mysql", 3306),
            Kind::Postgres => ("postgresql", 5432),
        };
        let place = match (&self.socket, &self.host) {
            (Some(socket), _) => socket.display().to_string(),
            (None, Some(host)) => format!("{host}:{}", self.port.unwrap_or(usual)),
            (None, None) => format!("localhost:{}", self.port.unwrap_or(usual)),
        };
        format!("{kind} {} at {place}", self.database)
    }

    fn of(kind: Kind, user: &str, password: &str) -> Self {
        Self {
            kind,
            database: String::new(),
            host: None,
            port: None,
            socket: None,
            user: user.to_owned(),
            password: password.to_owned(),
            encrypted: false,
            verified: false,
            authorities: None,
            read_only: false,
            inert: Vec::new(),
        }
    }

    fn sqlite(&mut self, place: &str) {
        let part = |name: &str| place.split(';').find_map(|part| part.strip_prefix(name));
        let named = part("dbname=").or_else(|| part("database=")).or_else(|| part("db="));
        self.database = named.unwrap_or(place).to_owned();
    }

    /// `database:host:port`, each of which may be `name=value`, also with `;` between.
    fn mysql(&mut self, place: &str) -> Result<(), SourceError> {
        let mut order = ["database", "host", "port"].into_iter();
        for part in mysql_parts(place) {
            let Some((name, value)) = part.split_once('=') else {
                if let (Some(name), false) = (order.next(), part.is_empty()) {
                    self.mysql_part(name, part)?;
                }
                continue;
            };
            self.mysql_part(name, value)?;
        }
        Ok(())
    }

    fn mysql_part(&mut self, name: &str, value: &str) -> Result<(), SourceError> {
        let own = name.strip_prefix("mysql_").or_else(|| name.strip_prefix("mariadb_")).unwrap_or(name);
        match own {
            "database" | "dbname" | "db" => self.database = value.to_owned(),
            "host" | "hostname" => self.host = Some(value.trim_matches(['[', ']']).to_owned()),
            "port" => self.port = Some(port(value)?),
            "user" => self.user = value.to_owned(),
            "password" => self.password = value.to_owned(),
            "socket" => self.socket = Some(value.into()),
            "ssl" => self.encrypted = is_on(value),
            "ssl_verify_server_cert" => self.verified = is_on(value),
            "ssl_ca_file" => self.authorities = Some(value.into()),
            _ => self.inert.push(name.to_owned()),
        }
        Ok(())
    }

    /// `name=value` with `;` or blanks between.
    fn postgres(&mut self, place: &str) -> Result<(), SourceError> {
        for part in place.split([';', ' ']).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim_matches('\'');
            match name {
                "dbname" | "db" | "database" => self.database = value.to_owned(),
                "host" if value.starts_with('/') => self.socket = Some(value.into()),
                "host" | "hostaddr" => self.host = Some(value.to_owned()),
                "port" => self.port = Some(port(value)?),
                "user" => self.user = value.to_owned(),
                "password" => self.password = value.to_owned(),
                "sslmode" if matches!(value, "require" | "verify-ca" | "verify-full") => {
                    let (name, value) = (name.to_owned(), value.to_owned());
                    let remedy = "encrypted connections to PostgreSQL are not in this version";
                    return Err(SourceError::Value { name, value, remedy });
                }
                _ => self.inert.push(name.to_owned()),
            }
        }
        Ok(())
    }

    /// What the clients of the servers take when nothing was said.
    fn complete(&mut self) {
        let host = self.host.as_deref().unwrap_or_default();
        match self.kind {
            // `localhost` is a socket here, whatever the port; another name or address of this host is not.
            Kind::MySql if self.socket.is_none() && matches!(host, "" | "localhost") => {
                self.socket = Some(MYSQL_SOCKET.into());
            }
            Kind::Postgres => {
                if self.socket.is_none() && host.is_empty() {
                    self.socket = Some(POSTGRES_FOLDER.into());
                }
                if self.database.is_empty() {
                    self.database.clone_from(&self.user);
                }
            }
            _ => {}
        }
    }
}

/// The parts between `;` and `:`; a `:` within brackets is of an address.
fn mysql_parts(place: &str) -> Vec<&str> {
    let mut inside = false;
    place
        .split(|char| {
            inside = (inside || char == '[') && char != ']';
            char == ';' || (char == ':' && !inside)
        })
        .collect()
}

fn port(value: &str) -> Result<u16, SourceError> {
    let remedy = "a port is a number up to 65535";
    value.parse().map_err(|_| SourceError::Value { name: "port".to_owned(), value: value.to_owned(), remedy })
}

fn is_on(value: &str) -> bool {
    !matches!(value, "" | "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(dsn: &str) -> Source {
        Source::parse(dsn, "", "secret", "me").unwrap()
    }

    #[test]
    fn mysql_by_place_and_by_name() {
        let found = source("DBI:mysql:spamassassin:db.example.com:3307");
        assert_eq!(
            (found.database.as_str(), found.host.as_deref(), found.port),
            ("spamassassin", Some("db.example.com"), Some(3307))
        );
        assert_eq!((found.socket, found.user.as_str()), (None, "me"));
        assert_eq!(source("dbi:mysql:x:localhost").socket, Some(MYSQL_SOCKET.into()));
        assert_eq!(source("DBI:mysql:x").name(), "mysql x at /run/mysqld/mysqld.sock");
        let found =
            source("DBI:MariaDB:database=x;host=127.0.0.1;port=1;mariadb_ssl=1;mariadb_compression=1");
        assert_eq!(
            (found.kind, found.encrypted, found.inert),
            (Kind::MySql, true, vec!["mariadb_compression".to_owned()])
        );
        assert_eq!(source("DBI:mysql:x:[::1]:5").host.as_deref(), Some("::1"));
        assert_eq!(source("DBI:mysql(RaiseError=>1):x;mysql_socket=/run/s").socket, Some("/run/s".into()));
    }

    #[test]
    fn postgres_and_sqlite() {
        let found = source("DBI:Pg:dbname=sa;host=db;port=5433");
        assert_eq!((found.name().as_str(), found.kind), ("postgresql sa at db:5433", Kind::Postgres));
        assert_eq!(source("DBI:Pg:dbname=sa").socket, Some(POSTGRES_FOLDER.into()));
        assert_eq!(source("DBI:Pg:host=/tmp/x").database, "me");
        assert_eq!(source("DBI:SQLite:dbname=/var/p;x=1").database, "/var/p");
        assert_eq!(source("dbi:SQLite:/var/p").name(), "/var/p");
    }

    #[test]
    fn what_is_no_source_says_so() {
        let error = |dsn: &str| Source::parse(dsn, "", "", "").err().map(|error| error.to_string()).unwrap();
        assert!(error("mysql:x").contains("write DBI:driver"));
        assert!(error("DBI:Oracle:x").starts_with("Oracle: there is no such driver"));
        assert!(error("DBI:mysql:x:y:z").starts_with("port=z"));
        assert!(error("DBI:Pg:sslmode=require").contains("not in this version"));
    }
}
