use super::*;
use crate::random::Stream;

fn npy(kind: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': '{kind}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.extend(data);
    bytes
}

fn values(bytes: &[u8]) -> (usize, Vec<f64>) {
    let rows = npy::read(Path::new("test.npy"), bytes).unwrap();
    (rows.columns, rows.values)
}

fn set(text: &str, scaling: Scaling) -> PointSet {
    let path = Path::new("folder/test.csv");
    let rows = csv::read(path, text.as_bytes()).unwrap();
    PointSet::from_rows(path, rows, Columns::Points, scaling).unwrap()
}

fn with_normals(text: &str, scaling: Scaling) -> PointSet {
    let path = Path::new("test.csv");
    let rows = csv::read(path, text.as_bytes()).unwrap();
    PointSet::from_rows(path, rows, Columns::PointsAndNormals, scaling).unwrap()
}

#[test]
fn every_type_and_byte_order_reads_the_same_numbers() {
    let expected = (2, vec![1.0, 2.0, 3.0, 100.0]);
    macro_rules! both {
        ($type:ty, $name:literal) => {
            let numbers = [1, 2, 3, 100].map(|n| n as $type);
            let little: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
            let big: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
            assert_eq!(values(&npy(concat!("<", $name), "False", "(2, 2)", &little)), expected);
            assert_eq!(values(&npy(concat!(">", $name), "False", "(2, 2)", &big)), expected);
        };
    }
    both!(f32, "f4");
    both!(f64, "f8");
    both!(i16, "i2");
    both!(u16, "u2");
    both!(i32, "i4");
    both!(u32, "u4");
    both!(i64, "i8");
    assert_eq!(values(&npy("|u1", "False", "(2, 2)", &[1, 2, 3, 100])), expected);
    assert_eq!(values(&npy("|i1", "False", "(2, 2)", &[1, 2, 3, 100])), expected);
}

#[test]
fn fortran_order_and_more_axes_are_flattened_row_by_row() {
    // a[i, j, k] = 100 i + 10 j + k of shape (2, 2, 3); in Fortran order i runs fastest.
    let rows = vec![0.0, 1.0, 2.0, 10.0, 11.0, 12.0, 100.0, 101.0, 102.0, 110.0, 111.0, 112.0];
    let fortran = [0, 100, 10, 110, 1, 101, 11, 111, 2, 102, 12, 112];
    assert_eq!(values(&npy("|u1", "True", "(2, 2, 3)", &fortran)), (6, rows));
    assert_eq!(values(&npy("|u1", "True", "(3,)", &[7, 8, 9])), (1, vec![7.0, 8.0, 9.0]));
}

#[test]
fn a_header_a_comment_a_mark_and_other_separators_are_read() {
    for text in [
        "1,2\n3,4\n",
        "x,y\n1,2\n3,4",
        "# made by hand\nx,y\n1,2\n\n3,4\n",
        "\u{feff}1;2\n3;4\n",
        "1\t2\r\n3\t4\r\n",
        "\"1\",\"2\"\n 3 , 4e0 \n",
    ] {
        assert_eq!(set(text, Scaling::None).points.as_slice(), [1.0, 2.0, 3.0, 4.0], "{text:?}");
    }
}

