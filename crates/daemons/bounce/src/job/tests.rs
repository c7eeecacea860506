//! Whole requests on a spool in a temporary directory.

use std::sync::Mutex;

use parameters::Config;
use parameters::config::{Defaults, Sources};
use parameters::host::HostFacts;
use queue::QueueName;
use queue_format::{Envelope, content};
use services::bounce::{Failure, Original};
use services::delivery::{Outcome, Recipient, Verdict};

use super::*;
use crate::prepare::Report;
use crate::settings::Settings;

const MAIN_CF: &str = "myhostname = mx.example\nmyorigin = $myhostname\ncompatibility_level = 3.6\n\
    virtual_alias_maps = inline:{postmaster@mx.example=boss@example.com}\n";

struct Spool {
    _directory: tempfile::TempDir,
    job: Job,
}

fn spool(service: &str, main_cf: &str) -> Spool {
    let directory = tempfile::tempdir().unwrap();
    for name in ["incoming", "active", "deferred", "bounce", "defer", "trace", "hold"] {
        std::fs::create_dir(directory.path().join(name)).unwrap();
    }
    let main_cf = format!("{MAIN_CF}{main_cf}\n");
    let facts = HostFacts::default();
    let sources =
        Sources { main_cf: &main_cf, path: "main.cf", overrides: &[], facts, defaults: Defaults::Safer };
    let config = Config::read(sources).unwrap();
    let queue = Queue::open(directory.path(), queue::Settings::default()).unwrap();
    let settings = Settings::new(&config, service);
    let poster = Poster::new(&config, &config, "bounce");
    let preparer = Preparer { queue: queue.clone(), settings, config: Mutex::new(config) };
    Spool { _directory: directory, job: Job { queue, preparer, poster } }
}

impl Spool {
    /// A message in `active/`; returns its id.
    fn message(&self, sender: &str) -> String {
        let report = Report {
            sender: sender.to_owned(),
            recipient: "gone@example.com".to_owned(),
            send_options: 0,
            log_words: String::new(),
            is_courtesy: false,
            content: b"From: a@b.example\nMessage-ID: <first@b.example>\nSubject: lost\n\nSecret\n".to_vec(),
        };
        let id = crate::post::post(&self.job.poster, &self.job.queue, &report).unwrap().unwrap();
        self.job.queue.activate(QueueName::Incoming, &id).unwrap();
        id.to_string()
    }

    fn run(&self, id: &str, command: Command) -> Done {
        self.job.run(&BounceRequest { serial: 1, queue_id: id.to_owned(), command })
    }

    /// Envelope and content of a queued report.
    fn queued(&self, id: &QueueId) -> (Envelope, String) {
        let bytes = std::fs::read(self.job.queue.path(QueueName::Incoming, id)).unwrap();
        let envelope = Envelope::decode(&bytes).unwrap();
        let content = content::decode(&bytes, envelope.content_offset).unwrap();
        (envelope, String::from_utf8(content).unwrap())
    }
}

fn failure(verdict: Verdict, notify: u32) -> Failure {
    let recipient = Recipient { address: "gone@example.com".into(), notify, ..Recipient::default() };
    Failure::new(&recipient, &Outcome::new(verdict, "5.1.1", "unknown user: \"gone\"", "virtual"))
}

fn original(sender: &str) -> Original {
    Original { queue_name: "active".into(), sender: sender.into(), ..Original::default() }
}

#[test]
fn a_failure_is_kept_then_told_and_forgotten() {
    let spool = spool("bounce", "enable_threaded_bounces = yes");
    let id = spool.message("sender@far.example");
    assert!(spool.run(&id, Command::Append(vec![failure(Verdict::Bounced, 0)])).done);
    let log = spool.job.queue.path(QueueName::Bounce, &id.parse().unwrap());
    assert!(std::fs::read_to_string(&log).unwrap().contains("\nrecipient=gone@example.com\n"));
    let done = spool.run(&id, Command::Flush(original("sender@far.example")));
    assert!(done.done && !log.exists());
    let (envelope, content) = spool.queued(&done.queued[0]);
    assert_eq!(envelope.sender.as_deref(), Some(""));
    assert_eq!(envelope.recipients[0].address, "sender@far.example");
    for line in [
        "From: Mail Delivery System <MAILER-DAEMON@mx.example>\n",
        "To: sender@far.example\nReferences: <first@b.example>\nIn-Reply-To: <first@b.example>\n",
        "<gone@example.com>: unknown user: \"gone\"\n",
        "Action: failed\nStatus: 5.1.1\n",
        "Return-Path: <sender@far.example>\nReceived: by mx.example (Postfix)\n",
        "Subject: lost\n",
        "\nSecret\n",
    ] {
        assert!(content.contains(line), "{line:?} is not in {content}");
    }
    assert!(content.starts_with("Received: by mx.example (Postfix)\n\tid "), "{content}");
}

