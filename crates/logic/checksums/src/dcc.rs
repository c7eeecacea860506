//! DCC by its interface daemon `dccifd` (ASCII protocol of dccifd(8)): the message goes in, checksums and their counts come
//! out.

/// What `many` counts as.
pub const MANY: u64 = 999_999;
/// Bytes of an answer.
pub const ANSWER_LIMIT_BYTES: usize = 64 * 1024;

/// Where the message came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// The address of the relay that handed it in, its name, and what it called itself.
    pub ip: Vec<u8>,
    /// Its name in DNS.
    pub name: Vec<u8>,
    /// What it called itself.
    pub helo: Vec<u8>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Counts of its checksums.
    Check,
    /// That it is counted as spam.
    Report,
}

/// The lines before a message, with the message behind them; the end of what is sent ends it. `options` are the
/// administrator's (`dccifd_options`).
pub fn request(purpose: Purpose, options: &str, client: Option<&Client>, message: &[u8]) -> Vec<u8> {
    let purpose = match purpose {
        Purpose::Check => "cksums grey-off ",
        Purpose::Report => "header spam grey-off ",
    };
    let mut request = format!("{purpose}{options}\n").into_bytes();
    if let Some(client) = client {
        request.extend([client.ip.as_slice(), b"\r", &client.name].concat());
    }
    request.push(b'\n');
    request.extend_from_slice(client.map_or(b"", |client| client.helo.as_slice()));
    // No sender, and one recipient.
    request.extend_from_slice(b"\n\nunknown\n\n");
    request.extend_from_slice(message);
    request
}

/// What the daemon said: the header field with the counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metrics {
    /// `X-DCC-brand-Metrics: ...`, unfolded.
    pub header: String,
}

/// What a message's checksums were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// The whole body.
    pub body: u64,
    /// Its first fuzzy checksum.
    pub fuz1: u64,
    /// Its second fuzzy checksum.
    pub fuz2: u64,
    /// Percent of bulk mail among what the relay sends.
    pub reputation: Option<u64>,
}

impl Metrics {
    /// Reads what the daemon said; `None` when it has no counts.
    pub fn parse(answer: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(answer);
        // The first two lines say what becomes of the message and of each recipient's copy.
        let mut lines = text.split('\n').skip(2);
        let mut header = lines.next().filter(|line| !line.is_empty())?.to_owned();
        for folded in lines.map_while(|line| line.strip_prefix('\t').filter(|rest| !rest.is_empty())) {
            header.push(' ');
            header.push_str(folded.trim_end());
        }
        Some(Self { header })
    }

    /// Who counted, and what the field says.
    pub fn brand_and_value(&self) -> Option<(&str, &str)> {
        let (name, value) = self.header.split_once(": ")?;
        let brand = name.strip_prefix("X-DCC-")?.strip_suffix("-Metrics")?;
        (!brand.contains(':')).then_some((brand, value))
    }

    /// The counts in it; what is missing is 0.
    pub fn counts(&self) -> Counts {
        let number = |name: &str| {
            let text = &self.header;
            let begins = |at: &usize| {
                let before = text[..*at].chars().next_back();
                !before.is_some_and(|before| before.is_alphanumeric() || before == '_')
            };
            let values = text.match_indices(name).map(|(at, _)| at).filter(begins);
            values.filter_map(|at| count(&text[at + name.len()..])).next()
        };
        Counts {
            body: number("Body=").unwrap_or_default(),
            fuz1: number("Fuz1=").unwrap_or_default(),
            fuz2: number("Fuz2=").unwrap_or_default(),
            reputation: number("rep="),
        }
    }
}

/// `many`, `ok`, `ok2`, or a number.
fn count(text: &str) -> Option<u64> {
    let is = |word: &str| text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    if is("many") {
        return Some(MANY);
    }
    if is("ok") {
        return Some(0);
    }
    let end = text.find(|next: char| !next.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text[..end].parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_stands_behind_its_envelope() {
        let client = Client { ip: b"192.0.2.1".to_vec(), name: b"a.example".to_vec(), helo: b"b".to_vec() };
        let request = request(Purpose::Check, "-x", Some(&client), b"Subject: x\n\nhi\n");
        let expected = "cksums grey-off -x\n192.0.2.1\ra.example\nb\n\nunknown\n\nSubject: x\n\nhi\n";
        assert_eq!(String::from_utf8_lossy(&request), expected);
        let report = super::request(Purpose::Report, "", None, b"m");
        assert_eq!(report, b"header spam grey-off \n\n\n\nunknown\n\nm");
    }

    #[test]
    fn answers_read() {
        let answer =
            b"A\nA\nX-DCC-x.example-Metrics: mx.here 1480; bulk Body=many\n\tFuz1=12 Fuz2=ok rep=95%\n\
            reported: 0\nbody: 1 2\n";
        let metrics = Metrics::parse(answer);
        let shown = metrics.as_ref().and_then(Metrics::brand_and_value);
        assert_eq!(shown, Some(("x.example", "mx.here 1480; bulk Body=many Fuz1=12 Fuz2=ok rep=95%")));
        let counts = metrics.map(|metrics| metrics.counts());
        assert_eq!(counts, Some(Counts { body: MANY, fuz1: 12, fuz2: 0, reputation: Some(95) }));
        assert_eq!(Metrics::parse(b"A\nA\n"), None);
    }
}
