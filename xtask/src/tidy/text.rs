//! Rules about the text of a file.

use super::Finding;

/// Past this a file wants to be two; past the second number it must be.
const LONG: usize = 600;
const TOO_LONG: usize = 800;

/// Where `unsafe` may stand: arithmetic on vectors, the engine's arena and what its threads share,
/// mapped files, and the allocator that counts in a test. The engine's operators are safe code over
/// those. Everything else is safe Rust.
const UNSAFE: [&str; 4] =
    ["crates/kernels/", "crates/cpu/src/", "crates/file/", "crates/cpu/tests/allocation.rs"];
const SAFE: &str = "crates/cpu/src/ops";

/// Programs, whose job it is to print.
const PRINTS: [&str; 5] =
    ["xtask/", "crates/cli/", "crates/conformance/src/bin/", "examples/", "fuzz/"];

// In two halves, so that this file does not break its own rules.
const MACHINE_PATHS: [&str; 5] = [
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/tm", "p/"),
];
const EXCUSES: [&str; 3] = [concat!("FIX", "ME"), concat!("XX", "X:"), concat!("HA", "CK")];
const LATER: &str = concat!("TO", "DO");
const CONFLICT: [&str; 2] = [concat!("<<<<", "<<< "), concat!(">>>>", ">>> ")];

pub(super) fn check(path: &str, content: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_rust = path.ends_with(".rs");
    // A unified diff in a licence or a lock file is not ours to format.
    if !is_generated(path) {
        length(path, content, &mut findings);
    }
    for (index, line) in content.lines().enumerate() {
        let mut found = |message: String| findings.push(Finding::new(path, index + 1, message));
        if line.ends_with([' ', '\t', '\r']) {
            found("white space at the end of the line".into());
        }
        for start in CONFLICT {
            if line.starts_with(start) {
                found("a conflict that was not resolved".into());
            }
        }
        for place in MACHINE_PATHS {
            if names_path(line, place) {
                found(format!("{place} names a place on one machine"));
            }
        }
        for excuse in EXCUSES {
            if line.contains(excuse) {
                found(format!("{excuse}: do it, or write an issue"));
            }
        }
        if let Some((_, rest)) = line.split_once(LATER)
            && rest.trim_start_matches([':', ' ']).len() < 10
        {
            found(format!("{LATER} without a reason"));
        }
    }
    if !content.is_empty() && !content.ends_with('\n') {
        findings.push(Finding::new(path, 0, "no line end at the end of the file"));
    }
    if is_rust {
        rust(path, content, &mut findings);
    }
    if path.ends_with(".py") && !content.contains("SPDX-License-Identifier: MIT OR Apache-2.0") {
        findings.push(Finding::new(path, 0, "no SPDX-License-Identifier line"));
    }
    findings
}

fn is_generated(path: &str) -> bool {
    path.ends_with(".lock") || path.contains(".gen.") || !has_source_suffix(path)
}

fn has_source_suffix(path: &str) -> bool {
    [".rs", ".py", ".ts", ".js", ".mjs", ".wgsl", ".sh"].iter().any(|end| path.ends_with(end))
}

fn length(path: &str, content: &str, findings: &mut Vec<Finding>) {
    let lines = match content.find("\n#[cfg(test)]\nmod tests {") {
        Some(tests) => content[..tests].lines().count(),
        None => content.lines().count(),
    };
    if lines > TOO_LONG {
        let message = format!("{lines} lines without tests, at most {TOO_LONG}: make it two files");
        findings.push(Finding::new(path, 0, message));
    } else if lines > LONG {
        let message = format!("{lines} lines without tests: it wants to be two files");
        findings.push(Finding { advice: true, ..Finding::new(path, 0, message) });
    }
}

