//! Messages that travel compressed (`Compress: zlib`, RFC 1950).

use std::io::Read;

use flate2::Compression;
use flate2::read::{ZlibDecoder, ZlibEncoder};

use crate::reply::Fault;

/// A message as it travels, squeezed as hard as zlib does unless told otherwise.
pub fn compress(message: &[u8]) -> Vec<u8> {
    let mut squeezed = Vec::new();
    // Neither end can fail: both are in memory.
    let _ = ZlibEncoder::new(message, Compression::default()).read_to_end(&mut squeezed);
    squeezed
}

/// The message, of at most `limit_bytes`.
///
/// # Errors
/// [`Fault::Unavailable`] with what the client is told.
pub fn decompress(bytes: &[u8], limit_bytes: usize) -> Result<Vec<u8>, Fault> {
    let mut message = Vec::new();
    let read = ZlibDecoder::new(bytes).take(limit_bytes as u64 + 1).read_to_end(&mut message);
    if read.is_err() || message.len() > limit_bytes { Err(Fault::broken_stream()) } else { Ok(message) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_compressed_comes_back(message in prop::collection::vec(any::<u8>(), 0..2000)) {
            let packed = compress(&message);
            prop_assert_eq!(decompress(&packed, 4000), Ok(message));
        }
    }

    #[test]
    fn broken_and_huge_streams_are_refused() {
        let packed = compress(&vec![b'a'; 100_000]);
        assert!(decompress(&packed, 1000).is_err());
        assert!(decompress(&packed[..packed.len() / 2], 1 << 20).is_err());
        assert!(decompress(b"no zlib", 1000).is_err());
    }
}
