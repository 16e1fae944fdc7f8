//! Runs the scripts in `tests/dns/`: what a resolver does over time, for DNS people to review.
//!
//! A script begins with settings (`profile`, `ttl`, `negative_ttl`, `min_ttl`, `max_ttl`,
//! `prefetch on`, `stale`, `reply_ttl`, `client_timeout_ms`). Then an `at` line is something that happens: `ask TYPE NAME` (a client),
//! `serve ADDRESS…|nothing` (the authority's addresses for `chord`), `silent`, `speaks` (the
//! authority), `end`. The lines below it, without `at`, are all that the resolver sends until the
//! next `at` line, with the time in seconds: `query TYPE NAME` to the authority, or to the client an
//! address, NXDOMAIN or NODATA with its TTL, or SERVFAIL. Names lie in `dyndns.test`; the way
//! to the authority takes no time. `#` begins a comment. Every answer is judged by the checker.

#![expect(clippy::unwrap_used, reason = "a script that cannot be read fails the test")]

use std::path::Path;
use std::sync::Arc;

use overcord::address::{Address, Endpoint, Port};
use overcord::dns::answer::Reply;
use overcord::dns::binding::{Binding, Form};
use overcord::dns::checker::TtlChecker;
use overcord::dns::profile::Stale;
use overcord::dns::resolver::{Config, Delegation, Observation, Resolver, Timer};
use overcord::dns::{
    Answer, Authority, DomainName, Message, Negative, Profile, Question, RecordType, Ttl, Zone,
    authority,
};
use overcord::rng::{Dice, Draws, NameHash, Purpose};
use overcord::sim::{Context as _, Recorder};
use overcord::time::{SimDuration, SimTime};

const AUTHORITY: Endpoint = Address::from_bits(53).at(Port::DNS);
const CLIENT: Endpoint = Address::from_bits(7).at(Port::EPHEMERAL);

struct Lab {
    resolver: Resolver,
    authority: Authority,
    binding: Binding,
    speaks: bool,
    checker: TtlChecker,
    ctx: Recorder<Message, Timer, Observation>,
    served: Recorder<Message, authority::Timer, authority::Observation>,
    asked: u16,
    log: Vec<String>,
}

fn name(label: &str) -> DomainName {
    format!("{label}.dyndns.test").parse().unwrap()
}

impl Lab {
    fn new(settings: &[(&str, &str)]) -> Self {
        let value = |key: &str| settings.iter().find(|(known, _)| *known == key).map(|(_, v)| *v);
        let ttl = |key: &str, default| {
            Ttl::from_secs(value(key).map_or(default, |seconds| seconds.parse().unwrap()))
        };
        let profile = match value("profile") {
            Some("rfc") => Profile::Rfc,
            Some("unbound") => Profile::Unbound,
            Some("bind") => Profile::Bind,
            other => panic!("unknown profile {other:?}"),
        };
        let apex: DomainName = "dyndns.test".parse().unwrap();
        let delegation = Delegation::to_one(apex.clone(), AUTHORITY);
        let mut config = Config::new(profile, vec![delegation]);
        config.cache.min_ttl = ttl("min_ttl", 0);
        config.cache.max_ttl = ttl("max_ttl", config.cache.max_ttl.as_secs());
        if value("stale").is_some() {
            config.cache.stale = Some(Stale {
                ttl: ttl("stale", 0).as_duration(),
                reply_ttl: ttl("reply_ttl", 30),
                client_timeout: SimDuration::from_millis(u64::from(
                    ttl("client_timeout_ms", 1_800).as_secs(),
                )),
            });
        }
        if value("prefetch") == Some("on") {
            config.cache.prefetch = profile.prefetch();
        }
        let binding =
            Binding::new(name("chord"), apex.clone(), Form::Addresses, ttl("ttl", 60)).unwrap();
        let zone =
            Zone::conventional(apex, AUTHORITY.address, ttl("ttl", 60), ttl("negative_ttl", 60));
        let dice = Dice::new(Draws::new(1, Purpose::Protocol), NameHash::of("isp"));
        Self {
            checker: TtlChecker::new(config.cache),
            resolver: Resolver::new(Arc::new(config), dice),
            authority: Authority::new(vec![zone.unwrap()]),
            binding,
            speaks: true,
            ctx: Recorder::new(),
            served: Recorder::new(),
            asked: 0,
            log: Vec::new(),
        }
    }

