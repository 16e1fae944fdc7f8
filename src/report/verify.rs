//! What `verify` says of the runs of a scenario.

use std::cmp::Ordering;

use crate::experiment::verify::{
    Difference, Means, Moved, Order, Parted, Pass, Repeat, RowDifference, Ties, Verdict, Verified,
};
use crate::metrics::codebook::unit_of;
use crate::report::parting::parting;
use crate::report::quantity::{count, number};
use crate::report::terminal::Grid;

/// How many of the metrics that change are told, when none of them hangs on the order.
const TOLD: usize = 12;

/// The text about one point of a scenario; `title` says which.
#[must_use]
pub fn verified(title: &str, verified: &Verified) -> String {
    let Verified { runs, threads, fingerprint, .. } = verified;
    let mut text = format!("{title}: {}\n", count(*runs, "run"));
    match &verified.repeat {
        Repeat::Same if verified.failures.is_empty() => {
            let whose = if *runs == 1 { "" } else { " of all, mixed" };
            text.push_str(&format!(
                "repeated on {threads} threads: the same, in fingerprints and in every row \
                 (fingerprint{whose} {fingerprint:016x})\n"
            ));
        }
        Repeat::Same => {}
        Repeat::Different { runs: different, difference } => {
            text.push_str(&format!(
                "repeated on {threads} threads: NOT THE SAME in {}: the program is broken\n",
                which(different, *runs)
            ));
            text.push_str(&differs(different[0], difference));
        }
    }
    for (pass, failure) in &verified.failures {
        let pass = match pass {
            Pass::Plain => "",
            Pass::Repeat => ", repeated,",
            Pass::Tied(Order::Reversed) => ", with ties reversed,",
            Pass::Tied(Order::Shuffled) => ", with ties shuffled,",
        };
        text.push_str(&format!("run {}{pass} FAILED: {}\n", failure.run, failure.message));
    }
    match &verified.ties {
        [Ties::Untold, Ties::Untold] => text.push_str("ties reversed and shuffled: not judged\n"),
        [Ties::Same, Ties::Same] => text.push_str(
            "ties reversed and shuffled: the same; the order of simultaneous events does not matter\n",
        ),
        [reversed, shuffled] => {
            text.push_str(&ties("reversed", reversed, verified.runs));
            text.push_str(&ties("shuffled", shuffled, verified.runs));
        }
    }
    text
}

/// So many of all runs, with the first of them.
fn which(some: &[u32], all: usize) -> String {
    match some {
        _ if all == 1 => "the only run".to_owned(),
        [one] => format!("run {one}"),
        [first, ..] => format!("{} of {}, first in run {first}", some.len(), count(all, "run")),
        [] => "no run".to_owned(),
    }
}

fn differs(run: u32, difference: &Difference) -> String {
    match difference {
        Difference::Events(parted) => told_parted(parted, ["the first time", "the second time"]),
        Difference::Rows(RowDifference { table, row, repeated }) => {
            let says = match repeated {
                Some(row) => format!("says {row:?} in the repeat, and something else before"),
                None => "is not there in the repeat".to_owned(),
            };
            format!("  run {run}: the fingerprints match, but row {row} of {table} {says}\n")
        }
    }
}

fn told_parted(parted: &Parted, names: [&str; 2]) -> String {
    match parted {
        Parted::At(found) => parting(found, names),
        Parted::Nowhere => {
            "  carried out once more, side by side, they were the same: the defect does not show \
             each time\n"
                .to_owned()
        }
        Parted::Failed(message) => {
            format!("  carried out once more, side by side, one failed: {message}\n")
        }
    }
}

/// What another order changes.
fn ties(order: &str, ties: &Ties, all: usize) -> String {
    match ties {
        Ties::Untold => format!("ties {order}: not judged\n"),
        Ties::Same => format!("ties {order}: the same\n"),
        Ties::Different { runs, rows, parted, moved, metrics } => {
            let mut text = format!(
                "ties {order}: something else happens in {}; other rows in {rows}\n",
                which(runs, all)
            );
            text.push_str(&told_parted(parted, ["as usual", order]));
            text.push_str(&told_moved(order, moved, *metrics, all));
            text
        }
    }
}

