//! What logic is promised: order of tables, whole and partial keys, lists, troubles.
#![allow(clippy::unwrap_used)]

use lookup::{Lookup, Part, Stop, Subject};
use std::fs;
use tables::Tables;
use tempfile::TempDir;

fn find(tables: &Tables, maps: &str, key: &str) -> Option<String> {
    tables.find(maps, key, Part::Whole).unwrap().map(|found| found.value)
}

fn folder_with(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn the_first_table_that_has_the_key_answers() {
    let tables = Tables::default();
    let maps = "inline:{a=1}, inline:{ {a = 2} , {B = two words} } static:else";
    assert_eq!(find(&tables, maps, "A").as_deref(), Some("1"));
    assert_eq!(find(&tables, maps, "b").as_deref(), Some("two words"));
    assert_eq!(find(&tables, maps, "c").as_deref(), Some("else"));
    assert_eq!(find(&tables, "", "c"), None);
    let found = tables.find(maps, "b", Part::Whole).unwrap().unwrap();
    assert_eq!(found.table, "inline:{ {a = 2} , {B = two words} }");
}

#[test]
fn patterns_are_not_asked_for_parts() {
    let tables = Tables::default();
    let maps = "regexp:{{/./ any}} pcre:{{/./ any}} cidr:{{0.0.0.0/0 any}} unionmap:{regexp:{{/./ x}}}";
    assert_eq!(tables.find(maps, "example.com", Part::Partial), Ok(None));
    assert_eq!(find(&tables, maps, "example.com").as_deref(), Some("any"));
    assert!(tables.find("static:x", "example.com", Part::Partial).unwrap().is_some());
}

#[test]
fn a_table_that_fails_fails_the_lookup_that_reaches_it() {
    let tables = Tables::default();
    for broken in
        ["fail:x", "hash:/nonexistent/table", "mysql:/etc/x.cf", "nosuch:x", "/etc/virtual", "inline:{a=}"]
    {
        let maps = format!("inline:{{b=1}} {broken}");
        assert_eq!(find(&tables, &maps, "b").as_deref(), Some("1"), "{broken}");
        let failed = Err(Stop::Failed { table: broken.to_owned() });
        assert_eq!(tables.find(&maps, "a", Part::Whole), failed);
    }
}

#[test]
fn a_text_table_that_changes_is_used_at_once() {
    let folder = folder_with(&[("m", "a 1\n")]);
    let path = folder.path().join("m");
    let tables = Tables::default();
    let maps = format!("texthash:{} regexp:{}", path.display(), folder.path().join("r").display());
    assert_eq!(find(&tables, &maps, "a").as_deref(), Some("1"));
    assert!(tables.find(&maps, "b", Part::Whole).is_err(), "the regexp table is missing");
    fs::write(folder.path().join("r"), "/b/ 2\n").unwrap();
    assert_eq!(find(&tables, &maps, "b").as_deref(), Some("2"));
    let other = folder.path().join("other");
    fs::write(&other, "a 3\n").unwrap();
    fs::rename(&other, &path).unwrap();
    assert_eq!(find(&tables, &maps, "a").as_deref(), Some("3"));
    fs::remove_file(&path).unwrap();
    assert_eq!(find(&tables, &maps, "a").as_deref(), Some("3"), "an editor may be about to bring it back");
    assert_eq!(tables.out_of_date(), None);
}

#[test]
fn with_turns_a_file_is_looked_at_once_in_each() {
    let folder = folder_with(&[("m", "a 1\n")]);
    let path = folder.path().join("m");
    let (tables, maps) = (Tables::default(), format!("texthash:{}", path.display()));
    tables.new_turn();
    assert_eq!(find(&tables, &maps, "a").as_deref(), Some("1"));
    assert_eq!(find(&tables, &maps, "a").as_deref(), Some("1"));
    fs::write(&path, "a two\n").unwrap();
    assert_eq!(find(&tables, &maps, "a").as_deref(), Some("1"));
    tables.new_turn();
    assert_eq!(find(&tables, &maps, "a").as_deref(), Some("two"));
}

#[test]
fn what_is_out_of_sight_and_changes_goes_on_and_is_told() {
    for changed in ["m", "inner", "list"] {
        let folder = folder_with(&[("m", "a 1\n"), ("inner", "b 1\n"), ("list", "x.example\n")]);
        let path = |name: &str| folder.path().join(name).display().to_string();
        let maps = format!("texthash:{} unionmap:{{texthash:{}}}", path("m"), path("inner"));
        let (tables, list) = (Tables::default(), path("list"));
        tables.open_maps(&maps);
        tables.open_list(&list);
        tables.out_of_sight();
        tables.look();
        assert_eq!(tables.out_of_date(), None);
        fs::write(path(changed), "a two\nb two\n").unwrap();
        tables.look();
        assert!(tables.out_of_date().is_some_and(|table| table.contains(&path(changed))), "{changed}");
        assert_eq!(find(&tables, &maps, "a").as_deref(), Some("1"));
        assert_eq!(find(&tables, &maps, "b").as_deref(), Some("1"));
        assert_eq!(tables.listed(&list, &domain("x.example", false)), Ok(true));
    }
}

#[test]
fn another_file_of_the_same_name_is_not_the_table_out_of_sight() {
    let folder = folder_with(&[("m", "a 1\n"), ("other", "a 2\n")]);
    let path = folder.path().join("m");
    let (tables, maps) = (Tables::default(), format!("texthash:{}", path.display()));
    tables.open_maps(&maps);
    // As a copy within a chroot: the file that was opened is still the one outside.
    fs::rename(&path, folder.path().join("outside")).unwrap();
    fs::rename(folder.path().join("other"), &path).unwrap();
    tables.out_of_sight();
    assert_eq!(find(&tables, &maps, "a").as_deref(), Some("1"));
    assert_eq!(tables.out_of_date(), None);
}

fn domain<'a>(name: &'a str, parents: bool) -> Subject<'a> {
    Subject::Domain { name, parents }
}

