//! The list itself, in the attribute protocol of Postfix: a greeting, an attribute list for each message, an empty one at the end.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use address::quoted;
use notifications::log::{delays, text};
use parameters::Config;
use queue::{Entry, MODE_FORCE_EXPIRE, Queue, QueueError, QueueName, Scan};
use queue_format::envelope::{Envelope, EnvelopeReader, Step};

/// The folders in the order in which they are listed.
const FOLDERS: [QueueName; 5] =
    [QueueName::Maildrop, QueueName::Active, QueueName::Incoming, QueueName::Deferred, QueueName::Hold];
/// Messages in one portion: a piece of work for one thread that is worth being handed over.
const PORTION_MESSAGES: usize = 250;
/// How much of a file is read at a time, in bytes: most envelopes fit.
const BLOCK_BYTES: usize = 4096;

/// What a list is made from.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) queue: Queue,
    /// `empty_address_recipient`: stands for the null sender.
    pub(crate) empty_address: String,
}

impl Settings {
    /// The queue in the working directory, as main.cf says.
    pub(crate) fn from_config(config: &Config) -> Result<Self, QueueError> {
        let queue = Queue::open(".", queue::Settings::from(config))?;
        Ok(Self { queue, empty_address: config.get(&parameters::EMPTY_ADDRESS_RECIPIENT) })
    }
}

/// A list that is being made. Several threads may ask for portions at once: each reads the files of its own, which is what
/// takes time.
pub(crate) struct Listing {
    settings: Settings,
    files: Mutex<Files>,
}

/// A piece of the list.
pub(crate) struct Portion {
    /// Its place among the others, from 0 on.
    pub(crate) number: usize,
    /// It ends the list; those behind it are empty.
    pub(crate) last: bool,
    pub(crate) bytes: Vec<u8>,
}

impl Listing {
    pub(crate) fn new(settings: Settings) -> Self {
        let files = Files { queue: settings.queue.clone(), folders: FOLDERS.iter(), scan: None, taken: 0 };
        Self { settings, files: Mutex::new(files) }
    }

    /// The next piece of the list; blocks.
    pub(crate) fn next_portion(&self) -> Portion {
        let (number, found) = self.files.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut bytes = Vec::new();
        if number == 0 {
            attribute(&mut bytes, "protocol", "mail_queue_list_protocol");
            bytes.push(0);
        }
        let last = found.len() < PORTION_MESSAGES;
        Reader::new(&self.settings).list(&found, &mut bytes);
        if last {
            bytes.push(0);
        }
        Portion { number, last, bytes }
    }
}

/// The files of the queue, portion by portion.
struct Files {
    queue: Queue,
    folders: std::slice::Iter<'static, QueueName>,
    scan: Option<(QueueName, Scan)>,
    taken: usize,
}

impl Files {
    /// The files of the next portion, and its number. Only the last one has fewer than there may be.
    fn take(&mut self) -> (usize, Vec<(QueueName, Entry)>) {
        let number = self.taken;
        self.taken += 1;
        (number, std::iter::from_fn(|| self.next_entry()).take(PORTION_MESSAGES).collect())
    }

    fn next_entry(&mut self) -> Option<(QueueName, Entry)> {
        loop {
            if let Some((name, scan)) = &mut self.scan {
                match scan.next() {
                    Some(Ok(entry)) => return Some((*name, entry)),
                    Some(Err(error)) => log::warn!("{error}"),
                    None => self.scan = None,
                }
                continue;
            }
            let name = *self.folders.next()?;
            match self.queue.scan(name) {
                Ok(scan) => self.scan = Some((name, scan)),
                Err(error) => log::warn!("{error}"),
            }
        }
    }
}

/// Reads the files of messages, one after the other.
struct Reader<'a> {
    settings: &'a Settings,
    block: Vec<u8>,
}

impl<'a> Reader<'a> {
    fn new(settings: &'a Settings) -> Self {
        Self { settings, block: vec![0; BLOCK_BYTES] }
    }

    fn list(mut self, found: &[(QueueName, Entry)], out: &mut Vec<u8>) {
        found.iter().for_each(|(name, entry)| self.message(*name, entry, out));
    }

