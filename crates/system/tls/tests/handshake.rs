//! A client of rustls and our server, without a socket.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore};
use tls::{Clients, Identity, Server, ServerSettings, TicketKey, TicketKeys, Versions};

struct Files {
    folder: tempfile::TempDir,
    roots: RootCertStore,
}

impl Files {
    /// A chain file with a key of this kind for `mx.example`.
    fn new(algorithm: &'static rcgen::SignatureAlgorithm) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let parameters = rcgen::CertificateParams::new(vec!["mx.example".to_owned()]).unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("key.pem"), key.serialize_pem()).unwrap();
        std::fs::write(folder.path().join("cert.pem"), certificate.pem()).unwrap();
        std::fs::write(folder.path().join("chain.pem"), key.serialize_pem() + &certificate.pem()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der().clone()).unwrap();
        Self { folder, roots }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn identity(&self) -> Identity {
        Identity::load(&self.path("cert.pem"), &self.path("key.pem")).unwrap()
    }

    fn client(&self) -> Arc<ClientConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Arc::new(builder.with_root_certificates(self.roots.clone()).with_no_client_auth())
    }
}

fn settings(identity: Identity, keys: &TicketKeys) -> ServerSettings {
    ServerSettings {
        names: None,
        identities: vec![identity],
        versions: Versions::ALL,
        clients: Clients::Unasked,
        own_order: false,
        ticket_keys: keys.clone(),
        service: "smtpd smtp".to_owned(),
        ticket_lifetime_seconds: 3600,
    }
}

/// Carries bytes both ways until neither side has any; gives what the server decrypted.
fn carry(client: &mut ClientConnection, server: &mut Server) -> Vec<u8> {
    let mut plain = Vec::new();
    loop {
        let mut to_server = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut to_server).unwrap();
        }
        server.receive(&to_server, &mut plain).unwrap();
        let mut to_client = Vec::new();
        server.ciphertext(&mut to_client);
        if to_server.is_empty() && to_client.is_empty() {
            return plain;
        }
        let mut rest = to_client.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets().unwrap();
        }
    }
}

fn connect(client: &Arc<ClientConfig>, server: Arc<tls::ServerConfig>) -> (HandshakeKind, machine::TlsFacts) {
    let name = ServerName::try_from("mx.example").unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), name).unwrap();
    let mut server = Server::new(server).unwrap();
    carry(&mut client, &mut server);
    std::io::Write::write_all(&mut client.writer(), b"EHLO x\r\n").unwrap();
    assert_eq!(carry(&mut client, &mut server), b"EHLO x\r\n");
    server.send(b"250 ok\r\n").unwrap();
    carry(&mut client, &mut server);
    let mut answer = [0; 8];
    std::io::Read::read_exact(&mut client.reader(), &mut answer).unwrap();
    assert_eq!(&answer, b"250 ok\r\n");
    (client.handshake_kind().unwrap(), server.facts())
}

#[test]
fn a_session_is_resumed_by_another_worker_with_the_same_keys() {
    let files = Files::new(&rcgen::PKCS_ECDSA_P256_SHA256);
    let keys = TicketKeys::new();
    let far = u64::MAX;
    keys.replace(vec![TicketKey { name: [1; 16], secret: [2; 32], seals_until: far, opens_until: far }]);
    let client = files.client();
    let worker = || tls::server_config(settings(files.identity(), &keys)).unwrap();
    let (first, facts) = connect(&client, worker());
    assert_eq!(first, HandshakeKind::Full);
    assert_eq!((facts.protocol.as_str(), facts.cipher_bits), ("TLSv1.3", 256));
    let (second, _) = connect(&client, worker());
    assert_eq!(second, HandshakeKind::Resumed);
    keys.replace(Vec::new());
    assert_eq!(connect(&client, worker()).0, HandshakeKind::Full);
}

#[test]
fn chain_files_hold_key_and_certificates() {
    let files = Files::new(&rcgen::PKCS_ED25519);
    let chains = Identity::load_chains(&[files.path("chain.pem"), files.path("chain.pem")]).unwrap();
    assert_eq!(chains.len(), 2);
    let identity = chains.into_iter().next().unwrap();
    let server = tls::server_config(settings(identity, &TicketKeys::new())).unwrap();
    assert_eq!(connect(&files.client(), server).0, HandshakeKind::Full);
}

#[test]
fn a_wrong_file_is_named() {
    let (files, others) = (Files::new(&rcgen::PKCS_ED25519), Files::new(&rcgen::PKCS_ECDSA_P256_SHA256));
    let (cert, key) = (files.path("cert.pem"), files.path("key.pem"));
    for (chain, key) in
        [(&cert, &others.path("key.pem")), (&key, &key), (&cert, &cert), (&files.path("no"), &key)]
    {
        let error = Identity::load(chain, key).unwrap_err().to_string();
        assert!(error.contains(".pem: ") || error.contains("/no: "), "{error}");
    }
}
