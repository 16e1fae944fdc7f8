//! The client of a dynamic update over UDP, as nsupdate works.
//!
//! The request is signed once and sent up to four times, three seconds apart (`-u 3 -r 3`), the
//! same octets each time; the whole may be given less time. A server that has carried out a request
//! whose response was lost carries out the next copy as well, if its prerequisites still hold. If
//! they do not, because of the first copy, the answer says that the update failed though it
//! succeeded (RFC 2136 §7.8): [`Outcome::is_certain`] tells when that cannot be. ICMP errors are
//! ignored.
//!
//! A client that signs takes only signed answers, whatever they say (RFC 8945 §5.4), and waits on
//! for one; but one that says that it knows no such key, or that the signature is wrong, can't be
//! signed (§5.3.2), and ends the update, as nsupdate does.
//!
//! Left out: TCP, by which nsupdate sends what is longer than 512 octets. Here it goes by UDP at any
//! length: an address that replaces another is far below that, but a signed update that puts an SRV
//! set of three peers in place of another of three is beyond it (a test says so).

use crate::address::Endpoint;
use crate::dns::message::{Kind, Message, Rcode};
use crate::dns::name::DomainName;
use crate::dns::tsig::{Error, Key, Mac, Tsig};
use crate::dns::update::Update;
use crate::rng::Dice;
use crate::sim::{self, Context};
use crate::time::{SimDuration, SimTime};

/// How a client works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// With which key it signs, if it does.
    pub key: Option<Key>,
    /// How long it waits until it sends again.
    pub interval: SimDuration,
    /// How often it sends again.
    pub retries: u32,
    /// How long the whole update may take.
    pub timeout: SimDuration,
}

impl Settings {
    /// nsupdate's, with this key.
    #[must_use]
    pub const fn new(key: Option<Key>) -> Self {
        let interval = SimDuration::from_secs(3);
        Self { key, interval, retries: 3, timeout: SimDuration::from_secs(300) }
    }
}

/// How an update ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server answered.
    Answered {
        /// What.
        rcode: Rcode,
        /// How many copies had been sent by then.
        sent: u32,
    },
    /// It did not.
    TimedOut,
}

impl Outcome {
    /// Whether the update was carried out, as far as the client knows.
    #[must_use]
    pub fn is_accepted(self) -> bool {
        matches!(self, Self::Answered { rcode: Rcode::NO_ERROR, .. })
    }

    /// Whether the zone refused because it was not as expected.
    #[must_use]
    pub fn is_overtaken(self) -> bool {
        let codes = [Rcode::NX_RR_SET, Rcode::YX_RR_SET, Rcode::NX_DOMAIN, Rcode::YX_DOMAIN];
        matches!(self, Self::Answered { rcode, .. } if codes.contains(&rcode))
    }

    /// Whether the answer says what happened: a prerequisite that failed for the second copy may
    /// have failed because of the first.
    #[must_use]
    pub fn is_certain(self) -> bool {
        match self {
            Self::Answered { sent, .. } => sent == 1 || !self.is_overtaken(),
            Self::TimedOut => false,
        }
    }
}

/// The client's timer: the next copy is due, or the time is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer;

impl sim::Timer for Timer {
    fn slot(self) -> u32 {
        0
    }
}

/// The client: at most one update at a time.
#[derive(Debug)]
pub struct Updater {
    settings: Settings,
    dice: Dice,
    state: State,
}

#[derive(Debug)]
enum State {
    Idle,
    Updating(Attempt),
}

#[derive(Debug)]
struct Attempt {
    server: Endpoint,
    request: Message,
    sent: u32,
    ends: SimTime,
}

impl Updater {
    /// A client that does nothing yet; the dice give it message IDs.
    #[must_use]
    pub const fn new(settings: Settings, dice: Dice) -> Self {
        Self { settings, dice, state: State::Idle }
    }

    /// Whether an update is under way.
    #[must_use]
    pub const fn is_updating(&self) -> bool {
        matches!(self.state, State::Updating(_))
    }

