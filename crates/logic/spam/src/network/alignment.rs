//! DMARC (RFC 7489): what an author's domain wants done with mail that neither its hosts sent nor its keys signed.
//!
//! Organizational domains are those of `util_rb_2tld` and its kin.

use super::claims::Outcome;
use super::question::RecordKind;
use super::sender_policy::{self, Identity};
use super::signatures::{Signed, State};
use super::walk::{Known, Walk};
use crate::mail::Mail;

/// What a domain's policy comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alignment {
    /// The author is who it claims to be.
    Pass,
    /// It is not, and this is to be done.
    Reject,
    Quarantine,
    /// Nothing is to be done.
    Nothing,
    /// The domain has no policy.
    Missing,
}

/// A policy record (RFC 7489 §6.3).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Policy {
    wanted: String,
    for_subdomains: Option<String>,
    strict_signature: bool,
    strict_sender: bool,
    percent: u64,
    /// `rua=`: where reports go.
    reports: Vec<String>,
    /// It counts only where somebody gets reports (RFC 7489 §6.6.3).
    needs_reports: bool,
}

/// What DMARC comes to; `None` when there is nothing to judge, or answers are missing.
pub(super) fn of(walk: &mut Walk<'_>, signed: &Signed) -> Option<Alignment> {
    let mail = walk.mail;
    mail.relays.external.first()?;
    let author = author(mail)?;
    let sender = sender(mail)?;
    let by_sender = passing_sender(walk, &sender);
    let published = published(walk, &author);
    if !exists(walk, &author)? {
        return Some(Alignment::Missing);
    }
    let Some((record, is_subdomain)) = published? else { return Some(Alignment::Missing) };
    let Some(policy) = record.as_deref().and_then(Policy::parse) else { return Some(Alignment::Nothing) };
    let domain = if is_subdomain { organization(mail, &author) } else { author.clone() };
    if policy.needs_reports && !wants_reports(walk, &policy.reports, &domain)? {
        return Some(Alignment::Nothing);
    }
    if signed.waits {
        return None;
    }
    let sealed = sealed_for(signed, &sender);
    let signers =
        signed.signatures.iter().filter(|(_, state)| state.is_valid()).map(|(sig, _)| sig.domain.clone());
    let is_signed =
        signers.chain(sealed).any(|domain| aligned(mail, &domain, &author, policy.strict_signature));
    if is_signed || by_sender.is_some_and(|domain| aligned(mail, &domain, &author, policy.strict_sender)) {
        return Some(Alignment::Pass);
    }
    Some(policy.applied(is_subdomain, draw(mail)))
}

/// The domain of the first author; one that can not be in DNS is none.
fn author(mail: &Mail<'_>) -> Option<String> {
    let from =
        mail.get("From:first:addr").first().map(|from| String::from_utf8_lossy(from).to_ascii_lowercase())?;
    let (_, domain) = from.rsplit_once('@')?;
    let end = domain.find(|char: char| char.is_whitespace() || char == '>').unwrap_or(domain.len());
    mail.settings.registry.is_valid(&domain.as_bytes()[..end]).then(|| domain[..end].to_owned())
}

fn sender(mail: &Mail<'_>) -> Option<String> {
    let first =
        |request: &str| mail.get(request).first().map(|host| String::from_utf8_lossy(host).into_owned());
    first("EnvelopeFrom:first:addr:host").or_else(|| first("From:first:addr:domain"))
}

/// The domain that SPF passes for: that of the envelope's sender first.
fn passing_sender(walk: &mut Walk<'_>, sender: &str) -> Option<String> {
    let passes = |outcome: Option<Outcome>| outcome == Some(Outcome::Pass);
    let envelope = sender_policy::outcome(walk, Identity::Envelope);
    let helo = sender_policy::outcome(walk, Identity::Helo);
    if passes(envelope) {
        return Some(sender.to_owned());
    }
    let hop = walk.mail.relays.external.first().filter(|_| passes(helo))?;
    Some(String::from_utf8_lossy(&hop.helo).to_ascii_lowercase())
}

