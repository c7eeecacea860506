//! What mailboxes are for (RFC 6154): as the client said, else as the administrator did.

use imap_protocol::types::SpecialUse;
use mailbox::store::{Attribute, FolderName};

/// The annotation that says it (RFC 6154 §4).
const ENTRY: &str = "/private/specialuse";

/// The annotation of a folder that is for this.
pub(crate) fn entry(uses: &[SpecialUse]) -> (String, Option<Vec<u8>>) {
    let names: Vec<&str> = uses.iter().map(|special| special.name()).collect();
    (ENTRY.to_owned(), Some(names.join(" ").into_bytes()))
}

/// What all folders of a user are for.
#[derive(Debug)]
pub(crate) struct SpecialUses<'s> {
    /// By the clients' word.
    chosen: Vec<(FolderName, SpecialUse)>,
    /// By name.
    usual: &'s [(String, SpecialUse)],
}

impl<'s> SpecialUses<'s> {
    pub(crate) fn new(attributes: &[Attribute], usual: &'s [(String, SpecialUse)]) -> Self {
        let mut chosen = Vec::new();
        for one in attributes.iter().filter(|one| one.entry == ENTRY) {
            let uses = one.value.split(|byte| *byte == b' ').filter_map(SpecialUse::parse);
            chosen.extend(
                one.folder.iter().flat_map(|folder| uses.clone().map(|special| (folder.clone(), special))),
            );
        }
        Self { chosen, usual }
    }

    /// What the folder is for. A use that a client has chosen a folder for is not that of another by its name.
    pub(crate) fn of(&self, folder: &FolderName, name: &str) -> Vec<SpecialUse> {
        let chosen = self.chosen.iter().filter(|(own, _)| own == folder).map(|(_, special)| *special);
        let is_free = |special: &SpecialUse| !self.chosen.iter().any(|(_, taken)| taken == special);
        let usual = self.usual.iter().filter(|(own, _)| own == name).map(|(_, special)| *special);
        chosen.chain(usual.filter(is_free)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_word_counts_more_than_the_name() {
        let folder = |name: &str| FolderName::parse(name, '.').unwrap();
        let usual = [("Sent".to_owned(), SpecialUse::Sent), ("Junk".to_owned(), SpecialUse::Junk)];
        let (name, value) = entry(&[SpecialUse::Sent, SpecialUse::Archive]);
        let attribute = Attribute { folder: Some(folder("x")), entry: name, value: value.unwrap() };
        let uses = SpecialUses::new(&[attribute], &usual);
        assert_eq!(uses.of(&folder("x"), "x"), [SpecialUse::Sent, SpecialUse::Archive]);
        assert_eq!(uses.of(&folder("Sent"), "Sent"), []);
        assert_eq!(uses.of(&folder("Junk"), "Junk"), [SpecialUse::Junk]);
    }
}
