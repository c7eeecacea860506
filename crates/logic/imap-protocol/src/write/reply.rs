//! Status responses (RFC 3501 §7.1).

use crate::types::{Code, Condition, EventName, Feature, Flags, Reply};
use crate::write::Out;

impl Out {
    /// `tag OK [code] text`
    pub fn tagged(&mut self, tag: &str, reply: &Reply) {
        self.text(tag);
        self.status(reply);
    }

    /// `* OK [code] text`
    pub fn untagged(&mut self, reply: &Reply) {
        self.text("*");
        self.status(reply);
    }

    /// `* BYE text`
    pub fn bye(&mut self, text: &str) {
        self.format(format_args!("* BYE {}\r\n", crate::types::Text::new(text.to_owned()).as_str()));
    }

    fn status(&mut self, reply: &Reply) {
        self.text(match reply.condition {
            Condition::Ok => " OK ",
            Condition::No => " NO ",
            Condition::Bad => " BAD ",
        });
        if let Some(code) = &reply.code {
            self.text("[");
            self.code(code);
            self.text("] ");
        }
        self.text(reply.text.as_str());
        self.text("\r\n");
    }

    fn code(&mut self, code: &Code) {
        match code {
            Code::BadEvent(known) => {
                let names = EventName::ALL.iter().filter(|(event, _)| known.contains(event));
                let names: Vec<&str> = names.map(|(_, name)| *name).collect();
                self.format(format_args!("BADEVENT ({})", names.join(" ")));
            }
            Code::BadUrl(url) => {
                let clean: String =
                    url.chars().filter(|letter| matches!(letter, '!'..='~') && *letter != ']').collect();
                self.format(format_args!("BADURL {clean}"));
            }
            Code::Capability(capabilities) => {
                self.text("CAPABILITY");
                for capability in capabilities {
                    self.format(format_args!(" {}", capability.as_str()));
                }
            }
            Code::HighestModSeq(modseq) => self.format(format_args!("HIGHESTMODSEQ {modseq}")),
            Code::InProgress(tag) => {
                self.text("INPROGRESS (");
                self.string(tag.as_bytes());
                // How much is done, and of how much, nobody knows.
                self.text(" NIL NIL)");
            }
            Code::MetadataLongEntries(bytes) => self.format(format_args!("METADATA LONGENTRIES {bytes}")),
            Code::MetadataMaxSize(bytes) => self.format(format_args!("METADATA MAXSIZE {bytes}")),
            Code::Modified(numbers) => self.format(format_args!("MODIFIED {numbers}")),
            Code::NoUpdate(tag) => {
                self.text("NOUPDATE ");
                self.string(tag.as_bytes());
            }
            Code::PermanentFlags(flags, more) => {
                self.text("PERMANENTFLAGS ");
                self.flag_list(flags, false, *more);
            }
            Code::UidNext(uid) => self.format(format_args!("UIDNEXT {uid}")),
            Code::UidValidity(validity) => self.format(format_args!("UIDVALIDITY {validity}")),
            Code::Unseen(number) => self.format(format_args!("UNSEEN {number}")),
            Code::AppendUid { uid_validity, uids } => {
                self.format(format_args!("APPENDUID {uid_validity} {uids}"))
            }
            Code::CopyUid { uid_validity, from, to } => {
                self.format(format_args!("COPYUID {uid_validity} {from} {to}"));
            }
            Code::MailboxId(id) => self.format(format_args!("MAILBOXID ({id})")),
            other => self.text(word(other)),
        }
    }

    /// `(\Seen kw)`, with `\Recent` in front of the keywords, and `\*` behind them.
    pub(crate) fn flag_list(&mut self, flags: &Flags, recent: bool, more: bool) {
        self.text("(");
        let system = flags.iter().filter(|flag| flag.as_str().starts_with('\\')).map(|flag| flag.as_str());
        let keywords = flags.iter().filter(|flag| !flag.as_str().starts_with('\\')).map(|flag| flag.as_str());
        let recent = recent.then_some("\\Recent");
        let more = more.then_some("\\*");
        for (place, name) in system.chain(recent).chain(keywords).chain(more).enumerate() {
            if place > 0 {
                self.text(" ");
            }
            self.text(name);
        }
        self.text(")");
    }

