//! Client and server over a wire: what an update costs, and what is answered to whom.

use super::*;
use crate::address::{Address, Endpoint, Port};
use crate::http::{Credentials, Message, Request, Response};
use crate::net::tcp::pair::{A, B, Host, Pair, Sighting, Wire};
use crate::net::tcp::{Tcp, TcpTimer, Upcall};
use crate::time::{SimDuration, SimTime};

const NAME: &str = "chord.dyndns.test";

impl Host for UpdateClientHost {
    type Data = Message;
    type Timer = ClientTimer;
    type Observation = ();

    fn receive(&mut self, ctx: &mut Wire<Self>, from: Endpoint, segment: UpdateSegment) {
        let outcome = self.client.receive(ctx, from, segment);
        self.note(ctx, outcome);
    }
    fn timer(&mut self, ctx: &mut Wire<Self>, timer: ClientTimer) {
        let outcome = self.client.timer(ctx, timer);
        self.note(ctx, outcome);
    }
}

struct UpdateClientHost {
    client: UpdateClient,
    outcomes: Vec<(u64, UpdateOutcome)>,
}

impl UpdateClientHost {
    fn note(&mut self, ctx: &Wire<Self>, outcome: Option<UpdateOutcome>) {
        self.outcomes.extend(outcome.map(|outcome| (millis(ctx.now), outcome)));
    }
}

struct ServerHost {
    server: UpdateServer,
    published: Vec<(u64, Publish)>,
}

impl Host for ServerHost {
    type Data = Message;
    type Timer = ServerTimer;
    type Observation = Accepted;

    fn receive(&mut self, ctx: &mut Wire<Self>, from: Endpoint, segment: UpdateSegment) {
        self.server.receive(ctx, from, segment);
    }
    fn timer(&mut self, ctx: &mut Wire<Self>, timer: ServerTimer) {
        for publish in self.server.timer(ctx, timer) {
            self.published.push((millis(ctx.now), publish));
        }
    }
}

/// A client that sends requests as they are given, one connection each, and keeps the bodies.
struct Raw {
    tcp: Tcp<Message>,
    responses: Vec<Response>,
}

impl Raw {
    fn take(&mut self, ctx: &mut Wire<Self>, upcalls: crate::net::tcp::Upcalls<Message>) {
        for upcall in upcalls {
            if let Upcall::Received(id, Message::Response(response)) = upcall {
                self.responses.push(response);
                self.tcp.close(ctx, id);
            }
        }
    }
}

impl Host for Raw {
    type Data = Message;
    type Timer = TcpTimer;
    type Observation = ();

    fn receive(&mut self, ctx: &mut Wire<Self>, from: Endpoint, segment: UpdateSegment) {
        let upcalls = self.tcp.receive(ctx, from, segment);
        self.take(ctx, upcalls);
    }
    fn timer(&mut self, ctx: &mut Wire<Self>, timer: TcpTimer) {
        let upcalls = self.tcp.timer(ctx, timer);
        self.take(ctx, upcalls);
    }
}

fn millis(time: SimTime) -> u64 {
    time.as_nanos() / 1_000_000
}

fn name() -> Hostname {
    NAME.parse().unwrap()
}

/// Four Base64 digits, as the laboratory's requests of 126 and 153 octets imply.
fn credentials() -> Credentials {
    Credentials::new("u", "p")
}

fn server(settings: ServerSettings) -> ServerHost {
    let account = |user: &str, hostnames: &[&str]| Account {
        credentials: Credentials::new(user, "p"),
        hostnames: hostnames.iter().map(|name| name.parse().unwrap()).collect(),
    };
    let accounts = [account("u", &[NAME, "other.dyndns.test"]), account("v", &["theirs.test"])];
    ServerHost { server: UpdateServer::new(settings, &accounts), published: Vec::new() }
}

type Loss = fn(usize, &Sighting) -> bool;
type Updating = Pair<UpdateClientHost, ServerHost>;

