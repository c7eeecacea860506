//! Room to write is watched for while somebody waits for it, and only then.
#![allow(clippy::unwrap_used)]

use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use attributes::Attributes;
use reactor::channel::{Channel, Line, Send, Talk};
use reactor::{EventLoop, Fate, Handler, HandlerId, Letter, Readiness};
use sys::sockets::Socket;

/// Fills its socket when a letter comes, and counts how often it may write again.
struct Filler {
    socket: Socket,
    waits: bool,
}

/// A letter: fill the socket, and wait for room or not.
struct Fill {
    and_wait: bool,
}

impl Handler<usize> for Filler {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.socket.as_raw_fd())
    }

    fn waits_to_write(&self) -> bool {
        self.waits
    }

    fn ready(&mut self, how: Readiness, rooms: &mut usize, _: &mut EventLoop<usize>, _: HandlerId) -> Fate {
        *rooms += usize::from(how.writable);
        Fate::Keep
    }

    fn letter(&mut self, letter: Letter, _: &mut usize, _: &mut EventLoop<usize>, _: HandlerId) -> Fate {
        self.waits = letter.downcast::<Fill>().unwrap().and_wait;
        while self.socket.write(&[0; 4096]).is_ok() {}
        Fate::Keep
    }
}

fn pair() -> (Socket, UnixStream) {
    let (ours, peer) = UnixStream::pair().unwrap();
    peer.set_nonblocking(true).unwrap();
    (Socket::from_descriptor(OwnedFd::from(ours)).unwrap(), peer)
}

fn read_all(peer: &mut UnixStream) -> usize {
    let mut block = [0; 65536];
    let mut count = 0;
    while let Ok(length) = peer.read(&mut block) {
        count += length;
    }
    count
}

#[test]
fn only_who_waits_is_told_of_room() {
    let (socket, mut peer) = pair();
    let mut events = EventLoop::new(1).unwrap();
    let filler = events.add(Box::new(Filler { socket, waits: false })).unwrap();
    let mut rooms = 0;
    for (and_wait, wanted) in [(false, 0), (true, 1), (false, 1), (true, 2)] {
        events.hand(filler, Box::new(Fill { and_wait }), &mut rooms);
        events.turn(&mut rooms, Some(Duration::ZERO)).unwrap();
        assert!(read_all(&mut peer) > 0);
        events.turn(&mut rooms, Some(Duration::ZERO)).unwrap();
        assert_eq!(rooms, wanted, "waits: {and_wait}");
    }
}

#[test]
fn room_that_came_before_it_was_waited_for_is_told() {
    let (socket, _peer) = pair();
    let mut events = EventLoop::new(1).unwrap();
    let empty = Filler { socket, waits: true };
    events.add(Box::new(empty)).unwrap();
    let mut rooms = 0;
    events.turn(&mut rooms, Some(Duration::ZERO)).unwrap();
    assert_eq!(rooms, 1);
}

/// Says nothing by itself.
struct Silent;

impl Talk<usize> for Silent {
    fn message(&mut self, _: Attributes, _: &mut usize, _: &mut Line<'_, usize>) -> Fate {
        Fate::Keep
    }

    fn ended(&mut self, ended: &mut usize, _: &mut EventLoop<usize>) {
        *ended += 1;
    }
}

#[test]
fn more_than_the_socket_holds_arrives_in_the_end() {
    let (socket, mut peer) = pair();
    let mut events = EventLoop::new(1).unwrap();
    let channel = Channel::start(socket, Silent, &mut events).unwrap();
    let message = Attributes::new().with("text", "x".repeat(4 << 20));
    let (mut arrived, mut ended) = (0, 0);
    for _ in 0..2 {
        events.hand(channel, Box::new(Send(message.clone())), &mut ended);
        let wanted = arrived + message.to_bytes().len();
        while arrived < wanted {
            let count = read_all(&mut peer);
            assert!(count > 0, "stuck at {arrived} of {wanted} bytes");
            arrived += count;
            events.turn(&mut ended, Some(Duration::ZERO)).unwrap();
        }
    }
    assert_eq!(ended, 0);
}
