//! What is told on standard error, with time and process as the original does.

use sys::clock;

/// `-D`
pub(crate) struct Debug {
    pub(crate) on: bool,
}

impl Debug {
    pub(crate) const fn new(on: bool) -> Self {
        Self { on }
    }

    /// What is done, for those who asked.
    pub(crate) fn say(&self, area: &str, text: &str) {
        if self.on {
            self.line("dbg", &format!("{area}: {text}"));
        }
    }

    /// What is odd.
    pub(crate) fn warn(&self, text: &str) {
        self.line("warn", text);
    }

    fn line(&self, level: &str, text: &str) {
        let milliseconds = clock::now_us() / 1000 % 1000;
        eprintln!("{}.{milliseconds:03} [{}] {level}: {text}", time_of_day(), std::process::id());
    }
}

/// `Nov 22 08:45:11`
fn time_of_day() -> String {
    let (_, stamp) = rulefiles::stamp("");
    let words: Vec<&str> = stamp.date.split_ascii_whitespace().collect();
    match words.as_slice() {
        [_, day, month, _, time, ..] => format!("{month} {day:>2} {time}"),
        _ => stamp.date,
    }
}
