//! The three questions.

use address::{internal_text, quote, scan};
use attributes::{Attributes, Missing};
use lookup::Stop;
use rewriting::{Context, Resolved, Rewriting};

use crate::service::TrivialRewrite;

/// An address has no more tokens.
const TOKEN_LIMIT: usize = 10_000;
/// The flag of an answer that is none: a table could not be read.
const FLAG_FAIL: u32 = 1 << 3;
/// An address that comes to nothing.
const NOBODY: &str = "\"\"";
/// What transport and next hop say when they say nothing.
const NO_TRANSPORT: &str = "CHANNEL NOT UPDATED";
const NO_NEXTHOP: &str = "NEXTHOP NOT UPDATED";

impl TrivialRewrite {
    /// Answers one request.
    ///
    /// # Errors
    /// [`Missing`] when it is not one.
    pub(crate) fn answer(&self, request: &Attributes) -> Result<Attributes, Missing> {
        match request.text("request")? {
            "rewrite" => self.answer_rewrite(request),
            "resolve" => self.answer_resolve(request, &self.rewriting),
            "verify" => self.answer_resolve(request, &self.verification),
            _ => Err(Missing { name: "request" }),
        }
    }

    fn answer_rewrite(&self, request: &Attributes) -> Result<Attributes, Missing> {
        let context = match request.text("rule")? {
            "local" => Context::Local,
            "remote" => Context::Remote,
            _ => return Err(Missing { name: "rule" }),
        };
        let address = request.text("address")?;
        let mut tokens = scan(address, TOKEN_LIMIT);
        self.rewriting.rewrite_tokens(&mut tokens, context);
        let full = match internal_text(&tokens).as_str() {
            "" if !address.is_empty() => NOBODY.to_owned(),
            full => quote(full),
        };
        Ok(Attributes::new().with("flags", 0).with("address", full))
    }

    fn answer_resolve(&self, request: &Attributes, rewriting: &Rewriting) -> Result<Attributes, Missing> {
        let (sender, address) = (request.text("sender")?, request.text("address")?);
        let resolved = match rewriting.resolve(&self.tables, sender, address) {
            Ok(resolved) => resolved,
            Err(stop) => return Ok(failed(address, &stop)),
        };
        if self.helpful_warnings {
            self.warn_of_conflicts(rewriting, &resolved);
        }
        let unless_empty = |text: &str, otherwise: &str| {
            if text.is_empty() { otherwise.to_owned() } else { text.to_owned() }
        };
        Ok(Attributes::new()
            .with("flags", 0)
            .with("transport", unless_empty(&resolved.transport, NO_TRANSPORT))
            .with("nexthop", unless_empty(&resolved.nexthop, NO_NEXTHOP))
            .with("recipient", &resolved.recipient)
            .with("flags", resolved.flags()))
    }

    fn warn_of_conflicts(&self, rewriting: &Rewriting, resolved: &Resolved) {
        let Some((_, domain)) = resolved.recipient.rsplit_once('@') else { return };
        for conflict in rewriting.conflicts(&self.tables, domain, resolved.class).unwrap_or_default() {
            log::warn!("{}", conflict.warning());
        }
    }
}

fn failed(address: &str, stop: &Stop) -> Attributes {
    if let Stop::Failed { table } = stop {
        log::warn!("{table} lookup failure");
    }
    Attributes::new()
        .with("flags", 0)
        .with("transport", NO_TRANSPORT)
        .with("nexthop", NO_NEXTHOP)
        .with("recipient", address)
        .with("flags", FLAG_FAIL)
}
