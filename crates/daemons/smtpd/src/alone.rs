//! `sendmail -bs`: one client on standard input and output, without master.
//!
//! As `mail_owner` the whole server serves it, restrictions included. Anybody else speaks for himself alone: nothing is
//! checked, for postdrop(1) takes the message, as it takes any that this user submits.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use machine::{Disconnect, Machine, Output, READ_LIMIT_BYTES};
use restrictions::Client;
use smtp_protocol::{Admission, Answer, Command, Named, Question, Reply, Server, TlsLevel, Troubles};
use sys::sockets::{Peer, Socket, wait_readable};
use worker::{Arguments, Setup, StartError, alone};

use crate::service::Smtpd;
use crate::submission::{Author, Submission};
use crate::{chat_log, client, settings};

/// How long one look at standard input lasts, in milliseconds.
const LOOK_MS: u16 = 10_000;
/// What the client is told when the message could not be submitted.
const WRITE_ERROR: &str = "451 4.3.0 Error: queue file write error";

/// Serves the client on standard input and output.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let served = alone::set_up::<Smtpd>(arguments).and_then(|setup| {
        if alone::is_mail_owner(&setup.config) { serve_as_owner(&setup) } else { Alone::new(&setup).serve() }
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("smtpd: fatal: {error}");
            log::error!(target: maillog::FATAL, "{error}");
            ExitCode::FAILURE
        }
    }
}

/// Standard input and output become one socket for the server.
fn serve_as_owner(setup: &Setup) -> Result<(), StartError> {
    let step = |step| move |source| StartError::Step { step, source };
    let (ours, theirs) = UnixStream::pair().map_err(step("make a socket pair"))?;
    let inward = ours.try_clone().map_err(step("copy a socket"))?;
    let client = Socket::from_descriptor(OwnedFd::from(theirs)).map_err(step("take a socket"))?;
    // These threads are not confined: they carry bytes between descriptors that are open already, and nothing else.
    let serve = || alone::serve_one::<Smtpd>(setup, client);
    thread::scope(|scope| {
        let outward = scope.spawn(move || {
            let mut stdout = io::stdout().lock();
            carry(ours, &mut stdout);
        });
        // It may wait for a client that says no more: nobody waits for it.
        thread::spawn(move || {
            let mut inward = inward;
            carry(io::stdin().lock(), &mut inward);
            let _ = inward.shutdown(Shutdown::Write);
        });
        let served = serve();
        let _ = outward.join();
        served
    })
}

/// Carries bytes over until either side ends.
fn carry(mut from: impl Read, to: &mut impl Write) {
    let mut block = [0; 8192];
    while let Ok(length) = from.read(&mut block)
        && length > 0
        && to.write_all(&block[..length]).and_then(|()| to.flush()).is_ok()
    {}
}

/// The session of a user who is not `mail_owner`.
struct Alone<'a> {
    setup: &'a Setup,
    client: Client,
    shown: String,
    author: Author,
    submission: Option<Submission>,
}

impl<'a> Alone<'a> {
    fn new(setup: &'a Setup) -> Self {
        let client = client::at(&Peer::Local);
        let shown = client.shown();
        Self { setup, client, shown, author: Author::new(setup), submission: None }
    }

    fn serve(mut self) -> Result<(), StartError> {
        let dialogue = settings::dialogue(&self.setup.config, TlsLevel::None);
        let notify = Troubles::default();
        let dialogue =
            smtp_protocol::Settings { tls_wrapper: false, proxy_protocol: false, notify, ..dialogue };
        let mut machine = Server::new(Arc::new(dialogue));
        let mut limit = Duration::ZERO;
        loop {
            match machine.poll() {
                Output::Write(bytes) => {
                    // A client that does not listen any more is heard to its end.
                    let _ = io::stdout().lock().write_all(&bytes).and_then(|()| io::stdout().flush());
                }
                Output::Ask(question) => {
                    let answer = self.answer(question);
                    machine.answered(answer);
                }
                Output::Wait(time) => {
                    limit = time;
                    hear(&mut machine, limit);
                }
                Output::KeepWaiting { extension } => {
                    limit += extension;
                    hear(&mut machine, limit);
                }
                Output::Pause(time) => {
                    thread::sleep(time);
                    machine.elapsed();
                }
                Output::StartTls => machine.disconnected(Disconnect::HandshakeFailed),
                Output::Close | Output::HandOver => return Ok(()),
            }
        }
    }

