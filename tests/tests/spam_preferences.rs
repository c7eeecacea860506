//! Users' preferences in databases and directories of others, held against SpamAssassin's spamd with the same.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use testkit::left_out;
use tests::databases::Server;
use tests::programs::Programs;
use tests::spamd::Spamd;

const RULES: &str = "\
body PILL /\\bcheap pills\\b/i
score PILL 6.5
header __FROM_PAL From =~ /pal/
meta PAL __FROM_PAL
score PAL -0.5
use_bayes 0
use_learner 0
allow_user_rules 1
";
const SPAM: &str = "From: A Shop <shop@example.net>\nTo: you@example.com\nSubject: offer\nDate: Sun, 22 Nov 2026 10:00:00 +0000\n\
    Message-Id: <spam@example.net>\n\nCheap pills for you.\n";
const HAM: &str = "From: pal@example.net\nTo: you@example.com\nSubject: lunch\nDate: Sun, 22 Nov 2026 10:00:00 +0000\n\
    Message-Id: <ham@example.net>\n\nShall we meet at noon?\n";
/// Whose mail both judge: with rows, a domain's, with quotes and more in the name, and nobody's. Rules of users (`neill`) are not
/// among it: the original reads them, and never runs them when they come from elsewhere than a file.
const USERS: [&str; 7] =
    ["joe@example.com", "ann", "o'hara\\x", "any@example.org", "Joe@Example.com", "joe", ""];
/// Rows; the quotes are those of every kind of SQL.
const ROWS: &str = "
    insert into userpref (username, preference, value) values ('@GLOBAL', 'required_score', '6.6'), ('@GLOBAL', 'score PAL', '-3');
    insert into userpref (username, preference, value) values ('joe@example.com', 'required_score', '1'),
        ('joe@example.com', 'score PAL', '2');
    insert into userpref (username, preference, value) values ('neill', 'body NOON', '/at noon/'), ('neill', 'score NOON', '4.2');
    insert into userpref (username, preference, value) values ('%example.org', 'score PILL', '1.5'), ('neill', 'no_such_thing', '1');
    insert into userpref (username, preference, value) values ('nobody', 'score PILL', '3.25');
    ";
const MYSQL_TABLE: &str = "create table userpref (username varchar(100) NOT NULL default '', preference varchar(50) NOT NULL \
    default '', value varchar(255) NOT NULL default '', prefid int(11) NOT NULL auto_increment, PRIMARY KEY (prefid), \
    KEY username (username)) ENGINE=InnoDB;";
const POSTGRES_TABLE: &str = "create table userpref (prefid bigserial NOT NULL unique primary key, username varchar(100) NOT NULL, \
    preference varchar(50) NOT NULL, value varchar(255) NOT NULL);";

/// A spamd by hand, with the rules above and these settings.
fn started(program: &Path, settings: &str, options: &[&str]) -> Spamd {
    Spamd::with_rules(program, &format!("{RULES}{settings}\n"), options)
}

fn ours(settings: &str, options: &[&str]) -> Spamd {
    started(&Programs::ours().daemons.join("spamd"), settings, options)
}

/// `False ; -3.0 / 6.6`, with the rules; or another first line.
fn verdict(spamd: &Spamd, user: &str, message: &str) -> String {
    let user = if user.is_empty() { String::new() } else { format!("User: {user}\r\n") };
    let length = message.len();
    let request = format!("SYMBOLS SPAMC/1.5\r\n{user}Content-length: {length}\r\n\r\n{message}");
    let reply = String::from_utf8(spamd.reply(request.as_bytes())).unwrap();
    let Some((_, rest)) = reply.split_once("\r\nSpam: ") else { return reply };
    rest.trim_end().replace("\r\n\r\n", " ")
}

fn verdicts(spamd: &Spamd) -> Vec<[String; 3]> {
    let all =
        USERS.iter().map(|user| [(*user).to_owned(), verdict(spamd, user, SPAM), verdict(spamd, user, HAM)]);
    all.collect()
}

fn installed(path: &str) -> Option<PathBuf> {
    let found = Some(PathBuf::from(path)).filter(|path| path.exists());
    if found.is_none() {
        left_out(&format!("{path} is not installed"));
    }
    found
}

fn sql_settings(server: &Server) -> String {
    let Server { dsn, user, password, .. } = server;
    format!("user_scores_dsn {dsn}\nuser_scores_sql_username {user}\nuser_scores_sql_password {password}\n")
}

/// Both spamds say the same of everybody's mail; `module` is what the original needs.
fn both_agree(settings: &str, options: &[&str], module: &str) {
    let ours = verdicts(&ours(settings, options));
    let (Some(their_spamd), Some(_)) = (installed("/usr/sbin/spamd"), installed(module)) else { return };
    let original = verdicts(&started(&their_spamd, settings, options));
    assert_eq!(ours, original, "{settings}");
}

