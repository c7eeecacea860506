//! A submission: envelope and message, handed to postdrop.

use std::io::{BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use address::AddressList;
use attributes::Attributes;
use queue_format::record::{self, Kind};

use crate::postdrop::{STATUS_BAD, STATUS_DONE, STATUS_NOT_PERMITTED, STATUS_SIZE, STATUS_WRITE};
use crate::sendmail::message::{LineEndings, Message, Reading, read};
use crate::sendmail::options::{Mode, Options};
use crate::site::{EX_SOFTWARE, EX_TEMPFAIL, EX_UNAVAILABLE, Failure, Site, Voice, reason};

/// Tokens of an address on the command line.
const ARGUMENT_TOKEN_LIMIT: usize = 10_240;

/// Takes a message, or asks for a report on the recipients.
pub(crate) fn submit(voice: Voice, site: &Site, options: &Options) -> Result<ExitCode, Failure> {
    let user = sys::users::user_of_id(sys::ids::real_uid()).ok().flatten();
    let sender = match (&options.sender, &user) {
        (Some(argument), _) => sender_of(voice, argument),
        (None, Some(user)) => user.name.clone(),
        (None, None) => {
            let uid = sys::ids::real_uid();
            return Err(Failure::with(EX_TEMPFAIL, format!("no login name found for user ID {uid}")));
        }
    };
    let options = &Options { verp_delimiters: verp_delimiters(site, options)?, ..options.clone() };
    let recipients: Vec<String> =
        options.recipients.iter().flat_map(|argument| addresses(argument)).collect();
    let complain =
        |text: &str| Failure::with(EX_TEMPFAIL, format!("{sender}({}): {text}", sys::ids::real_uid()));
    if recipients.is_empty() && !options.recipients_from_header {
        return Err(complain(
            "Recipient addresses must be specified on the command line or via the -t option",
        ));
    }
    if options.verp_delimiters.is_some() && sender.is_empty() {
        return Err(complain("-V option requires non-null sender address"));
    }
    let message = if options.mode == Mode::Verify {
        probe(&sender, &recipients)
    } else {
        let input = BufReader::with_capacity(64 * 1024, std::io::stdin().lock());
        read(input, reading(site, options))
            .map_err(|error| complain(&format!("error reading input: {}", reason(&error))))?
    };
    if message.header_too_long {
        return Err(complain("unable to extract recipients: message header length exceeds safety limit"));
    }
    if recipients.is_empty() && message.recipients.is_empty() {
        return Err(complain("No recipient addresses found in message header"));
    }
    let environment = std::env::var("NAME").ok();
    let full_name = options.full_name.clone().or(environment).or_else(|| full_name(user.as_ref()));
    let records = records(options, &sender, full_name.as_deref(), &recipients, &message);
    drop_into_queue(site, &records, &complain)?;
    if options.trace_flags != 0 {
        println!("Mail Delivery Status Report will be mailed to <{}>.", address::quote(&sender));
    }
    Ok(ExitCode::SUCCESS)
}

/// Those of the command line, or `default_verp_delimiters`, when they are allowed.
fn verp_delimiters(site: &Site, options: &Options) -> Result<Option<String>, Failure> {
    let Some(given) = &options.verp_delimiters else { return Ok(None) };
    let default = site.config.get(&parameters::DEFAULT_VERP_DELIMITERS);
    let delimiters = if given.is_empty() { &default } else { given };
    let allowed = site.config.get(&parameters::VERP_DELIMITER_FILTER);
    if delimiters.chars().count() == 2 && delimiters.chars().all(|one| allowed.contains(one)) {
        return Ok(Some(delimiters.clone()));
    }
    Err(Failure::with(EX_TEMPFAIL, format!("-V requires two characters from {allowed}")))
}

fn reading(site: &Site, options: &Options) -> Reading {
    let number = |parameter| usize::try_from(site.config.get(parameter)).unwrap_or(0);
    Reading {
        dots_are_text: options.dots_are_text,
        recipients_from_header: options.recipients_from_header,
        line_endings: match site.config.get(&parameters::SENDMAIL_FIX_LINE_ENDINGS).as_str() {
            "never" => LineEndings::Never,
            "strict" => LineEndings::Strict,
            _ => LineEndings::Always,
        },
        line_limit_bytes: number(&parameters::LINE_LENGTH_LIMIT).max(1),
        header_limit_bytes: usize::try_from(site.config.get(&parameters::HEADER_SIZE_LIMIT))
            .unwrap_or(usize::MAX),
        token_limit: number(&parameters::HEADER_ADDRESS_TOKEN_LIMIT),
    }
}

/// The addresses in one argument; an empty one is the null address.
fn addresses(argument: &str) -> Vec<String> {
    if argument.is_empty() {
        return vec![String::new()];
    }
    AddressList::parse(argument, ARGUMENT_TOKEN_LIMIT).addresses().collect()
}

fn sender_of(voice: Voice, argument: &str) -> String {
    let found = addresses(argument);
    if found.len() > 1 {
        voice.warn(format!("-f option specified malformed sender: {argument}"));
    }
    found.into_iter().next().unwrap_or_default()
}

/// The name in the user database, up to the first comma; `&` stands for the login name.
fn full_name(user: Option<&sys::users::User>) -> Option<String> {
    let user = user?;
    let name = user.gecos.split(',').next().unwrap_or_default();
    let mut capital = user.name.clone();
    if let Some(first) = capital.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let name = name.replace('&', &capital);
    (!name.is_empty()).then_some(name)
}

/// The message of `-bv`, which is not delivered.
fn probe(sender: &str, recipients: &[String]) -> Message {
    let mut records = Vec::new();
    record::write(&mut records, Kind::NORMAL, format!("From: {}", address::quote(sender)).as_bytes());
    record::write(&mut records, Kind::NORMAL, b"Subject: probe");
    record::write(&mut records, Kind::CONTINUED, b"To:");
    for (place, recipient) in recipients.iter().enumerate() {
        let comma = if place + 1 < recipients.len() { "," } else { "" };
        record::write(
            &mut records,
            Kind::NORMAL,
            format!("\t{}{comma}", address::quote(recipient)).as_bytes(),
        );
    }
    Message { records, ..Message::default() }
}

fn records(
    options: &Options,
    sender: &str,
    full_name: Option<&str>,
    recipients: &[String],
    message: &Message,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.records.len() + 1024);
    if let Some(id) = &options.envelope_id {
        record::write_attribute(&mut out, "envelope_id", id);
    }
    if options.return_flags != 0 {
        record::write_attribute(&mut out, "ret_flags", &options.return_flags.to_string());
    }
    record::write_attribute(&mut out, "rewrite_context", options.rewrite_context);
    if let Some(name) = full_name {
        record::write(&mut out, Kind::FULL_NAME, name.as_bytes());
    }
    record::write(&mut out, Kind::SENDER, sender.as_bytes());
    if let Some(delimiters) = &options.verp_delimiters {
        record::write(&mut out, Kind::VERP, delimiters.as_bytes());
    }
    if let Some(encoding) = options.encoding {
        record::write_attribute(&mut out, "encoding", encoding);
    }
    if options.trace_flags != 0 {
        record::write_attribute(&mut out, "trace_flags", &options.trace_flags.to_string());
    }
    write_recipients(&mut out, recipients, options.notify);
    record::write(&mut out, Kind::MESSAGE, b"");
    out.extend_from_slice(&message.records);
    record::write(&mut out, Kind::EXTRACTED, b"");
    write_recipients(&mut out, &message.recipients, options.notify);
    record::write(&mut out, Kind::END, b"");
    out
}

