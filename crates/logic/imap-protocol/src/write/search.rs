//! SEARCH, ESEARCH, SORT and THREAD responses (RFC 3501 §7.2.5, RFC 4731, RFC 5256).

use crate::thread::Threads;
use crate::types::{Numbers, SearchResult};
use crate::write::Out;

/// What ESEARCH tells of a result (RFC 4731, RFC 5267, RFC 9394).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Esearch<'a> {
    /// The command's tag.
    pub tag: &'a str,
    /// UID SEARCH.
    pub uid: bool,
    /// What was asked for.
    pub asked: SearchResult,
    /// What was found, in the order of the search or sort.
    pub found: &'a [u32],
    /// The highest MODSEQ among them, where it was asked for.
    pub modseq: Option<u64>,
}

impl Out {
    /// `* SEARCH n n (MODSEQ n)`
    pub fn search(&mut self, found: &[u32], modseq: Option<u64>) {
        self.text("* SEARCH");
        self.numbers(found);
        if let Some(modseq) = modseq {
            self.format(format_args!(" (MODSEQ {modseq})"));
        }
        self.text("\r\n");
    }

    /// `* SORT n n (MODSEQ n)`
    pub fn sort(&mut self, found: &[u32], modseq: Option<u64>) {
        self.text("* SORT");
        self.numbers(found);
        if let Some(modseq) = modseq {
            self.format(format_args!(" (MODSEQ {modseq})"));
        }
        self.text("\r\n");
    }

    fn numbers(&mut self, numbers: &[u32]) {
        for number in numbers {
            self.format(format_args!(" {number}"));
        }
    }

    /// `* ESEARCH (TAG "a") UID MIN n MAX n ALL set COUNT n`
    pub fn esearch(&mut self, result: &Esearch<'_>) {
        self.text("* ESEARCH (TAG ");
        self.string(result.tag.as_bytes());
        self.text(")");
        if result.uid {
            self.text(" UID");
        }
        let (asked, found) = (result.asked, result.found);
        if let (true, Some(first)) = (asked.min, found.first()) {
            self.format(format_args!(" MIN {first}"));
        }
        if let (true, Some(last)) = (asked.max, found.last()) {
            self.format(format_args!(" MAX {last}"));
        }
        if asked.all && !found.is_empty() {
            self.format(format_args!(" ALL {}", in_order(found)));
        }
        if asked.count {
            self.format(format_args!(" COUNT {}", found.len()));
        }
        if let Some((first, last)) = asked.partial {
            let part = part(found, first, last);
            let shown = if part.is_empty() { "NIL".to_owned() } else { in_order(part) };
            self.format(format_args!(" PARTIAL ({first}:{last} {shown})"));
        }
        if let Some(modseq) = result.modseq.filter(|_| !found.is_empty()) {
            self.format(format_args!(" MODSEQ {modseq}"));
        }
        self.text("\r\n");
    }

    /// `* ESEARCH (TAG "a") UID ADDTO (0 5)` (RFC 5267 §4.3.1); 0: the client puts them where they belong.
    pub fn esearch_change(&mut self, tag: &str, uid: bool, change: &str, numbers: &Numbers) {
        self.text("* ESEARCH (TAG ");
        self.string(tag.as_bytes());
        self.text(if uid { ") UID " } else { ") " });
        self.format(format_args!("{change} (0 {numbers})\r\n"));
    }

    /// `* THREAD (1 2)(3)` (RFC 5256 §4); `number` gives the number of a message by its place.
    pub fn thread(&mut self, threads: &Threads, number: impl Fn(usize) -> u32) {
        self.text("* THREAD");
        if !threads.roots.is_empty() {
            self.text(" ");
        }
        for root in &threads.roots {
            self.one_thread(threads, *root, &number);
        }
        self.text("\r\n");
    }

    /// thread-list = "(" (thread-members / thread-nested) ")", with a list in hand and not by recursion, for threads can be
    /// deep.
    fn one_thread(&mut self, threads: &Threads, root: usize, number: &impl Fn(usize) -> u32) {
        let mut steps = vec![Some(root)];
        while let Some(step) = steps.pop() {
            let Some(mut node) = step else {
                self.text(")");
                continue;
            };
            self.text("(");
            steps.push(None);
            let mut first = true;
            loop {
                if let Some(message) = threads.nodes[node].message {
                    self.format(format_args!("{}{}", if first { "" } else { " " }, number(message)));
                    first = false;
                }
                let [only] = threads.nodes[node].replies.as_slice() else { break };
                node = *only;
            }
            let replies = &threads.nodes[node].replies;
            if !replies.is_empty() && !first {
                self.text(" ");
            }
            steps.extend(replies.iter().rev().map(|reply| Some(*reply)));
        }
    }
}

/// A set in the order of a sort: ranges where numbers rise by one.
fn in_order(found: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for number in found {
        match ranges.last_mut() {
            Some((_, last)) if *number == last.saturating_add(1) => *last = *number,
            _ => ranges.push((*number, *number)),
        }
    }
    let shown = ranges.iter().map(|(first, last)| Numbers::from_ranges([(*first, *last)]).to_string());
    shown.collect::<Vec<_>>().join(",")
}

/// RFC 9394 §3.1: counted from 1, or from the end.
fn part(found: &[u32], first: i64, last: i64) -> &[u32] {
    let length = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let (from, to) = if first > 0 { (first - 1, last) } else { (length + last, length + first + 1) };
    let at = |place: i64| usize::try_from(place.clamp(0, length)).unwrap_or(0);
    found.get(at(from)..at(to)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_read_as_in_the_rfc() {
        let node = |message, replies: &[usize]| crate::thread::Node { message, replies: replies.to_vec() };
        let nodes = vec![
            node(Some(2), &[]),
            node(Some(3), &[2]),
            node(Some(6), &[3, 5]),
            node(Some(4), &[4]),
            node(Some(23), &[]),
            node(Some(44), &[6]),
            node(Some(7), &[]),
            node(None, &[8, 9]),
            node(Some(1), &[]),
            node(Some(5), &[]),
        ];
        let mut out = Out::default();
        out.thread(&Threads { nodes, roots: vec![0, 1, 7] }, |place| u32::try_from(place).unwrap());
        let text = String::from_utf8(out.into_bytes()).unwrap();
        assert_eq!(text, "* THREAD (2)(3 6 (4 23)(44 7))((1)(5))\r\n");
    }

    #[test]
    fn results_have_the_parts_that_were_asked_for() {
        let mut out = Out::default();
        let asked =
            SearchResult { min: true, count: true, partial: Some((-1, -2)), ..SearchResult::default() };
        out.esearch(&Esearch { tag: "a", uid: true, asked, found: &[2, 3, 9], modseq: Some(5) });
        let asked = SearchResult { all: true, max: true, ..SearchResult::default() };
        out.esearch(&Esearch { tag: "a", uid: false, asked, found: &[9, 2, 3], modseq: None });
        assert_eq!(
            String::from_utf8(out.into_bytes()).unwrap(),
            "* ESEARCH (TAG \"a\") UID MIN 2 COUNT 3 PARTIAL (-1:-2 3,9) MODSEQ 5\r\n\
             * ESEARCH (TAG \"a\") MAX 3 ALL 9,2:3\r\n"
        );
    }
}
