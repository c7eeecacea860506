//! What a session that has logged in holds, and how it carries out what its machine asks.
//!
//! All of it runs on pool threads: a state is moved there with a question and comes back with the answer.

use std::sync::Arc;

use imap_protocol::session::{Answer, AppendStep, Done};
use imap_protocol::types::{Code, Command, Condition, Feature, MailboxName, Numbers, Reply, SpecialUse};
use imap_protocol::write::Out;
use mailbox::store::{FolderName, MailError, Store};
use sys::clock;

use crate::command::append::Appending;
use crate::command::fetch::Fetching;
use crate::fresh::Fresh;
use crate::notify::{Changed, Notifying};
use crate::refusal::{Refused, refused};
use crate::updates::Update;
use crate::view::{News, ParkedView, View};

/// What is the same for all sessions of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    /// Between the levels of a name.
    pub(crate) separator: char,
    /// What mailboxes of these names are for (RFC 6154).
    pub(crate) special_uses: Vec<(String, SpecialUse)>,
    /// So many mailboxes are watched for a session.
    pub(crate) notified_mailboxes: usize,
    /// Lists of rights (RFC 4314) bind the owner of the mailboxes; else nobody looks at them.
    pub(crate) counts_rights: bool,
    /// Rights may be given to everybody.
    pub(crate) permits_anyone: bool,
}

/// What the client has enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Features {
    pub(crate) condstore: bool,
    pub(crate) qresync: bool,
    /// `UTF8=ACCEPT` (RFC 6855)
    pub(crate) utf8: bool,
    /// `IMAP4rev2` (RFC 9051): nothing is `\Recent`, SEARCH is answered by ESEARCH.
    pub(crate) rev2: bool,
}

impl Features {
    /// Names are UTF-8 on the wire.
    pub(crate) fn utf8_names(self) -> bool {
        self.utf8 || self.rev2
    }
}

/// A session.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) site: Arc<Site>,
    /// Who has logged in: the owner of the mailboxes.
    pub(crate) user: String,
    /// The groups the user is in, as lists of rights name them.
    pub(crate) groups: Vec<String>,
    pub(crate) store: Arc<Store>,
    pub(crate) features: Features,
    pub(crate) view: Option<View>,
    /// The UIDs that `$` stands for (RFC 5182).
    pub(crate) saved: Numbers,
    /// Searches that are kept up to date.
    pub(crate) updates: Vec<Update>,
    /// What the client hears of without asking; none: nobody has said anything about that.
    pub(crate) notify: Option<Box<Notifying>>,
    /// New messages that are to be sent.
    pub(crate) fresh: Vec<Fresh>,
    pub(crate) fetching_fresh: Option<Box<Fetching>>,
    fetching: Option<Box<Fetching>>,
    appending: Option<Box<Appending>>,
    /// The view of a session that was parked, until it is opened again.
    pub(crate) resumes: Option<Box<ParkedView>>,
}

/// How a command ended, if it did not fail.
pub(crate) type Outcome = Result<Reply, Refused>;

impl State {
    /// A session in nobody's mailbox yet.
    pub(crate) fn new(site: Arc<Site>, user: String, store: Arc<Store>) -> Self {
        let features = Features::default();
        Self {
            site,
            user,
            groups: Vec::new(),
            store,
            features,
            view: None,
            saved: Numbers::default(),
            updates: Vec::new(),
            notify: None,
            fresh: Vec::new(),
            fetching_fresh: None,
            fetching: None,
            appending: None,
            resumes: None,
        }
    }

    /// The same for a user who is in these groups, which have commas between them.
    pub(crate) fn in_groups(self, groups: &str) -> Self {
        let groups = groups.split(',').map(str::trim).filter(|group| !group.is_empty());
        Self { groups: groups.map(str::to_owned).collect(), ..self }
    }

    /// Is a command half done?
    pub(crate) fn has_unfinished(&self) -> bool {
        self.fetching.is_some() || self.appending.is_some() || self.fetching_fresh.is_some()
    }

