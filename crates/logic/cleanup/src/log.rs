//! Lines for the log, as data.

/// How loud a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Plain.
    Info,
    /// With `warning: ` in front.
    Warning,
}

/// A line for the log, without program name and `warning: `.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How loud.
    pub level: Level,
    /// The text.
    pub text: String,
}

impl LogLine {
    pub(crate) fn info(text: String) -> Self {
        Self { level: Level::Info, text }
    }

    pub(crate) fn warning(text: String) -> Self {
        Self { level: Level::Warning, text }
    }
}

/// Content in a log line: at most `limit` characters, control characters as `?`.
pub(crate) fn excerpt(text: &str, limit: usize) -> String {
    text.chars().take(limit).map(|character| if character.is_control() { '?' } else { character }).collect()
}
