//! A command on its way in: lines, and the literals between them (RFC 3501 §2.2.1, RFC 7888).

use crate::parse::{LiteralMark, Refusal, literal_mark};
use crate::session::input::{Input, Line};

/// The command so far.
#[derive(Debug, Default)]
pub(crate) struct Gather {
    text: Vec<u8>,
    literal_left: usize,
    skipping: Skipping,
}

/// What of a command that is refused is still to come.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
enum Skipping {
    #[default]
    No,
    /// The rest of a line.
    Line(Refusal),
    /// A literal that the client sends without being told to, and the line behind it.
    Literal(u64, Refusal),
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// More is needed.
    Wait,
    /// Tell the client to send the literal.
    GoOn,
    /// A whole command.
    Whole(Vec<u8>),
    /// A line that ends where a literal begins; only where the caller wanted to see those. The mark stands at its end.
    AtLiteral(Vec<u8>),
    /// It can not be taken: what there is of it, and why.
    Refused(Vec<u8>, Refusal),
}

impl Gather {
    /// Has no command begun?
    pub(crate) fn is_at_rest(&self) -> bool {
        self.text.is_empty() && self.literal_left == 0 && self.skipping == Skipping::No
    }

    /// Goes on with what has come. Where `wanted` says so of the text before a literal, the literal is the caller's.
    pub(crate) fn step(&mut self, input: &mut Input, limit: usize, wanted: &dyn Fn(&[u8]) -> bool) -> Step {
        loop {
            if let Some(step) = self.line(input, limit, wanted) {
                return step;
            }
        }
    }

    /// The rest of a literal and the line behind it; `None` where another literal follows that can be read on at once.
    fn line(&mut self, input: &mut Input, limit: usize, wanted: &dyn Fn(&[u8]) -> bool) -> Option<Step> {
        if self.skipping != Skipping::No {
            return Some(self.skip(input));
        }
        if self.literal_left > 0 {
            let bytes = input.take(self.literal_left as u64);
            self.literal_left -= bytes.len();
            self.text.extend(bytes);
            if self.literal_left > 0 {
                return Some(Step::Wait);
            }
        }
        let line = match input.line(limit.saturating_sub(self.text.len())) {
            Line::Partial => return Some(Step::Wait),
            Line::TooLong => {
                self.skipping = Skipping::Line(Refusal::new("Too long argument"));
                return Some(self.skip(input));
            }
            Line::Whole(line) => line,
        };
        let mark = literal_mark(&line);
        self.text.extend_from_slice(&line);
        match mark {
            None => Some(Step::Whole(std::mem::take(&mut self.text))),
            Some(Err(refusal)) => Some(Step::Refused(std::mem::take(&mut self.text), refusal)),
            Some(Ok(_)) if wanted(&self.text) => Some(Step::AtLiteral(std::mem::take(&mut self.text))),
            Some(Ok(mark)) => self.literal(&mark, limit, input),
        }
    }

    /// `None` where the literal can be read on at once.
    fn literal(&mut self, mark: &LiteralMark, limit: usize, input: &mut Input) -> Option<Step> {
        let room = limit.saturating_sub(self.text.len() + 2);
        if let Some(bytes) = usize::try_from(mark.bytes).ok().filter(|bytes| *bytes <= room) {
            self.text.extend_from_slice(b"\r\n");
            self.literal_left = bytes;
            return mark.waits.then_some(Step::GoOn);
        }
        let refusal = Refusal::new("Literal size is too large");
        if mark.waits {
            return Some(Step::Refused(std::mem::take(&mut self.text), refusal));
        }
        self.skipping = Skipping::Literal(mark.bytes, refusal);
        Some(self.skip(input))
    }

    fn skip(&mut self, input: &mut Input) -> Step {
        loop {
            match std::mem::take(&mut self.skipping) {
                Skipping::No => return Step::Wait,
                Skipping::Line(refusal) => {
                    if !input.skip_line() {
                        self.skipping = Skipping::Line(refusal);
                        return Step::Wait;
                    }
                    return Step::Refused(std::mem::take(&mut self.text), refusal);
                }
                Skipping::Literal(left, refusal) => {
                    let left = left - input.take(left).len() as u64;
                    if left > 0 {
                        self.skipping = Skipping::Literal(left, refusal);
                        return Step::Wait;
                    }
                    self.skipping = Skipping::Line(refusal);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn steps(bytes: &[u8], limit: usize) -> Vec<Step> {
        let (mut gather, mut input, mut steps) = (Gather::default(), Input::default(), Vec::new());
        input.push(bytes);
        loop {
            match gather.step(&mut input, limit, &|_| false) {
                Step::Wait => return steps,
                step => steps.push(step),
            }
        }
    }

    #[test]
    fn literals_belong_to_their_command() {
        assert_eq!(
            steps(b"a LOGIN {4}\r\nnope {3+}\r\nbad\r\nb NOOP\r\n", 100),
            [
                Step::GoOn,
                Step::Whole(b"a LOGIN {4}\r\nnope {3+}\r\nbad".to_vec()),
                Step::Whole(b"b NOOP".to_vec()),
            ]
        );
    }

    #[test]
    fn as_many_literals_as_fit_are_read_on_the_same_stack() {
        let text = [b"a ID ".as_slice(), &b"{0+}\r\n".repeat(50_000), b"\r\n"].concat();
        let length = text.len() - 2;
        assert_eq!(steps(&text, 1 << 20), [Step::Whole(text[..length].to_vec())]);
    }

    #[test]
    fn what_is_too_large_is_passed_over() {
        let refused =
            steps(b"a LOGIN {50+}\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx y\r\nb NOOP\r\n", 30);
        assert!(matches!(refused.as_slice(), [Step::Refused(..), Step::Whole(_)]));
        assert!(matches!(steps(b"a LOGIN {4294967295}\r\n", 30).as_slice(), [Step::Refused(..)]));
        assert!(matches!(
            steps(&[b"a ".as_slice(), &[b'('; 100], b"\r\n"].concat(), 30).as_slice(),
            [Step::Refused(..)]
        ));
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(text in prop::collection::vec(prop::sample::select(b"a {4+}\r\n1".to_vec()), 0..60), cut in 0_usize..60) {
            let cut = cut.min(text.len());
            let (mut gather, mut input, mut seen) = (Gather::default(), Input::default(), Vec::new());
            for piece in [&text[..cut], &text[cut..]] {
                input.push(piece);
                loop {
                    match gather.step(&mut input, 30, &|_| false) {
                        Step::Wait => break,
                        step => seen.push(step),
                    }
                }
            }
            let whole = steps(&text, 30);
            let kinds = |steps: &[Step]| steps.iter().filter(|step| matches!(step, Step::Whole(_))).cloned_whole();
            prop_assert_eq!(kinds(&seen), kinds(&whole));
        }
    }

    trait ClonedWhole {
        fn cloned_whole(self) -> Vec<Vec<u8>>;
    }

    impl<'a, I: Iterator<Item = &'a Step>> ClonedWhole for I {
        fn cloned_whole(self) -> Vec<Vec<u8>> {
            self.filter_map(|step| if let Step::Whole(text) = step { Some(text.clone()) } else { None })
                .collect()
        }
    }
}
