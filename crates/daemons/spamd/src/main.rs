//! # NAME
//! spamd - judges mail by SpamAssassin's rules
//!
//! # SYNOPSIS
//! **spamd** [*generic Postfix daemon options*] [*name*=*value* ...]
//!
//! **spamd** [**-dLxl**] [**-i** *address*] [**-p** *port*] [**--socketpath** *path*] [**-A** *addresses*] [**-u** *user*] [**-r** *pidfile*]
//! [**-s** *facility*] [**-C** *path*] [**--siteconfigpath** *path*] [**--cf** *line*] [**--virtual-config-dir** *pattern*] [**-m** *number*]
//! [**-qQ**] [**--ldap-config**] [**--timeout-tcp** *seconds*] [**--timeout-child** *seconds*] [**--milter**] [**--reject-score** *score*] [**--whole-address**]
//! [**--ssl**] [**--ssl-port** *port*] [**--server-key** *file*] [**--server-cert** *file*] [**--ssl-verify**] [**--ssl-ca-file** *file*]
//! [**--ssl-ca-path** *folder*]
//!
//! # DESCRIPTION
//! Reads SpamAssassin's rule files unmodified and judges the messages that clients (spamc(1), Exim, Haraka) hand it in the SPAMC protocol,
//! version 1.5. Messages are judged by threads, as many as there are processors; there are no children that grow.
//!
//! It runs as a service of master(8), or by hand with SpamAssassin's options. Without installed rules it has a few of its own, and says so.
//!
//! With `milter=yes` in master.cf, or with **--milter**, it is a filter of Postfix or Sendmail instead (milter protocol, version 6:
//! `smtpd_milters`). Mail gets its `X-Spam` headers, and its subject is rewritten where `rewrite_header` asks for that; bodies stay as
//! they are, whatever `report_safe` says. Marks that came with the message are removed. From `reject_score` on the client is refused
//! with `550 5.7.1 Blocked by SpamAssassin`. A message for one recipient is judged by that recipient's preferences: those of the user
//! before the `@`, or with `virtual_config_dir` those of the whole address. Messages over 8 MB pass unchecked.
//!
//! It learns: from messages whose score leaves no doubt (`bayes_auto_learn`), and from what clients tell it, where they may
//! (**-l**). The data lies in LMDB, where `bayes_path` says, else in the user's `.spamassassin` folder, or with **--virtual-config-dir**
//! beside `user_prefs`; a service of master(8) keeps it in `data_directory`. Tokens and messages may lie in Redis or in a
//! database, where hosts with Pillarbox and with SpamAssassin share them (`bayes_store_module`, sa-learn(1)). In a database each user that
//! a client names has his own, unless `bayes_sql_override_username` names one for all; who names none has those of the user that spamd
//! runs as, or with **-q** and **--ldap-config** those of `nobody`. Who does not answer there within ten seconds is named
//! in the log, once for each cause, and left alone for a while; messages are judged without what was learned meanwhile.
//!
//! Network tests ask DNS (`dns_server`, else the system's name servers) for all that a message raises at once, and wait `rbl_timeout`
//! at the most: lists of relays and senders, lists of what stands in bodies or of its hashes, `askdns`, and whether the sender is who it
//! claims to be (SPF, DKIM, ARC, DMARC). **-L** turns them off; as a service of master(8)
//! they are off unless `network=yes` says otherwise. A list that complains of too many questions is left alone for a while
//! (`dns_block_rule`).
//!
//! With **-q** preferences come from the table `userpref` of the database that `user_scores_dsn` names: rows of the user, on top of
//! those of `@GLOBAL`, or what `user_scores_sql_custom_query` finds. It is one of MySQL (`DBI:mysql:`*name*`:`*host*, `DBI:MariaDB:`),
//! PostgreSQL (`DBI:Pg:dbname=`*name*`;host=`*host*) or SQLite (`DBI:SQLite:dbname=`*file*), asked as `user_scores_sql_username` with
//! `user_scores_sql_password`. With **--ldap-config** they are the values of an attribute in a directory:
//! `user_scores_dsn ldap://`*host*`/`*base*`?`*attribute*`?`*scope*`?uid=__USERNAME__`, asked as `user_scores_ldap_username`.
//! They may hold what a user's file may (`allow_user_rules`). Connections are kept. Who does not answer within ten seconds is named
//! in the log, once for each cause, and the site's rules count (`user_scores_fallback_to_global`; with 0 the client is told
//! `69 Service Unavailable`, and a milter lets the message pass). Who can not be reached is left alone for up to ten seconds.
//! Connections to PostgreSQL are not encrypted in this version.
//!
//! Where the plugins Pyzor and DCC are loaded and their rules have scores, these networks are asked as well, beside DNS. Pyzor is
//! asked only where that is wished for: `pyzor_options`, `pyzor_path` or `pyzor_server_file` is set, or there is a file `servers`
//! in its home folder (`~/.pyzor`). DCC is asked at the socket of its daemon dccifd (`dcc_dccifd_path`, `dcc_home`). `pyzor_timeout`
//! and `dcc_timeout` say how long they are waited for. Clients that may teach (**-l**) also have spam reported to them. The log says
//! at the start who is asked.
//!
//! With TLS a client begins with the handshake (versions 1.2 and 1.3), for which it has as long as for its request
//! (**--timeout-tcp**). One that can not be finished is a line in the log, with the reason.
//!
//! Not in this version: Razor, SpamCop. Settings and functions of
//! these are read and named once in the log.
//!
//! # ARGUMENTS IN MASTER.CF
//! - `milter=yes`: mail servers come, not spamc.
//! - `reject_score=15`: from this score on a milter refuses mail; without it none is refused.
//! - `default_user=name`: whose preferences count when a message has several recipients.
//! - `virtual_config_dir=pattern`: where users' `user_prefs` are: `%u` is the whole name, `%l` and `%d` what is before and behind the
//!   `@`; `%x` is the name if it has a file, else the domain.
//! - `sql_config=yes`, `ldap_config=yes`: preferences come from a database, or from a directory, as with **-q** and **--ldap-config**.
//! - `whole_address=yes`: a milter finds a recipient's preferences by its whole address; that is so with `virtual_config_dir` anyway.
//! - `user_config=yes`: users of the system have ~/.spamassassin/user_prefs.
//! - `allow_tell=yes`: clients may teach.
//! - `network=yes`: DNS is asked.
//! - `ssl=yes`: clients come by TLS. `server_key=`, `server_cert=`, `ssl_verify=yes`, `ssl_ca_file=`, `ssl_ca_path=`: as the options
//!   **--server-key**, **--server-cert**, **--ssl-verify**, **--ssl-ca-file** and **--ssl-ca-path**. The files are read before the
//!   privileges go.
//! - `configpath=`, `siteconfigpath=`, `cf=`: as the options **-C**, **--siteconfigpath** and **--cf**.
//!
//! # OPTIONS BY HAND
//! - **-i** *address*[*:port*], **-p** *port*, **--socketpath** *path*: where clients come; this host itself, port 783, by default. A path
//!   is a unix socket; **--socketowner**, **--socketgroup** and **--socketmode** are its own.
//! - **--ssl**: clients come by TLS, on all TCP sockets; with `ssl:` before an address of **-i**, on that one. **--ssl-port** *port*: the
//!   port of such sockets; it implies **--ssl**. **--server-key** *file*, **--server-cert** *file*: PEM files, by default
//!   /etc/spamassassin/certs/server-key.pem and server-cert.pem.
//! - **--ssl-verify**: clients have to show a certificate that leads to one in **--ssl-ca-file** *file* or **--ssl-ca-path** *folder*
//!   (as `openssl rehash` prepares it; several with colons between them). Each of the two implies it.
//! - **-A** *addresses*: who may come; this host by default.
//! - **-L**: no network tests.
//! - **-q**, **--sql-config**: preferences come from a database; without **-x** on top of those of the user's file.
//! - **--ldap-config**: with **-x**, preferences come from a directory.
//! - **-Q**, **--setuid-with-sql**, **--setuid-with-ldap**: with **-x**, the same for users of this system alone; what they taught lies
//!   in their homes. No other user is become.
//! - **-x**: no files of users. **-u** *user*: run as that one. **-l**: clients may teach.
//! - **-d**: into the background; **-r** *file*: write the process id there. **-s** *facility*: a log facility, `stderr`, `null`, or a file.
//! - **-m** *number*: threads. **-t**, **--timeout-child** *seconds*, **-T**, **--timeout-tcp** *seconds*: 300 and 30; 0 for no limit.
//!
//! Other options of SpamAssassin's spamd are taken; those that would do something are named in the log. A HUP signal has the rules, keys and
//! certificates read anew; when they can not be read, the old ones stay.
//!
//! # SECURITY
//! Started by root it becomes the user that **-u** names, else `nobody`; by master, the mail owner. No rule can run a command.
//!
//! # STANDARDS
//! SPAMC/1.5 of Apache SpamAssassin.
//!
//! # DIAGNOSTICS
//! Each verdict is a line `spamd: result:` in the log, as SpamAssassin writes it. Faults of rule files name file and line.
//!
//! # SEE ALSO
//! master(8)

mod options;
mod alone;
mod service;
mod service_arguments;
mod calling;
mod session;
mod encryption;
mod filtering;
mod judge;
mod log_lines;
mod users;
mod preferences;
mod notes;

fn main() -> std::process::ExitCode {
    if std::env::var_os(worker::protocol::ENV_LOG_TAG).is_some() {
        return worker::run::<service::Spamd>();
    }
    alone::run()
}
