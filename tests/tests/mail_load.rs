//! Many clients in the same mailboxes at once, and each one's view held against what was done.
//!
//! `IMAP_LOAD_ROUNDS` or `IMAP_LOAD_MINUTES` make the run longer than the suite's own, `IMAP_LOAD_SEED` another one. In a
//! long run workers should die less often, after each `IMAP_LOAD_KILL_ROUNDS`: master waits longer and longer before it
//! starts what dies within seconds.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::chown;
use std::time::{Duration, Instant};

use tests::dice::Dice;
use tests::suite::PATIENCE;
use tests::{Builder, Suite, processes};

const CLIENTS: usize = 8;
const ROUNDS: usize = 60;
/// After so many rounds a worker is killed.
const KILL_ROUNDS: usize = 10;
/// After so many rounds nobody says anything until all are parked.
const REST_ROUNDS: usize = 20;
/// INBOX comes first: there mail is delivered.
const BOXES: [&str; 3] = ["INBOX", "Work", "Work.Old"];
/// Uid and gid of the suite's mailboxes when the tests run as root.
const MAILBOX_ID: u32 = 5001;

const SUBJECT: &str = "BODY.PEEK[HEADER.FIELDS (SUBJECT)]";

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Where a message is, as far as the server has said so.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Nobody has said that it came.
    #[default]
    Unheard,
    Here,
    Gone,
    /// The server died over it.
    Unknown,
}

/// What is sure of a message.
#[derive(Debug, Default, Clone)]
struct Letter {
    subject: Option<String>,
    fate: Fate,
    /// Which clients have put their keyword on it; none: nobody knows.
    marks: BTreeMap<usize, Option<bool>>,
}

impl Letter {
    /// A command that takes it away had this end.
    fn left(&mut self, sure: bool) {
        if sure {
            self.fate = Fate::Gone;
        } else if self.fate != Fate::Gone {
            self.fate = Fate::Unknown;
        }
    }
}

/// What has been done, as far as the server has said so.
#[derive(Debug)]
struct World {
    boxes: [BTreeMap<u32, Letter>; BOXES.len()],
    delivered: Vec<String>,
}

impl World {
    fn add(&mut self, place: usize, uid: u32, subject: Option<String>) {
        let letter = self.boxes[place].entry(uid).or_default();
        if letter.fate == Fate::Unheard {
            letter.fate = Fate::Here;
        }
        if let Some(subject) = subject {
            assert_eq!(letter.subject.get_or_insert(subject.clone()), &subject, "{}:{uid}", BOXES[place]);
        }
    }

    fn letter(&mut self, place: usize, uid: u32) -> &mut Letter {
        self.boxes[place].entry(uid).or_default()
    }

    /// What has lost its keyword is not found any more.
    fn check_found(&self, client: &Client) {
        for uid in &client.found {
            let mark = self.boxes[client.place].get(uid).and_then(|letter| letter.marks.get(&client.number));
            assert_ne!(mark, Some(&Some(false)), "client {} finds {uid}", client.number);
        }
    }

    /// What a client sees has been the same from the begin, for all.
    fn learn(&mut self, client: &Client) {
        for seen in client.view.iter().filter(|seen| !seen.subject.is_empty()) {
            let known = self.letter(client.place, seen.uid).subject.get_or_insert(seen.subject.clone());
            assert_eq!(
                known, &seen.subject,
                "client {}: {}:{}",
                client.number, BOXES[client.place], seen.uid
            );
        }
    }

    /// All is quiet: is this what was done?
    fn compare(&self, place: usize, view: &[Seen]) {
        for (uid, letter) in &self.boxes[place] {
            let seen = view.iter().find(|seen| seen.uid == *uid);
            let name = format!("{}:{uid} {letter:?}", BOXES[place]);
            assert!(letter.fate != Fate::Here || seen.is_some(), "{name} is lost");
            assert!(letter.fate != Fate::Gone || seen.is_none(), "{name} is there again");
            for (client, mark) in &letter.marks {
                if let (Some(seen), Some(mark)) = (seen, mark) {
                    assert_eq!(seen.flags.contains(&format!("$C{client}")), *mark, "{name}");
                }
            }
        }
    }

    /// Is there a message of this subject that was taken away, or may have been?
    fn was_removed(&self, subject: &str) -> bool {
        let is_it = |letter: &&Letter| letter.subject.as_deref() == Some(subject);
        self.boxes.iter().flat_map(BTreeMap::values).filter(is_it).any(|letter| letter.fate != Fate::Here)
    }
}

