//! The user agent of a node as proxy peer, message by message: what arrives, and what goes on.
//!
//! Alice's node is the only member of its overlay, so that look-ups end at once.

use std::sync::Arc;

use overcord::address::{Address, Endpoint, Port};
use overcord::dns::Stub;
use overcord::overcord::location::LocationSettings;
use overcord::overcord::overlay_repository::OverlayRepository;
use overcord::overcord::plugin_management::PluginManagement;
use overcord::overcord::resource_database::{Binding, location_key, location_record};
use overcord::overcord::user_agent::{At, Parts, Settings};
use overcord::overcord::{Message, Observation, Timer, UserAgent};
use overcord::overlay::chord::Config;
use overcord::overlay::{Contact, Directory, Facts, NodeRef, RingId, plugin};
use overcord::rng::{Dice, Draws, NameHash, Purpose};
use overcord::sim::{Context, Recorder};
use overcord::sip::agent::{Action, Outcome, Upcall};
use overcord::sip::locate::Options;
use overcord::sip::profile::Rules;
use overcord::sip::proxy::RecordRoute;
use overcord::sip::{self, HostPart, Request, Response, Uri};
use overcord::time::{SimDuration, SimTime};

const DOMAIN: &str = "chord.dyndns.test";
const ALICE: Address = Address::from_bits(0x0a00_0001);
const BOB: Address = Address::from_bits(0x0a00_0002);
const SERVER: Address = Address::from_bits(0x6440_0001);
const RESOLVER: Address = Address::from_bits(0xc612_0001);

/// A context that keeps everything in view, and knows the one member.
struct Desk {
    recorder: Recorder<Message, Timer, Observation>,
    directory: Directory,
}

impl Context for Desk {
    type Message = Message;
    type Timer = Timer;
    type Observation = Observation;

    fn now(&self) -> SimTime {
        self.recorder.now()
    }
    fn send(&mut self, to: Endpoint, message: Message) {
        self.recorder.send(to, message);
    }
    fn set(&mut self, timer: Timer, at: SimTime) {
        self.recorder.set(timer, at);
    }
    fn cancel(&mut self, timer: Timer) {
        self.recorder.cancel(timer);
    }
    fn observe(&mut self, observation: Observation) {
        self.recorder.observe(observation);
    }
}

impl Facts for Desk {
    fn contact(&self, node: NodeRef) -> Contact {
        self.directory.contact(node)
    }
}

/// Alice's node.
struct Node {
    desk: Desk,
    plugin: PluginManagement,
    user: UserAgent,
    is_proxy: bool,
}

impl Node {
    fn new(record_route: RecordRoute) -> Self {
        let mut desk = Desk { recorder: Recorder::new(), directory: Directory::new() };
        let endpoint = ALICE.at(Port::OVERLAY);
        let me = desk.directory.add(Contact { id: RingId(7), endpoint });
        let draws = Draws::new(1, Purpose::Protocol);
        let dice = |part: &str| Dice::new(draws, NameHash::of(part));
        let config = plugin::Config::Chord(Arc::new(Config::new(draws)));
        let chord = config.converged(&[me], &desk.directory).unwrap().remove(0);
        let repository = OverlayRepository::with_peers([]);
        let mut plugin = PluginManagement::new(chord, repository, dice("plugin"));
        plugin.placed();
        let lifetime = SimDuration::from_secs(3_600);
        let (domain, copied) = (DOMAIN.to_owned(), Vec::new());
        let location =
            LocationSettings { domain, copied, backed: Vec::new(), id_bits: 160, lifetime };
        let user = UserAgent::new(Parts {
            settings: Arc::new(Settings {
                relay: None,
                media: None,
                location,
                record_route,
                options: Options::SER,
                rules: Rules::rfc3261(),
                bridged: Vec::new(),
            }),
            user: "alice".into(),
            own: ALICE,
            stub: Stub::new(Arc::new([RESOLVER.at(Port::DNS)]), dice("stub")),
            relay: None,
            dice: ["a", "b", "c", "d", "e", "f", "g"].map(dice),
        });
        Self { desk, plugin, user, is_proxy: true }
    }

