//! A checker: what is broken in a ring, told from the members' views and the sorted ring.
//!
//! It judges the simulator, and measures rings under churn, where Chord promises consistency only
//! eventually (Zave, "Reasoning about identifier spaces: how to make Chord correct", 2017). No
//! component reads it.

use std::collections::BTreeMap;
use std::fmt;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

use crate::overlay::{NodeRef, RingId};

/// What one member believes of its neighbours.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The member.
    pub node: NodeRef,
    /// Its position.
    pub id: RingId,
    /// Its predecessor.
    pub predecessor: Option<NodeRef>,
    /// Its successor list, nearest first.
    pub successors: &'a [NodeRef],
}

/// A neighbour that is not what the sorted ring says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Whose belief.
    pub member: NodeRef,
    /// What it believes.
    pub believed: Option<NodeRef>,
    /// What is so; `None` in a ring of one.
    pub actual: Option<NodeRef>,
}

/// What is broken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RingReport {
    /// How many members there are.
    pub members: usize,
    /// Members whose first successor is wrong.
    pub wrong_successor: Vec<Wrong>,
    /// Members whose predecessor is wrong.
    pub wrong_predecessor: Vec<Wrong>,
    /// Members whose successor list is not the next ones in order, as far as it goes.
    pub wrong_list: Vec<NodeRef>,
    /// Members that lie on no cycle of first successors: they reach the ring, the ring does not
    /// reach them.
    pub appendages: Vec<NodeRef>,
    /// The number of cycles of first successors; more than one: the ring fell apart.
    pub cycles: usize,
    /// Cycles that go around the identifier circle more than once (Liben-Nowell et al.: loopy).
    pub loopy: usize,
}

impl RingReport {
    /// Judges the views of all up members of one overlay.
    #[must_use]
    pub fn of(views: &[View<'_>]) -> Self {
        let mut sorted = views.to_vec();
        sorted.sort_unstable_by_key(|view| (view.id, view.node));
        let mut report = Self { members: views.len(), ..Self::default() };
        for (rank, view) in sorted.iter().enumerate() {
            report.judge(view, rank, &sorted);
        }
        report.judge_cycles(&sorted);
        report
    }

    /// Whether everything is right.
    #[must_use]
    pub fn is_perfect(&self) -> bool {
        self.is_connected()
            && self.wrong_successor.is_empty()
            && self.wrong_predecessor.is_empty()
            && self.wrong_list.is_empty()
    }

    /// Whether first successors form one cycle, in order, with all members on it.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        let one = usize::from(self.members > 0);
        self.cycles == one && self.loopy == 0 && self.appendages.is_empty()
    }

    fn judge(&mut self, view: &View<'_>, rank: usize, sorted: &[View<'_>]) {
        let size = sorted.len();
        let ahead = |n: usize| (n < size).then(|| sorted[(rank + n) % size].node);
        let member = view.node;
        let believed = view.successors.first().copied();
        if believed != ahead(1) {
            self.wrong_successor.push(Wrong { member, believed, actual: ahead(1) });
        }
        let actual = if size > 1 { ahead(size - 1) } else { None };
        if view.predecessor != actual {
            self.wrong_predecessor.push(Wrong { member, believed: view.predecessor, actual });
        }
        let in_order = (1..).zip(view.successors).all(|(n, &listed)| ahead(n) == Some(listed));
        if !in_order {
            self.wrong_list.push(member);
        }
    }

    /// Every node of the graph has at most one edge, to its first successor, so each strongly
    /// connected component is a cycle, or a single node. A member without successor is a cycle of
    /// its own.
    fn judge_cycles(&mut self, sorted: &[View<'_>]) {
        let mut graph: DiGraph<RingId, ()> = DiGraph::new();
        let places: BTreeMap<NodeRef, _> =
            sorted.iter().map(|view| (view.node, graph.add_node(view.id))).collect();
        for view in sorted {
            let here = places[&view.node];
            match view.successors.first() {
                None => {
                    graph.add_edge(here, here, ());
                }
                Some(successor) => {
                    // A successor that is down is no edge.
                    if let Some(&there) = places.get(successor) {
                        graph.add_edge(here, there, ());
                    }
                }
            }
        }
        for component in kosaraju_scc(&graph) {
            let turns = |&node: &petgraph::graph::NodeIndex| {
                graph.neighbors(node).any(|next| graph[next] <= graph[node])
            };
            if component.len() == 1 && !graph.contains_edge(component[0], component[0]) {
                self.appendages.push(sorted[component[0].index()].node);
                continue;
            }
            self.cycles += 1;
            // In order, a cycle passes zero once.
            if component.iter().filter(|node| turns(node)).count() > 1 {
                self.loopy += 1;
            }
        }
        self.appendages.sort_unstable();
    }
}

