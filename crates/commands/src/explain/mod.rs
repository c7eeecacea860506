//! `pillarbox explain`: what becomes of an address, and why.

mod recorder;
mod page;
mod journey;
mod scene;
mod dialogue;
mod traps;

use std::net::IpAddr;
use std::path::Path;

use dns::Resolver;
use parameters::Config;
use parameters::master_cf::{Kind, MasterFile};
use tables::Tables;
use worker::configuration::{self, Asker};

use crate::explain::journey::Journey;
use crate::explain::page::Page;
use crate::explain::recorder::Recorder;

pub use crate::explain::scene::Names;

/// A client that nobody knows (RFC 5737), unless one is named.
const STRANGER: &str = "192.0.2.1";

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The recipient, as a client would write it.
    pub address: &'a str,
    /// The sender; empty for the null sender.
    pub sender: &'a str,
    /// From where the mail comes.
    pub client: Option<IpAddr>,
    /// What it calls itself; its address, if it is not said.
    pub helo: Option<&'a str>,
}

/// Explains an address by the configuration below `directory`.
///
/// # Errors
/// What stops the explanation: an unreadable configuration.
pub fn run(directory: Option<&Path>, question: &Question<'_>) -> Result<String, String> {
    let directory = configuration::directory(directory);
    let (service, overrides) = server(&directory);
    let asker = Asker { program: "smtpd", service: &service, overrides: &overrides };
    let config = configuration::load(&directory, &asker).map_err(|error| error.to_string())?;
    let tables = Tables::default();
    Ok(explain(&config, &tables, &Resolver::of_system(), question))
}

/// The first smtpd of master.cf that listens for strangers, with its `-o` settings; without one, `smtp`.
fn server(directory: &Path) -> (String, Vec<(String, String)>) {
    let path = directory.join("master.cf");
    let text = std::fs::read(&path).map(|bytes| parameters::text::from_bytes(&bytes));
    let file = MasterFile::read(&text.unwrap_or_default(), &path.to_string_lossy());
    let found =
        file.services.into_iter().find(|service| service.kind == Kind::Inet && service.command == "smtpd");
    found.map_or_else(|| ("smtp".to_owned(), Vec::new()), |service| (service.name, service.overrides))
}

/// Explains an address, with tables and names from anywhere.
pub fn explain(
    config: &Config,
    tables: &dyn lookup::Lookup,
    names: &dyn Names,
    question: &Question<'_>,
) -> String {
    let recorder = Recorder::new(tables);
    let mut page = Page::new(config);
    page.step("configuration", &format!("{}/main.cf", config.facts().config_directory));
    let journey = Journey::new(config, &recorder, question);
    journey.describe(&mut page, names);
    page.into_text()
}

#[cfg(test)]
mod tests {
    use parameters::{Defaults, HostFacts, Sources};

    use dns::Question as Question_;

    use super::*;

    fn explained(main_cf: &str, address: &str) -> String {
        let config = Config::read(Sources {
            main_cf,
            path: "/etc/postfix/main.cf",
            overrides: &[],
            facts: HostFacts { config_directory: "/etc/postfix".into(), ..HostFacts::default() },
            defaults: Defaults::Safer,
        });
        let question = Question { address, sender: "a@client.example", client: None, helo: None };
        explain(&config.unwrap(), &Tables::default(), &Nobody, &question)
    }

    /// Knows no name.
    struct Nobody;

    impl Names for Nobody {
        fn answer(&self, question: Question_) -> dns::Answer {
            match question {
                Question_::MailHosts(_) => dns::Answer::MailHosts(Err(dns::Failure::NotFound)),
                _ => dns::Answer::Addresses(Err(dns::Failure::NotFound)),
            }
        }
    }

    const VIRTUAL: &str = "\
myhostname = mx.example
virtual_mailbox_domains = box.example
virtual_mailbox_base = /var/mail
virtual_mailbox_maps = inline:{u@box.example=box/u/, v@box.example=box/v}
virtual_alias_domains = alias.example
virtual_alias_maps = inline:{ {both@alias.example=u@box.example, v@box.example} }
virtual_uid_maps = static:5000
virtual_gid_maps = static:5001
local_recipient_maps = inline:{postmaster=x}
alias_maps = inline:{postmaster=root}
compatibility_level = 3.6
";

    #[test]
    fn a_mailbox_is_explained_to_its_file() {
        let expected = "\
configuration      /etc/postfix/main.cf
address            u@box.example
client             unknown[192.0.2.1], which says EHLO [192.0.2.1]
reply to RCPT TO   250 2.1.5 Ok
                     mynetworks (default) does not list unknown[192.0.2.1]
                     mydestination (default) does not list box.example
                     virtual_alias_domains (line 5) does not list box.example
                     virtual_mailbox_domains (line 2) lists box.example
                     virtual_alias_maps (line 6) has no u@box.example, @box.example
                     virtual_mailbox_maps (line 4): inline:{u@box.example=box/u/, v@box.example=box/v} has u@box.example: box/u/
full form          u@box.example
canonical          unchanged
aliases            none
                     virtual_alias_maps (line 6) has no u@box.example
                     mydestination (default) does not list box.example
                     virtual_alias_maps (line 6) has no @box.example
recipient          u@box.example
  class            virtual mailbox (virtual_mailbox_domains)
                     mydestination (default) does not list box.example
                     virtual_alias_domains (line 5) does not list box.example
                     virtual_mailbox_domains (line 2) lists box.example
  transport        virtual:box.example
                     virtual_transport = virtual (default)
  mailbox          /var/mail/box/u/ (Maildir)
  owner            uid 5000 gid 5001
                     virtual_mailbox_maps (line 4): inline:{u@box.example=box/u/, v@box.example=box/v} has u@box.example: box/u/
                     virtual_uid_maps (line 7): static:5000 has u@box.example: 5000
                     virtual_gid_maps (line 8): static:5001 has u@box.example: 5001
  limit            virtual_mailbox_limit = 51200000 (default)
";
        assert_eq!(explained(VIRTUAL, "u@box.example"), expected);
    }

