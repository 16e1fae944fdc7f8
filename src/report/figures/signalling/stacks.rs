//! The signalling of several points: a bar each, the purposes behind each other.

use plotters::style::RGBColor;

use super::{ABOUT, Cost, TITLE, costs, described};
use crate::net::ledger::Purpose;
use crate::report::axis::Frame;
use crate::report::canvas::{Canvas, Lettering, palette, svg};
use crate::report::figures::points::{MOST_ROWS, Points};
use crate::report::figures::{WIDTH, drawn_points, heading};
use crate::report::quantity::number;

/// The height of a row, and of its bar.
const ROW: i32 = 30;
const BAR: i32 = 20;

/// A colour for each purpose.
const fn color(purpose: Purpose) -> RGBColor {
    match purpose {
        Purpose::OverlayMaintenance => palette::BLUE,
        Purpose::OverlayLookup => palette::SKY,
        Purpose::StoreFetch => palette::GREEN,
        Purpose::Probe => palette::VERMILION,
        Purpose::DnsClient => palette::ORANGE,
        Purpose::DnsUpstream => palette::YELLOW,
        Purpose::DynDns => palette::PURPLE,
        Purpose::Sip => palette::GREY,
        Purpose::Turn => palette::SLATE,
        Purpose::Media | Purpose::Error => palette::BLACK,
    }
}

pub(super) fn draw(points: &Points<'_>) -> String {
    let chosen = points.choose(MOST_ROWS, |point| !costs(point).is_empty());
    let rows: Vec<(&str, Vec<Cost>)> =
        chosen.points.iter().map(|(point, name)| (name.as_str(), costs(point))).collect();
    let sent = |purpose: &Purpose| {
        rows.iter().any(|(_, costs)| costs.iter().any(|cost| cost.purpose == *purpose))
    };
    let purposes: Vec<Purpose> = Purpose::ALL.into_iter().filter(sent).collect();
    let (below, lower) = drawn_points(&chosen);
    let legend_top = 96 + lower;
    let top = legend_top + 28 * purposes.len().div_ceil(3) as i32 + 34;
    let bottom = top + ROW * rows.len() as i32;
    let widest = rows.iter().map(|(name, _)| name.chars().count() as i32 * 9).max().unwrap_or(0);
    let left = (widest + 52).clamp(150, 430);
    let width = (970 - left - 90) / 2;
    svg(WIDTH, (bottom + 40) as u32, |canvas| {
        heading(canvas, TITLE, &format!("{ABOUT}{below}"));
        for (index, purpose) in (0..).zip(&purposes) {
            let (x, y) = (40 + 310 * (index % 3), legend_top + 28 * (index / 3));
            canvas.bar((x, y - 8), (x + 18, y + 8), color(*purpose));
            canvas.text(described(*purpose), (x + 28, y), Lettering::LABEL);
        }
        for (index, (name, _)) in (0..).zip(&rows) {
            let y = top + ROW * index + ROW / 2;
            canvas.text(name, (left - 12, y), Lettering::LABEL.right());
        }
        let frame = Frame { left, top, right: left + width, bottom };
        panel(canvas, frame, "messages", &rows, &purposes, |cost| cost.messages);
        let frame = Frame { left: frame.right + 90, right: frame.right + 90 + width, ..frame };
        panel(canvas, frame, "bytes", &rows, &purposes, |cost| cost.bytes);
    })
}

/// A bar for each point, as long as the sum of its purposes, which is written behind it.
fn panel(
    canvas: &Canvas<'_>,
    frame: Frame,
    unit: &str,
    rows: &[(&str, Vec<Cost>)],
    purposes: &[Purpose],
    amount: fn(&Cost) -> f64,
) {
    /// What the sum takes behind the longest bar, in pixels.
    const SUM: i32 = 80;
    let sum = |costs: &[Cost]| costs.iter().map(amount).sum::<f64>();
    let most = rows.iter().map(|(_, costs)| sum(costs)).fold(0.0, f64::max);
    let scale = Frame { right: frame.right - SUM, ..frame }.across(most);
    let head = format!("{unit} per node and hour");
    canvas.text(&head, (frame.left, frame.top - 14), Lettering { bold: true, ..Lettering::LABEL });
    for (index, (_, costs)) in (0..).zip(rows) {
        let top = frame.top + ROW * index + (ROW - BAR) / 2;
        let mut before = 0.0;
        for purpose in purposes {
            let here = costs.iter().find(|cost| cost.purpose == *purpose).map_or(0.0, amount);
            let (from, to) = (scale.at(before), scale.at(before + here));
            if to > from {
                canvas.bar((from, top), (to, top + BAR), color(*purpose));
            }
            before += here;
        }
        let at = (scale.at(before) + 8, top + BAR / 2);
        canvas.text(&number(before), at, Lettering::LABEL);
    }
    canvas.line(vec![(frame.left, frame.top), (frame.left, frame.bottom)], palette::BLACK, 1);
}
