//! What lines of master.cf set for cleanup(8) counts for the mail that passes it, whoever does its work.
#![allow(clippy::unwrap_used)]

use tests::{Builder, Client};

const CHECKS: &str = "header_checks = regexp:{{/^X-Secret:/ IGNORE}}";

#[test]
fn each_way_in_has_the_settings_of_its_cleanup_service() {
    let mut builder = Builder::new().example_com();
    let submission = builder.reserve_port();
    let suite = builder
        .master(&format!(
            "127.0.0.1:{submission} inet n - n - - smtpd -o cleanup_service_name=authclean -o header_checks=\n\
             authclean unix n - n - 0 cleanup -o {{ header_checks = regexp:{{{{/^X-Secret:/ IGNORE}}}} }} \
             -o always_bcc=other@example.com\n",
        ))
        .start();
    let letter = "Subject: x\nX-Secret: 7\n\nx\n";
    suite.send("user@example.com", &["user@example.com"], letter);
    let plain = suite.wait_messages("user/", 1).remove(0);
    assert!(plain.has_line("X-Secret: 7"), "{}", plain.text);
    let mut client = Client::connect(submission);
    client.ehlo();
    client.send("user@example.com", &["third@example.com"], letter);
    client.quit();
    let submitted = suite.wait_messages("third/", 1).remove(0);
    assert!(!submitted.text.contains("X-Secret"), "{}", submitted.text);
    suite.wait_messages("other/", 1);
    suite.stop();
}

#[test]
fn what_the_line_of_a_server_sets_is_not_for_cleanup() {
    let mut builder = Builder::new().example_com();
    let submission = builder.reserve_port();
    let suite = builder
        .main(CHECKS)
        .master(&format!(
            "127.0.0.1:{submission} inet n - n - - smtpd -o header_checks= -o always_bcc=other@example.com\n"
        ))
        .start();
    let mut client = Client::connect(submission);
    client.ehlo();
    client.send("user@example.com", &["third@example.com"], "Subject: x\nX-Secret: 7\n\nx\n");
    client.quit();
    let message = suite.wait_messages("third/", 1).remove(0);
    assert!(!message.text.contains("X-Secret"), "{}", message.text);
    assert_eq!(suite.messages("other/").len(), 0);
    suite.stop();
}

#[test]
fn local_mail_and_reports_heed_the_usual_line() {
    let suite = Builder::new()
        .example_com()
        .main("header_checks =\ninternal_mail_filter_classes = bounce")
        .master("cleanup unix n - n - 0 cleanup -o { header_checks = regexp:{{/^Subject: (secret|Undelivered)/ PREPEND X-Seen: yes}} }\n")
        .start();
    suite.run_with("sendmail", &["-f", "user@example.com", "third@example.com"], "Subject: secret\n\nx\n");
    assert!(suite.wait_messages("third/", 1).remove(0).has_line("X-Seen: yes"));
    suite.run_with("sendmail", &["-f", "user@example.com", "no@example.com"], "Subject: x\n\nx\n");
    let report = suite.wait_messages("user/", 1).remove(0);
    assert!(report.has_line("X-Seen: yes"), "{}", report.text);
    suite.stop();
}
