//! How members update the binding.

use super::{BuildError, account, model_error, servers};
use crate::dns::{DomainName, updater};
use crate::dyndns::{Authentication, ClientSettings};
use crate::overcord::handover::update::Protocol;
use crate::scenario::plan::{DnsPlan, DynDnsAuth, HandoverPlan, Plan, UpdateIf, UpdateProtocol};

/// The protocol, and the name of whom updates are sent to.
pub(super) fn protocol(
    plan: &Plan,
    handover: &HandoverPlan,
    dns: &DnsPlan,
) -> Result<(Protocol, DomainName), BuildError> {
    if handover.update == UpdateProtocol::Rfc2136 {
        let mut client = updater::Settings::new(Some(servers::key()));
        client.timeout = handover.update_timeout;
        let compares = handover.update_if == UpdateIf::Unchanged;
        return Ok((Protocol::Rfc2136 { client, compares }, servers::primary_name(dns)?));
    }
    let service = servers::service_name(dns)?;
    let mut client = ClientSettings::new(account());
    client.authentication = match plan.dyndns.as_ref().map(|it| it.auth) {
        Some(DynDnsAuth::Preemptive) => Authentication::Preemptive,
        Some(DynDnsAuth::Challenge) | None => Authentication::Challenge,
    };
    client.timeout = handover.update_timeout;
    if let Some(daemon) = &handover.daemon {
        // Both programs show their credentials at once.
        client.authentication = Authentication::Preemptive;
        client.user_agent = daemon.user_agent().to_owned();
    }
    client.host = service.as_str().to_owned();
    let hostname = dns.domain.parse().map_err(model_error)?;
    Ok((Protocol::Dyndns2(client, hostname), service))
}
