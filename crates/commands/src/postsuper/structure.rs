//! The queue as it should be: files where their names want them, names that fit their inodes, no litter.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use queue::{Entry, FileFacts, Queue, QueueName};
use queue_format::QueueId;

use crate::postsuper::VOICE;
use crate::site::{Failure, reason};

/// A file that was never finished is removed at this age, in seconds.
const UNFINISHED_AGE_SECONDS: u64 = 7 * 86_400;
/// Marks a name that is new and not yet everybody's: another file may still bear the name without it.
const HALF_RENAMED: &str = "#FIX";

/// What is to be put in order.
pub(crate) struct Structure<'a> {
    pub(crate) queue: &'a Queue,
    /// `-p`: remove unfinished files, and logs whose message is gone.
    pub(crate) purge: bool,
    /// `-s`: put files where they belong and give them names that fit.
    pub(crate) repair: bool,
    /// `-S`: long names have to fit the inode too.
    pub(crate) redundant: bool,
}

/// A message that needs another name.
struct Rename {
    folder: QueueName,
    entry: Entry,
    old: QueueId,
    new: QueueId,
}

impl Structure<'_> {
    pub(crate) fn work_through(&self, folders: &[QueueName], long_ids: bool) -> Result<(), Failure> {
        let mut renames = Vec::new();
        for folder in folders {
            let is_there = self.queue.directory().join(folder.as_str()).is_dir();
            if is_there {
                self.folder(*folder, long_ids, &mut renames)?;
                self.remove_needless_folders(*folder);
            }
        }
        if renames.is_empty() {
            return Ok(());
        }
        let count = renames.len();
        for rename in &renames {
            self.first_half(rename)?;
        }
        for rename in &renames {
            self.second_half(rename)?;
        }
        VOICE.info(format!(
            "Renamed to match inode number: {count} message{}",
            if count == 1 { "" } else { "s" }
        ));
        VOICE.warn("QUEUE FILE NAMES WERE CHANGED TO MATCH INODE NUMBERS");
        Ok(())
    }

    fn folder(&self, folder: QueueName, long_ids: bool, renames: &mut Vec<Rename>) -> Result<(), Failure> {
        let entries: Vec<Entry> =
            self.queue.scan(folder).map_err(Failure::new)?.filter_map(Result::ok).collect();
        for entry in entries {
            let Ok(facts) = entry.facts() else { continue };
            match folder {
                QueueName::Bounce | QueueName::Defer | QueueName::Trace => {
                    self.log_file(folder, &entry, facts)?
                }
                QueueName::Flush => self.place(folder, &entry)?,
                _ => self.message(folder, entry, facts, long_ids, renames)?,
            }
        }
        Ok(())
    }

    fn message(
        &self,
        folder: QueueName,
        entry: Entry,
        facts: FileFacts,
        long_ids: bool,
        renames: &mut Vec<Rename>,
    ) -> Result<(), Failure> {
        if !facts.regular {
            return self.remove(&entry.path);
        }
        if self.purge && !facts.is_ready() && age(facts) > UNFINISHED_AGE_SECONDS {
            return self.remove(&entry.path);
        }
        let known = if self.repair { message_id(&entry.name) } else { entry.id() };
        let Some(old) = known else {
            VOICE.warn(format!("bogus file name: {}", entry.path.display()));
            return Ok(());
        };
        if !self.repair || !facts.is_ready() {
            return Ok(());
        }
        match self.fitting(&old, facts.inode, long_ids, folder) {
            Some(new) => {
                log::debug!("name/inode mismatch: {}", entry.path.display());
                renames.push(Rename { folder, entry, old, new });
                Ok(())
            }
            None => self.settle(folder, &entry, &old),
        }
    }

    /// The name that this file should have, when it is another. A message in maildrop may have any.
    fn fitting(&self, id: &QueueId, inode: u64, long_ids: bool, folder: QueueName) -> Option<QueueId> {
        if folder == QueueName::Maildrop {
            return None;
        }
        let microseconds = id.microseconds()?;
        let fits = id.inode() == Some(inode);
        match id.is_long() {
            true if !long_ids => Some(QueueId::short(microseconds, inode)),
            true if self.redundant && !fits => id.with_inode(inode),
            false if !fits => Some(QueueId::short(microseconds, inode)),
            _ => None,
        }
    }

    fn first_half(&self, rename: &Rename) -> Result<(), Failure> {
        for folder in QueueName::LOGS {
            let (from, to) =
                (self.queue.path(folder, &rename.old), half_renamed(self.queue.path(folder, &rename.new)));
            if from.exists() {
                self.rename(&from, &to)?;
            }
        }
        self.rename(&rename.entry.path, &half_renamed(self.queue.path(rename.folder, &rename.new)))
    }

    fn second_half(&self, rename: &Rename) -> Result<(), Failure> {
        for folder in QueueName::LOGS.into_iter().chain([rename.folder]) {
            let path = self.queue.path(folder, &rename.new);
            let from = half_renamed(path.clone());
            if from.exists() {
                self.rename(&from, &path)?;
            }
        }
        Ok(())
    }

    fn log_file(&self, folder: QueueName, entry: &Entry, facts: FileFacts) -> Result<(), Failure> {
        let name = entry.name.to_str().map(|name| name.strip_suffix(HALF_RENAMED).unwrap_or(name));
        let Some(id) = name.and_then(|name| name.parse().ok()) else { return Ok(()) };
        if self.purge
            && age(facts) > UNFINISHED_AGE_SECONDS
            && self.queue.find(&id, &QueueName::MESSAGES).is_none()
        {
            return self.remove(&entry.path);
        }
        self.settle(folder, entry, &id)
    }

    /// Files of the flush service are named after destinations.
    fn place(&self, folder: QueueName, entry: &Entry) -> Result<(), Failure> {
        match entry.id() {
            Some(id) => self.settle(folder, entry, &id),
            None => Ok(()),
        }
    }

    /// Also ends a renaming that a crash has cut in half.
    fn settle(&self, folder: QueueName, entry: &Entry, id: &QueueId) -> Result<(), Failure> {
        if !self.repair {
            return Ok(());
        }
        self.queue.settle(entry, folder, id).map_err(Failure::new)
    }

    /// Hash folders that `hash_queue_names` and `hash_queue_depth` do not want, if nothing is in them.
    fn remove_needless_folders(&self, folder: QueueName) {
        let depth = self.queue.hash_depth(folder);
        remove_folders_below(&self.queue.directory().join(folder.as_str()), depth);
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), Failure> {
        if let Some(parent) = to.parent() {
            let _ = std::fs::create_dir_all(parent);
        }
        let failed = |error| {
            Failure::new(format!("rename file {} as {}: {}", from.display(), to.display(), reason(&error)))
        };
        std::fs::rename(from, to).map_err(failed)
    }

    fn remove(&self, path: &Path) -> Result<(), Failure> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Failure::new(format!("remove file {}: {}", path.display(), reason(&error))))
            }
            _ => Ok(()),
        }
    }
}

/// The id that a file name is, if it is one that a message can have: its inode number can be read.
fn message_id(name: &OsStr) -> Option<QueueId> {
    let name = name.to_str()?;
    let id: QueueId = name.strip_suffix(HALF_RENAMED).unwrap_or(name).parse().ok()?;
    (id.inode().is_some() && id.microseconds().is_some()).then_some(id)
}

fn half_renamed(path: PathBuf) -> PathBuf {
    let mut name = path.into_os_string();
    name.push(HALF_RENAMED);
    PathBuf::from(name)
}

fn age(facts: FileFacts) -> u64 {
    (sys::clock::now_us() / 1_000_000).saturating_sub(facts.modified_seconds)
}

/// Folders of one character are wanted down to `depth`; all others go, if they are empty.
fn remove_folders_below(path: &Path, depth: usize) {
    let Ok(entries) = std::fs::read_dir(path) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        let wanted = depth > 0 && entry.file_name().len() == 1;
        remove_folders_below(&entry.path(), if wanted { depth - 1 } else { 0 });
        if !wanted {
            let _ = std::fs::remove_dir(entry.path());
        }
    }
}
