//! Patterns of our own, written where they are used and compiled once in a process.

use std::sync::OnceLock;

use pcre2::bytes::{Regex, RegexBuilder};

use crate::addresses_of_hosts::IP_ADDRESS;

/// A constant pattern. `<IP>` in it stands for an IP address.
pub(crate) struct Fixed {
    source: &'static str,
    regex: OnceLock<Option<Regex>>,
}

/// What the groups of a match hold; a group that took no part is empty.
pub(crate) struct Groups<'t> {
    text: &'t [u8],
    spans: Vec<Option<(usize, usize)>>,
}

impl<'t> Groups<'t> {
    pub(super) fn new(text: &'t [u8], locations: &pcre2::bytes::CaptureLocations) -> Self {
        Self { text, spans: (0..locations.len()).map(|index| locations.get(index)).collect() }
    }

    /// The group of that number; 0 is the whole match.
    pub(crate) fn get(&self, index: usize) -> &'t [u8] {
        self.span(index).map_or(&[], |(start, end)| &self.text[start..end])
    }

    /// The same, as text.
    pub(crate) fn text(&self, index: usize) -> Vec<u8> {
        self.get(index).to_vec()
    }

    /// Where the group stands; `None` when it took no part.
    pub(crate) fn span(&self, index: usize) -> Option<(usize, usize)> {
        self.spans.get(index).copied().flatten()
    }
}

impl Fixed {
    pub(crate) const fn new(source: &'static str) -> Self {
        Self { source, regex: OnceLock::new() }
    }

    fn regex(&self) -> Option<&Regex> {
        self.regex
            .get_or_init(|| {
                let source = self.source.replace("<IP>", IP_ADDRESS);
                RegexBuilder::new().jit_if_available(true).build(&format!("(*LF){source}")).ok()
            })
            .as_ref()
    }

    /// Is the pattern sound? For tests.
    #[cfg(test)]
    pub(crate) fn is_sound(&self) -> bool {
        self.regex().is_some()
    }

    pub(crate) fn is_match(&self, text: &[u8]) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(text).unwrap_or(false))
    }

    /// The first match from `start` on.
    pub(crate) fn groups_from<'t>(&self, text: &'t [u8], start: usize) -> Option<Groups<'t>> {
        let regex = self.regex()?;
        let mut locations = regex.capture_locations();
        regex.captures_read_at(&mut locations, text, start).ok()??;
        Some(Groups::new(text, &locations))
    }

    pub(crate) fn groups<'t>(&self, text: &'t [u8]) -> Option<Groups<'t>> {
        self.groups_from(text, 0)
    }

    /// All matches, one behind the other.
    pub(crate) fn all<'t>(&self, text: &'t [u8]) -> Vec<Groups<'t>> {
        let mut found = Vec::new();
        let mut start = 0;
        while start <= text.len() {
            let Some(groups) = self.groups_from(text, start) else { break };
            let (begin, end) = groups.span(0).unwrap_or((start, start));
            start = if end > begin { end } else { end + 1 };
            found.push(groups);
        }
        found
    }

    /// The text with the first match replaced by what `with` makes of it.
    pub(crate) fn replace_first(
        &self,
        text: &[u8],
        with: impl Fn(&Groups<'_>) -> Vec<u8>,
    ) -> Option<Vec<u8>> {
        let groups = self.groups(text)?;
        let (begin, end) = groups.span(0)?;
        Some([&text[..begin], &with(&groups), &text[end..]].concat())
    }

    /// The text with each match replaced by what `with` makes of it.
    pub(crate) fn replace_all(&self, text: &[u8], with: impl Fn(&Groups<'_>) -> Vec<u8>) -> Vec<u8> {
        let mut changed = Vec::with_capacity(text.len());
        let mut start = 0;
        for groups in self.all(text) {
            let (begin, end) = groups.span(0).unwrap_or((start, start));
            changed.extend_from_slice(&text[start..begin]);
            changed.extend(with(&groups));
            start = end;
        }
        changed.extend_from_slice(&text[start..]);
        changed
    }
}
