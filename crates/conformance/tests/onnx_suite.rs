//! ONNX's backend tests on the CPU engine, where they have been written down.

use std::collections::BTreeMap;
use std::path::PathBuf;

use webnn::{ContextOptions, Ml};
use webnn_conformance::onnx_suite::{read_folder, run_case};
use webnn_conformance::run::Outcome;

#[test]
fn none_fails_and_a_thousand_pass() {
    let Some(folder) = std::env::var_os("WEBNN_ONNX_SUITE") else {
        eprintln!("skipped: WEBNN_ONNX_SUITE does not say where ONNX's tests are");
        return;
    };
    let context = Ml::new().create_context(&ContextOptions::default()).unwrap();
    let filter = std::env::var("WEBNN_ONNX_FILTER").unwrap_or_default();
    let cases = read_folder(&PathBuf::from(folder)).unwrap();
    let mut passed = 0;
    let mut failures = Vec::new();
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for case in cases.iter().filter(|case| case.name.contains(&filter)) {
        match run_case(&context, case) {
            Outcome::Passed => passed += 1,
            Outcome::Failed(why) | Outcome::Known(why) => {
                failures.push(format!("{}: {why}", case.name))
            }
            Outcome::Skipped(why) => reasons.entry(why).or_default().push(case.name.clone()),
        }
    }
    for (reason, names) in &reasons {
        println!("{reason}: {} skipped", names.len());
        if !filter.is_empty() || std::env::var_os("WEBNN_ONNX_NAMES").is_some() {
            names.iter().for_each(|name| println!("  {name}"));
        }
    }
    println!("{passed} passed, {} failed", failures.len());
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
    assert!(!filter.is_empty() || passed >= 1000, "{passed} passed, expected at least 1000");
}
