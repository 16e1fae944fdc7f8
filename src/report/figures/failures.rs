//! How many requests fail, and why, by how long ago the binding lost its validity last.
//!
//! Of one sweep point: the shares by cause, stacked. Of several: a line each for what failed between
//! callers and overlay. Below, how many requests the shares are of. Requests without an end are left
//! out; so are those before the first departure, which the heading tells.

use crate::metrics::distribution::quantile;
use crate::metrics::headline::RequestTally;
use crate::metrics::tables::{Cause, RequestRow, RunOutput};
use crate::report::axis::{Frame, Scale, round_end, tick_step, time_unit};
use crate::report::canvas::{Canvas, Lettering, Pixel, palette, svg};
use crate::report::figures::points::{MOST_LINES, Point, Points};
use crate::report::figures::{Figure, WIDTH, count, drawn_points, heading, nothing};
use crate::report::quantity::{number, percent, span};
use crate::report::tables::csv_text;
use crate::time::{SimDuration, SimTime};

const TITLE: &str = "Requests that fail, by the time since the last departure";

/// No more bins than this, the last, open one aside.
const MOST_BINS: u32 = 40;

/// The requests of a stretch of time since the last departure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Bin {
    requests: u64,
    interop: u64,
    callee: u64,
}

impl Bin {
    fn add(&mut self, cause: Option<Cause>) {
        self.requests += 1;
        self.interop += u64::from(cause == Some(Cause::Interop));
        self.callee += u64::from(cause == Some(Cause::Callee));
    }

    /// So many as a share of the requests; nothing of nothing.
    fn share(&self, failed: u64) -> f64 {
        if self.requests == 0 { 0.0 } else { failed as f64 / self.requests as f64 }
    }
}

/// A request that ended: how long after the last departure it began, and why it failed.
type Aged = (SimDuration, Option<Cause>);

/// The requests of one sweep point.
struct Requests<'a> {
    label: &'a str,
    /// Those after a departure.
    aged: Vec<Aged>,
    all: RequestTally,
}

impl<'a> Requests<'a> {
    fn of(point: &Point<'_>, label: &'a str) -> Self {
        let outputs = || point.runs.iter().map(|&(_, output)| output);
        Self {
            label,
            aged: outputs().flat_map(aged).collect(),
            all: RequestTally::of(outputs().flat_map(|output| &output.requests)),
        }
    }
}

fn aged(output: &RunOutput) -> Vec<Aged> {
    let departures: Vec<SimTime> = output.departures.iter().map(|row| row.time).collect();
    let since = |row: &RequestRow| {
        let before = departures.partition_point(|departed| *departed <= row.time);
        let age = row.time.since(departures[before.checked_sub(1)?]);
        row.delay.map(|_| (age, row.cause))
    };
    output.requests.iter().filter_map(since).collect()
}

/// The bins that all points share: how wide, how many; behind the last, an open one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bins {
    width: SimDuration,
    n: u64,
}

impl Bins {
    /// Bins that reach three times as far as most failures between callers and overlay: those that a
    /// departure causes follow it closely, and the few that always are would squeeze them.
    fn over<'a>(requests: impl Iterator<Item = &'a Aged> + Clone) -> Self {
        let sorted = |only: fn(&Aged) -> bool| {
            let mut ages: Vec<_> = requests.clone().filter(|it| only(it)).map(|it| it.0).collect();
            ages.sort_unstable();
            ages
        };
        let failed = quantile(&sorted(|(_, cause)| *cause == Some(Cause::Interop)), 0.8);
        let failed = failed.map(|age| 3.0 * age.as_secs_f64());
        let most = quantile(&sorted(|_| true), 0.9).unwrap_or_default().as_secs_f64();
        let reach = failed.unwrap_or(1.25 * most).max(1.0);
        let width = SimDuration::from_secs_f64(tick_step(reach, MOST_BINS));
        Self { width, n: (reach / width.as_secs_f64()).ceil() as u64 }
    }

    fn fill(self, requests: &[Aged]) -> Vec<Bin> {
        let mut bins = vec![Bin::default(); self.n as usize + 1];
        for (age, cause) in requests {
            let bin = (age.as_nanos() / self.width.as_nanos()).min(self.n);
            bins[bin as usize].add(*cause);
        }
        bins
    }

    fn edge(self, bin: u64) -> SimDuration {
        SimDuration::from_nanos(self.width.as_nanos() * bin)
    }

    fn end(self) -> SimDuration {
        self.edge(self.n)
    }
}

/// A point that is drawn.
struct Line<'a> {
    requests: &'a Requests<'a>,
    bins: Vec<Bin>,
}

