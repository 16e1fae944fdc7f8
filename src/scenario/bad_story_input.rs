//! Bad input about the story that is told of a run, and what sound input gives.

use std::path::Path;

use super::Scenario;
use super::bad_input::check;
use super::plan::{Addressee, Matter, Occurrence, StoryMethod, StoryProtocol};

/// Two members, a domain with a phone and two generated users, and the head of a story. 19 lines.
const BASE: &str = "\
name = \"x\"
[dns]
[[dns.resolver]]
name = \"isp\"
[dyndns]
[handover]
[[host]]
name = \"alice\"
[[host]]
name = \"bob-pc\"
user = \"bob\"
[[caller]]
domain = \"deebee.dsl.ru.ac.za\"
users = 2
messages.rate = \"1/m\"
[[host]]
name = \"linphone\"
domain = \"Deebee.dsl.ru.ac.za\"
[story]
";

/// `(the rest of the story, messages)`; `! ` stands for the head of an exchange, two lines.
fn tell(cases: &[(&str, &str)]) {
    let whole = |text: &str| {
        let text = text.replace("! ", "[[story.exchange]]\ntitle = \"it\"\n");
        format!("{BASE}{text}")
    };
    let cases: Vec<_> = cases.iter().map(|(text, told)| (whole(text), *told)).collect();
    let cases: Vec<_> = cases.iter().map(|(text, told)| (text.as_str(), *told)).collect();
    check(&cases);
}

fn sound(text: &str) -> Scenario {
    let text = format!("{BASE}{text}");
    Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[])
        .unwrap_or_else(|report| panic!("{report}"))
}

#[test]
fn an_absent_key_is_the_usual_one() {
    let story = sound("").plan.story.unwrap();
    assert_eq!(
        story.hosts,
        ["alice", "bob-pc", "linphone", "deebee.dsl.ru.ac.za", "update-service"]
    );
    assert_eq!(story.protocols, [StoryProtocol::Sip, StoryProtocol::Http]);
    assert_eq!(story.exchanges, []);
    let none = BASE.replace("[story]\n", "");
    let none = Scenario::parse("x.toml", none.as_bytes(), Path::new(""), &[]).unwrap();
    assert_eq!(none.plan.story, None);
}

#[test]
fn users_are_named_by_their_host_or_their_address() {
    for (from, to) in [
        ("linphone", "bob-pc"),
        ("linphone@Deebee.dsl.ru.ac.za", "sip:bob@chord.dyndns.org"),
        ("user-0001@deebee.dsl.ru.ac.za", "bob@chord.dyndns.org"),
    ] {
        let exchange = format!(
            "[[story.exchange]]\ntitle = \"a\"\nmethod = \"MESSAGE\"\nfrom = \"{from}\"\nto = \"{to}\"\n\
             [[story.exchange]]\ntitle = \"b\"\nmethod = \"REGISTER\"\nfrom = \"{from}\"\n\
             [[story.exchange]]\ntitle = \"c\"\nevent = \"notified\"\nhost = \"{to}\"\nto = \"{from}\""
        );
        let story = sound(&exchange).plan.story.unwrap();
        let host = from.split('@').next().filter(|it| *it == "linphone").unwrap_or(from);
        let [message, register, notified] = &story.exchanges[..] else { panic!("there are three") };
        let Matter::Request { method, from, to: Addressee::User(to), status, .. } = &message.matter
        else {
            panic!("{message:?}")
        };
        assert_eq!((*method, from.as_str(), *status), (StoryMethod::Message, host, 200));
        let uri = to.uri.to_string();
        assert_eq!((to.host.as_str(), uri.as_str()), ("bob-pc", "sip:bob@chord.dyndns.org"));
        let Matter::Request { to, .. } = &register.matter else { panic!("{register:?}") };
        assert_eq!(*to, Addressee::Domain("deebee.dsl.ru.ac.za".to_owned()));
        let Matter::Notified { host: told, to, .. } = &notified.matter else {
            panic!("{notified:?}")
        };
        assert_eq!((told.as_str(), to.host.as_str()), ("bob-pc", host));
    }
}

#[test]
fn the_effective_story_is_the_same() {
    let first = sound(
        "hosts = [\"alice\", \"isp-1\", \"dns-authority\", \"DEEBEE.dsl.ru.ac.za\"]\n\
         protocols = [\"dns\", \"icmp\", \"tcp\"]\n\
         [[story.exchange]]\ntitle = \"a\"\nmethod = \"PUBLISH\"\nfrom = \"linphone\"\nstatus = 412\n\
         via = [\"Deebee.dsl.ru.ac.za\", \"alice\"]\n\
         [[story.exchange]]\ntitle = \"b\"\nmethod = \"NOTIFY\"\nfrom = \"alice\"\nto = \"linphone\"\n\
         [[story.exchange]]\ntitle = \"c\"\nevent = \"update\"\nhost = \"bob@chord.dyndns.org\"\n\
         [[story.exchange]]\ntitle = \"d\"\nevent = \"notified\"\nhost = \"alice\"\nto = \"bob-pc\"\n\
         presence = \"closed\"",
    );
    let effective = first.effective();
    let second = Scenario::parse("x.toml", effective.as_bytes(), Path::new(""), &[]).unwrap();
    assert_eq!(first.plan, second.plan, "{effective}");
    assert_eq!(effective, second.effective());
    assert_eq!(first.plan.story.unwrap().hosts[3], "deebee.dsl.ru.ac.za");
}

