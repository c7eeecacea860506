//! Match lists: `mynetworks`, `mydestination` and their like. Patterns are tried in order, the first that matches
//! decides; `!` before it turns it into a "no".

use crate::name::split_list;
use crate::network::{Network, NetworkError, parse_address};
use crate::open::OpenTable;
use crate::sight::Sight;
use crate::trouble::Trouble;
use crate::watched::Watched;
use lookup::Subject;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

/// `/file` within a file within a file ...
const FILE_DEPTH_LIMIT: usize = 20;

/// A list, read once.
pub(crate) struct MatchList {
    patterns: Vec<Element>,
    /// The files that it was read from.
    pub(crate) files: Vec<Watched>,
}

struct Element {
    /// No `!`, or an even number of them.
    positive: bool,
    pattern: Pattern,
}

enum Pattern {
    Table(Arc<OpenTable>),
    /// A name, a word, or an address in some spelling. What it means depends on the subject.
    Text {
        text: String,
        network: Result<Network, NetworkError>,
    },
}

/// Finds the table of this name for a list.
pub(crate) type OpenFn<'a> = dyn Fn(&str) -> Arc<OpenTable> + 'a;

impl MatchList {
    /// Reads `list`, and the files that it names.
    pub(crate) fn parse(list: &str, open: &OpenFn<'_>) -> Result<Self, Trouble> {
        let mut parsed = Self { patterns: Vec::new(), files: Vec::new() };
        parsed.add_list(list, true, open, 0)?;
        Ok(parsed)
    }

    fn add_list(
        &mut self,
        list: &str,
        positive: bool,
        open: &OpenFn<'_>,
        depth: usize,
    ) -> Result<(), Trouble> {
        for element in split_list(list) {
            let pattern = element.trim_start_matches('!');
            let marks = element.len() - pattern.len();
            let positive = positive == (marks % 2 == 0);
            if pattern.starts_with('/') {
                self.add_file(Path::new(pattern), positive, open, depth + 1)?;
            } else {
                self.patterns.push(Element { positive, pattern: Pattern::parse(pattern, open) });
            }
        }
        Ok(())
    }

    fn add_file(
        &mut self,
        path: &Path,
        positive: bool,
        open: &OpenFn<'_>,
        depth: usize,
    ) -> Result<(), Trouble> {
        let open_error = |source| Trouble::Open { path: path.to_owned(), source };
        if depth > FILE_DEPTH_LIMIT {
            return Err(Trouble::IncludeLoop(path.to_owned()));
        }
        let watched = Watched::open(path).map_err(open_error)?;
        let text = std::io::read_to_string(watched.file()).map_err(open_error)?;
        self.files.push(watched);
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            self.add_list(line, positive, open, depth)?;
        }
        Ok(())
    }

    /// Does the list have `subject`?
    pub(crate) fn has(&self, subject: &Subject<'_>) -> Result<bool, MatchTrouble> {
        let address = match subject {
            Subject::Client { address, .. } => parse_address(address),
            Subject::Text(_) | Subject::Domain { .. } => None,
        };
        for element in &self.patterns {
            if element.pattern.matches(subject, address)? {
                return Ok(element.positive);
            }
        }
        Ok(false)
    }

    /// The tables it names.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &Arc<OpenTable>> {
        self.patterns.iter().filter_map(|element| match &element.pattern {
            Pattern::Table(table) => Some(table),
            Pattern::Text { .. } => None,
        })
    }

    /// Is one of its files another one now?
    pub(crate) fn changed(&self, sight: &Sight) -> bool {
        self.files.iter().any(|file| file.changed(sight))
    }
}

/// A pattern of a list that could not be compared.
pub(crate) struct MatchTrouble {
    pub(crate) pattern: String,
    pub(crate) trouble: Box<Trouble>,
}

impl Pattern {
    fn parse(pattern: &str, open: &OpenFn<'_>) -> Self {
        if !pattern.starts_with('[') && pattern.contains(':') {
            return Self::Table(open(pattern));
        }
        Self::Text { text: pattern.to_owned(), network: Network::parse(pattern) }
    }

    /// `parsed` is the address of a client; one that is none is in no list.
    fn matches(&self, subject: &Subject<'_>, parsed: Option<IpAddr>) -> Result<bool, MatchTrouble> {
        match subject {
            Subject::Text(text) => self.has_text(text),
            Subject::Domain { name, parents } => self.has_domain(name, *parents),
            Subject::Client { name, address, parents } => {
                let named = self.has_domain(name, *parents)?;
                let address = parsed.filter(|_| !named).map(|parsed| self.has_address(address, parsed));
                Ok(named || address.transpose()?.unwrap_or(false))
            }
        }
    }

    fn has_text(&self, subject: &str) -> Result<bool, MatchTrouble> {
        match self {
            Self::Table(table) => ask(table, subject),
            Self::Text { text, .. } => Ok(text.eq_ignore_ascii_case(subject)),
        }
    }

    /// A table is asked for the name and for its parents: `example.com` if plain domains match what is below them,
    /// else `.example.com`. Tables of patterns see the whole name only.
    fn has_domain(&self, name: &str, parents: bool) -> Result<bool, MatchTrouble> {
        let text = match self {
            Self::Text { text, .. } => return Ok(domain_matches(name, text, parents)),
            Self::Table(table) => table,
        };
        let mut key = name;
        loop {
            if !key.is_empty() && (key.len() == name.len() || text.takes_parts()) && ask(text, key)? {
                return Ok(true);
            }
            let Some(dot) = key.get(1..).and_then(|rest| rest.find('.')) else { return Ok(false) };
            key = &key[dot + if parents { 2 } else { 1 }..];
        }
    }

    fn has_address(&self, address: &str, parsed: IpAddr) -> Result<bool, MatchTrouble> {
        let (text, network) = match self {
            Self::Table(table) => return ask(table, address),
            Self::Text { text, network } => (text, network),
        };
        match network {
            Ok(network) => Ok(network.contains(parsed)),
            Err(error) if looks_like_network(text) => {
                let trouble = Box::new(Trouble::Network(error.clone()));
                Err(MatchTrouble { pattern: text.clone(), trouble })
            }
            Err(_) => Ok(false),
        }
    }
}

/// Was this meant to be an address or a network? Then what is wrong with it counts, also where nothing but the
/// addresses of clients is compared with it.
fn looks_like_network(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit() || b".:[]/".contains(&byte)) && text.contains(['/', '['])
}

fn domain_matches(name: &str, pattern: &str, parents: bool) -> bool {
    if name.eq_ignore_ascii_case(pattern) {
        return true;
    }
    let Some(before) = name.len().checked_sub(pattern.len()).filter(|before| *before > 0) else {
        return false;
    };
    let Some((start, end)) = name.split_at_checked(before) else { return false };
    let at_label = if parents { start.ends_with('.') } else { pattern.starts_with('.') };
    at_label && end.eq_ignore_ascii_case(pattern)
}

fn ask(table: &OpenTable, key: &str) -> Result<bool, MatchTrouble> {
    match table.get(key.as_bytes()) {
        Ok(value) => Ok(value.is_some()),
        Err(trouble) => Err(MatchTrouble { pattern: table.name().to_string(), trouble: Box::new(trouble) }),
    }
}
