//! What people see: colours, progress, tables; and files that are whole or not there.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();

/// A bar of so many steps, on a terminal only.
pub(crate) fn progress(steps: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} [{bar:40}] {pos}/{len} {eta}")
        .expect("the template is correct")
        .progress_chars("=> ");
    ProgressBar::new(steps).with_style(style).with_message(what)
}

/// A sign of life while something takes its time, on a terminal only.
pub(crate) fn spinner(what: String) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(what);
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

/// Writes a file; whoever looks finds the old one or all of the new one.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let place = || format!("cannot write {}", path.display());
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _here => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    // Temporary files are private by default; this one is to be like any other.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).with_context(place)?;
    file.write_all(bytes).with_context(place)?;
    file.persist(path).with_context(place)?;
    Ok(())
}

/// A number with the unit that fits: `3.4 MB`.
pub(crate) fn bytes(count: u64) -> String {
    scaled(count as f64, "B", 1000.0)
}

/// A count with a metric prefix: `300.8 M`.
pub(crate) fn count(count: u64) -> String {
    scaled(count as f64, "", 1000.0)
}

fn scaled(value: f64, unit: &str, step: f64) -> String {
    let mut scaled = value;
    for prefix in ["", "k", "M", "G", "T"] {
        if scaled < step || prefix == "T" {
            let digits = usize::from(!prefix.is_empty());
            return format!("{scaled:.digits$} {prefix}{unit}").trim_end().to_owned();
        }
        scaled /= step;
    }
    unreachable!("the last prefix takes everything")
}

/// A duration with three or so digits: `1.23 ms`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let (value, unit) = match seconds {
        s if s >= 1.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s => (s * 1e6, "µs"),
    };
    let digits = match value {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(13_965_080), "14.0 MB");
        assert_eq!(count(300_774_272), "300.8 M");
        assert_eq!(count(12), "12");
        assert_eq!(duration(Duration::from_nanos(1_234_567)), "1.23 ms");
        assert_eq!(duration(Duration::from_nanos(45_600)), "45.6 µs");
        assert_eq!(duration(Duration::from_millis(123_456)), "123 s");
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.bin");
        write_whole(&path, b"old").unwrap();
        write_whole(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let error = write_whole(&folder.path().join("no/such/out.bin"), b"").unwrap_err();
        assert!(format!("{error:#}").starts_with("cannot write"), "{error:#}");
    }
}
