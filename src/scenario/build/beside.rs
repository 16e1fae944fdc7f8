//! Overlays beside the main one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cast::Cast;
use super::{BuildError, model_error, plugins, users};
use crate::address::{Address, Port};
use crate::overcord::Node;
use crate::overcord::beside::Known;
use crate::overcord::handover::Settings;
use crate::overcord::handover::strategy::Commanded;
use crate::overcord::overlay_repository::OverlayRepository;
use crate::overcord::plugin_management::PluginManagement;
use crate::overcord::resource_database::proxy_key;
use crate::overlay::{Contact, Description, Directory, Facts as _, RingId, plugin};
use crate::rng::{Dice, Draws, NameHash, Purpose};
use crate::scenario::plan::{BesidePlan, Plan};
use crate::sim::HostId;
use crate::sip::HostPart;
use crate::time::SimTime;
use crate::world::beside::{BesideAll, BesideOverlay};
use crate::world::population::{Kit, Member, MemberId, Presence};

/// The address of the first member of the first of them; each has 65,536 of its own.
const FIRST: u32 = 0x0ac0_0001;

/// The name of a member of an overlay beside the main one, by its number from 1.
#[must_use]
pub fn beside_member_name(overlay: &str, number: u32) -> String {
    format!("{overlay}-{number:05}")
}

/// The address of a member, by the place of its overlay and its own from 0.
pub(super) fn address(place: usize, member: usize) -> Address {
    Address::from_bits(FIRST + ((place as u32) << 16) + member as u32)
}

/// The domains that have a binding of their own, with the address of their proxy peer.
pub(super) fn bound(plan: &Plan) -> Vec<(String, Address)> {
    let besides = plan.overlay.beside.iter().enumerate().filter(|(_, it)| it.binding);
    besides.map(|(place, it)| (it.domain.clone(), address(place, 0))).collect()
}

/// The names of the members of each.
pub(super) fn names(plan: &Plan) -> Vec<Vec<String>> {
    let all = |it: &BesidePlan| {
        (1..=it.nodes).map(|number| beside_member_name(&it.name, number)).collect()
    };
    plan.overlay.beside.iter().map(all).collect()
}

/// The main overlay and the others, with their members. `main` is what nodes of the main overlay
/// are made of.
pub(super) fn overlays(
    plan: &Plan,
    cast: &Cast,
    directory: &mut Directory,
    main: (&Kit, &[Member]),
    seed: u64,
) -> Result<BesideAll, BuildError> {
    let (Some(dns), false) = (&plan.dns, plan.overlay.beside.is_empty()) else {
        return Ok(BesideAll::default());
    };
    let domain = dns.domain.to_ascii_lowercase();
    let home = known(&domain, main.0.plugin.clone(), Port::OVERLAY);
    let mut overlays = Vec::new();
    for (place, beside) in plan.overlay.beside.iter().enumerate() {
        let config = plugins::config(&beside.plugin, seed);
        let port = Port(Port::OVERLAY.0 + 1 + place as u16);
        let known = known(&beside.domain, config.clone(), port);
        let members = members(place, beside, cast, directory, &known, seed);
        let bridges = bridges(beside, cast, main.1);
        distinct(&members, &bridges, main.1, &known, directory, cast, seed)?;
        let users = cast.besides[place].iter().map(|name| Arc::from(name.as_str())).collect();
        overlays.push(BesideOverlay {
            kit: kit(plan, beside, cast, place, main.0, config)?,
            known,
            members,
            users,
            has_proxy: beside.binding,
            bridges,
        });
    }
    Ok(BesideAll { main: Some(home), overlays })
}

fn known(domain: &str, plugin: plugin::Config, port: Port) -> Arc<Known> {
    let (kind, id_bits) = (plugin.kind(), plugin.id_bits());
    Arc::new(Known {
        description: Description { domain: domain.into(), kind, id_bits },
        plugin,
        port,
    })
}