#[test]
fn what_a_story_is_about() {
    tell(&[
        (
            "hosts = [\"alcie\", \"alice\", \"Deebee.dsl.ru.ac.za\", \"alice\", \"isp-99\"]",
            "x.toml:20:10: story.hosts.0: there is no host `alcie`; did you mean `alice`?\n\
             x.toml:20:51: story.hosts.3: host `alice` is named twice; the first is number 0\n\
             x.toml:20:60: story.hosts.4: there is no host `isp-99`; there is `alice`, `bob-pc`, \
             `linphone`, `deebee.dsl.ru.ac.za`, `update-service` or `dns-authority`",
        ),
        (
            "hosts = \"alice\"",
            "x.toml:20:9: story.hosts: expected a list of strings, found \"alice\"",
        ),
        ("hosts = [1]", "x.toml:20:10: story.hosts.0: expected a string, found 1"),
        (
            "protocols = [\"sip\", \"htpp\"]",
            "x.toml:20:21: story.protocols.1: expected `sip`, `http`, `icmp`, `tcp`, `dns`, \
             `turn` or `media`, found \"htpp\"; did you mean `http`?",
        ),
        (
            "protocols = [\"sip\", \"tcp\", \"sip\"]",
            "x.toml:20:28: story.protocols.2: protocol `sip` is named twice; the first is number 0",
        ),
        (
            "host = [\"alice\"]",
            "x.toml:20:1: story.host: unknown key `host`; it belongs in [[story.exchange]]",
        ),
    ]);
}

#[test]
fn exchanges_that_are_not_said_whole() {
    tell(&[
        (
            "[[story.exchange]]\nevent = \"joined\"",
            "x.toml:20:1: story.exchange.0: missing key `title`: What it is called where it is \
             ticked off.",
        ),
        ("! ", "x.toml:20:1: story.exchange.0: missing key: either `method` or `event`"),
        (
            "! method = \"BYE\"\nevent = \"update\"",
            "x.toml:23:1: story.exchange.0.event: `event` and `method` exclude each other",
        ),
        (
            "! method = \"MESSAGE\"",
            "x.toml:20:1: story.exchange.0: missing key `from`: who sends it: a host, such as \
             \"alice\", or \"user@domain\"\n\
             x.toml:20:1: story.exchange.0: missing key `to`: to whom it is sent: a host, such as \
             \"alice\", or \"user@domain\"",
        ),
        (
            "! event = \"joined\"",
            "x.toml:20:1: story.exchange.0: missing key `host`: where it happens, such as \"alice\"",
        ),
        (
            "! method = \"INVITE\"\nfrom = \"alice\"\nto = \"linphone\"\nhost = \"alice\"\n\
             presence = \"open\"",
            "x.toml:25:1: story.exchange.0.host: `host` has no meaning with `method`\n\
             x.toml:26:1: story.exchange.0.presence: `presence` has no meaning with `method`",
        ),
        (
            "! event = \"proxy\"\nhost = \"alice\"\nto = \"linphone\"\nstatus = 200",
            "x.toml:24:1: story.exchange.0.to: `to` has no meaning with any event but \"notified\"\n\
             x.toml:25:1: story.exchange.0.status: `status` has no meaning with `event`",
        ),
        (
            "! method = \"SUBCRIBE\"",
            "x.toml:22:10: story.exchange.0.method: expected `REGISTER`, `PUBLISH`, `SUBSCRIBE`, \
             `NOTIFY`, `MESSAGE`, `INVITE` or `BYE`, found \"SUBCRIBE\"; did you mean `SUBSCRIBE`?",
        ),
        (
            "! method = \"MESSAGE\"\nfrom = \"alice\"\nto = \"linphone\"\nstatus = 183",
            "x.toml:25:10: story.exchange.0.status: 183 is out of range: an integer from 200 to 699",
        ),
        (
            "! event = \"joined\"\nhost = \"alice\"\n! event = \"joined\"\nhost = \"bob-pc\"",
            "x.toml:25:9: story.exchange.1.title: exchange `it` is named twice; the first is \
             number 0",
        ),
    ]);
}

