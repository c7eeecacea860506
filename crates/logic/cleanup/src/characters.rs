//! Sets of bytes as `message_strip_characters` and `message_reject_characters` write them.

/// A set of bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct ByteSet {
    has: [bool; 256],
    empty: bool,
}

impl ByteSet {
    /// Reads characters and C escapes: `\a \b \f \n \r \t \v \\` and up to three octal digits.
    pub fn parse(text: &str) -> Self {
        let mut set = Self { has: [false; 256], empty: true };
        let mut bytes = text.bytes().peekable();
        while let Some(byte) = bytes.next() {
            let member = if byte == b'\\' { escaped(&mut bytes) } else { byte };
            set.has[usize::from(member)] = true;
            set.empty = false;
        }
        set
    }

    /// Is nothing in it?
    pub fn is_empty(&self) -> bool {
        self.empty
    }

    /// Is this byte in it?
    pub fn contains(&self, byte: u8) -> bool {
        self.has[usize::from(byte)]
    }
}

fn escaped(bytes: &mut std::iter::Peekable<std::str::Bytes<'_>>) -> u8 {
    let Some(byte) = bytes.next() else { return b'\\' };
    match byte {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'0'..=b'7' => {
            let mut number = u32::from(byte - b'0');
            for _ in 0..2 {
                let Some(digit) = bytes.next_if(|next| (b'0'..=b'7').contains(next)) else { break };
                number = number * 8 + u32::from(digit - b'0');
            }
            (number & 0xff) as u8
        }
        other => other,
    }
}

impl std::fmt::Debug for ByteSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries((0..=255_u8).filter(|byte| self.contains(*byte))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_name_bytes() {
        let set = ByteSet::parse("\\0x\\177\\n\\\\\\12");
        let members: Vec<u8> = (0..=255).filter(|byte| set.contains(*byte)).collect();
        assert_eq!(members, [0, b'\n', b'\\', b'x', 127]);
        assert!(ByteSet::parse("").is_empty() && !set.is_empty());
    }
}
