//! Overlays beside the main one: their members, and the members of the main one that are in them as
//! well.
//!
//! The members of such an overlay stay; churn and the script concern the main one. So is truth
//! about the main one alone: what is observed at those hosts is told to nobody but the story. Their
//! messages, and the time that they are up, count as everybody's.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::Address;
use crate::overcord::beside::{Beside, Known, Others};
use crate::overcord::node::{Entry, Life};
use crate::overlay::{Contact, Facts as _, NodeRef};
use crate::rng::sample::uniform_u64;
use crate::world::World;
use crate::world::population::{Kit, Member, MemberId};

/// How many members of an overlay a bridging node is shipped with.
const PEERS: u64 = 4;
/// The parts of a member's stream of set-up draws that are for this, by start and overlay.
const STREAM: u64 = 1 << 40;
/// The parts of a node that have dice of their own are numbered; this is the first for overlays.
const DICE: u64 = 100;

/// All overlays of a world beside the main one.
#[derive(Debug, Default)]
pub struct BesideAll {
    /// The main one, as others know it; `None` where there is no other.
    pub main: Option<Arc<Known>>,
    /// The others, in the order of the scenario.
    pub overlays: Vec<BesideOverlay>,
}

/// One overlay beside the main one.
#[derive(Debug)]
pub struct BesideOverlay {
    /// What it is.
    pub known: Arc<Known>,
    /// Its members, in the order of their names.
    pub members: Vec<Member>,
    /// What their nodes are made of.
    pub kit: Kit,
    /// The users of its members, by member.
    pub users: Vec<Arc<str>>,
    /// Whether its first member plays the proxy peer of its domain.
    pub has_proxy: bool,
    /// The members of the main overlay that are in it as well, with their address and contact there
    /// since they came last.
    pub bridges: BTreeMap<MemberId, Option<(Address, NodeRef)>>,
}

impl World {
    /// The other overlays come up, each converged.
    pub(super) fn open_beside(&mut self) {
        for place in 0..self.beside.overlays.len() {
            self.open_overlay(place);
        }
    }

    fn open_overlay(&mut self, place: usize) {
        let overlay = &self.beside.overlays[place];
        let contacts: Vec<NodeRef> = overlay.members.iter().map(|it| it.contact).collect();
        let plugins = overlay
            .known
            .plugin
            .converged(&contacts, &self.stage.directory)
            .expect("positions were checked to differ");
        let now = self.network.now();
        for (index, dht) in plugins.into_iter().enumerate() {
            let overlay = &mut self.beside.overlays[place];
            let (id, member) = (MemberId(index as u32), &mut overlay.members[index]);
            member.starts += 1;
            let life = Life {
                dht,
                handover: overlay.kit.handover(id, member),
                user_agent: overlay.kit.user_agent(id, member, overlay.users.get(index)),
                server: None,
                others: Some(Box::new(Others::new(Arc::clone(&overlay.known), Vec::new()))),
            };
            let (host, address) = (member.host, member.address);
            self.network.bring_up(host, address);
            self.director.count_presence(now, true);
            self.with_node(host, |node, ctx| node.start(ctx, life, Entry::Placed));
        }
        let overlay = &self.beside.overlays[place];
        let proxy = overlay.members.first().filter(|_| overlay.has_proxy).map(|it| it.host);
        for host in overlay.members.iter().map(|it| it.host).collect::<Vec<_>>() {
            self.with_node(host, |node, ctx| node.settled(ctx));
        }
        if let Some(host) = proxy {
            self.let_play_on(host);
        }
    }

    /// The overlays that a member of the main one is in as well when it starts.
    pub(super) fn others_of(&mut self, id: MemberId) -> Option<Box<Others>> {
        let main = Arc::clone(self.beside.main.as_ref()?);
        let places = 0..self.beside.overlays.len();
        let list: Vec<Beside> = places.filter_map(|place| self.bridge_to(id, place)).collect();
        (!list.is_empty()).then(|| Box::new(Others::new(main, list)))
    }

    fn bridge_to(&mut self, id: MemberId, place: usize) -> Option<Beside> {
        let member = &self.population.members[id.index()];
        let overlay = &mut self.beside.overlays[place];
        let contact = overlay.bridges.get_mut(&id)?;
        let me = match *contact {
            Some((address, known)) if address == member.address => known,
            _ => {
                let position = self.stage.directory.contact(member.contact).id;
                let id =
                    crate::overlay::RingId::from_hash(position.0, overlay.known.plugin.id_bits());
                let endpoint = member.address.at(overlay.known.port);
                let me = self.stage.directory.add(Contact { id, endpoint });
                *contact = Some((member.address, me));
                me
            }
        };
        let mut rng = self.population.setup_stream(id, self.director.opening.seed);
        rng.set_stream(STREAM + (u64::from(member.starts) << 8) + place as u64);
        let last = overlay.members.len() as u64 - 1;
        let peers =
            (0..PEERS).map(|_| overlay.members[uniform_u64(&mut rng, 0, last) as usize].contact);
        let dice = self.population.kit.dice(member, DICE + place as u64);
        Some(Beside::new(Arc::clone(&overlay.known), me, peers.collect::<Vec<_>>(), dice))
    }
}
