//! Overlays beside the main one.

use super::super::document::Path;
use super::super::file::{Beside, File};
use super::super::plan::{BesidePlan, DnsPlan, Plan};
use super::super::problem::Fault;
use super::Check;
use super::systems::plugin;

/// The most overlays beside the main one: each has a port of its own.
const MOST: usize = 15;

/// The number of the generated member of an overlay beside the main one that has this name.
pub(super) fn number_in(overlay: &str, name: &str) -> Option<u64> {
    let digits = name.strip_prefix(overlay)?.strip_prefix('-')?;
    let well_formed = digits.len() == 5 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if well_formed { digits.parse().ok() } else { None }
}

impl Check<'_> {
    pub(super) fn besides(&mut self, file: &File, dns: Option<&DnsPlan>) -> Vec<BesidePlan> {
        let list = Path::of("overlay.beside");
        let besides = &file.overlay.beside;
        let names: Vec<_> = besides.iter().map(|it| it.name.as_str()).collect();
        self.distinct(&list, "name", "overlay", &names);
        let domains: Vec<String> =
            besides.iter().map(|it| it.domain.to_ascii_lowercase()).collect();
        let texts: Vec<_> = domains.iter().map(String::as_str).collect();
        self.distinct(&list, "domain", "domain", &texts);
        if besides.len() > MOST {
            let (found, expected) = (besides.len().to_string(), format!("at most {MOST} overlays"));
            self.fault(&list, Fault::Range { found, expected });
        }
        let mut plans = Vec::with_capacity(besides.len());
        for (index, (beside, domain)) in besides.iter().zip(domains).enumerate() {
            let path = list.then(index);
            self.beside_name(file, beside, &path);
            self.beside_domain(file, &domain, &path.then("domain"), dns);
            plans.push(BesidePlan {
                name: beside.name.clone(),
                domain,
                plugin: plugin(beside.plugin, &file.overlay),
                nodes: beside.nodes,
                bridges: beside.bridges,
                binding: beside.binding,
            });
        }
        plans
    }

    /// Its members' names are nobody else's.
    fn beside_name(&mut self, file: &File, beside: &Beside, path: &Path) {
        if beside.name == "node" {
            let why = "members of the main overlay are called so";
            let name = beside.name.clone();
            return self.fault(&path.then("name"), Fault::Reserved { name, why });
        }
        for (index, host) in file.host.iter().enumerate() {
            if number_in(&beside.name, &host.name).is_some() {
                let by = format!("a member of the overlay `{}`", beside.name);
                let fault = Fault::Taken { name: host.name.clone(), by };
                self.fault(&Path::of("host").then(index).then("name"), fault);
            }
        }
    }

    /// Its domain lies in a zone, and is nobody else's.
    fn beside_domain(&mut self, file: &File, domain: &str, path: &Path, dns: Option<&DnsPlan>) {
        if !domain.contains('.') {
            return self.fault(path, Fault::SingleLabel { found: domain.to_owned() });
        }
        let is_callers = |it: &str| it.eq_ignore_ascii_case(domain);
        let by = if dns.is_some_and(|dns| dns.domain == domain) {
            "the main overlay".to_owned()
        } else if let Some(index) = file.caller.iter().position(|it| is_callers(&it.domain)) {
            format!("number {index} of [[caller]]")
        } else {
            return dns.into_iter().for_each(|dns| self.not_in_zone(domain, path, dns));
        };
        self.fault(path, Fault::Taken { name: domain.to_owned(), by });
    }

    /// Bridges are generated members of the main overlay, of which there are so many.
    pub(super) fn bridges(&mut self, plan: &Plan, count: u64) {
        for (index, beside) in plan.overlay.beside.iter().enumerate() {
            if u64::from(beside.bridges) <= count {
                continue;
            }
            let all_stay = count == u64::from(plan.overlay.nodes);
            let fault = Fault::Relation {
                found: beside.bridges.to_string(),
                relation: "not be above",
                other: if all_stay { "overlay.nodes" } else { "generated members" },
                limit: count.to_string(),
            };
            self.fault(&Path::of("overlay.beside").then(index).then("bridges"), fault);
        }
    }
}
