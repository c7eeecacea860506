//! postmap killed at any moment leaves the old index whole, or the new one.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tables::{OpenTable, Options, TableName};

const ENTRIES: usize = 20_000;

fn write_source(path: &Path, value: &str) {
    let text: String = (0..ENTRIES).map(|number| format!("key{number} {value}\n")).collect();
    fs::write(path, text).unwrap();
}

fn postmap(folder: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_postmap"))
        .args(["-c", ".", "lmdb:m"])
        .current_dir(folder)
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Every value of the index; one only, if it is whole.
fn values(source: &Path) -> Vec<String> {
    let name = TableName { kind: "lmdb".to_owned(), name: source.to_str().unwrap().to_owned() };
    let mut values = Vec::new();
    let mut count = 0;
    let table = OpenTable::open(&name, &Options::default()).unwrap();
    table
        .entries(&mut |_, value| {
            count += 1;
            let value = String::from_utf8_lossy(value).into_owned();
            if !values.contains(&value) {
                values.push(value);
            }
        })
        .unwrap();
    assert_eq!(count, ENTRIES);
    values
}

#[test]
fn a_killed_postmap_leaves_a_whole_index() {
    let folder = tempfile::tempdir().unwrap();
    let (source, new) = (folder.path().join("m"), folder.path().join("m.lmdb.new"));
    fs::write(folder.path().join("main.cf"), "compatibility_level = 3.6\n").unwrap();
    write_source(&source, "old");
    assert!(postmap(folder.path()).wait().unwrap().success());
    let mut last = "old".to_owned();
    for round in 0..20u64 {
        let next = format!("value{round}");
        write_source(&source, &next);
        let mut child = postmap(folder.path());
        // Killed when the new file has grown to another size each time, or when it is through.
        let size = || fs::metadata(&new).map_or(0, |metadata| metadata.len());
        while size() < round * 64 * 1024 && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let values = values(&source);
        assert!(values == [last.clone()] || values == [next.clone()], "{values:?} in round {round}");
        last = values[0].clone();
    }
    assert!(postmap(folder.path()).wait().unwrap().success());
    assert!(!new.exists());
}
