//! What databases write differently.

use std::collections::BTreeMap;
use std::fmt::Write;

use databases::{Connection, Kind};
use spam::learned::{Class, Token, TokenCounts};

/// Characters of a message's id (`varchar(200)`).
const ID_LIMIT: usize = 200;

/// Bytes of a token as a literal. The original has them as text in SQLite, where text and bytes are never the same.
fn token(kind: Kind, token: &Token) -> String {
    let hex = hex(token);
    match kind {
        Kind::MySql => format!("x'{hex}'"),
        Kind::Postgres => format!("decode('{hex}', 'hex')"),
        Kind::Sqlite => format!("cast(x'{hex}' as text)"),
    }
}

/// Tokens as `IN` has them.
pub(super) fn tokens(kind: Kind, tokens: &[Token]) -> String {
    let all: Vec<String> = tokens.iter().map(|one| token(kind, one)).collect();
    all.join(", ")
}

/// The column of a token as hexadecimal digits.
pub(super) fn token_column(kind: Kind) -> &'static str {
    match kind {
        Kind::MySql | Kind::Sqlite => "hex(token)",
        Kind::Postgres => "encode(token, 'hex')",
    }
}

/// Reads what [`token_column`] gives.
pub(super) fn token_of(text: &str) -> Option<Token> {
    let mut token = Token::default();
    if text.len() != 2 * token.len() || !text.is_ascii() {
        return None;
    }
    for (index, byte) in token.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(token)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// How a transaction begins that will write.
pub(super) fn begin(kind: Kind) -> &'static str {
    match kind {
        Kind::MySql | Kind::Postgres => "begin",
        Kind::Sqlite => "begin immediate",
    }
}

/// Puts tokens in, each once, and adds to the counts of those that are there.
pub(super) fn put_tokens(kind: Kind, id: i64, rows: &[(Token, TokenCounts)]) -> String {
    let values: Vec<String> = rows
        .iter()
        .map(|(name, counts)| {
            format!("({id}, {}, {}, {}, {})", token(kind, name), counts.spam, counts.ham, counts.used)
        })
        .collect();
    let meets = match kind {
        Kind::MySql => {
            "on duplicate key update spam_count = greatest(spam_count, 0) + values(spam_count), \
             ham_count = greatest(ham_count, 0) + values(ham_count), atime = greatest(atime, values(atime))"
        }
        Kind::Postgres => {
            "on conflict (id, token) do update set spam_count = greatest(bayes_token.spam_count, 0) + excluded.spam_count, \
             ham_count = greatest(bayes_token.ham_count, 0) + excluded.ham_count, \
             atime = greatest(bayes_token.atime, excluded.atime) returning case when xmax = 0 then 1 else 0 end"
        }
        Kind::Sqlite => {
            "on conflict (id, token) do update set spam_count = max(spam_count, 0) + excluded.spam_count, \
             ham_count = max(ham_count, 0) + excluded.ham_count, atime = max(atime, excluded.atime)"
        }
    };
    format!(
        "insert into bayes_token (id, token, spam_count, ham_count, atime) values {} {meets}",
        values.join(", ")
    )
}

/// Remembers messages: their ids, and the letters of what they were learned as.
pub(super) fn put_messages(connection: &Connection, id: i64, messages: &BTreeMap<String, Class>) -> String {
    let values: Vec<String> = messages
        .iter()
        .map(|(message, class)| format!("({id}, {}, '{}')", message_id(connection, message), class.letter()))
        .collect();
    let meets = match connection.kind() {
        Kind::MySql => "on duplicate key update flag = values(flag)",
        Kind::Postgres | Kind::Sqlite => "on conflict (id, msgid) do update set flag = excluded.flag",
    };
    format!("insert into bayes_seen (id, msgid, flag) values {} {meets}", values.join(", "))
}

/// A message's id as a literal. What is longer than the column is known by its beginning.
pub(super) fn message_id(connection: &Connection, message: &str) -> String {
    connection.quoted(&kept(message))
}

/// What the column holds of a message's id.
pub(super) fn kept(message: &str) -> String {
    message.chars().take(ID_LIMIT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_literals_of_each_kind() {
        let pair = [[0, 1, 2, 3, 255], *b"o'x\\\0"];
        assert_eq!(tokens(Kind::MySql, &pair), "x'00010203ff', x'6f27785c00'");
        assert_eq!(tokens(Kind::Postgres, &pair[..1]), "decode('00010203ff', 'hex')");
        assert_eq!(tokens(Kind::Sqlite, &pair[..1]), "cast(x'00010203ff' as text)");
        assert_eq!(token_of("00010203FF"), Some(pair[0]));
        assert_eq!((token_of("0001"), token_of("000102030g")), (None, None));
    }
}
