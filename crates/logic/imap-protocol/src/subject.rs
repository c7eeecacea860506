//! The base subject (RFC 5256 §2.1): what is left when "Re:", "Fwd:", list tags and the like are gone.

/// A base subject, and whether it is a reply or forward.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BaseSubject {
    /// What is left.
    pub text: String,
    /// Something said that this is an answer.
    pub is_reply: bool,
}

/// The base of a decoded subject.
pub fn base_subject(subject: &str) -> BaseSubject {
    // (1) blanks are one blank each.
    let mut text = subject.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut is_reply = false;
    loop {
        // (2) trailers
        while let Some(rest) = without_trailer(&text) {
            is_reply |= rest.1;
            text.truncate(rest.0);
        }
        // (3) to (5) leaders and blobs, as long as there are any
        loop {
            let (length, reply) = leader(&text);
            if length > 0 {
                is_reply |= reply;
                text.drain(..length);
                continue;
            }
            match blob(&text) {
                Some(length) if length < text.len() => drop(text.drain(..length)),
                _ => break,
            }
        }
        // (6) [fwd: ... ]
        let fwd =
            text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("[fwd:")) && text.ends_with(']');
        if !fwd {
            return BaseSubject { text: text.trim().to_owned(), is_reply };
        }
        is_reply = true;
        text = text[5..text.len() - 1].trim().to_owned();
    }
}

/// subj-trailer = "(fwd)" / WSP: where the text ends without, and whether it said something.
fn without_trailer(text: &str) -> Option<(usize, bool)> {
    let start = text.len().checked_sub(5).filter(|start| text.is_char_boundary(*start));
    if let Some(start) = start.filter(|start| text[*start..].eq_ignore_ascii_case("(fwd)")) {
        return Some((start, true));
    }
    let trimmed = text.trim_end().len();
    (trimmed < text.len()).then_some((trimmed, false))
}

/// subj-leader = (*subj-blob subj-refwd) / WSP
fn leader(text: &str) -> (usize, bool) {
    let blanks = text.len() - text.trim_start().len();
    if blanks > 0 {
        return (blanks, false);
    }
    let mut at = 0;
    while let Some(length) = blob(&text[at..]) {
        at += length;
    }
    refwd(&text[at..]).map_or((0, false), |length| (at + length, true))
}

/// subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
fn refwd(text: &str) -> Option<usize> {
    let word = ["fwd", "fw", "re"]
        .into_iter()
        .find(|word| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))?;
    let mut at = word.len();
    at += blanks(&text[at..]);
    at += blob(&text[at..]).unwrap_or(0);
    text[at..].starts_with(':').then_some(at + 1)
}

/// subj-blob = "[" *BLOBCHAR "]" *WSP
fn blob(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('[')?;
    let end = inner.find(['[', ']']).filter(|end| inner[*end..].starts_with(']'))?;
    let length = end + 2;
    Some(length + blanks(&text[length..]))
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_subject_goes() {
        for (subject, text, is_reply) in [
            ("Re: hello", "hello", true),
            ("hello", "hello", false),
            ("RE[2]: FWD: Re : [list] hello (fwd) ", "hello", true),
            ("[list] Re: hello", "hello", true),
            ("[list] hello", "hello", false),
            ("[fwd: [x] hello]", "hello", true),
            ("Re: [only]", "[only]", true),
            ("regarding: x", "regarding: x", false),
            ("  a \t b ", "a b", false),
            ("Re:", "", true),
            ("", "", false),
            ("[a][b]", "[b]", false),
        ] {
            assert_eq!(base_subject(subject), BaseSubject { text: text.to_owned(), is_reply }, "{subject:?}");
        }
    }

    proptest! {
        #[test]
        fn a_base_is_its_own_base(subject in "(Re|re|fwd|Fw|:|\\[|\\]|\\(fwd\\)| |a|ä){0,12}") {
            let base = base_subject(&subject).text;
            prop_assert_eq!(base_subject(&base).text, base);
        }
    }
}
