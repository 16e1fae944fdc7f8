//! The columns of the tables, in their order.

use super::{Column, ColumnKind, Table, Unit, metrics};

use ColumnKind::{Integer, Number, Text, Truth};
use Unit::{Bytes, Count, Messages, Nothing, OfTheMetric, Seconds, StandardErrors};

/// A column but for its table.
type Line = (&'static str, ColumnKind, Unit, &'static str);

pub(super) const TABLES: &[Table] = &[
    Table {
        name: "runs",
        about: "One row a run: a sweep point and replication. The values of the keys that a sweep \
                varies stand behind `run`. A metric without a value (a mean of nothing) is empty.",
    },
    Table {
        name: "summary",
        about: "One row a sweep point and headline metric, over the runs of the point. The values \
                of the keys that a sweep varies stand behind `point`. `summary.json` says the same.",
    },
    Table {
        name: "comparison",
        about: "Where a sweep lists points by name: one row a point and metric, as `comparison.md` sets \
                them side by side. The values of the keys that the sweep varies stand behind `point`. \
                What belongs to a run as a whole is compared with the first of the points that share \
                what else is varied.",
    },
    Table {
        name: "handovers",
        about: "One row a handover episode and caller domain. Its phases sum to `total_s` exactly.",
    },
    Table {
        name: "stale",
        about: "One row a resolver and ended validity of an address that had been in the binding, \
                zeros included.",
    },
    Table {
        name: "requests",
        about: "One row a request of a conventional user to a user of the overlay, where callers \
                send requests.",
    },
    Table {
        name: "signalling",
        about: "One row a protocol, purpose and direction: what was sent after the warm-up and what \
                became of it.",
    },
    Table {
        name: "timeline",
        about: "One row a bin of time (`timeline_bin`): the state at its end. The warm-up is \
                included.",
    },
    Table {
        name: "story",
        about: "Where a scenario tells a story: one row a message or event of it. The warm-up is \
                included.",
    },
    Table {
        name: "exchanges",
        about: "Where a scenario tells a story: one row an exchange that had to happen.",
    },
    Table {
        name: "subscriptions",
        about: "Where a scenario tells a story: one row a subscription to somebody's presence.",
    },
];

const RUN: Line = ("run", Integer, Nothing, "Number of the run in the study, from 0.");

const RUNS: &[Line] = &[
    RUN,
    (
        "seed",
        Integer,
        Nothing,
        "Seed of the run; runs of the same seed see the same churn and calls.",
    ),
    (
        "fingerprint",
        Text,
        Nothing,
        "Digest of everything that happened in the run, 16 hexadecimal digits.",
    ),
];

const SUMMARY: &[Line] = &[
    ("point", Integer, Nothing, "Number of the sweep point, from 0."),
    ("metric", Text, Nothing, "The headline metric, a column of `runs`."),
    ("mean", Number, OfTheMetric, "Mean over the runs in which the metric has a value."),
    ("sd", Number, OfTheMetric, "Standard deviation over these runs, with n − 1."),
    (
        "n",
        Integer,
        Count,
        "Number of these runs; where it is less than that of another metric, the means of the two \
         are not over the same runs.",
    ),
    ("max", Number, OfTheMetric, "Largest value of these runs."),
    (
        "low",
        Number,
        OfTheMetric,
        "Lower end of the 95 % interval of the mean: Student's t over the runs, for medians and 95th \
         percentiles the (expanded) percentile bootstrap over the runs.",
    ),
    ("high", Number, OfTheMetric, "Upper end of that interval."),
    (
        "standard_error",
        Number,
        OfTheMetric,
        "Standard error of the mean over the runs; with a single run that of its own mean, clustered \
         by departure, where there is one.",
    ),
    ("theory", Number, OfTheMetric, "What a closed form says, where one holds."),
    ("deviation", Number, StandardErrors, "How far the mean is above theory."),
    (
        "assumption_broken",
        Text,
        Nothing,
        "The assumption of the closed form that the scenario does not keep.",
    ),
];

