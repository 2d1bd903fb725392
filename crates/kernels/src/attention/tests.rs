use super::*;

fn numbers(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

fn run(isa: Isa, operands: &Attention<'_>, parts: usize) -> Vec<f32> {
    let (rows, columns) = (operands.q.rows, operands.v.columns);
    let mut out = vec![5.0; rows * columns];
    let mut scratch = vec![0xff; scratch_bytes(isa, operands.q.columns, columns)];
    for part in 0..parts {
        let queries = part * rows / parts..(part + 1) * rows / parts;
        let to = &mut out[queries.start * columns..queries.end * columns];
        let to = MatrixMut::new(to, [queries.len(), columns], columns);
        attention(isa, operands, queries, to, &mut scratch);
    }
    out
}

/// One result of the definition in f64.
fn expected(operands: &Attention<'_>, query: usize) -> Vec<f64> {
    let Attention { q, k, v, mask, scale } = operands;
    let at = |m: &Matrix<'_, f32>, i: usize, j: usize| {
        f64::from(m.data[i * m.row_stride + j * m.column_stride])
    };
    let scores: Vec<f64> = (0..k.rows)
        .map(|key| {
            let dot: f64 = (0..q.columns).map(|i| at(q, query, i) * at(k, key, i)).sum();
            dot * f64::from(*scale) + mask.as_ref().map_or(0.0, |mask| at(mask, query, key))
        })
        .collect();
    let greatest = scores.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
    let weights: Vec<f64> = scores.iter().map(|score| (score - greatest).exp()).collect();
    let total: f64 = weights.iter().sum();
    (0..v.columns)
        .map(|i| weights.iter().enumerate().map(|(key, w)| w * at(v, key, i)).sum::<f64>() / total)
        .collect()
}

#[test]
fn every_set_matches_the_definition() {
    let causal: Vec<f32> =
        (0..400 * 400).map(|i| if i % 400 > i / 400 { f32::NEG_INFINITY } else { 0.5 }).collect();
    for isa in Isa::available() {
        for [queries, keys, len, value_len] in [
            [1, 1, 1, 1],
            [1, 300, 64, 64],
            [2, 129, 67, 150],
            [4, 31, 16, 8],
            [5, 7, 3, 2],
            [33, 129, 64, 20],
            [70, 400, 16, 33],
        ] {
            let q = numbers(queries * len * 3, 1);
            let k = numbers(keys * len * 2, 2);
            let v = numbers(keys * (value_len + 2), 3);
            let key_mask = numbers(keys, 4);
            for (strides, mask) in [
                ([len, 1], None),
                ([2 * len, 2], Some(Matrix::new(&key_mask, [queries, keys], [0, 1]))),
                ([1, keys], Some(Matrix::new(&causal, [queries, keys], [400, 1]))),
            ] {
                let operands = Attention {
                    q: Matrix::new(&q, [queries, len], [3 * len, 1]),
                    k: Matrix::new(&k, [keys, len], strides),
                    v: Matrix::new(&v, [keys, value_len], [value_len + 2, 1]),
                    mask,
                    scale: 2.5,
                };
                let out = run(isa, &operands, 1);
                for query in 0..queries {
                    for (i, expected) in expected(&operands, query).into_iter().enumerate() {
                        let got = out[query * value_len + i];
                        assert!(
                            (f64::from(got) - expected).abs() < 2e-5,
                            "{isa:?}: {queries} queries, {keys} keys of {len}: result {i} of \
                             query {query} is {got}, expected {expected}"
                        );
                    }
                }
                for parts in [2, 7] {
                    let apart = run(isa, &operands, parts);
                    assert!(
                        out.iter().zip(&apart).all(|(x, y)| x.to_bits() == y.to_bits()),
                        "{isa:?}: {queries} queries, {keys} keys in {parts} parts"
                    );
                }
            }
        }
    }
}

