//! A message goes in by SMTP and is found in two mailboxes.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::demo::done;
use crate::demo::layout::{DOMAIN, Layout, MAILDIR_USER, MBOX_USER, PASSWORD};
use crate::demo::pop3_client;
use crate::demo::smtp_client::Client;

/// How long a delivery may take.
const DELIVERY_PATIENCE: Duration = Duration::from_secs(60);
/// How often the mailboxes are looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// Sends one message to both users and waits until it lies in both mailboxes.
pub(crate) fn send_and_find(layout: &Layout, port: u16, pop3_port: u16) -> Result<(), String> {
    let token = format!("{}.{}", sys::clock::now_us(), std::process::id());
    let reply = send(port, &token)?;
    done(&format!("sent a message by SMTP: {reply}"));
    let in_maildir = wait_for(MAILDIR_USER, || find_in_maildir(&layout.maildir(), &token))?;
    done(&format!("{MAILDIR_USER}@{DOMAIN} has it in a Maildir: {}", in_maildir.display()));
    let in_mbox = wait_for(MBOX_USER, || contains(&layout.mbox(), &token).then(|| layout.mbox()))?;
    done(&format!("{MBOX_USER}@{DOMAIN} has it in an mbox: {}", in_mbox.display()));
    if !pop3_client::has_message(pop3_port, MAILDIR_USER, PASSWORD, &token)? {
        return Err(format!("{MAILDIR_USER}@{DOMAIN} does not find the message by POP3"));
    }
    done(&format!("{MAILDIR_USER}@{DOMAIN} has read it by POP3"));
    Ok(())
}

fn send(port: u16, token: &str) -> Result<String, String> {
    let mut client = Client::connect(port)?;
    client.command("EHLO demo.client.example", '2')?;
    client.command("MAIL FROM:<visitor@client.example>", '2')?;
    client.command(&format!("RCPT TO:<{MAILDIR_USER}@{DOMAIN}>"), '2')?;
    client.command(&format!("RCPT TO:<{MBOX_USER}@{DOMAIN}>"), '2')?;
    client.command("DATA", '3')?;
    let message = format!(
        "From: A visitor <visitor@client.example>\r\nTo: {MAILDIR_USER}@{DOMAIN}, {MBOX_USER}@{DOMAIN}\r\n\
         Subject: Hello from the demo\r\nMessage-Id: <{token}@client.example>\r\n\r\n\
         This message went from a TCP port into your mailbox.\r\n."
    );
    let reply = client.command(&message, '2')?;
    client.command("QUIT", '2')?;
    Ok(reply)
}

pub(crate) fn wait_for(user: &str, look: impl Fn() -> Option<PathBuf>) -> Result<PathBuf, String> {
    let end = Instant::now() + DELIVERY_PATIENCE;
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if Instant::now() > end {
            let waited = DELIVERY_PATIENCE.as_secs();
            return Err(format!("the message for {user}@{DOMAIN} has not come within {waited} seconds"));
        }
        thread::sleep(LOOK_INTERVAL);
    }
}

pub(crate) fn find_in_maildir(maildir: &Path, token: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(maildir.join("new")).ok()?;
    entries.flatten().map(|entry| entry.path()).find(|path| contains(path, token))
}

fn contains(path: &Path, token: &str) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.windows(token.len()).any(|window| window == token.as_bytes()))
}