const COMPARISON: &[Line] = &[
    ("point", Integer, Nothing, "Number of the sweep point, from 0."),
    (
        "metric",
        Text,
        Nothing,
        "The headline metric, a column of `runs`, or one of callers' stale windows, which are those \
         longer than zero at resolvers that callers use: `caller_stale_windows`, their number, \
         `caller_stale_window.median` or `caller_stale_window.p95`.",
    ),
    (
        "over",
        Text,
        Nothing,
        "What the value is over: `runs`, or of all runs together the `handovers`, `windows`, \
         `departures`, `partial departures` or `spells`.",
    ),
    ("n", Integer, Count, "Number of these."),
    (
        "value",
        Number,
        OfTheMetric,
        "Over runs their mean (of what is counted the sum, of what is a maximum the greatest), else the \
         mean or quantile of all in all runs together.",
    ),
    (
        "is_more",
        Truth,
        Nothing,
        "Whether the quantile is above the value, since too many of the spans are cut off.",
    ),
    (
        "low",
        Number,
        OfTheMetric,
        "Lower end of the 95 % interval, of a mean over runs that of `summary`, else bootstrapped over \
         the runs.",
    ),
    ("high", Number, OfTheMetric, "Upper end of that interval."),
    (
        "against",
        Integer,
        Nothing,
        "Number of the point that it is compared with; empty where it is not compared.",
    ),
    ("pairs", Integer, Count, "Pairs of runs of the same seed in which both have a value."),
    (
        "difference",
        Number,
        OfTheMetric,
        "Mean over the pairs of this point's value less the other's.",
    ),
    (
        "difference_low",
        Number,
        OfTheMetric,
        "Lower end of the 95 % interval of that mean (Student's t over the pairs).",
    ),
    ("difference_high", Number, OfTheMetric, "Upper end of that interval."),
    ("below", Integer, Count, "Pairs in which this point's value is the smaller one."),
    ("same", Integer, Count, "Pairs in which both are the same."),
    ("above", Integer, Count, "Pairs in which this point's value is the larger one."),
];

const HANDOVERS: &[Line] = &[
    RUN,
    ("caller", Text, Nothing, "The caller's domain."),
    ("opened_s", Number, Seconds, "When the departure happened that opened the episode."),
    ("detect_s", Number, Seconds, "Time in which nobody knew of the departure."),
    ("claim_s", Number, Seconds, "Time in which a live node held a failed test of the binding."),
    (
        "update_s",
        Number,
        Seconds,
        "Time in which a live node's update was on its way to the update service.",
    ),
    (
        "publish_s",
        Number,
        Seconds,
        "Time in which an accepted update of a live node waited to be served.",
    ),
    (
        "cache_s",
        Number,
        Seconds,
        "Time in which the authority served a valid address and a cache between it and the caller did \
         not.",
    ),
    (
        "ask_s",
        Number,
        Seconds,
        "Time in which the caller would have got a valid address and had nothing under way.",
    ),
    (
        "recover_s",
        Number,
        Seconds,
        "Time in which the caller would have got a valid address and a request was under way.",
    ),
    ("restore_s", Number, Seconds, "detect + claim + update + publish + cache."),
    ("outage_s", Number, Seconds, "restore + recover."),
    ("total_s", Number, Seconds, "outage + ask: the whole episode."),
    ("departures", Integer, Count, "Departures from the opening to the end, the first included."),
    (
        "claimants",
        Integer,
        Count,
        "Distinct nodes that sent an update because their test of a departed address failed.",
    ),
    ("updates", Integer, Count, "Updates sent during the episode."),
    ("old_address", Text, Nothing, "The address whose validity ended."),
    (
        "new_address",
        Text,
        Nothing,
        "The valid address that ended the episode; empty while there is none.",
    ),
    (
        "closed",
        Text,
        Nothing,
        "How it ended: `request` (a valid proxy peer served one), `lookup` (an answer was valid), \
         `unasked` (the caller had sent nothing when all was well again) or `censored` (the run ended).",
    ),
    (
        "resolution",
        Text,
        Nothing,
        "Who made the binding valid again: `claim` (another address took over) or `return` (the one \
         that had departed); empty while nobody has.",
    ),
];

const STALE: &[Line] = &[
    RUN,
    ("resolver", Text, Nothing, "The resolver's name."),
    ("address", Text, Nothing, "The address that was no longer valid."),
    ("ended_s", Number, Seconds, "When its validity ended."),
    (
        "window_s",
        Number,
        Seconds,
        "How long the resolver would have answered with it since, were it asked; 0 when it never would.",
    ),
    ("stale_answers", Integer, Count, "Answers with it in that time."),
    (
        "answers",
        Integer,
        Count,
        "All answers with it: those from while it was valid, and the stale ones.",
    ),
    ("callers", Integer, Count, "Caller domains whose chain of caches ends at the resolver."),
];

const REQUESTS: &[Line] = &[
    RUN,
    ("time_s", Number, Seconds, "When the request began."),
    ("caller", Text, Nothing, "The caller's domain."),
    ("method", Text, Nothing, "`INVITE`, `MESSAGE`, `SUBSCRIBE`, `BYE`, `NOTIFY` or `other`."),
    (
        "outcome",
        Text,
        Nothing,
        "The final status, or `timeout`, `transport` (the network said that it could not be delivered), \
         `unlocated` (no address to send it to), `wrong_overlay` (only a split-off overlay served it), \
         `unfinished`.",
    ),
    (
        "cause",
        Text,
        Nothing,
        "Why it failed: `callee` (down, declined, or in no overlay when its proxy peer looked) or \
         `interop` (the way between callers and overlay); empty if it did not fail or is unfinished.",
    ),
    (
        "delay_s",
        Number,
        Seconds,
        "From its beginning to its end, the ringing of a call included; empty if it is unfinished.",
    ),
    (
        "stale",
        Truth,
        Nothing,
        "Whether the first address that it was sent to was not valid; empty if it was sent to none.",
    ),
];

