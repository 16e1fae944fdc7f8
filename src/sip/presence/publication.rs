//! What users have published of their presence (RFC 3903): soft state, named by entity tags.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::PresenceSettings;
use crate::rng::Dice;
use crate::sip::registrar::AddressOfRecord;
use crate::sip::{Headers, Request, Status};
use crate::time::{SimDuration, SimTime};

/// All publications.
#[derive(Clone, Debug)]
pub(super) struct Publications {
    /// Tells the tags of this server from those that it gave before it was started anew.
    salt: u64,
    last: u32,
    all: BTreeMap<PublicationId, Publication>,
}

/// The number of a publication; each refreshed one gets a new number, as it gets a new tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PublicationId(u32);

#[derive(Clone, Debug)]
struct Publication {
    entity: AddressOfRecord,
    open: bool,
    until: SimTime,
}

/// What a PUBLISH did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Published {
    /// Whose presence it is about.
    pub(super) entity: AddressOfRecord,
    /// Whether that user was there before.
    pub(super) was_open: bool,
    /// The publication that is gone, be it replaced or removed.
    pub(super) before: Option<PublicationId>,
    /// The one that is there now, and until when.
    pub(super) now: Option<(PublicationId, SimTime)>,
    /// What is to be said in the response.
    pub(super) expires: u32,
}

impl Publications {
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self { salt: dice.bits() >> 32, last: 0, all: BTreeMap::new() }
    }

    /// The tag of a publication.
    pub(super) fn etag(&self, id: PublicationId) -> Arc<str> {
        format!("a.{}.{}", self.salt, id.0).into()
    }

    /// Whether the user of this name is there: as one of the publications says, none being no.
    pub(super) fn is_open(&self, entity: &AddressOfRecord, now: SimTime) -> bool {
        let says = |one: &Publication| one.entity == *entity && one.open && one.until > now;
        self.all.values().any(says)
    }

    /// Carries out a PUBLISH (RFC 3903 §6); `open` is what its body says, if it has one.
    pub(super) fn publish(
        &mut self,
        settings: &PresenceSettings,
        now: SimTime,
        request: &Request,
        open: Option<bool>,
    ) -> Result<Published, Status> {
        let entity = AddressOfRecord::of(&request.uri).ok_or(Status::NOT_FOUND)?;
        let was_open = self.is_open(&entity, now);
        let before = self.matching(&request.headers, &entity, now)?;
        let expires = settings.grant(request.headers.expires, settings.max_publication)?;
        let open = match (open, before.and_then(|id| self.all.get(&id))) {
            (Some(open), _) => open,
            (None, Some(publication)) => publication.open,
            (None, None) => return Err(Status::BAD_REQUEST),
        };
        if let Some(before) = before {
            self.all.remove(&before);
        }
        if expires == 0 {
            return Ok(Published { entity, was_open, before, now: None, expires });
        }
        self.last += 1;
        let id = PublicationId(self.last);
        let until = settings.noticed(now + SimDuration::from_secs(u64::from(expires)));
        self.all.insert(id, Publication { entity: entity.clone(), open, until });
        Ok(Published { entity, was_open, before, now: Some((id, until)), expires })
    }

    /// The publication that a condition names; 412 when there is none, or when it has gone by.
    fn matching(
        &self,
        headers: &Headers,
        entity: &AddressOfRecord,
        now: SimTime,
    ) -> Result<Option<PublicationId>, Status> {
        let Some(tag) = &headers.if_match else { return Ok(None) };
        let number = tag.rsplit('.').next().and_then(|number| number.parse().ok());
        let id = number.map(PublicationId).filter(|&id| self.etag(id) == *tag);
        let named = id.and_then(|id| self.all.get(&id));
        let valid = named.is_some_and(|one| one.entity == *entity && one.until > now);
        if valid { Ok(id) } else { Err(Status::CONDITIONAL_REQUEST_FAILED) }
    }

    /// A publication has gone by: whose it was, and whether that user was there until now.
    pub(super) fn lapse(&mut self, id: PublicationId) -> Option<(AddressOfRecord, bool)> {
        let Publication { entity, open, .. } = self.all.remove(&id)?;
        let others = self.all.values().any(|one| one.entity == entity && one.open);
        Some((entity, open || others))
    }
}
