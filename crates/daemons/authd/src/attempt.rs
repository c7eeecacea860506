//! What a thread does with a client's word: asks the user database, and computes.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use accounts::{Account, Accounts, Password, Unavailable};
use passwords::{Scheme, Stored};
use sasl::{Answer, Identity, Mechanism, Question, Refusal, Secret, Step};
use tables::Network;

use crate::exchange::Exchange;
use crate::remembered::Remembered;

/// What all threads work with.
pub(crate) struct Knowledge {
    pub(crate) accounts: Accounts,
    /// Salts of users who do not exist are made with it.
    pub(crate) decoy_key: [u8; 32],
    remembered: Remembered,
    /// Weak schemes that the log knows of.
    weak: Mutex<HashSet<Scheme>>,
}

/// What a client's word came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Challenge(Vec<u8>),
    Accepted { user: String, last_words: Option<Vec<u8>> },
    Failed { user: Option<String>, why: Why },
}

/// Why somebody is not let in; for the log alone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Malformed,
    UnknownUser,
    NoPassword,
    WrongPassword,
    NoSecretFor(Mechanism),
    BadStored(String),
    Network,
    Authorization(String),
    Unavailable(Unavailable),
}

impl Why {
    pub(crate) fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("malformed response"),
            Self::UnknownUser => f.write_str("unknown user"),
            Self::NoPassword => f.write_str("the user has no password, or may not log in"),
            Self::WrongPassword => f.write_str("wrong password"),
            Self::NoSecretFor(mechanism) => write!(f, "the stored password does not allow {mechanism}"),
            Self::BadStored(text) => write!(f, "the stored password can not be used: {text}"),
            Self::Network => f.write_str("not from this address (allow_nets)"),
            Self::Authorization(name) => write!(f, "may not act as {name}"),
            Self::Unavailable(error) => write!(f, "temporary failure: {error}"),
        }
    }
}

impl Knowledge {
    pub(crate) fn new(accounts: Accounts, remember: usize, decoy_key: [u8; 32], cache_key: [u8; 32]) -> Self {
        let remembered = Remembered::new(cache_key, remember);
        Self { accounts, decoy_key, remembered, weak: Mutex::default() }
    }

    /// Is this the stored password? What was right once is not computed again.
    fn matches(&self, account: &Account, text: &str, password: &str) -> Result<bool, Why> {
        let stored = self.read(text)?;
        if stored.scheme() == Scheme::Plain {
            return Ok(stored.matches(&account.user, password));
        }
        let token = self.remembered.token(&account.user, text, password);
        if self.remembered.has(&token) {
            return Ok(true);
        }
        let right = stored.matches(&account.user, password);
        if right {
            self.remembered.keep(token);
        }
        Ok(right)
    }

    fn read(&self, text: &str) -> Result<Stored, Why> {
        let stored = Stored::parse(text, self.accounts.default_scheme());
        let stored = stored.map_err(|error| Why::BadStored(error.to_string()))?;
        if stored.is_weak()
            && self.weak.lock().unwrap_or_else(PoisonError::into_inner).insert(stored.scheme())
        {
            log::warn!("some passwords are stored as {}, which is weak: store them anew", stored.scheme());
        }
        Ok(stored)
    }
}

/// Who somebody turned out to be, and what was wrong, beyond what the mechanism can see.
#[derive(Default)]
pub(crate) struct Findings {
    account: Option<Account>,
    why: Option<Why>,
}

/// Works on until the client has to speak again, or all is said.
pub(crate) fn run(
    knowledge: &Knowledge,
    mut exchange: Exchange,
    response: Option<Vec<u8>>,
) -> (Exchange, Outcome) {
    let mut findings = exchange.findings.take().unwrap_or_default();
    let mut step = exchange.server.respond(response.as_deref());
    let outcome = loop {
        step = match step {
            Step::Ask(question) => exchange.server.answer(findings.answer(knowledge, question)),
            Step::Challenge(bytes) => {
                exchange.findings = Some(findings);
                break Outcome::Challenge(bytes);
            }
            Step::Accepted { identity, last_words } => {
                break findings.admit(knowledge, &exchange, identity, last_words);
            }
            Step::Refused(refusal) => break findings.refuse(refusal),
        };
    };
    (exchange, outcome)
}

