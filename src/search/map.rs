//! The map of a claim: how alignment stands at each place of a plane of two measures.

use super::archive::{ALIGNED, Archive, Chart, Elite, SIDE, Standing};
use crate::figure::{Axis, Figure, Ink, Layer, Mark, Panel};

/// The map as a figure.
pub fn figure(chart: &Chart, archive: &Archive, name: &str) -> Figure {
    let axis = |nth: usize| {
        let measure = &chart.axes[nth];
        let [low, high] = measure.range;
        Axis::new(measure.label).from_to(low, high)
    };
    let centre = |nth: usize, cell: usize| {
        let [low, high] = chart.axes[nth].range;
        low + (high - low) * (cell as f64 + 0.5) / SIDE as f64
    };
    let layer = |name: &str, ink: Ink, standing: Standing| {
        let stands = |(_, cell): &(usize, &Option<Elite>)| {
            cell.as_ref().is_some_and(|elite| elite.standing() == standing)
        };
        let (x, y) = (archive.cells.iter().enumerate().filter(stands))
            .map(|(cell, _)| (centre(0, cell % SIDE), centre(1, cell / SIDE)))
            .unzip();
        Layer { name: name.to_owned(), ink, mark: Mark::Points { x, y, bars: Vec::new() } }
    };
    let mut panel = Panel::new("worst world of each cell", axis(0), axis(1));
    panel.layers = vec![
        layer("aligned, and the condition says so", Ink::Series(0), Standing::Guaranteed),
        layer("aligned, and the condition is silent", Ink::Series(2), Standing::Silent),
        layer("not aligned", Ink::Series(1), Standing::Fails),
    ];
    let title = format!("Where {} speaks", chart.claim.id);
    let degrees = ALIGNED.asin().to_degrees().round();
    let caption = format!(
        "The worst of the worlds that a search found at each place, {} in all: aligned where the angle at the end is below \
         {degrees}°. {} cells are aligned although the condition does not say so: it is sufficient, not necessary.",
        archive.worlds,
        archive.count(Standing::Silent)
    );
    let not_shown = "Empty places: worlds that the search did not find, which may exist. Worlds beyond the range lie in the \
                     outermost cells.";
    Figure::new(name, &title, vec![panel]).says(caption, not_shown)
}
