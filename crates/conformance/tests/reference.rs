//! The vectors on the definition of the operators, which engines are compared with.

use std::path::PathBuf;

use webnn_conformance::vectors::{Case, known, read_folder};
use webnn_core::reference::{Tensor, run};
use webnn_core::{Limits, Result};

#[test]
fn every_vector_passes_on_the_reference() {
    let Some(shared) = std::env::var_os("WEBNN_SHARED") else {
        eprintln!("skipped: WEBNN_SHARED does not say where the vectors are");
        return;
    };
    let suites = read_folder(&PathBuf::from(shared).join("conformance")).expect("vectors");
    let known = known(include_str!("../known/reference.txt")).expect("known failures");
    let mut surprises = Vec::new();
    let mut count = 0;
    for suite in &suites {
        for case in &suite.cases {
            count += 1;
            let is_known =
                known.iter().any(|known| known.suite == suite.name && known.case == case.name);
            match check(case) {
                Err(error) if !is_known => {
                    surprises.push(format!("{}: {}: {}", suite.name, case.name, error.message()));
                }
                Ok(()) if is_known => {
                    surprises.push(format!("{}: {}: passes", suite.name, case.name));
                }
                Ok(()) | Err(_) => {}
            }
        }
    }
    assert!(count > 0, "there are no vectors");
    assert!(surprises.is_empty(), "{} of {count}:\n{}", surprises.len(), surprises.join("\n"));
}

fn check(case: &Case) -> Result<()> {
    let graph = case.build(Limits::default())?;
    let inputs = graph.inputs().iter().map(|port| case.input(&port.name).cloned());
    let results = run(&graph, &inputs.collect::<Result<Vec<Tensor>>>()?)?;
    for (port, result) in graph.outputs().iter().zip(&results) {
        case.check(&port.name, result)?;
    }
    Ok(())
}
