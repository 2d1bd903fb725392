//! The vectors on the CPU engine. (`reference.rs` runs them on the definitions.)

use std::path::PathBuf;

use webnn::{ContextOptions, Ml};
use webnn_conformance::run::{Outcome, known_failures, run_case};
use webnn_conformance::vectors::read_folder;

#[test]
fn every_vector_passes_on_the_cpu() {
    let Some(shared) = std::env::var_os("WEBNN_SHARED") else {
        eprintln!("skipped: WEBNN_SHARED does not say where the vectors are");
        return;
    };
    let context = Ml::new().create_context(&ContextOptions::default()).unwrap();
    let known = known_failures("cpu").unwrap();
    let mut failures = Vec::new();
    let (mut count, mut failed_as_known) = (0, 0);
    for suite in read_folder(&PathBuf::from(shared).join("conformance")).unwrap() {
        for case in &suite.cases {
            count += 1;
            match run_case(&context, &suite.name, case, &known) {
                Outcome::Passed => {}
                Outcome::Known(_) => failed_as_known += 1,
                Outcome::Failed(why) | Outcome::Skipped(why) => {
                    failures.push(format!("{}: {}: {why}", suite.name, case.name));
                }
            }
        }
    }
    assert!(count > 0, "there are no vectors");
    assert!(failures.is_empty(), "{} of {count}:\n{}", failures.len(), failures.join("\n"));
    assert_eq!(failed_as_known, known.len(), "every case of the list is there");
}
