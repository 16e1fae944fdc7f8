//! Registration and publication against a server that says what it is told to.

use super::harness::{
    Network, Server, act, at, begun, crash, network, numeric, ok, outcomes, phones, requests, run,
    told,
};
use crate::net::lab::Lab;
use crate::sim::HostId;
use crate::sip::agent::{Cause, Outcome, Upcall};
use crate::sip::header::{Contact, Contacts};
use crate::sip::message::{Request, Response, Status};
use crate::sip::uri::{SipUri, Uri};
use crate::time::SimTime;

/// A server (1) with this script; Alice's phone is 0.
fn with_server(script: &[fn(&Request) -> Response]) -> Network {
    let mut nodes = phones(&["alice"], |settings| {
        settings.outbound = Some(Uri::loose_route(numeric(1)));
    });
    nodes.push(Server::at(1, script));
    network(nodes)
}

fn register(lab: &mut Network) {
    let registrar = Uri::Sip(SipUri::of_host(numeric(1)));
    act(lab, 0, |alice, ctx, tx| alice.register(ctx, tx, registrar));
}

fn publish(lab: &mut Network, open: bool) {
    act(lab, 0, |alice, ctx, tx| alice.publish(ctx, tx, open));
}

/// Two bindings, of which the second is Alice's, as asked for.
fn bound(request: &Request) -> Response {
    let mut response = ok(request);
    let own = request.headers.contact.as_slice()[0].clone();
    let expires = request.headers.expires;
    let other = Contact { expires: Some(17), ..Contact::of(Uri::Other("tel:1".into())) };
    response.headers.contact = Contacts::Some(vec![other, Contact { expires, ..own }]);
    response
}

fn too_brief(request: &Request) -> Response {
    let mut response = request.respond(Status::INTERVAL_TOO_BRIEF, Some("server"));
    response.headers.min_expires = Some(7200);
    response
}

fn come_back_later(request: &Request) -> Response {
    let mut response = request.respond(Status::SERVICE_UNAVAILABLE, Some("server"));
    response.headers.retry_after = Some(300);
    response
}

fn unavailable(request: &Request) -> Response {
    request.respond(Status::SERVICE_UNAVAILABLE, Some("server"))
}

fn refused(request: &Request) -> Response {
    request.respond(Status::new(403).unwrap(), Some("server"))
}

/// 100 seconds for what is now known as `one`.
fn stored(request: &Request) -> Response {
    let mut response = ok(request);
    (response.headers.etag, response.headers.expires) = (Some("one".into()), Some(100));
    response
}

fn unknown_tag(request: &Request) -> Response {
    request.respond(Status::CONDITIONAL_REQUEST_FAILED, Some("server"))
}

fn until(lab: &Network) -> Vec<(SimTime, Option<SimTime>)> {
    let until = |(time, upcall)| match upcall {
        Upcall::Registered { until } | Upcall::Published { until } => Some((time, until)),
        _ => None,
    };
    told(lab, 0).into_iter().filter_map(until).collect()
}

#[test]
fn a_registration_asks_for_longer_if_it_must_and_is_renewed() {
    let mut lab = with_server(&[too_brief, bound, bound]);
    register(&mut lab);
    run(&mut lab, 7000.0);
    let requests = requests(&lab, 1, "REGISTER");
    // Renewed after nine tenths of 7,200 s.
    let times: Vec<SimTime> = requests.iter().map(|(time, _)| *time).collect();
    assert_eq!(times, [at(0.05), at(0.15), at(6480.25)]);
    let asked: Vec<(u32, Option<u32>)> =
        requests.iter().map(|(_, it)| (it.headers.cseq, it.headers.expires)).collect();
    assert_eq!(asked, [(1, Some(3600)), (2, Some(7200)), (3, Some(7200))]);
    let name = &requests[0].1.headers.call_id;
    assert!(requests.iter().all(|(_, it)| it.headers.call_id == *name));
    assert_eq!(requests[0].1.uri.to_string(), "sip:10.0.0.2");
    assert_eq!(until(&lab), [(at(0.2), Some(at(7200.2))), (at(6480.3), Some(at(6480.3 + 7200.0)))]);
}

