//! Those who read mail, by IMAP and POP3: our servers beside Dovecot.

mod client;
mod server;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use client::{Imap, Pop3};
use server::{Owners, Server, user};
use tests::programs::Programs;

/// Messages in the mailbox of most figures, and their size.
const MESSAGES: usize = 10_000;
const MESSAGE_BYTES: usize = 5 * 1024;
/// Messages that are fetched whole.
const WHOLE_MESSAGES: usize = 2000;
const LARGE_BYTES: usize = 64 * 1024;
/// Clients at a time, where there is more than one.
const CLIENTS: usize = 8;
/// How long they keep the server busy.
const BUSY: Duration = Duration::from_secs(3);
/// Clients that idle while memory is measured.
const IDLE_CLIENTS: usize = 1000;
/// Clients that idle while messages come: Linux gives a user no more than 128 of what Dovecot's processes wait with.
const HEARING_CLIENTS: usize = 100;
/// Of clients that are parked, every so many hear of a message.
const HEARING_EACH: usize = 5;
/// Processes that a server has whose clients are all parked, at the most.
const FEW_PROCESSES: usize = 40;
/// RETR commands that are sent at once.
const PIPELINED: usize = 50;

/// A server whose first user has mail.
fn filled(programs: Programs, messages: usize, size_bytes: usize) -> Server {
    let server = Server::start(programs, 1);
    server.fill(&user(0), messages, size_bytes);
    server
}

/// A client in the mailbox of [`filled`]. A first one has been there: what is made ready at first need is ready.
fn selected(server: &Server, first: &str) -> Imap {
    for command in ["NOOP", first] {
        let mut client = Imap::login(server.imap, &user(0));
        client.run("SELECT INBOX");
        client.run(command);
    }
    let mut client = Imap::login(server.imap, &user(0));
    client.run("SELECT INBOX");
    client
}

/// Milliseconds that a command takes the second time.
pub(crate) fn warm(programs: Programs, command: &str) -> f64 {
    let server = filled(programs, MESSAGES, MESSAGE_BYTES);
    let mut client = selected(&server, command);
    milliseconds(|| client.run(command))
}

/// Milliseconds of SELECT in a mailbox that others have selected before.
pub(crate) fn select(programs: Programs) -> f64 {
    let server = filled(programs, MESSAGES, MESSAGE_BYTES);
    let earlier = selected(&server, "NOOP");
    let mut client = Imap::login(server.imap, &user(0));
    let taken = milliseconds(|| client.run("SELECT INBOX"));
    drop(earlier);
    taken
}

/// Milliseconds that a command takes that changes the mailbox, after another one.
pub(crate) fn changing(programs: Programs, before: &str, command: &str) -> f64 {
    let server = filled(programs, MESSAGES, MESSAGE_BYTES);
    let mut client = selected(&server, "NOOP");
    client.run("CREATE other");
    client.run(before);
    milliseconds(|| client.run(command))
}

fn milliseconds<T>(work: impl FnOnce() -> T) -> f64 {
    let begin = Instant::now();
    work();
    begin.elapsed().as_secs_f64() * 1000.0
}

/// Megabytes a second of messages fetched whole.
pub(crate) fn whole(programs: Programs) -> f64 {
    let server = filled(programs, WHOLE_MESSAGES, LARGE_BYTES);
    let mut client = selected(&server, "FETCH 1:* (BODY.PEEK[])");
    let begin = Instant::now();
    let bytes = client.run("FETCH 1:* (BODY.PEEK[])");
    bytes as f64 / begin.elapsed().as_secs_f64() / 1e6
}

/// Sessions a second that log in, select INBOX and log out.
pub(crate) fn logins(programs: Programs) -> f64 {
    let server = filled(programs, 10, MESSAGE_BYTES);
    rate(|_| {
        let mut client = Imap::login(server.imap, &user(0));
        client.run("SELECT INBOX");
        client.run("LOGOUT");
    })
}

/// Messages a second that clients append to one mailbox.
pub(crate) fn appends(programs: Programs) -> f64 {
    let server = filled(programs, 0, MESSAGE_BYTES);
    Imap::login(server.imap, &user(0)).run("CREATE other");
    let letter = server::letter(1, MESSAGE_BYTES);
    rate(|client| client.get_or_insert_with(|| Imap::login(server.imap, &user(0))).append("other", &letter))
}

