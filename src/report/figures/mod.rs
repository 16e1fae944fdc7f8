//! The figures of a study as SVG, each with the table it was drawn from.
//!
//! They are drawn to be looked at in a paper or on a page: one message each, units on every axis,
//! colours that the colour-blind tell apart. What belongs to the warm-up is left out, or shown as
//! such.

mod anatomy;
mod failures;
mod points;
mod signalling;
mod stale_window;
mod sweep;
mod timeline;

use crate::experiment::cell::Study;
use crate::experiment::summary::Summary;
pub use crate::experiment::theory::Curve;
use crate::metrics::tables::RunOutput;
use crate::report::TextFile;
use crate::report::canvas::{Canvas, Lettering, palette, svg};
use crate::report::comparison::Compared;
use crate::report::quantity::count;
use points::{Chosen, Points};

/// The width of a figure, in pixels.
const WIDTH: u32 = 1000;

/// All figures of a study, and their tables. `curve` is what theory says about the stale windows,
/// `compared` what is compared by name.
#[must_use]
pub(super) fn figures(
    study: &Study,
    outputs: &[RunOutput],
    summary: &Summary,
    curve: Option<&Curve>,
    compared: Option<&Compared<'_>>,
) -> Vec<TextFile> {
    let points = Points::of(study, outputs);
    let mut drawn = vec![
        ("stale-window".to_owned(), stale_window::figure(&points, curve)),
        ("stale-timeline".to_owned(), timeline::figure(&points)),
        ("signalling".to_owned(), signalling::figure(&points)),
        ("handover-anatomy".to_owned(), anatomy::figure(&points)),
    ];
    if outputs.iter().any(RunOutput::has_requests) {
        drawn.push(("failures".to_owned(), failures::figure(&points)));
    }
    let comparison = compared.and_then(sweep::comparison);
    drawn.extend(comparison.map(|figure| ("comparison".to_owned(), figure)));
    drawn.extend(sweep::figures(study, summary));
    let file = |(name, figure): (String, Figure)| {
        [
            TextFile::new(format!("figures/{name}.svg"), figure.svg),
            TextFile::new(format!("figures/{name}.csv"), figure.csv),
        ]
    };
    drawn.into_iter().flat_map(file).collect()
}

/// An image and its table.
struct Figure {
    svg: String,
    csv: String,
}

/// A figure that says that there is nothing to show.
fn nothing(title: &str, why: &str) -> String {
    svg(WIDTH, 200, |canvas| {
        canvas.text(title, (40, 40), Lettering::TITLE);
        canvas.text(why, (40, 100), Lettering::LABEL.colored(palette::SLATE));
    })
}

/// The distance of two lines below a title.
const LINE: i32 = 22;

/// The title, and below it the lines that say what is counted.
fn heading(canvas: &Canvas<'_>, title: &str, below: &str) {
    canvas.text(title, (40, 34), Lettering::TITLE);
    for (line, y) in below.lines().zip((0..).map(|line| 64 + LINE * line)) {
        canvas.text(line, (40, y), Lettering::LABEL.colored(palette::SLATE));
    }
}

/// A line of the heading that tells which points are drawn, where these are not all, and how much
/// lower all below it begins.
fn drawn_points(chosen: &Chosen<'_, '_>) -> (String, i32) {
    match &chosen.told {
        Some(told) => (format!("\nDrawn: {told}. The table beside the figure has all."), LINE),
        None => (String::new(), 0),
    }
}
