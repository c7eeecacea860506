//! What stands for a tag in the name that an `askdns` rule asks for.

use crate::addresses_of_hosts::reversed;
use crate::headers::Request;
use crate::mail::Mail;
use crate::registry::to_ascii;

/// Names that one rule asks for.
const NAME_LIMIT: usize = 50;

/// The tags of a template: `_SENDERDOMAIN_`, `_HEADER(List-Id:domain)_`.
pub(crate) fn names(template: &str) -> Vec<String> {
    static TAG: crate::perl::Fixed =
        crate::perl::Fixed::new(r"_([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*(?:\(.*?\))?)_");
    let found = TAG.all(template.as_bytes()).into_iter();
    let mut names: Vec<String> =
        found.map(|groups| String::from_utf8_lossy(groups.get(1)).into_owned()).collect();
    names.sort();
    names.dedup();
    names
}

/// The names that a template stands for; none when a tag has no value.
pub(crate) fn filled(template: &str, values: &dyn Fn(&str) -> Vec<Vec<u8>>) -> Vec<String> {
    let mut all = vec![template.to_owned()];
    for tag in names(template) {
        let values: Vec<Vec<u8>> = values(&tag).into_iter().filter(|value| !value.is_empty()).collect();
        let with = |name: &String| {
            let put = |value: &Vec<u8>| name.replace(&format!("_{tag}_"), &String::from_utf8_lossy(value));
            values.iter().map(put).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(with).take(NAME_LIMIT).collect();
    }
    all.sort();
    all.dedup();
    all.into_iter().map(|name| String::from_utf8_lossy(&to_ascii(name.as_bytes())).into_owned()).collect()
}

/// The values of a tag that is known before any rule has hit.
pub(crate) fn values(mail: &Mail<'_>, tag: &str) -> Vec<Vec<u8>> {
    let last = mail.relays.external.first();
    let each = |request: &str| -> Vec<Vec<u8>> {
        mail.get(request).iter().map(|value| to_ascii(trimmed(value))).collect()
    };
    let one = |value: Option<Vec<u8>>| value.into_iter().collect::<Vec<_>>();
    match tag {
        "SENDERDOMAIN" => each("EnvelopeFrom:first:addr:host").into_iter().take(1).collect(),
        "AUTHORDOMAIN" => each("From:addr:host"),
        "LASTEXTERNALIP" => one(last.map(|hop| hop.ip.clone())),
        "LASTEXTERNALREVIP" => one(last.and_then(|hop| reversed(&hop.ip)).map(String::into_bytes)),
        "LASTEXTERNALRDNS" => one(last.map(|hop| hop.rdns.clone())),
        "LASTEXTERNALHELO" => one(last.map(|hop| hop.helo.clone())),
        _ => {
            let header = tag.strip_prefix("HEADER(").and_then(|rest| rest.strip_suffix(')'));
            let found = header.map(|request| Request::parse(request).values(mail)).unwrap_or_default();
            found.iter().map(|value| trimmed(value).to_vec()).collect()
        }
    }
}

fn trimmed(value: &[u8]) -> &[u8] {
    value.trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled_with_every_value() {
        assert_eq!(names("_A_._B_C_.x"), ["A", "B_C"]);
        let values = |tag: &str| match tag {
            "A" => vec![b"one".to_vec(), b"two".to_vec(), Vec::new()],
            _ => Vec::new(),
        };
        assert_eq!(filled("_A_.list.example", &values), ["one.list.example", "two.list.example"]);
        assert_eq!(filled("_A_._C_.example", &values), [""; 0]);
        assert_eq!(filled("plain.example", &values), ["plain.example"]);
    }
}
