//! DATA (RFC 5321 §4.1.1.4) and BDAT (RFC 3030).

use std::time::Duration;

use machine::Output;

use super::{Asked, Chunk, Chunks, Phase, Server};
use crate::content::Content;
use crate::question::{Answer, Event, Question};
use crate::reply::Reply;
use crate::settings::BareNewline;
use crate::token::Token;

const END_OF_MESSAGE: &str = "END-OF-MESSAGE";

impl Server {
    pub(super) fn data(&mut self, words: &[Token]) {
        if self.bdat != Chunks::None {
            return self.refuse("503 5.5.1 Error: DATA after BDAT");
        }
        if let Some(reply) = self.no_recipients() {
            return self.refuse(reply);
        }
        if !words.is_empty() {
            return self.refuse("501 5.5.4 Syntax: DATA");
        }
        self.ask(Question::Data, Asked::Data);
    }

    fn no_recipients(&self) -> Option<Reply> {
        match &self.transaction {
            None => Some("503 5.5.1 Error: need RCPT command".into()),
            Some(transaction) if transaction.recipients == 0 => {
                Some("554 5.5.1 Error: no valid recipients".into())
            }
            Some(_) => None,
        }
    }

    pub(super) fn data_allowed(&mut self, answer: Answer) {
        if let Answer::Refuse(reply) = answer {
            return self.refuse(reply);
        }
        let content = Content::data(self.bare_newline(), self.settings.message_limit_bytes);
        if let Some(transaction) = &mut self.transaction {
            transaction.content = Some(Box::new(content));
        }
        self.request_done();
        self.say("354 End data with <CR><LF>.<CR><LF>");
        self.phase = Phase::Data;
    }

    pub(super) fn data_content(&mut self) -> Option<Output<Question>> {
        let Some(content) = self.transaction.as_mut().and_then(|open| open.content.as_mut()) else {
            self.phase = Phase::Commands;
            return None;
        };
        let (was_full, mut lines) = (content.too_big(), Vec::with_capacity(self.input.bytes().len()));
        let progress = content.take(self.input.bytes(), &mut lines);
        let overflowed = !was_full && content.too_big();
        self.input.consume(progress.consumed);
        self.earn_time(progress.consumed);
        if overflowed {
            self.note(Event::TooBig);
        }
        self.hand_on(lines);
        if progress.ended {
            self.phase = Phase::Commands;
            self.after = END_OF_MESSAGE;
            self.finish_message();
        } else if progress.consumed == 0 {
            return Some(self.wait(self.settings.timeout));
        }
        None
    }

    /// With `smtpd_per_request_deadline` each second's worth of content buys a second.
    fn earn_time(&mut self, bytes: usize) {
        if let rate @ 1.. = self.settings.min_data_rate {
            self.earned += Duration::from_millis(1000 * bytes as u64 / rate);
        }
    }

    fn hand_on(&mut self, lines: Vec<u8>) {
        if !lines.is_empty() {
            self.ask(Question::Content(lines), Asked::Nothing);
        }
    }

    fn finish_message(&mut self) {
        self.request_done();
        let Some(content) = self.transaction.as_ref().and_then(|open| open.content.as_ref()) else { return };
        let (bare, too_big) = (content.saw_bare(), content.too_big());
        match self.bare_newline() {
            BareNewline::Reject if bare => {
                self.note(Event::BareNewline("DATA content", true));
                self.reset();
                self.say_bare_newline();
                self.failed();
            }
            _ if too_big => {
                self.reset();
                self.refuse("552 5.3.4 Error: message file too big");
            }
            policy => {
                if policy == BareNewline::Note && bare {
                    self.note(Event::BareNewline("DATA content", false));
                }
                self.message_complete();
            }
        }
    }

    fn message_complete(&mut self) {
        let content = self.transaction.as_ref().and_then(|open| open.content.as_ref());
        let size_bytes = content.map_or(0, |content| content.size_bytes());
        self.ask(Question::EndOfData(size_bytes), Asked::EndOfData);
    }

    fn failed(&mut self) {
        self.errors += 1;
        self.count_junk();
    }

    pub(super) fn message_done(&mut self, answer: Answer) {
        let content = self.transaction.take().and_then(|open| open.content);
        let chunked = std::mem::replace(&mut self.bdat, Chunks::None) != Chunks::None;
        match answer {
            Answer::Queued(id) => {
                self.errors = 0;
                self.history.iter_mut().for_each(|history| history.forgive());
                let size = content.filter(|_| chunked).map(|content| content.size_bytes());
                let bytes = size.map_or(String::new(), |bytes| format!("{bytes} bytes "));
                self.done(format!("250 2.0.0 Ok: {bytes}queued as {id}"));
                self.junk = 0;
            }
            Answer::Refuse(reply) => self.refuse(reply),
            _ => self.refuse("451 4.3.0 Error: queue file write error"),
        }
        self.flush_history(self.settings.history_threshold, None);
    }

