//! Values that are names of files, whose content counts (`postmap -F`).

use crate::trouble::reason;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Base64 (RFC 4648 §4), in which the content is stored. As in Postfix, bits that fill the last digit may be any.
pub(crate) const CODE: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// Why the files could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FileValueError(String);

/// The content of the files named in `names` (separated by commas or white space), with a newline between two of
/// them, in base64.
pub(crate) fn content_in_base64(names: &[u8]) -> Result<Vec<u8>, FileValueError> {
    let mut content = Vec::new();
    let separates = |byte: &u8| *byte == b',' || byte.is_ascii_whitespace();
    let mut names_found = names.split(separates).filter(|name| !name.is_empty()).peekable();
    if names_found.peek().is_none() {
        return Err(FileValueError(format!("empty pathname list: >>{}<<'", String::from_utf8_lossy(names))));
    }
    for (count, name) in names_found.enumerate() {
        if count > 0 {
            content.push(b'\n');
        }
        let path = Path::new(std::ffi::OsStr::from_bytes(name));
        content.extend_from_slice(&std::fs::read(path).map_err(|error| {
            let verb = if error.kind() == std::io::ErrorKind::IsADirectory { "read" } else { "open" };
            FileValueError(format!("{verb} {}: {}", path.display(), reason(&error)))
        })?);
    }
    Ok(CODE.encode(content).into_bytes())
}
