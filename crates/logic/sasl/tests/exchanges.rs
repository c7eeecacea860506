//! Whole exchanges: the examples of the RFCs, and our client against our server.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use sasl::{
    Answer, Client, ClientError, CramContexts, Credentials, Identity, Mechanism, Question, Refusal,
    ScramHash, ScramSecret, Secret, Server, Start, Step,
};

const SALT: &str = "QSXCR+Q6sek8bf92";
const SALT_256: &str = "W22ZaJ0SNY7soEsUEjb6gQ==";

fn start(nonce: &str) -> Start {
    Start {
        challenge: "<1896.697170952@postoffice.reston.mci.net>".into(),
        nonce: nonce.into(),
        external: None,
        decoy_key: [7; 32],
    }
}

fn scram(hash: ScramHash, salt: &str) -> Secret {
    use base64::Engine;
    let salt = base64::engine::general_purpose::STANDARD.decode(salt).unwrap();
    Secret::Scram(ScramSecret::new(hash, "pencil", &salt, 4096))
}

struct Example {
    mechanism: Mechanism,
    server_nonce: &'static str,
    client_nonce: &'static str,
    secret: Secret,
    words: [&'static str; 4],
}

/// RFC 5802 §5 and RFC 7677 §3.
fn examples() -> [Example; 2] {
    [
        Example {
            mechanism: Mechanism::ScramSha1,
            server_nonce: "3rfcNHYJY1ZVvWVs7j",
            client_nonce: "fyko+d2lbbFgONRv9qkxdawL",
            secret: scram(ScramHash::Sha1, SALT),
            words: [
                "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
                "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
                "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
                "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
            ],
        },
        Example {
            mechanism: Mechanism::ScramSha256,
            server_nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
            client_nonce: "rOprNGfwEbeRWgbNEkqO",
            secret: scram(ScramHash::Sha256, SALT_256),
            words: [
                "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
                "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
                "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
            ],
        },
    ]
}

#[test]
fn scram_says_what_the_rfcs_say_on_both_sides() {
    for example in examples() {
        let credentials =
            Credentials { login: "user".into(), password: "pencil".into(), ..Default::default() };
        let mut client = Client::new(example.mechanism, credentials, example.client_nonce.into());
        let mut server = Server::new(example.mechanism, start(example.server_nonce));
        let first = client.initial().unwrap();
        assert_eq!(first, example.words[0].as_bytes());
        let question = Question::Secret { login: "user".into(), mechanism: example.mechanism };
        assert_eq!(server.respond(Some(&first)), Step::Ask(question));
        let Step::Challenge(challenge) = server.answer(Answer::Secret(Some(example.secret))) else {
            panic!()
        };
        assert_eq!(String::from_utf8_lossy(&challenge), example.words[1]);
        let proof = client.respond(&challenge).unwrap();
        assert_eq!(String::from_utf8_lossy(&proof), example.words[2]);
        let accepted = Step::Accepted {
            identity: Identity { login: "user".into(), authorize: None },
            last_words: Some(example.words[3].as_bytes().to_vec()),
        };
        assert_eq!(server.respond(Some(&proof)), accepted);
        assert_eq!(client.accepted(Some(example.words[3].as_bytes())), Ok(()));
    }
}

/// Runs our client against our server; `password` is what the client has.
fn run(mechanism: Mechanism, secret: Option<Secret>, password: &str) -> (Step, Client) {
    let credentials = Credentials { login: "tim".into(), password: password.into(), ..Default::default() };
    let mut client = Client::new(mechanism, credentials, "clientnonce".into());
    let mut server = Server::new(mechanism, start("servernonce"));
    let mut step = server.respond(client.initial().as_deref());
    loop {
        step = match step {
            Step::Challenge(words) => match client.respond(&words) {
                Ok(response) => server.respond(Some(&response)),
                Err(error) => panic!("{mechanism}: {error}"),
            },
            Step::Ask(Question::Password { login, password }) => {
                assert_eq!(login, "tim");
                server.answer(Answer::Password(secret == Some(Secret::Password(password))))
            }
            Step::Ask(Question::Secret { .. }) => server.answer(Answer::Secret(secret.clone())),
            over => return (over, client),
        };
    }
}

#[test]
fn every_mechanism_takes_the_right_password_and_no_other() {
    let plain = || Some(Secret::Password("tanstaaf".into()));
    let stored = [
        (Mechanism::Plain, plain()),
        (Mechanism::Login, plain()),
        (Mechanism::CramMd5, plain()),
        (Mechanism::CramMd5, Some(Secret::Cram(CramContexts::new("tanstaaf")))),
        (Mechanism::ScramSha1, plain()),
        (Mechanism::ScramSha256, plain()),
        (
            Mechanism::ScramSha256,
            Some(Secret::Scram(ScramSecret::new(ScramHash::Sha256, "tanstaaf", b"s", 9))),
        ),
    ];
    for (mechanism, secret) in stored {
        let (right, _) = run(mechanism, secret.clone(), "tanstaaf");
        assert!(matches!(right, Step::Accepted { .. }), "{mechanism} {right:?}");
        let wrong = Step::Refused(Refusal::Credentials { login: Some("tim".into()) });
        assert_eq!(run(mechanism, secret, "tanstaag").0, wrong, "{mechanism}");
        assert_eq!(run(mechanism, None, "tanstaaf").0, wrong, "{mechanism}");
    }
}

#[test]
fn a_user_who_does_not_exist_has_a_salt_too_and_always_the_same() {
    let challenge = |login: &str| {
        let mut server = Server::new(Mechanism::ScramSha256, start("x"));
        server.respond(Some(format!("n,,n={login},r=n").as_bytes()));
        server.answer(Answer::Secret(None))
    };
    assert_eq!(challenge("nobody"), challenge("nobody"));
    assert_ne!(challenge("nobody"), challenge("somebody"));
}

#[test]
fn an_impostor_is_found_out_by_the_client() {
    let credentials = Credentials { login: "user".into(), password: "pencil".into(), ..Default::default() };
    let mut client = Client::new(Mechanism::ScramSha1, credentials, "abc".into());
    client.initial();
    client.respond(b"r=abcdef,s=QSXCR+Q6sek8bf92,i=4096").unwrap();
    assert_eq!(client.accepted(Some(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")), Err(ClientError::Impostor));
    let mut hasty = Client::new(Mechanism::ScramSha1, Credentials::default(), "abc".into());
    hasty.initial();
    assert_eq!(hasty.accepted(None), Err(ClientError::Impostor));
    hasty.initial();
    assert_eq!(
        hasty.respond(b"r=abc,s=QQ==,i=1"),
        Err(ClientError::Malformed),
        "the server adds to the nonce"
    );
}

#[test]
fn external_needs_a_name_from_outside() {
    let mut server = Server::new(Mechanism::External, start(""));
    assert_eq!(server.respond(None), Step::Challenge(Vec::new()));
    assert_eq!(server.respond(Some(b"")), Step::Refused(Refusal::Credentials { login: None }));
    let named = Start { external: Some("tim".into()), ..start("") };
    let mut server = Server::new(Mechanism::External, named);
    let identity = Identity { login: "tim".into(), authorize: Some("boss".into()) };
    assert_eq!(server.respond(Some(b"boss")), Step::Accepted { identity, last_words: None });
}

#[test]
fn nothing_that_breaks_the_rules_is_taken() {
    for mechanism in Mechanism::ALL {
        for response in [&b"\xff\0\xff"[..], b"\0", &[b'x'; sasl::RESPONSE_LIMIT_BYTES + 1]] {
            let mut server = Server::new(mechanism, start("x"));
            let mut step = server.respond(None);
            while matches!(step, Step::Challenge(_)) {
                step = server.respond(Some(response));
            }
            assert!(matches!(step, Step::Refused(_)), "{mechanism} {step:?}");
            assert_eq!(server.respond(Some(b"x")), Step::Refused(Refusal::Malformed), "over is over");
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_response_makes_a_server_panic(number in 0_usize..7, responses: Vec<Vec<u8>>) {
        let mut server = Server::new(Mechanism::ALL[number], start("x"));
        for response in &responses {
            if let Step::Ask(question) = server.respond(Some(response)) {
                server.answer(match question {
                    Question::Password { .. } => Answer::Password(true),
                    Question::Secret { .. } => Answer::Secret(None),
                });
            }
        }
    }
}
