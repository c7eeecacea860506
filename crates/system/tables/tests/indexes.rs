//! Indexes: made, changed, replaced under a running reader, stale, broken, and those of Postfix.
#![allow(clippy::unwrap_used)]

use lookup::{Lookup, Part};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tables::{Compile, Duplicates, Format, OpenTable, Options, Staleness, TableName, Tables, Trouble};
use tempfile::TempDir;

/// A folder with the source `m`.
struct Place {
    folder: TempDir,
}

impl Place {
    fn with(source: &str) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        place.write(source);
        place
    }

    fn source(&self) -> PathBuf {
        self.folder.path().join("m")
    }

    fn index(&self, extension: &str) -> PathBuf {
        self.folder.path().join(format!("m.{extension}"))
    }

    fn write(&self, source: &str) {
        fs::write(self.source(), source).unwrap();
    }

    fn name(&self, kind: &str) -> TableName {
        TableName { kind: kind.to_owned(), name: self.source().to_str().unwrap().to_owned() }
    }

    fn make(&self, kind: &str) {
        Compile::default().create(&self.name(kind)).unwrap();
    }

    fn entries(&self, kind: &str) -> Vec<String> {
        let mut all = Vec::new();
        let table = OpenTable::open(&self.name(kind), &Options::default()).unwrap();
        table
            .entries(&mut |key, value| {
                all.push(format!("{}={}", String::from_utf8_lossy(key), String::from_utf8_lossy(value)));
            })
            .unwrap();
        all
    }

    fn trouble(&self, kind: &str) -> Trouble {
        OpenTable::open(&self.name(kind), &Options::default()).err().unwrap()
    }
}

fn find(tables: &Tables, maps: &TableName, key: &str) -> Option<String> {
    tables.find(&maps.to_string(), key, Part::Whole).unwrap().map(|found| found.value)
}

fn make_older(path: &Path) {
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
}

#[test]
fn every_indexed_type_answers_what_its_source_says() {
    for kind in ["lmdb", "hash", "btree", "cdb"] {
        let place = Place::with("# comment\nB@Example.com  two  words \na 1,\n  2\na 3\nbad\n");
        place.make(kind);
        let table = OpenTable::open(&place.name(kind), &Options::default()).unwrap();
        let get =
            |key: &str| table.get(key.as_bytes()).unwrap().map(|value| String::from_utf8(value).unwrap());
        assert_eq!(get("b@example.com").as_deref(), Some("two  words"), "{kind}");
        assert_eq!(get("A").as_deref(), Some("1,  2"), "{kind}");
        assert_eq!(get("bad"), None, "{kind}");
        assert_eq!(get(""), None, "{kind}");
    }
}

#[test]
fn an_index_made_by_postfix_is_read() {
    let place = Place::with("");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/postfix-3.7.lmdb"), place.index("lmdb"))
        .unwrap();
    assert_eq!(place.entries("hash"), ["info@example.com=a, b", "user@example.com=example.com/user/"]);
}

#[test]
fn a_new_index_is_used_at_once_and_so_are_changes_within_it() {
    let place = Place::with("a 1\n");
    let (name, tables) = (place.name("hash"), Tables::default());
    assert!(tables.find(&name.to_string(), "a", Part::Whole).is_err(), "there is no index yet");
    place.make("hash");
    assert_eq!(find(&tables, &name, "a").as_deref(), Some("1"));
    place.write("a 2\n");
    place.make("hash");
    assert_eq!(find(&tables, &name, "a").as_deref(), Some("2"));
    Compile::default().add(&name, &b"b 3\na 9\n"[..]).unwrap();
    assert_eq!(find(&tables, &name, "b").as_deref(), Some("3"));
    assert_eq!(find(&tables, &name, "a").as_deref(), Some("2"), "the first entry stays");
    Compile { duplicates: Duplicates::Replace, ..Compile::default() }.add(&name, &b"a 9\n"[..]).unwrap();
    assert_eq!(find(&tables, &name, "a").as_deref(), Some("9"));
    assert_eq!(tables::delete(&name, &[b"A".to_vec(), b"none".to_vec()], &Options::default()).unwrap(), 1);
    assert_eq!(find(&tables, &name, "a"), None);
}

