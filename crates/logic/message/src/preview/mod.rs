//! The first words of a text (RFC 8970), as Dovecot 2.3 shows them: of HTML what stands between the tags, and no quotations
//! where there is other text.

mod html;
mod words;

use words::Words;

/// Characters of a preview (RFC 8970 §3.1).
pub const LIMIT: usize = 200;

/// Of plain text: lines that begin with `>` are quotations.
pub fn of_plain(text: &str) -> String {
    let mut words = Words::default();
    words.text(text);
    words.finish()
}

/// Of HTML: `blockquote` is a quotation, too.
pub fn of_html(text: &str) -> String {
    let mut words = Words::default();
    html::read(text, &mut words);
    words.finish()
}
