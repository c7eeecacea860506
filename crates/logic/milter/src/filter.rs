//! One connection of a mail server.

use std::mem::take;
use std::time::Duration;

use machine::{Disconnect, Machine, Output, TlsFacts};

use crate::options::Agreed;
use crate::packet::{Packet, texts};
use crate::submission::{Change, Client, Decision, Fate, Submission};

/// Recipients of one message.
const RECIPIENTS_LIMIT: usize = 50_000;
/// Fields of one header.
const FIELDS_LIMIT: usize = 10_000;
/// Bytes that wait while a decision is awaited: a server that waits for it, too, sends next to nothing.
const WAITING_LIMIT_BYTES: usize = 2 * 1024 * 1024;

/// How a connection is treated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long the server may say nothing: an SMTP client may be slow.
    pub patience: Duration,
    /// How long a decision may take.
    pub decision_time: Duration,
    /// Bytes of a message; of a larger one only so much is kept.
    pub message_limit_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Listening,
    /// A message is whole.
    Ready,
    /// Its fate is awaited.
    Asked,
    Closed,
}

/// A connection: packets come in, one question goes out for each message.
#[derive(Debug)]
pub struct Filter {
    settings: Settings,
    state: State,
    buffer: Vec<u8>,
    output: Vec<u8>,
    agreed: Agreed,
    client: Client,
    /// The server's name.
    server: Option<String>,
    message: Submission,
    size: usize,
}

impl Filter {
    /// A server has connected.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            state: State::Listening,
            buffer: Vec::new(),
            output: Vec::new(),
            agreed: Agreed::default(),
            client: Client::default(),
            server: None,
            message: Submission::default(),
            size: 0,
        }
    }

    fn say(&mut self, letter: u8, data: &[u8]) {
        self.output.extend(Packet::bytes(letter, data));
    }

    /// Goes as far as the packets that are here allow.
    fn advance(&mut self) {
        while self.state == State::Listening {
            match Packet::take(&mut self.buffer) {
                Ok(Some(packet)) => self.packet(&packet),
                Ok(None) => return,
                Err(_) => self.state = State::Closed,
            }
        }
    }

    fn packet(&mut self, packet: &Packet) {
        match packet.letter {
            b'O' => match Agreed::on(&packet.data) {
                Some(agreed) => {
                    self.agreed = agreed;
                    return self.say(b'O', &agreed.bytes());
                }
                None => self.state = State::Closed,
            },
            // Macros, the end of a message, another connection: none of them is replied to.
            b'D' => return self.macros(&packet.data),
            b'A' => return self.forget_message(),
            b'K' => {
                self.forget_message();
                self.client = Client::default();
                return;
            }
            b'Q' => self.state = State::Closed,
            b'C' => self.connected(&packet.data),
            b'H' => self.client.helo = packet.texts().into_iter().next().unwrap_or_default(),
            b'M' => {
                let (login, queue_id) = (take(&mut self.message.login), take(&mut self.message.queue_id));
                self.forget_message();
                self.message.sender = packet.texts().into_iter().next().unwrap_or_default();
                (self.message.login, self.message.queue_id) = (login, queue_id);
            }
            b'R' => self.recipient(packet.texts().into_iter().next().unwrap_or_default()),
            b'L' => self.field(&packet.data),
            b'B' => self.body(&packet.data),
            b'E' => {
                self.body(&packet.data);
                self.state = State::Ready;
                return;
            }
            _ => {}
        }
        if self.state == State::Listening && self.agreed.is_answered(packet.letter) {
            self.say(b'c', &[]);
        }
    }

    fn forget_message(&mut self) {
        self.message = Submission::default();
        self.size = 0;
    }

    /// Name, NUL, family, port, address, NUL.
    fn connected(&mut self, data: &[u8]) {
        let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
        self.client.name = String::from_utf8_lossy(&data[..end]).into_owned();
        let rest = data.get(end + 1..).unwrap_or_default();
        let address = match rest.first() {
            Some(b'4' | b'6') => {
                texts(rest.get(3..).unwrap_or_default()).into_iter().next().unwrap_or_default()
            }
            _ => String::new(),
        };
        self.client.address = address.strip_prefix("IPv6:").map(str::to_owned).unwrap_or(address);
    }

    /// The letter of the command that they belong to, then names and values.
    fn macros(&mut self, data: &[u8]) {
        let all = texts(data.get(1..).unwrap_or_default());
        for pair in all.chunks_exact(2) {
            let value = Some(pair[1].clone());
            match pair[0].trim_matches(['{', '}']) {
                "i" => self.message.queue_id = value,
                "j" => self.server = value,
                "auth_authen" => self.message.login = value,
                _ => {}
            }
        }
    }

    /// Is there room for so many more bytes of the message?
    fn takes(&mut self, bytes: usize) -> bool {
        self.size = self.size.saturating_add(bytes);
        self.message.cut |= self.size > self.settings.message_limit_bytes;
        !self.message.cut
    }

    /// Many long ones would take as much memory as a long message, and count as one.
    fn recipient(&mut self, recipient: String) {
        if self.message.recipients.len() < RECIPIENTS_LIMIT && self.takes(recipient.len()) {
            self.message.recipients.push(recipient);
        }
    }

    fn field(&mut self, data: &[u8]) {
        let mut parts = data.splitn(3, |byte| *byte == 0);
        let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if self.message.fields.len() >= FIELDS_LIMIT || !self.takes(data.len()) {
            self.message.cut = true;
            return;
        }
        let blank: &[u8] = if self.agreed.keeps_space() { b"" } else { b" " };
        self.message.fields.push((name.to_vec(), [blank, value].concat()));
    }

    fn body(&mut self, data: &[u8]) {
        if self.takes(data.len()) {
            self.message.body.extend_from_slice(data);
        }
    }

    fn tell(&mut self, decision: &Decision) {
        let fate = match &decision.fate {
            Fate::Refuse(reply) => return self.say(b'y', &nul_ended(&[reply.as_bytes()])),
            Fate::Defer => return self.say(b't', &[]),
            Fate::Discard => return self.say(b'd', &[]),
            Fate::Accept => b'a',
        };
        for change in &decision.changes {
            let value = |value: &[u8]| {
                if self.agreed.keeps_space() || value.is_empty() {
                    value.to_vec()
                } else {
                    value.strip_prefix(b" ").unwrap_or(value).to_vec()
                }
            };
            match change {
                Change::Add(name, text) => {
                    let text = value(text);
                    self.say(b'h', &nul_ended(&[name.as_bytes(), &text]));
                }
                Change::Set(name, number, text) => {
                    let data = nul_ended(&[name.as_bytes(), &value(text)]);
                    self.say(b'm', &[&number.to_be_bytes(), data.as_slice()].concat());
                }
            }
        }
        self.say(fate, &[]);
    }
}

