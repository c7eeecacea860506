//! The envelope's addresses: rewritten, mapped, expanded, each recipient once.

use address::quote;
use lookup::{Lookup, Stop};
use queue_format::{Kind, record};
use rewriting::{Canonical, Context, ExpandError, MapFailure};

use crate::editor::{Cleanup, Stage};
use crate::envelope::Recipient;
use crate::refusal::Problem;

/// NOTIFY=NEVER (RFC 3461 §4.1), which automatic copies get.
const NOTIFY_NEVER: u32 = 1;
/// NOTIFY=SUCCESS.
const NOTIFY_SUCCESS: u32 = 2;

/// What the log and the client are told of an alias that does not end.
const ALIAS_PROBLEM: &str = "4.6.0 Alias expansion error";

/// A recipient that became others, and whose sender asked to be told of success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expanded {
    /// The recipient as it was given.
    pub original: String,
    /// The recipient after rewriting, before the alias.
    pub address: String,
    /// ORCPT.
    pub dsn_original: String,
    /// NOTIFY, as the sender gave it.
    pub notify: u32,
}

/// A recipient ready for the file.
struct Resolved {
    address: String,
    original: String,
    dsn_original: String,
    notify: u32,
}

impl Cleanup {
    /// Writes the envelope, as far as it is not written yet.
    pub(crate) fn edit_envelope(&mut self, tables: &dyn Lookup) -> Result<(), Stop> {
        if self.stage == Stage::Sender {
            self.edit_sender(tables)?;
            self.stage = Stage::Recipients(0);
        }
        while let Stage::Recipients(number) = self.stage {
            if number == self.recipients.len() || self.is_over() {
                self.begin_content();
                break;
            }
            let given = self.recipients[number].clone();
            self.edit_recipient(tables, given)?;
            self.stage = Stage::Recipients(number + 1);
        }
        Ok(())
    }

    fn edit_sender(&mut self, tables: &dyn Lookup) -> Result<(), Stop> {
        let given = std::mem::take(&mut self.envelope.sender);
        let outcome = self.mapped_sender(tables, &given);
        self.envelope.sender = given;
        let (sender, warnings, bcc) = match outcome {
            Ok(outcome) => outcome,
            Err(failure) => return self.map_failed(failure),
        };
        let bcc = match bcc.map(|bcc| self.resolve_copy(tables, &bcc)).transpose() {
            Ok(bcc) => bcc,
            Err(failure) => return self.recipient_failed(failure),
        };
        warnings.iter().for_each(|warning| self.warn(warning));
        self.write_sender(sender);
        self.write_recipients(bcc.unwrap_or_default());
        self.envelope.write_attributes(&mut self.output.records);
        self.write_warn_time();
        Ok(())
    }

    /// When the sender is to be told that his mail waits. The null sender is told nothing.
    fn write_warn_time(&mut self) {
        let delay = i64::try_from(self.settings.delay_warning_seconds).unwrap_or(i64::MAX);
        if delay > 0 && !self.found.sender.is_empty() {
            let time = self.envelope.arrival.seconds.saturating_add(delay);
            self.output.write(Kind::WARN_TIME, &record::fixed_number(time));
        }
    }

    /// The sender after all maps, what the log should say, and who gets a copy.
    #[allow(clippy::type_complexity)]
    fn mapped_sender(
        &self,
        tables: &dyn Lookup,
        given: &str,
    ) -> Result<(String, Vec<String>, Option<String>), MapFailure> {
        let rewriting = &self.settings.rewriting;
        let mut sender = rewriting.rewrite(given, Context::Local);
        let mut warnings = Vec::new();
        if self.envelope.options.mappings && !sender.is_empty() {
            let mapping = rewriting.canonical(tables, &sender, Canonical::EnvelopeSender)?;
            (sender, warnings) = (mapping.address, mapping.warnings);
        }
        let bcc = self.copy_for(tables, "sender_bcc_maps", &self.settings.sender_bcc_maps, &sender)?;
        Ok((sender, warnings, bcc))
    }

