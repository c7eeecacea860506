//! BODY and BODYSTRUCTURE (RFC 3501 §7.4.2).

use message::fields::fields;
use message::mime::{Disposition, MediaType, Parameter, languages, token};
use message::structure::{Headers, Inner, Part};

use crate::write::Out;
use crate::write::envelope::one_line;

/// What a part's header says beside its type.
#[derive(Default)]
struct Described {
    id: Option<Vec<u8>>,
    description: Option<Vec<u8>>,
    encoding: Option<Vec<u8>>,
    md5: Option<Vec<u8>>,
    disposition: Option<Disposition>,
    language: Vec<Vec<u8>>,
    location: Option<Vec<u8>>,
}

impl Described {
    /// Reads the header of a part; of a message without any sign of MIME nothing counts, as with Dovecot. Of fields that stand
    /// there twice the first counts, but for two.
    fn read(header: &[u8], role: Role) -> Self {
        let mut described = Self::default();
        let is_mime = |name: &[u8]| {
            name.eq_ignore_ascii_case(b"MIME-Version") || name.eq_ignore_ascii_case(b"Content-Type")
        };
        if role != Role::Child && !fields(header).any(|field| is_mime(field.name)) {
            return described;
        }
        for field in fields(header) {
            let text = || Some(one_line(field.value));
            let first = |known: &mut Option<Vec<u8>>| *known = known.take().or_else(text);
            match field.name.to_ascii_lowercase().as_slice() {
                b"content-id" => first(&mut described.id),
                b"content-description" => first(&mut described.description),
                b"content-transfer-encoding" => {
                    described.encoding = described.encoding.take().or_else(|| token(field.value));
                }
                b"content-md5" => first(&mut described.md5),
                b"content-disposition" => described.disposition = Some(Disposition::parse(field.value)),
                b"content-language" => described.language = languages(field.value),
                b"content-location" => first(&mut described.location),
                _ => {}
            }
        }
        described
    }
}

/// What a part is to what it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The message.
    Whole,
    /// A message in another.
    Message,
    /// One of a multipart.
    Child,
}

impl Out {
    /// The structure of a message, without a name. Depth is bounded, as [`Part`] bounds it.
    pub fn body_structure<H: Headers + ?Sized>(&mut self, headers: &H, part: &Part, extended: bool) {
        self.structure_of(headers, part, extended, Role::Whole);
    }

    fn structure_of<H: Headers + ?Sized>(&mut self, headers: &H, part: &Part, extended: bool, role: Role) {
        self.text("(");
        match &part.inner {
            Inner::Parts(parts) => self.multipart(headers, part, parts, extended),
            _ => self.single(headers, part, extended, role),
        }
        self.text(")");
    }

    /// body-type-mpart
    fn multipart<H: Headers + ?Sized>(&mut self, headers: &H, part: &Part, parts: &[Part], extended: bool) {
        if parts.is_empty() {
            // A multipart has at least one part in the grammar: an empty text stands for it.
            self.text("(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0");
            self.text(if extended { " NIL NIL NIL NIL)" } else { ")" });
        }
        for inner in parts {
            self.structure_of(headers, inner, extended, Role::Child);
        }
        self.text(" ");
        self.string(&part.media.subtype);
        if extended {
            self.text(" ");
            self.parameters(&part.media.parameters);
            self.rest_of_extension(&Described::read(headers.header_of(part), Role::Child));
        }
    }

    /// body-type-1part
    fn single<H: Headers + ?Sized>(&mut self, headers: &H, part: &Part, extended: bool, role: Role) {
        let described = Described::read(headers.header_of(part), role);
        let text = part.media.is_kind("text");
        if role == Role::Whole && is_plain_ascii(&part.media, &described) {
            self.text("\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\"");
        } else {
            self.type_and_description(part, &described);
        }
        self.format(format_args!(" {}", part.body.len()));
        if let Inner::Message(inner) = &part.inner {
            self.text(" ");
            self.envelope_of(headers.header_of(inner));
            self.text(" ");
            self.structure_of(headers, inner, extended, Role::Message);
        }
        if text || matches!(part.inner, Inner::Message(_)) {
            self.format(format_args!(" {}", part.lines));
        }
        if extended {
            self.text(" ");
            self.nstring(described.md5.as_deref());
            self.rest_of_extension(&described);
        }
    }

