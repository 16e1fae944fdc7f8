//! DNS in an effective scenario.

use super::super::file::{Dns, EachWord, Resolver, ResolverNumber};
use super::super::plan::{DnsPlan, ResolverCount};
use crate::units::Duration;

pub(super) fn dns(dns: &DnsPlan) -> Dns {
    Dns {
        domain: dns.domain.clone(),
        ttl: Duration(dns.ttl),
        publish_delay: Duration(dns.publish_delay),
        negative_ttl: Duration(dns.negative_ttl),
        publish: dns.publish,
        update: dns.update,
        resolver: dns
            .resolvers
            .iter()
            .map(|group| Resolver {
                name: group.name.clone(),
                count: match group.count {
                    ResolverCount::Each => ResolverNumber::Word(EachWord::Each),
                    ResolverCount::Fixed(count) => ResolverNumber::Number(count),
                },
                profile: group.profile,
                min_ttl: Some(Duration(group.min_ttl)),
                max_ttl: Some(Duration(group.max_ttl)),
                prefetch: Some(group.prefetch),
            })
            .collect(),
    }
}
