//! One client and its one message.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;

use attributes::Attributes;
use cleanup::{Finished, Level, Verdict};
use queue::{NewFile, QueueError};
use queue_format::QueueId;
use queue_format::record::{self, Parsed};
use reactor::{EventLoop, Fate, Handler, HandlerId, Letter, Readiness};
use sys::sockets::Socket;

use crate::service::CleanupService;
use crate::status;
use crate::submission::{Submission, moment};

/// One read from the socket.
const READ_BYTES: usize = 64 * 1024;
/// So many reads in one turn, so that one client can not starve the others.
const READS_PER_TURN: usize = 16;

/// A client.
pub(crate) struct Session {
    socket: Socket,
    input: Vec<u8>,
    output: Vec<u8>,
    file: Option<NewFile>,
    state: State,
}

enum State {
    /// The queue file is being made.
    Creating,
    /// The client's flags are next.
    Flags,
    /// Records come.
    Records(Box<Submission>),
    /// The queue file is being synced.
    Committing,
    /// The answer is on its way out.
    Answered,
}

/// The empty queue file, from the pool.
pub(crate) struct Created(pub(crate) Result<NewFile, QueueError>);

/// The queue file, safe or not, from the pool.
struct Committed {
    result: Result<QueueId, QueueError>,
    queued: bool,
}

impl Session {
    /// A client whose queue file is being made: [`Created`] is to come as a letter.
    pub(crate) fn new(socket: Socket) -> Self {
        Self { socket, input: Vec::new(), output: Vec::new(), file: None, state: State::Creating }
    }

    /// Reads what is there; false at the end.
    fn receive(&mut self, events: &mut EventLoop<CleanupService>, me: HandlerId) -> bool {
        let mut buffer = [0; READ_BYTES];
        for _ in 0..READS_PER_TURN {
            match self.socket.read(&mut buffer) {
                Ok(0) => return false,
                Ok(count) => self.input.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            }
        }
        events.again(me);
        true
    }

    /// Takes what has come as far as it is whole.
    fn digest(
        &mut self,
        program: &mut CleanupService,
        events: &mut EventLoop<CleanupService>,
        me: HandlerId,
    ) {
        if matches!(self.state, State::Flags) {
            match Attributes::decode(&self.input) {
                Ok(None) => return,
                Ok(Some((message, length))) => {
                    self.input.drain(..length);
                    let flags = message.parse("flags").unwrap_or(0);
                    let now = moment(i64::try_from(sys::clock::now_us() / 1_000_000).unwrap_or(0));
                    let submission = Submission::new(Arc::clone(&program.settings), flags, now);
                    self.state = State::Records(Box::new(submission));
                }
                Err(_) => return self.answer(status::BAD, ""),
            }
        }
        match self.take_records() {
            Ok(true) => self.finish(program, events, me),
            Ok(false) => {}
            Err(complaint) => {
                let id = self.file.as_ref().map_or("", |file| file.id().as_str());
                log::warn!("{id}: message rejected: {complaint}");
                self.answer(status::BAD, "");
            }
        }
    }

    /// Gives the whole records to the submission; true with the last one.
    fn take_records(&mut self) -> Result<bool, String> {
        let State::Records(submission) = &mut self.state else { return Ok(false) };
        let mut at = 0;
        let mut ended = false;
        while !ended {
            match record::parse(&self.input[at..], at as u64).map_err(|error| error.to_string())? {
                Parsed::Partial(_) => break,
                Parsed::Whole(record, length) => {
                    ended = submission.record(&record).map_err(|error| error.to_string())?;
                    at += length;
                }
            }
        }
        self.input.drain(..at);
        Ok(ended)
    }

