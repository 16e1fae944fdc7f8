//! Bad input about SIP: domains, users, and what they do.

use std::path::Path;

use super::Scenario;
use super::bad_input::check;

/// A small story: two members, a domain with one phone and two generated users, and one that only
/// looks up. 23 lines.
const STORY: &str = "\
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
domain = \"Deebee.dsl.ru.ac.za\"
users = 2
messages.rate = \"1/m\"
[[host]]
name = \"linphone\"
domain = \"deebee.dsl.RU.ac.za\"
[[caller]]
domain = \"idle.example\"
lookups.rate = \"1/m\"
[[event]]
at = \"2h\"
";

/// `(the rest of the story, messages)`.
fn tell(cases: &[(&str, &str)]) {
    let cases: Vec<_> =
        cases.iter().map(|(text, told)| (format!("{STORY}{text}"), *told)).collect();
    let cases: Vec<_> = cases.iter().map(|(text, told)| (text.as_str(), *told)).collect();
    check(&cases);
}

#[test]
fn the_story_itself_is_sound() {
    for event in [
        "action = \"register\"\nhost = \"linphone\"",
        "action = \"publish\"\nhost = \"user-0002@deebee.dsl.ru.ac.za\"\nstatus = \"closed\"",
        "action = \"message\"\nhost = \"alice\"\nto = \"sip:linphone@Deebee.dsl.ru.ac.za\"",
        "action = \"subscribe\"\nhost = \"linphone\"\nto = \"bob@chord.dyndns.org\"\nfor = \"2h\"",
        "action = \"unsubscribe\"\nhost = \"bob-pc\"\nto = \"alice@chord.dyndns.org\"",
        "action = \"call\"\nhost = \"bob-pc\"\nto = \"user-0001@deebee.dsl.ru.ac.za\"\ntalk = \"9s\"",
    ] {
        let text = format!("{STORY}{event}");
        let read = Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[]);
        assert!(read.is_ok(), "{}", read.unwrap_err());
    }
}

#[test]
fn malformed_addresses() {
    tell(&[
        (
            "action = \"call\"\nhost = \"alice\"\nto = \"linphone\"",
            "x.toml:26:7: event.0.to: `linphone` is not the address of a user, such as \
             `bob@chord.dyndns.org`: there is no `@` between user and domain",
        ),
        (
            "action = \"call\"\nhost = \"alice\"\nto = 'tel:+27466038111'",
            "x.toml:26:7: event.0.to: `tel:+27466038111` is not the address of a user, such as \
             `bob@chord.dyndns.org`: the scheme is not `sip`",
        ),
        (
            "action = \"call\"\nhost = \"alice\"\nto = \"sip:lin phone@a.org\"",
            "x.toml:26:14: event.0.to: `sip:lin phone@a.org` is not the address of a user, such as \
             `bob@chord.dyndns.org`: this cannot stand in the name of a user",
        ),
        (
            "action = \"call\"\nhost = \"alice\"\nto = \"sip:linphone@a.org:5062\"",
            "x.toml:26:25: event.0.to: `sip:linphone@a.org:5062` is not the address of a user, such \
             as `bob@chord.dyndns.org`: only user and domain stand here",
        ),
        // Where a string has escapes, the place is that of the whole.
        (
            "action = \"call\"\nhost = \"alice\"\nto = \"lin\\u0020phone@a.org\"",
            "x.toml:26:6: event.0.to: `lin phone@a.org` is not the address of a user, such as \
             `bob@chord.dyndns.org`: this cannot stand in the name of a user",
        ),
    ]);
}