    /// Appends one message; nothing for a file that is not complete, is no message, or has moved on.
    fn message(&mut self, name: QueueName, entry: &Entry, out: &mut Vec<u8>) {
        let Some(id) = entry.id() else { return };
        let Ok(file) = File::open(&entry.path) else { return };
        let Ok(facts) = file.metadata() else { return };
        if !facts.is_file() || facts.mode() & 0o100 == 0 {
            return;
        }
        let Some(envelope) = self.envelope(&file) else { return };
        let Some(sender) = envelope.sender.as_deref().map(quoted) else { return };
        let size = envelope.size.map_or(facts.len(), |size| size.message_bytes);
        attribute(out, "queue_name", name.as_str());
        attribute(out, "queue_id", id.as_str());
        attribute(out, "time", &envelope.arrival_seconds().to_string());
        attribute(out, "size", &size.to_string());
        attribute(out, "forced_expire", if facts.mode() & MODE_FORCE_EXPIRE != 0 { "1" } else { "0" });
        attribute(out, "sender", if sender.is_empty() { &self.settings.empty_address } else { &sender });
        let log = match name {
            QueueName::Deferred | QueueName::Active | QueueName::Incoming | QueueName::Hold => {
                self.whole(&self.settings.queue.path(QueueName::Defer, &id)).unwrap_or_default()
            }
            _ => &[],
        };
        recipients(&envelope, log, out);
        out.push(0);
    }

    /// A file that mostly fits in one block.
    fn whole(&mut self, path: &Path) -> io::Result<&[u8]> {
        let file = File::open(path)?;
        let mut known = 0;
        loop {
            let length = file.read_at(&mut self.block[known..], known as u64)?;
            known += length;
            if known < self.block.len() {
                return Ok(&self.block[..known]);
            }
            self.block.resize(self.block.len() * 2, 0);
        }
    }

    /// The envelope, as far as it is needed; `None` when the file can not be read or is no message.
    fn envelope(&mut self, file: &File) -> Option<Envelope> {
        let mut reader = EnvelopeReader::for_lists();
        let mut begin = 0;
        loop {
            let length = file.read_at(&mut self.block, begin).ok()?;
            match reader.feed(&self.block[..length], length < self.block.len()).ok()? {
                Step::Done | Step::Full => return Some(reader.into_envelope()),
                Step::Read { offset, at_least } => {
                    let known = reader.envelope();
                    let all = known.size.is_some_and(|size| size.recipients <= known.recipients.len() as u64);
                    if known.content_offset > 0 && all {
                        return Some(reader.into_envelope());
                    }
                    begin = offset;
                    self.block.resize(self.block.len().max(at_least), 0);
                }
            }
        }
    }
}

/// Those of whom the reason of the delay is known first, then the others; each once.
fn recipients(envelope: &Envelope, log: &[u8], out: &mut Vec<u8>) {
    let text = text(log);
    let (done, waiting): (Vec<_>, Vec<_>) = envelope.recipients.iter().partition(|recipient| recipient.done);
    let done: BTreeSet<u64> = done.iter().map(|recipient| recipient.offset).collect();
    let mut listed: BTreeSet<&str> = BTreeSet::new();
    for delay in delays(&text).filter(|delay| !done.contains(&delay.offset)) {
        if listed.insert(delay.recipient) {
            attribute(out, "recipient", delay.recipient);
            attribute(out, "reason", delay.reason);
        }
    }
    for address in waiting.iter().map(|recipient| quoted(&recipient.address)) {
        if !listed.contains(&*address) {
            attribute(out, "recipient", &address);
            attribute(out, "reason", "");
        }
    }
}

/// `name NUL value NUL`; a NUL within would end the text.
fn attribute(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.push(0);
    match value.contains('\0') {
        false => out.extend_from_slice(value.as_bytes()),
        true => out.extend(value.bytes().filter(|byte| *byte != 0)),
    }
    out.push(0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const PARTLY_DONE: &[u8] = include_bytes!("../../../logic/queue-format/testdata/sendmail_partly_done");
    const LOG: &str = "\n<a@deferred.example>: lab deferral\nrecipient=a@deferred.example\noffset=570\nstatus=4.3.2\n\
                       action=delayed\nreason=lab deferral\n\n";

    #[test]
    fn a_list_is_what_postfix_writes() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["maildrop", "incoming", "active", "deferred", "hold", "defer"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::fs::create_dir(folder.path().join("deferred/4")).unwrap();
        std::fs::create_dir(folder.path().join("defer/4")).unwrap();
        let file = folder.path().join("deferred/4/4B39D992160");
        std::fs::write(&file, PARTLY_DONE).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o700)).unwrap();
        std::fs::write(folder.path().join("defer/4/4B39D992160"), LOG).unwrap();
        std::fs::write(folder.path().join("incoming/508899.1234"), "C").unwrap();
        let queue = Queue::open(folder.path(), queue::Settings::default()).unwrap();
        let listing = Listing::new(Settings { queue, empty_address: "MAILER-DAEMON".into() });
        let portion = listing.next_portion();
        assert!(portion.last);
        let text = String::from_utf8(portion.bytes).unwrap();
        let expected = "protocol|mail_queue_list_protocol||queue_name|deferred|queue_id|4B39D992160|time|1795313823|\
            size|283|forced_expire|0|sender|a@example.com|recipient|a@deferred.example|reason|lab deferral|\
            recipient|me@deferred.example|reason||recipient|b@deferred.example|reason||||";
        assert_eq!(text.replace('\0', "|"), expected);
    }
}