#[test]
fn exchanges_that_cannot_be() {
    tell(&[
        (
            "! method = \"MESSAGE\"\nfrom = \"alice\"\nto = \"linphone\"\nvia = [\"alcie\"]",
            "x.toml:25:8: story.exchange.0.via.0: there is no host `alcie`; did you mean `alice`?",
        ),
        (
            "! event = \"joined\"\nhost = \"alice\"\nvia = []",
            "x.toml:24:1: story.exchange.0.via: `via` has no meaning with `event`",
        ),
        (
            "! method = \"MESSAGE\"\nfrom = \"alcie\"\nto = \"bbo@chord.dyndns.org\"",
            "x.toml:23:8: story.exchange.0.from: there is no host `alcie`; did you mean `alice`?\n\
             x.toml:24:6: story.exchange.0.to: there is no user `bbo` at `chord.dyndns.org`; did you \
             mean `bob`?",
        ),
        (
            "! method = \"MESSAGE\"\nfrom = \"update-service\"\nto = \"bob@\"",
            "x.toml:23:8: story.exchange.0.from: `update-service` has no user: it is a server\n\
             x.toml:24:10: story.exchange.0.to: `bob@` is not the address of a user, such as \
             `bob@chord.dyndns.org`: there is no domain after the `@`",
        ),
        (
            "! method = \"MESSAGE\"\nfrom = \"bob-pc\"\nto = \"bob@chord.dyndns.org\"",
            "x.toml:24:6: story.exchange.0.to: the user of `bob-pc` would address itself",
        ),
        (
            "! method = \"REGISTER\"\nfrom = \"alice\"",
            "x.toml:22:10: story.exchange.0.method: `alice` never sends REGISTER: members have no \
             server: they register in the overlay",
        ),
        (
            "! method = \"NOTIFY\"\nfrom = \"linphone\"\nto = \"alice\"",
            "x.toml:22:10: story.exchange.0.method: `linphone` never sends NOTIFY: the server of \
             its domain notifies in its place",
        ),
        (
            "! method = \"PUBLISH\"\nfrom = \"linphone\"\nto = \"chord.dyndns.org\"",
            "x.toml:24:6: story.exchange.0.to: `linphone` sends PUBLISH to its own domain, \
             `deebee.dsl.ru.ac.za`, alone",
        ),
        (
            "! event = \"update\"\nhost = \"linphone\"",
            "x.toml:23:8: story.exchange.0.host: `linphone` is a phone of `Deebee.dsl.ru.ac.za`: \
             this happens to members of the overlay",
        ),
    ]);
}

#[test]
fn sections_that_an_exchange_needs() {
    check(&[
        (
            "name = \"x\"\n[[host]]\nname = \"a\"\n[[story.exchange]]\ntitle = \"it\"\n\
             event = \"update\"\nhost = \"a\"\n[[story.exchange]]\ntitle = \"role\"\n\
             event = \"proxy\"\nhost = \"a\"",
            "x.toml:6:9: story.exchange.0.event: an update of the binding needs a section [dyndns]\n\
             x.toml:10:9: story.exchange.1.event: the proxy role needs a section [handover]",
        ),
        (
            "name = \"x\"\n[[host]]\nname = \"a\"\n[[host]]\nname = \"b\"\n[[story.exchange]]\n\
             title = \"it\"\nmethod = \"MESSAGE\"\nfrom = \"a\"\nto = \"b\"",
            "x.toml:6:1: story.exchange.0: an exchange between SIP users needs a section [dns]\n\
             x.toml:6:1: story.exchange.0: an exchange between SIP users needs a section [handover]",
        ),
    ]);
}

#[test]
fn generated_members_are_known_by_their_number() {
    let text = "name = \"x\"\n[overlay]\nnodes = 20\n[story]\nhosts = [\"node-00001\"]\n\
                [[story.exchange]]\ntitle = \"it\"\nevent = \"joined\"\nhost = ";
    let read = |host: &str| {
        Scenario::parse("x.toml", format!("{text}\"{host}\"").as_bytes(), Path::new(""), &[])
    };
    let plan = read("node-00020").unwrap_or_else(|report| panic!("{report}")).plan;
    let Matter::Event { host, .. } = &plan.story.unwrap().exchanges[0].matter else {
        panic!("it is an event")
    };
    assert_eq!(host, "node-00020");
    assert_eq!(
        read("node-00021").unwrap_err().to_string(),
        "x.toml:9:8: story.exchange.0.host: there is no host `node-00021`; did you mean \
         `node-00001`?"
    );
    // Under churn their number is only known once it has been drawn.
    let churned = format!("{text}\"node-00999\"\n[churn]\n");
    let told = Scenario::parse("x.toml", churned.as_bytes(), Path::new(""), &[]).unwrap_err();
    let told = told.to_string();
    assert!(told.starts_with("x.toml:9:8: story.exchange.0.host: there is no host `node-00999`"));
}

#[test]
fn every_occurrence_is_a_word() {
    for (word, occurrence) in [
        ("update", Occurrence::Update),
        ("joined", Occurrence::Joined),
        ("proxy", Occurrence::Proxy),
        ("notified", Occurrence::Notified),
    ] {
        assert_eq!(serde_json::from_str::<Occurrence>(&format!("\"{word}\"")).unwrap(), occurrence);
    }
}
