//! Checks of conventional domains.

use super::super::document::Path;
use super::super::file::{Caller, WorkerNumber, Workload};
use super::super::plan::{
    ArrivalModel, Arrivals, Callee, CallerPlan, CallsPlan, DnsPlan, SipDomainPlan, SipProfile,
    Strategy, SubscriptionsPlan, Traffic,
};
use super::super::problem::Fault;
use super::Check;
use crate::time::SimDuration;
use crate::units::{Duration, Rate};

/// What only a SIP server takes.
const SERVER_KEYS: [&str; 10] = [
    "embeds",
    "overlay_backup",
    "profile",
    "dns_cache",
    "dns_negative_ttl",
    "naptr",
    "failover",
    "blocklist",
    "workers",
    "fr_timer",
];
/// What only users of a SIP server take.
const USER_KEYS: [&str; 5] = ["callee", "messages", "calls", "subscriptions", "outbound"];

/// The habits of a SIP server that keys can override.
struct Habits {
    dns_cache: bool,
    rfc3263: bool,
    workers: Option<u32>,
    fr_timer: SimDuration,
}

/// SER and Kamailio: `use_dns_cache` on since SER 2.0, `dns_try_naptr`, `use_dns_failover` and
/// `use_dst_blocklist` off, 8 children, `fr_timer` 30 s. RFC 3263 asks for NAPTR first (§4.1) and
/// goes on to the next address (§4.3); RFC 3261 waits for 64 T1 (timers B and F).
fn habits(profile: SipProfile) -> Habits {
    let ser = Habits {
        dns_cache: true,
        rfc3263: false,
        workers: Some(8),
        fr_timer: SimDuration::from_secs(30),
    };
    match profile {
        SipProfile::Ser | SipProfile::Kamailio => ser,
        SipProfile::Ser09 => Habits { dns_cache: false, ..ser },
        SipProfile::Rfc3261 => Habits {
            dns_cache: false,
            rfc3263: true,
            workers: None,
            fr_timer: SimDuration::from_secs(32),
        },
    }
}

/// SER's and Kamailio's `dns_cache_negative_ttl`.
const NEGATIVE_TTL: Duration = Duration::from_secs(60);

