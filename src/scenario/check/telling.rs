//! Checks of the story that is told of a run.

use super::super::document::Path;
use super::super::file::{Exchange, File, Story};
use super::super::plan::{
    Addressee, DnsPlan, ExchangePlan, Matter, Occurrence, OverlayEvent, Peer, Plan, PresenceStatus,
    ResolverCount, StoryMethod, StoryPlan, StoryProtocol,
};
use super::super::problem::{Fault, StoryFault, nearest};
use super::Check;
use super::users::{Users, missing_member};

/// The keys of an exchange that is a request.
const OF_REQUEST: [&str; 4] = ["method", "from", "status", "via"];
/// The keys of one that is an event.
const OF_EVENT: [&str; 2] = ["host", "presence"];

impl Check<'_> {
    pub(super) fn story(
        &mut self,
        story: &Story,
        file: &File,
        dns: Option<&DnsPlan>,
        users: &Users<'_>,
    ) -> StoryPlan {
        let hosts = match &story.hosts {
            Some(hosts) => self.story_hosts(hosts, file, dns, users),
            None => usual_hosts(file),
        };
        let protocols = story.protocols.clone();
        let protocols = protocols.unwrap_or_else(|| vec![StoryProtocol::Sip, StoryProtocol::Http]);
        for (index, protocol) in protocols.iter().enumerate() {
            if let Some(first) = protocols[..index].iter().position(|other| other == protocol) {
                let name = serde_json::json!(protocol).as_str().unwrap_or("").to_owned();
                let fault = Fault::Twice { what: "protocol", name, first };
                self.fault(&Path::of("story.protocols").then(index), fault);
            }
        }
        let list = Path::of("story.exchange");
        let titles: Vec<_> = story.exchange.iter().map(|it| it.title.as_str()).collect();
        self.distinct(&list, "title", "exchange", &titles);
        let exchanges = story.exchange.iter().enumerate().filter_map(|(index, exchange)| {
            let matter = self.matter(exchange, &list.then(index), file, users)?;
            Some(ExchangePlan { title: exchange.title.clone(), matter })
        });
        StoryPlan { hosts, protocols, exchanges: exchanges.collect() }
    }

    /// Hosts of any kind, each once.
    fn story_hosts(
        &mut self,
        hosts: &[String],
        file: &File,
        dns: Option<&DnsPlan>,
        users: &Users<'_>,
    ) -> Vec<String> {
        let list = Path::of("story.hosts");
        let there = |name: &str| {
            users.is_host(name)
                || (name == "update-service" && file.dyndns.is_some())
                || (name == "dns-authority" && file.dns.is_some())
                || dns.is_some_and(|dns| is_resolver(dns, name, users))
        };
        let known = || {
            let mut known = usual_hosts(file);
            known.extend(dns.map(|_| "dns-authority".to_owned()));
            known.extend(users.nodes());
            known
        };
        self.hosts_once(hosts, &list, users, there, known)
    }

    /// Hosts in a list that are there, each once; servers in lower case.
    fn hosts_once(
        &mut self,
        hosts: &[String],
        list: &Path,
        users: &Users<'_>,
        there: impl Fn(&str) -> bool,
        known: impl Fn() -> Vec<String>,
    ) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for (index, written) in hosts.iter().enumerate() {
            let path = list.then(index);
            let name = match users.is_server(written) {
                true => written.to_ascii_lowercase(),
                false => written.clone(),
            };
            if !there(&name) {
                let known = known();
                let nearest = nearest(&name, known.iter().map(String::as_str));
                self.fault(&path, Fault::Unresolved { what: "host", name, nearest, known });
                continue;
            }
            if let Some(first) = found.iter().position(|other| *other == name) {
                self.fault(&path, Fault::Twice { what: "host", name, first });
                continue;
            }
            found.push(name);
        }
        found
    }

    /// What an exchange is about.
    fn matter(
        &mut self,
        exchange: &Exchange,
        path: &Path,
        file: &File,
        users: &Users<'_>,
    ) -> Option<Matter> {
        match (exchange.method, exchange.event) {
            (Some(method), None) => {
                self.meaningless(path, &OF_EVENT, "`method`");
                self.request(exchange, method, path, file, users)
            }
            (None, Some(Occurrence::Notified)) => {
                self.meaningless(path, &OF_REQUEST, "`event`");
                self.notified(exchange, path, users)
            }
            (None, Some(event)) => {
                self.meaningless(path, &OF_REQUEST, "`event`");
                let alone = ["to", "presence"];
                self.meaningless(path, &alone, "any event but \"notified\"");
                self.overlay_event(exchange, event, path, file, users)
            }
            (Some(_), Some(_)) => {
                let fault = Fault::Both { key: "event", other: "method" };
                self.key_fault(&path.then("event"), fault);
                None
            }
            (None, None) => {
                self.fault(path, Fault::Neither { key: "method", other: "event" });
                None
            }
        }
    }

    fn request(
        &mut self,
        exchange: &Exchange,
        method: StoryMethod,
        path: &Path,
        file: &File,
        users: &Users<'_>,
    ) -> Option<Matter> {
        let via =
            exchange.via.as_ref().map(|via| self.passers(via, &path.then("via"), file, users));
        let sender = self.user(exchange.from.as_ref(), &path.then("from"), "who sends it", users);
        let never = sender.as_ref().and_then(|sender| never_sent(&sender.host, method, users));
        if let Some(fault) = never {
            self.fault(&path.then("method"), fault.into());
            return None;
        }
        let to = &path.then("to");
        let to = match &exchange.to {
            given if method.is_to_domain() => {
                let sender = sender.as_ref()?;
                let domain = domain_of(sender);
                if given.as_ref().is_some_and(|given| !given.eq_ignore_ascii_case(&domain)) {
                    let (host, method) = (sender.host.clone(), method.as_str());
                    self.fault(to, StoryFault::OtherDomain { host, method, domain }.into());
                    return None;
                }
                Some(Addressee::Domain(domain))
            }
            given => {
                self.user(given.as_ref(), to, "to whom it is sent", users).map(Addressee::User)
            }
        };
        let (sender, to) = (sender?, to?);
        if let Addressee::User(peer) = &to
            && peer.host == sender.host
        {
            self.fault(&path.then("to"), Fault::Itself { host: sender.host });
            return None;
        }
        let status = exchange.status.unwrap_or(200);
        Some(Matter::Request { method, from: sender.host, to, status, via })
    }

    /// Who passes a request on.
    fn passers(
        &mut self,
        via: &[String],
        list: &Path,
        file: &File,
        users: &Users<'_>,
    ) -> Vec<String> {
        let known = || {
            let mut known = usual_hosts(file);
            known.retain(|name| name != "update-service");
            known.extend(users.nodes());
            known
        };
        self.hosts_once(via, list, users, |name| users.is_host(name), known)
    }

    fn notified(&mut self, exchange: &Exchange, path: &Path, users: &Users<'_>) -> Option<Matter> {
        let told = self.user(exchange.host.as_ref(), &path.then("host"), "who is told", users);
        let whose = "whose presence it is";
        let to = self.user(exchange.to.as_ref(), &path.then("to"), whose, users)?;
        let host = told?.host;
        if to.host == host {
            self.fault(&path.then("to"), Fault::Itself { host });
            return None;
        }
        let presence = exchange.presence.unwrap_or(PresenceStatus::Open);
        Some(Matter::Notified { host, to, presence })
    }

    fn overlay_event(
        &mut self,
        exchange: &Exchange,
        event: Occurrence,
        path: &Path,
        file: &File,
        users: &Users<'_>,
    ) -> Option<Matter> {
        let event = match event {
            Occurrence::Update => OverlayEvent::Update,
            Occurrence::Joined | Occurrence::Notified => OverlayEvent::Joined,
            Occurrence::Proxy => OverlayEvent::Proxy,
        };
        let (what, section, there) = match event {
            OverlayEvent::Update => ("an update of the binding", "dyndns", file.dyndns.is_some()),
            OverlayEvent::Proxy => ("the proxy role", "handover", file.handover.is_some()),
            OverlayEvent::Joined => ("", "overlay", true),
        };
        if !there {
            let what = what.to_owned();
            self.fault(&path.then("event"), Fault::MissingSection { what, section });
        }
        let at = path.then("host");
        let why = "where it happens, such as \"alice\"";
        let host = self.named(exchange.host.as_ref(), &at, why, users)?;
        if let Some(domain) = users.domain_of(&host) {
            let domain = domain.to_owned();
            self.fault(&at, StoryFault::NotInOverlay { host, domain }.into());
            return None;
        }
        Some(Matter::Event { event, host })
    }

    /// The host that a key names, by its name or by its user's address.
    pub(super) fn named(
        &mut self,
        given: Option<&String>,
        path: &Path,
        why: &str,
        users: &Users<'_>,
    ) -> Option<String> {
        let Some(written) = given else {
            let (table, key) = path.split_last();
            self.fault(&table, Fault::Missing { key, why: why.to_owned() });
            return None;
        };
        if written.contains('@') {
            return self.peer(written, path, users).map(|peer| peer.host);
        }
        self.actor(written, path, users)
    }

    /// The user whom a key names, by its host or by its address.
    fn user(
        &mut self,
        given: Option<&String>,
        path: &Path,
        why: &str,
        users: &Users<'_>,
    ) -> Option<Peer> {
        let why = format!("{why}: a host, such as \"alice\", or \"user@domain\"");
        let host = self.named(given, path, &why, users)?;
        users.peer_at(&host)
    }

    /// The generated members of a story, once their number is known.
    pub(super) fn generated_in_story(&mut self, plan: &Plan, count: u64) {
        let Some(story) = &plan.story else { return };
        let mut missing = |path: Path, name: &String| {
            if let Some(nearest) = missing_member(plan, name, count) {
                let known = plan.hosts.iter().map(|host| host.name.clone()).collect();
                let (what, name, nearest) = ("host", name.clone(), Some(nearest));
                self.fault(&path, Fault::Unresolved { what, name, nearest, known });
            }
        };
        for (index, host) in story.hosts.iter().enumerate() {
            missing(Path::of("story.hosts").then(index), host);
        }
        for (index, exchange) in story.exchanges.iter().enumerate() {
            let path = Path::of("story.exchange").then(index);
            match &exchange.matter {
                Matter::Request { from, to, via, .. } => {
                    missing(path.then("from"), from);
                    for (place, passer) in via.iter().flatten().enumerate() {
                        missing(path.then("via").then(place), passer);
                    }
                    if let Addressee::User(peer) = to {
                        missing(path.then("to"), &peer.host);
                    }
                }
                Matter::Event { host, .. } => missing(path.then("host"), host),
                Matter::Notified { host, to, .. } => {
                    missing(path.then("host"), host);
                    missing(path.then("to"), &to.host);
                }
            }
        }
    }
}

