//! `DKIM-Signature` (RFC 6376 §3.5).

use std::collections::HashMap;

use crate::canonical::Method;
use crate::key::{Algorithm, Key, Signer};
use crate::message::{Message, name_of};
use crate::tags::{Tags, is_blank};
use crate::{KeyText, SIGNATURE_LIMIT, Verdict, decode_base64};

/// A signature, as far as the message tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// `d=` in lower case; empty when there is none.
    pub domain: String,
    /// `i=`: who in the domain signed; `@domain` when it does not say. Of ARC it is a number.
    pub identity: String,
    /// `s=`
    pub selector: Option<String>,
    /// `x=`: seconds since 1970.
    pub expires: Option<i64>,
    /// What is to be verified; `None` when it does not read.
    pub(crate) proof: Option<Proof>,
}

/// What was signed, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proof {
    pub(crate) algorithm: Algorithm,
    /// The header fields in canonical form, the signature's own the last.
    pub(crate) signed: Vec<u8>,
    /// The body is what was signed.
    pub(crate) body_fits: bool,
    pub(crate) signature: Vec<u8>,
}

/// The signatures of a message, from the top. Fields that are no lists of tags are left out. Those of DomainKeys (RFC 4870)
/// are named, but there is nothing to verify in them: their keys are gone.
pub fn signatures(message: &Message<'_>) -> Vec<Signature> {
    let mut bodies = Bodies::new(message);
    let mut found = Vec::new();
    for field in message.fields() {
        if found.len() >= SIGNATURE_LIMIT {
            break;
        }
        match name_of(field).as_deref() {
            Some(b"dkim-signature") => found.extend(read(field, message, &mut bodies)),
            Some(b"domainkey-signature") => found.extend(Parts::of(field).map(|parts| parts.signature())),
            _ => {}
        }
    }
    found
}

fn read(field: &[u8], message: &Message<'_>, bodies: &mut Bodies<'_>) -> Option<Signature> {
    let parts = Parts::of(field)?;
    let mut signature = parts.signature();
    let usable = !signature.domain.is_empty() && signature.selector.is_some() && asks_dns(&parts.tags);
    if usable && has_good_identity(&signature) {
        signature.proof = prove_message(&parts, message, bodies);
    }
    Some(signature)
}

/// A field of tags.
pub(crate) struct Parts<'a> {
    name: &'a [u8],
    text: &'a [u8],
    pub(crate) tags: Tags,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(field: &'a [u8]) -> Option<Self> {
        let colon = field.iter().position(|byte| *byte == b':')?;
        let (name, text) = field.split_at(colon + 1);
        // Other bytes than ASCII are in no tag that counts; each becomes one character, so that places stay.
        let ascii: String =
            text.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '?' }).collect();
        Some(Self { name, text, tags: Tags::parse(&ascii)? })
    }

    pub(crate) fn text(&self) -> String {
        self.text.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '?' }).collect()
    }

    /// The field without its signature (RFC 6376 §3.7).
    pub(crate) fn unsigned(&self) -> Vec<u8> {
        [self.name, &self.tags.without_value("b", self.text)].concat()
    }

    pub(crate) fn signature(&self) -> Signature {
        let domain = self.tags.get("d").unwrap_or_default().to_ascii_lowercase();
        let identity = self.tags.get("i").map_or_else(|| format!("@{domain}"), unquoted);
        Signature {
            identity,
            selector: self.tags.get("s").map(str::to_owned),
            expires: self.tags.get("x").map(leading_number),
            proof: None,
            domain,
        }
    }
}

impl Signature {
    /// Where its key is, when it makes sense to ask.
    pub fn key_name(&self) -> Option<String> {
        let selector = self.selector.as_deref().filter(|selector| !selector.is_empty())?;
        self.proof.as_ref().map(|_| format!("{selector}._domainkey.{}", self.domain))
    }

    /// Is the message what was signed? `now` is in seconds since 1970.
    pub fn verify(&self, now: i64, key: KeyText<'_>) -> Verdict {
        let Some(proof) = self.proof.as_ref().filter(|_| self.key_name().is_some()) else {
            return Verdict::Invalid;
        };
        if self.expires.is_some_and(|expires| now > expires) {
            return Verdict::Invalid;
        }
        let text = match key {
            KeyText::Text(text) => text,
            KeyText::Nothing => return Verdict::Invalid,
            KeyText::Failed => return Verdict::KeyUnknown,
        };
        let signer = Signer { domain: &self.domain, identity: &self.identity, algorithm: proof.algorithm };
        match Key::parse(text, &signer).map(|key| key.verify(&proof.signed, &proof.signature)) {
            Some(Verdict::Pass { .. }) if !proof.body_fits => Verdict::Fail,
            Some(verdict) => verdict,
            None => Verdict::Invalid,
        }
    }