/// A client with these settings and a server with those; 10 ms one way.
fn updating(client: ClientSettings, settings: ServerSettings) -> Updating {
    let client = UpdateClientHost { client: UpdateClient::new(client), outcomes: Vec::new() };
    Pair::new(client, server(settings), 10)
}

fn update(pair: &mut Updating, to: Address) {
    assert_eq!(pair.a.client.update(&mut pair.ctx_a, B, &name(), to), None);
}

fn home() -> Address {
    "192.168.0.10".parse().unwrap()
}

/// The fields that curl sends, as the laboratory did.
fn curl() -> ClientSettings {
    ClientSettings {
        host: "ns.test".to_owned(),
        user_agent: "curl/7.88.1".to_owned(),
        ..ClientSettings::new(credentials())
    }
}

/// facts: the paper's challenge flow is two connections, GET 126 → 401 152 and GET 153 → 200 102
/// octets: 20 packets and 1,605 octets with IP headers. The laboratory's exact texts are not known;
/// with curl's fields, a name server of seven characters and an address of twelve, and the fields
/// of [`Response::text`], they have these lengths.
#[test]
fn the_challenge_flow_costs_20_packets_and_1605_octets() {
    let mut pair = updating(curl(), ServerSettings::default());
    update(&mut pair, home());
    pair.run(SimTime::from_secs(100));
    let data: Vec<u32> =
        pair.seen.iter().filter(|s| s.what == "data").map(|s| s.octets - 52).collect();
    assert_eq!(data, [126, 152, 153, 102]);
    // 4 segments with SYN of 60 octets, 16 of 52, and 126 + 152 + 153 + 102 = 533.
    assert_eq!((pair.seen.len(), pair.octets()), (20, 4 * 60 + 16 * 52 + 533));
    assert_eq!(pair.octets(), 1605);
    // SYN 0, SYN-ACK 10, request 20, there 30, answered 230, there 240; the same again: 480.
    let good = UpdateOutcome::Code(ReturnCode::Good(Some(home())));
    assert_eq!(pair.a.outcomes, [(480, good)]);
    let accepted = Accepted { hostname: name(), from: A, to: home() };
    assert_eq!(pair.ctx_b.observed, [accepted]);
    assert_eq!(pair.b.published, [(470, Publish { hostname: name(), address: home() })]);
    assert!(pair.a.client.is_idle());
    assert_eq!(pair.timers(), 0);
}

#[test]
fn credentials_at_once_cost_one_connection() {
    let settings = ClientSettings { authentication: Authentication::Preemptive, ..curl() };
    let mut pair = updating(settings, ServerSettings::default());
    update(&mut pair, home());
    pair.run(SimTime::from_secs(100));
    assert_eq!(pair.seen.len(), 10);
    // Two connections of 60 + 60 + 8 · 52 = 536 less one, and the payloads of the second.
    assert_eq!(pair.octets(), 536 + 153 + 102);
    assert_eq!(pair.a.outcomes[0].0, 240);
}

/// The sizes of this project's own client, to which the costs of a run refer.
#[test]
fn the_project_s_own_request_has_its_documented_size() {
    let mut pair = updating(ClientSettings::new(credentials()), ServerSettings::default());
    update(&mut pair, home());
    pair.run(SimTime::from_secs(100));
    let data: Vec<u32> =
        pair.seen.iter().filter(|s| s.what == "data").map(|s| s.octets - 52).collect();
    // Host 18 instead of 7 characters, agent 31 instead of 11: 31 more.
    assert_eq!(data, [126 + 31, 152, 153 + 31, 102]);
}

