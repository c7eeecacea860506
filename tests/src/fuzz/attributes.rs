//! Attribute messages between our programs, and of Postfix's.

use attributes::Attributes;

/// A message that is understood is the same when it is written again; what is cut off is waited for.
pub(super) fn run(input: &[u8]) {
    let Ok(Some((message, length))) = Attributes::decode(input) else { return };
    assert!(length <= input.len());
    let written = message.to_bytes();
    let (again, used) = Attributes::decode(&written).expect("own words are understood").expect("as a whole");
    assert_eq!((&again, used), (&message, written.len()));
    for cut in 0..written.len().min(64) {
        assert!(matches!(Attributes::decode(&written[..cut]), Ok(None)), "cut at {cut}");
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let request = Attributes::new().with("request", "rewrite").with("rule", "local").with("address", "a@b");
    vec![request.to_bytes(), Attributes::new().to_bytes(), b"queue_name\0active\0\0".to_vec()]
}
