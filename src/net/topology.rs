//! A graph of routers to which hosts are attached: one from a [file](graph), or a generated one.
//!
//! A generated graph grows as in Waxman's model (IEEE JSAC 6(9), 1988) in the incremental form that BRITE
//! uses: routers lie at random places of a square; each new one is linked to a few of those already
//! there, which it prefers the more the nearer they are. So it is connected by construction. The
//! latency of a link grows with its length. Datagrams take the fastest way.
//!
//! A host is attached to a router by a draw from its name, over an access line of its own latency.
//! Left out: capacities, queues, routes other than the fastest, and changes of the graph.

mod graph;

use std::collections::BTreeSet;

pub use graph::{Graph, GraphFormat};
use petgraph::algo::dijkstra;
use petgraph::graph::{NodeIndex, UnGraph};
use petgraph::visit::EdgeRef;
use rand::Rng;

use crate::net::latency::{LatencyError, check_range, share};
use crate::rng::{Draws, NameHash, Purpose, stream, unit_from_bits};
use crate::time::SimDuration;

/// What a topology is generated from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopologyParameters {
    /// Number of routers, 2 to [`TopologyParameters::MAX_ROUTERS`]. Default 64.
    pub routers: u16,
    /// Links that a new router makes, at least 1 (a tree); fewer while there are fewer routers.
    /// The mean degree is about twice that. Default 2, as in BRITE.
    pub links: u16,
    /// The latency of a link of no length. Default 1 ms.
    pub link_min: SimDuration,
    /// The latency of a link across the whole square. Default 40 ms: half way round the earth in
    /// glass is 100 ms, a continent 20 to 40.
    pub link_max: SimDuration,
    /// The fastest access line. Default 2 ms.
    pub access_min: SimDuration,
    /// The slowest access line. Default 20 ms, DSL with interleaving.
    pub access_max: SimDuration,
}

impl TopologyParameters {
    /// More routers would need a table of all pairs above 17 MB.
    pub const MAX_ROUTERS: u16 = 2048;
}

impl Default for TopologyParameters {
    fn default() -> Self {
        Self {
            routers: 64,
            links: 2,
            link_min: SimDuration::from_millis(1),
            link_max: SimDuration::from_millis(40),
            access_min: SimDuration::from_millis(2),
            access_max: SimDuration::from_millis(20),
        }
    }
}

/// Routers, the fastest ways between them, and where hosts are attached.
#[derive(Clone, Debug)]
pub struct Topology {
    graph: UnGraph<(), SimDuration>,
    /// The latency from router i to router j ≤ i, at i (i + 1) / 2 + j.
    paths: Vec<SimDuration>,
    draws: Draws,
    access_min: SimDuration,
    access_width: SimDuration,
}

/// How strongly near routers are preferred: BRITE's default. The weight of a router falls by e with
/// each fifth of the square's diagonal.
const WAXMAN_BETA: f64 = 0.2;

impl Topology {
    /// Generates a graph; the same seed and parameters give the same one on every machine.
    ///
    /// # Errors
    /// When the parameters are out of range.
    pub fn generate(seed: u64, parameters: &TopologyParameters) -> Result<Self, LatencyError> {
        let &TopologyParameters { routers, links, .. } = parameters;
        if !(2..=TopologyParameters::MAX_ROUTERS).contains(&routers) {
            return Err(LatencyError::Routers { routers });
        }
        if links == 0 {
            return Err(LatencyError::Links);
        }
        check_range(parameters.link_min, parameters.link_max)?;
        check_range(parameters.access_min, parameters.access_max)?;
        let graph = grow(seed, parameters);
        Ok(Self {
            paths: shortest_paths(&graph),
            graph,
            draws: Draws::new(seed, Purpose::Latency),
            access_min: parameters.access_min,
            access_width: parameters.access_max - parameters.access_min,
        })
    }

    /// The routers of a graph, each host over an access line of this latency.
    #[must_use]
    pub fn of_graph(seed: u64, graph: &Graph, access: SimDuration) -> Self {
        let graph = graph.linked();
        Self {
            paths: shortest_paths(&graph),
            graph,
            draws: Draws::new(seed, Purpose::Latency),
            access_min: access,
            access_width: SimDuration::ZERO,
        }
    }

