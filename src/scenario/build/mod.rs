//! From a checked [`Plan`] to a [`World`]: the composition root. Hosts get their names, their ids
//! by rank of name, their addresses, and what they are made of; nothing is simulated here.
//!
//! Addresses: generated members from 10.0.0.1 on by rank, further ones behind them; named members
//! from 10.128.0.1 on; the authority, its secondaries and the update service 192.0.2.53, from
//! 192.0.2.54 on and 192.0.2.80 (RFC 5737),
//! resolvers from 198.18.0.1 on (RFC 2544), conventional domains from 100.64.0.1 and phones from
//! 100.96.0.1 on (RFC 6598).

mod beside;
mod cast;
mod moving;
mod nat;
mod network;
mod partition;
mod plugins;
mod population;
mod relay;
mod resolvers;
mod servers;
mod stage;
mod story;
mod strategies;
mod updating;
mod users;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use beside::beside_member_name;
use cast::Cast;
use thiserror::Error;

use crate::address::{Address, Port};
use crate::churn::trace::AvailabilityTrace;
use crate::churn::{Recipe, Schedule};
use crate::conventional::Server;
use crate::dns::application_cache::Life;
use crate::dns::stub::Stub;
use crate::http::Credentials;
use crate::overcord::Node;
use crate::overcord::handover::Settings;
use crate::overcord::node::Lookups;
use crate::overcord::overlay_repository::OverlayRepository;
use crate::overcord::plugin_management::PluginManagement;
use crate::overcord::resource_database::proxy_key;
use crate::overlay::{Contact, Directory, RingId, plugin};
use crate::rng::{Dice, Draws, NameHash, Purpose};
use crate::scenario::plan::{
    self, ArrivalModel, ChurnPlan, ChurnSource, DnsPlan, HandoverPlan, OverlayStart, Plan,
    ResolverGroup, Traffic,
};
use crate::sip::HostPart;
use crate::time::{SimDuration, SimTime};
use crate::workload::{ArrivalTimes, Arrivals};
use crate::world::caller::Caller;
use crate::world::director::{self, Director, Opening};
use crate::world::host::Host;
use crate::world::log::Logged;
use crate::world::population::{Kit, Member, MemberId, Population, Presence, ReturnAddress};
use crate::world::servers::Servers;
use crate::world::stage::Callees;
use crate::world::{Infrastructure, World};

const AUTHORITY: Address = Address::from_bits(0xc000_0235);
const SERVICE: Address = Address::from_bits(0xc000_0250);
const FIRST_MEMBER: u32 = 0x0a00_0001;
const FIRST_NAMED: u32 = 0x0a80_0001;
const FIRST_RESOLVER: u32 = 0xc612_0001;
const FIRST_CALLER: u32 = 0x6440_0001;
const FIRST_PHONE: u32 = 0x6460_0001;

/// The most members that can be generated.
pub const MOST_MEMBERS: u64 = (FIRST_NAMED - FIRST_MEMBER - 1) as u64;

/// How many members a plan without a trace generates.
///
/// # Errors
/// When its churn cannot be drawn.
pub fn generated_members(plan: &Plan) -> Result<u64, BuildError> {
    population::generated(plan, None)
}

/// What the sessions of generated members are drawn from: a trace of it is what a run of the plan's
/// seed plays. `None` where nothing is drawn.
///
/// # Errors
/// When its churn cannot be drawn, or there are too many members.
pub fn recipe(plan: &Plan) -> Result<Option<Recipe>, BuildError> {
    population::recipe(plan)
}

/// The name of a generated member, by its number from 1 and how many there are.
#[must_use]
pub fn member_name(number: u64, count: u64) -> String {
    let digits = count.to_string().len().max(5);
    format!("node-{number:0digits$}")
}

/// The name of a generated user of a conventional domain, by its number from 1 and how many there
/// are.
#[must_use]
pub fn user_name(number: u32, count: u32) -> String {
    let digits = count.to_string().len().max(4);
    format!("user-{number:0digits$}")
}

