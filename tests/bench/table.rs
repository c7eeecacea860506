//! The result as a table for people.

use std::fmt::Write as _;
use std::fs;

use tests::programs::Maker;

use crate::figures::Figure;

/// The values of one figure.
pub(crate) struct Row<'a> {
    figure: &'a Figure,
    ours: Vec<f64>,
    peer: Vec<f64>,
}

impl<'a> Row<'a> {
    pub(crate) fn new(figure: &'a Figure) -> Self {
        Self { figure, ours: Vec::new(), peer: Vec::new() }
    }

    pub(crate) fn add(&mut self, maker: Maker, value: f64) {
        match maker {
            Maker::Ours => self.ours.push(value),
            Maker::Peer => self.peer.push(value),
        }
    }

    /// How much better we are: above 1 is better, whichever way the figure counts.
    fn ratio(&self) -> f64 {
        let (ours, peer) = (median(&self.ours), median(&self.peer));
        if self.figure.more_is_better { ours / peer } else { peer / ours }
    }
}

/// The whole of BENCHMARKS.md.
pub(crate) fn markdown(rows: &[Row<'_>], pairs: usize) -> String {
    let mut out = format!(
        "# Benchmarks\n\n\
         Ours beside the installed Postfix {version}, on the same configuration and machine: {pairs} pairs of runs, medians, \
         lowest and highest in brackets. 4 KB messages over loopback into 500 mailboxes, every second one a Maildir; \
         from the first connection to the last delivery. What begins with IMAP or POP3 stands beside the installed Dovecot, what \
         begins with spam beside SpamAssassin. The last column says how many times better we are.\n\n\
         {date}; {machine}. Made by `target/release/bench`.\n\n\
         | figure | unit | ours | theirs | better |\n|---|---|---|---|---|\n",
        version = peer_version(),
        date = date(),
        machine = machine(),
    );
    for row in rows {
        let Figure { name, unit, .. } = row.figure;
        let _ = writeln!(
            out,
            "| {name} | {unit} | {} | {} | {:.1} x |",
            cell(&row.ours),
            cell(&row.peer),
            row.ratio()
        );
    }
    out
}

fn cell(values: &[f64]) -> String {
    let sorted = sorted(values);
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else { return "-".to_owned() };
    format!("{} ({}..{})", number(median(values)), number(*first), number(*last))
}

fn number(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn median(values: &[f64]) -> f64 {
    let sorted = sorted(values);
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[length / 2],
        length => f64::midpoint(sorted[length / 2 - 1], sorted[length / 2]),
    }
}

fn date() -> String {
    let seconds = i64::try_from(sys::clock::now_us() / 1_000_000).unwrap_or(0);
    let time = sys::clock::local_time(seconds);
    format!("{:04}-{:02}-{:02}", time.year, time.month, time.day)
}

fn machine() -> String {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{} x {}, {} memory, Linux {}",
        sys::process::processors(),
        field("/proc/cpuinfo", "model name"),
        field("/proc/meminfo", "MemTotal"),
        kernel.trim()
    )
}

fn peer_version() -> String {
    let output = std::process::Command::new("/usr/sbin/postconf").args(["-h", "mail_version"]).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
