//! Lines of Dovecot's authentication protocol, of both sides.

use dovecot_auth::{ClientLine, ServerLine, Words};

/// What is read and written reads the same again, on one line; a password never makes a line of its own.
pub(super) fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for line in text.split('\n') {
        let words = Words::parse(line);
        assert_eq!(Words::parse(one_line(&words.to_bytes())).command(), words.command());
        if let Ok(client) = ClientLine::parse(line) {
            let bytes = client.to_bytes();
            assert_eq!(ClientLine::parse(one_line(&bytes)).as_ref(), Ok(&client), "{line:?}");
        }
        if let Ok(server) = ServerLine::parse(line) {
            let bytes = server.to_bytes();
            assert_eq!(ServerLine::parse(one_line(&bytes)).as_ref(), Ok(&server), "{line:?}");
        }
    }
}

/// The line without its end; there is one end.
fn one_line(bytes: &[u8]) -> &str {
    let text = std::str::from_utf8(bytes).expect("lines are text");
    let line = text.strip_suffix('\n').expect("a line has an end");
    assert!(!line.contains('\n'), "{line:?}");
    line
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    [
        "VERSION\t1\t2\nCPID\t77\nAUTH\t1\tPLAIN\tservice=smtp\tnologin\tlip=127.0.0.1\trip=192.0.2.1\tsecured\tresp=AHUAcA==\n",
        "AUTH\t7\tEXTERNAL\tservice=pop3\tfinal-resp-ok\tticket\tvalid-client-cert\tcert_username=tim\tresp=\nCONT\t7\teA==\n",
        "AUTH\t7\tEXTERNAL\tservice=pop3\tresp=AHU\tresp=\nAUTH\t8\tPLAIN\tservice=x\tresp=A\x01tB\nAUTH\t7\tresp=A\x01rB\n",
        "CANCEL\t7\nUSER\t8\tu@x\tservice=imap\nTICKET\t9\t00ff\nNEW\t1\n",
        "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tCRAM-MD5\tdictionary\tactive\nSPID\t5\nCUID\t1\nCOOKIE\t00\nDONE\n",
        "OK\t1\tuser=u@x\tresp=dj0=\tticket=00\nCONT\t1\teA==\nFAIL\t2\tuser=u\ttemp\treason=a\x01tb\nFAIL\t3\tauthz\tuser_disabled\n",
        "USER\t8\tu@x\tuid=5000\tgid=5000\thome=/var/mail\tmail=maildir:/var/mail/u\tpath=u/\nNOTFOUND\t9\nFAIL\t1\tcode=x\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
