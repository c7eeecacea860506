//! Notices a turn of the loop that takes too long: one that hangs for good ends the worker, and master starts
//! another.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A longer turn is told in the log.
const SLOW_TURN: Duration = Duration::from_millis(200);
/// A turn that does not end within two of these ends the process.
const HANG_CHECK: Duration = Duration::from_secs(15);
/// Stack of the watching thread.
const STACK_BYTES: usize = 64 * 1024;

/// Starts to watch an event loop by its beat, which is odd while a turn goes on.
pub(crate) fn start(beat: Arc<AtomicU64>) {
    let thread = thread::Builder::new().name("watchdog".to_owned()).stack_size(STACK_BYTES);
    if let Err(error) = thread.spawn(move || watch(&beat)) {
        log::warn!("no watchdog: {error}");
    }
}

/// Says so when the turn that began at `began` was a slow one.
pub(crate) fn judge(began: Instant) {
    let spent = began.elapsed();
    if spent > SLOW_TURN {
        log::warn!("a turn of the event loop took {} ms", spent.as_millis());
    }
}

fn watch(beat: &AtomicU64) {
    let mut last = 0;
    loop {
        thread::sleep(HANG_CHECK);
        let now = beat.load(Ordering::Relaxed);
        if now == last && now % 2 == 1 {
            log::error!(target: maillog::FATAL, "watchdog timeout: the event loop hangs");
            maillog::flush();
            std::process::abort();
        }
        last = now;
    }
}