#[test]
fn users_that_cannot_exist() {
    tell(&[
        (
            "action = \"message\"\nhost = \"linphone\"\nto = \"bbo@chord.dyndns.org\"",
            "x.toml:26:6: event.0.to: there is no user `bbo` at `chord.dyndns.org`; did you mean \
             `bob`?",
        ),
        // The host is called bob-pc, its user is not.
        (
            "action = \"message\"\nhost = \"linphone\"\nto = \"bob-pc@chord.dyndns.org\"",
            "x.toml:26:6: event.0.to: there is no user `bob-pc` at `chord.dyndns.org`; there is \
             `alice` or `bob`",
        ),
        // Nobody is generated beside named members.
        (
            "action = \"message\"\nhost = \"linphone\"\nto = \"node-00001@chord.dyndns.org\"",
            "x.toml:26:6: event.0.to: there is no user `node-00001` at `chord.dyndns.org`; there is \
             `alice` or `bob`",
        ),
        (
            "action = \"message\"\nhost = \"alice\"\nto = \"user-0003@deebee.dsl.ru.ac.za\"",
            "x.toml:26:6: event.0.to: there is no user `user-0003` at `deebee.dsl.ru.ac.za`; did \
             you mean `user-0001`?",
        ),
        (
            "action = \"message\"\nhost = \"alice\"\nto = \"linphone@debee.dsl.ru.ac.za\"",
            "x.toml:26:6: event.0.to: there is no SIP domain `debee.dsl.ru.ac.za`; did you mean \
             `deebee.dsl.ru.ac.za`?",
        ),
        (
            "action = \"message\"\nhost = \"alice\"\nto = \"user-0001@idle.example\"",
            "x.toml:26:6: event.0.to: `idle.example` has no SIP server: its users only look up",
        ),
        (
            "action = \"call\"\nhost = \"bob-pc\"\nto = \"bob@chord.dyndns.org\"",
            "x.toml:26:6: event.0.to: the user of `bob-pc` would address itself",
        ),
    ]);
}

#[test]
fn hosts_that_cannot_act() {
    let register = |host: &str| format!("action = \"register\"\nhost = \"{host}\"");
    for (host, told) in [
        ("alcie", "there is no host `alcie`; did you mean `alice`?"),
        ("Alice", "there is no host `Alice`; did you mean `alice`?"),
        (
            "user-0003@deebee.dsl.ru.ac.za",
            "there is no host `user-0003@deebee.dsl.ru.ac.za`; did you mean \
             `user-0001@deebee.dsl.ru.ac.za`?",
        ),
        ("proxy", "`proxy` has no user: it stands for a role, and a user acts by its own name"),
        ("10%", "`10%` has no user: it is a share, and each user acts by itself"),
        ("dns-authority", "`dns-authority` has no user: it is a server"),
        ("idle.example", "`idle.example` has no user: it is the server of a domain"),
        ("isp-1", "`isp-1` has no user: it is a resolver"),
    ] {
        let told = format!("x.toml:25:8: event.0.host: {told}");
        tell(&[(&register(host), &told)]);
    }
    // Nobody acts before he is there.
    tell(&[(
        "action = \"register\"\nhost = \"late\"\n[[host]]\nname = \"late\"\nstart = \"3h\"",
        "x.toml:23:6: event.0.at: 2h must be later than `host.start`, which is 3h",
    )]);
    // A phone is no member.
    tell(&[(
        "action = \"depart\"\nhost = \"linphone\"",
        "x.toml:25:8: event.0.host: `linphone` is a phone of `deebee.dsl.ru.ac.za`: only members \
         of the overlay come and go",
    )]);
}

