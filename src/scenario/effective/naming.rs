//! DNS in an effective scenario.

use super::super::file::{
    Dns, EachWord, Extenders, Resolver, ResolverNumber, Secondaries, ServeStale,
};
use super::super::plan::{DnsPlan, ResolverCount};
use crate::units::{Duration, Probability};

pub(super) fn dns(dns: &DnsPlan) -> Dns {
    Dns {
        domain: dns.domain.clone(),
        ttl: Duration(dns.ttl),
        publish_delay: Duration(dns.publish_delay),
        negative_ttl: Duration(dns.negative_ttl),
        publish: Some(dns.publish),
        update: dns.update,
        secondaries: dns.secondaries.map(|it| Secondaries::Table {
            count: it.count,
            notify: it.notify,
            notify_delay: Duration(it.notify_delay),
            refresh: Duration(it.refresh),
            retry: Duration(it.retry),
            expire: Duration(it.expire),
            journal: it.journal,
        }),
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
                serve_stale: Some(match group.serve_stale {
                    None => ServeStale::Word(false),
                    Some(stale) => ServeStale::Table {
                        ttl: Duration(stale.ttl),
                        reply_ttl: Duration(stale.reply_ttl),
                        client_timeout: Duration(stale.client_timeout),
                    },
                }),
                extenders: group.extenders.map(|it| Extenders {
                    share: Probability(it.share),
                    floor: Duration(it.floor),
                }),
                forward: group.forward.map(|above| dns.resolvers[above.index()].name.clone()),
            })
            .collect(),
    }
}