    fn answer(&mut self, question: Question) -> Answer {
        match question {
            Question::Connect(_) | Question::Xclient(_) => {
                log::info!("connect from {}", self.shown);
                Answer::Admit(Box::new(Admission { client: self.shown.clone(), ..Admission::default() }))
            }
            Question::Hello(hello) => {
                self.author.greeted(hello);
                Answer::Proceed
            }
            Question::Mail(sender) => {
                self.submission = Some(Submission::new(sender));
                Answer::Proceed
            }
            Question::Rcpt(recipient) => self.in_submission(|submission, _| {
                submission.admit(recipient);
                Ok(Answer::Proceed)
            }),
            Question::Data => {
                let shown = self.shown.clone();
                self.in_submission(|submission, author| {
                    let id = submission.begin(author)?;
                    log::info!("{id}: client={shown}");
                    Ok(Answer::Proceed)
                })
            }
            Question::Content(lines) => self.in_submission(|submission, author| {
                submission.content(&lines, author);
                Ok(Answer::Proceed)
            }),
            Question::EndOfData(_) => {
                let answer =
                    self.in_submission(|submission, author| submission.finish(author).map(Answer::Queued));
                self.submission = None;
                answer
            }
            Question::Reset => {
                self.submission = None;
                Answer::Proceed
            }
            other => self.note(other),
        }
    }

    /// What needs no submission.
    fn note(&self, question: Question) -> Answer {
        match question {
            Question::Expn(address) => {
                Answer::Refuse(Reply::from(format!("550 5.1.1 <{address}>: not a mailing list")))
            }
            Question::Etrn(_) => Answer::Refuse(Reply::from("458 Unable to queue messages")),
            Question::Verb(_) => Answer::Verb(Named::Ordinary),
            Question::Filter(line) => Answer::Line(line),
            Question::Footer(reply) => Answer::Refuse(reply),
            Question::Note(event) => {
                chat_log::event(&event, &self.view(), &self.shown);
                Answer::Proceed
            }
            Question::Ended(ending) => {
                chat_log::ending(&ending, &self.shown);
                Answer::Proceed
            }
            _ => Answer::Proceed,
        }
    }

    fn in_submission(&mut self, act: impl FnOnce(&mut Submission, &Author) -> io::Result<Answer>) -> Answer {
        let done = match &mut self.submission {
            Some(submission) => act(submission, &self.author),
            None => Err(io::Error::other("a message without MAIL")),
        };
        done.unwrap_or_else(|error| {
            log::warn!("submit through postdrop: {error}");
            Answer::Refuse(Reply::from(WRITE_ERROR))
        })
    }

    fn view(&self) -> restrictions::Session<'_> {
        restrictions::Session {
            client: &self.client,
            helo: self.author.helo(),
            protocol: self.author.protocol(),
            command: Command::Unknown.name(),
            envelope: &restrictions::NO_ENVELOPE,
            tls: None,
            pipelining: false,
            server: None,
            deferral: None,
            instance: None,
        }
    }
}

/// Gives the machine what comes next: bytes, the end, or the end of its patience.
fn hear(machine: &mut Server, limit: Duration) {
    let stdin = io::stdin();
    let mut left = limit;
    while !left.is_zero() {
        let look = left.min(Duration::from_millis(LOOK_MS.into()));
        let milliseconds = u16::try_from(look.as_millis()).unwrap_or(LOOK_MS);
        if wait_readable(stdin.as_fd(), milliseconds) {
            let mut block = vec![0; READ_LIMIT_BYTES];
            return match stdin.lock().read(&mut block) {
                Ok(length) if length > 0 => machine.received(&block[..length]),
                _ => machine.disconnected(Disconnect::Lost),
            };
        }
        left -= look;
    }
    machine.elapsed();
}
