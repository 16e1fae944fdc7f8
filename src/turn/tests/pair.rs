//! A client and its relay, with a way of a tenth of a second between them and a peer at the other
//! side.

use crate::address::{Address, Endpoint, Port};
use crate::rng::{Dice, Draws, NameHash, Purpose};
use crate::sim::{Context as _, Recorder};
use crate::time::{SimDuration, SimTime};
use crate::turn::client::{Settings, Upcall};
use crate::turn::message::{Body, Data, Message};
use crate::turn::server::{Output, Server};
use crate::turn::{Account, Client, DEFAULT_LIFETIME, Timer};

/// The way from one to the other.
const WAY: SimDuration = SimDuration::from_millis(100);

/// How often the client of these tests keeps its mapping alive.
pub(super) const KEEPALIVE: SimDuration = SimDuration::from_secs(25);

pub(super) const CLIENT: Endpoint = Address::from_bits(1).at(Port::SIP);
pub(super) const RELAY: Endpoint = Address::from_bits(2).at(Port::TURN);
pub(super) const PEER: Endpoint = Address::from_bits(3).at(Port::SIP);

pub(super) fn account() -> Account {
    Account { user: "overcord".into(), realm: "overlay.example".into(), secret: 7 }
}

pub(super) fn server() -> Server {
    Server::new(RELAY.address, account(), DEFAULT_LIFETIME)
}

pub(super) struct Pair {
    pub(super) client: Client,
    pub(super) server: Server,
    ctx: Recorder<Message, Timer, ()>,
    /// What the client was told, when.
    pub(super) told: Vec<(SimTime, Upcall)>,
    /// What the relay passed on to peers.
    pub(super) relayed: Vec<(Port, Endpoint, Data)>,
    /// What went over the way: when it was sent, whether by the client, and what.
    pub(super) seen: Vec<(SimTime, bool, Body)>,
    /// Nothing gets through to the relay.
    pub(super) cut: bool,
}

impl Pair {
    /// The client wants an allocation, and to let the peer in, from time zero on.
    pub(super) fn new() -> Self {
        Self::with(server(), "client")
    }

    /// The same with this relay, and other numbers for transactions.
    pub(super) fn with(server: Server, name: &str) -> Self {
        let settings = Settings {
            server: RELAY,
            port: CLIENT.port,
            account: account(),
            lifetime: None,
            keepalive: KEEPALIVE,
        };
        let dice = Dice::new(Draws::new(1, Purpose::Protocol), NameHash::of(name));
        let mut pair = Self {
            client: Client::new(settings, dice),
            server,
            ctx: Recorder::new(),
            told: Vec::new(),
            relayed: Vec::new(),
            seen: Vec::new(),
            cut: false,
        };
        pair.client.start(&mut pair.ctx);
        pair.client.permit(&mut pair.ctx, PEER.address);
        pair.deliver();
        pair
    }

    pub(super) fn now(&self) -> SimTime {
        self.ctx.now()
    }

    /// Lets the client do something.
    pub(super) fn act(&mut self, act: impl FnOnce(&mut Client, &mut Recorder<Message, Timer, ()>)) {
        act(&mut self.client, &mut self.ctx);
        self.deliver();
    }

    /// Everything that happens until then.
    pub(super) fn run(&mut self, until: u64) {
        let until = SimTime::from_secs(until);
        while self.ctx.due(Timer).is_some_and(|at| at <= until) {
            self.ctx.next_timer();
            let upcalls = self.client.timer(&mut self.ctx);
            self.tell(upcalls);
            self.deliver();
        }
        self.ctx.advance(until.since(self.ctx.now()));
    }

    fn tell(&mut self, upcalls: Vec<Upcall>) {
        let now = self.ctx.now();
        self.told.extend(upcalls.into_iter().map(|upcall| (now, upcall)));
    }

    /// What the client has sent goes to the relay, and its answers back, one after the other.
    fn deliver(&mut self) {
        while let Some((_, message)) = (!self.ctx.sent.is_empty()).then(|| self.ctx.sent.remove(0))
        {
            self.seen.push((self.ctx.now(), true, message.body.clone()));
            if self.cut {
                continue;
            }
            let arrives = self.ctx.now().saturating_add(WAY);
            match self.server.receive(arrives, CLIENT, &message) {
                Some(Output::Relay { from, to, data }) => self.relayed.push((from, to, data)),
                Some(Output::Reply(reply)) => {
                    self.ctx.advance(WAY + WAY);
                    self.hand(reply);
                }
                None => {}
            }
        }
    }

    fn hand(&mut self, message: Message) {
        self.seen.push((self.ctx.now(), false, message.body.clone()));
        let upcalls = self.client.receive(&mut self.ctx, RELAY, message);
        self.tell(upcalls);
    }

    /// The peer sends this to the relayed address; whether it gets in.
    pub(super) fn peer_sends(&mut self, from: Endpoint, words: &[u8]) -> bool {
        let Some(relayed) = self.client.relayed() else { return false };
        let data: Data = words.into();
        let now = self.ctx.now();
        let Some((client, message)) = self.server.arrived(now, relayed.port, from, &data) else {
            return false;
        };
        assert_eq!(client, CLIENT);
        self.hand(message);
        self.told.pop().map(|(_, upcall)| upcall) == Some(Upcall::Data { from, data })
    }

    /// How many requests of the client there were, by what tells them.
    pub(super) fn sent(&self, is: impl Fn(&Body) -> bool) -> Vec<f64> {
        let of_client = self.seen.iter().filter(|(_, by_client, body)| *by_client && is(body));
        of_client.map(|(at, ..)| at.as_secs_f64()).collect()
    }
}
