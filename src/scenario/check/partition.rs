//! Checks of partitions: who stands on the far side.

use super::super::document::Path;
use super::super::file::{Event, EventAction, FarHosts, File};
use super::super::plan::{
    Action, DnsPlan, EventPlan, Far, PartitionPlan, Plan, ResolverCount, ResolverGroup, Target,
};
use super::super::problem::{Fault, NeedFault, NetworkFault, nearest};
use super::Check;
use super::users::Users;
use crate::net::Partition;

impl Check<'_> {
    /// What never parts has nothing to heal.
    pub(super) fn heals(&mut self, path: &Path, file: &File) {
        if !file.event.iter().any(|event| event.action == EventAction::Partition) {
            let fault = NeedFault::There {
                what: "action \"heal\"".to_owned(),
                need: "an [[event]] with action \"partition\"",
            };
            self.fault(&path.then("action"), Fault::Need(fault));
        }
    }

    /// The hosts that a partition cuts off; `None` when something is wrong with them.
    pub(super) fn partition(
        &mut self,
        event: &Event,
        path: &Path,
        file: &File,
        dns: Option<&DnsPlan>,
        users: &Users<'_>,
    ) -> Option<PartitionPlan> {
        let path = path.then("hosts");
        let written: Vec<(Path, &String)> = match &event.hosts {
            Some(FarHosts::One(one)) => vec![(path.clone(), one)],
            Some(FarHosts::Several(several)) => {
                several.iter().enumerate().map(|(index, one)| (path.then(index), one)).collect()
            }
            None => Vec::new(),
        };
        if written.is_empty() {
            let why = "who is cut off: \"50%\", members, domains, groups of resolvers".to_owned();
            self.fault(&path, Fault::Missing { key: "hosts".to_owned(), why });
            return None;
        }
        let mut far: Vec<Far> = Vec::new();
        for (path, written) in written {
            let one = self.far(written, &path, file, dns, users)?;
            if let Some(first) = far.iter().position(|other| *other == one) {
                let name = written.clone();
                self.fault(&path, Fault::Twice { what: "host", name, first });
                return None;
            }
            let share = |far: &Far| matches!(far, Far::Share(_));
            if let Some(Far::Share(first)) = far.iter().find(|it| share(it)).filter(|_| share(&one))
            {
                let first = crate::units::Probability(*first).to_string();
                self.fault(&path, NetworkFault::SecondShare { first }.into());
                return None;
            }
            far.push(one);
        }
        Some(PartitionPlan { far, lasting: event.lasting.map(|lasting| lasting.0) })
    }

    fn far(
        &mut self,
        written: &str,
        path: &Path,
        file: &File,
        dns: Option<&DnsPlan>,
        users: &Users<'_>,
    ) -> Option<Far> {
        if written.contains('%') {
            let Target::Share(share) = self.share(written, path)? else { return None };
            return Some(Far::Share(share));
        }
        let groups = dns.map_or(&[][..], |dns| &dns.resolvers);
        let found = match written {
            "proxy" if file.handover.is_some() => Some(Far::Proxy),
            "dns-authority" if dns.is_some() => Some(Far::Authority),
            "update-service" if file.dyndns.is_some() => Some(Far::UpdateService),
            _ if users.is_server(written) => Some(Far::Domain(written.to_ascii_lowercase())),
            _ if users.is_member(written) => Some(Far::Member(written.to_owned())),
            _ => (0..).zip(groups).find_map(|(index, group)| {
                (group.name == written).then_some(Far::Resolvers(ResolverGroup(index)))
            }),
        };
        if found.is_some() {
            return found;
        }
        if let Some(domain) = users.domain_of(written) {
            let (host, domain) = (written.to_owned(), domain.to_owned());
            self.fault(path, NetworkFault::PhoneAlone { host, domain }.into());
            return None;
        }
        let members = file.host.iter().filter(|host| host.domain.is_none());
        let mut known: Vec<String> = members.map(|host| host.name.clone()).collect();
        known.extend(users.nodes());
        known.extend(file.caller.iter().map(|caller| caller.domain.to_ascii_lowercase()));
        known.extend(groups.iter().map(|group| group.name.clone()));
        known.extend(file.handover.as_ref().map(|_| "proxy".to_owned()));
        known.extend(dns.map(|_| "dns-authority".to_owned()));
        known.extend(file.dyndns.as_ref().map(|_| "update-service".to_owned()));
        let nearest = nearest(written, known.iter().map(String::as_str));
        let name = written.to_owned();
        self.fault(path, Fault::Unresolved { what: "host", name, nearest, known });
        None
    }

    /// What the partitions of a plan must not do.
    pub(super) fn partitions(&mut self, plan: &Plan) {
        let parted =
            plan.events.iter().enumerate().filter_map(|(index, EventPlan { action, .. })| {
                let Action::Partition(partition) = action else { return None };
                Some((Path::of("event").then(index), partition))
            });
        for (number, (path, partition)) in parted.enumerate() {
            if number == Partition::MOST {
                let fault = NetworkFault::TooMany { most: Partition::MOST };
                self.fault(&path.then("action"), fault.into());
            }
            self.severed(plan, &path.then("hosts"), partition);
        }
    }

    /// A server reaches its resolvers, so that what they would answer is what it would see.
    fn severed(&mut self, plan: &Plan, path: &Path, partition: &PartitionPlan) {
        let Some(dns) = &plan.dns else { return };
        for caller in &plan.callers {
            let group = &dns.resolvers[caller.resolver.index()];
            let server = partition.far.contains(&Far::Domain(caller.domain.clone()));
            let resolver = partition.far.contains(&Far::Resolvers(caller.resolver));
            let own = group.count == ResolverCount::Each;
            if server != resolver && !(own && server) {
                let (domain, group) = (caller.domain.clone(), group.name.clone());
                self.fault(path, NetworkFault::Severed { domain, group }.into());
            }
        }
    }
}
