//! The forms in which programs write `Received` fields, in the order in which they are tried.

use super::line::Hop;
use crate::perl::{Fixed, Groups};

/// What a line turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Hop,
    Ignored,
    Fetched,
    /// Ignored, but its envelope sender belongs to the next line.
    Scanner,
    Unknown,
}

/// A form: a pattern, and for each of its groups the letter of what it holds: `h` HELO, `r` name by reverse DNS, `n` both, `i`
/// address, `b` the server, `d` ident, `m` id, `-` nothing. `!` alone: such lines are no hop. `*` in front: the server looks up names.
struct Form {
    pattern: Fixed,
    fields: &'static str,
}

const fn form(pattern: &'static str, fields: &'static str) -> Form {
    Form { pattern: Fixed::new(pattern), fields }
}

/// Programs that are known by a word: the word, and the forms they write.
struct Program {
    word: Fixed,
    forms: &'static [Form],
}

impl Form {
    fn try_on(&self, text: &[u8], hop: &mut Hop) -> Option<Outcome> {
        let groups = self.pattern.groups(text)?;
        Some(fill(&groups, self.fields, hop))
    }
}

fn fill(groups: &Groups<'_>, fields: &str, hop: &mut Hop) -> Outcome {
    if fields == "!" {
        return Outcome::Ignored;
    }
    let mut index = 0;
    for letter in fields.chars() {
        if letter == '*' {
            hop.looked_up = true;
            continue;
        }
        index += 1;
        let text = groups.text(index);
        match letter {
            'h' => hop.helo = text,
            'r' => hop.rdns = text,
            'n' => {
                hop.helo.clone_from(&text);
                hop.rdns = text;
            }
            'i' => hop.ip = text,
            'b' => hop.by = text,
            'd' => hop.ident = text.strip_suffix(b"@").map_or_else(|| text.clone(), <[u8]>::to_vec),
            'm' => hop.id = text,
            _ => {}
        }
    }
    Outcome::Hop
}

fn first_of(forms: &[Form], text: &[u8], hop: &mut Hop) -> Option<Outcome> {
    forms.iter().find_map(|form| form.try_on(text, hop))
}

/// Reads the line behind its date.
pub(super) fn read(text: &[u8], hop: &mut Hop) -> Outcome {
    if let Some(rest) = text.strip_prefix(b"from ") {
        return from(rest, hop);
    }
    if let Some(rest) = text.strip_prefix(b"FROM ") {
        let found = first_of(&UPPER_CASE, rest, hop);
        if hop.rdns == b"unverified" {
            hop.rdns.clear();
        }
        return found.unwrap_or(Outcome::Unknown);
    }
    let rest = text.strip_prefix(b"(from ");
    rest.and_then(|rest| first_of(&IN_PARENTHESES, rest, hop)).unwrap_or(Outcome::Unknown)
}

