//! One connection.

use attributes::Attributes;
use reactor::channel::{Line, Talk};
use reactor::{EventLoop, Fate};

use crate::service::TrivialRewrite;

/// A connection; each request is answered at once.
pub(crate) struct Session;

impl Talk<TrivialRewrite> for Session {
    fn message(
        &mut self,
        request: Attributes,
        program: &mut TrivialRewrite,
        line: &mut Line<'_, TrivialRewrite>,
    ) -> Fate {
        if worker::is_behind(program) {
            // The next one answers, with the tables as they are now.
            return Fate::Close;
        }
        match program.answer(&request) {
            Ok(answer) => {
                line.send(&answer);
                Fate::Keep
            }
            Err(error) => {
                log::warn!("malformed request: {error}");
                Fate::Close
            }
        }
    }

    fn ended(&mut self, program: &mut TrivialRewrite, _events: &mut EventLoop<TrivialRewrite>) {
        program.clients.gone();
    }
}
