//! Replies and log lines of Postfix 3.7.11 for one configuration after the other, recorded in `recorded.txt`.
//!
//! `set:` is a line of main.cf, `client:` the attributes of XCLIENT, `>` a reply, `!` a line in the log. What is
//! not set is as in the lab: `example.com` and `example.net` are virtual mailbox domains, `alias.example` a
//! virtual alias domain, `mx.lab.example` this host, everything else is foreign.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::net::IpAddr;

use lookup::{Found, Lookup, Part, Stop, Subject};
use restrictions::{
    Client, DnsFailure, Envelope, ExpansionFilter, LogLine, Mx, NameStatus, PolicyOptions, PolicyService,
    Refusal, Restrictions, Ruling, Session, Settings, Stage, World,
};
use rewriting::{Existence, Resolved, Rewriting};

#[test]
fn every_configuration_answers_as_postfix_did() {
    let text = include_str!("recorded.txt");
    let cases: Vec<_> = text.split("== ").skip(1).map(Case::parse).collect();
    assert!(cases.len() > 100, "only {} cases", cases.len());
    let wrong: Vec<_> = cases.iter().filter_map(Case::difference).collect();
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

struct Case {
    name: String,
    set: HashMap<String, String>,
    client: Client,
    helo: String,
    sender: String,
    recipients: Vec<String>,
    data: bool,
    recorded: Vec<String>,
}

impl Case {
    fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        let mut case = Self {
            name: lines.next().unwrap().to_owned(),
            set: HashMap::new(),
            client: client("NAME=host.client.example ADDR=192.0.2.1 REVERSE_NAME=host.client.example"),
            helo: "helo.example".to_owned(),
            sender: "a@client.example".to_owned(),
            recipients: Vec::new(),
            data: false,
            recorded: Vec::new(),
        };
        for line in lines {
            case.line(line);
        }
        if case.recipients.is_empty() {
            case.recipients.push("user0@example.com".to_owned());
        }
        case
    }

    fn line(&mut self, line: &str) {
        let (key, value) = line.split_once([':', ' ']).unwrap_or((line, ""));
        let value = value.trim().to_owned();
        match key {
            "set" => {
                let (name, value) = value.split_once('=').unwrap();
                self.set.insert(name.trim().to_owned(), value.trim().to_owned());
            }
            "client" => self.client = client(&value),
            "helo" => self.helo = value,
            "sender" => self.sender = value,
            "recipient" => {
                self.recipients.push(address::parse_path(&format!("<{value}>"), false).unwrap().into())
            }
            "data" => self.data = true,
            ">" => self.recorded.push(format!("> {value}")),
            "!" => self.recorded.push(format!("! {value}")),
            _ => {}
        }
    }

    fn difference(&self) -> Option<String> {
        let mut ours = self.run();
        let mut theirs = self.recorded.clone();
        // Postfix names the reason that the resolver library gave for a host it could not find; we do not.
        ours.retain(|line| !line.contains("Unable to look up"));
        theirs.retain(|line| !line.contains("Unable to look up") && !line.contains("lookup error for"));
        ours.sort();
        theirs.sort();
        (ours != theirs).then(|| format!("{}\n   ours   {ours:#?}\n   Postfix {theirs:#?}", self.name))
    }

    fn run(&self) -> Vec<String> {
        let lab = Lab::new(&self.set);
        let rules = Restrictions::new(lab.settings.clone());
        let mut out = Vec::new();
        let mut envelope = Envelope::default();
        for (stage, command) in [(Stage::Connect, "XCLIENT"), (Stage::Helo, "EHLO"), (Stage::Mail, "MAIL")] {
            if stage == Stage::Mail {
                envelope.sender = Some(self.sender.clone());
            }
            let ruling = self.check(&rules, &lab, stage, command, &envelope, &mut out);
            if let Some(reply) = ruling.refusal {
                out.push(format!("> {command} {}", text_of(&reply)));
                return out;
            }
        }
        for recipient in &self.recipients {
            envelope.recipient = Some(recipient.clone());
            let ruling = self.check(&rules, &lab, Stage::Rcpt, "RCPT", &envelope, &mut out);
            envelope.recipients += usize::from(ruling.refusal.is_none());
            out.push(format!("> RCPT {}", ruling.refusal.as_ref().map_or("250 2.1.5 Ok", text_of)));
        }
        if self.data {
            envelope.recipient = envelope.recipient.filter(|_| envelope.recipients == 1);
            envelope.queue_id = "QID".to_owned();
            let ruling = self.check(&rules, &lab, Stage::Data, "DATA", &envelope, &mut out);
            let go_ahead = "354 End data with <CR><LF>.<CR><LF>";
            out.push(format!("> DATA {}", ruling.refusal.as_ref().map_or(go_ahead, text_of)));
        }
        out
    }

    fn check(
        &self,
        rules: &Restrictions,
        lab: &Lab,
        stage: Stage,
        command: &str,
        envelope: &Envelope,
        out: &mut Vec<String>,
    ) -> Ruling {
        let greeted = !matches!(stage, Stage::Connect);
        let session = Session {
            client: &self.client,
            helo: greeted.then_some(self.helo.as_str()),
            protocol: if matches!(stage, Stage::Connect | Stage::Helo) { "SMTP" } else { "ESMTP" },
            command,
            envelope,
            tls: None,
            pipelining: false,
            server: None,
            deferral: None,
            instance: None,
        };
        let ruling = rules.check(stage, &session, lab).unwrap();
        out.extend(ruling.log.iter().map(|line| self.shown(line, &session)));
        ruling
    }

    fn shown(&self, line: &LogLine, session: &Session<'_>) -> String {
        let (action, text) = match line {
            LogLine::Warning(text) => return format!("! warning: {text}"),
            LogLine::Note(text) => return format!("! {text}"),
            LogLine::Action(action, text) => (action, text),
        };
        let envelope = session.envelope;
        let id = if envelope.recipients > 0 { "QID" } else { "NOQUEUE" };
        let mut end = String::new();
        for (name, value) in [("from", &envelope.sender), ("to", &envelope.recipient)] {
            if let Some(value) = value {
                let shown = if value.is_empty() { String::new() } else { address::quote(value) };
                end += &format!(" {name}=<{shown}>");
            }
        }
        end += &format!(" proto={}", session.protocol);
        if let Some(helo) = session.helo {
            end += &format!(" helo=<{helo}>");
        }
        format!("! {id}: {action}: {} from {}: {text};{end}", session.command, self.client.shown())
    }
}

