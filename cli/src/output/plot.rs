//! Plots of the history of a value, as SVG and as text.

mod terminal;

use jiff::Timestamp;
use plotters::coord::Shift;
use plotters::prelude::*;
use unicode_width::UnicodeWidthStr as _;

use self::terminal::Terminal;
use crate::text::printable;

/// A raw value at a point in time.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) millis: i64,
    pub(crate) raw: u32,
}

/// A plot of the history of a value.
pub(crate) struct Plot<'p> {
    pub(crate) title: &'p str,
    /// The samples in the order of time, at least one.
    pub(crate) samples: &'p [Sample],
    /// Formats a raw value.
    pub(crate) label: &'p dyn Fn(u32) -> String,
}

/// The sizes of a plot, in pixels of its drawing area.
struct Sizes {
    /// The height of text.
    text: u32,
    /// The width of a column of text.
    column: u32,
    /// The least number of columns to the left of the axis.
    left: u32,
    /// The length of a tick mark.
    tick: u32,
    /// The width of the line.
    line: u32,
}

/// The sizes in an SVG.
const PIXELS: Sizes = Sizes {
    text: 17,
    column: 8,
    left: 11,
    tick: 5,
    line: 2,
};

/// The sizes on a terminal, whose pixels are Braille dots.
const DOTS: Sizes = Sizes {
    text: 4,
    column: 2,
    left: 0,
    tick: 2,
    line: 1,
};

impl Plot<'_> {
    /// The plot as SVG.
    pub(crate) fn svg(&self) -> String {
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, (960, 320)).into_drawing_area();
        // Drawing into a string can't fail.
        let _ = area.fill(&WHITE).map(|()| self.draw(&area, &PIXELS));
        drop(area);
        svg
    }

    /// The plot as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let area = Terminal::new(&mut text).into_drawing_area();
        let _ = self.draw(&area, &DOTS);
        drop(area);
        text
    }

    /// Draws the plot as steps: a value is valid until the next sample.
    fn draw<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        sizes: &Sizes,
    ) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        let first = self.samples.first().map_or(0, |sample| sample.millis);
        let last = self.samples.last().map_or(0, |sample| sample.millis);
        let raws = self.samples.iter().map(|sample| sample.raw);
        let (min, max) = (raws.clone().min().unwrap_or(0), raws.max().unwrap_or(0));
        // A timestamp has 20 columns, so three of them need 66 columns with space between them.
        let moments = match area.dim_in_pixel().0 / sizes.column {
            ..66 => vec![first, last],
            _ => vec![first, first.midpoint(last), last],
        };
        let rows = u64::from(max - min).clamp(1, 6);
        let row = |row| i64::from(min) + (u64::from(max - min) * row / rows) as i64;
        let values: Vec<i64> = (0..=rows).map(row).collect();
        let label = |raw: &i64| printable(&(self.label)(*raw as u32)).into_owned();
        let columns = values.iter().map(|raw| label(raw).width()).max();
        let font = ("sans-serif", sizes.text).into_font();

        let mut chart = ChartBuilder::on(area)
            .caption(printable(self.title), font.clone())
            // Half of the last timestamp is to the right of the plot.
            .margin_right(11 * sizes.column)
            .x_label_area_size(2 * sizes.text)
            .y_label_area_size((columns.unwrap_or(0) as u32 + 3).max(sizes.left) * sizes.column)
            .build_cartesian_2d(
                (first..last.max(first + 1)).with_key_points(moments),
                (i64::from(min)..i64::from(max.max(min + 1))).with_key_points(values),
            )?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.15))
            .label_style(font)
            .set_all_tick_mark_size(sizes.tick)
            .x_label_formatter(&|millis| {
                let moment = Timestamp::from_millisecond(*millis);
                moment.map_or(String::new(), |moment| moment.to_string())
            })
            .y_label_formatter(&label)
            .draw()?;
        let mut before = None;
        let points = self.samples.iter().flat_map(|sample| {
            let raws = [before.replace(sample.raw), Some(sample.raw)];
            let raws = raws.into_iter().flatten();
            raws.map(|raw| (sample.millis, i64::from(raw)))
        });
        let line = RGBColor(11, 103, 194).stroke_width(sizes.line);
        chart.draw_series(LineSeries::new(points, line))?;
        area.present()
    }
}