    /// How long a datagram travels between two hosts: access lines and the way between their
    /// routers.
    #[must_use]
    #[inline]
    pub fn base(&self, a: NameHash, b: NameHash) -> SimDuration {
        let ((router_a, access_a), (router_b, access_b)) = (self.attach(a), self.attach(b));
        access_a + self.path(router_a, router_b) + access_b
    }

    /// The router to which a host is attached, and the latency of its access line.
    #[must_use]
    #[inline]
    pub fn attach(&self, host: NameHash) -> (usize, SimDuration) {
        // The upper half of the product is a uniform index, the lower half is uniform within it.
        let bits = u128::from(self.draws.bits(host.0, 0)) * self.graph.node_count() as u128;
        let access = self.access_min + share(bits as u64, self.access_width);
        ((bits >> 64) as usize, access)
    }

    /// The latency of the fastest way between two routers.
    #[must_use]
    #[inline]
    pub fn path(&self, a: usize, b: usize) -> SimDuration {
        let (low, high) = (a.min(b), a.max(b));
        self.paths[high * (high + 1) / 2 + low]
    }

    /// The number of routers.
    #[must_use]
    pub fn routers(&self) -> usize {
        self.graph.node_count()
    }

    /// The links: two routers and a latency each.
    pub fn links(&self) -> impl Iterator<Item = (usize, usize, SimDuration)> {
        self.graph
            .edge_references()
            .map(|link| (link.source().index(), link.target().index(), *link.weight()))
    }
}

/// Adds router after router.
fn grow(seed: u64, parameters: &TopologyParameters) -> UnGraph<(), SimDuration> {
    let mut random = stream(seed, Purpose::Latency, NameHash::of("topology"));
    let mut unit = || unit_from_bits(random.next_u64());
    let mut graph = UnGraph::new_undirected();
    let mut places: Vec<(f64, f64)> = Vec::new();
    for _ in 0..parameters.routers {
        let place = (unit(), unit());
        let router = graph.add_node(());
        // Distances as shares of the diagonal.
        let distances: Vec<f64> = places.iter().map(|&other| distance(place, other)).collect();
        let weights: Vec<f64> = distances.iter().map(|d| libm::exp(-d / WAXMAN_BETA)).collect();
        let links = usize::from(parameters.links).min(places.len());
        for neighbour in choose(&weights, links, &mut unit) {
            let width = parameters.link_max - parameters.link_min;
            let latency = parameters.link_min + width.mul_f64(distances[neighbour]);
            graph.add_edge(router, NodeIndex::new(neighbour), latency);
        }
        places.push(place);
    }
    graph
}

/// The distance of two places in the unit square, as a share of its diagonal.
fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (x, y) = (a.0 - b.0, a.1 - b.1);
    // Products, a sum, a quotient and a square root are exact IEEE operations.
    ((x * x + y * y) / 2.0).sqrt()
}

/// Chooses `count` different indices, each time with probabilities in proportion to the weights of
/// those left. All weights are above zero and there are at least `count`.
fn choose(weights: &[f64], count: usize, unit: &mut impl FnMut() -> f64) -> BTreeSet<usize> {
    let mut chosen = BTreeSet::new();
    while chosen.len() < count {
        let left = || weights.iter().enumerate().filter(|(index, _)| !chosen.contains(index));
        let mut point = unit() * left().map(|(_, weight)| weight).sum::<f64>();
        let pick = left().find(|(_, weight)| {
            point -= **weight;
            point < 0.0
        });
        // Rounding may leave a rest behind the last one.
        let (index, _) =
            pick.or_else(|| left().next_back()).expect("fewer are chosen than there are");
        chosen.insert(index);
    }
    chosen
}