    /// Asks the server to update a zone; an update that is still under way is given up. The outcome
    /// comes from a later input.
    pub fn update<C>(&mut self, ctx: &mut C, server: Endpoint, zone: DomainName, update: Update)
    where
        C: Context<Message = Message, Timer = Timer>,
    {
        let now = ctx.now();
        let id = (self.dice.bits() >> 48) as u16;
        let mut request = Message::update(id, zone, update);
        if let Some(key) = &self.settings.key {
            key.sign(now, &mut request, None);
        }
        let ends = now.saturating_add(self.settings.timeout);
        self.state = State::Updating(Attempt { server, request, sent: 0, ends });
        self.send(ctx);
    }

    /// Gives up the update that is under way, if any; a copy may still reach the server.
    pub fn cancel<C>(&mut self, ctx: &mut C)
    where
        C: Context<Message = Message, Timer = Timer>,
    {
        if self.is_updating() {
            self.state = State::Idle;
            ctx.cancel(Timer);
        }
    }

    /// Takes a response. Returns the outcome if it ends the update; what is no answer to it, or
    /// should be signed and is not, is dropped.
    pub fn receive<C>(&mut self, ctx: &mut C, from: Endpoint, message: &Message) -> Option<Outcome>
    where
        C: Context<Message = Message, Timer = Timer>,
    {
        let State::Updating(Attempt { server, request, sent, .. }) = &self.state else {
            return None;
        };
        let is_answer = message.response
            && matches!(message.kind, Kind::Update(_))
            && (*server, request.id) == (from, message.id);
        let is_trusted = self.settings.key.as_ref().is_none_or(|key| {
            let mac: Option<Mac> = request.tsig.as_ref().and_then(|tsig| tsig.mac);
            key.verify(ctx.now(), message, mac.as_ref()).is_ok() || tells_of_the_key(message)
        });
        if !is_answer || !is_trusted {
            return None;
        }
        let outcome = Outcome::Answered { rcode: message.rcode, sent: *sent };
        self.cancel(ctx);
        Some(outcome)
    }

    /// The timer went off.
    pub fn timer<C>(&mut self, ctx: &mut C, Timer: Timer) -> Option<Outcome>
    where
        C: Context<Message = Message, Timer = Timer>,
    {
        let State::Updating(attempt) = &self.state else { return None };
        if attempt.sent > self.settings.retries || ctx.now() >= attempt.ends {
            self.state = State::Idle;
            return Some(Outcome::TimedOut);
        }
        self.send(ctx);
        None
    }

    fn send<C>(&mut self, ctx: &mut C)
    where
        C: Context<Message = Message, Timer = Timer>,
    {
        let State::Updating(attempt) = &mut self.state else { return };
        attempt.sent += 1;
        ctx.send(attempt.server, attempt.request.clone());
        let next = ctx.now().saturating_add(self.settings.interval);
        ctx.set(Timer, next.min(attempt.ends));
    }
}

