//! The list of one destination: a line with a queue id for each message.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use lookup::{Lookup, Subject};
use queue::{MODE_READY, MODE_UNTHROTTLE, Queue, QueueError, QueueName};
use queue_format::QueueId;
use services::flush::{Request, Status};
use tables::Tables;

/// A list larger than this is not read to its end, in bytes: what stands further back waits for its own time.
const LIST_LIMIT_BYTES: u64 = 16 * 1024 * 1024;

/// What requests are measured by.
pub(crate) struct Settings {
    pub(crate) queue: Queue,
    pub(crate) tables: Tables,
    /// `fast_flush_domains`
    pub(crate) domains: String,
    /// A domain in the list stands for its subdomains too.
    pub(crate) parents: bool,
    pub(crate) refresh_seconds: u64,
    pub(crate) purge_seconds: u64,
    pub(crate) manager_socket: PathBuf,
}

/// Why a list can not be used.
#[derive(Debug, thiserror::Error)]
enum ListError {
    #[error("{}: {}", path.display(), sys::error_text::reason(source))]
    Io { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl Settings {
    /// Does what was asked; blocks.
    pub(crate) fn perform(&self, request: &Request) -> Status {
        let done = match request {
            Request::Add { site, queue_id } => match self.listed(site) {
                Ok(true) => self.add(site, queue_id),
                Ok(false) => return Status::NotListed,
                Err(()) => return Status::Failed,
            },
            Request::SendSite(site) => match self.listed(site) {
                Ok(true) => self.send(&file_name(site)),
                Ok(false) => return Status::NotListed,
                Err(()) => return Status::Failed,
            },
            Request::SendFile(id) => match id.parse::<QueueId>() {
                Ok(id) => self.send_messages([id]),
                Err(_) => return Status::BadRequest,
            },
            Request::Refresh => self.each_list(self.refresh_seconds),
            Request::Purge => self.each_list(0),
        };
        done.map_or_else(
            |error| {
                log::warn!("{error}");
                Status::Failed
            },
            |()| Status::Done,
        )
    }

    fn listed(&self, site: &str) -> Result<bool, ()> {
        let subject = Subject::Domain { name: site, parents: self.parents };
        self.tables.listed(&self.domains, &subject).map_err(drop)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.queue.directory().join(QueueName::Flush.as_str()).join(name)
    }

    fn add(&self, site: &str, queue_id: &str) -> Result<(), ListError> {
        let Ok(id) = queue_id.parse::<QueueId>() else { return Ok(()) };
        let path = self.path(&file_name(site));
        let failed = |source| ListError::Io { path: path.clone(), source };
        let mut file = File::options().append(true).create(true).mode(0o600).open(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        file.write_all(format!("{id}\n").as_bytes()).map_err(failed)
    }

    /// Tries the messages of a list, which is empty then.
    fn send(&self, name: &str) -> Result<(), ListError> {
        let path = self.path(name);
        let failed = |source| ListError::Io { path: path.clone(), source };
        let file = match File::options().read(true).write(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            result => result.map_err(failed)?,
        };
        file.lock().map_err(failed)?;
        let mut text = String::new();
        (&file).take(LIST_LIMIT_BYTES).read_to_string(&mut text).map_err(failed)?;
        let ids: HashSet<QueueId> = text.lines().filter_map(|line| line.parse().ok()).collect();
        self.send_messages(ids)?;
        file.set_len(0).map_err(failed)
    }

    /// Moves messages to where the queue manager takes them next, dead destinations or not. Those that are not deferred any more need nothing.
    fn send_messages(&self, ids: impl IntoIterator<Item = QueueId>) -> Result<(), ListError> {
        let now = sys::clock::now_us() / 1_000_000;
        let mut any = false;
        for id in ids {
            let Ok(facts) = self.queue.facts(QueueName::Deferred, &id) else { continue };
            let mode = facts.mode | MODE_READY | MODE_UNTHROTTLE;
            let moved = self
                .queue
                .set_modified(QueueName::Deferred, &id, now)
                .and_then(|()| self.queue.set_mode(QueueName::Deferred, &id, mode))
                .and_then(|()| self.queue.move_message(QueueName::Deferred, QueueName::Incoming, &id));
            match moved {
                Ok(()) => any = true,
                Err(error) if error.is_gone() => {}
                Err(error) => return Err(error.into()),
            }
        }
        if any && let Ok(socket) = sys::sockets::connect_unix(&self.manager_socket) {
            // Unheard, the messages wait for the next scan.
            let _ = socket.write(b"I\0");
        }
        Ok(())
    }

    /// Tries lists that have not been read for `age` seconds; removes those that have been empty for long.
    fn each_list(&self, age: u64) -> Result<(), ListError> {
        let now = sys::clock::now_us() / 1_000_000;
        for entry in self.queue.scan(QueueName::Flush)? {
            let entry = entry?;
            let (Ok(facts), Some(name)) = (entry.facts(), entry.name.to_str()) else { continue };
            let old = now.saturating_sub(facts.modified_seconds);
            if facts.length > 0 && old >= age {
                self.send(name)?;
            } else if facts.length == 0 && old >= self.purge_seconds {
                let _ = std::fs::remove_file(&entry.path);
            }
        }
        Ok(())
    }
}

/// Letters and digits of a destination, `_` for all else; never a path.
fn file_name(site: &str) -> String {
    let safe = |character: char| {
        if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '_' }
    };
    site.chars().take(255).map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn settings() -> (tempfile::TempDir, Settings) {
        let folder = tempfile::tempdir().unwrap();
        for name in ["incoming", "deferred/A", "flush"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let queue = Queue::open(folder.path(), queue::Settings::default()).unwrap();
        let settings = Settings {
            queue,
            tables: Tables::default(),
            domains: "deferred.example".into(),
            parents: true,
            refresh_seconds: 43_200,
            purge_seconds: 604_800,
            manager_socket: folder.path().join("qmgr"),
        };
        (folder, settings)
    }

    #[test]
    fn only_listed_destinations_are_kept_and_tried() {
        let (folder, settings) = settings();
        let add =
            |site: &str, id: &str| settings.perform(&Request::Add { site: site.into(), queue_id: id.into() });
        assert_eq!(add("deferred.example", "ABCDE12345"), Status::Done);
        assert_eq!(add("other.example", "ABCDE12345"), Status::NotListed);
        let message = folder.path().join("deferred/A/ABCDE12345");
        std::fs::write(&message, "x").unwrap();
        std::fs::set_permissions(&message, std::fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(settings.perform(&Request::SendSite("deferred.example".into())), Status::Done);
        let moved = std::fs::metadata(folder.path().join("incoming/ABCDE12345")).unwrap();
        assert_eq!(moved.permissions().mode() & 0o777, 0o740);
        assert_eq!(std::fs::metadata(folder.path().join("flush/deferred_example")).unwrap().len(), 0);
    }

    #[test]
    fn names_never_leave_the_folder() {
        assert_eq!(file_name("../../etc/passwd"), "______etc_passwd");
        assert_eq!(file_name("[1.2.3.4]"), "_1_2_3_4_");
        let (_folder, settings) = settings();
        assert_eq!(settings.perform(&Request::SendFile("a/b".into())), Status::BadRequest);
        assert_eq!(settings.perform(&Request::SendFile("ABCDE99999".into())), Status::Done);
    }
}
