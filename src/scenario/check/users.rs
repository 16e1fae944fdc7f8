//! Who there is to act and to be addressed: the users of the overlay and of conventional domains.

use super::super::build;
use super::super::document::{Path, Place};
use super::super::file::{Beside, ChurnModel, File, Host};
use super::super::plan::{Act, Action, Peer, Plan, UserAction};
use super::super::problem::{Fault, Problem, nearest};
use super::beside::number_in;
use super::names::generated_number;
use super::story::{is_users, user_of};
use super::telling::is_of_users;
use super::{Check, address};
use crate::sip::{HostPart, Uri};

/// The users that a file speaks of.
pub(super) struct Users<'a> {
    /// Whether there is any SIP.
    pub(super) any: bool,
    /// The overlay's domain, in lower case.
    overlay: Option<String>,
    /// The named hosts.
    hosts: &'a [Host],
    /// How many members are generated; `None` where churn decides.
    nodes: Option<u64>,
    /// The conventional domains.
    domains: Vec<Domain>,
    /// Overlays beside the main one.
    besides: &'a [Beside],
}

/// A conventional domain.
struct Domain {
    /// In lower case.
    name: String,
    /// Generated users.
    users: u32,
    /// Whether it has a SIP server.
    sip: bool,
}

impl<'a> Users<'a> {
    /// The users of a file whose overlay has so many generated members, unless churn decides.
    pub(super) fn new(file: &'a File, nodes: u32) -> Self {
        let churns = file.churn.as_ref().is_some_and(|churn| churn.model != ChurnModel::None);
        let of_host = |host: &Host| host.user.is_some() || host.domain.is_some();
        Self {
            besides: &file.overlay.beside,
            any: !file.overlay.beside.is_empty()
                || file.caller.iter().any(|caller| caller.lookups.is_none())
                || file.host.iter().any(of_host)
                || file.event.iter().any(|event| is_users(event.action))
                || file.story.iter().flat_map(|story| &story.exchange).any(is_of_users),
            overlay: file.dns.as_ref().map(|dns| dns.domain.to_ascii_lowercase()),
            hosts: &file.host,
            nodes: (!churns).then_some(u64::from(nodes)),
            domains: file
                .caller
                .iter()
                .map(|caller| Domain {
                    name: caller.domain.to_ascii_lowercase(),
                    users: caller.users,
                    sip: caller.lookups.is_none(),
                })
                .collect(),
        }
    }

    /// Whether a generated member of this name exists, or may exist.
    fn is_node(&self, name: &str) -> bool {
        let may = |number| number >= 1 && self.nodes.is_none_or(|nodes| number <= nodes);
        generated_number(name).is_some_and(may)
    }

