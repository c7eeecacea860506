//! A recipient may come to several mailboxes and messages; each is a part.

use services::couriers::Owner;
use services::delivery::{Expansion, Member, Outcome, Verdict};

use mailbox::Place;

use crate::job::nothing;

/// What becomes of a part of one recipient's mail.
pub(crate) struct Part {
    /// Which recipient of the request.
    pub(crate) recipient: usize,
    /// Which of the recipient's parts: it is the same at the next try, while the aliases are.
    pub(crate) number: usize,
    /// It is the recipient's only part.
    pub(crate) alone: bool,
    /// An alias led here from the recipient.
    pub(crate) expansion: Option<Expansion>,
    /// The address as the log shows it.
    pub(crate) address: String,
    /// Where a courier is going.
    pub(crate) destination: Option<Destination>,
    /// What came of it.
    pub(crate) outcome: Option<Outcome>,
}

/// A user's mailbox.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    pub(crate) owner: Owner,
    pub(crate) user: String,
    pub(crate) place: Place,
    /// For messages.
    pub(crate) full_path: String,
}

impl Part {
    pub(crate) fn new(recipient: usize, address: &str) -> Self {
        let address = address.to_owned();
        Self {
            recipient,
            number: 0,
            alone: false,
            expansion: None,
            address,
            destination: None,
            outcome: None,
        }
    }

    fn member(&self) -> Option<Member> {
        let outcome = self.outcome.as_ref()?;
        Some(Member {
            address: self.address.clone(),
            verdict: outcome.verdict,
            status: outcome.status.clone(),
            text: outcome.text.clone(),
        })
    }
}

/// What the queue manager hears of a recipient: put off if any part is, for then all will be tried again; else
/// returned if any part is; else sent.
pub(crate) fn combine(parts: &[Part], recipient: usize) -> Outcome {
    let own: Vec<&Part> = parts.iter().filter(|part| part.recipient == recipient).collect();
    let outcomes: Vec<&Outcome> = own.iter().filter_map(|part| part.outcome.as_ref()).collect();
    let find = |verdict| outcomes.iter().find(|outcome| outcome.verdict == verdict);
    let worst = [Verdict::Deferred, Verdict::Bounced, Verdict::Sent].into_iter().find_map(find);
    let outcome = worst.map_or_else(nothing, |outcome| (*outcome).clone());
    let expansion = own.iter().find_map(|part| part.expansion);
    let members =
        if expansion.is_some() { own.iter().filter_map(|part| part.member()).collect() } else { Vec::new() };
    Outcome { expansion, members, ..outcome }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_put_off_puts_the_recipient_off() {
        let part = |recipient, verdict, text: &str| Part {
            outcome: Some(Outcome::new(verdict, "x", text, "local")),
            ..Part::new(recipient, "a@b")
        };
        let parts = [
            part(0, Verdict::Sent, "one"),
            part(1, Verdict::Sent, "other"),
            part(0, Verdict::Bounced, "two"),
            part(0, Verdict::Deferred, "three"),
        ];
        assert_eq!(combine(&parts, 0).text, "three");
        assert_eq!(combine(&parts[..3], 0).text, "two");
        assert_eq!(combine(&parts, 1).text, "other");
        assert_eq!(combine(&parts, 2).verdict, Verdict::Sent);
    }

    #[test]
    fn a_recipient_with_a_part_behind_an_alias_is_expanded() {
        let sent = Some(Outcome::new(Verdict::Sent, "2.0.0", "x", "local"));
        let plain = Part { outcome: sent.clone(), ..Part::new(0, "a@b") };
        let behind = Part { outcome: sent, expansion: Some(Expansion::List), ..Part::new(1, "c@d") };
        let parts = [plain, behind];
        assert_eq!(combine(&parts, 0).expansion, None);
        assert_eq!(combine(&parts, 1).expansion, Some(Expansion::List));
        assert_eq!(combine(&parts, 0).members, []);
        assert_eq!(combine(&parts, 1).members[0].address, "c@d");
    }
}
