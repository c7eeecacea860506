//! postkick: trigger letters for a service.

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::getopt::{Getopt, Opt, text};
use crate::site::{Failure, Site, Voice, reason};

const VOICE: Voice = Voice { program: "postkick" };
const USAGE: &str = "usage: postkick [-c config_dir] [-v] class service request";

/// Runs the command with the arguments that stand behind its name.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    VOICE.finish(run(arguments))
}

fn run(arguments: Vec<OsString>) -> Result<ExitCode, Failure> {
    let mut directory = None;
    let mut getopt = Getopt::new("c:v", arguments);
    for option in getopt.by_ref() {
        if let Opt::Value(_, path) = option.map_err(|misuse| VOICE.misuse(&misuse, USAGE))? {
            directory = Some(PathBuf::from(path));
        }
    }
    let operands = getopt.operands();
    let [class, service, request] = operands.as_slice() else { return Err(Failure::new(USAGE)) };
    let site = Site::open(VOICE, directory.as_deref())?;
    let (class, service) = (text(class), text(service));
    let mut letters = text(request).into_bytes();
    letters.push(0);
    let socket = site.queue_directory.join(&class).join(&service);
    let is_other = |kind: std::fs::FileType| !kind.is_socket() && !kind.is_fifo();
    if std::fs::metadata(&socket).is_ok_and(|facts| is_other(facts.file_type())) {
        VOICE.warn(format!("{class}/{service} is not a socket or a fifo"));
    }
    let sent = UnixStream::connect(socket).and_then(|mut socket| socket.write_all(&letters));
    if let Err(error) = sent {
        if error.kind() == ErrorKind::NotFound {
            VOICE.warn(format!("unable to look up {class}/{service}: {}", reason(&error)));
        }
        VOICE.warn(format!(
            "Cannot contact class {class} service {service} - perhaps the mail system is down"
        ));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