    /// The overlay beside the main one that has a member of this name.
    fn beside_of(&self, name: &str) -> Option<&'a Beside> {
        self.besides.iter().find(|beside| {
            let there = |number| (1..=u64::from(beside.nodes)).contains(&number);
            number_in(&beside.name, name).is_some_and(there)
        })
    }

    /// Whether this is a member of an overlay beside the main one.
    pub(super) fn is_beside(&self, name: &str) -> bool {
        self.beside_of(name).is_some()
    }

    /// The overlay beside the main one that has this domain.
    fn beside_with(&self, domain: &str) -> Option<&'a Beside> {
        self.besides.iter().find(|beside| beside.domain.eq_ignore_ascii_case(domain))
    }

    /// Whether this is a conventional domain, whose server has its name.
    pub(super) fn is_server(&self, name: &str) -> bool {
        self.domains.iter().any(|domain| domain.name.eq_ignore_ascii_case(name))
    }

    /// What a host is whose address never changes.
    pub(super) fn stays(&self, name: &str) -> Option<String> {
        if self.is_server(name) {
            return Some("the server of a conventional domain".to_owned());
        }
        let domain = self.domain_of(name)?.to_ascii_lowercase();
        Some(if self.is_beside(name) {
            format!("a member of the overlay of `{domain}`, beside the main one")
        } else {
            format!("a phone of `{domain}`")
        })
    }

    /// The domains with a SIP server.
    pub(super) fn servers(&self) -> impl Iterator<Item = String> {
        self.domains.iter().filter(|domain| domain.sip).map(|domain| domain.name.clone())
    }

    /// Whether a member of this name exists, or may exist.
    pub(super) fn is_member(&self, name: &str) -> bool {
        self.named(None).any(|host| host.name == name) || self.is_node(name)
    }

    /// Whether a named host, a generated one, or a server has this name.
    pub(super) fn is_host(&self, name: &str) -> bool {
        self.hosts.iter().any(|host| host.name == name)
            || self.is_node(name)
            || self.beside_of(name).is_some()
            || self.is_server(name)
            || self.generated_phone(name).is_some()
    }

    /// The generated phone of this name, `user-0001@a.example`: its user and its domain.
    fn generated_phone<'n>(&self, name: &'n str) -> Option<(&'n str, &Domain)> {
        let (user, domain) = name.split_once('@')?;
        let domain = self.domains.iter().find(|it| it.sip && it.name == domain)?;
        domain.is_generated(user).then_some((user, domain))
    }

    /// The conventional domain of a host with a user; `None` for a member of the overlay.
    pub(super) fn domain_of(&self, host: &str) -> Option<&str> {
        match self.hosts.iter().find(|named| named.name == host) {
            Some(named) => named.domain.as_deref(),
            None => match self.beside_of(host) {
                Some(beside) => Some(&beside.domain),
                None => self.generated_phone(host).map(|(_, domain)| domain.name.as_str()),
            },
        }
    }

    /// The user of a host that has one; `None` without the overlay's domain.
    pub(super) fn peer_at(&self, host: &str) -> Option<Peer> {
        let named = self.hosts.iter().find(|named| named.name == host);
        let user = match (named, self.generated_phone(host)) {
            (Some(named), _) => user_of(named),
            (None, Some((user, _))) => user,
            (None, None) => host,
        };
        let domain = self.domain_of(host).or(self.overlay.as_deref())?;
        let uri = Uri::of_user(user, HostPart::name(domain));
        Some(Peer { uri, host: host.to_owned() })
    }

    /// The first and the last generated member, as far as that is known.
    pub(super) fn nodes(&self) -> Vec<String> {
        match self.nodes {
            Some(0) => Vec::new(),
            None | Some(1) => vec![build::member_name(1, 1)],
            Some(count) => [1, count].map(|number| build::member_name(number, count)).into(),
        }
    }

    /// The named hosts of a domain: of a conventional one, or of the overlay.
    fn named(&self, domain: Option<&str>) -> impl Iterator<Item = &'a Host> {
        let belongs = move |host: &&Host| match (&host.domain, domain) {
            (None, None) => true,
            (Some(own), Some(domain)) => own.eq_ignore_ascii_case(domain),
            _ => false,
        };
        self.hosts.iter().filter(belongs)
    }

    /// The host of a user of the overlay.
    fn member(&self, user: &str) -> Option<String> {
        let named = self.named(None).find(|host| user_of(host) == user);
        let generated = || self.is_node(user).then(|| user.to_owned());
        named.map(|host| host.name.clone()).or_else(generated)
    }

    fn member_users(&self) -> Vec<String> {
        let named = self.named(None).map(|host| user_of(host).to_owned());
        named.chain(self.nodes()).collect()
    }

    /// The host of a user of a conventional domain.
    fn phone(&self, domain: &Domain, user: &str) -> Option<String> {
        let named = self.named(Some(&domain.name)).find(|host| user_of(host) == user);
        let generated = || domain.is_generated(user).then(|| format!("{user}@{}", domain.name));
        named.map(|host| host.name.clone()).or_else(generated)
    }

    fn phone_users(&self, domain: &Domain) -> Vec<String> {
        let named = self.named(Some(&domain.name)).map(|host| user_of(host).to_owned());
        named.chain(domain.generated()).collect()
    }

    /// All hosts with a user, or some of each kind.
    fn actors(&self) -> Vec<String> {
        let named = self.hosts.iter().map(|host| host.name.clone());
        let phones = self.domains.iter().filter(|domain| domain.sip).flat_map(|domain| {
            domain.generated().into_iter().map(|user| format!("{user}@{}", domain.name))
        });
        named.chain(self.nodes()).chain(phones).collect()
    }
}

impl Domain {
    fn is_generated(&self, user: &str) -> bool {
        let number = user.strip_prefix("user-").and_then(|digits| digits.parse().ok());
        number.is_some_and(|number: u32| {
            (1..=self.users).contains(&number) && build::user_name(number, self.users) == user
        })
    }

