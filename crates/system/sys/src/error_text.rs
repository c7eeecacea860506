//! What the system says about an error, as Postfix's log lines have it.

use std::io;

/// The system's words alone: "No such file or directory", without Rust's " (os error 2)".
pub fn reason(error: &io::Error) -> String {
    let mut text = error.to_string();
    if let Some(end) = text.rfind(" (os error ") {
        text.truncate(end);
    }
    text
}

/// The error of a connection whose peer has not answered in time: "Connection timed out".
pub fn timed_out() -> io::Error {
    io::Error::from_raw_os_error(libc::ETIMEDOUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_left_out() {
        assert_eq!(reason(&io::Error::from_raw_os_error(2)), "No such file or directory");
        assert_eq!(reason(&io::Error::other("no disk")), "no disk");
    }
}
