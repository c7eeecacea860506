//! Real database servers for one test: in a folder of its own, on a unix socket or a port of this host, without root's rights.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sys::signals::SignalKind;
use tempfile::TempDir;

use crate::port::Port;

/// Who runs them where the tests run as root, which none of them likes.
const USER: &str = "nobody";

/// A server, for as long as this value lives.
pub struct Server {
    child: Child,
    /// `user_scores_dsn`, and with which name and password; `bayes_sql_dsn` without the database for Redis.
    pub dsn: String,
    /// Who asks it.
    pub user: &'static str,
    /// His password.
    pub password: &'static str,
    folder: TempDir,
    _port: Option<Port>,
}

/// The password of who asks.
const PASSWORD: &str = "open'sesame";

impl Server {
    /// MariaDB with a database `spam`, in which `sql` was carried out; `None` where it is not installed.
    pub fn mariadb(sql: &str) -> Option<Self> {
        let (install, program) = (program("mariadb-install-db")?, program("mariadbd")?);
        let folder = folder();
        let (data, socket) = (folder.path().join("data"), folder.path().join("socket"));
        let data_directory = format!("--datadir={}", data.display());
        let mut command = unprivileged(&install);
        command.args(["--no-defaults", &data_directory, "--auth-root-authentication-method=normal"]);
        // A server removes what others have in the folder for temporary files.
        finish(command.args(["--skip-test-db", "--skip-name-resolve"]).env("TMPDIR", folder.path()));
        let mut command = unprivileged(&program);
        command.args(["--no-defaults", &data_directory, "--skip-networking", "--innodb-buffer-pool-size=8M"]);
        command.arg(format!("--socket={}", socket.display()));
        command.arg(format!("--pid-file={}", folder.path().join("pid").display()));
        let child = started(command.env("TMPDIR", folder.path()), "ready for connections");
        let quoted = PASSWORD.replace('\'', "''");
        let begin = format!(
            "create database spam; use spam; create user asker@localhost identified by '{quoted}'; \
             grant all on spam.* to asker@localhost; {sql}"
        );
        let mut command = Command::new("mariadb");
        finish(command.arg("--no-defaults").arg("-S").arg(&socket).args(["-u", "root", "-e", &begin]));
        let dsn = format!("DBI:mysql:database=spam;mysql_socket={}", socket.display());
        Some(Self { child, dsn, user: "asker", password: PASSWORD, folder, _port: None })
    }

    /// PostgreSQL with a database `spam`, in which `sql` was carried out; `None` where it is not installed.
    pub fn postgres(sql: &str) -> Option<Self> {
        let programs = postgres_programs()?;
        let folder = folder();
        let (data, secret) = (folder.path().join("data"), folder.path().join("secret"));
        write(&secret, PASSWORD);
        let mut command = unprivileged(&programs.join("initdb"));
        command.arg("-D").arg(&data).args([
            "-U",
            "asker",
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        ]);
        finish(command.arg(format!("--pwfile={}", secret.display())));
        let mut command = unprivileged(&programs.join("postgres"));
        command.arg("-D").arg(&data).arg("-k").arg(folder.path()).args(["-h", "", "-F"]);
        let child = started(&mut command, "ready to accept connections");
        let psql = |database: &str, sql: &str| {
            let mut command = Command::new(programs.join("psql"));
            command.arg("-h").arg(folder.path()).args([
                "-U",
                "asker",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-c",
                sql,
            ]);
            finish(command.env("PGPASSWORD", PASSWORD).arg(database));
        };
        psql("postgres", "create database spam");
        psql("spam", sql);
        let dsn = format!("DBI:Pg:dbname=spam;host={}", folder.path().display());
        Some(Self { child, dsn, user: "asker", password: PASSWORD, folder, _port: None })
    }

    /// OpenLDAP with the entries of `ldif` below `dc=example`, which may have any number of `saConfig`; `None` where it is not
    /// installed. Who asks must say who he is.
    pub fn openldap(ldif: &str) -> Option<Self> {
        let (program, add) = (program("slapd")?, program("slapadd")?);
        let folder = folder();
        let path = |name: &str| folder.path().join(name);
        let data = path("data");
        fs::create_dir(&data).expect("a folder for the directory");
        fs::set_permissions(&data, fs::Permissions::from_mode(0o777)).expect("its mode");
        let settings = format!(
            "include /etc/ldap/schema/core.schema\n\
             attributetype ( 1.3.6.1.4.1.55555.1 NAME 'saConfig' EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )\n\
             objectclass ( 1.3.6.1.4.1.55555.2 NAME 'saUser' SUP top AUXILIARY MAY ( saConfig $ uid ) )\n\
             modulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile {pid}\ndatabase mdb\nsuffix dc=example\n\
             rootdn cn=asker,dc=example\nrootpw {PASSWORD}\ndirectory {data}\naccess to * by anonymous auth by * read\n",
            pid = path("pid").display(),
            data = data.display(),
        );
        write(&path("slapd.conf"), &settings);
        write(&path("entries"), ldif);
        finish(unprivileged(&add).arg("-f").arg(path("slapd.conf")).arg("-l").arg(path("entries")));
        let port = Port::reserve();
        let url = format!("ldap://127.0.0.1:{}", port.number());
        let mut command = unprivileged(&program);
        command.arg("-f").arg(path("slapd.conf")).args(["-h", &format!("{url}/"), "-d", "stats"]);
        let child = started(&mut command, "slapd starting");
        let dsn = format!("{url}/dc=example?saConfig?sub?uid=__USERNAME__");
        Some(Self { child, dsn, user: "cn=asker,dc=example", password: PASSWORD, folder, _port: Some(port) })
    }

