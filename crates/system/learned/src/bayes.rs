//! Tokens and messages, wherever they are kept.

use std::io::BufRead;
use std::sync::Arc;

use spam::learned::{Change, Class, Memory, Reputation, Tally, Token, TokenCounts};

use crate::database::Facts;
use crate::expiry::{Expired, Expiry};
use crate::redis_server::RedisServer;
use crate::sql_server::SqlUser;
use crate::store::Store;
use crate::trouble::Trouble;

/// Tokens and messages of one user, or of all.
#[derive(Clone)]
pub enum Bayes {
    /// In a file of this host.
    Local(Arc<Store>),
    /// In Redis, with other hosts.
    Redis(Arc<RedisServer>),
    /// In a database, with other hosts and users.
    Sql(SqlUser),
}

impl Bayes {
    /// Where they are, for people.
    pub fn name(&self) -> String {
        match self {
            Self::Local(store) => store.path().display().to_string(),
            Self::Redis(server) => server.name(),
            Self::Sql(user) => user.name(),
        }
    }

    /// Do old tokens go only when somebody asks for that ([`Bayes::expire`])?
    pub fn grows(&self) -> bool {
        !matches!(self, Self::Redis(_))
    }

    /// Changes what was learned: at once for this process, and for others when [`Bayes::flush`] returns.
    ///
    /// # Errors
    /// [`Trouble`], which the log has heard of; a file has none.
    pub fn apply(&self, changes: &[Change]) -> Result<(), Trouble> {
        match self {
            Self::Local(store) => {
                store.apply(changes);
                Ok(())
            }
            Self::Redis(server) => server.apply(changes),
            Self::Sql(user) => user.apply(changes),
        }
    }

    /// Writes down what is not written yet.
    ///
    /// # Errors
    /// As [`Store::flush`].
    pub fn flush(&self) -> Result<(), Trouble> {
        match self {
            Self::Local(store) => store.flush(),
            Self::Redis(_) | Self::Sql(_) => Ok(()),
        }
    }

    /// Numbers about them. Redis knows only how many messages were learned.
    ///
    /// # Errors
    /// [`Trouble`]
    pub fn facts(&self) -> Result<Facts, Trouble> {
        match self {
            Self::Local(store) => store.facts(),
            Self::Redis(server) => Ok(Facts { tally: server.counted()?, ..Facts::default() }),
            Self::Sql(user) => user.facts(),
        }
    }

    /// Asks whoever keeps them whether they can be had. A file is there: it was opened.
    ///
    /// # Errors
    /// [`Trouble::Away`], [`Trouble::Form`], [`Trouble::Sql`], [`Trouble::Version`].
    pub fn reach(&self) -> Result<(), Trouble> {
        match self {
            Self::Local(_) => Ok(()),
            Self::Redis(server) => server.counted().map(drop),
            Self::Sql(user) => user.counted().map(drop),
        }
    }

    /// Shows each token, in no order; what is not written yet is not among them.
    ///
    /// # Errors
    /// [`Trouble`]
    pub fn each_token(&self, each: impl FnMut(Token, TokenCounts)) -> Result<(), Trouble> {
        match self {
            Self::Local(store) => store.each_token(each),
            Self::Redis(server) => server.each_token(each),
            Self::Sql(user) => user.each_token(each),
        }
    }

    /// Shows each message that was learned.
    ///
    /// # Errors
    /// [`Trouble`]
    pub fn each_message(&self, each: impl FnMut(&str, Class)) -> Result<(), Trouble> {
        match self {
            Self::Local(store) => store.each_message(each),
            Self::Redis(server) => server.each_message(each),
            Self::Sql(user) => user.each_message(each),
        }
    }

    /// Forgets them all; where that can not be done it says why.
    ///
    /// # Errors
    /// [`Trouble`]
    pub fn clear(&self) -> Result<Option<String>, Trouble> {
        match self {
            Self::Local(store) => store.clear().map(|()| None),
            Self::Redis(server) => Ok(Some(server.why_not_cleared())),
            Self::Sql(user) => user.clear().map(|()| None),
        }
    }

    /// Takes a backup in the place of all there is; in Redis beside it. Returns how many tokens came. `now` is in seconds since
    /// 1970.
    ///
    /// # Errors
    /// [`Trouble`]; everything is as it was then, but in Redis what was read until then stays.
    pub fn restore(&self, input: &mut dyn BufRead, now: u32) -> Result<u64, Trouble> {
        match self {
            Self::Local(store) => store.restore(input, now),
            Self::Redis(server) => server.restore(input, now),
            Self::Sql(user) => user.restore(input, now),
        }
    }

    /// Removes old tokens, if it is time; Redis does that itself.
    ///
    /// # Errors
    /// As [`Store::expire`] and [`SqlUser::expire`].
    pub fn expire(&self, expiry: Expiry) -> Result<Expired, Trouble> {
        match self {
            Self::Local(store) => store.expire(expiry),
            Self::Redis(_) => Ok(Expired::default()),
            Self::Sql(user) => user.expire(expiry),
        }
    }

    fn memory(&self) -> &dyn Memory {
        match self {
            Self::Local(store) => &**store,
            Self::Redis(server) => &**server,
            Self::Sql(user) => user,
        }
    }
}

impl Memory for Bayes {
    fn tally(&self) -> Option<Tally> {
        self.memory().tally()
    }

    fn tokens(&self, tokens: &[Token]) -> Vec<Option<TokenCounts>> {
        self.memory().tokens(tokens)
    }

    fn learned_as(&self, message_id: &str) -> Option<Class> {
        self.memory().learned_as(message_id)
    }

    fn reputation(&self, key: &str) -> Option<Reputation> {
        self.memory().reputation(key)
    }
}
