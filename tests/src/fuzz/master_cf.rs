//! master.cf, from its bytes to the services that master starts.

use parameters::main_cf::logical_lines;
use parameters::master_cf::{Entry, MasterFile};
use parameters::text;

/// Each line is a service or has an error that names it.
pub(super) fn run(input: &[u8]) {
    let source = text::from_bytes(input);
    let file = MasterFile::read(&source, "/etc/postfix/master.cf");
    let (found, lines) = (file.services.len(), logical_lines(&source).count());
    assert!(found <= lines, "{found} services in {lines} lines");
    for error in file.errors {
        assert!(error.to_string().contains("master.cf"));
    }
    for line in logical_lines(&source) {
        if let Ok(mut entry) = Entry::parse(&line, &mut |_| ()) {
            assert!(entry.overrides().all(|place| place > 0));
            let command = entry.command().to_owned();
            entry.set_command(&command, &mut |_| ());
            assert!(!entry.name().is_empty());
        }
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![super::file("master.cf.example")];
    seeds.extend(
        [
            "smtp inet n - y - - smtpd -o a=b -o { c = d e }\n",
            "127.0.0.1:10025 inet n - n 1? 10 smtpd\n  -o x=$y\n",
            "pickup unix n - y 60 1 pickup\n# c\nx pass - - n - - smtpd {-o} { a\n",
        ]
        .map(|text| text.as_bytes().to_vec()),
    );
    seeds
}
