//! SIP: the servers of conventional domains, phones, the users of members, and what they do.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cast::Cast;
use super::relay;
use super::{BuildError, FIRST_PHONE, arrivals, user_name};
use crate::address::Address;
use crate::conventional::phone::Home;
use crate::conventional::{Phone, server};
use crate::dns::server_cache::Policy;
use crate::dns::stub::Stub;
use crate::dns::{ServerCache, Ttl};
use crate::overcord::embedded;
use crate::overcord::location::LocationSettings;
use crate::overcord::user_agent;
use crate::rng::{Dice, Draws, NameHash, Purpose, mix2, stream};
use crate::scenario::plan::{
    self, Act, Callee, CallerPlan, HostPlace, Plan, PresenceStatus, RecordRoute, SipDomainPlan,
    SipProfile,
};
use crate::sip::agent::Action;
use crate::sip::locate::{Options, Order};
use crate::sip::profile::Rules;
use crate::sip::proxy;
use crate::sip::registrar::RegistrarSettings;
use crate::sip::{Blocklist, HostPart, Status, Uri};
use crate::time::SimTime;
use crate::workload::ArrivalTimes;
use crate::world::population::{Kit, MemberId};
use crate::world::servers::{Servers, Site};
use crate::world::users::{Actor, Doing, PhoneSite, Users};

/// A phone: its host's name, its user, its domain by place in the plan, and when it starts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PhonePart {
    pub(super) name: String,
    pub(super) user: String,
    pub(super) caller: usize,
    pub(super) start: SimTime,
    /// Whether its user does what the domain's workload says, rather than the script.
    pub(super) is_generated: bool,
}

/// All phones in the order of their hosts' names.
pub(super) fn phones(plan: &Plan) -> Vec<PhonePart> {
    let mut phones = Vec::new();
    for (caller, domain) in plan.callers.iter().enumerate() {
        if domain.sip().is_none() {
            continue;
        }
        for number in 1..=domain.users {
            let user = user_name(number, domain.users);
            let name = format!("{user}@{}", domain.domain);
            let start = SimTime::ZERO;
            phones.push(PhonePart { name, user, caller, start, is_generated: true });
        }
    }
    for host in &plan.hosts {
        if let HostPlace::Phone { caller } = host.place {
            let user = host.user.clone().unwrap_or_else(|| host.name.clone());
            let (name, start) = (host.name.clone(), host.start);
            phones.push(PhonePart { name, user, caller, start, is_generated: false });
        }
    }
    phones.sort();
    phones
}

/// The addresses of phones.
pub(super) fn phone_address(place: usize) -> Address {
    Address::from_bits(FIRST_PHONE + place as u32)
}

fn dice(kit: &Kit, name: &str, part: u64) -> Dice {
    Dice::new(kit.draws, NameHash(mix2(NameHash::of(name).0, part)))
}

/// The SIP servers of domains that embed no peer.
pub(super) fn servers(plan: &Plan, cast: &Cast, kit: &Kit) -> Servers {
    let plain = plan.callers.iter().filter(|caller| !caller.embeds());
    let site = |caller: &CallerPlan| {
        let dice = |part| dice(kit, &caller.domain, part);
        let settings = server_settings(plan, caller, caller.sip()?, cast, dice);
        let (name, resolvers) = (NameHash::of(&caller.domain), cast.servers_of(&caller.domain));
        Some((cast.id(&caller.domain), Site::new(settings, name, kit.draws, resolvers)))
    };
    plain.filter_map(site).collect()
}

/// The servers that embed a peer, by the member that this is. Their dice are a placeholder, until
/// they get those of the life that begins.
pub(super) fn embedded(
    plan: &Plan,
    cast: &Cast,
    id_bits: u8,
) -> BTreeMap<MemberId, embedded::Settings> {
    let Some(location) = location_settings(plan, id_bits) else { return BTreeMap::new() };
    let first = cast.generated.len() + cast.named.len();
    let settings = |(place, (_, caller)): (u32, &(String, usize))| {
        let caller = &plan.callers[*caller];
        let dice = |_| Dice::new(Draws::new(0, Purpose::Protocol), NameHash(0));
        let server = server_settings(plan, caller, caller.sip()?, cast, dice);
        Some((MemberId(place), embedded::Settings { server, location: location.clone() }))
    };
    (first as u32..).zip(&cast.embedding).filter_map(settings).collect()
}

