//! What stands behind a name of this host: aliases(5), expanded to mailboxes, forwarded addresses and refusals.

use std::collections::HashSet;

use address::split_extension;
use lookup::{Lookup, Part, Stop};

use crate::Rewriting;
use crate::destination::Destination;
use crate::resolve::Class;
use crate::rewrite::Context;

/// Aliases behind aliases, at most.
const LEVEL_LIMIT: usize = 100;

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

/// What becomes of a part of the mail for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leaf {
    /// It goes into a user's mailbox.
    Mailbox {
        /// The address that led here.
        address: String,
        /// Login name.
        user: String,
        /// What stands behind the delimiter.
        extension: Option<String>,
    },
    /// It goes on as a new message.
    Forward {
        /// The sender from here on; none keeps the one it has.
        sender: Option<String>,
        /// To whom.
        recipients: Vec<String>,
    },
    /// It goes to /dev/null.
    Null {
        /// The address that led here.
        address: String,
    },
    /// It goes nowhere.
    Refused {
        /// The address that led here.
        address: String,
        /// Why.
        why: Refusal,
    },
}

/// Why mail goes nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No alias and no user.
    #[error("unknown user: \"{0}\"")]
    UnknownUser(String),
    /// No alias and no user, but every system must have the name: it is thrown away, with a warning.
    #[error("discarded")]
    Required(String),
    /// Aliases lead in a circle.
    #[error("alias database loop for {0}")]
    Loop(String),
    /// An `:include:` file is of no use.
    #[error("mail system configuration error")]
    Include(String),
    /// `|command` in an `:include:` file (`allow_mail_to_commands`).
    #[error("mail to command is restricted")]
    RestrictedCommand,
    /// `/file` in an `:include:` file (`allow_mail_to_files`).
    #[error("mail to file is restricted")]
    RestrictedFile,
    /// `|command`
    #[error("delivery to a command is not available in this version")]
    Command,
    /// `/file`
    #[error("delivery to a file is not available in this version")]
    File,
    /// The user database does not answer.
    #[error("user lookup error")]
    UserLookup,
}

struct Expansion<'a> {
    rewriting: &'a Rewriting,
    settings: &'a AliasSettings,
    tables: &'a dyn Lookup,
    surroundings: &'a dyn Surroundings,
    seen: HashSet<String>,
    /// The aliases that are being followed, the outermost first.
    chain: Vec<String>,
    leaves: Vec<Leaf>,
}

/// How one got to a name.
#[derive(Clone, Copy)]
struct Path<'a> {
    /// Mail goes on as a new message, from the owner of a list where there is one.
    forward: Option<Option<&'a str>>,
    in_include: bool,
}

impl Rewriting {
    /// Expands a recipient of the local class.
    ///
    /// # Errors
    /// [`Stop`]: a table does not answer.
    pub fn expand_local(
        &self,
        tables: &dyn Lookup,
        surroundings: &dyn Surroundings,
        settings: &AliasSettings,
        recipient: &str,
    ) -> Result<Vec<Leaf>, Stop> {
        let mut expansion = Expansion {
            rewriting: self,
            settings,
            tables,
            surroundings,
            seen: HashSet::new(),
            chain: Vec::new(),
            leaves: Vec::new(),
        };
        let start = Path { forward: None, in_include: false };
        expansion.name(recipient, start)?;
        Ok(expansion.leaves)
    }

    fn delimiters(&self) -> &str {
        &self.settings().recipient_delimiter
    }
}