#[test]
fn keys_that_do_not_fit_the_action() {
    tell(&[
        (
            "action = \"call\"",
            "x.toml:22:1: event.0: missing key `host`: whose user acts, such as \"alice\"\n\
             x.toml:22:1: event.0: missing key `to`: the user that is addressed, \"user@domain\"",
        ),
        (
            "action = \"register\"\nhost = \"alice\"\nto = \"bob@chord.dyndns.org\"\ntalk = \"1s\"",
            "x.toml:26:1: event.0.to: `to` has no meaning with action \"register\"\n\
             x.toml:27:1: event.0.talk: `talk` has no meaning with action \"register\"",
        ),
        (
            "action = \"message\"\nhost = \"alice\"\nto = \"bob@chord.dyndns.org\"\nfor = \"1h\"\n\
             status = \"open\"",
            "x.toml:27:1: event.0.for: `for` has no meaning with action \"message\"\n\
             x.toml:28:1: event.0.status: `status` has no meaning with action \"message\"",
        ),
        (
            "action = \"depart\"\nhost = \"alice\"\ntext = \"Bye\"",
            "x.toml:26:1: event.0.text: `text` has no meaning with action \"depart\"",
        ),
        (
            "action = \"publish\"\nhost = \"alice\"\nstatus = \"away\"",
            "x.toml:26:10: event.0.status: expected `open` or `closed`, found \"away\"",
        ),
        (
            "action = \"subcribe\"",
            "x.toml:24:10: event.0.action: expected `subscribe`, `unsubscribe`, `publish`, `depart` \
             or one of 10 others, found \"subcribe\"; did you mean `subscribe`?",
        ),
    ]);
    let long = "x".repeat(1_301);
    let text = format!(
        "action = \"message\"\nhost = \"alice\"\nto = \"bob@chord.dyndns.org\"\ntext = \"{long}\""
    );
    let told = "x.toml:27:8: event.0.text: an instant message of 1301 octets: at most 1300 are \
                allowed";
    tell(&[(&text, told)]);
}

#[test]
fn names_of_users() {
    let story = STORY.replace("[[event]]\nat = \"2h\"\n", "");
    let host = |keys: &str, told: &str| check(&[(&format!("{story}[[host]]\n{keys}"), told)]);
    host(
        "name = \"eve\"\nuser = \"bob\"",
        "x.toml:24:8: host.3.user: user `bob` is named twice; the first is number 1",
    );
    host(
        "name = \"bob\"",
        "x.toml:23:8: host.3.name: user `bob` is named twice; the first is number 1",
    );
    host(
        "name = \"eve\"\nuser = \"node-00007\"",
        "x.toml:24:8: host.3.user: `node-00007` is reserved: members without a name have it",
    );
    host(
        "name = \"eve\"\nuser = \"user-0007\"\ndomain = \"deebee.dsl.ru.ac.za\"",
        "x.toml:24:8: host.3.user: `user-0007` is reserved: generated users have it",
    );
    host(
        "name = \"eve\"\nuser = \"e v\"",
        "x.toml:24:8: host.3.user: `e v` is not the name of a user: only letters, digits, dashes, \
         dots, `_` and `+`, 64 at most",
    );
    host(
        "name = \"eve\"\nresolver = \"isp\"\ndomain = \"chord.dyndns.org\"",
        "x.toml:24:1: host.3.resolver: `resolver` has no meaning with `domain`: a phone sends \
         everything to its server\n\
         x.toml:25:10: host.3.domain: `chord.dyndns.org` is the overlay's own domain: a member has \
         it without this key",
    );
    host(
        "name = \"eve\"\ndomain = \"idle.example\"",
        "x.toml:24:10: host.3.domain: `idle.example` has no SIP server: its users only look up",
    );
    host(
        "name = \"eve\"\ndomain = \"deebee.dsl.ru.ac.z\"",
        "x.toml:24:10: host.3.domain: there is no [[caller]] with the domain \
         `deebee.dsl.ru.ac.z`; did you mean `deebee.dsl.ru.ac.za`?",
    );
    // The same user in two domains, and a user called like a phone, are sound.
    for keys in [
        "name = \"bob-phone\"\nuser = \"bob\"\ndomain = \"deebee.dsl.ru.ac.za\"",
        "name = \"user-0001\"",
    ] {
        let text = format!("{story}[[host]]\n{keys}");
        let read = Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[]);
        assert!(read.is_ok(), "{}", read.unwrap_err());
    }
}