impl fmt::Display for RingReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_perfect() {
            return write!(f, "{} members, a perfect ring", self.members);
        }
        write!(
            f,
            "{} members: {} wrong successors, {} wrong predecessors, {} wrong lists, \
             {} appendages, {} cycles, {} of them loopy",
            self.members,
            self.wrong_successor.len(),
            self.wrong_predecessor.len(),
            self.wrong_list.len(),
            self.appendages.len(),
            self.cycles,
            self.loopy
        )?;
        let name = |node: Option<NodeRef>| {
            node.map_or_else(|| "none".to_owned(), |node| node.index().to_string())
        };
        let wrong = |what: &str, list: &[Wrong], f: &mut fmt::Formatter<'_>| {
            list.first().map_or(Ok(()), |first| {
                let (member, believed) = (first.member.index(), name(first.believed));
                write!(f, "; {what} of {member} is {}, not {believed}", name(first.actual))
            })
        };
        wrong("the successor", &self.wrong_successor, f)?;
        wrong("the predecessor", &self.wrong_predecessor, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Members at positions 10, 20, 30, ... with these first successors and perfect predecessors.
    fn report(successors: &[usize]) -> RingReport {
        let node = |i: usize| NodeRef::new(i as u32);
        let size = successors.len();
        let lists: Vec<[NodeRef; 1]> = successors.iter().map(|&i| [node(i)]).collect();
        let views: Vec<View<'_>> = (0..size)
            .map(|i| View {
                node: node(i),
                id: RingId(10 * (i as u64 + 1)),
                predecessor: Some(node((i + size - 1) % size)),
                successors: &lists[i],
            })
            .collect();
        RingReport::of(&views)
    }

    #[test]
    fn names_what_broke() {
        // (first successors; wrong, appendages, cycles, loopy)
        let table: [(&[usize], usize, usize, usize, usize); 5] = [
            (&[1, 2, 3, 0], 0, 0, 1, 0),
            // Node 1 was passed over: it reaches the ring, which does not reach it.
            (&[2, 2, 3, 0], 1, 1, 1, 0),
            // Two rings.
            (&[1, 0, 3, 2], 2, 0, 2, 0),
            // One cycle that goes around twice: 0 -> 2 -> 4 -> 1 -> 3 -> 0.
            (&[2, 3, 4, 0, 1], 5, 0, 1, 1),
            // A successor that is no member: nobody is on a cycle.
            (&[1, 2, 9], 1, 3, 0, 0),
        ];
        for (successors, wrong, appendages, cycles, loopy) in table {
            let report = report(successors);
            assert_eq!(report.wrong_successor.len(), wrong, "{report}");
            assert_eq!(report.appendages.len(), appendages, "{report}");
            assert_eq!((report.cycles, report.loopy), (cycles, loopy), "{report}");
            assert_eq!(report.is_perfect(), wrong == 0, "{report}");
        }
        assert_eq!(
            report(&[2, 2, 3, 0]).to_string(),
            "4 members: 1 wrong successors, 0 wrong predecessors, 1 wrong lists, 1 appendages, \
             1 cycles, 0 of them loopy; the successor of 0 is 1, not 2"
        );
        assert!(RingReport::of(&[]).is_perfect());
    }
}
