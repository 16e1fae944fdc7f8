//! Checks of names across lists: every host of a world has its own, whatever it is.

use super::super::build;
use super::super::document::Path;
use super::super::plan::{Action, ChurnSource, DnsPlan, Far, Plan, ResolverCount, Target};
use super::super::problem::{Fault, nearest};
use super::Check;
use super::partition::secondary_number;

const MEMBERS: &str = "members without a name have it";

impl Check<'_> {
    /// Names of hosts and callers that something else has.
    pub(super) fn names(&mut self, plan: &Plan) {
        // An element that was reported may be missing from the plan: the file is asked for names.
        for (list, key) in [("host", "name"), ("caller", "domain")] {
            for index in 0.. {
                let element = Path::of(list).then(index);
                if self.document.find(&element).is_none() {
                    break;
                }
                let path = element.then(key);
                let Some(name) = self.text(&path) else { continue };
                let name = if list == "caller" { name.to_ascii_lowercase() } else { name };
                self.name(plan, list, &path, name);
            }
        }
        for (index, group) in plan.dns.iter().flat_map(|dns| &dns.resolvers).enumerate() {
            let many = matches!(group.count, ResolverCount::Fixed(count) if count >= 10_000);
            if group.name == "node" && many {
                let why = "its resolvers would be called `node-00001` and on, as members are";
                let path = Path::of("dns.resolver").then(index).then("name");
                self.fault(&path, Fault::Reserved { name: group.name.clone(), why });
            }
            let secondaries = 1..plan.dns.as_ref().map_or(1, DnsPlan::servers);
            let mut secondaries = secondaries.map(build::secondary_name);
            if secondaries.any(|it| resolver_group(plan, &it) == Some(group.name.as_str())) {
                let why = "its resolvers would be called as secondaries of the overlay's zone are";
                let path = Path::of("dns.resolver").then(index).then("name");
                self.fault(&path, Fault::Reserved { name: group.name.clone(), why });
            }
        }
    }

    fn text(&self, path: &Path) -> Option<String> {
        match self.document.find(path)?.to_json() {
            serde_json::Value::String(text) => Some(text),
            _ => None,
        }
    }

    fn name(&mut self, plan: &Plan, list: &str, path: &Path, name: String) {
        let reserved = match name.as_str() {
            "proxy" if list == "host" => Some("it stands for whoever is in the binding"),
            "dns-authority" => Some("the authority for the overlay's domain has it"),
            "update-service" => Some("the update endpoint has it"),
            name if generated_number(name).is_some() => Some(MEMBERS),
            name if secondary_number(plan.dns.as_ref(), name).is_some() => {
                Some("a secondary of the overlay's zone has it")
            }
            _ => None,
        };
        if let Some(why) = reserved {
            return self.fault(path, Fault::Reserved { name, why });
        }
        let by = match resolver_group(plan, &name) {
            Some(group) => format!("a resolver of the group `{group}`"),
            None if list == "caller" && plan.hosts.iter().any(|host| host.name == name) => {
                "a [[host]]".to_owned()
            }
            None => return,
        };
        self.fault(path, Fault::Taken { name, by });
    }

    /// The generated members of a plan without a trace.
    pub(super) fn generated(&mut self, plan: &Plan) {
        match build::generated_members(plan) {
            Ok(count) => self.members(plan, count),
            Err(error) => {
                let message = error.to_string();
                self.key_fault(&Path::of("churn"), Fault::Model { message });
            }
        }
    }

    /// What the number of generated members decides: whether there are addresses for them, and
    /// which of them an event can name.
    pub(super) fn members(&mut self, plan: &Plan, count: u64) {
        if count > build::MOST_MEMBERS {
            let traced = plan.churn.as_ref().map(|churn| &churn.source);
            let traced = matches!(traced, Some(ChurnSource::Trace(_)));
            let path = Path::of(if traced { "churn.trace" } else { "overlay.nodes" });
            return self.fault(&path, Fault::TooManyMembers { count, most: build::MOST_MEMBERS });
        }
        self.bridges(plan, count);
        self.generated_users(plan, count);
        self.generated_in_story(plan, count);
        for (path, name) in members_of_script(plan) {
            let number = generated_number(name).filter(|number| (1..=count).contains(number));
            let meant = number.map(|number| build::member_name(number, count));
            let is_server = || plan.callers.iter().any(|caller| caller.domain == *name);
            let there = meant.as_ref() == Some(name) || is_server();
            if there || plan.hosts.iter().any(|host| host.name == *name) {
                continue;
            }
            let members = plan.hosts.iter().filter(|host| host.is_member());
            let mut known: Vec<_> = members.map(|host| host.name.clone()).collect();
            known.push("proxy".to_owned());
            if count > 0 {
                known.extend([1, count].map(|number| build::member_name(number, count)));
                known.dedup();
            }
            let near = nearest(name, known.iter().map(String::as_str));
            let nearest = meant.or(near);
            let fault = Fault::Unresolved { what: "host", name: name.clone(), nearest, known };
            self.fault(&path, fault);
        }
    }
}

/// The members that the script names, and where.
fn members_of_script(plan: &Plan) -> Vec<(Path, &String)> {
    let mut named = Vec::new();
    for (index, event) in plan.events.iter().enumerate() {
        let path = Path::of("event").then(index);
        match &event.action {
            Action::Depart { target: Target::Host(name), .. }
            | Action::Return { target: Target::Host(name) }
            | Action::AddressChange { target: Target::Host(name) } => {
                named.push((path.then("host"), name));
            }
            Action::Partition(partition) => {
                let far = partition.far.iter().enumerate();
                named.extend(far.filter_map(|(place, far)| match far {
                    Far::Member(name) => Some((path.then("hosts").then(place), name)),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
    named
}

/// The group that has a resolver of this name: group, dash, a number with as many digits as their
/// count.
fn resolver_group<'a>(plan: &'a Plan, name: &str) -> Option<&'a str> {
    let (stem, digits) = name.rsplit_once('-')?;
    let groups = &plan.dns.as_ref()?.resolvers;
    let group = groups.iter().find(|group| group.name == stem)?;
    let ResolverCount::Fixed(count) = group.count else { return None };
    let well_formed =
        digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.len() == count.to_string().len();
    let rank: u32 = digits.parse().ok().filter(|_| well_formed)?;
    (1..=count).contains(&rank).then_some(group.name.as_str())
}

/// The number of a generated member's name: `node-` and five digits or more.
pub(super) fn generated_number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("node-")?;
    let well_formed = digits.len() >= 5 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if well_formed { digits.parse().ok() } else { None }
}