#[test]
fn domain_lists() {
    let tables = Tables::default();
    let listed = |list: &str, subject: Subject<'_>| tables.listed(list, &subject).unwrap();
    let list = "localhost, Example.com .sub.example inline:{table.example=x, .below.example=x}";
    for (name, plain, with_parents) in [
        ("example.com", true, true),
        ("a.EXAMPLE.com", false, true),
        ("xexample.com", false, false),
        ("sub.example", false, false),
        ("a.sub.example", true, false),
        ("table.example", true, true),
        ("a.table.example", false, true),
        ("a.b.below.example", true, false),
    ] {
        assert_eq!(listed(list, domain(name, false)), plain, "{name}");
        assert_eq!(listed(list, domain(name, true)), with_parents, "{name} with parents");
    }
    assert!(!listed("!no.example.com example.com", domain("no.example.com", true)));
    assert!(listed("!!yes.example", domain("yes.example", true)));
    assert!(listed("one, TWO", Subject::Text("two")));
    assert!(!listed("", Subject::Text("two")));
}

#[test]
fn client_lists() {
    let tables = Tables::default();
    let client = |list: &str, name: &str, address: &str| {
        tables.listed(list, &Subject::Client { name, address, parents: false }).unwrap()
    };
    let list = "!10.0.0.1 10.0.0.0/8 [2001:db8::]/32 [::1] 192.0.2.7 mx.example.com cidr:{{172.16.0.0/12 x}}";
    for (name, address, expected) in [
        ("unknown", "10.0.0.1", false),
        ("unknown", "10.0.0.2", true),
        ("unknown", "2001:db8::5", true),
        ("unknown", "0:0:0:0:0:0:0:1", true),
        ("unknown", "192.0.2.7", true),
        ("unknown", "192.0.2.8", false),
        ("mx.example.com", "192.0.2.8", true),
        ("unknown", "172.31.0.1", true),
    ] {
        assert_eq!(client(list, name, address), expected, "{name} {address}");
    }
}

#[test]
fn a_bad_network_fails_clients_and_nobody_else() {
    let tables = Tables::default();
    let client = Subject::Client { name: "unknown", address: "192.0.2.1", parents: false };
    assert!(tables.listed("10.0.0.1/8", &client).is_err());
    assert_eq!(tables.listed("10.0.0.1/8", &domain("example.com", true)), Ok(false));
}

#[test]
fn lists_in_files() {
    let folder = folder_with(&[("list", "# comment\na.example b.example\n  !c.example\n"), ("loop", "")]);
    let tables = Tables::default();
    let list = format!("x.example {}", folder.path().join("list").display());
    assert!(tables.listed(&list, &domain("b.example", false)).unwrap());
    let inverted = format!("!{} c.example b.example", folder.path().join("list").display());
    assert!(!tables.listed(&inverted, &domain("b.example", false)).unwrap());
    assert!(tables.listed(&inverted, &domain("c.example", false)).unwrap());
    let looping = folder.path().join("loop").display().to_string();
    fs::write(&looping, &looping).unwrap();
    assert!(tables.listed(&looping, &domain("b.example", false)).is_err());
    fs::write(folder.path().join("list"), "new.example\n").unwrap();
    assert!(tables.listed(&list, &domain("new.example", false)).unwrap());
    assert!(tables.listed("/nonexistent/list", &domain("a", false)).is_err());
}
