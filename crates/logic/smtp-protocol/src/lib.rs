//! SMTP (RFC 5321): the server's side of the dialogue as a machine.
//!
//! [`Server`] knows the order of commands, the syntax of each and the text of every reply that needs no table;
//! what only the world can tell it asks as a [`Question`]. Replies, limits and odd cases are Postfix's.
#![forbid(unsafe_code)]

mod server;
mod settings;
mod question;
mod reply;
mod history;
mod command;
mod token;
mod esmtp;
mod xtext;
mod xclient;
mod proxy_protocol;
mod input;
mod content;

pub use command::{Command, Count, Counts};
pub use esmtp::{Body, Notify, Return};
pub use history::{Transcript, Troubles};
pub use proxy_protocol::Endpoints;
pub use question::{
    Admission, Answer, Disconnection, Ending, Event, Hello, Named, Question, Recipient, Sender,
};
pub use reply::Reply;
pub use server::Server;
pub use settings::{BareNewline, Keywords, Settings, TlsLevel, Verp};
pub use xclient::{Attribute, Attributes};
pub use xtext::{decode as xtext_decode, encode as xtext_encode};
