//! The client's side of an exchange.

use subtle::ConstantTimeEq;

use crate::cram_md5::cram_response;
use crate::mechanism::Mechanism;
use crate::plain::PlainMessage;
use crate::scram::{self, ScramHash, ServerFirst};

/// Who we say we are, and the proof.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    /// Our name there.
    pub login: String,
    /// Our password there.
    pub password: String,
    /// As whom we want to act; empty for ourselves.
    pub authorize: String,
}

/// What is wrong with what the server said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// It does not keep to the mechanism's rules.
    #[error("the server does not keep to the rules of the mechanism")]
    Malformed,
    /// It does not know the password either: an impostor.
    #[error("the server can not prove that it knows the password")]
    Impostor,
}

enum State {
    Start,
    LoginName,
    LoginPassword,
    Cram,
    ScramFirst { bare: String },
    ScramSignature { expected: Vec<u8> },
    Done,
}

/// One exchange with one server.
pub struct Client {
    mechanism: Mechanism,
    credentials: Credentials,
    nonce: String,
    state: State,
}

impl Client {
    /// An exchange that has not begun. `nonce` is random printable text without a comma, for SCRAM. APOP has no
    /// exchange: see [`crate::apop_digest`].
    pub fn new(mechanism: Mechanism, credentials: Credentials, nonce: String) -> Self {
        Self { mechanism, credentials, nonce, state: State::Start }
    }

    /// The response that goes with the command, where the client speaks first.
    pub fn initial(&mut self) -> Option<Vec<u8>> {
        let Credentials { login, password, authorize } = self.credentials.clone();
        let (state, response) = match self.mechanism {
            Mechanism::Plain => (State::Done, PlainMessage { authorize, login, password }.to_bytes()),
            Mechanism::External => (State::Done, authorize.into_bytes()),
            Mechanism::ScramSha1 | Mechanism::ScramSha256 => {
                let bare = format!("n={},r={}", scram::escape(&login), self.nonce);
                let first = format!("{}{bare}", self.scram_header());
                (State::ScramFirst { bare }, first.into_bytes())
            }
            Mechanism::Login => {
                self.state = State::LoginName;
                return None;
            }
            Mechanism::CramMd5 | Mechanism::Apop => {
                self.state = State::Cram;
                return None;
            }
        };
        self.state = state;
        Some(response)
    }

    /// The response to a challenge.
    ///
    /// # Errors
    /// [`ClientError`]: cancel the exchange.
    pub fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, ClientError> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::LoginName => {
                self.state = State::LoginPassword;
                Ok(self.credentials.login.clone().into_bytes())
            }
            State::LoginPassword => Ok(self.credentials.password.clone().into_bytes()),
            State::Cram if self.mechanism == Mechanism::CramMd5 => {
                Ok(cram_response(&self.credentials.login, &self.credentials.password, challenge))
            }
            State::ScramFirst { bare } => self.scram_final(&bare, challenge),
            State::ScramSignature { expected } => check_signature(&expected, challenge).map(|()| Vec::new()),
            _ => Err(ClientError::Malformed),
        }
    }

    /// The server says that all is well; `last_words` came with it.
    ///
    /// # Errors
    /// [`ClientError::Impostor`] when it has not proved itself though the mechanism asks for it.
    pub fn accepted(&mut self, last_words: Option<&[u8]>) -> Result<(), ClientError> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::ScramSignature { expected } => check_signature(&expected, last_words.unwrap_or_default()),
            State::ScramFirst { .. } => Err(ClientError::Impostor),
            _ => Ok(()),
        }
    }

    fn scram_header(&self) -> String {
        match self.credentials.authorize.as_str() {
            "" => "n,,".to_owned(),
            name => format!("n,a={},", scram::escape(name)),
        }
    }

    fn scram_final(&mut self, bare: &str, challenge: &[u8]) -> Result<Vec<u8>, ClientError> {
        let first = ServerFirst::parse(challenge)
            .filter(|first| first.nonce.starts_with(&self.nonce) && first.nonce != self.nonce)
            .ok_or(ClientError::Malformed)?;
        let hash = if self.mechanism == Mechanism::ScramSha1 { ScramHash::Sha1 } else { ScramHash::Sha256 };
        let without_proof = format!("c={},r={}", scram::base64(self.scram_header().as_bytes()), first.nonce);
        let server_first = String::from_utf8_lossy(challenge);
        let auth_message = format!("{bare},{server_first},{without_proof}");
        let (proof, expected) = scram::prove(hash, &self.credentials.password, &first, &auth_message);
        self.state = State::ScramSignature { expected };
        Ok(format!("{without_proof},p={}", scram::base64(&proof)).into_bytes())
    }
}

fn check_signature(expected: &[u8], words: &[u8]) -> Result<(), ClientError> {
    let text = std::str::from_utf8(words).map_err(|_| ClientError::Malformed)?;
    let signature = text.strip_prefix("v=").and_then(scram::from_base64).ok_or(ClientError::Impostor)?;
    if signature.ct_eq(expected).into() { Ok(()) } else { Err(ClientError::Impostor) }
}

impl std::fmt::Debug for Credentials {
    /// Never the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("login", &self.login).finish_non_exhaustive()
    }
}