fn write_recipients(out: &mut Vec<u8>, recipients: &[String], notify: u32) {
    for recipient in recipients {
        if notify != 0 {
            record::write_attribute(out, "notify_flags", &notify.to_string());
        }
        record::write(out, Kind::RECIPIENT, recipient.as_bytes());
    }
}

/// Gives the submission to postdrop, which may write where this user may not. It is safe when this is `Ok`.
fn drop_into_queue(site: &Site, records: &[u8], complain: &dyn Fn(&str) -> Failure) -> Result<(), Failure> {
    let program = Path::new(&site.config.get(&parameters::COMMAND_DIRECTORY)).join("postdrop");
    let mut child = start(&program, site)
        .map_err(|error| complain(&format!("unable to execute {}: {}", program.display(), reason(&error))))?;
    let mut input = child.stdin.take();
    let written = input.as_mut().map_or(Ok(()), |input| input.write_all(records));
    drop(input);
    let mut answer = Vec::new();
    if let Some(output) = &mut child.stdout {
        let _ = output.read_to_end(&mut answer);
    }
    let _ = child.wait();
    let (status, why) = status_in(&answer).unzip();
    match status {
        Some(STATUS_NOT_PERMITTED) => Err(complain(&why.unwrap_or_default())),
        Some(STATUS_DONE) if written.is_ok() => Ok(()),
        Some(STATUS_BAD) => {
            Err(Failure { status: EX_SOFTWARE, ..complain("bad input: the message was not taken") })
        }
        Some(STATUS_SIZE) => Err(complain("message file too big")),
        Some(STATUS_WRITE) => Err(complain("queue file write error")),
        Some(_) => Err(Failure { status: EX_UNAVAILABLE, ..complain("the message was not taken") }),
        None => Err(complain("queue file write error")),
    }
}

fn start(program: &Path, site: &Site) -> std::io::Result<Child> {
    Command::new(program)
        .arg("-r")
        .env("MAIL_CONFIG", &site.config_directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
}

/// The status is the last message of two; a postdrop that failed early sends none.
fn status_in(answer: &[u8]) -> Option<(i32, String)> {
    let (_, length) = Attributes::decode(answer).ok()??;
    let (message, _) = Attributes::decode(&answer[length..]).ok()??;
    Some((message.parse("status").ok()?, message.get("reason").unwrap_or_default().to_owned()))
}