#[test]
fn an_index_that_grows_beyond_what_was_mapped_is_followed() {
    let place = Place::with("a 1\n");
    place.make("lmdb");
    let (name, tables) = (place.name("lmdb"), Tables::default());
    assert_eq!(find(&tables, &name, "a").as_deref(), Some("1"));
    let value = "x".repeat(1000);
    let many: String = (0..40_000).map(|number| format!("k{number} {value}\n")).collect();
    Compile::default().add(&name, many.as_bytes()).unwrap();
    assert_eq!(find(&tables, &name, "k39999"), Some(value));
}

#[test]
fn a_failure_leaves_the_old_index() {
    let place = Place::with("a 1\n");
    place.make("lmdb");
    place.write(&format!("a 2\n{} 3\n", "k".repeat(600)));
    let trouble = Compile::default().create(&place.name("lmdb")).unwrap_err();
    assert!(trouble.to_string().contains("MDB_BAD_VALSIZE"), "{trouble}");
    assert_eq!(place.entries("lmdb"), ["a=1"]);
    assert!(!place.index("lmdb.new").exists());
}

#[test]
fn what_a_crash_has_left_is_used_again() {
    let place = Place::with("a 1\n");
    fs::write(place.index("lmdb.new"), "half of something").unwrap();
    place.make("lmdb");
    assert_eq!(place.entries("lmdb"), ["a=1"]);
    assert!(!place.index("lmdb.new").exists());
}

#[test]
fn modes_follow_the_source_and_then_stay() {
    let place = Place::with("a 1\n");
    let mode = || fs::metadata(place.index("lmdb")).unwrap().mode() & 0o777;
    fs::set_permissions(place.source(), fs::Permissions::from_mode(0o640)).unwrap();
    place.make("lmdb");
    assert_eq!(mode(), 0o640);
    fs::set_permissions(place.index("lmdb"), fs::Permissions::from_mode(0o604)).unwrap();
    place.make("lmdb");
    assert_eq!(mode(), 0o604);
    fs::remove_file(place.index("lmdb")).unwrap();
    Compile { inherit_mode: false, ..Compile::default() }.create(&place.name("lmdb")).unwrap();
    assert_eq!(mode(), 0o644);
}

#[test]
fn a_link_to_an_index_stays_a_link() {
    let place = Place::with("a 1\n");
    place.make("lmdb");
    let elsewhere = place.folder.path().join("elsewhere");
    fs::rename(place.index("lmdb"), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, place.index("lmdb")).unwrap();
    place.write("a 2\n");
    place.make("lmdb");
    assert!(fs::symlink_metadata(place.index("lmdb")).unwrap().is_symlink());
    assert_eq!(place.entries("lmdb"), ["a=2"]);
}

#[test]
fn a_broken_index_is_a_trouble_with_a_remedy() {
    let place = Place::with("a 1\n");
    place.make("lmdb");
    let whole = fs::read(place.index("lmdb")).unwrap();
    for broken in [&b"zzz"[..], &whole[..whole.len() - 4096], &[]] {
        fs::write(place.index("lmdb"), broken).unwrap();
        let trouble = place.trouble("lmdb");
        assert!(matches!(trouble, Trouble::CorruptLmdb { .. }), "{trouble}");
        assert!(trouble.remedy().starts_with("make it anew with \"postmap lmdb:/"), "{}", trouble.remedy());
    }
    fs::remove_file(place.index("lmdb")).unwrap();
    let trouble = place.trouble("hash");
    assert!(trouble.to_string().ends_with("/m.db: No such file or directory"), "{trouble}");
    assert!(trouble.remedy().starts_with("make it with \"postmap hash:/"), "{}", trouble.remedy());
}

