//! The SMTP server: sessions, limits, restriction lists, policy and proxy services.

use crate::declare::parameters;

parameters! {
    // Greeting and commands

    /// Text after 220 in the greeting. It must begin with `$myhostname` (RFC 5321 asks for the name of the
    /// host).
    SMTPD_BANNER: Text = "smtpd_banner", "$myhostname ESMTP $mail_name", ["smtpd"];
    /// Refuses MAIL from clients that have not said HELO or EHLO.
    SMTPD_HELO_REQUIRED: Flag = "smtpd_helo_required", "no", ["smtpd", "postscreen"];
    /// Refuses VRFY with 502, so that nobody collects addresses with it. RCPT tells as much, only in more
    /// steps.
    DISABLE_VRFY_COMMAND: Flag = "disable_vrfy_command", "no", ["smtpd", "postscreen"];
    /// EHLO keywords that are not announced, nor accepted: any of `pipelining`, `starttls`, `auth`, `size`,
    /// `chunking`, `dsn`, `smtputf8` and the rest. `silent-discard` does so without a log line.
    SMTPD_DISCARD_EHLO_KEYWORDS: Text = "smtpd_discard_ehlo_keywords", "", ["smtpd", "postscreen"];
    /// Tables that give, by the client's address, a list like `smtpd_discard_ehlo_keywords`, in its place.
    SMTPD_DISCARD_EHLO_KEYWORD_ADDRESS_MAPS: Text = "smtpd_discard_ehlo_keyword_address_maps", "", ["smtpd", "postscreen"];
    /// Commands, known ones or not, that are answered `250 Ok` and otherwise ignored.
    SMTPD_NOOP_COMMANDS: Text = "smtpd_noop_commands", "", ["smtpd"];
    /// Commands after which the session ends at once with 221: marks of a client that does not speak SMTP.
    /// Lines that look like a message header count as such too.
    SMTPD_FORBIDDEN_COMMANDS: Text = "smtpd_forbidden_commands", "CONNECT GET POST regexp:{{/^[^A-Z]/ Bogus}}", ["smtpd"];
    /// Table that rewrites each command line before it is parsed, the last resort for a client that cannot be
    /// repaired.
    SMTPD_COMMAND_FILTER: Text = "smtpd_command_filter", "", ["smtpd"];
    /// Looks up the client's name in DNS and checks that it leads back to the address; without this, and
    /// whenever it fails, the client is called `unknown`.
    SMTPD_PEERNAME_LOOKUP: Flag = "smtpd_peername_lookup", "yes", ["smtpd"];
    /// Table that edits the answers of DNS before they are used. See `smtp_dns_reply_filter`.
    SMTPD_DNS_REPLY_FILTER: Text = "smtpd_dns_reply_filter", "", ["smtpd"];
    /// Adds the client's port to its address in the log and in what filters are told.
    SMTPD_CLIENT_PORT_LOGGING: Flag = "smtpd_client_port_logging", "no", ["smtpd"];
    /// Makes a queue id only when the first recipient is accepted; what is refused before is logged as
    /// NOQUEUE. `no` opens the transaction at MAIL.
    SMTPD_DELAY_OPEN_UNTIL_VALID_RCPT: Flag = "smtpd_delay_open_until_valid_rcpt", "yes", ["smtpd"];

    // Line ends and pipelining

    /// What to do with lines that end in LF alone, by which a second message can be smuggled past another
    /// server: `normalize` (or `yes`) accepts them but ends a message only at CR LF dot CR LF, `reject`
    /// refuses the message, `note` logs, `no` accepts them everywhere.
    SMTPD_FORBID_BARE_NEWLINE: Text = "smtpd_forbid_bare_newline", "no", ["smtpd"];
    /// Clients, in the form of `mynetworks`, that may send bare LF as ever.
    SMTPD_FORBID_BARE_NEWLINE_EXCLUSIONS: Text = "smtpd_forbid_bare_newline_exclusions", "$mynetworks", ["smtpd"];
    /// Reply code for `smtpd_forbid_bare_newline = reject`. 521 also ends the session; a 4xx code is of use
    /// only for trials.
    SMTPD_FORBID_BARE_NEWLINE_REJECT_CODE: Number = "smtpd_forbid_bare_newline_reject_code", "550", ["smtpd"];
    /// Ends the session of a client that sends commands before it may: ahead of the reply to EHLO, or after a
    /// command that must stand last in a group.
    SMTPD_FORBID_UNAUTH_PIPELINING: Flag = "smtpd_forbid_unauth_pipelining", "no", ["smtpd"];

    // Time

    /// How long a client may stay silent, and how long it may refuse to read a reply. Shorter under stress.
    SMTPD_TIMEOUT: Time = "smtpd_timeout", "${stress?{10}:{300}}s", ["smtpd"];
    /// Makes `smtpd_timeout` and `smtpd_starttls_timeout` the time for a whole command, reply or message,
    /// against clients that send a byte at a time.
    SMTPD_PER_REQUEST_DEADLINE: Flag = "smtpd_per_request_deadline", "${smtpd_per_record_deadline?{$smtpd_per_record_deadline}:{${stress?{yes}:{no}}}}", ["smtpd"];
    /// Bytes a second of message text that a client must send under `smtpd_per_request_deadline`: every N
    /// bytes received extend the deadline by N divided by this many seconds, never beyond `smtpd_timeout`.
    SMTPD_MIN_DATA_RATE: Number = "smtpd_min_data_rate", "500", ["smtpd"];
    /// Limit for each read or write of the TLS handshake.
    SMTPD_STARTTLS_TIMEOUT: Time = "smtpd_starttls_timeout", "${stress?{10}:{300}}s", ["smtpd"];
    /// Not set by hand: master runs a service with `yes` here while all its sessions are taken, and defaults
    /// like `${stress?{10}:{300}}s` follow it.
    STRESS: Text = "stress", "", ["smtpd", "postscreen"];

    // Errors and junk

    /// Errors in one session after which every reply is delayed by `smtpd_error_sleep_time`.
    SMTPD_SOFT_ERROR_LIMIT: Number = "smtpd_soft_error_limit", "10", ["smtpd"];
    /// The delay of replies once a session has had more than `smtpd_soft_error_limit` errors.
    SMTPD_ERROR_SLEEP_TIME: Time = "smtpd_error_sleep_time", "1s", ["smtpd"];
    /// Errors in one session after which it is ended with 421. Lower under stress.
    SMTPD_HARD_ERROR_LIMIT: Number = "smtpd_hard_error_limit", "${stress?{1}:{20}}", ["smtpd"];
    /// How many NOOP, VRFY, ETRN and RSET a client may send between two messages before each of them counts
    /// as an error.
    SMTPD_JUNK_COMMAND_LIMIT: Number = "smtpd_junk_command_limit", "${stress?{1}:{100}}", ["smtpd"];
    /// Most lines of a session's transcript, as kept for the notices to the postmaster, before it is cut.
    SMTPD_HISTORY_FLUSH_THRESHOLD: Number = "smtpd_history_flush_threshold", "100", ["smtpd"];

    // Limits for each client

    /// Most simultaneous connections of one client; 0 means no limit. Clients are counted by address for this
    /// and all the rates below.
    SMTPD_CLIENT_CONNECTION_COUNT_LIMIT: Number = "smtpd_client_connection_count_limit", "50", ["smtpd"];
    /// Most connections of one client within `anvil_rate_time_unit`; 0 means no limit.
    SMTPD_CLIENT_CONNECTION_RATE_LIMIT: Number = "smtpd_client_connection_rate_limit", "0", ["smtpd"];
    /// Most messages (MAIL commands) of one client within `anvil_rate_time_unit`, accepted or not; 0 means no
    /// limit.
    SMTPD_CLIENT_MESSAGE_RATE_LIMIT: Number = "smtpd_client_message_rate_limit", "0", ["smtpd"];
    /// Most recipients (RCPT commands) of one client within `anvil_rate_time_unit`, accepted or not; 0 means
    /// no limit.
    SMTPD_CLIENT_RECIPIENT_RATE_LIMIT: Number = "smtpd_client_recipient_rate_limit", "0", ["smtpd"];
    /// Most AUTH commands of one client within `anvil_rate_time_unit`, successful or not; 0 means no limit.
    SMTPD_CLIENT_AUTH_RATE_LIMIT: Number = "smtpd_client_auth_rate_limit", "0", ["smtpd"];
    /// Most full TLS handshakes of one client within `anvil_rate_time_unit`; resumed sessions are not
    /// counted. 0 means no limit.
    SMTPD_CLIENT_NEW_TLS_SESSION_RATE_LIMIT: Number = "smtpd_client_new_tls_session_rate_limit", "0", ["smtpd"];
    /// Clients, in the form of `mynetworks`, that the limits above do not concern.
    SMTPD_CLIENT_EVENT_LIMIT_EXCEPTIONS: Text = "smtpd_client_event_limit_exceptions", "${smtpd_client_connection_limit_exceptions:$mynetworks}", ["smtpd"];
    /// The time over which the rates of clients are counted.
    ANVIL_RATE_TIME_UNIT: Time = "anvil_rate_time_unit", "60s", ["anvil"];
    /// How often the highest counts and rates are logged.
    ANVIL_STATUS_UPDATE_TIME: Time = "anvil_status_update_time", "600s", ["anvil"];

    // Recipients

    /// Most recipients of one message; each one more is answered 452, so that the client sends the rest
    /// later.
    SMTPD_RECIPIENT_LIMIT: Number = "smtpd_recipient_limit", "1000", ["smtpd"];
    /// How many recipients beyond `smtpd_recipient_limit` are answered 452 before each counts as an error
    /// too.
    SMTPD_RECIPIENT_OVERSHOOT_LIMIT: Number = "smtpd_recipient_overshoot_limit", "1000", ["smtpd"];
    /// Refuses unknown recipients of our own domains even where no restriction list says
    /// `reject_unlisted_recipient`. Without it mail is accepted first and bounced afterwards, often to a
    /// forged sender.
    SMTPD_REJECT_UNLISTED_RECIPIENT: Flag = "smtpd_reject_unlisted_recipient", "yes", ["smtpd"];
    /// Refuses sender addresses in our own domains that are not known as recipients.
    SMTPD_REJECT_UNLISTED_SENDER: Flag = "smtpd_reject_unlisted_sender", "no", ["smtpd"];

    // Restriction lists

    /// Evaluates the lists for client, HELO and sender only at RCPT (or ETRN), so that the log has sender and
    /// recipient of what was refused, and some clients do not hang.
    SMTPD_DELAY_REJECT: Flag = "smtpd_delay_reject", "yes", ["smtpd"];
    /// Restrictions on who may connect.
    SMTPD_CLIENT_RESTRICTIONS: Text = "smtpd_client_restrictions", "", ["smtpd"];
    /// Restrictions on the name in HELO or EHLO. A client that skips the command skips them too, unless
    /// `smtpd_helo_required` is on.
    SMTPD_HELO_RESTRICTIONS: Text = "smtpd_helo_restrictions", "", ["smtpd"];
    /// Restrictions on the address in MAIL FROM.
    SMTPD_SENDER_RESTRICTIONS: Text = "smtpd_sender_restrictions", "", ["smtpd"];
    /// Restrictions on who may send where, evaluated at RCPT. Either this list or
    /// `smtpd_recipient_restrictions` must end the way of strangers to foreign domains
    /// (`reject_unauth_destination` or the like), or no mail is accepted.
    SMTPD_RELAY_RESTRICTIONS: Text = "smtpd_relay_restrictions", "${{$compatibility_level} <level {1} ? {} : {permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination}}", ["smtpd"];
    /// Restrictions on the address in RCPT TO, for the rest of the policy: spam lists, policy services,
    /// access tables.
    SMTPD_RECIPIENT_RESTRICTIONS: Text = "smtpd_recipient_restrictions", "", ["smtpd"];
    /// Order of the two lists at RCPT: `yes` asks `smtpd_relay_restrictions` first.
    SMTPD_RELAY_BEFORE_RECIPIENT_RESTRICTIONS: Flag = "smtpd_relay_before_recipient_restrictions", "${{$compatibility_level} <level {3.6} ? {no} : {yes}}", ["smtpd"];
    /// Restrictions evaluated at DATA, once for all recipients.
    SMTPD_DATA_RESTRICTIONS: Text = "smtpd_data_restrictions", "", ["smtpd"];
    /// Restrictions evaluated when the whole message has arrived; the size is known then.
    SMTPD_END_OF_DATA_RESTRICTIONS: Text = "smtpd_end_of_data_restrictions", "", ["smtpd"];
    /// Restrictions on the domain in ETRN.
    SMTPD_ETRN_RESTRICTIONS: Text = "smtpd_etrn_restrictions", "", ["smtpd"];
    /// Names of restriction lists of your own. Each is defined in main.cf like a parameter, and may be the
    /// result of an access table.
    SMTPD_RESTRICTION_CLASSES: Text = "smtpd_restriction_classes", "", ["smtpd"];
    /// Key by which access tables find the empty sender.
    SMTPD_NULL_ACCESS_LOOKUP_KEY: Text = "smtpd_null_access_lookup_key", "<>", ["smtpd"];
    /// Characters allowed in what `$name` brings into replies of `rbl_reply_maps` and the like; any other
    /// becomes `_`. Written with C escapes.
    SMTPD_EXPANSION_FILTER: Raw = "smtpd_expansion_filter", "\\t\\40!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\\\]^_`abcdefghijklmnopqrstuvwxyz{|}~", ["smtpd"];
    /// Permit actions that are logged as refusals are: names, or `static:all` for all of them.
    SMTPD_LOG_ACCESS_PERMIT_ACTIONS: Text = "smtpd_log_access_permit_actions", "", ["smtpd"];

    // Replies

    /// Text added to each 4xx and 5xx reply, for instance whom to call. `$client_address`, `$localtime`,
    /// `$server_name` and others are filled in; a leading `\c` keeps it on the same line.
    SMTPD_REJECT_FOOTER: Raw = "smtpd_reject_footer", "", ["smtpd"];
    /// Tables that give, by the complete reply, a text to use in place of `smtpd_reject_footer`.
    SMTPD_REJECT_FOOTER_MAPS: Text = "smtpd_reject_footer_maps", "", ["smtpd"];

    // Policy service

    /// Limit for connecting to, writing to and reading from a policy service.
    SMTPD_POLICY_SERVICE_TIMEOUT: Time = "smtpd_policy_service_timeout", "100s", ["smtpd"];
    /// How long an unused connection to a policy service stays open.
    SMTPD_POLICY_SERVICE_MAX_IDLE: Time = "smtpd_policy_service_max_idle", "300s", ["smtpd"];
    /// How long any connection to a policy service stays open.
    SMTPD_POLICY_SERVICE_MAX_TTL: Time = "smtpd_policy_service_max_ttl", "1000s", ["smtpd"];
    /// Requests on one connection to a policy service before a new one is made; 0 means no limit.
    SMTPD_POLICY_SERVICE_REQUEST_LIMIT: Number = "smtpd_policy_service_request_limit", "0", ["smtpd"];
    /// How often a request to a policy service is tried before it has failed.
    SMTPD_POLICY_SERVICE_TRY_LIMIT: Number = "smtpd_policy_service_try_limit", "2", ["smtpd"];
    /// Wait between two tries of a request to a policy service.
    SMTPD_POLICY_SERVICE_RETRY_DELAY: Time = "smtpd_policy_service_retry_delay", "1s", ["smtpd"];
    /// What a policy service is taken to have answered when it fails. `DUNNO` accepts mail without it.
    SMTPD_POLICY_SERVICE_DEFAULT_ACTION: Text = "smtpd_policy_service_default_action", "451 4.3.5 Server configuration problem", ["smtpd"];
    /// Sent to the policy service as `policy_context`, so that one server can tell its callers apart.
    SMTPD_POLICY_SERVICE_POLICY_CONTEXT: Text = "smtpd_policy_service_policy_context", "", ["smtpd"];

    // Filter in front of the queue

    /// Host and port, or unix socket, of an SMTP filter that each message passes before it is accepted. What
    /// the filter answers is the client's reply.
    SMTPD_PROXY_FILTER: Text = "smtpd_proxy_filter", "", ["smtpd"];
    /// Name in our EHLO to the filter. Must differ from the filter's own if that checks for loops.
    SMTPD_PROXY_EHLO: Text = "smtpd_proxy_ehlo", "$myhostname", ["smtpd"];
    /// `speed_adjust` receives the whole message before it calls the filter, so that slow clients do not hold
    /// filter processes; it needs room in the queue for one more message.
    SMTPD_PROXY_OPTIONS: Text = "smtpd_proxy_options", "", ["smtpd"];
    /// Limit for connecting to, writing to and reading from the filter.
    SMTPD_PROXY_TIMEOUT: Time = "smtpd_proxy_timeout", "100s", ["smtpd"];

    // What stands before us

    /// `haproxy` if a load balancer tells the client's true address by the PROXY protocol, version 1 or 2.
    /// Clients that come directly are refused then.
    SMTPD_UPSTREAM_PROXY_PROTOCOL: Text = "smtpd_upstream_proxy_protocol", "", ["smtpd"];
    /// How long to wait for the PROXY line.
    SMTPD_UPSTREAM_PROXY_TIMEOUT: Time = "smtpd_upstream_proxy_timeout", "5s", ["smtpd"];
    /// Clients that may take on another client's name, address and login by XCLIENT. They get all of its
    /// rights.
    SMTPD_AUTHORIZED_XCLIENT_HOSTS: Text = "smtpd_authorized_xclient_hosts", "", ["smtpd"];
    /// Clients that may tell by XFORWARD, for the log only, whom a message came from.
    SMTPD_AUTHORIZED_XFORWARD_HOSTS: Text = "smtpd_authorized_xforward_hosts", "", ["smtpd"];
    /// Clients that may ask for one variable return path per recipient with XVERP.
    SMTPD_AUTHORIZED_VERP_CLIENTS: Text = "smtpd_authorized_verp_clients", "$authorized_verp_clients", ["smtpd"];
    /// Service in master.cf that postscreen hands its clients to.
    SMTPD_SERVICE_NAME: Text = "smtpd_service_name", "smtpd", ["postscreen"];

    // Filters and TLS

    /// Mail filters (milters) that see each session, as `inet:host:port` or `unix:path`, in this order. A
    /// group in braces may carry time-outs, protocol and default action of its own.
    SMTPD_MILTERS: Text = "smtpd_milters", "", ["smtpd"];
    /// Tables that give, by the client's address, a list to use in place of `smtpd_milters`; `DISABLE` means
    /// none.
    SMTPD_MILTER_MAPS: Text = "smtpd_milter_maps", "", ["smtpd"];
    /// Old form of `smtpd_tls_security_level = encrypt`.
    SMTPD_ENFORCE_TLS: Flag = "smtpd_enforce_tls", "no", ["smtpd"];
    /// Old form of `smtpd_tls_security_level = may`.
    SMTPD_USE_TLS: Flag = "smtpd_use_tls", "no", ["smtpd"];

    // QMQP

    /// Clients that may send by QMQP. This suite has no QMQP server: accepted, and without effect.
    QMQPD_AUTHORIZED_CLIENTS: Text = "qmqpd_authorized_clients", "", ["smtpd"];
    /// Of the QMQP server: accepted, and without effect.
    QMQPD_CLIENT_PORT_LOGGING: Flag = "qmqpd_client_port_logging", "no", ["smtpd"];
    /// Of the QMQP server: accepted, and without effect.
    QMQPD_ERROR_DELAY: Time = "qmqpd_error_delay", "1s", ["smtpd"];
    /// Of the QMQP server: accepted, and without effect.
    QMQPD_TIMEOUT: Time = "qmqpd_timeout", "300s", ["smtpd"];
}
