//! The nouns of the protocol: values that can not be anything the grammar forbids.

mod flag;
mod name;
mod sequence;
mod date;
mod section;
mod fetch;
mod store;
mod search;
mod sort;
mod status;
mod list;
mod metadata;
mod notify;
mod capability;
mod reply;
mod command;

pub use capability::{Capability, Feature};
pub use command::{Append, Body, Command, Mechanism, Qresync, SelectOptions};
pub use date::{Date, DateTime};
pub use fetch::{FetchItem, FetchModifiers, Messages};
pub(crate) use flag::is_astring;
pub use flag::{Flag, Flags, Keyword};
pub use list::{ListRequest, ListReturn, ListSelection, MailboxAttribute, Pattern, SpecialUse};
pub use metadata::{Depth, EntryName, MetadataOptions};
pub use name::{BadName, MailboxName};
pub use notify::{
    EventGroup, EventName, Events, MailboxFilter, MessageEvents, NotifyRequest, NotifySet, SelectedEvents,
};
pub use reply::{Code, Condition, Reply, Text};
pub use search::{Comparator, SearchKey, SearchRequest, SearchResult};
pub use section::{Partial, Section, SectionText};
pub use sequence::{Numbers, SequenceSet};
pub use sort::{Algorithm, SortCriterion, SortKey, SortRequest, ThreadRequest};
pub use status::StatusItem;
pub use store::{Change, StoreRequest};
