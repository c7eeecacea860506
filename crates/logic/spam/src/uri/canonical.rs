//! The other spellings of a URI: unescaped, without login and default port, numbers as addresses, redirectors followed.

use crate::perl::{Candidates, Fixed, PatternSet};
use crate::registry::{Registry, to_ascii};

/// URIs within URIs.
const REDIRECT_LIMIT: usize = 50;

/// The URI and its other spellings, each once.
pub(crate) fn spellings(uri: &[u8], redirectors: &PatternSet, registry: &Registry) -> Vec<Vec<u8>> {
    let mut uris = vec![uri.to_vec()];
    let mut more = Vec::new();
    let mut index = 0;
    while index < uris.len().min(REDIRECT_LIMIT) {
        let clean = cleaned(&uris[index]);
        uris[index].clone_from(&clean);
        index += 1;
        let local = matches!(clean.first(), Some(b'#' | b'?' | b'&'))
            || (clean.starts_with(b"/") && !clean.starts_with(b"//"));
        if clean.len() <= 1 || local {
            continue;
        }
        if is_mail(&clean) {
            mail_spellings(&clean, &mut more);
            continue;
        }
        let web = as_web(&clean);
        if web != clean {
            more.push(web.clone());
        }
        if let Some(parts) = WebParts::of(&web) {
            let redirect = parts.spellings(redirectors, registry, &mut more);
            uris.extend(redirect);
        }
    }
    let mut all: Vec<Vec<u8>> = Vec::with_capacity(uris.len() + more.len());
    for uri in uris.into_iter().chain(more) {
        if !all.contains(&uri) {
            all.push(uri);
        }
    }
    all
}

fn cleaned(uri: &[u8]) -> Vec<u8> {
    let uri: Vec<u8> = uri.iter().copied().filter(|byte| *byte != b'\n').collect();
    let is_space = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let start = uri.iter().position(|byte| !is_space(byte)).unwrap_or(uri.len());
    let end = uri.iter().rposition(|byte| !is_space(byte)).map_or(start, |at| at + 1);
    uri[start..end].iter().copied().filter(|byte| *byte != b'\r').collect()
}

fn is_mail(uri: &[u8]) -> bool {
    static MAIL: Fixed = Fixed::new(r"(?i)^mailto:|^[^:]*\@");
    MAIL.is_match(uri)
}

fn mail_spellings(uri: &[u8], more: &mut Vec<Vec<u8>>) {
    static QUERY: Fixed = Fixed::new(r"^([^\@]+\@[^?]+)\?");
    static PARAMETER: Fixed = Fixed::new(r"^([^\@]+\@[^?&]+)&");
    static BLANKS: Fixed = Fixed::new(r"^(?:mailto:)?(?:%20)*([^\@]+\@[^?&%]+)");
    static BRACKETS: Fixed = Fixed::new(r"^[^?&]*<([^\@>]+\@[^>]+)>");
    more.extend(QUERY.groups(uri).map(|groups| groups.text(1)));
    more.extend(PARAMETER.groups(uri).map(|groups| groups.text(1)));
    let address = |groups: crate::perl::Groups<'_>| [b"mailto:", groups.get(1)].concat();
    if uri.windows(3).any(|window| window == b"%20") {
        more.extend(BLANKS.groups(uri).map(address));
    }
    more.extend(BRACKETS.groups(uri).map(address));
}

/// Backslashes turned, slashes behind the scheme put right, a scheme added, escapes undone.
fn as_web(uri: &[u8]) -> Vec<u8> {
    static SLASHES: Fixed = Fixed::new(r"(?i)^(https?:)/{0,2}");
    static SCHEME: Fixed = Fixed::new(r"(?i)^[-_a-z0-9]+:");
    static NO_PATH: Fixed = Fixed::new(r"(?i)^(https?://[^/?#]+)([?#])");
    let turned: Vec<u8> = uri.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect();
    let mut web = SLASHES.replace_first(&turned, |groups| [groups.get(1), b"//"].concat()).unwrap_or(turned);
    if has_escape(&web) {
        web = unescaped(&web);
    }
    if !SCHEME.is_match(&web) {
        let scheme: &[u8] = if web.starts_with(b"ftp.") { b"ftp://" } else { b"http://" };
        web = [scheme, &web].concat();
    }
    web = NO_PATH.replace_first(&web, |groups| [groups.get(1), b"/", groups.get(2)].concat()).unwrap_or(web);
    without_references(web)
}

fn has_escape(uri: &[u8]) -> bool {
    uri.windows(3)
        .any(|window| window[0] == b'%' && window[1].is_ascii_hexdigit() && window[2].is_ascii_hexdigit())
}