fn server_settings(
    plan: &Plan,
    caller: &CallerPlan,
    sip: &SipDomainPlan,
    cast: &Cast,
    dice: impl Fn(u64) -> Dice,
) -> server::Settings {
    let name = &caller.domain;
    let is_rfc = sip.profile == SipProfile::Rfc3261;
    let mut rules = match sip.profile {
        SipProfile::Ser => Rules::ser(),
        SipProfile::Ser09 => Rules::ser_0_9(),
        SipProfile::Kamailio => Rules::kamailio(),
        SipProfile::Rfc3261 => Rules::rfc3261(),
    };
    rules.no_reply = sip.fr_timer;
    let order = if is_rfc { Order::Weighted } else { Order::HeaviestFirst };
    let policy = sip
        .dns_cache
        .map(|negative| Policy { negative_ttl: Ttl::from_duration(negative), ..Policy::default() });
    let most = u32::from(u16::MAX);
    server::Settings {
        embeds: sip.embeds,
        recalls: sip.overlay_backup,
        domain: name.clone(),
        own: cast.server_of(name),
        overlay: plan.dns.as_ref().map(|dns| dns.domain.clone()).unwrap_or_default(),
        rules,
        options: Options { naptr: sip.naptr, srv: true, order, failover: sip.failover },
        cache: policy.map(ServerCache::new),
        blocklist: sip.blocklist.then(Blocklist::default),
        workers: u16::try_from(sip.workers.unwrap_or(most).min(most)).expect("at most that"),
        unresolved: if is_rfc { Status::SERVER_ERROR } else { Status::UNRESOLVABLE_DESTINATION },
        registrar: if is_rfc { RegistrarSettings::rfc3261() } else { RegistrarSettings::ser() },
        stub: Stub::new(cast.servers_of(name), dice(0)),
        dice: [1, 2, 3, 4, 5].map(dice),
    }
}

/// A phone, with the address of its domain's server, or with the name where there is another for it.
pub(super) fn phone(plan: &Plan, cast: &Cast, place: usize, kit: &Kit) -> Phone {
    let part = &cast.phones[place];
    let caller = &plan.callers[part.caller];
    let domain = caller.domain.as_str();
    let dice = |number| dice(kit, &part.name, number);
    let home = if caller.is_backed() {
        Home::Named(Stub::new(cast.servers_of(domain), dice(3)), dice(4))
    } else {
        Home::At(cast.server_of(domain))
    };
    let dice = [1, 2].map(dice);
    let mut phone = Phone::new(&part.user, domain, phone_address(place), home, dice);
    if let Some(media) = relay::media(plan) {
        phone.talk(media);
    }
    phone
}

/// How the agents of members are set up, if there is SIP.
pub(super) fn user_agents(plan: &Plan, id_bits: u8) -> Option<user_agent::Settings> {
    let dns = plan.dns.as_ref().filter(|_| plan.has_sip())?;
    let record_route = plan.handover.as_ref().map_or(RecordRoute::None, |it| it.record_route);
    Some(user_agent::Settings {
        relay: None,
        media: relay::media(plan),
        location: location_settings(plan, id_bits)?,
        record_route: match record_route {
            RecordRoute::None => proxy::RecordRoute::None,
            RecordRoute::Address => proxy::RecordRoute::Address,
            RecordRoute::Name => proxy::RecordRoute::Name(HostPart::name(&dns.domain)),
        },
        options: Options { naptr: false, srv: true, order: Order::Weighted, failover: false },
        rules: Rules::rfc3261(),
        bridged: plan
            .overlay
            .beside
            .iter()
            .filter(|beside| beside.bridges > 0)
            .map(|beside| HostPart::name(&beside.domain))
            .collect(),
    })
}

/// The agents of members of another overlay, which are set up as those of the main one, with users
/// of another domain.
pub(super) fn in_overlay(
    main: &user_agent::Settings,
    domain: &str,
    id_bits: u8,
    bridged: Vec<HostPart>,
) -> user_agent::Settings {
    let location = LocationSettings {
        domain: domain.to_owned(),
        copied: Vec::new(),
        backed: Vec::new(),
        id_bits,
        lifetime: main.location.lifetime,
    };
    let record_route = match &main.record_route {
        proxy::RecordRoute::Name(_) => proxy::RecordRoute::Name(HostPart::name(domain)),
        other => other.clone(),
    };
    user_agent::Settings { location, record_route, bridged, ..main.clone() }
}

