//! The attributes of the envelope: `name=value` records.

use cleanup::{Client, Envelope, LogClient, Recipient, Server};
use rewriting::{Context, Rewriting};

/// Puts an attribute where it belongs: into the envelope, or into the recipient that follows it.
pub(crate) fn set(text: &str, envelope: &mut Envelope, recipient: &mut Recipient, rewriting: &Rewriting) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let owned = || value.to_owned();
    match name {
        // Postfix makes these anew as well.
        "create_time" | "server_name" | "client_address_type" => {}
        "rewrite_context" => envelope.rewrite_context = context(value, rewriting),
        "log_ident" => envelope.log_ident = Some(owned()),
        "envelope_id" => envelope.envelope_id = owned(),
        "ret_flags" => envelope.return_flags = value.parse().unwrap_or(0),
        "encoding" => envelope.encoding = owned(),
        "smtputf8" | "sendopts" => envelope.send_options = value.parse().unwrap_or(0),
        "sasl_method" => envelope.sasl_method = owned(),
        "sasl_username" => envelope.sasl_username = owned(),
        "sasl_sender" => envelope.sasl_sender = owned(),
        "dsn_orig_rcpt" => recipient.dsn_original = owned(),
        "notify_flags" => recipient.notify = value.parse().unwrap_or(0),
        _ if name.starts_with("log_") => set_logged(name, value, envelope),
        _ if is_of_session(name) => set_session(name, value, envelope),
        _ => envelope.attributes.push((name.to_owned(), owned())),
    }
}

fn context(value: &str, rewriting: &Rewriting) -> Context {
    rewriting.header_context(value == Context::Local.name())
}

fn set_logged(name: &str, value: &str, envelope: &mut Envelope) {
    let logged = envelope.log_client.get_or_insert_with(LogClient::default);
    let field = match name {
        "log_client_name" => &mut logged.name,
        "log_client_address" => &mut logged.address,
        "log_client_port" => &mut logged.port,
        "log_message_origin" => &mut logged.origin,
        "log_helo_name" => &mut logged.helo,
        "log_protocol_name" => &mut logged.protocol,
        _ => return,
    };
    value.clone_into(field);
}

fn is_of_session(name: &str) -> bool {
    const NAMES: [&str; 8] = [
        "client_name",
        "reverse_client_name",
        "client_address",
        "client_port",
        "server_address",
        "server_port",
        "helo_name",
        "protocol_name",
    ];
    NAMES.contains(&name)
}

fn set_session(name: &str, value: &str, envelope: &mut Envelope) {
    if name.starts_with("server_") {
        let server = envelope.server.get_or_insert_with(Server::default);
        let field = if name == "server_port" { &mut server.port } else { &mut server.address };
        return value.clone_into(field);
    }
    let client = envelope.client.get_or_insert_with(Client::default);
    let field = match name {
        "client_name" => &mut client.name,
        "reverse_client_name" => &mut client.reverse_name,
        "client_address" => &mut client.address,
        "client_port" => &mut client.port,
        "helo_name" => &mut client.helo,
        _ => &mut client.protocol,
    };
    value.clone_into(field);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_find_their_places() {
        let rewriting = Rewriting::new(rewriting::Settings::default());
        let (mut envelope, mut recipient) = (Envelope::default(), Recipient::default());
        for text in [
            "rewrite_context=remote",
            "log_client_name=n",
            "log_message_origin=n[a]",
            "client_address=a",
            "server_port=25",
            "notify_flags=2",
            "dsn_orig_rcpt=rfc822;a=b",
            "trace_flags=1",
        ] {
            set(text, &mut envelope, &mut recipient, &rewriting);
        }
        assert_eq!(envelope.rewrite_context, Context::Untouched);
        let logged = envelope.log_client.unwrap();
        assert_eq!((logged.name.as_str(), logged.origin.as_str()), ("n", "n[a]"));
        assert_eq!(envelope.client.unwrap().address, "a");
        assert_eq!(envelope.server.unwrap().port, "25");
        assert_eq!((recipient.notify, recipient.dsn_original.as_str()), (2, "rfc822;a=b"));
        assert_eq!(envelope.attributes, [("trace_flags".to_owned(), "1".to_owned())]);
    }
}
