//! postqueue: what any user may do with the queue. mailq and `sendmail -bp` are `postqueue -p`.

mod listing;
mod showq;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;

use attributes::Attributes;
use lookup::{Lookup, Subject};
use parameters::{Param, Text};
use queue_format::QueueId;

use crate::getopt::{Getopt, Opt, text};
use crate::site::{EX_NOPERM, EX_UNAVAILABLE, Failure, Site, Voice, reason};

pub use listing::Form;

const VOICE: Voice = Voice { program: "postqueue" };
const USAGE: &str =
    "usage: postqueue -f | postqueue -i queueid | postqueue -j | postqueue -p | postqueue -s site";

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// `-p`, `-j`: show the queue.
    List(Form),
    /// `-f`: try all mail now.
    FlushAll,
    /// `-i`: try this message now.
    FlushMessage(String),
    /// `-s`: try all mail for this site now.
    FlushSite(String),
}

/// Runs the command with the arguments that stand behind its name.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    VOICE.finish(parse(arguments).and_then(|(request, directory)| {
        let site = Site::open(VOICE, directory.as_deref())?;
        perform(VOICE, &site, &request)
    }))
}

fn parse(arguments: Vec<OsString>) -> Result<(Request, Option<PathBuf>), Failure> {
    let usage = || Failure::with(EX_UNAVAILABLE, USAGE);
    let mut request = None;
    let mut directory = None;
    let mut getopt = Getopt::new("c:fi:jps:v", arguments);
    for option in getopt.by_ref() {
        let option =
            option.map_err(|misuse| Failure { status: EX_UNAVAILABLE, ..VOICE.misuse(&misuse, USAGE) })?;
        let wanted = match option {
            Opt::Value('c', path) => {
                directory = Some(PathBuf::from(path));
                continue;
            }
            Opt::Letter('v') => continue,
            Opt::Letter('f') => Request::FlushAll,
            Opt::Letter('j') => Request::List(Form::Json),
            Opt::Value('i', id) => Request::FlushMessage(text(&id)),
            Opt::Value(_, site) => Request::FlushSite(text(&site)),
            Opt::Letter(_) => Request::List(Form::Table),
        };
        if request.replace(wanted).is_some() {
            return Err(usage());
        }
    }
    match request {
        Some(request) if getopt.operands().is_empty() => Ok((request, directory)),
        _ => Err(usage()),
    }
}

