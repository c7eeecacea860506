//! NOTIFY (RFC 5465 §8).

use crate::parse::{Cursor, Parsed, Refusal};
use crate::types::{
    Code, Command, EventGroup, EventName, Events, FetchItem, MailboxFilter, MailboxName, MessageEvents,
    NotifyRequest, NotifySet, SelectedEvents,
};

/// Groups of one command.
const GROUPS_LIMIT: usize = 100;
/// Names of mailboxes in one group.
const NAMES_LIMIT: usize = 1000;

/// filter-mailboxes
enum Filter {
    Selected { delayed: bool },
    Other(MailboxFilter),
}

/// The events of a group as they stand there, in any order.
#[derive(Default)]
struct Named {
    events: Vec<EventName>,
    fetch: Vec<FetchItem>,
}

impl Named {
    fn has(&self, event: EventName) -> bool {
        self.events.contains(&event)
    }

    /// RFC 5465 §5: which events of messages need one another.
    fn messages(&self) -> Parsed<MessageEvents> {
        let (new, gone) = (self.has(EventName::MessageNew), self.has(EventName::MessageExpunge));
        if new != gone {
            return Err(Refusal::new("MessageNew and MessageExpunge must be together"));
        }
        match (new, self.has(EventName::FlagChange)) {
            (false, true) => Err(Refusal::new("FlagChange requires MessageNew and MessageExpunge")),
            (true, true) => Ok(MessageEvents::All),
            (true, false) => Ok(MessageEvents::NewAndGone),
            (false, false) => Ok(MessageEvents::Nothing),
        }
    }

    /// RFC 5465 §6.1: the selected mailbox has events of messages alone.
    fn selected(self, delayed: bool) -> Parsed<Option<SelectedEvents>> {
        if !self.events.iter().all(|event| event.is_of_messages()) {
            return Err(Refusal::new("Only events of messages go with SELECTED"));
        }
        let flags = match self.messages()? {
            MessageEvents::Nothing => return Ok(None),
            MessageEvents::NewAndGone => false,
            MessageEvents::All => true,
        };
        Ok(Some(SelectedEvents { delayed, flags, fetch: self.fetch }))
    }

    fn other(&self) -> Parsed<Events> {
        if !self.fetch.is_empty() {
            return Err(Refusal::arguments());
        }
        Ok(Events {
            messages: self.messages()?,
            names: self.has(EventName::MailboxName),
            subscriptions: self.has(EventName::SubscriptionChange),
            mailbox_metadata: self.has(EventName::MailboxMetadataChange),
            server_metadata: self.has(EventName::ServerMetadataChange),
        })
    }
}