/// Texts with a NUL behind each; one inside would end it early, and goes.
fn nul_ended(texts: &[&[u8]]) -> Vec<u8> {
    let plain = |text: &&[u8]| text.iter().copied().filter(|byte| *byte != 0).chain([0]).collect::<Vec<u8>>();
    texts.iter().flat_map(plain).collect()
}

impl Machine for Filter {
    /// What shall become of this message?
    type Question = Submission;
    type Answer = Decision;

    fn poll(&mut self) -> Output<Submission> {
        if !self.output.is_empty() {
            return Output::Write(take(&mut self.output));
        }
        match self.state {
            State::Ready => {
                self.state = State::Asked;
                let (client, server) = (self.client.clone(), self.server.clone());
                let message = take(&mut self.message);
                self.size = 0;
                Output::Ask(Submission { client, server, ..message })
            }
            State::Closed => Output::Close,
            State::Asked => Output::Wait(self.settings.decision_time),
            State::Listening => Output::Wait(self.settings.patience),
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        if self.state != State::Closed {
            self.buffer.extend_from_slice(bytes);
            self.advance();
            if self.state == State::Asked && self.buffer.len() > WAITING_LIMIT_BYTES {
                self.state = State::Closed;
            }
        }
    }

    fn answered(&mut self, decision: Decision) {
        self.tell(&decision);
        self.state = State::Listening;
        self.advance();
    }

    fn secured(&mut self, _: TlsFacts) {}

    fn elapsed(&mut self) {
        if self.state == State::Asked {
            self.tell(&Decision { changes: Vec::new(), fate: Fate::Defer });
            self.state = State::Listening;
            return self.advance();
        }
        self.state = State::Closed;
    }

    fn disconnected(&mut self, _: Disconnect) {
        self.state = State::Closed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn settings() -> Settings {
        let time = Duration::from_secs(60);
        Settings { patience: time, decision_time: time, message_limit_bytes: 10_000 }
    }

    fn packets(bytes: Vec<u8>) -> Vec<(char, Vec<u8>)> {
        let mut bytes = bytes;
        let mut found = Vec::new();
        while let Some(packet) = Packet::take(&mut bytes).unwrap() {
            found.push((char::from(packet.letter), packet.data));
        }
        assert!(bytes.is_empty());
        found
    }

    fn letters(filter: &mut Filter) -> String {
        match filter.poll() {
            Output::Write(bytes) => packets(bytes).into_iter().map(|(letter, _)| letter).collect(),
            _ => String::new(),
        }
    }

    fn send(filter: &mut Filter, letter: u8, data: &[u8]) -> String {
        filter.received(&Packet::bytes(letter, data));
        letters(filter)
    }

    fn offer(steps: u32) -> Vec<u8> {
        [6, 0x1ff, steps].iter().flat_map(|number: &u32| number.to_be_bytes()).collect()
    }

    /// A session as Postfix conducts it, all steps answered or none.
    fn session(steps: u32) -> (Filter, Submission, String) {
        let mut filter = Filter::new(settings());
        let mut replies = send(&mut filter, b'O', &offer(steps));
        let steps: [(u8, &[u8]); 11] = [
            (b'D', b"Cj\0mx.example.com\0"),
            (b'C', b"client.example\x004\x1f\x90192.0.2.7\0"),
            (b'H', b"helo.example\0"),
            (b'D', b"Mi\0QUEUE1\0{auth_authen}\0joe\0"),
            (b'M', b"<a@example.net>\0SIZE=10\0"),
            (b'R', b"<b@example.com>\0"),
            (b'L', b"Subject\0 hello\0"),
            (b'L', b"X-Long\0 one\n\ttwo\0"),
            (b'N', b""),
            (b'B', b"body\r\n"),
            (b'E', b""),
        ];
        for (letter, data) in steps {
            filter.received(&Packet::bytes(letter, data));
            if letter != b'E' {
                replies.push_str(&letters(&mut filter));
            }
        }
        let Output::Ask(message) = filter.poll() else { panic!("no question") };
        (filter, message, replies)
    }

    #[test]
    fn a_message_is_gathered_with_its_envelope() {
        let (mut filter, message, replies) = session(0x1f_ffff);
        assert_eq!(replies, "O");
        assert_eq!(message.client.address, "192.0.2.7");
        assert_eq!(
            (message.client.name.as_str(), message.client.helo.as_str()),
            ("client.example", "helo.example")
        );
        assert_eq!(
            (message.sender.as_str(), message.recipients.as_slice()),
            ("<a@example.net>", &["<b@example.com>".to_owned()][..])
        );
        assert_eq!(message.queue_id.as_deref(), Some("QUEUE1"));
        assert_eq!(message.login.as_deref(), Some("joe"));
        assert_eq!(message.fields[1], (b"X-Long".to_vec(), b" one\n\ttwo".to_vec()));
        assert_eq!(message.body, b"body\r\n");
        let changes = vec![
            Change::Add("X-Spam-Flag".into(), b" YES".to_vec()),
            Change::Set("Subject".into(), 1, Vec::new()),
        ];
        filter.answered(Decision { changes, fate: Fate::Accept });
        let Output::Write(bytes) = filter.poll() else { panic!("nothing said") };
        assert_eq!(
            packets(bytes),
            [
                ('h', b"X-Spam-Flag\0 YES\0".to_vec()),
                ('m', b"\0\0\0\x01Subject\0\0".to_vec()),
                ('a', Vec::new())
            ]
        );
        assert_eq!(send(&mut filter, b'Q', b""), "");
        assert_eq!(filter.poll(), Output::Close);
    }

    #[test]
    fn a_server_that_waits_for_replies_gets_them() {
        let (mut filter, message, replies) = session(0);
        assert_eq!(replies, "Occccccc".to_owned() + "c");
        assert_eq!(message.fields[0].1, b"  hello");
        filter.answered(Decision { changes: Vec::new(), fate: Fate::Refuse("550 5.7.1 no".into()) });
        assert_eq!(letters(&mut filter), "y");
    }

    #[test]
    fn an_aborted_message_is_forgotten_and_a_large_one_cut() {
        let mut filter = Filter::new(settings());
        send(&mut filter, b'O', &offer(0x1f_ffff));
        send(&mut filter, b'M', b"<a>\0");
        send(&mut filter, b'A', b"");
        send(&mut filter, b'M', b"<b>\0");
        for _ in 0..3 {
            send(&mut filter, b'B', &[b'x'; 6000]);
        }
        filter.received(&Packet::bytes(b'E', b""));
        let Output::Ask(message) = filter.poll() else { panic!("no question") };
        assert!(message.cut && message.body.len() == 6000 && message.sender == "<b>");
        filter.elapsed();
        assert_eq!(letters(&mut filter), "t");
    }

    #[test]
    fn neither_recipients_nor_impatience_take_memory_without_end() {
        let mut filter = Filter::new(settings());
        send(&mut filter, b'O', &offer(0x1f_ffff));
        send(&mut filter, b'M', b"<a>\0");
        for _ in 0..20 {
            send(&mut filter, b'R', &[b'x'; 999]);
        }
        filter.received(&Packet::bytes(b'E', b""));
        let Output::Ask(message) = filter.poll() else { panic!("no question") };
        assert!(message.cut && message.recipients.len() == 10);
        filter.received(&vec![0; WAITING_LIMIT_BYTES + 1]);
        assert_eq!(filter.poll(), Output::Close);
    }

    proptest! {
        #[test]
        fn anything_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..300), letter: u8) {
            let mut filter = Filter::new(settings());
            filter.received(&Packet::bytes(letter, &bytes));
            filter.received(&bytes);
            for _ in 0..5 {
                if let Output::Ask(_) = filter.poll() {
                    filter.answered(Decision { changes: Vec::new(), fate: Fate::Discard });
                }
            }
        }
    }
}
