//! Mail that claims to come from one of the large providers, but did not go through its servers.

use super::header::gated;
use super::{Context, Found, Function, contains, squeezed};
use crate::headers::relays_text;
use crate::perl::Fixed;

pub(super) fn function(name: &str) -> Option<Function> {
    match name {
        "check_for_forged_hotmail_received_headers" => Some(|context, _| hotmail(context).forged.into()),
        "check_for_no_hotmail_received_headers" => Some(|context, _| hotmail(context).missing.into()),
        "check_for_msn_groups_headers" => Some(|context, _| msn_groups(context).into()),
        "check_for_forged_eudoramail_received_headers" => Some(eudoramail),
        "check_for_forged_yahoo_received_headers" => Some(yahoo),
        "check_for_forged_juno_received_headers" => Some(juno),
        "check_for_forged_gmail_received_headers" => Some(gmail),
        _ => None,
    }
}

static ADDRESS: Fixed = Fixed::new(r"<IP>");

/// Does the sender's address end in this domain, given in lower case?
fn comes_from(context: &Context<'_>, domain: &[u8]) -> bool {
    let from = context.mail.text("From:addr").to_ascii_lowercase();
    let Some(before) = from.strip_suffix(domain) else { return false };
    !before.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// What is known of Hotmail.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hotmail {
    forged: bool,
    missing: bool,
}

fn hotmail(context: &Context<'_>) -> Hotmail {
    *context.hotmail.get_or_init(|| {
        let received = squeezed(&context.mail.text("Received"));
        if is_real_hotmail(context, &received) {
            return Hotmail::default();
        }
        static NAMED: Fixed = Fixed::new(r"(?:from |HELO |helo=)\S*hotmail\.com\b");
        let forged = NAMED.is_match(&received);
        Hotmail { forged, missing: !forged && comes_from(context, b"hotmail.com") }
    })
}

fn is_real_hotmail(context: &Context<'_>, received: &[u8]) -> bool {
    static PICKUP: Fixed = Fixed::new(r"from mail pickup service by hotmail\.com with Microsoft SMTPSVC;");
    static ORIGINATOR: Fixed = Fixed::new(r"hotmail\.com|msonline\-outlook");
    static WITH_ADDRESS: Fixed = Fixed::new(
        r"from (?:\S*\.)?hotmail.com \(\S+\.hotmail(?:\.msn)?\.com[ \)]|from \S*\.hotmail.com \(\[<IP>\][ \):]|from \S+ by \S+\.hotmail(?:\.msn)?\.com with HTTP\;|from \[66\.218.\S+\] by \S+\.yahoo\.com",
    );
    static WITH_ORIGINATOR: Fixed = Fixed::new(
        r"from \S*\.outbound\.protection\.outlook\.com \(\S+\.outbound\.protection\.outlook\.com[ \)]|from \S*\.(?:eur|nam)prd\d+\.prod\.outlook\.com \(<IP>\)",
    );
    if PICKUP.is_match(received) || msn_groups(context) || gated(context) {
        return true;
    }
    let mail = context.mail;
    let address = mail.text_if_any("X-Originating-Ip").is_some_and(|value| ADDRESS.is_match(&value));
    let originator = mail.text_if_any("X-OriginatorOrg").is_some_and(|value| ORIGINATOR.is_match(&value));
    (address && WITH_ADDRESS.is_match(received)) || (originator && WITH_ORIGINATOR.is_match(received))
}

fn msn_groups(context: &Context<'_>) -> bool {
    static TO: Fixed = Fixed::new(r"(?i)<(\S+)\@groups\.msn\.com>");
    static PICKUP: Fixed = Fixed::new(r"from mail pickup service by ((?:p\d\d\.)groups\.msn\.com)\b");
    let mail = context.mail;
    let to = mail.text("To");
    let received = mail.text("Received");
    let (Some(list), Some(server)) = (TO.groups(&to), PICKUP.groups(&received)) else { return false };
    let list = list.get(1);
    let id = mail.text("Message-Id");
    if list == b"notifications" {
        return id.starts_with(b"<") && contains(&id, &[b"@", server.get(1), b">"].concat());
    }
    let sent = id.starts_with(&[b"<", list, b"-"].concat()) && contains(&id, b"@groups.msn.com>");
    sent && contains(&mail.text("EnvelopeFrom:addr"), &[list, b"-bounce@groups.msn.com"].concat())
}

