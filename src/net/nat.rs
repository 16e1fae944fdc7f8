//! Network address translators, in the terms of RFC 4787 (UDP) and RFC 5382 (TCP).
//!
//! A host behind one has it for itself: the address that it is known by is the translator's, as a
//! node finds out from the update service or by STUN. What the translator does is to map ports and
//! to let in, or not, what comes from outside.
//!
//! * *Mapping*: the first datagram from a local port makes a mapping, to the same port if it is
//!   free. Whether a datagram from that port to another destination takes the same mapping is the
//!   mapping's [`Dependence`] (RFC 4787 §4.1). Only what goes out keeps a mapping alive (REQ-6).
//! * *Filtering*: who may send to a mapped port is the filtering's (§5): anybody, the addresses that
//!   were sent to through it, or those addresses and ports.
//! * Ports that are *forwarded*, by hand or by UPnP, let in everything.
//! * Errors and replies of ICMP pass; an echo request is answered or not, as is configured.
//!
//! Where the port of a member's overlay is mapped to another, answers find back through it; who has
//! only heard of the member asks at the port that all members have, and is let in or not.
//!
//! Left out: several hosts behind one translator, with it hairpinning; translators behind
//! translators; the end of a TCP connection, whose mapping lives on like an idle one's.

use std::collections::{BTreeMap, BTreeSet};

use smallvec::SmallVec;

use crate::address::{Endpoint, Port};
use crate::sim::HostId;
use crate::time::{SimDuration, SimTime};

/// On what of the other end something depends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependence {
    /// On nothing.
    EndpointIndependent,
    /// On its address.
    AddressDependent,
    /// On its address and port.
    AddressAndPortDependent,
}

/// How all translators behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NatBehaviour {
    /// Which datagrams share a mapping.
    pub mapping: Dependence,
    /// Who may send to a mapped port.
    pub filtering: Dependence,
    /// How long a mapping of UDP lives without being used from inside.
    pub udp_timeout: SimDuration,
    /// The same of TCP.
    pub tcp_timeout: SimDuration,
    /// Whether echo requests are answered.
    pub answers_echo: bool,
}

/// What a translator sees of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Knock {
    /// UDP, between two ports.
    Udp,
    /// TCP, between two ports.
    Tcp,
    /// An echo request.
    Echo,
    /// A reply or an error of ICMP.
    Reply,
}

/// A pair of ports that data has gone out between: what, the other end, the local port.
type Pair = (Knock, Endpoint, Port);

#[derive(Clone, Copy, Debug)]
struct Session {
    /// The port on the outside.
    external: Port,
    /// When the translator forgets it.
    until: SimTime,
}

/// One translator.
#[derive(Debug)]
struct Nat {
    forwarded: SmallVec<[Port; 2]>,
    sessions: BTreeMap<Pair, Session>,
    /// From how many sessions on those that are over are thrown away.
    tidy_at: usize,
}

/// How many sessions a translator keeps before it looks for those that are over.
const TIDY: usize = 64;
/// The first port that is given to a mapping whose own port is taken: the first that needs no
/// privilege.
const FIRST_FREE: u16 = 1024;

impl Nat {
    fn live(&self, now: SimTime) -> impl Iterator<Item = (&Pair, &Session)> {
        self.sessions.iter().filter(move |(_, session)| session.until > now)
    }

    /// The outer port of a datagram that goes out from a local port.
    fn outbound(
        &mut self,
        now: SimTime,
        behaviour: &NatBehaviour,
        knock: Knock,
        local: Port,
        to: Endpoint,
    ) -> Port {
        let timeout = match knock {
            Knock::Tcp => behaviour.tcp_timeout,
            _ => behaviour.udp_timeout,
        };
        let until = now.saturating_add(timeout);
        let pair = (knock, to, local);
        if let Some(session) = self.sessions.get_mut(&pair).filter(|session| session.until > now) {
            session.until = until;
            return session.external;
        }
        let shared = self.live(now).find(|&(&(kind, remote, port), _)| {
            kind == knock && port == local && is_same(behaviour.mapping, remote, to)
        });
        let external = match shared {
            Some((_, session)) => session.external,
            None => self.free_port(now, knock, local),
        };
        if self.sessions.len() >= self.tidy_at {
            self.sessions.retain(|_, session| session.until > now);
            self.tidy_at = (2 * self.sessions.len()).max(TIDY);
        }
        self.sessions.insert(pair, Session { external, until });
        external
    }

    /// The local port that an outer one stands for: of the mapping that lives longest, were it over.
    fn inside(&self, knock: Knock, external: Port) -> Port {
        let mapped = |(pair, it): &(&Pair, &Session)| pair.0 == knock && it.external == external;
        let last = self.sessions.iter().filter(mapped).max_by_key(|(_, it)| it.until);
        last.map_or(external, |(&(_, _, local), _)| local)
    }