/// The name of a secondary's host, by its number from 1.
#[must_use]
pub fn secondary_name(number: u32) -> String {
    format!("dns-secondary-{number}")
}

/// The label of a secondary's name in the zone, by its place from 0; the primary has `ns`.
#[must_use]
pub fn secondary_label(place: u32) -> String {
    format!("ns{}", place + 2)
}

/// Why a plan that is sound by itself gives no world.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum BuildError {
    /// Two members have the same position on the ring.
    #[error(
        "seed {seed}: members {first} and {second} have the same identifier of {id_bits} bits; take more bits (overlay.{plugin}.id_bits) or another seed"
    )]
    SameIdentifier {
        /// The seed.
        seed: u64,
        /// One of them.
        first: String,
        /// The other.
        second: String,
        /// The length of identifiers.
        id_bits: u8,
        /// The word of the plug-in.
        plugin: &'static str,
    },
    /// The script names a host that does not exist.
    #[error(
        "an event is about the host `{0}`, which does not exist: there are {1} generated members, node-00001 to {2}, and those of [[host]]"
    )]
    UnknownHost(String, u64, String),
    /// The story names a host that does not exist.
    #[error("the story names the host `{0}`, which does not exist")]
    UnknownInStory(String),
    /// A file that the plan names has not been read.
    #[error("{0} has not been read")]
    Unread(String),
    /// A file that the plan names speaks of a member that does not exist.
    #[error("{path}:{line}:{column}: there is no member `{name}`{}", suggested(nearest.as_ref()))]
    UnknownInFile {
        /// The file.
        path: String,
        /// From 1.
        line: u32,
        /// From 1.
        column: u32,
        /// Whom it names.
        name: String,
        /// The member with the nearest name, if one is near.
        nearest: Option<String>,
    },
    /// There are too many members for their addresses.
    #[error("it takes {0} members, and there are addresses for {MOST_MEMBERS}")]
    TooMany(u64),
    /// Two hosts have the same name.
    #[error("two hosts are called `{0}`")]
    SameName(String),
    /// A model cannot be built from its parameters.
    #[error("{0}")]
    Model(String),
}

fn suggested(nearest: Option<&String>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// How a world is watched; nothing of it should change what happens.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Whether the simulator is judged while it runs.
    pub checkers: bool,
    /// Whose events are told; a host is called by its name.
    pub logged: Logged<String>,
    /// Which order events of equal time have: see
    /// [`shuffle_ties`](crate::sim::Kernel::shuffle_ties). What hangs on it is an accident.
    pub tie_salt: u32,
}

