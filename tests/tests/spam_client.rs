//! spamc where something is odd: replies that make no sense, hosts that nobody serves, options that do not go together. What it
//! says and how it ends is known for some of it, and held against the original for all of it.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

use testkit::left_out;
use tests::programs::Programs;
use tests::spamd::{installed, run_with};

const MESSAGE: &str = "Subject: hello\nFrom: a@b.example\n\nbody\n";
const SESSION: &str = "MAIL FROM:<a@b.example>\r\nDATA\r\nSubject: x\r\n\r\n..a\r\n.\r\nQUIT\r\n";
/// What else can be asked of a spamd that replies oddly.
const MODES: [&[&str]; 13] = [
    &[],
    &["-x"],
    &["-c", "-x"],
    &["-y", "-x"],
    &["-r", "-x"],
    &["-R", "-x", "-E"],
    &["--headers", "-x"],
    &["-K"],
    &["-K", "-c"],
    &["-L", "spam"],
    &["-L", "forget"],
    &["-C", "report", "-x"],
    &["-B", "-x"],
];
const VERDICT: &str = "Content-length: 3\r\nSpam: True ; 15.0 / 5.0\r\n\r\nabc";
/// Fields and a body, behind a first line that is in order.
const FIELDS: [&str; 31] = [
    "Content-length: 3\r\nSpam: True ; 15.0 / 5.0\r\n\r\nabcdef",
    "Content-length: 10\r\nSpam: True ; 15.0 / 5.0\r\n\r\nabc",
    "Spam: True ; 15.0 / 5.0\r\n\r\nabc",
    "Spam: True ; 15.0 / 5.0\r\nContent-length: -5\r\n\r\nabc",
    "Content-length: x\r\nSpam: True ; 15.0 / 5.0\r\n\r\nabc",
    "Content-length:3\r\nSpam:True ; 15.0 / 5.0\r\n\r\nabc",
    "Content-length: 3x\r\nSpam: True ; 15.0 / 5.0\r\n\r\nabc",
    "Content-length: 99999999999\r\nSpam: True ; 15.0 / 5.0\r\n\r\nabc",
    "Content-length: 4294967299\r\nSpam: True ; 15.0 / 5.0\r\n\r\nabc",
    "Content-length: 99999999999999999999\r\nSpam: True ; 15.0 / 5.0\r\n\r\nabc",
    "content-length: 3\r\nSpam: True ; 15.0 / 5.0\r\n\r\nabc",
    "no colon\r\nX-Other: y\r\nContent-length: 3\r\nSpam: True ; 15.0 / 5.0\r\n\r\nabc",
    "Content-length: 3\nSpam: True ; 15.0 / 5.0\n\nabc",
    "Content-length: 3\r\nSpam: True ; nan / 5.0\r\n\r\nabc",
    "Content-length: 3\r\nSpam: yes ; 15.0 / 5.0\r\n\r\nabc",
    "Content-length: 3\r\nspam: True ; 15.0 / 5.0\r\n\r\nabc",
    "Content-length: 3\r\nSpam: True; 15.0/5.0\r\n\r\nabc",
    "Content-length: 3\r\nSpam:  True ;15.0 /5.0\r\n\r\nabc",
    "Content-length: 3\r\nSpam: True;; 15.0 / 5.0\r\n\r\nabc",
    "Content-length: 3\r\nSpam: TRUE ; 15 / 5\r\n\r\nabc",
    "Content-length: 3\r\nSpam: True ; 15.0\r\n\r\nabc",
    "Content-length: 3\r\nSpam: True ; +15.05 / 5.04\r\n\r\nabc",
    "Content-length: 3\r\nSpam: False ; -0.04 / 5\r\n\r\nabc",
    "Content-length: 0\r\nSpam: False ; 1e99 / -5.0\r\n\r\n",
    "Content-length: 3\r\nSpam: False ; 2.9 / 5.0\r\nSpam: True ; 9.0 / 5.0\r\n\r\nabc",
    "Content-length: 3\r\nDidSet: local\r\nSpam: True ; 15.0 / 5.0\r\n\r\nabc",
    "Content-length: 2\r\nDidSet: local,remote\r\n\r\n\r\n",
    "DidRemove:remote,local\r\n\r\n\r\n",
    "\r\nabc",
    "",
    "Content-length: 3\r\n",
];
/// First lines; the rest is in order.
const FIRST_LINES: [&str; 14] = [
    "garbage\r\n",
    "\r\n",
    "SPAMD/0.9 0 EX_OK\r\n",
    "SPAMD/2.0 0 EX_OK\r\n",
    "SPAMD/1x1 0 EX_OK\r\n",
    "SPAMD/1.1 x EX_OK\r\n",
    "SPAMD/1.1 0x EX_OK\r\n",
    "SPAMD/1.1  0\r\n",
    " SPAMD/1.1 0 EX_OK\r\n",
    "SPAMD/1.1 5 EX_OK\r\n",
    "SPAMD/1.1 76 Bad header line: x\r\n",
    "SPAMD/1.1 79 Timeout\r\n",
    "SPAMD/1.5 0 PONG\r\n",
    "SPAMD/1.1 69 Service Unavailable: no\r\n",
];
/// Command lines that nobody needs to be there for.
const LINES: [&str; 43] = [
    "-p 1 -d 127.0.0.1,127.0.0.3 --connect-retries 2 --retry-sleep 0",
    "-p 1 -d 127.0.0.1,127.0.0.3 --connect-retries 2 --retry-sleep 0 -x",
    "-p 1 -d 127.0.0.1,127.0.0.3 --connect-retries 2 --retry-sleep 0 -x -X",
    "-p 1 -d 127.0.0.1,127.0.0.3 --connect-retries 2 --retry-sleep 0 -L ham",
    "-p 1 -d 127.0.0.1 --connect-retries 1 -K",
    "-p 1 -d 127.0.0.1 --connect-retries 1 -c -C report",
    "-p 1 -d 127.0.0.1 --connect-retries 1 -y -C report",
    "-p 1 -d 127.0.0.1 --connect-retries 1 -C report",
    "-p 1 -d 127.0.0.1 --connect-retries 1 -C report -x",
    "-p 1 -d 127.0.0.1 --connect-retries 1 -x -c -e /bin/cat",
    "-p 1 -d 127.0.0.1 --connect-retries 1 -x -e /bin/cat",
    "-p 1 -d 127.0.0.1 --connect-retries 1 -L spam -e /bin/echo hi",
    "-p 1 -d 127.0.0.1 --connect-retries 1 -e /no/such",
    "-6 -d 127.0.0.1 -c -x",
    "-6 -d 127.0.0.1",
    "-4 -d ::1 -K",
    "-U /no/such -x",
    "-U /no/such -c",
    "-d 127.0.0.1 -s 10",
    "-d 127.0.0.1 -s 10 -x -c",
    "-d 127.0.0.1 -s 10 -L spam",
    "-d 127.0.0.1 -s 10 -E -y",
    "-s 268435457",
    "-s",
    "-s10",
    "-s -1",
    "--max-size",
    "--max-size -c",
    "-Q",
    "-c -Q",
    "--chec",
    "--nonsense=1",
    "-c -e",
    "-u",
    "-L",
    "-L nope",
    "-C nope",
    "-L spam -c",
    "-L spam -C report",
    "-L spam -K",
    "--ssl=sslv3",
    "--ssl-cert c",
    "-F /no/such",
];

