//! A return address of its own for each recipient (VERP_README).

/// Makes `list+user=domain@origin` of the sender `list@origin` and the recipient `user@domain`. `delimiters` are the
/// two characters, `+=`; where one is missing, nothing stands in its place.
pub fn verp_sender(sender: &str, recipient: &str, delimiters: &str) -> String {
    let parts = |address: &str| match address.rsplit_once('@') {
        Some((local, domain)) => (local.to_owned(), domain.to_owned()),
        None => (address.to_owned(), String::new()),
    };
    let ((list, origin), (user, domain)) = (parts(sender), parts(recipient));
    let mut delimiters = delimiters.chars();
    let mut out = list;
    out.extend(delimiters.next());
    out += &user;
    if !domain.is_empty() {
        out.extend(delimiters.next());
        out += &domain;
    }
    if !origin.is_empty() {
        out.push('@');
        out += &origin;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recipient_stands_in_the_sender() {
        let cases = [
            ("list@origin", "user@domain", "+=", "list+user=domain@origin"),
            ("list@origin", "user", "+=", "list+user@origin"),
            ("list", "user@domain", "-+", "list-user+domain"),
            ("a@b@origin", "x@y@domain", "==", "a@b=x@y=domain@origin"),
        ];
        for (sender, recipient, delimiters, expected) in cases {
            assert_eq!(verp_sender(sender, recipient, delimiters), expected);
        }
    }
}