fn from(text: &[u8], hop: &mut Hop) -> Outcome {
    static SENDER: Fixed = Fixed::new(r"(?i)(?:return-path:? |envelope-(?:sender|from)[ =])(\S+)\b");
    static FIRST_WORD: Fixed = Fixed::new(r"^(\S+)[^-A-Za-z0-9\.]");
    hop.envelope_sender = SENDER.groups(text).map(|groups| groups.text(1));
    let found = webmail(text, hop)
        .or_else(|| known_program(text, hop))
        .or_else(|| first_of(&WEB, text, hop))
        .or_else(|| sendmail(text, hop))
        .or_else(|| first_of(&EARLY, text, hop))
        .or_else(|| hotmail(text, hop))
        .or_else(|| first_of(&QMAIL_LIKE, text, hop))
        .or_else(|| qmail(text, hop))
        .or_else(|| first_of(&BRACKETED, text, hop))
        .or_else(|| courier(text, hop))
        .or_else(|| first_of(&SENDMAIL_LIKE, text, hop))
        .or_else(|| fetched(text))
        .or_else(|| first_of(&GENERAL, text, hop))
        .or_else(|| numbered(text, hop))
        .or_else(|| first_of(&RARE, text, hop))
        .or_else(|| scanner(text))
        .or_else(|| first_of(&IGNORED, text, hop));
    if found.is_none() && hop.helo.is_empty() {
        hop.helo = FIRST_WORD.groups(text).map_or_else(Vec::new, |groups| groups.text(1));
    }
    found.unwrap_or(Outcome::Unknown)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn webmail(text: &[u8], hop: &mut Hop) -> Option<Outcome> {
    static SQUIRREL: Fixed = Fixed::new(r" \((?:SquirrelMail|NaSMail) authenticated user ");
    static SQUIRREL_FORM: Form = form(r"(<IP>)\b(?![.-]).{10,80}by (\S+) with HTTP", "ib");
    static AOL_FORM: Form = form(r"(<IP>) by (\S+) \(<IP>\) with HTTP \(WebMailUI\)", "ib");
    let squirrel = SQUIRREL.is_match(text).then(|| SQUIRREL_FORM.try_on(text, hop)).flatten();
    let aol = contains(text, b"aol.com") && contains(text, b"with HTTP (WebMailUI)");
    squirrel.or_else(|| aol.then(|| AOL_FORM.try_on(text, hop)).flatten())
}

/// Programs that name themselves: the first whose word stands there is the one.
fn known_program(text: &[u8], hop: &mut Hop) -> Option<Outcome> {
    let program = PROGRAMS.iter().position(|program| program.word.is_match(text))?;
    let outcome = first_of(PROGRAMS[program].forms, text, hop);
    match program {
        1 if outcome.is_some() => hop.id.clear(),
        2 if outcome.is_some() => xmail(text, hop),
        4 => return exim(text, hop),
        5 if hop.rdns == b"unknown" => hop.rdns.clear(),
        _ => {}
    }
    outcome
}

fn xmail(text: &[u8], hop: &mut Hop) {
    static ID: Fixed = Fixed::new(r" id <(\S+)>");
    static SENDER: Fixed = Fixed::new(r" from <(\S+)>");
    if let Some(groups) = ID.groups(text) {
        hop.id = groups.text(1);
    }
    if let Some(groups) = SENDER.groups(text) {
        hop.envelope_sender = Some(groups.text(1));
    }
}

/// `helo=` and `ident=` in a comment.
fn from_comment(comment: &[u8], hop: &mut Hop) {
    static HELO: Fixed = Fixed::new(r"helo=(\S+)");
    static IDENT: Fixed = Fixed::new(r"ident=(\S*)");
    let rest = match HELO.groups(comment) {
        Some(groups) => {
            hop.helo = groups.text(1);
            HELO.replace_first(comment, |_| Vec::new()).unwrap_or_default()
        }
        None => comment.to_vec(),
    };
    if let Some(groups) = IDENT.groups(&rest) {
        hop.ident = groups.text(1);
    }
}

fn exim(text: &[u8], hop: &mut Hop) -> Option<Outcome> {
    static LOCAL: Fixed = Fixed::new(r"\bwith local(?:-\S+)? ");
    static ADDRESS: Fixed = Fixed::new(r"^\[(<IP>)\] \((.*?)\) by (\S+) ");
    static NAME: Fixed = Fixed::new(r"^(\S+) \(\[(<IP>)\](.*?)\) by (\S+) ");
    static BARE: Fixed = Fixed::new(r"^(\S+) \[(<IP>)\](:\d+)? by (\S+) ");
    if LOCAL.is_match(text) {
        return Some(Outcome::Ignored);
    }
    if let Some(groups) = ADDRESS.groups(text) {
        (hop.ip, hop.by) = (groups.text(1), groups.text(3));
        from_comment(groups.get(2), hop);
        return Some(Outcome::Hop);
    }
    if let Some(groups) = NAME.groups(text) {
        (hop.rdns, hop.ip, hop.by) = (groups.text(1), groups.text(2), groups.text(4));
        hop.helo.clone_from(&hop.rdns);
        from_comment(groups.get(3), hop);
        return Some(Outcome::Hop);
    }
    if let Some(groups) = BARE.groups(text) {
        (hop.rdns, hop.ip, hop.helo, hop.by) =
            (groups.text(1), groups.text(2), groups.text(1), groups.text(4));
        return Some(Outcome::Hop);
    }
    exim_in_pieces(text, hop)
}

fn exim_in_pieces(text: &[u8], hop: &mut Hop) -> Option<Outcome> {
    static PIECES: [Form; 4] = [
        form(r"^(\S+) ", "r"),
        form(r" \((\S+)\) ", "h"),
        form(r" \[(<IP>)(?:\.\d+)?\] ", "i"),
        form(r"by (\S+) ", "b"),
    ];
    let [.., by] = PIECES.each_ref().map(|piece| piece.try_on(text, hop));
    by.filter(|_| !hop.ip.is_empty())
}

/// Sendmail and those that write like it, but not qmail.
fn sendmail(text: &[u8], hop: &mut Hop) -> Option<Outcome> {
    static QMAIL: Fixed = Fixed::new(r" by \S+ \(qmail-\S+\) with ");
    static FORM: Form = form(r"^(\S+) \((\S+) \[(<IP>)\].*\) by (\S+) \(", "*hrib");
    if QMAIL.is_match(text) {
        return None;
    }
    let found = FORM.try_on(text, hop)?;
    let rdns = std::mem::take(&mut hop.rdns);
    let at = rdns.iter().position(|byte| *byte == b'@');
    hop.rdns = at.map_or_else(|| rdns.clone(), |at| rdns[at + 1..].to_vec());
    if let Some(at) = at {
        hop.ident = rdns[..at].strip_prefix(b"IDENT:").unwrap_or(&rdns[..at]).to_vec();
    }
    Some(found)
}

fn hotmail(text: &[u8], hop: &mut Hop) -> Option<Outcome> {
    static BY: Form = form(r"by (\S+\.hotmail\.msn\.com) ", "b");
    static ADDRESS: Form = form(r"^(<IP>) ", "i");
    let found = BY.try_on(text, hop)?;
    ADDRESS.try_on(text, hop);
    Some(found)
}

fn qmail(text: &[u8], hop: &mut Hop) -> Option<Outcome> {
    static QMAIL: Fixed = Fixed::new(
        r"^\S+( \((?:HELO|EHLO) \S*\))? \((\S+\@)?\[?<IP>\]?\)( \(envelope-sender <\S+>\))? by \S+( \(.+\))* with (.* )?(SMTP|QMQP)(?! id )",
    );
    if !QMAIL.is_match(text) {
        return None;
    }
    first_of(&QMAIL_FORMS, text, hop);
    if hop.rdns == b"unknown" {
        hop.rdns.clear();
    } else {
        hop.looked_up = true;
    }
    Some(Outcome::Hop)
}

fn courier(text: &[u8], hop: &mut Hop) -> Option<Outcome> {
    static FORM: Form = form(r"^(\S+) \((\S+) \[(<IP>)\]\).*? by (\S+)\b", "hrib");
    let before = hop.rdns.clone();
    let found = FORM.try_on(text, hop)?;
    hop.looked_up = hop.rdns != b"softdnserr";
    if !hop.looked_up {
        hop.rdns = before;
    }
    Some(found)
}

fn fetched(text: &[u8]) -> Option<Outcome> {
    static MAILBOX: Fixed = Fixed::new(r"with (?:POP3|IMAP)");
    MAILBOX.is_match(text).then_some(Outcome::Fetched)
}

/// Forms with a comment to take apart.
fn numbered(text: &[u8], hop: &mut Hop) -> Option<Outcome> {
    static COMMENT: Fixed = Fixed::new(r"^\[(<IP>)\] \(([^\)]+)\) by (\S+) ");
    let groups = COMMENT.groups(text)?;
    (hop.ip, hop.by) = (groups.text(1), groups.text(3));
    from_comment(groups.get(2), hop);
    Some(Outcome::Hop)
}

fn scanner(text: &[u8]) -> Option<Outcome> {
    static QMAIL_SCANNER: Fixed = Fixed::new(r"^\S+ by \S+ \(.{0,100}\) with qmail-scanner");
    let early = EARLY_IGNORED.iter().any(|form| form.pattern.is_match(text));
    if early {
        return Some(Outcome::Ignored);
    }
    QMAIL_SCANNER.is_match(text).then_some(Outcome::Scanner)
}

static MICROSOFT_SMTPSVC: [Form; 2] = [
    form(r"^(\S*) \(\[(<IP>)\][^\)]{0,40}\) by (\S+) with Microsoft SMTPSVC", "hib"),
    form(r"^mail pickup service by (\S+) with Microsoft SMTPSVC$", "!"),
];
static MICROSOFT_SERVER: [Form; 1] = [form(r"^(\S+) \(\[?(<IP>)(?:%[A-Z0-9._~-]*)?\]?\) by (\S+) ", "hib")];
static XMAIL: [Form; 1] =
    [form(r"^(\S+) \((\[?<IP>\]?)(?::\d+)\) by (\S+)(?: \(\S+\))? with \[XMail", "hib")];
static ECELERITY: [Form; 2] = [
    form(r"^\(\[(<IP>):\d+\] helo=(\S+)\) by (\S+) ", "ihb"),
    form(r"^\S+ \(\[(<IP>):\d+\]\) by (\S+) ", "ib"),
];
static POSTFIX: [Form; 2] = [
    form(r"^(\S+) \((\S+) \[(<IP>)\]\) by (\S+) ", "*hrib"),
    form(r"^(\S+) \((\S+)\[(<IP>)\]\) by (\S+) ", "*hrib"),
];
static SCALIX: [Form; 1] = [form(r"^(\S+) \( ?(<IP>)\) by (\S+)", "hib")];
static DOMINO: [Form; 1] = [form(r"^(\S+) \(\[(<IP>)\]\) by (\S+) \(Lotus", "hib")];

static PROGRAMS: [Program; 8] = [
    Program { word: Fixed::new(r" SMTPSVC"), forms: &MICROSOFT_SMTPSVC },
    Program {
        word: Fixed::new(
            r" with (?:Microsoft SMTP Server|mapi id) (?:\([^\)]+\) )?\d+\.\d+\.\d+\.\d+(?:$| )",
        ),
        forms: &MICROSOFT_SERVER,
    },
    Program { word: Fixed::new(r"\[XMail "), forms: &XMAIL },
    Program { word: Fixed::new(r"\(ecelerity\b"), forms: &ECELERITY },
    Program { word: Fixed::new(r"Exim"), forms: &[] },
    Program { word: Fixed::new(r" \(Postfix\) with"), forms: &POSTFIX },
    Program { word: Fixed::new(r"\(Scalix SMTP Relay"), forms: &SCALIX },
    Program { word: Fixed::new(r" \(Lotus Domino "), forms: &DOMINO },
];

static WEB: [Form; 1] = [form(r"^(?=.*\bwith HTTP\b)(<IP>) \(\[<IP>\]\) by (\S+)", "ib")];

static EARLY: [Form; 5] = [
    form(r"^(\S+) \((\S+) \[(<IP>)\]\) by (\S+) with \S+ \(", "*hrib"),
    form(r"^(\S+) \(\[(<IP>)\] helo=(\S+)\) by (\S+) with ", "rihb"),
    form(r"^(\S+) \(<unknown\S*>\[(<IP>)\]\) by (\S+) ", "hib"),
    form(r"^(\S+) \((\S+\.\S+)\[(<IP>)\]\) by (\S+) ", "*hrib"),
    form(r"^(\S+) \((\S*)\@\[(<IP>)\].*\) by (\S+) \(", "*hdib"),
];

static QMAIL_LIKE: [Form; 4] = [
    form(r"^(\S+) \((?:HELO|EHLO) (\S*)\) \((<IP>)\) by (\S+) \(qpsmtpd\/\S+\) with (?:ESMTP|SMTP)", "rhib"),
    form(r"^(\S+) \(LHLO (\S*)\) \((<IP>)\) by (\S+) with LMTP", "rhib"),
    form(r"^(\S+) \((?:HELO|EHLO) (\S*)\) \[(<IP>)\] by (\S+) \([^\)]+\) with (?:ESMTP|SMTP)", "rhib"),
    form(r"^(\S+) \(\[(<IP>)\]\) by (\S+) via smtpd \(for \S+\) with SMTP\(", "hib"),
];

static QMAIL_FORMS: [Form; 4] = [
    form(
        r"^(\S+) \((?:HELO|EHLO) ([^ \(\)]*)\) \((\S*)\@\[?(<IP>)\]?\)( \(envelope-sender <\S+>\))? by (\S+)",
        "rhdi-b",
    ),
    form(
        r"^(\S+) \((?:HELO|EHLO) ([^ \(\)]*)\) \(\[?(<IP>)\]?\)( \(envelope-sender <\S+>\))? by (\S+)",
        "rhi-b",
    ),
    form(r"^(\S+) \((\S*)\@\[?(<IP>)\]?\)( \(envelope-sender <\S+>\))? by (\S+)", "ndi-b"),
    form(r"^(\S+) \(\[?(<IP>)\]?\)( \(envelope-sender <\S+>\))? by (\S+)", "ni-b"),
];

static BRACKETED: [Form; 8] = [
    form(r"^\[(<IP>)\] by (\S+) via HTTP$", "ib"),
    form(r"^(\S+) \( \[(<IP>)\]\).*? by (\S+) ", "-ib"),
    form(r"^\((\S+) \[(<IP>)\]\) by (\S+) ", "hib"),
    form(r"^\[(<IP>)\] by (\S+) ", "ib"),
    form(r"^\(\[?(<IP>)\]?\) by (\S+) ", "ib"),
    form(r"^(\S+) \[(<IP>)\] by (\S+) \[<IP>\] with ", "*hib"),
    form(r"^(\S+) \[\((<IP>)\)\] by (\S+) \(<IP>\) ", "hib"),
    form(r"^(\S+) \(\[(<IP>)\]\) by (\S+) \(", "*hib"),
];

static SENDMAIL_LIKE: [Form; 2] = [
    form(r"^(\S+) \(\[(<IP>)(?:[.:]\d+)?\]\).*? by (\S+) ", "*hib"),
    form(r"^(\S+) \((\S+) \[(<IP>)\]\)(?: \(authenticated bits=\d+\))? by (\S+) \(", "*hrib"),
];

static GENERAL: [Form; 26] = [
    form(r"^(\S+) \((?:HELO|EHLO) ([^\)]*)\) \((\S*@)?\[?(<IP>)\]?\).* by (\S+) ", "*rhdib"),
    form(r"^(\S+) \((\S*@)?\[?(<IP>)\]?\).* by (\S+) ", "*ndib"),
    form(r"^\[(<IP>)\] by (\S+) with http for ", "ib"),
    form(r"^(\S+)\((<IP>)\) by (\S+) via smap ", "*rib"),
    form(r"^(\S+)\((<IP>), (?:HELO|EHLO) (\S*)\) by (\S+) via smap ", "*rihb"),
    form(r"^\[(<IP>)\] by (\S+) \(Post", "ib"),
    form(r"^\[(<IP>)\] by (\S+) \(ArGoSoft", "ib"),
    form(r"^(<IP>) by (\S+) \((?:SMTPL|InterScan)\b", "ib"),
    form(r"^\S+ by \S+ with BSMTP", "!"),
    form(r"^(\S+) \((\S+) \[(<IP>)\]\) by (\S+) with ", "*hrib"),
    form(r"^(\S+) \((?:HELO|EHLO) (\S*)\) \((?:(\S+)\@)?(<IP>).*?\) by (\S+) with ", "*rhdib"),
    form(r"^\[(<IP>)\] \((?:account \S+ )?(?:HELO|EHLO) (\S*)\) by (\S+) \(", "ihb"),
    form(r"^(?=.* \(CommuniGate Pro)(\S+) \(\[(<IP>)\] verified\) by (\S+) \(", "*nib"),
    form(r"^\(\[(<IP>)\]\) by (\S+) with ", "ib"),
    form(r"^([^\d]\S+) \((<IP>)\) by (\S+) ", "hib"),
    form(r"^\S+ \(\S+\) by \S+ \(Content Technologies ", "!"),
    form(r"^(\S+) \(\[(<IP>)\] \[(\S+)\]\) by (\S+) with ", "hi-b"),
    form(r"^(<IP>) by (\S+) with ", "ib"),
    form(r"^(\S+) \((\S+)\[(<IP>)\]\) by (\S+) ", "*hrib"),
    form(r"^\[(<IP>)\]\S+ \((?:HELO|EHLO) (\S*)\) by (\S+) ", "ihb"),
    form(r"^(<IP>) \((?:HELO|EHLO) (\S*)\) by (\S+) ", "ihb"),
    form(r"^(\S+) \[(<IP>)\] by (\S+) ", "hib"),
    form(r"^(\S+)\((<IP>)\) by (\S+) ", "rib"),
    form(r"^\[(<IP>)\] by (\S+) \(MailGate ", "ib"),
    form(r"^(\S+) \(unverified \[(<IP>)\]\) by (\S+) ", "hib"),
    form(r"^(<IP>) \([A-Za-z][^\)]+\) by (\S+) with ", "ib"),
];

static RARE: [Form; 5] = [
    form(r"^(\S+) \((?:\S+\@)?(<IP>)\) by (\S+) with ", "rib"),
    form(r#"^(UNKNOWN)\((<IP>)\)(?:, claiming to be "(\S+)")? via \S+ by (\S+),"#, "rihb"),
    form(r#"^(\S+)\((<IP>)\)(?:, claiming to be "(\S+)")? via \S+ by (\S+),"#, "*rihb"),
    form(r"^(\S+) \((\S+)@(<IP>) with login\) by (\S+\.yahoo\.com) with SMTP", "h-ib"),
    form(r"^X-Originating-IP: (<IP>)$", "i"),
];

/// Hand-overs within one host, and the like.
static EARLY_IGNORED: [Form; 14] = [
    form(r"^\S+ \([^\s\@]+\@(?:localhost(?:\.localdomain)?|127\.0\.0\.1|::1)\) by \S+ \(", "!"),
    form(r"^\S+ \S+ by \S+ with local-e?smtp ", "!"),
    form(r"^127\.0\.0\.1 \(AVG SMTP \S+ \[\S+\]\)", "!"),
    form(r"^\S+\@\S+ by \S+ by uid \S+ ", "!"),
    form(r"^\S+\@\S+ by \S+ ", "!"),
    form(r"^Unknown\/Local \(", "!"),
    form(
        r"^(?:localhost(?:\.localdomain)?|127\.0\.0\.1) \((?:\S+\@)?(?:localhost(?:\.localdomain)?|127\.0\.0\.1)[\)\[]",
        "!",
    ),
    form(r"^\S+ \((?:\S+\@)?(?:localhost(?:\.localdomain)?|127\.0\.0\.1)\) ", "!"),
    form(r"^\S+ \(\S+\@\S+ \[(?:localhost(?:\.localdomain)?|127\.0\.0\.1)\]\) ", "!"),
    form(r"^\(AUTH: \S+\) by \S+ with ", "!"),
    form(r"^localhost \(localhost \[\[UNIX: localhost\]\]\) by ", "!"),
    form(r"^\S+\.amazon\.com by \S+\.amazon\.com with ESMTP \(peer crosscheck: ", "!"),
    form(r"^[^\.]+ by \S+ with Novell_GroupWise", "!"),
    form(r"^no\.name\.available by \S+ via smtpd \(for ", "!"),
];

static IGNORED: [Form; 12] = [
    form(r"^\S+ by \S+ with local", "!"),
    form(r"^\S+ \(\[unix socket\]\) by \S+ \(Cyrus v[0-9]*?\.[0-9]*?\.[0-9]*?\) with LMTPA", "!"),
    form(r"^\S+ by \S+ (?:with|via|for|\()", "!"),
    form(r"^\S+ (?:(?:with|via|for) \S+|\(unverified\)) by\b", "!"),
    form(r"^\S+ \(unknown\) by \S+ \(SG\) with \b", "!"),
    form(r"^\S+ \(\S+ \[local\]\) by \S+ \(OpenSMTPD\) with \b", "!"),
    form(r"\(LSMTP for", "!"),
    form(r"^\(\[(?:localhost(?:\.localdomain)?|127\.0\.0\.1)\]\) with MailEnable ", "!"),
    form(r"^facebook\.com \([^\)]+\) by facebook\.com with Thrift id \S+$", "!"),
    form(r"^\S+ named \S+ by gmailapi\.google\.com with HTTPREST$", "!"),
    form(r"^\S+ id \S+$", "!"),
    form(r"^\[<.*? \(Jetsend", "!"),
];

static UPPER_CASE: [Form; 1] = [form(
    r"^(\S+) \((\S+) \[(<IP>)\]\) BY (\S+) (?:\([^\)]+\) WITH SMTP )?ID <?(\S+?)>?(?: FOR <[^>]+>)?$",
    "*hribm",
)];

static IN_PARENTHESES: [Form; 3] = [
    form(r"^(\S*) \[(<IP>)\]\) by (\S+) \(NAVGW .*?\) with ", "hib"),
    form(r"^\S+\@localhost\) by \S+ ", "!"),
    form(r"^[^\s\@]+\@[^)]+\) by \S+\(jqueuemail\) id [^\s;]+", "!"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_sound() {
        let lists: [&[Form]; 13] = [
            &WEB,
            &EARLY,
            &QMAIL_LIKE,
            &QMAIL_FORMS,
            &BRACKETED,
            &SENDMAIL_LIKE,
            &GENERAL,
            &RARE,
            &EARLY_IGNORED,
            &IGNORED,
            &UPPER_CASE,
            &IN_PARENTHESES,
            &XMAIL,
        ];
        for form in lists.into_iter().flatten() {
            assert!(form.pattern.is_sound());
        }
    }
}
