//! A message in memory, and how it gets into the queue after all.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use queue::{Loaded, QueueError, Reserved};
use queue_format::QueueId;
use sys::memory_file;

/// A message in memory, with the empty queue file that it would go to.
pub(crate) struct Parcel {
    pub(crate) id: QueueId,
    pub(crate) reserved: Reserved,
    pub(crate) memory: Arc<File>,
    length: usize,
}

impl Parcel {
    /// A message of these records, with the id that `reserved` gave it.
    #[expect(clippy::result_large_err, reason = "on failure the place goes back to the caller")]
    pub(crate) fn new(
        reserved: Reserved,
        id: QueueId,
        records: &[u8],
    ) -> Result<Self, (Reserved, io::Error)> {
        let written = memory_file::create("message").and_then(|file| {
            file.write_all_at(records, 0)?;
            Ok(file)
        });
        match written {
            Ok(memory) => Ok(Self { id, reserved, memory: Arc::new(memory), length: records.len() }),
            Err(error) => Err((reserved, error)),
        }
    }

    /// Puts the message into the queue, with the recipients crossed off that were reached; blocks.
    ///
    /// Whoever is reached later is crossed off in the queue file. So the memory is sealed once there is one: an agent
    /// that finds it sealed goes there, and what was crossed off before is read once more.
    pub(crate) fn settle(self) -> Result<Place, QueueError> {
        let failed = |source| QueueError::Io { verb: "read", path: PathBuf::from(MEMORY), source };
        let written = self.records().map_err(failed)?;
        if self.everybody_has_it() {
            return Ok(Place::Mailboxes(self.id));
        }
        let id = self.id.clone();
        let (memory, length) = (self.memory, self.length);
        let mut file = self.reserved.into_file(id)?;
        file.write(&written)?;
        memory_file::seal(&memory).map_err(failed)?;
        let last = read_all(&memory, length).map_err(failed)?;
        for (offset, byte) in changes(&written, &last) {
            file.overwrite(offset, &[byte])?;
        }
        file.commit(&[]).map(Place::Queue)
    }

    fn records(&self) -> io::Result<Vec<u8>> {
        read_all(&self.memory, self.length)
    }

    fn everybody_has_it(&self) -> bool {
        let loaded = Loaded::from_file(Arc::clone(&self.memory), Path::new(MEMORY), usize::MAX);
        loaded.is_ok_and(|loaded| loaded.envelope.recipients.iter().all(|recipient| recipient.done))
    }
}

/// What errors call a message in memory.
const MEMORY: &str = "memory";

