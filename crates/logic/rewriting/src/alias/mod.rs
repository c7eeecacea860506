//! What stands behind a name of this host: aliases(5), expanded to mailboxes, forwarded addresses and refusals.

pub(crate) mod leaf;

use std::collections::HashSet;

use address::split_extension;
use lookup::{Lookup, Part, Stop};

use self::leaf::{Leaf, Refusal};
use crate::Rewriting;
use crate::destination::Destination;
use crate::fill_in::fill_in;
use crate::resolve::Class;
use crate::rewrite::Context;

/// A name that lies deeper is a circle. Postfix counts the steps of its own program: the name at which a circle ends, and
/// is named in the log, follows from these.
const LEVEL_LIMIT: usize = 100;
const FIRST_LEVEL: usize = 2;
/// How much deeper an alias leads.
const ALIAS_LEVELS: usize = 4;
/// How much deeper an `:include:` file leads.
const INCLUDE_LEVELS: usize = 1;
/// Aliases that are followed for one recipient, at most: circles that cross each other have no end.
const STEP_LIMIT: usize = 10_000;

/// The tables and switches that decide over aliases.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AliasSettings {
    /// `alias_maps`
    pub alias_maps: String,
    /// The name of this transport in master.cf: addresses that resolve to it are expanded further.
    pub transport: String,
    /// `owner_request_special`
    pub owner_request_special: bool,
    /// `expand_owner_alias`
    pub expand_owner_alias: bool,
    /// Where mail for unknown names goes (`luser_relay`), with its `$name`s; empty for nowhere.
    pub luser_relay: String,
    /// `duplicate_filter_limit`
    pub duplicate_filter_limit: usize,
    /// `propagate_unmatched_extensions` has `alias`.
    pub propagate_alias: bool,
    /// `propagate_unmatched_extensions` has `include`.
    pub propagate_include: bool,
}

/// What the expansion asks of the system.
pub trait Surroundings {
    /// The content of an `:include:` file, or why it can not be used.
    ///
    /// # Errors
    /// A line for the log.
    fn include(&self, path: &str) -> Result<String, String>;

    /// Is there a user of this name? None when the database does not answer.
    fn has_user(&self, name: &str) -> Option<bool>;
}

struct Expansion<'a> {
    rewriting: &'a Rewriting,
    settings: &'a AliasSettings,
    tables: &'a dyn Lookup,
    surroundings: &'a dyn Surroundings,
    /// Addresses that the message has been delivered to before, in lower case.
    delivered: &'a [String],
    seen: HashSet<String>,
    /// Aliases that were followed.
    steps: usize,
    leaves: Vec<Leaf>,
}

/// How one got to a name.
#[derive(Clone, Copy, Default)]
struct Path<'a> {
    /// Counted as Postfix does: [`ALIAS_LEVELS`], [`INCLUDE_LEVELS`].
    level: usize,
    /// The alias that led here.
    from: Option<&'a str>,
    /// The extension that the alias was not found with, and its delimiter: it goes over to what stands there.
    unmatched: Option<&'a str>,
    /// Mail goes on as a new message, from the owner of a list where there is one.
    forward: Option<Option<&'a str>>,
    in_include: bool,
    in_luser_relay: bool,
}

impl Rewriting {
    /// Expands a recipient of the local class. `delivered` are the Delivered-To lines of the message, in lower case.
    ///
    /// # Errors
    /// [`Stop`]: a table does not answer.
    pub fn expand_local(
        &self,
        tables: &dyn Lookup,
        surroundings: &dyn Surroundings,
        settings: &AliasSettings,
        delivered: &[String],
        recipient: &str,
    ) -> Result<Vec<Leaf>, Stop> {
        let mut expansion = Expansion {
            rewriting: self,
            settings,
            tables,
            surroundings,
            delivered,
            seen: HashSet::new(),
            steps: 0,
            leaves: Vec::new(),
        };
        expansion.name(recipient, Path { level: FIRST_LEVEL, ..Path::default() })?;
        Ok(expansion.leaves)
    }

    fn delimiters(&self) -> &str {
        &self.settings().recipient_delimiter
    }
}

