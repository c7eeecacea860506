//! Two messages that spamd has judged: one is wanted, one is not, and both say so.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use spamc_protocol::{Call, Command, Learn, read_answer};

use crate::demo::done;
use crate::demo::layout::{DOMAIN, Layout, MAILDIR_USER};
use crate::demo::round_trip::{find_in_maildir, wait_for};
use crate::demo::smtp_client::Client;

/// How long spamd may take: on a busy machine it reads its rules first.
const VERDICT_PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of what it says.
const ANSWER_LIMIT_BYTES: u64 = 1024 * 1024;

/// What nobody asked for.
const UNWANTED: &str = "From: \"A Prince\" <prince@client.example>\r\nSubject: YOU HAVE WON MONEY!!!\r\n\r\n\
    Dear friend, you won. Click here to claim your million dollars, act now.\r\n";
/// What somebody waits for.
const WANTED: &str = "From: Ann <ann@client.example>\r\nSubject: lunch\r\n\r\nShall we meet at noon?\r\n";

/// Has both judged, sends them, and finds them with their marks.
pub(crate) fn send_and_find(layout: &Layout, port: u16) -> Result<(), String> {
    for (kind, text, mark) in
        [("clean", WANTED, "X-Spam-Status: No"), ("spam", UNWANTED, "X-Spam-Status: Yes")]
    {
        let token = format!("{kind}.{}.{}", sys::clock::now_us(), std::process::id());
        let head = format!(
            "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nTo: {MAILDIR_USER}@{DOMAIN}\r\nMessage-Id: <{token}@client.example>\r\n"
        );
        let marked = judge(&layout.spam_socket(), format!("{head}{text}").as_bytes())?;
        send(port, &marked)?;
        let path = wait_for(MAILDIR_USER, || find_in_maildir(&layout.maildir(), &token))?;
        let found = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if !found.contains(mark) {
            return Err(format!("{} does not say \"{mark}\"", path.display()));
        }
        done(&format!(
            "{MAILDIR_USER}@{DOMAIN} has a {kind} message that says \"{mark}\": {}",
            path.display()
        ));
    }
    Ok(())
}

/// The message as spamd marks it.
fn judge(socket: &Path, message: &[u8]) -> Result<Vec<u8>, String> {
    let told = |error: std::io::Error| format!("spamd at {}: {error}", socket.display());
    let mut stream = UnixStream::connect(socket).map_err(told)?;
    stream.set_read_timeout(Some(VERDICT_PATIENCE)).map_err(told)?;
    let call = Call {
        command: Command::Process,
        learn: Learn::default(),
        user: None,
        compressed: false,
        bare: false,
    };
    stream.write_all(&call.bytes(message)).map_err(told)?;
    stream.shutdown(Shutdown::Write).map_err(told)?;
    let mut reply = Vec::new();
    stream.take(ANSWER_LIMIT_BYTES).read_to_end(&mut reply).map_err(told)?;
    let answer = read_answer(Command::Process, &reply).map_err(|fault| format!("spamd: {fault}"))?;
    Ok(answer.body)
}

fn send(port: u16, message: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(message).replace("\r\n", "\n");
    let lines = text
        .lines()
        .map(|line| if line.starts_with('.') { format!(".{line}\r\n") } else { format!("{line}\r\n") });
    let data: String = lines.collect();
    let mut client = Client::connect(port)?;
    client.command("EHLO demo.client.example", '2')?;
    client.command("MAIL FROM:<visitor@client.example>", '2')?;
    client.command(&format!("RCPT TO:<{MAILDIR_USER}@{DOMAIN}>"), '2')?;
    client.command("DATA", '3')?;
    client.command(&format!("{data}."), '2')?;
    client.command("QUIT", '2')?;
    Ok(())
}
