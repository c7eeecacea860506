//! All URIs of a message, with what is known of each.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::canonical::spellings;
use crate::perl::PatternSet;
use crate::rules::Settings;

/// Bytes of a URI; the rest is cut off.
const URI_LIMIT_BYTES: usize = 8192;

/// What is known of a URI.
#[derive(Debug, Clone, Default)]
pub(crate) struct UriInfo {
    /// Its spellings, none for those that rules do not look at.
    pub(crate) cleaned: Vec<Vec<u8>>,
    /// Hosts with their registered domains.
    pub(crate) hosts: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Where it was found: `parsed` in text, or the HTML elements.
    pub(crate) types: BTreeSet<String>,
    /// The texts that lead to it.
    pub(crate) anchor_text: Vec<String>,
}

/// Where a URI comes from.
pub(crate) struct Source<'a> {
    pub(crate) types: &'a [&'a str],
    /// It counts only with a valid domain.
    pub(crate) needs_domain: bool,
    /// Rules look at it, in all its spellings.
    pub(crate) for_rules: bool,
}

/// The URIs of a message in the order in which they were found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Uris {
    order: Vec<Vec<u8>>,
    infos: HashMap<Vec<u8>, UriInfo>,
    pub(crate) truncated: bool,
}

impl Uris {
    /// Adds a URI; false when it is none.
    pub(crate) fn add(
        &mut self,
        uri: &[u8],
        source: &Source<'_>,
        redirectors: &PatternSet,
        settings: &Settings,
    ) -> bool {
        let mut all = if source.for_rules {
            spellings(uri, redirectors, &settings.registry)
        } else {
            vec![uri.to_vec()]
        };
        let mut hosts = BTreeMap::new();
        for spelling in &mut all {
            self.truncated |= spelling.len() > URI_LIMIT_BYTES;
            spelling.truncate(URI_LIMIT_BYTES);
            hosts.extend(settings.registry.domain_of_uri(spelling).map(|(domain, host)| (host, domain)));
        }
        if source.needs_domain && hosts.is_empty() {
            return false;
        }
        if !self.infos.contains_key(uri) {
            self.order.push(uri.to_vec());
        }
        let info = self.infos.entry(uri.to_vec()).or_default();
        if source.for_rules {
            let new: Vec<_> = all.into_iter().filter(|spelling| !info.cleaned.contains(spelling)).collect();
            info.cleaned.extend(new);
        }
        info.hosts.extend(hosts);
        info.types.extend(source.types.iter().map(|kind| (*kind).to_owned()));
        true
    }

    /// Adds texts that lead to a URI.
    pub(crate) fn add_anchor_texts(&mut self, uri: &[u8], texts: &[String]) {
        let Some(info) = self.infos.get_mut(uri) else { return };
        let mut new: Vec<String> = Vec::new();
        for text in texts {
            if !new.contains(text) {
                new.push(text.clone());
            }
        }
        info.anchor_text.extend(new);
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &UriInfo)> {
        self.order.iter().filter_map(|uri| self.infos.get(uri).map(|info| (uri.as_slice(), info)))
    }

    /// All spellings of all of them, each once.
    pub(crate) fn list(&self) -> Vec<&[u8]> {
        let mut seen = std::collections::HashSet::new();
        let all = self.iter().flat_map(|(_, info)| info.cleaned.iter().map(Vec::as_slice));
        all.filter(|spelling| seen.insert(*spelling)).collect()
    }
}
