//! From values to bytes: responses, one file an area.
//!
//! [`Out`] gathers the bytes. Each function writes one whole response line; strings go out as quoted strings where they can and
//! as literals where they must, so that no text of a message can become part of the dialogue.

mod string;
mod reply;
mod mailbox;
mod metadata;
mod acl;
mod fetch;
mod envelope;
mod structure;
mod search;

pub use fetch::{FetchResponse, Rfc822};
pub use mailbox::{ListResponse, QuotaResource, StatusValue};
pub use search::Esearch;

use crate::types::Capability;

/// Responses that are to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Out {
    bytes: Vec<u8>,
    /// Names may go out as UTF-8 (RFC 6855).
    utf8: bool,
}

impl Out {
    /// Nothing yet. With `utf8` the client has enabled UTF8=ACCEPT.
    pub fn new(utf8: bool) -> Self {
        Self { bytes: Vec::new(), utf8 }
    }

    /// From now on names go out as UTF-8, or no more.
    pub fn set_utf8(&mut self, utf8: bool) {
        self.utf8 = utf8;
    }

    /// How much there is.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Is there nothing?
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// All of it.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Takes what is there.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// As [`Self::raw`]; not copied where nothing waits before it.
    pub(crate) fn append(&mut self, bytes: Vec<u8>) {
        if self.bytes.is_empty() {
            self.bytes = bytes;
        } else {
            self.raw(&bytes);
        }
    }

    /// Makes room for so many bytes more, so that many texts are not moved while they pile up.
    pub fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes);
    }

    pub(crate) fn format(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing to memory can not fail.
        let _ = std::io::Write::write_fmt(&mut self.bytes, arguments);
    }

    /// `* CAPABILITY ...`
    pub fn capability(&mut self, capabilities: &[Capability]) {
        self.text("* CAPABILITY");
        for capability in capabilities {
            self.text(" ");
            self.text(capability.as_str());
        }
        self.text("\r\n");
    }

    /// `+ text`: the client may go on (RFC 3501 §7.5).
    pub fn go_on(&mut self, text: &str) {
        self.format(format_args!("+ {text}\r\n"));
    }
}