impl Expansion<'_> {
    /// A name of this host: an alias, with its extension or without, or a user.
    fn name(&mut self, address: &str, path: Path<'_>) -> Result<(), Stop> {
        let local = address.rsplit_once('@').map_or(address, |(local, _)| local).to_lowercase();
        let (no_alias, local) = match local.strip_prefix('\\') {
            Some(rest) => (true, rest.to_owned()),
            None => (false, local),
        };
        let (base, extension) = self.split(&local);
        if !no_alias && self.one_alias(address, [Some(&local), extension.and(Some(base))], path)? {
            return Ok(());
        }
        self.user(address, &local, base, extension, path)
    }

    /// Follows the alias that has the first of these names; false when none has.
    fn one_alias(&mut self, address: &str, names: [Option<&str>; 2], path: Path<'_>) -> Result<bool, Stop> {
        for name in names.into_iter().flatten() {
            if self.chain.last().is_none_or(|last| last != name) && self.alias(address, name, path)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// An alias among those that get a new message: its members stand there instead.
    fn nested(&mut self, address: &str, path: Path<'_>) -> Result<bool, Stop> {
        let local = address.rsplit_once('@').map_or(address, |(local, _)| local).to_lowercase();
        let (base, extension) = self.split(&local);
        self.one_alias(address, [Some(&local), extension.and(Some(base))], path)
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
        let Some(found) = self.tables.find(&self.settings.alias_maps, name, Part::Whole)? else {
            return Ok(false);
        };
        if self.chain.len() >= LEVEL_LIMIT || self.chain.iter().any(|outer| outer == name) {
            self.refuse(address, Refusal::Loop(name.to_owned()))?;
            return Ok(true);
        }
        if !self.is_new(&format!("alias {name}")) {
            return Ok(true);
        }
        let owner = self.owner(name)?;
        let forward = match (&owner, path.forward) {
            (Some(owner), _) => Some(Some(owner.as_str())),
            (None, before) => before,
        };
        self.chain.push(name.to_owned());
        let followed = self.destinations(address, &found.value, Path { forward, in_include: false });
        self.chain.pop();
        followed.map(|()| true)
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

    fn destinations(&mut self, name: &str, list: &str, path: Path<'_>) -> Result<(), Stop> {
        for destination in Destination::parse_list(list) {
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
        Ok(())
    }

    fn include(&mut self, name: &str, file: &str, path: Path<'_>) -> Result<(), Stop> {
        match self.surroundings.include(file) {
            Ok(text) => {
                let forward = Some(path.forward.flatten());
                let path = Path { forward, in_include: true };
                let lines = text.lines().filter(|line| !line.starts_with('#'));
                lines.into_iter().try_for_each(|line| self.destinations(name, line, path))
            }
            Err(warning) => self.refuse(name, Refusal::Include(warning)),
        }
    }

    fn address(&mut self, address: &str, path: Path<'_>) -> Result<(), Stop> {
        let (backslash, bare) = match address.strip_prefix('\\') {
            Some(rest) => ("\\", rest),
            None => ("", address),
        };
        let full = self.rewriting.rewrite(bare, Context::Local);
        let resolved = self.rewriting.resolve(self.tables, "", &full)?;
        let here = resolved.class == Class::Local && resolved.transport == self.settings.transport;
        match path.forward {
            None if here => self.name(&format!("{backslash}{full}"), path),
            Some(_) if here && backslash.is_empty() && self.nested(&full, path)? => Ok(()),
            sender => {
                if self.is_new(&format!("forward {}", full.to_lowercase())) {
                    self.forward(sender.flatten(), full);
                }
                Ok(())
            }
        }
    }

    /// Addresses that get the mail from the same sender share a message.
    fn forward(&mut self, sender: Option<&str>, address: String) {
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
        if !self.is_new(&format!("user {base}")) {
            return Ok(());
        }
        match self.surroundings.has_user(base) {
            Some(true) => {
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
        if !relay.is_empty() && self.is_new("luser_relay") {
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
            return self.destinations(address, &list, path);
        }
        let why = match base {
            "postmaster" | "mailer-daemon" => Refusal::Required(base.to_owned()),
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

/// Puts values in the place of `$name` and `${name}`; names that are not known stay.
pub fn fill_in(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (name, after) = match rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some(pair) => pair,
            None => {
                let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
                rest.split_at(rest.find(|character| !is_name(character)).unwrap_or(rest.len()))
            }
        };
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => {
                out.push_str(value);
                rest = after;
            }
            None => out.push('$'),
        }
    }
    out + rest
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

    const ALIASES: [(&str, &str); 19] = [
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
            ..AliasSettings::default()
        };
        let leaves = Rewriting::new(settings).expand_local(&tables, &House, &aliases, recipient).unwrap();
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
        assert_eq!(expand("loop@here.example"), ["loop@here.example: alias database loop for loop"]);
        let half = ["joe@here.example -> joe", "half@here.example: alias database loop for half"];
        assert_eq!(expand("half@here.example"), half);
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
        assert_eq!(expand("noinc@here.example"), ["noinc@here.example: mail system configuration error"]);
        let cmd = [
            "cmd@here.example: delivery to a command is not available in this version",
            "cmd@here.example: delivery to a file is not available in this version",
        ];
        assert_eq!(expand("cmd@here.example"), cmd);
    }

    #[test]
    fn dollar_names_are_filled_in() {
        let values = [("user", "joe"), ("extension", "x")];
        assert_eq!(fill_in("a+$user.${extension}@h $other $", &values), "a+joe.x@h $other $");
    }
}
