//! Our suite beside the installed Postfix: the same configuration, the same load, in pairs of runs. Those who read mail are measured
//! beside Dovecot (words that begin with `IMAP` or `POP3`).
//!
//! `bench [--pairs N] [--only WORDS] [--side ours|peer] [--output FILE] [--messages FOLDER]`: runs as root on a machine that does nothing else,
//! prints a table, and writes it to `BENCHMARKS.md` below the workspace unless only a part was measured. Run it
//! from `target/release`. Words that begin with `spam` measure spamd beside SpamAssassin's, with messages made up here or those of
//! a folder.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod figures;
mod site;
mod load;
mod idle;
mod cost;
mod spam;
mod readers;
mod letters;
mod table;

use figures::Figure;
use tests::programs::{Maker, Programs};

/// What the command line says.
struct Options {
    pairs: usize,
    only: Option<String>,
    side: Option<Maker>,
    output: String,
}

fn main() {
    let options = options();
    assert!(sys::ids::is_root(), "the original wants root");
    sys::process::raise_descriptor_limit();
    let chosen =
        |figure: &&Figure| options.only.as_ref().is_none_or(|only| figure.name.contains(only.as_str()));
    let mut rows = Vec::new();
    for figure in figures::ALL.iter().filter(chosen) {
        let mut row = table::Row::new(figure);
        for pair in 1..=options.pairs {
            for maker in [Maker::Ours, Maker::Peer] {
                if options.side.is_some_and(|side| side != maker) {
                    continue;
                }
                let programs = if maker == Maker::Ours { Programs::ours() } else { Programs::peer() };
                let value = (figure.measure)(programs);
                println!("{}, pair {pair}, {maker:?}: {value:.2} {}", figure.name, figure.unit);
                row.add(maker, value);
            }
        }
        rows.push(row);
    }
    site::clear_the_attic();
    let text = table::markdown(&rows, options.pairs);
    println!("{text}");
    if options.only.is_none() && options.side.is_none() {
        std::fs::write(&options.output, text).expect("write the table");
    }
}

fn options() -> Options {
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/../BENCHMARKS.md");
    let mut options = Options { pairs: 3, only: None, side: None, output: workspace.to_owned() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().unwrap_or_else(|| usage());
        match word.as_str() {
            "--pairs" => options.pairs = value.parse().expect("a number of pairs"),
            "--only" => options.only = Some(value),
            "--side" => options.side = Some(if value == "ours" { Maker::Ours } else { Maker::Peer }),
            "--output" => options.output = value,
            "--messages" => spam::take_messages_from(&value),
            _ => usage(),
        }
    }
    options
}

fn usage() -> ! {
    eprintln!(
        "usage: bench [--pairs N] [--only WORDS] [--side ours|peer] [--output FILE] [--messages FOLDER]"
    );
    std::process::exit(2)
}
