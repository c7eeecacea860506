//! The face of spawnd: takes requests, looks ids up, passes orders on to the zygote.

use std::collections::VecDeque;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::path::PathBuf;

use attributes::Attributes;
use parameters::Config;
use reactor::{EventLoop, Fate, Handler, HandlerId, Readiness};
use services::residents::{SessionRequest, Setup as ResidentSetup};
use services::spawn::CourierRequest;
use sys::descriptors;
use sys::sockets::{Peer, Socket};
use worker::{Clients, Service, Setup, StartError, mailbox_settings};

use crate::ZYGOTE;
use crate::owner::{NoCourier, Owners};
use crate::residents::Residents;
use crate::zygote::refuse;

/// No request is longer, in bytes.
const REQUEST_LIMIT_BYTES: usize = 128 * 1024;

/// The service.
pub(crate) struct Spawnd {
    pub(crate) owners: Owners,
    pub(crate) residents: Residents,
    clients: Clients,
    /// Another spawnd has come: residents are dismissed at the end of the turn.
    is_leaving: bool,
}

impl Service for Spawnd {
    const PROGRAM: &'static str = "spawnd";
    const POOL_THREADS: usize = 4;

    fn open(setup: &Setup) -> Result<Self, StartError> {
        let zygote = ZYGOTE.get().ok_or_else(|| StartError::Refused("there is no zygote".to_owned()))?;
        let authd = setup.private_socket(&setup.config.get(&parameters::AUTHD_SERVICE_NAME));
        Ok(Self {
            owners: Owners::new(&setup.config, zygote.is_root),
            residents: Residents::new(authd, resident_setup(&setup.config)?),
            clients: Clients::default(),
            is_leaving: false,
        })
    }

    fn start(&mut self, _setup: &Setup, events: &mut EventLoop<Self>) -> Result<(), StartError> {
        let failed = |source| StartError::Step { step: "bind the zygote", source };
        let zygote = ZYGOTE.get().ok_or_else(|| StartError::Refused("there is no zygote".to_owned()))?;
        descriptors::send(&zygote.orders, &self.owners.bounds().to_bytes(), &[]).map_err(failed)?;
        events.add(Box::new(ZygoteWatch(&zygote.orders))).map_err(failed)?;
        Ok(())
    }

    fn accepted(&mut self, socket: Socket, _peer: Peer, _listener: usize, events: &mut EventLoop<Self>) {
        self.clients.welcome(events.add(Box::new(Session {
            socket,
            input: Vec::new(),
            lines: VecDeque::new(),
        })));
    }

    /// Residents finish what they have; they end with this process.
    fn sessions(&self) -> usize {
        self.clients.here() + self.residents.population()
    }

    fn served(&self) -> u64 {
        self.clients.come()
    }

    fn draining(&mut self, _events: &mut EventLoop<Self>) {
        self.is_leaving = true;
    }

    fn stopping(&mut self, events: &mut EventLoop<Self>) {
        self.residents.stop_all();
        self.end_parked(events);
    }

    fn turn_ends(&mut self, _events: &mut EventLoop<Self>) {
        if std::mem::take(&mut self.is_leaving) {
            self.residents.dismiss_all();
        }
    }
}

fn resident_setup(config: &Config) -> Result<ResidentSetup, StartError> {
    let index_directory = config.get(&parameters::MAILBOX_INDEX_DIRECTORY);
    Ok(ResidentSetup {
        base: PathBuf::new(),
        folders: None,
        index_directory: Some(PathBuf::from(index_directory)).filter(|path| path.is_absolute()),
        global_acl: Some(config.get(&parameters::IMAPD_ACL_GLOBAL))
            .filter(|path| !path.is_empty())
            .map(PathBuf::from),
        no_new_privileges: config.get(&parameters::PROCESS_NO_NEW_PRIVS_ENABLE),
        landlock: config.get(&parameters::PROCESS_LANDLOCK_ENABLE),
        seccomp: config.get(&parameters::PROCESS_SECCOMP_ENABLE),
        follow_links: config.get(&parameters::VIRTUAL_MAILBOX_FOLLOW_LINKS),
        locks: mailbox_settings::locks(config, &parameters::VIRTUAL_MAILBOX_LOCK)?,
    })
}