#[test]
fn acceptance_and_publication_have_their_delays_and_the_last_wins() {
    let settings = ServerSettings {
        service_time: SimDuration::from_millis(500),
        publish_delay: SimDuration::from_secs(5),
        ..ServerSettings::default()
    };
    let client = ClientSettings { authentication: Authentication::Preemptive, ..curl() };
    let mut pair = updating(client, settings);
    let addresses: Vec<Address> = (1..=3).map(Address::from_bits).collect();
    for (second, &address) in addresses.iter().enumerate() {
        pair.run(SimTime::from_secs(second as u64 * 2));
        update(&mut pair, address);
    }
    pair.run(SimTime::from_secs(60));
    let published: Vec<(u64, Address)> =
        pair.b.published.iter().map(|(at, publish)| (*at, publish.address)).collect();
    // Arrives 30 ms after each start, accepted 500 ms later, served 5 s after that.
    let expected = [5530, 7530, 9530].into_iter().zip(addresses.clone());
    assert_eq!(published, expected.collect::<Vec<_>>());
    assert_eq!(pair.b.server.address(&name()), Some(addresses[2]));
}

#[test]
fn a_failed_network_is_told_and_nothing_is_left() {
    use NetworkError::{Refused, TimedOut};
    let timed = ClientSettings { timeout: SimDuration::from_secs(30), ..curl() };
    let cases: [(Loss, _); 3] = [
        (|_, _| true, TimedOut),
        (|_, seen| seen.sender == 'b' && seen.what == "data", TimedOut),
        (|_, seen| seen.sender == 'a' && seen.what == "data", TimedOut),
    ];
    for (lose, error) in cases {
        let mut pair = updating(timed.clone(), ServerSettings::default());
        pair.lose = lose;
        update(&mut pair, home());
        pair.run(SimTime::from_secs(400));
        assert_eq!(pair.a.outcomes, [(30_000, UpdateOutcome::NetworkError(error))]);
        assert!(pair.a.client.is_idle());
        assert_eq!(pair.timers(), 0);
    }
    let client = UpdateClientHost { client: UpdateClient::new(timed), outcomes: Vec::new() };
    let deaf = Raw { tcp: Tcp::new(1), responses: Vec::new() };
    let mut pair = Pair::new(client, deaf, 10);
    pair.a.client.update(&mut pair.ctx_a, B, &name(), home());
    pair.run(SimTime::from_secs(100));
    assert_eq!(pair.a.outcomes, [(20, UpdateOutcome::NetworkError(Refused))]);
}

#[test]
fn an_unreachable_endpoint_is_told_at_once() {
    let mut pair = updating(curl(), ServerSettings::default());
    update(&mut pair, home());
    let outcome = pair.a.client.unreachable(&mut pair.ctx_a, B.at(Port::HTTP));
    assert_eq!(outcome, Some(UpdateOutcome::NetworkError(NetworkError::Unreachable)));
    assert!(pair.a.client.is_idle());
}

/// Sends one request after the other and gives the status and body of each answer.
fn ask(host: ServerHost, requests: Vec<Request>) -> (ServerHost, Vec<(u16, String)>) {
    let mut pair = Pair::new(Raw { tcp: Tcp::new(9), responses: Vec::new() }, host, 10);
    for (second, request) in requests.into_iter().enumerate() {
        pair.run(SimTime::from_secs(second as u64));
        let id = pair.a.tcp.connect(&mut pair.ctx_a, B.at(Port::HTTP), SimDuration::MAX).unwrap();
        assert!(pair.a.tcp.send(&mut pair.ctx_a, id, Message::Request(request)));
    }
    pair.run(SimTime::from_secs(100));
    let answers = pair.a.responses.into_iter();
    (pair.b, answers.map(|answer| (answer.status.code(), answer.body)).collect())
}

fn authorized(query: &str) -> Request {
    Request::get(format!("/nic/update?{query}"))
        .with("User-Agent", "Company - Device - 1")
        .with("Authorization", credentials().to_header())
}

