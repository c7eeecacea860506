//! What would keep services from starting, or from doing what main.cf and master.cf want: told before they start.

use std::path::{Path, PathBuf};

use parameters::Config;
use parameters::master_cf::{MasterFile, Service};
use restrictions::Restrictions;
use worker::configuration::{self, Asker, LoadError};

use crate::postfix::Site;

/// Each fault once, with file, line and remedy.
pub(crate) fn faults(site: &Site) -> Vec<String> {
    let path = site.config_directory.join("master.cf");
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => return vec![format!("open {}: {error}", path.display())],
    };
    let file = MasterFile::read(&parameters::text::from_bytes(&bytes), &path.to_string_lossy());
    let mut found: Vec<String> = file.warnings.iter().map(ToString::to_string).collect();
    found.extend(file.errors.iter().map(|error| format!("{error}: master does not start with it")));
    found.extend(site.config.own_interfaces().err().map(|error| error.to_string()));
    for service in &file.services {
        let place = format!("{}: line {}", path.display(), service.line);
        found.extend(without_program(site, service).map(|why| format!("{place}: {why}")));
        found.extend(of_settings(site, service, &place));
    }
    let mut told = Vec::new();
    for fault in found {
        if !told.contains(&fault) {
            told.push(fault);
        }
    }
    told
}

fn without_program(site: &Site, service: &Service) -> Option<String> {
    let directory = PathBuf::from(site.config.get(&parameters::DAEMON_DIRECTORY));
    let program = directory.join(&service.command);
    let remedy = "correct the name, or take the service out";
    (!program.exists()).then(|| format!("there is no program {}: {remedy}", program.display()))
}

/// Settings of the service that its program can not use; those of `-o` are found at `place`.
fn of_settings(site: &Site, service: &Service, place: &str) -> Vec<String> {
    let program = Path::new(&service.command).file_name().unwrap_or_default().to_string_lossy();
    let own;
    let config = if service.overrides.is_empty() {
        &site.config
    } else {
        let asker = Asker { program: &program, service: &service.name, overrides: &service.overrides };
        own = match configuration::load(&site.config_directory, &asker) {
            Ok(config) => config,
            Err(LoadError::Value(fault)) => {
                return vec![format!("{place}: {fault}: {program} can not start")];
            }
            Err(error) => return vec![format!("{place}: {error}")],
        };
        &own
    };
    let faults = config.faults(&program);
    let faults = faults.iter().map(|fault| format!("{fault}: {program} can not start"));
    faults.chain(mistakes(config, &program)).collect()
}

/// Words of restriction lists that are none.
fn mistakes(config: &Config, program: &str) -> Vec<String> {
    if program != "smtpd" {
        return Vec::new();
    }
    let remedy = "correct the smtpd_*_restrictions of main.cf";
    let mistakes = Restrictions::new(restrictions::Settings::from(config)).mistakes();
    mistakes.into_iter().map(|mistake| format!("{mistake}: {remedy}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(main_cf: &str, master_cf: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let programs = folder.path().display();
        let main_cf = format!("daemon_directory = {programs}\ninet_interfaces = 127.0.0.1\n{main_cf}");
        std::fs::write(folder.path().join("main.cf"), main_cf).unwrap();
        std::fs::write(folder.path().join("master.cf"), master_cf).unwrap();
        for program in ["smtpd", "qmgr"] {
            std::fs::write(folder.path().join(program), "").unwrap();
        }
        let site = Site::read(folder.path().to_owned()).unwrap();
        faults(&site).into_iter().map(|fault| fault.replace(&format!("{programs}/"), "")).collect()
    }

    const SMTPD: &str = "smtp inet n - n - - smtpd\n";

    #[test]
    fn a_sound_configuration_has_no_faults() {
        assert_eq!(found("", SMTPD), Vec::<String>::new());
    }

    #[test]
    fn settings_that_a_program_can_not_use_are_told_once_with_file_line_and_remedy() {
        let twice = format!("{SMTPD}submission inet n - n - - smtpd\n");
        let [fault] = &found("smtpd_helo_required = ja\n", &twice)[..] else { panic!("one fault") };
        assert!(fault.starts_with("main.cf, line 3: smtpd_helo_required = ja: bad boolean"), "{fault}");
        assert!(fault.ends_with("write yes or no: smtpd can not start"), "{fault}");
    }

    #[test]
    fn overrides_are_found_by_their_line_of_master_cf() {
        let faults = found("", "\nsmtp inet n - n - - smtpd\n  -o smtpd_helo_required=ja\n");
        assert!(
            faults[0].starts_with("master.cf: line 2: override -o: smtpd_helo_required = ja"),
            "{faults:?}"
        );
    }

    #[test]
    fn lines_of_master_cf_that_start_nothing_are_told() {
        let faults = found("", "foo unix - - n - - foo\nbar inett n - n - - smtpd\n");
        assert!(faults[0].starts_with("master.cf: line 2: "), "{faults:?}");
        assert!(faults[1].starts_with("master.cf: line 1: there is no program foo: correct"), "{faults:?}");
    }

    #[test]
    fn restrictions_that_are_none_are_told() {
        let faults = found("smtpd_recipient_restrictions = permit_mynetwork, reject\n", SMTPD);
        assert!(
            faults[0].starts_with("unknown smtpd restriction: \"permit_mynetwork\": correct the"),
            "{faults:?}"
        );
    }
}
