//! Logic asks for files, sockets, clocks and chance, and never fetches them; `unsafe` is in `system/sys` alone.

use crate::{Finding, expect_none};
use tests::source::{Source, sources};

/// Modules of `std` through which the world comes in.
const WORLD: [&str; 5] = ["fs", "net", "process", "env", "thread"];

/// What is fine to take from `std::net`: addresses are values.
const VALUES_OF_NET: [&str; 7] =
    ["IpAddr", "Ipv4Addr", "Ipv6Addr", "SocketAddr", "SocketAddrV4", "SocketAddrV6", "AddrParseError"];

/// Calls that read a clock.
const CLOCKS: [&str; 2] = ["Instant::now", "SystemTime::now"];

#[test]
fn logic_does_not_touch_the_world() {
    let sources = sources();
    let findings: Vec<_> =
        sources.iter().filter(|source| source.floor() == Some("logic")).flat_map(touches).collect();
    expect_none(&findings);
}

fn touches(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, code) in source.production_lines() {
        for what in world_in(code)
            .into_iter()
            .chain(CLOCKS.into_iter().filter(|clock| code.contains(clock)).map(str::to_owned))
        {
            let problem =
                format!("logic uses {what}; make it an argument or a question that the caller answers");
            findings.push(Finding::new(&source.path, line, problem));
        }
    }
    findings
}

/// The modules of the world that a line of code names: `std::fs`, `use std::{fs, io}`.
fn world_in(code: &str) -> Vec<String> {
    let mut named = Vec::new();
    for (at, _) in code.match_indices("std::") {
        let rest = &code[at + "std::".len()..];
        let names: Vec<&str> = match rest.strip_prefix('{') {
            Some(group) => group.split([',', '}']).map(str::trim).collect(),
            None => vec![rest],
        };
        named.extend(
            names.into_iter().filter(|name| is_world(name)).map(|name| format!("std::{}", first_word(name))),
        );
    }
    named
}

fn is_world(path: &str) -> bool {
    let module = first_word(path);
    let item = path[module.len()..].trim_start_matches("::");
    let items = item
        .trim_start_matches('{')
        .split([',', '}', ';', ' '])
        .map(first_word)
        .filter(|item| !item.is_empty());
    let values_only =
        module == "net" && !item.is_empty() && items.into_iter().all(|item| VALUES_OF_NET.contains(&item));
    WORLD.contains(&module) && !values_only
}

fn first_word(text: &str) -> &str {
    let end = text.find(|char: char| !char.is_alphanumeric() && char != '_');
    &text[..end.unwrap_or(text.len())]
}

#[test]
fn unsafe_code_is_in_sys_alone() {
    let mut findings = Vec::new();
    for source in sources().iter().filter(|source| !source.path.starts_with("crates/system/sys")) {
        for (index, line) in source.code.lines().enumerate() {
            if line.split(|char: char| !char.is_alphanumeric() && char != '_').any(|word| word == "unsafe") {
                let problem =
                    "unsafe outside crates/system/sys; add a safe wrapper there, in the file of its subject";
                findings.push(Finding::new(&source.path, index + 1, problem));
            }
        }
    }
    expect_none(&findings);
}

#[test]
fn the_world_is_recognised() {
    assert_eq!(world_in("use std::{fmt, fs};"), ["std::fs"]);
    assert_eq!(world_in("let x = std::env::var(name);"), ["std::env"]);
    assert!(
        world_in("use std::net::IpAddr;").is_empty()
            && world_in("use std::net::{IpAddr, Ipv4Addr};").is_empty()
    );
    assert_eq!(world_in("use std::net::{IpAddr, TcpStream};"), ["std::net"]);
}
