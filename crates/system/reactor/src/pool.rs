//! Threads for what waits: fsync, password hashes, databases.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

/// How many jobs may wait for a thread.
const WAITING_LIMIT: usize = 10_000;
/// Stack of a pool thread; jobs do file I/O and hashing, no deep recursion.
const STACK_BYTES: usize = 256 * 1024;

type Job = Box<dyn FnOnce() + Send>;

/// Too many jobs wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolFull;

impl fmt::Display for PoolFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{WAITING_LIMIT} jobs wait for the disk already")
    }
}

impl std::error::Error for PoolFull {}

pub(crate) struct Pool {
    shared: Arc<Shared>,
    threads: usize,
    thread_limit: usize,
}

struct Shared {
    work: Mutex<Work>,
    arrived: Condvar,
}

#[derive(Default)]
struct Work {
    waiting: VecDeque<Job>,
    idle: usize,
}

impl Pool {
    pub(crate) fn new(thread_limit: usize) -> Self {
        let shared = Shared { work: Mutex::default(), arrived: Condvar::new() };
        Self { shared: Arc::new(shared), threads: 0, thread_limit: thread_limit.max(1) }
    }

    pub(crate) fn allow(&mut self, thread_limit: usize) {
        self.thread_limit = self.thread_limit.max(thread_limit);
    }

    pub(crate) fn run(&mut self, job: Job) -> Result<(), PoolFull> {
        let mut work = self.shared.work.lock().unwrap_or_else(PoisonError::into_inner);
        if work.waiting.len() >= WAITING_LIMIT {
            return Err(PoolFull);
        }
        work.waiting.push_back(job);
        let need_thread = work.idle < work.waiting.len() && self.threads < self.thread_limit;
        drop(work);
        self.shared.arrived.notify_one();
        if need_thread {
            self.start_thread();
        }
        Ok(())
    }

    fn start_thread(&mut self) {
        let shared = Arc::clone(&self.shared);
        let started = thread::Builder::new()
            .name("offload".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || shared.serve());
        match started {
            Ok(_) => self.threads += 1,
            Err(error) => log::warn!("no further thread for disk work: {error}"),
        }
    }
}

impl Shared {
    fn serve(&self) {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(job) = work.waiting.pop_front() {
                drop(work);
                job();
                work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
            } else {
                work.idle += 1;
                work = self.arrived.wait(work).unwrap_or_else(PoisonError::into_inner);
                work.idle -= 1;
            }
        }
    }
}