fn client(attributes: &str) -> Client {
    let value = |name: &str| {
        let word = attributes.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        word.map(str::to_owned)
    };
    let named = |name: &str| match value(name).as_deref() {
        None | Some("[UNAVAILABLE]") => ("unknown".to_owned(), NameStatus::NotFound),
        Some("[TEMPUNAVAIL]") => ("unknown".to_owned(), NameStatus::Unavailable),
        Some(text) => (text.to_owned(), NameStatus::Found),
    };
    let (name, name_status) = named("NAME");
    let (reverse_name, reverse_status) = named("REVERSE_NAME");
    let address = Some(value("ADDR").unwrap().parse().unwrap());
    Client { name, name_status, reverse_name, reverse_status, address, port: None }
}

/// The lab's tables, domains and DNS.
struct Lab {
    settings: Settings,
    rewriting: Rewriting,
    tables: Tables,
}

struct Tables(lookup::Memory);

impl Lookup for Tables {
    fn find(&self, maps: &str, key: &str, part: Part) -> Result<Option<Found>, Stop> {
        if maps.starts_with("fail:") {
            return Err(Stop::Failed { table: maps.to_owned() });
        }
        match maps.strip_prefix("inline:") {
            Some(entries) => Ok(inline(entries, key).map(|value| Found { value, table: maps.to_owned() })),
            None => self.0.find(maps, key, part),
        }
    }

    fn listed(&self, list: &str, subject: &Subject<'_>) -> Result<bool, Stop> {
        match subject {
            Subject::Client { address, .. } => Ok(list == "192.0.2.0/24" && address.starts_with("192.0.2.")),
            subject => self.0.listed(list, subject),
        }
    }
}

/// `{ key=value {key = longer value} }`
fn inline(text: &str, key: &str) -> Option<String> {
    let inside = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let entries: Vec<&str> = match inside.starts_with('{') {
        true => inside.split(['{', '}']).map(str::trim).filter(|entry| !entry.is_empty()).collect(),
        false => inside.split(' ').collect(),
    };
    entries.into_iter().find_map(|entry| {
        let (name, value) = entry.split_once('=')?;
        name.trim().eq_ignore_ascii_case(key).then(|| value.trim().to_owned())
    })
}

