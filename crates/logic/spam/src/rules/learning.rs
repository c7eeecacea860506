//! Settings of what is learned: Bayes, the automatic welcome list, TxRep.

// Each row of the flat matches below is one assignment.
#![allow(clippy::unit_arg)]

use std::sync::Arc;

use super::bayes_store::bayes_store;
use super::configuration::Configuration;
use super::problem::Fault;
use super::settings::TokenSources;
use super::statement::{Done, Statement};
use crate::perl::Pattern;

/// Lines about learning.
pub(super) fn learn(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    bayes(configuration, statement)
        .or_else(|| bayes_store(configuration, statement))
        .or_else(|| bayes_words(configuration, statement))
        .or_else(|| senders(configuration, statement))
        .or_else(|| txrep(configuration, statement))
        .or_else(|| txrep_weights(configuration, statement))
}

fn bayes(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    let settings = &mut configuration.settings;
    Some(match statement.key {
        "use_learner" => statement.switch().map(|on| settings.use_learner = on),
        "use_bayes" => statement.switch().map(|on| settings.use_bayes = on),
        "bayes_learn_during_report" => statement.switch().map(|on| settings.bayes_learn_during_report = on),
        "use_bayes_rules" => statement.switch().map(|on| settings.use_bayes_rules = on),
        "bayes_auto_learn" => statement.switch().map(|on| settings.bayes_auto_learn = on),
        "bayes_auto_learn_on_error" => statement.switch().map(|on| settings.bayes_auto_learn_on_error = on),
        "bayes_auto_learn_threshold_nonspam" => {
            statement.number().map(|score| settings.bayes_auto_learn_threshold_nonspam = score)
        }
        "bayes_auto_learn_threshold_spam" => {
            statement.number().map(|score| settings.bayes_auto_learn_threshold_spam = score)
        }
        "bayes_min_ham_num" => statement.number().map(|number| settings.bayes_min_ham_num = number),
        "bayes_min_spam_num" => statement.number().map(|number| settings.bayes_min_spam_num = number),
        "bayes_use_hapaxes" => statement.switch().map(|on| settings.bayes_use_hapaxes = on),
        "bayes_auto_expire" => statement.switch().map(|on| settings.bayes_auto_expire = on),
        "bayes_expiry_max_db_size" => {
            statement.number().map(|number| settings.bayes_expiry_max_db_size = number)
        }
        "bayes_path" => statement.required().map(|path| settings.bayes_path = Some(path.to_owned())),
        // They say how the original keeps its files: there is no journal here, and nobody waits.
        "bayes_journal_max_size" | "bayes_learn_to_journal" | "lock_method" => {
            statement.required().map(|_| ())
        }
        _ => return None,
    })
}

fn bayes_words(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    let settings = &mut configuration.settings;
    if let Some(language) = statement.key.strip_prefix("bayes_stopword_").filter(|rest| rest.len() == 2) {
        let pattern = statement.words().last().map(|words| Pattern::plain(&format!("^(?i){words}$")));
        return Some(match pattern {
            Some(Ok(pattern)) => {
                settings.bayes_stopwords.insert(language.to_owned(), Arc::new(pattern));
                Ok(())
            }
            Some(Err(bad)) => Err(Fault::Pattern(bad)),
            None => Err(statement.missing()),
        });
    }
    Some(match statement.key {
        "bayes_ignore_header" => {
            Ok(settings.bayes_ignore_header.extend(statement.words().map(str::to_ascii_lowercase)))
        }
        "bayes_max_token_length" => statement.number().map(|length| settings.bayes_max_token_length = length),
        "bayes_stopword_languages" => statement.required().map(|text| {
            let languages = text.split([',', ' ', '\t']).map(|word| word.trim().to_ascii_lowercase());
            settings.bayes_stopword_languages =
                languages.filter(|word| !word.is_empty() && word != "disable").collect();
        }),
        "bayes_token_sources" => token_sources(statement).map(|sources| {
            settings.bayes_token_sources = sources;
        }),
        _ => return None,
    })
}