#[test]
fn trouble_is_waited_out_and_a_refusal_is_final() {
    // (what the server says, between when and when the next try arrives)
    let next = |script: &[fn(&Request) -> Response]| {
        let mut lab = with_server(script);
        register(&mut lab);
        run(&mut lab, 3000.0);
        requests(&lab, 1, "REGISTER").get(1).map(|(time, _)| *time)
    };
    let soon = next(&[unavailable]).unwrap();
    assert!((at(30.0)..at(60.2)).contains(&soon), "{soon}");
    assert_eq!(next(&[come_back_later]), Some(at(300.15)));
    assert_eq!(next(&[refused]), None);
}

#[test]
fn a_registration_that_nobody_renews_ends_and_is_tried_again() {
    let mut lab = with_server(&[bound]);
    register(&mut lab);
    run(&mut lab, 10.0);
    crash(&mut lab, 1);
    run(&mut lab, 3700.0);
    assert_eq!(until(&lab), [(at(0.1), Some(at(3600.1))), (at(3600.1), None)]);
    lab.network.bring_up(HostId(1), Lab::<super::harness::Node>::address_of(1));
    run(&mut lab, 6000.0);
    assert_eq!(until(&lab).len(), 3);
    let ok = Outcome::Status(Status::OK);
    let failed = outcomes(&lab, 0).iter().filter(|(_, _, how)| *how != ok).count();
    // From 3,272 s on: pauses of 30 to 60, 60 to 120, 120 to 240 s, and 32 s for each try.
    assert!((2..=4).contains(&failed), "{failed}");
}

#[test]
fn a_user_may_withdraw_the_registration() {
    let mut lab = with_server(&[bound, bound]);
    register(&mut lab);
    run(&mut lab, 10.0);
    act(&mut lab, 0, |alice, ctx, tx| alice.unregister(ctx, tx));
    run(&mut lab, 10_000.0);
    assert_eq!(until(&lab)[1..], [(at(10.1), None)]);
    let requests = requests(&lab, 1, "REGISTER");
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].1.headers.expires, Some(0));
}

#[test]
fn one_request_is_under_way_at_a_time() {
    let mut lab = with_server(&[stored, stored]);
    publish(&mut lab, true);
    publish(&mut lab, false);
    publish(&mut lab, true);
    publish(&mut lab, false);
    run(&mut lab, 10.0);
    // The last wish is what counts.
    let bodies: Vec<bool> = requests(&lab, 1, "PUBLISH")
        .iter()
        .map(|(_, it)| String::from_utf8_lossy(&it.body).contains("open"))
        .collect();
    assert_eq!(bodies, [true, false]);
    assert_eq!(begun(&lab, 0), 2);
}

#[test]
fn a_publication_is_renewed_by_its_tag_and_made_anew_without() {
    let mut lab = with_server(&[stored, stored, unknown_tag, stored, stored]);
    publish(&mut lab, true);
    run(&mut lab, 150.0);
    publish(&mut lab, false);
    run(&mut lab, 160.0);
    let tag = || Some("one".into());
    let seen: Vec<_> = requests(&lab, 1, "PUBLISH")
        .into_iter()
        .map(|(time, it)| (time, it.headers.if_match, it.body.is_empty()))
        .collect();
    // Renewed with 32 s left: 68 s after each grant. A renewal has a tag and no body.
    assert_eq!(
        seen,
        [
            (at(0.05), None, false),
            (at(68.15), tag(), true),
            (at(136.25), tag(), true),
            (at(136.35), None, false),
            (at(150.05), tag(), false),
        ]
    );
    let causes: Vec<Cause> = told(&lab, 0)
        .into_iter()
        .filter_map(|(_, upcall)| match upcall {
            Upcall::Began { cause, .. } => Some(cause),
            _ => None,
        })
        .collect();
    assert_eq!(causes, [Cause::Asked, Cause::Refresh, Cause::Refresh, Cause::Retry, Cause::Asked]);
}
