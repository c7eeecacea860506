//! COMPRESS=DEFLATE (RFC 4978): both directions of a session, squeezed (RFC 1951).

use flate2::{Compress, Compression as Level, Decompress, FlushCompress, FlushDecompress, Status};

use crate::session::input::Input;

/// So much is unfolded before it is looked at, bytes: a few bytes may unfold to very many.
const UNFOLD_BYTES: usize = 32 * 1024;
/// Room that the squeezed bytes get at a time.
const ROOM_BYTES: usize = 16 * 1024;

/// A session's compression, once it has begun.
pub(crate) struct Compression {
    inflate: Decompress,
    deflate: Compress,
    /// What has come and is not unfolded yet, from `at` on.
    pending: Vec<u8>,
    at: usize,
}

/// What came is not DEFLATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotDeflate;

impl Compression {
    /// Begins; RFC 4978 §4: without a zlib header.
    pub(crate) fn new() -> Self {
        Self {
            inflate: Decompress::new(false),
            deflate: Compress::new(Level::fast(), false),
            pending: Vec::new(),
            at: 0,
        }
    }

    /// Bytes from the client.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// Unfolds some of what has come; false when nothing is left.
    pub(crate) fn unfold(&mut self, input: &mut Input) -> Result<bool, NotDeflate> {
        let mut room = vec![0; UNFOLD_BYTES];
        let (taken, made) = (self.inflate.total_in(), self.inflate.total_out());
        let rest = &self.pending[self.at..];
        let status =
            self.inflate.decompress(rest, &mut room, FlushDecompress::Sync).map_err(|_| NotDeflate)?;
        let length = |now: u64, before: u64| usize::try_from(now - before).unwrap_or(usize::MAX);
        let (taken, made) = (length(self.inflate.total_in(), taken), length(self.inflate.total_out(), made));
        self.at += taken;
        if self.at == self.pending.len() {
            (self.pending, self.at) = (Vec::new(), 0);
        }
        if status == Status::StreamEnd && taken > 0 {
            // RFC 4978 §3: the stream lasts as long as the connection.
            return Err(NotDeflate);
        }
        input.push(&room[..made]);
        Ok(made > 0)
    }

    /// Squeezes all of these bytes, so that the client can read them now.
    pub(crate) fn squeeze(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = bytes;
        loop {
            out.reserve(ROOM_BYTES);
            let (before, room) = (self.deflate.total_in(), out.capacity() - out.len());
            let flush = if rest.is_empty() { FlushCompress::Sync } else { FlushCompress::None };
            let length = out.len();
            // The one error there is belongs to states that this use does not reach.
            let _ = self.deflate.compress_vec(rest, &mut out, flush);
            let taken = usize::try_from(self.deflate.total_in() - before).unwrap_or(rest.len());
            let flushed = rest.is_empty() && out.len() - length < room;
            rest = &rest[taken.min(rest.len())..];
            if flushed {
                return out;
            }
        }
    }
}

impl std::fmt::Debug for Compression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compression")
            .field("pending", &(self.pending.len() - self.at))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unfolded(squeezed: &[u8], piece: usize) -> Vec<u8> {
        let (mut compression, mut input) = (Compression::new(), Input::default());
        for piece in squeezed.chunks(piece) {
            compression.push(piece);
            while compression.unfold(&mut input).unwrap() {}
        }
        input.take_rest()
    }

    #[test]
    fn what_is_no_deflate_is_refused() {
        let (mut compression, mut input) = (Compression::new(), Input::default());
        compression.push(b"\xff\xff\xff a NOOP\r\n");
        assert_eq!(compression.unfold(&mut input), Err(NotDeflate));
    }

    #[test]
    fn a_few_bytes_do_not_unfold_to_very_many_at_once() {
        let squeezed = Compression::new().squeeze(&vec![b'x'; 10_000_000]);
        assert!(squeezed.len() < 60_000, "{}", squeezed.len());
        let (mut compression, mut input) = (Compression::new(), Input::default());
        compression.push(&squeezed);
        assert_eq!(compression.unfold(&mut input), Ok(true));
        assert_eq!(input.take_rest().len(), UNFOLD_BYTES);
    }

    #[test]
    fn what_unfolds_to_very_much_is_taken_in_pieces() {
        use crate::session::{Session, SessionSettings};
        use machine::{Machine, Output};
        use std::time::Duration;

        let time = Duration::from_secs(1);
        let settings = SessionSettings {
            capabilities: Vec::new(),
            timeout: time,
            idle_notice: time,
            progress_notice: time,
            command_limit_bytes: 1000,
            bad_command_limit: 5,
            id: Vec::new(),
        };
        let mut session = Session::new(std::sync::Arc::new(settings), "a", b"b COMPRESS DEFLATE\r\n");
        while !matches!(session.poll(), Output::Wait(_)) {}
        const BYTES: usize = 8 * 1024 * 1024;
        session.received(&Compression::new().squeeze(&vec![b'A'; BYTES]));
        let mut outputs = 0;
        while !matches!(session.poll(), Output::Wait(_)) {
            outputs += 1;
        }
        assert!(outputs >= BYTES / UNFOLD_BYTES, "{outputs}");
    }

    proptest! {
        #[test]
        fn what_is_squeezed_comes_back(texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 1..5),
                                       piece in 1_usize..700) {
            let mut compression = Compression::new();
            let squeezed: Vec<u8> = texts.iter().flat_map(|text| compression.squeeze(text)).collect();
            prop_assert_eq!(unfolded(&squeezed, piece), texts.concat());
        }
    }
}
