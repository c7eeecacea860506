//! Signs messages (RFC 6376, RFC 8463, RFC 8617) with keys that nobody else uses. It shares nothing with those who verify:
//! fields come in canonical form.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};

/// What DNS says of the RSA key.
pub const RSA_RECORD: &str = "v=DKIM1; k=rsa; p=\
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqSuhrGUr9FoaMgP76zRNJHhSjDtaSxL7YPKdCdnD+p/UPr8IoFeTxzMpa4e/0y/g\
    n+huFj87miljj1uaZdPsH8EQbVNUXnNpqoGjSlUW8lp/0j96Nb/y78oxuPpI3Qf33oPteEsGxnxh1BpADmnL+xMfsLlOcU6rJ2raRfyq2HPT\
    AVOQIkS4BsjuERhWKE6ectwNG0lWZXydMSGrCs4Pox6S5FxyfBfHBlL/RNY1clCrZD8cfexnEc4yii2+biiZrp3Jm4g9KdrLoCKADSsNpV4A\
    CuR8oa44aovPUXknOjmjM+TTqmpsEgrv3MzFCgWUh4/wD0Vp/Ydmdb34C9eeCwIDAQAB";
/// What DNS says of the other one (RFC 8463 §A.2).
pub const ED25519_RECORD: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// PKCS #8, for tests alone.
const RSA_KEY: &str = "\
    MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCpK6GsZSv0WhoyA/vrNE0keFKMO1pLEvtg8p0J2cP6n9Q+vwigV5PHMylr\
    h7/TL+Cf6G4WPzuaKWOPW5pl0+wfwRBtU1Rec2mqgaNKVRbyWn/SP3o1v/LvyjG4+kjdB/feg+14SwbGfGHUGkAOacv7Ex+wuU5xTqsnatpF\
    /KrYc9MBU5AiRLgGyO4RGFYoTp5y3A0bSVZlfJ0xIasKzg+jHpLkXHJ8F8cGUv9E1jVyUKtkPxx97GcRzjKKLb5uKJmuncmbiD0p2sugIoAN\
    Kw2lXgAK5Hyhrjhqi89ReSc6OaMz5NOqamwSCu/czMUKBZSHj/APRWn9h2Z1vfgL154LAgMBAAECggEAI22kzTLe8qyQAdt9vbNVWIbuWrnv\
    Xfuas6H7q110wp8IVx+w0culgjk/umpSjQrg0vxdWcFiXRW/6Pz5J8wrDjdjllG2QJWREolVxjJtvNGhJUnv8SPC398LbL7V1Zxel7YvXFry\
    D01rO31H3vzfIDTQFTWprOcZxwaEsdWJfgzkfjDIUbnbY3dgf+QGXRimYE5eNr/T1uhapa6n+RTmVVMYZvG4cnHiw0V49wuJJTGZZ3jkQqRl\
    PRwj55GEPvi7/HLm9oH8yvcwEjlM0Yyb9GZLyl6R7wql1tvNKFJFkvMTMhZWxXtQQhRlwUU0jxTVRQg6rD+IqEKxEaTXbK9eKQKBgQDTER4B\
    ZpAj3nRaOcHZ8sSlhbME/MsldoJ+MuzQsiaL//aDDZamkUHIlVMekQ5BadN6LvD0NIrmcqB2iAi0a5eQeSAz0qzA4az3JGtVNR7g6TK9jyL4\
    fdnwfzrMRmgZh+WUP5BxqbyxL6Ri2iUmjhHALL0GLCuuLxmRAL6Hl4e6VwKBgQDNLzX6H1w4vNL2+NiKn/x4AQLJBFLCEgVNTjMbJgjx7EiK\
    TtCzYwFRoHb3iptHJuWO5XgEhUd3YSwJa4Vq/edlXZN00ZZke5WlmlXXBjQZd54r9Tr0TWAP3DcHeupL4OjADZMYA1zqU/YB1aqpnThxq0eb\
    TAPDYgkDWoN1IE6RbQKBgHmuBpRcIoDrQDy7y2vwrzmViI05h4wDdFt41FnEOsC/Qchvzwgb+ca/f3nBumwvrEFmSncey2zrbGKpLguFc41Q\
    pyX5MKrJ78NS9aXbx/91sVDi8hA7zab+UlFtzZnaZJpAwu8kIaosgyKSDJTblpQptpeWY2A5uw2DVlQpIZBlAoGBALsl1JXPBM67a7DYSKoo\
    Qp8yTNgMmW9qAGwCZ5rblk0Stxdvy+vS4eER+3DNe9PqJnev1UhKSGUavI/bAlYUQHq0X0qt3/7GujfSDXmSrvKLqDlv89XgvT26Hnc0JYAQ\
    JDsIJqJAbv9MlZYWzRLn1BPZpfZ/3u7W/GGSrVSnowIBAoGAJuLW4m6u5KotOeEo+hnFGOz43xKQBc82O1DX7UZGPCxYK8in0COop8woiX70\
    uh65vZs+qWYFyxy55dMXyqz+paz4KGnemsh0FFnWleE31OKuqIr3frv02wHhidxiCmY+bP/9N52Un+HMoK/s1mHs81dzl65BBf8cY0L6FiOc\
    kfQ=";
/// RFC 8463 §A.2
const ED25519_KEY: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";

/// A field's name in lower case and its value, without needless blanks.
pub type Field<'a> = (&'a str, &'a str);

/// The value of a `DKIM-Signature` in relaxed form: `tags` hold all but `a`, `c`, `h`, `bh` and `b`.
pub fn dkim_signature(algorithm: &str, tags: &str, fields: &[Field<'_>], body: &str) -> String {
    with_body("dkim-signature", algorithm, tags, fields, body)
}

/// The value of an `ARC-Message-Signature`.
pub fn arc_signature(tags: &str, fields: &[Field<'_>], body: &str) -> String {
    with_body("arc-message-signature", "rsa-sha256", tags, fields, body)
}

/// The value of an `ARC-Seal` about these fields.
pub fn arc_seal(tags: &str, fields: &[Field<'_>]) -> String {
    let value = format!("a=rsa-sha256; {tags}; b=");
    let signature = signature("rsa-sha256", "arc-seal", &value, fields);
    value + &signature
}

fn with_body(name: &str, algorithm: &str, tags: &str, fields: &[Field<'_>], body: &str) -> String {
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let hash = STANDARD.encode(digest(&SHA256, body.replace('\n', "\r\n").as_bytes()));
    let value = format!("a={algorithm}; c=relaxed/relaxed; {tags}; h={}; bh={hash}; b=", names.join(":"));
    let signature = signature(algorithm, name, &value, fields);
    value + &signature
}

fn signature(algorithm: &str, name: &str, value: &str, fields: &[Field<'_>]) -> String {
    let mut signed: String = fields.iter().map(|(name, value)| format!("{name}:{value}\r\n")).collect();
    signed.push_str(&format!("{name}:{value}"));
    if algorithm == "ed25519-sha256" {
        let key = Ed25519KeyPair::from_seed_unchecked(&STANDARD.decode(ED25519_KEY).unwrap()).unwrap();
        return STANDARD.encode(key.sign(digest(&SHA256, signed.as_bytes()).as_ref()));
    }
    let key = RsaKeyPair::from_pkcs8(&STANDARD.decode(RSA_KEY).unwrap()).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    STANDARD.encode(signature)
}
