//! Where the time of a handover goes: mean phases, stacked.
//!
//! Of one sweep point: all complete episodes, then quarter by quarter of their length. Of several:
//! one bar a point.

use plotters::style::RGBColor;

use crate::experiment::CellSpec;
use crate::metrics::headline::{PARTS, PHASES, counted_handovers};
use crate::metrics::tables::{Anatomy, HandoverRow, RunOutput};
use crate::report::axis::{Frame, time_unit};
use crate::report::canvas::{Canvas, Lettering, palette, svg};
use crate::report::figures::points::{MOST_ROWS, Point, Points};
use crate::report::figures::{Figure, WIDTH, count, drawn_points, heading, nothing};
use crate::report::quantity::span;
use crate::report::tables::csv_text;

const TITLE: &str = "Where the time of a handover goes";

/// The phases with their colours and what the legend calls them.
const LOOKS: [(RGBColor, &str); PHASES] = [
    (palette::VERMILION, "detect: nobody knows yet"),
    (palette::ORANGE, "claim: a node knows"),
    (palette::YELLOW, "update: in flight"),
    (palette::GREEN, "publish: not served yet"),
    (palette::SKY, "cache: old entries live on"),
    (palette::GREY, "ask: nobody asks"),
    (palette::BLUE, "recover: a request is under way"),
];

/// A bar: some episodes, and the mean seconds of their phases.
struct Bar {
    label: String,
    episodes: usize,
    phases: [f64; PHASES],
}

impl Bar {
    fn of(label: &str, episodes: &[&Anatomy]) -> Self {
        let n = episodes.len().max(1) as f64;
        let mean = |index: usize| {
            let (_, part) = PARTS[index];
            episodes.iter().map(|anatomy| part(anatomy).as_secs_f64()).sum::<f64>() / n
        };
        let phases = std::array::from_fn(mean);
        Self { label: label.to_owned(), episodes: episodes.len(), phases }
    }

    fn total(&self) -> f64 {
        self.phases.iter().sum()
    }
}

pub(super) fn figure(points: &Points<'_>) -> Figure {
    let counted: Vec<Vec<&HandoverRow>> = points.list.iter().map(episodes).collect();
    let mut bars: Vec<Bar> = match &counted[..] {
        [one] => quarters(&complete(one)),
        several => {
            let labels = points.list.iter().map(|point| &point.label);
            labels.zip(several).map(|(label, rows)| Bar::of(label, &complete(rows))).collect()
        }
    };
    bars.retain(|bar| bar.episodes > 0);
    let csv = table(&bars);
    if bars.is_empty() {
        let svg = nothing(TITLE, "No episode that opened after the warm-up was completed.");
        return Figure { svg, csv };
    }
    let chosen = points.choose(MOST_ROWS, |point| !complete(&episodes(point)).is_empty());
    let counted: Vec<Vec<&HandoverRow>> =
        chosen.points.iter().map(|(point, _)| episodes(point)).collect();
    if points.list.len() > 1 {
        let names = chosen.points.iter().map(|(_, name)| name);
        bars = names.zip(&counted).map(|(name, rows)| Bar::of(name, &complete(rows))).collect();
    }
    let all = counted.iter().map(Vec::len).sum::<usize>();
    let done = counted.iter().map(|rows| complete(rows).len()).sum::<usize>();
    Figure { svg: draw(&bars, (done, all - done), drawn_points(&chosen)), csv }
}

fn episodes<'a>(point: &Point<'a>) -> Vec<&'a HandoverRow> {
    let of_run = |&(spec, output): &(&CellSpec, &'a RunOutput)| {
        counted_handovers(&output.handovers, spec.warmup)
    };
    point.runs.iter().flat_map(of_run).collect()
}

fn complete<'a>(rows: &[&'a HandoverRow]) -> Vec<&'a Anatomy> {
    rows.iter().filter(|row| row.closed.is_complete()).map(|row| &row.anatomy).collect()
}

/// All episodes, then the four quarters of them by length.
fn quarters(episodes: &[&Anatomy]) -> Vec<Bar> {
    let mut sorted = episodes.to_vec();
    sorted.sort_by_key(|anatomy| anatomy.total());
    let mut bars = vec![Bar::of("all", &sorted)];
    let names = ["shortest quarter", "second quarter", "third quarter", "longest quarter"];
    if sorted.len() >= names.len() {
        for (index, name) in names.into_iter().enumerate() {
            let (from, to) = (index * sorted.len() / 4, (index + 1) * sorted.len() / 4);
            bars.push(Bar::of(name, &sorted[from..to]));
        }
    }
    bars
}

fn table(bars: &[Bar]) -> String {
    let mut columns = vec!["episodes_of".to_owned(), "episodes".to_owned()];
    columns.extend(PARTS[..PHASES].iter().map(|(name, _)| format!("mean_{name}_s")));
    let rows = bars.iter().map(|bar| {
        let mut fields = vec![bar.label.clone(), bar.episodes.to_string()];
        fields.extend(bar.phases.iter().map(f64::to_string));
        fields
    });
    csv_text(&columns, rows)
}

/// The height of a row with its bar, and what of it is free: less where there are many.
fn row(bars: usize) -> (i32, i32) {
    if bars <= 8 { (50, 14) } else { (30, 8) }
}

fn draw(bars: &[Bar], (done, cut): (usize, usize), (points, lower): (String, i32)) -> String {
    let widest = bars.iter().map(|bar| Canvas::label_width(&bar.label)).max().unwrap_or(0);
    let left = (widest + 30).clamp(190, 440);
    let (row, free) = row(bars.len());
    let top = 190 + lower;
    let frame = Frame { left, top, right: 880, bottom: top + row * bars.len() as i32 + 10 };
    let longest = bars.iter().map(Bar::total).fold(0.0, f64::max).max(1e-3);
    let across = frame.across(longest);
    svg(WIDTH, (frame.bottom + 70) as u32, |canvas| {
        let mut below = format!("Mean phases of {}", count(done, "complete episode"));
        if cut > 0 {
            let cut = count(cut, "episode");
            below = format!("{below}; {cut} left out that no request ended (unasked, censored)");
        }
        heading(canvas, TITLE, &format!("{below}{points}"));
        legend(canvas, lower);
        let unit = time_unit(longest);
        let label = format!("time since the departure ({})", unit.name);
        frame.draw_across(canvas, across, unit.seconds, &label);
        for (index, bar) in bars.iter().enumerate() {
            let top = frame.top + 10 + row * index as i32;
            let middle = top + (row - free) / 2;
            canvas.text(&bar.label, (frame.left - 12, middle), Lettering::LABEL.right());
            let mut since = 0.0;
            for (seconds, (color, _)) in bar.phases.iter().zip(LOOKS) {
                let until = since + seconds;
                if across.at(until) > across.at(since) {
                    let (from, to) = (across.at(since), across.at(until));
                    canvas.bar((from, top), (to, top + row - free), color);
                }
                since = until;
            }
            let at = (across.at(since) + 8, middle);
            canvas.text(&span(since), at, Lettering { bold: true, ..Lettering::LABEL });
        }
        canvas.line(vec![(frame.left, frame.top), (frame.left, frame.bottom)], palette::BLACK, 1);
    })
}

fn legend(canvas: &Canvas<'_>, lower: i32) {
    for (index, (color, text)) in LOOKS.into_iter().enumerate() {
        let (x, y) = (40 + 310 * (index as i32 % 3), 100 + lower + 28 * (index as i32 / 3));
        canvas.bar((x, y - 8), (x + 18, y + 8), color);
        canvas.text(text, (x + 28, y), Lettering::LABEL);
    }
}
