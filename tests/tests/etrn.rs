//! ETRN: mail that waits for a domain is tried when the domain asks.

use tests::Builder;

#[test]
fn mail_that_waits_for_a_domain_is_tried_when_the_domain_asks() {
    let suite = Builder::new()
        .example_com()
        .main(
            "relay_domains = waiting.example\nsmtpd_reject_unlisted_recipient = no\n\
             transport_maps = inline:{{waiting.example = retry:4.3.2 not now}}",
        )
        .start();
    let id = suite.send("user@example.com", &["a@waiting.example"], "Subject: x\n\nx\n");
    let deferred = || {
        let log = suite.log();
        log.lines().filter(|line| line.contains(&id) && line.contains("status=deferred")).count()
    };
    suite.until("the first try", || (deferred() == 1).then_some(()));
    let list = suite.queue().join("flush/waiting_example");
    suite.until("the list of the domain", || {
        std::fs::metadata(&list).is_ok_and(|facts| facts.len() > 0).then_some(())
    });
    let mut client = suite.connect();
    client.ehlo();
    assert_eq!(client.expect("ETRN waiting.example", 250).text, "Queuing started");
    suite.until("the second try", || (deferred() == 2).then_some(()));
    assert_eq!(client.expect("ETRN other.example", 459).text, "<other.example>: service unavailable");
    suite.wait_log(&["warning: reject: ETRN other.example... from ", "[127.0.0.1]"]);
    client.quit();
    suite.stop();
}

#[test]
fn without_the_flush_service_nothing_is_promised() {
    let suite = Builder::new()
        .example_com()
        .main("relay_domains = waiting.example\nmaster_service_disable = flush/unix")
        .start();
    let mut client = suite.connect();
    client.ehlo();
    assert_eq!(client.expect("ETRN waiting.example", 458).text, "Unable to queue messages");
    client.quit();
    suite.stop();
}
