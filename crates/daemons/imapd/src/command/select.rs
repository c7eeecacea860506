//! SELECT, EXAMINE, CLOSE, UNSELECT (RFC 3501 §6.3.1, RFC 7162 §3.2.5).

use acl::Right;
use imap_protocol::types::{Code, MailboxName, Numbers, Qresync, Reply, SelectOptions};
use imap_protocol::write::Out;
use mailbox::store::{Flags, Vanished};
use sys::clock;

use crate::refusal::{Refused, refused};
use crate::state::{Outcome, State};
use crate::view::{View, flag_names};

impl State {
    pub(crate) fn select(
        &mut self,
        mailbox: &MailboxName,
        options: &SelectOptions,
        read_only: bool,
        out: &mut Out,
    ) -> Outcome {
        if self.leave_view().is_some() {
            self.renew_watch_list();
            out.untagged(&Reply::ok("Previous mailbox closed.").with(Code::Closed));
        }
        if options.qresync.is_some() && !self.features.qresync {
            let name = if read_only { "EXAMINE" } else { "SELECT" };
            return Ok(Reply::bad(format!("Error in IMAP command {name}: QRESYNC not enabled")));
        }
        self.features.condstore |= options.condstore;
        let view = self.open_view(mailbox, read_only)?;
        self.write_view(&view, out);
        if self.features.rev2 {
            // RFC 9051 §6.3.2: under its own name.
            self.list_selected(mailbox, out)?;
        }
        if let Some(qresync) = &options.qresync {
            self.resynchronise(&view, qresync, out);
        }
        self.view = Some(view);
        self.selection_changed();
        let changes = self.view.as_ref().is_some_and(|view| !view.read_only);
        let reply = Reply::ok(if read_only { "Examine completed." } else { "Select completed." });
        Ok(reply.with(if changes { Code::ReadWrite } else { Code::ReadOnly }))
    }

    fn open_view(&self, mailbox: &MailboxName, read_only: bool) -> Result<View, Refused> {
        let name = self.folder_name(mailbox)?;
        let now_us = clock::now_us();
        let folder = self.store.folder(&name, now_us).map_err(|error| missing(error, mailbox))?;
        let rights = self.permit(&name, Right::Read)?;
        folder.sync(now_us)?;
        View::open(folder, mailbox.clone(), read_only, rights, self.features)
    }

    fn write_view(&self, view: &View, out: &mut Out) {
        view.write_flags(out);
        let (summary, unseen) = view.folder.read(|contents| {
            let unseen = contents.messages().iter().position(|message| !message.flags.has(Flags::SEEN));
            (contents.summary(), unseen)
        });
        out.exists(view.uids.len());
        if !self.features.rev2 {
            out.recent(view.recent.len());
        }
        if let Some(number) = unseen.and_then(|place| u32::try_from(place + 1).ok()) {
            out.untagged(&Reply::ok("First unseen.").with(Code::Unseen(number)));
        }
        out.untagged(&Reply::ok("UIDs valid").with(Code::UidValidity(summary.uid_validity)));
        out.untagged(&Reply::ok("Predicted next UID").with(Code::UidNext(summary.uid_next)));
        out.untagged(&Reply::ok("Highest").with(Code::HighestModSeq(summary.highest_modseq)));
        let id = hexadecimal::encode(&summary.guid);
        out.untagged(&Reply::ok("Mailbox ID").with(Code::MailboxId(id)));
    }

    /// RFC 7162 §3.2.5: what happened since the client was here.
    fn resynchronise(&self, view: &View, known: &Qresync, out: &mut Out) {
        let (changes, validity, names) = view.folder.read(|contents| {
            (
                contents.changes_since(known.modseq),
                contents.summary().uid_validity,
                contents.keywords().to_vec(),
            )
        });
        if known.uid_validity != validity {
            return;
        }
        let wanted = |uid: u32| known.known.as_ref().is_none_or(|known| known.contains(uid));
        let vanished: Numbers = match changes.vanished {
            Vanished::These(uids) => uids.into_iter().filter(|uid| wanted(*uid)).collect(),
            Vanished::AllMissing => missing_of(view, known),
        };
        if !vanished.is_empty() {
            out.vanished(true, &vanished);
        }
        for message in changes.changed.iter().filter(|message| wanted(message.uid)) {
            if let Some(number) = view.number(message.uid) {
                let mut fetch = out.fetch(number);
                fetch.uid(message.uid);
                fetch.flag_names(flag_names(message, &names, view.recent.contains(&message.uid)).into_iter());
                fetch.modseq(message.modseq);
                fetch.end();
            }
        }
    }

    /// CLOSE expunges (RFC 3501 §6.4.2), UNSELECT does not (RFC 3691).
    pub(crate) fn close(&mut self, expunge: bool) -> Outcome {
        let Some(view) = self.leave_view() else { return Ok(Reply::ok("Close completed.")) };
        self.renew_watch_list();
        if expunge && !view.read_only {
            let deleted: Vec<u32> = view.folder.read(|contents| {
                let deleted = contents.messages().iter().filter(|message| message.flags.has(Flags::DELETED));
                deleted.map(|message| message.uid).filter(|uid| view.number(*uid).is_some()).collect()
            });
            if !deleted.is_empty() {
                if !view.rights.has(Right::Expunge) {
                    return Ok(Reply::ok("Closed without expunging: Permission denied."));
                }
                view.folder.expunge_deleted(&deleted, clock::now_us())?;
            }
        }
        Ok(Reply::ok(if expunge { "Close completed." } else { "Unselect completed." }))
    }
}

/// No record is left: all UIDs that the client may know and that are not there.
fn missing_of(view: &View, known: &Qresync) -> Numbers {
    let next = view.folder.read(|contents| contents.summary().uid_next);
    let all = Numbers::from_ranges([(1, next.saturating_sub(1))]);
    let asked = known.known.clone().unwrap_or_else(|| all.clone()).intersection(&all);
    let mut ranges = Vec::new();
    for (first, last) in asked.ranges() {
        let mut from = *first;
        for (_, uid) in view.with_uids(&Numbers::from_ranges([(*first, *last)])) {
            if from < uid {
                ranges.push((from, uid - 1));
            }
            from = uid.saturating_add(1);
        }
        if from <= *last {
            ranges.push((from, *last));
        }
    }
    Numbers::from_ranges(ranges)
}

/// A mailbox that is not there can not be selected; Dovecot gives no code then.
fn missing(error: mailbox::store::MailError, mailbox: &MailboxName) -> Refused {
    match error {
        mailbox::store::MailError::NoFolder(_) => refused(
            Reply::no(format!("Mailbox doesn't exist: {}", mailbox.to_wire(false))).with(Code::NonExistent),
        ),
        error => error.into(),
    }
}
