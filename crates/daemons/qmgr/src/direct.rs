//! Messages that are delivered without a queue file as long as all goes well (see `services::qmgr`).
//!
//! Such a message is taken when each of its recipients has a mailbox agent that is given open files. When one of them
//! can not be reached at once, or has to be reported, the client is asked for a queue file; what is known by then is
//! withheld until the file is there, and counts from then on as for any message.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use queue::{Loaded, QueueName};
use queue_format::QueueId;
use reactor::{EventLoop, HandlerId};
use scheduling::MessageKey;
use services::delivery::Outcome;
use services::qmgr::{Answer, Request};

use crate::disk::{Refused, Task};
use crate::finish::{self, NOTIFY_SUCCESS};
use crate::intake::ScanResult;
use crate::message::{End, Message};
use crate::service::Manager;
use crate::trigger::Answers;

/// The transport whose agent takes open files.
const DIRECT_TRANSPORT: &str = "virtual";
/// How long is remembered who has got a message that has left memory, in microseconds: its client may be about to make
/// a queue file of it, which is not to be taken for new mail.
const REMEMBERED_US: u64 = 60_000_000;
/// How long the disk is left alone after it refused a rename, in microseconds.
const DISK_RETRY_US: u64 = 1_000_000;

/// What a message has that lies in memory only.
#[derive(Debug)]
pub(crate) struct Direct {
    /// The content.
    pub(crate) file: Arc<File>,
    /// Who waits for an answer; none when it is gone.
    client: Option<HandlerId>,
    /// Its client was asked for a queue file.
    asked: bool,
    /// What can not count before there is one.
    withheld: Vec<(u32, Outcome)>,
}

/// All messages that lie in memory, and what is to be said of them.
#[derive(Debug, Default)]
pub(crate) struct DirectMail {
    keys: HashMap<String, MessageKey>,
    answers: HashMap<HandlerId, Vec<Answer>>,
    pub(crate) finished: Finished,
}

/// Messages that have left memory.
#[derive(Debug, Default)]
pub(crate) struct Finished {
    reached: HashMap<QueueId, Reached>,
    /// Until when they are remembered, in this order.
    until: VecDeque<(u64, QueueId, Duration)>,
}

/// Who has got a message. A short queue id may stand for another message a second later, so it counts together with the
/// time of arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reached {
    /// When the message arrived.
    pub(crate) arrival: Duration,
    /// Of the recipients.
    pub(crate) offsets: Vec<u64>,
}

impl Finished {
    fn add(&mut self, id: &QueueId, arrival: Option<Duration>, offsets: Vec<u64>, now_us: u64) {
        if let Some(arrival) = arrival {
            self.reached.insert(id.clone(), Reached { arrival, offsets });
            self.until.push_back((now_us + REMEMBERED_US, id.clone(), arrival));
        }
    }

    /// Who has got the message with this id.
    pub(crate) fn reached(&self, id: &QueueId) -> Option<&Reached> {
        self.reached.get(id)
    }

    fn forget_old(&mut self, now_us: u64) {
        while self.until.front().is_some_and(|(time, ..)| *time <= now_us)
            && let Some((_, id, arrival)) = self.until.pop_front()
        {
            if self.reached.get(&id).is_some_and(|reached| reached.arrival == arrival) {
                self.reached.remove(&id);
            }
        }
    }
}

impl Manager {
    /// A client offers a message.
    pub(crate) fn take_direct(&mut self, id: String, file: Option<OwnedFd>, client: HandlerId) {
        if file.and_then(|file| self.begin_direct(&id, File::from(file), client)).is_none() {
            let answer = if self.is_crowded() { Answer::Crowded(id) } else { Answer::Keep(id) };
            self.answer(Some(client), answer);
        }
    }

    /// None when it is no message for direct delivery.
    fn begin_direct(&mut self, text: &str, file: File, client: HandlerId) -> Option<()> {
        let id: QueueId = text.parse().ok()?;
        if !self.takes_more() {
            return None;
        }
        let file = Arc::new(file);
        let limit = self.settings.memory.recipients;
        let loaded = Loaded::from_file(Arc::clone(&file), Path::new("memory"), limit).ok()?;
        let reported = |notify: u32| notify & NOTIFY_SUCCESS != 0;
        if loaded.more.is_some() || loaded.envelope.recipients.iter().any(|one| reported(one.notify)) {
            return None;
        }
        let mut message = Message::new(id.clone(), loaded, self.now_us);
        self.settings.apply_to(&mut message);
        let routes = self.routes(&mut message);
        if !routes.all_go_to(DIRECT_TRANSPORT) || !self.intake.claim(&id) {
            return None;
        }
        message.began_directly = true;
        message.direct = Some(Direct { file, client: Some(client), asked: false, withheld: Vec::new() });
        let key = self.admit(message);
        self.direct.keys.insert(text.to_owned(), key);
        self.follow(key, routes);
        Some(())
    }

    /// The message of this id has its queue file now.
    pub(crate) fn settled(&mut self, id: String) {
        if let Some(key) = self.direct.keys.remove(&id)
            && let Some(message) = self.messages.get_mut(&key)
        {
            message.waiting += 1;
            return self.disk.push(Task::Activate { key, id: message.id.clone() });
        }
        // Of one that is finished the file is not needed: it is found out when the file is read.
        self.asked(Request::Arrived(id));
    }

