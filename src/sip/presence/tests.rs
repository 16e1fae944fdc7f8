//! A presence server and one who publishes and watches, 50 ms from each other.

use super::*;
use crate::address::{Address, Port};
use crate::net::lab::{Device, Lab, LabLink};
use crate::rng::{Draws, NameHash, Purpose};
use crate::sip::profile::Rules;
use crate::sip::{
    Contact, Contacts, HostPart, Message, NameAddress, SubscriptionState, pidf::Presence,
};

const USER: usize = 0;
const SERVER: usize = 1;

fn at(index: usize) -> Endpoint {
    Lab::<Node>::address_of(index).at(Port::SIP)
}

fn address(text: &str) -> HostPart {
    HostPart::Address(text.parse::<Address>().unwrap())
}

/// Whose presence is published.
fn bob() -> Uri {
    Uri::of_user("bob", HostPart::name("a.test"))
}

struct Node {
    tx: Transactions,
    /// The server has one.
    presence: Option<PresenceServer>,
    /// What a user answers to NOTIFY; `None` if not at all.
    answers: Option<u16>,
    /// What the name service says of names.
    unlocated: Option<Status>,
    log: Vec<String>,
    responses: Vec<Response>,
    notified: Vec<Request>,
}

impl Node {
    fn note(&mut self, ctx: &impl Wire, what: String) {
        self.log.push(format!("{} {what}", ctx.now().as_nanos() / 1_000_000));
    }

    fn hand(&mut self, ctx: &mut impl Wire, event: Event) {
        let upcalls = match (&mut self.presence, event) {
            (Some(presence), Event::Request { server, request, .. }) => {
                presence.request(ctx, &mut self.tx, server, &request)
            }
            (Some(presence), event) => presence.event(ctx, &mut self.tx, event),
            (None, Event::Request { server, request, .. }) => {
                if let Some(code) = self.answers {
                    let response = request.respond(Status::new(code).unwrap(), Some("user"));
                    self.tx.respond(ctx, server, response);
                }
                self.notified.push(*request);
                return;
            }
            (None, Event::Response { response, .. }) => return self.responses.push(*response),
            (None, _) => return,
        };
        self.carry_out(ctx, upcalls);
    }

    fn carry_out(&mut self, ctx: &mut impl Wire, upcalls: Upcalls) {
        for upcall in upcalls {
            match upcall {
                Upcall::Locate { ticket, next_hop } => {
                    let found = match (&next_hop.sip().unwrap().host, self.unlocated) {
                        (_, Some(status)) => Err(status),
                        (HostPart::Address(address), None) => Ok(vec![address.at(Port::SIP)]),
                        (host, None) => panic!("nobody knows {host}"),
                    };
                    let presence = self.presence.as_mut().expect("only a server asks");
                    let more = presence.located(ctx, &mut self.tx, ticket, found);
                    self.carry_out(ctx, more);
                }
                Upcall::Answered { method, status, .. } => {
                    self.note(ctx, format!("{method} {status}"));
                }
                Upcall::PresenceChanged { open, .. } => {
                    self.note(ctx, if open { "open" } else { "closed" }.to_owned());
                }
                Upcall::WatcherChanged { state, .. } => self.note(ctx, format!("{state:?}")),
                Upcall::Notifies { .. } => self.note(ctx, "NOTIFY".to_owned()),
                Upcall::Notified { outcome, .. } => self.note(ctx, format!("{outcome:?}")),
            }
        }
    }
}

impl Device for Node {
    type Message = Message;
    type Timer = Timer;
    type Observation = ();

