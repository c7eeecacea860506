//! The functions that rules call with `eval:`.

mod bayes;
mod body;
mod bounce;
mod charset;
mod dates;
mod freemail;
mod header;
mod html;
mod image;
mod lists;
mod mime;
mod recipients;
mod relay;
mod subject;
mod uri;
mod webmail;

use std::cell::{Cell, OnceCell};

use crate::mail::Mail;
use crate::rules::Stage;

/// A check in progress.
pub(crate) struct Context<'a> {
    pub(crate) mail: &'a Mail<'a>,
    /// Seconds since 1970.
    pub(crate) now: i64,
    /// The probability that it is spam, as the learner says.
    pub(crate) spam_probability: Option<f64>,
    /// When the function runs, which says what text it looks at.
    pub(crate) stage: Cell<Stage>,
    date_difference: OnceCell<i64>,
    recipients: OnceCell<recipients::Recipients>,
    mime: OnceCell<mime::Facts>,
    alternatives: OnceCell<body::Alternatives>,
    images: OnceCell<image::Images>,
    hotmail: OnceCell<webmail::Hotmail>,
    freemail: OnceCell<Option<Vec<Vec<u8>>>>,
    changed_body: OnceCell<Vec<Vec<u8>>>,
    /// The share of capitals in the text, and in the changed one; see `mime`.
    capitals: [OnceCell<Option<f64>>; 2],
}

impl<'a> Context<'a> {
    pub(crate) fn new(mail: &'a Mail<'a>, now: i64, spam_probability: Option<f64>) -> Self {
        Self {
            mail,
            now,
            spam_probability,
            stage: Cell::new(Stage::Header),
            date_difference: OnceCell::new(),
            recipients: OnceCell::new(),
            mime: OnceCell::new(),
            alternatives: OnceCell::new(),
            images: OnceCell::new(),
            hotmail: OnceCell::new(),
            freemail: OnceCell::new(),
            changed_body: OnceCell::new(),
            capitals: Default::default(),
        }
    }
}

impl Context<'_> {
    /// The rendered lines. Looking for addresses takes links and quoted senders out of them, as it does in the peer.
    pub(crate) fn body(&self) -> &[Vec<u8>] {
        self.changed_body.get().unwrap_or(&self.mail.body)
    }

    /// The text that the function looks at.
    fn lines(&self) -> &[Vec<u8>] {
        if self.stage.get() == Stage::RawBody { &self.mail.raw_body } else { self.body() }
    }
}

/// What a function found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found {
    No,
    Yes,
    /// Yes, and this is what reports say of it.
    Because(String),
}

impl From<bool> for Found {
    fn from(hit: bool) -> Self {
        if hit { Self::Yes } else { Self::No }
    }
}

/// A function: the message and the rule's arguments.
pub(crate) type Function = fn(&Context<'_>, &[String]) -> Found;

/// What is known of a name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Known {
    /// It is here.
    Local(Function),
    /// It asks DNS: `crate::network` finds what it finds.
    Network,
    /// It asks the network or a service that is not there: it finds nothing.
    Elsewhere,
}

/// Functions that this version has no answer for: they ask the network.
const NETWORK: [&str; 4] = ["check_dns_sender", "check_hashbl_attachments", "check_rbl", "check_uridnsbl"];
const SERVICES: [&str; 2] = ["check_razor2", "check_razor2_range"];

/// What weighs a sender's earlier messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SenderJudge {
    Awl,
    TxRep,
}

/// The one whose function is called that.
pub(crate) fn sender_judge(name: &str) -> Option<SenderJudge> {
    match name {
        "check_from_in_auto_welcomelist" | "check_from_in_auto_whitelist" => Some(SenderJudge::Awl),
        "check_senders_reputation" => Some(SenderJudge::TxRep),
        _ => None,
    }
}

/// The function of that name.
pub(crate) fn function(name: &str) -> Option<Known> {
    let found = header::function(name)
        .or_else(|| webmail::function(name))
        .or_else(|| dates::function(name))
        .or_else(|| recipients::function(name))
        .or_else(|| subject::function(name))
        .or_else(|| relay::function(name))
        .or_else(|| body::function(name))
        .or_else(|| html::function(name))
        .or_else(|| mime::function(name))
        .or_else(|| charset::function(name))
        .or_else(|| image::function(name))
        .or_else(|| freemail::function(name))
        .or_else(|| lists::function(name))
        .or_else(|| uri::function(name))
        .or_else(|| bounce::function(name))
        .or_else(|| bayes::function(name));
    let elsewhere = NETWORK.iter().any(|family| name.starts_with(family)) || SERVICES.contains(&name);
    let network = crate::network::function_is_known(name).then_some(Known::Network);
    found.map(Known::Local).or(network).or_else(|| elsewhere.then_some(Known::Elsewhere))
}

/// The argument as a number; `undef`, `inf` and what is missing are none.
fn number(arguments: &[String], index: usize) -> Option<f64> {
    arguments.get(index).and_then(|text| text.parse().ok()).filter(|number: &f64| number.is_finite())
}

/// The argument as text; empty when it is missing.
fn text(arguments: &[String], index: usize) -> &str {
    arguments.get(index).map_or("", String::as_str)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

/// Does it hold `part`, whatever the case?
fn contains_ignoring_case(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}

/// All blanks become single blanks.
fn squeezed(text: &[u8]) -> Vec<u8> {
    let mut squeezed = Vec::with_capacity(text.len());
    for byte in text {
        let blank = byte.is_ascii_whitespace() || *byte == 0x0b;
        if !(blank && squeezed.last() == Some(&b' ')) {
            squeezed.push(if blank { b' ' } else { *byte });
        }
    }
    squeezed
}