fn eudoramail(context: &Context<'_>, _: &[String]) -> Found {
    static WHOWHERE: Fixed = Fixed::new(r"by \S*whowhere.com\;");
    if !comes_from(context, b"eudoramail.com") || gated(context) {
        return Found::No;
    }
    let received = squeezed(&context.mail.text("Received"));
    let address = context.mail.text_if_any("X-Sender-Ip").is_some_and(|value| ADDRESS.is_match(&value));
    (!(address && WHOWHERE.is_match(&received))).into()
}

fn yahoo(context: &Context<'_>, _: &[String]) -> Found {
    static TRUSTED: Fixed = Fixed::new(r" rdns=\S+\.yahoo\.com ");
    static UNTRUSTED: Fixed = Fixed::new(r"^[^\]]+ rdns=\S+\.yahoo\.com ");
    static REAL: Fixed = Fixed::new(
        r"by web\S+\.mail\S*\.yahoo\.com via HTTP|by sonic\S+\.consmr\.mail\S*\.yahoo\.com with HTTP|by smtp\S+\.yahoo\.com with SMTP|from \[<IP>\] by \S+\.(?:groups|scd|dcn)\.yahoo\.com with NNFMP|by \w+\.\w+\.yahoo\.com \(\d+\.\d+\.\d+\/\d+\.\d+\.\d+\)(?: with ESMTP)? id \w+",
    );
    static BULK: Fixed = Fixed::new(r"\bmailer\d+\.bulk\.scd\.yahoo\.com\b");
    let mail = context.mail;
    if !comes_from(context, b"yahoo.com") {
        return Found::No;
    }
    let mut received = mail.text("Received");
    if !mail.text("Resent-From").is_empty() && !mail.text("Resent-To").is_empty() {
        received = Some(mail.text("X-Received")).filter(|other| !other.is_empty()).unwrap_or(received);
    }
    let received = squeezed(&received);
    let by_yahoo = TRUSTED.is_match(&relays_text(&mail.relays.trusted))
        || UNTRUSTED.is_match(&relays_text(&mail.relays.untrusted));
    let reply = mail.text("From:addr").to_ascii_lowercase().ends_with(b"@reply.yahoo.com");
    let real = gated(context) || by_yahoo || REAL.is_match(&received) || (reply && BULK.is_match(&received));
    (!real).into()
}

fn juno(context: &Context<'_>, _: &[String]) -> Found {
    static JUNO: Fixed = Fixed::new(r"from.*\b(?:juno|untd)\.com.*[\[\(]<IP>[\]\)].*by");
    static COOKIE: Fixed = Fixed::new(r" cookie\.(?:juno|untd)\.com ");
    if !comes_from(context, b"juno.com") || gated(context) {
        return Found::No;
    }
    let text = |name: &str| context.mail.text(name);
    let (origin, mailer, received) = (text("X-Originating-IP"), text("X-Mailer"), text("Received"));
    if !origin.is_empty() {
        let through = JUNO.is_match(&received) || COOKIE.is_match(&received);
        return (!through || !contains(&mailer, b"Juno ")).into();
    }
    // Without an originating address nothing else is enough.
    Found::Yes
}

fn gmail(context: &Context<'_>, _: &[String]) -> Found {
    static INTERNAL: Fixed =
        Fixed::new(r"by 10\.\S+ with SMTP id \S+|by 2002\:a\d\d\:\w+\:\S+ with SMTP id \S+");
    static SUBMITTED: Fixed = Fixed::new(r"by smtp\.googlemail\.com with ESMTPSA id \S+");
    const LENGTH: usize = 60;
    if !comes_from(context, b"gmail.com") {
        return Found::No;
    }
    let text = |name: &str| context.mail.text(name);
    let marked = text("X-Gm-Message-State").len() >= LENGTH && text("X-Google-Smtp-Source").len() >= LENGTH;
    let real = marked || INTERNAL.is_match(&text("X-Received")) || SUBMITTED.is_match(&text("Received"));
    (!real).into()
}