    fn run_until(&mut self, at: SimTime) {
        while self.ctx.due(Timer).is_some_and(|due| due <= at) {
            let timer = self.ctx.next_timer().unwrap();
            self.resolver.timer(&mut self.ctx, timer);
            self.deliver();
        }
        self.ctx.advance(at - self.ctx.now());
    }

    fn happen(&mut self, words: &[&str]) {
        match words {
            ["ask", rtype, label] => {
                let rtype = match *rtype {
                    "A" => RecordType::A,
                    "SRV" => RecordType::SRV,
                    other => panic!("unknown type {other}"),
                };
                self.asked += 1;
                let query = Message::query(self.asked, Question::new(name(label), rtype));
                self.resolver.receive(&mut self.ctx, CLIENT, query);
            }
            ["serve", "nothing"] => self.serve(&[]),
            ["serve", addresses @ ..] => {
                let addresses: Vec<_> = addresses.iter().map(|a| a.parse().unwrap()).collect();
                self.serve(&addresses);
            }
            ["silent"] => self.speaks = false,
            ["speaks"] => self.speaks = true,
            ["end"] => {}
            other => panic!("unknown happening {other:?}"),
        }
        self.deliver();
    }

    fn serve(&mut self, addresses: &[Address]) {
        self.authority.publish(&mut self.served, &self.binding, addresses).unwrap();
    }

    /// Takes what was sent where it belongs, and writes it down.
    fn deliver(&mut self) {
        while !self.ctx.sent.is_empty() {
            let (to, message) = self.ctx.sent.remove(0);
            let now = self.ctx.now();
            if to == CLIENT {
                self.checker.downstream(now, &message).unwrap();
                self.log.push(format!("{now} {}", told(&message)));
                continue;
            }
            let label = message.question.name.labels().next().unwrap().to_owned();
            self.log.push(format!("{now} query {} {label}", message.question.rtype));
            if self.speaks {
                self.authority.receive(&mut self.served, CLIENT, &message);
                let (_, response) = self.served.take_sent().remove(0);
                self.checker.upstream(now, &response);
                self.resolver.receive(&mut self.ctx, AUTHORITY, response);
            }
        }
    }
}

fn told(response: &Message) -> String {
    let Reply { answer, ttl, .. } = Reply::of(response);
    let what = match &answer {
        Answer::Failure => return "SERVFAIL".to_owned(),
        Answer::Negative(Negative::NxDomain) => "NXDOMAIN".to_owned(),
        Answer::Negative(Negative::NoData) => "NODATA".to_owned(),
        Answer::Records(_) => {
            answer.addresses().map(|address| address.to_string()).collect::<Vec<_>>().join(" ")
        }
    };
    format!("{what} ttl {ttl}")
}

fn seconds(text: &str) -> SimTime {
    SimTime::ZERO + SimDuration::from_secs_f64(text.parse().unwrap())
}

fn run(path: &Path) {
    let script = std::fs::read_to_string(path).unwrap();
    let lines = script.lines().map(|line| line.split('#').next().unwrap_or(line));
    let lines: Vec<Vec<&str>> = lines
        .map(|line| line.split_whitespace().collect())
        .filter(|words: &Vec<_>| !words.is_empty())
        .collect();
    let begin = lines.iter().position(|words| words[0] == "at").expect("something happens");
    let settings: Vec<_> = lines[..begin].iter().map(|words| (words[0], words[1])).collect();
    let mut lab = Lab::new(&settings);
    let mut expected = Vec::new();
    for words in &lines[begin..] {
        if let ["at", at, rest @ ..] = &words[..] {
            lab.run_until(seconds(at));
            lab.happen(rest);
        } else {
            expected.push(words.join(" "));
        }
    }
    let differs = lab.log.iter().zip(&expected).position(|(log, expected)| log != expected);
    assert_eq!(lab.log, expected, "{}: first difference at {differs:?}", path.display());
}

#[test]
fn resolvers_do_what_the_scripts_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dns");
    let mut scripts: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    scripts.sort();
    assert!(scripts.len() >= 7, "the scripts are where they were: {scripts:?}");
    for script in scripts {
        run(&script);
    }
}