/// The usual query, one with every tag, and one in the other order.
fn queries(concat: &str) -> [String; 3] {
    let custom = |text: &str| {
        format!("user_scores_sql_custom_query SELECT preference, value FROM _TABLE_ WHERE {text}\n")
    };
    [
        String::new(),
        custom(&format!(
            "username = _USERNAME_ OR username = '@GLOBAL' OR username = {concat} OR username = _MAILBOX_ ORDER BY username ASC"
        )),
        custom("username = _USERNAME_ OR username = '@GLOBAL' ORDER BY username DESC"),
    ]
}

/// The values themselves, so that two that are equally wrong are found.
fn known_verdicts(settings: &str) {
    let ours = ours(settings, &["-x", "-q"]);
    for (user, spam, ham) in [
        ("joe@example.com", "True ; 6.5 / 1.0 PILL", "True ; 2.0 / 1.0 PAL"),
        ("ann", "False ; 6.5 / 6.6 PILL", "False ; -3.0 / 6.6 PAL"),
        ("neill", "False ; 6.5 / 6.6 PILL", "False ; 1.2 / 6.6 NOON,PAL"),
        ("", "False ; 3.2 / 6.6 PILL", "False ; -3.0 / 6.6 PAL"),
    ] {
        assert_eq!([verdict(&ours, user, SPAM), verdict(&ours, user, HAM)], [spam, ham], "{user}");
    }
}

/// A server that goes: its users have the site's rules, or nobody's; the log says it once, and in the end all is as before.
fn goes_away(mut server: Server, settings: &str, options: &[&str], failed: &str) {
    let patient = ours(settings, options);
    let strict = ours(&format!("{settings}user_scores_fallback_to_global 0\n"), options);
    let first = verdict(&patient, "joe@example.com", SPAM);
    assert_eq!(first, "True ; 6.5 / 1.0 PILL");
    assert_eq!(verdict(&strict, "joe@example.com", SPAM), first);
    server.end();
    for _ in 0..3 {
        assert_eq!(verdict(&patient, "joe@example.com", SPAM), "True ; 6.5 / 5.0 PILL");
        let refusal = verdict(&strict, "joe@example.com", SPAM);
        assert!(
            refusal.starts_with("SPAMD/1.0 69 Service Unavailable: Error fetching user preferences via "),
            "{refusal}"
        );
    }
    assert_eq!(patient.end_and_count(failed), 1);
}

#[test]
fn preferences_of_mariadb_are_those_of_the_original() {
    let Some(server) = Server::mariadb(&format!("{MYSQL_TABLE}{ROWS}")) else { return };
    let settings = sql_settings(&server);
    known_verdicts(&settings);
    for query in queries("CONCAT('%', _DOMAIN_)") {
        both_agree(
            &format!("{settings}{query}"),
            &["-x", "-q"],
            "/usr/lib/x86_64-linux-gnu/perl5/5.36/DBD/mysql.pm",
        );
    }
    goes_away(
        server,
        &settings,
        &["-x", "-q"],
        "scores from SQL database, using a global default: config: SQL error: mysql spam at ",
    );
}

#[test]
fn preferences_of_postgresql_are_those_of_the_original() {
    let Some(server) = Server::postgres(&format!("{POSTGRES_TABLE}{ROWS}")) else { return };
    let settings = sql_settings(&server);
    known_verdicts(&settings);
    for query in queries("'%'||_DOMAIN_") {
        both_agree(
            &format!("{settings}{query}"),
            &["-x", "-q"],
            "/usr/lib/x86_64-linux-gnu/perl5/5.36/DBD/Pg.pm",
        );
    }
    goes_away(
        server,
        &settings,
        &["-x", "-q"],
        "scores from SQL database, using a global default: config: SQL error: postgresql spam at ",
    );
}

const LDIF: &str = "\
dn: dc=example
objectClass: dcObject
objectClass: organization
dc: example
o: example

dn: cn=joe,dc=example
objectClass: applicationProcess
objectClass: saUser
cn: joe
uid: joe@example.com
saConfig: required_score 1
saConfig: score PAL 2

dn: cn=neill,dc=example
objectClass: applicationProcess
objectClass: saUser
cn: neill
uid: neill
saConfig: body NOON /at noon/
saConfig: score NOON 4.2

dn: cn=nobody,dc=example
objectClass: applicationProcess
objectClass: saUser
cn: nobody
uid: nobody
saConfig: score PILL 3.25
";

#[test]
fn preferences_of_a_directory_are_those_of_the_original() {
    let Some(server) = Server::openldap(LDIF) else { return };
    let Server { dsn, user, password, .. } = &server;
    let settings = format!(
        "user_scores_dsn {dsn}\nuser_scores_ldap_username {user}\nuser_scores_ldap_password {password}\n"
    );
    let options = ["-x", "--ldap-config"];
    let ours = ours(&settings, &options);
    assert_eq!(verdict(&ours, "neill", HAM), "False ; 3.7 / 5.0 NOON,PAL");
    assert_eq!(verdict(&ours, "*", HAM), "False ; -0.5 / 5.0 PAL");
    both_agree(&settings, &options, "/usr/share/perl5/Net/LDAP.pm");
    goes_away(
        server,
        &settings,
        &options,
        "scores from LDAP server, using a global default: ldap://127.0.0.1:",
    );
}
