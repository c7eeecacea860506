//! A whole command (RFC 3501 §9).

use crate::parse::{Cursor, Parsed, Refusal};
use crate::types::Command;

/// Bytes of a tag.
const TAG_LIMIT_BYTES: usize = 128;

/// command = tag SP (command-any / command-auth / command-nonauth / command-select): the tag, the name in upper case
/// (`UID` with the word behind it), and where the arguments begin.
pub(crate) fn tag_and_name(line: &[u8]) -> Parsed<(String, String, usize)> {
    let mut cursor = Cursor::new(line, false);
    // tag = 1*<any ASTRING-CHAR except "+">
    let tag = cursor.run(|byte| crate::types::is_astring(byte) && byte != b'+');
    if tag.is_empty() || tag.len() > TAG_LIMIT_BYTES {
        return Err(Refusal::new("Invalid tag"));
    }
    let tag = shown_tag(tag);
    let mut name = String::new();
    if cursor.take(b' ') {
        name = cursor.word().unwrap_or_default();
        if name == "UID" && cursor.take(b' ') {
            let what = cursor.word().unwrap_or_default();
            name = format!("UID {what}");
        }
    }
    let at = line.len() - cursor.rest().len();
    Ok((tag, name, at))
}

fn shown_tag(tag: &[u8]) -> String {
    tag.iter().copied().map(char::from).collect()
}

/// The command `name` with what stands behind its name.
pub(crate) fn command(name: &str, arguments: &[u8], utf8: bool) -> Parsed<Command> {
    let mut cursor = Cursor::new(arguments, utf8);
    named(name, &mut cursor)
}

fn named(name: &str, cursor: &mut Cursor<'_>) -> Parsed<Command> {
    match name {
        "LOGIN" => cursor.login(),
        "AUTHENTICATE" => cursor.authenticate(),
        "ID" => cursor.id(),
        "ENABLE" => cursor.enable(),
        "SELECT" => cursor.select(false),
        "EXAMINE" => cursor.select(true),
        "CREATE" => cursor.create(),
        "DELETE" => cursor.one_mailbox().map(Command::Delete),
        "RENAME" => cursor.rename(),
        "SUBSCRIBE" => cursor.one_mailbox().map(Command::Subscribe),
        "UNSUBSCRIBE" => cursor.one_mailbox().map(Command::Unsubscribe),
        "LIST" => cursor.list_command(),
        "LSUB" => cursor.lsub(),
        "STATUS" => cursor.status(),
        "CANCELUPDATE" => cursor.cancel_update(),
        "GETMETADATA" => cursor.get_metadata(),
        "SETMETADATA" => cursor.set_metadata(),
        "SETACL" => cursor.set_acl(),
        "DELETEACL" => cursor.delete_acl(),
        "GETACL" => cursor.one_mailbox().map(Command::GetAcl),
        "LISTRIGHTS" => cursor.list_rights(),
        "MYRIGHTS" => cursor.one_mailbox().map(Command::MyRights),
        "NOTIFY" => cursor.notify(),
        "COMPRESS" => cursor.compress(),
        "GETQUOTA" => cursor.get_quota(),
        "GETQUOTAROOT" => cursor.one_mailbox().map(Command::GetQuotaRoot),
        _ => on_messages(name, cursor),
    }
}

fn on_messages(name: &str, cursor: &mut Cursor<'_>) -> Parsed<Command> {
    let (uid, verb) = name.strip_prefix("UID ").map_or((false, name), |verb| (true, verb));
    match verb {
        "SEARCH" => cursor.search(uid),
        "SORT" => cursor.sort(uid),
        "THREAD" => cursor.thread(uid),
        "FETCH" => cursor.fetch(uid),
        "STORE" => cursor.store(uid),
        "COPY" => cursor.copy(uid, false),
        "MOVE" => cursor.copy(uid, true),
        "EXPUNGE" if uid => {
            cursor.space()?;
            let set = cursor.sequence_set()?;
            cursor.end()?;
            Ok(Command::Expunge(Some(set)))
        }
        _ => bare(name),
    }
}