    /// media-basic SP body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc
    fn type_and_description(&mut self, part: &Part, described: &Described) {
        match part.inner {
            Inner::Message(_) => self.text("\"message\" \"rfc822\""),
            _ => {
                self.string(&part.media.kind);
                self.text(" ");
                self.string(&part.media.subtype);
            }
        }
        self.text(" ");
        if part.media.is_kind("text") && part.media.parameter("charset").is_none() {
            let mut parameters = part.media.parameters.clone();
            parameters.push((b"charset".to_vec(), b"us-ascii".to_vec()));
            self.parameters(&parameters);
        } else {
            self.parameters(&part.media.parameters);
        }
        for string in [&described.id, &described.description] {
            self.text(" ");
            self.nstring(string.as_deref());
        }
        self.text(" ");
        self.string(described.encoding.as_deref().unwrap_or(b"7bit"));
    }

    /// body-fld-dsp SP body-fld-lang SP body-fld-loc
    fn rest_of_extension(&mut self, described: &Described) {
        self.text(" ");
        match &described.disposition {
            None => self.text("NIL"),
            Some(disposition) => {
                self.text("(");
                self.string(&disposition.kind);
                self.text(" ");
                self.parameters(&disposition.parameters);
                self.text(")");
            }
        }
        self.text(" ");
        if described.language.is_empty() {
            self.text("NIL");
        } else {
            for (place, language) in described.language.iter().enumerate() {
                self.text(if place == 0 { "(" } else { " " });
                self.string(language);
            }
            self.text(")");
        }
        self.text(" ");
        self.nstring(described.location.as_deref());
    }

    fn parameters(&mut self, parameters: &[Parameter]) {
        if parameters.is_empty() {
            return self.text("NIL");
        }
        for (place, (name, value)) in parameters.iter().enumerate() {
            self.text(if place == 0 { "(" } else { " " });
            self.string(name);
            self.text(" ");
            self.string(value);
        }
        self.text(")");
    }
}

/// Is it the plain text that a message without MIME is? Such a one Dovecot shows in one spelling, whatever stands there.
fn is_plain_ascii(media: &MediaType, described: &Described) -> bool {
    let charset = match media.parameters.as_slice() {
        [] => true,
        [(name, value)] => name.eq_ignore_ascii_case(b"charset") && value.eq_ignore_ascii_case(b"us-ascii"),
        _ => false,
    };
    let seven_bit = described.encoding.as_ref().is_none_or(|encoding| encoding.eq_ignore_ascii_case(b"7bit"));
    let Described { id, description, encoding: _, md5, disposition, language, location } = described;
    let texts = [id, description, md5, location];
    media.is("text", "plain")
        && charset
        && seven_bit
        && texts.iter().all(|text| text.is_none())
        && disposition.is_none()
        && language.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn structure(message: &str) -> String {
        let message = message.replace('\n', "\r\n");
        let mut out = Out::default();
        out.body_structure(message.as_bytes(), &Part::read(message.as_bytes()), true);
        String::from_utf8_lossy(&out.into_bytes()).into_owned()
    }

    const EMPTY: &str =
        "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0 NIL NIL NIL NIL)";

    #[test]
    fn structures_are_as_dovecot_makes_them() {
        let text = EMPTY.replace("0 0", "6 1");
        assert_eq!(structure("A: b\n\nbody\n"), text);
        assert_eq!(structure("Content-Type: TEXT/Plain; CharSet=US-ASCII\n\nbody\n"), text);
        assert_eq!(
            structure("Content-Type: TEXT/X; CharSet=US-ASCII\n\nbody\n"),
            text.replace(
                "\"text\" \"plain\" (\"charset\" \"us-ascii\")",
                "\"TEXT\" \"X\" (\"CharSet\" \"US-ASCII\")"
            )
        );
        assert_eq!(
            structure("Content-Type: multipart/mixed\n\nx"),
            format!("({EMPTY} \"mixed\" NIL NIL NIL NIL)")
        );
        assert_eq!(
            structure("Content-Type: message/rfc822\n\nSubject: in\n\nbody\n"),
            format!(
                "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 21 (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) {text} 3 \
                 NIL NIL NIL NIL)"
            )
        );
        assert_eq!(
            structure(
                "Content-Type: image/png; name=x\nContent-Disposition: attachment; filename=\"a b\"\n\n"
            ),
            "(\"image\" \"png\" (\"name\" \"x\") NIL NIL \"7bit\" 0 NIL (\"attachment\" (\"filename\" \"a b\")) NIL NIL)"
        );
    }
}
