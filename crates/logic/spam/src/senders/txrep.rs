//! TxRep: several traits of a sender, each with its own mean and weight.

use super::Weighed;
use super::key::{Masks, cleaned, pack};
use super::view::View;
use crate::learned::{Change, Memory, Reputation};
use crate::mail::Mail;
use crate::rules::{Settings, TxRep};
use crate::scan::three_decimals;

/// The network of an address that our own users write to.
const OUTBOUND: &str = "WELCOMELIST_OUT";
/// The address of hosts of our own.
const OWN_HOST: &[u8] = b"127.0.0.1";
/// Below this score a message's hosts are believed, trusted or not.
const LOW_SCORE: f64 = 2.0;

/// Why a message is weighed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Purpose {
    /// Its score, or the points that it is learned for.
    pub(crate) points: f64,
    pub(crate) learning: bool,
    pub(crate) forgetting: bool,
}

impl Purpose {
    /// It is checked.
    pub(crate) fn check(points: f64) -> Self {
        Self { points, learning: false, forgetting: false }
    }

    /// It is learned.
    pub(crate) fn learn(points: f64) -> Self {
        Self { points, learning: true, forgetting: false }
    }

    /// What was remembered of it is taken back.
    pub(crate) fn forget() -> Self {
        Self { points: 0.0, learning: false, forgetting: true }
    }
}

/// Who vouches for the sender.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Signer {
    /// The domain whose DKIM signature is good.
    pub(crate) dkim: Option<Vec<u8>>,
    /// SPF passed. For which domain does not matter: the files of the original do not tell signers apart, and neither do ours.
    pub(crate) spf: bool,
}

/// Weighs a message that is remembered by `id`; its score so far is `score`.
pub(crate) fn weigh(
    mail: &Mail<'_>,
    memory: &dyn Memory,
    id: &str,
    purpose: Purpose,
    (signer, score): (&Signer, f64),
) -> Weighed {
    let settings = &mail.settings.txrep;
    let outbound =
        settings.welcomelist_out > 0.0 && !mail.relays.internal.is_empty() && mail.relays.external.is_empty();
    let view = View::new(memory);
    let mut check = Check { mail, settings, view, outbound, signer, score, tags: Vec::new(), weights: 0.0 };
    let delta = check.run(id, purpose).filter(|delta| *delta != 0.0).map(three_decimals);
    Weighed { score: delta, tags: check.tags, changes: check.view.changes }
}

/// By how much points for one address weigh more than they say, so that they count among all traits.
pub(super) fn factor(settings: &Settings, name: &str) -> f64 {
    let txrep = &settings.txrep;
    let all = txrep.weight_email
        + txrep.weight_email_ip
        + txrep.weight_domain
        + txrep.weight_ip
        + txrep.weight_helo;
    let hex = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':');
    let weight = if !name.contains('.') && txrep.weight_helo > 0.0 {
        txrep.weight_helo
    } else if name.bytes().all(hex) && txrep.weight_ip > 0.0 {
        txrep.weight_ip
    } else if name.contains('@') {
        txrep.weight_email
    } else {
        txrep.weight_domain
    };
    if weight > 0.0 { all / weight } else { 1.0 }
}

struct Check<'a> {
    mail: &'a Mail<'a>,
    settings: &'a TxRep,
    view: View<'a>,
    /// The message comes from one of our own users.
    outbound: bool,
    signer: &'a Signer,
    score: f64,
    tags: Vec<(&'static str, String)>,
    weights: f64,
}

/// The traits of a sender.
#[derive(Debug, Default)]
struct Traits {
    from: Vec<u8>,
    domain: Vec<u8>,
    helo: Vec<u8>,
    host: Option<Vec<u8>>,
    /// The host, unless somebody vouches for the sender.
    bound_host: Option<Vec<u8>>,
    signed: bool,
}