    /// The wanted port, or the next that no mapping has.
    fn free_port(&self, now: SimTime, knock: Knock, wanted: Port) -> Port {
        let of_kind = self.live(now).filter(|(pair, _)| pair.0 == knock);
        let mapped: BTreeSet<Port> = of_kind.map(|(_, it)| it.external).collect();
        let is_taken =
            |port: Port| mapped.contains(&port) || port != wanted && self.forwarded.contains(&port);
        let others = (FIRST_FREE..=u16::MAX).map(Port);
        // With all taken, the wanted one is overloaded (RFC 4787 §4.2.1).
        std::iter::once(wanted).chain(others).find(|&port| !is_taken(port)).unwrap_or(wanted)
    }

    /// Whether a datagram from outside is let in.
    fn lets_in(
        &self,
        now: SimTime,
        behaviour: &NatBehaviour,
        knock: Knock,
        port: Port,
        from: Endpoint,
    ) -> bool {
        match knock {
            Knock::Echo => return behaviour.answers_echo,
            Knock::Reply => return true,
            Knock::Udp | Knock::Tcp if self.forwarded.contains(&port) => return true,
            Knock::Udp | Knock::Tcp => {}
        }
        self.live(now).any(|(&(kind, remote, _), session)| {
            let maps = kind == knock && session.external == port;
            maps && is_same(behaviour.filtering, remote, from)
        })
    }
}

/// Whether two other ends are one, as far as anything depends on them.
fn is_same(dependence: Dependence, one: Endpoint, other: Endpoint) -> bool {
    match dependence {
        Dependence::EndpointIndependent => true,
        Dependence::AddressDependent => one.address == other.address,
        Dependence::AddressAndPortDependent => one == other,
    }
}

/// All translators.
#[derive(Debug)]
pub struct Nats {
    behaviour: NatBehaviour,
    behind: BTreeMap<HostId, Nat>,
}

impl Nats {
    /// Translators in front of these hosts, with the ports that each forwards.
    #[must_use]
    pub fn new(
        behaviour: NatBehaviour,
        hosts: impl IntoIterator<Item = (HostId, SmallVec<[Port; 2]>)>,
    ) -> Self {
        let nat = |forwarded| Nat { forwarded, sessions: BTreeMap::new(), tidy_at: TIDY };
        let behind = hosts.into_iter().map(|(host, forwarded)| (host, nat(forwarded))).collect();
        Self { behaviour, behind }
    }

    /// The port that a datagram comes from as seen from outside.
    pub fn outbound(
        &mut self,
        now: SimTime,
        host: HostId,
        knock: Knock,
        local: Port,
        to: Endpoint,
    ) -> Port {
        match self.behind.get_mut(&host) {
            Some(nat) if matches!(knock, Knock::Udp | Knock::Tcp) => {
                nat.outbound(now, &self.behaviour, knock, local, to)
            }
            _ => local,
        }
    }

    /// The port at a host that a datagram which is let in gets to, by the port that it was sent to.
    #[must_use]
    pub fn inside(&self, host: HostId, knock: Knock, port: Port) -> Port {
        self.behind.get(&host).map_or(port, |nat| nat.inside(knock, port))
    }

    /// Whether a host's translator, if it has one, keeps a datagram out.
    #[must_use]
    pub fn keeps_out(
        &self,
        now: SimTime,
        host: HostId,
        knock: Knock,
        port: Port,
        from: Endpoint,
    ) -> bool {
        let nat = self.behind.get(&host);
        nat.is_some_and(|nat| !nat.lets_in(now, &self.behaviour, knock, port, from))
    }

