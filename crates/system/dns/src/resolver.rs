//! The thread, and the library behind it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hickory_resolver::config::{
    LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{TokioResolver, system_conf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::answer::{Answer, Failure, MailHost, Question, Records};
use crate::hosts::Hosts;
use crate::peer;

/// How long an answer takes at the most.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// Time for one try of one server.
const TRY: Duration = Duration::from_secs(5);
/// Questions that wait for an answer; further ones get none.
const PENDING_LIMIT: usize = 5_000;
/// Answers that are remembered for as long as they are good.
const CACHE_ENTRIES: u64 = 2_000;
/// Addresses, servers or texts of one answer that are used.
const RECORD_LIMIT: usize = 100;

type Reply = Box<dyn FnOnce(Answer) + Send>;

/// Asks DNS. Clones share the thread.
#[derive(Clone)]
pub struct Resolver {
    shared: Arc<Shared>,
}

struct Shared {
    servers: (ResolverConfig, ResolverOpts),
    hosts: Hosts,
    thread: Mutex<Option<UnboundedSender<(Question, Reply)>>>,
    pending: Arc<AtomicUsize>,
}

impl Resolver {
    /// With the servers of /etc/resolv.conf and the names of /etc/hosts, both read now.
    pub fn of_system() -> Self {
        let servers = system_conf::read_system_conf().unwrap_or_else(|error| {
            log::warn!("/etc/resolv.conf: {error}; asking the name server of this host");
            (of_servers(&[(Ipv4Addr::LOCALHOST, 53).into()]), ResolverOpts::default())
        });
        Self::new(servers, Hosts::of_system(), TRY)
    }

    /// With these servers and names, and so much time for one try.
    pub fn with(servers: &[SocketAddr], hosts: Hosts, patience: Duration) -> Self {
        Self::new((of_servers(servers), ResolverOpts::default()), hosts, patience)
    }

    fn new(servers: (ResolverConfig, ResolverOpts), hosts: Hosts, patience: Duration) -> Self {
        let (mut config, mut options) = servers;
        config.search.clear();
        config.domain = None;
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.use_hosts_file = ResolveHosts::Never;
        options.cache_size = CACHE_ENTRIES;
        options.timeout = patience;
        let shared =
            Shared { servers: (config, options), hosts, thread: Mutex::default(), pending: Arc::default() };
        Self { shared: Arc::new(shared) }
    }

    /// The answer, where it needs no DNS: the name of an address in /etc/hosts.
    pub fn at_once(&self, question: &Question) -> Option<Answer> {
        match question {
            Question::Peer(address) => peer::from_hosts(&self.shared.hosts, *address).map(Answer::Peer),
            _ => None,
        }
    }

    /// Asks; `reply` is called exactly once, on another thread.
    pub fn ask(&self, question: Question, reply: impl FnOnce(Answer) + Send + 'static) {
        if self.shared.pending.fetch_add(1, Ordering::Relaxed) >= PENDING_LIMIT {
            self.shared.pending.fetch_sub(1, Ordering::Relaxed);
            return reply(failed(&question, Failure::Unavailable));
        }
        let pending = Arc::clone(&self.shared.pending);
        let counted: Reply = Box::new(move |answer| {
            pending.fetch_sub(1, Ordering::Relaxed);
            reply(answer);
        });
        let mut thread = self.shared.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = thread.get_or_insert_with(|| self.start());
        if let Err(unsent) = sender.send((question, counted)) {
            let (question, reply) = unsent.0;
            reply(failed(&question, Failure::Unavailable));
        }
    }

    fn start(&self) -> UnboundedSender<(Question, Reply)> {
        let (sender, receiver) = unbounded_channel();
        let (servers, hosts) = (self.shared.servers.clone(), self.shared.hosts.clone());
        let started =
            std::thread::Builder::new().name("dns".to_owned()).spawn(move || run(servers, &hosts, receiver));
        if let Err(error) = started {
            log::warn!("no thread for DNS: {error}");
        }
        sender
    }
}

fn of_servers(servers: &[SocketAddr]) -> ResolverConfig {
    let server = |address: &SocketAddr| {
        let mut server = NameServerConfig::udp_and_tcp(address.ip());
        server.connections.iter_mut().for_each(|connection| connection.port = address.port());
        server
    };
    ResolverConfig::from_parts(None, Vec::new(), servers.iter().map(server).collect())
}

fn run(
    servers: (ResolverConfig, ResolverOpts),
    hosts: &Hosts,
    questions: UnboundedReceiver<(Question, Reply)>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return log::warn!("DNS: {error}"),
    };
    let mut builder = TokioResolver::builder_with_config(servers.0, TokioRuntimeProvider::default());
    *builder.options_mut() = servers.1;
    match builder.build() {
        Ok(resolver) => {
            let lookup = Lookup { resolver, hosts: Arc::new(hosts.clone()) };
            tokio::task::LocalSet::new().block_on(&runtime, serve(lookup, questions));
        }
        Err(error) => log::warn!("DNS: {error}"),
    }
}

async fn serve(lookup: Lookup, mut questions: UnboundedReceiver<(Question, Reply)>) {
    while let Some((question, reply)) = questions.recv().await {
        let lookup = lookup.clone();
        tokio::task::spawn_local(async move {
            let answer = tokio::time::timeout(DEADLINE, lookup.answer(&question)).await;
            reply(answer.unwrap_or_else(|_| failed(&question, Failure::Unavailable)));
        });
    }
}

#[derive(Clone)]
struct Lookup {
    resolver: TokioResolver,
    hosts: Arc<Hosts>,
}