pub(super) fn figure(points: &Points<'_>) -> Figure {
    let requests: Vec<Requests<'_>> =
        points.list.iter().map(|point| Requests::of(point, &point.label)).collect();
    let bins = Bins::over(requests.iter().flat_map(|it| &it.aged));
    let csv = table(&lines(&requests, bins), bins);
    let asked = |point: &Point<'_>| point.runs.iter().any(|(_, run)| !aged(run).is_empty());
    let chosen = points.choose(MOST_LINES, asked);
    let requests: Vec<Requests<'_>> =
        chosen.points.iter().map(|(point, name)| Requests::of(point, name)).collect();
    let lines = lines(&requests, bins);
    if lines.is_empty() {
        return Figure { svg: nothing(TITLE, "No request ended after a departure."), csv };
    }
    Figure { svg: draw(&lines, drawn_points(&chosen), bins), csv }
}

/// The points in which a request ended after a departure.
fn lines<'a>(requests: &'a [Requests<'a>], bins: Bins) -> Vec<Line<'a>> {
    let shown = requests.iter().filter(|it| !it.aged.is_empty());
    shown.map(|it| Line { requests: it, bins: bins.fill(&it.aged) }).collect()
}

/// Each bin of each point; the open one has no end.
fn table(lines: &[Line<'_>], bins: Bins) -> String {
    let rows = lines.iter().flat_map(|line| {
        (0..).zip(&line.bins).map(move |(index, bin)| {
            let until =
                if index < bins.n { bins.edge(index + 1).to_string() } else { String::new() };
            vec![
                line.requests.label.to_owned(),
                bins.edge(index).to_string(),
                until,
                bin.requests.to_string(),
                bin.interop.to_string(),
                bin.callee.to_string(),
                bin.share(bin.interop).to_string(),
                bin.share(bin.callee).to_string(),
            ]
        })
    });
    let columns = [
        "point",
        "since_departure_s",
        "until_s",
        "requests",
        "failed_interop",
        "failed_callee",
        "share_failed_interop",
        "share_failed_callee",
    ];
    csv_text(&columns, rows)
}

/// What is drawn of a bin in the upper panel.
const fn causes(bin: &Bin) -> u64 {
    bin.interop + bin.callee
}

fn draw(shown: &[Line<'_>], (points, lower): (String, i32), bins: Bins) -> String {
    let alone = shown.len() == 1;
    let shares = Frame { left: 110, top: 126 + lower, right: 960, bottom: 386 + lower };
    let counts = Frame { top: shares.bottom + 24, bottom: shares.bottom + 124, ..shares };
    let end = bins.end().as_secs_f64();
    let across = shares.across(end);
    let closed = || shown.iter().flat_map(|line| &line.bins[..bins.n as usize]);
    let drawn = if alone { causes } else { |bin: &Bin| bin.interop };
    let highest = closed().map(|bin| bin.share(drawn(bin))).fold(0.02, f64::max);
    let up = shares.up(round_end(highest).min(1.0));
    let most = closed().map(|bin| bin.requests).max().unwrap_or(0).max(1);
    let high = counts.up(round_end(most as f64));
    let entries = if alone { 2 } else { shown.len() };
    svg(WIDTH, (counts.bottom + 84 + 26 * (entries as i32 + 1)) as u32, |canvas| {
        heading(canvas, TITLE, &format!("{}{points}", described(shown)));
        let label = if alone { "failed" } else { "failed by interop" };
        shares.draw_percent_up(canvas, up, &format!("share {label}"));
        counts.draw_count_up(canvas, high, "requests");
        let unit = time_unit(end);
        Frame { top: shares.top, ..counts }.draw_across(
            canvas,
            across,
            unit.seconds,
            &format!("time since the last departure of the binding ({})", unit.name),
        );
        let panels = Panels { across, up, high, bins };
        match shown {
            [line] => panels.stack(canvas, line),
            several => panels.outline(canvas, several),
        }
        for frame in [shares, counts] {
            canvas.line(frame.lower_edge(), palette::BLACK, 1);
        }
        legend(canvas, shown, bins, counts.bottom + 82);
    })
}

/// The scales that both panels are drawn with.
struct Panels {
    across: Scale,
    up: Scale,
    high: Scale,
    bins: Bins,
}

impl Panels {
    /// From where to where a bin reaches, in pixels.
    fn sides(&self, bin: u64) -> (i32, i32) {
        let at = |edge| self.across.at(self.bins.edge(edge).as_secs_f64());
        (at(bin), at(bin + 1))
    }

    /// The causes of one point upon each other.
    fn stack(&self, canvas: &Canvas<'_>, line: &Line<'_>) {
        for (index, bin) in (0..self.bins.n).zip(&line.bins) {
            let (left, right) = self.sides(index);
            let (interop, all) = (bin.share(bin.interop), bin.share(causes(bin)));
            let bar = |from: i32, to: i32, color| {
                if from > to {
                    canvas.bar((left, to), (right - 1, from), color);
                }
            };
            bar(self.up.at(0.0), self.up.at(interop), palette::VERMILION);
            bar(self.up.at(interop), self.up.at(all), palette::SKY);
            bar(self.high.at(0.0), self.high.at(bin.requests as f64), palette::GREY);
        }
    }

    /// A line for each point.
    fn outline(&self, canvas: &Canvas<'_>, lines: &[Line<'_>]) {
        for (line, color) in lines.iter().zip(palette::LINES) {
            let steps = |height: &dyn Fn(&Bin) -> i32| -> Vec<Pixel> {
                let bins = (0..self.bins.n).zip(&line.bins);
                let mut steps: Vec<Pixel> = bins
                    .flat_map(|(index, bin)| {
                        let ((left, right), y) = (self.sides(index), height(bin));
                        [(left, y), (right, y)]
                    })
                    .collect();
                steps.dedup();
                steps
            };
            canvas.line(steps(&|bin| self.up.at(bin.share(bin.interop))), color, 2);
            canvas.line(steps(&|bin| self.high.at(bin.requests as f64)), color, 1);
        }
    }
}

/// What the figure is of: two lines.
fn described(shown: &[Line<'_>]) -> String {
    let sum =
        |of: fn(&Requests<'_>) -> u64| shown.iter().map(|line| of(line.requests)).sum::<u64>();
    let (ended, after) = (sum(|it| it.all.delays.len() as u64), sum(|it| it.aged.len() as u64));
    let unfinished = match sum(|it| it.all.unfinished()) {
        0 => String::new(),
        n => format!("; {} had no end", number(n as f64)),
    };
    format!(
        "Of {} that ended, {} began after a departure{unfinished}\nInterop: failed on \
         the way between callers and overlay. Callee: offline, or declined.",
        count(ended as usize, "request"),
        number(after as f64)
    )
}

fn legend(canvas: &Canvas<'_>, shown: &[Line<'_>], bins: Bins, top: i32) {
    let failed = |it: &RequestTally, failed| it.share(failed).map_or_else(|| "–".into(), percent);
    let entry = |index: usize, color, text: &str| {
        let y = top + 26 * index as i32;
        canvas.bar((40, y - 8), (58, y + 8), color);
        canvas.text(text, (68, y), Lettering::LABEL);
    };
    if let [line] = shown {
        let all = &line.requests.all;
        let interop = format!("interop: {} of all that ended", failed(all, all.interop));
        let callee = format!("callee: {} of all that ended", failed(all, all.callee));
        entry(0, palette::VERMILION, &interop);
        entry(1, palette::SKY, &callee);
    } else {
        for (index, (line, color)) in shown.iter().zip(palette::LINES).enumerate() {
            let all = &line.requests.all;
            let (interop, callee) = (failed(all, all.interop), failed(all, all.callee));
            let label = line.requests.label;
            let text = format!("{label}: of all that ended, interop {interop}, callee {callee}");
            entry(index, color, &text);
        }
    }
    let later =
        shown.iter().map(|line| line.bins[bins.n as usize]).fold(Bin::default(), |sum, bin| Bin {
            requests: sum.requests + bin.requests,
            interop: sum.interop + bin.interop,
            callee: sum.callee + bin.callee,
        });
    let text = format!(
        "later than {}: {}, of which {} failed by interop",
        span(bins.end().as_secs_f64()),
        count(later.requests as usize, "request"),
        percent(later.share(later.interop))
    );
    let y = top + 26 * if shown.len() == 1 { 2 } else { shown.len() as i32 };
    canvas.text(&text, (40, y), Lettering::LABEL.colored(palette::SLATE));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aged(seconds: f64, cause: Option<Cause>) -> Aged {
        (SimDuration::from_secs_f64(seconds), cause)
    }

    #[test]
    fn bins_reach_as_far_as_failures_do() {
        let failed = |seconds| aged(seconds, Some(Cause::Interop));
        // 80 % of 60 and of 61 are within the first 48 and 49 s: 3 · 48 = 144 s and 147 s, in at most
        // 40 steps of 5 s. What fails after an hour is beyond.
        let mut requests: Vec<_> = (1..=60).map(|second| failed(f64::from(second))).collect();
        assert_eq!(Bins::over(requests.iter()), Bins { width: SimDuration::from_secs(5), n: 29 });
        requests.push(failed(3600.0));
        requests.push(aged(7200.0, None));
        let bins = Bins::over(requests.iter());
        assert_eq!(bins, Bins { width: SimDuration::from_secs(5), n: 30 });
        let filled = bins.fill(&requests);
        assert_eq!(filled.len(), 31);
        // 0..5 has seconds 1 to 4, 5..10 has 5 to 9; the open one what is later.
        assert_eq!(filled[0], Bin { requests: 4, interop: 4, callee: 0 });
        assert_eq!(filled[1].requests, 5);
        assert_eq!(filled[30], Bin { requests: 2, interop: 1, callee: 0 });
        assert_eq!(filled.iter().map(|bin| bin.requests).sum::<u64>(), 62);
    }

    #[test]
    fn without_a_failure_bins_reach_over_most_requests_and_nothing_has_a_bin_too() {
        let requests = [aged(10.0, None), aged(8.0, Some(Cause::Callee))];
        // 1.25 · 10 s in at most 40 bins: 25 of 0.5 s.
        let bins = Bins::over(requests.iter());
        assert_eq!(bins, Bins { width: SimDuration::from_millis(500), n: 25 });
        assert_eq!(Bins::over([].iter()).end(), SimDuration::from_secs(1));
    }
}
