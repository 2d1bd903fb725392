//! Files mapped into memory: weights are read where they lie, and their pages are handed back once
//! the engine has packed them.
#![allow(unsafe_code, reason = "mapping a file is unsafe by nature; this crate is its only place")]

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::Path;

use memmap2::Mmap;
use webnn_core::Storage;

/// A regular file, mapped read-only.
///
/// The file must not be truncated while it is mapped: the operating system then ends the process
/// at the next read of a page that is gone. Bytes written to it meanwhile may or may not be seen.
#[derive(Debug)]
pub struct MappedFile {
    map: Mmap,
}

impl MappedFile {
    /// Maps the file; refuses directories, pipes, devices and sockets.
    pub fn open(path: &Path) -> io::Result<MappedFile> {
        // Looked at before it is opened, because opening a pipe waits for a writer.
        regular(&fs::metadata(path)?)?;
        let file = File::open(path)?;
        regular(&file.metadata()?)?;
        // SAFETY: the map is read-only and private to this value, which hands out shared slices
        // only; that the file keeps its length meanwhile is the documented duty of the caller.
        let map = unsafe { Mmap::map(&file) }?;
        Ok(MappedFile { map })
    }

    /// Where `part` lies in this file; `None` for a slice of something else.
    pub fn range_of(&self, part: &[u8]) -> Option<Range<usize>> {
        let start = part.as_ptr().addr().checked_sub(self.map.as_ptr().addr())?;
        let end = start.checked_add(part.len())?;
        (end <= self.map.len()).then_some(start..end)
    }
}

impl AsRef<[u8]> for MappedFile {
    fn as_ref(&self) -> &[u8] {
        &self.map
    }
}

impl Storage for MappedFile {
    fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Gives the whole pages inside the range back; a later read fetches them from the file again.
    fn release(&self, range: Range<usize>) {
        #[cfg(unix)]
        {
            // No system has pages above 64 KiB by default, and a multiple of the page is as good.
            const PAGE: usize = 1 << 16;
            let start = range.start.div_ceil(PAGE) * PAGE;
            let end = if range.end == self.map.len() { range.end } else { range.end / PAGE * PAGE };
            if start < end {
                // SAFETY: the pages are clean pages of a file: dropping them changes no byte that
                // a later read sees.
                let hint = unsafe {
                    self.map.unchecked_advise_range(
                        memmap2::UncheckedAdvice::DontNeed,
                        start,
                        end - start,
                    )
                };
                // A refused hint costs memory, never a result.
                drop(hint);
            }
        }
        #[cfg(not(unix))]
        let _ = range;
    }
}

fn regular(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str, bytes: &[u8]) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("webnn-file-{}-{name}", std::process::id()));
        fs::write(&path, bytes).unwrap();
        path
    }

    #[test]
    fn released_bytes_stay_readable() {
        let bytes: Vec<u8> = (0..400_000u32).map(|i| (i % 251) as u8).collect();
        let path = written("release", &bytes);
        let file = MappedFile::open(&path).unwrap();
        for range in [0..400_000, 1..399_999, 70_000..70_001, 65_536..131_072] {
            file.release(range);
            assert_eq!(file.bytes(), bytes);
        }
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_slice_is_found_in_its_own_file_only() {
        let path = written("range", b"0123456789");
        let file = MappedFile::open(&path).unwrap();
        assert_eq!(file.range_of(&file.bytes()[3..7]), Some(3..7));
        assert_eq!(file.range_of(b"0123456789"), None);
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn only_regular_files_are_mapped() {
        assert!(MappedFile::open(&std::env::temp_dir()).is_err());
        assert!(MappedFile::open(Path::new("/nonexistent/file")).is_err());
        let empty = written("empty", b"");
        assert_eq!(MappedFile::open(&empty).unwrap().bytes(), b"");
        fs::remove_file(empty).unwrap();
        #[cfg(target_os = "linux")]
        assert!(MappedFile::open(Path::new("/dev/zero")).is_err());
    }
}
