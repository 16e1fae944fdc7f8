//! What the signalling is for: messages and bytes per node and hour, by purpose.
//!
//! Of one sweep point: a bar for each purpose. Of several: one bar a point, the purposes behind each
//! other.

mod stacks;

use crate::metrics::tables::{RunOutput, purpose_name};
use crate::net::ledger::{Direction, Purpose};
use crate::report::canvas::{Canvas, Lettering, palette, svg};
use crate::report::figures::points::{Point, Points};
use crate::report::figures::{Figure, WIDTH, count, heading, nothing};
use crate::report::quantity::number;
use crate::report::tables::csv_text;

const TITLE: &str = "What the signalling is for";

/// One purpose: what was sent per node and hour, and the share of messages that was lost.
struct Cost {
    purpose: Purpose,
    messages: f64,
    bytes: f64,
}

pub(super) fn figure(points: &Points<'_>) -> Figure {
    let costs: Vec<Vec<Cost>> = points.list.iter().map(self::costs).collect();
    let csv = table(&points.list, &costs);
    let svg = match (&points.list[..], &costs[..]) {
        ([point], [costs]) if !costs.is_empty() => draw(point, costs),
        (_, costs) if costs.iter().all(Vec::is_empty) => {
            nothing(TITLE, "No message was sent after the warm-up.")
        }
        _ => stacks::draw(points),
    };
    Figure { svg, csv }
}

/// The purposes of a point, over all its runs, the costliest first.
fn costs(point: &Point<'_>) -> Vec<Cost> {
    let hours = |output: &RunOutput| output.headline.value("node_hours").unwrap_or(0.0);
    let node_hours: f64 = point.runs.iter().map(|(_, output)| hours(output)).sum();
    if node_hours <= 0.0 {
        return Vec::new();
    }
    let of_purpose = |purpose| {
        let rows = point.runs.iter().flat_map(|(_, output)| &output.signalling);
        let sent = rows.filter(|row| row.purpose == purpose && row.direction == Direction::Sent);
        let (messages, bytes) = sent
            .fold((0, 0), |(messages, bytes), row| (messages + row.messages, bytes + row.bytes));
        let (messages, bytes) = (messages as f64 / node_hours, bytes as f64 / node_hours);
        Cost { purpose, messages, bytes }
    };
    let mut costs: Vec<_> =
        Purpose::ALL.into_iter().filter(|it| *it != Purpose::Media).map(of_purpose).collect();
    costs.retain(|cost| cost.messages > 0.0);
    costs.sort_by(|a, b| b.messages.total_cmp(&a.messages));
    costs
}

fn table(points: &[Point<'_>], costs: &[Vec<Cost>]) -> String {
    let rows = points.iter().zip(costs).flat_map(|(point, costs)| {
        costs.iter().map(|cost| {
            let name = purpose_name(cost.purpose).to_owned();
            vec![point.label.clone(), name, cost.messages.to_string(), cost.bytes.to_string()]
        })
    });
    csv_text(&["point", "purpose", "messages_per_node_hour", "bytes_per_node_hour"], rows)
}

const fn described(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::OverlayMaintenance => "overlay: maintenance",
        Purpose::OverlayLookup => "overlay: look-ups",
        Purpose::StoreFetch => "overlay: store and fetch",
        Purpose::Probe => "tests of the proxy peer",
        Purpose::DnsClient => "DNS: to resolvers",
        Purpose::DnsUpstream => "DNS: to the authority",
        Purpose::DynDns => "DynDNS: updates",
        Purpose::Error => "network errors",
        Purpose::Sip => "SIP",
        Purpose::Turn => "TURN: addresses on a relay",
        Purpose::Media => "media",
    }
}

const ABOUT: &str =
    "Sent after the warm-up, per node and hour that it was up; bytes with all headers";

const TOP: i32 = 130;
const ROW: i32 = 40;

fn draw(point: &Point<'_>, costs: &[Cost]) -> String {
    let height = TOP + ROW * costs.len() as i32 + 30;
    svg(WIDTH, height as u32, |canvas| {
        let of = format!("{ABOUT}; {}", count(point.runs.len(), "run"));
        heading(canvas, TITLE, &of);
        for (index, cost) in costs.iter().enumerate() {
            let y = TOP + ROW * index as i32 + ROW / 2;
            canvas.text(described(cost.purpose), (230, y), Lettering::LABEL.right());
        }
        let messages: Vec<f64> = costs.iter().map(|cost| cost.messages).collect();
        bars(canvas, 245, "messages", &messages, palette::BLUE);
        let bytes: Vec<f64> = costs.iter().map(|cost| cost.bytes).collect();
        bars(canvas, 625, "bytes", &bytes, palette::ORANGE);
    })
}

/// A panel of bars from `left`, each with its value and its share of all behind it.
fn bars(
    canvas: &Canvas<'_>,
    left: i32,
    unit: &str,
    values: &[f64],
    color: plotters::style::RGBColor,
) {
    const LONGEST: f64 = 180.0;
    let sum: f64 = values.iter().sum();
    let most = values.iter().copied().fold(0.0, f64::max);
    let head = format!("{unit} per node and hour: {}", number(sum));
    canvas.text(&head, (left, TOP - 18), Lettering { bold: true, ..Lettering::LABEL });
    for (index, value) in values.iter().enumerate() {
        let top = TOP + ROW * index as i32 + 7;
        // At least a pixel: it is there.
        let length = ((value / most * LONGEST).round() as i32).max(1);
        canvas.bar((left, top), (left + length, top + ROW - 14), color);
        let text = format!("{} ({})", number(*value), share(value / sum));
        canvas.text(&text, (left + length + 8, top + (ROW - 14) / 2), Lettering::LABEL);
    }
    let bottom = TOP + ROW * values.len() as i32;
    canvas.line(vec![(left, TOP), (left, bottom)], palette::BLACK, 1);
}

fn share(share: f64) -> String {
    if share < 0.001 { "< 0.1 %".to_owned() } else { format!("{:.1} %", share * 100.0) }
}
