//! Exchanges of every SASL mechanism, each side against a stranger.
//!
//! The first byte chooses the mechanism and who knows what; the rest are the stranger's messages, with 0xFF between them.

use sasl::{
    Answer, Client, Credentials, Mechanism, PlainMessage, Question, RESPONSE_LIMIT_BYTES, ScramHash,
    ScramSecret, Secret, Server, Start, Step,
};

const LOGIN: &str = "user";
const PASSWORD: &str = "pencil";
/// Longer than any exchange.
const MESSAGES_LIMIT: usize = 8;
const NEXT_MESSAGE: u8 = 0xFF;

/// An exchange ends, nobody is accepted under a name that was not asked about, and what is over stays over.
pub(super) fn run(input: &[u8]) {
    let ([choice], rest) = super::head(input);
    let mechanism = Mechanism::ALL[usize::from(choice & 0x0F) % Mechanism::ALL.len()];
    let messages: Vec<&[u8]> = rest.split(|byte| *byte == NEXT_MESSAGE).take(MESSAGES_LIMIT).collect();
    serve(mechanism, choice, &messages);
    log_in(mechanism, &messages);
    if let Some(message) = PlainMessage::parse(rest) {
        assert_eq!(message.to_bytes(), rest, "what is read is what was written");
    }
    read_secrets(rest);
}

fn start() -> Start {
    Start {
        challenge: "<1896.697170952@postoffice.reston.mci.net>".into(),
        nonce: "3rfcNHYJY1ZVvWVs7j".into(),
        external: Some("certified".into()),
        decoy_key: [7; 32],
    }
}

fn serve(mechanism: Mechanism, choice: u8, messages: &[&[u8]]) {
    let mut server = Server::new(mechanism, start());
    let mut asked_about = None;
    let mut step = if choice & 0x10 == 0 { server.respond(None) } else { Step::Challenge(Vec::new()) };
    let mut messages = messages.iter();
    loop {
        step = match step {
            Step::Challenge(words) => {
                assert!(std::str::from_utf8(&words).is_ok() && !words.contains(&b'\n'), "{words:?}");
                let Some(message) = messages.next() else { return };
                server.respond(Some(message))
            }
            Step::Ask(question) => {
                let (login, answer) = user_database(question, choice & 0x20 != 0);
                asked_about = Some(login);
                server.answer(answer)
            }
            Step::Accepted { identity, .. } => {
                assert!(!identity.login.is_empty() && !identity.login.contains('\0'), "{identity:?}");
                let known =
                    if mechanism == Mechanism::External { Some("certified") } else { asked_about.as_deref() };
                assert_eq!(Some(identity.login.as_str()), known, "somebody else is accepted");
                break;
            }
            Step::Refused(_) => break,
        };
    }
    assert!(matches!(server.respond(Some(b"again")), Step::Refused(_)), "what is over is over");
    assert!(matches!(server.answer(Answer::Password(true)), Step::Refused(_)), "what is over is over");
}

/// Whom was asked about, and what is known of him.
fn user_database(question: Question, knows_all: bool) -> (String, Answer) {
    match question {
        Question::Password { login, password } => {
            let right = login == LOGIN && password == PASSWORD;
            (login, Answer::Password(right))
        }
        Question::Secret { login, mechanism } => {
            let secret = match mechanism {
                Mechanism::ScramSha1 => scram_secret(ScramHash::Sha1),
                Mechanism::ScramSha256 => scram_secret(ScramHash::Sha256),
                _ => Secret::Password(PASSWORD.into()),
            };
            let known = knows_all || login == LOGIN;
            (login, Answer::Secret(known.then_some(secret)))
        }
    }
}

/// One round, for there are many inputs.
fn scram_secret(hash: ScramHash) -> Secret {
    Secret::Scram(ScramSecret::new(hash, PASSWORD, b"QSXCR+Q6", 1))
}

/// Our client against a server that may be an impostor.
fn log_in(mechanism: Mechanism, messages: &[&[u8]]) {
    let credentials = Credentials { login: LOGIN.into(), password: PASSWORD.into(), ..Default::default() };
    let mut client = Client::new(mechanism, credentials, "fyko+d2lbbFgONRv9qkxdawL".into());
    let first = client.initial();
    assert!(first.is_none_or(|first| first.len() <= RESPONSE_LIMIT_BYTES));
    for message in messages {
        if rounds(message) > ROUNDS_LIMIT {
            return;
        }
        match client.respond(message) {
            Ok(response) => {
                let shows_password = response.windows(PASSWORD.len()).any(|part| part == PASSWORD.as_bytes());
                assert!(!shows_password || mechanism.properties().plaintext, "the password is shown");
            }
            Err(_) => break,
        }
    }
    let _ = client.accepted(messages.last().copied());
}

/// SCRAM's rounds take the time that the server wants them to take, up to a bound; here there is less.
const ROUNDS_LIMIT: u32 = 2_000;

/// The largest number behind `i=` in a message.
fn rounds(message: &[u8]) -> u32 {
    let text = String::from_utf8_lossy(message);
    let numbers = text.split("i=").skip(1).map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or(u32::MAX)
    });
    numbers.max().unwrap_or_default()
}

fn read_secrets(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    for hash in [ScramHash::Sha1, ScramHash::Sha256] {
        if let Some(secret) = ScramSecret::parse(hash, &text) {
            assert!(ScramSecret::parse(hash, &secret.to_text()) == Some(secret), "{text:?}");
        }
    }
    if let Some(mechanism) = Mechanism::parse(&text) {
        assert_eq!(Mechanism::parse(mechanism.name()), Some(mechanism));
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let messages: [&[u8]; 12] = [
        b"\0user\0pencil",
        b"admin\0user\0pencil",
        b"user\xFFpencil",
        b"user 0123456789abcdef0123456789abcdef",
        b"<1896.697170952@postoffice.reston.mci.net>\0user\0c4c9334bac560ecc979e58001b3e22fb",
        b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL\xFFc=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        b"n,a=ad=2Cmin,n=us=3Der,r=x\xFFc=bixhPWFkPTJDbWluLA==,r=x3rfcNHYJY1ZVvWVs7j,p=AAAA",
        b"y,,n=user,r=x,e=ext",
        b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=40\xFFv=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        b"Username:\xFFPassword:",
        b"4096,QSXCR+Q6,2ucE1U8=,rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        b"SCRAM-SHA-256",
    ];
    let choices = (0..7).flat_map(|mechanism| [0x00, 0x30].map(|more| mechanism | more));
    choices.flat_map(|choice| messages.map(|message| [&[choice][..], message].concat())).collect()
}
