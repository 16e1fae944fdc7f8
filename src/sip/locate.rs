//! Locating SIP servers (RFC 3263): from a URI to the places that a request may go to, in order.
//!
//! A [`Locator`] is one location. It says which [`Question`] it needs answered, is told what was
//! [found](Found), and ends with endpoints or with why there are none:
//!
//! * a numeric host is the place, with its port or 5060; nothing is asked;
//! * a name with a port, or without the switch `srv`: its addresses at that port;
//! * else, by switch and without `transport` in the URI, NAPTR for where SIP over UDP is served;
//! * SRV there, or at `_sip._udp`, and the addresses of its targets in their [order];
//! * without SRV, the addresses of the name itself at port 5060.
//!
//! A question about NAPTR or SRV that fails leads on like one that finds nothing, as in SER: so a
//! single silent resolver holds a location up for two time-outs. Where the targets of SRV have no
//! addresses the name's own are not asked for (RFC 3263 §4.2). A target of "." says that the
//! service is not there (RFC 2782).
//!
//! Only SIP over UDP and IPv4 is located: `sips`, another `transport` and other schemes are
//! unsupported. Who asks, and what is remembered, is the host's affair.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::address::{Address, Endpoint, Port};
use crate::rng::Dice;
use crate::sip::uri::{HostPart, SipUri, Uri};

pub mod order;

pub use order::Order;

/// How servers are located.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether NAPTR is asked for.
    pub naptr: bool,
    /// Whether SRV is asked for.
    pub srv: bool,
    /// In which order services of equal priority are tried.
    pub order: Order,
    /// Whether more than one place is wanted, for the case that the first is dead: then the
    /// addresses of all targets are asked for before the request is sent.
    pub failover: bool,
}

/// What has to be known to go on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    /// The name, not checked to be one.
    pub name: Arc<str>,
    /// What is wanted of it.
    pub kind: Kind,
}

/// The kinds of records that lead to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// NAPTR.
    Rules,
    /// SRV.
    Services,
    /// A.
    Addresses,
}

/// What was found; to be told in the kind that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// NAPTR records.
    Rules(Vec<Rule>),
    /// SRV records.
    Services(Vec<Service>),
    /// A records.
    Addresses(Vec<Address>),
}

/// What matters of a NAPTR record (RFC 3403).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The lowest first.
    pub order: u16,
    /// Of equal order, the lowest first.
    pub preference: u16,
    /// `s` where the replacement has SRV records.
    pub flags: Arc<str>,
    /// Such as `SIP+D2U`.
    pub services: Arc<str>,
    /// The next name.
    pub replacement: Arc<str>,
}

/// An SRV record (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The lowest is tried first.
    pub priority: u16,
    /// The share among equal priorities.
    pub weight: u16,
    /// The port of the service.
    pub port: Port,
    /// The host, empty for the root.
    pub target: Arc<str>,
}

/// Why there is no place to send a request to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Unlocated {
    /// The name does not exist, has no address, or says that the service is not there.
    #[error("no such name")]
    NoSuchName,
    /// Name servers failed.
    #[error("name servers failed")]
    ServFail,
    /// No name server answered.
    #[error("no name server answered")]
    Timeout,
    /// The scheme or the transport is none that is spoken here.
    #[error("the scheme or the transport is not supported")]
    Unsupported,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// This has to be [answered](Locator::answered).
    Ask(Question),
    /// The places in the order in which they are to be tried, at least one; exactly one without
    /// the switch `failover`.
    Done(Vec<Endpoint>),
    /// There is none.
    Failed(Unlocated),
}

/// A location under way.
#[derive(Clone, Debug)]
pub struct Locator {
    options: Options,
    /// The name that is located.
    target: Arc<str>,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// It ended; or was asked nothing.
    Ended,
    /// Asked for NAPTR.
    Rules,
    /// Asked for SRV; further names that NAPTR gave.
    Services { others: VecDeque<Arc<str>> },
    /// Asked for the addresses of the name itself.
    Host { port: Port },
    /// Asked for the addresses of a service's target.
    Targets { port: Port, rest: VecDeque<Service>, found: Vec<Endpoint> },
}

impl Options {
    /// As RFC 3263 has it, but for NAPTR, which hardly any domain has.
    pub const RFC3263: Self =
        Self { naptr: false, srv: true, order: Order::Weighted, failover: true };
    /// The defaults of SER and Kamailio: `dns_try_naptr`, `dns_srv_lb` and `use_dns_failover` off.
    pub const SER: Self =
        Self { naptr: false, srv: true, order: Order::HeaviestFirst, failover: false };
    /// Addresses only, as an application that asks its system for the address of a host.
    pub const ADDRESSES: Self =
        Self { naptr: false, srv: false, order: Order::HeaviestFirst, failover: false };
}

impl Locator {
    /// Begins with the URI that a request goes to: its top `Route`, else its Request-URI.
    #[must_use]
    pub fn begin(next_hop: &Uri, options: Options) -> (Self, Step) {
        let mut locator = Self { options, target: Arc::from(""), state: State::Ended };
        let step = match next_hop.sip() {
            Some(uri) if is_supported(uri) => locator.first(uri),
            _ => Step::Failed(Unlocated::Unsupported),
        };
        (locator, step)
    }