impl Lookup {
    async fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::Addresses(name) => Answer::Addresses(self.addresses(name.clone()).await),
            Question::MailHosts(name) => {
                Answer::MailHosts(self.records(name, RecordType::MX, mail_host).await)
            }
            Question::NameServers(name) => {
                Answer::NameServers(self.records(name, RecordType::NS, name_server).await)
            }
            Question::Texts(name) => Answer::Texts(self.records(name, RecordType::TXT, text).await),
            Question::Records(name, kind) => Answer::Records(self.all_records(name, kind).await),
            Question::Peer(address) => Answer::Peer(self.peer(*address).await),
        }
    }

    async fn all_records(&self, name: &str, kind: &str) -> Option<Records> {
        let nothing = |code: ResponseCode| Some(Records { code: code.into(), data: Vec::new() });
        let kind = RecordType::from_str(kind).ok()?;
        let mut asked = Name::from_ascii(name).ok()?;
        asked.set_fqdn(true);
        match self.resolver.lookup(asked, kind).await {
            Ok(found) => {
                let fitting = found.answers().iter().filter(|record| record.record_type() == kind);
                let data = fitting.take(RECORD_LIMIT).map(|record| shown(&record.data)).collect();
                Some(Records { code: ResponseCode::NoError.into(), data })
            }
            Err(NetError::Dns(DnsError::NoRecordsFound(NoRecords { response_code, .. }))) => {
                nothing(response_code)
            }
            Err(NetError::Dns(DnsError::ResponseCode(code))) => nothing(code),
            Err(_) => None,
        }
    }

    async fn peer(&self, address: IpAddr) -> crate::Peer {
        if let Some(peer) = peer::from_hosts(&self.hosts, address) {
            return peer;
        }
        let pointers = self.lookup(Name::from(address), RecordType::PTR, pointer).await;
        let reverse = pointers.and_then(|names| names.into_iter().next().ok_or(Failure::NotFound));
        peer::confirm(address, &self.hosts, reverse, |name| self.addresses(name)).await
    }

    async fn addresses(&self, name: String) -> Result<Vec<IpAddr>, Failure> {
        let found = self.resolver.lookup_ip(absolute(&name)?).await.map_err(|error| failure(&error))?;
        let addresses: Vec<_> = found.iter().take(RECORD_LIMIT).collect();
        if addresses.is_empty() { Err(Failure::NotFound) } else { Ok(addresses) }
    }

    async fn records<T>(
        &self,
        name: &str,
        kind: RecordType,
        read: impl Fn(&RData) -> Option<T>,
    ) -> Result<Vec<T>, Failure> {
        self.lookup(absolute(name)?, kind, read).await
    }

    async fn lookup<T>(
        &self,
        name: Name,
        kind: RecordType,
        read: impl Fn(&RData) -> Option<T>,
    ) -> Result<Vec<T>, Failure> {
        let found = self.resolver.lookup(name, kind).await.map_err(|error| failure(&error))?;
        let records = found.answers().iter().filter_map(|record| read(&record.data));
        let records: Vec<_> = records.take(RECORD_LIMIT).collect();
        if records.is_empty() { Err(Failure::NotFound) } else { Ok(records) }
    }
}

/// The name with the dot at its end, so that no search list is tried.
fn absolute(name: &str) -> Result<Name, Failure> {
    let mut parsed = Name::from_utf8(name).map_err(|_| Failure::NotFound)?;
    parsed.set_fqdn(true);
    Ok(parsed)
}

fn without_dot(name: &Name) -> String {
    let text = name.to_ascii();
    text.strip_suffix('.').unwrap_or(&text).to_owned()
}

fn mail_host(data: &RData) -> Option<MailHost> {
    match data {
        RData::MX(mx) => Some(MailHost { preference: mx.preference, host: without_dot(&mx.exchange) }),
        _ => None,
    }
}

fn name_server(data: &RData) -> Option<String> {
    if let RData::NS(name) = data { Some(without_dot(&name.0)) } else { None }
}

fn pointer(data: &RData) -> Option<String> {
    if let RData::PTR(name) = data { Some(without_dot(&name.0)) } else { None }
}

/// The data as a master file has it, names without the dot at their end.
fn shown(data: &RData) -> String {
    match data {
        RData::MX(mx) => format!("{} {}", mx.preference, without_dot(&mx.exchange)),
        RData::NS(name) => without_dot(&name.0),
        RData::PTR(name) => without_dot(&name.0),
        RData::CNAME(name) => without_dot(&name.0),
        data => text(data).unwrap_or_else(|| data.to_string()),
    }
}

fn text(data: &RData) -> Option<String> {
    match data {
        RData::TXT(text) => {
            let strings = text.txt_data.iter().map(|string| String::from_utf8_lossy(string));
            Some(strings.collect())
        }
        _ => None,
    }
}

/// "There is none" is an answer; that a server says it can not tell is not.
fn failure(error: &NetError) -> Failure {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(NoRecords {
            response_code: ResponseCode::NXDomain | ResponseCode::NoError,
            ..
        })) => Failure::NotFound,
        _ => Failure::Unavailable,
    }
}

fn failed(question: &Question, why: Failure) -> Answer {
    match question {
        Question::Addresses(_) => Answer::Addresses(Err(why)),
        Question::MailHosts(_) => Answer::MailHosts(Err(why)),
        Question::NameServers(_) => Answer::NameServers(Err(why)),
        Question::Texts(_) => Answer::Texts(Err(why)),
        Question::Records(..) => Answer::Records(None),
        Question::Peer(_) => Answer::Peer(crate::Peer::nameless(why)),
    }
}