/// A message as a client sees it; until it has asked it knows nothing but that it is there.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Seen {
    uid: u32,
    subject: String,
    flags: BTreeSet<String>,
}

/// What a client has asked for.
#[derive(Debug, Clone)]
enum Task {
    Look,
    Select(usize),
    Append(usize, String),
    Mark(u32, bool),
    Flag(u32),
    /// Asks for the subject.
    Read(u32),
    Copy(u32, usize),
    Move(u32, usize),
    Remove(u32),
    Find,
}

struct Client {
    number: usize,
    port: u16,
    stream: BufReader<TcpStream>,
    place: usize,
    view: Vec<Seen>,
    found: Vec<u32>,
    /// What the last MOVE made of its message.
    moved: Option<u32>,
    tag: usize,
}

/// The connection is gone.
#[derive(Debug)]
struct Lost;

impl Client {
    fn new(number: usize, port: u16) -> Self {
        let (stream, view, found) = (connect(port), Vec::new(), Vec::new());
        let mut client = Self { number, port, stream, place: 0, view, found, moved: None, tag: 0 };
        client.come_in();
        client
    }

    /// Logs in, again and again where the worker has just died.
    fn come_in(&mut self) {
        let until = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < until, "the server does not come back");
            self.stream = connect(self.port);
            let mut greeting = String::new();
            let greeted = self.stream.read_line(&mut greeting).is_ok() && !greeting.is_empty();
            self.view.clear();
            if greeted && self.run("LOGIN user@example.com secret").is_ok_and(|reply| reply.starts_with("OK"))
            {
                let place = self.place;
                if self.select(place).is_ok() {
                    return;
                }
            }
        }
    }

    fn select(&mut self, place: usize) -> Result<(), Lost> {
        self.view.clear();
        self.place = place;
        let reply = self.run(&format!("SELECT {}", BOXES[place]))?;
        assert!(reply.starts_with("OK"), "{reply}");
        self.look()
    }

    /// Asks for all that it does not know yet.
    fn look(&mut self) -> Result<(), Lost> {
        while let Some(first) = self.view.iter().position(|seen| seen.uid == 0) {
            let reply = self.run(&format!("FETCH {}:* (UID FLAGS {SUBJECT})", first + 1))?;
            assert!(reply.starts_with("OK"), "{reply}");
        }
        // Of a message that has gone the subject is not told any more.
        if let Some(first) = self.view.iter().position(|seen| seen.subject.is_empty()) {
            self.run(&format!("FETCH {}:* {SUBJECT}", first + 1))?;
        }
        // What has come meanwhile is looked at the next time.
        let uids: Vec<u32> = self.view.iter().map(|seen| seen.uid).filter(|uid| *uid > 0).collect();
        assert!(uids.is_sorted_by(|one, two| one < two), "UIDs do not rise: {uids:?}");
        Ok(())
    }

    fn send(&mut self, command: &str) {
        self.tag += 1;
        let line = format!("t{} {command}\r\n", self.tag);
        // One that can not be sent has no answer, which is seen there.
        let _ = self.stream.get_mut().write_all(line.as_bytes());
    }

    fn run(&mut self, command: &str) -> Result<String, Lost> {
        self.send(command);
        self.reply(self.tag)
    }

    /// Begins to idle; its tag.
    fn begin_idle(&mut self) -> Result<usize, Lost> {
        self.send("IDLE");
        loop {
            let line = self.line()?;
            if line.starts_with("+ ") {
                return Ok(self.tag);
            }
            self.untagged(&line);
        }
    }

    fn end_idle(&mut self, tag: usize) -> Result<(), Lost> {
        // As in `send`.
        let _ = self.stream.get_mut().write_all(b"DONE\r\n");
        let reply = self.reply(tag)?;
        assert!(reply.starts_with("OK"), "{reply}");
        Ok(())
    }

    /// Reads up to the end of this command: what stands behind its tag.
    fn reply(&mut self, tag: usize) -> Result<String, Lost> {
        loop {
            let line = self.line()?;
            if let Some(reply) = line.strip_prefix(&format!("t{tag} ")) {
                return Ok(reply.to_owned());
            }
            if line.starts_with("* BYE") {
                return Err(Lost);
            }
            self.untagged(&line);
        }
    }

    /// A line with the literals in it.
    fn line(&mut self) -> Result<String, Lost> {
        let mut bytes = Vec::new();
        loop {
            if self.stream.read_until(b'\n', &mut bytes).is_err() || !bytes.ends_with(b"\n") {
                return Err(Lost);
            }
            let line = String::from_utf8_lossy(&bytes).into_owned();
            let length = line.trim_end().strip_suffix('}').and_then(|rest| rest.rsplit_once('{'));
            let Some(length) = length.and_then(|(_, digits)| digits.parse::<usize>().ok()) else {
                return Ok(line.trim_end().to_owned());
            };
            let start = bytes.len();
            bytes.resize(start + length, 0);
            self.stream.read_exact(&mut bytes[start..]).map_err(|_| Lost)?;
        }
    }

    fn untagged(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["*", count, "EXISTS"] => {
                let count: usize = count.parse().unwrap();
                assert!(count >= self.view.len(), "client {}: messages vanish without EXPUNGE", self.number);
                self.view.resize(count, Seen::default());
            }
            ["*", place, "EXPUNGE"] => {
                let place: usize = place.parse().unwrap();
                assert!(place >= 1 && place <= self.view.len(), "client {}: {line}", self.number);
                self.view.remove(place - 1);
            }
            ["*", place, "FETCH", ..] => self.fetched(place.parse().unwrap(), line),
            ["*", "SEARCH", uids @ ..] => self.found = uids.iter().map(|uid| uid.parse().unwrap()).collect(),
            _ => self.moved = new_uid(line, "[COPYUID").or(self.moved),
        }
    }

    fn fetched(&mut self, place: usize, line: &str) {
        let number = self.number;
        let seen = self.view.get_mut(place - 1).unwrap_or_else(|| panic!("client {number}: {line}"));
        if let Some(uid) = uid_of(line) {
            assert!(seen.uid == 0 || seen.uid == uid, "client {number}: UID {} became {line}", seen.uid);
            seen.uid = uid;
        }
        if let Some(flags) = flags_of(line) {
            seen.flags = flags;
        }
        if let Some(subject) = line.split_once("Subject: ").and_then(|(_, rest)| rest.lines().next()) {
            assert!(seen.subject.is_empty() || seen.subject == subject, "{}: {line}", seen.subject);
            subject.clone_into(&mut seen.subject);
        }
    }

    /// Asks for something; the answer is read later.
    fn ask(&mut self, task: &Task) {
        self.found.clear();
        self.moved = None;
        if let Task::Select(_) = task {
            self.view.clear();
        }
        let number = self.number;
        self.send(&match task {
            Task::Look => "NOOP".to_owned(),
            Task::Select(target) => format!("SELECT {}", BOXES[*target]),
            Task::Append(target, subject) => {
                let letter = format!("From: a@x\r\nSubject: {subject}\r\n\r\nHello\r\n");
                format!("APPEND {} {{{}+}}\r\n{letter}", BOXES[*target], letter.len())
            }
            Task::Mark(uid, on) => {
                format!("UID STORE {uid} {}FLAGS ($C{number})", if *on { '+' } else { '-' })
            }
            Task::Flag(uid) => format!("UID STORE {uid} +FLAGS (\\Seen \\Flagged)"),
            Task::Copy(uid, target) => format!("UID COPY {uid} {}", BOXES[*target]),
            Task::Move(uid, target) => format!("UID MOVE {uid} {}", BOXES[*target]),
            Task::Remove(uid) => format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)"),
            Task::Find => format!("UID SEARCH KEYWORD $C{number}"),
            Task::Read(uid) => format!("UID FETCH {uid} ({SUBJECT})"),
        });
    }
}

