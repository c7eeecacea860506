//! Queue files, ours and Postfix's.

use queue_format::record::{self, write};
use queue_format::{Envelope, EnvelopeReader, QueueId, SizeRecord, Step, content};

/// Every record lies in the file and is the same when it is written again; a file that reads as a whole reads the same
/// piece by piece.
pub(super) fn run(input: &[u8]) {
    for item in record::walk(input) {
        let Ok((offset, record)) = item else { break };
        assert!(offset < input.len() as u64);
        let mut written = Vec::new();
        write(&mut written, record.kind, record.data);
        let Ok(record::Parsed::Whole(again, length)) = record::parse(&written, 0) else {
            panic!("a record that was written is a record")
        };
        assert_eq!((again.kind, again.data, length), (record.kind, record.data, written.len()));
    }
    let whole = Envelope::decode(input);
    if let Ok(whole) = &whole {
        assert!(whole.recipients.len() <= input.len());
        let _ = content::decode(input, whole.content_offset).map(|text| assert!(text.len() <= input.len()));
    }
    let pieces = in_pieces(input);
    assert_eq!(whole.is_ok(), pieces.is_some());
    if let (Ok(whole), Some(pieces)) = (whole, pieces) {
        assert_eq!(pieces, whole);
    }
    let _ = SizeRecord::decode(input);
    if let Ok(id) = String::from_utf8_lossy(input).parse::<QueueId>() {
        assert_eq!(id.as_str().as_bytes(), input);
    }
}

/// Reads with no more bytes at a time than the reader wants.
fn in_pieces(file: &[u8]) -> Option<Envelope> {
    let mut reader = EnvelopeReader::new(usize::MAX);
    let mut piece = 0..file.len().min(2);
    for _ in 0..=file.len() * 4 + 16 {
        let at_end = piece.end >= file.len();
        match reader.feed(file.get(piece.clone()).unwrap_or_default(), at_end).ok()? {
            Step::Read { offset, at_least } => {
                let begin = usize::try_from(offset).unwrap_or(usize::MAX);
                piece = begin..begin.saturating_add(at_least).min(file.len().max(begin));
            }
            Step::Full => panic!("there is no limit"),
            Step::Done => return Some(reader.into_envelope()),
        }
    }
    panic!("reading comes to an end");
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = super::files_in("crates/logic/queue-format/testdata");
    seeds.push(b"C             123             12               1               0             123               0N\x01a".to_vec());
    seeds.push(b"4bZ1Kx0Nw8z2N".to_vec());
    seeds
}