/// Does what is asked, under the name of the command that was called.
///
/// # Errors
/// With the exit status and the text of Postfix.
pub fn perform(voice: Voice, site: &Site, request: &Request) -> Result<ExitCode, Failure> {
    match request {
        Request::List(form) => {
            authorize(site, &parameters::AUTHORIZED_MAILQ_USERS, "view")?;
            showq::list(voice, site, *form)?;
        }
        Request::FlushAll => {
            authorize(site, &parameters::AUTHORIZED_FLUSH_USERS, "flush")?;
            flush_all(voice, site)?;
        }
        Request::FlushMessage(id) => {
            authorize(site, &parameters::AUTHORIZED_FLUSH_USERS, "flush")?;
            let bad = || {
                Failure::with(
                    EX_UNAVAILABLE,
                    format!("Cannot flush queue ID - invalid name: \"{}\"", shortened(id)),
                )
            };
            let id: QueueId = id.parse().map_err(|_| bad())?;
            let status =
                ask_flush(voice, site, &Attributes::new().with("request", "send_file").with("queue_id", id))?;
            judge(status, "")?;
        }
        Request::FlushSite(name) => {
            authorize(site, &parameters::AUTHORIZED_FLUSH_USERS, "flush")?;
            let bad = || {
                Failure::with(
                    EX_UNAVAILABLE,
                    format!("Cannot flush mail queue - invalid destination: \"{}\"", shortened(name)),
                )
            };
            if !is_site(name) {
                return Err(bad());
            }
            if !is_flush_domain(site, name) {
                return judge(services::flush::Status::NotListed.number(), name).map(|()| ExitCode::SUCCESS);
            }
            let status =
                ask_flush(voice, site, &Attributes::new().with("request", "send_site").with("site", name))?;
            judge(status, name)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A domain name, or an address literal in brackets.
fn is_site(name: &str) -> bool {
    address::literal(name).is_some() || (name.is_ascii() && address::is_hostname(name))
}

/// `fast_flush_domains`: of others flush(8) knows nothing. A list that can not be read is its matter.
fn is_flush_domain(site: &Site, name: &str) -> bool {
    let parents = site.config.get(&parameters::PARENT_DOMAIN_MATCHES_SUBDOMAINS);
    let parents = parents.split([',', ' ', '\t', '\n']).any(|word| word == "fast_flush_domains");
    let tables = tables::Tables::new(tables::Options::default());
    let domains = site.config.get(&parameters::FAST_FLUSH_DOMAINS);
    tables.listed(&domains, &Subject::Domain { name, parents }) != Ok(false)
}

/// A name that is too long for a message.
fn shortened(name: &str) -> String {
    match name.char_indices().nth(100) {
        Some((end, _)) => format!("{}...", &name[..end]),
        None => name.to_owned(),
    }
}

/// `authorized_mailq_users`, `authorized_flush_users`: users other than root must be listed.
fn authorize(site: &Site, list: &Param<Text>, verb: &str) -> Result<(), Failure> {
    let uid = sys::ids::real_uid();
    let list = site.config.get(list);
    if uid == 0 || list.trim() == "static:anyone" {
        return Ok(());
    }
    let user =
        sys::users::user_of_id(uid).ok().flatten().map_or_else(|| "unknown".to_owned(), |user| user.name);
    let tables = tables::Tables::new(tables::Options::default());
    match tables.listed(&list, &Subject::Text(&user)) {
        Ok(true) => Ok(()),
        _ => Err(Failure::with(
            EX_NOPERM,
            format!("User {user}({uid}) is not allowed to {verb} the mail queue"),
        )),
    }
}

fn flush_all(voice: Voice, site: &Site) -> Result<(), Failure> {
    let manager = site.config.get(&parameters::QUEUE_SERVICE_NAME);
    if let Err(error) = trigger(site, &manager, services::qmgr::FLUSH_ALL) {
        if error.kind() == std::io::ErrorKind::NotFound {
            voice.warn(format!("unable to look up public/{manager}: {}", reason(&error)));
        }
        return Err(Failure::with(EX_UNAVAILABLE, "Cannot flush mail queue - mail system is down"));
    }
    // Without a pickup service nothing is lost: it looks by itself, once a minute.
    let _ = trigger(site, &site.config.get(&parameters::PICKUP_SERVICE_NAME), b"W\0");
    Ok(())
}

/// Sends trigger letters to a public service.
///
/// # Errors
/// When nobody listens.
pub fn trigger(site: &Site, service: &str, letters: &[u8]) -> std::io::Result<()> {
    UnixStream::connect(site.public_socket(service))?.write_all(letters)
}

/// Asks flush(8), and gives its status.
fn ask_flush(voice: Voice, site: &Site, request: &Attributes) -> Result<i32, Failure> {
    let service = site.config.get(&parameters::FLUSH_SERVICE_NAME);
    let down = || Failure::with(EX_UNAVAILABLE, "Cannot flush mail queue - mail system is down");
    let mut socket = UnixStream::connect(site.public_socket(&service)).map_err(|error| {
        voice.warn(format!("connect to public/{service}: {}", reason(&error)));
        down()
    })?;
    let mut input = Vec::new();
    read_message(&mut socket, &mut input).ok_or_else(down)?;
    socket.write_all(&request.to_bytes()).map_err(|_| down())?;
    let reply = read_message(&mut socket, &mut input).ok_or_else(down)?;
    reply.parse("status").map_err(|_| Failure::with(EX_UNAVAILABLE, "Unknown flush server reply status"))
}

/// The next message on the connection.
fn read_message(socket: &mut UnixStream, input: &mut Vec<u8>) -> Option<Attributes> {
    let mut block = [0; 4096];
    loop {
        match Attributes::decode(input) {
            Ok(Some((message, length))) => {
                input.drain(..length);
                return Some(message);
            }
            Ok(None) => {}
            Err(_) => return None,
        }
        match socket.read(&mut block) {
            Ok(count) if count > 0 => input.extend_from_slice(&block[..count]),
            _ => return None,
        }
    }
}

fn judge(status: i32, site: &str) -> Result<(), Failure> {
    use services::flush::Status;
    match Status::from_number(status) {
        Some(Status::Done) => Ok(()),
        Some(Status::NotListed) => Err(Failure::with(
            EX_UNAVAILABLE,
            format!("Flush service is not configured for destination \"{site}\""),
        )),
        Some(Status::Failed) => {
            Err(Failure::with(EX_UNAVAILABLE, "Cannot flush mail queue - mail system is down"))
        }
        Some(Status::BadRequest) => {
            Err(Failure::with(EX_UNAVAILABLE, format!("Invalid request: \"{site}\"")))
        }
        None => Err(Failure::with(EX_UNAVAILABLE, format!("Unknown flush server reply status {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Option<Request> {
        parse(line.split(' ').filter(|word| !word.is_empty()).map(OsString::from).collect())
            .ok()
            .map(|(request, _)| request)
    }

    #[test]
    fn one_request_and_no_operands() {
        assert_eq!(asked("-p"), Some(Request::List(Form::Table)));
        assert_eq!(asked("-c /x -j"), Some(Request::List(Form::Json)));
        assert_eq!(asked("-i ABC"), Some(Request::FlushMessage("ABC".into())));
        for line in ["", "-p -j", "-p x", "-fp", "-i A -f", "-z"] {
            assert_eq!(asked(line), None, "{line}");
        }
    }

    #[test]
    fn sites_are_names_or_literals() {
        for (name, good) in [
            ("a.example", true),
            ("[1.2.3.4]", true),
            ("a b", false),
            ("[1", false),
            ("", false),
            ("x..y", false),
            ("1.2.3.4", false),
            ("[::1]", false),
            ("[IPv6:::1]", true),
            ("x.", false),
        ] {
            assert_eq!(is_site(name), good, "{name}");
        }
    }
}
