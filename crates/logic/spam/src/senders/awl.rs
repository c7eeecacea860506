//! AWL: the mean score of an address, sent from the same network.

use super::Weighed;
use super::key::{Masks, cleaned, pack};
use super::view::View;
use crate::learned::{Change, Memory, Reputation};
use crate::mail::Mail;
use crate::scan::three_decimals;

/// Weighs a message of `points`, whose score so far is `score`.
pub(crate) fn weigh(mail: &Mail<'_>, memory: &dyn Memory, points: f64, score: f64) -> Weighed {
    let settings = mail.settings;
    let from = mail.text("From:addr").to_ascii_lowercase();
    if !settings.awl.active || from.trim_ascii().is_empty() {
        return Weighed::default();
    }
    let points = three_decimals(points);
    let masks = Masks { ipv4: settings.awl.ipv4_mask_len, ipv6: settings.awl.ipv6_mask_len };
    let host = first_host(mail);
    let key = pack(&from, host, &masks);
    let mut view = View::new(memory);
    let known = known(&mut view, &from, host, &key, &masks);
    let mean = (known.count > 0).then(|| known.total / known.count as f64);
    let delta = mean.map(|mean| (mean - points) * settings.awl.factor);
    let mut weighed =
        Weighed { score: delta.filter(|delta| *delta != 0.0).map(three_decimals), ..Weighed::default() };
    if let (Some(mean), Some(delta)) = (mean, delta) {
        weighed.tags = vec![
            ("AWL", format!("{delta:.1}")),
            ("AWLMEAN", format!("{mean:.1}")),
            ("AWLCOUNT", format!("{:.1}", known.count as f64)),
            ("AWLPRESCORE", format!("{score:.1}")),
        ];
    }
    view.add(&key, points);
    weighed.changes = view.changes;
    weighed
}

/// What is known of the sender. An address that somebody named is without a network: it takes the first one it is seen in.
fn known(view: &mut View<'_>, from: &[u8], host: Option<&[u8]>, key: &str, masks: &Masks) -> Reputation {
    let found = view.get(key);
    if found.count > 0 || host.is_none() {
        return found;
    }
    let anywhere = view.get(&pack(from, None, masks));
    if anywhere.count > 0 {
        view.change(Change::ForgetKeys(format!("{}|", cleaned(from))));
        view.change(Change::Score { key: key.to_owned(), more: anywhere });
        return anywhere;
    }
    found
}

/// The first host on the message's way that is not in a private network.
fn first_host<'m>(mail: &'m Mail<'_>) -> Option<&'m [u8]> {
    let hops = mail.relays.trusted.iter().chain(&mail.relays.untrusted).rev();
    hops.filter(|hop| !hop.is_private() && !hop.ip.is_empty()).map(|hop| hop.ip.as_slice()).next()
}