    /// Is it a message that lies in memory?
    pub(crate) fn has_in_memory(&self, id: &str) -> bool {
        self.direct.keys.contains_key(id)
    }

    /// Files were found in `incoming/`. Where the client is gone that made one, it has not lived to say so.
    pub(crate) fn adopt(&mut self, scan: &ScanResult) {
        let (QueueName::Incoming, Ok(found)) = (scan.queue, &scan.found) else { return };
        let orphans: Vec<String> = found.iter().filter_map(|candidate| self.orphan(&candidate.id)).collect();
        orphans.into_iter().for_each(|id| self.settled(id));
    }

    fn orphan(&self, id: &QueueId) -> Option<String> {
        let message = self.messages.get(self.direct.keys.get(id.as_str())?)?;
        message.direct.as_ref()?.client.is_none().then(|| id.to_string())
    }

    /// The queue file is in `active/`: what was withheld counts.
    pub(crate) fn activated(&mut self, key: MessageKey, result: Result<(), Refused>) {
        if let Err(Refused { error, task }) = result {
            if !error.is_gone() {
                log::warn!("{error}; trying again in a second");
                return self.later.push((self.now_us + DISK_RETRY_US, task));
            }
            // The administrator has removed it.
            self.drop_direct(key);
            return;
        }
        let Some(message) = self.messages.get_mut(&key) else { return };
        message.waiting -= 1;
        let withheld = message.direct.take().map(|direct| direct.withheld).unwrap_or_default();
        self.take_outcomes(key, withheld);
    }

    /// As `take_outcomes`, while there is no queue file.
    pub(crate) fn take_direct_outcomes(&mut self, key: MessageKey, outcomes: Vec<(u32, Outcome)>) {
        let Some(message) = self.messages.get_mut(&key) else { return };
        let mut withheld = Vec::new();
        for (slot, mut outcome) in outcomes {
            finish::soften(&mut outcome, message.soft_bounce);
            match finish::service_for(message, slot, &outcome) {
                None => message.settle(slot, End::Done),
                Some(_) => withheld.push((slot, outcome)),
            }
        }
        if withheld.is_empty() {
            return self.advance(key);
        }
        let Some(direct) = &mut message.direct else { return };
        direct.withheld.extend(withheld);
        match direct.client {
            None => drop(self.drop_direct(key)),
            client if !std::mem::replace(&mut direct.asked, true) => {
                let id = message.id.to_string();
                self.answer(client, Answer::Keep(id));
            }
            Some(_) => {}
        }
    }

    /// Everybody has got it, and it never had a queue file.
    pub(crate) fn leave_directly(&mut self, key: MessageKey) {
        let Some((id, client)) = self.drop_direct(key) else { return };
        log::info!("{id}: removed");
        self.answer(client, Answer::Done(id.to_string()));
    }

    fn drop_direct(&mut self, key: MessageKey) -> Option<(QueueId, Option<HandlerId>)> {
        let Message { id, envelope, unmarked, direct, .. } = self.forget_message(key)?;
        self.direct.keys.remove(id.as_str());
        self.intake.forget(&id);
        self.direct.finished.add(&id, envelope.arrival, unmarked, self.now_us);
        let client = direct.and_then(|direct| direct.client);
        if client.is_none() {
            // Its client may have died after making a queue file, and before saying so.
            self.asked(Request::ScanIncoming);
        }
        Some((id, client))
    }

    /// A client has gone. It has promised nothing for what it has not settled; what is under way is finished, what
    /// would need a queue file is forgotten.
    pub(crate) fn client_is_gone(&mut self, client: HandlerId) {
        self.direct.answers.remove(&client);
        self.asked(Request::ScanIncoming);
        let mut stuck = Vec::new();
        for key in self.direct.keys.values() {
            let direct = self.messages.get_mut(key).and_then(|message| message.direct.as_mut());
            if let Some(direct) = direct.filter(|direct| direct.client == Some(client)) {
                direct.client = None;
                stuck.extend((!direct.withheld.is_empty()).then_some(*key));
            }
        }
        stuck.into_iter().for_each(|key| drop(self.drop_direct(key)));
    }

    fn answer(&mut self, client: Option<HandlerId>, answer: Answer) {
        if let Some(client) = client {
            self.direct.answers.entry(client).or_default().push(answer);
        }
    }

    /// What was answered in this turn goes out.
    pub(crate) fn send_answers(&mut self, events: &mut EventLoop<Self>) {
        for (client, answers) in std::mem::take(&mut self.direct.answers) {
            events.hand(client, Box::new(Answers(answers)), self);
        }
        self.direct.finished.forget_old(self.now_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_used_again_is_another_message() {
        let id: QueueId = "E93EB990921".parse().unwrap();
        let [first, second] = [7_953_105, 8_953_105].map(|us| Some(Duration::from_micros(us)));
        let mut finished = Finished::default();
        let arrival = |finished: &Finished| finished.reached(&id).map(|reached| reached.arrival);
        finished.add(&id, first, vec![97], 1_000_000);
        assert_eq!(arrival(&finished), first);
        finished.add(&id, second, vec![97], 2_000_000);
        assert_eq!(arrival(&finished), second);
        finished.forget_old(1_000_000 + REMEMBERED_US);
        assert_eq!(arrival(&finished), second, "only the first is old");
        finished.forget_old(2_000_000 + REMEMBERED_US);
        assert_eq!(arrival(&finished), None);
    }
}
