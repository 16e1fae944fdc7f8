//! Drawing to SVG: plotters' SVG back end with whole pixels, and nothing that asks the system for
//! fonts, so that the same drawing has the same bytes everywhere.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// A point, in pixels from the upper left corner.
pub(crate) type Pixel = (i32, i32);

/// Colours that the colour-blind tell apart: Okabe and Ito, "Color Universal Design" (2008).
pub(crate) mod palette {
    use plotters::style::RGBColor;

    pub(crate) const BLACK: RGBColor = RGBColor(0x1a, 0x1a, 0x1a);
    pub(crate) const GREY: RGBColor = RGBColor(0x8c, 0x8c, 0x8c);
    /// For words that stand back, yet are read: 7 to 1 against white.
    pub(crate) const SLATE: RGBColor = RGBColor(0x55, 0x55, 0x55);
    pub(crate) const PALE: RGBColor = RGBColor(0xe4, 0xe4, 0xe4);
    pub(crate) const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xb2);
    pub(crate) const SKY: RGBColor = RGBColor(0x56, 0xb4, 0xe9);
    pub(crate) const GREEN: RGBColor = RGBColor(0x00, 0x9e, 0x73);
    pub(crate) const YELLOW: RGBColor = RGBColor(0xf0, 0xe4, 0x42);
    pub(crate) const ORANGE: RGBColor = RGBColor(0xe6, 0x9f, 0x00);
    pub(crate) const VERMILION: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
    pub(crate) const PURPLE: RGBColor = RGBColor(0xcc, 0x79, 0xa7);
    /// One colour for each of several lines.
    pub(crate) const LINES: [RGBColor; 7] = [BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK];
}

/// How a text stands.
#[derive(Clone, Copy)]
pub(crate) struct Lettering {
    pub(crate) pixels: u32,
    pub(crate) color: RGBColor,
    pub(crate) bold: bool,
    pub(crate) align: HPos,
    pub(crate) upward: bool,
}

impl Lettering {
    pub(crate) const TITLE: Self = Self { pixels: 22, bold: true, ..Self::LABEL };
    pub(crate) const LABEL: Self =
        Self { pixels: 16, color: palette::BLACK, bold: false, align: HPos::Left, upward: false };

    pub(crate) const fn centred(self) -> Self {
        Self { align: HPos::Center, ..self }
    }

    pub(crate) const fn right(self) -> Self {
        Self { align: HPos::Right, ..self }
    }

    pub(crate) const fn upward(self) -> Self {
        Self { upward: true, ..self }
    }

    pub(crate) const fn colored(self, color: RGBColor) -> Self {
        Self { color, ..self }
    }
}

/// A drawing under way.
pub(crate) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

const MEMORY: &str = "drawing to memory does not fail";

/// The text of an SVG image of this size.
pub(crate) fn svg(width: u32, height: u32, draw: impl FnOnce(&Canvas<'_>)) -> String {
    let mut text = String::new();
    let canvas =
        Canvas { area: SVGBackend::with_string(&mut text, (width, height)).into_drawing_area() };
    canvas.area.fill(&WHITE).expect(MEMORY);
    draw(&canvas);
    canvas.area.present().expect(MEMORY);
    drop(canvas);
    text
}

impl Canvas<'_> {
    /// A filled rectangle.
    pub(crate) fn bar(&self, from: Pixel, to: Pixel, color: RGBColor) {
        self.area.draw(&Rectangle::new([from, to], color.filled())).expect(MEMORY);
    }

    /// About how wide a label is, in pixels: the real font is known only where it is shown.
    pub(crate) fn label_width(text: &str) -> i32 {
        text.chars().count() as i32 * 10
    }

    /// A line through points.
    pub(crate) fn line(&self, points: Vec<Pixel>, color: RGBColor, width: u32) {
        let style = color.stroke_width(width);
        self.area.draw(&PathElement::new(points, style)).expect(MEMORY);
    }

    /// A line of dashes: every other piece between points is left out.
    pub(crate) fn dashes(&self, points: &[Pixel], color: RGBColor, width: u32) {
        for piece in points.chunks_exact(2) {
            self.line(piece.to_vec(), color, width);
        }
    }

    /// A filled disc, or a ring that hides what is behind it.
    pub(crate) fn disc(&self, at: Pixel, radius: i32, color: RGBColor, filled: bool) {
        let inside = if filled { color } else { WHITE };
        self.area.draw(&Circle::new(at, radius, inside.filled())).expect(MEMORY);
        self.area.draw(&Circle::new(at, radius, color.stroke_width(2))).expect(MEMORY);
    }

    /// A filled shape, or its outline, which hides what is behind it.
    pub(crate) fn shape(&self, corners: Vec<Pixel>, color: RGBColor, filled: bool) {
        let outline: Vec<Pixel> = corners.iter().chain(corners.first()).copied().collect();
        let inside = if filled { color } else { WHITE };
        self.area.draw(&Polygon::new(corners, inside.filled())).expect(MEMORY);
        self.line(outline, color, 2);
    }

    /// A text; `at` is the middle of its height.
    pub(crate) fn text(&self, text: &str, at: Pixel, lettering: Lettering) {
        let style = if lettering.bold { FontStyle::Bold } else { FontStyle::Normal };
        // The back end writes the size divided by 1.24.
        let size = f64::from(lettering.pixels) * 1.24;
        let mut font = FontDesc::new(FontFamily::SansSerif, size, style);
        if lettering.upward {
            font = font.transform(FontTransform::Rotate270);
        }
        let style = TextStyle::from(font)
            .color(&lettering.color)
            .pos(Pos::new(lettering.align, VPos::Center));
        self.area.draw(&Text::new(text.to_owned(), at, style)).expect(MEMORY);
    }
}