impl Expansion<'_> {
    /// A name of this host: an alias, with its extension or without, or a user. Each gets mail once from each level.
    fn name(&mut self, address: &str, path: Path<'_>) -> Result<(), Stop> {
        let lower = address.to_lowercase();
        if !self.is_new(&format!("recipient {} {lower}", path.level)) {
            return Ok(());
        }
        if self.delivered.contains(&lower) {
            return self.refuse(address, Refusal::ForwardingLoop(address.to_owned()));
        }
        let local = lower.rsplit_once('@').map_or(lower.as_str(), |(local, _)| local);
        let (no_alias, local) = match local.strip_prefix('\\') {
            Some(rest) => (true, rest),
            None => (false, local),
        };
        let (base, extension) = self.split(local);
        if !no_alias && self.one_alias(address, local, base, path)? {
            return Ok(());
        }
        match path.forward {
            Some(sender) => {
                self.forward(sender, address.strip_prefix('\\').unwrap_or(address));
                Ok(())
            }
            None => self.user(address, local, base, extension, path),
        }
    }

    /// Follows the alias that has the whole local part, else the bare name; false when none has.
    fn one_alias(&mut self, address: &str, local: &str, base: &str, path: Path<'_>) -> Result<bool, Stop> {
        if self.alias(address, local, Path { unmatched: None, ..path })? {
            return Ok(true);
        }
        let unmatched = Some(&local[base.len()..]).filter(|rest| !rest.is_empty());
        let Some(extension) = unmatched else { return Ok(false) };
        let unmatched = self.settings.propagate_alias.then_some(extension);
        self.alias(address, base, Path { unmatched, ..path })
    }

    /// `user+extension`; names of lists' owners stay whole where the delimiter is `-`.
    fn split<'n>(&self, local: &'n str) -> (&'n str, Option<&'n str>) {
        let delimiters = self.rewriting.delimiters();
        let special = self.settings.owner_request_special
            && delimiters.contains('-')
            && (local.starts_with("owner-") || local.ends_with("-request"));
        match split_extension(local, delimiters) {
            Some((base, extension)) if !special => (base, Some(extension)),
            _ => (local, None),
        }
    }

    /// Follows the alias `name`; false when there is none. One that names itself means the user.
    fn alias(&mut self, address: &str, name: &str, path: Path<'_>) -> Result<bool, Stop> {
        if path.from == Some(name) {
            return Ok(false);
        }
        let Some(found) = self.tables.find(&self.settings.alias_maps, name, Part::Whole)? else {
            return Ok(false);
        };
        self.steps += 1;
        if path.level > LEVEL_LIMIT || self.steps > STEP_LIMIT {
            self.refuse(address, Refusal::Loop(name.to_owned()))?;
            return Ok(true);
        }
        let owner = self.owner(name)?;
        let forward = match (&owner, path.forward) {
            (Some(owner), _) => Some(Some(owner.as_str())),
            (None, before) => before,
        };
        let (level, from) = (path.level + ALIAS_LEVELS, Some(name));
        let inner = Path { level, from, forward, in_include: false, ..path };
        if self.destinations(address, &found.value, inner)? == 0 {
            self.refuse(address, Refusal::NoRecipient(name.to_owned()))?;
        }
        Ok(true)
    }

    /// The sender of mail to a list that has an `owner-` alias.
    fn owner(&self, name: &str) -> Result<Option<String>, Stop> {
        let is_owner = name.starts_with("owner-") || name.ends_with("-request");
        if is_owner && self.settings.owner_request_special {
            return Ok(None);
        }
        let owner = format!("owner-{name}");
        let found = self.tables.find(&self.settings.alias_maps, &owner, Part::Whole)?;
        Ok(found.map(|found| {
            let single = match Destination::parse_list(&found.value).as_slice() {
                [Destination::Address(address)] if self.settings.expand_owner_alias => address.clone(),
                _ => owner,
            };
            self.rewriting.rewrite(&single, Context::Local)
        }))
    }

    /// How many there are.
    fn destinations(&mut self, name: &str, list: &str, path: Path<'_>) -> Result<usize, Stop> {
        let destinations = Destination::parse_list(list);
        let count = destinations.len();
        for destination in destinations {
            match destination {
                Destination::Address(address) => self.address(&address, path)?,
                Destination::Include(file) => self.include(name, &file, path)?,
                Destination::Command(_) if path.in_include => {
                    self.refuse(name, Refusal::RestrictedCommand)?
                }
                Destination::File(_) if path.in_include => self.refuse(name, Refusal::RestrictedFile)?,
                Destination::Command(_) => self.refuse(name, Refusal::Command)?,
                Destination::File(file) if file == "/dev/null" => {
                    self.leaves.push(Leaf::Null { address: name.to_owned() });
                }
                Destination::File(_) => self.refuse(name, Refusal::File)?,
            }
        }
        Ok(count)
    }

    fn include(&mut self, name: &str, file: &str, path: Path<'_>) -> Result<(), Stop> {
        let text = match self.surroundings.include(file) {
            Ok(text) => text,
            Err(warning) => return self.refuse(name, Refusal::Include(warning)),
        };
        let path = Path {
            level: path.level + INCLUDE_LEVELS,
            unmatched: path.unmatched.filter(|_| self.settings.propagate_include),
            forward: Some(path.forward.flatten()),
            in_include: true,
            ..path
        };
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.try_for_each(|line| self.destinations(name, line, path).map(drop))
    }

    fn address(&mut self, address: &str, path: Path<'_>) -> Result<(), Stop> {
        let (backslash, bare) = match address.strip_prefix('\\') {
            Some(rest) => ("\\", rest),
            None => ("", address),
        };
        let full = extended(self.rewriting.rewrite(bare, Context::Local), path.unmatched);
        let resolved = self.rewriting.resolve(self.tables, "", &full)?;
        if resolved.class == Class::Local && resolved.transport == self.settings.transport {
            return self.name(&format!("{backslash}{full}"), path);
        }
        self.forward(path.forward.flatten(), &full);
        Ok(())
    }

    /// Addresses that get the mail from the same sender share a message.
    fn forward(&mut self, sender: Option<&str>, address: &str) {
        if !self.is_new(&format!("forward {}", address.to_lowercase())) {
            return;
        }
        let address = address.to_owned();
        for leaf in &mut self.leaves {
            if let Leaf::Forward { sender: known, recipients } = leaf
                && known.as_deref() == sender
            {
                return recipients.push(address);
            }
        }
        let sender = sender.map(str::to_owned);
        self.leaves.push(Leaf::Forward { sender, recipients: vec![address] });
    }

    fn user(
        &mut self,
        address: &str,
        local: &str,
        base: &str,
        extension: Option<&str>,
        path: Path<'_>,
    ) -> Result<(), Stop> {
        match self.surroundings.has_user(base) {
            Some(true) => {
                if !self.is_new(&format!("mailbox {local}")) {
                    return Ok(());
                }
                let (user, extension) = (base.to_owned(), extension.map(str::to_owned));
                let address = address.strip_prefix('\\').unwrap_or(address).to_owned();
                self.leaves.push(Leaf::Mailbox { address, user, extension });
                Ok(())
            }
            Some(false) => self.unknown(address, local, base, extension, path),
            None => self.refuse(address, Refusal::UserLookup),
        }
    }

    fn unknown(
        &mut self,
        address: &str,
        local: &str,
        base: &str,
        extension: Option<&str>,
        path: Path<'_>,
    ) -> Result<(), Stop> {
        let relay = &self.settings.luser_relay;
        if !relay.is_empty() && !path.in_luser_relay {
            let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
            let values = [
                ("user", base),
                ("extension", extension.unwrap_or("")),
                ("local", local),
                ("domain", domain),
                ("recipient", address),
                ("recipient_delimiter", self.rewriting.delimiters()),
            ];
            let list = fill_in(relay, &values);
            let level = path.level + 1;
            let path = Path { level, in_luser_relay: true, unmatched: None, ..path };
            return self.destinations(address, &list, path).map(drop);
        }
        if !self.is_new(&format!("unknown {local}")) {
            return Ok(());
        }
        let why = match local {
            "postmaster" | "mailer-daemon" => Refusal::Required(local.to_owned()),
            _ => Refusal::UnknownUser(base.to_owned()),
        };
        self.refuse(address, why)
    }

    fn refuse(&mut self, address: &str, why: Refusal) -> Result<(), Stop> {
        let address = address.strip_prefix('\\').unwrap_or(address);
        let full = self.rewriting.rewrite(address, Context::Local);
        self.leaves.push(Leaf::Refused { address: full, why });
        Ok(())
    }

    /// Each name gets one copy; past the limit a second one is the lesser evil.
    fn is_new(&mut self, name: &str) -> bool {
        if self.settings.duplicate_filter_limit > 0 && self.seen.len() >= self.settings.duplicate_filter_limit
        {
            return !self.seen.contains(name);
        }
        self.seen.insert(name.to_owned())
    }
}

