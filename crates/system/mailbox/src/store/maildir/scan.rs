//! Reading the names in `cur/` and `new/`.

use std::io;

use sys::directory::{Directory, Kind};

/// Names of message files, one behind the other in memory.
#[derive(Debug, Default)]
pub(super) struct Names {
    bytes: Vec<u8>,
    /// Where each name ends, and whether it is in `new/`.
    ends: Vec<(usize, bool)>,
}

impl Names {
    /// Adds the names in a directory. Names that begin with a dot are no messages, nor is what is not a file.
    pub(super) fn read(&mut self, directory: &Directory, fresh: bool) -> io::Result<()> {
        directory.names(|name, kind| {
            if name.first() != Some(&b'.') && matches!(kind, None | Some(Kind::File)) {
                self.bytes.extend_from_slice(name);
                self.ends.push((self.bytes.len(), fresh));
            }
        })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], bool)> {
        let mut start = 0;
        self.ends.iter().map(move |(end, fresh)| {
            let name = &self.bytes[start..*end];
            start = *end;
            (name, *fresh)
        })
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }
}
