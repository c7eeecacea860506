//! Messages that carry open files from one process to another (unix(7), SCM_RIGHTS).

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, UnixAddr, sendmsg, socketpair,
};

/// How many open files one message can carry.
pub const DESCRIPTORS_PER_MESSAGE: usize = 64;
/// What their control message takes, in words of eight bytes: a head of two, and two numbers in each.
const CONTROL_WORDS: usize = 2 + DESCRIPTORS_PER_MESSAGE / 2;

/// Two connected sockets that keep message borders and order (SOCK_SEQPACKET), closed on exec.
///
/// # Errors
/// What socketpair(2) says.
pub fn message_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?)
}

/// Sends `bytes` and open files in one message; returns how many bytes went out.
///
/// On a stream socket fewer than all may go: the files are with the first byte, send the rest without them.
///
/// # Errors
/// What sendmsg(2) says; [`io::ErrorKind::WouldBlock`] on a full non-blocking socket. Never a SIGPIPE.
pub fn send(socket: impl AsFd, bytes: &[u8], files: &[BorrowedFd<'_>]) -> io::Result<usize> {
    let raw: Vec<RawFd> = files.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    let control: &[ControlMessage<'_>] = if raw.is_empty() { &[] } else { &rights };
    let flags = MsgFlags::MSG_NOSIGNAL;
    loop {
        let parts = [IoSlice::new(bytes)];
        match sendmsg::<UnixAddr>(socket.as_fd().as_raw_fd(), &parts, control, flags, None) {
            Err(nix::Error::EINTR) => {}
            outcome => return Ok(outcome?),
        }
    }
}

/// Sends what there is room for, and never waits for more: whoever else holds the socket may have made it a blocking one.
///
/// # Errors
/// What send(2) says; [`io::ErrorKind::WouldBlock`] without room. Never a SIGPIPE.
pub fn send_at_once(socket: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
    Ok(nix::sys::socket::send(socket.as_fd().as_raw_fd(), bytes, flags)?)
}

/// What [`receive`] got.
#[derive(Debug)]
pub struct Received {
    /// How many bytes; 0 is the end.
    pub length: usize,
    /// The open files that came along, closed on exec.
    pub files: Vec<OwnedFd>,
    /// The message was longer than the buffer, or carried more files than we take: its rest is lost.
    pub truncated: bool,
}

/// Receives one message (or what a stream has) into `buffer`. Of files for which this process has no room left (`ulimit -n`) those
/// that it has room for come; what is taken has an owner in any case.
///
/// # Errors
/// What recvmsg(2) says; [`io::ErrorKind::WouldBlock`] when a non-blocking socket has nothing.
pub fn receive(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<Received> {
    let mut space = [0_u64; CONTROL_WORDS];
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: a header of zeros is one without name and parts.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    let length = loop {
        header.msg_control = space.as_mut_ptr().cast();
        header.msg_controllen = size_of_val(&space);
        // SAFETY: the header names the buffer and the space for control messages with their lengths; both outlive the call.
        let length =
            unsafe { libc::recvmsg(socket.as_fd().as_raw_fd(), &raw mut header, libc::MSG_CMSG_CLOEXEC) };
        match usize::try_from(length) {
            Ok(length) => break length,
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    };
    let truncated = header.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0;
    Ok(Received { length, files: files_of(&header), truncated })
}

/// The files of a message that has just been received.
fn files_of(header: &libc::msghdr) -> Vec<OwnedFd> {
    let mut files = Vec::new();
    // SAFETY: the kernel has filled the space for control messages up to msg_controllen, which these functions keep to; each message
    // of rights holds whole numbers of descriptors that the kernel has just made for us, and nobody else knows them.
    unsafe {
        let mut part = libc::CMSG_FIRSTHDR(header);
        while let Some(head) = part.as_ref() {
            if (head.cmsg_level, head.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
                let bytes = head.cmsg_len.saturating_sub(libc::CMSG_LEN(0) as usize);
                let numbers = libc::CMSG_DATA(part).cast::<RawFd>();
                for place in 0..bytes / size_of::<RawFd>() {
                    files.push(OwnedFd::from_raw_fd(numbers.add(place).read_unaligned()));
                }
            }
            part = libc::CMSG_NXTHDR(header, part);
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn a_full_socket_that_blocks_keeps_nobody() {
        let (one, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        let refused = loop {
            if let Err(error) = send_at_once(&one, &[0; 4096]) {
                break error;
            }
        };
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn of_too_many_files_those_come_that_there_is_room_for() {
        let (here, there) = message_pair().unwrap();
        let files = vec![here.as_fd(); DESCRIPTORS_PER_MESSAGE + 6];
        send(&here, b"files", &files).unwrap();
        let received = receive(&there, &mut [0; 16]).unwrap();
        assert_eq!((received.length, received.truncated), (5, true));
        assert_eq!(received.files.len(), DESCRIPTORS_PER_MESSAGE);
    }

    #[test]
    fn a_file_crosses_with_its_message() {
        let (here, there) = message_pair().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"hello").unwrap();
        assert_eq!(send(&here, b"job", &[file.as_fd()]).unwrap(), 3);
        let mut buffer = [0; 16];
        let mut got = receive(&there, &mut buffer).unwrap();
        assert_eq!((&buffer[..got.length], got.files.len(), got.truncated), (&b"job"[..], 1, false));
        let mut same = File::from(got.files.remove(0));
        let mut text = String::new();
        std::io::Seek::rewind(&mut same).unwrap();
        same.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
    }

    #[test]
    fn the_end_is_a_message_of_no_bytes_and_a_long_message_says_so() {
        let (here, there) = message_pair().unwrap();
        send(&here, b"longer than it fits", &[]).unwrap();
        drop(here);
        let mut buffer = [0; 4];
        assert!(receive(&there, &mut buffer).unwrap().truncated);
        assert_eq!(receive(&there, &mut buffer).unwrap().length, 0);
    }

    #[test]
    fn a_message_to_nobody_is_an_error_and_no_signal() {
        let (here, there) = message_pair().unwrap();
        drop(there);
        assert_eq!(send(&here, b"x", &[]).map_err(|error| error.kind()), Err(io::ErrorKind::BrokenPipe));
    }
}