/// `user+extension@domain`
fn extended(address: String, unmatched: Option<&str>) -> String {
    let Some(extension) = unmatched else { return address };
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{local}{extension}@{domain}"),
        None => address + extension,
    }
}

#[cfg(test)]
mod tests {
    use lookup::Memory;

    use super::*;
    use crate::Settings;

    struct House;

    impl Surroundings for House {
        fn include(&self, path: &str) -> Result<String, String> {
            match path {
                "/list" => Ok("# members\nann, joe\n|/bin/cat\n/tmp/x\nout@elsewhere\n".into()),
                _ => Err(format!("unable to lookup :include: file {path}: No such file or directory")),
            }
        }

        fn has_user(&self, name: &str) -> Option<bool> {
            Some(["ann", "joe", "self", "root"].contains(&name))
        }
    }

    const ALIASES: [(&str, &str); 20] = [
        ("empty", "<>"),
        ("one", "joe"),
        ("two", "ann, Joe, joe@here.example"),
        ("nested", "two, one"),
        ("self", "self, \\ann"),
        ("loop", "loop2"),
        ("loop2", "loop"),
        ("half", "joe, half2"),
        ("half2", "half"),
        ("inc", ":include:/list"),
        ("noinc", ":include:/nothing"),
        ("list", "joe, out@elsewhere"),
        ("owner-list", "ann"),
        ("mixed", "joe, nobody"),
        ("cmd", "\"|/bin/cat\", /var/x"),
        ("both", "joe, out@elsewhere"),
        ("null", "/dev/null, ann"),
        ("outer", "one, list, joe, ann, null"),
        ("owner-outer", "ann"),
        ("plain", "outer"),
    ];