    fn start(&mut self, _: &mut LabLink<'_, Self>) {}

    fn receive(&mut self, ctx: &mut LabLink<'_, Self>, from: Endpoint, message: Message) {
        if let Some(event) = self.tx.receive(ctx, from, message) {
            self.hand(ctx, event);
        }
    }

    fn timer(&mut self, ctx: &mut LabLink<'_, Self>, timer: Timer) {
        match &mut self.presence {
            Some(presence) if timer == Timer::Presence => {
                let upcalls = presence.timer(ctx, &mut self.tx);
                self.carry_out(ctx, upcalls);
            }
            _ => {
                for event in self.tx.timer(ctx) {
                    self.hand(ctx, event);
                }
            }
        }
    }
}

struct Story {
    lab: Lab<Node>,
    cseq: u32,
}

impl Story {
    fn new(settings: PresenceSettings) -> Self {
        let dice = |name: &str| Dice::new(Draws::new(1, Purpose::Protocol), NameHash::of(name));
        let node = |index: usize, presence| Node {
            tx: Transactions::new(
                Rules::ser(),
                at(index),
                HostPart::Address(at(index).address),
                dice(&format!("tx {index}")),
            ),
            presence,
            answers: Some(200),
            unlocated: None,
            log: Vec::new(),
            responses: Vec::new(),
            notified: Vec::new(),
        };
        let server = PresenceServer::new(settings, dice("presence"));
        let nodes = vec![node(USER, None), node(SERVER, Some(server))];
        Self { lab: Lab::new(nodes, SimDuration::from_millis(50), 0.0, 1), cseq: 0 }
    }

    fn ser() -> Self {
        // What has gone by is noticed at once, for exact times; the 10 s have a test of their own.
        let exact = SimDuration::ZERO;
        Self::new(PresenceSettings { expiry_check: exact, ..PresenceSettings::ser(contact()) })
    }

    fn user(&mut self) -> &mut Node {
        &mut self.lab.devices[USER]
    }

    fn server(&mut self) -> &mut Node {
        &mut self.lab.devices[SERVER]
    }

    fn presence(&mut self) -> &mut PresenceServer {
        self.server().presence.as_mut().unwrap()
    }

    fn request(&mut self, method: Method, expires: Option<u32>) -> Request {
        self.cseq += 1;
        let from = NameAddress::of(Uri::of_user("alice", HostPart::name("c.test"))).tagged("alice");
        let call = format!("{method}").into();
        let mut headers = Headers::new(from, NameAddress::of(bob()), call, self.cseq);
        headers.expires = expires;
        headers.event = Some(EventPackage::presence());
        let alice = Uri::of_user("alice", address("10.0.0.1"));
        headers.contact = Contacts::one(Contact::of(alice));
        Request { method, uri: bob(), headers, body: [].into() }
    }

    /// Sends to the server, runs for a second, returns the final response.
    fn exchange(&mut self, request: Request) -> Response {
        self.lab.act(USER, |node, ctx| {
            node.tx.request(ctx, request, at(SERVER), Owner::Agent(0));
        });
        let now = self.lab.now().as_nanos() / 1_000_000_000;
        self.run(now + 1);
        self.user().responses.pop().expect("the server answers")
    }

    fn publish(&mut self, tag: Option<&str>, open: Option<bool>, expires: Option<u32>) -> Response {
        let request = self.publication(tag, open, expires);
        self.exchange(request)
    }

    /// A PUBLISH; `open` is the body, if there is one.
    fn publication(
        &mut self,
        tag: Option<&str>,
        open: Option<bool>,
        expires: Option<u32>,
    ) -> Request {
        let mut request = self.request(Method::Publish, expires);
        request.headers.if_match = tag.map(Into::into);
        if let Some(open) = open {
            request.headers.content_type = Some(pidf::CONTENT_TYPE.into());
            request.body = Presence { entity: bob(), open }.body();
        }
        request
    }

    fn subscribe(&mut self, tag: Option<&str>, expires: Option<u32>) -> Response {
        let mut request = self.request(Method::Subscribe, expires);
        request.headers.to.tag = tag.map(Into::into);
        self.exchange(request)
    }

    /// Runs to this second.
    fn run(&mut self, second: u64) {
        self.lab.run_until(SimTime::from_secs(second));
    }

    fn open(&mut self) -> bool {
        let now = self.lab.now();
        self.presence().is_open(&bob(), now)
    }

