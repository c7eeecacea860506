//! Responses about mailboxes: LIST, STATUS, NAMESPACE, QUOTA (RFC 3501 §7.2, RFC 2342, RFC 5258, RFC 9208).

use crate::types::{MailboxAttribute, MailboxName, StatusItem};
use crate::write::Out;

/// A mailbox of a LIST or LSUB response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListResponse<'a> {
    /// LSUB, not LIST.
    pub lsub: bool,
    /// What it is.
    pub attributes: &'a [MailboxAttribute],
    /// Which.
    pub name: &'a MailboxName,
    /// It stands for subscribed or special mailboxes below it (RFC 5258 §3.5).
    pub child_info: bool,
    /// It had this name (RFC 5465 §5.4).
    pub old_name: Option<&'a MailboxName>,
}

/// What is used of a resource (RFC 9208 §5), in its units: KiB for STORAGE, messages for MESSAGE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaResource {
    /// `STORAGE`, `MESSAGE`
    pub name: &'static str,
    /// So much is used.
    pub used: u64,
    /// So much may be.
    pub limit: u64,
}

impl Out {
    /// `* LIST (...) "." name`
    pub fn list(&mut self, list: &ListResponse<'_>, separator: char) {
        self.text(if list.lsub { "* LSUB (" } else { "* LIST (" });
        for (place, attribute) in list.attributes.iter().enumerate() {
            if place > 0 {
                self.text(" ");
            }
            self.text(attribute.name());
        }
        self.text(") ");
        self.separator(separator);
        self.text(" ");
        self.mailbox(list.name);
        self.extended(list);
        self.text("\r\n");
    }

    /// mbox-list-extended = "(" [mbox-list-extended-item *(SP mbox-list-extended-item)] ")" (RFC 5258 §6)
    fn extended(&mut self, list: &ListResponse<'_>) {
        let mut begin = " (";
        if list.child_info {
            self.text(begin);
            self.text("CHILDINFO (\"SUBSCRIBED\")");
            begin = " ";
        }
        if let Some(old_name) = list.old_name {
            self.text(begin);
            self.text("\"OLDNAME\" (");
            self.mailbox(old_name);
            self.text(")");
        }
        if list.child_info || list.old_name.is_some() {
            self.text(")");
        }
    }

    /// What LIST "" "" asks for: the separator, and the root of the names (RFC 3501 §6.3.8).
    pub fn list_root(&mut self, separator: char) {
        self.text("* LIST (\\Noselect) ");
        self.separator(separator);
        self.text(" \"\"\r\n");
    }

    fn separator(&mut self, separator: char) {
        self.string(separator.encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// `* STATUS name (...)`; identifiers of MAILBOXID are letters and digits.
    pub fn status_of(&mut self, name: &MailboxName, items: &[(StatusItem, StatusValue)]) {
        self.text("* STATUS ");
        self.mailbox(name);
        self.text(" (");
        for (place, (item, value)) in items.iter().enumerate() {
            if place > 0 {
                self.text(" ");
            }
            self.text(item.name());
            match value {
                StatusValue::Number(number) => self.format(format_args!(" {number}")),
                StatusValue::Id(id) => self.format(format_args!(" ({id})")),
                StatusValue::None => self.text(" NIL"),
            }
        }
        self.text(")\r\n");
    }

    /// `* NAMESPACE (("" ".")) NIL NIL`
    pub fn namespace(&mut self, separator: char) {
        self.text("* NAMESPACE ((\"\" ");
        self.separator(separator);
        self.text(")) NIL NIL\r\n");
    }

    /// `* QUOTAROOT name root`
    pub fn quota_root(&mut self, name: &MailboxName, root: Option<&str>) {
        self.text("* QUOTAROOT ");
        self.mailbox(name);
        if let Some(root) = root {
            self.text(" ");
            self.string(root.as_bytes());
        }
        self.text("\r\n");
    }

    /// `* QUOTA root (STORAGE used limit)`
    pub fn quota(&mut self, root: &str, resources: &[QuotaResource]) {
        self.text("* QUOTA ");
        self.string(root.as_bytes());
        self.text(" (");
        for (place, resource) in resources.iter().enumerate() {
            if place > 0 {
                self.text(" ");
            }
            self.format(format_args!("{} {} {}", resource.name, resource.used, resource.limit));
        }
        self.text(")\r\n");
    }
}

/// The value of a STATUS item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusValue {
    /// A number.
    Number(u64),
    /// An identifier (RFC 8474).
    Id(String),
    /// There is none.
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_where_they_must() {
        let mut out = Out::default();
        let name = MailboxName::new("sp ace (x)").unwrap();
        let attributes = [MailboxAttribute::NoSelect, MailboxAttribute::HasChildren];
        out.list(
            &ListResponse {
                lsub: false,
                attributes: &attributes,
                name: &name,
                child_info: true,
                old_name: None,
            },
            '.',
        );
        let old_name = Some(&name);
        let new_name = MailboxName::new("new").unwrap();
        out.list(
            &ListResponse { lsub: false, attributes: &[], name: &new_name, child_info: false, old_name },
            '.',
        );
        out.list_root('.');
        out.namespace('.');
        out.status_of(&MailboxName::inbox(), &[(StatusItem::Messages, StatusValue::Number(3))]);
        assert_eq!(
            String::from_utf8(out.into_bytes()).unwrap(),
            "* LIST (\\Noselect \\HasChildren) \".\" \"sp ace (x)\" (CHILDINFO (\"SUBSCRIBED\"))\r\n\
             * LIST () \".\" new (\"OLDNAME\" (\"sp ace (x)\"))\r\n\
             * LIST (\\Noselect) \".\" \"\"\r\n* NAMESPACE ((\"\" \".\")) NIL NIL\r\n* STATUS INBOX (MESSAGES 3)\r\n"
        );
    }
}
