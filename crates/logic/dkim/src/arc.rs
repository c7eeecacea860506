//! ARC (RFC 8617): hosts on the way that sealed what they saw.

use crate::canonical::Method;
use crate::key::Algorithm;
use crate::message::{Message, name_of};
use crate::signature::{Bodies, Parts, Proof, Signature, asks_dns, prove_message};
use crate::{SIGNATURE_LIMIT, decode_base64};

/// RFC 8617 §4.2.1 says 50; Mail::DKIM takes more.
const INSTANCE_LIMIT: u32 = 1024;

/// The seals and signatures of a message's chain. Where the chain is not one, there is nothing to verify in them.
pub fn seals(message: &Message<'_>) -> Vec<Signature> {
    let mut bodies = Bodies::new(message);
    let mut found = Vec::new();
    let mut seen: Vec<(bool, u32)> = Vec::new();
    let mut whole = has_single_results(message);
    for field in message.fields() {
        let is_seal = match name_of(field).as_deref() {
            Some(b"arc-seal") => true,
            Some(b"arc-message-signature") => false,
            _ => continue,
        };
        let Some(parts) = Parts::of(field) else { continue };
        if found.len() >= SIGNATURE_LIMIT {
            break;
        }
        let mut signature = parts.signature();
        signature.proof =
            if is_seal { prove_seal(&parts, message) } else { prove_signature(&parts, message, &mut bodies) };
        let instance = instance(&parts);
        let named = parts.tags.names().all(|name| name.contains(|char: char| char.is_ascii_alphabetic()));
        let good = named && !parts.tags.is_odd(&parts.text());
        let first = instance.is_some_and(|instance| !seen.contains(&(is_seal, instance)));
        seen.extend(instance.map(|instance| (is_seal, instance)));
        found.push(signature);
        // The original looks no further when one is wrong, and verifies none.
        whole &= good && first;
        if !whole {
            break;
        }
    }
    if !whole {
        found.iter_mut().for_each(|signature| signature.proof = None);
    }
    found
}

fn instance(parts: &Parts<'_>) -> Option<u32> {
    let text = parts.tags.get("i")?;
    let number: u32 = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())??;
    (1..=INSTANCE_LIMIT).contains(&number).then_some(number)
}

/// RFC 8617 §5.2: each instance has one set of results.
fn has_single_results(message: &Message<'_>) -> bool {
    let mut seen = Vec::new();
    for field in message.fields() {
        if name_of(field).is_some_and(|name| name == b"arc-authentication-results")
            && let Some(instance) = results_instance(field)
        {
            if seen.contains(&instance) {
                return false;
            }
            seen.push(instance);
        }
    }
    true
}

/// `ARC-Authentication-Results: i=1; ...`
fn results_instance(field: &[u8]) -> Option<u32> {
    let colon = field.iter().position(|byte| *byte == b':')?;
    let text = String::from_utf8_lossy(&field[colon + 1..]).into_owned();
    let first = text.split(';').find_map(|piece| piece.trim().strip_prefix("i=").map(str::to_owned))?;
    let digits = first.bytes().take_while(u8::is_ascii_digit).count();
    first[..digits].parse().ok()
}

fn prove_signature(parts: &Parts<'_>, message: &Message<'_>, bodies: &mut Bodies<'_>) -> Option<Proof> {
    let tags = &parts.tags;
    let has = |name: &str| tags.get(name).is_some_and(|value| !value.is_empty());
    let covers_seal = tags.get("h").is_some_and(|names| names.to_ascii_lowercase().contains("arc-seal"));
    let usable =
        has("d") && tags.get("s").is_some() && has("b") && has("bh") && !covers_seal && asks_dns(tags);
    if usable { prove_message(parts, message, bodies) } else { None }
}

/// RFC 8617 §5.1.1: a seal is about all sets up to its own.
fn prove_seal(parts: &Parts<'_>, message: &Message<'_>) -> Option<Proof> {
    let tags = &parts.tags;
    let has = |name: &str| tags.get(name).is_some_and(|value| !value.is_empty());
    let own = instance(parts)?;
    if !(has("d") && has("b") && tags.get("s").is_some() && asks_dns(tags)) {
        return None;
    }
    let algorithm = Algorithm::parse(tags.get("a")?)?;
    let mut signed = Vec::new();
    let set = [&b"arc-authentication-results"[..], b"arc-message-signature", b"arc-seal"];
    for number in 1..=own.min(SIGNATURE_LIMIT as u32) {
        for name in &set[..if number < own { 3 } else { 2 }] {
            let of_set = |field: &&[u8]| {
                name_of(field).is_some_and(|found| found == *name) && results_instance(field) == Some(number)
            };
            if let Some(field) = message.fields().find(of_set) {
                signed.extend_from_slice(&Method::Relaxed.field(field));
                signed.extend_from_slice(b"\r\n");
            }
        }
    }
    signed.extend_from_slice(&Method::Relaxed.field(&parts.unsigned()));
    Some(Proof { algorithm, signed, body_fits: true, signature: decode_base64(&tags.packed("b")?) })
}
