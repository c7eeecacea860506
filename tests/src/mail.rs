//! Mailboxes as a mail reader sees them.

use std::fs;
use std::path::Path;

use sys::locks::{self, Hold};

/// One message of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// All of it, as in the file.
    pub text: String,
}

impl Message {
    /// The first header of this name, unfolded, without blanks around it.
    pub fn header(&self, name: &str) -> Option<String> {
        let prefix = format!("{}:", name.to_ascii_lowercase());
        self.headers()
            .into_iter()
            .find(|header| header.to_ascii_lowercase().starts_with(&prefix))
            .map(|header| header[prefix.len()..].trim().to_owned())
    }

    /// Everything after the header.
    pub fn body(&self) -> &str {
        self.text.split_once("\n\n").map_or("", |(_, body)| body)
    }

    /// Has it a line that is exactly this?
    pub fn has_line(&self, line: &str) -> bool {
        self.text.lines().any(|own| own == line)
    }

    fn headers(&self) -> Vec<String> {
        let mut headers: Vec<String> = Vec::new();
        for line in self.text.lines().take_while(|line| !line.is_empty()) {
            match headers.last_mut() {
                Some(last) if line.starts_with([' ', '\t']) => {
                    last.push(' ');
                    last.push_str(line.trim_start());
                }
                _ => headers.push(line.to_owned()),
            }
        }
        headers
    }
}

/// Reads a Maildir (`path` ends in `/`), oldest name first, or a mailbox file. One that is not there is empty.
pub fn read(path: &Path) -> Vec<Message> {
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") { maildir(path) } else { mbox(path) }
}

fn maildir(path: &Path) -> Vec<Message> {
    let mut files: Vec<_> = ["new", "cur"]
        .iter()
        .flat_map(|folder| fs::read_dir(path.join(folder)).into_iter().flatten().flatten())
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files.iter().filter_map(|file| Some(Message { text: text(fs::read(file).ok()?) })).collect()
}

/// Each message begins with a `From ` line after an empty one. The lock keeps out whoever is just adding one.
fn mbox(path: &Path) -> Vec<Message> {
    let Ok(file) = fs::File::open(path) else { return Vec::new() };
    let _lock = locks::wait_for_fcntl(&file, Hold::Shared).expect("a lock of the mailbox");
    let content = fs::read(path).map(text).unwrap_or_default();
    let mut messages: Vec<Message> = Vec::new();
    let mut after_empty = true;
    for line in content.lines() {
        if after_empty && line.starts_with("From ") {
            messages.push(Message { text: String::new() });
        } else if let Some(last) = messages.last_mut() {
            last.text += line;
            last.text.push('\n');
        }
        after_empty = line.is_empty();
    }
    messages
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}
