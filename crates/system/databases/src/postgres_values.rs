//! Values of PostgreSQL: texts go there, so that the server reads them as the type that it expects.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::Row;
use tokio_postgres::types::{Format, FromSql, IsNull, ToSql, Type};

use crate::value::Value;

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Self::Real(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Self::Text(text) if *kind == Type::BYTEA => {
                out.extend_from_slice(hexadecimal(text.as_bytes()).as_bytes())
            }
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
            Self::Bytes(bytes) if *kind == Type::BYTEA => {
                out.extend_from_slice(hexadecimal(bytes).as_bytes())
            }
            Self::Bytes(bytes) => out.extend_from_slice(bytes),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    fn to_sql_checked(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.to_sql(kind, out)
    }
}

/// Bytes as the type `bytea` writes them.
fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("\\x");
    bytes.iter().for_each(|byte| text.push_str(&format!("{byte:02x}")));
    text
}

/// What came, as bytes of its type; NULL is none.
struct Raw(Option<Vec<u8>>);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Some(raw.to_vec())))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// The value of a column. A type that is none of numbers, texts and bytes comes as the bytes in which the server sends it: a
/// statement that wants its text says so (`cast(x as text)`).
pub(crate) fn value(row: &Row, at: usize) -> Value {
    let kind = row.columns()[at].type_().clone();
    let Ok(Raw(Some(raw))) = row.try_get::<_, Raw>(at) else { return Value::Null };
    let whole = |kept: Option<i64>| kept.map_or_else(|| Value::Bytes(raw.clone()), Value::Integer);
    match kind {
        Type::INT2 => whole(raw.as_slice().try_into().ok().map(i16::from_be_bytes).map(i64::from)),
        Type::INT4 => whole(raw.as_slice().try_into().ok().map(i32::from_be_bytes).map(i64::from)),
        Type::OID => whole(raw.as_slice().try_into().ok().map(u32::from_be_bytes).map(i64::from)),
        Type::INT8 => whole(raw.as_slice().try_into().ok().map(i64::from_be_bytes)),
        Type::BOOL => whole(raw.first().map(|byte| i64::from(*byte))),
        Type::FLOAT4 => real(raw.as_slice().try_into().ok().map(f32::from_be_bytes).map(shortest), raw),
        Type::FLOAT8 => real(raw.as_slice().try_into().ok().map(f64::from_be_bytes), raw),
        Type::BYTEA => Value::Bytes(raw),
        _ => Value::of_bytes(raw),
    }
}

fn real(number: Option<f64>, raw: Vec<u8>) -> Value {
    number.map_or(Value::Bytes(raw), Value::Real)
}

/// The number that the server shows for one of 32 bits.
fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

/// A literal. With a backslash in it it says so itself, whatever the server is told about them (`standard_conforming_strings`).
pub(crate) fn quoted(text: &str) -> String {
    let text = text.replace('\'', "''");
    if text.contains('\\') { format!(" E'{}'", text.replace('\\', "\\\\")) } else { format!("'{text}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_bytes() {
        assert_eq!(quoted("o'x"), "'o''x'");
        assert_eq!(quoted("a\\'b"), " E'a\\\\''b'");
        assert_eq!(hexadecimal(&[0, 255]), "\\x00ff");
    }
}
