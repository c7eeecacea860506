//! A dialogue whose client says nothing, put away as a few words, and taken up again later, perhaps by another process.

use std::sync::Arc;
use std::time::Duration;

use super::{Asked, INACTIVE, Phase, Question, Session};
use crate::session::settings::SessionSettings;
use crate::types::Reply;
use crate::write::Out;

/// What is left of a dialogue whose client says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The tag of the IDLE that goes on, or of the last command.
    pub tag: String,
    /// UTF8=ACCEPT is enabled.
    pub utf8: bool,
    /// The client idles; else it is between two commands.
    pub idles: bool,
    /// A mailbox is selected.
    pub selected: bool,
}

impl Parked {
    /// What the client hears now and then, so that nobody takes the connection for dead.
    pub fn notice() -> Vec<u8> {
        let mut out = Out::default();
        out.untagged(&Reply::ok("Still here"));
        out.into_bytes()
    }

    /// What a client between two commands hears when it has said nothing for too long.
    pub fn late() -> Vec<u8> {
        Self::farewell(INACTIVE)
    }

    /// What the client hears when the service ends.
    pub fn farewell(text: &str) -> Vec<u8> {
        let mut out = Out::default();
        out.bye(text);
        out.into_bytes()
    }
}

impl Session {
    /// Does the client idle, or say nothing between two commands, with nothing on the way to it or from it, and no state but what
    /// [`Parked`] keeps?
    pub fn can_park(&self) -> bool {
        matches!(self.phase, Phase::Idle | Phase::Commands)
            && self.gather.is_at_rest()
            && self.asked == Asked::Nothing
            && self.questions.is_empty()
            && self.out.is_empty()
            && self.input.is_empty()
            && self.compression.is_none()
            && !(self.news || self.hears || self.gone)
    }

    /// How long a client that has said nothing for so long may do so before it hears something: that the server is there, again and
    /// again, if it idles, else that it has to go.
    pub fn patience_with_silence(&self, silent: Duration) -> Duration {
        let settings = &self.settings;
        if self.is_idle() { settings.idle_notice } else { settings.timeout.saturating_sub(silent) }
    }

    /// What would be left of it.
    pub fn parked(&self) -> Parked {
        Parked { tag: self.tag.clone(), utf8: self.utf8, idles: self.is_idle(), selected: self.selected }
    }

    /// Has the client said anything since this was asked last?
    pub fn take_heard(&mut self) -> bool {
        std::mem::take(&mut self.heard)
    }

    /// Ends the dialogue here; the machine asks for nothing more but that the connection goes into other hands. To be called only
    /// when it [`Session::can_park`].
    pub fn park(&mut self) {
        self.phase = Phase::Parked;
    }

    /// The dialogue goes on. First it asks for the mailbox ([`Question::Resume`]); if the client idles, then for what is new in it.
    pub fn resumed(settings: Arc<SessionSettings>, parked: Parked) -> Self {
        let mut session = Self::silent(settings);
        session.tag = parked.tag;
        session.utf8 = parked.utf8;
        session.out.set_utf8(parked.utf8);
        session.selected = parked.selected;
        session.heard = false;
        if parked.idles {
            session.phase = Phase::Idle;
            session.news = true;
        }
        if parked.selected {
            session.ask(Question::Resume, Asked::Resume);
        }
        session
    }
}

#[cfg(test)]
mod tests {
    use machine::{Machine, Output};

    use super::*;
    use crate::session::Answer;

    fn settings() -> Arc<SessionSettings> {
        Arc::new(SessionSettings {
            capabilities: Vec::new(),
            timeout: Duration::from_secs(1800),
            idle_notice: Duration::from_secs(120),
            progress_notice: Duration::from_secs(15),
            command_limit_bytes: 1000,
            bad_command_limit: 3,
            id: Vec::new(),
        })
    }

    fn text(output: &Output<Question>) -> &str {
        let Output::Write(bytes) = output else { panic!("{output:?}") };
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_dialogue_goes_on_behind_its_idle() {
        let parked = Parked { tag: "a7".to_owned(), utf8: true, idles: true, selected: true };
        let mut session = Session::resumed(settings(), parked.clone());
        assert_eq!(session.poll(), Output::Ask(Question::Resume));
        assert!(!session.can_park());
        session.answered(Answer::Changes(b"* 3 EXISTS\r\n".to_vec()));
        assert_eq!(text(&session.poll()), "* 3 EXISTS\r\n");
        assert_eq!(session.poll(), Output::Ask(Question::Changes));
        session.answered(Answer::Changes(b"* 4 EXISTS\r\n".to_vec()));
        assert_eq!(text(&session.poll()), "* 4 EXISTS\r\n");
        assert_eq!(session.poll(), Output::Wait(Duration::from_secs(120)));
        assert!(session.can_park());
        assert!(!session.take_heard());
        session.received(b"DO");
        assert!(session.take_heard() && !session.take_heard());
        assert_eq!(session.poll(), Output::Wait(Duration::from_secs(120)));
        assert!(!session.can_park(), "half a word has come");
        assert_eq!(session.parked(), parked);
        session.received(b"NE\r\n");
        assert_eq!(text(&session.poll()), "a7 OK Idle completed.\r\n");
        assert!(!session.can_park(), "the watch has to end");
    }

    #[test]
    fn a_dialogue_goes_on_between_two_commands() {
        let parked = Parked { tag: "a7".to_owned(), utf8: false, idles: false, selected: true };
        let mut session = Session::resumed(settings(), parked.clone());
        assert_eq!(session.poll(), Output::Ask(Question::Resume));
        session.answered(Answer::Proceed);
        assert_eq!(session.poll(), Output::Wait(Duration::from_secs(1800)));
        assert!(session.can_park());
        assert_eq!(session.parked(), parked);
        assert_eq!(session.patience_with_silence(Duration::from_secs(1700)), Duration::from_secs(100));
        for begun in [b"a8 NO".as_slice(), b"OP\r\n"] {
            session.received(begun);
            session.poll();
            assert!(!session.can_park());
        }
        let mut session = Session::resumed(settings(), Parked { selected: false, ..parked });
        assert_eq!(session.poll(), Output::Wait(Duration::from_secs(1800)));
        session.received(b"a8 STATUS {5}\r\n");
        assert_eq!(text(&session.poll()), "+ OK\r\n");
        session.poll();
        assert!(!session.can_park(), "a command has begun");
    }

    #[test]
    fn a_dialogue_that_is_parked_asks_for_other_hands_alone() {
        let mut session = Session::resumed(
            settings(),
            Parked { tag: "a".to_owned(), utf8: false, idles: true, selected: true },
        );
        session.poll();
        session.answered(Answer::Proceed);
        session.poll();
        session.answered(Answer::Changes(Vec::new()));
        session.poll();
        assert!(session.can_park());
        session.park();
        assert_eq!(session.poll(), Output::HandOver);
        assert!(!session.can_park());
    }

    #[test]
    fn what_others_say_for_a_dialogue_is_whole_lines() {
        assert_eq!(Parked::notice(), b"* OK Still here\r\n");
        assert_eq!(Parked::farewell("Gone."), b"* BYE Gone.\r\n");
        assert_eq!(Parked::late(), b"* BYE Disconnected for inactivity.\r\n");
    }
}
