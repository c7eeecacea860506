//! Thousands of clients that say nothing.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use tests::{Client, Suite};

/// Threads that open sessions.
const OPENERS: usize = 16;
/// How long a client waits for its greeting.
const GREETING_PATIENCE: Duration = Duration::from_secs(10);
/// How long all sessions together may take.
const OPENING_PATIENCE: Duration = Duration::from_secs(60);

/// Opens sessions and leaves them idle; those that were greeted are returned.
pub(crate) fn open(suite: &Suite, count: usize) -> Vec<TcpStream> {
    let deadline = Instant::now() + OPENING_PATIENCE;
    let greeted = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for opener in 0..OPENERS {
            let greeted = &greeted;
            scope.spawn(move || {
                for _ in (opener..count).step_by(OPENERS) {
                    let left = deadline.saturating_duration_since(Instant::now());
                    match greet(suite.port(), left.min(GREETING_PATIENCE)) {
                        Some(stream) => greeted.lock().unwrap().push(stream),
                        // A suite that greets no more will not greet the others either.
                        None => return,
                    }
                }
            });
        }
    });
    greeted.into_inner().unwrap()
}

fn greet(port: u16, patience: Duration) -> Option<TcpStream> {
    if patience.is_zero() {
        return None;
    }
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), patience).ok()?;
    stream.set_read_timeout(Some(patience)).ok()?;
    let mut banner = [0; 4];
    stream.read_exact(&mut banner).ok()?;
    (&banner == b"220 ").then_some(stream)
}

/// How long a new client waits for its greeting: the 99th percentile, in seconds. A client that gets none counts as
/// ten seconds.
pub(crate) fn greeting_p99(suite: &Suite, clients: usize) -> f64 {
    let mut times: Vec<Duration> = (0..clients)
        .map(|_| {
            let begin = Instant::now();
            match greet(suite.port(), GREETING_PATIENCE) {
                Some(_) => begin.elapsed(),
                None => GREETING_PATIENCE,
            }
        })
        .collect();
    times.sort_unstable();
    times[times.len() * 99 / 100].as_secs_f64()
}

/// The time from `postfix start` to the first greeting, in seconds.
pub(crate) fn cold_start(suite: &Suite) -> f64 {
    let begin = Instant::now();
    let mut starter =
        suite.command("postfix", &["start"]).stderr(Stdio::null()).spawn().expect("postfix start");
    loop {
        if Client::try_connect(suite.port()).is_ok() {
            break;
        }
        thread::yield_now();
    }
    let elapsed = begin.elapsed().as_secs_f64();
    starter.wait().expect("postfix start");
    elapsed
}