    /// The question was answered: what was found, or why nothing. An answer of another kind, or an
    /// empty one, counts as nothing found. The dice choose among services by their weights.
    pub fn answered(&mut self, found: Result<Found, Unlocated>, dice: &mut Dice) -> Step {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Ended => panic!("nothing was asked"),
            State::Rules => {
                let mut names = replacements(found);
                if names.is_empty() {
                    names.push_back(self.service_name());
                }
                self.services_of(names)
            }
            State::Services { others } => match found {
                Ok(Found::Services(services)) if !services.is_empty() => {
                    self.at_services(services, dice)
                }
                _ => self.services_of(others),
            },
            State::Host { port } => match addresses(found) {
                Ok(addresses) => self.done(at(&addresses, port).collect()),
                Err(why) => Step::Failed(why),
            },
            State::Targets { port, rest, found: mut places } => {
                let addresses = addresses(found);
                places.extend(at(addresses.as_deref().unwrap_or_default(), port));
                self.next_target(rest, places, addresses.err().unwrap_or(Unlocated::NoSuchName))
            }
        }
    }

    fn first(&mut self, uri: &SipUri) -> Step {
        let host = match uri.parameter("maddr").flatten() {
            Some(maddr) => maddr.parse().map_or_else(|_| HostPart::name(maddr), HostPart::Address),
            None => uri.host.clone(),
        };
        match host {
            HostPart::Address(address) => {
                return Step::Done(vec![address.at(uri.port.unwrap_or(Port::SIP))]);
            }
            HostPart::Name(name) => self.target = name,
            HostPart::Ipv6(_) => return Step::Failed(Unlocated::NoSuchName),
        }
        match uri.port {
            None if !self.options.srv => self.addresses_of_host(Port::SIP),
            Some(port) => self.addresses_of_host(port),
            None if self.options.naptr && uri.parameter("transport").is_none() => {
                self.state = State::Rules;
                ask(self.target.clone(), Kind::Rules)
            }
            None => self.services_of(VecDeque::from([self.service_name()])),
        }
    }

    /// The name of the service when nothing else is said.
    fn service_name(&self) -> Arc<str> {
        format!("_sip._udp.{}", self.target).into()
    }

    fn addresses_of_host(&mut self, port: Port) -> Step {
        self.state = State::Host { port };
        ask(self.target.clone(), Kind::Addresses)
    }

    /// Asks for the services at the first of these names; when there is none, for the host.
    fn services_of(&mut self, mut names: VecDeque<Arc<str>>) -> Step {
        let Some(name) = names.pop_front() else {
            return self.addresses_of_host(Port::SIP);
        };
        self.state = State::Services { others: names };
        ask(name, Kind::Services)
    }

    fn at_services(&mut self, mut services: Vec<Service>, dice: &mut Dice) -> Step {
        services.retain(|service| !service.target.is_empty());
        let ordered = order::ordered(services, self.options.order, dice);
        self.next_target(ordered, Vec::new(), Unlocated::NoSuchName)
    }

    /// Asks for the addresses of the next target; `why` it failed if there is no more.
    fn next_target(
        &mut self,
        mut rest: VecDeque<Service>,
        found: Vec<Endpoint>,
        why: Unlocated,
    ) -> Step {
        let enough = !found.is_empty() && !self.options.failover;
        let next = if enough { None } else { rest.pop_front() };
        match next {
            Some(service) => {
                let question = ask(service.target, Kind::Addresses);
                self.state = State::Targets { port: service.port, rest, found };
                question
            }
            None if found.is_empty() => Step::Failed(why),
            None => self.done(found),
        }
    }

    fn done(&self, mut places: Vec<Endpoint>) -> Step {
        if !self.options.failover {
            places.truncate(1);
        }
        Step::Done(places)
    }
}

/// Whether the URI may be reached over UDP.
fn is_supported(uri: &SipUri) -> bool {
    let transport = uri.parameter("transport").flatten();
    !uri.secure && transport.is_none_or(|transport| transport.eq_ignore_ascii_case("udp"))
}

fn ask(name: Arc<str>, kind: Kind) -> Step {
    Step::Ask(Question { name, kind })
}

fn at(addresses: &[Address], port: Port) -> impl Iterator<Item = Endpoint> {
    addresses.iter().map(move |address| address.at(port))
}

fn addresses(found: Result<Found, Unlocated>) -> Result<Vec<Address>, Unlocated> {
    match found? {
        Found::Addresses(addresses) if !addresses.is_empty() => Ok(addresses),
        _ => Err(Unlocated::NoSuchName),
    }
}

/// The names with SRV records for SIP over UDP that the rules give, the best first.
fn replacements(found: Result<Found, Unlocated>) -> VecDeque<Arc<str>> {
    let Ok(Found::Rules(mut rules)) = found else { return VecDeque::new() };
    rules.retain(|rule| {
        rule.services.eq_ignore_ascii_case("SIP+D2U")
            && rule.flags.eq_ignore_ascii_case("s")
            && !rule.replacement.is_empty()
    });
    rules.sort_by_key(|rule| (rule.order, rule.preference));
    rules.into_iter().map(|rule| rule.replacement).collect()
}

#[cfg(test)]
mod tests;