impl Lab {
    fn new(set: &HashMap<String, String>) -> Self {
        let text = |name: &str, default: &str| set.get(name).map_or(default, String::as_str).to_owned();
        let flag = |name: &str, default: bool| set.get(name).map_or(default, |value| value == "yes");
        let code = |name: &str, default: i64| set.get(name).map_or(default, |value| value.parse().unwrap());
        let classes = text("smtpd_restriction_classes", "");
        let relay = "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination";
        let lists = restrictions::Lists {
            client: text("smtpd_client_restrictions", ""),
            helo: text("smtpd_helo_restrictions", ""),
            sender: text("smtpd_sender_restrictions", ""),
            relay: text("smtpd_relay_restrictions", relay),
            recipient: text("smtpd_recipient_restrictions", ""),
            data: text("smtpd_data_restrictions", ""),
            end_of_data: String::new(),
            etrn: String::new(),
            classes: classes.split_whitespace().map(|name| (name.to_owned(), text(name, ""))).collect(),
        };
        let rbl = "$rbl_code Service unavailable; $rbl_class [$rbl_what] blocked using $rbl_domain${rbl_reason?; $rbl_reason}";
        let settings = Settings {
            lists,
            myhostname: "mx.lab.example".to_owned(),
            delay_reject: flag("smtpd_delay_reject", true),
            relay_before_recipient: flag("smtpd_relay_before_recipient_restrictions", true),
            reject_unlisted_sender: flag("smtpd_reject_unlisted_sender", false),
            reject_unlisted_recipient: flag("smtpd_reject_unlisted_recipient", true),
            mynetworks: text("mynetworks", "127.0.0.2/32"),
            own_addresses: vec!["127.0.0.1".parse().unwrap()],
            allow_untrusted_routing: false,
            recipient_delimiter: "+".to_owned(),
            access_maps_match_subdomains: text("parent_domain_matches_subdomains", "x") == "x",
            mynetworks_match_subdomains: true,
            null_access_lookup_key: "<>".to_owned(),
            log_access_permit_actions: String::new(),
            sasl_auth_enable: false,
            sender_login_maps: String::new(),
            relay_clientcerts: String::new(),
            permit_mx_backup_networks: String::new(),
            default_rbl_reply: rbl.to_owned(),
            rbl_reply_maps: text("rbl_reply_maps", ""),
            expansion_filter: ExpansionFilter::parse(
                &(' '..='~').filter(|letter| *letter != '\\').collect::<String>(),
            ),
            maps_rbl_domains: text("maps_rbl_domains", ""),
            policy: PolicyOptions {
                default_action: "451 4.3.5 Server configuration problem".to_owned(),
                ..PolicyOptions::default()
            },
            stress: String::new(),
            soft_bounce: flag("soft_bounce", false),
            double_bounce_address: "double-bounce@mx.lab.example".into(),
            reject_code: code("reject_code", 554),
            defer_code: 450,
            access_map_reject_code: 554,
            access_map_defer_code: 450,
            invalid_hostname_reject_code: 501,
            non_fqdn_reject_code: 504,
            unknown_client_reject_code: code("unknown_client_reject_code", 450),
            unknown_hostname_reject_code: 450,
            unknown_address_reject_code: code("unknown_address_reject_code", 450),
            relay_domains_reject_code: 554,
            maps_rbl_reject_code: code("maps_rbl_reject_code", 554),
            plaintext_reject_code: 450,
            multi_recipient_bounce_reject_code: 550,
            unknown_local_recipient_reject_code: 550,
            unknown_relay_recipient_reject_code: 550,
            unknown_virtual_alias_reject_code: 550,
            unknown_virtual_mailbox_reject_code: code("unknown_virtual_mailbox_reject_code", 550),
            unknown_address_tempfail_waits: text("unknown_address_tempfail_action", "") != "defer",
            unknown_helo_tempfail_waits: true,
        };
        let rewriting = Rewriting::new(lab_domains(flag("show_user_unknown_table_name", true)));
        Self { settings, rewriting, tables: Tables(lab_tables()) }
    }
}

