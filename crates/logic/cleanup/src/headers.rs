//! One header field: checked, rewritten, dropped, counted.

use address::{AddressList, Token, internal_text, quote, scan};
use lookup::{Lookup, Stop};
use message::content_type::Encoding;
use message::fold;
use message::header::{Charset, Known, Role, header_name, header_value};
use message::scanner::Place;
use rewriting::{Canonical, Context as RewriteContext, MapFailure};

use crate::checks::{Change, Context};
use crate::editor::Cleanup;
use crate::log::LogLine;
use crate::refusal::Problem;

/// What a header says in the place of an address that came to nothing.
const NOBODY: &str = "\"\"";

impl Cleanup {
    pub(crate) fn edit_header(
        &mut self,
        tables: &dyn Lookup,
        place: Place,
        field: &[u8],
    ) -> Result<(), Stop> {
        // A field ends with a NUL, as it does in Postfix, where it is a string: nobody sees another rest of it.
        let field = field.split(|byte| *byte == 0).next().unwrap_or_default();
        let (change, kept) = match self.checked_header(tables, place, field) {
            Ok(checked) => checked,
            Err(failure) => return self.header_failed(failure),
        };
        let written = match &kept {
            Some(field) if change.problem.is_none() && !change.discard => {
                self.written_header(tables, place, field)
            }
            _ => Ok(Change::default()),
        };
        let written = match written {
            Ok(written) => written,
            Err(failure) => return self.header_failed(failure),
        };
        self.apply(change);
        if let Some(field) = kept
            && !self.is_over()
        {
            self.note_header(place, &field);
        }
        self.apply(written);
        Ok(())
    }

    fn header_failed(&mut self, failure: MapFailure) -> Result<(), Stop> {
        let about = (!failure.address.is_empty()).then_some(failure.address.as_str());
        self.table_failed(failure.stop, failure.parameter, about)
    }

    fn checked_header(
        &self,
        tables: &dyn Lookup,
        place: Place,
        field: &[u8],
    ) -> Result<(Change, Option<Vec<u8>>), MapFailure> {
        let known = header_name(field).and_then(Known::by_name);
        let settings = &self.settings;
        let (parameter, maps) = match place {
            _ if known.is_some_and(Known::is_mime) => ("mime_header_checks", &settings.mime_header_checks),
            Place::Primary => ("header_checks", &settings.header_checks),
            Place::Part => ("mime_header_checks", &settings.mime_header_checks),
            Place::Nested => ("nested_header_checks", &settings.nested_header_checks),
        };
        if !self.envelope.options.checks || self.found.passed || maps.is_empty() {
            return Ok((Change::default(), Some(field.to_vec())));
        }
        self.check(tables, Context::Header, parameter, maps, field)
    }

    /// What is written for a field: nothing, itself, or itself with its addresses rewritten.
    fn written_header(&self, tables: &dyn Lookup, place: Place, field: &[u8]) -> Result<Change, MapFailure> {
        let mut change = Change::default();
        let name = header_name(field).unwrap_or_default();
        let known = Known::by_name(name);
        let is_primary = place == Place::Primary && !known.is_some_and(Known::is_mime);
        if !is_primary {
            change.text(field);
            return Ok(change);
        }
        let dropped =
            self.settings.message_drop_headers.iter().any(|own| own.as_bytes().eq_ignore_ascii_case(name));
        let role = known
            .and_then(Known::role)
            .filter(|_| self.envelope.rewrite_context != RewriteContext::Untouched);
        let (Some(known), Some(role)) = (known, role) else {
            if !dropped {
                change.text(field);
            }
            return Ok(change);
        };
        let rewritten = self.rewritten_header(tables, known, role, field, &mut change)?;
        if !dropped {
            match rewritten {
                Some(lines) => change.lines.extend(lines),
                None => change.text(field),
            }
        }
        Ok(change)
    }

    /// The lines of an address header whose addresses changed; `None` when none did.
    fn rewritten_header(
        &self,
        tables: &dyn Lookup,
        known: Known,
        role: Role,
        field: &[u8],
        change: &mut Change,
    ) -> Result<Option<Vec<Vec<u8>>>, MapFailure> {
        let (charset, value) = Charset::decode(header_value(field));
        let mut list = AddressList::parse(&value, self.settings.header_address_token_limit);
        let mut changed = false;
        for tokens in list.addresses_mut() {
            changed |= self.rewrite_address(tables, role, tokens, change)?;
        }
        if !changed {
            return Ok(None);
        }
        let lines = fold::fill(&format!("{}: {}", known.name(), list.to_lines()));
        Ok(Some(lines.iter().map(|line| charset.encode(line)).collect()))
    }

    fn rewrite_address(
        &self,
        tables: &dyn Lookup,
        role: Role,
        tokens: &mut Vec<Token>,
        change: &mut Change,
    ) -> Result<bool, MapFailure> {
        let rewriting = &self.settings.rewriting;
        let before = external_text(tokens);
        let mut full = tokens.clone();
        rewriting.rewrite_tokens(&mut full, self.envelope.rewrite_context);
        let mut address = internal_text(&full);
        if self.envelope.options.mappings {
            let place = match role {
                Role::Sender => Canonical::HeaderSender,
                Role::Recipient => Canonical::HeaderRecipient,
            };
            let mapping = rewriting.canonical(tables, &address, place)?;
            address = mapping.address;
            let warning = |text| LogLine::warning(format!("{}: {text}", self.queue_id));
            change.log.extend(mapping.warnings.into_iter().map(warning));
        }
        let after = if address.is_empty() { NOBODY.to_owned() } else { quote(&address) };
        let changed = after != before;
        if changed {
            *tokens = scan(&after, self.settings.header_address_token_limit);
        }
        Ok(changed)
    }

    /// Remembers what a header that stays tells of the message.
    fn note_header(&mut self, place: Place, field: &[u8]) {
        self.found.utf8_header |= !field.is_ascii();
        let Some(known) = header_name(field).and_then(Known::by_name) else { return };
        if known == Known::ContentTransferEncoding && self.settings.detect_8bit_encoding_header {
            let encoding = Encoding::parse(header_value(field));
            self.found.eight_bit |= matches!(encoding, Encoding::EightBit | Encoding::Binary);
        }
        if place != Place::Primary {
            return;
        }
        self.found.headers.insert(known);
        match known {
            Known::MessageId => self.log_message_id("message-id", field),
            Known::ResentMessageId => self.log_message_id("resent-message-id", field),
            Known::Received => self.count_hop(),
            _ => {}
        }
        if known.is_resent() {
            self.found.resent = "Resent-";
        }
    }

    fn log_message_id(&mut self, name: &str, field: &[u8]) {
        let (_, value) = Charset::decode(header_value(field));
        let value = value.trim_start().replace('\n', "?");
        self.info(&format!("{name}={value}"));
    }

    fn count_hop(&mut self) {
        self.found.hops += 1;
        if self.found.hops >= self.settings.hopcount_limit {
            self.warn("message rejected: hopcount exceeded");
            self.refuse(Problem::TooManyHops);
        }
    }
}

/// The address as it stands in the header.
fn external_text(tokens: &[Token]) -> String {
    let mut text = String::new();
    tokens.iter().for_each(|token| token.write(&mut text));
    text
}
