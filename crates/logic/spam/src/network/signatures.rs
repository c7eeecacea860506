//! Signatures, as rules ask for them: DKIM, ARC, and who is welcome when it signs.

use dkim::{KeyText, Message, Signature, Verdict};

use super::question::RecordKind;
use super::walk::{Known, Walk};
use crate::mail::Mail;
use crate::rules::SignerList;

/// What is known of a message's signatures.
#[derive(Debug, Clone, Default)]
pub(super) struct Signed {
    /// Those of DKIM, from the top.
    pub(super) signatures: Vec<(Signature, State)>,
    /// The seals and signatures of ARC.
    pub(super) seals: Vec<(Signature, State)>,
    /// A key is still to be asked for.
    pub(super) waits: bool,
    /// The domains of those whom `From` names.
    pub(super) authors: Vec<String>,
}

/// What became of one signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Valid {
        /// Its key is long enough (`dkim_minimum_key_bits`).
        strong: bool,
    },
    Bad,
    /// Its key could not be asked for.
    Unknown,
}

/// The prepared signatures of a message.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    signatures: Vec<Signature>,
    seals: Vec<Signature>,
}

impl Prepared {
    /// Reads them.
    pub(crate) fn of(mail: &Mail<'_>) -> Self {
        let signs = |name: &[u8]| {
            [&b"dkim-signature"[..], b"domainkey-signature", b"arc-seal", b"arc-message-signature"]
                .contains(&name)
        };
        if !mail.tree.root().fields.iter().any(|field| signs(&field.key)) {
            return Self::default();
        }
        let message = Message::new(mail.tree.with_crlf());
        Self { signatures: dkim::signatures(&message), seals: dkim::seals(&message) }
    }
}

impl State {
    pub(super) fn is_valid(self) -> bool {
        matches!(self, Self::Valid { .. })
    }

    pub(super) fn is_strong(self) -> bool {
        self == Self::Valid { strong: true }
    }
}

impl Signed {
    /// Asks for all keys, and verifies what is there.
    pub(super) fn of(walk: &mut Walk<'_>) -> Self {
        let prepared = walk.mail.signatures();
        let mut signed = Self { authors: authors(walk.mail), ..Self::default() };
        for (from, to) in [(&prepared.signatures, false), (&prepared.seals, true)] {
            for signature in from {
                let state = signed.state(walk, signature);
                if to { &mut signed.seals } else { &mut signed.signatures }.push((signature.clone(), state));
            }
        }
        signed
    }

    fn state(&mut self, walk: &mut Walk<'_>, signature: &Signature) -> State {
        let Some(name) = signature.key_name() else { return State::Bad };
        let verdict = match walk.told(&name, RecordKind::Txt) {
            // RFC 1035 §4.1.1: no error, or no such name.
            Known::Reply(reply) if matches!(reply.code, 0 | 3) => {
                let text = reply.records.first().filter(|text| !text.is_empty());
                signature.verify(walk.now, text.map_or(KeyText::Nothing, |text| KeyText::Text(text)))
            }
            // As in the peer a server that fails has no key; only one that says nothing leaves it open.
            Known::Reply(_) | Known::NoName => Verdict::Invalid,
            Known::Nothing => Verdict::KeyUnknown,
            Known::NotYet => {
                self.waits = true;
                return State::Bad;
            }
        };
        let minimum = walk.mail.settings.authenticity.dkim_minimum_key_bits;
        match verdict {
            Verdict::Pass { key_bits } => {
                State::Valid { strong: key_bits.is_none_or(|bits| bits >= minimum) }
            }
            Verdict::KeyUnknown => State::Unknown,
            Verdict::Fail | Verdict::Invalid => State::Bad,
        }
    }

    pub(super) fn is_valid(&self) -> bool {
        self.signatures.iter().any(|(_, state)| state.is_valid())
    }

    /// Has somebody of these domains signed? None named stands for all.
    pub(super) fn is_signed_by(
        &self,
        domains: &[String],
        wanted: impl Fn(State) -> bool,
        author: bool,
    ) -> bool {
        let signers = self.signatures.iter().filter(|(_, state)| wanted(*state));
        let mut domains_of = signers.filter_map(|(signature, _)| signature.signer());
        domains_of.any(|signer| {
            (!author || self.authors.contains(&signer))
                && (domains.is_empty() || domains.iter().any(|domain| is_or_is_below(&signer, domain)))
        })
    }

