//! Top and bottom Lyapunov vectors as images.

use super::images::Images;
use super::mosaic::{mosaic, panel, with_rows};
use super::spectra::TOLERANCE;
use crate::figure::{Figure, Ink};
use nalgebra::{DMatrix, DVectorView};

/// Trajectories shown, and vectors of each.
const SHOWN: (usize, usize) = (3, 3);

/// Posterior means of end states with the nearest images, and the vectors there.
pub fn figure(seen: &Images) -> Figure {
    let (columns, vectors) = (SHOWN.0.min(seen.runs.len()), SHOWN.1);
    let runs = &seen.runs[..columns];
    let nearest = |end: DVectorView<'_, f64>| -> Vec<f64> {
        let distance = |i: &usize| (seen.set.points.column(*i) - end).norm_squared();
        let least = (0..seen.set.len()).min_by(|i, j| distance(i).total_cmp(&distance(j)));
        seen.set.points.column(least.unwrap_or(0)).iter().copied().collect()
    };
    let states = vec![
        runs.iter().map(|run| seen.denoised(&run.end).as_slice().to_vec()).collect(),
        runs.iter().map(|run| nearest(run.end.column(0))).collect(),
    ];
    let rows = |of_run: &dyn Fn(usize) -> DMatrix<f64>| -> Vec<Vec<Vec<f64>>> {
        let all: Vec<DMatrix<f64>> = (0..columns).map(of_run).collect();
        let image = |v: usize| all.iter().map(|m| oriented(m.column(v))).collect();
        (0..vectors).map(image).collect()
    };
    let top = rows(&|i| seen.runs[i].spectrum.end_vectors.columns(0, vectors).into_owned());
    let bottom = rows(&|i| seen.bottom[i].0.columns(0, vectors).into_owned());
    let side = seen.plan.side;
    let drawn = |title: &str, ink: Ink, images: &[Vec<Vec<f64>>], signed: bool, rows: &[&str]| {
        with_rows(panel(title).with("", ink, mosaic(images, side, signed)), rows, side)
    };
    let panels = vec![
        drawn("end states and images", Ink::Data, &states, false, &["mean", "nearest"]),
        drawn("vectors of most growth", Ink::Lyapunov, &top, true, &["1st", "2nd", "3rd"]),
        drawn(
            "vectors of least growth",
            Ink::Normal,
            &bottom,
            true,
            &["last", "last − 1", "last − 2"],
        ),
    ];
    let growth = |i: usize| {
        let values = &seen.runs[i].spectrum.log_growth;
        let bottom = &seen.bottom[i].1;
        (values[0], values[vectors - 1], bottom[0])
    };
    let spread = (seen.levels.end / seen.levels.start).ln();
    let (first, third, last) = growth(0);
    let dead: f64 = {
        let share = |v: usize| -> f64 {
            let vector = seen.bottom[0].0.column(v);
            seen.set.constant_columns.iter().map(|c| vector[*c].powi(2)).sum()
        };
        (0..vectors).map(share).sum::<f64>() / vectors as f64
    };
    let smooth = |vectors: &[Vec<Vec<f64>>]| {
        let all: Vec<f64> = vectors.iter().flatten().map(|image| roughness(image, side)).collect();
        all.iter().sum::<f64>() / all.len() as f64
    };
    let caption = format!(
        "Posterior means of the end states of {columns} trajectories over {name}, with the image nearest to the state below each, and the end-point Lyapunov vectors \
         there (one column a trajectory; each divided by its largest |pixel|). On the first the log growth is {first:.2} for \
         the first vector, {third:.2} for the third, {last:.2} for the last; a direction in which the data do not vary has \
         log(σ_end/σ_start) = {spread:.2}. Neighbouring pixels of the top vectors differ by {top:.2} of what independent ones \
         would, of the bottom vectors by {bottom:.2}. Of the bottom vectors of the first, {dead:.0} % lies on pixels that \
         never change.",
        name = seen.plan.name,
        top = smooth(&top),
        bottom = smooth(&bottom),
        dead = 100.0 * dead,
    );
    let name = format!("{}-vectors", seen.plan.name);
    let title = format!("Lyapunov vectors of {} as images", seen.plan.name);
    let by_iteration = if growth_is_partial(seen) {
        " The last vectors come from the flow run back, by a few sweeps of block iteration: they grow little, but are not the \
         last ones singly."
    } else {
        ""
    };
    let not_shown = format!(
        "Signs are arbitrary: the sum of pixels is made positive. Where log growths are close, single vectors are \
        a choice within their span, above all among those of least growth. No bars: these are single trajectories.{by_iteration}"
    );
    Figure::new(&name, &title, panels).says(caption, not_shown).within(0.05_f64.max(TOLERANCE))
}

/// Whether only leading pairs were computed.
fn growth_is_partial(seen: &Images) -> bool {
    seen.runs[0].spectrum.log_growth.len() < seen.set.dim()
}

/// The vector with the sign that makes the sum of its entries positive.
fn oriented(vector: DVectorView<'_, f64>) -> Vec<f64> {
    let sign = if vector.sum() < 0.0 { -1.0 } else { 1.0 };
    vector.iter().map(|x| sign * x).collect()
}

/// Mean squared difference of neighbouring pixels over twice the mean square: 1 for independent pixels.
fn roughness(image: &[f64], side: usize) -> f64 {
    let at = |r: usize, c: usize| image[r * side + c];
    let (mut sum, mut count) = (0.0, 0.0);
    for r in 0..side {
        for c in 0..side - 1 {
            sum += (at(r, c) - at(r, c + 1)).powi(2) + (at(c, r) - at(c + 1, r)).powi(2);
            count += 2.0;
        }
    }
    let square = image.iter().map(|x| x * x).sum::<f64>() / image.len() as f64;
    sum / count / (2.0 * square)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chessboard_is_twice_as_rough_as_noise_and_a_constant_is_smooth() {
        let chess: Vec<f64> =
            (0..36).map(|i| if (i / 6 + i % 6) % 2 == 0 { 1.0 } else { -1.0 }).collect();
        assert!((roughness(&chess, 6) - 2.0).abs() < 1e-12);
        assert_eq!(roughness(&[3.0; 16], 4), 0.0);
    }
}
