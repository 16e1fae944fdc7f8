//! The headline metrics, in the order in which a run has them.

use super::{Better, Metric, Unit};
use crate::metrics::headline::{
    CALLER_STALE_SHARE, CALLER_STALE_WINDOWS, DEGRADED_SPELLS, FAILED_CALLEE, FAILED_INTEROP,
    PARTIAL_DEPARTURES, PARTS,
};
use crate::metrics::tables::protocol_name;
use crate::net::Protocol;

use Better::{Lower, Neither};

/// A metric without a family.
fn one(name: &str, unit: Unit, better: Better, about: &str) -> Metric {
    Metric { name: name.to_owned(), unit, better, about: about.to_owned() }
}

pub(super) fn metrics() -> Vec<Metric> {
    let mut all = before_the_episodes();
    for (name, _) in PARTS {
        all.extend(part(name));
    }
    all.extend(after_the_episodes());
    all.extend(requests());
    all.push(one(
        "node_hours",
        Unit::Hours,
        Neither,
        "Hours that nodes were up after the warm-up, summed over the nodes.",
    ));
    all.extend(signalling(
        "messages",
        Unit::MessagesPerHour,
        "Datagrams and TCP segments sent (lost ones included)",
    ));
    all.extend(signalling(
        "bytes",
        Unit::BytesPerHour,
        "Octets sent (lost ones and the IP, UDP and TCP headers included)",
    ));
    all.push(one(
        "lookup_hops.mean",
        Unit::Hops,
        Lower,
        "Mean number of hops of the overlay look-ups that succeeded.",
    ));
    all.push(one(
        "lookup_failures",
        Unit::Count,
        Lower,
        "Overlay look-ups that failed, whoever asked for them.",
    ));
    all.push(one(
        CALLER_STALE_SHARE,
        Unit::Share,
        Lower,
        "`stale_share` of callers' resolvers alone: time in which a resolver that caller domains use \
         would answer without a valid address, summed over these resolvers, by the time observed, \
         likewise summed; empty where no caller's chain of caches ends at a resolver.",
    ));
    all.extend(sets());
    all.push(one(
        "lookups_wrong",
        Unit::Count,
        Lower,
        "Overlay look-ups that found another than the owner: the up member of the asker's overlay that \
         is closest to the key, by the rule of the plug-in (only where `overlay.lookups.judged` is set).",
    ));
    all
}

/// Of a binding with several members.
fn sets() -> [Metric; 7] {
    [
        one(
            PARTIAL_DEPARTURES,
            Unit::Count,
            Neither,
            "Times that a member of the binding lost its validity while another was still valid; like \
             the other metrics of sets, a column where `dns.publish` is `srv`.",
        ),
        one(
            "partial_claimants.mean",
            Unit::Count,
            Lower,
            "Mean over the partial departures of the number of distinct nodes that sent an update \
             because their test of the departed address failed.",
        ),
        one(
            "partial_claimants.max",
            Unit::Count,
            Lower,
            "Most claimants of any partial departure.",
        ),
        one(
            "degraded_share",
            Unit::Share,
            Lower,
            "Time in which the binding was valid and its preferred member was not, by the time \
             observed.",
        ),
        one(
            DEGRADED_SPELLS,
            Unit::Count,
            Neither,
            "Spells in which the binding was degraded: each from when the preferred member is not valid \
             until it, or another that is preferred by then, is valid.",
        ),
        one(
            "degraded.mean",
            Unit::Seconds,
            Lower,
            "Mean length of the spells in which the binding was degraded: valid, but its preferred member not.",
        ),
        one(
            "degraded.max",
            Unit::Seconds,
            Lower,
            "Longest of the spells in which the binding was degraded, a lower bound if the end of the \
             run cut it off.",
        ),
    ]
}

fn before_the_episodes() -> Vec<Metric> {
    let mut all = vec![
        one("leaves", Unit::Count, Neither, "Nodes that went down, announced ahead or not."),
        one(
            "departures",
            Unit::Count,
            Neither,
            "Departures: times that the binding lost its validity, because its last valid address \
             ceased to be valid or because it was set to an invalid one.",
        ),
        one("departures_per_hour", Unit::PerHour, Neither, "Departures by the hours observed."),
        one(
            "stale_share",
            Unit::Share,
            Lower,
            "Time in which a resolver would answer without a valid address, summed over all \
             resolvers, by the time observed, likewise summed.",
        ),
    ];
    all.extend(spans(
        "stale_window",
        Lower,
        "stale windows: how long a resolver would have answered with an address after its validity \
         had ended, one for each resolver and ended validity, zeros included; claims end validities \
         too, so that designs are compared by stale_share",
    ));
    all.extend([
        one(
            "stale_answers",
            Unit::Count,
            Lower,
            "Answers without a valid address that resolvers gave to clients.",
        ),
        one(
            "stale_answers_per_departure",
            Unit::Count,
            Lower,
            "Stale answers by departures; empty without a departure.",
        ),
        one(
            "answers",
            Unit::Count,
            Neither,
            "Answers about the overlay's domain that resolvers gave to clients.",
        ),
    ]);
    all
}

