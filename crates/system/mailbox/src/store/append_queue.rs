//! Appends to one folder that wait for each other.
//!
//! A lock and three syncs make a message part of a Maildir, whether it is one or many. So whoever gets the turn takes
//! along all who wait for it, and they find their outcome when the turn comes to them.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::error::MailError;
use super::folder::{Folder, Work};
use super::upload::Addition;
use super::{Uid, locked};

type Outcome = Result<Vec<Uid>, MailError>;

/// As many as there are threads that wait.
#[derive(Debug, Default)]
pub(super) struct AppendQueue(Mutex<Vec<Request>>);

#[derive(Debug)]
struct Request {
    additions: Vec<Addition>,
    answer: SyncSender<Outcome>,
}

impl AppendQueue {
    fn enter(&self, additions: Vec<Addition>) -> Receiver<Outcome> {
        let (answer, outcome) = sync_channel(1);
        locked(&self.0).push(Request { additions, answer });
        outcome
    }
}

impl Folder {
    /// Makes additions messages, all or none, in this thread's turn or in that of another one.
    pub(super) fn append_in_turn(&self, additions: Vec<Addition>, now_us: u64) -> Outcome {
        let outcome = self.queue.enter(additions);
        let mut work = locked(&self.work);
        if let Ok(outcome) = outcome.try_recv() {
            return outcome;
        }
        self.append_all(&mut work, now_us);
        outcome.try_recv().unwrap_or_else(|_| Err(interrupted()))
    }

    fn append_all(&self, work: &mut Work, now_us: u64) {
        let mut requests = std::mem::take(&mut *locked(&self.queue.0));
        let outcomes: Vec<Outcome> = match work {
            Work::Maildir(maildir) => {
                let mut all: Vec<_> = requests.iter_mut().map(|request| &mut *request.additions).collect();
                maildir.append(&self.contents, &mut all, now_us)
            }
            Work::Mbox(mbox) => {
                let append = |request: &Request| mbox.append(&self.contents, &request.additions, now_us);
                requests.iter().map(append).collect()
            }
        };
        for (request, outcome) in requests.into_iter().zip(outcomes) {
            // Its thread holds the other end until it has heard.
            let _ = request.answer.send(outcome);
        }
    }
}

/// The thread that had taken the request along died over it.
fn interrupted() -> MailError {
    MailError::io("append to", "the mailbox")(std::io::ErrorKind::Interrupted.into())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use sys::directory::Directory;

    use super::*;
    use crate::disk::Disk;
    use crate::store::{Flags, FolderName, Settings, Stores};

    const NOW_US: u64 = 2_000_000_000_000_000;

    /// Counts what waits for the disk.
    #[derive(Debug, Default)]
    struct CountingDisk {
        files: AtomicUsize,
        directories: AtomicUsize,
    }

    impl Disk for CountingDisk {
        fn sync(&self, file: &File) -> io::Result<()> {
            self.files.fetch_add(1, Ordering::SeqCst);
            file.sync_all()
        }

        fn sync_directory(&self, directory: &Directory) -> io::Result<()> {
            self.directories.fetch_add(1, Ordering::SeqCst);
            directory.sync()
        }
    }

    struct World {
        _root: tempfile::TempDir,
        disk: Arc<CountingDisk>,
        inbox: Arc<Folder>,
    }

    impl World {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            for name in ["cur", "new", "tmp"] {
                fs::create_dir(root.path().join(name)).unwrap();
            }
            let disk = Arc::new(CountingDisk::default());
            let settings = Settings { disk: disk.clone(), ..Settings::new("vm", 1) };
            let store = Stores::new(settings).open(root.path()).unwrap();
            let inbox = store.folder(&FolderName::parse("INBOX", '/').unwrap(), NOW_US).unwrap();
            inbox.sync(NOW_US).unwrap();
            Self { _root: root, disk, inbox }
        }

        fn addition(&self, keywords: Vec<String>) -> Vec<Addition> {
            let upload = self.inbox.upload(NOW_US).unwrap();
            vec![Addition { upload, flags: Flags::NONE, keywords, received: 0 }]
        }

        /// What becomes of requests that all wait while somebody has the turn; and how many syncs of files and of
        /// directories it took to admit them.
        fn append_at_once(&self, requests: Vec<Vec<Addition>>) -> (Vec<Outcome>, usize, usize) {
            let count = requests.len();
            thread::scope(|scope| {
                let turn = locked(&self.inbox.work);
                let append = |request| scope.spawn(|| self.inbox.append(request, NOW_US));
                let threads: Vec<_> = requests.into_iter().map(append).collect();
                while locked(&self.inbox.queue.0).len() < count {
                    thread::yield_now();
                }
                let before = self.syncs();
                drop(turn);
                let outcomes = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
                let after = self.syncs();
                (outcomes, after.0 - before.0, after.1 - before.1)
            })
        }

        fn syncs(&self) -> (usize, usize) {
            (self.disk.files.load(Ordering::SeqCst), self.disk.directories.load(Ordering::SeqCst))
        }
    }

    #[test]
    fn those_who_wait_for_each_other_take_one_turn() {
        let world = World::new();
        let (outcomes, files, directories) =
            world.append_at_once((0..8).map(|_| world.addition(Vec::new())).collect());
        let mut uids: Vec<Uid> = outcomes.into_iter().flat_map(Result::unwrap).collect();
        uids.sort_unstable();
        assert_eq!(uids, (1..=8).collect::<Vec<_>>());
        assert_eq!((files, directories), (1, 1), "the list of UIDs, and new/");
    }

    #[test]
    fn keywords_without_room_are_an_error_for_their_message_only() {
        let world = World::new();
        let many = (0..1000).map(|number| format!("k{number}")).collect();
        let requests =
            vec![world.addition(Vec::new()), world.addition(many), world.addition(vec!["one".to_owned()])];
        let (outcomes, ..) = world.append_at_once(requests);
        assert!(matches!(outcomes[1], Err(MailError::TooManyKeywords { .. })), "{outcomes:?}");
        assert!(outcomes[0].is_ok() && outcomes[2].is_ok(), "{outcomes:?}");
        assert_eq!(world.inbox.read(|contents| contents.messages().len()), 2);
    }
}