/// Whether an exchange speaks of users.
pub(super) fn is_of_users(exchange: &Exchange) -> bool {
    exchange.method.is_some() || exchange.event == Some(Occurrence::Notified)
}

/// Why a host never sends such a request, if it never does.
fn never_sent(host: &str, method: StoryMethod, users: &Users<'_>) -> Option<StoryFault> {
    let why = match (users.domain_of(host), method) {
        (None, StoryMethod::Register | StoryMethod::Publish) => {
            "members have no server: they register in the overlay"
        }
        (Some(_), StoryMethod::Notify) => "the server of its domain notifies in its place",
        _ => return None,
    };
    Some(StoryFault::NeverSent { host: host.to_owned(), method: method.as_str(), why })
}

fn domain_of(peer: &Peer) -> String {
    peer.uri.sip().map(|uri| uri.host.to_string()).unwrap_or_default()
}

/// The hosts of a story that names none.
fn usual_hosts(file: &File) -> Vec<String> {
    let named = file.host.iter().map(|host| host.name.clone());
    let servers = file.caller.iter().map(|caller| caller.domain.to_ascii_lowercase());
    let service = file.dyndns.as_ref().map(|_| "update-service".to_owned());
    named.chain(servers).chain(service).collect()
}

/// Whether a resolver has this name: `isp-1` of a group with a number, `isp@alice` of one that has
/// a resolver for each user.
fn is_resolver(dns: &DnsPlan, name: &str, users: &Users<'_>) -> bool {
    dns.resolvers.iter().any(|group| {
        let rest = name.strip_prefix(group.name.as_str()).unwrap_or("");
        match group.count {
            ResolverCount::Fixed(count) => {
                let rank = rest.strip_prefix('-').and_then(|digits| digits.parse::<u32>().ok());
                let width = count.to_string().len();
                rank.is_some_and(|rank| {
                    (1..=count).contains(&rank) && rest == format!("-{rank:0width$}")
                })
            }
            ResolverCount::Each => rest.strip_prefix('@').is_some_and(|user| users.is_host(user)),
        }
    })
}
