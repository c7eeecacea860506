//! Mail filters (milters): how they are called and what they are told.

use crate::declare::parameters;

parameters! {
    // Calling

    /// Mail filters for mail that does not come by SMTP: from `sendmail`, and what filters of our own inject.
    NON_SMTPD_MILTERS: Text = "non_smtpd_milters", "", ["cleanup", "smtpd"];
    /// What to do when a filter cannot be reached or answers nonsense: `accept`, `reject`, `tempfail`,
    /// `quarantine`.
    MILTER_DEFAULT_ACTION: Text = "milter_default_action", "tempfail", ["smtpd", "cleanup"];
    /// Version of the protocol that is spoken, 2 to 6. Must be what the filter expects.
    MILTER_PROTOCOL: Text = "milter_protocol", "6", ["smtpd", "cleanup"];
    /// Limit for connecting to a filter and agreeing on options.
    MILTER_CONNECT_TIMEOUT: Time = "milter_connect_timeout", "30s", ["smtpd", "cleanup"];
    /// Limit for each SMTP command that a filter is told of.
    MILTER_COMMAND_TIMEOUT: Time = "milter_command_timeout", "30s", ["smtpd", "cleanup"];
    /// Limit for each part of the message that a filter is told of, and for its last word.
    MILTER_CONTENT_TIMEOUT: Time = "milter_content_timeout", "300s", ["smtpd", "cleanup"];
    /// Pattern tables asked for each header that a filter has added; the actions are those of
    /// `header_checks`.
    MILTER_HEADER_CHECKS: Text = "milter_header_checks", "", ["cleanup", "smtpd"];

    // Macros

    /// Value of the macro `{daemon_name}`; filters tell services apart by it.
    MILTER_MACRO_DAEMON_NAME: Text = "milter_macro_daemon_name", "$myhostname", ["smtpd", "cleanup"];
    /// Value of the macro `v`: name and version of the mail system.
    MILTER_MACRO_V: Text = "milter_macro_v", "$mail_name $mail_version", ["smtpd", "cleanup"];
    /// Values, as `{name=value}`, of macros that are not known otherwise.
    MILTER_MACRO_DEFAULTS: Text = "milter_macro_defaults", "", ["smtpd", "cleanup"];
    /// Macros sent when a client connects.
    MILTER_CONNECT_MACROS: Text = "milter_connect_macros", "j {daemon_name} {daemon_addr} v _", ["smtpd", "cleanup"];
    /// Macros sent with HELO or EHLO.
    MILTER_HELO_MACROS: Text = "milter_helo_macros", "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}", ["smtpd", "cleanup"];
    /// Macros sent with MAIL.
    MILTER_MAIL_MACROS: Text = "milter_mail_macros", "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}", ["smtpd", "cleanup"];
    /// Macros sent with RCPT.
    MILTER_RCPT_MACROS: Text = "milter_rcpt_macros", "i {rcpt_addr} {rcpt_host} {rcpt_mailer}", ["smtpd", "cleanup"];
    /// Macros sent with DATA.
    MILTER_DATA_MACROS: Text = "milter_data_macros", "i", ["smtpd", "cleanup"];
    /// Macros sent at the end of the headers.
    MILTER_END_OF_HEADER_MACROS: Text = "milter_end_of_header_macros", "i", ["smtpd", "cleanup"];
    /// Macros sent at the end of the message.
    MILTER_END_OF_DATA_MACROS: Text = "milter_end_of_data_macros", "i", ["smtpd", "cleanup"];
    /// Macros sent with commands we do not know.
    MILTER_UNKNOWN_COMMAND_MACROS: Text = "milter_unknown_command_macros", "", ["smtpd", "cleanup"];
}
