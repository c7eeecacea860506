//! Messages that travel compressed (`Compress: zlib`, RFC 1950).

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use crate::reply::Fault;

/// How hard to try: zlib's own default.
const LEVEL: u8 = 6;

/// A message as it travels.
pub fn compress(message: &[u8]) -> Vec<u8> {
    compress_to_vec_zlib(message, LEVEL)
}

/// The message, of at most `limit_bytes`.
///
/// # Errors
/// [`Fault::Unavailable`] with what the client is told.
pub fn decompress(bytes: &[u8], limit_bytes: usize) -> Result<Vec<u8>, Fault> {
    decompress_to_vec_zlib_with_limit(bytes, limit_bytes).map_err(|_| Fault::broken_stream())
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
