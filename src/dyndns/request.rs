//! The parameters of an update, read from the query of its target.

use crate::address::Address;

/// The path of the update service.
pub(super) const PATH: &str = "/nic/update";

/// What an update asks for. Other parameters (`wildcard`, `mx`, `backmx`, `offline`, `system`),
/// `NOCHG` among their values, are tolerated and mean nothing here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Update {
    /// The names, in their order, as written.
    pub(super) hostnames: Vec<String>,
    /// The address, when there is one that can be read.
    pub(super) address: Option<Address>,
}

impl Update {
    /// Reads a request's target; `None` for another path.
    pub(super) fn from_target(target: &str) -> Option<Self> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if path != PATH {
            return None;
        }
        let mut update = Self::default();
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = percent_decoded(value);
            match name {
                "hostname" => {
                    let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
                    update.hostnames.extend(names.map(str::to_owned));
                }
                "myip" => update.address = value.trim().parse().ok(),
                _ => {}
            }
        }
        Some(update)
    }
}

/// RFC 3986 §2.1; a `%` without two digits stands for itself, what is not UTF-8 is replaced.
fn percent_decoded(text: &str) -> String {
    let octets = text.as_bytes();
    let mut out = Vec::with_capacity(octets.len());
    let mut at = 0;
    while let Some(&octet) = octets.get(at) {
        let digit = |place: usize| char::from(*octets.get(place)?).to_digit(16);
        match (octet, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                at += 3;
            }
            _ => {
                out.push(octet);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_and_what_is_not_understood_is_tolerated() {
        let home = "10.0.0.1".parse().ok();
        for (target, hostnames, address) in [
            ("/nic/update?hostname=a.org&myip=10.0.0.1", vec!["a.org"], home),
            ("/nic/update?myip=10.0.0.1&hostname=a.org,b.org", vec!["a.org", "b.org"], home),
            ("/nic/update?hostname=a.org%2Cb.org", vec!["a.org", "b.org"], None),
            ("/nic/update?hostname=a.org&myip=10.0.0", vec!["a.org"], None),
            ("/nic/update?hostname=a.org&wildcard=NOCHG&mx=NOCHG&backmx", vec!["a.org"], None),
            ("/nic/update?hostname=&myip=", vec![], None),
            ("/nic/update", vec![], None),
            ("/nic/update?%zz=%&&=&hostname=%4", vec!["%4"], None),
        ] {
            let update = Update::from_target(target).unwrap();
            assert_eq!(update.hostnames, hostnames, "{target}");
            assert_eq!(update.address, address, "{target}");
        }
        assert_eq!(Update::from_target("/nic/updates?hostname=a.org"), None);
    }
}
