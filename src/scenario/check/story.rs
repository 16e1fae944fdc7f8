//! Checks of named hosts and of the script.

use super::super::document::Path;
use super::super::file::{ChurnModel, Event, EventAction, File, Host, two_minutes};
use super::super::plan::{
    Act, Action, DnsPlan, EventPlan, HostNat, HostPlace, HostPlan, PresenceStatus, ResolverGroup,
    Target, UserAction, When,
};
use super::super::problem::{Fault, NetworkFault, nearest};
use super::Check;
use super::names::generated_number;
use super::users::Users;
use crate::time::{SimDuration, SimTime};
use crate::units::{Duration, Probability};

/// The keys of an event that say more than when and what.
const EVENT_KEYS: [&str; 8] = ["host", "hosts", "to", "for", "graceful", "text", "talk", "status"];

/// What an action is called in a file, and which of these keys it takes.
fn keys_of(action: EventAction) -> (&'static str, &'static [&'static str]) {
    match action {
        EventAction::Depart => ("depart", &["host", "for", "graceful"]),
        EventAction::Return => ("return", &["host"]),
        EventAction::AddressChange => ("address_change", &["host"]),
        EventAction::DyndnsDown => ("dyndns_down", &["for"]),
        EventAction::DyndnsUp => ("dyndns_up", &[]),
        EventAction::DyndnsReset => ("dyndns_reset", &[]),
        EventAction::Partition => ("partition", &["hosts", "for"]),
        EventAction::Heal => ("heal", &[]),
        EventAction::Register => ("register", &["host"]),
        EventAction::Publish => ("publish", &["host", "status"]),
        EventAction::Message => ("message", &["host", "to", "text"]),
        EventAction::Subscribe => ("subscribe", &["host", "to", "for"]),
        EventAction::Unsubscribe => ("unsubscribe", &["host", "to"]),
        EventAction::Call => ("call", &["host", "to", "talk"]),
    }
}

/// Whether an action is a user's.
pub(super) fn is_users(action: EventAction) -> bool {
    match action {
        EventAction::Depart
        | EventAction::Return
        | EventAction::AddressChange
        | EventAction::DyndnsDown
        | EventAction::DyndnsUp
        | EventAction::DyndnsReset
        | EventAction::Partition
        | EventAction::Heal => false,
        EventAction::Register
        | EventAction::Publish
        | EventAction::Message
        | EventAction::Subscribe
        | EventAction::Unsubscribe
        | EventAction::Call => true,
    }
}

/// The longest instant message (RFC 3428, section 8).
const LONGEST_TEXT: usize = 1_300;

impl Check<'_> {
    /// The named hosts; `members` is the group that members ask.
    pub(super) fn hosts(
        &mut self,
        file: &File,
        dns: Option<&DnsPlan>,
        members: Option<ResolverGroup>,
        users: &Users<'_>,
    ) -> Vec<HostPlan> {
        let list = Path::of("host");
        let names: Vec<_> = file.host.iter().map(|host| host.name.as_str()).collect();
        self.distinct(&list, "name", "host", &names);
        let mut plans = Vec::new();
        for (index, host) in file.host.iter().enumerate() {
            let path = list.then(index);
            let place = match &host.domain {
                Some(domain) => self.phone(domain, &path, users),
                None => Some(HostPlace::Member {
                    resolver: match &host.resolver {
                        None => members,
                        given => self.group(given.as_ref(), &path.then("resolver"), dns),
                    },
                }),
            };
            let Some(place) = place else { continue };
            self.user_name(index, host, users);
            let nat = host.nat.unwrap_or_default();
            if nat != HostNat::None && file.network.nat.is_none() {
                let what = "a host behind a translator".to_owned();
                self.fault(
                    &path.then("nat"),
                    Fault::MissingSection { what, section: "network.nat" },
                );
            }
            plans.push(HostPlan {
                name: host.name.clone(),
                user: users.any.then(|| user_of(host).to_owned()),
                start: SimTime::ZERO + host.start.0,
                place,
                nat,
                firewall: host.firewall.unwrap_or_default(),
            });
        }
        plans
    }

    fn phone(&mut self, domain: &str, path: &Path, users: &Users<'_>) -> Option<HostPlace> {
        self.meaningless(path, &["resolver"], "`domain`: a phone sends everything to its server");
        self.meaningless(path, &["nat"], "`domain`: only members are behind translators");
        self.meaningless(path, &["firewall"], "`domain`: only members are probed");
        let caller = self.conventional(domain, &path.then("domain"), users)?;
        Some(HostPlace::Phone { caller })
    }

    pub(super) fn events(
        &mut self,
        file: &File,
        nodes: u32,
        dns: Option<&DnsPlan>,
        users: &Users<'_>,
    ) -> Vec<EventPlan> {
        let list = Path::of("event");
        let plan = |(index, event)| self.event(event, &list.then(index), file, nodes, dns, users);
        file.event.iter().enumerate().filter_map(plan).collect()
    }

    fn event(
        &mut self,
        event: &Event,
        path: &Path,
        file: &File,
        nodes: u32,
        dns: Option<&DnsPlan>,
        users: &Users<'_>,
    ) -> Option<EventPlan> {
        let when = self.when(event, path);
        let (name, taken) = keys_of(event.action);
        let unused: Vec<_> = EVENT_KEYS.into_iter().filter(|key| !taken.contains(key)).collect();
        self.meaningless(path, &unused, &format!("action \"{name}\""));
        let action = if is_users(event.action) {
            self.after_start(event, path, file);
            self.act(event, path, users).map(Action::User)
        } else if event.action == EventAction::Partition {
            self.partition(event, path, file, dns, users).map(Action::Partition)
        } else {
            self.action(event, path, file, (nodes, users))
        };
        Some(EventPlan { when: when?, spread: event.spread.0, action: action? })
    }

    /// A user whose host is not there yet does nothing; what falls together comes in no order that
    /// anybody could know.
    fn after_start(&mut self, event: &Event, path: &Path, file: &File) {
        let named = file.host.iter().find(|host| Some(&host.name) == event.host.as_ref());
        if let (Some(at), Some(host)) = (event.at, named)
            && at.0 <= host.start.0
        {
            let (found, limit) = (at.to_string(), host.start.to_string());
            let fault =
                Fault::Relation { found, relation: "be later than", other: "host.start", limit };
            self.fault(&path.then("at"), fault);
        }
    }

    fn when(&mut self, event: &Event, path: &Path) -> Option<When> {
        let when = match (event.at, event.every) {
            (Some(at), None) => Some(When::At(SimTime::ZERO + at.0)),
            (None, Some(every)) => Some(When::Every(every.0)),
            (Some(_), Some(_)) => {
                let fault = Fault::Both { key: "every", other: "at" };
                self.key_fault(&path.then("every"), fault);
                None
            }
            (None, None) => {
                self.fault(path, Fault::Neither { key: "at", other: "every" });
                None
            }
        };
        if let Some(When::Every(every)) = when.filter(|_| event.spread.0 > SimDuration::ZERO)
            && event.spread.0 > every
        {
            let (found, limit) = (event.spread.to_string(), Duration(every).to_string());
            let relation = "not be longer than";
            let fault = Fault::Relation { found, relation, other: "every", limit };
            self.fault(&path.then("spread"), fault);
        }
        when
    }

    /// What happens to members and to the update endpoint.
    fn action(
        &mut self,
        event: &Event,
        path: &Path,
        file: &File,
        there: (u32, &Users<'_>),
    ) -> Option<Action> {
        let lasting = event.lasting.map(|lasting| lasting.0);
        let endpoint = matches!(
            event.action,
            EventAction::DyndnsDown | EventAction::DyndnsUp | EventAction::DyndnsReset
        );
        if endpoint && file.dyndns.is_none() {
            let what = "an event of the update endpoint".to_owned();
            self.fault(path, Fault::MissingSection { what, section: "dyndns" });
        }
        Some(match event.action {
            EventAction::Depart => {
                let target = self.target(event, path, file, there)?;
                let graceful = event.graceful.unwrap_or(false);
                Action::Depart { target, back_after: lasting, graceful }
            }
            EventAction::Return => {
                Action::Return { target: self.target(event, path, file, there)? }
            }
            EventAction::AddressChange => {
                Action::AddressChange { target: self.target(event, path, file, there)? }
            }
            EventAction::DyndnsDown => Action::DynDnsDown { back_after: lasting },
            EventAction::DyndnsReset => Action::DynDnsReset,
            EventAction::Heal => {
                self.heals(path, file);
                Action::Heal
            }
            _ => Action::DynDnsUp,
        })
    }

    /// What a user does.
    fn act(&mut self, event: &Event, path: &Path, users: &Users<'_>) -> Option<UserAction> {
        let (name, taken) = keys_of(event.action);
        let actor = match &event.host {
            Some(host) => self.actor(host, &path.then("host"), users),
            None => {
                let why = "whose user acts, such as \"alice\"".to_owned();
                self.fault(path, Fault::Missing { key: "host".to_owned(), why });
                None
            }
        };
        let to = match &event.to {
            Some(to) => self.peer(to, &path.then("to"), users),
            None if taken.contains(&"to") => {
                let why = "the user that is addressed, \"user@domain\"".to_owned();
                self.fault(path, Fault::Missing { key: "to".to_owned(), why });
                None
            }
            None => None,
        };
        if let (Some(actor), Some(to)) = (&actor, &to)
            && *actor == to.host
        {
            self.fault(&path.then("to"), Fault::Itself { host: to.host.clone() });
        }
        let text = event.text.clone().unwrap_or_else(|| "Hello".to_owned());
        if text.len() > LONGEST_TEXT {
            let (found, most) = (text.len(), LONGEST_TEXT);
            self.fault(&path.then("text"), Fault::LongText { found, most });
        }
        let host = actor?;
        let act = match event.action {
            EventAction::Register => Act::Register,
            EventAction::Publish => Act::Publish(event.status.unwrap_or(PresenceStatus::Open)),
            EventAction::Message => Act::Message { to: to?, text },
            EventAction::Subscribe => {
                Act::Subscribe { to: to?, keep: event.lasting.map(|keep| keep.0) }
            }
            EventAction::Unsubscribe => Act::Unsubscribe { to: to? },
            EventAction::Call => Act::Call { to: to?, talk: event.talk.unwrap_or(two_minutes()).0 },
            _ => unreachable!("`{name}` is no action of a user"),
        };
        Some(UserAction { host, act })
    }

    fn target(
        &mut self,
        event: &Event,
        path: &Path,
        file: &File,
        (nodes, users): (u32, &Users<'_>),
    ) -> Option<Target> {
        let Some(written) = &event.host else {
            let why = "\"proxy\", a host, or a share such as \"10%\"".to_owned();
            self.fault(path, Fault::Missing { key: "host".to_owned(), why });
            return None;
        };
        let goes = event.action != EventAction::AddressChange;
        if goes && users.is_server(written) {
            return self.server(written, path, users);
        }
        let path = path.then("host");
        if let Some(what) = users.stays(written).filter(|_| !goes) {
            let host = written.clone();
            self.fault(&path, NetworkFault::AddressStays { host, what }.into());
            return None;
        }
        if written == "proxy" {
            if file.handover.is_none() {
                let what = "the host \"proxy\"".to_owned();
                self.fault(&path, Fault::MissingSection { what, section: "handover" });
            }
            return Some(Target::Proxy);
        }
        if written.contains('%') {
            return self.share(written, &path);
        }
        match file.host.iter().find(|host| host.name == *written).map(|host| &host.domain) {
            Some(None) => return Some(Target::Host(written.clone())),
            Some(Some(domain)) => {
                let (host, domain) = (written.clone(), domain.to_ascii_lowercase());
                self.fault(&path, Fault::NoMember { host, domain });
                return None;
            }
            None => {}
        }
        // Churn generates more hosts than are up at a time; their names are judged once their
        // number is known.
        let churns = file.churn.as_ref().is_some_and(|churn| churn.model != ChurnModel::None);
        let generated = generated_number(written)
            .is_some_and(|number| number >= 1 && (churns || number <= u64::from(nodes)));
        if !generated {
            let members = file.host.iter().filter(|host| host.domain.is_none());
            let mut known: Vec<_> = members.map(|host| host.name.clone()).collect();
            known.push("proxy".to_owned());
            known.extend(users.servers().filter(|_| goes));
            if nodes > 0 {
                known.extend(["node-00001".to_owned(), format!("node-{nodes:05}")]);
                known.dedup();
            }
            let nearest = nearest(written, known.iter().map(String::as_str));
            let fault = Fault::Unresolved { what: "host", name: written.clone(), nearest, known };
            self.fault(&path, fault);
            return None;
        }
        Some(Target::Host(written.clone()))
    }

    /// The SIP server of a conventional domain, which goes without a word.
    fn server(&mut self, domain: &str, event: &Path, users: &Users<'_>) -> Option<Target> {
        self.meaningless(event, &["graceful"], "the server of a domain: it announces nothing");
        self.conventional(domain, &event.then("host"), users)?;
        Some(Target::Host(domain.to_ascii_lowercase()))
    }

    pub(super) fn share(&mut self, written: &str, path: &Path) -> Option<Target> {
        let fault = match written.parse::<Probability>() {
            Ok(Probability(share)) if share > 0.0 => return Some(Target::Share(share)),
            Ok(_) => {
                let expected = "a share above 0%".to_owned();
                Fault::Range { found: written.to_owned(), expected }
            }
            Err(error) => Fault::Unit(error),
        };
        self.fault(path, fault);
        None
    }
}

/// The name of a named host's user.
pub(super) fn user_of(host: &Host) -> &str {
    host.user.as_deref().unwrap_or(&host.name)
}
