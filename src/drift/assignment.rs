//! The assignment problem: optimal transport between as many points as points.

/// A cheapest pairing of rows with columns, with the prices that prove it.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The column of each row.
    pub columns: Vec<usize>,
    /// The prices u of rows and v of columns: u_i + v_j ≤ c_ij everywhere, with equality on the pairs.
    ///
    /// Every pairing costs at least Σu + Σv, and this one costs as much: whoever doubts that it is
    /// optimal checks these inequalities.
    pub prices: (Vec<f64>, Vec<f64>),
}

/// A cheapest pairing of `count` rows with as many columns, by shortest augmenting paths in O(n³).
///
/// *Source*: Jonker and Volgenant, Computing 38 (1987), without their initialisation. Costs must be finite.
///
/// ```
/// use driftproof::drift::assignment;
/// // Points of a line are paired in their order: 0, 1, 2 with 10, 11, 12.
/// let (from, to) = ([0.0, 2.0, 1.0], [11.0, 10.0, 12.0_f64]);
/// let cost = |i: usize, j: usize| (from[i] - to[j]).powi(2);
/// assert_eq!(assignment(3, cost).columns, [1, 2, 0]);
/// ```
pub fn assignment(count: usize, cost: impl Fn(usize, usize) -> f64) -> Assignment {
    // Column `count` stands for "none": the root of the search for the next row's column.
    let none = count;
    let mut row_of = vec![usize::MAX; count + 1];
    let (mut row_price, mut column_price) = (vec![0.0; count], vec![0.0; count + 1]);
    let (mut slack, mut from, mut done) =
        (vec![0.0; count], vec![none; count], vec![false; count + 1]);
    for row in 0..count {
        slack.fill(f64::INFINITY);
        done.fill(false);
        row_of[none] = row;
        let mut column = none;
        // Grow the tree of tight pairs from this row until it meets a free column.
        loop {
            done[column] = true;
            let reached = row_of[column];
            let (mut step, mut next) = (f64::INFINITY, none);
            for j in (0..count).filter(|&j| !done[j]) {
                let reduced = cost(reached, j) - row_price[reached] - column_price[j];
                if reduced < slack[j] {
                    (slack[j], from[j]) = (reduced, column);
                }
                if slack[j] < step {
                    (step, next) = (slack[j], j);
                }
            }
            for j in 0..=count {
                if done[j] {
                    row_price[row_of[j]] += step;
                    column_price[j] -= step;
                } else {
                    slack[j] -= step;
                }
            }
            column = next;
            if row_of[column] == usize::MAX {
                break;
            }
        }
        // Exchange pairs along the path back to the root.
        while column != none {
            row_of[column] = row_of[from[column]];
            column = from[column];
        }
    }
    let mut columns = vec![0; count];
    (0..count).for_each(|j| columns[row_of[j]] = j);
    column_price.truncate(count);
    Assignment { columns, prices: (row_price, column_price) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    /// The least cost over all permutations, by trying them.
    fn brute_force(costs: &[f64], n: usize, row: usize, used: &mut Vec<bool>) -> f64 {
        if row == n {
            return 0.0;
        }
        let mut least = f64::INFINITY;
        for j in 0..n {
            if !used[j] {
                used[j] = true;
                least = least.min(costs[row * n + j] + brute_force(costs, n, row + 1, used));
                used[j] = false;
            }
        }
        least
    }

    fn total(costs: &[f64], n: usize, columns: &[usize]) -> f64 {
        columns.iter().enumerate().map(|(i, &j)| costs[i * n + j]).sum()
    }

    #[test]
    fn it_is_as_cheap_as_the_cheapest_of_all_permutations() {
        for seed in 0..40 {
            let n = 1 + seed as usize % 7;
            // Every other table has few distinct costs: ties.
            let coarse = |c: f64| if seed % 2 == 0 { c } else { (2.0 * c).round() };
            let costs: Vec<f64> =
                Stream::root(seed).normals(n * n).into_iter().map(coarse).collect();
            let found = assignment(n, |i, j| costs[i * n + j]);
            let mut sorted = found.columns.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..n).collect::<Vec<_>>());
            let least = brute_force(&costs, n, 0, &mut vec![false; n]);
            assert!((total(&costs, n, &found.columns) - least).abs() < 1e-12, "seed {seed}");
        }
    }

    #[test]
    fn its_prices_prove_that_a_large_pairing_is_optimal_and_refute_a_worse_one() {
        let n = 120;
        let (a, b) = (Stream::root(1).normals(2 * n), Stream::root(2).normals(2 * n));
        let cost = |i: usize, j: usize| {
            (a[2 * i] - b[2 * j]).powi(2) + (a[2 * i + 1] - b[2 * j + 1]).powi(2)
        };
        let found = assignment(n, cost);
        let (u, v) = &found.prices;
        let bound: f64 = u.iter().chain(v).sum();
        let paid: f64 = found.columns.iter().enumerate().map(|(i, &j)| cost(i, j)).sum();
        // Rounding: n additions of prices of the size of the costs.
        assert!((paid - bound).abs() < 1e-11);
        assert!((0..n).all(|i| (0..n).all(|j| u[i] + v[j] <= cost(i, j) + 1e-12)));
        let worse: f64 = (0..n).map(|i| cost(i, found.columns[(i + 1) % n])).sum();
        assert!(worse > bound + 1.0);
    }
}