#[test]
fn every_request_gets_the_code_that_it_deserves() {
    let without = |request: Request, field: &str| {
        let kept = request.headers.iter().filter(|(name, _)| *name != field);
        let headers = kept.fold(crate::http::Headers::default(), |h, (n, v)| h.with(n, v));
        Request { headers, ..request }
    };
    let wrong = Credentials::new("u", "q").to_header();
    let many = vec![NAME; 21].join(",");
    let plain = authorized("hostname=chord.dyndns.test&myip=1.2.3.4");
    let cases = [
        (without(plain.clone(), "Authorization"), 401, "badauth\n"),
        (without(plain.clone(), "Authorization").with("Authorization", wrong), 200, "badauth\n"),
        (without(plain.clone(), "User-Agent"), 200, "badagent\n"),
        (plain.clone(), 200, "good 1.2.3.4\n"),
        (plain, 200, "nochg 1.2.3.4\n"),
        // Without an address that can be read, the source of the request counts.
        (authorized("hostname=chord.dyndns.test"), 200, "good 10.0.0.1\n"),
        (authorized("hostname=chord.dyndns.test&myip=1.2.3"), 200, "nochg 10.0.0.1\n"),
        (
            authorized("hostname=Chord.dyndns.test.,other.dyndns.test&myip=1.1.1.1&mx=NOCHG"),
            200,
            "good 1.1.1.1\ngood 1.1.1.1\n",
        ),
        (authorized("myip=1.2.3.4"), 200, "notfqdn\n"),
        (authorized("hostname=chord,nobody.test,theirs.test"), 200, "notfqdn\nnohost\nnohost\n"),
        (authorized(&format!("hostname={many}")), 200, "numhost\n"),
        (Request::get("/"), 404, ""),
    ];
    let (requests, expected): (Vec<_>, Vec<_>) = cases
        .into_iter()
        .map(|(request, status, body)| (request, (status, body.to_owned())))
        .unzip();
    let (host, answers) = ask(server(ServerSettings::default()), requests);
    assert_eq!(answers, expected);
    assert_eq!(host.server.unchanged(), 2);
    assert_eq!(host.published.len(), 4);
}

#[test]
fn trouble_of_the_service_changes_nothing() {
    for (service, code) in [(Service::DnsError, "dnserr\n"), (Service::Maintenance, "911\n")] {
        let mut host = server(ServerSettings::default());
        host.server.set_service(service);
        let request = authorized("hostname=chord.dyndns.test&myip=1.2.3.4");
        let (host, answers) = ask(host, vec![request]);
        assert_eq!(answers, [(200, code.to_owned())]);
        assert_eq!(host.server.address(&name()), None);
        assert!(host.published.is_empty());
    }
}

#[test]
fn one_update_too_many_within_the_span_blocks_until_a_human_acts() {
    let settings = |seconds| ServerSettings {
        abuse_limit: Some(AbuseLimit { updates: 2, per: SimDuration::from_secs(seconds) }),
        ..ServerSettings::default()
    };
    let requests = || -> Vec<Request> {
        (1..=5).map(|n| authorized(&format!("hostname={NAME}&myip=1.1.1.{n}"))).collect()
    };
    let codes = |answers: Vec<(u16, String)>| -> Vec<String> {
        answers
            .into_iter()
            .map(|(_, body)| body.split_whitespace().next().unwrap().into())
            .collect()
    };
    // One a second: two within any two seconds (ends excluded) are allowed …
    let (host, answers) = ask(server(settings(2)), requests());
    assert_eq!(codes(answers), ["good"; 5]);
    assert!(!host.server.is_blocked(&name()));
    // … a third within three seconds is not, and then none.
    let (mut host, answers) = ask(server(settings(3)), requests());
    assert_eq!(codes(answers), ["good", "good", "abuse", "abuse", "abuse"]);
    assert!(host.server.is_blocked(&name()));
    assert_eq!(host.published.len(), 2);
    let other = authorized("hostname=other.dyndns.test&myip=1.1.1.1");
    host.server.reset_abuse();
    assert!(!host.server.is_blocked(&name()));
    let (_, answers) = ask(host, vec![other]);
    assert_eq!(codes(answers), ["good"]);
}

