use super::*;

/// RFC 8463 §A.3
const MESSAGE: &str = "\
DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
";
/// RFC 8463 §A.2
const KEYS: [(&str, &str); 2] = [
    (
        "brisbane._domainkey.football.example.com",
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    ),
    (
        "test._domainkey.football.example.com",
        "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
    ),
];

const GOOD: [Verdict; 2] = [Verdict::Pass { key_bits: None }, Verdict::Pass { key_bits: Some(1024) }];

fn judged(message: &str, now: i64) -> Vec<Verdict> {
    let text = message.replace('\n', "\r\n").into_bytes();
    let message = Message::new(text);
    let verdict = |signature: Signature| {
        let name = signature.key_name();
        let key = name.and_then(|name| KEYS.iter().find(|(known, _)| *known == name));
        signature.verify(now, key.map_or(KeyText::Nothing, |(_, text)| KeyText::Text(text)))
    };
    signatures(&message).into_iter().map(verdict).collect()
}

#[test]
fn the_standard_s_message_is_genuine() {
    assert_eq!(judged(MESSAGE, 0), GOOD);
    let changed = MESSAGE.replace("Joe SixPack", "Joe  \n\tSixPack ").replace("game.  Are", "game. Are");
    assert_eq!(judged(&(changed + "\n\n"), 0), GOOD);
    assert_eq!(judged(&MESSAGE.replace("dinner", "lunch"), 0), [Verdict::Fail, Verdict::Fail]);
    assert_eq!(judged(&MESSAGE.replace("hungry", "thirsty"), 0), [Verdict::Fail, Verdict::Fail]);
    assert_eq!(
        judged(&MESSAGE.replacen("Subject:", "Subject: x\nSubject:", 1), 0),
        [Verdict::Fail, Verdict::Fail]
    );
    // Nothing that stands above the signed fields is looked at.
    assert_eq!(judged(&format!("Received: x\nX-Y: z\n{MESSAGE}"), 0), GOOD);
}

#[test]
fn what_does_not_read_proves_nothing() {
    let with = |from: &str, to: &str| judged(&MESSAGE.replace(from, to), 5)[0];
    for (from, to) in [
        ("v=1", "v=2"),
        ("a=", "a=x"),
        ("c=relaxed/relaxed", "c=relaxed/other"),
        ("i=@football", "i=@sfootball"),
        ("d=football.example.com", "d="),
        ("s=", "selector="),
        ("q=dns/txt", "q=http"),
        ("t=1528637909", "x=4"),
        ("s=brisbane", "s=darwin"),
    ] {
        assert_eq!(with(from, to), Verdict::Invalid, "{to}");
    }
    // Not a list of tags at all: it is no signature.
    assert_eq!(judged(&MESSAGE.replace("v=1;", "v;"), 0), []);
    assert_eq!(with("t=1528637909", "x=5"), Verdict::Fail);
}

#[test]
fn who_signed() {
    let text = MESSAGE.replace("i=@football", "i=a=62@www.Football").replace('\n', "\r\n").into_bytes();
    let found = signatures(&Message::new(text));
    assert_eq!(found[0].identity, "ab@www.Football.example.com");
    assert_eq!(found[0].signer().unwrap(), "www.football.example.com");
    assert_eq!(found[0].verify(0, KeyText::Failed), Verdict::KeyUnknown);
    assert_eq!(found[0].verify(0, KeyText::Nothing), Verdict::Invalid);
    assert_eq!((unquoted("a=3D=4x="), leading_number("12a"), leading_number("x")), ("a==4x=".into(), 12, 0));
}

#[test]
fn many_signatures_are_not_all_looked_at() {
    let text = "DKIM-Signature: v=1\r\n".repeat(60).into_bytes();
    assert_eq!(signatures(&Message::new(text)).len(), SIGNATURE_LIMIT);
}
