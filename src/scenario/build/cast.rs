//! Who is there: the names of all hosts, and who asks which resolver.

use std::sync::Arc;

use super::beside;
use super::users::{self, PhonePart};
use super::{
    BuildError, FIRST_CALLER, FIRST_RESOLVER, MOST_MEMBERS, member_name, population, secondary_name,
};
use crate::address::{Address, Endpoint, Port};
use crate::churn::trace::AvailabilityTrace;
use crate::rng::NameHash;
use crate::scenario::plan::{DnsPlan, Plan, ResolverCount, ResolverGroup};
use crate::sim::HostId;
use crate::world::director;

/// Who is there, by name.
pub(super) struct Cast {
    /// All names in their order: a host's id is its place here.
    pub(super) names: Vec<String>,
    /// Generated members, in the order of their names.
    pub(super) generated: Vec<String>,
    /// Named members, in the order of their names, with their place in the plan.
    pub(super) named: Vec<(String, usize)>,
    /// The members of overlays beside the main one, each in the order of their names.
    pub(super) besides: Vec<Vec<String>>,
    /// The conventional domains in the order of their names, with the addresses of their servers.
    pub(super) domains: Vec<(String, Address)>,
    /// The conventional domains in the order of the plan.
    pub(super) callers: Vec<String>,
    /// Those of them whose servers embed a peer, with their places in the plan.
    pub(super) embedding: Vec<(String, usize)>,
    /// Phones, in the order of their hosts' names.
    pub(super) phones: Vec<PhonePart>,
    /// Resolvers, in the order of their names.
    pub(super) resolvers: Vec<ResolverHost>,
    /// The resolver of each user, by name of user: generated and named members, then callers.
    pub(super) served_by: Vec<(String, usize)>,
    /// The authority and the update service, if there are any.
    pub(super) authority: Option<String>,
    /// The secondaries, by number.
    pub(super) secondaries: Vec<String>,
    pub(super) service: Option<String>,
}

pub(super) struct ResolverHost {
    pub(super) name: String,
    pub(super) group: ResolverGroup,
    /// Its place in the group.
    pub(super) rank: usize,
    /// Whether it extends TTLs.
    pub(super) extends: bool,
}