#[test]
fn the_postmaster_gets_copies_and_what_bounces_twice() {
    let spool = spool("bounce", "notify_classes = bounce, 2bounce");
    let id = spool.message("");
    assert!(spool.run(&id, Command::Append(vec![failure(Verdict::Bounced, 0)])).done);
    let done = spool.run(&id, Command::Flush(original("")));
    assert_eq!(done.queued.len(), 1);
    let (envelope, content) = spool.queued(&done.queued[0]);
    assert_eq!(envelope.sender.as_deref(), Some("double-bounce@mx.example"));
    assert_eq!(envelope.recipients[0].address, "boss@example.com", "aliases count for reports too");
    assert!(content.contains("To: postmaster@mx.example\n") && content.contains("Secret"), "{content}");

    let third = spool.message("double-bounce@mx.example");
    let done = spool.run(&third, Command::Flush(original("double-bounce@mx.example")));
    assert!(done.done && done.queued.is_empty(), "there is no third bounce");
}

#[test]
fn nobody_is_told_who_does_not_want_to_be() {
    let spool = spool("bounce", "");
    let id = spool.message("sender@far.example");
    assert!(spool.run(&id, Command::Append(vec![failure(Verdict::Bounced, 1)])).done);
    let done = spool.run(&id, Command::Flush(original("sender@far.example")));
    assert!(done.done && done.queued.is_empty());
}

#[test]
fn a_warning_leaves_the_log_where_it_is() {
    let spool = spool("defer", "delay_warning_time = 1h");
    let id = spool.message("sender@far.example");
    assert!(spool.run(&id, Command::Append(vec![failure(Verdict::Deferred, 0)])).done);
    let done = spool.run(&id, Command::Warn(original("sender@far.example")));
    let (_, content) = spool.queued(&done.queued[0]);
    assert!(content.contains("Subject: Delayed Mail (still being retried)\n"), "{content}");
    assert!(content.contains("Will-Retry-Until: ") && !content.contains("Secret"), "{content}");
    assert!(spool.job.queue.path(QueueName::Defer, &id.parse().unwrap()).exists());
}

#[test]
fn success_is_told_by_trace() {
    let spool = spool("trace", "");
    let id = spool.message("sender@far.example");
    let mut sent = failure(Verdict::Sent, 2);
    sent.status = "2.0.0".into();
    assert!(spool.run(&id, Command::Append(vec![sent])).done);
    let done = spool.run(&id, Command::Flush(original("sender@far.example")));
    let (_, content) = spool.queued(&done.queued[0]);
    assert!(content.contains("Action: delivered\nStatus: 2.0.0\n"), "{content}");
}

#[test]
fn a_message_that_is_gone_is_reported_all_the_same() {
    let spool = spool("bounce", "");
    let done = spool.run("E13879EA1AF", Command::Flush(original("sender@far.example")));
    let (_, content) = spool.queued(&done.queued[0]);
    assert!(content.contains("\t--- Delivery report unavailable ---\n"), "{content}");
    assert!(content.contains("\t--- Undelivered message unavailable ---\n"), "{content}");
}

#[test]
fn a_table_that_fails_keeps_the_log_for_another_time() {
    let spool = spool("bounce", "virtual_alias_maps = fail:broken");
    let done = spool.run("E13879EA1AF", Command::Append(vec![failure(Verdict::Bounced, 0)]));
    assert!(done.done);
    let done = spool.run("E13879EA1AF", Command::Flush(original("sender@far.example")));
    assert!(!done.done && done.queued.is_empty());
    assert!(spool.job.queue.path(QueueName::Bounce, &"E13879EA1AF".parse().unwrap()).exists());
    let left = std::fs::read_dir(spool.job.queue.directory().join("incoming")).unwrap().count();
    assert_eq!(left, 0, "no half of a report is left");
}
