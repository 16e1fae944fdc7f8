//! What strategies need of the rest of a scenario.

use super::super::document::Path;
use super::super::plan::{CallerPlan, Plan, Strategy, UpdateProtocol};
use super::super::problem::Fault;
use super::Check;

impl Check<'_> {
    /// Whether the scenario has what its strategy needs.
    pub(super) fn needs(&mut self, plan: &Plan) {
        let Some(handover) = &plan.handover else { return };
        if handover.strategy == Strategy::Embedded && !plan.callers.iter().any(CallerPlan::embeds) {
            let need = "a [[caller]] with a SIP server that embeds a peer";
            self.unmet("strategy \"embedded\"", need);
        }
        let speaks_dns = handover.update == UpdateProtocol::Rfc2136;
        if handover.strategy == Strategy::Ddclient && speaks_dns {
            self.unmet(
                "strategy \"ddclient\"",
                "update = \"dyndns2\": its daemon speaks nothing else",
            );
        }
    }

    fn unmet(&mut self, what: &str, need: &'static str) {
        let path = Path::of("handover.strategy");
        self.fault(&path, Fault::Unmet { what: what.to_owned(), need });
    }
}