    /// Redis, which keeps nothing on disk; `None` where it is not installed.
    pub fn redis() -> Option<Self> {
        let server = program("redis-server")?;
        let folder = folder();
        let socket = folder.path().join("socket");
        // Its log goes where those of the others go.
        let mut command = unprivileged(Path::new("/bin/sh"));
        command.args(["-c", "exec \"$@\" >&2", "sh"]).arg(server);
        command.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocketperm", "777"]);
        command.args(["--requirepass", PASSWORD]).arg("--unixsocket").arg(&socket);
        let child = started(&mut command, "eady to accept connections");
        let dsn = format!("server={};password={PASSWORD}", socket.display());
        Some(Self { child, dsn, user: "", password: PASSWORD, folder, _port: None })
    }

    /// What its own client shows for a statement: a line for each row, its columns with a tab between.
    pub fn ask(&self, sql: &str) -> String {
        let mut command = if self.dsn.starts_with("DBI:Pg:") {
            let mut command = Command::new(postgres_programs().expect("PostgreSQL").join("psql"));
            command.arg("-h").arg(self.folder()).args(["-U", self.user, "-AtF\t", "-c", sql, "spam"]);
            command.env("PGPASSWORD", self.password);
            command
        } else {
            let mut command = Command::new("mariadb");
            command.arg("--no-defaults").arg("-S").arg(self.folder().join("socket")).args(["-u", self.user]);
            command.arg(format!("-p{}", self.password)).args(["-NB", "-e", sql, "spam"]);
            command
        };
        let output = command.output().expect("a client of the server");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("what it shows")
    }

    /// Where it keeps what it has.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends it, with all its processes; nobody answers from here on.
    pub fn end(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // SIGINT: a fast end for PostgreSQL; SIGTERM is one for the others.
            let _ = sys::signals::send(self.child.id(), SignalKind::SIGINT);
            let _ = sys::signals::send(self.child.id(), SignalKind::SIGTERM);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// A folder in which others than root may write, with a short name: that of a socket has an end.
fn folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("db").tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("its mode");
    folder
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("write a file of a server");
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("its mode");
}

fn unprivileged(program: &Path) -> Command {
    let mut command = if sys::ids::is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", USER, "--regid", "nogroup", "--clear-groups", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/").env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}

/// Runs it to its end, which is good.
fn finish(command: &mut Command) {
    let output = command.output().expect("a program of the server");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}\n{}", String::from_utf8_lossy(&output.stdout));
}

/// Starts a server and reads what it says until it serves.
fn started(command: &mut Command, serves: &str) -> Child {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("start a server");
    let mut log = BufReader::new(child.stderr.take().expect("its log"));
    let mut told = Vec::new();
    while !String::from_utf8_lossy(&told).contains(serves) {
        let read = log.read_until(b'\n', &mut told).expect("read its log");
        assert!(read > 0, "{command:?} did not start:\n{}", String::from_utf8_lossy(&told));
    }
    // Nobody else reads on: the pipe must not fill up.
    std::thread::spawn(move || drop(log.read_to_end(&mut Vec::new())));
    child
}

fn program(name: &str) -> Option<PathBuf> {
    let places = ["/usr/bin", "/usr/sbin"];
    let found = places.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists());
    if found.is_none() {
        testkit::left_out(&format!("{name} is not installed"));
    }
    found
}

/// The folder of the newest PostgreSQL's programs.
fn postgres_programs() -> Option<PathBuf> {
    let mut versions: Vec<_> = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().collect();
    versions.sort_by_key(|entry| entry.file_name().to_string_lossy().parse::<u32>().unwrap_or_default());
    let found =
        versions.last().map(|entry| entry.path().join("bin")).filter(|path| path.join("initdb").exists());
    if found.is_none() {
        testkit::left_out("PostgreSQL is not installed");
    }
    found
}
