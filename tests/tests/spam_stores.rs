//! What was learned, kept where several hosts have it: our programs and the original's beside them, on the same servers.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use testkit::left_out;
use tests::config::Builder;
use tests::databases::Server;
use tests::judgement::ask_spamd;
use tests::programs::Programs;

/// Where Debian has the originals.
const ORIGINALS: &str = "/usr/bin";
const RULES: &str = "\
use_txrep 0
bayes_stopword_languages disable
bayes_min_ham_num 5
bayes_min_spam_num 5
bayes_auto_learn 0
body BAYES_00 eval:check_bayes('0.00', '0.05')
body BAYES_50 eval:check_bayes('0.05', '0.95')
body BAYES_99 eval:check_bayes('0.95', '1.00')
tflags BAYES_00 nice learn
tflags BAYES_50 learn
tflags BAYES_99 learn
body PILLS /pills/
clear_headers
add_header all Found _TESTS_ _BAYES_ _BAYESTCLEARNED_ _BAYESTC_
";
const SPAM_WORDS: [&str; 8] =
    ["cheap", "pills", "winner", "lottery", "million", "urgent", "transfer", "dollars"];
const HAM_WORDS: [&str; 8] = ["meeting", "lunch", "report", "project", "garden", "holiday", "train", "music"];

/// A message about these things.
fn letter(words: &[&str], number: usize) -> String {
    let text: Vec<&str> =
        (0..20).map(|place| words[(number * 7 + place * (number + 1)) % words.len()]).collect();
    format!(
        "From: p{number}@people.example\nTo: you@here.example\nSubject: {}\nDate: Mon, 1 Jul 2002 10:00:00 +0000\n\
         Message-Id: <{number}.{}@here.example>\n\n{}, number {number}\n",
        words[number % words.len()],
        words[0],
        text.join(" ")
    )
}

fn mailbox(words: &[&str], numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| format!("From x Sun Nov 22 10:00:00 2026\n{}\n", letter(words, number))).collect()
}

/// Who runs our programs or the originals, with rules that say where it lies what they learn.
struct User {
    programs: PathBuf,
    folder: TempDir,
}

impl User {
    fn new(programs: PathBuf, settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("site");
        fs::create_dir(&site).unwrap();
        let plugins =
            ["Check", "Bayes"].map(|name| format!("loadplugin Mail::SpamAssassin::Plugin::{name}\n"));
        fs::write(site.join("plugins.pre"), plugins.concat()).unwrap();
        fs::write(folder.path().join("rules.cf"), format!("{RULES}{settings}")).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { programs, folder }
    }

    fn ours(settings: &str) -> Self {
        Self::new(Programs::ours().commands, settings)
    }

