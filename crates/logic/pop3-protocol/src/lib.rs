//! The server's side of POP3 (RFC 1939, 2449, 2595, 3206, 5034, 6856), as two machines.
//!
//! [`Login`] is the AUTHORIZATION state: it knows of no mailbox, and ends in `Output::HandOver`. [`Session`] is TRANSACTION
//! and UPDATE, and runs in a process of its own. Reply texts are Dovecot's where clients or administrators look for
//! them.
#![forbid(unsafe_code)]

mod command;
mod input;
mod login;
mod session;
mod text;

pub use login::{Login, LoginAnswer, LoginQuestion, LoginSettings};
pub use session::{Answer, Facts, Question, Session, Settings, Totals};

/// A command line is not longer, in bytes with its end (RFC 2449 §4 has 255).
pub const COMMAND_LIMIT_BYTES: usize = 512;
/// A line within an AUTH exchange is not longer, in bytes (RFC 5034 §4 wants as much as a mechanism needs).
pub const RESPONSE_LIMIT_BYTES: usize = 12 * 1024;
/// Commands that are none, after which a client is sent away.
const BAD_COMMANDS_LIMIT: u32 = 20;

/// What CAPA says in every state (RFC 2449 §6, RFC 6856 §2), in Dovecot's order.
fn capabilities(expire_days: u32) -> String {
    let expire = match expire_days {
        0 => "NEVER".to_owned(),
        days => days.to_string(),
    };
    format!(
        "CAPA\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nAUTH-RESP-CODE\r\nEXPIRE {expire}\r\nUTF8\r\n\
         IMPLEMENTATION Pillarbox\r\n"
    )
}
