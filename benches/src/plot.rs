//! Plots as SVG.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Colours that people with colour vision deficiencies can tell apart (Okabe and Ito).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(150, 110, 0),
];

const FONT: &str = "sans-serif";

/// A line of a plot.
#[derive(Clone, Debug)]
pub struct Line {
    /// The name beside its end.
    pub name: String,
    /// The points, by rising x.
    pub points: Vec<(f64, f64)>,
}

type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// Draws lines with logarithmic axes: what grows linearly rises by one decade for each decade to the right.
#[must_use]
pub fn growth(title: &str, x: &str, y: &str, lines: &[Line]) -> String {
    let mut svg = String::new();
    let _ = draw_growth(&mut svg, title, x, y, lines);
    svg
}

fn draw_growth(svg: &mut String, title: &str, x: &str, y: &str, lines: &[Line]) -> Drawn {
    let area = SVGBackend::with_string(svg, (760, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let points = || lines.iter().flat_map(|line| &line.points);
    let range = |values: Vec<f64>| {
        let low = values.iter().copied().fold(f64::MAX, f64::min);
        let high = values.iter().copied().fold(0.0, f64::max);
        low / 1.6..high * 1.6
    };
    let (left, right) = (
        range(points().map(|point| point.0).collect()),
        range(points().map(|point| point.1).collect()),
    );
    let mut chart = ChartBuilder::on(&area)
        .caption(title, (FONT, 18))
        .margin(10)
        .margin_right(130)
        .x_label_area_size(45)
        .y_label_area_size(80)
        .build_cartesian_2d(left.log_scale(), right.log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.15))
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 15))
        .x_desc(x)
        .y_desc(y)
        .x_label_formatter(&|value| crate::table::number(*value))
        .y_label_formatter(&|value| crate::table::number(*value))
        .draw()?;
    let mut ends: Vec<(usize, i32)> = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        let colour = COLOURS[n % COLOURS.len()];
        chart.draw_series(LineSeries::new(
            line.points.iter().copied(),
            colour.stroke_width(2),
        ))?;
        let dots = line.points.iter();
        chart.draw_series(dots.map(|point| Circle::new(*point, 4, colour.filled())))?;
        if let Some(last) = line.points.last() {
            ends.push((n, chart.backend_coord(last).1));
        }
    }
    // Names of lines that end close to each other move apart.
    ends.sort_by_key(|end| end.1);
    let mut lowest = 0;
    for (n, height) in ends {
        let height = height.max(lowest + 17);
        lowest = height;
        let style = TextStyle::from((FONT, 15).into_font())
            .color(&COLOURS[n % COLOURS.len()])
            .pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(lines[n].name.clone(), (640, height), style))?;
    }
    area.present()
}

/// Draws bars with a logarithmic axis. A bar is a name, a value, and whether the program is ours.
#[must_use]
pub fn bars(title: &str, bars: &[(String, f64, bool)]) -> String {
    let mut svg = String::new();
    let _ = draw_bars(&mut svg, title, bars);
    svg
}

fn draw_bars(svg: &mut String, title: &str, bars: &[(String, f64, bool)]) -> Drawn {
    const LEFT: i32 = 260;
    const WIDTH: f64 = 400.0;
    const STEP: i32 = 26;
    let height = 75 + STEP * bars.len() as i32;
    let area = SVGBackend::with_string(svg, (760, height as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    let text = |size: u32, side: HPos| {
        TextStyle::from((FONT, size).into_font()).pos(Pos::new(side, VPos::Center))
    };
    area.draw(&Text::new(
        title.to_owned(),
        (380, 20),
        text(18, HPos::Center),
    ))?;
    let most = bars.iter().map(|bar| bar.1).fold(1.0, f64::max);
    let decades = most.log10().ceil();
    let place = |value: f64| LEFT + (value.max(1.0).log10() / decades * WIDTH) as i32;
    let bottom = 45 + STEP * bars.len() as i32;
    for decade in 0..=decades as i32 {
        let x = place(10_f64.powi(decade));
        area.draw(&PathElement::new([(x, 40), (x, bottom)], BLACK.mix(0.15)))?;
        let label = crate::table::number(10_f64.powi(decade));
        area.draw(&Text::new(label, (x, bottom + 12), text(13, HPos::Center)))?;
    }
    for (n, (name, value, ours)) in bars.iter().enumerate() {
        let middle = 55 + STEP * n as i32;
        let colour = if *ours {
            COLOURS[0]
        } else {
            RGBColor(160, 160, 160)
        };
        let corners = [(LEFT, middle - 9), (place(*value), middle + 9)];
        area.draw(&Rectangle::new(corners, colour.filled()))?;
        area.draw(&Text::new(
            name.clone(),
            (LEFT - 8, middle),
            text(15, HPos::Right),
        ))?;
        let label = crate::table::number(*value);
        area.draw(&Text::new(
            label,
            (place(*value) + 8, middle),
            text(15, HPos::Left),
        ))?;
    }
    area.present()
}
