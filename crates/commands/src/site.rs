//! The installation that a command of the queue works on, and how the command speaks: on standard error and in the log.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use parameters::Config;
use queue::Queue;
use worker::configuration::{self, Asker};

/// sysexits(3): the command line makes no sense.
pub const EX_USAGE: u8 = 64;
/// sysexits(3): the input makes no sense.
pub const EX_DATAERR: u8 = 65;
/// sysexits(3): there is no such user.
pub const EX_NOUSER: u8 = 67;
/// sysexits(3): the service is not there.
pub const EX_UNAVAILABLE: u8 = 69;
/// sysexits(3): something is wrong with ourselves.
pub const EX_SOFTWARE: u8 = 70;
/// sysexits(3): the system does not do what it should.
pub const EX_OSERR: u8 = 71;
/// sysexits(3): try again later.
pub const EX_TEMPFAIL: u8 = 75;
/// sysexits(3): not allowed.
pub const EX_NOPERM: u8 = 77;

/// Why a command gives up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    /// The exit status.
    pub status: u8,
    /// What stands behind `fatal:`.
    pub text: String,
}

impl Failure {
    /// A failure with status 1, as most of Postfix's.
    pub fn new(text: impl Display) -> Self {
        Self::with(1, text)
    }

    /// A failure with a status of its own.
    pub fn with(status: u8, text: impl Display) -> Self {
        Self { status, text: text.to_string() }
    }
}

/// Says things under the name of a command.
#[derive(Debug, Clone, Copy)]
pub struct Voice {
    /// `postsuper`
    pub program: &'static str,
}

impl Voice {
    /// What has been done.
    pub fn info(self, text: impl Display) {
        eprintln!("{}: {text}", self.program);
        log::info!("{text}");
    }

    /// What is odd.
    pub fn warn(self, text: impl Display) {
        eprintln!("{}: warning: {text}", self.program);
        log::warn!("{text}");
    }

    /// The end of the command: its status, after the reason of its failure.
    pub fn finish(self, result: Result<ExitCode, Failure>) -> ExitCode {
        result.unwrap_or_else(|failure| {
            eprintln!("{}: fatal: {failure}", self.program);
            log::error!(target: maillog::FATAL, "{failure}");
            ExitCode::from(failure.status)
        })
    }

    /// An option that is none, as getopt(3) tells it, and then how the command is used.
    pub fn misuse(self, misuse: &crate::getopt::Misuse, usage: impl Display) -> Failure {
        eprintln!("{}: {misuse}", self.program);
        Failure::new(usage)
    }
}

/// An installation.
pub struct Site {
    /// main.cf.
    pub config: Config,
    /// Where main.cf is.
    pub config_directory: PathBuf,
    /// `queue_directory`
    pub queue_directory: PathBuf,
}

impl Site {
    /// Reads main.cf in `explicit` (a `-c` option), else where `MAIL_CONFIG` says, else in /etc/postfix, and opens the log.
    ///
    /// # Errors
    /// When main.cf can not be used, or is one that this user must not choose.
    pub fn open(voice: Voice, explicit: Option<&Path>) -> Result<Self, Failure> {
        let site = Self::read(voice, explicit)?;
        let tag = format!("{}/{}", site.config.get(&parameters::SYSLOG_NAME), voice.program);
        site.open_log(tag);
        Ok(site)
    }

    /// Reads main.cf as [`Site::open`], without a log.
    ///
    /// # Errors
    /// As [`Site::open`].
    pub fn read(voice: Voice, explicit: Option<&Path>) -> Result<Self, Failure> {
        let config_directory = configuration::directory(explicit);
        authorize(voice, &config_directory)?;
        let asker = Asker { program: voice.program, ..Asker::default() };
        let config = configuration::load(&config_directory, &asker).map_err(Failure::new)?;
        let queue_directory = PathBuf::from(config.get(&parameters::QUEUE_DIRECTORY));
        Ok(Self { config, config_directory, queue_directory })
    }

    /// The queue, by its full path.
    ///
    /// # Errors
    /// When the queue directory is not there.
    pub fn queue(&self) -> Result<Queue, Failure> {
        Queue::open(&self.queue_directory, queue::Settings::from(&self.config)).map_err(Failure::new)
    }

    /// Makes the queue directory the working directory, so that messages name files from there, and opens the queue.
    ///
    /// # Errors
    /// As [`Site::queue`].
    pub fn enter_queue(&self) -> Result<Queue, Failure> {
        std::env::set_current_dir(&self.queue_directory).map_err(|error| {
            Failure::new(format!("chdir {}: {}", self.queue_directory.display(), reason(&error)))
        })?;
        Queue::open(".", queue::Settings::from(&self.config)).map_err(Failure::new)
    }

    /// The path of a public socket.
    pub fn public_socket(&self, service: &str) -> PathBuf {
        self.queue_directory.join("public").join(service)
    }

    /// Opens the log that main.cf names; `tag` stands in front of the process id.
    pub fn open_log(&self, tag: String) {
        configuration::open_log(&self.config, tag);
    }
}

pub use sys::error_text::reason;

/// A command that has rights which its user has not (set-group-id) follows only those main.cf files that the administrator has named
/// in the one at the usual place.
fn authorize(voice: Voice, directory: &Path) -> Result<(), Failure> {
    let standard = Path::new(configuration::DEFAULT_CONFIG_DIRECTORY);
    let privileged = sys::ids::real_gid() != sys::ids::effective_gid()
        || sys::ids::real_uid() != sys::ids::effective_uid();
    if directory == standard || sys::ids::real_uid() == 0 || !privileged {
        return Ok(());
    }
    let asker = Asker { program: voice.program, ..Asker::default() };
    let config = configuration::load(standard, &asker).map_err(Failure::new)?;
    let lists = [&parameters::ALTERNATE_CONFIG_DIRECTORIES, &parameters::MULTI_INSTANCE_DIRECTORIES];
    let named = lists.into_iter().any(|list| {
        config
            .get(list)
            .split([',', ' ', '\t', '\n'])
            .any(|word| !word.is_empty() && Path::new(word) == directory)
    });
    if named {
        return Ok(());
    }
    let shown = directory.display();
    eprintln!("{}: error: unauthorized configuration directory name: {shown}", voice.program);
    Err(Failure::new(format!(
        "specify \"alternate_config_directories = {shown}\" or \"multi_instance_directories = {shown}\" in {}/main.cf",
        standard.display()
    )))
}