fn lab_domains(show_user_unknown_table_name: bool) -> rewriting::Settings {
    let error = "error:5.7.1 lab: no outgoing mail".to_owned();
    rewriting::Settings {
        myhostname: "mx.lab.example".into(),
        mydomain: "lab.example".into(),
        myorigin: "mx.lab.example".into(),
        mydestination: "mx.lab.example, localhost.lab.example, localhost, shared.example".into(),
        recipient_delimiter: "+".into(),
        local_recipient_maps: "aliases".into(),
        virtual_alias_domains: "alias.example".into(),
        virtual_alias_maps: "virtual".into(),
        virtual_mailbox_domains: "example.com example.net".into(),
        virtual_mailbox_maps: "vmailbox".into(),
        transport_maps: "transport".into(),
        relay_domains: "deferred.example bounced.example".into(),
        default_transport: error.clone(),
        relay_transport: error,
        show_user_unknown_table_name,
        ..rewriting::Settings::default()
    }
}

fn lab_tables() -> lookup::Memory {
    lookup::Memory::new()
        .table("aliases", &[("postmaster", "root"), ("root", "user0@example.com")])
        .table("virtual", &[("info@alias.example", "user0@example.com")])
        .table("vmailbox", &[("user0@example.com", "a/"), ("user1@example.com", "b/")])
        .table(
            "transport",
            &[
                ("deferred.example", "retry:4.3.2 lab deferral"),
                ("bounced.example", "error:5.1.2 lab bounce"),
            ],
        )
}

impl World for Lab {
    fn tables(&self) -> &dyn Lookup {
        &self.tables
    }

    fn resolve(&self, sender: &str, address: &str) -> Result<Resolved, Stop> {
        let full = self.rewriting.rewrite(address, rewriting::Context::Local);
        self.rewriting.resolve(&self.tables, sender, &full)
    }

    fn existence(&self, sender: &str, address: &str) -> Result<Existence, Stop> {
        let resolved = self.resolve(sender, address)?;
        self.rewriting.existence(&self.tables, address, &resolved)
    }

    fn addresses(&self, name: &str) -> Result<Result<Vec<IpAddr>, DnsFailure>, Stop> {
        let address = match name {
            "good.example" => "192.0.2.10",
            "mx.good.example" => "192.0.2.11",
            "aonly.example" => "192.0.2.12",
            "bad.example" => "192.0.2.13",
            "ns.good.example" => "192.0.2.14",
            "1.2.0.192.bl.example" | "bad.example.rhs.example" => "127.0.0.2",
            "2.2.0.192.bl.example" => "127.0.0.9",
            "1.2.0.192.wl.example" => "127.0.0.1",
            name if name.ends_with("temp.example") => return Ok(Err(DnsFailure::Unavailable)),
            _ => return Ok(Err(DnsFailure::NotFound)),
        };
        Ok(Ok(vec![address.parse().unwrap()]))
    }

    fn mail_hosts(&self, name: &str) -> Result<Result<Vec<Mx>, DnsFailure>, Stop> {
        let mx = |host: &str| Ok(Ok(vec![Mx { preference: 10, host: host.to_owned() }]));
        match name {
            "good.example" | "mxonly.example" => mx("mx.good.example"),
            "null.example" => mx(""),
            name if name.ends_with("temp.example") => Ok(Err(DnsFailure::Unavailable)),
            _ => Ok(Err(DnsFailure::NotFound)),
        }
    }

    fn name_servers(&self, name: &str) -> Result<Result<Vec<String>, DnsFailure>, Stop> {
        let known = name == "good.example";
        Ok(if known { Ok(vec!["ns.good.example".to_owned()]) } else { Err(DnsFailure::NotFound) })
    }

    fn texts(&self, name: &str) -> Result<Result<Vec<String>, DnsFailure>, Stop> {
        Ok(match name {
            "1.2.0.192.bl.example" => Ok(vec!["listed as bad".to_owned()]),
            "bad.example.rhs.example" => Ok(vec!["bad domain".to_owned()]),
            _ => Err(DnsFailure::NotFound),
        })
    }

    fn sleep(&self, _time: std::time::Duration) -> Result<(), Stop> {
        Ok(())
    }

    fn policy(
        &self,
        _service: &PolicyService,
        _attributes: &[(&'static str, String)],
    ) -> Result<Option<String>, Stop> {
        Ok(None)
    }
}

fn text_of(refusal: &Refusal) -> &str {
    refusal.reply().unwrap_or("(hung up)")
}
