//! Checks of the table about DNS, and of how the binding is updated.

use super::super::document::Path;
use super::super::file::{Dns, File, Resolver, ResolverNumber, resolver_habits};
use super::super::plan::{
    DnsPlan, Publish, ResolverCount, ResolverPlan, UpdateProtocol, ZoneUpdates,
};
use super::super::problem::{Fault, NeedFault};
use super::Check;

impl Check<'_> {
    /// What an update needs of whom it is sent to.
    pub(super) fn updating(&mut self, file: &File) {
        let Some(handover) = file.handover.as_ref().filter(|it| it.strategy.updates()) else {
            return;
        };
        let Some(dns) = &file.dns else { return };
        let path = Path::of("handover.update");
        let mut need = |path: Path, what, key, needed| {
            let fault = NeedFault::Value { what, key, needed };
            self.key_fault(&path, Fault::Need(fault));
        };
        match handover.update {
            UpdateProtocol::Dyndns2 if dns.publish == Publish::Srv => {
                let what = "an SRV set, which dyndns2 can't carry,";
                need(Path::of("dns.publish"), what, "handover.update", "rfc2136");
            }
            UpdateProtocol::Rfc2136 if dns.update == ZoneUpdates::Refused => {
                need(path, "a dynamic update", "dns.update", "tsig");
            }
            UpdateProtocol::Dyndns2 | UpdateProtocol::Rfc2136 => {}
        }
        if handover.update == UpdateProtocol::Dyndns2 {
            self.meaningless(&Path::of("handover"), &["update_if"], "update \"dyndns2\"");
        }
    }

    /// The overlay's own name must leave those alone that the zone has besides.
    fn domain(&mut self, domain: &str, updates: bool) {
        let why = match domain.split_once('.') {
            None => {
                let fault = Fault::SingleLabel { found: domain.to_owned() };
                return self.fault(&Path::of("dns.domain"), fault);
            }
            Some(("members", _)) if updates => "it is the name of the update service",
            Some(("ns", _)) => "it is the name of the zone's name server",
            Some(_) => return,
        };
        let name = domain.to_owned();
        self.fault(&Path::of("dns.domain"), Fault::Reserved { name, why });
    }

    pub(super) fn dns(&mut self, dns: &Dns, updates: bool) -> DnsPlan {
        self.domain(&dns.domain.to_ascii_lowercase(), updates);
        let list = Path::of("dns.resolver");
        let names: Vec<_> = dns.resolver.iter().map(|group| group.name.as_str()).collect();
        self.distinct(&list, "name", "resolver group", &names);
        let resolvers = dns
            .resolver
            .iter()
            .enumerate()
            .map(|(index, group)| self.resolver(group, &list.then(index)))
            .collect();
        DnsPlan {
            domain: dns.domain.to_ascii_lowercase(),
            ttl: dns.ttl.0,
            publish_delay: dns.publish_delay.0,
            negative_ttl: dns.negative_ttl.0,
            publish: dns.publish,
            update: dns.update,
            resolvers,
        }
    }

    fn resolver(&mut self, group: &Resolver, path: &Path) -> ResolverPlan {
        let (longest, prefetch) = resolver_habits(group.profile);
        let (min_ttl, max_ttl) =
            (group.min_ttl.unwrap_or_default().0, group.max_ttl.unwrap_or(longest).0);
        self.ordered(path, ("min_ttl", min_ttl), ("max_ttl", max_ttl));
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
        }
    }
}