    fn expand(recipient: &str) -> Vec<String> {
        expand_with(AliasSettings::default(), &[], recipient)
    }

    fn expand_with(aliases: AliasSettings, delivered: &[&str], recipient: &str) -> Vec<String> {
        let delivered: Vec<String> = delivered.iter().map(|address| (*address).to_owned()).collect();
        let settings = Settings {
            myhostname: "here.example".into(),
            myorigin: "here.example".into(),
            mydestination: "here.example".into(),
            local_transport: "local:here.example".into(),
            recipient_delimiter: "+".into(),
            ..Settings::default()
        };
        let tables = Memory::new().table("hash:aliases", &ALIASES);
        let aliases = AliasSettings {
            alias_maps: "hash:aliases".into(),
            transport: "local".into(),
            owner_request_special: true,
            duplicate_filter_limit: 1000,
            ..aliases
        };
        let leaves =
            Rewriting::new(settings).expand_local(&tables, &House, &aliases, &delivered, recipient).unwrap();
        leaves.iter().map(describe).collect()
    }

    fn describe(leaf: &Leaf) -> String {
        match leaf {
            Leaf::Mailbox { address, user, extension } => {
                format!("{address} -> {user} {}", extension.as_deref().unwrap_or("")).trim_end().to_owned()
            }
            Leaf::Forward { sender, recipients } => {
                format!("forward from {} to {}", sender.as_deref().unwrap_or("-"), recipients.join(" "))
            }
            Leaf::Null { address } => format!("{address} -> /dev/null"),
            Leaf::Refused { address, why } => format!("{address}: {why}"),
        }
    }

    #[test]
    fn names_lead_to_mailboxes_once() {
        assert_eq!(expand("joe+x@here.example"), ["joe+x@here.example -> joe x"]);
        assert_eq!(expand("ONE+x@here.example"), ["joe@here.example -> joe"]);
        let both = ["ann@here.example -> ann", "Joe@here.example -> joe"];
        assert_eq!(expand("two@here.example"), both);
        assert_eq!(expand("nested@here.example"), both);
        assert_eq!(expand("self@here.example"), ["self@here.example -> self", "ann@here.example -> ann"]);
        assert_eq!(expand("\\one@here.example"), ["one@here.example: unknown user: \"one\""]);
    }

    #[test]
    fn a_circle_is_refused_and_never_swallows_mail() {
        assert_eq!(expand("loop@here.example"), ["loop2@here.example: alias database loop for loop2"]);
        let half = ["joe@here.example -> joe", "half2@here.example: alias database loop for half2"];
        assert_eq!(expand("half@here.example"), half);
    }

    #[test]
    fn a_luser_relay_that_leads_back_to_the_name_says_that_it_is_unknown() {
        let aliases = AliasSettings { luser_relay: "$user+$extension".into(), ..AliasSettings::default() };
        let unknown = "nobody+x@here.example: unknown user: \"nobody\"";
        assert_eq!(expand_with(aliases, &[], "nobody+x@here.example"), [unknown]);
    }

