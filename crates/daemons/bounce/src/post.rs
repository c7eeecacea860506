//! A report on its way into the queue.

use cleanup::Recipient;
use posting::{Letter, PostError, Poster, moment};
use queue::Queue;
use queue_format::QueueId;

use crate::prepare::Report;

/// Queues a report; on `Ok` it is on disk. `None`: the site's own checks threw it away.
pub(crate) fn post(poster: &Poster, queue: &Queue, report: &Report) -> Result<Option<QueueId>, PostError> {
    let letter = Letter {
        sender: report.sender.clone(),
        recipients: vec![Recipient { address: report.recipient.clone(), ..Recipient::default() }],
        send_options: report.send_options,
        // Above the other headers, where a reader expects the time of a report, not below, where cleanup adds what is missing.
        head: format!("Date: {}\n", moment(sys::clock::now_us()).to_header()),
        ..Letter::default()
    };
    poster.post(queue, &letter, &mut report.content.as_slice())
}