    /// The first and the last generated user.
    fn generated(&self) -> Vec<String> {
        let mut numbers = vec![1, self.users];
        numbers.dedup();
        let there = numbers.into_iter().filter(|_| self.users > 0);
        there.map(|number| build::user_name(number, self.users)).collect()
    }
}

/// Whether a name is that of a generated user, whatever their number: `user-` and four digits or
/// more.
fn is_generated_user(name: &str) -> bool {
    let digits = name.strip_prefix("user-").unwrap_or("");
    digits.len() >= 4 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

impl Check<'_> {
    /// The conventional domain with a SIP server that a phone belongs to: its place in the file.
    pub(super) fn conventional(
        &mut self,
        domain: &str,
        path: &Path,
        users: &Users<'_>,
    ) -> Option<usize> {
        let domain = domain.to_ascii_lowercase();
        if users.overlay.as_deref() == Some(domain.as_str()) {
            self.fault(path, Fault::OverlayDomain { domain });
            return None;
        }
        let place = users.domains.iter().position(|other| other.name == domain);
        match place {
            Some(there) if users.domains[there].sip => return place,
            Some(_) => self.fault(path, Fault::NoServer { domain }),
            None => {
                let with_server = users.domains.iter().filter(|domain| domain.sip);
                let known: Vec<_> = with_server.map(|domain| domain.name.clone()).collect();
                let nearest = nearest(&domain, known.iter().map(String::as_str));
                let what = "[[caller]] with the domain";
                self.fault(path, Fault::Unresolved { what, name: domain, nearest, known });
            }
        }
        None
    }

    /// The name of a host's user is nobody else's in its domain.
    pub(super) fn user_name(&mut self, index: usize, host: &Host, users: &Users<'_>) {
        if !users.any {
            return;
        }
        let element = Path::of("host").then(index);
        let path = element.then(if host.user.is_some() { "user" } else { "name" });
        let name = user_of(host).to_owned();
        let reserved = match &host.domain {
            // The name of a host is judged with those of all hosts.
            None if host.user.is_none() => None,
            None => generated_number(&name).map(|_| "members without a name have it"),
            Some(_) => is_generated_user(&name).then_some("generated users have it"),
        };
        if let Some(why) = reserved {
            return self.fault(&path, Fault::Reserved { name, why });
        }
        let same_domain = |other: &Host| match (&host.domain, &other.domain) {
            (None, None) => true,
            (Some(own), Some(other)) => own.eq_ignore_ascii_case(other),
            _ => false,
        };
        let earlier = &users.hosts[..index];
        let taken =
            |other: &Host| same_domain(other) && user_of(other) == name && other.name != host.name;
        if let Some(first) = earlier.iter().position(taken) {
            self.fault(&path, Fault::Twice { what: "user", name, first });
        }
    }

    /// Who acts: a host that has a user.
    pub(super) fn actor(&mut self, host: &str, path: &Path, users: &Users<'_>) -> Option<String> {
        if users.hosts.iter().any(|named| named.name == host)
            || users.is_node(host)
            || users.beside_of(host).is_some()
            || users.generated_phone(host).is_some()
        {
            return Some(host.to_owned());
        }
        let why = match host {
            "proxy" => Some("it stands for a role, and a user acts by its own name"),
            "dns-authority" | "update-service" => Some("it is a server"),
            _ if host.contains('%') => Some("it is a share, and each user acts by itself"),
            _ if users.domains.iter().any(|domain| domain.name == host) => {
                Some("it is the server of a domain")
            }
            _ if self.is_resolver(host) => Some("it is a resolver"),
            _ => None,
        };
        let name = host.to_owned();
        if let Some(why) = why {
            self.fault(path, Fault::NoUserAt { name, why });
            return None;
        }
        let known = users.actors();
        let nearest = nearest(host, known.iter().map(String::as_str));
        self.fault(path, Fault::Unresolved { what: "host", name, nearest, known });
        None
    }

    /// Whether a host of this name is a resolver: `isp-1` or `isp@node-00001` of the group `isp`.
    fn is_resolver(&self, host: &str) -> bool {
        let groups = Path::of("dns.resolver");
        let names = (0..).map_while(|index| {
            let name = self.document.find(&groups.then(index))?;
            Some(name.to_json()["name"].as_str().unwrap_or("").to_owned())
        });
        names.filter(|name| !name.is_empty()).any(|name| {
            let rest = host.strip_prefix(&name).unwrap_or("");
            let number = rest.strip_prefix('-').unwrap_or("");
            rest.starts_with('@') || number.parse::<u32>().is_ok()
        })
    }

    /// Whom an address means.
    pub(super) fn peer(&mut self, to: &str, path: &Path, users: &Users<'_>) -> Option<Peer> {
        let (user, domain) = match address::split(to) {
            Ok((user, domain)) => (user, domain.to_ascii_lowercase()),
            Err(address::Malformed { span, why }) => {
                let place = self.place_inside(path, to, span);
                let fault = Fault::Address { found: to.to_owned(), why };
                self.problems.push(Problem::new(place, path.clone(), fault));
                return None;
            }
        };
        let (host, known) = if users.overlay.as_ref() == Some(&domain) {
            (users.member(user), users.member_users())
        } else if let Some(beside) = users.beside_with(&domain) {
            let there = users.beside_of(user).filter(|it| it.name == beside.name);
            (there.map(|_| user.to_owned()), members_of(beside))
        } else {
            match users.domains.iter().find(|other| other.name == domain) {
                Some(there) if there.sip => (users.phone(there, user), users.phone_users(there)),
                Some(_) => {
                    self.fault(path, Fault::NoServer { domain });
                    return None;
                }
                None => {
                    let with_server = users.domains.iter().filter(|domain| domain.sip);
                    let known = users.overlay.iter().chain(with_server.map(|it| &it.name));
                    let known = known.chain(users.besides.iter().map(|it| &it.domain));
                    let known: Vec<_> = known.cloned().collect();
                    let nearest = nearest(&domain, known.iter().map(String::as_str));
                    let what = "SIP domain";
                    self.fault(path, Fault::Unresolved { what, name: domain, nearest, known });
                    return None;
                }
            }
        };
        let Some(host) = host else {
            let nearest = nearest(user, known.iter().map(String::as_str));
            self.fault(path, Fault::NoUser { user: user.to_owned(), domain, nearest, known });
            return None;
        };
        Some(Peer { uri: Uri::of_user(user, HostPart::name(&domain)), host })
    }

    /// The place of some octets of a text, where that can be told: in a string with escapes, or in
    /// one of several lines, it is that of the whole.
    fn place_inside(&self, path: &Path, text: &str, span: std::ops::Range<usize>) -> Place {
        let whole = self.document.place_of(path);
        let quote = match whole.span.len() - text.len().min(whole.span.len()) {
            2 => 1,
            0 => 0,
            _ => return whole,
        };
        let start = whole.span.start + quote;
        Place { text: whole.text, span: start + span.start..start + span.end }
    }

    /// The generated members that act or are addressed, once their number is known.
    pub(super) fn generated_users(&mut self, plan: &Plan, count: u64) {
        for (index, event) in plan.events.iter().enumerate() {
            let Action::User(UserAction { host, act }) = &event.action else { continue };
            let path = Path::of("event").then(index);
            if let Some(nearest) = missing_member(plan, host, count) {
                let known = plan.hosts.iter().map(|host| host.name.clone()).collect();
                let (what, name, nearest) = ("host", host.clone(), Some(nearest));
                let fault = Fault::Unresolved { what, name, nearest, known };
                self.fault(&path.then("host"), fault);
            }
            if let (Some(to), Some(dns)) = (Act::to(act), &plan.dns)
                && let Some(nearest) = missing_member(plan, &to.host, count)
            {
                let (user, domain) = (to.host.clone(), dns.domain.clone());
                let known = Vec::new();
                let fault = Fault::NoUser { user, domain, nearest: Some(nearest), known };
                self.fault(&path.then("to"), fault);
            }
        }
    }
}

/// The first and the last member of an overlay beside the main one.
fn members_of(beside: &Beside) -> Vec<String> {
    let mut numbers = vec![1, beside.nodes];
    numbers.dedup();
    numbers.into_iter().map(|number| build::beside_member_name(&beside.name, number)).collect()
}

/// The nearest generated member to one that is not among so many.
pub(super) fn missing_member(plan: &Plan, name: &str, count: u64) -> Option<String> {
    let number = generated_number(name)?;
    if plan.hosts.iter().any(|host| host.name == name) {
        return None;
    }
    let meant = build::member_name(number.clamp(1, count.max(1)), count);
    (meant != name).then_some(meant)
}