/// Commands without arguments. What stands behind them is passed over, as Dovecot does.
fn bare(name: &str) -> Parsed<Command> {
    Ok(match name {
        "CAPABILITY" => Command::Capability,
        "NOOP" => Command::Noop,
        "LOGOUT" => Command::Logout,
        "STARTTLS" => Command::StartTls,
        "NAMESPACE" => Command::Namespace,
        "IDLE" => Command::Idle,
        "CHECK" => Command::Check,
        "CLOSE" => Command::Close,
        "UNSELECT" => Command::Unselect,
        "EXPUNGE" => Command::Expunge(None),
        _ => return Err(Refusal::new("Unknown command")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(line: &str) -> Parsed<Command> {
        let (_, name, at) = tag_and_name(line.as_bytes())?;
        command(&name, &line.as_bytes()[at..], false)
    }

    #[test]
    fn commands_have_their_names() {
        for (line, name) in [
            ("a NOOP", "NOOP"),
            ("a noop x", "NOOP"),
            ("a uid fetch 1:* (flags)", "FETCH"),
            ("a FETCH 1 BODY[HEADER.FIELDS (A {3+}\r\nb c)]", "FETCH"),
            ("a UID EXPUNGE 3", "EXPUNGE"),
            ("a STORE 1 (UNCHANGEDSINCE 5) +FLAGS.SILENT (\\Seen)", "STORE"),
            ("a STORE 1 FLAGS \\Seen kw", "STORE"),
            ("a SELECT x (QRESYNC (1 2 1:3 (1,2 3,4)))", "SELECT"),
            ("a SELECT x (CONDSTORE)", "SELECT"),
            ("a LIST (SUBSCRIBED) \"\" (a* b) RETURN (CHILDREN STATUS (MESSAGES))", "LIST"),
            ("a SEARCH RETURN (MIN COUNT) OR (ALL) NOT 1:*", "SEARCH"),
            ("a SEARCH RETURN (COUNT UPDATE (UID FLAGS)) ALL", "SEARCH"),
            ("a UID SORT RETURN (UPDATE(UID) ALL) (DATE) UTF-8 ALL", "SORT"),
            ("a SORT (REVERSE DATE SUBJECT) UTF-8 ALL", "SORT"),
            ("a THREAD REFS US-ASCII ALL", "THREAD"),
            ("a CREATE x (USE (\\Sent))", "CREATE"),
            ("a GETACL x", "GETACL"),
            ("a DELETEACL x -y", "DELETEACL"),
            ("a LISTRIGHTS x \"\"", "LISTRIGHTS"),
            ("a MYRIGHTS x", "MYRIGHTS"),
            ("a ID (\"name\" NIL)", "ID"),
            ("a AUTHENTICATE PLAIN =", "AUTHENTICATE"),
            ("a NOTIFY SET (personal (MailboxName))", "NOTIFY"),
        ] {
            assert_eq!(parse(line).map(|command| command.name()), Ok(name), "{line}");
        }
    }

    #[test]
    fn errors_are_named_as_dovecot_names_them() {
        for (line, text) in [
            ("a FOO", "Unknown command"),
            ("a FETCH 0 FLAGS", "Invalid messageset"),
            ("a FETCH 1 FOO", "Unknown parameter: FOO"),
            ("a FETCH 1 ()", "FETCH list is empty"),
            ("a FETCH 1 BODY[FOO]", "Invalid BODY[..] section"),
            ("a STORE 1 FLAGS (\\Foo)", "Invalid system flag \\FOO"),
            ("a SEARCH", "Missing search parameters"),
            ("a SEARCH FOO", "Unknown argument FOO"),
            ("a SEARCH (ALL", "Missing ')'"),
            ("a SEARCH OR ALL", "Missing argument"),
            ("a STATUS x (FOO)", "Invalid status item FOO"),
            ("+ NOOP", "Invalid tag"),
        ] {
            assert_eq!(
                parse(line).map_err(|refusal| refusal.text.into_owned()),
                Err(text.to_owned()),
                "{line}"
            );
        }
    }

    #[test]
    fn nesting_is_bounded() {
        for line in [
            format!("a SEARCH {}ALL", "NOT ".repeat(7000)),
            format!("a SEARCH {}ALL{}", "(".repeat(8000), ")".repeat(8000)),
            format!("a SEARCH {}ALL", "OR ALL ".repeat(7000)),
        ] {
            assert!(parse(&line).is_err());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok((_, name, at)) = tag_and_name(&bytes) {
                let _ = command(&name, &bytes[at..], true);
            }
        }

        #[test]
        fn words_of_the_grammar_in_any_order_are_read(words in prop::collection::vec(prop::sample::select(vec![
            "(", ")", " ", "1", "*", ":", ",", "BODY", "[", "]", "<", ">", "HEADER.FIELDS", "\"", "\\", "{1}\r\na", "NOT",
            "OR", "RETURN", "SET", "SELECTED", "MessageNew", "MessageExpunge", "ALL", "UID", "FLAGS", "+", "$", "CATENATE", "MODSEQ", "\0", "\u{e9}", "NIL", "-", ".", "4294967296",
        ]), 0..30), verb in prop::sample::select(vec![
            "FETCH", "UID FETCH", "STORE", "SEARCH", "SORT", "LIST", "SELECT", "ID", "STATUS", "CREATE", "LOGIN", "THREAD", "NOTIFY", "SETACL", "DELETEACL", "LISTRIGHTS",
        ])) {
            let _ = command(verb, words.concat().as_bytes(), false);
            let _ = append_begin(words.concat().as_bytes());
        }
    }

    fn append_begin(bytes: &[u8]) -> bool {
        crate::parse::upload_begin("APPEND", bytes, false).is_ok()
    }
}
