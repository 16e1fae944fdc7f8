//! The habits of SIP elements: the timers of their transactions (RFC 3261 table 4; SER's `tm`), and
//! what they make of silence and of ICMP errors.

use crate::sip::message::Method;
use crate::time::SimDuration;

/// Which software an element behaves like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// RFC 3261 with RFC 4320 and 6026, to the letter.
    Rfc3261,
    /// SER 2.0.
    Ser,
    /// SER 0.9.
    Ser09,
    /// Kamailio 5.
    Kamailio,
}

/// How the transactions of one element behave. The constructors give what the software does by
/// default; any field may then be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// T1, the estimate of a round trip.
    pub t1: SimDuration,
    /// T2, the longest interval between retransmissions.
    pub t2: SimDuration,
    /// T4, how long a message stays in the network.
    pub t4: SimDuration,
    /// The first interval between retransmissions of requests and final responses (the first
    /// values of timers A, E and G; SER's `retr_timer1`); it doubles from there.
    pub first_interval: SimDuration,
    /// Whether the interval of an INVITE stops growing at T2, as that of other requests does.
    pub caps_invite: bool,
    /// How long a client waits for a final response, an INVITE for any response (timers B and F;
    /// SER's `fr_timer`). In SER also how long a server waits for the ACK of a failure.
    pub no_reply: SimDuration,
    /// How long an INVITE waits after each provisional response (SER's `fr_inv_timer`). By RFC 3261
    /// for ever: a proxy has its Timer C, a user its patience.
    pub no_final: Option<SimDuration>,
    /// How long an INVITE that a proxy forwards may take in all its branches (`max_inv_lifetime`).
    pub invite_lifetime: Option<SimDuration>,
    /// The same for other requests (`max_noninv_lifetime`).
    pub other_lifetime: Option<SimDuration>,
    /// How long an ended transaction absorbs what comes late, in place of timers D, I, J, K, L and
    /// M (SER's `wt_timer`).
    pub wait: Option<SimDuration>,
    /// When a server says 100 to an INVITE that its user has not answered yet (RFC 3261 §17.2.1:
    /// within 200 ms; SER at once).
    pub trying_after: SimDuration,
    /// Whether an ICMP error ends the client transactions with the host that it is about (RFC 3261
    /// §18.4). SER never sees one: its sockets are not connected.
    pub icmp_visible: bool,
    /// Whether a proxy answers a request other than INVITE with 408 when its time is up. RFC 4320
    /// forbids it: the client's own time is up, too.
    pub timeout_answers_non_invite: bool,
}

const fn ms(milliseconds: u64) -> SimDuration {
    SimDuration::from_millis(milliseconds)
}

impl Profile {
    /// All, in the order of their age.
    pub const ALL: [Self; 4] = [Self::Rfc3261, Self::Ser09, Self::Ser, Self::Kamailio];

    /// Its rules.
    #[must_use]
    pub const fn rules(self) -> Rules {
        match self {
            Self::Rfc3261 => Rules::rfc3261(),
            Self::Ser => Rules::ser(),
            Self::Ser09 => Rules::ser_0_9(),
            Self::Kamailio => Rules::kamailio(),
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::rfc3261()
    }
}

impl Rules {
    /// RFC 3261 table 4, RFC 4320, RFC 6026.
    #[must_use]
    pub const fn rfc3261() -> Self {
        Self {
            t1: ms(500),
            t2: ms(4_000),
            t4: ms(5_000),
            first_interval: ms(500),
            caps_invite: false,
            no_reply: ms(64 * 500),
            no_final: None,
            invite_lifetime: None,
            other_lifetime: None,
            wait: None,
            trying_after: ms(200),
            icmp_visible: true,
            timeout_answers_non_invite: false,
        }
    }

    /// SER 2.0.
    #[must_use]
    pub const fn ser() -> Self {
        Self {
            caps_invite: true,
            no_reply: ms(30_000),
            no_final: Some(ms(120_000)),
            wait: Some(ms(5_000)),
            trying_after: SimDuration::ZERO,
            icmp_visible: false,
            timeout_answers_non_invite: true,
            ..Self::rfc3261()
        }
    }

    /// SER 0.9: its first interval is a second.
    #[must_use]
    pub const fn ser_0_9() -> Self {
        Self { first_interval: ms(1_000), ..Self::ser() }
    }

    /// Kamailio 5: SER's successor, which also limits the life of a transaction.
    #[must_use]
    pub const fn kamailio() -> Self {
        Self { invite_lifetime: Some(ms(180_000)), other_lifetime: Some(ms(32_000)), ..Self::ser() }
    }

    /// 64 × T1: as long as a message can be repeated.
    #[must_use]
    pub fn sixty_four_t1(&self) -> SimDuration {
        SimDuration::from_nanos(self.t1.as_nanos().saturating_mul(64))
    }

    /// How long a proxy may try in all for a request of this method, if there is a limit.
    #[must_use]
    pub const fn lifetime(&self, method: &Method) -> Option<SimDuration> {
        match method {
            Method::Invite => self.invite_lifetime,
            _ => self.other_lifetime,
        }
    }

    /// The interval between retransmissions of a request after this one (timers A and E).
    #[must_use]
    pub fn next_interval(&self, method: &Method, interval: SimDuration) -> SimDuration {
        let doubled = interval.saturating_add(interval);
        if *method == Method::Invite && !self.caps_invite { doubled } else { doubled.min(self.t2) }
    }

    /// How long a client repeats its ACK (D), or absorbs responses to other requests (K).
    #[must_use]
    pub fn completed_client(&self, method: &Method) -> SimDuration {
        match method {
            Method::Invite => self.wait.unwrap_or_else(|| self.sixty_four_t1()),
            _ => self.wait.unwrap_or(self.t4),
        }
    }

    /// How long a server waits for the ACK of a failure (H).
    #[must_use]
    pub fn ack_wait(&self) -> SimDuration {
        if self.wait.is_some() { self.no_reply } else { self.sixty_four_t1() }
    }

    /// How long a server absorbs repeated ACKs (I).
    #[must_use]
    pub fn confirmed_server(&self) -> SimDuration {
        self.wait.unwrap_or(self.t4)
    }

    /// How long a server repeats its final response to requests other than INVITE (J), and absorbs
    /// INVITEs after a 2xx that it passed on (L), and how long a client passes further 2xx on (M).
    #[must_use]
    pub fn absorbing(&self) -> SimDuration {
        self.wait.unwrap_or_else(|| self.sixty_four_t1())
    }
}
