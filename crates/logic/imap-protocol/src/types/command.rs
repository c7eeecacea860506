//! The commands of a client.

use acl::{Change, Identifier, Rights};

use crate::types::{
    DateTime, EntryName, Feature, FetchItem, FetchModifiers, Flags, ListRequest, MailboxName, Messages,
    MetadataOptions, NotifyRequest, Numbers, SearchRequest, SequenceSet, SortRequest, SpecialUse, StatusItem,
    StoreRequest, ThreadRequest,
};

/// One command, checked, but for the message of APPEND, which streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// RFC 3501 §6.1.1
    Capability,
    /// RFC 3501 §6.1.2
    Noop,
    /// RFC 3501 §6.1.3
    Logout,
    /// RFC 2971: what the client says of itself.
    Id(Vec<(Vec<u8>, Option<Vec<u8>>)>),
    /// RFC 3501 §6.2.1
    StartTls,
    /// RFC 3501 §6.2.2, RFC 4959
    Authenticate(Mechanism),
    /// RFC 3501 §6.2.3
    Login {
        /// Who.
        user: Vec<u8>,
        /// The secret.
        password: Vec<u8>,
    },
    /// RFC 5161: those that are known.
    Enable(Vec<Feature>),
    /// RFC 3501 §6.3.1, and EXAMINE, §6.3.2
    Select {
        /// Which.
        mailbox: MailboxName,
        /// Options.
        options: SelectOptions,
        /// EXAMINE
        read_only: bool,
    },
    /// RFC 3501 §6.3.3, RFC 6154 §3
    Create {
        /// Which; a separator at its end has gone.
        mailbox: MailboxName,
        /// What for.
        uses: Vec<SpecialUse>,
    },
    /// RFC 3501 §6.3.4
    Delete(MailboxName),
    /// RFC 3501 §6.3.5
    Rename(MailboxName, MailboxName),
    /// RFC 3501 §6.3.6
    Subscribe(MailboxName),
    /// RFC 3501 §6.3.7
    Unsubscribe(MailboxName),
    /// RFC 3501 §6.3.8
    List(ListRequest),
    /// RFC 3501 §6.3.9
    Lsub(ListRequest),
    /// RFC 3501 §6.3.10
    Status(MailboxName, Vec<StatusItem>),
    /// RFC 2342
    Namespace,
    /// RFC 2177
    Idle,
    /// RFC 3501 §6.4.1
    Check,
    /// RFC 3501 §6.4.2
    Close,
    /// RFC 3691
    Unselect,
    /// RFC 3501 §6.4.3; of these UIDs alone (RFC 4315 §2.1).
    Expunge(Option<SequenceSet>),
    /// RFC 3501 §6.4.4
    Search(SearchRequest),
    /// RFC 5256
    Sort(SortRequest),
    /// RFC 5256
    Thread(ThreadRequest),
    /// RFC 5267 §4.3.4: the tags of searches.
    CancelUpdate(Vec<String>),
    /// RFC 3501 §6.4.5
    Fetch {
        /// Of which messages.
        messages: Messages,
        /// What; at least one.
        items: Vec<FetchItem>,
        /// Which of them.
        modifiers: FetchModifiers,
    },
    /// RFC 3501 §6.4.6
    Store(StoreRequest),
    /// RFC 3501 §6.4.7
    Copy(Messages, MailboxName),
    /// RFC 6851
    Move(Messages, MailboxName),
    /// RFC 5464 §4.2
    GetMetadata {
        /// Of which; an empty name is the server.
        mailbox: MailboxName,
        /// How much.
        options: MetadataOptions,
        /// Which; at least one.
        entries: Vec<EntryName>,
    },
    /// RFC 5464 §4.3
    SetMetadata {
        /// Of which; an empty name is the server.
        mailbox: MailboxName,
        /// What becomes of which; without a value it goes.
        entries: Vec<(EntryName, Option<Vec<u8>>)>,
    },
    /// RFC 4314 §3.1
    SetAcl {
        /// Of which.
        mailbox: MailboxName,
        /// Whose rights; not everybody's.
        identifier: Identifier,
        /// What becomes of them.
        change: Change,
        /// With which.
        rights: Rights,
    },
    /// RFC 4314 §3.2
    DeleteAcl {
        /// Of which.
        mailbox: MailboxName,
        /// Whose rights.
        identifier: Identifier,
    },
    /// RFC 4314 §3.3
    GetAcl(MailboxName),
    /// RFC 4314 §3.4
    ListRights {
        /// Of which.
        mailbox: MailboxName,
        /// Of whom, as the client wrote it.
        identifier: Vec<u8>,
    },
    /// RFC 4314 §3.5
    MyRights(MailboxName),
    /// RFC 5465
    Notify(NotifyRequest),
    /// COMPRESS DEFLATE (RFC 4978)
    Compress,
    /// RFC 9208 §4.1.1
    GetQuota(Vec<u8>),
    /// RFC 9208 §4.1.2
    GetQuotaRoot(MailboxName),
}