#[test]
fn a_user_needs_a_domain_and_a_domain_a_server() {
    check(&[
        (
            "name = \"x\"\n[[host]]\nname = \"alice\"\nuser = \"alice\"",
            "x.toml:4:1: host.0.user: a SIP user needs a section [dns]\n\
             x.toml:4:1: host.0.user: a SIP user needs a section [handover]",
        ),
        (
            "name = \"x\"\n[dns]\n[[dns.resolver]]\nname = \"isp\"\n[[host]]\nname = \"phone\"\n\
             domain = \"a.example\"",
            "x.toml:7:1: host.0.domain: a SIP user needs a section [handover]\n\
             x.toml:7:10: host.0.domain: there is no [[caller]] with the domain `a.example`; none is \
             defined",
        ),
        (
            "name = \"x\"\n[[caller]]\ndomain = \"a.example\"\nusers = 0",
            "x.toml:2:1: caller.0: a caller needs a section [dns]\n\
             x.toml:2:1: caller.0: a domain with a SIP server needs a section [handover]",
        ),
        (
            "name = \"x\"\n[[event]]\nat = \"1h\"\naction = \"message\"\nhost = \"node-00001\"\n\
             to = \"node-00002@chord.dyndns.org\"",
            "x.toml:4:1: event.0.action: what a SIP user does needs a section [dns]\n\
             x.toml:4:1: event.0.action: what a SIP user does needs a section [handover]\n\
             x.toml:6:6: event.0.to: there is no SIP domain `chord.dyndns.org`; none is defined",
        ),
    ]);
}

#[test]
fn conventional_domains() {
    let members = "+[overlay]\nresolver = \"isp\"\n[[caller]]\nresolver = \"isp\"\n";
    let caller = |keys: &str, told: &str| check(&[(&format!("{members}{keys}"), told)]);
    caller(
        "domain = \"a.example\"",
        "x.toml:11:1: caller.0: the users have nothing to do: give `messages`, `calls`, \
         `subscriptions` or `lookups`, or `users = 0`",
    );
    caller(
        "domain = \"a.example\"\nusers = 0\nmessages.rate = \"1/s\"\ncallee = \"any\"",
        "x.toml:15:1: caller.0.messages: `messages` has no meaning with `users = 0`\n\
         x.toml:16:1: caller.0.callee: `callee` has no meaning with `users = 0`",
    );
    caller(
        "domain = \"a.example\"\nlookups.rate = \"1/s\"\nprofile = \"ser\"\ncalls.rate = \"1/h\"",
        "x.toml:15:1: caller.0.profile: `profile` has no meaning with `lookups`: such a domain has no \
         SIP server\n\
         x.toml:16:1: caller.0.calls: `calls` has no meaning with `lookups`: such a domain has no SIP \
         server",
    );
    caller(
        "domain = \"a.example\"\nlookups.rate = \"1/s\"\nusers = 0",
        "x.toml:15:9: caller.0.users: 0 is out of range: `lookups` need users",
    );
    caller(
        "domain = \"Chord.dyndns.org\"\nusers = 0",
        "x.toml:13:10: caller.0.domain: `chord.dyndns.org` is taken: the overlay has it",
    );
    caller(
        "domain = \"ns.dyndns.org\"\nusers = 0",
        "x.toml:13:10: caller.0.domain: `ns.dyndns.org` is reserved: it is the name of the zone's \
         name server",
    );
    caller(
        "domain = \"a.example\"\nmessages = {}\nprofile = \"sers\"\nfr_timer = \"0s\"\n\
         workers = 0",
        "x.toml:15:11: caller.0.profile: expected `ser`, `ser-0.9`, `kamailio` or `rfc3261`, found \
         \"sers\"; did you mean `ser`?\n\
         x.toml:16:12: caller.0.fr_timer: 0s is too short: it must be 1ms or more\n\
         x.toml:17:11: caller.0.workers: 0 is out of range: an integer from 1 to 10000",
    );
    caller(
        "domain = \"a.example\"\nmessages = {}\ncalls = { rate = \"1/h\", talk = \"1m\", \
         interval = \"1h\" }\nprofile = \"ser-0.9\"\ndns_negative_ttl = \"5s\"",
        "x.toml:14:12: caller.0.messages: missing key: either `rate` or `interval`\n\
         x.toml:15:38: caller.0.calls.interval: `interval` and `rate` exclude each other\n\
         x.toml:17:1: caller.0.dns_negative_ttl: `dns_negative_ttl` has no meaning with a server \
         that has no DNS cache",
    );
}

