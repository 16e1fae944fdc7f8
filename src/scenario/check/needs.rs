//! What strategies need of the rest of a scenario.

use super::super::document::Path;
use super::super::plan::{CallerPlan, Plan, Publish, Strategy, UpdateProtocol};
use super::super::problem::{Fault, NeedFault};
use super::Check;

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

    fn unmet(&mut self, strategy: Strategy, need: &'static str) {
        let what = format!("strategy \"{}\"", strategy.word());
        let fault = NeedFault::There { what, need };
        self.fault(&Path::of("handover.strategy"), Fault::Need(fault));
    }
}