/// What became of the headline metrics.
fn told_moved(order: &str, moved: &[Moved], metrics: usize, runs: usize) -> String {
    if moved.is_empty() {
        return format!("  none of {metrics} headline metrics changes\n");
    }
    let count = |verdict| moved.iter().filter(|it| it.verdict == verdict).count();
    let (hanging, chance) = (count(Verdict::Hangs), count(Verdict::Chance));
    let within = count(Verdict::Within);
    let mut parts = vec![format!("{within} within their 95 % intervals")];
    if chance > 0 {
        parts.push(format!("{chance} beyond, as may be chance"));
    }
    if hanging > 0 {
        parts.push(format!("{hanging} beyond, by more than chance"));
    }
    match count(Verdict::Untold) {
        0 => {}
        untold if runs == 1 => {
            parts.push(format!("{untold} without one, which --replications would give"));
        }
        untold => parts.push(format!("{untold} without one")),
    }
    let mut text =
        format!("  {} of {metrics} headline metrics change: {}\n", moved.len(), parts.join(", "));
    if hanging > 0 {
        let names = moved.iter().filter(|it| it.verdict == Verdict::Hangs);
        let names: Vec<&str> = names.map(|it| it.metric.as_str()).collect();
        text.push_str(&format!(
            "  THE CONCLUSION HANGS ON THE ORDER OF SIMULTANEOUS EVENTS: {}\n",
            names.join(", ")
        ));
    }
    text.push_str(&table(order, moved));
    text
}

/// The metrics that move furthest, in halves of their intervals; all that hang on the order.
fn table(order: &str, moved: &[Moved]) -> String {
    let mut ranked: Vec<&Moved> = moved.iter().collect();
    ranked.sort_by(|a, b| rank(b).partial_cmp(&rank(a)).unwrap_or(Ordering::Equal));
    let hanging = ranked.iter().filter(|it| it.verdict == Verdict::Hangs).count();
    let told = ranked.len().min(TOLD.max(hanging));
    let mut grid = Grid::default();
    grid.row(
        ["  metric", "as usual", "95 % interval", order, "half intervals", ""].map(str::to_owned),
    );
    ranked[..told].iter().for_each(|moved| grid.row(row(moved)));
    let mut text = String::new();
    grid.write(&mut text);
    match ranked.len() - told {
        0 => {}
        1 => text.push_str("  and one more that moves less\n"),
        more => text.push_str(&format!("  and {more} more that move less\n")),
    }
    text
}

/// First those that hang on the order, then by how far they move.
fn rank(moved: &Moved) -> (bool, f64) {
    let far = moved.means.and_then(|means| means.in_halves());
    (moved.verdict == Verdict::Hangs, far.unwrap_or(-1.0))
}

fn row(moved: &Moved) -> [String; 6] {
    let unit = unit_of(&moved.metric).word();
    let name = match unit {
        "" => format!("  {}", moved.metric),
        unit => format!("  {} [{unit}]", moved.metric),
    };
    let dash = || "–".to_owned();
    let lone = match moved.lone {
        0 => "",
        _ => "has no value in some runs",
    };
    let note = match moved.verdict {
        Verdict::Hangs => "HANGS ON THE ORDER",
        Verdict::Chance => "beyond, may be chance",
        Verdict::Within | Verdict::Untold => lone,
    };
    let Some(means) = moved.means else {
        return [name, dash(), dash(), dash(), dash(), note.to_owned()];
    };
    let Means { plain, other, interval } = means;
    let interval = interval.map(|it| format!("{} to {}", number(it.low), number(it.high)));
    [
        name,
        number(plain),
        interval.unwrap_or_else(dash),
        number(other),
        means.in_halves().map_or_else(dash, halves),
        note.to_owned(),
    ]
}

fn halves(far: f64) -> String {
    if far.is_finite() { number(far) } else { "no width".to_owned() }
}

#[cfg(test)]
mod tests;