fn connect(port: u16) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    BufReader::new(stream)
}

fn uid_of(line: &str) -> Option<u32> {
    let rest = line.split_once("UID ")?.1;
    rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

fn flags_of(line: &str) -> Option<BTreeSet<String>> {
    let rest = line.split_once("FLAGS (")?.1.split_once(')')?.0;
    Some(rest.split_whitespace().filter(|flag| *flag != "\\Recent").map(str::to_owned).collect())
}

/// `[APPENDUID v 7]` or `[COPYUID v 3 7]`: the last of it.
fn new_uid(reply: &str, code: &str) -> Option<u32> {
    let rest = reply.split_once(code)?.1.split_once(']')?.0;
    rest.rsplit(' ').next()?.parse().ok()
}

/// All of it.
struct Load {
    suite: Suite,
    port: u16,
    clients: Vec<Client>,
    world: World,
    dice: Dice,
    letters: usize,
}

impl Load {
    fn start() -> Self {
        let mut builder = Builder::new()
            .example_com()
            .main("virtual_password_maps = hash:$config_directory/passwords\nimapd_hibernate_time = 1s")
            .table("passwords", "user@example.com {PLAIN}secret\n");
        let port = builder.reserve_port();
        let suite = builder
            .master(&format!("127.0.0.1:{port} inet n - n - - imapd\nauth unix - - n - - authd\n"))
            .start();
        let mut first = Client::new(0, port);
        for name in &BOXES[1..] {
            assert!(first.run(&format!("CREATE {name}")).unwrap().starts_with("OK"));
        }
        let clients = (1..=CLIENTS).map(|number| Client::new(number, port)).collect();
        let world = World { boxes: Default::default(), delivered: Vec::new() };
        let dice = Dice::new(number("IMAP_LOAD_SEED", 1) as u64);
        Self { suite, port, clients, world, dice, letters: 0 }
    }

    /// A message comes as any delivery agent brings it.
    fn deliver(&mut self) {
        self.letters += 1;
        let subject = format!("delivered-{}", self.letters);
        let user = self.suite.root().join("mail/user");
        let name = format!("17{:08}.M{}P1.mx", self.letters, self.letters);
        let path = user.join("tmp").join(&name);
        fs::write(&path, format!("From: a@x\nSubject: {subject}\n\nHello\n")).unwrap();
        if sys::ids::is_root() {
            chown(&path, Some(MAILBOX_ID), Some(MAILBOX_ID)).unwrap();
        }
        fs::rename(&path, user.join("new").join(&name)).unwrap();
        self.world.delivered.push(subject);
    }

    /// All clients ask for something, then all answers are read.
    fn round(&mut self) {
        let mut asked = Vec::new();
        for place in 0..self.clients.len() {
            self.world.learn(&self.clients[place]);
            let task = self.choose(place);
            let client = &mut self.clients[place];
            client.ask(&task);
            asked.push((client.tag, task));
        }
        for (place, (tag, task)) in asked.into_iter().enumerate() {
            let reply = self.clients[place].reply(tag);
            if self.answered(place, &task, reply).is_err() {
                self.clients[place].come_in();
            }
        }
    }

    fn choose(&mut self, client: usize) -> Task {
        let seen: Vec<u32> = self.clients[client]
            .view
            .iter()
            .filter(|seen| seen.uid > 0 && !seen.subject.is_empty())
            .map(|seen| seen.uid)
            .collect();
        let target = self.dice.below(BOXES.len());
        let Some(uid) = self.dice.one_of(&seen) else {
            self.letters += 1;
            return Task::Append(target, format!("written-{}", self.letters));
        };
        match self.dice.below(14) {
            0 => Task::Select(target),
            1..3 => {
                self.letters += 1;
                Task::Append(target, format!("written-{}", self.letters))
            }
            3..6 => Task::Mark(uid, self.dice.below(3) > 0),
            6 => Task::Copy(uid, target),
            7 => Task::Move(uid, target),
            8 => Task::Remove(uid),
            9 => Task::Find,
            10 => Task::Flag(uid),
            11 => Task::Read(uid),
            _ => Task::Look,
        }
    }

    /// What the reply means for the world.
    fn answered(&mut self, client: usize, task: &Task, reply: Result<String, Lost>) -> Result<(), Lost> {
        let (world, it) = (&mut self.world, &mut self.clients[client]);
        let place = it.place;
        let done = reply.as_ref().is_ok_and(|reply| reply.starts_with("OK"));
        match (task, &reply) {
            (Task::Append(target, subject), Ok(reply)) => {
                let uid = new_uid(reply, "[APPENDUID").unwrap_or_else(|| panic!("{reply}"));
                world.add(*target, uid, Some(subject.clone()));
            }
            (Task::Mark(uid, on), _) => {
                world.letter(place, *uid).marks.insert(it.number, done.then_some(*on));
            }
            (Task::Remove(uid), _) => {
                let removed = reply.is_ok() && it.run(&format!("UID EXPUNGE {uid}")).is_ok();
                world.letter(place, *uid).left(removed);
            }
            (Task::Copy(uid, target), Ok(reply)) => {
                if let Some(copy) = new_uid(reply, "[COPYUID") {
                    let subject = world.letter(place, *uid).subject.clone();
                    world.add(*target, copy, subject);
                }
            }
            (Task::Move(uid, target), _) => {
                let letter = world.letter(place, *uid);
                // One that somebody else has taken away is not moved.
                letter.left(done);
                let subject = letter.subject.clone();
                if let Some(moved) = it.moved {
                    world.add(*target, moved, subject);
                }
            }
            (Task::Find, Ok(_)) => world.check_found(it),
            (Task::Select(target), Ok(_)) => it.place = *target,
            _ => {}
        }
        reply?;
        it.look()
    }

    /// Nobody says anything, some of them in IDLE, until no process serves them; then they may hear of a message.
    fn rest(&mut self) {
        let resting: Vec<Option<usize>> = self
            .clients
            .iter_mut()
            .map(|client| if self.dice.below(2) > 0 { client.begin_idle().ok() } else { None })
            .collect();
        let root = self.suite.root().to_owned();
        self.suite.until("the end of the residents", || processes::residents(&root).is_empty().then_some(()));
        if self.dice.below(2) > 0 {
            self.deliver();
        }
        for (client, idle) in self.clients.iter_mut().zip(resting) {
            let ended = match idle {
                Some(tag) => client.end_idle(tag),
                None => client.run("NOOP").map(drop),
            };
            if ended.and_then(|()| client.look()).is_err() {
                client.come_in();
            }
        }
    }

    fn kill_a_worker(&mut self) {
        let is_worker = |pid: &u32| ["imapd", "resident-spare"].contains(&processes::program(*pid).as_str());
        let workers: Vec<u32> = self.suite.processes().into_iter().filter(is_worker).collect();
        if let Some(pid) = self.dice.one_of(&workers) {
            processes::kill(pid);
        }
    }

    /// When all is quiet everybody sees the same, and it is what was done.
    fn check(&mut self) {
        for (place, name) in BOXES.iter().enumerate() {
            let mut fresh = Client::new(0, self.port);
            fresh.select(place).unwrap();
            for client in &mut self.clients {
                while client.run("NOOP").is_err() || client.look().is_err() {
                    client.come_in();
                }
                if client.place == place {
                    assert_eq!(client.view, fresh.view, "client {} in {}", client.number, name);
                }
            }
            self.world.compare(place, &fresh.view);
        }
        let all = self.subjects();
        for subject in &self.world.delivered {
            assert!(all.contains(subject) || self.world.was_removed(subject), "{subject} is lost");
        }
    }

    /// The subjects of all messages.
    fn subjects(&self) -> BTreeSet<String> {
        let user = self.suite.root().join("mail/user");
        let mut found = BTreeSet::new();
        for folder in ["", ".Work", ".Work.Old"] {
            for part in ["new", "cur"] {
                for entry in fs::read_dir(user.join(folder).join(part)).into_iter().flatten().flatten() {
                    let text = fs::read_to_string(entry.path()).unwrap_or_default();
                    found.extend(
                        text.split_once("Subject: ")
                            .and_then(|(_, rest)| rest.lines().next())
                            .map(str::to_owned),
                    );
                }
            }
        }
        found
    }
}

fn load(kills: bool) {
    if !matches!(tests::programs::Programs::under_test().maker, tests::programs::Maker::Ours) {
        return;
    }
    let mut load = Load::start();
    let (rounds, kill_rounds) =
        (number("IMAP_LOAD_ROUNDS", ROUNDS), number("IMAP_LOAD_KILL_ROUNDS", KILL_ROUNDS));
    let end = Instant::now() + Duration::from_secs(60 * number("IMAP_LOAD_MINUTES", 0) as u64);
    for round in (1..).take_while(|round| *round <= rounds || Instant::now() < end) {
        if round % 5 == 0 {
            load.deliver();
        }
        if kills && round % kill_rounds == 0 {
            load.kill_a_worker();
        }
        load.round();
        if round % REST_ROUNDS == 0 {
            load.rest();
        }
        if round % 30 == 0 {
            load.check();
        }
    }
    load.check();
    println!("{} messages, {} clients", load.letters, load.clients.len());
    let log = load.suite.log();
    assert!(!log.contains("panicked"), "{}", load.suite.log_end());
    load.suite.stop();
}

#[test]
fn many_clients_agree_with_what_was_done() {
    load(false);
}

#[test]
fn many_clients_agree_with_what_was_done_when_workers_die() {
    load(true);
}