/// Builds the world of one run.
///
/// # Errors
/// When the plan asks for what cannot be with this seed.
pub fn build(
    plan: &Plan,
    seed: u64,
    trace: Option<&Arc<AvailabilityTrace>>,
    watch: &Watch,
) -> Result<World, BuildError> {
    let end = SimTime::ZERO + duration_of(plan, trace);
    let schedule = population::schedule(plan, seed, trace)?;
    let cast = Cast::new(plan, trace)?;
    let mut directory = Directory::new();
    let plugin = plugins::config(&plan.overlay.plugin, seed);
    let members = members(plan, &cast, &schedule, &mut directory, plugin.id_bits(), seed)?;
    let kit = kit(plan, &cast, &members, plugin, seed)?;
    let beside = beside::overlays(plan, &cast, &mut directory, (&kit, &members), seed)?;
    let mut network = network::network(plan, &cast, seed, end)?;
    network.shuffle_ties(watch.tie_salt);
    let by_host = by_host(&cast, &members);
    let partings = partition::partings(plan, &cast, seed)?;
    let script = population::script(plan, &cast, &partings)?;
    let strategy = strategies::of_director(plan);
    let opening = opening(plan, seed);
    let director = Director::new(
        cast.id(director::NAME),
        strategy,
        script,
        opening,
        by_host,
        SimTime::ZERO + plan.warmup,
    );
    let servers = users::servers(plan, &cast, &kit);
    let mut hosts = hosts(plan, &cast, &members, (&kit, &servers), seed)?;
    for (host, node) in beside::nodes(&beside) {
        hosts[host.index()] = Host::Node(node);
    }
    let users = users::users(plan, &cast, seed)?;
    let behind = nat::behind(plan, &cast, seed).into_iter();
    let walled = behind.filter(|(_, forwards)| !forwards).map(|(host, _)| host).collect();
    let mut stage = stage::stage(plan, &cast, &members, directory, &partings, walled, end)?;
    stage.callees = Callees {
        domain: users.domain.clone(),
        hosts: users.by_name(|id| members[id.index()].host),
        outward: plan.outward().map(|caller| HostPart::name(&caller.domain)).collect(),
        ..Callees::default()
    };
    stage.beside = beside.overlays.iter().flat_map(|it| &it.members).map(|it| it.host).collect();
    stage.story = story::chronicle(plan, &cast)?;
    stage.checkers = watch.checkers.then(|| stage::judges(plan, &cast));
    let logged = match &watch.logged {
        Logged::Nobody => Logged::Nobody,
        Logged::Host(name) => Logged::Host(cast.find(name).ok_or_else(|| cast.unknown(name))?),
        &Logged::Everybody { from, until } => Logged::Everybody { from, until },
    };
    let returns = match plan.churn.as_ref().map(|churn| churn.return_address) {
        Some(plan::ReturnAddress::New) => ReturnAddress::New,
        Some(plan::ReturnAddress::Same) | None => ReturnAddress::Same,
    };
    let next_address = Address::from_bits(FIRST_MEMBER + cast.generated.len() as u32);
    Ok(World {
        network,
        hosts,
        stage,
        director,
        servers,
        infrastructure: infrastructure(plan, &cast)?,
        population: Population::new(members, schedule, returns, next_address, kit),
        users,
        beside,
        address_changes: moving::address_changes(plan, &cast, trace, seed)?,
        end,
        warmup: SimTime::ZERO + plan.warmup,
        stop_after_departures: plan.stop_after_departures.unwrap_or(u64::MAX),
        logged,
        names: cast.names,
    })
}

/// How long a run lasts: as the plan says, or as long as its trace.
#[must_use]
pub fn duration_of(plan: &Plan, trace: Option<&Arc<AvailabilityTrace>>) -> SimDuration {
    let span = || trace.map_or(SimDuration::ZERO, |trace| trace.span);
    plan.duration.unwrap_or_else(span)
}

/// What a resolver has to do for conventional callers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResolverLoad {
    /// Its group.
    pub group: ResolverGroup,
    /// Whether it extends TTLs.
    pub extends: bool,
    /// Questions a second, from all callers that were dealt to it.
    pub rate: f64,
}

/// The load of each resolver.
///
/// # Errors
/// When the plan asks for what cannot be.
pub fn resolver_loads(
    plan: &Plan,
    trace: Option<&Arc<AvailabilityTrace>>,
) -> Result<Vec<ResolverLoad>, BuildError> {
    let cast = Cast::new(plan, trace)?;
    let idle =
        |it: &cast::ResolverHost| ResolverLoad { group: it.group, extends: it.extends, rate: 0.0 };
    let mut loads: Vec<ResolverLoad> = cast.resolvers.iter().map(idle).collect();
    for caller in &plan.callers {
        let Some(lookups) = caller.lookups() else { continue };
        let place = cast.resolver_of(&caller.domain).expect("every caller is dealt a resolver");
        loads[place].rate += f64::from(caller.users) / lookups.interval.as_secs_f64();
    }
    Ok(loads)
}

fn dns(plan: &Plan) -> &DnsPlan {
    plan.dns.as_ref().expect("resolvers stand in [dns]")
}

