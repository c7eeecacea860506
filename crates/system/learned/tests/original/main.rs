//! Beside SpamAssassin's own sa-learn: the same tokens from the same messages, and its backup gives the same verdicts.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod redis;

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::ops::Range;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use learned::{Bayes, Store};
use rulefiles::{Places, Site};
use spam::learned::{Class, Memory, Tally};
use spam::{Check, Circumstances};

/// 22 Nov 2026.
const NOW: i64 = 1_795_000_000;
const MESSAGES: usize = 30;
/// Enough is learned after a few messages, and no message teaches by itself.
const SETTINGS: &str = "bayes_min_spam_num 5\nbayes_min_ham_num 5\nbayes_auto_learn 0\nbayes_auto_expire 0\n\
    report_safe 0\nadd_header all Bayes _BAYES_\n";

const SPAM_WORDS: [&str; 8] = [
    "Casino",
    "winner!!!",
    "$31,000,000",
    "unsubscribe",
    "http://cheap-pills.example.com/buy?x=1",
    "FREE",
    "Größe",
    "日本語",
];
const HAM_WORDS: [&str; 8] = [
    "meeting",
    "patch...applied",
    "joe@mail.example.org",
    "compiler",
    "Regards,",
    "lunch",
    "--verbose",
    "http://www.example.org/a",
];

/// A message whose words depend on its number and class, and partly on neither.
fn message(class: Class, number: usize) -> String {
    let words = if class == Class::Spam { SPAM_WORDS } else { HAM_WORDS };
    let other = if class == Class::Spam { HAM_WORDS } else { SPAM_WORDS };
    let mut body = String::new();
    for index in 0..12 {
        let word = if (number + index).is_multiple_of(7) {
            other[index % 8]
        } else {
            words[(number * 5 + index) % 8]
        };
        let _ = write!(body, "{word} Word{} ", number * index % 11);
    }
    let (host, day) = (number % 9, number % 27 + 1);
    let from = if class == Class::Spam { "Prince" } else { "Ann" };
    let head = format!(
        "Received: from mail{host}.example.net (mail{host}.example.net [192.0.2.{host}]) by mx.example.com\n\
         \twith ESMTP id 1234567890{number:02}; Mon, {day} Jul 2002 10:00:00 +0200\n\
         From: \"{from} {number}\" <{from}{number}@example.net>\nTo: joe@example.com\n\
         Subject: {from} writes {number}\nDate: Mon, {day} Jul 2002 10:00:00 +0200\n\
         Message-Id: <{number}.{from}@example.net>\nX-Mailer: Test {host}.0\nMIME-Version: 1.0\n"
    );
    if number.is_multiple_of(3) {
        format!(
            "{head}Content-Type: text/html; charset=UTF-8\n\n<html><body><p>{body}</p>\
             <font color=white>hidden words{number}</font><a href=\"http://host{number}.example.com/\">here</a></body></html>\n"
        )
    } else {
        format!("{head}Content-Type: text/plain; charset=UTF-8\n\n{body}\n")
    }
}

fn site(folder: &Path, store: &str) -> Site {
    let empty = folder.join("site");
    std::fs::create_dir_all(&empty).unwrap();
    std::fs::write(
        empty.join("init.pre"),
        "loadplugin Mail::SpamAssassin::Plugin::Check\nloadplugin Mail::SpamAssassin::Plugin::Bayes\n",
    )
    .unwrap();
    std::fs::write(empty.join("local.cf"), format!("{store}{SETTINGS}")).unwrap();
    let places = Places { site: Some(empty), local_only: true, ..Places::default() };
    Site::load(&places).unwrap()
}