/// The names of a trait's tags: its part, its mean, its count, the score before it.
type TagNames = [&'static str; 4];
const EMAIL_IP: TagNames = ["TXREPEMAILIP", "TXREPEMAILIPMEAN", "TXREPEMAILIPCOUNT", "TXREPEMAILIPPRESCORE"];
const DOMAIN: TagNames = ["TXREPDOMAIN", "TXREPDOMAINMEAN", "TXREPDOMAINCOUNT", "TXREPDOMAINPRESCORE"];
const HELO: TagNames = ["TXREPHELO", "TXREPHELOMEAN", "TXREPHELOCOUNT", "TXREPHELOPRESCORE"];
const EMAIL: TagNames = ["TXREPEMAIL", "TXREPEMAILMEAN", "TXREPEMAILCOUNT", "TXREPEMAILPRESCORE"];
const IP: TagNames = ["TXREPIP", "TXREPIPMEAN", "TXREPIPCOUNT", "TXREPIPPRESCORE"];

impl Check<'_> {
    /// What is to be added to the message's score.
    fn run(&mut self, id: &str, mut purpose: Purpose) -> Option<f64> {
        let traits = self.traits(purpose.points)?;
        let before = self.view.get(&self.key(id.as_bytes(), None));
        if self.settings.track_messages && before.count > 0 {
            let mean = mean(before);
            if purpose.forgetting {
                purpose.points = mean;
            } else if purpose.learning {
                if before.count > 1 {
                    self.run(id, Purpose { forgetting: true, ..purpose });
                }
            } else {
                let factor = self.settings.factor;
                return Some((purpose.points + factor * mean) / (1.0 + factor) - purpose.points);
            }
        }
        if self.outbound {
            self.welcome_recipients();
        }
        self.weights = 0.0;
        let sum = self.all_traits(&traits, purpose);
        let delta = if self.weights > 0.0 { self.settings.factor * sum / self.weights } else { 0.0 };
        if self.settings.track_messages {
            let more = if purpose.learning { 0.0 } else { delta };
            self.remember(id, Purpose { points: purpose.points + more, ..purpose });
        }
        (!purpose.learning).then_some(delta)
    }

    fn key(&self, name: &[u8], host: Option<&[u8]>) -> String {
        let is_address =
            || name.iter().position(|byte| *byte == b'@').is_some_and(|at| at > 0 && at + 1 < name.len());
        if self.outbound && is_address() {
            return format!("{}|ip={OUTBOUND}", cleaned(name));
        }
        let masks = Masks { ipv4: self.settings.ipv4_mask_len, ipv6: self.settings.ipv6_mask_len };
        pack(name, host, &masks)
    }

    fn all_traits(&mut self, traits: &Traits, purpose: Purpose) -> f64 {
        let settings = *self.settings;
        let bound = traits.bound_host.as_deref();
        let mut sum = self.one(settings.weight_email_ip, &traits.from, bound, purpose, &EMAIL_IP);
        if !traits.domain.is_empty() {
            sum += self.one(settings.weight_domain, &traits.domain, bound, purpose, &DOMAIN);
        }
        if !traits.helo.is_empty() {
            sum += self.one(settings.weight_helo, &traits.helo, None, purpose, &HELO);
        }
        if let Some(host) = &traits.host {
            if !traits.signed {
                sum += self.one(settings.weight_email, &traits.from, None, purpose, &EMAIL);
            }
            sum += self.one(settings.weight_ip, host, None, purpose, &IP);
        }
        sum
    }

    /// One trait: what it adds to the weighed sum, and what is remembered of it.
    fn one(
        &mut self,
        weight: f64,
        name: &[u8],
        host: Option<&[u8]>,
        purpose: Purpose,
        tags: &TagNames,
    ) -> f64 {
        if weight == 0.0 {
            return 0.0;
        }
        let key = self.key(name, host);
        let before = self.view.get(&key);
        let mut purpose = purpose;
        let mut delta = 0.0;
        if purpose.learning {
            purpose.points = stretched(purpose.points, before);
        } else {
            self.weights += weight;
            delta = pull(before, purpose.points);
            self.tag(tags, before, delta);
        }
        self.count(&key, before, purpose);
        weight * delta
    }

    fn tag(&mut self, [part, mean_name, count, prescore]: &TagNames, before: Reputation, delta: f64) {
        self.tags.push((part, format!("{delta:.1}")));
        if before.count > 0 {
            self.tags.push((mean_name, format!("{:.1}", mean(before))));
        }
        self.tags.push((count, format!("{:.1}", before.count as f64)));
        self.tags.push((prescore, format!("{:.1}", self.score)));
    }

    fn count(&mut self, key: &str, before: Reputation, purpose: Purpose) {
        if purpose.forgetting {
            let count = if before.count > 2 { before.count - 1 } else { 1 };
            self.view.set(key, Reputation { count, total: before.total - purpose.points });
        } else {
            self.view.add(key, purpose.points);
        }
    }

    /// The message itself is remembered: once when it was checked, twice when it was learned.
    fn remember(&mut self, id: &str, purpose: Purpose) {
        let key = self.key(id.as_bytes(), None);
        if purpose.forgetting {
            return self.view.change(Change::ForgetKey(key));
        }
        let before = self.view.get(&key);
        let points = if purpose.learning { stretched(purpose.points, before) } else { purpose.points };
        self.view.add(&key, points);
        if purpose.learning && before.count == 0 {
            self.view.add(&key, points);
        }
    }

    /// Whom our own users write to is welcome.
    fn welcome_recipients(&mut self) {
        let bonus = Reputation { count: 1, total: -self.settings.welcomelist_out };
        for recipient in self.mail.all_recipients().to_vec() {
            if !recipient.is_empty() {
                let key = self.key(&recipient, None);
                self.view.set(&key, bonus);
            }
        }
    }

    fn traits(&self, points: f64) -> Option<Traits> {
        let first = self.mail.text("From:addr").to_ascii_lowercase();
        let from = if first.is_empty() { self.mail.text("EnvelopeFrom:addr") } else { first };
        if from.trim_ascii().is_empty() {
            return None;
        }
        let behind_at =
            from.iter().rposition(|byte| *byte == b'@').filter(|at| *at > 0).map_or(0, |at| at + 1);
        let mut traits = Traits { domain: from[behind_at..].to_vec(), from, ..Traits::default() };
        self.find_host(&mut traits, points);
        traits.bound_host.clone_from(&traits.host);
        if let Some(domain) = self.signer.dkim.clone().filter(|_| self.settings.distinguish_signed) {
            traits.domain = domain;
            (traits.bound_host, traits.signed) = (None, true);
        } else if self.signer.spf && self.settings.spf {
            (traits.bound_host, traits.signed) = (None, true);
        }
        Some(traits)
    }

    /// The host that the message comes from, and the name by which it introduced itself.
    fn find_host(&self, traits: &mut Traits, points: f64) {
        let relays = &self.mail.relays;
        let mut trusted = i64::try_from(relays.trusted.len()).unwrap_or(0);
        for hop in relays.trusted.iter().chain(&relays.untrusted) {
            let brackets = [b"[", hop.ip.as_slice(), b"]"].concat();
            let says_nothing = hop.helo == hop.ip
                || hop.helo == brackets
                || hop.helo.eq_ignore_ascii_case(&traits.domain)
                || hop.helo.eq_ignore_ascii_case(&traits.from);
            if !says_nothing {
                traits.helo.clone_from(&hop.helo);
            }
            trusted -= 1;
            let (private, known) = (hop.is_private(), !hop.ip.is_empty());
            if (trusted >= -1 || points < LOW_SCORE) && !private && known {
                traits.host = Some(hop.ip.clone());
            }
            if trusted >= 0 && traits.host.is_none() && private && known {
                traits.host = Some(OWN_HOST.to_vec());
            }
        }
    }
}

