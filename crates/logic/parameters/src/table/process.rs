//! Programs at work: master, the life of a process, connections between programs, logging.

use crate::declare::parameters;

parameters! {
    // Master

    /// Most parallel deliveries of a transport for which master.cf says `-`. Other services have no limit there but
    /// that of open files: one process serves many sessions.
    DEFAULT_PROCESS_LIMIT: Number = "default_process_limit", "100", ["qmgr", "postscreen"];
    /// Services of master.cf that are not started, as `smtp/inet` or `inet`; takes effect at once with
    /// `reload`.
    MASTER_SERVICE_DISABLE: Text = "master_service_disable", "", ["master"];
    /// Longest pause before a service whose processes keep failing is started again.
    SERVICE_THROTTLE_TIME: Time = "service_throttle_time", "60s", ["master"];
    /// How often starting a process is tried.
    FORK_ATTEMPTS: Number = "fork_attempts", "5", ["master", "spawnd"];
    /// Wait between two tries to start a process.
    FORK_DELAY: Time = "fork_delay", "1s", ["master", "spawnd"];

    // The life of a process

    /// How long a process waits for work before it ends. The queue manager and others that keep a state stay.
    MAX_IDLE: Time = "max_idle", "100s", ["all"];
    /// Connections or requests after which a process ends and a fresh one takes over. The queue manager and
    /// others that keep a state stay.
    MAX_USE: Number = "max_use", "100", ["all"];
    /// How long one request may take before a watchdog ends the process.
    DAEMON_TIMEOUT: Time = "daemon_timeout", "18000s", ["all"];
    /// Environment variables that a program keeps when it starts: names, or `name=value`. All others are
    /// removed.
    IMPORT_ENVIRONMENT: Text = "import_environment", "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ XAUTHORITY DISPLAY LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME", ["all"];
    /// Folder of the pid files, below the queue folder. Read only.
    PROCESS_ID_DIRECTORY: Text = "process_id_directory", "pid", ["master"];
    /// The number of this process. Read only.
    PROCESS_ID: Number = "process_id", "3033", ["all"];
    /// The name of this program. Read only.
    PROCESS_NAME: Text = "process_name", "postconf", ["all"];
    /// The name of this service in master.cf. Read only.
    SERVICE_NAME: Text = "service_name", "", ["all"];
    /// Makes chosen internal steps fail, for tests.
    FAULT_INJECTION_CODE: Number = "fault_injection_code", "0", ["all"];

    // Connections between programs

    /// How long a program waits for another to read or write before it gives up on it.
    IPC_TIMEOUT: Time = "ipc_timeout", "3600s", ["all"];
    /// How long an unused connection to another program is kept.
    IPC_IDLE: Time = "ipc_idle", "5s", ["all"];
    /// How long any connection to another program is kept.
    IPC_TTL: Time = "ipc_ttl", "1000s", ["all"];
    /// How long waking another program may take.
    TRIGGER_TIMEOUT: Time = "trigger_timeout", "10s", ["all"];

    // Logging

    /// Facility of our lines in the system log, by the names of syslog.conf. Errors before it is read go to
    /// `mail`.
    SYSLOG_FACILITY: Text = "syslog_facility", "mail", ["all"];
    /// Name in front of the program's in every log line: `postfix` in `postfix/smtpd`.
    SYSLOG_NAME: Text = "syslog_name", "${multi_instance_name?{$multi_instance_name}:{postfix}}", ["all"];
    /// File that postlogd writes the log to, or `/dev/stdout` in the foreground; empty means the system log.
    /// Must begin with one of `maillog_file_prefixes`.
    MAILLOG_FILE: Text = "maillog_file", "", ["all"];
    /// What `maillog_file` may begin with, so that a slip does not overwrite some other file.
    MAILLOG_FILE_PREFIXES: Text = "maillog_file_prefixes", "/var, /dev/stdout", ["all"];
    /// What `postfix logrotate` appends to the name of the old file, in the language of strftime.
    MAILLOG_FILE_ROTATE_SUFFIX: Text = "maillog_file_rotate_suffix", "%Y%m%d-%H%M%S", ["postfix"];
    /// Program that `postfix logrotate` runs on the old file.
    MAILLOG_FILE_COMPRESSOR: Text = "maillog_file_compressor", "gzip", ["postfix"];
    /// Service in master.cf that writes `maillog_file`.
    POSTLOG_SERVICE_NAME: Text = "postlog_service_name", "postlog", ["all"];
    /// How long postlogd may be stuck before it is ended.
    POSTLOGD_WATCHDOG_TIMEOUT: Time = "postlogd_watchdog_timeout", "10s", ["postlogd"];
    /// How addresses appear in the log: `external` with quotes where the RFC wants them, `internal` without.
    INFO_LOG_ADDRESS_FORMAT: Text = "info_log_address_format", "external", ["all"];
    /// Most digits behind the point of the delays in the log, 0 to 6.
    DELAY_LOGGING_RESOLUTION_LIMIT: Number = "delay_logging_resolution_limit", "2", ["all"];
    /// Logs advice about settings that are legal but look like a mistake.
    HELPFUL_WARNINGS: Flag = "helpful_warnings", "yes", ["all"];
    /// Says allowlist and denylist in the log, not white and black.
    RESPECTFUL_LOGGING: Flag = "respectful_logging", "${{$compatibility_level} <level {3.6} ? {no} : {yes}}", ["all"];
    /// Clients, by name, address, network or domain: smtpd logs each command of theirs (`<`) and each line of its
    /// replies (`>`).
    DEBUG_PEER_LIST: Text = "debug_peer_list", "", ["all"];
    /// How much more is logged of what `debug_peer_list` names; 1 and more mean the same, 0 nothing.
    DEBUG_PEER_LEVEL: Number = "debug_peer_level", "2", ["all"];
    /// Command that is run when a program is started with `-D`; `$process_name` and `$process_id` are filled
    /// in.
    DEBUGGER_COMMAND: Text = "debugger_command", "", ["all"];
}
