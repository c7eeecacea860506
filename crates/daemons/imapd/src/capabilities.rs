//! What is announced: what works whole, and nothing else.

use imap_protocol::types::Capability;

/// Before the log-in; STARTTLS, LOGINDISABLED and AUTH= come from the dialogue.
const LOGIN: &str = "IMAP4rev1 IMAP4rev2 SASL-IR ID ENABLE IDLE LITERAL+";

/// Behind it.
const SESSION: &str = "IMAP4rev1 IMAP4rev2 SASL-IR ID ENABLE IDLE LITERAL+ SORT SORT=DISPLAY THREAD=REFERENCES THREAD=REFS \
    THREAD=ORDEREDSUBJECT MULTIAPPEND CATENATE UNSELECT CHILDREN NAMESPACE UIDPLUS LIST-EXTENDED I18NLEVEL=1 CONDSTORE \
    QRESYNC ESEARCH ESORT SEARCHRES WITHIN CONTEXT=SEARCH LIST-STATUS BINARY MOVE SNIPPET=FUZZY PREVIEW=FUZZY PREVIEW STATUS=SIZE \
    SAVEDATE SPECIAL-USE CREATE-SPECIAL-USE OBJECTID PARTIAL COMPRESS=DEFLATE UTF8=ACCEPT APPENDLIMIT REPLACE METADATA \
    INPROGRESS NOTIFY QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE";

/// What there is only where lists of rights count; as with Dovecot each right can be given by itself (RFC 4314 §2.2).
const RIGHTS: &str = "ACL RIGHTS=texk LIST-MYRIGHTS";

/// Before the log-in.
pub(crate) fn login() -> Vec<Capability> {
    list(LOGIN)
}

/// Behind it.
pub(crate) fn session(counts_rights: bool) -> Vec<Capability> {
    let mut names = list(SESSION);
    if counts_rights {
        names.append(&mut list(RIGHTS));
    }
    names
}

fn list(names: &str) -> Vec<Capability> {
    names.split_whitespace().filter_map(Capability::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_an_atom() {
        assert_eq!(login().len(), LOGIN.split_whitespace().count());
        assert_eq!(session(false).len(), SESSION.split_whitespace().count());
        assert_eq!(session(true).len(), session(false).len() + RIGHTS.split_whitespace().count());
    }
}
