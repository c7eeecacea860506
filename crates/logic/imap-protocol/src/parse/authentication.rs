//! Commands before and around the log-in (RFC 3501 §9, RFC 2971, RFC 4959, RFC 4978, RFC 5161).

use crate::parse::{Cursor, Parsed, Refusal};
use crate::types::{Command, Feature, Mechanism};

/// Pairs of ID (RFC 2971 §3.3).
const ID_PAIRS_LIMIT: usize = 30;

impl Cursor<'_> {
    /// login = "LOGIN" SP userid SP password
    pub(crate) fn login(&mut self) -> Parsed<Command> {
        self.space()?;
        let user = self.astring()?;
        self.space()?;
        let password = self.astring()?;
        self.end()?;
        Ok(Command::Login { user, password })
    }

    /// authenticate = "AUTHENTICATE" SP auth-type [SP (base64 / "=")]
    pub(crate) fn authenticate(&mut self) -> Parsed<Command> {
        self.space()?;
        let name = self.word()?;
        let mut initial = None;
        if !self.is_done() {
            self.space()?;
            initial = Some(self.atom()?.to_vec());
        }
        self.end()?;
        Ok(Command::Authenticate(Mechanism { name, initial }))
    }

    /// id = "ID" SP ("(" [string SP nstring *(SP string SP nstring)] ")" / nil)
    ///
    /// A client that says it badly, or nothing, is answered all the same, as Dovecot does.
    pub(crate) fn id(&mut self) -> Parsed<Command> {
        Ok(self.id_pairs().unwrap_or_else(|_| Command::Id(Vec::new())))
    }

    fn id_pairs(&mut self) -> Parsed<Command> {
        let mut pairs = Vec::new();
        self.space()?;
        if self.keyword("NIL") {
            self.end()?;
            return Ok(Command::Id(pairs));
        }
        self.list(|cursor| {
            let name = cursor.string()?;
            cursor.space()?;
            pairs.push((name, cursor.nstring()?));
            if pairs.len() > ID_PAIRS_LIMIT { Err(Refusal::new("Too many ID fields")) } else { Ok(()) }
        })?;
        self.end()?;
        Ok(Command::Id(pairs))
    }

    /// compress = "COMPRESS" SP algorithm; algorithm = "DEFLATE" (RFC 4978 §5)
    pub(crate) fn compress(&mut self) -> Parsed<Command> {
        self.space()?;
        let algorithm = self.word()?;
        self.end()?;
        if algorithm == "DEFLATE" {
            Ok(Command::Compress)
        } else {
            Err(Refusal::new("Unknown compression mechanism"))
        }
    }

    /// enable = "ENABLE" 1*(SP capability)
    pub(crate) fn enable(&mut self) -> Parsed<Command> {
        let mut features = Vec::new();
        while self.take(b' ') {
            if self.is_done() {
                break;
            }
            if let Some(feature) = Feature::parse(self.atom()?) {
                features.push(feature);
            }
        }
        self.end()?;
        Ok(Command::Enable(features))
    }
}