    /// Does a good signature of that author's domain exist?
    pub(super) fn has_author(&self, author: &str) -> bool {
        let by_author = |(signature, state): &(Signature, State)| {
            state.is_strong() && signature.signer().is_some_and(|signer| signer == author)
        };
        self.signatures.iter().any(by_author)
    }

    /// Could the key of a signature of that author's domain not be asked for?
    pub(super) fn is_unknown(&self, author: &str) -> bool {
        let by_author = |(signature, state): &(Signature, State)| {
            *state == State::Unknown && signature.signer().is_some_and(|signer| signer == author)
        };
        self.signatures.iter().any(by_author)
    }

    /// The values of a tag; none when nobody signed.
    pub(super) fn tag(&self, tag: &str) -> Vec<Vec<u8>> {
        let mut values: Vec<Vec<u8>> = Vec::new();
        for (signature, _) in self.signatures.iter().filter(|(_, state)| state.is_valid()) {
            let value = match tag {
                "DKIMDOMAIN" => signature.domain.clone(),
                "DKIMIDENTITY" => signature.identity.clone(),
                "DKIMSELECTOR" => signature.selector.clone().unwrap_or_default(),
                _ => String::new(),
            };
            if !value.is_empty() && !values.contains(&value.clone().into_bytes()) {
                values.push(value.into_bytes());
            }
        }
        values
    }

    /// Is an author welcome because of who signed?
    pub(super) fn is_welcome(&self, mail: &Mail<'_>, default: bool) -> bool {
        let settings = &mail.settings.authenticity;
        let (signers, addresses) = if default {
            (&settings.def_welcomelist_from_dkim, "def_welcomelist_auth")
        } else {
            (&settings.welcomelist_from_dkim, "welcomelist_auth")
        };
        let welcome = |author: &Vec<u8>| {
            let own = domain_of(author).unwrap_or_default();
            let by_list = accepted(signers, author);
            let in_addresses = mail.settings.list_contains(addresses, author).then_some("");
            by_list.chain(in_addresses).any(|signer| self.has_signer(signer, &own))
        };
        mail.get("From:addr").iter().any(welcome)
    }

    /// `*.example.com` is any domain below; nothing stands for the author's own.
    fn has_signer(&self, accepted: &str, own: &str) -> bool {
        let accepted = accepted.rsplit_once('@').map_or(accepted, |(_, domain)| domain);
        let bare = accepted.strip_prefix('*').unwrap_or(accepted);
        let fits = |signer: String| match bare.strip_prefix('.') {
            Some(parent) => signer.strip_suffix(parent).is_some_and(|below| below.ends_with('.')),
            None if accepted.is_empty() => signer == own,
            None => signer == accepted,
        };
        let good = self.signatures.iter().filter(|(_, state)| state.is_strong());
        good.filter_map(|(signature, _)| signature.signer()).any(fits)
    }
}

fn accepted<'s>(list: &'s SignerList, author: &[u8]) -> impl Iterator<Item = &'s str> {
    list.signers_for(author)
}

/// `example.com` is just that one; `.example.com` and `*.example.com` are all below it, too.
pub(super) fn is_or_is_below(name: &str, wanted: &str) -> bool {
    let wanted = wanted.to_ascii_lowercase();
    let bare = wanted.strip_prefix('*').unwrap_or(&wanted);
    match bare.strip_prefix('.') {
        Some(parent) => {
            name.strip_suffix(parent).is_some_and(|below| below.is_empty() || below.ends_with('.'))
        }
        None => name == wanted,
    }
}

/// RFC 5322 §3.6.2: there may be several.
fn authors(mail: &Mail<'_>) -> Vec<String> {
    let mut domains: Vec<String> =
        mail.get("From:addr").iter().filter_map(|author| domain_of(author)).collect();
    domains.sort();
    domains.dedup();
    domains
}

fn domain_of(address: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(address);
    let (_, domain) = text.trim_end_matches([' ', '\t']).rsplit_once('@')?;
    (!domain.is_empty()).then(|| domain.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_that_count() {
        assert!(is_or_is_below("a.example", "A.example") && !is_or_is_below("b.a.example", "a.example"));
        assert!(is_or_is_below("b.a.example", "*.a.example") && is_or_is_below("a.example", ".a.example"));
        assert!(!is_or_is_below("xa.example", ".a.example"));
        assert_eq!(domain_of(b"joe@A.Example \t"), Some("a.example".into()));
        assert_eq!((domain_of(b"joe"), domain_of(b"joe@")), (None, None));
    }
}
