//! `pillarbox status`: what master says of its services.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::postfix::Site;

/// From the queue directory.
const STATUS_SOCKET: &str = "private/master-status";

/// Prints the page that master gives.
pub(crate) fn print(config_directory: Option<&Path>) -> Result<(), String> {
    let site = Site::read(worker::configuration::directory(config_directory))
        .map_err(|problem| problem.to_string())?;
    let socket = site.queue_directory.join(STATUS_SOCKET);
    let mut page = String::new();
    UnixStream::connect(&socket).and_then(|mut stream| stream.read_to_string(&mut page)).map_err(
        |error| format!("{}: {error}: does the mail system run, and may you look at it?", socket.display()),
    )?;
    print!("{page}");
    Ok(())
}
