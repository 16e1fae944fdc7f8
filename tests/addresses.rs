//! Hosts that get another address while they are up, in a whole world.

mod judged;

use judged::{run, value};

/// Thirty members who stay, a third of whom get another address at the tenth minute.
fn members(plugin: &str) -> String {
    format!(
        r#"
        name = "renumbered"
        duration = "16m"
        warmup = "11m"
        [network]
        latency = {{ model = "constant", value = "40ms" }}
        [overlay]
        plugin = "{plugin}"
        nodes = 30
        lookups = {{ rate = "10/m" }}
        [[event]]
        at = "10m"
        action = "address_change"
        host = "33%"
    "#
    )
}

/// Who moves tells its neighbours and is back in a second; a minute later the overlay is as before,
/// and finds what is asked for. Nobody has left.
#[test]
fn an_overlay_takes_its_members_back_under_their_new_addresses() {
    for plugin in ["chord", "bamboo", "kademlia"] {
        let output = run(&members(plugin), &[]);
        let last = output.timeline.last().unwrap();
        assert_eq!((last.members, last.overlays), (30, 1), "{plugin}");
        assert_eq!(value(&output, "leaves"), 0.0, "{plugin}");
        // 30 members make 10 look-ups a minute for 5 minutes: about 1,500.
        let failed = value(&output, "lookup_failures");
        assert!(failed <= 3.0, "{plugin}: {failed}");
    }
}