    /// Who signed: the domain of `i=`.
    pub fn signer(&self) -> Option<String> {
        let (_, domain) = self.identity.split_once('@')?;
        let end = domain.find(is_blank).unwrap_or(domain.len());
        (end > 0).then(|| domain[..end].to_ascii_lowercase())
    }
}

/// RFC 6376 §3.5, of `v=`, `q=` and `x=`.
pub(crate) fn asks_dns(tags: &Tags) -> bool {
    let version = tags.get("v").filter(|version| !version.is_empty() && *version != "0");
    let known = version.is_none_or(|version| matches!(version, "1" | "0.5"));
    let method = |method: &str| method == "dns/txt" || (method == "dns" && version.is_none());
    known && tags.get("q").unwrap_or("dns/txt").split(':').any(method)
}

/// RFC 6376 §3.5, of `i=`: it is in the domain that signs.
fn has_good_identity(signature: &Signature) -> bool {
    let Some((_, of)) = signature.identity.rsplit_once('@') else { return false };
    let of = of.to_ascii_lowercase();
    of.strip_suffix(signature.domain.as_str()).is_some_and(|below| below.is_empty() || below.ends_with('.'))
}

pub(crate) fn prove_message(
    parts: &Parts<'_>,
    message: &Message<'_>,
    bodies: &mut Bodies<'_>,
) -> Option<Proof> {
    let tags = &parts.tags;
    let algorithm = Algorithm::parse(tags.get("a")?)?;
    let methods = tags.get("c").unwrap_or_default().to_ascii_lowercase();
    let methods = if methods.is_empty() { "simple/simple" } else { &methods };
    let (head, body) = methods.split_once('/').unwrap_or((methods, "simple"));
    let (head, body) = (Method::parse(head)?, Method::parse(body)?);
    let mut signed = Vec::new();
    for field in chosen(message, tags.get("h").unwrap_or_default()) {
        signed.extend_from_slice(&head.field(field));
        signed.extend_from_slice(b"\r\n");
    }
    signed.extend_from_slice(&head.field(&parts.unsigned()));
    // As in Mail::DKIM a limit of nothing is none.
    let limit = tags
        .get("l")
        .map(leading_number)
        .and_then(|limit| usize::try_from(limit).ok())
        .filter(|limit| *limit > 0);
    let body_fits = match tags.packed("bh").filter(|hash| !hash.is_empty()) {
        Some(hash) => bodies.digest(body, limit, algorithm) == decode_base64(&hash),
        None => true,
    };
    Some(Proof { algorithm, signed, body_fits, signature: decode_base64(&tags.packed("b")?) })
}

/// RFC 6376 §5.4.2: the fields that are signed; where one name stands several times the lowest comes first.
fn chosen<'m>(message: &'m Message<'_>, names: &str) -> Vec<&'m [u8]> {
    let mut fields: HashMap<Vec<u8>, Vec<&[u8]>> = HashMap::new();
    for field in message.fields() {
        if let Some(name) = name_of(field) {
            fields.entry(name).or_default().push(field);
        }
    }
    let names = names.split(':').map(|name| name.trim_matches(is_blank).to_ascii_lowercase());
    names.filter_map(|name| fields.get_mut(name.as_bytes()).and_then(Vec::pop)).collect()
}

/// The body's digests: many signatures may want the same.
pub(crate) struct Bodies<'a> {
    body: &'a [u8],
    canonical: [Option<Vec<u8>>; 2],
}

impl<'a> Bodies<'a> {
    pub(crate) fn new(message: &'a Message<'_>) -> Self {
        Self { body: message.body(), canonical: [None, None] }
    }

    fn digest(&mut self, method: Method, limit: Option<usize>, algorithm: Algorithm) -> Vec<u8> {
        let place = &mut self.canonical[usize::from(method == Method::Relaxed)];
        let text = place.get_or_insert_with(|| method.body(self.body));
        let end = limit.map_or(text.len(), |limit| limit.min(text.len()));
        ring::digest::digest(algorithm.digest(), &text[..end]).as_ref().to_vec()
    }
}

/// RFC 6376 §2.11: `=41` is `A`.
fn unquoted(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('=') {
        plain.push_str(before);
        let code = behind.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        plain.push(code.map_or('=', char::from));
        rest = if code.is_some() { &behind[2..] } else { behind };
    }
    plain + rest
}

/// What a number begins with; 0 when it does not.
fn leading_number(text: &str) -> i64 {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 { 0 } else { text[..digits].parse().unwrap_or(i64::MAX) }
}

#[cfg(test)]
mod tests;
