//! One file a command, or a family of commands.

pub(crate) mod select;
pub(crate) mod folders;
pub(crate) mod list;
pub(crate) mod status;
pub(crate) mod append;
pub(crate) mod fetch;
pub(crate) mod store;
pub(crate) mod copy;
pub(crate) mod expunge;
pub(crate) mod search;
pub(crate) mod sort;
pub(crate) mod quota;
pub(crate) mod metadata;
pub(crate) mod acl;
pub(crate) mod notify;
