//! Files without a disk (memfd_create(2)), for content that one process hands to another.

use std::fs::File;
use std::io;

use nix::sys::memfd::{MFdFlags, memfd_create};

/// An empty file in memory, closed on exec. It lives as long as somebody has it open; `name` shows in /proc only.
///
/// # Errors
/// As memfd_create(2).
pub fn create(name: &str) -> io::Result<File> {
    Ok(File::from(memfd_create(name, MFdFlags::MFD_CLOEXEC)?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    #[test]
    fn what_is_written_is_read() {
        let file = super::create("message").unwrap();
        file.write_all_at(b"content", 0).unwrap();
        let mut content = [0; 7];
        file.read_exact_at(&mut content, 0).unwrap();
        assert_eq!(&content, b"content");
    }
}
