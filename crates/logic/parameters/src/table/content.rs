//! The content of a message: inspection, filters, headers, MIME and character sets.

use crate::declare::parameters;

parameters! {
    // Inspection by pattern

    /// Pattern tables asked for each header, joined to one line: they may REJECT, DISCARD, HOLD, REDIRECT,
    /// FILTER, WARN, REPLACE, PREPEND, IGNORE or STRIP.
    HEADER_CHECKS: Text = "header_checks", "", ["cleanup", "smtpd"];
    /// As `header_checks`, for headers that belong to MIME (`Content-...`), at the top or in any part.
    MIME_HEADER_CHECKS: Text = "mime_header_checks", "$header_checks", ["cleanup", "smtpd"];
    /// As `header_checks`, for headers of attached messages.
    NESTED_HEADER_CHECKS: Text = "nested_header_checks", "$header_checks", ["cleanup", "smtpd"];
    /// Pattern tables asked for each line of the body, one at a time, as it was sent: nothing is decoded.
    BODY_CHECKS: Text = "body_checks", "", ["cleanup", "smtpd"];
    /// Bytes of each MIME part that `body_checks` looks at.
    BODY_CHECKS_SIZE_LIMIT: Number = "body_checks_size_limit", "51200", ["cleanup", "smtpd"];
    /// Characters, with C escapes, that a message must not contain; `\0` is a sensible one.
    MESSAGE_REJECT_CHARACTERS: Text = "message_reject_characters", "", ["cleanup", "smtpd"];
    /// Characters, with C escapes, that are taken out of a message.
    MESSAGE_STRIP_CHARACTERS: Text = "message_strip_characters", "", ["cleanup", "smtpd"];

    // Filters behind the queue

    /// `transport:nexthop` that gets each message before it is delivered. What comes back must enter by a
    /// service where this is empty, or it goes round for ever.
    CONTENT_FILTER: Text = "content_filter", "", ["cleanup", "smtpd", "pickup", "qmgr"];
    /// Next hop of a filter given without one. Empty takes the domain of the recipient, which is seldom
    /// meant.
    DEFAULT_FILTER_NEXTHOP: Text = "default_filter_nexthop", "", ["qmgr"];
    /// Switches off, for a service that mail enters twice by: `no_unknown_recipient_checks`,
    /// `no_address_mappings`, `no_header_body_checks`, `no_milters`.
    RECEIVE_OVERRIDE_OPTIONS: Text = "receive_override_options", "", ["smtpd", "pickup"];
    /// Mail of our own making that filters and checks see too: `bounce`, `notify`. Can make loops.
    INTERNAL_MAIL_FILTER_CLASSES: Text = "internal_mail_filter_classes", "", ["all"];

    // Headers

    /// Adds `From:`, `To:`, `Date:` and `Message-ID:` to any message that lacks them, not only to mail from
    /// here. Breaks the signature of mail that passes through.
    ALWAYS_ADD_MISSING_HEADERS: Flag = "always_add_missing_headers", "no", ["cleanup", "smtpd"];
    /// Headers that are removed from each message.
    MESSAGE_DROP_HEADERS: Text = "message_drop_headers", "bcc, content-length, resent-bcc, return-path", ["cleanup", "smtpd"];
    /// Header that is added when none names a recipient; empty adds none, which is legal today.
    UNDISCLOSED_RECIPIENTS_HEADER: Text = "undisclosed_recipients_header", "", ["cleanup", "smtpd"];
    /// Form of a `From:` that is added: `standard` is `name <address>`, `obsolete` is `address (name)`.
    HEADER_FROM_FORMAT: Text = "header_from_format", "standard", ["cleanup", "smtpd", "bounce"];
    /// Longest header in bytes; the rest of it is cut off.
    HEADER_SIZE_LIMIT: Number = "header_size_limit", "102400", ["all"];
    /// How many pieces (words, dots, comments) of a header with addresses are looked at; what follows stays
    /// as it is.
    HEADER_ADDRESS_TOKEN_LIMIT: Number = "header_address_token_limit", "10240", ["cleanup", "smtpd", "smtp"];
    /// Kinds of delivery that add `Delivered-To:`: `command`, `file`, `forward`. Without it at `forward`,
    /// loops of forwarding are not noticed.
    PREPEND_DELIVERED_HEADER: Text = "prepend_delivered_header", "command, file, forward", ["local"];
    /// Turns CR and LF that do not stand together as a line end into blanks, against smuggled messages. May
    /// break a signature of a message that has such.
    CLEANUP_REPLACE_STRAY_CR_LF: Flag = "cleanup_replace_stray_cr_lf", "yes", ["cleanup", "smtpd"];
    /// Longest line in bytes that is kept in one piece inside the system; longer ones are split and joined
    /// again.
    LINE_LENGTH_LIMIT: Number = "line_length_limit", "2048", ["all"];

    // MIME

    /// Does not look into MIME at all: no checks of inner headers, no conversion; the body is one piece.
    DISABLE_MIME_INPUT_PROCESSING: Flag = "disable_mime_input_processing", "no", ["cleanup", "smtpd"];
    /// Sends 8-bit text as it is to servers that do not announce 8BITMIME.
    DISABLE_MIME_OUTPUT_CONVERSION: Flag = "disable_mime_output_conversion", "no", ["smtp", "lmtp"];
    /// Depth of MIME parts that are recognized; a message with deeper ones is refused.
    MIME_NESTING_LIMIT: Number = "mime_nesting_limit", "100", ["all"];
    /// Bytes of a boundary string that are compared; boundaries that differ only behind it count as the same.
    MIME_BOUNDARY_LENGTH_LIMIT: Number = "mime_boundary_length_limit", "2048", ["all"];
    /// Marks a message as 8-bit when its `Content-Transfer-Encoding:` says so.
    DETECT_8BIT_ENCODING_HEADER: Flag = "detect_8bit_encoding_header", "yes", ["cleanup", "smtpd"];
    /// Same as `strict_7bit_headers` and `strict_8bitmime_body` together.
    STRICT_8BITMIME: Flag = "strict_8bitmime", "no", ["cleanup", "smtpd"];
    /// Refuses messages with 8-bit text in their headers.
    STRICT_7BIT_HEADERS: Flag = "strict_7bit_headers", "no", ["cleanup", "smtpd"];
    /// Refuses messages with 8-bit text in the body that is not declared as such.
    STRICT_8BITMIME_BODY: Flag = "strict_8bitmime_body", "no", ["cleanup", "smtpd"];
    /// Refuses `multipart` and `message` parts with an encoding that they must not have.
    STRICT_MIME_ENCODING_DOMAIN: Flag = "strict_mime_encoding_domain", "no", ["cleanup", "smtpd"];

    // International addresses

    /// Accepts and passes on addresses and headers in UTF-8 (RFC 6531).
    SMTPUTF8_ENABLE: Flag = "smtputf8_enable", "${{$compatibility_level} <level {1} ? {no} : {yes}}", ["all"];
    /// Allows UTF-8 addresses only in transactions that ask for SMTPUTF8.
    STRICT_SMTPUTF8: Flag = "strict_smtputf8", "no", ["smtpd"];
    /// Mail that is looked through for UTF-8, as nobody declares it there: `sendmail`, `verify`, `smtpd`,
    /// `bounce`, `all` and others.
    SMTPUTF8_AUTODETECT_CLASSES: Text = "smtputf8_autodetect_classes", "sendmail, verify", ["all"];

    // Service

    /// Service in master.cf that writes messages into the queue. While it is `cleanup`, smtpd does the same
    /// work itself.
    CLEANUP_SERVICE_NAME: Text = "cleanup_service_name", "cleanup", ["all"];
}
