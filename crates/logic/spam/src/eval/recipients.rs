//! Lists of recipients that a program made: sorted, or alike.

use super::{Context, Found, Function, number};

pub(super) fn function(name: &str) -> Option<Function> {
    match name {
        "sorted_recipients" => Some(|context, _| found(context).sorted.into()),
        "similar_recipients" => Some(similar),
        _ => None,
    }
}

/// So many are needed before sorting says something.
const SORTED_COUNT: usize = 7;
/// So many are needed before likeness says something.
const SIMILAR_COUNT: usize = 5;
/// So many letters are compared.
const SIMILAR_LENGTH: usize = 2;
/// More are not looked at.
const LIMIT: usize = 256;

/// What was found.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Recipients {
    sorted: bool,
    similar: f64,
}

fn similar(context: &Context<'_>, arguments: &[String]) -> Found {
    let similar = found(context).similar;
    let least = number(arguments, 0).is_none_or(|least| similar >= least);
    (least && number(arguments, 1).is_none_or(|most| similar < most)).into()
}

fn found(context: &Context<'_>) -> Recipients {
    *context.recipients.get_or_init(|| {
        let addresses = addresses(context);
        let mut sorted = addresses.clone();
        sorted.sort();
        Recipients {
            sorted: addresses.len() >= SORTED_COUNT && addresses == sorted,
            similar: likeness(&addresses),
        }
    })
}

fn addresses(context: &Context<'_>) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for request in ["ToCc:addr", "Bcc:addr"] {
        all.extend(context.mail.get(request).iter().cloned());
        if all.len() >= SIMILAR_COUNT {
            break;
        }
    }
    let mut addresses: Vec<Vec<u8>> = Vec::new();
    for address in all {
        let repeated =
            addresses.last().map_or(address.is_empty(), |last| last.eq_ignore_ascii_case(&address));
        if !repeated {
            addresses.push(address);
        }
        if addresses.len() == LIMIT {
            break;
        }
    }
    addresses
}

fn likeness(addresses: &[Vec<u8>]) -> f64 {
    if addresses.len() < SIMILAR_COUNT {
        return 0.0;
    }
    let begin = |text: &[u8]| text[..text.len().min(SIMILAR_LENGTH)].to_vec();
    let users: Vec<_> = addresses.iter().map(|address| begin(address)).collect();
    let hosts: Vec<Vec<u8>> = addresses
        .iter()
        .filter_map(|address| {
            address.iter().position(|byte| *byte == b'@').map(|at| address[at + 1..].to_vec())
        })
        .collect();
    let (mut hits, mut pairs) = (0_u32, 0_u32);
    for one in 0..addresses.len() {
        for other in one + 1..addresses.len() {
            hits += u32::from(users[one] == users[other]);
            let both = hosts.get(one).zip(hosts.get(other));
            hits += u32::from(both.is_some_and(|(one, other)| begin(one) == begin(other) && one != other));
            pairs += 1;
        }
    }
    f64::from(hits) / f64::from(pairs)
}
