//! With a file of SQLite; servers are asked in tests/tests/spam_stores.rs.

use databases::Limits;

use super::*;
use crate::expiry::{Expired, Expiry};

const TABLES: &str = "
    create table bayes_global_vars (variable varchar(30) primary key, value varchar(200) not null);
    insert into bayes_global_vars values ('VERSION', '3');
    create table bayes_seen (id integer not null, msgid varchar(200) not null, flag char(1) not null, primary key (id, msgid));
    create table bayes_token (id integer not null, token char(5) not null, spam_count integer not null,
        ham_count integer not null, atime integer not null, primary key (id, token));
    create table bayes_vars (id integer primary key, username varchar(200) not null unique,
        spam_count integer not null default 0, ham_count integer not null default 0, token_count integer not null default 0,
        last_expire integer not null default 0, last_atime_delta integer not null default 0,
        last_expire_reduce integer not null default 0, oldest_token_age integer not null default 2147483647,
        newest_token_age integer not null default 0);
";
const A: Token = *b"a\0\xe2\x82\xac";
const B: Token = *b"o'x\\1";

struct Place {
    server: Arc<SqlServer>,
    folder: tempfile::TempDir,
}

impl Place {
    fn new(statements: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dsn = format!("DBI:SQLite:dbname={}", folder.path().join("db").display());
        let settings = BayesStore { module: "SQL".to_owned(), dsn, ..BayesStore::default() };
        let server = Arc::new(SqlServer::new(&settings, "").unwrap());
        let mut connection = Connection::open(server.pool.source(), Limits::default()).unwrap();
        connection.batch(statements).unwrap();
        Self { server, folder }
    }

    fn joe(&self) -> SqlUser {
        self.server.user("joe")
    }
}

fn lesson(tokens: &[Token], class: Class, by: i64) -> [Change; 3] {
    [
        Change::Messages { class, by },
        Change::Tokens { tokens: tokens.to_vec(), class, by, used: if by > 0 { 7 } else { 0 } },
        Change::Message { id: "m'1".into(), class: (by > 0).then_some(class) },
    ]
}

fn backup_of(user: &SqlUser) -> String {
    let mut written = Vec::new();
    crate::bayes::Bayes::Sql(user.clone()).backup(&mut written).unwrap();
    String::from_utf8(written).unwrap()
}

#[test]
fn what_is_learned_shows_and_is_forgotten() {
    let place = Place::new(TABLES);
    let joe = place.joe();
    assert_eq!((joe.tally(), joe.tokens(&[A])), (Some(Tally::default()), vec![None]));
    joe.apply(&lesson(&[A, B], Class::Spam, 1)).unwrap();
    joe.apply(&lesson(&[A], Class::Ham, 1)).unwrap();
    let counts = |spam, ham, used| Some(TokenCounts { spam, ham, used });
    assert_eq!(joe.tokens(&[B, *b"other", A]), [counts(1, 0, 7), None, counts(1, 1, 7)]);
    assert_eq!((joe.tally(), joe.learned_as("m'1")), (Some(Tally { spam: 1, ham: 1 }), Some(Class::Ham)));
    joe.apply(&[Change::Used { tokens: vec![A], used: 9 }]).unwrap();
    assert_eq!(joe.tokens(&[A, B]), [counts(1, 1, 9), counts(1, 0, 7)]);
    let facts = joe.facts().unwrap();
    assert_eq!((facts.tokens, facts.oldest, facts.newest), (2, 7, 9));
    // Another user knows nothing of it, and no count falls below zero.
    assert_eq!(place.server.user("ann").tokens(&[A]), [None]);
    for _ in 0..2 {
        joe.apply(&lesson(&[A, B], Class::Spam, -1)).unwrap();
    }
    assert_eq!(joe.tokens(&[A, B]), [counts(0, 1, 9), None]);
    assert_eq!((joe.tally(), joe.facts().unwrap().tokens), (Some(Tally { spam: 0, ham: 1 }), 1));
    assert_eq!(joe.learned_as("m'1"), None);
    joe.clear().unwrap();
    assert_eq!((joe.tally(), joe.facts().unwrap().tokens), (Some(Tally::default()), 0));
}

