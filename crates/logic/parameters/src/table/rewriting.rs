//! Addresses: how they are completed, mapped, masked and copied on their way into the queue.

use crate::declare::parameters;

parameters! {
    // Completing an address

    /// Domain that is added to addresses without one, such as those of local senders. `/etc/mailname` and
    /// other file names are read.
    MYORIGIN: Text = "myorigin", "$myhostname", ["all"];
    /// Adds `@$myorigin` to local addresses without a domain. Switching it off breaks much else.
    APPEND_AT_MYORIGIN: Flag = "append_at_myorigin", "yes", ["trivial-rewrite", "smtpd", "qmgr", "cleanup"];
    /// Adds `.$mydomain` to domains without a dot. Such names may be somebody's top-level domain today, hence
    /// off in new set-ups.
    APPEND_DOT_MYDOMAIN: Flag = "append_dot_mydomain", "${{$compatibility_level} <level {1} ? {yes} : {no}}", ["trivial-rewrite", "smtpd", "qmgr", "cleanup"];
    /// Reads `site!user` as `user@site`.
    SWAP_BANGPATH: Flag = "swap_bangpath", "yes", ["trivial-rewrite", "smtpd", "qmgr", "cleanup"];
    /// Reads `user%domain` as `user@domain`, if no `@` is there and `resolve_dequoted_address` permits.
    ALLOW_PERCENT_HACK: Flag = "allow_percent_hack", "yes", ["trivial-rewrite", "smtpd", "qmgr", "cleanup"];
    /// Clients whose message headers are completed like those of local mail: names of restrictions, networks,
    /// tables. The headers of all others are left alone, or see `remote_header_rewrite_domain`.
    LOCAL_HEADER_REWRITE_CLIENTS: Text = "local_header_rewrite_clients", "permit_inet_interfaces", ["smtpd"];
    /// Domain that completes addresses in the headers of mail from strangers; empty leaves them as they are.
    /// A name that can never exist, such as `domain.invalid`, shows where it was missing.
    REMOTE_HEADER_REWRITE_DOMAIN: Text = "remote_header_rewrite_domain", "", ["trivial-rewrite", "smtpd", "qmgr", "cleanup"];
    /// Characters that may separate a user from an extension (`user+list`); the first that occurs in an
    /// address counts. Empty: no extensions.
    RECIPIENT_DELIMITER: Text = "recipient_delimiter", "", ["all"];
    /// Kinds of tables that pass an extension on to their result: `canonical`, `virtual`, `alias`, `forward`,
    /// `include`, `generic`.
    PROPAGATE_UNMATCHED_EXTENSIONS: Text = "propagate_unmatched_extensions", "canonical, virtual", ["cleanup", "smtpd", "local"];
    /// Recipient of mail to the empty address, as which reports that cannot be delivered appear.
    EMPTY_ADDRESS_RECIPIENT: Text = "empty_address_recipient", "MAILER-DAEMON", ["cleanup", "smtpd", "trivial-rewrite", "qmgr", "showq"];

    // Canonical maps

    /// Tables that replace addresses in envelopes and headers, of senders and recipients alike, after the
    /// more special maps. For a change of names in the whole site; not for aliases.
    CANONICAL_MAPS: Text = "canonical_maps", "", ["cleanup", "smtpd"];
    /// Where `canonical_maps` applies: `envelope_sender`, `envelope_recipient`, `header_sender`,
    /// `header_recipient`.
    CANONICAL_CLASSES: Text = "canonical_classes", "envelope_sender, envelope_recipient, header_sender, header_recipient", ["cleanup", "smtpd"];
    /// As `canonical_maps`, for senders only, and before it.
    SENDER_CANONICAL_MAPS: Text = "sender_canonical_maps", "", ["cleanup", "smtpd"];
    /// Where `sender_canonical_maps` applies: `envelope_sender`, `header_sender`.
    SENDER_CANONICAL_CLASSES: Text = "sender_canonical_classes", "envelope_sender, header_sender", ["cleanup", "smtpd"];
    /// As `canonical_maps`, for recipients only, and before it.
    RECIPIENT_CANONICAL_MAPS: Text = "recipient_canonical_maps", "", ["cleanup", "smtpd"];
    /// Where `recipient_canonical_maps` applies: `envelope_recipient`, `header_recipient`.
    RECIPIENT_CANONICAL_CLASSES: Text = "recipient_canonical_classes", "envelope_recipient, header_recipient", ["cleanup", "smtpd"];

    // Masquerading

    /// Domains whose subdomains are cut off: with `example.com`, `user@host.example.com` becomes
    /// `user@example.com`. The first that fits counts; `!domain` is left alone.
    MASQUERADE_DOMAINS: Text = "masquerade_domains", "", ["cleanup", "smtpd"];
    /// Where domains are masked; the same names as in `canonical_classes`. With `envelope_recipient`, mail
    /// for one host of the domain can no longer reach it.
    MASQUERADE_CLASSES: Text = "masquerade_classes", "envelope_sender, header_sender, header_recipient", ["cleanup", "smtpd"];
    /// Users, without domain, whose addresses are never masked.
    MASQUERADE_EXCEPTIONS: Text = "masquerade_exceptions", "", ["cleanup", "smtpd"];

    // Copies

    /// Address that gets a copy of every message, once. Reports caused by such copies go to the sender.
    ALWAYS_BCC: Text = "always_bcc", "", ["cleanup", "smtpd"];
    /// Tables that give, by sender, one address that gets a copy.
    SENDER_BCC_MAPS: Text = "sender_bcc_maps", "", ["cleanup", "smtpd"];
    /// Tables that give, by recipient, one address that gets a copy.
    RECIPIENT_BCC_MAPS: Text = "recipient_bcc_maps", "", ["cleanup", "smtpd"];

    // Recipients

    /// Keeps the address that a recipient had on arrival: for `X-Original-To:`, and so that aliases of one
    /// message which meet in one mailbox are delivered once for each. `no` makes duplicates vanish.
    ENABLE_ORIGINAL_RECIPIENT: Flag = "enable_original_recipient", "yes", ["all"];
    /// How many addresses are remembered to find duplicates; 0 means no limit.
    DUPLICATE_FILTER_LIMIT: Number = "duplicate_filter_limit", "1000", ["cleanup", "smtpd", "local", "showq"];

    // Service

    /// Service in master.cf that completes and resolves addresses.
    REWRITE_SERVICE_NAME: Text = "rewrite_service_name", "rewrite", ["all"];
}