/// Whether the server says that it can't check the signature, or did and found it wrong.
fn tells_of_the_key(message: &Message) -> bool {
    let about = |tsig: &Tsig| [Error::BAD_KEY, Error::BAD_SIG].contains(&tsig.error);
    message.rcode == Rcode::NOT_AUTH && message.tsig.as_deref().is_some_and(about)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{Address, Port};
    use crate::dns::authority::{self, Authority, Updates};
    use crate::dns::binding::{Binding, Form};
    use crate::dns::message::Ttl;
    use crate::dns::zone::Zone;
    use crate::net::Payload as _;
    use crate::rng::{Draws, NameHash, Purpose};
    use crate::sim::Recorder;

    const SERVER: Endpoint = Address::from_bits(53).at(Port::DNS);
    const CLIENT: Endpoint = Address::from_bits(7).at(Port::EPHEMERAL);
    const FIRST: Address = Address::from_bits(1);
    const SECOND: Address = Address::from_bits(2);

    /// A client and a server, and which of the messages between them are lost.
    struct Pair {
        client: Updater,
        ctx: Recorder<Message, Timer, ()>,
        server: Authority,
        desk: Recorder<Message, authority::Timer, authority::Observation>,
        binding: Binding,
    }

    fn key(secret: u64) -> Key {
        Key { name: "key".parse().unwrap(), secret }
    }

    impl Pair {
        fn new(signs: Option<Key>, accepts: Updates) -> Self {
            let (domain, apex) =
                ("chord.dyndns.test".parse().unwrap(), "dyndns.test".parse().unwrap());
            let ttl = Ttl::from_secs(60);
            let binding = Binding::new(domain, apex, Form::Addresses, ttl).unwrap();
            let zone =
                Zone::conventional(binding.zone().clone(), SERVER.address, ttl, ttl).unwrap();
            let mut server = Authority::new(vec![zone]);
            server.allow(accepts);
            let dice = Dice::new(Draws::new(1, Purpose::Protocol), NameHash::of("node"));
            let client = Updater::new(Settings::new(signs), dice);
            Self { client, ctx: Recorder::new(), server, desk: Recorder::new(), binding }
        }

        fn ask(&mut self, own: Address, expected: Option<&[Address]>) {
            let update = self.binding.update(&[own], expected);
            self.client.update(&mut self.ctx, SERVER, self.binding.zone().clone(), update);
        }

        /// What the client sent reaches the server; its responses, unless they are lost, come back.
        fn carry(&mut self, responses: bool) -> Option<Outcome> {
            let mut outcome = None;
            for (to, message) in self.ctx.take_sent() {
                assert_eq!(to, SERVER);
                self.server.receive(&mut self.desk, CLIENT, &message);
            }
            for (_, response) in self.desk.take_sent() {
                if responses {
                    let ended = self.client.receive(&mut self.ctx, SERVER, &response);
                    outcome = ended.or(outcome);
                }
            }
            outcome
        }

        fn tick(&mut self) -> Option<Outcome> {
            let timer = self.ctx.next_timer().expect("an update under way has a timer");
            self.client.timer(&mut self.ctx, timer)
        }

        fn served(&self) -> Vec<Address> {
            self.binding.addresses(&self.server.answer(self.binding.question()))
        }
    }

    const fn answered(rcode: Rcode) -> Option<Outcome> {
        Some(Outcome::Answered { rcode, sent: 1 })
    }

    #[test]
    fn who_may_not_update_is_told_why_and_changes_nothing() {
        for (signs, accepts, rcode) in [
            (Some(key(1)), Updates::Signed(key(1)), Rcode::NO_ERROR),
            (Some(key(2)), Updates::Signed(key(1)), Rcode::NOT_AUTH),
            (None, Updates::Signed(key(1)), Rcode::REFUSED),
            // Who accepts nobody has no keys.
            (Some(key(1)), Updates::Refused, Rcode::NOT_AUTH),
            (None, Updates::Refused, Rcode::REFUSED),
        ] {
            let mut pair = Pair::new(signs.clone(), accepts);
            pair.ask(FIRST, Some(&[]));
            assert_eq!(pair.carry(true), answered(rcode), "{signs:?}");
            assert!(!pair.client.is_updating());
            let expected = if rcode == Rcode::NO_ERROR { vec![FIRST] } else { vec![] };
            assert_eq!(pair.served(), expected);
        }
    }

    #[test]
    fn what_was_accepted_is_observed_and_served_at_once() {
        use authority::Observation;
        let mut pair = Pair::new(Some(key(1)), Updates::Signed(key(1)));
        pair.ask(FIRST, None);
        pair.carry(true);
        let (question, answer) =
            (pair.binding.question().clone(), crate::dns::Answer::of_addresses(&[FIRST]));
        let accepted = Observation::Accepted {
            from: CLIENT.address,
            question: question.clone(),
            answer: answer.clone(),
        };
        let served = Observation::Served { question, answer };
        assert_eq!(pair.desk.take_observed(), [accepted, served]);
        // The same again changes nothing.
        pair.ask(FIRST, Some(&[FIRST]));
        assert_eq!(pair.carry(true), answered(Rcode::NO_ERROR));
        assert!(pair.desk.take_observed().is_empty());
        assert_eq!(pair.server.unchanged(), 1);
    }

    #[test]
    fn a_server_that_stays_silent_is_asked_four_times_in_twelve_seconds() {
        let mut pair = Pair::new(None, Updates::Refused);
        pair.ask(FIRST, None);
        let first = pair.ctx.take_sent();
        let mut at = vec![];
        let outcome = loop {
            let outcome = pair.tick();
            at.push(pair.ctx.now().as_nanos() / 1_000_000_000);
            if outcome.is_some() {
                break outcome;
            }
            assert_eq!(pair.ctx.take_sent(), first, "the same octets");
        };
        assert_eq!((outcome, at), (Some(Outcome::TimedOut), vec![3, 6, 9, 12]));
        // A shorter time for the whole ends it in the middle.
        let mut pair = Pair::new(None, Updates::Refused);
        pair.client.settings.timeout = SimDuration::from_secs(5);
        pair.ask(FIRST, None);
        assert_eq!(pair.tick(), None);
        assert_eq!(pair.tick(), Some(Outcome::TimedOut));
        assert_eq!(pair.ctx.now(), SimTime::from_secs(5));
    }

    /// How long signed updates are that hold only if the binding is as expected.
    #[test]
    fn three_services_in_place_of_three_go_beyond_512_octets() {
        let length = |form, from: u32, to: u32| {
            let (domain, apex) =
                ("chord.dyndns.org".parse().unwrap(), "dyndns.org".parse().unwrap());
            let binding = Binding::new(domain, apex, form, Ttl::from_secs(60)).unwrap();
            let set = |first: u32, count| -> Vec<Address> {
                (first..first + count).map(|last| Address::from_bits(0x0a00_0010 + last)).collect()
            };
            let update = binding.update(&set(1, to), Some(&set(0, from)));
            let mut request = Message::update(1, binding.zone().clone(), update);
            key(1).sign(SimTime::ZERO, &mut request, None);
            request.wire_len()
        };
        assert!(length(Form::Addresses, 1, 1) < 256, "{}", length(Form::Addresses, 1, 1));
        assert!(length(Form::Services, 2, 2) < 512, "{}", length(Form::Services, 2, 2));
        assert!(length(Form::Services, 3, 3) > 512, "{}", length(Form::Services, 3, 3));
    }

    /// RFC 2136 §7.8.
    #[test]
    fn a_lost_response_makes_a_compare_and_swap_seem_to_fail() {
        let mut pair = Pair::new(Some(key(1)), Updates::Signed(key(1)));
        pair.ask(FIRST, Some(&[]));
        assert_eq!(pair.carry(false), None);
        assert_eq!(pair.served(), [FIRST]);
        assert_eq!(pair.tick(), None);
        let outcome = pair.carry(true);
        assert_eq!(outcome, Some(Outcome::Answered { rcode: Rcode::YX_RR_SET, sent: 2 }));
        let outcome = outcome.unwrap();
        assert!(outcome.is_overtaken() && !outcome.is_certain() && !outcome.is_accepted());
        // Without prerequisites the second copy is accepted like the first.
        pair.ask(SECOND, None);
        pair.carry(false);
        pair.tick();
        let outcome = pair.carry(true).unwrap();
        assert!(outcome.is_accepted() && outcome.is_certain());
    }

    #[test]
    fn only_the_server_s_signed_answer_to_this_request_counts() {
        let mut pair = Pair::new(Some(key(1)), Updates::Signed(key(1)));
        pair.ask(FIRST, None);
        let (_, request) = pair.ctx.take_sent().remove(0);
        pair.server.receive(&mut pair.desk, CLIENT, &request);
        let (_, good) = pair.desk.take_sent().remove(0);
        let mut unsigned = good.clone();
        unsigned.tsig = None;
        let mut other_id = good.clone();
        other_id.id ^= 1;
        let mut query = good.clone();
        query.kind = Kind::Query;
        // Anybody can say so.
        let refusals = [Rcode::REFUSED, Rcode::SERV_FAIL, Rcode::NX_RR_SET, Rcode::NOT_AUTH]
            .map(|rcode| Message::response_to(&request, rcode));
        let forged = refusals.iter().map(|refusal| (SERVER, refusal));
        for (from, wrong) in
            [(SERVER, &unsigned), (SERVER, &other_id), (SERVER, &query), (CLIENT, &good)]
                .into_iter()
                .chain(forged)
        {
            assert_eq!(pair.client.receive(&mut pair.ctx, from, wrong), None, "{wrong:?}");
        }
        let outcome = pair.client.receive(&mut pair.ctx, SERVER, &good);
        assert_eq!(outcome, answered(Rcode::NO_ERROR));
        assert_eq!(pair.client.receive(&mut pair.ctx, SERVER, &good), None);
    }
}
