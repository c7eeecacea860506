//! What stands behind the content: the extracted segment.

use lookup::{Lookup, Stop};
use queue_format::{Kind, record};

use crate::editor::{Cleanup, Stage};
use crate::refusal::Problem;

/// SMTPUTF8 is needed because of a header (RFC 6531).
const UTF8_HEADER: u32 = 2;
/// SMTPUTF8 is needed because of the sender.
const UTF8_SENDER: u32 = 4;

impl Cleanup {
    /// One more recipient gets a copy, as for the action BCC of a header check.
    pub fn copy_to(&mut self, address: String) {
        self.found.bcc.push(address);
    }

    /// Ends the content and writes the rest of the file.
    pub(crate) fn edit_extracted(&mut self, tables: &dyn Lookup) -> Result<(), Stop> {
        if self.stage == Stage::Content {
            self.end_content();
            self.stage = Stage::AlwaysBcc;
        }
        if self.stage == Stage::AlwaysBcc {
            let address = self.settings.always_bcc.clone();
            if !self.is_over() && !address.is_empty() && self.envelope.options.bcc {
                self.add_copy(tables, &address)?;
            }
            self.stage = Stage::CheckedBcc(0);
        }
        while let Stage::CheckedBcc(number) = self.stage {
            let Some(address) = self.found.bcc.get(number).cloned() else {
                self.output.write(Kind::END, b"");
                self.stage = Stage::Done;
                break;
            };
            if !self.is_over() {
                self.add_copy(tables, &address)?;
            }
            self.stage = Stage::CheckedBcc(number + 1);
        }
        Ok(())
    }

    fn end_content(&mut self) {
        self.found.content_end = self.output.position();
        self.output.write(Kind::EXTRACTED, b"");
        if let Some(filter) = &self.found.filter {
            record::write(&mut self.output.records, Kind::FILTER, filter.as_bytes());
        }
        let redirect = self.found.redirect.as_ref().or(self.envelope.redirect.as_ref());
        if let Some(redirect) = redirect {
            record::write(&mut self.output.records, Kind::REDIRECT, redirect.as_bytes());
        }
        let encoding = if self.found.eight_bit { "8bit" } else { &self.envelope.encoding };
        if !encoding.is_empty() {
            record::write_attribute(&mut self.output.records, "encoding", encoding);
        }
        let limit = self.settings.message_size_limit;
        if limit > 0 && self.output.position() > limit && !self.is_over() {
            self.refuse(Problem::TooLarge);
        }
    }

    /// What the next hop must support, and why.
    pub(crate) fn send_options(&self) -> u32 {
        let mut options = self.envelope.send_options;
        if self.found.utf8_header {
            options |= UTF8_HEADER;
        }
        if !self.found.sender.is_ascii() {
            options |= UTF8_SENDER;
        }
        options
    }
}
