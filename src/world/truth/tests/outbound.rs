//! Requests of members to conventional users.

use super::script::{parse, run, with_users};
use crate::time::SimTime;
use crate::world::truth::OutboundTotals;

#[test]
fn requests_of_members_are_told_apart_by_whether_they_began_in_a_handover() {
    let script = "0 n1 born a\n0 z serve a\n0 n3 up c\n0 n3 member 1\n0 n4 up d\n0 n4 member 1
        5 n3 outward 1\n6 n3 done 1 no             # before the warm-up
        9 n3 outward 2\n11 n3 done 2 no            # began before it
        20 n3 outward 3\n21 n3 done 3 ok
        22 n3 outward 4\n23 n3 done 4 no\n24 n3 done 4 ok
        90 n3 outward 5
        99 r1 cache a 60
        100 n1 down
        110 n3 outward 6
        111 n3 done 5 ok\n112 n3 done 6 no         # 5 began before the handover, 6 in it
        115 n4 outward 7\n116 n4 down              # has no end
        120 n2 born b\n120 z serve b
        125 n3 outward 8\n126 n3 done 8 ok         # the first caller has the old address in its cache
        130 u11 send 20 message n3\n131 n2 serves 20\n132 u11 end 20 200
        140 n3 outward 9\n141 n3 done 9 ok
        150 n3 outward 10                          # unfinished";
    let report = run(with_users(2, 10), &parse(script), SimTime::from_secs(1000));
    assert_eq!(report.totals.departures, 1);
    let expected = OutboundTotals {
        // 3 to 10.
        started: 8,
        // 3, 4, 5, 6, 8, 9.
        ended: 6,
        // 4 and 6.
        failed: 2,
        // 6 and 8.
        ended_in_handover: 2,
        failed_in_handover: 1,
    };
    assert_eq!(report.totals.outbound, expected);
}