fn mean(reputation: Reputation) -> f64 {
    reputation.total / reputation.count as f64
}

/// How far a trait pulls the score of a message towards its mean. A message is left out of the mean where it would turn
/// the pull around.
fn pull(before: Reputation, points: f64) -> f64 {
    let count = 1.0 + before.count as f64;
    let delta = (before.total + points) / count - points;
    let turned = (before.total > 0.0 && points > 0.0 && delta < 0.0)
        || (before.total < 0.0 && points < 0.0 && delta > 0.0);
    if turned { before.total / count } else { delta }
}

/// Points of a lesson weigh more the more is known.
fn stretched(points: f64, before: Reputation) -> f64 {
    if before.count > 0 && points != 0.0 { points + points.signum() * mean(before).abs() } else { points }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_does_not_turn_the_pull_around() {
        let known = Reputation { count: 3, total: 30.0 };
        assert!((pull(known, 2.0) - 6.0).abs() < 1e-9);
        assert!((pull(known, 20.0) - 7.5).abs() < 1e-9);
        assert!((pull(Reputation::default(), 5.0) - 0.0).abs() < 1e-9);
    }

    #[test]
    fn points_for_an_address_weigh_as_all_traits() {
        let settings = Settings::default();
        assert!((factor(&settings, "joe@example.com") - 6.5).abs() < 1e-9);
        assert!((factor(&settings, "192.0.2.1") - 4.875).abs() < 1e-9);
        assert!((factor(&settings, "netbios") - 39.0).abs() < 1e-9);
        assert!((factor(&settings, "example.com") - 9.75).abs() < 1e-9);
    }
}