/// A server on this host that says `reply` to everybody who has said all.
fn replies_with(reply: Vec<u8>) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
            let _ = stream.write_all(&reply);
        }
    });
    port.to_string()
}

/// A server on this host that hears a few bytes, and goes.
fn dies() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        listener.incoming().for_each(|stream| drop(stream.unwrap().read(&mut [0; 9])))
    });
    port.to_string()
}

/// How a spamc ends, and what it says: complaints on standard error, where they can be read, and nothing of how it is used.
fn outcome(program: &std::path::Path, options: &[&str]) -> (Option<i32>, String, String) {
    let input = if options.contains(&"-B") { SESSION } else { MESSAGE };
    let output = run_with(Command::new(program).args(["-l", "-u", "nobody"]).args(options), input);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let is_usage = output.stdout.starts_with(b"SpamAssassin Client version");
    let told = if is_usage { String::new() } else { text(&output.stdout) };
    (output.status.code(), told, text(&output.stderr))
}

fn ours(options: &[&str]) -> (Option<i32>, String, String) {
    outcome(&Programs::ours().commands.join("spamc"), options)
}

/// Ours says what the original says.
fn agree(options: &[&str], about: &str) {
    let Some(original) = installed("spamc") else { return };
    assert_eq!(ours(options), outcome(&original, options), "{options:?}: {about}");
}

fn need_original() {
    if installed("spamc").is_none() {
        left_out("spamc is not installed");
    }
}

