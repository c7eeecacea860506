//! Settings of rules that ask whether a sender is who it claims to be: SPF, DKIM, DMARC.

use std::collections::BTreeMap;

use super::configuration::Configuration;
use super::lists::matches_glob;
use super::statement::{Done, Statement};

/// Settings of the plugins SPF and DKIM.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // Each is the setting of its name.
pub struct Authenticity {
    pub ignore_received_spf_header: bool,
    pub use_newest_received_spf_header: bool,
    /// The envelope's sender is right even behind trusted relays.
    pub always_trust_envelope_sender: bool,
    /// Keys below it welcome nobody.
    pub dkim_minimum_key_bits: usize,
    /// What is known of domains without asking: the letter of `check_dkim_adsp`.
    pub(crate) adsp_override: BTreeMap<String, char>,
    pub(crate) welcomelist_from_dkim: SignerList,
    pub(crate) def_welcomelist_from_dkim: SignerList,
}

impl Default for Authenticity {
    fn default() -> Self {
        Self {
            ignore_received_spf_header: false,
            use_newest_received_spf_header: false,
            always_trust_envelope_sender: false,
            dkim_minimum_key_bits: 1024,
            adsp_override: BTreeMap::new(),
            welcomelist_from_dkim: SignerList::default(),
            def_welcomelist_from_dkim: SignerList::default(),
        }
    }
}

/// Authors that are welcome when certain domains sign for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SignerList {
    /// Address with wildcards, signing domains; an empty one is the author's own.
    entries: BTreeMap<Vec<u8>, Vec<String>>,
}

impl SignerList {
    fn add(&mut self, address: &str, signer: &str) {
        let address = address.to_ascii_lowercase().into_bytes();
        self.entries.entry(address).or_default().push(signer.to_ascii_lowercase());
    }

    /// Takes one signer of an address out.
    fn remove(&mut self, address: &str, signer: &str) {
        let address = address.to_ascii_lowercase().into_bytes();
        if let Some(signers) = self.entries.get_mut(&address) {
            signers.retain(|known| !known.eq_ignore_ascii_case(signer));
            if signers.is_empty() {
                self.entries.remove(&address);
            }
        }
    }

    /// Who may sign for an author.
    pub(crate) fn signers_for(&self, author: &[u8]) -> impl Iterator<Item = &str> {
        let author = author.to_ascii_lowercase();
        let fitting = self.entries.iter().filter(move |(glob, _)| matches_glob(glob, &author));
        fitting.flat_map(|(_, signers)| signers.iter().map(String::as_str))
    }
}

/// Lines about who is who.
pub(super) fn authenticity(configuration: &mut Configuration, statement: &Statement<'_>) -> Option<Done> {
    let settings = &mut configuration.settings.authenticity;
    Some(match statement.key {
        "ignore_received_spf_header" => statement.switch().map(|on| settings.ignore_received_spf_header = on),
        "use_newest_received_spf_header" => {
            statement.switch().map(|on| settings.use_newest_received_spf_header = on)
        }
        "always_trust_envelope_sender" => {
            statement.switch().map(|on| settings.always_trust_envelope_sender = on)
        }
        "dkim_minimum_key_bits" => statement.number().map(|bits| settings.dkim_minimum_key_bits = bits),
        "adsp_override" => practices(settings, statement),
        "welcomelist_from_dkim" => {
            signer(statement).map(|(address, signer)| settings.welcomelist_from_dkim.add(address, signer))
        }
        "def_welcomelist_from_dkim" => {
            signer(statement).map(|(address, signer)| settings.def_welcomelist_from_dkim.add(address, signer))
        }
        "unwelcomelist_from_dkim" => signer(statement).map(|(address, signer)| {
            settings.welcomelist_from_dkim.remove(address, signer);
            settings.def_welcomelist_from_dkim.remove(address, signer);
        }),
        _ => return None,
    })
}

/// `address [signing domain]`
fn signer<'a>(statement: &Statement<'a>) -> Result<(&'a str, &'a str), super::problem::Fault> {
    statement.required()?;
    match statement.words().collect::<Vec<_>>().as_slice() {
        [address] => Ok((address, "")),
        [address, signer] => Ok((address, signer)),
        _ => Err(statement.invalid()),
    }
}

/// `domain [practices]`
fn practices(settings: &mut Authenticity, statement: &Statement<'_>) -> Done {
    statement.required()?;
    let mut words = statement.words();
    let domain = words.next().unwrap_or_default().trim_start_matches('@').to_ascii_lowercase();
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'.' | b'_' | b'-');
    let letter = match words.next().map(str::to_ascii_lowercase).as_deref() {
        None | Some("discardable") => 'D',
        Some("nxdomain") => 'N',
        Some("unknown") => 'U',
        Some("all") => 'A',
        Some("custom_low") => '1',
        Some("custom_med") => '2',
        Some("custom_high") => '3',
        Some(_) => return Err(statement.invalid()),
    };
    if domain.is_empty() || !domain.bytes().all(good) || words.next().is_some() {
        return Err(statement.invalid());
    }
    settings.adsp_override.insert(domain, letter);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Loader, Surroundings};

    #[test]
    fn settings_read() {
        let mut loader = Loader::new(Surroundings::default());
        let text = "adsp_override @Example.com\nadsp_override *.b.example custom_med\nadsp_override x y\n\
                    whitelist_from_dkim *@a.example Sign.example\nwelcomelist_from_dkim *@a.example\n\
                    def_whitelist_from_dkim joe@b.example\nunwhitelist_from_dkim *@a.example sign.example\n\
                    dkim_minimum_key_bits 2048\nalways_trust_envelope_sender 1\n";
        loader.push("/etc/test.cf", text.as_bytes());
        loader.run();
        let (configuration, problems) = loader.finish();
        assert_eq!(problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [3], "{problems:?}");
        let settings = configuration.settings.authenticity;
        assert_eq!(settings.adsp_override["example.com"], 'D');
        assert_eq!(settings.adsp_override["*.b.example"], '2');
        let signers = |list: &SignerList, author: &[u8]| {
            list.signers_for(author).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(signers(&settings.welcomelist_from_dkim, b"Joe@A.example"), [""]);
        assert_eq!(signers(&settings.def_welcomelist_from_dkim, b"joe@b.example"), [""]);
        assert_eq!(signers(&settings.def_welcomelist_from_dkim, b"ann@b.example"), [""; 0]);
        assert!(settings.dkim_minimum_key_bits == 2048 && settings.always_trust_envelope_sender);
    }
}