fn read_all(file: &File, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// The bytes of `new` that are not those of `old`, and where they are.
fn changes<'a>(old: &'a [u8], new: &'a [u8]) -> impl Iterator<Item = (u64, u8)> + 'a {
    let differ = old.iter().zip(new).enumerate().filter(|(_, (old, new))| old != new);
    differ.map(|(at, (_, new))| (at as u64, *new))
}

/// Where a message lies that is safe.
pub(crate) enum Place {
    /// In the queue.
    Queue(QueueId),
    /// With all its recipients.
    Mailboxes(QueueId),
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use queue::{Queue, QueueName, Settings};
    use queue_format::record::{self, Kind};
    use sys::disk::{Disk, RealDisk};
    use tempfile::TempDir;

    use super::*;

    const NOW_US: u64 = 1_795_313_826_508_899;

    /// A disk that has something done before one of its steps.
    #[derive(Default)]
    struct Watched(Mutex<(usize, Option<Errand>)>);

    /// Before which step, and what.
    type Errand = (usize, Box<dyn FnOnce() + Send>);

    impl Watched {
        fn set(&self, at: usize, errand: impl FnOnce() + Send + 'static) {
            *self.0.lock().unwrap() = (0, Some((at, Box::new(errand))));
        }

        fn is_done(&self) -> bool {
            self.0.lock().unwrap().1.is_none()
        }

        fn step(&self) -> RealDisk {
            let errand = {
                let mut state = self.0.lock().unwrap();
                let step = state.0;
                state.0 += 1;
                state.1.take_if(|(at, _)| *at == step)
            };
            if let Some((_, errand)) = errand {
                errand();
            }
            RealDisk
        }
    }

    impl Disk for Watched {
        fn create(&self, path: &Path, mode: u32) -> io::Result<File> {
            self.step().create(path, mode)
        }

        fn open_to_write(&self, path: &Path) -> io::Result<File> {
            self.step().open_to_write(path)
        }

        fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
            self.step().write_at(file, bytes, offset)
        }

        fn set_mode(&self, file: &File, mode: u32) -> io::Result<()> {
            self.step().set_mode(file, mode)
        }

        fn set_modified(&self, file: &File, seconds: u64) -> io::Result<()> {
            self.step().set_modified(file, seconds)
        }

        fn sync(&self, file: &File) -> io::Result<()> {
            self.step().sync(file)
        }

        fn sync_directory(&self, path: &Path) -> io::Result<()> {
            self.step().sync_directory(path)
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.step().rename(from, to)
        }

        fn remove(&self, path: &Path) -> io::Result<()> {
            self.step().remove(path)
        }

        fn make_directory(&self, path: &Path, mode: u32) -> io::Result<()> {
            self.step().make_directory(path, mode)
        }
    }

    /// The records of a message with two recipients, and where these are.
    fn message() -> (Vec<u8>, [u64; 2]) {
        let mut records = Vec::new();
        record::write(&mut records, Kind::TIME, b"1795313826 508899");
        record::write(&mut records, Kind::SENDER, b"a@client.example");
        let offsets = ["one@example.com", "two@example.com"].map(|address| {
            let offset = records.len() as u64;
            record::write(&mut records, Kind::RECIPIENT, address.as_bytes());
            offset
        });
        record::write(&mut records, Kind::MESSAGE, b"");
        queue_format::content::write_line(&mut records, b"text", 2048);
        record::write(&mut records, Kind::EXTRACTED, b"");
        record::write(&mut records, Kind::END, b"");
        (records, offsets)
    }

    /// A spool with a parcel.
    fn parcel() -> (TempDir, Arc<Watched>, Queue, Parcel, [u64; 2]) {
        let folder = tempfile::tempdir().unwrap();
        for name in ["incoming", "active"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let disk = Arc::new(Watched::default());
        let queue = Queue::open_on(disk.clone(), folder.path(), Settings::default()).unwrap();
        let (records, offsets) = message();
        let reserved = queue.reserve(NOW_US).unwrap();
        let id = reserved.id(NOW_US);
        let Ok(parcel) = Parcel::new(reserved, id, &records) else { panic!("no memory") };
        let queue = Queue::open(folder.path(), Settings::default()).unwrap();
        (folder, disk, queue, parcel, offsets)
    }

    /// What an agent does whose copy is safe.
    fn cross_off(memory: &File, queue: &Queue, id: &QueueId, offset: u64) {
        if queue::cross_off(memory, offset).is_err() {
            queue.cross_off_late(id, offset).unwrap();
        }
    }

    #[test]
    fn whoever_is_reached_before_whichever_step_is_crossed_off_in_the_queue_file() {
        for at in 0..20 {
            let (_folder, disk, queue, parcel, offsets) = parcel();
            let (memory, id, spool) = (Arc::clone(&parcel.memory), parcel.id.clone(), queue.clone());
            disk.set(at, move || cross_off(&memory, &spool, &id, offsets[1]));
            let Ok(Place::Queue(id)) = parcel.settle() else { panic!("not in the queue") };
            if !disk.is_done() {
                assert!(at > 3, "only {at} steps");
                return;
            }
            let recipients = queue.load(QueueName::Incoming, &id, 10).unwrap().envelope.recipients;
            let done: Vec<bool> = recipients.iter().map(|recipient| recipient.done).collect();
            assert_eq!(done, [false, true], "step {at}");
        }
        panic!("no end");
    }

    #[test]
    fn a_message_that_everybody_has_got_needs_no_queue_file() {
        let (folder, _, queue, parcel, offsets) = parcel();
        offsets.into_iter().for_each(|offset| cross_off(&parcel.memory, &queue, &parcel.id, offset));
        assert!(matches!(parcel.settle(), Ok(Place::Mailboxes(_))));
        assert_eq!(std::fs::read_dir(folder.path().join("incoming")).unwrap().count(), 0);
    }
}