fn members(
    place: usize,
    beside: &BesidePlan,
    cast: &Cast,
    directory: &mut Directory,
    known: &Known,
    seed: u64,
) -> Vec<Member> {
    let draws = Draws::new(seed, Purpose::Identifier);
    let member = |(index, name): (usize, &String)| {
        let hash = NameHash::of(name);
        let id = RingId::from_hash(draws.bits(hash.0, 0), known.plugin.id_bits());
        let address = address(place, index);
        let contact = directory.add(Contact { id, endpoint: address.at(known.port) });
        Member::new(cast.id(name), hash, Presence::From(SimTime::ZERO), address, contact)
    };
    assert_eq!(cast.besides[place].len(), beside.nodes as usize, "the cast lists all members");
    cast.besides[place].iter().enumerate().map(member).collect()
}

/// The first generated members of the main overlay.
fn bridges(
    beside: &BesidePlan,
    cast: &Cast,
    main: &[Member],
) -> BTreeMap<MemberId, Option<(Address, crate::overlay::NodeRef)>> {
    let generated = cast.generated.len().min(main.len());
    let count = generated.min(beside.bridges as usize) as u32;
    (0..count).map(|member| (MemberId(member), None)).collect()
}

/// No two members of an overlay, bridging ones among them, have the same position.
fn distinct(
    members: &[Member],
    bridges: &BTreeMap<MemberId, Option<(Address, crate::overlay::NodeRef)>>,
    main: &[Member],
    known: &Known,
    directory: &Directory,
    cast: &Cast,
    seed: u64,
) -> Result<(), BuildError> {
    let id_bits = known.plugin.id_bits();
    let bridging = bridges.keys().map(|id| &main[id.index()]);
    let position = |member: &Member| {
        (RingId::from_hash(directory.contact(member.contact).id.0, id_bits), member.host)
    };
    let mut positions: Vec<_> = members.iter().chain(bridging).map(position).collect();
    positions.sort_unstable();
    let Some(pair) = positions.windows(2).find(|pair| pair[0].0 == pair[1].0) else {
        return Ok(());
    };
    let name = |place: usize| cast.names[pair[place].1.index()].clone();
    let (first, second, plugin) = (name(0), name(1), known.plugin.kind().key());
    Err(BuildError::SameIdentifier { seed, first, second, id_bits, plugin })
}

/// The nodes of their members, before they start, by host.
pub(super) fn nodes(all: &BesideAll) -> Vec<(HostId, Node)> {
    let node = |kit: &Kit, member: &Member| {
        let dice = Dice::new(kit.draws, member.name);
        let dht = kit.plugin.node(member.contact, RingId(0));
        let plugin = PluginManagement::new(dht, OverlayRepository::default(), dice);
        (member.host, Node::new(plugin, None))
    };
    let of_one = |it: &BesideOverlay| {
        it.members.iter().map(|member| node(&it.kit, member)).collect::<Vec<_>>()
    };
    all.overlays.iter().flat_map(of_one).collect()
}

/// What the nodes of one are made of: those of the main one, with another plug-in and domain. Its
/// proxy peer is the one that its binding names, and nobody looks after the role.
fn kit(
    plan: &Plan,
    beside: &BesidePlan,
    cast: &Cast,
    place: usize,
    main: &Kit,
    plugin: plugin::Config,
) -> Result<Kit, BuildError> {
    let id_bits = plugin.id_bits();
    let handover = match &main.handover {
        None => None,
        Some(main) => Some(Arc::new(Settings {
            strategy: Arc::new(Commanded),
            domain: beside.domain.parse().map_err(model_error)?,
            record: proxy_key(&beside.domain, id_bits),
            ..main.as_ref().clone()
        })),
    };
    let bridged =
        plan.dns.iter().filter(|_| beside.bridges > 0).map(|dns| HostPart::name(&dns.domain));
    let user_agents = main
        .user_agents
        .as_deref()
        .map(|main| Arc::new(users::in_overlay(main, &beside.domain, id_bits, bridged.collect())));
    Ok(Kit {
        firewalls: BTreeMap::new(),
        plugin,
        handover,
        application_cache: main.application_cache,
        servers: cast.besides[place].iter().map(|name| cast.servers_of(name)).collect(),
        user_agents,
        relays: std::collections::BTreeMap::new(),
        embedded: std::collections::BTreeMap::new(),
        draws: main.draws,
    })
}
