//! How messages are read: networks, languages, limits of tests.

// Each row of the flat matches below is one assignment.
#![allow(clippy::unit_arg)]

use super::configuration::Configuration;
use super::statement::{Done, Statement};
use crate::registry::to_ascii;

/// Lines about reading messages.
pub(super) fn scan(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    let settings = &mut configuration.settings;
    let freemail = &mut settings.freemail;
    Some(match statement.key {
        "ok_locales" => statement.required().map(|text| settings.ok_locales = text.to_owned()),
        "normalize_charset" => statement.switch().map(|on| settings.normalize_charset = on),
        "trusted_networks" | "internal_networks" | "msa_networks" => networks(configuration, statement),
        "clear_trusted_networks" => Ok(settings.trusted_networks = super::Networks::loopback()),
        "clear_internal_networks" => Ok(settings.internal_networks = super::Networks::loopback()),
        "clear_msa_networks" => Ok(settings.msa_networks = super::Networks::default()),
        "originating_ip_headers" => {
            for name in statement.words() {
                if !settings.originating_ip_headers.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                    settings.originating_ip_headers.push(name.to_owned());
                }
            }
            statement.required().map(|_| ())
        }
        "clear_originating_ip_headers" => {
            statement.nothing().map(|()| settings.originating_ip_headers.clear())
        }
        "envelope_sender_header" => {
            statement.required().map(|text| settings.envelope_sender_header = Some(text.to_owned()))
        }
        "time_limit" => statement.duration().map(|time| settings.time_limit = time),
        "body_part_scan_size" => statement.number().map(|size| settings.body_part_scan_size = size),
        "rawbody_part_scan_size" => statement.number().map(|size| settings.rawbody_part_scan_size = size),
        "parse_dkim_uris" => statement.switch().map(|on| settings.parse_dkim_uris = on),
        "allow_user_rules" => statement.switch().map(|on| settings.allow_user_rules = on),
        "redirector_pattern" => {
            statement.pattern(statement.value).map(|pattern| settings.redirector_patterns.push(pattern))
        }
        "util_rb_tld" => {
            Ok(settings.registry.tlds.extend(statement.words().map(|word| to_ascii(word.as_bytes()))))
        }
        "util_rb_2tld" => {
            Ok(settings.registry.two_level.extend(statement.words().map(|word| to_ascii(word.as_bytes()))))
        }
        "util_rb_3tld" => {
            Ok(settings.registry.three_level.extend(statement.words().map(|word| to_ascii(word.as_bytes()))))
        }
        "clear_util_rb" => Ok(settings.registry = crate::registry::Registry::default()),
        "freemail_max_body_emails" => statement.number().map(|number| freemail.max_body_emails = number),
        "freemail_max_body_freemails" => {
            statement.number().map(|number| freemail.max_body_freemails = number)
        }
        "freemail_skip_when_over_max" => statement.switch().map(|on| freemail.skip_when_over_max = on),
        "freemail_skip_bulk_envfrom" => statement.switch().map(|on| freemail.skip_bulk_envfrom = on),
        "freemail_add_describe_email" => statement.switch().map(|on| freemail.add_describe_email = on),
        _ => return None,
    })
}

fn networks(configuration: &mut Configuration, statement: &Statement<'_>) -> Done {
    statement.required()?;
    let settings = &mut configuration.settings;
    let networks = match statement.key {
        "trusted_networks" => &mut settings.trusted_networks,
        "internal_networks" => &mut settings.internal_networks,
        _ => &mut settings.msa_networks,
    };
    networks.configured = true;
    let mut good = true;
    let mut exclude = false;
    for word in statement.words() {
        // `! 192.0.2.1` is one network.
        if word == "!" {
            exclude = true;
            continue;
        }
        let word = if std::mem::take(&mut exclude) { format!("!{word}") } else { word.to_owned() };
        good &= networks.add(&word);
    }
    if good { Ok(()) } else { Err(statement.invalid()) }
}