#[test]
fn a_crashed_server_forgets_requests_but_serves_what_it_had_accepted() {
    let settings =
        ServerSettings { publish_delay: SimDuration::from_secs(5), ..ServerSettings::default() };
    let client = ClientSettings { authentication: Authentication::Preemptive, ..curl() };
    let mut pair = updating(client, settings);
    update(&mut pair, home());
    // Accepted at 230 ms; the second request arrives at 1,030 ms and dies with the host.
    pair.run(SimTime::from_secs(1));
    update(&mut pair, Address::from_bits(1));
    pair.run(SimTime::from_nanos(1_100_000_000));
    pair.ctx_b = Wire::default_at(pair.ctx_b.now);
    assert!(pair.b.server.restart(&mut pair.ctx_b).is_empty());
    pair.run(SimTime::from_secs(200));
    assert_eq!(pair.b.published, [(5230, Publish { hostname: name(), address: home() })]);
    assert_eq!(pair.b.server.address(&name()), Some(home()));
    // The request had been acknowledged before the crash: the client waits for nothing.
    let lost = UpdateOutcome::NetworkError(NetworkError::TimedOut);
    assert_eq!(pair.a.outcomes.last(), Some(&(121_000, lost)));
}

#[test]
fn a_client_s_answers_from_elsewhere_are_http_errors_unless_they_say_a_code() {
    use crate::http::Status;
    struct Canned(Tcp<Message>, Response);
    impl Host for Canned {
        type Data = Message;
        type Timer = TcpTimer;
        type Observation = ();
        fn receive(&mut self, ctx: &mut Wire<Self>, from: Endpoint, segment: UpdateSegment) {
            for upcall in self.0.receive(ctx, from, segment) {
                if let Upcall::Received(id, _) = upcall {
                    self.0.send(ctx, id, Message::Response(self.1.clone()));
                }
            }
        }
        fn timer(&mut self, ctx: &mut Wire<Self>, timer: TcpTimer) {
            self.0.timer(ctx, timer);
        }
    }
    let unavailable = Status::new(503).unwrap();
    for (response, segments, expected) in [
        (Response::text(unavailable, "good"), 10, UpdateOutcome::HttpError(unavailable)),
        (Response::text(Status::OK, "<html>"), 10, UpdateOutcome::HttpError(Status::OK)),
        (Response::text(Status::OK, "911"), 10, UpdateOutcome::Code(ReturnCode::Maintenance)),
        // Credentials are refused: the second 401 is final.
        (Response::challenge("x", "badauth"), 20, UpdateOutcome::Code(ReturnCode::BadAuth)),
        (Response::challenge("x", ""), 20, UpdateOutcome::HttpError(Status::UNAUTHORIZED)),
    ] {
        let client = UpdateClientHost { client: UpdateClient::new(curl()), outcomes: Vec::new() };
        let mut tcp = Tcp::new(4);
        tcp.listen(Port::HTTP);
        let mut pair = Pair::new(client, Canned(tcp, response), 10);
        pair.a.client.update(&mut pair.ctx_a, B, &name(), home());
        pair.run(SimTime::from_secs(100));
        let outcomes: Vec<UpdateOutcome> = pair.a.outcomes.iter().map(|o| o.1).collect();
        assert_eq!(outcomes, [expected]);
        assert_eq!(pair.seen.len(), segments);
    }
}

#[test]
fn timer_slots_are_dense_and_distinct() {
    use crate::sim::Timer as _;
    let slots =
        [ClientTimer::Timeout, ClientTimer::Tcp(TcpTimer(0)), ClientTimer::Tcp(TcpTimer(7))];
    assert_eq!(slots.map(|timer| timer.slot()), [0, 1, 8]);
    assert_eq!(ClientTimer::SLOTS, 9);
    let slots = [ServerTimer::Service, ServerTimer::Publish, ServerTimer::Tcp(TcpTimer(0))];
    assert_eq!(slots.map(|timer| timer.slot()), [0, 1, 2]);
}