    /// Carries out a command, or its beginning.
    pub(crate) fn run(&mut self, tag: &str, command: Command) -> Answer {
        let mut out = self.out();
        let news = News { expunges: command.permits_expunge(), uid: names_uids(&command), ..News::default() };
        if let Command::Fetch { messages, items, modifiers } = command {
            return match Fetching::begin(self, messages, items, modifiers, &mut out) {
                Ok(fetching) => {
                    self.fetching = Some(Box::new(fetching));
                    self.fetch_on(out)
                }
                Err(refused) => self.done(out, Err(refused)),
            };
        }
        let outcome = self.perform(tag, command, news, &mut out);
        self.done(out, outcome)
    }

    /// For responses.
    fn out(&self) -> Out {
        Out::new(self.features.utf8_names())
    }

    fn perform(&mut self, tag: &str, command: Command, news: News, out: &mut Out) -> Outcome {
        match command {
            Command::Noop => self.noop("NOOP completed.", news, out),
            Command::Check => self.noop("Check completed.", news, out),
            Command::Enable(features) => Ok(self.enable(&features, out)),
            Command::Select { mailbox, options, read_only } => {
                self.select(&mailbox, &options, read_only, out)
            }
            Command::Close => self.close(true),
            Command::Unselect => self.close(false),
            Command::Create { mailbox, uses } => self.create(&mailbox, &uses),
            Command::Delete(mailbox) => self.delete(&mailbox, out),
            Command::Rename(from, to) => self.rename(&from, &to),
            Command::Subscribe(mailbox) => self.subscribe(&mailbox, true),
            Command::Unsubscribe(mailbox) => self.subscribe(&mailbox, false),
            Command::List(request) => self.list(&request, out),
            Command::Lsub(request) => self.lsub(&request, out),
            Command::Status(mailbox, items) => self.status(&mailbox, &items, out),
            Command::Namespace => {
                out.namespace(self.site.separator);
                Ok(Reply::ok("Namespace completed."))
            }
            Command::GetQuota(root) => self.get_quota(&root, out),
            Command::GetQuotaRoot(mailbox) => self.get_quota_root(&mailbox, out),
            Command::Notify(request) => self.notify(request, out),
            Command::CancelUpdate(tags) => self.cancel_updates(&tags),
            Command::GetMetadata { mailbox, options, entries } => {
                self.get_metadata(&mailbox, options, &entries, out)
            }
            Command::SetMetadata { mailbox, entries } => self.set_metadata(&mailbox, &entries),
            Command::SetAcl { mailbox, identifier, change, rights } if self.site.counts_rights => {
                self.set_acl(&mailbox, &identifier, change, rights)
            }
            Command::DeleteAcl { mailbox, identifier } if self.site.counts_rights => {
                self.delete_acl(&mailbox, &identifier)
            }
            Command::GetAcl(mailbox) if self.site.counts_rights => self.get_acl(&mailbox, out),
            Command::ListRights { mailbox, identifier } if self.site.counts_rights => {
                Self::list_rights(&mailbox, &identifier, out)
            }
            Command::MyRights(mailbox) if self.site.counts_rights => self.my_rights(&mailbox, out),
            Command::Expunge(set) => self.expunge(set.as_ref(), out),
            Command::Store(request) => self.store_flags(&request, out),
            Command::Copy(messages, mailbox) => self.copy(&messages, &mailbox, out),
            Command::Move(messages, mailbox) => self.move_messages(&messages, &mailbox, out),
            Command::Search(request) => self.search(tag, &request, out),
            Command::Sort(request) => self.sort(tag, &request, out),
            Command::Thread(request) => self.thread(&request, out),
            other => Ok(Reply::bad(format!("Error in IMAP command {}: Unknown command", other.name()))),
        }
    }

    fn noop(&mut self, text: &'static str, news: News, out: &mut Out) -> Outcome {
        self.tell(news, out)?;
        Ok(Reply::ok(text))
    }

    /// Goes on with the command that is going on.
    pub(crate) fn more(&mut self) -> Answer {
        self.fetch_on(self.out())
    }

