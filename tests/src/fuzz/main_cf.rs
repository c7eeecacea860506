//! main.cf, from its bytes to the values that a daemon asks for.

use parameters::config::{Defaults, Sources};
use parameters::host::HostFacts;
use parameters::main_cf::{logical_lines, split_assignment};
use parameters::{Config, text};

/// Bytes that are no text survive, every line is named or refused, and no value makes a daemon hang.
pub(super) fn run(input: &[u8]) {
    let source = text::from_bytes(input);
    assert_eq!(text::to_bytes(&source), input);
    let mut last = 0;
    for line in logical_lines(&source) {
        assert!(line.first > last, "lines come in order");
        last = line.first;
        let _ = split_assignment(&line.text);
    }
    let sources = Sources {
        main_cf: &source,
        path: "/etc/postfix/main.cf",
        overrides: &[],
        facts: HostFacts::default(),
        defaults: Defaults::Safer,
    };
    let Ok(config) = Config::read(sources) else { return };
    let _ = config.faults("smtpd");
    for name in config.names_set() {
        let _ = config.text(name);
    }
    let _ = config.own_interfaces();
    let _ = config.get(&parameters::MYNETWORKS);
    let _ = config.get(&parameters::QUEUE_RUN_DELAY);
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![super::file("main.cf.example")];
    seeds.extend(
        [
            "a = ${{$b} == {c} ? {d} : {${e?f}}}\nb = $(a)\n",
            "# comment\nmyhostname = mx.example\n\t.com\n \n#x\n y\n=\n",
            "mynetworks = 127.0.0.0/8, [::1]/128\ninet_interfaces = all\nqueue_run_delay = 5m\n",
            "mydestination = $myhostname, localhost.$mydomain ${x:{y}} ${{1}<=level{2}?1}\n",
            "smtpd_recipient_restrictions = { check_client_access inline:{a=b} , reject }\n",
        ]
        .map(|text| text.as_bytes().to_vec()),
    );
    seeds
}
