//! The registrar and its location service (RFC 3261 §10.3).
//!
//! A value without timers: bindings that have run out are not handed out, and are forgotten when
//! the next REGISTER arrives at least [`RegistrarSettings::purge_interval`] after the last time.
//! Input: REGISTER requests for a domain of the host, which is what the host decides. Left out:
//! authentication, `Path` and GRUU, third-party registration rules; the address a request came from
//! is not recorded, since contacts are reachable as they are written.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::rng::Dice;
use crate::sip::transaction::token::token;
use crate::sip::uri::{HostPart, SipUri, Uri};
use crate::sip::{Contact, Contacts, Method, Request, Response, Status};
use crate::time::{SimDuration, SimTime};

/// Below this a registrar may call an expiry too brief (RFC 3261 §10.3 step 7).
const BRIEF: u32 = 3_600;

/// What an implementation does with expiries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrarSettings {
    /// For a contact that asks for nothing, in seconds.
    pub default_expires: u32,
    /// The least, in seconds.
    pub min_expires: u32,
    /// The most, in seconds; `None` for no bound.
    pub max_expires: Option<u32>,
    /// What is done with less than the least.
    pub too_brief: TooBrief,
    /// How often bindings that have run out are forgotten.
    pub purge_interval: SimDuration,
}

/// What a registrar does with an expiry that is too brief.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooBrief {
    /// Refuses it with 423 and `Min-Expires`.
    Refuse,
    /// Grants the least without a word (SER's `registrar`, mode 0).
    Raise,
}

impl RegistrarSettings {
    /// SER's and Kamailio's `registrar` and `usrloc`: 3,600 s, at least 60 s, silently.
    #[must_use]
    pub const fn ser() -> Self {
        Self {
            default_expires: 3_600,
            min_expires: 60,
            max_expires: None,
            too_brief: TooBrief::Raise,
            purge_interval: SimDuration::from_secs(60),
        }
    }

    /// As RFC 3261 §10.3 suggests: the same numbers, and 423.
    #[must_use]
    pub const fn rfc3261() -> Self {
        Self { too_brief: TooBrief::Refuse, ..Self::ser() }
    }
}

/// The registrar of a host, with the bindings of all addresses of record.
#[derive(Clone, Debug)]
pub struct Registrar {
    settings: RegistrarSettings,
    dice: Dice,
    /// In the order in which they were first registered.
    bindings: BTreeMap<AddressOfRecord, Vec<Binding>>,
    purged: SimTime,
}

/// What of a URI names a user, whatever port and parameters it was written with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AddressOfRecord {
    host: HostPart,
    user: Option<Arc<str>>,
}

#[derive(Clone, Debug)]
struct Binding {
    contact: Contact,
    until: SimTime,
    call_id: Arc<str>,
    cseq: u32,
}

impl AddressOfRecord {
    /// Of a SIP URI; none of another scheme.
    #[must_use]
    pub fn of(uri: &Uri) -> Option<Self> {
        let uri = uri.sip()?;
        Some(Self { host: uri.host.clone(), user: uri.user.clone() })
    }

    /// It as a URI.
    #[must_use]
    pub fn uri(&self) -> Uri {
        Uri::Sip(SipUri { user: self.user.clone(), ..SipUri::of_host(self.host.clone()) })
    }
}

impl Registrar {
    /// A registrar that knows nobody.
    #[must_use]
    pub const fn new(settings: RegistrarSettings, dice: Dice) -> Self {
        Self { settings, dice, bindings: BTreeMap::new(), purged: SimTime::ZERO }
    }

    /// Carries out a REGISTER and says how it went. All of it takes effect, or nothing.
    pub fn register(&mut self, now: SimTime, request: &Request) -> Response {
        if now.since(self.purged) >= self.settings.purge_interval {
            self.purge(now);
        }
        let tag = token(&mut self.dice, 8);
        match self.update(now, request) {
            Ok(aor) => {
                let mut response = request.respond(Status::OK, Some(&tag));
                response.headers.contact = self.contacts(&aor, now);
                response
            }
            Err(status) => {
                let mut response = request.respond(status, Some(&tag));
                if status == Status::INTERVAL_TOO_BRIEF {
                    response.headers.min_expires = Some(self.settings.min_expires);
                }
                response
            }
        }
    }

    /// Where a user is now: the contacts with the highest `q` first, those of one `q` in the order
    /// of their registration. No `q` counts as 1.
    #[must_use]
    pub fn lookup(&self, aor: &Uri, now: SimTime) -> Vec<Contact> {
        let bindings = AddressOfRecord::of(aor).and_then(|aor| self.bindings.get(&aor));
        let current = bindings.into_iter().flatten().filter(|binding| binding.until > now);
        let mut contacts: Vec<Contact> = current.map(|binding| binding.contact.clone()).collect();
        contacts.sort_by_key(|contact| std::cmp::Reverse(contact.q.unwrap_or(1_000)));
        contacts
    }

    /// The contacts of a user with the times at which they run out, in the order of their
    /// registration.
    #[must_use]
    pub fn bindings(&self, aor: &Uri, now: SimTime) -> Vec<(Uri, SimTime)> {
        let bindings = AddressOfRecord::of(aor).and_then(|aor| self.bindings.get(&aor));
        let current = bindings.into_iter().flatten().filter(|binding| binding.until > now);
        current.map(|binding| (binding.contact.address.uri.clone(), binding.until)).collect()
    }

