//! What the server can do (RFC 3501 §7.2.1), and what a client can enable (RFC 5161).

/// A capability as it is announced: one atom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capability(String);

impl Capability {
    /// `None` where the text is no atom.
    pub fn new(text: &str) -> Option<Self> {
        let fits = !text.is_empty() && text.bytes().all(|byte| super::is_astring(byte) && byte != b']');
        fits.then(|| Self(text.to_owned()))
    }

    /// As it stands in responses.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An extension that acts only when it is enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Feature {
    /// `CONDSTORE` (RFC 7162 §3.1)
    CondStore,
    /// `QRESYNC` (RFC 7162 §3.2)
    QResync,
    /// `UTF8=ACCEPT` (RFC 6855)
    Utf8Accept,
    /// `IMAP4rev2` (RFC 9051)
    Imap4Rev2,
}

impl Feature {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::CondStore => "CONDSTORE",
            Self::QResync => "QRESYNC",
            Self::Utf8Accept => "UTF8=ACCEPT",
            Self::Imap4Rev2 => "IMAP4rev2",
        }
    }

    /// The feature of that name; what is unknown is not enabled (RFC 5161 §3.1).
    pub fn parse(name: &[u8]) -> Option<Self> {
        [Self::CondStore, Self::QResync, Self::Utf8Accept, Self::Imap4Rev2]
            .into_iter()
            .find(|feature| feature.name().as_bytes().eq_ignore_ascii_case(name))
    }
}