/// A sealed message counts as signed by its sender's domain when that is an author's, too, as in the peer.
fn sealed_for(signed: &Signed, sender: &str) -> Option<String> {
    let is_author = signed.authors.iter().any(|author| author == sender);
    let first = signed.seals.iter().find(|(signature, _)| !signature.domain.is_empty());
    first.filter(|(_, state)| is_author && State::is_valid(*state)).map(|_| sender.to_owned())
}

fn organization(mail: &Mail<'_>, domain: &str) -> String {
    String::from_utf8_lossy(&mail.settings.registry.registered(domain.as_bytes())).into_owned()
}

/// RFC 7489 §3.1
fn aligned(mail: &Mail<'_>, domain: &str, author: &str, strict: bool) -> bool {
    let domain = domain.to_ascii_lowercase();
    domain == author || (!strict && organization(mail, &domain) == organization(mail, author))
}

/// Is the author's domain in DNS at all? `None` when that is not known yet.
fn exists(walk: &mut Walk<'_>, author: &str) -> Option<bool> {
    let mut names = vec![author.to_owned(), organization(walk.mail, author)];
    names.dedup();
    for name in names {
        for kind in [RecordKind::Mx, RecordKind::Ns, RecordKind::A, RecordKind::Aaaa] {
            match walk.told(&name, kind) {
                Known::NotYet => return None,
                Known::Reply(reply) if reply.code == 0 && !reply.records.is_empty() => return Some(true),
                _ => {}
            }
        }
    }
    Some(false)
}

/// The record of the author's domain, or of its organization (RFC 7489 §6.6.3), and whether it is the latter's; without a
/// text when there are several. `None` in place of all when that is not known yet.
#[allow(clippy::option_option)]
fn published(walk: &mut Walk<'_>, author: &str) -> Option<Option<(Option<String>, bool)>> {
    let mut names = vec![author.to_owned(), organization(walk.mail, author)];
    names.dedup();
    for (index, name) in names.iter().enumerate() {
        let records = match walk.told(&format!("_dmarc.{name}"), RecordKind::Txt) {
            Known::NotYet => return None,
            Known::Reply(reply) => reply.records.as_slice(),
            Known::NoName | Known::Nothing => &[],
        };
        let mut found = records.iter().filter(|text| is_policy(text));
        if let Some(first) = found.next() {
            let only = found.next().is_none();
            return Some(Some((only.then(|| first.clone()), index > 0)));
        }
    }
    Some(None)
}

impl Policy {
    /// `None` when it says nothing that can be done.
    fn parse(text: &str) -> Option<Self> {
        let packed: String = text.split_whitespace().collect();
        let tag = |wanted: &str| {
            let tags = packed.split(';').filter_map(|tag| tag.split_once(['=', ':', '-']));
            let mut named =
                tags.filter(|(name, value)| name.eq_ignore_ascii_case(wanted) && !value.is_empty());
            named.next_back().map(|(_, value)| value.to_owned())
        };
        let known = |policy: &String| {
            ["none", "reject", "quarantine"].iter().any(|known| policy.eq_ignore_ascii_case(known))
        };
        let reports = report_addresses(&tag("rua").unwrap_or_default());
        let mut wanted = match tag("p") {
            Some(policy) => Some(policy).filter(known)?,
            None if reports.is_empty() => return None,
            None => "none".to_owned(),
        };
        let for_subdomains = tag("sp");
        // RFC 7489 §6.6.3: who wants reports only gets them.
        let needs_reports = for_subdomains.as_ref().is_some_and(|policy| !known(policy));
        if needs_reports {
            "none".clone_into(&mut wanted);
        }
        let strict = |name: &str| tag(name).is_some_and(|mode| mode.eq_ignore_ascii_case("s"));
        Some(Self {
            wanted,
            reports,
            needs_reports,
            for_subdomains: for_subdomains.filter(known),
            strict_signature: strict("adkim"),
            strict_sender: strict("aspf"),
            percent: tag("pct").and_then(|percent| percent.parse().ok()).unwrap_or(100),
        })
    }

