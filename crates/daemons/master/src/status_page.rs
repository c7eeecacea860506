//! Tells whoever connects to `private/master-status` how every service is doing: `pillarbox status`.

use std::fmt::Write;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;

use reactor::{EventLoop, Fate, Handler, HandlerId, Readiness};
use sys::process::End;
use sys::sockets::{self, Socket};

use crate::service::Service;
use crate::supervisor::Master;

/// From the queue directory.
const SOCKET: &str = "private/master-status";

/// Answers each client with one page and closes.
pub(crate) struct StatusPage {
    socket: Socket,
}

impl StatusPage {
    /// Listens from now on.
    pub(crate) fn open(queue_directory: &Path, events: &mut EventLoop<Master>) -> io::Result<()> {
        let socket = sockets::listen_unix(&queue_directory.join(SOCKET))?;
        events.add(Box::new(Self { socket })).map(drop)
    }

    /// Removes the socket.
    pub(crate) fn close(queue_directory: &Path) {
        let _ = std::fs::remove_file(queue_directory.join(SOCKET));
    }
}

impl Handler<Master> for StatusPage {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.socket.as_raw_fd())
    }

    fn ready(&mut self, _: Readiness, master: &mut Master, _: &mut EventLoop<Master>, _: HandlerId) -> Fate {
        while let Ok((client, _)) = self.socket.accept() {
            // A page is far smaller than a socket's buffer: it fits, or the client is not there any more.
            let _ = client.write(page(master).as_bytes());
        }
        Fate::Keep
    }
}

fn page(master: &Master) -> String {
    let mut page =
        String::from("service                        workers  sessions     served  restarts  last failure\n");
    for service in master.services.values() {
        let sum = |of: fn(&worker::protocol::Status) -> u64| -> u64 {
            service.workers.iter().map(|worker| of(&worker.status)).sum()
        };
        let _ = writeln!(
            page,
            "{:<30} {:>7} {:>9} {:>10} {:>9}  {}",
            service.full_name(),
            service.workers.len(),
            sum(|status| status.sessions),
            sum(|status| status.served),
            service.restarts,
            last_failure(service),
        );
    }
    page
}

fn last_failure(service: &Service) -> String {
    match service.last_failure {
        None => "-".to_owned(),
        Some(End::Exited(status)) => format!("exit status {status}"),
        Some(End::Killed(signal)) => format!("killed by signal {signal}"),
    }
}
