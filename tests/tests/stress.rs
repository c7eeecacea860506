//! A service whose sessions are all taken is brief with its clients (`stress`).

use tests::Builder;

#[test]
fn new_clients_get_the_settings_for_stress_when_all_sessions_are_taken() {
    // One that only this host can reach feels no stress.
    let mut builder = Builder::new()
        .example_com()
        .main("inet_interfaces = all\nsmtpd_banner = $myhostname ${stress?{busy}:{calm}}");
    let port = builder.reserve_port();
    let suite = builder.master(&format!("0.0.0.0:{port} inet n - n - 2 smtpd\n")).start();
    let connect = || tests::Client::connect(port);
    let first = connect();
    let second = connect();
    assert_eq!(first.banner.text, "mx.test.example calm");
    let third = std::thread::spawn(move || tests::Client::connect(port));
    suite.wait_log(&[
        "service \"0.0.0.0:",
        ") has reached its process limit \"2\": new clients may experience",
    ]);
    suite.wait_log(&["STRESS_README.html"]);
    first.quit();
    second.quit();
    third.join().expect("a session").quit();
    suite.until("a banner under stress", || {
        let client = connect();
        let busy = client.banner.text == "mx.test.example busy";
        client.quit();
        busy.then_some(())
    });
    // Another service is not under stress.
    assert!(suite.connect().banner.text.ends_with(" calm"));
    suite.stop();
}
