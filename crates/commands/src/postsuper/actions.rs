//! Delete, hold, release, requeue, expire.

use queue::{FileFacts, MODE_FORCE_EXPIRE, Queue, QueueError, QueueName};
use queue_format::QueueId;

use crate::postsuper::VOICE;
use crate::site::Failure;

/// What is done with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Requeue,
    Delete,
    Expire,
    /// Expire, and release from hold.
    ExpireAndRelease,
    Hold,
    Release,
}

impl Action {
    /// In which order actions on all messages are done.
    pub(crate) const ORDER: [Self; 6] =
        [Self::Delete, Self::Requeue, Self::Expire, Self::ExpireAndRelease, Self::Hold, Self::Release];
    /// In which order they are reported.
    pub(crate) const REPORTED: [Self; 5] =
        [Self::Requeue, Self::Delete, Self::Expire, Self::Hold, Self::Release];

    pub(crate) fn of(letter: char) -> Option<Self> {
        Some(match letter {
            'd' => Self::Delete,
            'e' => Self::Expire,
            'f' => Self::ExpireAndRelease,
            'h' => Self::Hold,
            'H' => Self::Release,
            'r' => Self::Requeue,
            _ => return None,
        })
    }

    /// Is this a part of what was asked?
    pub(crate) fn is_part_of(self, asked: Self) -> bool {
        asked == Self::ExpireAndRelease && matches!(self, Self::Expire | Self::Release)
    }

    pub(crate) const fn past(self) -> &'static str {
        match self {
            Self::Requeue => "Requeued",
            Self::Delete => "Deleted",
            Self::Expire | Self::ExpireAndRelease => "Force-expired",
            Self::Hold => "Placed on hold",
            Self::Release => "Released from hold",
        }
    }

    /// Where it looks for messages. Of folders that are named, only those count that are among them, for elsewhere
    /// there is nothing that it makes sense for.
    const fn folders(self) -> &'static [QueueName] {
        match self {
            Self::Hold => &[QueueName::Incoming, QueueName::Active, QueueName::Deferred],
            Self::Release => &[QueueName::Hold],
            Self::Delete => &[
                QueueName::Hold,
                QueueName::Incoming,
                QueueName::Active,
                QueueName::Deferred,
                QueueName::Maildrop,
            ],
            _ => &[QueueName::Hold, QueueName::Incoming, QueueName::Active, QueueName::Deferred],
        }
    }
}

/// Works on messages and counts.
pub(crate) struct Actions<'a> {
    queue: &'a Queue,
    named: Vec<QueueName>,
    counts: [usize; 6],
}

impl<'a> Actions<'a> {
    pub(crate) fn new(queue: &'a Queue, named: Vec<QueueName>) -> Self {
        Self { queue, named, counts: [0; 6] }
    }

    pub(crate) fn count(&self, action: Action) -> usize {
        self.counts[action as usize]
    }

    fn folders(&self, action: Action) -> Vec<QueueName> {
        if self.named.is_empty() {
            return action.folders().to_vec();
        }
        self.named.iter().copied().filter(|name| action.folders().contains(name)).collect()
    }

    /// Litter can be deleted as a whole, wherever it lies.
    fn folders_for_all(&self, action: Action) -> Vec<QueueName> {
        match action {
            Action::Delete if !self.named.is_empty() => self.named.clone(),
            _ => self.folders(action),
        }
    }

    /// Does it with one message, and says so.
    pub(crate) fn one(&mut self, action: Action, id: &QueueId) -> Result<(), Failure> {
        let Some((name, facts)) = self.queue.find(id, &self.folders(action)) else { return Ok(()) };
        for word in self.act(action, name, id, facts)? {
            VOICE.info(format!("{id}: {word}"));
        }
        Ok(())
    }

    /// Does it with all messages.
    pub(crate) fn all(&mut self, action: Action) -> Result<(), Failure> {
        for name in self.folders_for_all(action) {
            let found = self.queue.scan(name).map_err(Failure::new)?;
            for entry in found {
                let entry = entry.map_err(Failure::new)?;
                if let (Some(id), Ok(facts)) = (entry.id(), entry.facts()) {
                    self.queue.settle(&entry, name, &id).map_err(Failure::new)?;
                    self.act(action, name, &id, facts)?;
                }
            }
        }
        Ok(())
    }

    /// The words for what was done with it; none when somebody else was faster, or there was nothing to do.
    fn act(
        &mut self,
        action: Action,
        name: QueueName,
        id: &QueueId,
        facts: FileFacts,
    ) -> Result<Vec<&'static str>, Failure> {
        let mut words = Vec::new();
        match action {
            Action::Delete => self.step(Action::Delete, "removed", &mut words, |queue| {
                if action.folders().contains(&name) {
                    queue.remove_logs(id)?;
                }
                queue.remove(name, id)
            })?,
            Action::Hold if name != QueueName::Hold => {
                self.step(Action::Hold, "placed on hold", &mut words, |queue| queue.hold(name, id))?;
            }
            Action::Release if name == QueueName::Hold => self.release(id, &mut words)?,
            Action::Requeue => self.step(Action::Requeue, "requeued", &mut words, |queue| {
                queue.move_message(name, QueueName::Maildrop, id)?;
                queue.set_modified(QueueName::Maildrop, id, sys::clock::now_us() / 1_000_000)
            })?,
            Action::Expire | Action::ExpireAndRelease => {
                if facts.is_ready() && !facts.force_expire() {
                    let mode = facts.mode | MODE_FORCE_EXPIRE;
                    self.step(Action::Expire, "expired", &mut words, |queue| queue.set_mode(name, id, mode))?;
                }
                if action == Action::ExpireAndRelease && name == QueueName::Hold {
                    self.release(id, &mut words)?;
                }
            }
            Action::Hold | Action::Release => {}
        }
        Ok(words)
    }

    fn release(&mut self, id: &QueueId, words: &mut Vec<&'static str>) -> Result<(), Failure> {
        self.step(Action::Release, "released from hold", words, |queue| {
            queue.move_message(QueueName::Hold, QueueName::Deferred, id)
        })
    }

    fn step(
        &mut self,
        action: Action,
        word: &'static str,
        words: &mut Vec<&'static str>,
        act: impl FnOnce(&Queue) -> Result<(), QueueError>,
    ) -> Result<(), Failure> {
        match act(self.queue) {
            Ok(()) => {
                self.counts[action as usize] += 1;
                words.push(word);
                Ok(())
            }
            Err(error) if error.is_gone() => Ok(()),
            Err(error) => Err(Failure::new(error)),
        }
    }
}
