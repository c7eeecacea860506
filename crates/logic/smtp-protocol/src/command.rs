//! The commands of the server, and how often each came.

/// What a client can ask for, in the order in which the log counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// RFC 5321 §4.1.1.1
    Helo,
    /// RFC 5321 §4.1.1.1
    Ehlo,
    /// Postfix's way to speak for another client.
    Xclient,
    /// Postfix's way to tell a content filter about the real client.
    Xforward,
    /// RFC 3207
    Starttls,
    /// RFC 4954
    Auth,
    /// RFC 5321 §4.1.1.2
    Mail,
    /// RFC 5321 §4.1.1.3
    Rcpt,
    /// RFC 5321 §4.1.1.4
    Data,
    /// RFC 3030
    Bdat,
    /// RFC 5321 §4.1.1.5
    Rset,
    /// RFC 5321 §4.1.1.9
    Noop,
    /// RFC 5321 §4.1.1.6
    Vrfy,
    /// RFC 1985
    Etrn,
    /// RFC 5321 §4.1.1.10
    Quit,
    /// RFC 5321 §4.1.1.7
    Expn,
    /// RFC 5321 §4.1.1.8
    Help,
    /// Anything else.
    Unknown,
}

/// What the server's loop has to know about a command.
struct Row {
    command: Command,
    name: &'static str,
    /// One that gets no mail through: too many of them are errors (`smtpd_junk_command_limit`).
    junk: bool,
    /// Allowed where TLS is required and not yet there (RFC 3207 §4).
    before_tls: bool,
    /// Must be the last of a group of pipelined commands (RFC 2920 §3.1).
    last: bool,
}

const fn row(command: Command, name: &'static str, flags: &str) -> Row {
    let bytes = flags.as_bytes();
    Row { command, name, junk: bytes[0] == b'j', before_tls: bytes[1] == b't', last: bytes[2] == b'l' }
}

const TABLE: [Row; 18] = [
    row(Command::Helo, "HELO", "jtl"),
    row(Command::Ehlo, "EHLO", "jtl"),
    row(Command::Xclient, "XCLIENT", "jt-"),
    row(Command::Xforward, "XFORWARD", "jt-"),
    row(Command::Starttls, "STARTTLS", "-t-"),
    row(Command::Auth, "AUTH", "---"),
    row(Command::Mail, "MAIL", "---"),
    row(Command::Rcpt, "RCPT", "---"),
    row(Command::Data, "DATA", "--l"),
    row(Command::Bdat, "BDAT", "---"),
    row(Command::Rset, "RSET", "j--"),
    row(Command::Noop, "NOOP", "jtl"),
    row(Command::Vrfy, "VRFY", "j-l"),
    row(Command::Etrn, "ETRN", "j--"),
    row(Command::Quit, "QUIT", "-t-"),
    row(Command::Expn, "EXPN", "j-l"),
    row(Command::Help, "HELP", "jt-"),
    row(Command::Unknown, "UNKNOWN", "---"),
];

impl Command {
    /// The command that `verb` names, without regard to case.
    pub(crate) fn parse(verb: &str) -> Self {
        let known = TABLE.iter().find(|row| row.name.eq_ignore_ascii_case(verb));
        known.map_or(Self::Unknown, |row| row.command)
    }

    /// In upper case, as the log shows it.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    pub(crate) fn is_junk(self) -> bool {
        self.row().junk
    }

    pub(crate) fn allowed_before_tls(self) -> bool {
        self.row().before_tls
    }

    pub(crate) fn ends_group(self) -> bool {
        self.row().last
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

/// How often one command came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// It was carried out.
    pub done: u32,
    /// It came at all.
    pub total: u32,
}

/// How often each command came in a session; `Display` is what stands behind "disconnect from NAME[IP]".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts([Count; TABLE.len()]);

impl Counts {
    pub(crate) fn began(&mut self, command: Command) {
        let count = &mut self.0[command as usize];
        count.total = count.total.saturating_add(1);
    }

    pub(crate) fn succeeded(&mut self, command: Command) {
        let count = &mut self.0[command as usize];
        count.done = count.done.saturating_add(1);
    }

    /// The count of one command.
    pub fn of(&self, command: Command) -> Count {
        self.0[command as usize]
    }

    /// All commands together.
    pub fn all(&self) -> Count {
        self.0.iter().fold(Count::default(), |sum, count| Count {
            done: sum.done.saturating_add(count.done),
            total: sum.total.saturating_add(count.total),
        })
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (row, count) in TABLE.iter().zip(&self.0) {
            if count.total > 0 {
                write!(f, " {}={count}", row.name.to_ascii_lowercase())?;
            }
        }
        write!(f, " commands={}", self.all())
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.done)?;
        if self.total != self.done || self.total == 0 {
            write!(f, "/{}", self.total)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_in_the_order_of_the_enum() {
        for (number, row) in TABLE.iter().enumerate() {
            assert_eq!(row.command as usize, number, "{}", row.name);
            assert_eq!(Command::parse(&row.name.to_lowercase()), row.command);
        }
        assert_eq!(Command::parse("FOO"), Command::Unknown);
    }

    #[test]
    fn counts_read_as_in_the_log_of_postfix() {
        let mut counts = Counts::default();
        assert_eq!(counts.to_string(), " commands=0/0");
        for (command, done) in [(Command::Ehlo, true), (Command::Mail, false), (Command::Mail, true)] {
            counts.began(command);
            if done {
                counts.succeeded(command);
            }
        }
        assert_eq!(counts.to_string(), " ehlo=1 mail=1/2 commands=2/3");
    }
}