    /// A user is at these addresses until then.
    fn register(&mut self, user: &str, addresses: &[Address], until: SimTime) {
        let key = location_key(user, DOMAIN, 160);
        let binding =
            |address: &Address| Binding { endpoint: address.at(Port::SIP), expires: until };
        let bindings: Vec<Binding> = addresses.iter().map(binding).collect();
        let lifetime = SimDuration::from_secs(3_600);
        let record = location_record(key, &bindings, self.desk.now(), lifetime);
        let _ = self.plugin.dht.put(&mut self.desk, record);
    }

    fn with(&mut self, act: impl FnOnce(&mut UserAgent, &mut At<'_, Desk>)) -> Vec<Sent> {
        let Self { desk, plugin, user, is_proxy } = self;
        act(user, &mut At { ctx: desk, plugin, is_proxy: *is_proxy });
        let sent = self.desk.recorder.take_sent().into_iter();
        sent.filter_map(|(to, message)| match message {
            Message::Sip(message) => Some((to, message)),
            _ => None,
        })
        .collect()
    }

    /// A message arrives, as text; what is sent then.
    fn receive(&mut self, from: Address, text: &str) -> Vec<Sent> {
        let message = sip::decode(text.replace('\n', "\r\n").as_bytes()).unwrap();
        self.with(|user, at| user.receive(at, from.at(Port::SIP), message))
    }

    /// Names of requests that were served, since the last call.
    fn served(&mut self) -> usize {
        let observed = self.desk.recorder.take_observed();
        observed.iter().filter(|it| matches!(it, Observation::Served(_))).count()
    }
}

type Sent = (Endpoint, sip::Message);

/// The one request that was sent, with where to.
fn one_request(sent: &[Sent]) -> (Address, Request) {
    let [(to, sip::Message::Request(request))] = sent else { panic!("one request: {sent:?}") };
    (to.address, (**request).clone())
}

fn one_response(sent: &[Sent]) -> (Address, Response) {
    let [(to, sip::Message::Response(response))] = sent else { panic!("one response: {sent:?}") };
    (to.address, (**response).clone())
}

/// A request as the phone's server has passed it on.
fn request(method: &str, uri: &str, more: &str) -> String {
    format!(
        "{method} {uri} SIP/2.0\n\
         Via: SIP/2.0/UDP 100.64.0.1;branch=z9hG4bKserver;rport\n\
         Via: SIP/2.0/UDP 100.96.0.1;branch=z9hG4bKphone;received=100.96.0.1;rport=5060\n\
         Max-Forwards: 69\n\
         {more}\
         From: <sip:linphone@deebee.test>;tag=phone\n\
         Call-ID: 1@100.96.0.1\n\
         CSeq: 1 {method}\n\
         Contact: <sip:linphone@100.96.0.1>\n\
         Content-Length: 0\n\n"
    )
}

fn invite(user: &str) -> String {
    let more = format!("Record-Route: <sip:100.64.0.1;lr>\nTo: <sip:{user}@{DOMAIN}>\n");
    request("INVITE", &format!("sip:{user}@{DOMAIN}"), &more)
}

fn name() -> RecordRoute {
    RecordRoute::Name(HostPart::name(DOMAIN))
}

const LATER: SimTime = SimTime::from_secs(1_000);

#[test]
fn an_invite_from_outside_is_passed_on_to_where_the_overlay_says() {
    let by_name = format!("<sip:{DOMAIN};lr>");
    for (policy, recorded) in [
        (RecordRoute::None, None),
        (RecordRoute::Address, Some("<sip:10.0.0.1;lr>")),
        (name(), Some(by_name.as_str())),
    ] {
        let mut node = Node::new(policy);
        node.register("bob", &[BOB], LATER);
        let (to, sent) = one_request(&node.receive(SERVER, &invite("bob")));
        assert_eq!((to, sent.uri.to_string()), (BOB, "sip:bob@10.0.0.2".to_owned()));
        // Who was asked for stays in To; the route says who stays on the way, the last one on top.
        assert_eq!(sent.headers.to.uri, Uri::of_user("bob", HostPart::name(DOMAIN)));
        assert_eq!(sent.headers.max_forwards, Some(68));
        let routes: Vec<String> =
            sent.headers.record_route.iter().map(|it| format!("<{}>", it.uri)).collect();
        let expected: Vec<&str> = recorded.into_iter().chain(["<sip:100.64.0.1;lr>"]).collect();
        assert_eq!(routes, expected);
        assert_eq!(sent.headers.route, []);
        // Its own Via is on top and asks for rport; that of the server is marked (RFC 3581).
        let [own, server, phone] = &sent.headers.via[..] else { panic!("three hops") };
        assert_eq!((&own.host, own.rport), (&HostPart::Address(ALICE), Some(None)));
        assert_ne!(own.branch, server.branch);
        assert_eq!((server.received, server.rport), (Some(SERVER), Some(Some(Port::SIP))));
        assert_eq!(phone.branch.as_deref(), Some("z9hG4bKphone"));
        assert_eq!(node.served(), 1);
        // Bob's answer goes back without the node's Via, to where the request came from.
        let answer = sent.respond(sip::Status::RINGING, Some("bob"));
        let back = node.with(|user, at| user.receive(at, BOB.at(Port::SIP), answer.into()));
        let (to, answer) = one_response(&back);
        assert_eq!((to, answer.headers.via.len()), (SERVER, 2));
        assert_eq!(answer.headers.record_route.len(), expected.len());
    }
}

#[test]
fn users_whom_a_node_does_not_know_are_480_at_the_proxy_peer_and_404_elsewhere() {
    let mut node = Node::new(name());
    node.register("bob", &[BOB], LATER);
    node.register("dave", &[BOB], SimTime::from_secs(1));
    node.desk.recorder.advance(SimDuration::from_secs(2));
    // (whether it plays, whom, status): no record, no current binding, a node that does not play.
    for (is_proxy, user, status) in
        [(true, "carol", 480), (true, "dave", 480), (false, "bob", 404), (false, "alice", 180)]
    {
        node.is_proxy = is_proxy;
        let text = invite(user).replace("phone\n", &format!("phone-{user}\n"));
        let text = text.replace("1@100", &format!("{user}@100"));
        let text = text.replace("z9hG4bKserver", &format!("z9hG4bK{user}"));
        let (to, answer) = one_response(&node.receive(SERVER, &text));
        assert_eq!((to, answer.status.code()), (SERVER, status), "{user}");
        // A proxy peer that answers has served; the callee himself has not, if he plays no proxy.
        assert_eq!(node.served(), usize::from(is_proxy), "{user}");
    }
}

#[test]
fn a_user_with_two_bindings_is_asked_at_both() {
    let mut node = Node::new(name());
    let other = Address::from_bits(BOB.bits() + 1);
    node.register("bob", &[BOB, other], LATER);
    let text =
        request("MESSAGE", &format!("sip:bob@{DOMAIN}"), &format!("To: <sip:bob@{DOMAIN}>\n"));
    let mut places: Vec<Address> =
        node.receive(SERVER, &text).iter().map(|(to, _)| to.address).collect();
    places.sort();
    assert_eq!(places, [BOB, other]);
    assert_eq!(node.served(), 2, "told once for each; truth takes the first");
}

#[test]
fn requests_of_a_dialog_follow_the_route_through_who_plays_the_proxy_peer() {
    let bye = |route: &str| {
        let more = format!("Route: <sip:{route};lr>\nTo: <sip:bob@{DOMAIN}>;tag=bob\n");
        request("BYE", "sip:bob@10.0.0.2", &more)
    };
    // (the entry of the route, whether the node plays, whether the BYE goes on): its name means a
    // node while it plays, its address always, yet it serves nobody when it does not play.
    for (route, is_proxy, goes_on) in [
        (DOMAIN, true, true),
        (DOMAIN, false, false),
        ("10.0.0.1", true, true),
        ("10.0.0.1", false, false),
    ] {
        let mut node = Node { is_proxy, ..Node::new(name()) };
        let sent = node.receive(SERVER, &bye(route));
        if goes_on {
            let (to, sent) = one_request(&sent);
            assert_eq!((to, sent.uri.to_string()), (BOB, "sip:bob@10.0.0.2".to_owned()));
            assert_eq!((sent.headers.route.len(), sent.headers.record_route.len()), (0, 0));
            assert_eq!(sent.headers.max_forwards, Some(68));
        } else {
            assert_eq!(one_response(&sent).1.status.code(), 404, "{route} {is_proxy}");
        }
    }
    // The ACK of a 2xx makes no transaction; it is passed on without a word.
    let mut node = Node::new(name());
    let ack = bye(DOMAIN).replace("BYE", "ACK");
    let (to, sent) = one_request(&node.receive(SERVER, &ack));
    assert_eq!((to, sent.headers.via.len(), sent.headers.route.len()), (BOB, 3, 0));
    assert_eq!(node.served(), 0);
    node.is_proxy = false;
    assert_eq!(node.receive(SERVER, &ack), []);
}

#[test]
fn a_request_that_has_gone_too_far_is_483() {
    let mut node = Node::new(name());
    node.register("bob", &[BOB], LATER);
    let text = invite("bob").replace("Max-Forwards: 69", "Max-Forwards: 0");
    assert_eq!(one_response(&node.receive(SERVER, &text)).1.status.code(), 483);
}

#[test]
fn the_node_s_own_user_is_served_by_the_proxy_peer_itself() {
    let mut node = Node::new(name());
    let text =
        request("MESSAGE", &format!("sip:alice@{DOMAIN}"), &format!("To: <sip:alice@{DOMAIN}>\n"));
    let (to, answer) = one_response(&node.receive(SERVER, &text));
    assert_eq!((to, answer.status.code()), (SERVER, 200));
    assert_eq!(node.served(), 1);
}

#[test]
fn members_reach_each_other_straight_and_who_is_unknown_has_no_place() {
    let mut node = Node::new(name());
    node.is_proxy = false;
    node.register("bob", &[BOB], LATER);
    let write = |user: &str| Action::Message {
        to: Uri::of_user(user, HostPart::name(DOMAIN)),
        text: "Hello".into(),
    };
    let (to, sent) = one_request(&node.with(|user, at| user.act(at, write("bob"))));
    assert_eq!((to, sent.uri.to_string()), (BOB, format!("sip:bob@{DOMAIN}")));
    assert_eq!((sent.headers.via.len(), sent.headers.route.len()), (1, 0));
    node.desk.recorder.take_observed();
    assert_eq!(node.with(|user, at| user.act(at, write("carol"))), []);
    let ended = |observation: &Observation| match observation {
        Observation::User(upcall) => match **upcall {
            Upcall::Ended { outcome, .. } => Some(outcome),
            _ => None,
        },
        _ => None,
    };
    let observed = node.desk.recorder.take_observed();
    assert_eq!(observed.iter().filter_map(ended).collect::<Vec<_>>(), [Outcome::Unlocated]);
}

#[test]
fn a_location_is_stored_and_is_where_the_node_is() {
    let mut node = Node::new(name());
    let nothing = node.with(|user, at| user.joined(at, false));
    assert_eq!(nothing, []);
    let key = location_key("alice", DOMAIN, 160);
    let (_, upcalls) = node.plugin.dht.get(&mut node.desk, key);
    let found = upcalls.into_iter().find_map(|upcall| match upcall {
        overcord::overlay::Upcall::Got { record, .. } => record,
        _ => None,
    });
    let record = found.expect("the only member holds every record");
    let bindings = overcord::overcord::resource_database::bindings_of(&record, node.desk.now());
    let until = SimTime::from_secs(3_600);
    assert_eq!(bindings, [Binding { endpoint: ALICE.at(Port::SIP), expires: until }]);
}
