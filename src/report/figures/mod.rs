//! The figures of a study as SVG, each with the table it was drawn from.
//!
//! They are drawn to be looked at in a paper or on a page: one message each, units on every axis,
//! colours that the colour-blind tell apart. What belongs to the warm-up is left out, or shown as
//! such.

mod anatomy;
mod failures;
mod signalling;
mod stale_window;
mod sweep;
mod timeline;

use crate::experiment::cell::{CellSpec, Study};
use crate::experiment::summary::Summary;
pub use crate::experiment::theory::Curve;
use crate::metrics::tables::RunOutput;
use crate::report::TextFile;
use crate::report::canvas::{Canvas, Lettering, palette, svg};

/// The width of a figure, in pixels.
const WIDTH: u32 = 1000;

/// A sweep point with its runs.
struct Point<'a> {
    /// The varied keys with their values, or nothing when nothing is varied.
    label: String,
    /// The runs, each with its spec.
    runs: Vec<(&'a CellSpec, &'a RunOutput)>,
}

/// All figures of a study, and their tables. `curve` is what theory says about the stale windows.
#[must_use]
pub fn figures(
    study: &Study,
    outputs: &[RunOutput],
    summary: &Summary,
    curve: Option<&Curve>,
) -> Vec<TextFile> {
    let points = points(study, outputs);
    let mut drawn = vec![
        ("stale-window".to_owned(), stale_window::figure(&points, curve)),
        ("stale-timeline".to_owned(), timeline::figure(&points)),
        ("signalling".to_owned(), signalling::figure(&points)),
        ("handover-anatomy".to_owned(), anatomy::figure(&points)),
    ];
    if outputs.iter().any(RunOutput::has_requests) {
        drawn.push(("failures".to_owned(), failures::figure(&points)));
    }
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

fn points<'a>(study: &'a Study, outputs: &'a [RunOutput]) -> Vec<Point<'a>> {
    let of_cells = |cells: &'a [CellSpec]| {
        let keys = study.varied.iter().zip(&cells[0].varied);
        let label: Vec<_> = keys.map(|(key, value)| format!("{key} = {value}")).collect();
        let output = |run| {
            let index = outputs.binary_search_by_key(&run, |output| output.run).ok()?;
            Some(&outputs[index])
        };
        let runs = cells.iter().filter_map(|spec| Some((spec, output(spec.run)?))).collect();
        Point { label: label.join(", "), runs }
    };
    study.by_point().map(of_cells).filter(|point| !point.runs.is_empty()).collect()
}

/// A figure that says that there is nothing to show.
fn nothing(title: &str, why: &str) -> String {
    svg(WIDTH, 200, |canvas| {
        canvas.text(title, (40, 40), Lettering::TITLE);
        canvas.text(why, (40, 100), Lettering::LABEL.colored(palette::SLATE));
    })
}

/// The title, and below it a line or two that say what is counted.
fn heading(canvas: &Canvas<'_>, title: &str, below: &str) {
    canvas.text(title, (40, 34), Lettering::TITLE);
    for (line, y) in below.lines().zip([64, 86]) {
        canvas.text(line, (40, y), Lettering::LABEL.colored(palette::SLATE));
    }
}

/// `1 run`, `3 runs`, `12,000 runs`.
fn count(n: usize, one: &str) -> String {
    let number = crate::report::quantity::number(n as f64);
    if n == 1 { format!("{number} {one}") } else { format!("{number} {one}s") }
}
