//! What stands under a refusal (`smtpd_reject_footer`, `smtpd_reject_footer_maps`).

use lookup::{Lookup, Part};
use restrictions::expand;
use smtp_protocol::{Answer, Reply};

use crate::service::Smtpd;
use crate::session::{Attempt, Session};

impl Session {
    pub(crate) fn with_footer(&self, reply: &Reply, daemon: &Smtpd) -> Attempt {
        let maps = &daemon.settings.reject_footer_maps;
        let mapped = daemon.tables.find(maps, reply.text(), Part::Whole).ok().flatten();
        let template = mapped.map_or_else(|| daemon.settings.reject_footer.clone(), |found| found.value);
        let finished = if template.is_empty() {
            reply.clone()
        } else {
            reply.clone().with_footer(&expand(&template, &|name| self.footer_value(name, daemon)))
        };
        Answer::Refuse(finished).into()
    }

    fn footer_value(&self, name: &str, daemon: &Smtpd) -> Option<String> {
        let client = &self.client;
        let envelope = self.transaction.as_ref().map(|open| &open.envelope);
        let value = match name {
            "client" => client.shown(),
            "client_address" => client.address_text(),
            "client_name" => client.name.clone(),
            "client_port" => client.port.map_or_else(|| "unknown".to_owned(), |port| port.to_string()),
            "reverse_client_name" => client.reverse_name.clone(),
            "helo_name" => self.helo.clone().unwrap_or_default(),
            "sender" => {
                envelope.and_then(|envelope| envelope.sender.clone()).map_or_else(String::new, shown_sender)
            }
            // Not the one that is refused: the first that was not.
            "recipient" => {
                self.transaction.as_ref().and_then(|open| open.first_recipient.clone()).unwrap_or_default()
            }
            "server_name" | "myhostname" => daemon.settings.myhostname.clone(),
            "localtime" => local_time(),
            _ => {
                log::warn!("unknown macro name \"{name}\" in expansion request");
                return None;
            }
        };
        Some(daemon.restrictions.expansion_filter().apply(&value))
    }
}

fn shown_sender(sender: String) -> String {
    if sender.is_empty() { "<>".to_owned() } else { sender }
}

/// `Nov 22 06:06:58`
fn local_time() -> String {
    let seconds = i64::try_from(sys::clock::now_us() / 1_000_000).unwrap_or(i64::MAX);
    sys::clock::local_time(seconds).to_asctime().get(4..19).unwrap_or_default().to_owned()
}
