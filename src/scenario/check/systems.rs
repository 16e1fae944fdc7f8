//! Checks of the tables about what is simulated.

use super::super::document::Path;
use super::super::file::{
    AbuseLimit, AddressChange, Bursts, Chord, DynDns, File, Firewall, Nat, Network, Overlay,
    Plugin, RoundFingers,
};
use super::super::plan::{
    self, AbuseLimit as Limit, AddressChangePlan, AddressChangeSource, Arrivals, BurstsPlan,
    ChordPlan, DnsPlan, DynDnsPlan, Enclosure, FingersPerRound, FirewallPlan, NatPlan, NetworkPlan,
    OverlayPlan, PluginPlan, ResolverGroup,
};
use super::super::problem::{Fault, nearest};
use super::Check;
use crate::time::SimDuration;
use crate::units::{Duration, Probability};

fn bursts(bursts: &Bursts) -> BurstsPlan {
    let Bursts { loss, length, gap } = bursts;
    BurstsPlan { loss: loss.0, length: length.0, gap: gap.0 }
}

fn nat(nat: &Nat) -> NatPlan {
    NatPlan {
        share: nat.share.0,
        forwarding: nat.forwarding.0,
        mapping: nat.mapping,
        filtering: nat.filtering,
        udp_timeout: nat.udp_timeout.0,
        tcp_timeout: nat.tcp_timeout.0,
        answers_echo: nat.answers_echo,
    }
}

pub(super) fn millis_or(given: Option<Duration>, default: u64) -> SimDuration {
    given.map_or(SimDuration::from_millis(default), |duration| duration.0)
}

