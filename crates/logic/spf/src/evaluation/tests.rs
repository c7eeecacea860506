use std::collections::BTreeSet;

use super::*;

/// Lines `name KIND value`; a name with the kind FAIL fails whatever is asked.
struct Lines {
    text: String,
    /// What is told; `None` for all.
    known: Option<BTreeSet<(String, Kind)>>,
    asked: BTreeSet<(String, Kind)>,
}

impl Lines {
    fn new(text: &str) -> Self {
        Self { text: text.to_owned(), known: None, asked: BTreeSet::new() }
    }
}

impl Zone for Lines {
    fn ask(&mut self, name: &str, kind: Kind) -> Told {
        self.asked.insert((name.to_owned(), kind));
        if self.known.as_ref().is_some_and(|known| !known.contains(&(name.to_owned(), kind))) {
            return Told::NotYet;
        }
        let called = format!("{kind:?}").to_uppercase();
        let mut found = Vec::new();
        for line in self.text.lines() {
            let mut words = line.splitn(3, ' ');
            if words.next() != Some(name) {
                continue;
            }
            match words.next() {
                Some("FAIL") => return Told::Failed,
                Some(kind) if kind == called => found.push(words.next().unwrap_or("").to_owned()),
                _ => {}
            }
        }
        Told::Records(found)
    }
}

fn request(ip: &str, identity: &str) -> Request {
    Request {
        ip: ip.parse().unwrap(),
        identity: identity.into(),
        helo: "helo.example".into(),
        receiver: "here.example".into(),
        now: 7,
    }
}

fn judged(zone: &str, ip: &str) -> Verdict {
    check(&request(ip, "joe@d.example"), &mut Lines::new(zone)).unwrap()
}

const FAIL: Verdict = Verdict::Fail { explanation: None };

#[test]
fn one_domain() {
    let of =
        |record: &str, ip: &str| judged(&format!("d.example TXT v=spf1 {record}\nd.example A 192.0.2.1"), ip);
    assert_eq!(of("ip4:192.0.2.0/24 -all", "192.0.2.9"), Verdict::Pass);
    assert_eq!(of("ip4:192.0.2.0/24 -all", "198.51.100.1"), FAIL);
    assert_eq!(of("~all", "192.0.2.9"), Verdict::SoftFail);
    assert_eq!(of("?all", "192.0.2.9"), Verdict::Neutral);
    assert_eq!(of("", "192.0.2.9"), Verdict::Neutral);
    assert_eq!(of("a -all", "192.0.2.1"), Verdict::Pass);
    assert_eq!(of("a/24 -all", "192.0.2.77"), Verdict::Pass);
    assert_eq!(of("a -all", "::ffff:192.0.2.1"), Verdict::Pass);
    assert_eq!(of("all foo", "192.0.2.1"), Verdict::PermError);
    assert_eq!(judged("", "192.0.2.1"), Verdict::None);
    assert_eq!(
        judged("d.example TXT v=spf1 -all\nd.example TXT v=spf1 +all", "192.0.2.1"),
        Verdict::PermError
    );
    assert_eq!(judged("d.example FAIL x", "192.0.2.1"), Verdict::TempError);
}

#[test]
fn other_domains() {
    let zone = |record: &str| {
        format!(
            "d.example TXT v=spf1 {record}\ni.example TXT v=spf1 ip4:192.0.2.1 -all exp=e.example\n\
             e.example TXT %{{c}} is %{{i}} at %{{d}}\nm.example MX 10 mx.m.example.\nmx.m.example A 192.0.2.5\n\
             5.2.0.192.in-addr.arpa PTR Host.p.example.\nhost.p.example A 192.0.2.5\nbad.example FAIL x\n\
             192.0.2.5.joe.x.example A 127.0.0.2"
        )
    };
    let of = |record: &str, ip: &str| judged(&zone(record), ip);
    assert_eq!(of("include:i.example ?all", "192.0.2.1"), Verdict::Pass);
    assert_eq!(of("include:i.example ?all", "192.0.2.2"), Verdict::Neutral);
    assert_eq!(of("include:none.example ?all", "192.0.2.2"), Verdict::PermError);
    assert_eq!(of("include:bad.example ?all", "192.0.2.2"), Verdict::TempError);
    let explained = Verdict::Fail { explanation: Some("192.0.2.2 is 192.0.2.2 at i.example".into()) };
    assert_eq!(of("redirect=i.example", "192.0.2.2"), explained);
    assert_eq!(of("redirect=none.example", "192.0.2.2"), Verdict::PermError);
    assert_eq!(of("ip4:192.0.2.2 redirect=none.example", "192.0.2.2"), Verdict::Pass);
    assert_eq!(of("mx:m.example -all", "192.0.2.5"), Verdict::Pass);
    assert_eq!(of("mx:m.example//64 -all", "192.0.2.6"), FAIL);
    assert_eq!(of("ptr:p.example -all", "192.0.2.5"), Verdict::Pass);
    assert_eq!(of("ptr -all", "192.0.2.5"), FAIL);
    assert_eq!(of("exists:%{i}.%{l}.x.example -all", "192.0.2.5"), Verdict::Pass);
    assert_eq!(of("exists:%{p}.x.example -all", "192.0.2.5"), FAIL);
    assert_eq!(of("exists:%{x}.example -all", "192.0.2.5"), Verdict::PermError);
    assert_eq!(of("-all exp=none.example", "192.0.2.5"), FAIL);
}

#[test]
fn limits() {
    let chain = |length: usize| -> String {
        let line = |n: usize| format!("d{n}.example TXT v=spf1 include:d{}.example -all\n", n + 1);
        let links: String = (0..length).map(line).collect();
        format!("d.example TXT v=spf1 include:d0.example -all\n{links}d{length}.example TXT v=spf1 +all\n")
    };
    assert_eq!(judged(&chain(19), "192.0.2.1"), Verdict::Pass);
    assert_eq!(judged(&chain(20), "192.0.2.1"), Verdict::PermError);
    assert_eq!(judged("d.example TXT v=spf1 include:d.example -all", "192.0.2.1"), Verdict::PermError);
    let void = |terms: &str| judged(&format!("d.example TXT v=spf1 {terms} +all"), "192.0.2.1");
    assert_eq!(void("a:x.example a:y.example"), Verdict::Pass);
    assert_eq!(void("a:x.example a:y.example exists:z.example"), Verdict::PermError);
}

#[test]
fn questions_are_raised_together() {
    let zone = "d.example TXT v=spf1 a mx include:i.example -all\nd.example A 192.0.2.1\nd.example MX 5 m.example\n\
                m.example A 192.0.2.2\ni.example TXT v=spf1 a:one.example a:two.example ?all\n\
                one.example A 192.0.2.3\ntwo.example A 192.0.2.4\n";
    let mut lines = Lines { known: Some(BTreeSet::new()), ..Lines::new(zone) };
    let mut rounds = 0;
    let verdict = loop {
        if let Some(verdict) = check(&request("192.0.2.4", "joe@d.example"), &mut lines) {
            break verdict;
        }
        lines.known = Some(lines.asked.clone());
        rounds += 1;
    };
    assert_eq!((verdict, rounds), (Verdict::Pass, 3));
}

#[test]
fn names_are_kept_within_limits() {
    let long = "x".repeat(70);
    assert_eq!(within_limits(&format!("{long}.Example")), format!("{}.example", "x".repeat(63)));
    assert_eq!(within_limits(&"abcdefghi.".repeat(30)).len(), 249);
}
