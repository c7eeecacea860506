//! One client: one request, one status.

use std::sync::Arc;

use attributes::Attributes;
use reactor::channel::{Line, Talk};
use reactor::{EventLoop, Fate, Handler, HandlerId, Letter};
use services::flush::{Request, Status};

use crate::service::Flush;

/// The talk of one connection.
pub(crate) struct Session;

impl Talk<Flush> for Session {
    fn message(&mut self, message: Attributes, flush: &mut Flush, line: &mut Line<'_, Flush>) -> Fate {
        let request = match Request::from_attributes(&message) {
            Ok(request) => request,
            Err(error) => {
                log::warn!("bad request: {error}");
                line.send(&answer(Status::BadRequest));
                return Fate::Close;
            }
        };
        let settings = Arc::clone(&flush.settings);
        match line.events.offload(line.me, move || settings.perform(&request)) {
            Ok(()) => Fate::Keep,
            Err(full) => {
                log::warn!("{full}");
                line.send(&answer(Status::Failed));
                Fate::Close
            }
        }
    }

    fn letter(&mut self, letter: Letter, _: &mut Flush, line: &mut Line<'_, Flush>) -> Fate {
        let status = letter.downcast::<Status>().map_or(Status::Failed, |status| *status);
        line.send(&answer(status));
        Fate::Close
    }

    fn ended(&mut self, flush: &mut Flush, _: &mut EventLoop<Flush>) {
        flush.clients.gone();
    }
}

fn answer(status: Status) -> Attributes {
    Attributes::new().with("status", status.number())
}

/// Takes the result of a request that nobody made.
pub(crate) struct Desk;

impl Handler<Flush> for Desk {
    fn letter(&mut self, _: Letter, _: &mut Flush, _: &mut EventLoop<Flush>, _: HandlerId) -> Fate {
        Fate::Close
    }

    fn ended(&mut self, flush: &mut Flush, _: &mut EventLoop<Flush>) {
        flush.clients.gone();
    }
}
