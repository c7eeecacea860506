//! `virtual_delivery_status_filter`: what the administrator would rather say.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use tests::{Builder, Suite};

/// A suite whose filter is this `regexp:` table.
fn suite(filter: &str) -> Suite {
    let main = "virtual_delivery_status_filter = regexp:$config_directory/filter";
    let suite = Builder::new().example_com().main(main).write();
    std::fs::write(suite.config().join("filter"), filter).expect("a table");
    suite.start();
    suite
}

#[test]
fn texts_and_codes_are_replaced_in_log_and_report() {
    let suite = suite(
        "/^2.0.0 delivered to maildir$/ 2.1.5 put away\n\
         /^5.1.1 unknown user: \"(.*)@.*/ 5.7.1 we do not tell of $1\n\
         /^2.0.0 delivered to mailbox$/ 5.1.1 success is no failure\n",
    );
    for recipient in ["user@example.com", "nobody@example.com", "mbox@example.com"] {
        suite.run_with("sendmail", &["-f", "other@example.com", recipient], "Subject: x\n\nx\n");
    }
    suite.wait_log(&["to=<user@example.com>", "dsn=2.1.5, status=sent (put away)"]);
    suite.wait_log(&["to=<nobody@example.com>", "dsn=5.7.1, status=bounced (we do not tell of nobody)"]);
    suite.wait_log(&["to=<mbox@example.com>", "dsn=2.0.0, status=sent (delivered to mailbox)"]);
    suite.wait_log(&["/virtual[", "warning: "]);
    let report = suite.wait_messages("other/", 1).remove(0);
    for line in ["<nobody@example.com>: we do not tell of nobody", "Status: 5.7.1", "Action: failed"] {
        assert!(report.has_line(line), "{line} is not in {}", report.text);
    }
    suite.stop();
}

#[test]
fn a_hard_failure_becomes_a_soft_one() {
    let suite = suite("/^5.1.1 .*/ 4.1.1 perhaps later\n");
    suite.run_with("sendmail", &["-f", "other@example.com", "nobody@example.com"], "Subject: x\n\nx\n");
    suite.wait_log(&["to=<nobody@example.com>", "dsn=4.1.1, status=deferred (perhaps later)"]);
    suite.until("the reason in the queue listing", || {
        suite.run("postqueue", &["-p"]).contains("(perhaps later)").then_some(())
    });
    suite.stop();
}