    fn copy_for(
        &self,
        tables: &dyn Lookup,
        parameter: &'static str,
        maps: &str,
        address: &str,
    ) -> Result<Option<String>, MapFailure> {
        if !self.envelope.options.bcc || address.is_empty() {
            return Ok(None);
        }
        let failed = |stop| MapFailure { stop, parameter, address: address.to_owned() };
        let found = self.settings.rewriting.find_address(tables, maps, address).map_err(failed)?;
        Ok(found.map(|found| found.value))
    }

    fn write_sender(&mut self, sender: String) {
        self.output.write(Kind::SIZE, &queue_format::SizeRecord::default().encode());
        self.envelope.write_head(&mut self.output.records, &self.queue_id);
        self.output.write(Kind::SENDER, sender.as_bytes());
        self.found.sender = sender;
    }

    fn edit_recipient(&mut self, tables: &dyn Lookup, given: Recipient) -> Result<(), Stop> {
        let mut expanded = Vec::new();
        let resolved = self.resolve_recipient(tables, &given, &mut expanded);
        let (recipients, copies, warnings) = match resolved {
            Ok(resolved) => resolved,
            Err(failure) => return self.recipient_failed(failure),
        };
        warnings.iter().for_each(|warning| self.warn(warning));
        self.found.notify_flags |= given.notify;
        self.expanded.extend(expanded);
        self.write_recipients(recipients);
        self.write_recipients(copies);
        self.found.last_recipient = given.address;
        Ok(())
    }

    #[allow(clippy::type_complexity)]
    fn resolve_recipient(
        &self,
        tables: &dyn Lookup,
        given: &Recipient,
        expanded: &mut Vec<Expanded>,
    ) -> Result<(Vec<Resolved>, Vec<Resolved>, Vec<String>), Failure> {
        let rewriting = &self.settings.rewriting;
        let empty = &rewriting.settings().empty_address_recipient;
        let address = if given.address.is_empty() { empty } else { &given.address };
        let full = rewriting.rewrite(address, Context::Local);
        let original = if given.original.is_empty() { &given.address } else { &given.original };
        let mut whole = Resolved {
            dsn_original: match given.dsn_original.is_empty() {
                // smtpd(8) takes the client's word, pickup(8) our full form.
                true if self.envelope.client.is_some() => format!("rfc822;{}", quote(original)),
                true => format!("rfc822;{}", quote(&full)),
                false => given.dsn_original.clone(),
            },
            original: original.clone(),
            notify: given.notify,
            address: full,
        };
        let mut warnings = Vec::new();
        if self.envelope.options.mappings {
            let mapping = rewriting.canonical(tables, &whole.address, Canonical::EnvelopeRecipient)?;
            (whole.address, warnings) = (mapping.address, mapping.warnings);
        }
        let maps = &self.settings.recipient_bcc_maps;
        let copy = self.copy_for(tables, "recipient_bcc_maps", maps, &whole.address)?;
        let copies = copy.map(|copy| self.resolve_copy(tables, &copy)).transpose()?.unwrap_or_default();
        Ok((self.expand(tables, whole, expanded)?, copies, warnings))
    }

    /// An automatic copy: mapped and expanded as any recipient, but its sender never hears of it.
    fn resolve_copy(&self, tables: &dyn Lookup, address: &str) -> Result<Vec<Resolved>, Failure> {
        let rewriting = &self.settings.rewriting;
        let original = rewriting.rewrite(&address::unquote(address), Context::Local);
        let mut copy = Resolved {
            address: original.clone(),
            original,
            dsn_original: String::new(),
            notify: NOTIFY_NEVER,
        };
        if self.envelope.options.mappings {
            copy.address = rewriting.canonical(tables, &copy.address, Canonical::EnvelopeRecipient)?.address;
        }
        self.expand(tables, copy, &mut Vec::new())
    }

