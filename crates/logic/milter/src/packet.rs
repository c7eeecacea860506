//! Packets: a length of four bytes, a letter, data.

/// Bytes of one packet; a body comes in pieces of at most 64 KB.
const PACKET_LIMIT_BYTES: usize = 1024 * 1024;
/// Bytes of the length that stands before each packet.
const LENGTH_BYTES: usize = 4;

/// A packet is longer than any that makes sense: the peer speaks something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a milter packet of {0} bytes is too long or empty: is this port for milters?")]
pub struct TooLong(pub usize);

/// A packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// What it is.
    pub letter: u8,
    /// What it carries.
    pub data: Vec<u8>,
}

impl Packet {
    /// The first packet of `buffer`, once it is whole; it is taken out.
    ///
    /// # Errors
    /// [`TooLong`], before its data are here.
    pub fn take(buffer: &mut Vec<u8>) -> Result<Option<Self>, TooLong> {
        let Some((length, rest)) = buffer.split_first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length) as usize;
        if length == 0 || length > PACKET_LIMIT_BYTES {
            return Err(TooLong(length));
        }
        let Some((letter, data)) = rest.get(..length).and_then(<[u8]>::split_first) else { return Ok(None) };
        let packet = Self { letter: *letter, data: data.to_vec() };
        buffer.drain(..LENGTH_BYTES + length);
        Ok(Some(packet))
    }

    /// Its bytes.
    pub fn bytes(letter: u8, data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len() + 1).unwrap_or(u32::MAX);
        [&length.to_be_bytes(), &[letter][..], data].concat()
    }

    /// The texts in it, each of which a NUL ends.
    pub fn texts(&self) -> Vec<String> {
        texts(&self.data)
    }
}

/// Texts, each of which a NUL ends.
pub(crate) fn texts(data: &[u8]) -> Vec<String> {
    let mut parts: Vec<&[u8]> = data.split(|byte| *byte == 0).collect();
    // What is behind the last NUL is nothing.
    parts.pop_if(|last| last.is_empty());
    parts.into_iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_packet_is_refused_early() {
        assert_eq!(Packet::take(&mut b"GET / HTTP/1.0".to_vec()), Err(TooLong(0x4745_5420)));
        assert_eq!(Packet::take(&mut vec![0, 0, 0, 0]), Err(TooLong(0)));
        assert_eq!(Packet::take(&mut vec![0, 0]), Ok(None));
        let packet = Packet { letter: b'M', data: b"<a>\0SIZE=1\0".to_vec() };
        assert_eq!(packet.texts(), ["<a>", "SIZE=1"]);
    }

    proptest! {
        #[test]
        fn packets_come_out_as_they_went_in(letter: u8, data in prop::collection::vec(any::<u8>(), 0..300), more in prop::collection::vec(any::<u8>(), 0..9)) {
            let mut buffer = Packet::bytes(letter, &data);
            buffer.extend_from_slice(&more);
            prop_assert_eq!(Packet::take(&mut buffer), Ok(Some(Packet { letter, data })));
            prop_assert_eq!(buffer, more);
        }
    }
}
