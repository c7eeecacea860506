//! Files without a disk (memfd_create(2)), for content that one process hands to another.

use std::fs::File;
use std::io;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

/// An empty file in memory, closed on exec. It lives as long as somebody has it open; `name` shows in /proc only.
///
/// # Errors
/// As memfd_create(2).
pub fn create(name: &str) -> io::Result<File> {
    Ok(File::from(memfd_create(name, MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?))
}

/// Nobody can write to a file made by [`create`] any more, through whichever descriptor: what is read from now on stays.
///
/// # Errors
/// As fcntl(2) for F_ADD_SEALS.
pub fn seal(file: &File) -> io::Result<()> {
    fcntl(file, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_WRITE))?;
    Ok(())
}

/// Is it a file made by [`create`] that was sealed?
pub fn is_sealed(file: &File) -> bool {
    let seals = fcntl(file, FcntlArg::F_GET_SEALS).map(SealFlag::from_bits_truncate);
    seals.is_ok_and(|seals| seals.contains(SealFlag::F_SEAL_WRITE))
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

    #[test]
    fn what_is_sealed_stays_as_it_is_for_everybody() {
        let file = super::create("message").unwrap();
        let other = file.try_clone().unwrap();
        file.write_all_at(b"content", 0).unwrap();
        assert!(!super::is_sealed(&file));
        super::seal(&file).unwrap();
        assert!(super::is_sealed(&other) && !super::is_sealed(&tempfile::tempfile().unwrap()));
        assert!(other.write_all_at(b"C", 0).is_err());
        let mut content = [0; 7];
        other.read_exact_at(&mut content, 0).unwrap();
        assert_eq!(&content, b"content");
    }
}
