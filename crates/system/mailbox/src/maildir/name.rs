//! Names of files in a Maildir, as Postfix forms them.

use std::path::PathBuf;

use sys::directory::Facts;

/// `tmp/<delivery>.<host>`: the same at each try, so that the next finds what the last one left.
pub(super) fn temporary(delivery: &str, host: &str) -> PathBuf {
    format!("{}.{}", escape(delivery), escape(host)).into()
}

/// `new/<second>.V<device>I<inode>M<microsecond>.<host>`, the device and inode in hexadecimal.
///
/// No other file of this host can have it: two files that exist differ in device or inode, and one that has
/// an inode after another was removed was written at another microsecond.
pub(super) fn lasting(now_us: u64, file: &Facts, host: &str) -> PathBuf {
    let (second, microsecond) = (now_us / 1_000_000, now_us % 1_000_000);
    format!("{second}.V{:x}I{:x}M{microsecond}.{}", file.device, file.inode, escape(host)).into()
}

/// A `/` would lead elsewhere, a `:` begins the flags of a message.
fn escape(text: &str) -> String {
    text.replace('/', "\\057").replace(':', "\\072")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_postfix_gives() {
        let file = Facts {
            device: 0xfe00,
            inode: 0x99_21e0,
            uid: 0,
            gid: 0,
            mode: 0o600,
            links: 1,
            size: 0,
            modified: 0,
            kind: sys::directory::Kind::File,
        };
        let now_us = 1_795_313_871_211_098;
        assert_eq!(lasting(now_us, &file, "vm").to_str(), Some("1795313871.Vfe00I9921e0M211098.vm"));
        assert_eq!(temporary("1.Q2R3", "a/b:c").to_str(), Some("1.Q2R3.a\\057b\\072c"));
    }
}
