//! The tables that may be asked for.

use std::collections::BTreeSet;

use tables::split_list;

/// Names of tables, without `proxy:`.
pub(crate) struct Allowed(BTreeSet<String>);

impl Allowed {
    /// Those that stand with `proxy:` in `list`, the expanded value of `proxy_read_maps`; all else in it is no
    /// permission.
    pub(crate) fn new(list: &str) -> Self {
        Self(
            split_list(list)
                .filter_map(|element| element.strip_prefix("proxy:"))
                .map(str::to_owned)
                .collect(),
        )
    }

    pub(crate) fn has(&self, table: &str) -> bool {
        self.0.contains(table)
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_with_proxy_is_allowed() {
        let allowed = Allowed::new("hash:/a, proxy:hash:/b proxy:unionmap:{static:x, hash:/c} example.com");
        assert!(allowed.has("hash:/b") && allowed.has("unionmap:{static:x, hash:/c}"));
        for table in ["hash:/a", "hash:/c", "proxy:hash:/b", "example.com", "texthash:/etc/shadow", ""] {
            assert!(!allowed.has(table), "{table}");
        }
    }
}