impl Findings {
    fn answer(&mut self, knowledge: &Knowledge, question: Question) -> Answer {
        match question {
            Question::Password { login, password } => {
                let right = self.look_up(knowledge, &login).and_then(|()| self.check(knowledge, &password));
                Answer::Password(self.learn(right).unwrap_or(false))
            }
            Question::Secret { login, mechanism } => {
                let secret = self.look_up(knowledge, &login).and_then(|()| self.secret(knowledge, mechanism));
                Answer::Secret(self.learn(secret))
            }
        }
    }

    fn learn<T>(&mut self, found: Result<T, Why>) -> Option<T> {
        found.map_err(|why| self.why = Some(why)).ok()
    }

    fn look_up(&mut self, knowledge: &Knowledge, login: &str) -> Result<(), Why> {
        let found = knowledge.accounts.find(login).map_err(Why::Unavailable)?;
        self.account = Some(found.ok_or(Why::UnknownUser)?);
        Ok(())
    }

    fn check(&self, knowledge: &Knowledge, password: &str) -> Result<bool, Why> {
        let Some(account) = &self.account else { return Err(Why::UnknownUser) };
        match &account.password {
            Password::Stored(text) => knowledge.matches(account, text, password),
            Password::Any => Ok(true),
            Password::Nothing => Err(Why::NoPassword),
        }
    }

    fn secret(&self, knowledge: &Knowledge, mechanism: Mechanism) -> Result<Secret, Why> {
        let Some(Account { password: Password::Stored(text), .. }) = &self.account else {
            return Err(Why::NoPassword);
        };
        knowledge.read(text)?.secret_for(mechanism).ok_or(Why::NoSecretFor(mechanism))
    }

    /// The proof is right; is the rest?
    fn admit(
        mut self,
        knowledge: &Knowledge,
        exchange: &Exchange,
        identity: Identity,
        last_words: Option<Vec<u8>>,
    ) -> Outcome {
        if self.account.is_none() {
            // EXTERNAL: nobody has asked for the user yet.
            let found = self.look_up(knowledge, &identity.login);
            self.learn(found);
        }
        let Some(account) = self.account else {
            let why = self.why.unwrap_or(Why::UnknownUser);
            return Outcome::Failed { user: Some(identity.login), why };
        };
        let fail = |why| Outcome::Failed { user: Some(account.user.clone()), why };
        match identity.authorize {
            Some(name) if knowledge.accounts.canonical(&name) != account.user => {
                fail(Why::Authorization(name))
            }
            _ if !is_allowed_from(&account, &exchange.request.remote) => fail(Why::Network),
            _ => Outcome::Accepted { user: account.user, last_words },
        }
    }

    fn refuse(self, refusal: Refusal) -> Outcome {
        match refusal {
            Refusal::Malformed => Outcome::Failed { user: None, why: self.why.unwrap_or(Why::Malformed) },
            Refusal::Credentials { login } => {
                let user = self.account.map(|account| account.user).or(login);
                Outcome::Failed { user, why: self.why.unwrap_or(Why::WrongPassword) }
            }
        }
    }
}

/// `allow_nets`: `local` stands for no address; what can not be read allows nobody.
fn is_allowed_from(account: &Account, remote: &str) -> bool {
    let Some(networks) = &account.networks else { return true };
    let address: Option<IpAddr> = remote.parse().ok();
    networks.split(',').map(str::trim).any(|network| match address {
        Some(address) => network.parse::<IpAddr>().map_or_else(
            |_| Network::parse(network).is_ok_and(|it| it.contains(address)),
            |it| it == address,
        ),
        None => network == "local",
    })
}
