//! LIST, LSUB (RFC 3501 §6.3.8, §6.3.9, RFC 5258, RFC 5819, RFC 6154).

use std::collections::{BTreeMap, BTreeSet};

use imap_protocol::types::{
    ListRequest, ListReturn, ListSelection, MailboxAttribute, MailboxName, Pattern, Reply, SpecialUse,
};
use imap_protocol::write::{ListResponse, Out};
use mailbox::store::FolderName;

use crate::refusal::{Refused, mailbox_name};
use crate::special_use::SpecialUses;
use crate::state::{Outcome, State};

/// What is known of a name.
#[derive(Debug, Default, Clone)]
struct Known {
    exists: bool,
    selectable: bool,
    /// A directory that is no mailbox.
    directory: bool,
    /// None can be made below it.
    leaf: bool,
    /// It must not show, and is told of as the parent of others only.
    hidden: bool,
    children: bool,
    subscribed: bool,
    /// Something below it is subscribed to.
    subscribed_below: bool,
    uses: Vec<SpecialUse>,
}

impl State {
    pub(crate) fn list(&mut self, request: &ListRequest, out: &mut Out) -> Outcome {
        if !request.extended && request.patterns.iter().all(|pattern| pattern.as_str().is_empty()) {
            out.list_root(self.site.separator);
            return Ok(Reply::ok("List completed."));
        }
        if request.returns.my_rights && !self.site.counts_rights {
            return Ok(Reply::bad("Error in IMAP command LIST: Unknown return options MYRIGHTS"));
        }
        let patterns = self.patterns(request);
        let needs_subscriptions = request.selection.subscribed || request.returns.subscribed;
        let all = self.known_names(needs_subscriptions, &patterns)?;
        for (name, known) in &all {
            let implied = !request.selection.subscribed && self.is_implied(name, &all, &patterns);
            if self.is_chosen(name, known, &patterns, request) && !implied {
                self.write_listed(name, known, request, out)?;
            }
        }
        Ok(Reply::ok("List completed."))
    }

    /// The LIST response of a mailbox that has just been selected.
    pub(crate) fn list_selected(&mut self, mailbox: &MailboxName, out: &mut Out) -> Result<(), Refused> {
        let name = self.folder_name(mailbox)?;
        let request = extended(ListReturn { children: true, ..ListReturn::default() });
        match self.known_names(false, &[])?.get(&name) {
            Some(known) => self.write_listed(&name, known, &request, out),
            None => Ok(()),
        }
    }

    /// LIST responses of mailboxes to which something has happened, with the names they had (RFC 5465 §5.4, §5.5).
    pub(crate) fn write_affected(
        &mut self,
        names: &BTreeMap<FolderName, Option<FolderName>>,
        out: &mut Out,
    ) -> Result<(), Refused> {
        let all = self.known_names(true, &[])?;
        let returns = ListReturn { children: true, subscribed: true, ..ListReturn::default() };
        for (name, old_name) in names {
            let known = all.get(name).cloned().unwrap_or_default();
            let Some(wire) = mailbox_name(name, self.site.separator) else { continue };
            let old_name = old_name.as_ref().and_then(|name| mailbox_name(name, self.site.separator));
            let attributes = attributes(&known, &extended(returns.clone()));
            let response = ListResponse {
                lsub: false,
                attributes: &attributes,
                name: &wire,
                child_info: false,
                old_name: old_name.as_ref(),
            };
            out.list(&response, self.site.separator);
        }
        Ok(())
    }

    fn patterns(&self, request: &ListRequest) -> Vec<Pattern> {
        let joined = |pattern: &Pattern| Pattern::new(format!("{}{}", request.reference, pattern.as_str()));
        request.patterns.iter().map(joined).collect()
    }

    /// All folders by name, in UTF-8, with their parents, and the subscriptions where they matter.
    fn known_names(
        &self,
        subscriptions: bool,
        patterns: &[Pattern],
    ) -> Result<BTreeMap<FolderName, Known>, Refused> {
        let mut known: BTreeMap<FolderName, Known> = BTreeMap::new();
        let separator = self.site.separator;
        // A mailbox that can have no annotations has none.
        let annotations = self.store.attributes().unwrap_or_default();
        let uses = SpecialUses::new(&annotations, &self.site.special_uses);
        for listed in self.store.list()? {
            let uses = uses.of(&listed.name, &listed.name.to_utf8(self.site.separator));
            let entry = known.entry(listed.name).or_default();
            (entry.exists, entry.selectable, entry.children) = (true, listed.selectable, listed.has_children);
            (entry.directory, entry.leaf) = (listed.is_directory, listed.is_leaf);
            entry.uses = uses;
        }
        if self.site.counts_rights {
            self.hide(&mut known)?;
        }
        if subscriptions {
            for name in self.store.subscriptions()? {
                // RFC 5258 §3.5: what the answer tells of anyway is not told of its parents.
                let told =
                    patterns.iter().any(|pattern| pattern.matches(&name.to_utf8(separator), separator));
                let mut parent = name.parent().filter(|_| !told);
                while let Some(above) = parent {
                    parent = above.parent();
                    known.entry(above).or_default().subscribed_below = true;
                }
                known.entry(name).or_default().subscribed = true;
            }
        }
        Ok(known)
    }