/// The members, with their contacts. Positions come from names, so a bystander moves nobody.
fn members(
    plan: &Plan,
    cast: &Cast,
    schedule: &Schedule,
    directory: &mut Directory,
    id_bits: u8,
    seed: u64,
) -> Result<Vec<Member>, BuildError> {
    let count = cast.generated.len() + cast.named.len() + cast.embedding.len();
    let mut members = Vec::with_capacity(count);
    let generated = (0..).zip(&cast.generated).map(|(rank, name)| {
        let (churn, interval) = schedule.host(name, rank);
        (name, FIRST_MEMBER + rank, Presence::Scheduled(churn, interval))
    });
    let named = (0..).zip(&cast.named).map(|(rank, (name, place))| {
        (name, FIRST_NAMED + rank, Presence::From(plan.hosts[*place].start))
    });
    let servers = cast.embedding.iter().map(|(name, _)| {
        let address = cast.server_of(name);
        (name, address.bits(), Presence::Server)
    });
    let draws = Draws::new(seed, Purpose::Identifier);
    let mut positions: Vec<(RingId, usize)> = Vec::new();
    for (name, address, presence) in generated.chain(named).chain(servers) {
        let hash = NameHash::of(name);
        let id = RingId::from_hash(draws.bits(hash.0, 0), id_bits);
        let address = Address::from_bits(address);
        let contact = directory.add(Contact { id, endpoint: address.at(Port::OVERLAY) });
        positions.push((id, members.len()));
        members.push(Member::new(cast.id(name), hash, presence, address, contact));
    }
    positions.sort_unstable();
    if let Some(pair) = positions.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let name = |place: usize| cast.names[members[place].host.index()].clone();
        return Err(BuildError::SameIdentifier {
            seed,
            first: name(pair[0].1),
            second: name(pair[1].1),
            id_bits,
            plugin: plan.overlay.plugin.word(),
        });
    }
    Ok(members)
}

fn kit(
    plan: &Plan,
    cast: &Cast,
    members: &[Member],
    plugin: plugin::Config,
    seed: u64,
) -> Result<Kit, BuildError> {
    let handover = match (&plan.handover, &plan.dns) {
        (Some(handover), Some(dns)) => Some(Arc::new(settings(plan, handover, dns)?)),
        _ => None,
    };
    let named = cast.named.iter().chain(&cast.embedding);
    let names = cast.generated.iter().chain(named.map(|(name, _)| name));
    let servers = match &handover {
        None => Vec::new(),
        Some(_) => names.map(|name| cast.servers_of(name)).collect(),
    };
    let id_bits = plugin.id_bits();
    let mut user_agents = users::user_agents(plan, id_bits);
    let relays = match &mut user_agents {
        Some(settings) => relay::parts(plan, cast, members, settings, seed)?,
        None => BTreeMap::new(),
    };
    let cache = plan.handover.as_ref().map_or(SimDuration::ZERO, |it| it.application_cache);
    Ok(Kit {
        plugin,
        handover,
        application_cache: match cache {
            SimDuration::ZERO => Life::Off,
            SimDuration::MAX => Life::Forever,
            span => Life::Span(span),
        },
        firewalls: nat::firewalls(plan, cast, seed),
        servers,
        user_agents: user_agents.map(Arc::new),
        relays,
        embedded: users::embedded(plan, cast, id_bits),
        draws: Draws::new(seed, Purpose::Protocol),
    })
}

fn model_error(error: impl std::fmt::Display) -> BuildError {
    BuildError::Model(error.to_string())
}

fn account() -> Credentials {
    Credentials { user: "overcord".to_owned(), password: "handover".to_owned() }
}

