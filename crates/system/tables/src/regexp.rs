//! The engine of regexp: tables: the C library's POSIX expressions.

use crate::patterns::{Engine, Groups};
use sys::posix_regex::{PosixFlags, PosixRegex};

pub(crate) struct Posix;

impl Engine for Posix {
    type Expression = PosixRegex;
    type Letters = PosixFlags;

    const KIND: &'static str = "regexp";
    const IGNORED: &'static str = "skipping";
    const BACKSLASH_CLOSES: bool = true;
    const OUT_OF_RANGE: &'static str = "out-of-range";
    const SECOND_PATTERN: bool = true;

    fn letters(text: &[u8], _warn: &dyn Fn(&str)) -> Result<PosixFlags, u8> {
        let mut flags = PosixFlags { extended: true, ignore_case: true, newline: false, no_captures: true };
        for letter in text {
            match letter {
                b'i' => flags.ignore_case ^= true,
                b'm' => flags.newline ^= true,
                b'x' => flags.extended ^= true,
                other => return Err(*other),
            }
        }
        Ok(flags)
    }

    fn compile(pattern: &[u8], letters: &PosixFlags, captures: bool) -> Result<PosixRegex, String> {
        PosixRegex::new(pattern, PosixFlags { no_captures: !captures, ..*letters })
    }

    fn groups(expression: &PosixRegex) -> usize {
        expression.groups()
    }

    fn matches(expression: &PosixRegex, subject: &[u8], groups: &mut Groups) -> Result<bool, String> {
        expression.matches(subject, groups)
    }
}
