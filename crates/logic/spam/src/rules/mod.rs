//! The language of the rules: from lines of `.cf` and `.pre` files to rules and settings.

mod arguments;
mod asking;
mod authenticity;
mod condition;
mod configuration;
mod defining;
mod definition;
mod expression;
mod flags;
mod learning;
mod listing;
mod lists;
mod loader;
mod networks;
mod old_names;
mod plugins;
mod problem;
mod replacement;
mod reporting;
mod scanning;
mod settings;
mod statement;

pub use asking::Asking;
pub(crate) use asking::{AskDns, UriList, UriSubject};
pub use authenticity::Authenticity;
pub(crate) use authenticity::SignerList;
pub use configuration::{Configuration, Scores};
pub use definition::{Definition, HeaderTest, Kind, MimeTest, Stage};
pub(crate) use expression::Expression;
pub use flags::Flags;
pub(crate) use lists::matches_glob;
pub use lists::{AddressList, RelayList};
pub use loader::{Loader, Step, Surroundings};
pub use networks::Networks;
pub use problem::{Fault, Problem};
pub use settings::{Awl, FreeMail, Settings, TokenSources, TxRep};