/// How users' locations are stored in the overlay, if there is SIP.
fn location_settings(plan: &Plan, id_bits: u8) -> Option<LocationSettings> {
    let dns = plan.dns.as_ref().filter(|_| plan.has_sip())?;
    let those = |which: fn(&CallerPlan) -> bool| {
        let callers = plan.callers.iter().filter(|caller| which(caller));
        callers.map(|caller| caller.domain.to_ascii_lowercase()).collect()
    };
    Some(LocationSettings {
        domain: dns.domain.to_ascii_lowercase(),
        copied: those(CallerPlan::embeds),
        backed: those(CallerPlan::is_backed),
        id_bits,
        lifetime: plan.overlay.location_lifetime,
    })
}

/// The users of members, by member.
pub(super) fn member_users(plan: &Plan, cast: &Cast) -> Vec<Arc<str>> {
    let generated = cast.generated.iter().map(|name| Arc::from(name.as_str()));
    let named = cast.named.iter().map(|(name, place)| {
        let user = plan.hosts[*place].user.as_deref();
        Arc::from(user.unwrap_or(name.as_str()))
    });
    generated.chain(named).collect()
}

/// All users, and what they do.
pub(super) fn users(plan: &Plan, cast: &Cast, seed: u64) -> Result<Users, BuildError> {
    let Some(dns) = plan.dns.as_ref().filter(|_| plan.has_sip()) else {
        return Ok(Users::default());
    };
    let phones = cast.phones.iter().enumerate();
    let site = |(place, part): (usize, &PhonePart)| PhoneSite {
        host: cast.id(&part.name),
        address: phone_address(place),
        start: part.start,
    };
    let mut users = Users {
        phones: phones.map(site).collect(),
        actors: Vec::new(),
        members: member_users(plan, cast),
        domain: Some(HostPart::name(&dns.domain)),
    };
    for part in &cast.phones {
        let caller = &plan.callers[part.caller];
        if part.is_generated
            && let Some(sip) = caller.sip()
        {
            users.actors.extend(actors(sip, &part.name, cast, seed)?);
        }
    }
    users.actors.extend(outward(plan, cast, seed)?);
    Ok(users)
}

/// What members ask of conventional users: one actor a domain, at the host of the domain's server.
fn outward(plan: &Plan, cast: &Cast, seed: u64) -> Result<Vec<Actor>, BuildError> {
    let actor = |caller: &CallerPlan| {
        let when = caller.sip().and_then(|sip| sip.outbound).expect("such domains were chosen");
        let uri =
            |number| Uri::of_user(&user_name(number, caller.users), HostPart::name(&caller.domain));
        let entity = format!("{}/outbound", caller.domain);
        Ok(Actor {
            host: cast.id(&caller.domain),
            arrivals: ArrivalTimes::new(arrivals(when)?, seed, Purpose::Callers, &entity),
            doing: Doing::Outbound((1..=caller.users).map(uri).collect()),
            online: true,
            rng: stream(seed, Purpose::Callers, NameHash::of(&format!("{entity}/whom"))),
        })
    };
    plan.outward().map(actor).collect()
}

/// What one generated user does.
fn actors(
    sip: &SipDomainPlan,
    name: &str,
    cast: &Cast,
    seed: u64,
) -> Result<Vec<Actor>, BuildError> {
    let messages = sip.messages.map(|when| ("messages", when, Doing::Messages));
    let calls = sip.calls.map(|it| ("calls", it.arrivals, Doing::Calls(it.talk)));
    let subscriptions =
        sip.subscriptions.map(|it| ("subscriptions", it.arrivals, Doing::Subscriptions(it.keep)));
    [messages, calls, subscriptions]
        .into_iter()
        .flatten()
        .map(|(what, when, doing)| {
            let entity = format!("{name}/{what}");
            Ok(Actor {
                host: cast.id(name),
                arrivals: ArrivalTimes::new(arrivals(when)?, seed, Purpose::Callers, &entity),
                doing,
                online: sip.callee == Callee::Online,
                rng: stream(seed, Purpose::Callers, NameHash::of(&format!("{entity}/whom"))),
            })
        })
        .collect()
}

/// What a user does by the script, in the words of the user agent.
pub(super) fn action(act: &Act) -> Action {
    let uri = |peer: &plan::Peer| -> Uri { peer.uri.clone() };
    match act {
        Act::Register => Action::Register,
        Act::Publish(status) => Action::Publish { open: *status == PresenceStatus::Open },
        Act::Message { to, text } => Action::Message { to: uri(to), text: text.as_str().into() },
        Act::Subscribe { to, keep } => Action::Subscribe { to: uri(to), keep: *keep },
        Act::Unsubscribe { to } => Action::Unsubscribe { to: uri(to) },
        Act::Call { to, talk } => Action::Call { to: uri(to), talk: *talk },
    }
}
