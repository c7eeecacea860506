//! A descriptor that is watched, let go, and watched again without having been closed.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use reactor::{EventLoop, Fate, Handler, HandlerId, Readiness};

/// Counts how often its descriptor was readable.
struct Watcher(RawFd);

impl Handler<usize> for Watcher {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.0)
    }

    fn descriptor_outlives(&self) -> bool {
        true
    }

    fn ready(&mut self, how: Readiness, count: &mut usize, _: &mut EventLoop<usize>, _: HandlerId) -> Fate {
        *count += usize::from(how.readable);
        Fate::Keep
    }
}

#[test]
fn it_is_heard_again() {
    let (here, mut there) = UnixStream::pair().unwrap();
    let mut events = EventLoop::new(1).unwrap();
    let mut count = 0;
    let first = events.add(Box::new(Watcher(here.as_raw_fd()))).unwrap();
    events.remove(first, &mut count);
    there.write_all(b"x").unwrap();
    events.add(Box::new(Watcher(here.as_raw_fd()))).unwrap();
    events.turn(&mut count, Some(Duration::from_secs(60))).unwrap();
    assert_eq!(count, 1);
}

/// Has itself removed by somebody else while it acts.
struct Leaver(RawFd);

impl Handler<usize> for Leaver {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.0)
    }

    fn ready(
        &mut self,
        _: Readiness,
        count: &mut usize,
        events: &mut EventLoop<usize>,
        me: HandlerId,
    ) -> Fate {
        events.remove(me, count);
        Fate::Keep
    }

    fn ended(&mut self, count: &mut usize, _: &mut EventLoop<usize>) {
        *count += 1;
    }
}

#[test]
fn a_handler_that_is_removed_while_it_acts_goes_once() {
    let (here, _there) = UnixStream::pair().unwrap();
    let mut events = EventLoop::new(1).unwrap();
    let mut count = 0;
    events.add(Box::new(Leaver(here.as_raw_fd()))).unwrap();
    events.turn(&mut count, Some(Duration::from_secs(60))).unwrap();
    assert_eq!((count, events.population()), (1, 0));
}
