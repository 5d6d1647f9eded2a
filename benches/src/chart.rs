//! A curve as SVG.

use std::path::Path;

use plotters::prelude::*;

use crate::Result;

/// One line in a chart.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

const COLOURS: [RGBColor; 4] = [
    RGBColor(0x55, 0x55, 0x55),
    RGBColor(0xc0, 0x39, 0x2b),
    RGBColor(0x1f, 0x61, 0x8d),
    RGBColor(0x1e, 0x84, 0x49),
];

pub(crate) fn draw(file: &Path, over: &str, unit: &str, lines: &[Line]) -> Result<()> {
    let all = || lines.iter().flat_map(|line| line.points.iter().copied());
    let (widest, highest) =
        all().fold((1.0, 1.0), |(w, h): (f64, f64), (x, y)| (w.max(x), h.max(y)));
    let area = SVGBackend::new(file, (720, 360)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..widest * 1.02, 0.0..highest * 1.1)?;
    chart.configure_mesh().x_desc(over).y_desc(unit).light_line_style(TRANSPARENT).draw()?;
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        chart
            .draw_series(LineSeries::new(line.points.clone(), colour.stroke_width(2)))?
            .label(&line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
        chart.draw_series(line.points.iter().map(|&at| Circle::new(at, 3, colour.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .draw()?;
    Ok(area.present()?)
}
