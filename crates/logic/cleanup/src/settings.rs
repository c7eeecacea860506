//! The parameters that cleanup obeys.

use message::scanner::Limits;
use parameters::{Config, Flag, Number, Param, Text};
use rewriting::Rewriting;

use crate::characters::ByteSet;

/// How a From header that we add is written (`header_from_format`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FromFormat {
    /// `From: Full Name <address>`
    Standard,
    /// `From: address (Full Name)`
    Obsolete,
}

/// Parameters of main.cf, under their own names where nothing else is said.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Settings {
    pub rewriting: Rewriting,
    pub myhostname: String,
    pub always_add_missing_headers: bool,
    pub undisclosed_recipients_header: String,
    /// Names in lower case.
    pub message_drop_headers: Vec<String>,
    pub header_from_format: FromFormat,
    pub header_address_token_limit: usize,
    pub hopcount_limit: usize,
    pub line_length_limit: usize,
    /// 0: none.
    pub message_size_limit: u64,
    pub duplicate_filter_limit: usize,
    /// `delay_warning_time` in seconds; 0: nobody is warned.
    pub delay_warning_seconds: u64,
    pub enable_original_recipient: bool,
    pub enable_long_queue_ids: bool,
    pub always_bcc: String,
    pub sender_bcc_maps: String,
    pub recipient_bcc_maps: String,
    pub header_checks: String,
    pub mime_header_checks: String,
    pub nested_header_checks: String,
    pub body_checks: String,
    pub body_checks_size_limit: u64,
    pub strict_7bit_headers: bool,
    pub strict_8bitmime_body: bool,
    pub strict_mime_encoding_domain: bool,
    pub detect_8bit_encoding_header: bool,
    pub message_reject_characters: ByteSet,
    pub message_strip_characters: ByteSet,
    pub cleanup_replace_stray_cr_lf: bool,
    /// Limits and depth of the look at the content's structure.
    pub mime: Limits,
}

impl Settings {
    /// The defaults of Postfix, around a given rewriting.
    pub fn new(rewriting: Rewriting) -> Self {
        Self {
            myhostname: rewriting.settings().myhostname.clone(),
            rewriting,
            always_add_missing_headers: false,
            undisclosed_recipients_header: String::new(),
            message_drop_headers: names("bcc, content-length, resent-bcc, return-path"),
            header_from_format: FromFormat::Standard,
            header_address_token_limit: 10_240,
            hopcount_limit: 50,
            line_length_limit: 2048,
            message_size_limit: 10_240_000,
            duplicate_filter_limit: 1000,
            delay_warning_seconds: 0,
            enable_original_recipient: true,
            enable_long_queue_ids: false,
            always_bcc: String::new(),
            sender_bcc_maps: String::new(),
            recipient_bcc_maps: String::new(),
            header_checks: String::new(),
            mime_header_checks: String::new(),
            nested_header_checks: String::new(),
            body_checks: String::new(),
            body_checks_size_limit: 51_200,
            strict_7bit_headers: false,
            strict_8bitmime_body: false,
            strict_mime_encoding_domain: false,
            detect_8bit_encoding_header: true,
            message_reject_characters: ByteSet::parse(""),
            message_strip_characters: ByteSet::parse(""),
            cleanup_replace_stray_cr_lf: true,
            mime: Limits::default(),
        }
    }

    /// Is there any check of headers, in the message or in its parts?
    pub fn has_header_checks(&self) -> bool {
        !(self.header_checks.is_empty()
            && self.mime_header_checks.is_empty()
            && self.nested_header_checks.is_empty())
    }

    /// Is there a rule about MIME that refuses mail?
    pub fn is_strict(&self) -> bool {
        self.strict_7bit_headers || self.strict_8bitmime_body || self.strict_mime_encoding_domain
    }
}