impl Cast {
    pub(super) fn new(
        plan: &Plan,
        trace: Option<&Arc<AvailabilityTrace>>,
    ) -> Result<Self, BuildError> {
        let count = population::generated(plan, trace)?;
        if count > MOST_MEMBERS {
            return Err(BuildError::TooMany(count));
        }
        let generated: Vec<String> = (1..=count).map(|rank| member_name(rank, count)).collect();
        let members = plan.hosts.iter().enumerate().filter(|(_, host)| host.is_member());
        let mut named: Vec<(String, usize)> =
            members.map(|(place, host)| (host.name.clone(), place)).collect();
        named.sort();
        let mut cast = Self {
            names: Vec::new(),
            generated,
            named,
            besides: beside::names(plan),
            domains: domains(plan),
            callers: plan.callers.iter().map(|it| it.domain.clone()).collect(),
            embedding: embedding(plan),
            phones: users::phones(plan),
            resolvers: Vec::new(),
            served_by: Vec::new(),
            authority: plan.dns.is_some().then(|| "dns-authority".to_owned()),
            secondaries: (1..plan.dns.as_ref().map_or(1, DnsPlan::servers))
                .map(secondary_name)
                .collect(),
            service: plan.dyndns.is_some().then(|| "update-service".to_owned()),
        };
        if let Some(dns) = &plan.dns {
            cast.deal_resolvers(plan, dns);
        }
        let mut names = vec![director::NAME.to_owned()];
        names.extend(cast.generated.iter().cloned());
        names.extend(cast.named.iter().map(|(name, _)| name.clone()));
        names.extend(cast.besides.iter().flatten().cloned());
        names.extend(cast.phones.iter().map(|phone| phone.name.clone()));
        names.extend(cast.resolvers.iter().map(|resolver| resolver.name.clone()));
        names.extend(plan.callers.iter().map(|caller| caller.domain.clone()));
        let servers = cast.authority.iter().chain(&cast.secondaries);
        names.extend(servers.chain(&cast.service).cloned());
        names.sort();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(BuildError::SameName(pair[0].clone()));
        }
        cast.names = names;
        Ok(cast)
    }

    /// Users of a group are dealt to its resolvers in turn, in the order of their names. Resolvers
    /// that forward are users as well, so their group comes before the one that they ask.
    fn deal_resolvers(&mut self, plan: &Plan, dns: &DnsPlan) {
        let mut users: Vec<(String, ResolverGroup)> = Vec::new();
        let members = |name: &String, group: Option<ResolverGroup>| Some((name.clone(), group?));
        if plan.handover.is_some() {
            let group = plan.overlay.resolver;
            let all = self.generated.iter().chain(self.besides.iter().flatten());
            users.extend(all.filter_map(|name| members(name, group)));
            users.extend(
                self.named
                    .iter()
                    .filter_map(|(name, at)| members(name, plan.hosts[*at].resolver())),
            );
        }
        users.extend(plan.callers.iter().map(|it| (it.domain.clone(), it.resolver)));
        users.sort();
        for id in below_first(dns) {
            let group = &dns.resolvers[id.index()];
            let first = self.resolvers.len();
            let mine = users.iter().filter(|(_, group)| *group == id);
            let mut served: Vec<(String, usize)> = Vec::new();
            match group.count {
                ResolverCount::Fixed(count) => {
                    let digits = count.to_string().len();
                    self.resolvers.extend((1..=count).map(|number| ResolverHost {
                        name: format!("{}-{number:0digits$}", group.name),
                        group: id,
                        rank: number as usize - 1,
                        extends: false,
                    }));
                    let turn = |(place, (user, _)): (usize, &(String, _))| {
                        (user.clone(), first + place % count as usize)
                    };
                    served.extend(mine.enumerate().map(turn));
                }
                ResolverCount::Each => {
                    for (user, _) in mine {
                        served.push((user.clone(), self.resolvers.len()));
                        let name = format!("{}@{user}", group.name);
                        let rank = self.resolvers.len() - first;
                        self.resolvers.push(ResolverHost { name, group: id, rank, extends: false });
                    }
                }
            }
            self.served_by.extend(served);
            let share = group.extenders.map_or(0.0, |extenders| extenders.share);
            choose_extenders(&mut self.resolvers[first..], share);
            if let Some(above) = group.forward {
                let below = &self.resolvers[first..];
                users.extend(below.iter().map(|it| (it.name.clone(), above)));
                users.sort();
            }
        }
        self.rank_resolvers();
        self.served_by.sort();
    }

    /// Orders the resolvers by name, whatever the order of the groups.
    fn rank_resolvers(&mut self) {
        let mut order: Vec<usize> = (0..self.resolvers.len()).collect();
        order.sort_by(|&a, &b| self.resolvers[a].name.cmp(&self.resolvers[b].name));
        let mut rank = vec![0; order.len()];
        for (place, &former) in order.iter().enumerate() {
            rank[former] = place;
        }
        for (_, resolver) in &mut self.served_by {
            *resolver = rank[*resolver];
        }
        self.resolvers.sort_by(|a, b| a.name.cmp(&b.name));
    }

    pub(super) fn find(&self, name: &str) -> Option<HostId> {
        let place = self.names.binary_search_by(|other| other.as_str().cmp(name)).ok()?;
        Some(HostId(place as u32))
    }

    pub(super) fn id(&self, name: &str) -> HostId {
        self.find(name).expect("the cast lists every name")
    }

    /// The address of the server of a domain of the plan.
    pub(super) fn server_of(&self, domain: &str) -> Address {
        let place = self.domains.binary_search_by(|(other, _)| other.as_str().cmp(domain));
        self.domains[place.expect("the cast lists every domain")].1
    }

    pub(super) fn unknown(&self, name: &str) -> BuildError {
        let last = self.generated.last().cloned().unwrap_or_else(|| "none".to_owned());
        BuildError::UnknownHost(name.to_owned(), self.generated.len() as u64, last)
    }

    /// The place of a user's resolver among [`Cast::resolvers`].
    pub(super) fn resolver_of(&self, user: &str) -> Option<usize> {
        let place = self.served_by.binary_search_by(|(other, _)| other.as_str().cmp(user)).ok()?;
        Some(self.served_by[place].1)
    }

    /// The name of a secondary, by its number from 1.
    pub(super) fn secondary(&self, number: u32) -> Option<&String> {
        self.secondaries.get(number as usize - 1)
    }

    /// The resolver at the end of a resolver's chain, which asks name servers.
    pub(super) fn asking(&self, resolver: usize) -> usize {
        let above = |&place: &usize| self.resolver_of(&self.resolvers[place].name);
        std::iter::successors(Some(resolver), above).last().expect("it begins with one")
    }

    pub(super) fn servers_of(&self, user: &str) -> Arc<[Endpoint]> {
        self.resolver_of(user)
            .map(resolver_address)
            .map(|it| it.at(Port::DNS))
            .into_iter()
            .collect()
    }
}

/// Lets a share of a group extend TTLs, rounded to whole resolvers: those whose names have the
/// smallest hashes, so that neither seed nor strategy moves them.
fn choose_extenders(group: &mut [ResolverHost], share: f64) {
    let count = (group.len() as f64 * share).round() as usize;
    let mut order: Vec<(NameHash, usize)> =
        group.iter().enumerate().map(|(place, it)| (NameHash::of(&it.name), place)).collect();
    order.sort_unstable();
    for (_, place) in order.into_iter().take(count) {
        group[place].extends = true;
    }
}

/// All groups; those that forward come before those that they forward to.
fn below_first(dns: &DnsPlan) -> Vec<ResolverGroup> {
    let mut groups: Vec<ResolverGroup> =
        (0..dns.resolvers.len() as u32).map(ResolverGroup).collect();
    // Whoever is further from the end of its chain has more below it.
    groups.sort_by_key(|&group| std::cmp::Reverse(dns.chain(group).count()));
    groups
}

fn domains(plan: &Plan) -> Vec<(String, Address)> {
    let mut domains: Vec<String> = plan.callers.iter().map(|it| it.domain.clone()).collect();
    domains.sort_unstable();
    domains.into_iter().zip((FIRST_CALLER..).map(Address::from_bits)).collect()
}

fn embedding(plan: &Plan) -> Vec<(String, usize)> {
    let callers = plan.callers.iter().enumerate().filter(|(_, caller)| caller.embeds());
    let mut domains: Vec<(String, usize)> =
        callers.map(|(place, caller)| (caller.domain.clone(), place)).collect();
    domains.sort_unstable();
    domains
}

pub(super) fn resolver_address(place: usize) -> Address {
    Address::from_bits(FIRST_RESOLVER + place as u32)
}
