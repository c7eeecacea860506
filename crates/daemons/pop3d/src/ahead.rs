//! Messages that are read before the client asks for them: most clients take them in turn, each when they have the one before.

use std::collections::VecDeque;
use std::sync::Arc;

use mailbox::store::{MailError, Maildrop, MessageText};

/// So much of a message is read at a time, in bytes.
const READ_BYTES: usize = 64 * 1024;
/// So many messages are read ahead at most, and no further one when there are [`READ_BYTES`].
const AHEAD_MESSAGES: usize = 16;

/// A piece of a message.
pub(crate) struct Piece {
    pub(crate) message: usize,
    pub(crate) outcome: Outcome,
}

/// The bytes, and the open message where it goes on behind them.
pub(crate) type Outcome = Result<(Vec<u8>, Option<MessageText>), MailError>;

/// The first pieces of messages, in turn.
pub(crate) type Pieces = VecDeque<Piece>;

/// What is read ahead for one client.
pub(crate) struct ReadAhead {
    stage: Stage,
    /// So many messages the next time: the more, the longer the client has taken them in turn.
    messages: usize,
}

enum Stage {
    Nothing,
    /// A thread reads them, this one first; the client may be waiting for it.
    Reading {
        message: usize,
        awaited: bool,
    },
    Here(Pieces),
}

/// What is known of a message that the client asks for.
pub(crate) enum Claim {
    Here(Piece),
    /// [`ReadAhead::came`] gives it.
    OnItsWay,
    Unknown,
}

impl Default for ReadAhead {
    fn default() -> Self {
        Self { stage: Stage::Nothing, messages: 1 }
    }
}

impl ReadAhead {
    /// The client asks for this message from its begin.
    pub(crate) fn claim(&mut self, message: usize) -> Claim {
        match &mut self.stage {
            Stage::Here(pieces) if pieces.front().is_some_and(|piece| piece.message == message) => {
                self.take().map_or(Claim::Unknown, Claim::Here)
            }
            Stage::Reading { message: first, awaited } => {
                *awaited = *first == message;
                if *awaited { Claim::OnItsWay } else { Claim::Unknown }
            }
            Stage::Here(_) | Stage::Nothing => {
                *self = Self::default();
                Claim::Unknown
            }
        }
    }

    /// What a thread does when `message` and those behind it may be wanted next; nothing while others are read or here.
    pub(crate) fn job(
        &self,
        message: usize,
        maildrop: &Arc<Maildrop>,
    ) -> Option<impl FnOnce() -> Pieces + Send + use<>> {
        let Stage::Nothing = self.stage else { return None };
        let next = maildrop.messages().iter().map(|message| message.uid).enumerate().skip(message);
        let next: Vec<_> = next.take(self.messages).collect();
        // It may wait for long, and the maildrop may be closed meanwhile.
        let maildrop = Arc::downgrade(maildrop);
        (!next.is_empty()).then_some(move || {
            let (mut pieces, mut total_bytes) = (Pieces::new(), 0);
            for (message, uid) in next {
                let Some(text) = maildrop.upgrade().map(|maildrop| maildrop.text(uid)) else { break };
                let outcome = text.and_then(|text| read_at(text, 0));
                total_bytes += outcome.as_ref().map_or(0, |(bytes, _)| bytes.len());
                pieces.push_back(Piece { message, outcome });
                if total_bytes >= READ_BYTES {
                    break;
                }
            }
            pieces
        })
    }

    /// The job is on its way to a thread.
    pub(crate) fn has_begun(&mut self, message: usize) {
        self.stage = Stage::Reading { message, awaited: false };
    }

    /// The job is done. `Some`: the client waits for the first message, which is not there when the maildrop was closed.
    pub(crate) fn came(&mut self, pieces: Pieces) -> Option<Option<Piece>> {
        let awaited = matches!(self.stage, Stage::Reading { awaited: true, .. });
        self.stage = Stage::Here(pieces);
        awaited.then(|| self.take())
    }

    /// The first one. Who has taken all gets more of them the next time.
    fn take(&mut self) -> Option<Piece> {
        let Stage::Here(pieces) = &mut self.stage else { return None };
        let first = pieces.pop_front();
        if pieces.is_empty() {
            self.stage = Stage::Nothing;
            self.messages = (self.messages * 2).min(AHEAD_MESSAGES);
        }
        first
    }
}

/// The piece of a message that begins here.
pub(crate) fn read_at(mut text: MessageText, offset: u64) -> Outcome {
    let mut bytes = Vec::new();
    text.read_at(offset, READ_BYTES, &mut bytes)?;
    let goes_on = bytes.len() == READ_BYTES;
    Ok((bytes, goes_on.then_some(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(numbers: &[usize]) -> Pieces {
        numbers.iter().map(|message| Piece { message: *message, outcome: Ok((Vec::new(), None)) }).collect()
    }

    fn here(claim: Claim) -> Option<usize> {
        match claim {
            Claim::Here(piece) => Some(piece.message),
            Claim::OnItsWay | Claim::Unknown => None,
        }
    }

    #[test]
    fn whoever_takes_messages_in_turn_finds_them() {
        let mut ahead = ReadAhead::default();
        ahead.has_begun(1);
        assert!(matches!(ahead.claim(1), Claim::OnItsWay));
        assert_eq!(ahead.came(pieces(&[1, 2, 3])).flatten().map(|piece| piece.message), Some(1));
        assert_eq!(
            (here(ahead.claim(2)), here(ahead.claim(3)), here(ahead.claim(4))),
            (Some(2), Some(3), None)
        );
    }

    #[test]
    fn whoever_asks_for_another_gets_that_one_from_the_disk() {
        let mut ahead = ReadAhead::default();
        ahead.has_begun(1);
        assert!(matches!(ahead.claim(7), Claim::Unknown));
        assert!(ahead.came(pieces(&[1])).is_none());
        assert!(matches!(ahead.claim(8), Claim::Unknown));
        assert!(matches!(ahead.claim(1), Claim::Unknown), "it was dropped");
    }

    #[test]
    fn a_maildrop_that_is_closed_meanwhile_leaves_the_client_without() {
        let mut ahead = ReadAhead::default();
        ahead.has_begun(1);
        ahead.claim(1);
        assert!(ahead.came(Pieces::new()).is_some_and(|piece| piece.is_none()));
    }
}
