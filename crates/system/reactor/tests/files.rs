//! Open files that come along with messages reach the message they belong to, at once.
#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use attributes::Attributes;
use reactor::channel::{Channel, Line, Talk};
use reactor::{EventLoop, Fate, Letter};
use sys::sockets::Socket;

/// What was received: the number in the message, and the content of its file.
type Seen = Vec<(u32, String)>;

struct Receiver;

impl Talk<Seen> for Receiver {
    const TAKES_FILES: bool = true;

    fn message(&mut self, message: Attributes, seen: &mut Seen, line: &mut Line<'_, Seen>) -> Fate {
        let mut content = String::new();
        if message.get("file").is_some() {
            File::from(line.take_file().unwrap()).read_to_string(&mut content).unwrap();
        }
        seen.push((message.parse("number").unwrap(), content));
        Fate::Keep
    }
}

struct Sender;

impl Talk<Seen> for Sender {
    fn message(&mut self, _: Attributes, _: &mut Seen, _: &mut Line<'_, Seen>) -> Fate {
        Fate::Keep
    }

    /// Sends what is in the letter: numbers, those divisible by three without a file.
    fn letter(&mut self, letter: Letter, _: &mut Seen, line: &mut Line<'_, Seen>) -> Fate {
        for number in *letter.downcast::<Vec<u32>>().unwrap() {
            let message = Attributes::new().with("number", number);
            if number % 3 == 0 {
                line.send(&message);
                continue;
            }
            let file = sys::memory_file::create("test").unwrap();
            file.write_all_at(format!("file {number}").as_bytes(), 0).unwrap();
            line.send_with(&message.with("file", 1), Arc::new(file));
        }
        Fate::Keep
    }
}

#[test]
fn messages_that_were_sent_one_by_one_and_together_arrive_in_one_turn() {
    let (here, there) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut events = EventLoop::new(1).unwrap();
    let mut seen = Seen::new();
    let sender = Channel::start(Socket::from_descriptor(here.into()).unwrap(), Sender, &mut events).unwrap();
    for number in 1..10_u32 {
        events.hand(sender, Box::new(vec![number]), &mut seen);
    }
    // More files than one system call carries.
    events.hand(sender, Box::new((10..60).collect::<Vec<u32>>()), &mut seen);
    Channel::start(Socket::from_descriptor(there.into()).unwrap(), Receiver, &mut events).unwrap();
    events.turn(&mut seen, Some(Duration::ZERO)).unwrap();
    let content =
        |number: u32| if number.is_multiple_of(3) { String::new() } else { format!("file {number}") };
    assert_eq!(seen, (1..60).map(|number| (number, content(number))).collect::<Seen>());
}