/// Mean, median, 95th percentile and maximum of spans that are all seen whole.
fn spans(name: &str, better: Better, what: &str) -> [Metric; 4] {
    let of = |suffix: &str, head: &str| Metric {
        name: format!("{name}.{suffix}"),
        unit: Unit::Seconds,
        better,
        about: format!("{head} of {what}."),
    };
    [
        of("mean", "Mean"),
        of("median", "Median (nearest rank)"),
        of("p95", "95th percentile (nearest rank)"),
        of("max", "Longest"),
    ]
}

/// What a part of an episode is, and in which direction it gets better.
fn part_in_words(name: &str) -> (&'static str, Better) {
    match name {
        "detect" => ("the time in which nobody knows of the departure yet", Lower),
        "claim" => ("the time in which a live node holds a failed test of the binding", Lower),
        "update" => (
            "the time in which a live node's update is on its way, from its first packet to its \
             acceptance",
            Lower,
        ),
        "publish" => ("the time in which an accepted update waits to be served", Lower),
        "cache" => (
            "the time in which the authority serves a valid address and a cache between it and the \
             caller does not",
            Lower,
        ),
        "ask" => (
            "the time in which the caller would get a valid address and has nothing under way",
            Neither,
        ),
        "recover" => (
            "the time in which the caller would get a valid address and a request is under way",
            Lower,
        ),
        "restore" => ("detect + claim + update + publish + cache", Lower),
        "outage" => ("restore + recover", Lower),
        "total" => ("outage + ask, the whole episode", Lower),
        other => unreachable!("{other} is no part of an episode"),
    }
}

/// The four metrics of one part of the episodes.
fn part(name: &str) -> [Metric; 4] {
    let (what, better) = part_in_words(name);
    let of = |suffix: &str, head: &str, over: &str| Metric {
        name: format!("{name}.{suffix}"),
        unit: Unit::Seconds,
        better,
        about: format!("{head} `{name}` ({what}) {over}."),
    };
    let by_curve = "over all episodes, by Kaplan–Meier with unasked and censored ones cut off; empty \
                    when these are too many";
    [
        of("mean", "Mean", "over the episodes that a request or look-up ended"),
        of("median", "Median", by_curve),
        of("p95", "95th percentile of", by_curve),
        of("max", "Longest", "of any episode, a lower bound if that one was cut off"),
    ]
}

/// What a part of an episode is, as a sentence.
pub(super) fn of_part(name: &str) -> Option<String> {
    let (name, _) = PARTS.iter().find(|(part, _)| *part == name)?;
    let (what, _) = part_in_words(name);
    let first: String = what.chars().take(1).flat_map(char::to_uppercase).collect();
    Some(format!("{first}{}.", what.chars().skip(1).collect::<String>()))
}

/// What `comparison.csv` tells beside the metrics of runs: callers' stale windows, of all runs
/// together.
pub(super) fn compared() -> Vec<Metric> {
    let what = "callers' stale windows: how long a resolver that callers use would have answered with \
                an address after its validity had ended, one for each such resolver and ended \
                validity, those of zero length left out";
    let windows = one(
        CALLER_STALE_WINDOWS,
        Unit::Count,
        Neither,
        "Stale windows longer than zero at resolvers that callers use.",
    );
    let [_, median, p95, _] = spans("caller_stale_window", Lower, what);
    vec![windows, median, p95]
}

