//! Who is named in a message, for those who make all of them welcome or not (`spamassassin -W`, `-R`).

use crate::addresses;
use crate::mail::Mail;
use crate::perl::Fixed;
use crate::registry::{is_host_name, to_ascii};
use crate::ruleset::Ruleset;

/// Fields that name correspondents.
const FIELDS: [&str; 7] = ["To", "From", "Cc", "Reply-To", "Sender", "Errors-To", "Mail-Followup-To"];
/// Addresses of one message.
const ADDRESS_LIMIT: usize = 10_000;

/// Which addresses of a message are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correspondents {
    /// Its authors.
    Authors,
    /// All that stand in the usual fields, and in the body as it was sent.
    All,
}

impl Ruleset {
    /// The addresses in a message, each once, in the order in which they stand there.
    pub fn correspondents(&self, message: &[u8], which: Correspondents) -> Vec<String> {
        let mail = Mail::to_learn(message, &self.settings, &self.tlds);
        let fields = if which == Correspondents::Authors { &["From"][..] } else { &FIELDS };
        let mut found = Vec::new();
        for field in fields {
            for value in mail.get(field).iter() {
                found.extend(addresses::parse(value).into_iter().filter_map(|mailbox| mailbox.address));
            }
        }
        if which == Correspondents::All {
            mail.tree.body.split(|byte| *byte == b'\n').for_each(|line| in_line(&mail, line, &mut found));
        }
        let mut unique: Vec<String> = Vec::new();
        for address in found.into_iter().take(ADDRESS_LIMIT) {
            let text = String::from_utf8_lossy(&address);
            let text = text.strip_prefix("mailto:").unwrap_or(&text);
            if !unique.iter().any(|known| known == text) {
                unique.push(text.to_owned());
            }
        }
        unique
    }
}

fn in_line(mail: &Mail<'_>, line: &[u8], found: &mut Vec<Vec<u8>>) {
    static ADDRESS: Fixed =
        Fixed::new(r"(?i)(?:mailto:)?\s*([-\w+:=!#$%&*^?{}|~/.]+@([-\w+:/]+(?:\.[-\w+:/]+)+))");
    if !line.contains(&b'@') {
        return;
    }
    for groups in ADDRESS.all(line) {
        let host = to_ascii(groups.get(2));
        if is_host_name(&host) && mail.settings.registry.is_valid(&host) {
            found.push(groups.text(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Loader, Surroundings};

    #[test]
    fn all_who_are_named_or_only_the_author() {
        let mut loader = Loader::new(Surroundings::default());
        loader.push("/etc/test.cf", b"util_rb_tld example\n");
        loader.run();
        let rules = Ruleset::new(&loader.finish().0, false).0;
        let message =
            b"From: Joe <joe@a.example>, \"Ann\" <ann@a.example>\nTo: you@b.example\nCc: joe@a.example\n\n\
            Write to mailto:Bob@c.example, <x_y@no.host> or joe@a.example.\n";
        let of = |which| rules.correspondents(message, which);
        assert_eq!(of(Correspondents::Authors), ["joe@a.example", "ann@a.example"]);
        let all = ["you@b.example", "joe@a.example", "ann@a.example", "Bob@c.example"];
        assert_eq!(of(Correspondents::All), all);
    }
}
