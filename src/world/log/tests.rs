use super::*;
use crate::address::Port;
use crate::dns::message::Record;
use crate::dns::{self, Question, Rcode, RecordData, RecordType, Soa, Ttl};
use crate::http::Credentials;
use crate::net::icmp::{Echo, Unreachable};
use crate::net::tcp::{Data, Flow, Header as TcpHeader, Side};
use crate::overlay::bamboo;
use crate::overlay::bamboo::message::{Errand, Passage};
use crate::overlay::chord::ChordTimer;
use crate::overlay::chord::message::{Header, Large, NodeList, RpcId, Small, WireRecord};
use crate::overlay::kademlia;
use crate::overlay::{OverlayId, RingId};
use crate::sip::{Headers, HostPart, Method, Request, Status, SubscriptionState, Uri};
use crate::time::SimDuration;

const HOME: Address = Address::from_bits(0x0a00_0008);

/// 10.0.0.8 is bob's; the contact number n is called `n<n>`.
fn say(tell: impl Fn(&Words<'_>) -> String) -> String {
    let address = |it: Address| if it == HOME { format!("{it} (bob)") } else { it.to_string() };
    let node = |it: NodeRef| format!("n{}", it.index());
    tell(&Words { address: &address, node: &node, sets: false })
}

fn check(message: impl Into<Message>, expected: &str) {
    let message = message.into();
    assert_eq!(say(|words| words.message(&message)), expected);
}

#[test]
fn a_moment_has_microseconds() {
    assert_eq!(moment(SimTime::ZERO), "       0.000000");
    let at = SimTime::ZERO + SimDuration::from_nanos(614_071_849_837);
    assert_eq!(moment(at), "     614.071849");
}

#[test]
fn kademlia_in_words() {
    let header = Header::new(20, true, RpcId::new(7));
    let key = RingId(0x0123_4567_89ab_cdef);
    let sender = kademlia::message::Sender { node: NodeRef::new(4), overlay: OverlayId(9) };
    let list: NodeList = [NodeRef::new(1), NodeRef::new(2)].into_iter().collect();
    let record = WireRecord { key, version: 2, lifetime: 60, value: Box::default() };
    use kademlia::Message as M;
    let table: [(M, &str); 6] = [
        (M::Ping(header, sender), "Kademlia ping"),
        (M::FindNode(header, sender, key), "Kademlia find node 0123456789abcdef"),
        (M::Nodes(header, OverlayId(9), list.clone()), "Kademlia closest: n1, n2"),
        (
            M::Value(header, record.clone(), list),
            "Kademlia value 0123456789abcdef version 2 for 60 s; closest: n1, n2",
        ),
        (
            M::Replicate(header, sender, vec![record]),
            "Kademlia replicate 0123456789abcdef version 2 for 60 s",
        ),
        (M::Leaving(header, sender), "Kademlia leaving: n4 goes"),
    ];
    for (message, expected) in table {
        check(plugin::Message::from(message), expected);
    }
}

#[test]
fn bamboo_in_words() {
    let header = Header::new(20, true, RpcId::new(7)).with_hops(3);
    let (key, overlay, node) = (RingId(0x0123_4567_89ab_cdef), OverlayId(9), NodeRef::new);
    let list: NodeList = [node(1), node(2)].into_iter().collect();
    let (origin, tag) = (node(4), RpcId::new(1));
    let passage = |errand| Passage { key, origin, tag, timeouts: 0, errand };
    let record = WireRecord { key, version: 2, lifetime: 60, value: Box::default() };
    use bamboo::Message as M;
    let table: [(M, &str); 9] = [
        (M::Ping(header, overlay), "Bamboo ping"),
        (M::Leaves(header, overlay, node(4), list.clone()), "Bamboo my leaves are n1, n2; yours?"),
        (M::LeavesReply(header, NodeList::new()), "Bamboo my leaves are nobody"),
        (M::RowRequest(header, overlay, 2, node(4)), "Bamboo who is in your row 2?"),
        (
            M::Route(header, overlay, passage(Errand::Find)),
            "Bamboo route 0123456789abcdef for n4, hop 3",
        ),
        (
            M::Route(header, overlay, passage(Errand::Join)),
            "Bamboo join 0123456789abcdef for n4, hop 3",
        ),
        (
            M::Welcome(header, overlay, node(9), tag, list.clone()),
            "Bamboo welcome by n9: leaves n1, n2",
        ),
        (
            M::Leaving(header, overlay, node(9), list),
            "Bamboo leaving: n9 goes, its leaves are n1, n2",
        ),
        (M::Store(header, overlay, record), "Bamboo store 0123456789abcdef version 2 for 60 s"),
    ];
    for (message, expected) in table {
        check(plugin::Message::from(message), expected);
    }
}

#[test]
fn chord_in_words() {
    let header = Header::new(20, true, RpcId::new(7)).with_hops(3);
    let key = RingId(0x0123_4567_89ab_cdef);
    let node = NodeRef::new;
    let overlay = OverlayId(9);
    let small = |small: Small, expected| check(plugin::Message::Chord(small.into()), expected);
    small(Small::Ping(header, overlay), "Chord ping");
    small(Small::Notify(header, node(4), overlay), "Chord notify: n4 may precede you");
    small(Small::Find(header, key.into(), overlay), "Chord find 0123456789abcdef");
    small(Small::Found(header, [Some(node(1)), Some(node(2)), None]), "Chord found: n1, n2");
    small(Small::Closer(header, [None; 3]), "Chord closer: nobody");
    small(Small::Route(header, key.into(), node(4)), "Chord route 0123456789abcdef for n4, hop 3");
    small(
        Small::Neighbours(header, None, Some(node(5))),
        "Chord neighbours: nobody before, n5 after",
    );
    let list: NodeList = [node(1), node(2)].into_iter().collect();
    let welcome = Large::Welcome(header, overlay, Some(node(9)), list);
    check(plugin::Message::Chord(welcome.into()), "Chord welcome: n9 before, n1, n2 after");
    let record = WireRecord { key, version: 2, lifetime: 60, value: Box::default() };
    check(
        plugin::Message::Chord(Large::Store(header, overlay, record).into()),
        "Chord store 0123456789abcdef version 2 for 60 s",
    );
}

#[test]
fn dns_in_words() {
    let name: dns::DomainName = "chord.dyndns.org".parse().unwrap();
    let query = dns::Message::query(7, Question::addresses(name.clone()));
    check(query.clone(), "DNS query A chord.dyndns.org");
    let mut answer = dns::Message::response_to(&query, Rcode::NO_ERROR);
    check(answer.clone(), "DNS answer A chord.dyndns.org: no data");
    let record = |address| Record {
        name: name.clone(),
        ttl: Ttl::from_secs(60),
        data: RecordData::A(address),
    };
    answer.answers = vec![record(HOME), record(Address::from_bits(0x0a00_0001))];
    check(answer, "DNS answer A chord.dyndns.org: 10.0.0.8 (bob), 10.0.0.1, TTL 60");
    let failed = dns::Message::response_to(&query, Rcode::SERV_FAIL);
    check(failed, "DNS answer A chord.dyndns.org: SERVFAIL");
    let service = Question::new("_sip._udp.a.org".parse().unwrap(), RecordType::SRV);
    let query = dns::Message::query(8, service);
    check(
        dns::Message::response_to(&query, Rcode::NX_DOMAIN),
        "DNS answer SRV _sip._udp.a.org: NXDOMAIN",
    );
    // What nothing here interprets is told by its type.
    let soa = RecordData::Soa(std::sync::Arc::new(Soa {
        mname: name.clone(),
        rname: name,
        serial: 1,
        refresh: 1,
        retry: 1,
        expire: 1,
        minimum: Ttl::ZERO,
    }));
    assert_eq!(say(|words| words.record_data(&soa)), "a record of type SOA");
}

fn segment(kind: Kind, port: u16) -> Segment<http::Message> {
    let flow = Flow { number: 1, port: Port(port), sender: Side::Initiator };
    Control { header: TcpHeader { flow, sequence: 1, acknowledgement: 1 }, kind }.into()
}

fn data(body: http::Message) -> Segment<http::Message> {
    let flow = Flow { number: 1, port: Port::HTTP, sender: Side::Initiator };
    let header = TcpHeader { flow, sequence: 1, acknowledgement: 1 };
    Segment::Data(Box::new(Data { header, body }))
}

#[test]
fn tcp_http_and_icmp_in_words() {
    check(segment(Kind::Syn, 49152), "TCP SYN 49152");
    check(segment(Kind::Rst, 80), "TCP RST 80");
    let request = http::Request::get("/nic/update?hostname=a.org&myip=10.0.0.8");
    check(
        data(http::Message::Request(request.clone())),
        "HTTP GET /nic/update?hostname=a.org&myip=10.0.0.8",
    );
    let account = Credentials { user: "u".to_owned(), password: "secret".to_owned() };
    let shown = request.with("Authorization", account.to_header());
    check(
        data(http::Message::Request(shown)),
        "HTTP GET /nic/update?hostname=a.org&myip=10.0.0.8, with credentials",
    );
    let response = http::Response::text(http::Status::OK, "good 10.0.0.8\n");
    check(data(http::Message::Response(response)), "HTTP 200 OK: good 10.0.0.8");
    check(Icmp::EchoReply(Echo { identifier: 1, sequence: 2 }), "ICMP echo reply");
    let quoted = Quoted::Udp { source: Port(5060), destination: Port(5060) };
    let error = Unreachable { code: Code::Port, destination: HOME, quoted };
    check(Icmp::Unreachable(error), "ICMP port unreachable: UDP 5060 to 10.0.0.8 (bob)");
}

#[test]
fn sip_in_words() {
    let user = |user| Uri::of_user(user, HostPart::name("chord.dyndns.org"));
    let address = |user_name| sip::header::NameAddress::of(user(user_name));
    let headers = Headers::new(address("alice"), address("bob"), "1@a".into(), 1);
    let request = |method| Request {
        method,
        uri: user("bob"),
        headers: headers.clone(),
        body: std::sync::Arc::from([]),
    };
    let message = request(Method::Message);
    let response = message.respond(Status::REQUEST_TIMEOUT, Some("t"));
    assert_eq!(self::sip(&message.into()), "SIP MESSAGE sip:bob@chord.dyndns.org");
    assert_eq!(self::sip(&response.into()), "SIP 408 Request Timeout (MESSAGE)");
    let mut register = request(Method::Register);
    register.uri = Uri::Sip(sip::uri::SipUri::of_host(HostPart::name("chord.dyndns.org")));
    register.headers.expires = Some(3_600);
    assert_eq!(self::sip(&register.into()), "SIP REGISTER sip:bob@chord.dyndns.org, expires 3600");
    let mut notify = request(Method::Notify);
    let (reason, retry_after) = (Some("timeout".into()), None);
    notify.headers.subscription_state = Some(SubscriptionState::Terminated { reason, retry_after });
    assert_eq!(
        self::sip(&notify.into()),
        "SIP NOTIFY sip:bob@chord.dyndns.org, terminated (timeout)"
    );
}

#[test]
fn observations_in_words() {
    let own = Address::from_bits(0x0a00_0001);
    for (observation, expected) in [
        (Observation::HostUp(HOME), "comes up at 10.0.0.8"),
        (Observation::Member(OverlayId(0xbeef)), "is a member of overlay 0000beef"),
        (Observation::ProxyStarted, "listens: it plays the proxy peer"),
        (Observation::VerdictFailed(HOME), "its tests of 10.0.0.8 (bob) failed"),
        (
            Observation::UpdateStarted { tested: Some(HOME), own },
            "claims the binding for 10.0.0.1, after its tests of 10.0.0.8 (bob) failed",
        ),
        (Observation::UpdateEnded { accepted: true }, "its update is accepted"),
        (Observation::ProxyStopped, "steps down: it does not play the proxy peer any more"),
        (
            Observation::CacheStored {
                answer: Answer::Addresses(vec![HOME, own]),
                expires: SimTime::from_secs(60),
            },
            "keeps until 60 s: 10.0.0.8 (bob), 10.0.0.1",
        ),
        (Observation::Answered(Answer::Negative), "answers a question: no address"),
    ] {
        assert_eq!(say(|words| words.observation(&observation)), expected);
    }
}

#[test]
fn timers_and_commands_in_words() {
    use crate::world::population::MemberId;
    let stabilize = Timer::Node(overcord::Timer::Overlay(ChordTimer::Stabilize.into()));
    assert_eq!(timer(stabilize), "timer: stabilize");
    let user = Timer::Caller(caller::Timer::User(3));
    assert_eq!(timer(user), "timer: user 3 looks the overlay's name up");
    assert_eq!(command(Command::Toggle(MemberId(1))), "comes or goes, by churn");
}
