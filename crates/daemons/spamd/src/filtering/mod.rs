//! spamd as a filter of a mail server (milter): what it gets is judged, marked, or refused.

mod decide;
mod session;

pub(crate) use decide::Policy;
pub(crate) use session::Milter;
