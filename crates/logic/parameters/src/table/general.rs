//! Names, folders and networks of the whole installation.

use crate::declare::parameters;

parameters! {
    // Names

    /// Full name of this host: in greetings, in `Received:`, and where other parameters take it from. Must be
    /// a name that DNS knows, if you send to the world.
    MYHOSTNAME: Text = "myhostname", "mail.example.test", ["all"];
    /// Domain of this host: `myhostname` without its first part, unless set.
    MYDOMAIN: Text = "mydomain", "example.test", ["all"];
    /// Name of the mail system in greetings and `Received:`.
    MAIL_NAME: Text = "mail_name", "Postfix", ["all"];
    /// Version that we claim, as programs around Postfix ask for it.
    MAIL_VERSION: Text = "mail_version", "3.7.11", ["all"];
    /// Day of the release `mail_version` names, as YYYYMMDD.
    MAIL_RELEASE_DATE: Text = "mail_release_date", "20240304", ["all"];
    /// Version whose defaults an old main.cf was written for. Lower levels keep historic defaults and log
    /// where they matter. `postconf compatibility_level=3.6` after checking ends that.
    COMPATIBILITY_LEVEL: Text = "compatibility_level", "0", ["all"];

    // Users

    /// User who owns the queue and whose rights most programs have. Must share its ids with nobody.
    MAIL_OWNER: Text = "mail_owner", "postfix", ["all"];
    /// Group of `postdrop`, `postqueue` and the folders they use. Must share its id with nobody. After a
    /// change run `postfix set-permissions`.
    SETGID_GROUP: Text = "setgid_group", "postdrop", ["postfix", "postdrop", "postqueue"];

    // Folders

    /// Folder of main.cf and master.cf. Set by `-c` or MAIL_CONFIG rather than here.
    CONFIG_DIRECTORY: Text = "config_directory", "/etc/postfix", ["all"];
    /// Folder for what programs keep for themselves: caches and the like. Must belong to `mail_owner`.
    DATA_DIRECTORY: Text = "data_directory", "/var/lib/postfix", ["all"];
    /// Folder of the commands of the administrator.
    COMMAND_DIRECTORY: Text = "command_directory", "/usr/sbin", ["all"];
    /// Folder of the programs that master starts.
    DAEMON_DIRECTORY: Text = "daemon_directory", "/usr/lib/postfix/sbin", ["all"];
    /// Folder of loadable libraries. There are none here: accepted, and without effect.
    SHLIB_DIRECTORY: Text = "shlib_directory", "/usr/lib/postfix", ["postfix"];
    /// Folder of files that several instances share.
    META_DIRECTORY: Text = "meta_directory", "/etc/postfix", ["postfix"];
    /// Folder of sample files: accepted, and without effect.
    SAMPLE_DIRECTORY: Text = "sample_directory", "/etc/postfix", ["postfix"];
    /// Folder of the documents; `no` if there are none.
    README_DIRECTORY: Text = "readme_directory", "/usr/share/doc/postfix", ["postfix"];
    /// Folder of the documents in HTML; `no` if there are none.
    HTML_DIRECTORY: Text = "html_directory", "/usr/share/doc/postfix/html", ["postfix"];
    /// Folder of the manual pages.
    MANPAGE_DIRECTORY: Text = "manpage_directory", "/usr/share/man", ["postfix"];

    // Network

    /// Addresses on which mail is received: `all`, `loopback-only`, names or addresses. Also source address
    /// of mail sent, if there is but one. Needs `postfix stop` and `start`.
    INET_INTERFACES: Text = "inet_interfaces", "all", ["all"];
    /// Addresses outside, of a proxy or NAT, under which mail for us arrives. A backup host that leaves them
    /// out sends mail to itself.
    PROXY_INTERFACES: Text = "proxy_interfaces", "", ["all"];
    /// `all`, `ipv4`, `ipv6` or both: what is listened on, connected to and looked up. Needs `postfix stop`
    /// and `start`.
    INET_PROTOCOLS: Text = "inet_protocols", "all", ["all"];
    /// Ports by name, so that `submissions` is 465 whatever /etc/services says.
    KNOWN_TCP_PORTS: Text = "known_tcp_ports", "lmtp=24, smtp=25, smtps=submissions=465, submission=587", ["all"];
    /// Size of the TCP buffers in bytes, as a remedy for broken routers; 0 leaves it to the system.
    TCP_WINDOWSIZE: Number = "tcp_windowsize", "0", ["all"];
    /// Old form of `smtp_dns_support_level = disabled`: hosts are looked up by the system's means only, and
    /// no MX.
    DISABLE_DNS_LOOKUPS: Flag = "disable_dns_lookups", "no", ["smtp", "lmtp"];
    /// Query, as `type:name`, that shows whether the resolver validates; it is sent when an answer that
    /// should be is not. Empty turns it off.
    DNSSEC_PROBE: Text = "dnssec_probe", "ns:.", ["smtp", "lmtp", "smtpd"];
    /// Remedy for C libraries that hide negative answers. We do not use one: accepted, and without effect.
    DNS_NCACHE_TTL_FIX_ENABLE: Flag = "dns_ncache_ttl_fix_enable", "no", ["all"];
}
