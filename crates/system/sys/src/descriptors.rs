//! Messages that carry open files from one process to another (unix(7), SCM_RIGHTS).

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixAddr, recvmsg,
    sendmsg, socketpair,
};

/// How many open files one message can carry.
pub const DESCRIPTORS_PER_MESSAGE: usize = 64;

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

/// Receives one message (or what a stream has) into `buffer`.
///
/// # Errors
/// What recvmsg(2) says; [`io::ErrorKind::WouldBlock`] when a non-blocking socket has nothing.
pub fn receive(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<Received> {
    let mut space = nix::cmsg_space!([RawFd; DESCRIPTORS_PER_MESSAGE]);
    loop {
        let mut parts = [IoSliceMut::new(buffer)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let message =
            match recvmsg::<UnixAddr>(socket.as_fd().as_raw_fd(), &mut parts, Some(&mut space), flags) {
                Err(nix::Error::EINTR) => continue,
                outcome => outcome?,
            };
        let mut files = Vec::new();
        for part in message.cmsgs()? {
            if let ControlMessageOwned::ScmRights(raw) = part {
                files.extend(raw.into_iter().map(own));
            }
        }
        let truncated = message.flags.intersects(MsgFlags::MSG_TRUNC | MsgFlags::MSG_CTRUNC);
        return Ok(Received { length: message.bytes, files, truncated });
    }
}

#[allow(unsafe_code)]
fn own(raw: RawFd) -> OwnedFd {
    // SAFETY: the kernel has just made this descriptor for us in recvmsg(2); nobody else knows it.
    unsafe { OwnedFd::from_raw_fd(raw) }
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