fn names(list: &str) -> Vec<String> {
    let words = list.split(|character: char| character == ',' || character.is_ascii_whitespace());
    words.filter(|word| !word.is_empty()).map(str::to_ascii_lowercase).collect()
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        let text = |parameter: &Param<Text>| config.get(parameter);
        let flag = |parameter: &Param<Flag>| config.get(parameter);
        let size = |parameter: &Param<Number>| usize::try_from(config.get(parameter)).unwrap_or(0);
        let bytes = |parameter: &Param<Number>| u64::try_from(config.get(parameter)).unwrap_or(0);
        let strict_8bitmime = flag(&parameters::STRICT_8BITMIME);
        let obsolete = text(&parameters::HEADER_FROM_FORMAT).eq_ignore_ascii_case("obsolete");
        Self {
            rewriting: Rewriting::new(rewriting::Settings::from(config)),
            myhostname: text(&parameters::MYHOSTNAME),
            always_add_missing_headers: flag(&parameters::ALWAYS_ADD_MISSING_HEADERS),
            undisclosed_recipients_header: text(&parameters::UNDISCLOSED_RECIPIENTS_HEADER),
            message_drop_headers: names(&text(&parameters::MESSAGE_DROP_HEADERS)),
            header_from_format: if obsolete { FromFormat::Obsolete } else { FromFormat::Standard },
            header_address_token_limit: size(&parameters::HEADER_ADDRESS_TOKEN_LIMIT),
            hopcount_limit: size(&parameters::HOPCOUNT_LIMIT),
            line_length_limit: size(&parameters::LINE_LENGTH_LIMIT).max(1),
            message_size_limit: bytes(&parameters::MESSAGE_SIZE_LIMIT),
            duplicate_filter_limit: size(&parameters::DUPLICATE_FILTER_LIMIT),
            delay_warning_seconds: config.get(&parameters::DELAY_WARNING_TIME).as_secs(),
            enable_original_recipient: flag(&parameters::ENABLE_ORIGINAL_RECIPIENT),
            enable_long_queue_ids: flag(&parameters::ENABLE_LONG_QUEUE_IDS),
            always_bcc: text(&parameters::ALWAYS_BCC),
            sender_bcc_maps: text(&parameters::SENDER_BCC_MAPS),
            recipient_bcc_maps: text(&parameters::RECIPIENT_BCC_MAPS),
            header_checks: text(&parameters::HEADER_CHECKS),
            mime_header_checks: text(&parameters::MIME_HEADER_CHECKS),
            nested_header_checks: text(&parameters::NESTED_HEADER_CHECKS),
            body_checks: text(&parameters::BODY_CHECKS),
            body_checks_size_limit: bytes(&parameters::BODY_CHECKS_SIZE_LIMIT),
            strict_7bit_headers: strict_8bitmime || flag(&parameters::STRICT_7BIT_HEADERS),
            strict_8bitmime_body: strict_8bitmime || flag(&parameters::STRICT_8BITMIME_BODY),
            strict_mime_encoding_domain: flag(&parameters::STRICT_MIME_ENCODING_DOMAIN),
            detect_8bit_encoding_header: flag(&parameters::DETECT_8BIT_ENCODING_HEADER),
            message_reject_characters: ByteSet::parse(&text(&parameters::MESSAGE_REJECT_CHARACTERS)),
            message_strip_characters: ByteSet::parse(&text(&parameters::MESSAGE_STRIP_CHARACTERS)),
            cleanup_replace_stray_cr_lf: flag(&parameters::CLEANUP_REPLACE_STRAY_CR_LF),
            mime: Limits {
                structure: !flag(&parameters::DISABLE_MIME_INPUT_PROCESSING),
                header_bytes: size(&parameters::HEADER_SIZE_LIMIT),
                nesting: size(&parameters::MIME_NESTING_LIMIT),
                boundary_bytes: size(&parameters::MIME_BOUNDARY_LENGTH_LIMIT),
            },
        }
    }
}
