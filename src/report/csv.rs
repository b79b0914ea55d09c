//! The numbers behind figures and tables, as CSV.

use crate::figure::{Cell, Figure, Table};

/// One row a point: the number of its panel, from 1 in reading order, its layer, then its numbers under their names; those
/// of a raster row by row, the upper row first.
pub fn of_figure(figure: &Figure) -> String {
    let panels = (1..).zip(&figure.panels);
    let layers: Vec<(usize, _)> =
        panels.flat_map(|(nth, panel)| panel.layers.iter().map(move |l| (nth, l))).collect();
    let mut names: Vec<&str> = Vec::new();
    for (_, layer) in &layers {
        for (name, _) in layer.mark.columns() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let mut out = ::csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let head = ["panel", "layer"].into_iter().chain(names.iter().copied());
    write(&mut out, head.map(str::to_owned));
    for (panel, layer) in layers {
        let columns = layer.mark.columns();
        let rows = columns.iter().map(|(_, series)| series.len()).max().unwrap_or_default();
        for row in 0..rows {
            let label = [panel.to_string(), layer.name.clone()];
            let numbers = names.iter().map(|name| {
                let series = columns.iter().find(|(of, _)| of == name).map(|(_, series)| *series);
                series.and_then(|s| s.get(row)).map_or_else(String::new, |value| number(*value))
            });
            write(&mut out, label.into_iter().chain(numbers));
        }
    }
    finish(out)
}

/// The table, its error bars in columns of their own.
pub fn of_table(table: &Table) -> String {
    let mut out = ::csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let has_bar = |column: usize| {
        let of = |row: &Vec<Cell>| matches!(row.get(column), Some(Cell::Number { bar, .. }) if *bar != 0.0);
        table.rows.iter().any(of)
    };
    let bars: Vec<bool> = (0..table.head.len()).map(has_bar).collect();
    let with_bars = |cells: Vec<(String, String)>| {
        let both = cells.into_iter().zip(&bars);
        both.flat_map(|((value, bar), has)| if *has { vec![value, bar] } else { vec![value] })
            .collect::<Vec<_>>()
    };
    let head = table.head.iter().map(|head| (head.clone(), format!("{head}: bar"))).collect();
    write(&mut out, with_bars(head).into_iter());
    for row in &table.rows {
        let cells = row.iter().map(|cell| match cell {
            Cell::Number { value, bar } => (number(*value), number(*bar)),
            Cell::Words(words) => (words.clone(), String::new()),
        });
        write(&mut out, with_bars(cells.collect()).into_iter());
    }
    finish(out)
}

/// Six digits, as in the record; nothing for what is not known.
fn number(value: f64) -> String {
    let rounded = crate::figure::rounded(value);
    if rounded.is_finite() { rounded.to_string() } else { String::new() }
}

fn write(out: &mut ::csv::Writer<Vec<u8>>, row: impl Iterator<Item = String>) {
    out.write_record(row).expect("into memory");
}

fn finish(out: ::csv::Writer<Vec<u8>>) -> String {
    let bytes = out.into_inner().expect("into memory");
    String::from_utf8(bytes).expect("written from strings")
}