    fn fetch_on(&mut self, mut out: Out) -> Answer {
        let Some(mut fetching) = self.fetching.take() else {
            return self.done(out, Ok(Reply::ok("Fetch completed.")));
        };
        match fetching.go_on(self, &mut out) {
            Ok(None) => {
                self.fetching = Some(fetching);
                Answer::More(out.into_bytes())
            }
            Ok(Some(reply)) => self.done(out, Ok(reply)),
            Err(refused) => self.done(out, Err(refused)),
        }
    }

    fn done(&mut self, mut out: Out, outcome: Outcome) -> Answer {
        let reply = match outcome {
            Err(Refused::Deleted) => return self.deleted(),
            outcome => outcome.unwrap_or_else(Refused::reply),
        };
        let reply = self.with_modseq(reply, &mut out);
        let (selected, utf8) = (self.view.is_some(), self.features.utf8_names());
        let (hears, news) = (self.hears(), self.has_news());
        Answer::Done(Box::new(Done { untagged: out.into_bytes(), reply, selected, utf8, hears, news }))
    }

    fn deleted(&mut self) -> Answer {
        self.leave_view();
        Answer::Gone("Selected mailbox was deleted, have to disconnect.".to_owned())
    }

    /// RFC 7162 §3.2.7: with QRESYNC the client learns up to where it knows everything.
    fn with_modseq(&mut self, reply: Reply, out: &mut Out) -> Reply {
        if !self.features.qresync {
            return reply;
        }
        let Some(highest) = self.view.as_mut().and_then(View::untold_modseq) else { return reply };
        let code = Code::HighestModSeq(highest);
        if reply.condition == Condition::Ok && reply.code.is_none() {
            return reply.with(code);
        }
        out.untagged(&Reply::ok("Highest").with(code));
        reply
    }

    /// CONDSTORE is on from now on (RFC 7162 §3.1).
    pub(crate) fn enable_condstore(&mut self, out: &mut Out) {
        if std::mem::replace(&mut self.features.condstore, true) {
            return;
        }
        if let Some(view) = &self.view {
            let highest = view.folder.read(|contents| contents.summary().highest_modseq);
            out.untagged(&Reply::ok("Highest").with(Code::HighestModSeq(highest)));
        }
    }

    /// What is new, for a client that idles or wants to hear of it between commands.
    pub(crate) fn changes(&mut self, changed: Changed, idle: bool) -> Answer {
        let mut out = self.out();
        let told = self.tell_changes(changed, idle, &mut out);
        if let Some(view) = &self.view {
            // It may be long until something happens.
            view.folder.rest();
        }
        match told {
            Ok(true) => Answer::MoreChanges(out.into_bytes()),
            Ok(false) | Err(Refused::Reply(_)) => Answer::Changes(out.into_bytes()),
            Err(Refused::Deleted) => self.deleted(),
            Err(Refused::Mail(error)) => {
                log::warn!("{error}");
                Answer::Changes(out.into_bytes())
            }
        }
    }

    /// What is new in a mailbox that has just been synced, for a client that idles. [`State::changes`] comes after it, with a watch.
    pub(crate) fn first_changes(&mut self) -> Answer {
        let mut out = self.out();
        // What can not be told now is told then.
        let _ = self.tell_synced(&News { expunges: true, ..News::default() }, &mut out);
        Answer::Changes(out.into_bytes())
    }

    /// True when there is more.
    fn tell_changes(&mut self, changed: Changed, idle: bool, out: &mut Out) -> Result<bool, Refused> {
        // Sequence numbers stay while messages are being sent.
        if self.fetching_fresh.is_none() {
            // RFC 3501 §7.4.1: not between commands, unless the client wants it so.
            let at_once = self.notify.as_ref().is_some_and(|notify| !notify.delays_expunges());
            self.tell(News { expunges: idle || at_once, ..News::default() }, out)?;
            self.tell_mailboxes(changed, out)?;
        } else if let Some(notify) = &mut self.notify {
            notify.put_off(changed);
        }
        Ok(self.write_fresh(out)? || self.has_news())
    }

