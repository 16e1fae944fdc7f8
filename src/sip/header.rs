//! Header fields, typed where an element acts on them (RFC 3261 §20, 3262 to 6665).

use std::sync::Arc;

use crate::address::{Address, Port};
use crate::sip::uri::{HostPart, Parameter, Uri};

/// The header fields of a message. Absent single fields are `None`, absent lists empty. On the wire
/// they stand in the order of this struct, but `Content-Type` behind the others; a message that was
/// read is written that way too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// `Via`, the topmost first.
    pub via: Vec<Via>,
    /// `Max-Forwards`.
    pub max_forwards: Option<u8>,
    /// `Route`, the topmost first.
    pub route: Vec<NameAddress>,
    /// `Record-Route`, the topmost first.
    pub record_route: Vec<NameAddress>,
    /// `From`.
    pub from: NameAddress,
    /// `To`.
    pub to: NameAddress,
    /// `Call-ID`.
    pub call_id: Arc<str>,
    /// The number in `CSeq`. The method in it is the request's, in a response
    /// [`Response::method`](super::Response::method).
    pub cseq: u32,
    /// `Contact`.
    pub contact: Contacts,
    /// `Expires`, in seconds.
    pub expires: Option<u32>,
    /// `Min-Expires`, in seconds.
    pub min_expires: Option<u32>,
    /// `Event`.
    pub event: Option<EventPackage>,
    /// `Subscription-State`.
    pub subscription_state: Option<SubscriptionState>,
    /// `SIP-ETag`.
    pub etag: Option<Arc<str>>,
    /// `SIP-If-Match`.
    pub if_match: Option<Arc<str>>,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u32>,
    /// `User-Agent` of requests and `Server` of responses.
    pub product: Option<Arc<str>>,
    /// `Content-Type`.
    pub content_type: Option<Arc<str>>,
    /// All others but `Content-Length`, which the codec writes: names and values as written.
    pub other: Vec<(Arc<str>, Arc<str>)>,
}

/// One `Via`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Via {
    /// The transport as written: `UDP`.
    pub transport: Arc<str>,
    /// Who sent the message.
    pub host: HostPart,
    /// The port that it listens on, if one is given.
    pub port: Option<Port>,
    /// The `branch`, which names the transaction.
    pub branch: Option<Arc<str>>,
    /// `received`: where the message came from (RFC 3261 §18.2.1).
    pub received: Option<Address>,
    /// `rport`: asked for without a value, answered with one (RFC 3581).
    pub rport: Option<Option<Port>>,
    /// All other parameters.
    pub parameters: Vec<Parameter>,
}

/// A URI with a name before it and parameters behind: `From`, `To`, `Route`, `Record-Route`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NameAddress {
    /// The display name, without quotes.
    pub display: Option<Arc<str>>,
    /// The URI.
    pub uri: Uri,
    /// The `tag`, one end's half of the name of a dialog.
    pub tag: Option<Arc<str>>,
    /// All other parameters.
    pub parameters: Vec<Parameter>,
}

/// The `Contact` fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Contacts {
    /// None.
    #[default]
    None,
    /// `*`: all bindings, to be removed (RFC 3261 §10.2.2).
    All,
    /// These, in their order; at least one.
    Some(Vec<Contact>),
}

/// One contact: a binding of an address of record, or the target of a dialog.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Contact {
    /// Where, with further parameters.
    pub address: NameAddress,
    /// `expires`, in seconds.
    pub expires: Option<u32>,
    /// `q` in thousandths, 0 to 1,000.
    pub q: Option<u16>,
}

/// `Event`: the package that is subscribed to (RFC 6665 §8.2.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventPackage {
    /// Its name: `presence`.
    pub package: Arc<str>,
    /// `id`, which tells subscriptions in one dialog apart.
    pub id: Option<Arc<str>>,
}

/// `Subscription-State` (RFC 6665 §8.2.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SubscriptionState {
    /// Notified of changes, for so many more seconds.
    Active {
        /// Seconds left.
        expires: Option<u32>,
    },
    /// Not decided yet.
    Pending {
        /// Seconds left.
        expires: Option<u32>,
    },
    /// Over.
    Terminated {
        /// Why: `timeout`, `deactivated`, `noresource` and so on, if it says.
        reason: Option<Arc<str>>,
        /// When to try again, in seconds.
        retry_after: Option<u32>,
    },
}

impl NameAddress {
    /// A bare URI.
    #[must_use]
    pub const fn of(uri: Uri) -> Self {
        Self { display: None, uri, tag: None, parameters: Vec::new() }
    }

    /// The same with this tag.
    #[must_use]
    pub fn tagged(mut self, tag: &str) -> Self {
        self.tag = Some(tag.into());
        self
    }
}

impl Contact {
    /// A bare URI.
    #[must_use]
    pub const fn of(uri: Uri) -> Self {
        Self { address: NameAddress::of(uri), expires: None, q: None }
    }
}

impl Contacts {
    /// One contact.
    #[must_use]
    pub fn one(contact: Contact) -> Self {
        Self::Some(vec![contact])
    }

    /// The contacts; none for `*`.
    #[must_use]
    pub fn as_slice(&self) -> &[Contact] {
        match self {
            Self::None | Self::All => &[],
            Self::Some(contacts) => contacts,
        }
    }
}

impl EventPackage {
    /// Presence (RFC 3856).
    #[must_use]
    pub fn presence() -> Self {
        Self { package: "presence".into(), id: None }
    }
}

impl Headers {
    /// The fields that every message has, and nothing else.
    #[must_use]
    pub const fn new(from: NameAddress, to: NameAddress, call_id: Arc<str>, cseq: u32) -> Self {
        Self {
            via: Vec::new(),
            max_forwards: None,
            route: Vec::new(),
            record_route: Vec::new(),
            from,
            to,
            call_id,
            cseq,
            contact: Contacts::None,
            expires: None,
            min_expires: None,
            event: None,
            subscription_state: None,
            etag: None,
            if_match: None,
            retry_after: None,
            product: None,
            content_type: None,
            other: Vec::new(),
        }
    }
}
