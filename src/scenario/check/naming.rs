//! Checks of the table about DNS, and of how the binding is updated.

use super::super::build;
use super::super::document::Path;
use super::super::file::{
    Dns, File, Resolver, ResolverNumber, ServeStale, a_day, client_patience, half_a_minute,
    resolver_habits,
};
use super::super::plan::{
    self, DnsPlan, Publish, ResolverCount, ResolverPlan, Strategy, UpdateProtocol, ZoneUpdates,
};
use super::super::problem::{Fault, NeedFault};
use super::Check;
use crate::units::Duration;

/// How long the overlay's domain may be, in octets: names of hosts stand below it and its zone, the
/// longest of them `255-255-255-255`, and a name has 253 at most when it is written.
const LONGEST_DOMAIN: usize = 253 - "255-255-255-255.".len();

impl Check<'_> {
    /// What an update needs of whom it is sent to.
    pub(super) fn updating(&mut self, file: &File) {
        let Some(handover) = file.handover.as_ref().filter(|it| it.strategy.updates()) else {
            return;
        };
        let Some(dns) = &file.dns else { return };
        let (update, publish) = (handover.updates_by(Some(dns.update)), self.publish(dns));
        let path = Path::of("handover.update");
        let is_written = self.document.find(&path).is_some();
        let mut need = |path: Path, what, key, needed| {
            let fault = NeedFault::Value { what, key, needed };
            self.key_fault(&path, Fault::Need(fault));
        };
        match update {
            UpdateProtocol::Dyndns2 if publish == Publish::Srv => {
                let what = "an SRV set, which dyndns2 can't carry,";
                let place = if is_written { path } else { Path::of("dns.publish") };
                need(place, what, "handover.update", "rfc2136");
            }
            UpdateProtocol::Rfc2136 if dns.update == ZoneUpdates::Refused => {
                need(path, "a dynamic update", "dns.update", "tsig");
            }
            UpdateProtocol::Dyndns2 | UpdateProtocol::Rfc2136 => {}
        }
        if update == UpdateProtocol::Dyndns2 {
            let with = "update \"dyndns2\"; it has one with \"rfc2136\"";
            self.meaningless(&Path::of("handover"), &["update_if"], with);
        }
    }

    /// What the binding stands in the zone as.
    pub(super) fn publish(&self, dns: &Dns) -> Publish {
        dns.publish.unwrap_or(match self.strategy {
            Some(Strategy::Standby) => Publish::Srv,
            _ => Publish::A,
        })
    }

    /// A domain of its own leaves those names alone that the zone of the overlay's domain has.
    pub(super) fn not_in_zone(&mut self, domain: &str, path: &Path, dns: &DnsPlan) {
        let Some((_, zone)) = dns.domain.split_once('.') else { return };
        let why = match domain.strip_suffix(zone) {
            Some("") => "it is the zone of the main overlay's domain",
            Some("ns.") => "it is the name of the zone's name server",
            Some("members.") => "it is the name of the update service",
            Some(label) if names_secondary(label.trim_end_matches('.'), dns.servers() - 1) => {
                "it is the name of a secondary of the zone"
            }
            _ => return,
        };
        self.fault(path, Fault::Reserved { name: domain.to_owned(), why });
    }

    /// The overlay's own name must leave those alone that the zone has besides.
    fn domain(&mut self, domain: &str, updates: bool, secondaries: u32) {
        let why = match domain.split_once('.') {
            None => {
                let fault = Fault::SingleLabel { found: domain.to_owned() };
                return self.fault(&Path::of("dns.domain"), fault);
            }
            Some(("members", _)) if updates => "it is the name of the update service",
            Some(("ns", _)) => "it is the name of the zone's name server",
            Some((label, _)) if names_secondary(label, secondaries) => {
                "it is the name of a secondary of the zone"
            }
            Some(_) if domain.len() > LONGEST_DOMAIN => {
                let (found, most) = (domain.len(), LONGEST_DOMAIN);
                return self.fault(&Path::of("dns.domain"), Fault::LongDomain { found, most });
            }
            Some(_) => return,
        };
        let name = domain.to_owned();
        self.fault(&Path::of("dns.domain"), Fault::Reserved { name, why });
    }

    pub(super) fn dns(&mut self, dns: &Dns, updates: bool) -> DnsPlan {
        let secondaries = self.secondaries(dns.secondaries);
        let count = secondaries.map_or(0, |it| it.count);
        self.domain(&dns.domain.to_ascii_lowercase(), updates, count);
        let list = Path::of("dns.resolver");
        let names: Vec<_> = dns.resolver.iter().map(|group| group.name.as_str()).collect();
        self.distinct(&list, "name", "resolver group", &names);
        let mut resolvers: Vec<ResolverPlan> = dns
            .resolver
            .iter()
            .enumerate()
            .map(|(index, group)| self.resolver(group, &list.then(index)))
            .collect();
        self.forwarding(dns, &mut resolvers);
        DnsPlan {
            domain: dns.domain.to_ascii_lowercase(),
            ttl: dns.ttl.0,
            publish_delay: dns.publish_delay.0,
            negative_ttl: dns.negative_ttl.0,
            publish: self.publish(dns),
            update: dns.update,
            secondaries,
            resolvers,
        }
    }

    fn resolver(&mut self, group: &Resolver, path: &Path) -> ResolverPlan {
        let (longest, prefetch) = resolver_habits(group.profile);
        let (min_ttl, max_ttl) =
            (group.min_ttl.unwrap_or_default().0, group.max_ttl.unwrap_or(longest).0);
        self.ordered(path, ("min_ttl", min_ttl), ("max_ttl", max_ttl));
        if let Some(floor) = group.extenders.map(|it| it.floor.0).filter(|it| *it > max_ttl) {
            let (found, limit) = (Duration(floor).to_string(), Duration(max_ttl).to_string());
            let (relation, other) = ("not be above", "max_ttl");
            let fault = Fault::Relation { found, relation, other, limit };
            self.fault(&path.then("extenders").then("floor"), fault);
        }
        let serve_stale = match group.serve_stale {
            None | Some(ServeStale::Word(false)) => None,
            Some(ServeStale::Word(true)) => Some((a_day(), half_a_minute(), client_patience())),
            Some(ServeStale::Table { ttl, reply_ttl, client_timeout }) => {
                Some((ttl, reply_ttl, client_timeout))
            }
        };
        ResolverPlan {
            name: group.name.clone(),
            count: match group.count {
                ResolverNumber::Number(count) => ResolverCount::Fixed(count),
                ResolverNumber::Word(_) => ResolverCount::Each,
            },
            profile: group.profile,
            min_ttl,
            max_ttl,
            prefetch: group.prefetch.unwrap_or(prefetch),
            serve_stale: serve_stale.map(|(ttl, reply_ttl, client_timeout)| plan::ServeStale {
                ttl: ttl.0,
                reply_ttl: reply_ttl.0,
                client_timeout: client_timeout.0,
            }),
            extenders: group
                .extenders
                .map(|it| plan::Extenders { share: it.share.0, floor: it.floor.0 }),
            forward: None,
        }
    }
}

/// Whether a label is that of a secondary: `ns2` and on.
fn names_secondary(label: &str, secondaries: u32) -> bool {
    (0..secondaries).any(|place| build::secondary_label(place) == label)
}
