//! The administrator's list of rights for the mailboxes of all users: a file, or a directory with a file for each mailbox,
//! as Dovecot's `acl = vfile:PATH` has them. It lies outside of all mailboxes and is only read.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use acl::{Acl, GlobalFile};

use super::error::MailError;
use super::locked;

/// In a directory, what holds for mailboxes that have no list at all, and where mailboxes are that lie in no other.
const DEFAULT: &str = ".DEFAULT";
/// A larger file is not read, bytes.
const FILE_LIMIT_BYTES: u64 = 1024 * 1024;

/// The list; the file is kept in memory until it changes.
#[derive(Debug)]
pub struct GlobalRights {
    path: PathBuf,
    kept: Mutex<Option<(Stamp, Arc<GlobalFile>)>>,
}

/// What makes a file another one: device, inode, size, time of change.
type Stamp = (u64, u64, u64, i64, i64);

/// What lies at the path.
enum Form {
    File(Arc<GlobalFile>),
    Directory,
}

impl GlobalRights {
    /// Not read yet.
    pub fn new(path: PathBuf) -> Self {
        Self { path, kept: Mutex::default() }
    }

    /// What it says of the mailbox of this name, in UTF-8; none where it does not name it.
    ///
    /// # Errors
    /// [`MailError::Io`], also where there is no such file or directory; [`MailError::Damaged`].
    pub(super) fn of(&self, mailbox: &str) -> Result<Option<Acl>, MailError> {
        match self.form()? {
            Form::File(file) => Ok(file.of(mailbox)),
            Form::Directory => self.in_directory(mailbox),
        }
    }

    /// What it says of where mailboxes are that lie in no other.
    ///
    /// # Errors
    /// As [`GlobalRights::of`].
    pub(super) fn at_top(&self) -> Result<Option<Acl>, MailError> {
        match self.form()? {
            Form::File(file) => Ok(file.of("")),
            Form::Directory => self.in_directory(DEFAULT),
        }
    }

    /// What holds for mailboxes that have no list.
    ///
    /// # Errors
    /// As [`GlobalRights::of`].
    pub(super) fn default_list(&self) -> Result<Option<Acl>, MailError> {
        match self.form()? {
            Form::File(_) => Ok(None),
            Form::Directory => self.in_directory(DEFAULT),
        }
    }

    fn form(&self) -> Result<Form, MailError> {
        let facts = std::fs::metadata(&self.path).map_err(MailError::io("open", &self.path))?;
        if facts.is_dir() {
            return Ok(Form::Directory);
        }
        let now = (facts.dev(), facts.ino(), facts.size(), facts.mtime(), facts.mtime_nsec());
        let mut kept = locked(&self.kept);
        if let Some((stamp, file)) = &*kept
            && *stamp == now
        {
            return Ok(Form::File(Arc::clone(file)));
        }
        let text = read(&self.path)?;
        let file = GlobalFile::parse(&text).map(Arc::new).map_err(|bad| damaged(&self.path, &bad))?;
        *kept = Some((now, Arc::clone(&file)));
        Ok(Form::File(file))
    }

    /// A mailbox above others can be a directory there, and has no list then.
    fn in_directory(&self, name: &str) -> Result<Option<Acl>, MailError> {
        let path = self.path.join(name);
        match std::fs::metadata(&path) {
            Ok(facts) if facts.is_dir() => return Ok(None),
            Err(error) if is_missing(&error) => return Ok(None),
            Ok(_) => {}
            Err(error) => return Err(MailError::io("open", &path)(error)),
        }
        Acl::parse(&read(&path)?).map(Some).map_err(|bad| damaged(&path, &bad))
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename
    )
}

fn read(path: &Path) -> Result<Vec<u8>, MailError> {
    let file = File::open(path).map_err(MailError::io("open", path))?;
    let mut text = Vec::new();
    file.take(FILE_LIMIT_BYTES + 1).read_to_end(&mut text).map_err(MailError::io("read", path))?;
    match text.len() as u64 > FILE_LIMIT_BYTES {
        true => Err(damaged(path, &format!("larger than {FILE_LIMIT_BYTES} bytes"))),
        false => Ok(text),
    }
}

fn damaged(path: &Path, problem: &impl ToString) -> MailError {
    MailError::Damaged { path: path.to_owned(), problem: problem.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(found: Result<Option<Acl>, MailError>) -> Option<String> {
        found.unwrap().map(|acl| acl.to_text())
    }

    #[test]
    fn a_file_is_read_again_when_it_has_changed() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("acl");
        let rights = GlobalRights::new(path.clone());
        assert!(matches!(rights.of("a"), Err(MailError::Io { .. })));
        std::fs::write(&path, "a owner lr\n\"\" owner k\n").unwrap();
        assert_eq!(told(rights.of("a")).as_deref(), Some("owner lr\n"));
        assert_eq!(told(rights.at_top()).as_deref(), Some("owner k\n"));
        assert_eq!((told(rights.of("b")), told(rights.default_list())), (None, None));
        std::fs::write(&path, "b owner lrw\n").unwrap();
        assert_eq!((told(rights.of("a")), told(rights.of("b")).as_deref()), (None, Some("owner lrw\n")));
        std::fs::write(&path, "b owner lrw\nc nobody l\n").unwrap();
        let error = rights.of("b").unwrap_err().to_string();
        assert!(error.contains("acl: line 2: unknown identifier \"nobody\""), "{error}");
        std::fs::write(&path, vec![b'#'; FILE_LIMIT_BYTES as usize + 1]).unwrap();
        assert!(matches!(rights.of("b"), Err(MailError::Damaged { .. })));
    }

    #[test]
    fn a_directory_has_a_file_for_each_mailbox() {
        let root = tempfile::tempdir().unwrap();
        let rights = GlobalRights::new(root.path().to_owned());
        let write = |name: &str, text: &str| std::fs::write(root.path().join(name), text).unwrap();
        std::fs::create_dir(root.path().join("b")).unwrap();
        write("a", "owner lr\n");
        write("b/c", "owner lrw\n");
        assert_eq!(told(rights.of("a")).as_deref(), Some("owner lr\n"));
        assert_eq!(told(rights.of("b/c")).as_deref(), Some("owner lrw\n"));
        for name in ["b", "c", "a/b", &"x".repeat(300)] {
            assert_eq!(told(rights.of(name)), None, "{name}");
        }
        assert_eq!((told(rights.at_top()), told(rights.default_list())), (None, None));
        write(".DEFAULT", "owner l\n");
        assert_eq!(told(rights.at_top()).as_deref(), Some("owner l\n"));
        assert_eq!(told(rights.default_list()).as_deref(), Some("owner l\n"));
        write("a", "bogus l\n");
        assert!(matches!(rights.of("a"), Err(MailError::Damaged { .. })));
    }
}