impl Check<'_> {
    pub(super) fn callers(&mut self, callers: &[Caller], dns: Option<&DnsPlan>) -> Vec<CallerPlan> {
        let list = Path::of("caller");
        let domains: Vec<_> = callers.iter().map(|c| c.domain.to_ascii_lowercase()).collect();
        let names: Vec<_> = domains.iter().map(String::as_str).collect();
        self.distinct(&list, "domain", "caller domain", &names);
        let mut plans = Vec::new();
        for (index, (caller, domain)) in callers.iter().zip(&domains).enumerate() {
            let path = list.then(index);
            if let Some(dns) = dns {
                self.caller_domain(domain, caller, &path.then("domain"), dns);
            }
            let resolver = self.group(caller.resolver.as_ref(), &path.then("resolver"), dns);
            if let (None, None, Some(dns)) = (&resolver, &caller.resolver, dns) {
                self.fault(&path, Fault::Ambiguous { count: dns.resolvers.len() });
            }
            let traffic = self.traffic(caller, &path);
            if let (Some(resolver), Some(traffic)) = (resolver, traffic) {
                let domain = domain.clone();
                plans.push(CallerPlan { domain, resolver, users: caller.users, traffic });
            }
        }
        plans
    }

    /// A domain with a SIP server has a name in DNS that is nobody else's.
    fn caller_domain(&mut self, domain: &str, caller: &Caller, path: &Path, dns: &DnsPlan) {
        if domain == dns.domain {
            let by = "the overlay".to_owned();
            return self.fault(path, Fault::Taken { name: domain.to_owned(), by });
        }
        if caller.lookups.is_none() {
            self.not_in_zone(domain, path, dns);
        }
    }

    fn traffic(&mut self, caller: &Caller, path: &Path) -> Option<Traffic> {
        if let Some(lookups) = &caller.lookups {
            let with = "`lookups`: such a domain has no SIP server";
            self.meaningless(path, &SERVER_KEYS, with);
            self.meaningless(path, &USER_KEYS, with);
            if caller.users == 0 {
                let expected = "`lookups` need users".to_owned();
                self.fault(&path.then("users"), Fault::Range { found: "0".to_owned(), expected });
            }
            return self.workload(lookups, &path.then("lookups")).map(Traffic::Lookups);
        }
        let idle = caller.messages.is_none()
            && caller.calls.is_none()
            && caller.subscriptions.is_none()
            && caller.outbound.is_none();
        if caller.users == 0 {
            self.meaningless(path, &USER_KEYS, "`users = 0`");
        } else if idle {
            self.fault(path, Fault::NothingToDo);
            return None;
        }
        Some(Traffic::Sip(self.sip_domain(caller, path)))
    }

    fn sip_domain(&mut self, caller: &Caller, path: &Path) -> SipDomainPlan {
        let profile = caller.profile.unwrap_or(SipProfile::Ser);
        let habits = habits(profile);
        let dns_cache = caller.dns_cache.unwrap_or(habits.dns_cache);
        if !dns_cache {
            self.meaningless(path, &["dns_negative_ttl"], "a server that has no DNS cache");
        }
        // What is given and does not become part of the plan has been reported.
        let messages = caller.messages.as_ref();
        let messages = messages.and_then(|it| self.workload(it, &path.then("messages")));
        let calls = caller.calls.as_ref().and_then(|it| {
            let arrivals = (it.model, it.rate, it.interval);
            let arrivals = self.arrivals(arrivals, &path.then("calls"))?;
            Some(CallsPlan { arrivals, talk: it.talk.0 })
        });
        let subscriptions = caller.subscriptions.as_ref().and_then(|it| {
            let arrivals = (it.model, it.rate, it.interval);
            let arrivals = self.arrivals(arrivals, &path.then("subscriptions"))?;
            Some(SubscriptionsPlan { arrivals, keep: it.keep.0 })
        });
        let outbound = caller.outbound.as_ref();
        let outbound = outbound.and_then(|it| self.workload(it, &path.then("outbound")));
        SipDomainPlan {
            overlay_backup: caller.overlay_backup.unwrap_or(false),
            embeds: caller.embeds.unwrap_or(self.strategy == Some(Strategy::Embedded)),
            profile,
            dns_cache: dns_cache.then(|| caller.dns_negative_ttl.unwrap_or(NEGATIVE_TTL).0),
            naptr: caller.naptr.unwrap_or(habits.rfc3263),
            failover: caller.failover.unwrap_or(habits.rfc3263),
            blocklist: caller.blocklist.unwrap_or(false),
            workers: match caller.workers {
                None => habits.workers,
                Some(WorkerNumber::Number(number)) => Some(number),
                Some(WorkerNumber::Word(_)) => None,
            },
            fr_timer: caller.fr_timer.map_or(habits.fr_timer, |timer| timer.0),
            callee: caller.callee.unwrap_or(Callee::Online),
            messages,
            calls,
            subscriptions,
            outbound,
        }
    }

    fn workload(&mut self, workload: &Workload, path: &Path) -> Option<Arrivals> {
        self.arrivals((workload.model, workload.rate, workload.interval), path)
    }

    fn arrivals(
        &mut self,
        (model, rate, interval): (ArrivalModel, Option<Rate>, Option<Duration>),
        path: &Path,
    ) -> Option<Arrivals> {
        let interval = match (rate, interval) {
            (Some(rate), None) => rate.interval,
            (None, Some(interval)) => interval.0,
            (Some(_), Some(_)) => {
                let fault = Fault::Both { key: "interval", other: "rate" };
                self.key_fault(&path.then("interval"), fault);
                return None;
            }
            (None, None) => {
                self.fault(path, Fault::Neither { key: "rate", other: "interval" });
                return None;
            }
        };
        Some(Arrivals { model, interval })
    }
}
