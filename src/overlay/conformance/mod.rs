//! One conformance suite over all DHT plug-ins, and the small network that they are tried in.
//!
//! A plug-in takes part by being a [`Subject`] and naming itself in a [`conformance!`]. What it
//! promises beyond [`Dht`] is tested beside it.
//!
//! * [`network`]: nodes that exchange messages over a fixed delay, held against the full list of
//!   members. Every message is written and read back on its way.
//! * [`membership`], [`operations`], [`records`]: the properties.
//! * [`full_membership`]: the plug-in in which every member knows all, the reference for the suite.

pub(crate) mod full_membership;
pub(crate) mod membership;
pub(crate) mod network;
pub(crate) mod operations;
pub(crate) mod records;

use std::fmt::Debug;
use std::sync::Arc;

pub(crate) use network::Net;

use crate::overlay::{Contact, Dht, Directory, NodeRef, Observation, RingId};
use crate::time::SimDuration;

/// What the suite has to know of a plug-in.
pub(crate) trait Subject:
    Dht<Observation = Observation, Message: Clone + PartialEq, Timer: Debug> + Clone + Debug
{
    /// What all nodes of an overlay agree on.
    type Config: Clone + Debug;

    /// When nobody has come or gone for so long, tables and replicas are right.
    const REPAIRED: SimDuration;
    /// Of this many look-ups out of a hundred under the suite's churn, the owner is right.
    const RIGHT_UNDER_CHURN: usize;
    /// Of this many, when messages are lost and overtake each other as well.
    const RIGHT_IN_FOUL_WEATHER: usize;
    /// Whether it repairs in time what notices that were lost have left behind.
    const REPAIRS_LOSSES: bool = true;
    /// Whether it learns to wait for nodes that are farther away than its first time-out. Others
    /// take them for dead.
    const LEARNS_TO_WAIT: bool = false;

    /// On how many nodes a record is held in an overlay of so many, under every configuration.
    fn replicas(members: usize) -> usize {
        members.min(4)
    }
    /// The configurations to try, the defaults first.
    fn configs() -> Vec<Self::Config>;
    /// Bits of an identifier.
    fn id_bits(config: &Self::Config) -> u8;
    /// A node in no overlay.
    fn outside(me: NodeRef, id: RingId, config: &Arc<Self::Config>) -> Self;
    /// The members of an overlay at rest.
    fn converged(nodes: &[NodeRef], facts: &Directory, config: &Arc<Self::Config>) -> Vec<Self>;
    /// How far a node is from a key; the nearest member owns it.
    fn distance(key: RingId, node: RingId) -> u64;
    /// How many records it holds.
    fn records(&self) -> usize;
    /// What is broken in the tables of all members, after a while without joins and deaths.
    fn flaw(_members: &[&Self]) -> Option<String> {
        None
    }
    /// The octets of a message.
    fn encode(message: &Self::Message, facts: &Directory) -> Vec<u8>;
    /// The message of these octets.
    fn decode(octets: &[u8], intern: &mut impl FnMut(Contact) -> NodeRef) -> Self::Message;
}

/// The suite over one plug-in: a test for each property, in a module of this name.
macro_rules! conformance {
    ($module:ident, $subject:ty) => {
        mod $module {
            crate::overlay::conformance::properties! { $subject, membership:
                a_converged_overlay_stays_and_agrees_on_owners
                overlays_of_one_two_and_three_work
                joins_one_after_another_and_all_at_once_converge
                a_join_tries_its_contacts_in_turn_and_then_fails
                a_graceful_leave_is_known_at_once
                the_last_neighbour_gone_is_isolation_and_its_leaving_is_not
                a_node_that_restarts_at_once_finds_its_place
                overlays_do_not_mix
                the_death_of_half_is_repaired
                an_error_from_the_network_counts_as_a_time_out
                churn_is_survived
                churn_is_survived_in_foul_weather
                what_is_too_far_away_raises_no_storm
                runs_repeat_themselves_and_bystanders_move_nothing
            }
            crate::overlay::conformance::properties! { $subject, operations:
                outside_of_an_overlay_operations_fail_at_once
                operations_under_way_fail_when_the_node_leaves
                many_operations_at_once_each_end_once
                many_operations_end_once_in_foul_weather
                look_ups_are_observed_and_counted
            }
            crate::overlay::conformance::properties! { $subject, records:
                versions_are_won_once_and_lifetimes_end
                records_are_held_by_the_owner_and_its_replicas
                records_follow_joins_crashes_and_leaves
                records_are_kept_in_foul_weather
                all_holders_but_one_die_at_once
                the_last_member_to_leave_has_what_all_others_handed_over
                the_longest_value_travels
                a_member_alone_stores_for_itself
            }
        }
    };
}

/// One test for each of these functions.
macro_rules! properties {
    ($subject:ty, $group:ident: $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                crate::overlay::conformance::$group::$name::<$subject>();
            }
        )*
    };
}

pub(crate) use {conformance, properties};

conformance!(full, super::full_membership::FullMembership);