    /// Carries out a step of APPEND.
    pub(crate) fn append(&mut self, step: AppendStep) -> Answer {
        match step {
            AppendStep::Commit => {
                let mut out = self.out();
                let appending = self.appending.take();
                let outcome = match appending {
                    Some(appending) => self.commit(*appending, &mut out),
                    None => Ok(Reply::no("There is nothing to append.")),
                };
                self.done(out, outcome)
            }
            AppendStep::Abort => {
                self.appending = None;
                Answer::Proceed
            }
            AppendStep::Open { mailbox, replaced } => {
                self.appending = None;
                self.answer_step(|state| {
                    state.appending = Some(Box::new(state.begin_append(&mailbox, replaced.as_ref())?));
                    Ok(())
                })
            }
            step => self.answer_step(|state| {
                let Some(mut appending) = state.appending.take() else { return Ok(()) };
                let outcome = appending.step(state, step);
                state.appending = Some(appending);
                outcome
            }),
        }
    }

    fn answer_step(&mut self, step: impl FnOnce(&mut Self) -> Result<(), Refused>) -> Answer {
        match step(self) {
            Ok(()) => Answer::Proceed,
            Err(refused) => Answer::Refused(refused.reply()),
        }
    }

    fn enable(&mut self, features: &[Feature], out: &mut Out) -> Reply {
        let mut enabled = Vec::new();
        for feature in features {
            match feature {
                Feature::CondStore => self.enable_condstore(out),
                Feature::QResync => {
                    self.enable_condstore(out);
                    self.features.qresync = true;
                }
                Feature::Utf8Accept => self.features.utf8 = true,
                Feature::Imap4Rev2 => self.enable_rev2(),
            }
            if !enabled.contains(feature) {
                enabled.push(*feature);
            }
        }
        if !enabled.is_empty() {
            out.enabled(&enabled);
        }
        Reply::ok("Enabled.")
    }

    /// RFC 9051 §2.3.2: `\Recent` is no more.
    fn enable_rev2(&mut self) {
        self.features.rev2 = true;
        if let Some(view) = &mut self.view {
            view.forget_recent();
        }
    }

    /// Looks what others did to the selected mailbox, and tells the client.
    pub(crate) fn tell(&mut self, news: News, out: &mut Out) -> Result<(), Refused> {
        let Some(view) = &self.view else { return Ok(()) };
        match view.folder.sync(clock::now_us()) {
            Err(MailError::NoFolder(_)) => return Err(Refused::Deleted),
            Err(MailError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                return Err(Refused::Deleted);
            }
            outcome => outcome?,
        }
        if self.updates.is_empty() {
            return self.tell_synced(&news, out);
        }
        let (going, changed) = view.pending(&news);
        let last = view.uids.last().copied().unwrap_or(0);
        if news.expunges {
            self.update_gone(&going, out);
        }
        self.tell_synced(&news, out)?;
        self.update_changed(&changed, last, &news, out)
    }

    fn tell_synced(&mut self, news: &News, out: &mut Out) -> Result<(), Refused> {
        let features = self.features;
        let Some(view) = &mut self.view else { return Ok(()) };
        view.tell(news, features, out)?;
        let fresh = view.take_fresh();
        let items = self.notify.as_ref().map(|notify| notify.fetch().to_vec()).unwrap_or_default();
        self.send_fresh(fresh, &items);
        Ok(())
    }

    /// The selected mailbox.
    pub(crate) fn selected(&mut self) -> Result<&mut View, Refused> {
        self.view.as_mut().ok_or_else(|| refused(Reply::bad("No mailbox selected")))
    }

    /// The name of a folder.
    pub(crate) fn folder_name(&self, name: &MailboxName) -> Result<FolderName, Refused> {
        crate::refusal::folder_name(name, self.site.separator)
    }
}

/// Did the command name messages by UID, so that answers have UIDs?
fn names_uids(command: &Command) -> bool {
    match command {
        Command::Store(request) => request.messages.uid,
        Command::Copy(messages, _) | Command::Move(messages, _) => messages.uid,
        _ => false,
    }
}
