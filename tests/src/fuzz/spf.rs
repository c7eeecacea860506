//! Whole zones of SPF records.
//!
//! Each line of the input is `name KIND value`; names that are not there do not exist.

use std::collections::BTreeSet;

use spf::{Kind, Request, TERM_LIMIT, Told, Verdict, Zone};

/// Lookups that one evaluation may raise: each term may look at some names, and each of the domains has a record.
const LOOKUP_LIMIT: usize = 1000;

struct Lines<'a> {
    text: &'a str,
    told: BTreeSet<(String, Kind)>,
    asked: BTreeSet<(String, Kind)>,
    lookups: usize,
    /// What is not told yet is kept back.
    in_rounds: bool,
}

impl Zone for Lines<'_> {
    fn ask(&mut self, name: &str, kind: Kind) -> Told {
        self.lookups += 1;
        assert!(self.lookups <= LOOKUP_LIMIT, "it asks without end");
        assert!(!name.ends_with('.') && name.bytes().all(|byte| !byte.is_ascii_uppercase()), "{name:?}");
        let question = (name.to_owned(), kind);
        if self.in_rounds && !self.told.contains(&question) {
            self.asked.insert(question);
            return Told::NotYet;
        }
        let called = format!("{kind:?}").to_uppercase();
        let mut records = Vec::new();
        for line in self.text.lines() {
            let mut words = line.splitn(3, ' ');
            match (words.next(), words.next(), words.next()) {
                (Some(owner), Some("FAIL"), _) if owner == name => return Told::Failed,
                (Some(owner), Some(is), Some(value)) if owner == name && is == called => {
                    records.push(value.to_owned());
                }
                _ => {}
            }
        }
        Told::Records(records)
    }
}

/// An evaluation ends within its limits, and comes to the same when answers come in rounds.
pub(super) fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for ip in ["192.0.2.1", "2001:db8::1"] {
        let request = Request {
            ip: ip.parse().expect("an address"),
            identity: "joe@d.example".into(),
            helo: "h.example".into(),
            receiver: "r.example".into(),
            now: 1,
        };
        let at_once = check(&request, &text, false);
        assert!(check(&request, &text, true) == at_once, "rounds change the verdict");
    }
}

fn check(request: &Request, text: &str, in_rounds: bool) -> Verdict {
    let (told, asked) = (BTreeSet::new(), BTreeSet::new());
    let mut zone = Lines { text, told, asked, lookups: 0, in_rounds };
    for _ in 0..=2 * TERM_LIMIT + 4 {
        if let Some(verdict) = spf::check(request, &mut zone) {
            return verdict;
        }
        assert!(!zone.asked.is_empty(), "it waits for nothing");
        zone.told.append(&mut zone.asked);
        zone.lookups = 0;
    }
    panic!("there are too many rounds");
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    [
        "d.example TXT v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all\n",
        "d.example TXT v=spf1 a:x.example/24//64 mx ?all\nx.example A 192.0.2.9\nd.example MX 10 m.example\n\
         m.example AAAA 2001:db8::2\n",
        "d.example TXT v=spf1 include:i.example ~all\ni.example TXT v=spf1 redirect=d.example\n",
        "d.example TXT v=spf1 exists:%{ir}.%{v}.%{l1r-}.%{D2}.x.example -all exp=e.example\n\
         e.example TXT %{c} %{t} %%%_ %{p}\n1.2.0.192.in-addr.arpa PTR p.example\np.example A 192.0.2.1\n",
        "d.example TXT v=spf1 ptr ptr:example %{x}\nd.example FAIL\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