    /// `* FLAGS (...)`
    pub fn flags(&mut self, flags: &Flags) {
        self.text("* FLAGS ");
        self.flag_list(flags, false, false);
        self.text("\r\n");
    }

    /// `* ENABLED ...` (RFC 5161 §3.2)
    pub fn enabled(&mut self, features: &[Feature]) {
        self.text("* ENABLED");
        for feature in features {
            self.text(" ");
            self.text(feature.name());
        }
        self.text("\r\n");
    }

    /// `* ID (...)` (RFC 2971 §3.2)
    pub fn id(&mut self, pairs: &[(&str, &str)]) {
        self.text("* ID ");
        if pairs.is_empty() {
            self.text("NIL");
        } else {
            for (place, (name, value)) in pairs.iter().enumerate() {
                self.text(if place == 0 { "(" } else { " " });
                self.string(name.as_bytes());
                self.text(" ");
                self.string(value.as_bytes());
            }
            self.text(")");
        }
        self.text("\r\n");
    }

    /// `* n EXISTS`
    pub fn exists(&mut self, count: usize) {
        self.format(format_args!("* {count} EXISTS\r\n"));
    }

    /// `* n RECENT`
    pub fn recent(&mut self, count: usize) {
        self.format(format_args!("* {count} RECENT\r\n"));
    }

    /// `* n EXPUNGE`
    pub fn expunge(&mut self, number: u32) {
        self.format(format_args!("* {number} EXPUNGE\r\n"));
    }

    /// `* VANISHED uids` (RFC 7162 §3.2.10)
    pub fn vanished(&mut self, earlier: bool, uids: &crate::types::Numbers) {
        let earlier = if earlier { "(EARLIER) " } else { "" };
        self.format(format_args!("* VANISHED {earlier}{uids}\r\n"));
    }
}

/// Codes of one word.
fn word(code: &Code) -> &'static str {
    match code {
        Code::Alert => "ALERT",
        Code::AlreadyExists => "ALREADYEXISTS",
        Code::AuthenticationFailed => "AUTHENTICATIONFAILED",
        Code::BadCharset => "BADCHARSET",
        Code::Cannot => "CANNOT",
        Code::ClientBug => "CLIENTBUG",
        Code::Closed => "CLOSED",
        Code::CompressionActive => "COMPRESSIONACTIVE",
        Code::Expired => "EXPIRED",
        Code::ExpungeIssued => "EXPUNGEISSUED",
        Code::InUse => "INUSE",
        Code::Limit => "LIMIT",
        Code::MetadataTooMany => "METADATA TOOMANY",
        Code::NonExistent => "NONEXISTENT",
        Code::NoModSeq => "NOMODSEQ",
        Code::NoPerm => "NOPERM",
        Code::NotificationOverflow => "NOTIFICATIONOVERFLOW",
        Code::NotSaved => "NOTSAVED",
        Code::OverQuota => "OVERQUOTA",
        Code::PrivacyRequired => "PRIVACYREQUIRED",
        Code::ReadOnly => "READ-ONLY",
        Code::ReadWrite => "READ-WRITE",
        Code::TooBig => "TOOBIG",
        Code::TryCreate => "TRYCREATE",
        Code::Unavailable => "UNAVAILABLE",
        Code::UnknownCte => "UNKNOWN-CTE",
        Code::UseAttr => "USEATTR",
        _ => "SERVERBUG",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Flag, Keyword};

    #[test]
    fn replies_stand_on_one_line() {
        let mut out = Out::default();
        out.tagged("a1", &Reply::no("nosuch\r\n* BYE").with(Code::TryCreate));
        let flags: Flags = [Flag::Keyword(Keyword::new(b"kw").unwrap()), Flag::Seen].into_iter().collect();
        out.untagged(&Reply::ok("Flags permitted.").with(Code::PermanentFlags(flags.clone(), true)));
        out.flags(&flags);
        out.id(&[("name", "Pillarbox")]);
        assert_eq!(
            String::from_utf8(out.into_bytes()).unwrap(),
            "a1 NO [TRYCREATE] nosuch  * BYE\r\n* OK [PERMANENTFLAGS (\\Seen kw \\*)] Flags permitted.\r\n\
             * FLAGS (\\Seen kw)\r\n* ID (\"name\" \"Pillarbox\")\r\n"
        );
    }
}
