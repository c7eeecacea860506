//! Settings that contradict each other, told before mail gets lost in them.

use parameters::Config;

use crate::postfix::Site;
use crate::postfix::faults::faults;
use crate::postfix::report::warn;

/// Tells each trap that main.cf has.
pub(crate) fn tell(site: &Site) {
    site.config.warnings().iter().for_each(|warning| warn(&warning.to_string()));
    for trap in traps(&site.config).iter().chain(&faults(site)) {
        warn(trap);
    }
}

fn traps(config: &Config) -> Vec<String> {
    let mut traps = Vec::new();
    let (message, mailbox) =
        (config.get(&parameters::MESSAGE_SIZE_LIMIT), config.get(&parameters::VIRTUAL_MAILBOX_LIMIT));
    if mailbox > 0 && (message > mailbox || message == 0) {
        traps.push(format!(
            "virtual_mailbox_limit ({mailbox}) is smaller than message_size_limit ({message}): \
             large messages are accepted that no virtual mailbox can hold; raise the former or lower the latter"
        ));
    }
    let local = words(&config.get(&parameters::MYDESTINATION));
    for domain in words(&config.get(&parameters::VIRTUAL_MAILBOX_DOMAINS)) {
        if local.contains(&domain) {
            traps.push(format!(
                "do not list domain {domain} in BOTH mydestination and virtual_mailbox_domains: \
                 local wins, and its virtual mailboxes are unreachable"
            ));
        }
    }
    for domain in words(&config.get(&parameters::VIRTUAL_ALIAS_DOMAINS)) {
        if local.contains(&domain) {
            traps.push(format!(
                "do not list domain {domain} in BOTH mydestination and virtual_alias_domains: local wins"
            ));
        }
    }
    traps
}

/// The plain names of a list: no tables, no files.
fn words(list: &str) -> Vec<String> {
    list.split([',', ' ', '\t', '\n'])
        .filter(|word| !word.is_empty() && !word.contains([':', '/', '!']))
        .map(str::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use parameters::{Defaults, HostFacts, Sources};

    fn config(main_cf: &str) -> Config {
        let facts = HostFacts::default();
        Config::read(Sources { main_cf, path: "main.cf", overrides: &[], facts, defaults: Defaults::Safer })
            .unwrap()
    }

    #[test]
    fn a_domain_in_two_classes_is_told() {
        let config =
            config("myhostname = example.com\nvirtual_mailbox_domains = example.com other.example\n");
        let traps = traps(&config);
        assert_eq!(traps.len(), 1);
        assert!(traps[0].contains("domain example.com in BOTH"), "{traps:?}");
    }

    #[test]
    fn limits_that_contradict_are_told() {
        let config = config("message_size_limit = 90000000\n");
        assert!(traps(&config)[0].starts_with("virtual_mailbox_limit (51200000)"));
        assert_eq!(traps(&self::config("")), Vec::<String>::new());
    }
}