#[test]
fn parts_are_joined_and_computed_as_one() {
    for (isa, (len, value_len)) in
        Isa::available().flat_map(|isa| [(20, 67), (64, 128)].map(|lens| (isa, lens)))
    {
        let stream = Stream::default();
        for (queries, past, new, stream) in
            [(1, 256, 1, Some(&stream)), (4, 3, 200, None), (3, 130, 3, Some(&stream))]
        {
            let keys = past + new;
            let (q, mask) = (numbers(queries * len, 1), numbers(queries * keys, 4));
            let (k, v) = (numbers(keys * len, 2), numbers(keys * value_len, 3));
            let part = |from: usize, rows: usize| Part {
                k: Matrix::row_major(&k[from * len..], [rows, len]),
                v: Matrix::row_major(&v[from * value_len..], [rows, value_len]),
            };
            let (whole, first) = (part(0, keys), part(0, past));
            let operands = Attention {
                q: Matrix::row_major(&q, [queries, len]),
                k: first.k,
                v: first.v,
                mask: Some(Matrix::row_major(&mask, [queries, keys])),
                scale: 0.5,
            };
            let mut out = vec![5.0; queries * value_len];
            let mut scratch = vec![0xff; scratch_bytes(isa, len, value_len)];
            let mut joined = [vec![5.0; k.len()], vec![5.0; v.len()]];
            let [to_k, to_v] = &mut joined;
            let to = MatrixMut::new(&mut out, [queries, value_len], value_len);
            let joining = Joined { k: to_k, v: to_v, stream };
            let next = part(past, new);
            attention_joined(isa, &operands, next, to, &mut scratch, Some(joining));
            assert_eq!(joined, [k.clone(), v.clone()], "{isa:?}: {past} and {new} keys");
            let operands = Attention { k: whole.k, v: whole.v, ..operands };
            for query in 0..queries {
                for (i, expected) in expected(&operands, query).into_iter().enumerate() {
                    let got = f64::from(out[query * value_len + i]);
                    assert!(
                        (got - expected).abs() < 2e-5,
                        "{isa:?}: {past} and {new} keys: result {i} of query {query} is \
                         {got}, expected {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn great_scores_do_not_overflow() {
    for isa in Isa::available() {
        let k: Vec<f32> = (0..300).map(|i| i as f32).collect();
        let v: Vec<f32> = (0..300).map(|i| i as f32).collect();
        for (q, expected) in [(1000.0, 299.0), (-1000.0, 0.0)] {
            let q = [q];
            let operands = Attention {
                q: Matrix::row_major(&q, [1, 1]),
                k: Matrix::row_major(&k, [300, 1]),
                v: Matrix::row_major(&v, [300, 1]),
                mask: None,
                scale: 1.0,
            };
            assert_eq!(run(isa, &operands, 1), [expected], "{isa:?}");
        }
    }
}

#[test]
fn a_query_without_keys_and_one_with_a_nan_are_nan() {
    for isa in Isa::available() {
        let mask: Vec<f32> =
            (0..2 * 200).map(|i| if i < 200 { f32::NEG_INFINITY } else { 0.0 }).collect();
        let ones = vec![1.0; 200];
        let mut with_nan = ones.clone();
        with_nan[3] = f32::NAN;
        let operands = |k| Attention {
            q: Matrix::row_major(&[1.0, 1.0], [2, 1]),
            k: Matrix::row_major(k, [200, 1]),
            v: Matrix::row_major(&[2.0; 200], [200, 1]),
            mask: Some(Matrix::row_major(&mask, [2, 200])),
            scale: 1.0,
        };
        let out = run(isa, &operands(&ones), 1);
        assert!(out[0].is_nan() && (out[1] - 2.0).abs() < 1e-6, "{isa:?}: {out:?}");
        assert!(run(isa, &operands(&with_nan), 1)[1].is_nan(), "{isa:?}");
    }
}