    /// Edits the message and sends it to the disk.
    fn finish(
        &mut self,
        program: &mut CleanupService,
        events: &mut EventLoop<CleanupService>,
        me: HandlerId,
    ) {
        let State::Records(submission) = std::mem::replace(&mut self.state, State::Committing) else {
            return;
        };
        let (Some(mut editor), Some(file)) = (submission.into_cleanup(), self.file.take()) else {
            return self.answer(status::BAD, "");
        };
        let Ok(finished) = editor.finish(file.id().as_str(), &program.tables) else {
            return self.answer(status::WRITE, "");
        };
        write_log(&finished);
        let (code, reason) = status::of(&finished);
        let hold = match finished.verdict {
            Verdict::Queue => false,
            Verdict::Hold => true,
            Verdict::Discard | Verdict::Reject(_) => return self.answer(code, &reason),
        };
        let job = move || Committed { result: commit(file, &finished, hold), queued: !hold };
        if events.offload(me, job).is_err() {
            self.answer(status::WRITE, "");
        }
    }

    fn answer(&mut self, code: u32, reason: &str) {
        Attributes::new().with("status", code).with("reason", reason).encode(&mut self.output);
        self.file = None;
        self.state = State::Answered;
    }

    /// Sends what there is; closes after the answer.
    fn flush(&mut self) -> Fate {
        while !self.output.is_empty() {
            match self.socket.write(&self.output) {
                Ok(count) => drop(self.output.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Fate::Keep,
                Err(_) => return Fate::Close,
            }
        }
        if matches!(self.state, State::Answered) { Fate::Close } else { Fate::Keep }
    }

    fn created(&mut self, created: Created) {
        match created.0 {
            Ok(file) => {
                let greeting =
                    Attributes::new().with("protocol", "cleanup_protocol").with("queue_id", file.id());
                greeting.encode(&mut self.output);
                self.file = Some(file);
                self.state = State::Flags;
            }
            Err(error) => {
                log::warn!("{error}");
                self.state = State::Answered;
            }
        }
    }

    fn committed(&mut self, committed: Committed, program: &mut CleanupService) {
        match committed.result {
            Ok(id) => {
                if committed.queued {
                    program.manager.arrived(id.as_str());
                }
                self.answer(status::OK, "");
            }
            Err(error) => {
                log::warn!("{error}");
                self.answer(status::WRITE, "");
            }
        }
    }
}

impl Handler<CleanupService> for Session {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.socket.as_raw_fd())
    }

    fn ready(
        &mut self,
        _how: Readiness,
        program: &mut CleanupService,
        events: &mut EventLoop<CleanupService>,
        me: HandlerId,
    ) -> Fate {
        let open = self.receive(events, me);
        self.digest(program, events, me);
        match self.flush() {
            // A client that has gone while its message is synced gets no answer; the message stays.
            Fate::Keep if open || matches!(self.state, State::Committing) => Fate::Keep,
            _ => Fate::Close,
        }
    }

    fn letter(
        &mut self,
        letter: Letter,
        program: &mut CleanupService,
        events: &mut EventLoop<CleanupService>,
        me: HandlerId,
    ) -> Fate {
        match letter.downcast::<Created>() {
            Ok(created) => {
                self.created(*created);
                self.digest(program, events, me);
            }
            Err(letter) => {
                if let Ok(committed) = letter.downcast::<Committed>() {
                    self.committed(*committed, program);
                }
            }
        }
        self.flush()
    }

    fn ended(&mut self, program: &mut CleanupService, _events: &mut EventLoop<CleanupService>) {
        program.clients.gone();
    }
}

/// Makes the message safe, in the queue it belongs to.
fn commit(mut file: NewFile, finished: &Finished, hold: bool) -> Result<QueueId, QueueError> {
    posting::note_expanded(&mut file, &finished.expanded)?;
    if hold {
        file.hold()?;
    }
    file.commit(&finished.records)
}

fn write_log(finished: &Finished) {
    for line in &finished.log {
        match line.level {
            Level::Info => log::info!("{}", line.text),
            Level::Warning => log::warn!("{}", line.text),
        }
    }
}