/// Escapes of printable characters undone, and characters that must be escaped escaped.
pub(super) fn unescaped(uri: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(uri.len());
    let mut index = 0;
    while index < uri.len() {
        let escape = uri.get(index..index + 3).filter(|escape| has_escape(escape));
        if let Some(escape) = escape {
            let code = std::str::from_utf8(&escape[1..])
                .ok()
                .and_then(|hex| u8::from_str_radix(hex, 16).ok())
                .unwrap_or(0);
            if (0x21..0x7f).contains(&code) {
                plain.push(code)
            } else {
                plain.extend_from_slice(escape)
            }
            index += 3;
            continue;
        }
        match uri[index] {
            byte @ (0..=b' ' | 0x7f..=0xff | b'"' | b'%' | b'<' | b'>') => {
                plain.extend(format!("%{byte:02x}").into_bytes())
            }
            byte => plain.push(byte),
        }
        index += 1;
    }
    plain
}

/// `&#46;` and its like are the character itself.
fn without_references(uri: Vec<u8>) -> Vec<u8> {
    static DECIMAL: Fixed = Fixed::new(r"&#0*(3[3-9]|[4-9]\d|1[01]\d|12[0-6]);");
    static HEX: Fixed = Fixed::new(r"&#x0*(2[1-9]|[3-6][a-fA-F0-9]|7[0-9a-eA-E]);");
    static DOT: Fixed = Fixed::new(r"(?i)&#(?:x2e|12290|x3002|65294|xff0e|65377|xff61);");
    if !uri.windows(2).any(|window| window == b"&#") {
        return uri;
    }
    let char = |text: &[u8], radix| {
        let code = std::str::from_utf8(text).ok().and_then(|text| u8::from_str_radix(text, radix).ok());
        code.map_or_else(Vec::new, |code| vec![code])
    };
    let uri = DECIMAL.replace_all(&uri, |groups| char(groups.get(1), 10));
    let uri = HEX.replace_all(&uri, |groups| char(groups.get(1), 16));
    DOT.replace_all(&uri, |_| b".".to_vec())
}

/// `http://login@host:port/rest`
struct WebParts {
    scheme: Vec<u8>,
    login: Vec<u8>,
    host: Vec<u8>,
    /// Port and what follows.
    rest: Vec<u8>,
    port: Vec<u8>,
}

impl WebParts {
    fn of(uri: &[u8]) -> Option<Self> {
        static WEB: Fixed = Fixed::new(r"(?i)^(https?://)([^\@/?#]*\@)?([^/?#:]+)((?::(\d*))?.*)$");
        let groups = WEB.groups(uri)?;
        let text = |index| groups.text(index);
        Some(Self { scheme: text(1), login: text(2), host: text(3), rest: text(4), port: text(5) })
    }

    fn with(&self, host: &[u8], rest: &[u8]) -> Vec<u8> {
        [self.scheme.as_slice(), host, rest].concat()
    }

    /// Adds the other spellings; what it redirects to comes back.
    fn spellings(
        mut self,
        redirectors: &PatternSet,
        registry: &Registry,
        more: &mut Vec<Vec<u8>>,
    ) -> Option<Vec<u8>> {
        let secure = self.scheme != b"http://";
        let default_port: &[u8] = if secure { b"443" } else { b"80" };
        let is_default_port = self.port.is_empty() || self.port == default_port;
        let bare_rest = if self.port.is_empty() { None } else { self.without_port(default_port) };
        if let Some(rest) = &bare_rest {
            more.push(self.with(&self.host, rest));
        }
        let ascii = to_ascii(&self.host);
        if ascii != self.host.to_ascii_lowercase() {
            more.push(self.with(&ascii, &self.rest));
            more.extend(bare_rest.map(|rest| self.with(&ascii, &rest)));
            self.host.clone_from(&ascii);
        }
        if self.host.iter().any(|byte| *byte <= b' ') {
            self.host.retain(|byte| *byte > b' ');
            more.push(self.with(&self.host, &self.rest));
        }
        let redirect = self.redirect(redirectors);
        self.host_spellings(more);
        self.number_spellings(more);
        let single = self.host.iter().all(|byte| byte.is_ascii_digit());
        if !secure && self.login.is_empty() && is_default_port && !single {
            more.extend(self.guessed(&ascii, registry));
        }
        redirect
    }

    fn without_port(&self, default: &[u8]) -> Option<Vec<u8>> {
        let rest = self.rest.strip_prefix(b":")?.strip_prefix(default)?;
        let goes_on = rest.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        (!goes_on).then(|| rest.to_vec())
    }

