//! Defaults that Postfix has made safer since 3.7.
//!
//! `postconf -d` prints the defaults of 3.7.11, which the table holds. The daemons use these instead where
//! main.cf says nothing. Each is listed in `tests/differences.md` with the line that brings the old one back.

/// Name, safer default, and the version of Postfix that has it.
pub static SAFER_DEFAULTS: &[(&str, &str, &str)] = &[
    // A message with bare line feeds could smuggle a second message past the server (CVE-2023-51764).
    ("smtpd_forbid_bare_newline", "normalize", "3.9"),
    // Commands sent before the server has answered are what smuggling and spam software do.
    ("smtpd_forbid_unauth_pipelining", "yes", "3.9"),
];

/// The safer default of a parameter, if it has one.
pub(crate) fn safer_default(name: &str) -> Option<&'static str> {
    SAFER_DEFAULTS.iter().find(|(safer, ..)| *safer == name).map(|(_, default, _)| *default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::declared;

    #[test]
    fn safer_defaults_differ_from_the_table() {
        for (name, default, _) in SAFER_DEFAULTS {
            assert!(declared(name).is_some_and(|known| known.default != *default), "{name}");
        }
    }
}