    #[test]
    fn circles_that_cross_end() {
        // Nothing is remembered as seen, so that nothing but the limit ends it.
        let aliases = AliasSettings { duplicate_filter_limit: 1, ..AliasSettings::default() };
        let names: Vec<String> = (0..8).map(|number| format!("c{number}")).collect();
        let all = names.join(", ");
        let table: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), all.as_str())).collect();
        let aliases = AliasSettings { alias_maps: "crossed".into(), transport: "local".into(), ..aliases };
        let settings = Settings { mydestination: "h".into(), myorigin: "h".into(), ..Settings::default() };
        let tables = Memory::new().table("crossed", &table);
        let leaves = Rewriting::new(settings).expand_local(&tables, &House, &aliases, &[], "c0@h").unwrap();
        let is_circle = |leaf: &Leaf| matches!(leaf, Leaf::Refused { why: Refusal::Loop(_), .. });
        assert!(leaves.iter().any(is_circle));
        // Each alias that was followed has eight names.
        assert!(leaves.len() <= names.len() * STEP_LIMIT, "{}", leaves.len());
    }

    #[test]
    fn what_was_delivered_before_goes_nowhere_the_rest_does() {
        let aliases = AliasSettings::default;
        let joe = "joe@here.example: mail forwarding loop for joe@here.example";
        assert_eq!(
            expand_with(aliases(), &["joe@here.example"], "both@here.example"),
            [joe, "forward from - to out@elsewhere"]
        );
        assert_eq!(
            expand_with(aliases(), &["one@here.example"], "nested@here.example"),
            [
                "ann@here.example -> ann",
                "Joe@here.example -> joe",
                "one@here.example: mail forwarding loop for one@here.example"
            ]
        );
    }

    #[test]
    fn extensions_go_over_where_they_may() {
        let aliases =
            AliasSettings { propagate_alias: true, propagate_include: true, ..AliasSettings::default() };
        assert_eq!(
            expand_with(aliases.clone(), &[], "both+x@here.example"),
            ["joe+x@here.example -> joe x", "forward from - to out+x@elsewhere"]
        );
        let forward = "forward from - to ann+x@here.example joe+x@here.example out+x@elsewhere";
        assert_eq!(expand_with(aliases.clone(), &[], "inc+x@here.example")[0], forward);
        let aliases = AliasSettings { propagate_include: false, ..aliases };
        let forward = "forward from - to ann@here.example joe@here.example out@elsewhere";
        assert_eq!(expand_with(aliases, &[], "inc+x@here.example")[0], forward);
    }

    #[test]
    fn lists_and_strangers_get_a_new_message() {
        let forwarded = "forward from owner-list@here.example to joe@here.example out@elsewhere";
        assert_eq!(expand("list@here.example"), [forwarded]);
        assert_eq!(
            expand("both@here.example"),
            ["joe@here.example -> joe", "forward from - to out@elsewhere"]
        );
        let expected = [
            "forward from - to ann@here.example joe@here.example out@elsewhere",
            "inc@here.example: mail to command is restricted",
            "inc@here.example: mail to file is restricted",
        ];
        assert_eq!(expand("inc@here.example"), expected);
    }

    #[test]
    fn aliases_in_lists_are_expanded_each_for_its_own_owner() {
        let expected = [
            "forward from owner-outer@here.example to joe@here.example ann@here.example",
            "forward from owner-list@here.example to out@elsewhere",
            "null@here.example -> /dev/null",
        ];
        assert_eq!(expand("plain@here.example"), expected);
    }

    #[test]
    fn what_goes_nowhere_says_why() {
        assert_eq!(expand("nobody+x@here.example"), ["nobody+x@here.example: unknown user: \"nobody\""]);
        let mixed = ["joe@here.example -> joe", "nobody@here.example: unknown user: \"nobody\""];
        assert_eq!(expand("mixed@here.example"), mixed);
        assert_eq!(expand("Postmaster@here.example"), ["Postmaster@here.example: discarded"]);
        let empty = "empty@here.example: no recipient in alias lookup result for empty";
        assert_eq!(expand("empty@here.example"), [empty]);
        assert_eq!(expand("noinc@here.example"), ["noinc@here.example: mail system configuration error"]);
        let cmd = [
            "cmd@here.example: delivery to a command is not available in this version",
            "cmd@here.example: delivery to a file is not available in this version",
        ];
        assert_eq!(expand("cmd@here.example"), cmd);
    }
}
