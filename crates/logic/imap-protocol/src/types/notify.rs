//! What a client wants to hear of without asking (RFC 5465).

use crate::types::{FetchItem, MailboxName};

/// NOTIFY (RFC 5465 §3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotifyRequest {
    /// `NONE`: nothing at all.
    Nothing,
    /// `SET`
    Set(NotifySet),
}

/// What the client wants to hear of from now on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NotifySet {
    /// `STATUS`: first tell how the mailboxes stand.
    pub status: bool,
    /// `SELECTED` or `SELECTED-DELAYED`; without it nothing of the selected mailbox is told.
    pub selected: Option<SelectedEvents>,
    /// Of all other mailboxes. Several may be about one.
    pub groups: Vec<EventGroup>,
}

/// Events of the selected mailbox (RFC 5465 §6.1): messages that come and go, always together (§5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectedEvents {
    /// `SELECTED-DELAYED`: messages vanish only where a command permits it.
    pub delayed: bool,
    /// `FlagChange`
    pub flags: bool,
    /// What is sent of a new message.
    pub fetch: Vec<FetchItem>,
}

/// Some mailboxes, and what is told of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventGroup {
    /// Which.
    pub mailboxes: MailboxFilter,
    /// What; nothing for `NONE`.
    pub events: Events,
}

/// Mailboxes that need not be selected (RFC 5465 §6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxFilter {
    /// `INBOXES`: those to which mail is delivered.
    Inboxes,
    /// `PERSONAL`: those of the user.
    Personal,
    /// `SUBSCRIBED`
    Subscribed,
    /// `SUBTREE`: these and all below them.
    Subtree(Vec<MailboxName>),
    /// `MAILBOXES`: these alone.
    Mailboxes(Vec<MailboxName>),
}

/// What is told of mailboxes that are not selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Events {
    /// What happens to messages.
    pub messages: MessageEvents,
    /// `MailboxName`
    pub names: bool,
    /// `SubscriptionChange`
    pub subscriptions: bool,
    /// `MailboxMetadataChange`
    pub mailbox_metadata: bool,
    /// `ServerMetadataChange`
    pub server_metadata: bool,
}

/// Events of messages. Who hears of flags hears of all, and who hears of new messages hears of those that go (RFC 5465 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum MessageEvents {
    /// None.
    #[default]
    Nothing,
    /// `MessageNew` and `MessageExpunge`.
    NewAndGone,
    /// And `FlagChange`.
    All,
}

/// The name of an event that is told of (RFC 5465 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventName {
    /// `MessageNew`
    MessageNew,
    /// `MessageExpunge`
    MessageExpunge,
    /// `FlagChange`
    FlagChange,
    /// `MailboxName`
    MailboxName,
    /// `SubscriptionChange`
    SubscriptionChange,
    /// `MailboxMetadataChange`
    MailboxMetadataChange,
    /// `ServerMetadataChange`
    ServerMetadataChange,
}

impl EventName {
    /// Every event with its name.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::MessageNew, "MessageNew"),
        (Self::MessageExpunge, "MessageExpunge"),
        (Self::FlagChange, "FlagChange"),
        (Self::MailboxName, "MailboxName"),
        (Self::SubscriptionChange, "SubscriptionChange"),
        (Self::MailboxMetadataChange, "MailboxMetadataChange"),
        (Self::ServerMetadataChange, "ServerMetadataChange"),
    ];

    /// The event of that name; none where it is not told of, as `AnnotationChange`.
    pub fn parse(name: &[u8]) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| own.as_bytes().eq_ignore_ascii_case(name)).map(|(event, _)| *event)
    }

    /// Is it about messages?
    pub fn is_of_messages(self) -> bool {
        matches!(self, Self::MessageNew | Self::MessageExpunge | Self::FlagChange)
    }
}

impl Events {
    /// What either has.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            messages: self.messages.max(other.messages),
            names: self.names || other.names,
            subscriptions: self.subscriptions || other.subscriptions,
            mailbox_metadata: self.mailbox_metadata || other.mailbox_metadata,
            server_metadata: self.server_metadata || other.server_metadata,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_any_case_and_groups_add_up() {
        assert_eq!(EventName::parse(b"messageNEW"), Some(EventName::MessageNew));
        assert_eq!(EventName::parse(b"AnnotationChange"), None);
        let one = Events { messages: MessageEvents::NewAndGone, names: true, ..Events::default() };
        let other = Events { messages: MessageEvents::All, subscriptions: true, ..Events::default() };
        let both = Events { messages: MessageEvents::All, names: true, subscriptions: true, ..one };
        assert_eq!(one.and(other), both);
    }
}