#[test]
fn repeated_rows_become_weights_and_constant_columns_are_noted() {
    let set = set("5,1,0\n5,2,1\n5,1,-0.0\n5,3,1\n", Scaling::None);
    assert_eq!((set.rows, set.len(), set.dim()), (4, 3, 3));
    assert_eq!(set.points.row(1).iter().copied().collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
    assert_eq!(set.log_weights, [0.5_f64.ln(), 0.25_f64.ln(), 0.25_f64.ln()]);
    assert_eq!(set.constant_columns, [0]);
    assert_eq!(set.notes.len(), 2);
    assert_eq!(set.name, "test.csv");
}

#[test]
fn rows_are_drawn_not_distinct_points() {
    let set = set("5,1\n5,2\n5,1\n5,3\n", Scaling::None);
    let drawn = [0.0, 0.49, 0.51, 0.74, 0.76, 1.0 - f64::EPSILON].map(|u| set.drawn(u));
    assert_eq!(drawn, [0, 0, 1, 1, 2, 2]);
}

#[test]
fn scalings_are_what_they_say() {
    let text = "0.1,-4\n0.1,2\n0.1,8\n";
    assert_eq!(set(text, Scaling::Unit).points.amax(), 1.0);
    let centred = set(text, Scaling::Centred).points;
    assert!(centred.column_mean().norm() < 1e-15);
    assert!((centred.norm_squared() / 3.0 - 1.0).abs() < 1e-15);
    let standard = set(text, Scaling::Standard).points;
    // The constant column is 0 and not its rounding error blown up; (−4, 2, 8) has deviation √24.
    assert_eq!(standard.row(0).amax(), 0.0);
    assert!((standard[(1, 2)] - 6.0 / 24.0_f64.sqrt()).abs() < 1e-15);
}

#[test]
fn nearest_distances_agree_with_all_pairs_also_far_from_the_origin() {
    for (count, dim, offset) in [(300, 3, 0.0), (1500, 7, 1e6), (40, 70, -3.0)] {
        let stream = Stream::root(11).indexed(count as u64);
        let mut points = DMatrix::from_vec(dim, count, stream.normals(dim * count));
        points.add_scalar_mut(offset);
        let queries: Vec<usize> = (0..count).step_by(3).collect();
        let fast = nearest_distances(&points, &queries);
        for (q, found) in queries.iter().zip(fast) {
            let others = (0..count).filter(|j| j != q);
            let direct = others.map(|j| (points.column(*q) - points.column(j)).norm());
            assert_eq!(found, direct.fold(f64::INFINITY, f64::min));
        }
    }
}

#[test]
fn the_built_in_sets_are_what_their_page_says() {
    let sets = PointSet::built_in(Scaling::None).unwrap();
    let shapes: Vec<(usize, usize)> = sets.iter().map(|set| (set.rows, set.dim())).collect();
    assert_eq!(shapes, [(1797, 64), (1250, 3), (1707, 3), (5000, 3)]);
    // Digits: pixels 0 to 16, three of them never set. Volcanoes and earthquakes: unit vectors.
    assert_eq!(sets[0].points.max(), 16.0);
    assert_eq!(sets[0].constant_columns, [0, 32, 39]);
    for set in &sets[1..3] {
        assert!(set.points.column_iter().all(|x| (x.norm() - 1.0).abs() < 1e-12));
        assert!(set.normals.is_none());
    }
    // One earthquake stands twice. The bunny has a unit normal at each point.
    assert_eq!(sets.iter().map(PointSet::len).collect::<Vec<_>>(), [1797, 1250, 1706, 5000]);
    let normals = sets[3].normals.as_ref().unwrap();
    assert!(normals.column_iter().all(|n| (n.norm() - 1.0).abs() < 1e-12));
    for set in sets {
        let total: f64 = set.log_weights.iter().map(|w| w.exp()).sum();
        assert!((total - 1.0).abs() < 1e-12);
    }
}

#[test]
fn normals_follow_their_points_through_merging_and_scaling() {
    // The circle at 0°, 90°, and 0° again with the normal reversed: one point, one plane.
    let text = "1,0,1,0\n0,1,0,1\n1,0,-1,0\n";
    let circle = with_normals(text, Scaling::None);
    assert_eq!((circle.rows, circle.len(), circle.dim()), (3, 2, 2));
    assert_eq!(circle.normals.unwrap().as_slice(), [1.0, 0.0, 0.0, 1.0]);
    // Columns of deviation 4 and 1: n·x = const becomes (4 n_x, n_y)·x' = const.
    let text = "0,1,0.6,0.8\n8,3,0.6,0.8\n";
    let line = with_normals(text, Scaling::Standard);
    let normal = line.normals.unwrap();
    // (0.6·4, 0.8·1) up to length.
    assert!((normal[(0, 0)] / normal[(1, 0)] - 3.0).abs() < 1e-12);
    assert!((normal.column(0).norm() - 1.0).abs() < 1e-12);
    let unit = with_normals(text, Scaling::Unit).normals.unwrap();
    assert!((unit[(0, 0)] - 0.6).abs() < 1e-12 && (unit[(1, 0)] - 0.8).abs() < 1e-12);
}

#[test]
fn a_point_with_two_normals_has_none() {
    let set = with_normals("0,0,1,0\n1,1,1,0\n0,0,0,1\n", Scaling::None);
    let normals = set.normals.unwrap();
    assert!(normals.column(0).iter().all(|entry| entry.is_nan()));
    assert_eq!(normals[(0, 1)], 1.0);
    assert!(set.notes.iter().any(|note| note.starts_with("1 points stand in several rows")));
}
