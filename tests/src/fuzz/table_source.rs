//! Sources of tables: what postmap and postalias read, and tables of patterns.
//!
//! The first byte chooses the type, the last line is the key.

use std::cell::OnceCell;

use tables::{Compile, Format, OpenTable, Options, TableName};

/// A regular expression of the C library is compiled only if it is not longer than this: time and memory grow without
/// bound with nested counts, in Postfix as here, and only the administrator can write one.
const POSIX_LIMIT_BYTES: usize = 40;

thread_local! {
    static FOLDER: OnceCell<tempfile::TempDir> = const { OnceCell::new() };
}

/// What opens can be asked, and says the same twice; what does not open says why.
pub(super) fn run(input: &[u8]) {
    let ([choice], text) = super::head(input);
    FOLDER.with(|folder| {
        let folder = folder.get_or_init(|| {
            tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
        });
        let path = folder.path().join("source").display().to_string();
        std::fs::write(&path, text).expect("write the source");
        match choice % 6 {
            0 => ask("texthash", path, text),
            1 => ask("cidr", path, text),
            2 => ask("pcre", path, text),
            3 if text.len() <= POSIX_LIMIT_BYTES => ask("regexp", path, text),
            4 => compile(Format::Map, path, text),
            5 => compile(tables::alias_format("h".to_owned()), path, text),
            _ => {}
        }
    });
}

fn compile(format: Format, path: String, text: &[u8]) {
    let table = TableName { kind: "cdb".to_owned(), name: path };
    let how = Compile { format, ..Compile::default() };
    match how.create(&table) {
        Ok(()) => ask(&table.kind, table.name, text),
        Err(trouble) => assert!(!trouble.to_string().is_empty()),
    }
}

fn ask(kind: &str, path: String, text: &[u8]) {
    let name = TableName { kind: kind.to_owned(), name: path };
    match OpenTable::open(&name, &Options::default()) {
        Ok(table) => {
            let key = text.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            for key in [key, b"user@example.com", b"192.0.2.1", b""] {
                let value = table.get(key).map_err(|trouble| trouble.to_string());
                assert_eq!(table.get(key).map_err(|trouble| trouble.to_string()), value);
            }
            let _ = table.entries(&mut |_, _| ());
        }
        Err(trouble) => assert!(!trouble.to_string().is_empty()),
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    [
        "\0user@example.com  value\n#c\n\n \"quoted key\" x\n key  more\n\tfolded\nuser@example.com",
        "\x01192.0.2.0/24 REJECT\n!2001:db8::/32 OK\nif 10.0.0.0/8\n10.1.2.3 x\nendif\n10.1.2.3",
        "\x02/^(.*)@(.*)$/i $2 ${1}x\nif !/a/\n/b/ REJECT\nendif\nab@c",
        "\x03/^a(b*)$/x $1\nif /c/\n/d/ $$\nendif\nabb",
        "\x04a b\nc  d e\n f\na b\na",
        "\x05root: postmaster, \"|cmd\", :include:/x\n\"a b\": c\n# x\nroot",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
