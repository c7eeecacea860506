//! One line in the log for each cause.

use std::sync::{Mutex, PoisonError};

use crate::trouble::Trouble;

/// What the log was told last about a store.
#[derive(Default)]
pub(crate) struct Complaint {
    told: Mutex<Option<String>>,
}

impl Complaint {
    /// Tells the log of a failure, unless it was the last thing it heard; and when it is over.
    pub(crate) fn hear<T>(&self, answer: Result<T, Trouble>) -> Result<T, Trouble> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        match &answer {
            Ok(_) if told.is_some() => {
                *told = None;
                log::info!("bayes: what was learned is there again");
            }
            Ok(_) => {}
            Err(trouble) => {
                let text = trouble.to_string();
                if told.as_ref() != Some(&text) {
                    log::warn!("bayes: {text}: nothing is learned, and BAYES rules do not count");
                    *told = Some(text);
                }
            }
        }
        answer
    }
}
