//! Checks of secondaries, and of resolvers that forward to others.

use super::super::document::Path;
use super::super::file::{Dns, Secondaries};
use super::super::plan::{ResolverGroup, ResolverPlan, SecondariesPlan};
use super::super::problem::{Fault, nearest};
use super::Check;

impl Check<'_> {
    /// The secondaries of the zone, if there are any.
    pub(super) fn secondaries(&mut self, written: Option<Secondaries>) -> Option<SecondariesPlan> {
        let table = match written? {
            Secondaries::Number(0) => return None,
            Secondaries::Number(count) => Secondaries::usual(count),
            table @ Secondaries::Table { .. } => table,
        };
        let Secondaries::Table { count, notify, notify_delay, refresh, retry, expire, journal } =
            table
        else {
            return None;
        };
        let path = Path::of("dns.secondaries");
        self.ordered(&path, ("refresh", refresh.0), ("expire", expire.0));
        Some(SecondariesPlan {
            count,
            notify,
            notify_delay: notify_delay.0,
            refresh: refresh.0,
            retry: retry.0,
            expire: expire.0,
            journal,
        })
    }

    /// Which group forwards to which; a circle would never get an answer, and is none.
    pub(super) fn forwarding(&mut self, dns: &Dns, groups: &mut [ResolverPlan]) {
        let path = |index: usize| Path::of("dns.resolver").then(index).then("forward");
        for (index, group) in dns.resolver.iter().enumerate() {
            let Some(name) = &group.forward else { continue };
            let known: Vec<String> = dns.resolver.iter().map(|it| it.name.clone()).collect();
            match known.iter().position(|other| other == name) {
                Some(above) => groups[index].forward = Some(ResolverGroup(above as u32)),
                None => {
                    let (what, name) = ("resolver group", name.clone());
                    let nearest = nearest(&name, known.iter().map(String::as_str));
                    self.fault(&path(index), Fault::Unresolved { what, name, nearest, known });
                }
            }
        }
        for index in 0..groups.len() {
            let Some(circle) = circle(index, groups) else { continue };
            // Told once, at the first of its groups; then it is cut, so that all chains end.
            self.fault(&path(index), Fault::Circle { what: "resolver group", circle });
            groups[index].forward = None;
        }
    }
}

/// The names on the way from a group to itself, if it forwards to itself in the end.
fn circle(index: usize, groups: &[ResolverPlan]) -> Option<Vec<String>> {
    let mut names = vec![groups[index].name.clone()];
    let mut at = index;
    for _ in 0..groups.len() {
        at = groups[at].forward?.index();
        names.push(groups[at].name.clone());
        if at == index {
            return Some(names);
        }
    }
    None
}
