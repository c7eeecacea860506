//! What agents that write mailboxes read from main.cf in the same way, each with parameters of its own.

use mailbox::job::CourierSettings;
use mailbox::mbox::LockSettings;
use parameters::{Config, Param};

use crate::StartError;

/// How couriers go about it; `methods` is the agent's list of locks.
///
/// # Errors
/// [`StartError::Refused`] for a lock method that there is not.
pub fn couriers(config: &Config, methods: &Param<String>) -> Result<CourierSettings, StartError> {
    let strict_ownership = config.get(&parameters::STRICT_MAILBOX_OWNERSHIP);
    Ok(CourierSettings { locks: locks(config, methods)?, strict_ownership })
}

/// How mbox files are locked; `methods` is the list of locks.
///
/// # Errors
/// As [`couriers`].
pub fn locks(config: &Config, methods: &Param<String>) -> Result<LockSettings, StartError> {
    let locks = LockSettings {
        fcntl: false,
        flock: false,
        dotlock: false,
        attempts: config.get(&parameters::DELIVER_LOCK_ATTEMPTS).try_into().unwrap_or(1),
        delay: config.get(&parameters::DELIVER_LOCK_DELAY),
        stale_after: config.get(&parameters::STALE_LOCK_TIME),
    };
    let refused = |error| StartError::Refused(format!("{}: {error}", methods.name()));
    locks.with_methods(&config.get(methods)).map_err(refused)
}

/// How large a mailbox file may be, in bytes, 0 for any size; `limit` is the agent's own.
///
/// # Errors
/// [`StartError::Refused`] when a message as large as is accepted would not fit into an empty mailbox.
pub fn limit_bytes(config: &Config, limit: &Param<i64>) -> Result<u64, StartError> {
    let (name, limit) = (limit.name(), config.get(limit));
    let message_limit = config.get(&parameters::MESSAGE_SIZE_LIMIT);
    if limit > 0 && (message_limit == 0 || limit < message_limit) {
        let text = format!("main.cf configuration error: {name} is smaller than message_size_limit");
        return Err(StartError::Refused(text));
    }
    Ok(u64::try_from(limit).unwrap_or(0))
}
