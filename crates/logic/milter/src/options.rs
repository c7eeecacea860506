//! What server and filter agree on at the start (`SMFIC_OPTNEG`).

/// The newest version that we speak.
const VERSION: u32 = 6;
/// The oldest.
const OLDEST_VERSION: u32 = 2;

/// What the filter may do: add, and change, header fields.
const ADD_HEADERS: u32 = 0x01;
const CHANGE_HEADERS: u32 = 0x10;

/// What the server need not send.
const NO_UNKNOWN: u32 = 0x100;
const NO_DATA: u32 = 0x200;
/// Values of fields come with the blank behind the colon.
const LEADING_SPACE: u32 = 0x10_0000;

/// Steps to which the filter need not reply, by the letter of the command.
const UNANSWERED: [(u8, u32); 8] = [
    (b'L', 0x80),
    (b'C', 0x1000),
    (b'H', 0x2000),
    (b'M', 0x4000),
    (b'R', 0x8000),
    (b'T', 0x1_0000),
    (b'N', 0x4_0000),
    (b'B', 0x8_0000),
];

/// What was agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Agreed {
    version: u32,
    actions: u32,
    steps: u32,
}

impl Agreed {
    /// What comes of the server's offer: version, actions, steps, each of four bytes. `None` when nothing can.
    pub(crate) fn on(offer: &[u8]) -> Option<Self> {
        let number = |at: usize| offer.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
        let (version, actions, steps) = (number(0)?, number(4)?, number(8)?);
        let wanted =
            UNANSWERED.iter().fold(NO_UNKNOWN | NO_DATA | LEADING_SPACE, |all, (_, step)| all | step);
        (version >= OLDEST_VERSION).then_some(Self {
            version: version.min(VERSION),
            actions: actions & (ADD_HEADERS | CHANGE_HEADERS),
            steps: steps & wanted,
        })
    }

    /// The reply.
    pub(crate) fn bytes(self) -> Vec<u8> {
        [self.version, self.actions, self.steps].iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    /// Does the server wait for a reply to this command?
    pub(crate) fn is_answered(self, letter: u8) -> bool {
        !UNANSWERED.iter().any(|(step, flag)| *step == letter && self.steps & flag != 0)
    }

    /// Does the blank behind a field's colon belong to the value?
    pub(crate) fn keeps_space(self) -> bool {
        self.steps & LEADING_SPACE != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_agreed_on_than_was_offered() {
        let offer = |version: u32, actions: u32, steps: u32| {
            [version, actions, steps].iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<_>>()
        };
        let postfix = Agreed::on(&offer(6, 0x1ff, 0x1f_ffff)).unwrap();
        assert_eq!(postfix.bytes(), offer(6, 0x11, 0x1d_f380));
        assert!(!postfix.is_answered(b'L') && postfix.is_answered(b'E') && postfix.keeps_space());
        let old = Agreed::on(&offer(2, 0x3f, 0x7f)).unwrap();
        assert!(old.is_answered(b'L') && !old.keeps_space());
        assert_eq!(Agreed::on(&offer(1, 0, 0)), None);
        assert_eq!(Agreed::on(b"short"), None);
    }
}