    fn redirect(&self, redirectors: &PatternSet) -> Option<Vec<u8>> {
        static WITHIN: Fixed = Fixed::new(r"(?i)(https?:/{0,2}[^&#]+)");
        let whole = self.with(&self.host, &self.rest);
        let mut candidates = Candidates::default();
        redirectors.find(&whole, &mut candidates);
        let named = candidates
            .iter()
            .filter_map(|index| redirectors.pattern(index).first_group(&whole))
            .find(|target| target.contains(&b'.'));
        named.or_else(|| {
            WITHIN.groups(&self.rest).map(|groups| groups.text(1)).filter(|target| target.contains(&b'.'))
        })
    }

    fn host_spellings(&mut self, more: &mut Vec<Vec<u8>>) {
        if let Some(at) = self.host.iter().rposition(|byte| *byte == b'@').filter(|at| *at > 0) {
            self.host.drain(..=at);
            more.push(self.with(&self.host, &self.rest));
        }
        let end = self.host.iter().rposition(u8::is_ascii_alphanumeric).map_or(0, |at| at + 1);
        if end < self.host.len() {
            self.host.truncate(end);
            more.push(self.with(&self.host, &self.rest));
        }
    }

    /// Addresses written in hex, in octal, or as one number.
    fn number_spellings(&self, more: &mut Vec<Vec<u8>>) {
        let text = String::from_utf8_lossy(&self.host).to_ascii_lowercase();
        let parts: Vec<&str> = text.split('.').collect();
        let is_number = |part: &&str| {
            let hex = part
                .strip_prefix("0x")
                .is_some_and(|hex| !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
            hex || (!part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
        };
        if parts.len() == 4 && parts.iter().all(is_number) {
            let octets: Vec<String> = parts.iter().map(|part| octet(part)).collect();
            more.push(self.with(octets.join(".").as_bytes(), &self.rest));
        } else if let ([number], true) = (parts.as_slice(), parts.iter().all(is_number)) {
            let value = match number.strip_prefix("0x") {
                Some(hex) => u64::from_str_radix(&hex[hex.len().saturating_sub(8)..], 16),
                None => number.parse(),
            };
            let [.., a, b, c, d] = value.unwrap_or(u64::MAX).to_be_bytes();
            more.push(self.with(format!("{a}.{b}.{c}.{d}").as_bytes(), &self.rest));
        }
    }

    /// A browser tries `www.NAME.com` for a single word.
    fn guessed(&self, host: &[u8], registry: &Registry) -> Option<Vec<u8>> {
        let word = host.strip_prefix(b"www.").unwrap_or(host);
        let single =
            !word.is_empty() && !word.contains(&b'.') && host != b"localhost" && !registry.is_valid(host);
        single.then(|| self.with(&[b"www.", word, b".com"].concat(), &self.rest))
    }
}

fn octet(part: &str) -> String {
    let decimal = match part.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).map_or_else(|_| part.to_owned(), |value| value.to_string()),
        None if part.starts_with('0') => {
            let digits = part.trim_start_matches('0');
            let is_octal = !digits.is_empty()
                && digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte))
                && digits.len() <= 3;
            let value = if is_octal { u64::from_str_radix(digits, 8).ok() } else { None };
            value.map_or_else(|| digits.to_owned(), |value| value.to_string())
        }
        None => part.to_owned(),
    };
    decimal.trim_start_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str) -> Vec<String> {
        let registry = Registry { tlds: [b"com".to_vec()].into(), ..Registry::default() };
        let mut found: Vec<_> = spellings(uri.as_bytes(), &PatternSet::default(), &registry)
            .into_iter()
            .map(|uri| String::from_utf8(uri).unwrap())
            .collect();
        found.sort();
        found
    }

    #[test]
    fn spellings_of_one_uri() {
        assert_eq!(of("http://a.com/"), ["http://a.com/"]);
        assert_eq!(of("http://u@a.com:80/x"), ["http://a.com/x", "http://u@a.com:80/x"]);
        assert_eq!(of("www.a.com"), ["http://www.a.com", "www.a.com"]);
        assert_eq!(of("http:\\\\a.com?x"), ["http://a.com/?x", "http:\\\\a.com?x"]);
        assert_eq!(of("http://a.com/%41%20"), ["http://a.com/%41%20", "http://a.com/A%20"]);
        assert_eq!(of("http://0x7f.0.0.01/"), ["http://0x7f.0.0.01/", "http://127...1/"]);
        assert_eq!(of("http://3232235777/"), ["http://192.168.1.1/", "http://3232235777/"]);
        assert_eq!(of("http://foo/"), ["http://foo/", "http://www.foo.com/"]);
        assert_eq!(
            of("http://a.com/r?u=http://b.com/&z"),
            ["http://a.com/r?u=http://b.com/&z", "http://b.com/"]
        );
        assert_eq!(of("mailto:joe@a.com?subject=x"), ["mailto:joe@a.com", "mailto:joe@a.com?subject=x"]);
    }
}