    fn expand(
        &self,
        tables: &dyn Lookup,
        whole: Resolved,
        expanded: &mut Vec<Expanded>,
    ) -> Result<Vec<Resolved>, Failure> {
        if !self.envelope.options.mappings || self.settings.rewriting.settings().virtual_alias_maps.is_empty()
        {
            return Ok(vec![whole]);
        }
        let expansion = self.settings.rewriting.virtual_alias_expand(tables, &whole.address);
        let addresses = expansion.map_err(|error| Failure::Alias(error, whole.address.clone()))?.recipients;
        let replaced = addresses.len() > 1 || addresses[0] != whole.address;
        let mut notify = whole.notify;
        if replaced && notify & NOTIFY_SUCCESS != 0 {
            expanded.push(Expanded {
                original: whole.original.clone(),
                address: whole.address.clone(),
                dsn_original: whole.dsn_original.clone(),
                notify,
            });
            notify = if notify == NOTIFY_SUCCESS { NOTIFY_NEVER } else { notify & !NOTIFY_SUCCESS };
        }
        let one = |address| Resolved {
            address,
            original: whole.original.clone(),
            dsn_original: whole.dsn_original.clone(),
            notify,
        };
        Ok(addresses.into_iter().map(one).collect())
    }

    /// Writes those that have not been written yet.
    fn write_recipients(&mut self, recipients: Vec<Resolved>) {
        for recipient in recipients {
            if !self.remember(&recipient) {
                continue;
            }
            let records = &mut self.output.records;
            if recipient.notify != 0 {
                record::write_attribute(records, "notify_flags", &recipient.notify.to_string());
            }
            if !recipient.dsn_original.is_empty() {
                record::write_attribute(records, "dsn_orig_rcpt", &recipient.dsn_original);
            }
            self.output.write(Kind::ORIGINAL_RECIPIENT, recipient.original.as_bytes());
            self.output.write(Kind::RECIPIENT, recipient.address.as_bytes());
            self.found.recipient_count += 1;
        }
    }

    /// Is this the first of its kind? Beyond `duplicate_filter_limit`, new ones are not remembered.
    fn remember(&mut self, recipient: &Resolved) -> bool {
        let Resolved { address, original, dsn_original, notify } = recipient;
        let key = match self.settings.enable_original_recipient {
            true => format!("{dsn_original}\n{notify}\n{original}\n{address}").to_lowercase(),
            false => format!("{notify}\n{address}").to_lowercase(),
        };
        if self.duplicates.contains(&key) {
            return false;
        }
        let limit = self.settings.duplicate_filter_limit;
        if limit == 0 || self.duplicates.len() < limit {
            self.duplicates.insert(key);
        }
        true
    }

    fn begin_content(&mut self) {
        self.output.write(Kind::MESSAGE, b"");
        self.found.content_offset = self.output.position();
        self.stage = Stage::Content;
        self.write_trace_headers();
    }

    /// Adds an automatic recipient behind the content.
    pub(crate) fn add_copy(&mut self, tables: &dyn Lookup, address: &str) -> Result<(), Stop> {
        match self.resolve_copy(tables, address) {
            Ok(copies) => {
                self.write_recipients(copies);
                Ok(())
            }
            Err(failure) => self.recipient_failed(failure),
        }
    }

    fn map_failed(&mut self, failure: MapFailure) -> Result<(), Stop> {
        self.table_failed(failure.stop, failure.parameter, Some(&failure.address))
    }

    fn recipient_failed(&mut self, failure: Failure) -> Result<(), Stop> {
        let complaint = match failure {
            Failure::Map(failure) => return self.map_failed(failure),
            Failure::Alias(ExpandError::Stop(stop), address) => {
                return self.table_failed(stop, "virtual_alias_maps", Some(&address));
            }
            Failure::Alias(ExpandError::TooMany, address) => format!("map expansion size for {address}"),
            Failure::Alias(ExpandError::TooDeep, address) => format!("map nesting for {address}"),
            Failure::Alias(ExpandError::TooLong { result }, _) => format!("result {result}..."),
        };
        let text =
            format!("unreasonable virtual_alias_maps {complaint} -- message not accepted, try again later");
        self.warn(&text);
        self.refuse(Problem::Deferred(ALIAS_PROBLEM.into()));
        Ok(())
    }
}

/// Why a recipient could not be written.
enum Failure {
    Map(MapFailure),
    Alias(ExpandError, String),
}

impl From<MapFailure> for Failure {
    fn from(failure: MapFailure) -> Self {
        Self::Map(failure)
    }
}
