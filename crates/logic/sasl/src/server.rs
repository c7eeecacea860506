//! The server's side of an exchange.

use crate::RESPONSE_LIMIT_BYTES;
use crate::cram_md5;
use crate::mechanism::Mechanism;
use crate::plain::PlainMessage;
use crate::scram::{self, ClientFinal, ClientFirst, ScramHash, ScramSecret, ServerFirst};
use crate::secret::Secret;

/// What an exchange begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// For CRAM-MD5: `<random.time@host>`, never twice the same (RFC 2195 §2).
    pub challenge: String,
    /// For SCRAM: random printable characters without a comma.
    pub nonce: String,
    /// For EXTERNAL: who TLS says the client is, if it says so.
    pub external: Option<String>,
    /// A key of this process, from which the salts of users that do not exist are made.
    pub decoy_key: [u8; 32],
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send this to the client and call [`Server::respond`] with what it answers.
    Challenge(Vec<u8>),
    /// Find this out and call [`Server::answer`].
    Ask(Question),
    /// The client is who it says. `last_words` have to reach it, with the success or as one more challenge.
    Accepted {
        /// Who.
        identity: Identity,
        /// The server's own proof (SCRAM).
        last_words: Option<Vec<u8>>,
    },
    /// The exchange is over, without success.
    Refused(Refusal),
}

/// What only the user database knows.
#[derive(Clone, PartialEq, Eq)]
pub enum Question {
    /// Is this the password of this user? Answered by [`Answer::Password`].
    Password {
        /// Who the client says it is.
        login: String,
        /// The proof.
        password: String,
    },
    /// The secret of this user in a form for this mechanism. Answered by [`Answer::Secret`].
    Secret {
        /// Who the client says it is.
        login: String,
        /// What it is for.
        mechanism: Mechanism,
    },
}

/// The answer to a [`Question`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Right or wrong.
    Password(bool),
    /// None when there is no such user, or no secret of a form that will do.
    Secret(Option<Secret>),
}

/// Who has logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Whose secret was proved.
    pub login: String,
    /// As whom it wants to act, where that is another.
    pub authorize: Option<String>,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The client does not keep to the mechanism's rules.
    Malformed,
    /// Wrong password, or no such user.
    Credentials {
        /// Who the client said it is; none for EXTERNAL without a certificate.
        login: Option<String>,
    },
}

enum State {
    Start,
    LoginName,
    LoginPassword { login: String },
    Cram,
    Password { identity: Identity },
    CramSecret { login: String, digest: Vec<u8> },
    ApopSecret { login: String, timestamp: String, digest: [u8; 16] },
    ScramSecret { first: ClientFirst },
    ScramProof { first: ClientFirst, secret: ScramSecret, server_first: String },
    Over,
}

/// One exchange with one client.
pub struct Server {
    mechanism: Mechanism,
    start: Start,
    state: State,
}

impl Server {
    /// An exchange that has not begun. First call [`Server::respond`], with the client's initial response if it sent
    /// one.
    pub fn new(mechanism: Mechanism, start: Start) -> Self {
        Self { mechanism, start, state: State::Start }
    }

    /// Which mechanism this is.
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// What the client has said; `None` only at the start, when it said nothing yet.
    pub fn respond(&mut self, response: Option<&[u8]>) -> Step {
        if response.is_some_and(|response| response.len() > RESPONSE_LIMIT_BYTES) {
            return self.refuse(Refusal::Malformed);
        }
        match (std::mem::replace(&mut self.state, State::Over), response) {
            (State::Start, response) => self.begin(response),
            (State::LoginName, Some(name)) => self.login_name(name),
            (State::LoginPassword { login }, Some(password)) => self.login_password(login, password),
            (State::Cram, Some(response)) => self.cram(response),
            (State::ScramProof { first, secret, server_first }, Some(response)) => {
                self.scram_final(&first, &secret, &server_first, response)
            }
            _ => self.refuse(Refusal::Malformed),
        }
    }