impl Cursor<'_> {
    /// notify = "NOTIFY" SP (notify-set / notify-none)
    ///
    /// notify-none = "NONE"
    pub(crate) fn notify(&mut self) -> Parsed<Command> {
        self.space()?;
        if self.keyword("NONE") {
            self.end()?;
            return Ok(Command::Notify(NotifyRequest::Nothing));
        }
        if !self.keyword("SET") {
            return Err(Refusal::arguments());
        }
        Ok(Command::Notify(NotifyRequest::Set(self.notify_set()?)))
    }

    /// notify-set = "SET" [SP "STATUS"] SP event-group *(SP event-group); no group at all is taken, as Dovecot does.
    fn notify_set(&mut self) -> Parsed<NotifySet> {
        let mut set = NotifySet::default();
        let mut has_selected = false;
        let mut groups = 0;
        while self.take(b' ') {}
        if self.keyword("STATUS") {
            set.status = true;
            while self.take(b' ') {}
        }
        while !self.is_done() {
            self.expect(b'(')?;
            let filter = self.mailbox_filter()?;
            self.space()?;
            let named = self.events()?;
            self.expect(b')')?;
            while self.take(b' ') {}
            match filter {
                Filter::Selected { .. } if has_selected => {
                    return Err(Refusal::new("Duplicate selected filter"));
                }
                Filter::Selected { delayed } => {
                    has_selected = true;
                    set.selected = named.selected(delayed)?;
                }
                Filter::Other(mailboxes) => set.groups.push(EventGroup { mailboxes, events: named.other()? }),
            }
            groups += 1;
            if groups > GROUPS_LIMIT {
                return Err(Refusal::no(Code::NotificationOverflow, "Too many groups of mailboxes"));
            }
        }
        Ok(set)
    }

    /// filter-mailboxes = "selected" / "selected-delayed" / "inboxes" / "personal" / "subscribed" /
    /// ("subtree" SP one-or-more-mailbox) / ("mailboxes" SP one-or-more-mailbox)
    fn mailbox_filter(&mut self) -> Parsed<Filter> {
        Ok(match self.word()?.as_str() {
            "SELECTED" => Filter::Selected { delayed: false },
            "SELECTED-DELAYED" => Filter::Selected { delayed: true },
            "INBOXES" => Filter::Other(MailboxFilter::Inboxes),
            "PERSONAL" => Filter::Other(MailboxFilter::Personal),
            "SUBSCRIBED" => Filter::Other(MailboxFilter::Subscribed),
            "SUBTREE" => Filter::Other(MailboxFilter::Subtree(self.one_or_more_mailboxes()?)),
            "MAILBOXES" => Filter::Other(MailboxFilter::Mailboxes(self.one_or_more_mailboxes()?)),
            _ => return Err(Refusal::arguments()),
        })
    }

    /// one-or-more-mailbox = mailbox / "(" mailbox *(SP mailbox) ")"
    fn one_or_more_mailboxes(&mut self) -> Parsed<Vec<MailboxName>> {
        self.space()?;
        if self.peek() != Some(b'(') {
            return Ok(vec![self.mailbox()?]);
        }
        let mut names = Vec::new();
        self.list(|cursor| {
            names.push(cursor.mailbox()?);
            if names.len() > NAMES_LIMIT {
                return Err(Refusal::no(Code::NotificationOverflow, "Too many mailboxes"));
            }
            Ok(())
        })?;
        if names.is_empty() { Err(Refusal::arguments()) } else { Ok(names) }
    }

    /// events = ("(" event *(SP event) ")") / "NONE"
    fn events(&mut self) -> Parsed<Named> {
        let mut named = Named::default();
        if self.keyword("NONE") {
            return Ok(named);
        }
        self.list(|cursor| cursor.event(&mut named))?;
        if named.events.is_empty() { Err(Refusal::arguments()) } else { Ok(named) }
    }

    /// event = "MessageNew" [SP "(" fetch-att *(SP fetch-att) ")"] / "MessageExpunge" / "FlagChange" / ... / atom
    fn event(&mut self, named: &mut Named) -> Parsed<()> {
        let Some(event) = EventName::parse(self.atom()?) else {
            // RFC 5465 §3.1: NO, with all that are known.
            let known = EventName::ALL.iter().map(|(event, _)| *event).collect();
            return Err(Refusal::no(Code::BadEvent(known), "Unsupported NOTIFY events"));
        };
        if event == EventName::MessageNew && self.rest().starts_with(b" (") {
            self.space()?;
            self.list(|cursor| cursor.fetch_attribute(&mut named.fetch))?;
            if named.fetch.is_empty() {
                return Err(Refusal::arguments());
            }
        }
        if !named.has(event) {
            named.events.push(event);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Parsed<NotifyRequest> {
        match Cursor::new(text.as_bytes(), false).notify()? {
            Command::Notify(request) => Ok(request),
            other => panic!("{other:?}"),
        }
    }

    fn set(text: &str) -> NotifySet {
        match parse(text).unwrap() {
            NotifyRequest::Set(set) => set,
            NotifyRequest::Nothing => panic!("NONE"),
        }
    }

    #[test]
    fn groups_say_which_mailboxes_and_what_of_them() {
        let set = set(" set status (Selected-Delayed (MessageNew (uid flags) MessageExpunge flagchange)) \
             (subtree (Lists a.b) (MessageNew MessageExpunge)) (personal (MailboxName SubscriptionChange)) \
             (mailboxes INBOX NONE)");
        assert!(set.status);
        let fetch = vec![FetchItem::Uid, FetchItem::Flags];
        assert_eq!(set.selected, Some(SelectedEvents { delayed: true, flags: true, fetch }));
        let events = |messages, names| Events { messages, names, subscriptions: names, ..Events::default() };
        let found: Vec<Events> = set.groups.iter().map(|group| group.events).collect();
        assert_eq!(
            found,
            [
                events(MessageEvents::NewAndGone, false),
                events(MessageEvents::Nothing, true),
                Events::default()
            ]
        );
        let MailboxFilter::Subtree(names) = &set.groups[0].mailboxes else { panic!("{set:?}") };
        assert_eq!(names.iter().map(MailboxName::as_str).collect::<Vec<_>>(), ["Lists", "a.b"]);
    }

    #[test]
    fn nothing_may_be_asked_for() {
        assert_eq!(parse(" NONE"), Ok(NotifyRequest::Nothing));
        assert_eq!(set(" SET"), NotifySet::default());
        assert_eq!(set(" SET (selected NONE)"), NotifySet::default());
    }

    #[test]
    fn events_that_need_one_another_come_together_or_not_at_all() {
        for (text, why) in [
            (" SET (selected (MessageNew))", "MessageNew and MessageExpunge must be together"),
            (" SET (personal (MessageExpunge))", "MessageNew and MessageExpunge must be together"),
            (" SET (subtree a (FlagChange))", "FlagChange requires MessageNew and MessageExpunge"),
            (" SET (selected (MailboxName))", "Only events of messages go with SELECTED"),
            (" SET (selected NONE) (selected-delayed NONE)", "Duplicate selected filter"),
            (" SET (personal (MessageNew (UID) MessageExpunge))", "Invalid arguments"),
            (" SET (selected)", "Invalid arguments"),
            (" SET ()", "Invalid arguments"),
            (" SET (subtree () NONE)", "Invalid arguments"),
            (" SET (nosuch NONE)", "Invalid arguments"),
            (" NONE x", "Invalid arguments"),
            ("", "Invalid arguments"),
        ] {
            assert_eq!(
                parse(text).map_err(|refusal| refusal.text.into_owned()),
                Err(why.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn an_event_that_is_not_told_of_is_answered_with_those_that_are() {
        for text in [" SET (inboxes (AnnotationChange MessageNew MessageExpunge))", " SET (selected (Foo))"] {
            let Err(Refusal { code: Some(Code::BadEvent(known)), .. }) = parse(text) else {
                panic!("{text}")
            };
            assert_eq!(known.len(), EventName::ALL.len());
        }
    }

    #[test]
    fn names_and_groups_are_bounded() {
        let overflow = |text: &str| parse(text).unwrap_err().code == Some(Code::NotificationOverflow);
        assert!(overflow(&format!(" SET{}", " (personal NONE)".repeat(GROUPS_LIMIT + 1))));
        assert!(overflow(&format!(" SET (mailboxes ({}) NONE)", "a ".repeat(NAMES_LIMIT + 1))));
    }
}
