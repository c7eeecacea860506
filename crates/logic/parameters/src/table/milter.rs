//! Mail filters (milters).

use crate::declare::parameters;

parameters! {
    MILTER_COMMAND_TIMEOUT: Time = "milter_command_timeout", "30s", ["smtpd", "cleanup"];
    MILTER_CONNECT_MACROS: Text = "milter_connect_macros", "j {daemon_name} {daemon_addr} v _", ["smtpd", "cleanup"];
    MILTER_CONNECT_TIMEOUT: Time = "milter_connect_timeout", "30s", ["smtpd", "cleanup"];
    MILTER_CONTENT_TIMEOUT: Time = "milter_content_timeout", "300s", ["smtpd", "cleanup"];
    MILTER_DATA_MACROS: Text = "milter_data_macros", "i", ["smtpd", "cleanup"];
    MILTER_DEFAULT_ACTION: Text = "milter_default_action", "tempfail", ["smtpd", "cleanup"];
    MILTER_END_OF_DATA_MACROS: Text = "milter_end_of_data_macros", "i", ["smtpd", "cleanup"];
    MILTER_END_OF_HEADER_MACROS: Text = "milter_end_of_header_macros", "i", ["smtpd", "cleanup"];
    MILTER_HEADER_CHECKS: Text = "milter_header_checks", "", ["smtpd", "cleanup"];
    MILTER_HELO_MACROS: Text = "milter_helo_macros", "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}", ["smtpd", "cleanup"];
    MILTER_MACRO_DAEMON_NAME: Text = "milter_macro_daemon_name", "$myhostname", ["smtpd", "cleanup"];
    MILTER_MACRO_DEFAULTS: Text = "milter_macro_defaults", "", ["smtpd", "cleanup"];
    MILTER_MACRO_V: Text = "milter_macro_v", "$mail_name $mail_version", ["smtpd", "cleanup"];
    MILTER_MAIL_MACROS: Text = "milter_mail_macros", "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}", ["smtpd", "cleanup"];
    MILTER_PROTOCOL: Text = "milter_protocol", "6", ["smtpd", "cleanup"];
    MILTER_RCPT_MACROS: Text = "milter_rcpt_macros", "i {rcpt_addr} {rcpt_host} {rcpt_mailer}", ["smtpd", "cleanup"];
    MILTER_UNKNOWN_COMMAND_MACROS: Text = "milter_unknown_command_macros", "", ["smtpd", "cleanup"];
    NON_SMTPD_MILTERS: Text = "non_smtpd_milters", "", ["smtpd", "cleanup"];
}
