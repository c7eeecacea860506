//! The parameters behind the address of MAIL and RCPT.

use crate::question::{Event, Sender};
use crate::reply::Reply;
use crate::settings::{Keywords, Settings};
use crate::xtext;

/// `BODY=` (RFC 6152).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// `7BIT`
    SevenBit,
    /// `8BITMIME`
    EightBit,
}

/// `RET=` (RFC 3461 §4.3): how much of the message a report carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return {
    /// `FULL`
    Full,
    /// `HDRS`
    Headers,
}

/// `NOTIFY=` (RFC 3461 §4.1): which reports are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Notify {
    /// None at all; then the others are false.
    pub never: bool,
    /// When it is delivered.
    pub success: bool,
    /// When it is not.
    pub failure: bool,
    /// When it takes long.
    pub delay: bool,
}

/// Parameters of RCPT that are refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) reply: Reply,
    /// A word of NOTIFY that means nothing: the log hears of it.
    pub(crate) unknown: Option<Event>,
}

impl From<Reply> for Wrong {
    fn from(reply: Reply) -> Self {
        Self { reply, unknown: None }
    }
}

/// The first word of a NOTIFY that means nothing.
fn unknown_notify(value: &str) -> Option<&str> {
    let known = |word: &&str| {
        ["NEVER", "SUCCESS", "FAILURE", "DELAY"].iter().any(|own| own.eq_ignore_ascii_case(word))
    };
    value.split(',').filter(|word| !word.is_empty()).find(|word| !known(word))
}

impl Notify {
    fn parse(text: &str) -> Option<Self> {
        let mut notify = Self::default();
        for word in text.split(',') {
            let flag = match word.to_ascii_uppercase().as_str() {
                "NEVER" => &mut notify.never,
                "SUCCESS" => &mut notify.success,
                "FAILURE" => &mut notify.failure,
                "DELAY" => &mut notify.delay,
                _ => return None,
            };
            *flag = true;
        }
        let others = notify.success || notify.failure || notify.delay;
        (notify.never != others).then_some(notify)
    }

    /// The bits of the queue file: 1 never, 2 success, 4 failure, 8 delay.
    pub fn bits(self) -> u8 {
        u8::from(self.never)
            | u8::from(self.success) << 1
            | u8::from(self.failure) << 2
            | u8::from(self.delay) << 3
    }
}

/// What the parameters of RCPT say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RcptParameters {
    pub(crate) notify: Option<Notify>,
    pub(crate) original: Option<String>,
}

/// Reads `words` into `sender`; the first that is wrong gives the refusal.
pub(crate) fn mail(
    words: &[&str],
    settings: &Settings,
    allowed: Allowed,
    sender: &mut Sender,
) -> Result<(), Reply> {
    for word in words {
        let (name, value) = word.split_once('=').map_or((*word, None), |(name, value)| (name, Some(value)));
        match (name.to_ascii_uppercase().as_str(), value) {
            ("BODY", Some(value)) if value.eq_ignore_ascii_case("8BITMIME") => {
                sender.body = Some(Body::EightBit)
            }
            ("BODY", Some(value)) if value.eq_ignore_ascii_case("7BIT") => sender.body = Some(Body::SevenBit),
            ("SIZE", Some(value)) => sender.size_bytes = size(value)?,
            ("SMTPUTF8", None) if settings.smtputf8 && !allowed.discard.has("SMTPUTF8") => {
                sender.smtputf8 = true
            }
            ("AUTH", Some(_)) if sender.author.is_some() => {
                return Err("503 5.5.4 Error: multiple AUTH= options".into());
            }
            // Nobody is authenticated, so the claim is told to others and counts for nothing here (RFC 4954 §5).
            ("AUTH", Some(value)) => sender.author = Some(value.to_owned()).filter(|value| value != "<>"),
            ("XVERP", value) if allowed.verp => sender.verp = Some(verp(value, settings)?),
            ("RET", Some(value)) => sender.ret = Some(ret(value, allowed, sender.ret)?),
            ("ENVID", Some(value)) => sender.envelope_id = Some(envelope_id(value, allowed, sender)?),
            _ => return Err(unsupported(word)),
        }
    }
    if sender.verp.is_some() && sender.address.is_empty() {
        return Err("503 5.5.4 Error: XVERP requires non-null sender".into());
    }
    Ok(())
}

/// What this client may ask for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowed {
    pub(crate) discard: Keywords,
    pub(crate) verp: bool,
}