/// Runs a program of the original with the settings of this test; what it prints.
fn original(program: &str, folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .arg("--siteconfigpath")
        .arg(folder.join("site"))
        .args(arguments)
        .env("HOME", folder)
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn mbox(class: Class, numbers: Range<usize>) -> String {
    numbers
        .map(|number| format!("From x@example.com Mon Jul  1 10:00:00 2002\n{}\n", message(class, number)))
        .collect()
}

fn probability(site: &Site, memory: &dyn Memory, message: &str) -> f64 {
    let circumstances = Circumstances { memory: Some(memory), ..Circumstances::new(NOW, &|| false) };
    let check = Check::new(&site.rules, message.as_bytes(), &circumstances);
    check.findings.bayes.unwrap().probability.unwrap()
}

fn is_installed() -> bool {
    Command::new("sa-learn").arg("--version").output().is_ok()
        && Path::new("/usr/share/spamassassin/23_bayes.cf").exists()
}

#[test]
fn tokens_and_verdicts_are_those_of_the_original() {
    if !is_installed() {
        return testkit::left_out("SpamAssassin is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path(), &format!("bayes_path {}\n", folder.path().join("bayes").display()));
    let own = Store::open(&folder.path().join("own.lmdb")).unwrap();
    for class in [Class::Spam, Class::Ham] {
        let path = folder.path().join("mbox");
        std::fs::write(&path, mbox(class, 0..MESSAGES)).unwrap();
        let option = if class == Class::Spam { "--spam" } else { "--ham" };
        original("sa-learn", folder.path(), &[option, "--mbox", path.to_str().unwrap()]);
        for number in 0..MESSAGES {
            let text = format!("{}\n", message(class, number));
            own.apply(&site.rules.learn(text.as_bytes(), class, &*own, NOW).changes);
        }
    }
    let theirs = original("sa-learn", folder.path(), &["--backup"]);
    let mut ours = Vec::new();
    Bayes::Local(Arc::clone(&own)).backup(&mut ours).unwrap();
    let ours = String::from_utf8(ours).unwrap();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (theirs_only, ours_only): (Vec<_>, Vec<_>) = (
        lines(&theirs).difference(&lines(&ours)).cloned().collect(),
        lines(&ours).difference(&lines(&theirs)).cloned().collect(),
    );
    assert!(theirs_only.is_empty() && ours_only.is_empty(), "theirs {theirs_only:?}, ours {ours_only:?}");

    let store = Store::open(&folder.path().join("restored.lmdb")).unwrap();
    store.restore(&mut theirs.as_bytes(), u32::MAX).unwrap();
    verdicts_are_the_same(folder.path(), &site, &*store);
}

/// Of messages that nobody has learned; the original knows the same by the settings of the site.
fn verdicts_are_the_same(folder: &Path, site: &Site, memory: &dyn Memory) {
    let path = folder.join("new");
    let new = MESSAGES..MESSAGES + 10;
    std::fs::write(&path, mbox(Class::Spam, new.clone()) + &mbox(Class::Ham, new.clone())).unwrap();
    let marked = original("spamassassin", folder, &["-L", "--mbox", path.to_str().unwrap()]);
    let shown = shown_probabilities(&marked);
    assert_eq!(shown.len(), 2 * new.len());
    for (class, number) in
        [Class::Spam, Class::Ham].into_iter().flat_map(|class| new.clone().map(move |number| (class, number)))
    {
        let text = format!("{}\n", message(class, number));
        let own = probability(site, memory, &text);
        let id = text.lines().find_map(|line| line.strip_prefix("Message-Id: ")).unwrap();
        assert!((own - shown[id]).abs() < 0.001, "{id}: {own}, the original has {}", shown[id]);
    }
}

/// The probabilities in marked messages, by the messages' ids: they are not in the order in which they came.
fn shown_probabilities(marked: &str) -> HashMap<String, f64> {
    let mut probability = None;
    let mut found = HashMap::new();
    for line in marked.lines() {
        if let Some(text) = line.strip_prefix("X-Spam-Bayes: ") {
            probability = text.parse().ok();
        } else if let Some(id) = line.strip_prefix("Message-Id: ") {
            found.extend(probability.take().map(|probability| (id.to_owned(), probability)));
        }
    }
    found
}
