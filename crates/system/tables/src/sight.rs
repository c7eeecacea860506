//! What all tables of one process know of the files around them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Shared by the tables of one process.
#[derive(Debug, Default)]
pub(crate) struct Sight {
    /// Counts the turns of the process's loop; 0 as long as nobody tells of turns.
    turn: AtomicU64,
    /// Paths do not lead to the files any more that were opened by them (chroot).
    lost: AtomicBool,
    /// A table that has changed while the new one is out of reach.
    out_of_date: OnceLock<String>,
}

/// When a file was last compared with what is known of it.
#[derive(Debug, Default)]
pub(crate) struct Checked(AtomicU64);

impl Sight {
    /// A turn begins: what was known of files may have changed.
    pub(crate) fn new_turn(&self) {
        self.turn.fetch_add(1, Ordering::Relaxed);
    }

    /// From now on paths lead nowhere.
    pub(crate) fn lose(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }

    /// Do paths lead nowhere?
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Only a fresh process can read what `table` is now.
    pub(crate) fn falls_behind(&self, table: &str) {
        let _ = self.out_of_date.set(table.to_owned());
    }

    /// The first table that only a fresh process can read.
    pub(crate) fn out_of_date(&self) -> Option<&str> {
        self.out_of_date.get().map(String::as_str)
    }

    /// Is the file to be looked at again? Once a turn is enough; where no turns are told, it is every time.
    pub(crate) fn is_due(&self, checked: &Checked) -> bool {
        let turn = self.turn.load(Ordering::Relaxed);
        checked.0.swap(turn, Ordering::Relaxed) != turn || turn == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_looked_at_once_a_turn() {
        let (sight, checked) = (Sight::default(), Checked::default());
        assert!(sight.is_due(&checked) && sight.is_due(&checked), "nobody tells of turns");
        sight.new_turn();
        assert!(sight.is_due(&checked));
        assert!(!sight.is_due(&checked));
        sight.new_turn();
        assert!(sight.is_due(&checked));
    }
}