    /// What the user database says.
    pub fn answer(&mut self, answer: Answer) -> Step {
        match (std::mem::replace(&mut self.state, State::Over), answer) {
            (State::Password { identity }, Answer::Password(true)) => {
                Step::Accepted { identity, last_words: None }
            }
            (State::Password { identity }, Answer::Password(false)) => self.wrong(identity.login),
            (State::CramSecret { login, digest }, Answer::Secret(secret)) => {
                let challenge = self.start.challenge.as_bytes();
                let holds = secret.is_some_and(|secret| cram_md5::cram_matches(&secret, challenge, &digest));
                self.verdict(login, holds)
            }
            (State::ApopSecret { login, timestamp, digest }, Answer::Secret(secret)) => {
                let holds = secret.is_some_and(|secret| cram_md5::apop_matches(&secret, &timestamp, &digest));
                self.verdict(login, holds)
            }
            (State::ScramSecret { first }, Answer::Secret(secret)) => self.scram_challenge(first, secret),
            _ => self.refuse(Refusal::Malformed),
        }
    }

    fn begin(&mut self, response: Option<&[u8]>) -> Step {
        match (self.mechanism, response) {
            (Mechanism::Login, None) => self.challenge(State::LoginName, b"Username:".to_vec()),
            (Mechanism::Login, Some(name)) => self.login_name(name),
            (Mechanism::CramMd5, None) => {
                let challenge = self.start.challenge.clone().into_bytes();
                self.challenge(State::Cram, challenge)
            }
            // A client that speaks out of turn has not seen the challenge.
            (Mechanism::CramMd5, Some(_)) => self.refuse(Refusal::Malformed),
            // RFC 4422 §5: without an initial response the server sends an empty challenge.
            (_, None) => self.challenge(State::Start, Vec::new()),
            (Mechanism::Plain, Some(response)) => self.plain(response),
            (Mechanism::External, Some(authorize)) => self.external(authorize),
            (Mechanism::Apop, Some(response)) => self.apop(response),
            (Mechanism::ScramSha1 | Mechanism::ScramSha256, Some(response)) => self.scram_first(response),
        }
    }

    fn plain(&mut self, response: &[u8]) -> Step {
        let Some(message) = PlainMessage::parse(response) else { return self.refuse(Refusal::Malformed) };
        let identity = identity(message.login, message.authorize);
        self.ask_password(identity, message.password)
    }

    fn login_name(&mut self, name: &[u8]) -> Step {
        match text(name) {
            Some(login) => self.challenge(State::LoginPassword { login }, b"Password:".to_vec()),
            None => self.refuse(Refusal::Malformed),
        }
    }

    fn login_password(&mut self, login: String, password: &[u8]) -> Step {
        match text(password) {
            Some(password) => self.ask_password(Identity { login, authorize: None }, password),
            None => self.refuse(Refusal::Malformed),
        }
    }

    fn ask_password(&mut self, identity: Identity, password: String) -> Step {
        let login = identity.login.clone();
        self.state = State::Password { identity };
        Step::Ask(Question::Password { login, password })
    }

    fn cram(&mut self, response: &[u8]) -> Step {
        let Some((login, digest)) = cram_md5::split_response(response) else {
            return self.refuse(Refusal::Malformed);
        };
        let question = Question::Secret { login: login.clone(), mechanism: self.mechanism };
        self.state = State::CramSecret { login, digest };
        Step::Ask(question)
    }

    fn apop(&mut self, response: &[u8]) -> Step {
        let Some((timestamp, login, digest)) = cram_md5::split_apop(response) else {
            return self.refuse(Refusal::Malformed);
        };
        let question = Question::Secret { login: login.clone(), mechanism: self.mechanism };
        self.state = State::ApopSecret { login, timestamp, digest };
        Step::Ask(question)
    }