    /// What the NOTIFY requests since the last call said: state, seconds left, open.
    fn told(&mut self) -> Vec<(&'static str, Option<u32>, bool)> {
        let requests = std::mem::take(&mut self.user().notified);
        let state = |request: &Request| {
            let presence = Presence::parse(&request.body).unwrap();
            assert_eq!(presence.entity, bob());
            match request.headers.subscription_state.as_ref().unwrap() {
                SubscriptionState::Active { expires } => ("active", *expires, presence.open),
                SubscriptionState::Pending { expires } => ("pending", *expires, presence.open),
                SubscriptionState::Terminated { reason, .. } => {
                    assert_eq!(reason.as_deref(), Some("timeout"));
                    ("terminated", None, presence.open)
                }
            }
        };
        requests.iter().map(state).collect()
    }
}

/// The server's.
fn contact() -> Uri {
    Uri::Sip(crate::sip::uri::SipUri::of_host(address("10.0.0.2")))
}

fn etag(response: &Response) -> String {
    assert_eq!(response.status, Status::OK);
    response.headers.etag.as_deref().expect("each publication has a tag").to_owned()
}

#[test]
fn presence_is_published_changed_refreshed_and_removed() {
    let mut story = Story::ser();
    assert!(!story.open());
    let response = story.publish(None, Some(true), None);
    assert_eq!(response.headers.expires, Some(3_600));
    let first = etag(&response);
    assert!(story.open());
    // A refresh has no body; it gets a new tag, and the old one is void.
    let second = etag(&story.publish(Some(&first), None, Some(60)));
    assert_ne!(first, second);
    let refused = story.publish(Some(&first), None, None);
    assert_eq!(refused.status, Status::CONDITIONAL_REQUEST_FAILED);
    assert!(story.open());
    let third = etag(&story.publish(Some(&second), Some(false), None));
    assert!(!story.open());
    let removed = story.publish(Some(&third), None, Some(0));
    assert_eq!((removed.status, removed.headers.etag), (Status::OK, None));
    let gone = story.publish(Some(&third), None, None);
    assert_eq!(gone.status, Status::CONDITIONAL_REQUEST_FAILED);
    let alien = story.publish(Some("a.1.1"), Some(true), None);
    assert_eq!(alien.status, Status::CONDITIONAL_REQUEST_FAILED);
}

#[test]
fn a_user_is_there_if_one_publication_says_so() {
    let mut story = Story::ser();
    let phone = etag(&story.publish(None, Some(true), None));
    story.publish(None, Some(false), None);
    assert!(story.open());
    story.publish(Some(&phone), None, Some(0));
    assert!(!story.open());
}

#[test]
fn what_cannot_be_published_or_subscribed_to_is_refused() {
    let mut story = Story::new(PresenceSettings::rfc3856(contact()));
    assert_eq!(story.publish(None, None, None).status, Status::BAD_REQUEST);
    let brief = story.publish(None, Some(true), Some(59));
    assert_eq!((brief.status, brief.headers.min_expires), (Status::INTERVAL_TOO_BRIEF, Some(60)));
    let brief = story.subscribe(None, Some(59));
    assert_eq!((brief.status, brief.headers.min_expires), (Status::INTERVAL_TOO_BRIEF, Some(60)));
    assert_eq!(story.subscribe(Some("nobody"), None).status, Status::NO_TRANSACTION);
    for (kind, body, code) in [("text/plain", "open", 415), (pidf::CONTENT_TYPE, "<open/>", 400)] {
        let mut request = story.request(Method::Publish, None);
        request.headers.content_type = Some(kind.into());
        request.body = body.as_bytes().into();
        assert_eq!(story.exchange(request).status.code(), code);
    }
    for method in [Method::Publish, Method::Subscribe] {
        let mut request = story.request(method, None);
        request.headers.event = Some(EventPackage { package: "dialog".into(), id: None });
        let refused = story.exchange(request);
        assert_eq!(refused.status, Status::BAD_EVENT);
        assert_eq!(refused.headers.other, [("Allow-Events".into(), "presence".into())]);
    }
    let request = story.request(Method::Message, None);
    assert_eq!(story.exchange(request).status, Status::METHOD_NOT_ALLOWED);
    let mut request = story.request(Method::Subscribe, None);
    request.headers.contact = Contacts::None;
    assert_eq!(story.exchange(request).status, Status::BAD_REQUEST);
    assert_eq!((story.told(), story.presence().subscriptions()), (vec![], 0));
}

#[test]
fn a_subscriber_is_notified_at_once_and_of_each_change() {
    let mut story = Story::ser();
    let response = story.subscribe(None, Some(9_999));
    assert_eq!((response.status, response.headers.expires), (Status::OK, Some(3_600)));
    let tag = response.headers.to.tag.clone().unwrap();
    assert_eq!(story.told(), [("active", Some(3_600), false)]);
    // Published at 1 s; the server knows at 1.05 s.
    let etag = etag(&story.publish(None, Some(true), None));
    assert_eq!(story.told(), [("active", Some(3_599), true)]);
    // A refresh of the publication changes nothing.
    story.publish(Some(&etag), None, None);
    assert_eq!(story.told(), []);
    // The subscription is refreshed in its dialog, and ended there.
    let refreshed = story.subscribe(Some(&tag), Some(600));
    assert_eq!(refreshed.headers.expires, Some(600));
    assert_eq!(story.told(), [("active", Some(600), true)]);
    assert_eq!(story.presence().subscriptions(), 1);
    assert_eq!(story.subscribe(Some(&tag), Some(0)).status, Status::OK);
    assert_eq!(story.told(), [("terminated", None, true)]);
    assert_eq!(story.presence().subscriptions(), 0);
    assert_eq!(story.subscribe(Some(&tag), Some(600)).status, Status::NO_TRANSACTION);
}

#[test]
fn a_poll_is_a_subscription_that_ends_at_once() {
    let mut story = Story::ser();
    story.publish(None, Some(true), None);
    assert_eq!(story.subscribe(None, Some(0)).headers.expires, Some(0));
    assert_eq!(story.told(), [("terminated", None, true)]);
    assert_eq!(story.presence().subscriptions(), 0);
}

#[test]
fn a_notify_belongs_to_the_dialog() {
    let mut story = Story::ser();
    let mut request = story.request(Method::Subscribe, None);
    let route = NameAddress::of(Uri::loose_route(address("10.0.0.1")));
    request.headers.record_route = vec![route.clone()];
    let tag = story.exchange(request.clone()).headers.to.tag;
    let notify = story.user().notified.pop().unwrap();
    assert_eq!(notify.uri, request.headers.contact.as_slice()[0].address.uri);
    assert_eq!(notify.headers.route, [route]);
    assert_eq!((&notify.headers.from.tag, notify.headers.cseq), (&tag, 1));
    assert_eq!(notify.headers.to.tag.as_deref(), Some("alice"));
    assert_eq!(notify.headers.contact.as_slice(), [Contact::of(contact())]);
    assert!(!story.presence().includes(&notify.headers));
    request.headers.to.tag = tag;
    assert!(story.presence().includes(&request.headers));
}

#[test]
fn leases_go_by_and_that_is_told() {
    let mut story = Story::ser();
    // At the server at 0.05 s and at 1.05 s.
    story.publish(None, Some(true), Some(30));
    story.subscribe(None, Some(60));
    story.told();
    story.run(100);
    story.server().log.retain(|line| !line.contains("NOTIFY") && !line.contains("Status"));
    let log = story.server().log.clone();
    assert_eq!(log[log.len() - 2..], ["30050 closed", "61050 Expired"]);
    assert_eq!(story.told(), [("active", Some(31), false), ("terminated", None, false)]);
    assert_eq!(story.presence().agenda.earliest(), None);
}

#[test]
fn ser_looks_every_ten_seconds_for_what_has_gone_by() {
    let mut story = Story::new(PresenceSettings::ser(contact()));
    story.subscribe(None, Some(60));
    story.run(100);
    // 60.05 s is noticed at 70 s.
    assert!(story.server().log.contains(&"70000 Expired".to_owned()));
}

#[test]
fn a_notify_that_fails_removes_the_subscription() {
    for (answer, left, last) in [
        (Some(200), 1, "Status(Status(200))"),
        (Some(481), 0, "Status(Status(481))"),
        (Some(480), 0, "Status(Status(480))"),
        (Some(500), 1, "Status(Status(500))"),
        (None, 0, "Failed(Timeout)"),
    ] {
        let mut story = Story::ser();
        story.user().answers = answer;
        story.subscribe(None, None);
        story.run(40);
        let log = story.server().log.clone();
        // The NOTIFY goes out at 50 ms; its answer is back at 150 ms, or given up after 30 s.
        let when = if answer.is_some() { 150 } else { 30_050 };
        assert!(log.contains(&format!("{when} {last}")), "{log:?}");
        assert_eq!(story.presence().subscriptions(), left, "{answer:?}");
        let failed = log.iter().any(|line| line.contains(&format!("Failed({last})")));
        assert_eq!(failed, left == 0, "{log:?}");
    }
    // By switch, silence is borne.
    let settings =
        PresenceSettings { removes_on_timeout: false, ..PresenceSettings::ser(contact()) };
    let mut story = Story::new(settings);
    story.user().answers = None;
    story.subscribe(None, None);
    story.run(40);
    assert_eq!(story.presence().subscriptions(), 1);
}

#[test]
fn a_notify_waits_for_the_one_before_and_then_says_what_is_so() {
    let mut story = Story::ser();
    story.subscribe(None, None);
    let etag = etag(&story.publish(None, Some(true), None));
    story.told();
    story.server().log.clear();
    // Within the same instant one device is closed and another one opened.
    for (tag, open) in [(Some(&*etag), false), (None, true)] {
        let request = story.publication(tag, Some(open), None);
        story.lab.act(USER, |node, ctx| {
            node.tx.request(ctx, request, at(SERVER), Owner::Agent(0));
        });
    }
    story.run(4);
    assert_eq!(story.told(), [("active", Some(3_598), false), ("active", Some(3_597), true)]);
    story.server().log.retain(|line| line.contains("NOTIFY"));
    let sent: Vec<u64> = story
        .server()
        .log
        .iter()
        .map(|line| line.split(' ').next().unwrap().parse().unwrap())
        .collect();
    // The second one goes out when the first is answered, a round trip later.
    assert_eq!(sent[1] - sent[0], 100);
    // One who does not answer is told nothing else until that has failed.
    let mut story = Story::ser();
    story.user().answers = None;
    story.subscribe(None, None);
    story.publish(None, Some(true), None);
    assert_eq!(story.told(), [("active", Some(3_600), false)]);
}

#[test]
fn changes_are_told_no_more_often_than_every_five_seconds() {
    let mut story = Story::new(PresenceSettings::rfc3856(contact()));
    story.subscribe(None, None);
    // At the server at 1.05 s and 2.05 s; the NOTIFY of the SUBSCRIBE went out at 0.05 s.
    let etag = etag(&story.publish(None, Some(true), None));
    story.publish(Some(&etag), Some(false), None);
    story.run(20);
    story.server().log.retain(|line| line.contains("NOTIFY"));
    let log = story.server().log.clone();
    assert_eq!(log, ["50 NOTIFY", "5050 NOTIFY"]);
}

#[test]
fn a_watcher_who_cannot_be_located_is_tried_again_at_the_next_change() {
    let mut story = Story::ser();
    story.server().unlocated = Some(Status::UNRESOLVABLE_DESTINATION);
    story.subscribe(None, None);
    assert_eq!((story.told(), story.presence().subscriptions()), (vec![], 1));
    story.server().unlocated = None;
    story.publish(None, Some(true), None);
    assert_eq!(story.told(), [("active", Some(3_599), true)]);
}