/// Reads the parameters of RCPT.
pub(crate) fn rcpt(words: &[&str], allowed: Allowed) -> Result<RcptParameters, Wrong> {
    let mut read = RcptParameters::default();
    for word in words {
        let (name, value) = word.split_once('=').map_or((*word, None), |(name, value)| (name, Some(value)));
        match (name.to_ascii_uppercase().as_str(), value) {
            ("NOTIFY" | "ORCPT", Some(_)) if allowed.discard.has("DSN") => return Err(dsn_disabled().into()),
            ("NOTIFY", Some(value)) => {
                let unknown = unknown_notify(value).filter(|_| read.notify.is_none());
                let unknown = unknown.map(|word| Event::UnknownNotify(word.to_owned(), value.to_owned()));
                read.notify = Some(notify(value, read.notify).map_err(|reply| Wrong { reply, unknown })?);
            }
            ("ORCPT", Some(value)) => read.original = Some(original(value, read.original.as_ref())?),
            _ => return Err(unsupported(word).into()),
        }
    }
    Ok(read)
}

/// RFC 1870 §6. The value may be larger than any message: that is another reply.
fn size(value: &str) -> Result<Option<u64>, Reply> {
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("501 5.5.4 Bad message size syntax".into());
    }
    match value.parse::<i64>() {
        Ok(bytes) => Ok(u64::try_from(bytes).ok()),
        Err(_) => Err("552 5.3.4 Message size exceeds file system imposed limit".into()),
    }
}

fn verp(value: Option<&str>, settings: &Settings) -> Result<String, Reply> {
    let Some(value) = value else { return Ok(settings.verp.default_delimiters.clone()) };
    let allowed = &settings.verp.allowed;
    if value.chars().count() != 2 || !value.chars().all(|c| allowed.contains(c)) {
        return Err(format!("501 5.5.4 Error: XVERP needs two characters from {allowed}").into());
    }
    Ok(value.to_owned())
}

fn ret(value: &str, allowed: Allowed, before: Option<Return>) -> Result<Return, Reply> {
    if allowed.discard.has("DSN") {
        return Err(dsn_disabled());
    }
    match value.to_ascii_uppercase().as_str() {
        "FULL" if before.is_none() => Ok(Return::Full),
        "HDRS" if before.is_none() => Ok(Return::Headers),
        _ => Err("501 5.5.4 Bad RET parameter syntax".into()),
    }
}

fn envelope_id(value: &str, allowed: Allowed, sender: &Sender) -> Result<String, Reply> {
    if allowed.discard.has("DSN") {
        return Err(dsn_disabled());
    }
    let first = sender.envelope_id.is_none() && !value.is_empty();
    let decoded = xtext::decode(value).filter(|text| first && is_printable(text));
    decoded.ok_or_else(|| "501 5.5.4 Bad ENVID parameter syntax".into())
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

fn notify(value: &str, before: Option<Notify>) -> Result<Notify, Reply> {
    let parsed = Notify::parse(value).filter(|_| before.is_none());
    parsed.ok_or_else(|| "501 5.5.4 Error: Bad NOTIFY parameter syntax".into())
}

/// `rfc822;a+2Bb@c`, `utf-8;a\x{E4}b@c`: the type stays, the address is decoded (RFC 3461 §4.2, RFC 6533 §3).
fn original(value: &str, before: Option<&String>) -> Result<String, Reply> {
    let parsed = value.split_once(';').and_then(|(kind, coded)| {
        let unicode = kind.eq_ignore_ascii_case("utf-8");
        let address = if unicode { xtext::decode_unicode(coded) } else { xtext::decode_lossy(coded) }?;
        (!kind.is_empty() && before.is_none()).then(|| format!("{kind};{address}"))
    });
    parsed.ok_or_else(|| "501 5.5.4 Error: Bad ORCPT parameter syntax".into())
}

fn dsn_disabled() -> Reply {
    "501 5.7.1 DSN support is disabled".into()
}

fn unsupported(word: &str) -> Reply {
    format!("555 5.5.4 Unsupported option: {word}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_stands_alone() {
        assert_eq!(Notify::parse("never").map(Notify::bits), Some(1));
        assert_eq!(Notify::parse("SUCCESS,delay").map(Notify::bits), Some(2 | 8));
        for bad in ["", "never,success", "x", "success,"] {
            assert_eq!(Notify::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn sizes_are_digits_only_and_huge_ones_do_not_wrap() {
        assert_eq!(size("1000"), Ok(Some(1000)));
        for bad in ["", "-1", "+1", "1k", " 1"] {
            assert!(size(bad).is_err_and(|reply| reply.code() == "501"), "{bad}");
        }
        assert!(size("99999999999999999999").is_err_and(|reply| reply.code() == "552"));
    }

    #[test]
    fn an_original_recipient_has_a_type_and_an_address() {
        assert_eq!(original("rfc822;a+40b", None), Ok("rfc822;a@b".to_owned()));
        assert_eq!(original("UTF-8;\\x{E4}+2B@b", None), Ok("UTF-8;ä+2B@b".to_owned()));
        assert_eq!(original("rfc822;a+FF@b", None), Ok("rfc822;a\u{fffd}@b".to_owned()));
        for bad in ["rfc822", ";a@b", "rfc822;+", "utf-8;\\x{"] {
            assert!(original(bad, None).is_err(), "{bad}");
        }
    }
}