    /// What is to be done; `draw` is below 100.
    fn applied(&self, is_subdomain: bool, draw: u64) -> Alignment {
        let policy = self.for_subdomains.as_ref().filter(|_| is_subdomain).unwrap_or(&self.wanted);
        // RFC 7489 §6.6.4: the others get the next lower policy.
        let sampled = draw < self.percent;
        match policy.as_str() {
            "reject" if sampled => Alignment::Reject,
            "quarantine" if sampled => Alignment::Quarantine,
            "reject" => Alignment::Quarantine,
            _ => Alignment::Nothing,
        }
    }
}

/// The addresses of `rua=`, without what limits the size; those of the web are as good.
fn report_addresses(list: &str) -> Vec<String> {
    let addresses = list.split(',').map(|uri| uri.split('!').next().unwrap_or_default());
    let is_known = |uri: &&str| {
        ["mailto:", "http:", "https:"]
            .iter()
            .any(|scheme| uri.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme)))
    };
    addresses.filter(is_known).map(str::to_owned).collect()
}

/// Does anybody get reports about `domain`? Others than its own organization must say that they want them (RFC 7489 §7.1).
/// `None` when that is not known yet.
fn wants_reports(walk: &mut Walk<'_>, reports: &[String], domain: &str) -> Option<bool> {
    for uri in reports {
        let (scheme, rest) = uri.split_once(':').unwrap_or_default();
        let is_mail = scheme.eq_ignore_ascii_case("mailto");
        let rest = rest.trim_start_matches('/');
        let host = if is_mail { rest.rsplit('@').next() } else { rest.split(['/', ':']).next() };
        let host = host.unwrap_or_default().to_ascii_lowercase();
        let is_own = is_mail && organization(walk.mail, &host) == organization(walk.mail, domain);
        if is_own || host == domain {
            return Some(true);
        }
        match walk.told(&format!("{domain}._report._dmarc.{host}"), RecordKind::Txt) {
            Known::NotYet => return None,
            Known::Reply(reply) if reply.records.iter().any(|text| is_policy(text)) => return Some(true),
            _ => {}
        }
    }
    Some(false)
}

fn is_policy(text: &str) -> bool {
    text.get(..8).is_some_and(|begin| begin.eq_ignore_ascii_case("v=dmarc1"))
}

/// A number below 100 that is the same for the same message.
fn draw(mail: &Mail<'_>) -> u64 {
    let sum = |sum: u64, byte: &u8| sum.wrapping_mul(31).wrapping_add(u64::from(*byte));
    mail.tree.head.iter().fold(7, sum) % 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_read() {
        let policy = Policy::parse("v=DMARC1; p=reject; sp = none; adkim=s; pct=20").unwrap();
        assert!(policy.strict_signature && !policy.strict_sender);
        assert_eq!(
            (policy.applied(false, 19), policy.applied(false, 20)),
            (Alignment::Reject, Alignment::Quarantine)
        );
        assert_eq!(policy.applied(true, 0), Alignment::Nothing);
        assert_eq!(Policy::parse("v=DMARC1; p=quarantine").unwrap().applied(true, 99), Alignment::Quarantine);
        assert_eq!(Policy::parse("v=DMARC1; rua=mailto:a@b.example").unwrap().wanted, "none");
        let odd = Policy::parse("v=DMARC1; p=reject; sp=odd; rua=mailto:a@b.example!10m,https://b.example/x")
            .unwrap();
        assert!(odd.needs_reports && odd.wanted == "none");
        assert_eq!(odd.reports, ["mailto:a@b.example", "https://b.example/x"]);
        assert!(Policy::parse("v=DMARC1; p=other; rua=mailto:a@b.example").is_none());
        assert!(Policy::parse("v=DMARC1; p=other").is_none() && Policy::parse("").is_none());
    }
}