#[test]
fn replies_that_make_no_sense() {
    need_original();
    let in_order = FIELDS.iter().map(|fields| format!("SPAMD/1.1 0 EX_OK\r\n{fields}"));
    let odd = FIRST_LINES.iter().map(|line| format!("{line}{VERDICT}"));
    let long = ["x", "Y: "].map(|text| format!("SPAMD/1.1 0 {text}{}\r\n{VERDICT}", "x".repeat(9000)));
    for reply in in_order.chain(odd).chain(long).chain([String::new(), "SPAMD/1.1".to_owned()]) {
        let port = replies_with(reply.clone().into_bytes());
        for mode in MODES {
            agree(&[&["-d", "127.0.0.1", "-p", &port], mode].concat(), &reply);
        }
    }
}

#[test]
fn what_is_known_of_odd_replies() {
    let said = |reply: &str, options: &[&str]| {
        let port = replies_with(reply.as_bytes().to_vec());
        ours(&[&["-d", "127.0.0.1", "-p", &port], options].concat())
    };
    let some = |status: i32, out: &str, error: &str| (Some(status), out.to_owned(), error.to_owned());
    let negative = "SPAMD/1.1 0 EX_OK\r\nContent-length: -5\r\nSpam: True ; 15.0 / 5.0\r\n\r\n";
    let complaint = "spamc: spamd responded with bad Content-length 'Content-length: -5'\n";
    assert_eq!(said(negative, &["-c"]), some(1, "15.0/5.0\n", complaint));
    assert_eq!(said(negative, &["-x"]), some(76, "", complaint));
    assert_eq!(said(negative, &[]), some(0, MESSAGE, complaint));
    let narrow = "SPAMD/1.1 0 EX_OK\r\nnothing\r\nContent-length:3\r\nSpam:True ; 15.0 / 5.0\r\n\r\nabc";
    assert_eq!(said(narrow, &["-R", "-E"]), some(1, "15.0/5.0\nabc", ""));
    assert_eq!(said("SPAMD/1.1 0 EX_OK\r\n", &["-K", "-c"]), some(0, "SPAMD/1.1 0\n", ""));
}

/// A message that comes back much larger than it went goes on as it was.
#[test]
fn replies_that_are_too_large() {
    need_original();
    let limit = 1000 + 16 * 1024;
    for length in [limit - 10, limit - 9, limit - 8, limit, limit + 1, 3 * 1024 * 1024] {
        let head =
            format!("SPAMD/1.1 0 EX_OK\r\nContent-length: {length}\r\nSpam: True ; 15.0 / 5.0\r\n\r\n");
        let port = replies_with([head.as_bytes(), &vec![b'y'; length]].concat());
        // With --headers the original loses the end of a message for which there is no room behind the reply.
        for mode in MODES.into_iter().filter(|mode| !mode.contains(&"--headers")) {
            let options = [&["-d", "127.0.0.1", "-p", &port, "-s", "1000"], mode].concat();
            agree(&options, &format!("{length} bytes"));
            let (status, text, _) = ours(&options);
            if mode == ["-x"] {
                assert_eq!((status, text == MESSAGE), (Some(0), length > limit), "{length}");
            }
        }
    }
}

#[test]
fn servers_that_die() {
    need_original();
    let port = dies();
    for mode in MODES {
        let place = ["-d", "127.0.0.1", "-p", &port];
        agree(&[&place, mode].concat(), "a server that dies");
        let again = ["--filter-retries", "2", "--filter-retry-sleep", "0"];
        agree(&[&place, &again[..], mode].concat(), "a server that dies twice");
    }
    assert_eq!(ours(&["-d", "127.0.0.1", "-p", &port, "-x"]).0, Some(74));
    // One that says nothing: the listener is there, and nobody takes the call.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = silent.local_addr().unwrap().port().to_string();
    for mode in [&["-x"][..], &["-x", "-X"], &["-c"]] {
        agree(&[&["-d", "127.0.0.1", "-p", &port, "-t", "1"], mode].concat(), "a server that says nothing");
    }
}

#[test]
fn command_lines() {
    need_original();
    for line in LINES {
        let words: Vec<&str> = line.split(' ').collect();
        agree(&words, line);
    }
    let (status, _, told) = ours(&["-c", "-Q"]);
    let expected = "Error in argument 5, char 2: option not found Q\nspamc: invalid usage\n";
    assert_eq!((status, told.as_str()), (Some(64), expected));
}
