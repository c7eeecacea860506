//! Files of real Postfix 3.7.11, and any bytes.

use super::*;
use proptest::prelude::*;

const SMTP: &[u8] = include_bytes!("../../testdata/smtp_four_recipients");
const SENDMAIL_T: &[u8] = include_bytes!("../../testdata/sendmail_extracted_recipient");
const PARTLY_DONE: &[u8] = include_bytes!("../../testdata/sendmail_partly_done");

#[test]
fn a_file_from_smtp() {
    let envelope = Envelope::decode(SMTP).unwrap();
    assert_eq!(envelope.sender.as_deref(), Some("a@client.example"));
    assert_eq!(envelope.arrival, Some(Duration::new(1_795_313_826, 508_899_000)));
    assert_eq!((envelope.envelope_id.as_str(), envelope.return_flags), ("abc", 2));
    assert_eq!(envelope.attribute("log_client_address"), Some("127.0.0.2"));
    assert_eq!(
        (envelope.content_offset, envelope.message_bytes(), envelope.extracted_offset),
        (964, 3251, 4215)
    );
    assert_eq!(envelope.attribute("encoding"), Some("8bit"));
    let last = &envelope.recipients[3];
    assert_eq!((last.address.as_str(), last.original.as_str()), ("user1@example.com", "both@alias.example"));
    assert_eq!((last.dsn_original.as_str(), last.notify, last.done), ("rfc822;foo@bar", 4, false));
    assert_eq!(SMTP[last.offset as usize], b'R');
}

#[test]
fn recipients_of_sendmail_t_stand_behind_the_content() {
    let envelope = Envelope::decode(SENDMAIL_T).unwrap();
    assert_eq!(envelope.full_name.as_deref(), Some("Full Name"));
    assert_eq!(envelope.recipients.len(), 1);
    assert!(envelope.recipients[0].offset > envelope.extracted_offset);
}

#[test]
fn done_recipients_are_known() {
    let envelope = Envelope::decode(PARTLY_DONE).unwrap();
    let done: Vec<bool> = envelope.recipients.iter().map(|recipient| recipient.done).collect();
    assert_eq!(done, [true, true, false, false, false, true]);
}

#[test]
fn the_content_is_not_read_when_its_size_is_known() {
    let mut reader = EnvelopeReader::new(usize::MAX);
    let step = reader.feed(&SMTP[..1000], false).unwrap();
    assert_eq!(step, Step::Read { offset: 4215, at_least: 2 });
    assert_eq!(reader.feed(&SMTP[4215..], true), Ok(Step::Done));
}

#[test]
fn recipients_come_in_portions() {
    let mut reader = EnvelopeReader::new(3);
    assert_eq!(reader.feed(SMTP, true), Ok(Step::Full));
    let (first, step) = reader.more();
    let Step::Read { offset, .. } = step else { panic!("{step:?}") };
    assert_eq!(first.len(), 3);
    let mut step = reader.feed(&SMTP[offset as usize..], true).unwrap();
    if let Step::Read { offset, .. } = step {
        step = reader.feed(&SMTP[offset as usize..], true).unwrap();
    }
    assert_eq!((step, reader.envelope().recipients.len()), (Step::Done, 1));
}

#[test]
fn every_truncation_is_an_error() {
    for end in 0..SMTP.len() {
        assert!(Envelope::decode(&SMTP[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn content_of_a_real_file() {
    let envelope = Envelope::decode(SMTP).unwrap();
    let text = crate::content::decode(SMTP, envelope.content_offset).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.starts_with("Received: from me.example (unknown [127.0.0.2])\n\tby mx.lab.example (Postfix) with ESMTP id 7D774992033;\n"), "{text}");
    assert!(text.ends_with("xxx\nend\n"));
}

#[test]
fn a_delay_warning_is_found_in_place() {
    let mut file = Vec::new();
    record::write(&mut file, Kind::WARN_TIME, &record::fixed_number(1_795_313_826));
    record::write(&mut file, Kind::SENDER, b"");
    record::write(&mut file, Kind::MESSAGE, b"");
    record::write(&mut file, Kind::EXTRACTED, b"");
    record::write(&mut file, Kind::END, b"");
    let envelope = Envelope::decode(&file).unwrap();
    assert_eq!(envelope.warn_time, Some(WarnTime { seconds: 1_795_313_826, data_offset: 2 }));
    assert_eq!(envelope.sender.as_deref(), Some(""));
}

fn in_blocks(file: &[u8], block: usize) -> Result<Envelope, DecodeError> {
    let mut reader = EnvelopeReader::new(usize::MAX);
    let (mut begin, mut length) = (0, block);
    loop {
        let bytes = &file[begin.min(file.len())..(begin + length).min(file.len())];
        match reader.feed(bytes, begin + length >= file.len())? {
            Step::Read { offset, at_least } => {
                (begin, length) = (usize::try_from(offset).unwrap(), block.max(at_least))
            }
            Step::Full | Step::Done => return Ok(reader.into_envelope()),
        }
    }
}

proptest! {
    #[test]
    fn block_size_does_not_matter(block in 2_usize..5000) {
        for file in [SMTP, SENDMAIL_T, PARTLY_DONE] {
            prop_assert_eq!(in_blocks(file, block), Envelope::decode(file));
        }
    }

    #[test]
    fn damaged_files_end_in_an_answer(at in any::<prop::sample::Index>(), byte: u8) {
        let mut file = SMTP.to_vec();
        let at = at.index(file.len());
        file[at] = byte;
        let _ = Envelope::decode(&file).is_ok();
    }

    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        let _ = Envelope::decode(&bytes).is_ok();
    }
}