fn rust(path: &str, content: &str, findings: &mut Vec<Finding>) {
    let in_list = |list: &[&str]| list.iter().any(|part| path.contains(part));
    let is_test = path.contains("/tests/") || path.contains("/benches/");
    let mut in_tests = false;
    for (index, line) in content.lines().enumerate() {
        in_tests |= line == "#[cfg(test)]";
        let code = code_of(line);
        let mut found = |message: &str| findings.push(Finding::new(path, index + 1, message));
        if has_word(&code, "unsafe") && (!in_list(&UNSAFE) || path.starts_with(SAFE)) {
            found("`unsafe` outside kernels, the engine's memory and threads, and mapped files");
        }
        if code.trim_start().starts_with("#[ignore") {
            found("an ignored test: repair it or take it out");
        }
        let prints = ["println!", "eprintln!", "print!", "eprint!"];
        if !in_tests && !is_test && !in_list(&PRINTS) && prints.iter().any(|p| has_word(&code, p)) {
            found("a library does not print");
        }
    }
}

/// A line without its comment and without what stands in string literals.
fn code_of(line: &str) -> String {
    let mut code = String::new();
    let mut rest = line.chars().peekable();
    let mut in_string = false;
    while let Some(c) = rest.next() {
        match c {
            '\\' if in_string => {
                rest.next();
            }
            '"' => in_string = !in_string,
            '/' if !in_string && rest.peek() == Some(&'/') => break,
            _ if in_string => {}
            _ => code.push(c),
        }
    }
    code
}

fn is_word_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let ends = !word.ends_with(is_word_part) || !after.is_some_and(is_word_part);
        !before.is_some_and(is_word_part) && ends
    })
}

/// Whether an absolute path begins with `place`, rather than some relative one containing it.
fn names_path(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        !line[..at].ends_with(|c: char| is_word_part(c) || matches!(c, '.' | '}' | ')' | '/' | '-'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, content: &str) -> Vec<String> {
        check(path, content).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn each_rule_finds_its_case_and_no_other() {
        let later = format!("// {LATER}\n");
        let reason = format!("// {LATER}: until the specification settles the rounding\n");
        let home = format!("const X: &str = \"{}me/x\";\n", MACHINE_PATHS[0]);
        let cases: &[(&str, &str, Option<&str>)] = &[
            ("crates/core/src/a.rs", "fn a() {}\n", None),
            ("crates/core/src/a.rs", "fn a() {} \n", Some("white space")),
            ("crates/core/src/a.rs", "fn a() {}", Some("no line end")),
            ("crates/core/src/a.rs", "unsafe { a() }\n", Some("`unsafe` outside")),
            ("crates/kernels/src/a.rs", "unsafe { a() }\n", None),
            ("crates/cpu/src/io.rs", "unsafe { a() }\n", None),
            ("crates/cpu/src/ops/gemm.rs", "unsafe { a() }\n", Some("`unsafe` outside")),
            ("crates/core/src/a.rs", "// unsafe is not used here\n", None),
            ("crates/core/src/a.rs", "let s = \"unsafe\";\n", None),
            ("crates/core/src/a.rs", "#![deny(unsafe_code)]\n", None),
            ("crates/core/src/a.rs", "println!();\n", Some("does not print")),
            ("crates/core/src/a.rs", "#[cfg(test)]\nprintln!();\n", None),
            ("crates/cli/src/a.rs", "println!();\n", None),
            ("crates/core/src/a.rs", "#[ignore]\n", Some("an ignored test")),
            ("crates/core/src/a.rs", &later, Some("without a reason")),
            ("crates/core/src/a.rs", &reason, None),
            ("crates/core/src/a.rs", &home, Some("on one machine")),
            ("docs/a.md", "`spec/home/x` and ../home/y\n", None),
            ("tools/a.py", "import os\n", Some("SPDX")),
        ];
        for (path, content, expected) in cases {
            let found = messages(path, content);
            match expected {
                None => assert!(found.is_empty(), "{content:?}: {found:?}"),
                Some(part) => {
                    assert_eq!(found.len(), 1, "{content:?}: {found:?}");
                    assert!(found[0].contains(part), "{content:?}: {found:?}");
                }
            }
        }
    }

    #[test]
    fn tests_do_not_count_towards_the_length() {
        let code = "//\n".repeat(TOO_LONG);
        let tests = "\n#[cfg(test)]\nmod tests {\n".to_string() + &"//\n".repeat(100) + "}\n";
        assert!(check("a.rs", &(code.clone() + &tests)).iter().all(|finding| finding.advice));
        assert!(check("a.rs", &(code + "//\n")).iter().any(|finding| !finding.advice));
    }
}