/// What all nodes are configured with for the handover.
fn settings(plan: &Plan, handover: &HandoverPlan, dns: &DnsPlan) -> Result<Settings, BuildError> {
    // A daemon takes up a claim at its next poll.
    let longest = handover.daemon.map_or(SimDuration::ZERO, |it| it.pause(1.0));
    // A cache that never forgets can't be waited for.
    let forgets = handover.application_cache < SimDuration::MAX;
    let forgotten = if forgets { handover.application_cache } else { SimDuration::ZERO };
    let (protocol, service) = updating::protocol(plan, handover, dns)?;
    let id_bits =
        u8::try_from(plan.overlay.plugin.id_bits()).expect("the check keeps it below 161");
    Ok(Settings {
        strategy: strategies::of_nodes(handover, dns),
        domain: dns.domain.parse().map_err(model_error)?,
        binding: servers::binding(dns)?,
        authority: AUTHORITY.at(Port::DNS),
        service,
        record: proxy_key(&dns.domain, id_bits),
        settling: dns.ttl.saturating_add(handover.application_cache).saturating_add(longest),
        retirement: dns.longest_life().saturating_add(forgotten).saturating_add(longest),
        probing: handover.probe,
        policies: handover.policies,
        protocol,
        daemon: handover.daemon,
    })
}

fn arrivals(plan: plan::Arrivals) -> Result<Arrivals, BuildError> {
    match plan.model {
        ArrivalModel::Poisson => {
            Arrivals::poisson(1.0 / plan.interval.as_secs_f64()).map_err(model_error)
        }
        ArrivalModel::Periodic => Arrivals::periodic(plan.interval).map_err(model_error),
    }
}

/// All hosts, by id.
fn hosts(
    plan: &Plan,
    cast: &Cast,
    members: &[Member],
    (kit, servers): (&Kit, &Servers),
    seed: u64,
) -> Result<Vec<Host>, BuildError> {
    let mut hosts: Vec<Option<Host>> = cast.names.iter().map(|_| None).collect();
    for (host, site) in servers {
        hosts[host.index()] = Some(Host::Server(Box::new(Server::new(site.settings.clone()))));
    }
    hosts[cast.id(director::NAME).index()] = Some(Host::Director);
    for member in members {
        let name = &cast.names[member.host.index()];
        hosts[member.host.index()] = Some(Host::Node(node(plan, name, member, kit, seed)?));
    }
    if let Some(dns) = &plan.dns {
        let mut zones = vec![servers::zone_name(dns)?];
        let bound = beside::bound(plan);
        let named: Vec<_> = cast.domains.iter().chain(&bound).cloned().collect();
        for (domain, _) in &named {
            zones.push(domain.parse().map_err(model_error)?);
        }
        for (name, resolver) in resolvers::resolvers(dns, cast, &zones, kit.draws) {
            hosts[cast.id(name).index()] = Some(Host::Resolver(Box::new(resolver)));
        }
        for caller in &plan.callers {
            if let Traffic::Lookups(lookups) = &caller.traffic {
                let host = domain(caller, *lookups, cast, kit, dns, seed)?;
                hosts[cast.id(&caller.domain).index()] = Some(Host::Caller(Box::new(host)));
            }
        }
        for (place, part) in cast.phones.iter().enumerate() {
            let host = Host::Phone(Box::new(users::phone(plan, cast, place, kit)));
            hosts[cast.id(&part.name).index()] = Some(host);
        }
        if let Some(name) = &cast.authority {
            let callers = plan.callers.iter().filter(|caller| caller.is_backed());
            let backed: Vec<&str> = callers.map(|caller| caller.domain.as_str()).collect();
            let authority = servers::authority(dns, cast.service.is_some(), &named, &backed)?;
            hosts[cast.id(name).index()] = Some(Host::Authority(Box::new(authority)));
        }
        for name in &cast.secondaries {
            let dice = Dice::new(kit.draws, NameHash::of(name));
            let secondary = servers::secondary(dns, cast.service.is_some(), dice)?;
            hosts[cast.id(name).index()] = Some(Host::Secondary(Box::new(secondary)));
        }
        if let (Some(name), Some(service)) = (&cast.service, servers::service(plan, dns)?) {
            hosts[cast.id(name).index()] = Some(Host::Service(Box::new(service)));
        }
    }
    // What is left is an update service without DNS, which serves nobody.
    Ok(hosts.into_iter().map(|host| host.unwrap_or(Host::Director)).collect())
}

