//! One Redis database for Pillarbox and SpamAssassin: what either learns, the other knows.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use learned::{Owner, Shelf};

use super::*;

/// For the server to come up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server of this test alone, on a socket in its folder, where the original finds it by these settings.
struct Server {
    child: Child,
    settings: String,
}

impl Server {
    fn start(folder: &Path) -> Option<Self> {
        let socket = folder.join("redis.sock");
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--requirepass", "secret", "--dir"])
            .arg(folder)
            .arg("--unixsocket")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .ok()?;
        let began = Instant::now();
        while UnixStream::connect(&socket).is_err() {
            assert!(began.elapsed() < PATIENCE, "redis-server does not come up");
            std::thread::yield_now();
        }
        let settings = format!(
            "bayes_store_module Mail::SpamAssassin::BayesStore::Redis\n\
             bayes_sql_dsn server={};password=secret;database=3\nbayes_token_ttl 1d\n",
            socket.display()
        );
        Some(Self { child, settings })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Host<'a> {
    folder: &'a Path,
    site: Site,
    bayes: Bayes,
}

impl<'a> Host<'a> {
    fn new(folder: &'a Path, settings: &str) -> Self {
        let site = site(folder, settings);
        let shelf = Shelf::default();
        let owner = Owner { user: "joe", login: "me", state: folder, home: folder };
        let bayes = shelf.learned(&site.rules.settings, &owner).unwrap().bayes;
        Self { folder, site, bayes }
    }

    fn learn(&self, class: Class, numbers: Range<usize>) {
        for number in numbers {
            let text = format!("{}\n", message(class, number));
            let lesson = self.site.rules.learn(text.as_bytes(), class, &self.bayes, NOW);
            assert!(lesson.learned, "{class:?} {number}");
            self.bayes.apply(&lesson.changes).unwrap();
        }
    }

    fn sa_learn(&self, option: &str, class: Class, numbers: Range<usize>) -> String {
        let path = self.folder.join("mbox");
        std::fs::write(&path, mbox(class, numbers)).unwrap();
        original("sa-learn", self.folder, &[option, "--mbox", path.to_str().unwrap()])
    }

    /// Counts of tokens, and messages: without the time, which is that of the question.
    fn backups(&self) -> [BTreeSet<String>; 2] {
        let mut ours = Vec::new();
        self.bayes.backup(&mut ours).unwrap();
        let theirs = original("sa-learn", self.folder, &["--backup"]);
        [String::from_utf8(ours).unwrap(), theirs].map(|text| text.lines().map(without_time).collect())
    }

    fn assert_same(&self) -> usize {
        let [ours, theirs] = self.backups();
        let ours_only: Vec<_> = ours.difference(&theirs).collect();
        let theirs_only: Vec<_> = theirs.difference(&ours).collect();
        assert!(ours_only.is_empty() && theirs_only.is_empty(), "ours {ours_only:?}, theirs {theirs_only:?}");
        ours.len()
    }
}

fn without_time(line: &str) -> String {
    let words: Vec<&str> = line.split('\t').collect();
    match words.as_slice() {
        ["t", spam, ham, _, token] => format!("t {spam} {ham} {token}"),
        _ => line.to_owned(),
    }
}

/// A server for us and for the original; none where one of the two is missing, which is said.
fn server_for_both(folder: &Path) -> Option<Server> {
    if !is_installed() {
        testkit::left_out("SpamAssassin is not installed");
        return None;
    }
    let server = Server::start(folder);
    if server.is_none() {
        testkit::left_out("redis-server is not installed");
    }
    server
}

#[test]
fn hosts_of_both_kinds_share_one_redis() {
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = server_for_both(folder.path()) else { return };
    let host = Host::new(folder.path(), &server.settings);
    assert_eq!(host.bayes.tally(), Some(Tally::default()));

    // Each learns a half, and knows both.
    host.learn(Class::Spam, 0..15);
    host.sa_learn("--ham", Class::Ham, 0..15);
    host.learn(Class::Ham, 15..MESSAGES);
    host.sa_learn("--spam", Class::Spam, 15..MESSAGES);
    let all = u64::try_from(MESSAGES).unwrap();
    assert_eq!(host.bayes.tally(), Some(Tally { spam: all, ham: all }));
    assert!(host.assert_same() > 2 * MESSAGES);

    // Neither learns again what the other has learned.
    let said = host.sa_learn("--spam", Class::Spam, 0..15);
    assert!(said.starts_with("Learned tokens from 0 message(s) (15 "), "{said}");
    let twice = message(Class::Ham, 3) + "\n";
    assert!(!host.site.rules.learn(twice.as_bytes(), Class::Ham, &host.bayes, NOW).learned);
    verdicts_are_the_same(folder.path(), &host.site, &host.bayes);

    // Either forgets what the other has learned.
    for number in 0..3 {
        let text = format!("{}\n", message(Class::Ham, number));
        let lesson = host.site.rules.forget(text.as_bytes(), &host.bayes, NOW);
        assert!(lesson.learned);
        host.bayes.apply(&lesson.changes).unwrap();
    }
    host.sa_learn("--forget", Class::Spam, 0..4);
    assert_eq!(host.bayes.tally(), Some(Tally { spam: all - 4, ham: all - 3 }));
    host.assert_same();
}

#[test]
fn a_backup_of_the_original_goes_into_redis() {
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = server_for_both(folder.path()) else { return };
    let host = Host::new(folder.path(), &server.settings);
    let text = "v\t3\tdb_version\nv\t12\tnum_spam\nv\t34\tnum_nonspam\nt\t1\t2\t50\t0001020304\n\
        t\t3\t0\t60\t0d0a20ff05\ns\th\ta@example.com\ns\ts\tb@sa_generated\n";
    assert_eq!(host.bayes.restore(&mut text.as_bytes(), u32::MAX).unwrap(), 2);
    assert_eq!(host.assert_same(), 7);
    assert_eq!(host.bayes.learned_as("b@sa_generated"), Some(Class::Spam));
    // Nobody removes what may be others'.
    assert!(host.bayes.clear().unwrap().is_some_and(|reason| reason.contains("redis-cli -n 3 FLUSHDB")));
    assert_eq!(host.bayes.tally(), Some(Tally { spam: 12, ham: 34 }));
}

#[test]
fn mail_is_judged_without_a_server_that_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let settings = format!(
        "bayes_store_module Mail::SpamAssassin::BayesStore::Redis\nbayes_sql_dsn server={}\n",
        folder.path().join("nobody.sock").display()
    );
    let host = Host::new(folder.path(), &settings);
    let text = message(Class::Spam, 1);
    let circumstances = Circumstances { memory: Some(&host.bayes), ..Circumstances::new(NOW, &|| false) };
    let check = Check::new(&host.site.rules, text.as_bytes(), &circumstances);
    assert!(check.findings.bayes.is_none());
    let lesson = host.site.rules.learn(text.as_bytes(), Class::Spam, &host.bayes, NOW);
    let trouble = host.bayes.apply(&lesson.changes).unwrap_err().to_string();
    assert!(trouble.contains("nobody.sock database 0: "), "{trouble}");
}
