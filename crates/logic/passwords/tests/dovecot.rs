//! Passwords that Dovecot 2.3 (`doveadm pw -u tim@example.com`) and libxcrypt made of `sécret`.

use passwords::{MAKEABLE, SALT_BYTES, Scheme, Stored, Unusable, make};
use sasl::Mechanism;

const LOGIN: &str = "tim@example.com";
const PASSWORD: &str = "sécret";

const MADE: &[&str] = &[
    "{PLAIN}sécret",
    "sécret",
    "{CRYPT}$2y$05$7lMEzx5dUhPhZuQK.Gw5uu5CtqbaJ4I.L8LtqDdofUqz3ObSKp8qG",
    "{BLF-CRYPT}$2y$05$xBonXztBRQ6R/AQZi9I8TeEJKferqQrImlgp9anqhceTrA5buuTRa",
    "{SHA512-CRYPT}$6$6LcgyBg4Amom.xqF$72QG4lO5nMB7qC37rYIaBwoRIz38l4zcNkxEC5RtlbbxasKF4qR8L/UJwvrx5dQl4Z4G9keLN3eFrez3b.sXk0",
    "{SHA256-CRYPT}$5$UWbwjpWYM.8M5hmp$xALGHqDFrV/jUSmGrWFIucjh.eFLd2ois4Nt22ubW24",
    "{MD5-CRYPT}$1$G0RcrTFX$XcInEWKvSqGWvtmFH4XcA/",
    "{CRAM-MD5}ba214f81cb54a750cbe918fae06b7de5af422cdbad3755a209c38127a2b7f473",
    "{DIGEST-MD5}6ac7f2b49b27b0e48c8eac7987eba498",
    "{SCRAM-SHA-1}4096,ZFojN/ZFLfdXlnBXzc6ExQ==,sA47E9sc8zuJfJ92TAUPdkP6038=,qAz/UPMafawYPw0fS8OYH8ZIciw=",
    "{SCRAM-SHA-256}4096,rkWt/tyFZ1rgIFDpbzKCXQ==,myzGPdPyYGuie29IrlWltJDEDxdaY1MN/LRjBnliJQw=,O0up2v1sFqtOdU/UxniA3Ma2vmqd/qkWdLDeBsZnP9Y=",
    "{PBKDF2}$1$Jb3LgBGV8G/R8YJU$5000$43569d56ee137f2f00875ee2448ca4ddf2197ba0",
    "{PLAIN-MD5}e6a0d5dd68c8cad86d2b5deffcf914de",
    "{LDAP-MD5}5qDV3WjIythtK13v/PkU3g==",
    "{SMD5}6P30V0wiZtf2YSySUWeV/kLxS1g=",
    "{SHA}4NPDM/3N1xhO4z/lGdXdb9NzViA=",
    "{SHA1}4NPDM/3N1xhO4z/lGdXdb9NzViA",
    "{SSHA}tFLrDm6LNR022rkklxJ+jpEf9TGPmtqz",
    "{SHA256}llkpd1qkbxBf3iG/ue1tc/8BPDCeAZJOPeNJSsv2NNQ=",
    "{SSHA256}QMbeEeX5H/nIhsOa1GBZQIBRqKRnCyv0Dun7cB4cxSKsMGLr",
    "{SHA512}oEMGAZ++NNVVtXqk7aZy59nyknw+nvtjMrtlgEbrM78DKoj8fZ3BUMGTd7X9eVQPBQgyUqI4K7fg226MclNYuA==",
    "{SSHA512}oz2/VX7vPltnC4mwoDcH0AfA9c7+qh4GdT+/liNwnXQBAFW6wzm7sLEhPJ5czfVENOKtMGiqkqGwPwTmxhrTbFj397w=",
    "{SSHA512.HEX}389232dc35c857bf21ff31d0a6e93c29a241a7e9a630049f908949975fbbf69a77a08fe3ae5f0dbf73a14a59c84b144355c5e78a97ad199f8a83afbd71a4be887c5e2d9c",
    "{SHA256.HEX}965929775aa46f105fde21bfb9ed6d73ff013c309e01924e3de3494acbf634d4",
    "{PLAIN.B64}c8OpY3JldA==",
    "{MD5}$1$s.Gbwcvq$h2/Iuja2UrBNhkGLRnDCH.",
    "{CRYPT}$6$rounds=6000$abcd$Bk84ZGh7pa5hqBXR3p4jCvEN1UYGRnUN2BKH3Dw91A7BF53TyskeAjyNxKFX6ru04TCrUqm0A57ixSo4dtuNS/",
];