const SIGNALLING: &[Line] = &[
    RUN,
    (
        "protocol",
        Text,
        Nothing,
        "`chord`, `dns`, `tcp` (segments without data), `http`, `icmp`, `sip`, `bamboo`, `kademlia`, \
         `turn` or `rtp`.",
    ),
    (
        "purpose",
        Text,
        Nothing,
        "What for: `overlay-maintenance`, `overlay-lookup`, `store-fetch`, `probe`, `dns-client`, \
         `dns-upstream`, `dyndns`, `error`, `sip`, `turn` (addresses on a relay) or `media`.",
    ),
    (
        "direction",
        Text,
        Nothing,
        "`sent`, `delivered` or `lost`: what is sent is later one of the others.",
    ),
    ("messages", Integer, Messages, "Datagrams or TCP segments."),
    ("bytes", Integer, Bytes, "Their octets, IP and transport headers included."),
];

const TIMELINE: &[Line] = &[
    RUN,
    ("time_s", Number, Seconds, "The end of the bin."),
    ("members", Integer, Count, "Members of any overlay."),
    ("believers", Integer, Count, "Up nodes that believe to be the proxy peer."),
    ("binding_valid", Truth, Nothing, "Whether the authority serves a valid address."),
    ("stale_resolvers", Integer, Count, "Resolvers that would answer without a valid address."),
    ("resolvers", Integer, Count, "All resolvers."),
    (
        "overlays",
        Integer,
        Count,
        "Overlays under the name that have members; more than one is a split.",
    ),
    ("messages", Integer, Messages, "Messages sent since the row before."),
];

const STORY: &[Line] = &[
    RUN,
    ("time_s", Number, Seconds, "When it happened; of a message, when it arrived."),
    ("from", Text, Nothing, "The host that sent it, or to which it happened."),
    ("to", Text, Nothing, "The host that received it; empty when it is no message."),
    ("what", Text, Nothing, "What it was, in words."),
    (
        "again",
        Truth,
        Nothing,
        "Whether it is a SIP message that was sent before: a retransmission.",
    ),
];

const EXCHANGES: &[Line] = &[
    RUN,
    ("title", Text, Nothing, "What the exchange is called."),
    ("met", Truth, Nothing, "Whether it happened."),
    ("time_s", Number, Seconds, "When; empty if it did not happen."),
    ("instead", Text, Nothing, "What was seen instead; empty if it happened."),
];

const SUBSCRIPTIONS: &[Line] = &[
    RUN,
    ("watcher", Text, Nothing, "The host of who watches."),
    ("peer", Text, Nothing, "The host of who is watched."),
    ("granted_s", Number, Seconds, "When it was first granted; empty if it never was."),
    (
        "fate",
        Text,
        Nothing,
        "What became of it: `survived` the departure, `lost`, `watcher_gone`, `untried` (nothing was \
         sent for it since), `lost_before` the departure, `ended` by its user, granted only `later`, \
         `stands` (there was no departure), `refused` (never granted).",
    ),
    ("time_s", Number, Seconds, "When that showed; empty if nothing showed it."),
    ("regained_s", Number, Seconds, "When a new one took its place; empty if none did."),
    ("told", Text, Nothing, "What became of it and why, in words."),
];

const fn lines(table: &str) -> &'static [Line] {
    match table.as_bytes() {
        b"runs" => RUNS,
        b"summary" => SUMMARY,
        b"comparison" => COMPARISON,
        b"handovers" => HANDOVERS,
        b"stale" => STALE,
        b"requests" => REQUESTS,
        b"signalling" => SIGNALLING,
        b"timeline" => TIMELINE,
        b"story" => STORY,
        b"exchanges" => EXCHANGES,
        b"subscriptions" => SUBSCRIPTIONS,
        _ => &[],
    }
}

pub(super) fn columns() -> Vec<Column> {
    let mut all = Vec::new();
    for table in TABLES {
        all.extend(lines(table.name).iter().map(|&(name, kind, unit, about)| Column {
            table: table.name,
            name: name.to_owned(),
            kind,
            unit,
            about: about.to_owned(),
        }));
        if table.name == "runs" {
            all.extend(metrics().iter().map(|metric| Column {
                table: table.name,
                name: metric.name.clone(),
                kind: Number,
                unit: metric.unit,
                about: metric.about.clone(),
            }));
        }
    }
    all
}