    pub(super) fn bdat(&mut self, words: &[Token]) {
        if self.admission.discard.has("CHUNKING") {
            return self.refuse("521 5.5.1 Error: command not implemented");
        }
        let Some((bytes, last)) = chunk_size(words) else {
            let shown = words.iter().fold("BDAT".to_owned(), |line, word| line + " " + &word.text);
            self.note(Event::MalformedBdat(shown));
            return self.refuse("521 5.5.4 Syntax: BDAT count [LAST]");
        };
        let chunk = Chunk { bytes, left: bytes, last, refused: None };
        if let Some(reply) = self.chunk_refusal(bytes, last) {
            return self.start_chunk(Chunk { refused: Some(reply), ..chunk });
        }
        if self.bdat == Chunks::None {
            self.ask(Question::Data, Asked::Bdat(chunk));
        } else {
            self.start_chunk(chunk);
        }
    }

    fn chunk_refusal(&mut self, bytes: u64, last: bool) -> Option<Reply> {
        if self.bdat == Chunks::Failed {
            return Some(format!("551 5.0.0 Discarded {bytes} bytes after earlier error").into());
        }
        if bytes == 0 && !last {
            self.note(Event::NullBdat);
            return Some("551 5.7.1 Null BDAT request".into());
        }
        if let Some(reply) = self.no_recipients() {
            return Some(reply);
        }
        let limit = self.settings.message_limit_bytes;
        let content = self.transaction.as_ref().and_then(|open| open.content.as_ref());
        if content.map_or(limit > 0 && bytes > limit, |content| content.overflows(bytes)) {
            self.note(Event::BdatTooBig);
            return Some("552 5.3.4 Chunk exceeds message size limit".into());
        }
        None
    }

    pub(super) fn chunk_allowed(&mut self, answer: Answer, chunk: Chunk) {
        if let Answer::Refuse(reply) = answer {
            return self.start_chunk(Chunk { refused: Some(reply), ..chunk });
        }
        self.bdat = Chunks::Going;
        let content = Content::chunks(self.bare_newline(), self.settings.message_limit_bytes);
        if let Some(transaction) = &mut self.transaction {
            transaction.content = Some(Box::new(content));
        }
        self.start_chunk(chunk);
    }

    /// The bytes of a refused chunk are read all the same: they are no commands (RFC 3030 §2).
    fn start_chunk(&mut self, chunk: Chunk) {
        if chunk.refused.is_some() {
            self.bdat = Chunks::Failed;
        }
        self.request_done();
        self.phase = Phase::Chunk(chunk);
    }

    pub(super) fn chunk_content(&mut self) -> Option<Output<Question>> {
        let Phase::Chunk(chunk) = &mut self.phase else { return None };
        if chunk.left > 0 && self.input.is_empty() {
            return Some(self.wait(self.settings.timeout));
        }
        let count = usize::try_from(chunk.left).unwrap_or(usize::MAX).min(self.input.bytes().len());
        chunk.left -= count as u64;
        let ended = chunk.left == 0;
        let mut lines = Vec::new();
        if chunk.refused.is_none()
            && let Some(content) = self.transaction.as_mut().and_then(|open| open.content.as_mut())
        {
            content.chunk(&self.input.bytes()[..count], &mut lines);
            if ended && chunk.last {
                content.finish_chunks(&mut lines);
            }
        }
        self.input.consume(count);
        self.earn_time(count);
        self.hand_on(lines);
        if ended {
            self.finish_chunk();
        }
        None
    }

    fn finish_chunk(&mut self) {
        self.request_done();
        let Phase::Chunk(chunk) = std::mem::replace(&mut self.phase, Phase::Commands) else { return };
        let bare =
            self.transaction.as_ref().and_then(|open| open.content.as_ref()).is_some_and(|c| c.saw_bare());
        if let Some(reply) = chunk.refused {
            self.forget_chunks(chunk.last);
            self.refuse(reply);
        } else if bare && self.bare_newline() == BareNewline::Reject {
            self.note(Event::BareNewline("BDAT content", true));
            self.reset();
            self.forget_chunks(chunk.last);
            self.say_bare_newline();
            self.failed();
        } else if chunk.last {
            self.after = END_OF_MESSAGE;
            self.message_complete();
        } else {
            self.done(format!("250 2.0.0 Ok: {} bytes", chunk.bytes));
        }
    }

    /// Up to LAST, what else comes of this message is dropped; with it goes the transaction.
    fn forget_chunks(&mut self, last: bool) {
        if last {
            self.reset();
        } else {
            self.bdat = Chunks::Failed;
        }
    }
}

/// `BDAT 1000 LAST`: digits only, so no sign and no wrap.
fn chunk_size(words: &[Token]) -> Option<(u64, bool)> {
    let size = words.first()?.text.as_str();
    let last = match words {
        [_] => false,
        [_, word] if word.text.eq_ignore_ascii_case("LAST") => true,
        _ => return None,
    };
    let digits = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit());
    let bytes = size.parse::<i64>().ok().filter(|_| digits)?;
    Some((u64::try_from(bytes).ok()?, last))
}