/// The latency of the fastest way for each pair, as [`Topology`] stores it.
fn shortest_paths(graph: &UnGraph<(), SimDuration>) -> Vec<SimDuration> {
    let mut paths = Vec::with_capacity(graph.node_count() * (graph.node_count() + 1) / 2);
    for from in graph.node_indices() {
        let reached = dijkstra(graph, from, None, |link| *link.weight());
        let up_to = graph.node_indices().take(from.index() + 1);
        paths.extend(up_to.map(|to| *reached.get(&to).expect("the graph is connected")));
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: SimDuration = SimDuration::from_millis(1);

    fn topology(seed: u64, routers: u16, links: u16) -> Topology {
        let parameters = TopologyParameters { routers, links, ..Default::default() };
        Topology::generate(seed, &parameters).unwrap()
    }

    #[test]
    fn paths_are_those_of_floyd_and_warshall() {
        for (seed, routers, links) in [(1, 2, 1), (2, 3, 5), (3, 40, 1), (4, 64, 2), (5, 50, 4)] {
            let topology = topology(seed, routers, links);
            let n = topology.routers();
            let far = SimDuration::from_secs(1_000_000);
            let mut naive = vec![vec![far; n]; n];
            for (router, row) in naive.iter_mut().enumerate() {
                row[router] = SimDuration::ZERO;
            }
            for (a, b, latency) in topology.links() {
                naive[a][b] = latency;
                naive[b][a] = latency;
            }
            for via in 0..n {
                for a in 0..n {
                    for b in 0..n {
                        naive[a][b] = naive[a][b].min(naive[a][via] + naive[via][b]);
                    }
                }
            }
            for (a, row) in naive.iter().enumerate() {
                for (b, &latency) in row.iter().enumerate() {
                    assert_eq!(topology.path(a, b), latency, "{a} {b}");
                }
            }
        }
    }

    #[test]
    fn a_graph_has_the_links_asked_for_and_short_ones_preferred() {
        // Router i makes min(i, 2) links: 1 + 62 · 2.
        let default = topology(1, 64, 2);
        assert_eq!(default.links().count(), 125);
        assert_eq!(topology(1, 40, 1).links().count(), 39);
        for (a, b, latency) in default.links() {
            assert!(a > b && (MS..=MS * 40).contains(&latency));
        }
        // The mean distance of two random places is 0.5214 sides, 0.3687 of the diagonal: links
        // without preference would take 1 + 39 · 0.3687 = 15.4 ms in the mean.
        let large = topology(7, 500, 2);
        let total: SimDuration = large.links().map(|(_, _, latency)| latency).sum();
        let mean = total.as_secs_f64() * 1e3 / large.links().count() as f64;
        assert!((2.0..13.0).contains(&mean), "{mean}");
    }

    #[test]
    fn hosts_spread_over_routers_and_access_lines() {
        let topology = topology(9, 16, 2);
        let mut hosts = [0u32; 16];
        let mut access = 0.0;
        for n in 0..16_000 {
            let host = NameHash::of(&format!("node-{n:05}"));
            let (router, line) = topology.attach(host);
            hosts[router] += 1;
            assert!((MS * 2..=MS * 20).contains(&line));
            access += line.as_secs_f64() * 1e3 / 16_000.0;
        }
        // 1,000 each, standard deviation 31.
        assert!(hosts.iter().all(|count| (860..1_140).contains(count)), "{hosts:?}");
        // Mean 11, standard error 18 / sqrt(12 n) = 0.041.
        assert!((access - 11.0).abs() < 0.17, "{access}");
    }

    #[test]
    fn a_base_latency_is_two_access_lines_and_a_path() {
        let topology = topology(3, 20, 2);
        let (alice, bob) = (NameHash::of("alice"), NameHash::of("bob"));
        let (alice_router, alice_line) = topology.attach(alice);
        let (bob_router, bob_line) = topology.attach(bob);
        let path = topology.path(alice_router, bob_router);
        assert_eq!(topology.base(alice, bob), alice_line + path + bob_line);
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let refused = |change: &dyn Fn(&mut TopologyParameters)| {
            let mut parameters = TopologyParameters::default();
            change(&mut parameters);
            Topology::generate(1, &parameters).unwrap_err()
        };
        assert_eq!(refused(&|p| p.routers = 1), LatencyError::Routers { routers: 1 });
        assert_eq!(refused(&|p| p.routers = 2_049), LatencyError::Routers { routers: 2_049 });
        assert_eq!(refused(&|p| p.links = 0), LatencyError::Links);
        assert_eq!(refused(&|p| p.link_min = SimDuration::ZERO), LatencyError::Zero);
        let reversed = LatencyError::Range { min: MS * 21, max: MS * 20 };
        assert_eq!(refused(&|p| p.access_min = MS * 21), reversed);
    }
}