    /// RFC 4422 appendix A: the name comes from outside; the response says as whom to act.
    fn external(&mut self, authorize: &[u8]) -> Step {
        let Ok(authorize) = String::from_utf8(authorize.to_vec()) else {
            return self.refuse(Refusal::Malformed);
        };
        match self.start.external.take() {
            Some(login) => Step::Accepted { identity: identity(login, authorize), last_words: None },
            None => self.refuse(Refusal::Credentials { login: None }),
        }
    }

    fn scram_first(&mut self, response: &[u8]) -> Step {
        let Some(first) = ClientFirst::parse(response) else { return self.refuse(Refusal::Malformed) };
        let question = Question::Secret { login: first.login.clone(), mechanism: self.mechanism };
        self.state = State::ScramSecret { first };
        Step::Ask(question)
    }

    /// A user that does not exist gets a challenge too, always the same.
    fn scram_challenge(&mut self, first: ClientFirst, secret: Option<Secret>) -> Step {
        let hash = if self.mechanism == Mechanism::ScramSha1 { ScramHash::Sha1 } else { ScramHash::Sha256 };
        let decoy = || ScramSecret::decoy(hash, &first.login, &self.start.decoy_key);
        let secret = match secret {
            Some(Secret::Scram(secret)) if secret.hash == hash => secret,
            Some(Secret::Password(password)) => {
                ScramSecret::new(hash, &password, &decoy().salt, scram::SCRAM_ITERATIONS)
            }
            _ => decoy(),
        };
        let server_first = ServerFirst::text(&format!("{}{}", first.nonce, self.start.nonce), &secret);
        let words = server_first.clone().into_bytes();
        self.challenge(State::ScramProof { first, secret, server_first }, words)
    }

    fn scram_final(
        &mut self,
        first: &ClientFirst,
        secret: &ScramSecret,
        server_first: &str,
        response: &[u8],
    ) -> Step {
        let nonce = format!("{}{}", first.nonce, self.start.nonce);
        let last = ClientFinal::parse(response)
            .filter(|last| last.nonce == nonce && last.binding == first.header.as_bytes());
        let Some(last) = last else { return self.refuse(Refusal::Malformed) };
        let auth_message = format!("{},{server_first},{}", first.bare, last.without_proof);
        match secret.check(&auth_message, &last.proof) {
            Some(signature) => Step::Accepted {
                identity: identity(first.login.clone(), first.authorize.clone()),
                last_words: Some(format!("v={}", scram::base64(&signature)).into_bytes()),
            },
            None => self.wrong(first.login.clone()),
        }
    }

    fn verdict(&mut self, login: String, holds: bool) -> Step {
        if !holds {
            return self.wrong(login);
        }
        Step::Accepted { identity: Identity { login, authorize: None }, last_words: None }
    }

    fn challenge(&mut self, state: State, words: Vec<u8>) -> Step {
        self.state = state;
        Step::Challenge(words)
    }

    fn wrong(&mut self, login: String) -> Step {
        self.refuse(Refusal::Credentials { login: Some(login) })
    }

    fn refuse(&mut self, refusal: Refusal) -> Step {
        self.state = State::Over;
        Step::Refused(refusal)
    }
}

fn identity(login: String, authorize: String) -> Identity {
    let another = !authorize.is_empty() && authorize != login;
    Identity { authorize: another.then_some(authorize), login }
}

/// A name or a password: text without NUL, and not empty.
fn text(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8(bytes.to_vec()).ok()?;
    (!text.is_empty() && !text.contains('\0')).then_some(text)
}

impl std::fmt::Debug for Question {
    /// Never the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Password { login, .. } => {
                f.debug_struct("Password").field("login", login).finish_non_exhaustive()
            }
            Self::Secret { login, mechanism } => {
                f.debug_struct("Secret").field("login", login).field("mechanism", mechanism).finish()
            }
        }
    }
}
