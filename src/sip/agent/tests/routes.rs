//! Where requests go: the route set of a dialog when the proxy in it is replaced, and the next of
//! several addresses when the first is dead.

use super::harness::{
    Names, Network, Proxy, Server, act, at, changes, crash, endpoint, network, numeric, outcomes,
    phone, phones, requests, run, told, user_at,
};
use crate::sip::agent::{AgentSettings, Loss, Outcome, SubscriptionChange, Upcall};
use crate::sip::message::Status;
use crate::sip::uri::{HostPart, Uri};

fn proxy() -> HostPart {
    HostPart::name("proxy.org")
}

/// Alice (0); Bob (1), who watches her through `proxy.org`; the proxies 2 and 3, of which 2 has the
/// name at first and dies at 100 s, when 3 takes it over.
fn handed_over(record_route: fn(usize) -> HostPart) -> Network {
    let mut nodes = phones(&["alice", "bob"], |settings| {
        settings.outbound = Some(Uri::loose_route(HostPart::name("proxy.org")));
    });
    for index in [2, 3] {
        nodes.push(Proxy::at(index, record_route(index), Names::new()));
    }
    let mut lab = network(nodes);
    let give_name_to = |lab: &mut Network, index| {
        for user in [0, 1] {
            phone(lab, user).names.insert("proxy.org".into(), vec![endpoint(index)]);
        }
    };
    give_name_to(&mut lab, 2);
    act(&mut lab, 1, |bob, ctx, tx| bob.subscribe(ctx, tx, user_at("alice", 0), None));
    run(&mut lab, 100.0);
    assert_eq!(changes(&lab, 1).len(), 1);
    crash(&mut lab, 2);
    give_name_to(&mut lab, 3);
    lab
}

/// How many of these passed each proxy.
fn passed(lab: &Network, method: &str) -> [usize; 2] {
    [requests(lab, 2, method).len(), requests(lab, 3, method).len()]
}

#[test]
fn a_dialog_by_name_goes_on_through_the_next_proxy() {
    let mut lab = handed_over(|_| proxy());
    act(&mut lab, 0, |alice, ctx, tx| alice.show(ctx, tx, false));
    run(&mut lab, 3300.0);
    // One SUBSCRIBE through each; a NOTIFY through the first, the change and the renewal's through
    // the second.
    assert_eq!((passed(&lab, "SUBSCRIBE"), passed(&lab, "NOTIFY")), ([1, 1], [1, 2]));
    let changes = changes(&lab, 1);
    assert!(
        changes.iter().all(|(_, change)| matches!(change, SubscriptionChange::Active { .. })),
        "{changes:?}"
    );
    assert_eq!(changes.len(), 2);
    // The agent says that this next hop comes from a dialog.
    let asked = lab.notebook.0.iter().rev().find_map(|(_, host, note)| match note {
        super::harness::Note::Told(Upcall::Locate { next_hop, in_dialog, .. })
            if host.index() == 1 =>
        {
            Some((next_hop.clone(), *in_dialog))
        }
        _ => None,
    });
    assert_eq!(asked, Some((Uri::loose_route(proxy()), true)));
}

#[test]
fn a_dialog_by_address_dies_with_its_proxy() {
    let mut lab = handed_over(numeric);
    run(&mut lab, 3300.0);
    // The way there takes two hops: granted at 0.2 s, renewed at 3,240.2 s to the dead proxy, and
    // lost 32 s later. The new one goes by the name, through the next proxy.
    let lost = SubscriptionChange::Lost { why: Loss::Failed(Outcome::Timeout) };
    let again = SubscriptionChange::Active { until: at(3272.4 + 3600.0) };
    assert_eq!(changes(&lab, 1)[1..], [(3272.2, lost), (3272.4, again)]);
    assert_eq!(passed(&lab, "SUBSCRIBE"), [1, 1]);
}

/// Bob (1) writes to `alice@alice.org`, which has these addresses; Alice is 0.
fn written(addresses: &[usize], change: fn(&mut AgentSettings)) -> Network {
    let mut nodes = phones(&["alice", "bob"], |settings| {
        settings.aor = Uri::of_user("alice", HostPart::name("alice.org"));
    });
    nodes.push(Server::at(2, &[|request| request.respond(Status::SERVICE_UNAVAILABLE, None)]));
    let mut lab = network(nodes);
    let mut settings = phone(&mut lab, 1).agent.settings().clone();
    change(&mut settings);
    lab.devices[1] =
        super::harness::Node::Phone(Box::new(super::harness::Phone::of(settings, 1, "bob")));
    if !addresses.is_empty() {
        let endpoints = addresses.iter().map(|&index| endpoint(index)).collect();
        phone(&mut lab, 1).names.insert("alice.org".into(), endpoints);
    }
    let alice = Uri::of_user("alice", HostPart::name("alice.org"));
    act(&mut lab, 1, |bob, ctx, tx| bob.message(ctx, tx, alice, "hello"));
    run(&mut lab, 200.0);
    lab
}

#[test]
fn the_next_address_is_tried_if_the_settings_say_so() {
    let failover: fn(&mut AgentSettings) = |settings| settings.failover = true;
    let pinned: fn(&mut AgentSettings) = |settings| settings.failover = false;
    let ok = Outcome::Status(Status::OK);
    let unavailable = Outcome::Status(Status::SERVICE_UNAVAILABLE);
    // 7 is nobody's address: Timer F is 32 s. 2 answers 503. A round trip takes 0.1 s.
    for (addresses, change, time, outcome) in [
        (&[7, 0][..], failover, 32.1, ok),
        (&[7, 0], pinned, 32.0, Outcome::Timeout),
        (&[2, 0], failover, 0.2, ok),
        (&[2, 0], pinned, 0.1, unavailable),
        (&[7, 2, 0], failover, 32.2, ok),
        (&[7, 8], failover, 64.0, Outcome::Timeout),
        (&[], failover, 0.0, Outcome::Unlocated),
    ] {
        let lab = written(addresses, change);
        let ended = outcomes(&lab, 1);
        assert_eq!(ended, [(at(time), "MESSAGE".to_owned(), outcome)], "{addresses:?}");
    }
}

#[test]
fn the_other_address_sees_the_same_request() {
    let lab = written(&[2, 0], |settings| settings.failover = true);
    let (_, first) = requests(&lab, 2, "MESSAGE").remove(0);
    let (_, second) = requests(&lab, 0, "MESSAGE").remove(0);
    assert_eq!(first.key(), second.key());
    assert_ne!(first.headers.via[0].branch, second.headers.via[0].branch);
    let received = told(&lab, 0).into_iter().find_map(|(_, upcall)| match upcall {
        Upcall::Received { key, status, .. } => Some((key, status)),
        _ => None,
    });
    assert_eq!(received, Some((first.key(), Status::OK)));
}