    /// A host has gone, and the address with it: its translator begins anew.
    pub fn forget(&mut self, host: HostId) {
        if let Some(nat) = self.behind.get_mut(&host) {
            nat.sessions.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use Dependence::{AddressAndPortDependent, AddressDependent, EndpointIndependent};

    const HOST: HostId = HostId(7);
    const LOCAL: Port = Port::SIP;

    fn at(seconds: u64) -> SimTime {
        SimTime::from_secs(seconds)
    }

    fn end(address: u32, port: u16) -> Endpoint {
        Address::from_bits(address).at(Port(port))
    }

    fn nats(mapping: Dependence, filtering: Dependence) -> Nats {
        let behaviour = NatBehaviour {
            mapping,
            filtering,
            udp_timeout: SimDuration::from_secs(300),
            tcp_timeout: SimDuration::from_secs(7_440),
            answers_echo: true,
        };
        Nats::new(behaviour, [(HOST, SmallVec::from_slice(&[Port::PROXY]))])
    }

    fn lets_in(nats: &Nats, seconds: u64, port: Port, from: Endpoint) -> bool {
        !nats.keeps_out(at(seconds), HOST, Knock::Udp, port, from)
    }

    /// RFC 4787 §4.1: X1:x1 to Y1:y1, to the same address and another port, to another address.
    #[test]
    fn a_mapping_is_shared_as_far_as_it_does_not_depend_on_the_other_end() {
        for (mapping, expected) in [
            (EndpointIndependent, [5060, 5060, 5060]),
            (AddressDependent, [5060, 5060, 1024]),
            (AddressAndPortDependent, [5060, 1024, 1025]),
        ] {
            let mut nats = nats(mapping, EndpointIndependent);
            let to = [end(1, 10), end(1, 11), end(2, 10)];
            let mut send = |to| nats.outbound(at(0), HOST, Knock::Udp, LOCAL, to).0;
            assert_eq!(to.map(&mut send), expected, "{mapping:?}");
            // Sent again, each has the mapping that it had.
            assert_eq!(to.map(&mut send), expected, "{mapping:?}");
            // Another local port does not take one that is mapped; TCP has ports of its own.
            let other = nats.outbound(at(0), HOST, Knock::Tcp, LOCAL, end(1, 10));
            assert_eq!(other, LOCAL);
        }
    }

    /// RFC 4787 §5: who was sent to, its other ports, and others.
    #[test]
    fn a_filter_lets_in_those_that_were_sent_to() {
        for (filtering, expected) in [
            (EndpointIndependent, [true, true, true]),
            (AddressDependent, [true, true, false]),
            (AddressAndPortDependent, [true, false, false]),
        ] {
            let mut nats = nats(EndpointIndependent, filtering);
            let from = [end(1, 10), end(1, 11), end(2, 10)];
            let all = |nats: &Nats| from.map(|from| lets_in(nats, 0, LOCAL, from));
            assert_eq!(all(&nats), [false; 3], "nothing is mapped yet");
            nats.outbound(at(0), HOST, Knock::Udp, LOCAL, end(1, 10));
            assert_eq!(all(&nats), expected, "{filtering:?}");
            assert!(!lets_in(&nats, 0, Port(5061), end(1, 10)), "that port is not mapped");
            let tcp = nats.keeps_out(at(0), HOST, Knock::Tcp, LOCAL, end(1, 10));
            assert!(tcp, "nor is it for TCP");
        }
    }

    /// A filter of a symmetric translator: the port that one destination sees is of no use to
    /// another.
    #[test]
    fn a_symmetric_translator_is_reached_through_each_destination_s_own_port() {
        let mut nats = nats(AddressAndPortDependent, AddressAndPortDependent);
        let [one, other] = [end(1, 10), end(2, 10)];
        let [first, second] =
            [one, other].map(|to| nats.outbound(at(0), HOST, Knock::Udp, LOCAL, to));
        assert_ne!(first, second);
        assert!(lets_in(&nats, 0, first, one) && lets_in(&nats, 0, second, other));
        assert!(!lets_in(&nats, 0, first, other) && !lets_in(&nats, 0, second, one));
    }

    #[test]
    fn only_what_goes_out_keeps_a_mapping_alive() {
        let mut nats = nats(EndpointIndependent, EndpointIndependent);
        let [one, other] = [end(1, 10), end(2, 10)];
        nats.outbound(at(0), HOST, Knock::Udp, LOCAL, one);
        assert!(lets_in(&nats, 299, LOCAL, other), "which does not refresh it");
        assert!(!lets_in(&nats, 300, LOCAL, other));
        nats.outbound(at(300), HOST, Knock::Udp, LOCAL, one);
        nats.outbound(at(500), HOST, Knock::Udp, LOCAL, one);
        assert!(lets_in(&nats, 799, LOCAL, other) && !lets_in(&nats, 800, LOCAL, other));
        nats.outbound(at(800), HOST, Knock::Udp, LOCAL, one);
        nats.forget(HOST);
        assert!(!lets_in(&nats, 800, LOCAL, one));
    }

    #[test]
    fn forwarded_ports_and_icmp_pass_and_who_has_no_translator_is_open() {
        let nats = nats(EndpointIndependent, AddressAndPortDependent);
        let out = |host, knock, port| nats.keeps_out(at(0), host, knock, port, end(1, 10));
        assert!(!out(HOST, Knock::Tcp, Port::PROXY) && out(HOST, Knock::Tcp, Port::SIP));
        assert!(!out(HOST, Knock::Echo, Port(0)) && !out(HOST, Knock::Reply, Port(0)));
        assert!(!out(HostId(8), Knock::Tcp, Port::SIP));
        let silent = NatBehaviour { answers_echo: false, ..nats.behaviour };
        let silent = Nats::new(silent, [(HOST, SmallVec::new())]);
        assert!(silent.keeps_out(at(0), HOST, Knock::Echo, Port(0), end(1, 10)));
    }

    #[test]
    fn sessions_that_are_over_are_thrown_away() {
        let mut nats = nats(EndpointIndependent, AddressAndPortDependent);
        for n in 0..10_000 {
            nats.outbound(at(u64::from(n)), HOST, Knock::Udp, LOCAL, end(n, 10));
        }
        // 300 are alive, and at most as many more are not thrown away yet.
        assert!((300..=600).contains(&nats.behind[&HOST].sessions.len()));
    }
}
