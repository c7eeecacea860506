//! The login server: what its sessions share.

use std::sync::Arc;
use std::time::Duration;

use attributes::Attributes;
use imap_protocol::session::LoginSettings;
use parameters::{Config, Param};
use services::residents::Program;
use worker::login::{LoginClient, LoginProtocol, TlsLevel};

use crate::capabilities;
use crate::login::Session;

/// Bytes of a command before the log-in, with its literals.
const LOGIN_COMMAND_LIMIT_BYTES: usize = 8 * 1024;
/// So many commands before the log-in may be wrong.
const BAD_LOGIN_COMMANDS: u32 = 3;

/// What the login server knows of IMAP.
pub(crate) struct Imap {
    /// For clients whose passwords are not overheard: of this host, or where it does not matter.
    trusted: Arc<LoginSettings>,
    /// For all others.
    strangers: Arc<LoginSettings>,
}

impl LoginProtocol for Imap {
    const PROGRAM: Program = Program::Imapd;
    const SERVICE: &'static str = "imap";
    type Session = Session;

    fn tls_parameters() -> (&'static Param<String>, &'static Param<bool>) {
        (&parameters::IMAPD_TLS_SECURITY_LEVEL, &parameters::IMAPD_TLS_WRAPPERMODE)
    }

    fn open(config: &Config, level: TlsLevel, offers_tls: bool) -> Self {
        let dialogue = |plaintext| Arc::new(dialogue(config, plaintext, level, offers_tls));
        let plaintext_anywhere = !config.get(&parameters::IMAPD_TLS_AUTH_ONLY);
        Self { trusted: dialogue(true), strangers: dialogue(plaintext_anywhere) }
    }

    /// What residents have to know of the settings; they read no main.cf.
    fn words(config: &Config) -> Attributes {
        words(config)
    }

    fn session(&mut self, client: LoginClient) -> Session {
        let settings = if client.is_near() { &self.trusted } else { &self.strangers };
        Session::new(Arc::clone(settings), client)
    }
}

fn dialogue(config: &Config, plaintext: bool, level: TlsLevel, offers_tls: bool) -> LoginSettings {
    LoginSettings {
        greeting: config.get(&parameters::IMAPD_GREETING),
        capabilities: capabilities::login(),
        mechanisms: Vec::new(),
        plaintext_mechanisms: vec!["PLAIN".to_owned(), "LOGIN".to_owned()],
        starttls: offers_tls,
        wrapper: config.get(&parameters::IMAPD_TLS_WRAPPERMODE),
        requires_tls: level == TlsLevel::Encrypt,
        plaintext,
        timeout: config.get(&parameters::IMAPD_LOGIN_TIMEOUT),
        command_limit_bytes: LOGIN_COMMAND_LIMIT_BYTES,
        bad_command_limit: BAD_LOGIN_COMMANDS,
        id: vec![("name".to_owned(), "Pillarbox".to_owned())],
    }
}

fn words(config: &Config) -> Attributes {
    let seconds = |time: Duration| time.as_secs();
    Attributes::new()
        .with("timeout", seconds(config.get(&parameters::IMAPD_TIMEOUT)))
        .with("idle_notice", seconds(config.get(&parameters::IMAPD_IDLE_NOTIFY_INTERVAL)))
        .with("hibernate", seconds(config.get(&parameters::IMAPD_HIBERNATE_TIME)))
        .with("progress_notice", seconds(config.get(&parameters::IMAPD_PROGRESS_NOTIFY_INTERVAL)))
        .with("command_limit", config.get(&parameters::IMAPD_COMMAND_SIZE_LIMIT))
        .with("acl", u8::from(config.get(&parameters::IMAPD_ACL)))
        .with("acl_anyone", u8::from(config.get(&parameters::IMAPD_ACL_ANYONE)))
        .with("special_use", config.get(&parameters::IMAPD_SPECIAL_USE))
}
