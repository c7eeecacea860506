//! Addresses as headers, tables and clients write them.

use address::{Address, AddressList, is_hostname, literal, parse_path, quote, split_extension, unquote};

/// As `header_address_token_limit`.
const TOKEN_LIMIT: usize = 10_240;

/// What is read once reads the same again.
pub(super) fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    assert_eq!(unquote(&quote(&text)), text, "quoting is undone by unquoting");
    for strict in [false, true] {
        if let Ok(address) = parse_path(&text, strict) {
            assert_eq!(Address::external(&address.to_external()).as_str(), address.as_str());
        }
    }
    let list = AddressList::parse(&text, TOKEN_LIMIT);
    assert!(list.tokens().len() <= TOKEN_LIMIT + 1);
    let addresses = count(&list);
    let again = AddressList::parse(&list.to_lines(), TOKEN_LIMIT);
    if list.tokens().len() < TOKEN_LIMIT {
        assert_eq!(count(&again), addresses, "a list that is written has as many addresses");
    }
    let _ = is_hostname(&text);
    if let Some(literal) = literal(&text) {
        assert!(text.contains(&literal.0.to_string()) || literal.0.is_ipv6(), "{text:?}");
    }
    for delimiters in ["+", "+-", "-", ""] {
        if let Some((user, extension)) = split_extension(&text, delimiters) {
            assert!(text.starts_with(user) && text.ends_with(extension));
        }
    }
}

/// A backslash at the very end is an address of no characters, as in Postfix; written, it is nothing.
fn count(list: &AddressList) -> usize {
    list.addresses().filter(|address| !address.is_empty()).count()
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "user@example.com",
        "\"a b\"@example.com",
        "<@a,@b:user@[192.0.2.1]>",
        "user+list@[IPv6:2001:db8::1]",
        "Group: \"O'Neil, J.\" <a@b> (a (nested) comment), c@d;, e",
        "a%b@c, <>, undisclosed-recipients:;",
        "=?utf-8?q?x?= <\\\"@example.com>",
        "owner-list, list-request",
        "<[1\"1.2..2\\]91>, \"\\.[\\\\]\" a@[b\\]c]",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
