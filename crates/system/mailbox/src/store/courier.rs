//! What Courier left in a Maildir, taken over where Dovecot's files are not there yet.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use sys::directory::{Directory, Links};

use super::uidlist::{self, Parsed};

/// A larger file is not looked at, bytes.
const FILE_LIMIT_BYTES: u64 = 256 * 1024 * 1024;

/// `courierimapuiddb`, with the UIDLs of `courierpop3dsizelist` as fields.
pub(crate) fn uid_list(home: &Directory) -> Option<Parsed> {
    let mut parsed = uidlist::parse(&read(home, "courierimapuiddb")?).ok()?;
    let uidls = uidls(&read(home, "courierpop3dsizelist").unwrap_or_default());
    for record in &mut parsed.records {
        if let Some(uidl) = uidls.get(&record.base) {
            record.fields = format!("P{uidl}").into();
        }
    }
    Some(parsed)
}

/// `courierimapsubscribed`: a line a folder, `INBOX.A.B`, levels parted by dots.
pub(crate) fn subscriptions(home: &Directory) -> Option<Vec<String>> {
    let text = String::from_utf8(read(home, "courierimapsubscribed")?).ok()?;
    Some(text.lines().map(|line| line.strip_prefix("INBOX.").unwrap_or(line).to_owned()).collect())
}

/// The UIDLs that Courier's POP3 server gave: after a first line `/2 ...`, lines `<name> <size> <uid>:<uidvalidity>`.
/// A message without a UID of its own had its base name as UIDL.
fn uidls(text: &[u8]) -> HashMap<Box<[u8]>, String> {
    let mut uidls = HashMap::new();
    let mut lines = text.split(|byte| *byte == b'\n');
    if !lines.next().is_some_and(|first| first.starts_with(b"/")) {
        return uidls;
    }
    for line in lines {
        let mut words = line.rsplitn(3, |byte| *byte == b' ');
        let (Some(uid), Some(_size), Some(name)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let base = super::filename::base(name);
        let uidl = match std::str::from_utf8(uid).ok().and_then(|text| text.split_once(':')) {
            Some((uid, uid_validity)) if uid_validity != "0" => format!("UID{uid}-{uid_validity}"),
            _ => String::from_utf8_lossy(base).into_owned(),
        };
        if uidl.bytes().all(|byte| (0x21..0x7f).contains(&byte)) {
            uidls.insert(base.into(), uidl);
        }
    }
    uidls
}

fn read(home: &Directory, name: &str) -> Option<Vec<u8>> {
    let file = home.open_to_read(Path::new(name), Links::Refuse).ok()?;
    let mut text = Vec::new();
    file.take(FILE_LIMIT_BYTES).read_to_end(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_uidls_and_subscriptions_are_taken_over() {
        let root = tempfile::tempdir().unwrap();
        let home = Directory::open(root.path()).unwrap();
        assert!(uid_list(&home).is_none() && subscriptions(&home).is_none());
        let write = |name: &str, text: &str| std::fs::write(root.path().join(name), text).unwrap();
        write("courierimapuiddb", "1 1000000001 8\n5 1.2.h,S=3\n7 4.5.h\n");
        write("courierpop3dsizelist", "/2 4 77\n1.2.h,S=3:2,S 3 5:77\n4.5.h 9 7:0\nx\n");
        write("courierimapsubscribed", "INBOX.Sent\nINBOX\nINBOX.a.b\n");
        let list = uid_list(&home).unwrap();
        assert_eq!((list.header.uid_validity, list.next_uid()), (1_000_000_001, 8));
        let fields: Vec<_> = list.records.iter().map(|record| (record.uid, &*record.fields)).collect();
        assert_eq!(fields, [(5, "PUID5-77"), (7, "P4.5.h")]);
        assert_eq!(subscriptions(&home).unwrap(), ["Sent", "INBOX", "a.b"]);
    }
}
