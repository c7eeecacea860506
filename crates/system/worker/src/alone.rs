//! A daemon without master: for one client, on behalf of the user who started it (`sendmail -bs`).

use std::path::PathBuf;

use parameters::Config;
use reactor::EventLoop;
use sys::sockets::{Peer, Socket};

use crate::{Arguments, Service, Setup, StartError, configuration, privilege, serve};

/// Reads main.cf and opens the log, as master would have.
///
/// # Errors
/// [`StartError`].
pub fn set_up<S: Service>(arguments: Arguments) -> Result<Setup, StartError> {
    sys::signals::ignore_broken_pipes();
    let setup = crate::set_up::<S>(arguments)?;
    let tag = format!("{}/{}", setup.config.get(&parameters::SYSLOG_NAME), S::PROGRAM);
    configuration::open_log(&setup.config, tag);
    Ok(setup)
}

/// Does this process run as `mail_owner`? Then it has the queue and the tables; anybody else has not.
pub fn is_mail_owner(config: &Config) -> bool {
    let owner = sys::users::user(&config.get(&parameters::MAIL_OWNER)).ok().flatten();
    owner.is_some_and(|owner| owner.uid == sys::ids::real_uid() && owner.uid != 0)
}

/// The program of this name in `command_directory`.
pub fn command(config: &Config, name: &str) -> PathBuf {
    PathBuf::from(config.get(&parameters::COMMAND_DIRECTORY)).join(name)
}

/// Serves this client with all that the service does for those that master sends; returns when it has gone.
///
/// # Errors
/// [`StartError`]: the client was not served to the end.
pub fn serve_one<S: Service>(setup: &Setup, client: Socket) -> Result<(), StartError> {
    let mut service = S::open(setup)?;
    privilege::give_up(setup, S::PRIVILEGE, &crate::needs(&service))?;
    let step = |step| move |source| StartError::step(step, source);
    let mut events = EventLoop::new(S::POOL_THREADS).map_err(step("make the event loop"))?;
    service.start(setup, &mut events)?;
    service.accepted(client, Peer::Local, 0, &mut events);
    serve::serve(service, events, setup, None, serve::Until::ClientsHaveGone).map_err(step("serve"))?;
    maillog::finish();
    Ok(())
}