fn token_sources(statement: &Statement<'_>) -> Result<TokenSources, Fault> {
    statement.required()?;
    let mut chosen =
        TokenSources { header: false, visible: false, invisible: false, uri: false, mimepart: false };
    for word in statement.words() {
        match word.to_ascii_lowercase().as_str() {
            "header" => chosen.header = true,
            "visible" => chosen.visible = true,
            "invisible" => chosen.invisible = true,
            "uri" => chosen.uri = true,
            "mimepart" => chosen.mimepart = true,
            "all" => {
                chosen =
                    TokenSources { header: true, visible: true, invisible: true, uri: true, mimepart: true };
            }
            "none" => {
                chosen = TokenSources {
                    header: false,
                    visible: false,
                    invisible: false,
                    uri: false,
                    mimepart: false,
                };
            }
            _ => return Err(statement.invalid()),
        }
    }
    Ok(chosen)
}

/// A number between two bounds.
fn within(statement: &Statement<'_>, least: f64, most: f64) -> Result<f64, Fault> {
    let number: f64 = statement.number()?;
    if (least..=most).contains(&number) { Ok(number) } else { Err(statement.invalid()) }
}

/// Bits of an address.
fn bits(statement: &Statement<'_>, most: u8) -> Result<u8, Fault> {
    let number: u8 = statement.number()?;
    if number <= most { Ok(number) } else { Err(statement.invalid()) }
}

fn senders(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    let settings = &mut configuration.settings;
    let awl = &mut settings.awl;
    Some(match statement.key.replace("whitelist", "welcomelist").as_str() {
        "use_auto_welcomelist" => statement.switch().map(|on| awl.active = on),
        "auto_welcomelist_factor" => within(statement, 0.0, 1.0).map(|factor| awl.factor = factor),
        "auto_welcomelist_ipv4_mask_len" => bits(statement, 32).map(|bits| awl.ipv4_mask_len = bits),
        "auto_welcomelist_ipv6_mask_len" => bits(statement, 128).map(|bits| awl.ipv6_mask_len = bits),
        "auto_welcomelist_path" => {
            statement.required().map(|path| settings.auto_welcomelist_path = Some(path.to_owned()))
        }
        "auto_welcomelist_distinguish_signed" => {
            statement.switch().map(|on| settings.txrep.distinguish_signed = on)
        }
        _ => return None,
    })
}

fn txrep(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    let txrep = &mut configuration.settings.txrep;
    Some(match statement.key {
        "use_txrep" => statement.switch().map(|on| txrep.active = on),
        "txrep_factor" => within(statement, 0.0, 1.0).map(|factor| txrep.factor = factor),
        // The original reads it and never uses it.
        "txrep_dilution_factor" => within(statement, 0.7, 1.0).map(|_| ()),
        "txrep_expiry_days" => within(statement, 0.0, 10_000.0).map(|_| ()),
        "txrep_learn_penalty" => within(statement, 0.0, 200.0).map(|points| txrep.learn_penalty = points),
        "txrep_learn_bonus" => within(statement, 0.0, 200.0).map(|points| txrep.learn_bonus = points),
        "txrep_autolearn" => within(statement, 0.0, 5.0).map(|points| txrep.autolearn = points),
        "txrep_track_messages" => statement.switch().map(|on| txrep.track_messages = on),
        "txrep_welcomelist_out" => within(statement, 0.0, 200.0).map(|points| txrep.welcomelist_out = points),
        "txrep_ipv4_mask_len" => bits(statement, 32).map(|bits| txrep.ipv4_mask_len = bits),
        "txrep_ipv6_mask_len" => bits(statement, 128).map(|bits| txrep.ipv6_mask_len = bits),
        "txrep_spf" => statement.switch().map(|on| txrep.spf = on),
        _ => return None,
    })
}

fn txrep_weights(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    let txrep = &mut configuration.settings.txrep;
    let weight = match statement.key {
        "txrep_weight_email" => &mut txrep.weight_email,
        "txrep_weight_email_ip" => &mut txrep.weight_email_ip,
        "txrep_weight_domain" => &mut txrep.weight_domain,
        "txrep_weight_ip" => &mut txrep.weight_ip,
        "txrep_weight_helo" => &mut txrep.weight_helo,
        _ => return None,
    };
    Some(within(statement, 0.0, 10.0).map(|number| *weight = number))
}
