//! Why to take the numbers with care, in at most one line for each reason.

use crate::experiment::summary::{PointSummary, Summary};
use crate::experiment::warmup::{Series, Unsettled};
use crate::experiment::warning::{ENOUGH_RUNS, Warning};
use crate::report::quantity::{number, span};
use crate::scenario::sweep::told as told_point;

/// The warnings of all points, with an empty line before them; nothing where there are none.
pub(super) fn told(summary: &Summary) -> String {
    let lines = [few_runs(summary), short_warmup(summary)];
    let lines: Vec<String> = lines.into_iter().flatten().collect();
    if lines.is_empty() { String::new() } else { format!("\n{}", lines.concat()) }
}

/// What a sort of warning says of each point that has one.
fn of_points<T>(summary: &Summary, of: fn(&Warning) -> Option<T>) -> Vec<(&PointSummary, T)> {
    let of_point =
        |point: &'_ PointSummary| point.warnings.iter().filter_map(of).collect::<Vec<_>>();
    let points = summary
        .points
        .iter()
        .flat_map(|point| of_point(point).into_iter().map(move |warning| (point, warning)));
    points.collect()
}

fn few_runs(summary: &Summary) -> Option<String> {
    let few = of_points(summary, |warning| match *warning {
        Warning::FewRuns { runs } => Some(runs),
        Warning::ShortWarmup(_) => None,
    });
    let most = few.iter().map(|(_, runs)| *runs).max()?;
    let (all, here) = (summary.points.len(), few.len());
    let place = if all == here { String::new() } else { format!(" at {here} of {all} points") };
    Some(match most {
        1 => {
            format!("runs     one{place}: no intervals; --replications {ENOUGH_RUNS} gives some\n")
        }
        most => format!(
            "runs     {most}{place}: intervals hang on few values; --replications {ENOUGH_RUNS} gives \
             better ones\n"
        ),
    })
}

fn short_warmup(summary: &Summary) -> Option<String> {
    let unsettled = of_points(summary, |warning| match *warning {
        Warning::ShortWarmup(unsettled) => Some(unsettled),
        Warning::FewRuns { .. } => None,
    });
    let (point, first) = unsettled.first()?;
    let at = told_point(&summary.varied, &point.varied);
    let place = match (unsettled.len(), summary.points.len()) {
        (_, 1) => String::new(),
        (here, all) => format!(" at {here} of {all} points; at {at}"),
    };
    let Unsettled { series, until, early, later } = *first;
    let until = until.map_or_else(
        || "in the first half of what was counted".to_owned(),
        |until| format!("until {}", span(until.as_secs_f64())),
    );
    Some(format!(
        "warm-up  looks too short{place}: {} {} {until}, {} since\n",
        number(early),
        words(series),
        number(later),
    ))
}

/// What is counted.
const fn words(series: Series) -> &'static str {
    match series {
        Series::Members => "members",
        Series::Believers => "believers",
        Series::StaleResolvers => "stale resolvers",
        Series::Messages => "messages a bin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SimTime;

    fn summary(of_points: &[&[Warning]]) -> Summary {
        let point = |(point, warnings): (u32, &&[Warning])| PointSummary {
            point,
            varied: vec![format!("{point}s")],
            runs: 1,
            warnings: warnings.to_vec(),
            estimates: Vec::new(),
        };
        let points = (0..).zip(of_points).map(point).collect();
        Summary { varied: vec!["dns.ttl".into()], points }
    }

    #[test]
    fn each_reason_has_one_line_however_many_points() {
        let few = |runs| Warning::FewRuns { runs };
        let short = |until| {
            let (series, early, later) = (Series::Members, 31.5, 40.0);
            Warning::ShortWarmup(Unsettled { series, until, early, later })
        };
        let hours = Some(SimTime::from_secs(9000));
        let cases: [(&[&[Warning]], &str); 7] = [
            (&[&[]], ""),
            (&[&[few(1)]], "\nruns     one: no intervals; --replications 10 gives some\n"),
            (
                &[&[few(4)]],
                "\nruns     4: intervals hang on few values; --replications 10 gives better ones\n",
            ),
            (
                &[&[], &[few(4)], &[few(2)]],
                "\nruns     4 at 2 of 3 points: intervals hang on few values; --replications 10 gives \
                 better ones\n",
            ),
            (
                &[&[short(hours)]],
                "\nwarm-up  looks too short: 31.5 members until 2.5 h, 40 since\n",
            ),
            (
                &[&[short(None)]],
                "\nwarm-up  looks too short: 31.5 members in the first half of what was counted, 40 \
                 since\n",
            ),
            (
                &[&[few(1)], &[few(1), short(hours)], &[few(1), short(hours)]],
                "\nruns     one: no intervals; --replications 10 gives some\n\
                 warm-up  looks too short at 2 of 3 points; at dns.ttl = 1s: 31.5 members until 2.5 h, \
                 40 since\n",
            ),
        ];
        for (points, expected) in cases {
            assert_eq!(told(&summary(points)), expected);
        }
    }
}