    /// Users with a binding.
    #[must_use]
    pub fn registered(&self, now: SimTime) -> usize {
        let current = |bindings: &&Vec<Binding>| bindings.iter().any(|one| one.until > now);
        self.bindings.values().filter(current).count()
    }

    fn purge(&mut self, now: SimTime) {
        self.purged = now;
        self.bindings.retain(|_, bindings| {
            bindings.retain(|binding| binding.until > now);
            !bindings.is_empty()
        });
    }

    fn contacts(&self, aor: &AddressOfRecord, now: SimTime) -> Contacts {
        let bindings = self.bindings.get(aor).into_iter().flatten();
        let current: Vec<Contact> = bindings
            .filter(|binding| binding.until > now)
            .map(|binding| {
                let left = binding.until.since(now).as_secs();
                // An expiry was at most 32 bits when it was granted.
                Contact { expires: u32::try_from(left).ok(), ..binding.contact.clone() }
            })
            .collect();
        if current.is_empty() { Contacts::None } else { Contacts::Some(current) }
    }

    /// RFC 3261 §10.3, steps 5 to 7.
    fn update(&mut self, now: SimTime, request: &Request) -> Result<AddressOfRecord, Status> {
        if request.method != Method::Register {
            return Err(Status::METHOD_NOT_ALLOWED);
        }
        let headers = &request.headers;
        let aor = AddressOfRecord::of(&headers.to.uri).ok_or(Status::NOT_FOUND)?;
        let before = self.bindings.get(&aor).map_or(&[][..], Vec::as_slice);
        let mut after: Vec<Binding> =
            before.iter().filter(|binding| binding.until > now).cloned().collect();
        match &headers.contact {
            Contacts::None => return Ok(aor),
            Contacts::All => {
                if headers.expires != Some(0) {
                    return Err(Status::BAD_REQUEST);
                }
                if after.iter().any(|binding| !binding.may_change(request)) {
                    return Err(Status::SERVER_ERROR);
                }
                after.clear();
            }
            Contacts::Some(contacts) => {
                for contact in contacts {
                    let asked = contact.expires.or(headers.expires);
                    let expires = self.settings.grant(asked).ok_or(Status::INTERVAL_TOO_BRIEF)?;
                    bind(&mut after, contact, expires, now, request)?;
                }
            }
        }
        if after.is_empty() {
            self.bindings.remove(&aor);
        } else {
            self.bindings.insert(aor.clone(), after);
        }
        Ok(aor)
    }
}

impl RegistrarSettings {
    /// The expiry of a contact that asks for this; none when it has to be refused.
    fn grant(&self, asked: Option<u32>) -> Option<u32> {
        let asked = asked.unwrap_or(self.default_expires);
        if asked == 0 {
            return Some(0);
        }
        let brief = asked < self.min_expires;
        if brief && asked < BRIEF && self.too_brief == TooBrief::Refuse {
            return None;
        }
        let granted = asked.max(self.min_expires);
        Some(self.max_expires.map_or(granted, |most| granted.min(most)))
    }
}

impl Binding {
    /// A request of the same user agent must not be older than what it changes.
    fn may_change(&self, request: &Request) -> bool {
        self.call_id != request.headers.call_id || request.headers.cseq > self.cseq
    }
}

/// Adds, refreshes or removes one binding.
fn bind(
    bindings: &mut Vec<Binding>,
    contact: &Contact,
    expires: u32,
    now: SimTime,
    request: &Request,
) -> Result<(), Status> {
    let known =
        bindings.iter().position(|one| same(&one.contact.address.uri, &contact.address.uri));
    if known.is_some_and(|at| !bindings[at].may_change(request)) {
        return Err(Status::SERVER_ERROR);
    }
    let until = now.saturating_add(SimDuration::from_secs(u64::from(expires)));
    let (call_id, cseq) = (Arc::clone(&request.headers.call_id), request.headers.cseq);
    let contact = Contact { expires: None, ..contact.clone() };
    match known {
        Some(at) if expires == 0 => {
            bindings.remove(at);
        }
        Some(at) => bindings[at] = Binding { contact, until, call_id, cseq },
        None if expires == 0 => {}
        None => bindings.push(Binding { contact, until, call_id, cseq }),
    }
    Ok(())
}

/// Whether two contacts are the same binding (RFC 3261 §19.1.4): a parameter that both have must be
/// equal, and `user`, `ttl`, `method`, `maddr` and `transport` must not stand in one alone.
fn same(one: &Uri, other: &Uri) -> bool {
    const TELLING: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];
    let (Uri::Sip(one), Uri::Sip(other)) = (one, other) else { return one == other };
    let matches = |this: &SipUri, that: &SipUri| {
        this.parameters.iter().all(|parameter| match that.parameter(&parameter.name) {
            Some(value) => match (parameter.value.as_deref(), value) {
                (Some(mine), Some(its)) => mine.eq_ignore_ascii_case(its),
                (mine, its) => mine == its,
            },
            None => !TELLING.iter().any(|name| parameter.name.eq_ignore_ascii_case(name)),
        })
    };
    one.secure == other.secure
        && one.port == other.port
        && one.same_resource(other)
        && matches(one, other)
        && matches(other, one)
}

#[cfg(test)]
mod tests;