/// Slow without optimisation.
const SLOW: &[&str] = &[
    "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$1tw3dfTPTxuJfvm6UfSixg$bEeNsuUTg2rdeN5K2e4BtOTLoYHbCjXG61Zw7lWZ7xw",
    "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$wPsD56gpV/9kbKYX9QG5WQ$tUsNWefEBydllsl9mxQ8rAMPyD0E/B80//BJcFfx1qw",
    "{CRYPT}$y$j9T$F5Jx5fExrKuPp53xLKQ..1$Sf8ofldU8MA1/lUSNCMuHiYAspPWN974CZweHJw/Cp4",
];

#[test]
fn what_dovecot_made_is_understood() {
    for text in MADE {
        let stored = Stored::parse(text, Scheme::Plain).unwrap();
        assert!(stored.matches(LOGIN, PASSWORD), "{text}");
        assert!(!stored.matches(LOGIN, "secret"), "{text}");
    }
}

#[test]
fn the_slow_ones_are_understood() {
    for text in SLOW {
        assert!(Stored::parse(text, Scheme::Plain).unwrap().matches(LOGIN, PASSWORD), "{text}");
    }
    let stored = Stored::parse(SLOW[2], Scheme::Plain).unwrap();
    assert!(!stored.matches(LOGIN, "secret"));
}

#[test]
fn what_is_made_here_is_understood_here() {
    for name in MAKEABLE {
        let text = make(&name.to_ascii_lowercase(), PASSWORD, &[0x5a; SALT_BYTES]).unwrap();
        assert!(text.starts_with(&format!("{{{name}}}")), "{text}");
        assert!(Stored::parse(&text, Scheme::Plain).unwrap().matches(LOGIN, PASSWORD), "{text}");
    }
    assert_eq!(make("ROT13", PASSWORD, &[0; SALT_BYTES]), None);
}

#[test]
fn mechanisms_get_the_secrets_that_they_can_use() {
    let serves =
        |text: &str, mechanism| Stored::parse(text, Scheme::Plain).unwrap().secret_for(mechanism).is_some();
    assert!(serves("{PLAIN}x", Mechanism::Apop) && serves("{PLAIN}x", Mechanism::ScramSha1));
    assert!(serves(MADE[7], Mechanism::CramMd5) && !serves(MADE[7], Mechanism::Apop));
    assert!(serves(MADE[10], Mechanism::ScramSha256) && !serves(MADE[10], Mechanism::ScramSha1));
    assert!(!serves(MADE[4], Mechanism::CramMd5));
}

#[test]
fn what_can_not_be_used_says_why_and_shows_no_secret() {
    let why = |text: &str| Stored::parse(text, Scheme::Plain).unwrap_err();
    assert_eq!(why("{NTLM}abc"), Unusable::UnknownScheme("NTLM".into()));
    for text in
        ["{CRYPT}0m8mfFh2RCeZg", "{SHA256}abcd", "{SCRAM-SHA-1}4096", "{PBKDF2}$1$a$0$00", "{SSHA.hex}zz"]
    {
        assert!(matches!(why(text), Unusable::Malformed(_)), "{text}");
    }
    let stored = Stored::parse("{PLAIN}hidden", Scheme::Plain).unwrap();
    assert_eq!(format!("{stored:?}"), "{PLAIN}");
}

#[test]
fn weak_schemes_are_known_as_such() {
    let weak = |text: &str| Stored::parse(text, Scheme::Plain).unwrap().is_weak();
    assert!(weak(MADE[6]) && weak(MADE[15]) && weak("{MD5}$1$s.Gbwcvq$h2/Iuja2UrBNhkGLRnDCH."));
    assert!(!weak(MADE[2]) && !weak(MADE[4]) && !weak(MADE[21]) && !weak("{PLAIN}x"));
}