#[test]
fn a_backup_comes_back_and_a_bad_one_changes_nothing() {
    let place = Place::new(TABLES);
    let joe = place.joe();
    let text = "v\t3\tdb_version # this must be the first line!!!\nv\t12\tnum_spam\nv\t34\tnum_nonspam\n\
        t\t1\t2\t50\t0001020304\nt\t3\t0\t60\t0001020305\ns\th\ta@example.com\ns\ts\tb@sa_generated\n";
    assert_eq!(joe.restore(&mut text.as_bytes(), 1_000).unwrap(), 2);
    assert_eq!(backup_of(&joe), text);
    let twice = format!("{text}t\t1\t0\t70\t0001020304\ns\ts\ta@example.com\n");
    for bad in ["nonsense\n", "v\t3\tdb_version\nv\t1\tnum_spam\nt\t9\t9\t9\t0909090909\n"] {
        assert!(joe.restore(&mut bad.as_bytes(), 1_000).is_err());
        assert_eq!(backup_of(&joe), text);
    }
    assert_eq!(joe.restore(&mut twice.as_bytes(), 1_000).unwrap(), 2);
    assert_eq!(joe.tokens(&[[0, 1, 2, 3, 4]])[0].map(|counts| (counts.spam, counts.used)), Some((2, 70)));
    assert_eq!(joe.learned_as("a@example.com"), Some(Class::Spam));
}

#[test]
fn old_tokens_go_and_new_ones_stay() {
    let place = Place::new(TABLES);
    let joe = place.joe();
    let token = |number: u32| {
        let [a, b, c, d] = number.to_be_bytes();
        [a, b, c, d, 1]
    };
    let learn = |tokens: Vec<Token>, used| {
        joe.apply(&[Change::Tokens { tokens, class: Class::Spam, by: 1, used }]).unwrap();
    };
    learn((0..2_000).map(token).collect(), 1_000);
    learn((2_000..102_500).map(token).collect(), 1_000_000);
    let expiry = Expiry { limit: 1_000, now: 1_000_000, force: false };
    assert_eq!(joe.expire(expiry).unwrap(), Expired { kept: 100_500, deleted: 2_000 });
    assert_eq!(joe.tokens(&[token(5), token(5_000)]).iter().flatten().count(), 1);
    let facts = joe.facts().unwrap();
    assert_eq!((facts.tokens, facts.oldest, facts.last_expiry), (100_500, 1_000_000, 1_000_000));
    assert_eq!(joe.expire(expiry).unwrap(), Expired { kept: 100_500, deleted: 0 });
}

#[test]
fn tables_that_are_missing_or_of_another_version_are_named() {
    let refused = |statements: &str| {
        let place = Place::new(statements);
        assert_eq!((place.joe().tally(), place.joe().tokens(&[A])), (None, vec![None]));
        place.joe().counted().unwrap_err().to_string()
    };
    assert!(refused("create table other (x)").contains("bayes_global_vars"));
    let old = TABLES.replace("'3'", "'2'");
    assert!(refused(&old).contains("names version \"2\": only 3 is known"));
    let place = Place::new(TABLES);
    let joe = place.joe();
    let name = joe.name();
    drop(place.folder);
    assert!(joe.apply(&lesson(&[A], Class::Spam, 1)).is_err());
    assert!(name.ends_with("/db, user joe"), "{name}");
}

#[test]
fn data_is_that_of_whom_the_settings_name() {
    let settings = BayesStore { dsn: "DBI:SQLite:dbname=/x".to_owned(), ..BayesStore::default() };
    let name =
        |settings: &BayesStore, user: &str| Arc::new(SqlServer::new(settings, "").unwrap()).user(user).name;
    assert_eq!((name(&settings, "joe"), name(&settings, "")), ("joe".to_owned(), NOBODY.to_owned()));
    let one = BayesStore { override_username: "all".to_owned(), ..settings.clone() };
    assert_eq!(name(&one, "joe"), "all");
    let authorized = BayesStore { username_authorized: true, ..settings };
    assert!(matches!(SqlServer::new(&authorized, ""), Err(Trouble::Authorized)));
}
