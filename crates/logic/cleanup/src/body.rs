//! The content's way through the scanner: header fields and body lines, one at a time.

use lookup::{Lookup, Stop};
use message::header::Charset;
use message::scanner::{Event, MimeErrors, Place};
use queue_format::Kind;
use rewriting::MapFailure;

use crate::checks::{Change, Context};
use crate::editor::{Cleanup, Stage};
use crate::log::excerpt;
use crate::refusal::Problem;

/// So much of a refused line is logged, in characters.
const EXCERPT_LIMIT: usize = 200;

impl Cleanup {
    /// Our own headers come first, and are looked at like any other.
    pub(crate) fn write_trace_headers(&mut self) {
        let received =
            self.envelope.received.as_ref().map(|received| received.lines(&self.queue_id).join("\n"));
        let texts = self.envelope.prepend.iter().cloned().chain(received);
        self.events =
            texts.map(|text| Event::Header { place: Place::Primary, text: text.into_bytes() }).collect();
        self.events.reverse();
    }

    /// Edits the content that has come, up to the last whole line.
    pub(crate) fn edit_content(&mut self, tables: &dyn Lookup) -> Result<(), Stop> {
        if self.stage != Stage::Content {
            return Ok(());
        }
        loop {
            self.work_off_events(tables)?;
            if self.is_over() {
                self.intake.drop_pending();
                return Ok(());
            }
            if self.scanner.only_body_follows() && !self.checks_body() && !self.settings.is_strict() {
                self.copy_body();
            }
            if !self.scan_piece() {
                break;
            }
        }
        if self.intake.has_ended() && !self.scanned {
            self.scanned = true;
            self.scanner.end(&mut self.events);
            self.events.reverse();
            self.work_off_events(tables)?;
        }
        Ok(())
    }

    fn checks_body(&self) -> bool {
        self.envelope.options.checks && !self.found.passed && !self.settings.body_checks.is_empty()
    }

    /// Nothing can happen to these lines any more: they go straight into the file.
    fn copy_body(&mut self) {
        while let Some(piece) = self.intake.next_piece() {
            if piece.refused {
                let text = piece.text.to_vec();
                return self.refuse_characters(&text);
            }
            self.output.write(if piece.complete { Kind::NORMAL } else { Kind::CONTINUED }, piece.text);
        }
    }

    /// Takes the next piece of content; `false` when there is none.
    fn scan_piece(&mut self) -> bool {
        let Some(piece) = self.intake.next_piece() else { return false };
        self.piece.clear();
        self.piece.extend_from_slice(piece.text);
        self.piece_complete = piece.complete;
        if piece.refused {
            let text = std::mem::take(&mut self.piece);
            self.refuse_characters(&text);
            return true;
        }
        let before = self.scanner.errors();
        self.scanner.line(&self.piece, self.piece_complete, &mut self.events);
        self.events.reverse();
        self.judge_mime(before);
        true
    }

    fn work_off_events(&mut self, tables: &dyn Lookup) -> Result<(), Stop> {
        while let Some(event) = self.events.last() {
            if self.is_over() {
                self.events.clear();
                break;
            }
            match event {
                Event::Header { place, text } => {
                    let (place, text) = (*place, text.clone());
                    self.edit_header(tables, place, &text)?;
                }
                Event::HeadersEnd { place: Place::Primary } => self.add_missing_headers(tables)?,
                Event::HeadersEnd { .. } => {}
                Event::MissingBlank => self.output.write(Kind::NORMAL, b""),
                Event::Body { offset } => {
                    let offset = *offset;
                    self.edit_body_line(tables, offset)?;
                }
            }
            self.events.pop();
        }
        Ok(())
    }

    fn edit_body_line(&mut self, tables: &dyn Lookup, offset: u64) -> Result<(), Stop> {
        let kind = if self.piece_complete { Kind::NORMAL } else { Kind::CONTINUED };
        if !self.checks_body() || offset >= self.settings.body_checks_size_limit {
            self.output.write(kind, &self.piece);
            return Ok(());
        }
        match self.checked_body_line(tables) {
            Ok((change, kept)) => {
                self.apply(change);
                if let Some(text) = kept {
                    self.output.write(kind, &text);
                }
                Ok(())
            }
            Err(failure) => self.table_failed(failure.stop, failure.parameter, None),
        }
    }

    fn checked_body_line(&self, tables: &dyn Lookup) -> Result<(Change, Option<Vec<u8>>), MapFailure> {
        self.check(tables, Context::Body, "body_checks", &self.settings.body_checks, &self.piece)
    }

    fn refuse_characters(&mut self, text: &[u8]) {
        const REASON: &str = "5.7.1 disallowed character";
        let (_, text) = Charset::decode(text);
        let line = self.check_log("reject", "content", &text, REASON);
        self.info(&line);
        self.refuse(Problem::Content(REASON.into()));
    }

    /// Refuses what the strict rules do not allow.
    fn judge_mime(&mut self, before: MimeErrors) {
        let (settings, now) = (&self.settings, self.scanner.errors());
        let watched = settings.is_strict() || settings.has_header_checks();
        let reason = match () {
            () if now.nesting && !before.nesting && watched => "MIME nesting exceeds safety limit",
            () if now.eight_bit_header && !before.eight_bit_header && settings.strict_7bit_headers => {
                "improper use of 8-bit data in message header"
            }
            () if now.eight_bit_body && !before.eight_bit_body && settings.strict_8bitmime_body => {
                "improper use of 8-bit data in message body"
            }
            () if now.encoding_domain && !before.encoding_domain && settings.strict_mime_encoding_domain => {
                "invalid message/* or multipart/* encoding domain"
            }
            () => return,
        };
        let (_, text) = Charset::decode(&self.piece);
        let origin = self.envelope.origin();
        let (from, to) = (&self.found.sender, &self.found.last_recipient);
        let snippet = excerpt(&text, EXCERPT_LIMIT);
        self.info(&format!("reject: mime-error {reason}: {snippet} from {origin}; from=<{from}> to=<{to}>"));
        self.refuse(Problem::Content(format!("5.6.0 {reason}")));
    }
}