/// How a client wants to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mechanism {
    /// In upper case.
    pub name: String,
    /// The initial response as it came, in base64; `=` is an empty one (RFC 4959 §3).
    pub initial: Option<Vec<u8>>,
}

/// Options of SELECT and EXAMINE (RFC 7162).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SelectOptions {
    /// `CONDSTORE`
    pub condstore: bool,
    /// `QRESYNC`
    pub qresync: Option<Qresync>,
}

/// What a client knows of a mailbox (RFC 7162 §3.2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qresync {
    /// The UIDVALIDITY it knows.
    pub uid_validity: u32,
    /// The highest MODSEQ it knows.
    pub modseq: u64,
    /// The UIDs it knows.
    pub known: Option<Numbers>,
    /// Sequence numbers and UIDs that went together then.
    pub matching: Option<(Numbers, Numbers)>,
}

/// One message of APPEND.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Append {
    /// Its flags.
    pub flags: Flags,
    /// Its date.
    pub date: Option<DateTime>,
}

/// What a message of APPEND is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A literal that follows.
    Literal {
        /// How long.
        bytes: u64,
        /// The client waits to be told to go on.
        waits: bool,
        /// `~{...}`: it may hold NULs (RFC 3516).
        binary: bool,
    },
    /// Another message of this server (RFC 4469).
    Url(Vec<u8>),
}

impl Command {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Capability => "CAPABILITY",
            Self::Noop => "NOOP",
            Self::Logout => "LOGOUT",
            Self::Id(_) => "ID",
            Self::StartTls => "STARTTLS",
            Self::Authenticate(_) => "AUTHENTICATE",
            Self::Login { .. } => "LOGIN",
            Self::Enable(_) => "ENABLE",
            Self::Select { read_only: false, .. } => "SELECT",
            Self::Select { read_only: true, .. } => "EXAMINE",
            Self::Create { .. } => "CREATE",
            Self::Delete(_) => "DELETE",
            Self::Rename(..) => "RENAME",
            Self::Subscribe(_) => "SUBSCRIBE",
            Self::Unsubscribe(_) => "UNSUBSCRIBE",
            Self::List(_) => "LIST",
            Self::Lsub(_) => "LSUB",
            Self::Status(..) => "STATUS",
            Self::Namespace => "NAMESPACE",
            Self::Idle => "IDLE",
            Self::Check => "CHECK",
            Self::Close => "CLOSE",
            Self::Unselect => "UNSELECT",
            Self::Expunge(_) => "EXPUNGE",
            Self::Search(_) => "SEARCH",
            Self::Sort(_) => "SORT",
            Self::Thread(_) => "THREAD",
            Self::Fetch { .. } => "FETCH",
            Self::Store(_) => "STORE",
            Self::Copy(..) => "COPY",
            Self::Move(..) => "MOVE",
            Self::CancelUpdate(_) => "CANCELUPDATE",
            Self::GetMetadata { .. } => "GETMETADATA",
            Self::SetMetadata { .. } => "SETMETADATA",
            Self::SetAcl { .. } => "SETACL",
            Self::DeleteAcl { .. } => "DELETEACL",
            Self::GetAcl(_) => "GETACL",
            Self::ListRights { .. } => "LISTRIGHTS",
            Self::MyRights(_) => "MYRIGHTS",
            Self::Notify(_) => "NOTIFY",
            Self::Compress => "COMPRESS",
            Self::GetQuota(_) => "GETQUOTA",
            Self::GetQuotaRoot(_) => "GETQUOTAROOT",
        }
    }

    /// Does it need a selected mailbox?
    pub fn needs_mailbox(&self) -> bool {
        matches!(
            self,
            Self::Check
                | Self::Close
                | Self::Unselect
                | Self::Expunge(_)
                | Self::Search(_)
                | Self::Sort(_)
                | Self::Thread(_)
                | Self::CancelUpdate(_)
                | Self::Fetch { .. }
                | Self::Store(_)
                | Self::Copy(..)
                | Self::Move(..)
        )
    }

    /// May messages vanish while it is answered? Not where sequence numbers are in use (RFC 3501 §7.4.1).
    pub fn permits_expunge(&self) -> bool {
        match self {
            Self::Fetch { messages, .. } | Self::Copy(messages, _) => messages.uid,
            Self::Store(store) => store.messages.uid,
            Self::Search(search) => search.uid,
            Self::Sort(sort) => sort.uid,
            Self::Thread(thread) => thread.uid,
            _ => true,
        }
    }
}
