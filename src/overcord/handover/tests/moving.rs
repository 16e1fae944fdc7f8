//! A proxy peer whose host gets another address (A10).

use super::*;
use crate::overcord::node::Moved;
use crate::overcord::policy::OnAddressChange;

const THERE: Address = Address::from_bits(0x0a00_0099);

impl Bench {
    /// The node's host is somewhere else, and the node notices.
    fn move_there(&mut self) {
        let endpoint = THERE.at(Port::OVERLAY);
        let me = self.desk.directory.add(Contact { id: RingId(7), endpoint });
        let config = chord::Config::new(Draws::new(1, Purpose::Protocol));
        let dht = plugin::Config::Chord(Arc::new(config)).node(me, RingId(7));
        self.own = THERE;
        let moved = Moved { own: THERE, dht, others: None };
        self.node.readdress(&mut self.desk, moved);
    }
}

fn starts_there(tested: Option<Address>) -> Observation {
    Observation::UpdateStarted { tested, own: THERE }
}

/// The claim of 15 s is accepted at 15.4 s. Noticing at 30 s leads to an update at once, a challenge
/// and an answer of 200 ms each; nobody was tested, so it is no claim.
#[test]
fn it_follows_in_the_overlay_and_updates_the_binding() {
    let mut bench = Bench::new(Policies::INTENDED, Dns::Binding(ALICE));
    bench.run_to(30);
    assert!(bench.dns == Dns::Binding(OWN));
    let before = bench.seen().len();
    bench.move_there();
    bench.run_to(35);
    assert_eq!(bench.seen()[before..], [(30_000, starts_there(None)), (30_400, ENDED)]);
    assert!(bench.dns == Dns::Binding(THERE) && bench.listens());
    assert_eq!(bench.recorded(), Some(THERE));
    // Its looks at the binding find its own.
    bench.run_to(300);
    assert!(bench.node.is_proxy());
}

/// It plays on where nobody looks for it, and its looks at 75 and 135 s find an address that is not
/// its own any more.
#[test]
fn where_it_ignores_that_it_loses_the_role() {
    let policies = Policies { on_address_change: OnAddressChange::Ignore, ..Policies::INTENDED };
    let mut bench = Bench::new(policies, Dns::Binding(ALICE));
    bench.run_to(30);
    let before = bench.seen().len();
    bench.move_there();
    bench.run_to(134);
    assert!(bench.seen().len() == before && bench.listens());
    bench.run_to(140);
    let seen = bench.seen();
    assert_eq!(seen[before..], [(seen[before].0, ProxyStopped)]);
    assert!((135_000..=135_400).contains(&seen[before].0), "{seen:?}");
    assert!(bench.dns == Dns::Binding(OWN));
}

/// The request of 15 s is on its way when the address goes: to the node that is a network error,
/// and 5 s later it asks for the new address.
#[test]
fn an_update_that_is_under_way_is_tried_again_for_the_new_address() {
    let mut bench = Bench::new(Policies::INTENDED, Dns::Binding(ALICE));
    bench.service_up = false;
    bench.run_to(17);
    let before = bench.seen().len();
    bench.move_there();
    bench.service_up = true;
    bench.run_to(30);
    let expected = [
        (17_000, FAILED),
        (22_000, starts_there(Some(ALICE))),
        (22_400, ENDED),
        (22_400, VerdictCleared),
    ];
    assert_eq!(bench.seen()[before..], expected);
    assert!(bench.dns == Dns::Binding(THERE));
}

/// A member that tests Alice when its address goes tests her anew: the echo of 10 s would have been
/// waited for until 15 s, the one of 12 s is until 17 s.
#[test]
fn a_test_begins_anew() {
    let mut bench = Bench::new(Policies::INTENDED, Dns::Binding(ALICE));
    bench.run_to(12);
    bench.move_there();
    bench.run_to(16);
    let at = |second| (SimTime::from_secs(second), ALICE);
    assert_eq!(bench.pinged, [at(10), at(12)]);
    assert!(bench.seen().is_empty());
    bench.run_to(17);
    assert_eq!(bench.seen()[0], (17_000, VerdictFailed(ALICE)));
    assert_eq!(bench.seen()[2], (17_000, starts_there(Some(ALICE))));
}
