//! Reading into room that nobody has filled before.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// Appends to `out` what one read of at most `limit_bytes` at `offset` of a file brings, and returns how much that is; 0 is the
/// end. The room for it is not filled with zeros first, as a slice to read into would have to be.
///
/// # Errors
/// As pread(2), but for `EINTR`; nothing is appended then.
pub fn append_at(file: &File, offset: u64, limit_bytes: usize, out: &mut Vec<u8>) -> io::Result<usize> {
    let offset = libc::off_t::try_from(offset).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    out.reserve(limit_bytes);
    let room = &mut out.spare_capacity_mut()[..limit_bytes];
    let count = loop {
        // SAFETY: pread(2) writes at most `room.len()` bytes into `room`, which is ours to write and needs no value before.
        let count = unsafe { libc::pread(file.as_raw_fd(), room.as_mut_ptr().cast(), room.len(), offset) };
        match usize::try_from(count) {
            Ok(count) => break count,
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    };
    let length = out.len() + count;
    // SAFETY: pread(2) has filled the first `count` bytes behind the old length, and there is room for them.
    unsafe { out.set_len(length) };
    Ok(count)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_a_file_holds_comes_behind_what_is_there() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let mut out = b"x".to_vec();
        assert_eq!(append_at(&file, 2, 3, &mut out).unwrap(), 3);
        assert_eq!(append_at(&file, 8, 100, &mut out).unwrap(), 2);
        assert_eq!(append_at(&file, 10, 100, &mut out).unwrap(), 0);
        assert_eq!(append_at(&file, 3, 0, &mut out).unwrap(), 0);
        assert_eq!(out, b"x23489");
    }

    #[test]
    fn a_failure_leaves_everything_as_it_was() {
        let directory = File::open("/").unwrap();
        let mut out = b"x".to_vec();
        assert!(append_at(&directory, 0, 10, &mut out).is_err());
        assert_eq!(out, b"x");
    }
}