fn node(
    plan: &Plan,
    name: &str,
    member: &Member,
    kit: &Kit,
    seed: u64,
) -> Result<Node, BuildError> {
    let dice = Dice::new(kit.draws, member.name);
    let lookups = match plan.overlay.lookups {
        None => None,
        Some(plan) => Some(Lookups {
            arrivals: ArrivalTimes::new(arrivals(plan)?, seed, Purpose::Workload, name),
            keys: Dice::new(Draws::new(seed, Purpose::Workload), member.name),
            id_bits: kit.plugin.id_bits(),
        }),
    };
    // A placeholder until the node starts, when it gets the plug-in of that life.
    let dht = kit.plugin.node(member.contact, RingId(0));
    let plugin = PluginManagement::new(dht, OverlayRepository::default(), dice);
    Ok(Node::new(plugin, lookups))
}

fn domain(
    caller: &plan::CallerPlan,
    lookups: plan::Arrivals,
    cast: &Cast,
    kit: &Kit,
    dns: &DnsPlan,
    seed: u64,
) -> Result<Caller, BuildError> {
    let arrivals = arrivals(lookups)?;
    let users = (1..=caller.users)
        .map(|user| {
            let name = format!("{}/user-{user}", caller.domain);
            ArrivalTimes::new(arrivals, seed, Purpose::Callers, &name)
        })
        .collect();
    let dice = Dice::new(kit.draws, NameHash::of(&caller.domain));
    let stub = Stub::new(cast.servers_of(&caller.domain), dice);
    Ok(Caller::new(stub, servers::binding(dns)?, users))
}

fn infrastructure(plan: &Plan, cast: &Cast) -> Result<Infrastructure, BuildError> {
    let mut addresses = Vec::new();
    if let Some(name) = &cast.authority {
        addresses.push((cast.id(name), AUTHORITY));
    }
    if let Some(name) = cast.service.as_ref().filter(|_| plan.dns.is_some()) {
        addresses.push((cast.id(name), SERVICE));
    }
    let secondaries = (0..).zip(&cast.secondaries);
    addresses
        .extend(secondaries.map(|(place, name)| (cast.id(name), servers::secondary_at(place))));
    let resolvers = cast.resolvers.iter().enumerate();
    addresses
        .extend(resolvers.map(|(place, it)| (cast.id(&it.name), cast::resolver_address(place))));
    // A server that embeds a peer comes up with it.
    let embeds = |name: &String| cast.embedding.iter().any(|(other, _)| other == name);
    let domains = cast.domains.iter().filter(|(name, _)| !embeds(name));
    addresses.extend(domains.map(|(name, address)| (cast.id(name), *address)));
    addresses.sort();
    Ok(Infrastructure {
        addresses,
        authority: match (&cast.authority, &plan.dns) {
            (Some(name), Some(dns)) => Some((cast.id(name), servers::binding(dns)?)),
            _ => None,
        },
        service: cast.service.as_ref().filter(|_| plan.dns.is_some()).map(|name| cast.id(name)),
    })
}

fn by_host(cast: &Cast, members: &[Member]) -> Vec<Option<MemberId>> {
    let mut by_host = vec![None; cast.names.len()];
    for (id, member) in (0..).zip(members) {
        by_host[member.host.index()] = Some(MemberId(id));
    }
    by_host
}

fn opening(plan: &Plan, seed: u64) -> Opening {
    Opening {
        converged: plan.overlay.plugin.start() == OverlayStart::Converged && !is_only_named(plan),
        start_spread: plan.overlay.start_spread,
        notice: plan.graceful_notice,
        seed,
    }
}

/// Whether nobody is generated, so that nobody can stand in a converged overlay.
fn is_only_named(plan: &Plan) -> bool {
    plan.overlay.nodes == 0 && !has_trace(plan)
}

fn has_trace(plan: &Plan) -> bool {
    matches!(&plan.churn, Some(ChurnPlan { source: ChurnSource::Trace(_), .. }))
}