/// Notices when the zygote dies; then spawnd ends, and master starts a new one.
struct ZygoteWatch(&'static OwnedFd);

impl Handler<Spawnd> for ZygoteWatch {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.0.as_raw_fd())
    }

    fn ready(&mut self, how: Readiness, _: &mut Spawnd, _: &mut EventLoop<Spawnd>, _: HandlerId) -> Fate {
        if how.closed {
            log::error!(target: maillog::FATAL, "the zygote has ended");
            maillog::flush();
            std::process::exit(1);
        }
        Fate::Keep
    }
}

/// One delivery agent.
struct Session {
    socket: Socket,
    input: Vec<u8>,
    /// The couriers' ends of the lines that came with requests.
    lines: VecDeque<OwnedFd>,
}

impl Handler<Spawnd> for Session {
    fn descriptor(&self) -> Option<RawFd> {
        Some(self.socket.as_raw_fd())
    }

    fn ready(
        &mut self,
        _: Readiness,
        spawnd: &mut Spawnd,
        events: &mut EventLoop<Spawnd>,
        _: HandlerId,
    ) -> Fate {
        let mut buffer = [0; 8192];
        loop {
            match descriptors::receive(self.socket.as_fd(), &mut buffer) {
                Ok(received) if received.length == 0 => return Fate::Close,
                Ok(received) => {
                    self.input.extend_from_slice(&buffer[..received.length]);
                    self.lines.extend(received.files);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Fate::Keep,
                Err(_) => return Fate::Close,
            }
            if self.obey(spawnd, events) == Fate::Close {
                return Fate::Close;
            }
        }
    }

    fn ended(&mut self, spawnd: &mut Spawnd, _events: &mut EventLoop<Spawnd>) {
        spawnd.clients.gone();
    }
}

impl Session {
    fn obey(&mut self, spawnd: &mut Spawnd, events: &mut EventLoop<Spawnd>) -> Fate {
        loop {
            let (message, length) = match Attributes::decode(&self.input) {
                Ok(Some(whole)) => whole,
                Ok(None) if self.input.len() <= REQUEST_LIMIT_BYTES => return Fate::Keep,
                Ok(None) | Err(_) => return Fate::Close,
            };
            self.input.drain(..length);
            if SessionRequest::is_one(&message) {
                let (Ok(request), Some(client)) =
                    (SessionRequest::from_attributes(&message), self.lines.pop_front())
                else {
                    return Fate::Close;
                };
                spawnd.admit(request, client, events);
                continue;
            }
            let (Ok(request), Some(line)) =
                (CourierRequest::from_attributes(&message), self.lines.pop_front())
            else {
                return Fate::Close;
            };
            spawnd.order(&request, &line);
        }
    }
}

impl Spawnd {
    fn order(&self, request: &CourierRequest, line: &OwnedFd) {
        let sent = match self.owners.order(request) {
            Ok(order) => ZYGOTE
                .get()
                .map(|zygote| descriptors::send(&zygote.orders, &order.to_bytes(), &[line.as_fd()])),
            Err(reason) => return refuse(line, &reason.to_string(), reason.is_lasting()),
        };
        if let Some(Err(error)) = sent {
            refuse(line, &format!("order a courier: {error}"), false);
        }
    }
}

impl NoCourier {
    /// Will it be the same until somebody changes a table?
    fn is_lasting(&self) -> bool {
        !matches!(self, Self::Database { .. } | Self::Mailbox(rewriting::NoMailbox::Stop(_)))
    }
}
