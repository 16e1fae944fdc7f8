//! The effective form of conventional domains, named hosts and what users do.

use super::super::file::{
    Caller, Calls, Event, EventAction, Host, Subscriptions, UnlimitedWord, WorkerNumber, Workload,
};
use super::super::plan::{
    Act, Arrivals, CallerPlan, HostFirewall, HostNat, HostPlace, HostPlan, Plan, SipDomainPlan,
    Traffic, UserAction,
};
use super::{group, since_start};
use crate::units::Duration;

pub(super) fn caller(plan: &Plan, caller: &CallerPlan) -> Caller {
    let bare = Caller {
        domain: caller.domain.clone(),
        resolver: Some(group(plan, caller.resolver)),
        users: caller.users,
        embeds: None,
        overlay_backup: None,
        profile: None,
        dns_cache: None,
        dns_negative_ttl: None,
        naptr: None,
        failover: None,
        blocklist: None,
        workers: None,
        fr_timer: None,
        callee: None,
        lookups: None,
        messages: None,
        calls: None,
        subscriptions: None,
        outbound: None,
    };
    match &caller.traffic {
        Traffic::Lookups(lookups) => Caller { lookups: Some(workload(*lookups)), ..bare },
        Traffic::Sip(sip) => sip_domain(sip, bare),
    }
}

fn sip_domain(sip: &SipDomainPlan, bare: Caller) -> Caller {
    let users = bare.users > 0;
    Caller {
        embeds: Some(sip.embeds),
        overlay_backup: Some(sip.overlay_backup),
        profile: Some(sip.profile),
        dns_cache: Some(sip.dns_cache.is_some()),
        dns_negative_ttl: sip.dns_cache.map(Duration),
        naptr: Some(sip.naptr),
        failover: Some(sip.failover),
        blocklist: Some(sip.blocklist),
        workers: Some(match sip.workers {
            Some(number) => WorkerNumber::Number(number),
            None => WorkerNumber::Word(UnlimitedWord::Unlimited),
        }),
        fr_timer: Some(Duration(sip.fr_timer)),
        callee: users.then_some(sip.callee),
        messages: sip.messages.map(workload),
        calls: sip.calls.map(|calls| Calls {
            model: calls.arrivals.model,
            rate: None,
            interval: Some(Duration(calls.arrivals.interval)),
            talk: Duration(calls.talk),
        }),
        subscriptions: sip.subscriptions.map(|it| Subscriptions {
            model: it.arrivals.model,
            rate: None,
            interval: Some(Duration(it.arrivals.interval)),
            keep: Duration(it.keep),
        }),
        outbound: sip.outbound.map(workload),
        ..bare
    }
}

fn workload(arrivals: Arrivals) -> Workload {
    Workload { model: arrivals.model, rate: None, interval: Some(Duration(arrivals.interval)) }
}

pub(super) fn host(plan: &Plan, host: &HostPlan) -> Host {
    let domain = match host.place {
        HostPlace::Member { .. } => None,
        HostPlace::Phone { caller } => Some(plan.callers[caller].domain.clone()),
    };
    Host {
        name: host.name.clone(),
        user: host.user.clone(),
        domain,
        start: since_start(host.start),
        resolver: host.resolver().map(|resolver| group(plan, resolver)),
        nat: Some(host.nat).filter(|nat| *nat != HostNat::None),
        firewall: Some(host.firewall).filter(|it| *it != HostFirewall::Answers),
    }
}

/// The event of a user's action; `blank` has its time.
pub(super) fn event(action: &UserAction, blank: Event) -> Event {
    let blank = Event {
        host: Some(action.host.clone()),
        to: action.act.to().map(|peer| peer.uri.to_string()),
        ..blank
    };
    match &action.act {
        Act::Register => Event { action: EventAction::Register, ..blank },
        Act::Publish(status) => {
            Event { action: EventAction::Publish, status: Some(*status), ..blank }
        }
        Act::Message { text, .. } => {
            Event { action: EventAction::Message, text: Some(text.clone()), ..blank }
        }
        Act::Subscribe { keep, .. } => {
            Event { action: EventAction::Subscribe, lasting: keep.map(Duration), ..blank }
        }
        Act::Unsubscribe { .. } => Event { action: EventAction::Unsubscribe, ..blank },
        Act::Call { talk, .. } => {
            Event { action: EventAction::Call, talk: Some(Duration(*talk)), ..blank }
        }
    }
}
