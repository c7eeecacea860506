//! What became of a message: its copies and its log lines, as they can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::masks::masked;

/// By the number of a message: what is known of it.
pub type Traces = BTreeMap<usize, Vec<String>>;

/// All traces of messages to `anything+NUMBER@`, in a log and in mailboxes: Maildirs end in `/`.
pub fn traces(log: &str, mailboxes: &[&Path]) -> Traces {
    let ids: BTreeSet<String> = log.lines().filter_map(|line| Some(parts(line)?.1.to_owned())).collect();
    let mut traces = Traces::new();
    for (number, lines) in lines_by_number(log) {
        let mut lines: Vec<String> = lines.iter().map(|line| masked(line.as_bytes(), &ids)).collect();
        lines.sort();
        traces.entry(number).or_default().extend(lines);
    }
    for copy in mailboxes.iter().flat_map(|path| copies(path)) {
        let number = number_in(&String::from_utf8_lossy(&copy), "X-Original-To: ");
        traces.entry(number.unwrap_or(usize::MAX)).or_default().push(masked(&copy, &ids));
    }
    traces
}

/// The program, the queue id and the rest of a log line that is about a message.
fn parts(line: &str) -> Option<(&str, &str, &str)> {
    let (head, rest) = line.split_once("]: ")?;
    let (id, text) = rest.split_once(": ")?;
    let program = head.split(['/', '[']).rev().nth(1)?;
    let is_id = id.len() > 7 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_id.then_some((program, id, text))
}

fn lines_by_number(log: &str) -> BTreeMap<usize, Vec<String>> {
    let all: Vec<_> = log.lines().filter_map(parts).collect();
    let numbers: BTreeMap<&str, usize> =
        all.iter().filter_map(|(_, id, text)| Some((*id, number_in(text, "to=<")?))).collect();
    let mut lines: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (program, id, text) in all {
        if let Some(number) = numbers.get(id) {
            lines.entry(*number).or_default().push(format!("{program}: {}", without_delays(text)));
        }
    }
    lines
}

fn without_delays(text: &str) -> String {
    let words = text.split(", ").filter(|word| !word.starts_with("delay=") && !word.starts_with("delays="));
    words.collect::<Vec<_>>().join(", ")
}

/// The number in the first `anything+NUMBER@` behind this mark.
fn number_in(text: &str, mark: &str) -> Option<usize> {
    text.match_indices(mark).find_map(|(at, _)| {
        let address = text[at + mark.len()..].split(['>', '\n']).next()?;
        address.split_once('+')?.1.split_once('@')?.0.parse().ok()
    })
}

fn copies(path: &Path) -> Vec<Vec<u8>> {
    if !path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return mbox(&fs::read(path).unwrap_or_default());
    }
    let files = fs::read_dir(path.join("new")).into_iter().flatten().flatten();
    files.map(|file| fs::read(file.path()).unwrap_or_default()).collect()
}

/// The messages of a mailbox file with their `From ` lines: those begin a message that Return-Path follows.
fn mbox(content: &[u8]) -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> = Vec::new();
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        match messages.last_mut() {
            Some(last) if !line.starts_with(b"From ") => last.extend_from_slice(line),
            _ => messages.push(line.to_vec()),
        }
    }
    messages
}
