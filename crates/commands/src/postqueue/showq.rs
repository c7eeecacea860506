//! Where the list comes from: showq(8), or its program when the mail system is down.

use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use attributes::Attributes;

use crate::postqueue::listing::{Form, Printer};
use crate::site::{EX_UNAVAILABLE, Failure, Site, Voice, reason};

/// How much is read, and about how much is written, at a time, in bytes.
const BLOCK_BYTES: usize = 64 * 1024;

/// Shows the queue.
pub(crate) fn list(voice: Voice, site: &Site, form: Form) -> Result<(), Failure> {
    let service = site.config.get(&parameters::SHOWQ_SERVICE_NAME);
    match UnixStream::connect(site.public_socket(&service)) {
        Ok(socket) => print(socket, site, form),
        Err(error) => {
            let name = site.config.get(&parameters::MAIL_NAME);
            let why = format!("Connect to the {name} {service} service: {}", reason(&error));
            if !may_read_queue(site) {
                let text = format!("Queue report unavailable - mail system is down ({why})");
                return Err(Failure::with(EX_UNAVAILABLE, text));
            }
            voice.warn(format!("Mail system is down -- accessing queue directly ({why})"));
            run_showq(site, form)
        }
    }
}

/// Root, or the owner of the queue.
fn may_read_queue(site: &Site) -> bool {
    let owner = std::fs::metadata(site.queue_directory.join("incoming")).map(|facts| facts.uid());
    sys::ids::is_root() || owner.is_ok_and(|uid| uid == sys::ids::effective_uid())
}

fn run_showq(site: &Site, form: Form) -> Result<(), Failure> {
    let program = Path::new(&site.config.get(&parameters::DAEMON_DIRECTORY)).join("showq");
    let failed = |error: std::io::Error| {
        Failure::with(EX_UNAVAILABLE, format!("Error running {}: {}", program.display(), reason(&error)))
    };
    let mut child = Command::new(&program)
        .args(["-u", "-S"])
        .env("MAIL_CONFIG", &site.config_directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let listed = child.stdout.take().map_or(Ok(()), |output| print(output, site, form));
    let _ = child.wait();
    listed
}

/// Reads messages and writes them, until the empty one at the end.
fn print(mut source: impl Read, site: &Site, form: Form) -> Result<(), Failure> {
    let mut printer = Printer::new(form, site.config.get(&parameters::ENABLE_LONG_QUEUE_IDS));
    let malformed = || Failure::with(EX_UNAVAILABLE, "malformed showq server response");
    let mut output = std::io::stdout().lock();
    // What was read and not yet understood is `input[begin..end]`.
    let (mut input, mut begin, mut end, mut text) = (vec![0; BLOCK_BYTES], 0, 0, String::new());
    let mut greeted = false;
    loop {
        match Attributes::decode(&input[begin..end]).map_err(|_| malformed())? {
            Some((message, length)) => {
                begin += length;
                if !std::mem::replace(&mut greeted, true) {
                    if message.get("protocol") != Some("mail_queue_list_protocol") {
                        return Err(malformed());
                    }
                } else if message.iter().next().is_none() {
                    break;
                } else if !printer.message(&message, &mut text) {
                    return Err(malformed());
                }
            }
            None => {
                input.copy_within(begin..end, 0);
                (begin, end) = (0, end - begin);
                if end == input.len() {
                    input.resize(end * 2, 0);
                }
                match read(&mut source, &mut input[end..]) {
                    Ok(length @ 1..) => end += length,
                    Ok(0) | Err(_) => return Err(malformed()),
                }
            }
        }
        if text.len() > BLOCK_BYTES {
            write(&mut output, &mut text)?;
        }
    }
    printer.end(&mut text);
    write(&mut output, &mut text)
}

fn read(source: &mut impl Read, space: &mut [u8]) -> std::io::Result<usize> {
    loop {
        match source.read(space) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn write(output: &mut impl Write, text: &mut String) -> Result<(), Failure> {
    let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    text.clear();
    written.map_err(|error| Failure::new(format!("output write error: {}", reason(&error))))
}