#[test]
fn a_server_that_goes_and_what_stands_in_for_it_are_judged() {
    tell(&[
        (
            "action = \"depart\"\nhost = \"deebee.dsl.ru.ac.za\"\ngraceful = true",
            "x.toml:26:1: event.0.graceful: `graceful` has no meaning with the server of a domain: it \
             announces nothing",
        ),
        (
            "action = \"address_change\"\nhost = \"deebee.dsl.ru.ac.za\"",
            "x.toml:25:8: event.0.host: `deebee.dsl.ru.ac.za` is the server of a conventional domain: \
             only the addresses of members change",
        ),
        (
            "action = \"address_change\"\nhost = \"linphone\"",
            "x.toml:25:8: event.0.host: `linphone` is a phone of `deebee.dsl.ru.ac.za`: only the \
             addresses of members change",
        ),
        (
            "action = \"return\"\nhost = \"idle.example\"",
            "x.toml:25:8: event.0.host: `idle.example` has no SIP server: its users only look up",
        ),
        (
            "action = \"depart\"\nhost = \"deebee.dsl.ru\"",
            "x.toml:25:8: event.0.host: there is no host `deebee.dsl.ru`; did you mean \
             `deebee.dsl.ru.ac.za`?",
        ),
        (
            "action = \"dyndns_up\"\n[[caller]]\ndomain = \"uni.example\"\nusers = 0\n\
             overlay_backup = true",
            "x.toml:28:18: caller.2.overlay_backup: `overlay_backup` needs `embeds = true`: the \
             server's peer copies into the overlay where its users are",
        ),
    ]);
    let text = STORY.replace("[handover]", "[handover]\nstrategy = \"embedded\"");
    let text =
        format!("{text}action = \"dyndns_up\"\n").replace("users = 2", "overlay_backup = true");
    check(&[(
        &text,
        "x.toml:15:18: caller.0.overlay_backup: `overlay_backup` needs a strategy with a proxy peer",
    )]);
}

#[test]
fn generated_members_are_judged_once_their_number_is_known() {
    // 60 of which half are away take 120.
    let story = |host: &str, to: &str| {
        format!(
            "name = \"x\"\n[churn]\n[overlay]\nnodes = 60\n[dns]\nresolver = [{{ name = \"a\" }}]\n\
             [dyndns]\n[handover]\n[[event]]\nat = \"2h\"\naction = \"message\"\nhost = \"{host}\"\n\
             to = \"{to}@chord.dyndns.org\""
        )
    };
    check(&[
        (
            &story("node-00150", "node-00121"),
            "x.toml:12:8: event.0.host: there is no host `node-00150`; did you mean `node-00120`?\n\
             x.toml:13:6: event.0.to: there is no user `node-00121` at `chord.dyndns.org`; did you \
             mean `node-00120`?",
        ),
        (
            &story("node-00001", "node-000002"),
            "x.toml:13:6: event.0.to: there is no user `node-000002` at `chord.dyndns.org`; did you \
             mean `node-00002`?",
        ),
    ]);
    let text = story("node-00120", "node-00119");
    assert!(Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[]).is_ok());
    // With a trace the number is known later.
    let text = text.replace("[churn]", "[churn]\nmodel = \"trace\"\ntrace = \"t.avt\"");
    let text = text.replace("[overlay]\nnodes = 60\n", "");
    let read = Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[]).expect("sound");
    assert!(read.clone().with_trace_members(120).is_ok());
    let told = read.with_trace_members(119).unwrap_err().to_string();
    let expected = "x.toml:12:8: event.0.host: there is no host `node-00120`; did you mean \
                    `node-00119`?";
    assert_eq!(told, expected);
}
