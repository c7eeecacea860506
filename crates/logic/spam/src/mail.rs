//! A message as the rules see it.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use message::tree::{PartId, Tree};

use crate::body::{self, Shown};
use crate::headers::Request;
use crate::html::Html;
use crate::network::Prepared;
use crate::relays::Relays;
use crate::rules::Settings;
use crate::uri::{Source, TldPatterns, Uris, in_text};

/// A message, taken apart.
pub(crate) struct Mail<'a> {
    pub(crate) tree: Tree,
    pub(crate) settings: &'a Settings,
    pub(crate) tlds: &'a TldPatterns,
    pub(crate) relays: Relays,
    pub(crate) shown: HashMap<PartId, Shown>,
    /// Rendered lines, the subject first.
    pub(crate) body: Vec<Vec<u8>>,
    /// Decoded pieces.
    pub(crate) raw_body: Vec<Vec<u8>>,
    pub(crate) uris: Uris,
    /// Headers were cut when all of them were put together.
    pub(crate) headers_truncated: OnceCell<()>,
    pub(crate) cache: RefCell<HashMap<String, Rc<Vec<Vec<u8>>>>>,
    pub(crate) envelope_from: OnceCell<Option<Vec<u8>>>,
    pub(crate) senders: OnceCell<Vec<Vec<u8>>>,
    pub(crate) recipients: OnceCell<Vec<Vec<u8>>>,
    signatures: OnceCell<Prepared>,
}

impl<'a> Mail<'a> {
    pub(crate) fn new(message: &[u8], settings: &'a Settings, tlds: &'a TldPatterns) -> Self {
        let mut tree = Tree::parse(message);
        // Marks of an earlier check say nothing.
        tree.root_mut().fields.remove(|field| field.key.starts_with(b"x-spam-"));
        Self::of_tree(tree, settings, tlds)
    }

    /// A message that is learned, not checked: it keeps all its fields.
    pub(crate) fn to_learn(message: &[u8], settings: &'a Settings, tlds: &'a TldPatterns) -> Self {
        Self::of_tree(Tree::parse(message), settings, tlds)
    }

    fn of_tree(tree: Tree, settings: &'a Settings, tlds: &'a TldPatterns) -> Self {
        let relays = Relays::of(&tree, settings);
        let shown = body::render_parts(&tree, settings);
        let body = body::lines(&tree, &shown, settings);
        let raw_body = body::raw_pieces(&tree, settings);
        let mut mail = Self {
            tree,
            settings,
            tlds,
            relays,
            shown,
            body,
            raw_body,
            uris: Uris::default(),
            headers_truncated: OnceCell::new(),
            cache: RefCell::default(),
            envelope_from: OnceCell::new(),
            senders: OnceCell::new(),
            recipients: OnceCell::new(),
            signatures: OnceCell::new(),
        };
        mail.uris = mail.find_uris();
        mail
    }

    /// The lines that a reader sees, the subject first.
    pub(crate) fn visible(&self) -> Cow<'_, [Vec<u8>]> {
        match body::visible_lines(&self.tree, &self.shown, self.settings) {
            Some(lines) => Cow::Owned(lines),
            None => Cow::Borrowed(&self.body),
        }
    }

    /// The lines that are hidden from readers.
    pub(crate) fn invisible(&self) -> Vec<Vec<u8>> {
        body::invisible_lines(&self.tree, &self.shown, self.settings)
    }

    /// The signatures in it, read and ready to be verified.
    pub(crate) fn signatures(&self) -> &Prepared {
        self.signatures.get_or_init(|| Prepared::of(self))
    }

    /// The documents in it, in order.
    pub(crate) fn documents(&self) -> impl Iterator<Item = &Html> {
        self.tree
            .leaves()
            .into_iter()
            .filter_map(|id| self.shown.get(&id))
            .filter_map(|shown| shown.html.as_ref())
    }

    /// The values of a request such as `From:addr`.
    pub(crate) fn get(&self, request: &str) -> Rc<Vec<Vec<u8>>> {
        let known = self.cache.borrow().get(request).map(Rc::clone);
        known.unwrap_or_else(|| self.find(request, &Request::parse(request)))
    }

    /// The same of a request that was read before.
    pub(crate) fn get_parsed(&self, text: &str, request: &Request) -> Rc<Vec<Vec<u8>>> {
        let known = self.cache.borrow().get(text).map(Rc::clone);
        known.unwrap_or_else(|| self.find(text, request))
    }

    fn find(&self, text: &str, request: &Request) -> Rc<Vec<Vec<u8>>> {
        let found = Rc::new(request.values(self));
        self.cache.borrow_mut().insert(text.to_owned(), Rc::clone(&found));
        found
    }

    /// The same as one text: all values of a field, or the first address; empty when there is none.
    pub(crate) fn text(&self, request: &str) -> Vec<u8> {
        self.text_if_any(request).unwrap_or_default()
    }

    /// As [`Mail::text`], `None` when there is none.
    pub(crate) fn text_if_any(&self, request: &str) -> Option<Vec<u8>> {
        let parsed = Request::parse(request);
        let values = self.get_parsed(request, &parsed);
        let first = values.first()?;
        if parsed.is_single() {
            return Some(first.strip_suffix(b"\n").unwrap_or(first).to_vec());
        }
        Some(values.concat())
    }

    fn find_uris(&self) -> Uris {
        let mut uris = Uris::default();
        let registry = &self.settings.registry;
        for found in in_text(&self.body, self.tlds, registry) {
            let mut types = vec!["parsed"];
            types.extend(found.unlinked.then_some("unlinked"));
            types.extend(found.schemeless.then_some("schemeless"));
            uris.add(
                &found.uri,
                &Source { types: &types, needs_domain: true, for_rules: true },
                &self.tlds.redirectors,
                self.settings,
            );
        }
        for html in self.documents() {
            uris.truncated |= html.uri_truncated;
            for (uri, link) in &html.links {
                let types: Vec<&str> = link
                    .types
                    .as_ref()
                    .map_or_else(|| vec!["parsed"], |types| types.iter().map(String::as_str).collect());
                let source = Source { types: &types, needs_domain: false, for_rules: true };
                if uris.add(uri.as_bytes(), &source, &self.tlds.redirectors, self.settings) {
                    uris.add_anchor_texts(uri.as_bytes(), &link.anchor_text);
                }
            }
        }
        if self.settings.parse_dkim_uris {
            self.find_signers(&mut uris);
        }
        uris
    }

    /// The domains that signed (RFC 6376 §3.5).
    fn find_signers(&self, uris: &mut Uris) {
        static DOMAIN: crate::perl::Fixed = crate::perl::Fixed::new(r"\bd\s*=\s*([^;]+)");
        for name in ["DomainKey-Signature", "DKIM-Signature"] {
            for value in self.get(name).iter() {
                for groups in DOMAIN.all(value) {
                    let domain: Vec<u8> =
                        groups.get(1).iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
                    let source = Source { types: &["domainkeys"], needs_domain: true, for_rules: false };
                    let uri = [b"domainkeys:", domain.as_slice()].concat();
                    uris.add(&uri, &source, &self.tlds.redirectors, self.settings);
                }
            }
        }
    }
}