fn after_the_episodes() -> Vec<Metric> {
    vec![
        one(
            "episodes",
            Unit::Count,
            Neither,
            "Handover episodes, one for each caller domain: from a departure to the first request that \
             a valid proxy peer serves, or the first valid answer where a domain only looks up.",
        ),
        one(
            "unasked",
            Unit::Count,
            Neither,
            "Episodes in which the caller had sent nothing when a valid address could be had again.",
        ),
        one("censored", Unit::Count, Neither, "Episodes that the end of the run cut off."),
        one(
            "claimants.mean",
            Unit::Count,
            Lower,
            "Mean over the departures of the number of distinct nodes that sent an update because their \
             test of the departed address failed.",
        ),
        one("claimants.max", Unit::Count, Lower, "Most claimants of any departure."),
        one(
            "false_claims",
            Unit::Count,
            Lower,
            "Claims on an address that was valid when its test failed.",
        ),
        one(
            "late_claims",
            Unit::Count,
            Lower,
            "Claims, none of them false, with nothing to repair when the update was accepted: the \
             binding was valid, and had the tested address no more or that was valid again.",
        ),
        one(
            "split_brain_share",
            Unit::Share,
            Lower,
            "Time in which more than one up node believed to be the proxy peer, among those that one and the \
             same host could reach (a partition parts them), by the time observed.",
        ),
        one(
            "updates",
            Unit::Count,
            Lower,
            "Updates of the binding that nodes began, retries included, whether or not the update \
             service was reached.",
        ),
    ]
}

fn requests() -> Vec<Metric> {
    let mut all = vec![
        one(
            "requests",
            Unit::Count,
            Neither,
            "Requests of callers that began, unfinished ones included; where callers only look up, \
             look-ups that ended.",
        ),
        one(
            FAILED_INTEROP,
            Unit::Share,
            Lower,
            "Requests that failed between callers and overlay, by the requests that ended.",
        ),
        one(
            FAILED_CALLEE,
            Unit::Share,
            Neither,
            "Requests that failed because the callee was not there or declined, by the requests that \
             ended.",
        ),
        one(
            "unfinished",
            Unit::Count,
            Neither,
            "Requests that had no outcome when the run, or the life of the caller's host, ended.",
        ),
    ];
    all.extend(spans(
        "request_delay",
        Lower,
        "the time from a request's beginning to its final response or to its being given up, over \
         the requests that ended",
    ));
    all.extend(outbound());
    all.extend(media());
    all
}

fn media() -> [Metric; 4] {
    [
        one(
            "media_calls",
            Unit::Count,
            Neither,
            "Calls in which the caller began to talk; a column, as the next ones, where there is \
             `[media]`.",
        ),
        one(
            "media_packets",
            Unit::Count,
            Neither,
            "Packets of media that both ends of calls sent.",
        ),
        one(
            "media_lost",
            Unit::Share,
            Lower,
            "Those of them that the other end did not hear: lost on the way, kept out, or not passed on \
             by a relay.",
        ),
        one(
            "media_given_up",
            Unit::Count,
            Lower,
            "Ends of calls that hung up because they heard nothing for `media.patience`.",
        ),
    ]
}

fn outbound() -> [Metric; 3] {
    [
        one(
            "outbound",
            Unit::Count,
            Neither,
            "Requests of members to users of conventional domains that began, unfinished ones \
             included; a column where members send them.",
        ),
        one(
            "failed_outbound",
            Unit::Share,
            Lower,
            "Requests of members to users of conventional domains that failed, by those that ended: the \
             control, since none needs the proxy peer.",
        ),
        one(
            "failed_outbound_handover",
            Unit::Share,
            Lower,
            "The same for those that began between a departure and the end of its last episode.",
        ),
    ]
}

/// The rate of all protocols, then of each.
fn signalling(amount: &str, unit: Unit, what: &str) -> Vec<Metric> {
    let name = format!("{amount}_per_node_hour");
    let all = format!("{what} by everybody, by the hours that nodes were up.");
    let mut metrics = vec![one(&name, unit, Lower, &all)];
    for protocol in Protocol::ALL.into_iter().filter(is_signalling) {
        let name = format!("{name}.{}", protocol_name(protocol));
        let about = format!("The part of `{amount}_per_node_hour` that {}.", carried(protocol));
        metrics.push(one(&name, unit, Lower, &about));
    }
    metrics
}

/// Whether a protocol can have a column.
const fn is_signalling(protocol: &Protocol) -> bool {
    !matches!(protocol, Protocol::Rtp | Protocol::Test)
}

/// What belongs to a protocol.
const fn carried(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Chord => "is the Chord overlay's",
        Protocol::Dns => "is DNS over UDP",
        Protocol::Tcp => "is TCP segments without data: SYN, ACK, FIN, RST",
        Protocol::Http => "is HTTP, which is TCP segments with data",
        Protocol::Icmp => "is ICMP echo and errors",
        Protocol::Sip => "is SIP over UDP; a column where SIP is spoken",
        Protocol::Bamboo => "is the Bamboo overlay's; a column where it is spoken",
        Protocol::Kademlia => "is the Kademlia overlay's; a column where it is spoken",
        Protocol::Turn => "is TURN, with the SIP that it relays; a column where it is spoken",
        Protocol::Rtp | Protocol::Test => "is no signalling",
    }
}
