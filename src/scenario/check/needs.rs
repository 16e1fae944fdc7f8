//! What strategies need of the rest of a scenario.

use super::super::document::Path;
use super::super::file::{Handover, Reading};
use super::super::plan::{
    CallerPlan, OverlayRecord, Plan, ProbeKind, Publish, Strategy, UpdateIf, UpdateProtocol,
};
use super::super::problem::{Fault, NeedFault, either};
use super::Check;

/// The policies of the paper's own procedure.
const OF_THE_PAPER: [&str; 7] = [
    "on_unresolved",
    "own_address",
    "test1_failure",
    "update_failure",
    "losers",
    "eligibility",
    "overlay_record",
];
/// What only those members make use of that watch the proxy peer.
const OF_UPDATERS: [&str; 6] =
    ["update", "update_if", "failures_to_suspect", "bootstrap", "on_address_change", "ex_proxy"];

impl Check<'_> {
    /// Whether the scenario has what its strategy needs.
    pub(super) fn needs(&mut self, plan: &Plan) {
        let (Some(handover), Some(dns)) = (&plan.handover, &plan.dns) else { return };
        self.backups(plan, handover.strategy);
        match handover.strategy {
            Strategy::Embedded if !plan.callers.iter().any(CallerPlan::embeds) => {
                self.unmet(handover.strategy, "a [[caller]] with a SIP server that embeds a peer");
            }
            Strategy::Standby if dns.publish != Publish::Srv => {
                self.unmet(handover.strategy, "dns.publish = \"srv\": a set in an order");
            }
            Strategy::Ddclient if handover.update == UpdateProtocol::Rfc2136 => {
                self.unmet(handover.strategy, "update = \"dyndns2\": its daemon speaks that alone");
            }
            _ => {}
        }
        let reads = handover.strategy.is_papers()
            && handover.policies.overlay_record == OverlayRecord::Read;
        if reads
            && handover.update == UpdateProtocol::Rfc2136
            && handover.update_if == UpdateIf::Unchanged
        {
            // Who tests the address of the record does not know what the binding is.
            let (what, key, needed) = ("overlay_record \"read\"", "handover.update_if", "always");
            let fault = NeedFault::Value { what, key, needed };
            self.fault(&Path::of("handover.overlay_record"), Fault::Need(fault));
        }
        if handover.probe.kind == ProbeKind::Options && !plan.has_sip() {
            let what = "probe_kind \"options\"".to_owned();
            let need = "somebody who speaks SIP: a [[caller]] without lookups, or a user";
            self.fault(
                &Path::of("handover.probe_kind"),
                Fault::Need(NeedFault::There { what, need }),
            );
        }
    }

    /// What an organisation needs that the overlay stands in for.
    fn backups(&mut self, plan: &Plan, strategy: Strategy) {
        for (index, caller) in plan.callers.iter().enumerate() {
            let Some(sip) = caller.sip().filter(|sip| sip.overlay_backup) else { continue };
            let need = if !sip.embeds {
                "`embeds = true`: the server's peer copies into the overlay where its users are"
            } else if strategy == Strategy::Embedded {
                "a strategy with a proxy peer"
            } else {
                continue;
            };
            let path = Path::of("caller").then(index).then("overlay_backup");
            let what = "`overlay_backup`".to_owned();
            self.fault(&path, Fault::Need(NeedFault::There { what, need }));
        }
    }

    /// Refuses the keys that the strategy makes no use of.
    pub(super) fn strategys_own(&mut self, handover: &Handover) {
        let strategy = handover.strategy;
        let with = format!("strategy \"{}\"", strategy.word());
        let table = Path::of("handover");
        let has_one = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            format!("{with}; it has one with {}", either(&words))
        };
        if !strategy.is_papers() {
            let with = has_one(&["dyndns", "ddclient"]);
            self.meaningless(&table, &OF_THE_PAPER, &with);
            if handover.reading != Reading::Intended {
                self.meaningless(&table, &["reading"], &with);
            }
        }
        if !strategy.updates() {
            let with = has_one(&["dyndns", "ddclient", "lease", "standby"]);
            self.meaningless(&table, &OF_UPDATERS, &with);
        }
        if strategy == Strategy::Standby {
            let with = format!("{with}: its updates hold only if the set is as it was read");
            self.meaningless(&table, &["update_if"], &with);
        } else {
            self.meaningless(&table, &["standbys"], &has_one(&["standby"]));
        }
    }

    fn unmet(&mut self, strategy: Strategy, need: &'static str) {
        let what = format!("strategy \"{}\"", strategy.word());
        let fault = NeedFault::There { what, need };
        self.fault(&Path::of("handover.strategy"), Fault::Need(fault));
    }
}