    /// Mailboxes that must not show are as if they were not there, but for those that lie below them.
    fn hide(&self, all: &mut BTreeMap<FolderName, Known>) -> Result<(), Refused> {
        let there = all.iter().filter(|(_, known)| known.selectable);
        let showing = self.showing(&there.map(|(name, _)| name.clone()).collect::<Vec<_>>())?;
        for (name, known) in all.iter_mut().filter(|(_, known)| known.selectable) {
            known.selectable = showing.contains(name);
            known.hidden = !known.selectable;
        }
        if !all.values().any(|known| known.hidden) {
            return Ok(());
        }
        let mut parents = BTreeSet::new();
        for name in all.iter().filter(|(_, known)| known.selectable).map(|(name, _)| name) {
            parents.extend(std::iter::successors(name.parent(), FolderName::parent));
        }
        for (name, known) in all.iter_mut() {
            known.children = parents.contains(name);
        }
        all.retain(|_, known| known.selectable || known.children || known.directory);
        Ok(())
    }

    /// A hidden mailbox stands for those below it only where they are not told of themselves.
    fn is_implied(&self, name: &FolderName, all: &BTreeMap<FolderName, Known>, patterns: &[Pattern]) -> bool {
        let is_told = |below: &FolderName| {
            let text = below.to_utf8(self.site.separator);
            patterns.iter().any(|pattern| pattern.matches(&text, self.site.separator))
        };
        all.get(name).is_some_and(|known| known.hidden)
            && all.iter().any(|(below, known)| known.selectable && below.is_below(name) && is_told(below))
    }

    fn is_chosen(
        &self,
        name: &FolderName,
        known: &Known,
        patterns: &[Pattern],
        request: &ListRequest,
    ) -> bool {
        let text = name.to_utf8(self.site.separator);
        if !patterns.iter().any(|pattern| pattern.matches(&text, self.site.separator)) {
            return false;
        }
        let selection = request.selection;
        if selection.special_use && (!known.exists || known.uses.is_empty()) {
            return false;
        }
        if selection.subscribed {
            let below = selection.recursive_match && known.subscribed_below;
            return known.subscribed || below;
        }
        known.exists
    }

    fn write_listed(
        &mut self,
        name: &FolderName,
        known: &Known,
        request: &ListRequest,
        out: &mut Out,
    ) -> Result<(), Refused> {
        let separator = self.site.separator;
        let Some(wire) = mailbox_name(name, separator) else { return Ok(()) };
        let attributes = attributes(known, request);
        let selection = request.selection;
        let child_info = selection.recursive_match && selection.subscribed && known.subscribed_below;
        let response =
            ListResponse { lsub: false, attributes: &attributes, name: &wire, child_info, old_name: None };
        out.list(&response, separator);
        if request.returns.my_rights && known.selectable {
            out.my_rights(&wire, self.rights(name)?);
        }
        if request.returns.status.is_empty() || !known.selectable {
            return Ok(());
        }
        match self.write_status(&wire, name, &request.returns.status, out) {
            // RFC 5819 §2: it is still listed.
            Err(Refused::Reply(reply)) => out.untagged(&reply),
            outcome => outcome?,
        }
        Ok(())
    }

    /// LSUB; with `%` a name above a subscription stands for it (RFC 3501 §6.3.9).
    pub(crate) fn lsub(&mut self, request: &ListRequest, out: &mut Out) -> Outcome {
        let separator = self.site.separator;
        let patterns = self.patterns(request);
        let fits = |name: &FolderName| {
            let text = name.to_utf8(separator);
            patterns.iter().any(|pattern| pattern.matches(&text, separator))
        };
        let subscriptions: BTreeSet<FolderName> = self.store.subscriptions()?.into_iter().collect();
        let mut shown: BTreeMap<FolderName, bool> = BTreeMap::new();
        for name in &subscriptions {
            if fits(name) {
                shown.insert(name.clone(), true);
                continue;
            }
            let mut parent = name.parent();
            while let Some(above) = parent {
                parent = above.parent();
                if fits(&above) && patterns.iter().any(|pattern| pattern.as_str().contains('%')) {
                    shown.entry(above).or_insert(false);
                }
            }
        }
        for (name, subscribed) in shown {
            let Some(wire) = mailbox_name(&name, separator) else { continue };
            let attributes = if subscribed { [].as_slice() } else { &[MailboxAttribute::NoSelect] };
            let (child_info, old_name) = (false, None);
            out.list(&ListResponse { lsub: true, attributes, name: &wire, child_info, old_name }, separator);
        }
        Ok(Reply::ok("Lsub completed."))
    }
}

/// What is asked of names that are known already.
fn extended(returns: ListReturn) -> ListRequest {
    let selection = ListSelection::default();
    ListRequest { reference: String::new(), patterns: Vec::new(), selection, returns, extended: true }
}

fn attributes(known: &Known, request: &ListRequest) -> Vec<MailboxAttribute> {
    let mut attributes = Vec::new();
    if !known.exists || (!known.selectable && !known.directory && request.extended) {
        attributes.push(MailboxAttribute::NonExistent);
    } else if !known.selectable {
        attributes.push(MailboxAttribute::NoSelect);
    }
    if known.subscribed && (request.returns.subscribed || request.selection.subscribed) {
        attributes.push(MailboxAttribute::Subscribed);
    }
    if known.leaf && known.selectable {
        attributes.push(MailboxAttribute::NoInferiors);
    } else if request.returns.children || !request.extended {
        attributes.push(if known.children {
            MailboxAttribute::HasChildren
        } else {
            MailboxAttribute::HasNoChildren
        });
    }
    if request.returns.special_use || request.selection.special_use || !request.extended {
        attributes.extend(known.uses.iter().copied().map(MailboxAttribute::Use));
    }
    attributes
}
