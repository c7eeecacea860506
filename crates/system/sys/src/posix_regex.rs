//! The C library's regular expressions (regex(3)): `regexp:` tables promise POSIX semantics, leftmost-longest
//! with the captures that follow from it, which no Rust engine has.

use std::ffi::{CStr, CString, c_char, c_int};
use std::mem::MaybeUninit;

/// How a pattern is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PosixFlags {
    /// Extended syntax, else basic.
    pub extended: bool,
    /// Upper and lower case are the same.
    pub ignore_case: bool,
    /// `^` and `$` match at every line, `.` matches no newline.
    pub newline: bool,
    /// Captures are not wanted: matching is faster.
    pub no_captures: bool,
}

/// A compiled POSIX regular expression.
pub struct PosixRegex {
    compiled: Box<libc::regex_t>,
    groups: usize,
}

// SAFETY: a regex_t owns its memory and has no tie to the thread that compiled it.
unsafe impl Send for PosixRegex {}

impl PosixRegex {
    /// Compiles `pattern`.
    ///
    /// # Errors
    /// The C library's message, "Unmatched ( or \(".
    pub fn new(pattern: &[u8], flags: PosixFlags) -> Result<Self, String> {
        let Ok(text) = CString::new(pattern) else { return Err("NUL byte in pattern".to_owned()) };
        let mut compiled: Box<MaybeUninit<libc::regex_t>> = Box::new(MaybeUninit::uninit());
        let mut bits = 0;
        for (wanted, bit) in [
            (flags.extended, libc::REG_EXTENDED),
            (flags.ignore_case, libc::REG_ICASE),
            (flags.newline, libc::REG_NEWLINE),
            (flags.no_captures, libc::REG_NOSUB),
        ] {
            bits |= if wanted { bit } else { 0 };
        }
        // SAFETY: regcomp gets a place for a regex_t and a string that ends with NUL.
        let code = unsafe { libc::regcomp(compiled.as_mut_ptr(), text.as_ptr(), bits) };
        if code != 0 {
            return Err(message(code, compiled.as_ptr()));
        }
        let groups = count_groups(pattern, flags.extended);
        // SAFETY: regcomp returned 0, so it has filled the structure in.
        Ok(Self { compiled: unsafe { compiled.assume_init() }, groups })
    }

    /// The number of `( )` groups.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Does `text` match? A NUL in `text` ends it.
    ///
    /// `captures` receives the byte range of group N at index N, group 0 being the whole match; empty if not
    /// wanted.
    ///
    /// # Errors
    /// The C library's message, for lack of memory.
    pub fn matches(&self, text: &[u8], captures: &mut [Option<(usize, usize)>]) -> Result<bool, String> {
        let text = &text[..text.iter().position(|byte| *byte == 0).unwrap_or(text.len())];
        let mut spans = vec![libc::regmatch_t { rm_so: 0, rm_eo: 0 }; captures.len().max(1)];
        let Ok(end) = libc::regoff_t::try_from(text.len()) else { return Err("text too long".to_owned()) };
        spans[0] = libc::regmatch_t { rm_so: 0, rm_eo: end };
        // SAFETY: with REG_STARTEND the text is read from 0 to `end` only, which is its length; `spans` has room for
        // the number of captures asked for, and at least the one that REG_STARTEND reads.
        let code = unsafe {
            libc::regexec(
                &*self.compiled,
                text.as_ptr().cast::<c_char>(),
                captures.len(),
                spans.as_mut_ptr(),
                libc::REG_STARTEND,
            )
        };
        match code {
            0 => {
                for (capture, span) in captures.iter_mut().zip(&spans) {
                    *capture = usize::try_from(span.rm_so).ok().zip(usize::try_from(span.rm_eo).ok());
                }
                Ok(true)
            }
            libc::REG_NOMATCH => Ok(false),
            _ => Err(message(code, &raw const *self.compiled)),
        }
    }
}

impl Drop for PosixRegex {
    fn drop(&mut self) {
        // SAFETY: regcomp filled it in, and nobody uses it after this.
        unsafe { libc::regfree(&mut *self.compiled) }
    }
}

/// The groups of a pattern that has compiled; the libc crate keeps `re_nsub` to itself.
fn count_groups(pattern: &[u8], extended: bool) -> usize {
    let mut groups = 0;
    let mut rest = pattern;
    while let Some((first, after)) = rest.split_first() {
        rest = match (first, after.first()) {
            (b'\\', Some(escaped)) => {
                groups += usize::from(!extended && *escaped == b'(');
                &after[1..]
            }
            (b'[', _) => after_bracket(after),
            (b'(', _) => {
                groups += usize::from(extended);
                after
            }
            _ => after,
        }
    }
    groups
}

/// What follows a bracket expression: `]` is itself when it comes first, and within `[: :]`, `[. .]`, `[= =]`.
fn after_bracket(inside: &[u8]) -> &[u8] {
    let mut rest = inside.strip_prefix(b"^").unwrap_or(inside);
    rest = rest.strip_prefix(b"]").unwrap_or(rest);
    while let Some((first, after)) = rest.split_first() {
        rest = match (first, after.first()) {
            (b']', _) => return after,
            (b'[', Some(kind @ (b':' | b'.' | b'='))) => {
                let close = [*kind, b']'];
                let end = after[1..].windows(2).position(|pair| *pair == close);
                end.map_or(after, |end| &after[end + 3..])
            }
            _ => after,
        }
    }
    rest
}

fn message(code: c_int, compiled: *const libc::regex_t) -> String {
    let mut text: [c_char; 256] = [0; 256];
    // SAFETY: regerror writes at most the given number of bytes, with a NUL at the end.
    unsafe { libc::regerror(code, compiled, text.as_mut_ptr(), text.len()) };
    // SAFETY: the text ends with NUL within the array, which outlives this use.
    unsafe { CStr::from_ptr(text.as_ptr()) }.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTENDED: PosixFlags =
        PosixFlags { extended: true, ignore_case: true, newline: false, no_captures: false };

    #[test]
    fn the_longest_match_wins() {
        let expression = PosixRegex::new(b"(a|ab)", EXTENDED).unwrap();
        let mut captures = [None; 2];
        assert_eq!(expression.matches(b"xABCD", &mut captures), Ok(true));
        assert_eq!(captures, [Some((1, 3)), Some((1, 3))]);
    }

    #[test]
    fn groups_are_counted_outside_brackets_and_escapes() {
        let groups = |pattern: &[u8], extended| {
            PosixRegex::new(pattern, PosixFlags { extended, ..EXTENDED }).unwrap().groups()
        };
        assert_eq!(groups(b"(a)(b(c))", true), 3);
        assert_eq!(groups(br"\((a)[(][]()][^]([:alpha:](]", true), 1);
        assert_eq!(groups(br"(a)\(b\)", false), 1);
    }

    #[test]
    fn a_broken_pattern_says_why() {
        assert_eq!(PosixRegex::new(b"(a", EXTENDED).err().as_deref(), Some("Unmatched ( or \\("));
    }

    #[test]
    fn text_ends_at_its_end_and_at_a_nul() {
        let expression = PosixRegex::new(b"^ab$", EXTENDED).unwrap();
        assert_eq!(expression.matches(&b"abc"[..2], &mut []), Ok(true));
        assert_eq!(expression.matches(b"ab\0c", &mut []), Ok(true));
        assert_eq!(expression.matches(b"abc", &mut []), Ok(false));
    }
}