    /// `None` where the original is not installed.
    fn original(settings: &str) -> Option<Self> {
        let programs = PathBuf::from(ORIGINALS);
        programs.join("sa-learn").exists().then(|| Self::new(programs, settings))
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, program: &str, arguments: &[&str], input: &str) -> Answer {
        let mut command = Command::new(self.programs.join(program));
        command.arg("-C").arg(self.path()).arg("--siteconfigpath").arg(self.path().join("site"));
        command.args(arguments).env("HOME", self.path()).current_dir(self.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut to = child.stdin.take().unwrap();
        let input = input.to_owned();
        // Who has nothing to read may be gone already.
        let writing = std::thread::spawn(move || drop(to.write_all(input.as_bytes())));
        let output = child.wait_with_output().unwrap();
        writing.join().unwrap();
        Answer {
            status: output.status.code(),
            text: String::from_utf8(output.stdout).unwrap(),
            complaint: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn learn(&self, option: &str, words: &[&str], numbers: std::ops::Range<usize>) -> String {
        let answer = self.run("sa-learn", &[option, "--mbox", "-"], &mailbox(words, numbers));
        assert_eq!(answer.status, Some(0), "{}", answer.complaint);
        answer.text
    }

    /// What the rules find in new messages of both kinds.
    fn verdicts(&self) -> Vec<String> {
        let numbers = || (40..44).flat_map(|number| [(SPAM_WORDS, number), (HAM_WORDS, number)]);
        let found = |(words, number): ([&str; 8], usize)| {
            let answer = self.run("spamassassin", &["-L", "-x"], &letter(&words, number));
            let line = answer.text.lines().find(|line| line.starts_with("X-Spam-Found: ")).map(str::to_owned);
            line.unwrap_or_else(|| panic!("{}\n{}", answer.text, answer.complaint))
        };
        numbers().map(found).collect()
    }
}

struct Answer {
    status: Option<i32>,
    text: String,
    complaint: String,
}

impl Answer {
    /// Lines in order, without the times of tokens: in a backup and in a dump.
    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.text.lines().map(without_time).collect();
        lines.sort();
        lines
    }
}

fn without_time(line: &str) -> String {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    match words.as_slice() {
        ["t", spam, ham, _, token] => format!("t {spam} {ham} {token}"),
        [probability, spam, ham, _, token] => format!("{probability} {spam} {ham} {token}"),
        _ => line.to_owned(),
    }
}

/// A place where two users keep what they learn apart from one another.
trait Place {
    fn settings(&self, user: usize) -> String;
    fn content(&self, user: usize) -> Vec<String>;
}

/// What `sa-learn` is asked for, one after the other.
const WALK: [(&[&str], &str); 20] = [
    (&["--spam", "--mbox", "-"], "spam"),
    (&["--dump", "magic"], ""),
    (&["--ham", "--mbox", "-"], "ham"),
    (&["--spam", "--mbox", "-"], "spam"),
    (&["--ham", "--mbox", "-"], "some spam"),
    (&["--dump", "magic"], ""),
    (&["--dump", "data"], ""),
    (&["--forget", "--mbox", "-"], "some ham"),
    (&["--forget", "--mbox", "-"], "some ham"),
    (&["--spam", "--mbox", "-"], "some spam"),
    (&["--dump"], ""),
    (&["--sync"], ""),
    (&["--force-expire"], ""),
    (&["--backup"], ""),
    (&["--ham", "no-such-file"], ""),
    (&["--restore", "backup"], ""),
    (&["--dump", "magic"], ""),
    (&["--clear"], ""),
    (&["--restore", "backup"], ""),
    (&["--backup"], ""),
];

fn input(name: &str) -> String {
    match name {
        "spam" => mailbox(&SPAM_WORDS, 0..8),
        "some spam" => mailbox(&SPAM_WORDS, 2..4),
        "ham" => mailbox(&HAM_WORDS, 0..8),
        "some ham" => mailbox(&HAM_WORDS, 5..8),
        _ => String::new(),
    }
}

/// Each step says and leaves behind the same with ours as with the original.
fn every_mode_is_that_of_the_original(place: &dyn Place) {
    let ours = User::ours(&place.settings(1));
    let Some(original) = User::original(&place.settings(2)) else {
        return left_out("SpamAssassin is not installed");
    };
    for (number, (arguments, name)) in WALK.into_iter().enumerate() {
        let answers = [&ours, &original].map(|user| {
            let answer = user.run("sa-learn", arguments, &input(name));
            if arguments == ["--backup"] {
                fs::write(user.path().join("backup"), &answer.text).unwrap();
            }
            answer
        });
        let [own, theirs] = &answers;
        let told = format!("step {number} {arguments:?}: {} and {}", own.complaint, theirs.complaint);
        assert_eq!((own.status, own.lines()), (theirs.status, theirs.lines()), "{told}");
        assert_eq!(place.content(1), place.content(2), "{told}");
    }
}

/// One teaches, the other judges.
fn each_judges_by_what_the_other_learned(place: &dyn Place) {
    let settings = place.settings(3);
    let (ours, original) = (User::ours(&settings), User::original(&settings));
    let Some(original) = original else { return left_out("SpamAssassin is not installed") };
    ours.learn("--spam", &SPAM_WORDS, 0..8);
    original.learn("--ham", &HAM_WORDS, 0..8);
    let found = ours.verdicts();
    assert!(found[0].contains("BAYES_99") && found[1].contains("BAYES_00"), "{found:?}");
    assert_eq!(found, original.verdicts());
    // The other way round, with messages that either has learned.
    assert_eq!(
        original.learn("--spam", &SPAM_WORDS, 0..12),
        "Learned tokens from 4 message(s) (12 message(s) examined)\n"
    );
    assert_eq!(
        ours.learn("--ham", &HAM_WORDS, 0..12),
        "Learned tokens from 4 message(s) (12 message(s) examined)\n"
    );
    assert_eq!(
        ours.learn("--forget", &SPAM_WORDS, 8..10),
        "Forgot tokens from 2 message(s) (2 message(s) examined)\n"
    );
    original.learn("--forget", &HAM_WORDS, 0..2);
    assert_eq!(ours.verdicts(), original.verdicts());
    assert_eq!(
        ours.run("sa-learn", &["--backup"], "").lines(),
        original.run("sa-learn", &["--backup"], "").lines()
    );
}

/// A service of master judges by it from within its sandbox; where nobody answers, the message is judged all the same, and the log
/// has one line.
fn a_service_of_master_judges_with_and_without(settings: &str, mut server: Server) {
    let user = User::ours(settings);
    user.learn("--spam", &SPAM_WORDS, 0..8);
    user.learn("--ham", &HAM_WORDS, 0..8);
    let mut builder = Builder::new();
    let port = builder.reserve_port();
    let path = user.path().display();
    let line =
        format!("{port} inet n - n - - spamd allow_tell=yes configpath={path} siteconfigpath={path}/site\n");
    let suite = builder.master(&line).start();
    let rules = |words: &[&str]| {
        let reply = ask_spamd(port, "SYMBOLS SPAMC/1.5", &letter(words, 50));
        reply.split_once("\r\n\r\n").unwrap().1.trim().to_owned()
    };
    assert_eq!(rules(&SPAM_WORDS), "BAYES_99,PILLS", "{}", suite.log_end());
    assert_eq!(rules(&HAM_WORDS), "BAYES_00", "{}", suite.log_end());
    let tell = |number: usize| {
        let command = "TELL SPAMC/1.5\r\nMessage-class: spam\r\nSet: local";
        // As it stands in a mailbox, with a blank line behind it.
        ask_spamd(port, command, &format!("{}\n", letter(&SPAM_WORDS, number))).contains("DidSet: local")
    };
    assert!(tell(60));
    let said = user.learn("--spam", &SPAM_WORDS, 60..61);
    assert_eq!(said, "Learned tokens from 0 message(s) (1 message(s) examined)\n");
    server.end();
    for number in 0..3 {
        assert_eq!(rules(&SPAM_WORDS), "PILLS", "{}", suite.log_end());
        assert!(!tell(70 + number));
    }
    let log = suite.log();
    // A connection that broke, and none that can be made: each worker says each once.
    let lines = log.lines().filter(|line| line.contains("BAYES rules do not count"));
    let causes: Vec<&str> =
        lines.filter_map(|line| line.split_once("spamd[").map(|(_, text)| text)).collect();
    let different: std::collections::HashSet<&&str> = causes.iter().collect();
    assert!(!causes.is_empty() && different.len() == causes.len(), "{causes:?}");
    assert!(!log.contains("sesame"), "{log}");
    suite.stop();
    let refused = user.run("sa-learn", &["--forget", "--mbox", "-"], &mailbox(&SPAM_WORDS, 0..1));
    assert!(refused.status == Some(2) && refused.complaint.starts_with("ERROR: "), "{}", refused.complaint);
}

/// Each user has a database of its own.
struct Redis(Server);

/// Every key with what it holds, and whether it goes some day.
const REDIS_CONTENT: &str = "\
local lines = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local value
  if redis.call('TYPE', key).ok == 'hash' then
    local s, h = redis.call('HGET', key, 's') or '', redis.call('HGET', key, 'h') or ''
    value = s .. '/' .. h
  else
    value = redis.call('GET', key)
  end
  lines[#lines + 1] = key .. '=' .. value .. (redis.call('TTL', key) > 0 and ' goes' or '')
end
table.sort(lines)
return lines
";

impl Place for Redis {
    fn settings(&self, user: usize) -> String {
        format!(
            "bayes_store_module Mail::SpamAssassin::BayesStore::Redis\nbayes_sql_dsn {};database={user}\nbayes_token_ttl 2d\n",
            self.0.dsn
        )
    }

    fn content(&self, user: usize) -> Vec<String> {
        let mut command = Command::new("redis-cli");
        command.arg("--no-raw").arg("-s").arg(self.0.folder().join("socket")).args(["-a", self.0.password]);
        command.args(["--no-auth-warning", "-n", &user.to_string(), "EVAL", REDIS_CONTENT, "0"]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

#[test]
fn sa_learn_with_redis_is_the_originals() {
    let Some(server) = Server::redis() else { return };
    every_mode_is_that_of_the_original(&Redis(server));
}

#[test]
fn ours_and_the_original_share_redis() {
    let Some(server) = Server::redis() else { return };
    each_judges_by_what_the_other_learned(&Redis(server));
}

#[test]
fn spamd_judges_by_redis() {
    let Some(server) = Server::redis() else { return };
    let redis = Redis(server);
    let settings = redis.settings(4);
    a_service_of_master_judges_with_and_without(&settings, redis.0);
}

/// Each user has rows of his own.
struct Sql {
    server: Server,
    module: &'static str,
}

/// The statements that SpamAssassin comes with, for a module of its.
fn schema(name: &str) -> Option<String> {
    let path = Path::new("/usr/share/doc/spamassassin/sql").join(name);
    let text = fs::read_to_string(&path).ok();
    if text.is_none() {
        left_out(&format!("{} is not installed", path.display()));
    }
    text
}

impl Sql {
    fn mysql() -> Option<Self> {
        let server = Server::mariadb(&schema("bayes_mysql.sql")?)?;
        Some(Self { server, module: "MySQL" })
    }

    fn postgres() -> Option<Self> {
        let server = Server::postgres(&schema("bayes_pg.sql")?)?;
        Some(Self { server, module: "PgSQL" })
    }

    fn place(&self) -> String {
        let Server { dsn, user, password, .. } = &self.server;
        format!(
            "bayes_store_module Mail::SpamAssassin::BayesStore::{}\nbayes_sql_dsn {dsn}\nbayes_sql_username {user}\n\
             bayes_sql_password {password}\n",
            self.module
        )
    }
}

impl Place for Sql {
    fn settings(&self, user: usize) -> String {
        format!("{}bayes_sql_override_username user{user}\n", self.place())
    }

    fn content(&self, user: usize) -> Vec<String> {
        let token = if self.module == "MySQL" { "hex(token)" } else { "upper(encode(token, 'hex'))" };
        let of_user = format!("where id = (select id from bayes_vars where username = 'user{user}')");
        let parts = [
            format!(
                "select spam_count, ham_count, token_count, last_expire > 0, last_atime_delta, last_expire_reduce, \
                 oldest_token_age, newest_token_age from bayes_vars where username = 'user{user}'"
            ),
            format!("select {token}, spam_count, ham_count, atime from bayes_token {of_user} order by 1"),
            format!("select msgid, flag from bayes_seen {of_user} order by 1"),
            format!("select runtime from bayes_expire {of_user}"),
        ];
        parts
            .iter()
            .flat_map(|sql| self.server.ask(sql).lines().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }
}

#[test]
fn sa_learn_with_mysql_is_the_originals() {
    let Some(place) = Sql::mysql() else { return };
    every_mode_is_that_of_the_original(&place);
}

#[test]
fn sa_learn_with_postgresql_is_the_originals() {
    let Some(place) = Sql::postgres() else { return };
    every_mode_is_that_of_the_original(&place);
}

#[test]
fn ours_and_the_original_share_databases() {
    for place in [Sql::mysql(), Sql::postgres()].into_iter().flatten() {
        each_judges_by_what_the_other_learned(&place);
    }
}

#[test]
fn spamd_judges_by_databases() {
    for place in [Sql::mysql(), Sql::postgres()].into_iter().flatten() {
        let settings = place.settings(4);
        a_service_of_master_judges_with_and_without(&settings, place.server);
    }
}

/// `-u` of sa-learn, and `User` of a client of spamd.
#[test]
fn each_user_has_his_own() {
    let Some(place) = Sql::mysql() else { return };
    let user = User::ours(&place.place());
    for (option, words) in [("--spam", &SPAM_WORDS), ("--ham", &HAM_WORDS)] {
        let answer = user.run("sa-learn", &["-u", "ann", option, "--mbox", "-"], &mailbox(words, 0..8));
        assert_eq!(
            answer.text, "Learned tokens from 8 message(s) (8 message(s) examined)\n",
            "{}",
            answer.complaint
        );
    }
    let magic = |user: &User, name: &str| user.run("sa-learn", &["-u", name, "--dump", "magic"], "").lines();
    assert_ne!(magic(&user, "ann"), magic(&user, "bob"));
    if let Some(original) = User::original(&place.place()) {
        assert_eq!(magic(&user, "ann"), magic(&original, "ann"));
    }
    let mut builder = Builder::new();
    let port = builder.reserve_port();
    let path = user.path().display();
    let line = format!("{port} inet n - n - - spamd configpath={path} siteconfigpath={path}/site\n");
    let suite = builder.master(&line).start();
    let rules = |user: &str| {
        let reply = ask_spamd(port, &format!("SYMBOLS SPAMC/1.5\r\nUser: {user}"), &letter(&SPAM_WORDS, 50));
        reply.split_once("\r\n\r\n").unwrap().1.trim().to_owned()
    };
    assert_eq!(
        (rules("ann").as_str(), rules("bob").as_str()),
        ("BAYES_99,PILLS", "PILLS"),
        "{}",
        suite.log_end()
    );
    suite.stop();
}

const SQLITE_TABLES: &str = "\
create table bayes_expire (id integer not null default 0, runtime integer not null default 0);
create table bayes_global_vars (variable varchar(30) primary key, value varchar(200) not null default '');
insert into bayes_global_vars values ('VERSION', '3');
create table bayes_seen (id integer not null, msgid varchar(200) not null, flag char(1) not null, primary key (id, msgid));
create table bayes_token (id integer not null, token char(5) not null, spam_count integer not null default 0,
    ham_count integer not null default 0, atime integer not null default 0, primary key (id, token));
create table bayes_vars (id integer primary key autoincrement, username varchar(200) not null unique,
    spam_count integer not null default 0, ham_count integer not null default 0, token_count integer not null default 0,
    last_expire integer not null default 0, last_atime_delta integer not null default 0,
    last_expire_reduce integer not null default 0, oldest_token_age integer not null default 2147483647,
    newest_token_age integer not null default 0);
";

/// With SQLite the original does not read all tokens as it wrote them; what it writes is the same.
#[test]
fn sqlite_holds_what_the_original_would_write() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bayes.sqlite");
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.execute_batch(SQLITE_TABLES).unwrap();
    let settings = |user: usize| {
        format!(
            "bayes_store_module Mail::SpamAssassin::BayesStore::SQL\nbayes_sql_dsn DBI:SQLite:dbname={}\n\
             bayes_sql_override_username user{user}\n",
            file.display()
        )
    };
    let content = |user: usize| -> Vec<String> {
        let of_user = format!("where id = (select id from bayes_vars where username = 'user{user}')");
        let all = format!(
            "select spam_count || ' ' || ham_count || ' ' || token_count || ' ' || oldest_token_age || ' ' || newest_token_age \
             from bayes_vars {of_user} union all select hex(token) || ' ' || typeof(token) || ' ' || spam_count || ' ' || \
             ham_count || ' ' || atime from bayes_token {of_user} union all select msgid || ' ' || flag from bayes_seen {of_user}"
        );
        let mut statement = connection.prepare(&all).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let mut lines: Vec<String> = rows.map(|row| row.unwrap()).collect();
        lines.sort();
        lines
    };
    let ours = User::ours(&settings(1));
    let original = User::original(&settings(2)).filter(|_| has_module("DBD::SQLite"));
    for (option, words, numbers) in [
        ("--spam", &SPAM_WORDS, 0..8),
        ("--ham", &HAM_WORDS, 0..8),
        ("--ham", &SPAM_WORDS, 1..3),
        ("--forget", &HAM_WORDS, 5..8),
        ("--spam", &SPAM_WORDS, 0..8),
    ] {
        let said = ours.learn(option, words, numbers.clone());
        if let Some(original) = &original {
            assert_eq!(said, original.learn(option, words, numbers));
            assert_eq!(content(1), content(2));
        }
    }
    assert!(content(1).len() > 40);
    let backup = ours.run("sa-learn", &["--backup"], "");
    fs::write(ours.path().join("backup"), &backup.text).unwrap();
    let before = content(1);
    assert_eq!(ours.run("sa-learn", &["--clear"], "").status, Some(0));
    assert!(content(1).is_empty());
    assert_eq!(ours.run("sa-learn", &["--restore", "backup"], "").status, Some(0));
    assert_eq!(content(1), before);
    let found = ours.verdicts();
    assert!(found[0].contains("BAYES_99") && found[1].contains("BAYES_00"), "{found:?}");
    if original.is_none() {
        left_out("SpamAssassin, or DBD::SQLite, is not installed");
    }
}

fn has_module(name: &str) -> bool {
    let found = Command::new("perl").args([&format!("-M{name}"), "-e1"]).stderr(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}
