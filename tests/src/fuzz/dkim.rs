//! Signed messages, and the records of keys.
//!
//! A byte 0xFF stands between the record and the message; LF stands for CRLF.

use dkim::{KeyText, Message, SIGNATURE_LIMIT, Signature, Verdict};

/// Nobody can make up a signature; what a signature is about decides what is asked.
pub(super) fn run(input: &[u8]) {
    let at = input.iter().position(|byte| *byte == 0xFF).unwrap_or(input.len());
    let (record, message) = (&input[..at], input.get(at + 1..).unwrap_or_default());
    let record = String::from_utf8_lossy(record);
    let mut text = Vec::with_capacity(message.len());
    for byte in message {
        text.extend_from_slice(if *byte == b'\n' { b"\r\n" } else { std::slice::from_ref(byte) });
    }
    let message = Message::new(text);
    let all: [fn(&Message<'_>) -> Vec<Signature>; 2] = [dkim::signatures, dkim::seals];
    for signatures in all.map(|read| read(&message)) {
        assert!(signatures.len() <= SIGNATURE_LIMIT);
        for signature in signatures {
            let verdict = signature.verify(0, KeyText::Text(&record));
            let usable = signature.key_name().is_some();
            assert!(usable || verdict == Verdict::Invalid);
            assert!(!matches!(signature.verify(0, KeyText::Nothing), Verdict::Pass { .. }));
            assert!(signature.signer().is_none_or(|signer| !signer.is_empty()));
        }
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    const KEY: &str = "v=DKIM1; k=ed25519; t=s:y; h=sha256; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    const SET: &str = "a=rsa-sha256; d=a.example; s=s; t=1; cv=none; b=AAAA";
    [
        format!("{KEY}\u{0}DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/simple; d=a.example;\n i=@b.a.example; s=x; h=from:to; l=3; x=9; bh=AA==; b=AAAA\nFrom: x@a.example\nto : y\n\nabc \n\n"),
        format!("v=DKIM1; p=MIGfMA0GCSqG\u{0}ARC-Seal: i=1; {SET}\nARC-Message-Signature: i=1; c=relaxed; h=from; bh=AA==; {SET}\nARC-Authentication-Results: i=1; x\nFrom: x\n\nbody"),
        "\u{0}DKIM-Signature: v\nDKIM-Signature: v=1; =; b\nFrom: x\n".to_owned(),
    ]
    .map(|text| text.bytes().map(|byte| if byte == 0 { 0xff } else { byte }).collect())
    .to_vec()
}
