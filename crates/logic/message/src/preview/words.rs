//! Words as they come, those of quotations apart.

use super::LIMIT;

/// What was said so far, and where in a line the text is.
#[derive(Default)]
pub(super) struct Words {
    own: Said,
    quoted: Said,
    line: Line,
}

/// What kind of line it is.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// The next character says it.
    #[default]
    Begin,
    Own,
    Quoted,
}

/// Words with a blank between them.
#[derive(Default)]
struct Said {
    text: String,
    letters: usize,
    /// A blank comes before the next letter.
    blank: bool,
}

impl Words {
    pub(super) fn text(&mut self, text: &str) {
        for letter in text.chars() {
            if self.is_full() {
                return;
            }
            self.letter(letter);
        }
    }

    /// Nothing that comes will change the preview.
    pub(super) fn is_full(&self) -> bool {
        self.own.letters >= LIMIT
    }

    pub(super) fn letter(&mut self, letter: char) {
        if self.line == Line::Begin && letter == '>' {
            self.line = Line::Quoted;
            return;
        }
        match self.line {
            Line::Quoted => self.quoted.push(letter, LIMIT - 1),
            Line::Begin | Line::Own => self.own.push(letter, LIMIT),
        }
        match letter {
            '\n' => self.line = Line::Begin,
            _ if self.line == Line::Begin => self.line = Line::Own,
            _ => {}
        }
    }

    /// A tag parts words, and is no part of a line.
    pub(super) fn part(&mut self) {
        self.own.blank = true;
        self.quoted.blank = true;
    }

    /// What comes is a quotation up to the end of the line.
    pub(super) fn quote(&mut self) {
        self.line = Line::Quoted;
    }

    /// What comes stands as at the begin of a line.
    pub(super) fn begin_line(&mut self) {
        self.line = Line::Begin;
    }

    pub(super) fn finish(self) -> String {
        match (self.own.text.is_empty(), self.quoted.text.is_empty()) {
            (true, false) => [">", &self.quoted.text].concat(),
            _ => self.own.text,
        }
    }
}

impl Said {
    fn push(&mut self, letter: char, limit: usize) {
        // U+FEFF is a mark of byte order, wherever it stands.
        if matches!(letter, '\0' | '\u{feff}') {
            return;
        }
        if letter.is_ascii_whitespace() || letter == '\x0b' {
            self.blank = true;
            return;
        }
        let blank = self.blank && self.letters > 0;
        if self.letters + usize::from(blank) >= limit {
            // No shorter word may come behind one that does not fit.
            self.letters = limit;
            return;
        }
        if blank {
            self.text.push(' ');
        }
        self.text.push(letter);
        self.letters += 1 + usize::from(blank);
        self.blank = false;
    }
}