    #[test]
    fn an_alias_leads_to_each_recipient() {
        let text = explained(VIRTUAL, "both@alias.example");
        for line in ["aliases            u@box.example, v@box.example", "recipient          v@box.example"] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(text.contains("/var/mail/box/v (mbox)"), "{text}");
    }

    fn reply(address: &str) -> String {
        let text = explained(VIRTUAL, address);
        let line = text.lines().find_map(|line| line.strip_prefix("reply to RCPT TO   "));
        line.unwrap().to_owned()
    }

    #[test]
    fn a_refusal_is_the_clients() {
        let rejected = |address: &str, table: &str| {
            format!("550 5.1.1 <{address}>: Recipient address rejected: User unknown in {table} table")
        };
        assert_eq!(reply("w@box.example"), rejected("w@box.example", "virtual mailbox"));
        assert_eq!(reply("w@alias.example"), rejected("w@alias.example", "virtual alias"));
        assert_eq!(reply("w@mx.example"), rejected("w@mx.example", "local recipient"));
        assert_eq!(reply("w@else.example"), "454 4.7.1 <w@else.example>: Relay access denied");
        assert_eq!(reply("postmaster"), "250 2.1.5 Ok");
    }

    #[test]
    fn the_list_and_the_word_that_refuse_are_told() {
        let refusals = [
            (
                "",
                "a@else.example",
                "454 4.7.1 <a@else.example>: Relay access denied",
                "smtpd_relay_restrictions (default): defer_unauth_destination",
            ),
            (
                "smtpd_sender_restrictions = permit_mynetworks, check_sender_access inline:{ {client.example = REJECT go away} }\n",
                "u@box.example",
                "554 5.7.1 <a@client.example>: Sender address rejected: go away",
                "smtpd_sender_restrictions (line 12): check_sender_access inline:{ {client.example = REJECT go away} }",
            ),
            (
                "smtpd_recipient_restrictions = reject_unknown_sender_domain\n",
                "u@box.example",
                "450 4.1.8 <a@client.example>: Sender address rejected: Domain not found",
                "smtpd_recipient_restrictions (line 12): reject_unknown_sender_domain",
            ),
            (
                "",
                "w@box.example",
                "550 5.1.1 <w@box.example>: Recipient address rejected: User unknown in virtual mailbox table",
                "smtpd_reject_unlisted_recipient = yes (default)",
            ),
        ];
        for (main_cf, address, reply, decider) in refusals {
            let text = explained(&format!("{VIRTUAL}{main_cf}"), address);
            let mut lines = text.lines().skip_while(|line| !line.starts_with("reply to RCPT TO"));
            assert_eq!(lines.next(), Some(format!("reply to RCPT TO   {reply}").as_str()));
            assert_eq!(lines.next().map(str::trim), Some(decider));
        }
    }

    #[test]
    fn an_open_relay_is_told() {
        let told = warnings(&VIRTUAL.replace("compatibility_level = 3.6", ""), "u@box.example");
        assert!(
            told[0].starts_with("smtpd does not start: in parameter smtpd_relay_restrictions"),
            "{told:?}"
        );
    }

    #[test]
    fn a_client_is_refused_as_early_as_it_would_be() {
        let main_cf = format!("{VIRTUAL}smtpd_delay_reject = no\nsmtpd_client_restrictions = reject\n");
        let text = explained(&main_cf, "u@box.example");
        let reply = "reply to CONNECT   554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied";
        assert!(text.contains(reply), "{text}");
    }

    fn warnings(main_cf: &str, address: &str) -> Vec<String> {
        let text = explained(main_cf, address);
        text.lines().filter_map(|line| line.strip_prefix("warning: ")).map(str::to_owned).collect()
    }

    #[test]
    fn a_domain_in_two_classes_is_told_with_what_it_costs() {
        let main_cf = format!("{VIRTUAL}mydestination = box.example\n");
        let expected = "box.example is in mydestination (line 12) and in virtual_mailbox_domains (line 2): mydestination \
                        wins; 2 mailboxes: u@box.example, v@box.example unreachable. Take it out of one of them.";
        assert_eq!(warnings(&main_cf, "u@box.example"), [expected]);
    }

    #[test]
    fn a_catch_all_alias_that_captures_mailboxes_is_told() {
        let main_cf = format!(
            "{VIRTUAL}virtual_alias_maps = inline:{{@box.example=v@alias.example, v@alias.example=v@alias.example}}\n"
        );
        let told = warnings(&main_cf, "u@box.example");
        assert!(told[0].contains("captures 2 mailboxes: u@box.example, v@box.example"), "{told:?}");
        assert!(warnings(VIRTUAL, "u@box.example").is_empty());
    }

    #[test]
    fn a_tag_without_a_delimiter_is_told() {
        let told = warnings(VIRTUAL, "u+tag@box.example");
        assert!(told[0].starts_with("u@box.example exists, but u+tag@box.example does not"), "{told:?}");
        assert!(warnings(&format!("{VIRTUAL}recipient_delimiter = +\n"), "u+tag@box.example").is_empty());
    }

    #[test]
    fn a_domain_that_may_loop_is_told() {
        assert!(warnings(VIRTUAL, "a@else.example")[0].contains("loops back to myself"));
    }
}
