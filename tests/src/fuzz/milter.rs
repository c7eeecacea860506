//! Whole connections of mail servers to our milter.
//!
//! The first byte chooses the answer; the rest is the server's (see [`super::dialogue`]).

use std::time::Duration;

use milter::{Change, Decision, Fate, Filter, Packet, Settings, Submission};

use super::dialogue;
use testkit::dialogue::End;

const MESSAGE_LIMIT_BYTES: usize = 500;
/// Bytes that a question has beside its message: names and a login, which each come in one packet.
const OTHERS_LIMIT_BYTES: usize = 16 * 1024;

/// All that is said are whole packets of the protocol; a question is of bounded size, and each gets one reply; the cut
/// between reads changes nothing.
pub(super) fn run(input: &[u8]) {
    let ([choice], wire) = super::head(input);
    let played = connection(choice, wire);
    if dialogue::is_bytes_alone(wire) {
        assert!(connection(choice, &dialogue::joined(wire)) == played, "the cut between reads shows");
    }
}

/// What was said, and asked.
fn connection(choice: u8, wire: &[u8]) -> (Vec<u8>, Vec<Submission>) {
    let settings = Settings {
        patience: Duration::from_secs(30),
        decision_time: Duration::from_secs(300),
        message_limit_bytes: MESSAGE_LIMIT_BYTES,
    };
    let mut asked: Vec<Submission> = Vec::new();
    let played = dialogue::play(Filter::new(settings), wire, false, &mut |message: Submission| {
        assert!(size(&message) <= MESSAGE_LIMIT_BYTES + message.fields.len(), "{message:?}");
        assert!(message.sender.len() <= OTHERS_LIMIT_BYTES);
        asked.push(message);
        answer(choice)
    });
    assert_eq!(played.end, End::Closed);
    check_replies(&played.said, asked.len());
    (played.said, asked)
}

/// What a message takes, without the blank that stands before each value.
fn size(message: &Submission) -> usize {
    let fields = message.fields.iter().map(|(name, value)| name.len() + value.len());
    message.body.len() + fields.sum::<usize>() + message.recipients.iter().map(String::len).sum::<usize>()
}

fn check_replies(said: &[u8], questions: usize) {
    let mut rest = said.to_vec();
    let mut fates = 0;
    while let Some(packet) = Packet::take(&mut rest).expect("a packet of sound length") {
        match packet.letter {
            b'O' => assert_eq!(packet.data.len(), 12, "version, actions, steps"),
            b'c' => assert!(packet.data.is_empty()),
            b'a' | b't' | b'd' => fates += usize::from(packet.data.is_empty()),
            b'y' => {
                fates += 1;
                assert!(packet.data.ends_with(&[0]));
            }
            b'h' => assert_eq!(packet.texts().len(), 2, "{packet:?}"),
            b'm' => assert!(packet.data.len() > 4 && packet.data.ends_with(&[0]), "{packet:?}"),
            letter => panic!("no server knows {:?}", char::from(letter)),
        }
    }
    assert!(rest.is_empty(), "half a packet is left");
    assert_eq!(fates, questions, "each message has one fate");
}

fn answer(choice: u8) -> Decision {
    let fate = match choice & 3 {
        0 => Fate::Accept,
        1 => Fate::Defer,
        2 => Fate::Discard,
        _ => Fate::Refuse("550 5.7.1 Blocked\0 by SpamAssassin".into()),
    };
    let changes = vec![
        Change::Add("X-Spam-Flag".into(), b" YES".to_vec()),
        Change::Set("Subject".into(), 1, b" [SPAM]\0 x".to_vec()),
        Change::Set("X-Spam-Status".into(), 2, Vec::new()),
    ];
    Decision { changes, fate }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    // No byte of these is one that the dialogue keeps for itself.
    let offer = |steps: u32| {
        [6, 0x1f7, steps].iter().flat_map(|number: &u32| number.to_be_bytes()).collect::<Vec<u8>>()
    };
    let message: [(u8, &[u8]); 10] = [
        (b'D', b"Cj\0mx.example.com\0"),
        (b'C', b"client.example\x004\x1f\x90192.0.2.7\0"),
        (b'H', b"helo.example\0"),
        (b'D', b"Mi\0QUEUE1\0{auth_authen}\0joe\0"),
        (b'M', b"<a@example.net>\0SIZE=10\0"),
        (b'R', b"<b@example.com>\0"),
        (b'L', b"Subject\0 hello\0"),
        (b'N', b""),
        (b'B', b"body\r\n"),
        (b'E', b""),
    ];
    let mut seeds = Vec::new();
    for (choice, steps) in [(0_u8, 0), (1, 0x1f_fbfb), (2, 0x10_0000), (3, 0x00_0380)] {
        let start = [vec![choice], Packet::bytes(b'O', &offer(steps))].concat();
        let once = message.map(|(letter, data)| Packet::bytes(letter, data)).concat();
        let cut = message
            .map(|(letter, data)| [Packet::bytes(letter, data), vec![dialogue::NEW_READ]].concat())
            .concat();
        for end in [
            Packet::bytes(b'Q', b""),
            Packet::bytes(b'A', b""),
            Packet::bytes(b'K', b""),
            vec![dialogue::TIME_PASSES],
        ] {
            seeds.push([start.clone(), once.clone(), cut.clone(), end].concat());
        }
    }
    seeds
}