/// How often a second several clients do something; each has a place of its own to keep a connection in.
fn rate(work: impl Fn(&mut Option<Imap>) + Sync) -> f64 {
    let (done, begin) = (AtomicUsize::new(0), Instant::now());
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut kept = None;
                while begin.elapsed() < BUSY {
                    work(&mut kept);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    done.into_inner() as f64 / begin.elapsed().as_secs_f64()
}

/// Messages a second that a POP3 client fetches, each when it has the one before, or so many at once.
pub(crate) fn fetches(programs: Programs, is_pipelined: bool) -> f64 {
    let server = filled(programs, WHOLE_MESSAGES, MESSAGE_BYTES);
    // The first login counts sizes.
    drop(Pop3::login(server.pop3, &user(0)));
    let mut client = Pop3::login(server.pop3, &user(0));
    let begin = Instant::now();
    for first in (1..=WHOLE_MESSAGES).step_by(PIPELINED) {
        let numbers = first..first + PIPELINED;
        if is_pipelined { client.fetch_all(numbers) } else { numbers.for_each(|number| client.fetch(number)) }
    }
    WHOLE_MESSAGES as f64 / begin.elapsed().as_secs_f64()
}

fn idling(server: &Server, clients: usize) -> Vec<Imap> {
    let idle = |number| {
        let mut client = Imap::login(server.imap, &user(number));
        client.idle();
        client
    };
    (0..clients).map(idle).collect()
}

/// Kilobytes of the server that a client takes who idles in a mailbox of its own.
pub(crate) fn idle_memory(programs: Programs) -> f64 {
    let server = Server::start(programs, IDLE_CLIENTS + 1);
    // Programs that serve anybody at all do not count.
    let first = idling(&server, 1);
    let before = server.memory_bytes();
    let clients = idling(&server, IDLE_CLIENTS);
    let taken = server.memory_bytes() - before;
    drop((first, clients));
    taken / 1024.0 / IDLE_CLIENTS as f64
}

/// The 99th percentile of the milliseconds from a file in `new/` to EXISTS at the client that idles.
pub(crate) fn push(programs: Programs) -> f64 {
    let server = Server::start(programs, HEARING_CLIENTS);
    (0..HEARING_CLIENTS).for_each(|number| server.fill(&user(number), 1, MESSAGE_BYTES));
    let mut clients = idling(&server, HEARING_CLIENTS);
    let times = clients.iter_mut().enumerate().map(|(number, client)| hear(&server, client, number, 1));
    p99(times.collect())
}

/// Milliseconds from a file in `new/` to EXISTS.
fn hear(server: &Server, client: &mut Imap, number: usize, letter: usize) -> f64 {
    let arrived = server.deliver(&user(number), letter);
    client.hear();
    arrived.elapsed().as_secs_f64() * 1000.0
}

fn p99(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() * 99 / 100]
}

/// Clients that idle, each with an owner of its own and without a process.
fn parked(server: &Server, clients: usize) -> Vec<Imap> {
    let clients = idling(server, clients);
    server.wait_for_few_processes(FEW_PROCESSES);
    clients
}

/// Kilobytes of the server that a client takes who is parked.
pub(crate) fn parked_memory(programs: Programs) -> f64 {
    let server = Server::start_for(programs, IDLE_CLIENTS + 1, Owners::Each);
    let first = parked(&server, 1);
    let before = server.memory_bytes();
    let clients = parked(&server, IDLE_CLIENTS);
    let taken = server.memory_bytes() - before;
    drop((first, clients));
    taken / 1024.0 / IDLE_CLIENTS as f64
}

/// The 99th percentile of the milliseconds from a file in `new/` to EXISTS at a client that is parked.
pub(crate) fn parked_push(programs: Programs) -> f64 {
    let server = Server::start_for(programs, IDLE_CLIENTS, Owners::Each);
    (0..IDLE_CLIENTS).for_each(|number| server.fill(&user(number), 1, MESSAGE_BYTES));
    let mut clients = parked(&server, IDLE_CLIENTS);
    let hearing = clients.iter_mut().enumerate().step_by(HEARING_EACH);
    p99(hearing.map(|(number, client)| hear(&server, client, number, 1)).collect())
}
