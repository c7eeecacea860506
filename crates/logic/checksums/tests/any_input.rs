//! Whatever comes in, it is read or refused.
#![allow(clippy::unwrap_used)]

use checksums::dcc::Metrics;
use checksums::pyzor::{Digest, Reply, predigest};
use proptest::prelude::*;

proptest! {
    #[test]
    fn any_message_has_a_digest(
        head in "(Content-Type: (multipart/(mixed|digest)|message/(rfc822|delivery-status)|text/html); boundary=b\n){0,2}",
        encoding in "(Content-Transfer-Encoding: (base64|quoted-printable|uuencode)\n)?\n?",
        body in "([<>&!/='\"\\[\\]#;x \n\u{e4}-]|--b\n|--b--\n|<!--|<script|</script>|<!\\[|&#x|&am|begin 6 x\n|=\r){0,80}",
    ) {
        let message = format!("{head}{encoding}{body}");
        let lines = predigest(message.as_bytes());
        prop_assert_eq!(Digest::of(message.as_bytes()).is_some(), lines.is_some());
        for line in lines.into_iter().flatten() {
            prop_assert!(line.chars().count() >= 8 && !line.contains(char::is_whitespace));
        }
    }

    #[test]
    fn any_answer_reads_or_not(answer in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Reply::parse(&answer);
        let text = [b"A\nA\nX-DCC-x-Metrics: Body=".as_slice(), &answer].concat();
        prop_assert!(Metrics::parse(&text).is_some_and(|metrics| metrics.counts().body < u64::MAX));
    }
}