impl Check<'_> {
    pub(super) fn network(&mut self, network: &Network) -> NetworkPlan {
        NetworkPlan {
            latency: self.latency(&network.latency),
            jitter: network.jitter.0,
            loss: network.loss.0,
            departed_hosts: network.departed_hosts,
            bursts: network.bursts.as_ref().map(bursts),
            nat: network.nat.as_ref().map(nat),
            firewall: network.firewall.as_ref().map(|firewall| self.firewall(firewall)),
            address_change: self.address_change(network.address_change.as_ref()),
        }
    }

    fn firewall(&mut self, firewall: &Firewall) -> FirewallPlan {
        let (drops, rejects) = (firewall.drops.0, firewall.rejects.0);
        if drops + rejects > 1.0 {
            let found = firewall.rejects.to_string();
            // As it would be written: 0.3, not what is left of 1 - 0.7 in binary.
            let limit = Probability(((1.0 - drops) * 1e9).round() / 1e9).to_string();
            let (relation, other) = ("not be above", "100% - drops");
            let fault = Fault::Relation { found, relation, other, limit };
            self.fault(&Path::of("network.firewall").then("rejects"), fault);
        }
        FirewallPlan { drops, rejects }
    }

    fn address_change(&mut self, written: Option<&AddressChange>) -> AddressChangePlan {
        let AddressChange { mean, trace, noticed_after } = written.cloned().unwrap_or_default();
        let path = Path::of("network.address_change.trace");
        let source = match (mean, trace) {
            (Some(_), Some(_)) => {
                self.key_fault(&path, Fault::Both { key: "trace", other: "mean" });
                None
            }
            (Some(mean), None) => Some(AddressChangeSource::Drawn { mean: mean.0 }),
            (None, Some(file)) => {
                let file = Enclosure::named(self.file_path(&path, &file));
                Some(AddressChangeSource::Trace(file))
            }
            (None, None) => None,
        };
        AddressChangePlan { source, noticed_after: noticed_after.0 }
    }

    /// Refuses a greatest value below its least.
    pub(super) fn ordered(
        &mut self,
        table: &Path,
        (least_key, least): (&'static str, SimDuration),
        (most_key, most): (&'static str, SimDuration),
    ) {
        if most < least {
            // The blame is on whichever is written.
            let written = self.document.find(&table.then(most_key)).is_some();
            let (key, found, relation, other, limit) = if written {
                (most_key, most, "not be below", least_key, least)
            } else {
                (least_key, least, "not be above", most_key, most)
            };
            let (found, limit) = (Duration(found).to_string(), Duration(limit).to_string());
            self.fault(&table.then(key), Fault::Relation { found, relation, other, limit });
        }
    }

    /// Refuses a name that an earlier element of the list has.
    pub(super) fn distinct(&mut self, list: &Path, key: &str, what: &'static str, names: &[&str]) {
        for (index, name) in names.iter().enumerate() {
            if let Some(first) = names[..index].iter().position(|earlier| earlier == name) {
                let fault = Fault::Twice { what, name: (*name).to_owned(), first };
                self.fault(&list.then(index).then(key), fault);
            }
        }
    }

    /// The group that a key names, else the only one there is. `None` without DNS, or after a
    /// report.
    pub(super) fn group(
        &mut self,
        given: Option<&String>,
        path: &Path,
        dns: Option<&DnsPlan>,
    ) -> Option<ResolverGroup> {
        let groups = dns.map_or(&[][..], |dns| &dns.resolvers);
        let Some(name) = given else {
            return if groups.len() == 1 { Some(ResolverGroup(0)) } else { None };
        };
        let found = groups.iter().position(|group| group.name == *name);
        if found.is_none() {
            let known: Vec<_> = groups.iter().map(|group| group.name.clone()).collect();
            let nearest = nearest(name, known.iter().map(String::as_str));
            let what = "resolver group";
            self.fault(path, Fault::Unresolved { what, name: name.clone(), nearest, known });
        }
        found.map(|index| ResolverGroup(index as u32))
    }

    pub(super) fn overlay(
        &mut self,
        file: &File,
        dns: Option<&DnsPlan>,
        traced: bool,
    ) -> OverlayPlan {
        let overlay = &file.overlay;
        let path = Path::of("overlay");
        let resolver = self.group(overlay.resolver.as_ref(), &path.then("resolver"), dns);
        let groups = dns.map_or(0, |dns| dns.resolvers.len());
        if overlay.resolver.is_none() && groups > 1 {
            self.key_fault(&path, Fault::Ambiguous { count: groups });
        }
        if let Some(bamboo) = &overlay.bamboo {
            self.bamboo(bamboo);
        }
        if let Some(kademlia) = &overlay.kademlia {
            self.kademlia(kademlia);
        }
        OverlayPlan {
            plugin: plugin(overlay.plugin, overlay),
            beside: self.besides(file, dns),
            nodes: self.nodes(file, traced),
            resolver,
            start_spread: overlay.start_spread.0,
            location_lifetime: overlay.location_lifetime.0,
            lookups: overlay
                .lookups
                .as_ref()
                .map(|lookups| Arrivals { model: lookups.model, interval: lookups.rate.interval }),
            judges_lookups: overlay.lookups.as_ref().is_some_and(|lookups| lookups.judged),
        }
    }
}

/// A plug-in with its parameters.
pub(super) fn plugin(word: Plugin, overlay: &Overlay) -> PluginPlan {
    match word {
        Plugin::Chord => PluginPlan::Chord(chord(&overlay.chord.clone().unwrap_or_default())),
        Plugin::Bamboo => {
            PluginPlan::Bamboo(super::bamboo::plan(&overlay.bamboo.clone().unwrap_or_default()))
        }
        Plugin::Kademlia => {
            let kademlia = overlay.kademlia.clone().unwrap_or_default();
            PluginPlan::Kademlia(super::kademlia::plan(&kademlia))
        }
    }
}

fn chord(chord: &Chord) -> ChordPlan {
    ChordPlan {
        successors: chord.successors,
        stabilize: chord.stabilize.0,
        fix_fingers: chord.fix_fingers.0,
        check_predecessor: chord.check_predecessor.0,
        id_bits: chord.id_bits,
        routing: chord.routing,
        rpc_timeout: chord.rpc_timeout.0,
        tries: chord.tries,
        replicas: chord.replicas,
        fingers_per_round: match chord.fingers_per_round {
            RoundFingers::Number(count) => FingersPerRound::Count(count),
            RoundFingers::Word(_) => FingersPerRound::All,
        },
        start: chord.start,
    }
}

pub(super) fn dyndns(dyndns: &DynDns) -> DynDnsPlan {
    let abuse_limit = match dyndns.abuse_limit {
        AbuseLimit::Word(_) => None,
        AbuseLimit::Limit { updates, per } => Some(Limit { updates, per: per.0 }),
    };
    plan::DynDnsPlan { auth: dyndns.auth, service_time: dyndns.service_time.0, abuse_limit }
}