#[test]
fn a_table_of_berkeley_db_is_read_from_its_source() {
    let place = Place::with("A 1\n");
    fs::write(place.index("db"), "Berkeley").unwrap();
    let (name, tables) = (place.name("hash"), Tables::default());
    assert_eq!(find(&tables, &name, "a").as_deref(), Some("1"));
    place.write("A two\n");
    assert_eq!(find(&tables, &name, "a").as_deref(), Some("two"));
    place.write("A 3\n");
    place.make("hash");
    place.write("A 4\n");
    assert_eq!(find(&tables, &name, "a").as_deref(), Some("3"));
    fs::remove_file(place.index("lmdb")).unwrap();
    fs::remove_file(place.source()).unwrap();
    assert!(matches!(place.trouble("btree"), Trouble::OnlyBerkeley { kind: "btree", .. }));
    assert!(matches!(place.trouble("lmdb"), Trouble::OpenDatabase { .. }), "lmdb: has nothing to do with it");
}

fn rebuilt(place: &Place, kind: &str) -> Vec<Staleness> {
    let named = format!("static:x, proxy:{}", place.name(kind));
    let rebuilt = tables::rebuild_stale(&named, &Compile::default(), "h");
    rebuilt
        .into_iter()
        .map(|rebuilt| {
            rebuilt.outcome.unwrap();
            rebuilt.staleness
        })
        .collect()
}

#[test]
fn stale_indexes_are_made_anew_and_others_left_alone() {
    for kind in ["hash", "lmdb", "cdb"] {
        let place = Place::with("a 1\n");
        assert_eq!(rebuilt(&place, kind), [], "no index, so nobody wants one");
        place.make(kind);
        assert_eq!(rebuilt(&place, kind), [], "{kind}");
        place.write("a 2\n");
        let index = place.index(if kind == "cdb" { "cdb" } else { "lmdb" });
        make_older(&index);
        assert_eq!(rebuilt(&place, kind), [Staleness::OlderThanSource], "{kind}");
        let table = OpenTable::open(&place.name(kind), &Options::default()).unwrap();
        assert_eq!(table.get(b"a").unwrap().as_deref(), Some(&b"2"[..]), "{kind}");
    }
    let place = Place::with("a 1\n");
    fs::write(place.index("db"), "Berkeley").unwrap();
    assert_eq!(rebuilt(&place, "btree"), [Staleness::OnlyBerkeley]);
    assert_eq!(place.entries("btree"), ["a=1"]);
}

#[test]
fn alias_tables_stay_alias_tables() {
    let source = "Root: joe, \"|prog x\"\n";
    let aliases = Compile { format: Format::Aliases { host: "h".to_owned(), time: 7 }, ..Compile::default() };
    let place = Place::with(source);
    aliases.create(&place.name("hash")).unwrap();
    let expected = ["@=@", "YP_LAST_MODIFIED=7", "YP_MASTER_NAME=h", "root=joe, \"|prog x\""];
    assert_eq!(place.entries("hash"), expected);
    make_older(&place.index("lmdb"));
    assert_eq!(rebuilt(&place, "hash"), [Staleness::OlderThanSource]);
    assert!(place.entries("hash").contains(&"root=joe, \"|prog x\"".to_owned()));

    let place = Place::with(source);
    fs::write(place.index("db"), "...YP_LAST_MODIFIED...").unwrap();
    let tables = Tables::default();
    assert_eq!(find(&tables, &place.name("hash"), "root").as_deref(), Some("joe, \"|prog x\""));
}

#[test]
fn two_indexes_at_a_time_are_both_whole() {
    let place = Place::with("a 1\n");
    let name = place.name("lmdb");
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| (0..50).for_each(|_| Compile::default().create(&name).unwrap()));
        }
    });
    assert_eq!(place.entries("lmdb"), ["a=1"]);
}
