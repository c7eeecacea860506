//! Tables of other types than hash: under running daemons.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rusqlite::Connection;
use tests::{Builder, Suite};

const LETTER: &str = "Subject: types\n\nHello\n";

/// A database of users in a folder of its own, and the file that says how to ask it.
fn write_database(suite: &Suite, journal: &str) -> Connection {
    let folder = suite.root().join("database");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let path = folder.join("users.db");
    let database = Connection::open(&path).unwrap();
    database.pragma_update(None, "journal_mode", journal).unwrap();
    database
        .execute_batch("CREATE TABLE users(address TEXT, path TEXT); INSERT INTO users VALUES('user@example.com', 'user/')")
        .unwrap();
    let query = format!("dbpath = {}\nquery = SELECT path FROM users WHERE address = '%s'\n", path.display());
    fs::write(suite.config().join("users.cf"), query).unwrap();
    for file in fs::read_dir(&folder).unwrap().flatten() {
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o666)).unwrap();
    }
    database
}

fn mailboxes_are_found_in_a_database(journal: &str) {
    let suite =
        Builder::new().example_com().main("virtual_mailbox_maps = sqlite:$config_directory/users.cf").write();
    let database = write_database(&suite, journal);
    suite.start();
    suite.send("s@x.example", &["user@example.com"], LETTER);
    suite.wait_messages("user/", 1);
    let mut client = suite.connect();
    client.ehlo();
    client.expect("MAIL FROM:<s@x.example>", 250);
    client.expect("RCPT TO:<new@example.com>", 550);
    client.expect("RCPT TO:<o'x@example.com>", 550);
    database.execute("INSERT INTO users VALUES('new@example.com', 'new/')", []).unwrap();
    client.expect("RCPT TO:<new@example.com>", 250);
    client.data(LETTER);
    client.quit();
    suite.wait_messages("new/", 1);
    suite.stop();
}

#[test]
fn a_database_with_a_rollback_journal() {
    mailboxes_are_found_in_a_database("DELETE");
}

#[test]
fn a_database_with_a_write_ahead_log() {
    mailboxes_are_found_in_a_database("WAL");
}

#[test]
fn a_pattern_may_not_make_a_path_out_of_an_address() {
    let suite = Builder::new()
        .example_com()
        .main(
            "virtual_mailbox_maps = regexp:$config_directory/patterns\nalias_maps = regexp:$config_directory/names\nlocal_recipient_maps =",
        )
        .write();
    fs::write(suite.config().join("patterns"), "/^(.*)@example\\.com$/ $1/\n").unwrap();
    fs::write(suite.config().join("names"), "/^list-(.*)$/ $1@example.com\n").unwrap();
    suite.start();
    for (address, agent, table, kind) in [
        ("user@example.com", "virtual[", "patterns", "regexp"),
        ("list-x@mx.test.example", "local[", "names", "regexp"),
    ] {
        let id = suite.send("s@x.example", &[address], LETTER);
        let path = suite.config().join(table);
        let complaint = format!(
            "warning: {kind} map {}, line 1: regular expression substitution is not allowed: skipping this rule",
            path.display()
        );
        suite.wait_log(&[agent, &complaint]);
        suite.wait_log(&[&id, "dsn=5.1.1", "status=bounced"]);
    }
    suite.stop();
}
